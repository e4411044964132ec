### Parts of problems with packages, images, descriptors and files. Lower case, no full stop.

## A package and its components

detail-package-no-rules = the package has no rules.json; it is no firmware package, or was packed with its folder
detail-package-missing-file = component “{ $component }”: its file “{ $file }” is not in the package
detail-package-unnamed-entry = entry “{ $entry }” is named by no component of rules.json; remove it, or name it
detail-package-size = component “{ $component }”: its file has { $bytes } bytes, rules.json says { $stated }
detail-package-crc = component “{ $component }”: its file has CRC-32 { $computed }, rules.json says { $stated }
detail-package-image = component “{ $component }”: { $error }
detail-package-write = the package cannot be written: { $error }
detail-package-other-product = it is not for the product { $product }
detail-package-component-count = it has { $count } components; this agent writes packages of one
detail-package-other-version = it holds version { $found }, the policy names { $wanted }
detail-package-suffix-product = component “{ $component }”: by its DFU suffix the firmware is for { $suffix }, not for { $product }
detail-package-suffix-version = component “{ $component }”: by its DFU suffix the firmware has version { $suffix }, by rules.json { $stated }
detail-package-two-versions = it calls itself version { $package }, its component has { $component }
detail-package-battery = it asks for a charge of { $percent } %; this agent cannot read the charge of a headset
detail-package-no-image = its component has no image

## The zip file

detail-archive-unread = the package cannot be read: { $error }
detail-archive-too-large = the package has { $bytes } bytes, at most { $most } are read
detail-archive-no-end = the package does not end like a zip file ({ $bytes } bytes); it is cut off, or no zip
detail-archive-directory = the package’s directory does not fill the bytes before its end; it is damaged
detail-archive-too-many-entries = the package has { $entries } entries, at most { $most } are read
detail-archive-name = entry { $index } (from 0) is named “{ $entry }”: { $fault }
detail-archive-duplicate = entry “{ $entry }” is there twice (upper and lower case count as the same)
detail-archive-symbolic-link = entry “{ $entry }” is a symbolic link; only files are read
detail-archive-not-a-file = entry “{ $entry }” is no file (mode { $mode })
detail-archive-encrypted = entry “{ $entry }” is encrypted; pack it without a password
detail-archive-method = entry “{ $entry }” is packed by method { $method }; only 0 (stored) and 8 (deflated) are read
detail-archive-entry-too-large = entry “{ $entry }” has { $bytes } bytes unpacked, at most { $most } are read
detail-archive-total-too-large = the package has { $bytes } bytes unpacked, at most { $most } are read
detail-archive-ratio = entry “{ $entry }” unpacks from { $packed } to { $bytes } bytes, more than { $most } times
detail-archive-local-header = entry “{ $entry }”: its own header does not agree with the directory; the package is damaged
detail-archive-overlap = entry “{ $entry }” shares bytes with another entry; the package is damaged or made to deceive
detail-archive-inflate = entry “{ $entry }” cannot be unpacked; its packed bytes are damaged
detail-archive-unpacked-size = entry “{ $entry }” does not unpack to the { $bytes } bytes it states; the package is damaged
detail-archive-crc = entry “{ $entry }” has CRC-32 { $computed }, { $stated } is stated

## The name of an entry

detail-name-length = expected 1 to 128 bytes
detail-name-characters = only printable ASCII is read
detail-name-backslash = a backslash is a path separator on Windows
detail-name-drive = it begins with a drive letter
detail-name-stream = a colon names an alternate data stream on Windows
detail-name-absolute = it is an absolute path
detail-name-parent = it leaves its folder by “..”
detail-name-part = it has an empty part or “.”; folders are not read

## rules.json

detail-rules-json = rules.json line { $line }, column { $column }: { $error }
detail-rules-schema = rules.json has schema { $found }, this program knows { $known }; update it, or pack again
detail-rules-text = rules.json: { $field } must have { $least } to { $most } characters, none of them a control character or invisible
detail-rules-targets = rules.json: targets must be 1 to { $most } different devices, there are { $count }{ $repeated ->
        [true] , some of them twice
       *[false] {""}
    }
detail-rules-components = rules.json: components must be 1 to { $most }, there are { $count }
detail-rules-id = rules.json: component { $index } (from 0) has id “{ $component }”, expected are 1 to { $most } of a-z, 0-9 and -
detail-rules-file = rules.json: component “{ $component }” has file “{ $file }”, expected are up to { $most } of A-Z, a-z, 0-9, _ and -, with single points and slashes in between, and not rules.json itself
detail-rules-repeated = rules.json: component “{ $component }” repeats the id or the file of another
detail-rules-method = rules.json: component “{ $component }”: { $error }; update this program
detail-package-other-method = it is written by “{ $method }”, the headset takes firmware by “{ $wanted }”
detail-method-unknown = firmware by the method “{ $method }” is not known to this version, only “usb-dfu” is
detail-rules-size = rules.json: component “{ $component }” has size { $bytes }, expected are 1 to { $most } bytes
detail-rules-minutes = rules.json: expected_minutes is { $minutes }, expected is 1 to { $most }
detail-rules-battery-percent = rules.json: battery_percent_minimum is { $percent }, expected is 0 to 100

## The image and its DFU suffix

detail-image-empty = the firmware is empty, expected is at least 1 byte besides the DFU suffix
detail-image-too-large = the firmware has { $bytes } bytes, at most { $most } are accepted
detail-image-suffix-length = the DFU suffix at byte { $at } says it is { $length } bytes long, expected are 16 to { $bytes }, the size of the file
detail-image-crc = the CRC of the DFU suffix does not match: the file says { $stated }, its bytes give { $computed }; the file is damaged
detail-image-specification = the DFU suffix is of specification { $bcd_dfu }; only 0x0100 and 0x0110 can be sent by USB DFU 1.1
detail-version-erased = bcdDevice 0xffff is no version; the firmware is erased, or cannot be read
detail-version-text = “{ $text }” is no firmware version; expected is major.minor such as 1.20 or 12.05, or 0x0a12 where a digit is above 9

## Report descriptors

detail-descriptor-not-hex = not hex text: line { $line } has “{ $word }”
detail-descriptor-no-collection = it has no collection
detail-descriptor-too-long = it has { $bytes } bytes, expected are at most { $most }
detail-descriptor-truncated = it ends inside the item at byte { $offset }: expected were { $expected } bytes, { $came } came
detail-descriptor-report-id = the item at byte { $offset } names report { $came }, expected is 1 to 255
detail-descriptor-too-many-bits = with the item at byte { $offset } the reports grow to { $bits } bits in all, expected are at most { $most }
detail-descriptor-too-many-usages = at byte { $offset } there are more than { $most } usages before one main item
detail-descriptor-too-many-fields = at byte { $offset } there are more than { $most } fields
detail-descriptor-too-deep = at byte { $offset } collections are nested deeper than { $most }
detail-descriptor-unopened-collection = at byte { $offset } there is an End Collection, but no collection is open
detail-descriptor-unclosed-collection = it ends at byte { $offset } with { $open ->
        [one] one collection
       *[other] { $open } collections
    } open
detail-descriptor-push-too-deep = at byte { $offset } Push is nested deeper than { $most }
detail-descriptor-pop-without-push = at byte { $offset } there is a Pop without a Push

## Files

detail-file-empty = it is empty
detail-file-too-large = it has more than the { $most } bytes that are read

## What the system, a library or a server says

detail-verbatim = { $words }

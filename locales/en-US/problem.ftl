### What went wrong, and in `.next` what to do. The place is shown beside it.

## Settings

problem-setting-invalid = The value of { $key } cannot be used and does not count
    .next = { $kind ->
        [port] Write a TCP port from 0 to 65535.
        [truth] Write true or false.
        [origins] Write a list of at most 64 pages such as https://softphone.example and programs such as /usr/bin/softphone.
        [language] Write a language tag such as de-DE.
        [https] Write an address without password, query and fragment: https:// of a server, file:// or folder+https:// of a folder.
        [tenant-id] Write 1 to 128 letters, digits, “-”, “_” or “.”.
        [token] Write 1 to 4096 visible ASCII characters.
        [sha256] Write the SHA-256 of root.json, 64 hexadecimal digits.
        [path] Write the full path of a PEM file.
        [user] Write 1 to 256 characters, none of them a control character or invisible.
        [headset] Write the id of a headset as “hookswitch devices” prints it.
       *[level] Write one of error, warn, info, debug, trace.
    }
problem-setting-managed = { $key } is set by your IT department and cannot be changed here
    .next = Remove it here, or ask your IT department to change { $machine }.
problem-setting-misspelt = There is no setting { $key }; { $nearest } comes nearest
    .next = Write { $nearest }; “hookswitch settings list” shows all of them.
problem-setting-token-first = A tenant’s token is set, and would be sent to the tenant of the new { $key }
    .next = Take it out first (“hookswitch settings set tenant_token”), and set the new one last.
problem-settings-unknown = Names in the file that are no settings, beside those said above: { $more }
    .next = Remove them; “hookswitch settings list” shows all there are.
problem-setting-unknown = There is no setting { $key }
    .next = “hookswitch settings list” shows all there are; only these count.
problem-settings-newer = The settings file has schema { $schema }, this agent knows up to { $known }
    .next = Update the agent; until then the settings it knows are used.
problem-settings-unusable = The settings file cannot be used: { $reason }
    .next = Correct the file, or remove it. Until then nothing counts that it could decide, such as the tenant.
problem-settings-withheld = This computer is managed, but this account may not read its settings
    .next = Your company’s functions stay off in this account; what your headset can do works all the same. Your IT department decides which accounts may read the file.
problem-tenant-token-exposed = Every user of this computer can read the tenant’s token
    .next = { $file ->
        [private] chgrp hookswitch { $private } and chmod 640 { $private }: then the members of this group read it and nobody else. Have the tenant give a new token.
       *[shared] Move the line tenant_token to { $private }, owner root, mode 0600, and have the tenant give a new token.
    }
problem-language-not-spoken = Hookswitch has no texts in { $tag }
    .next = There are { $known }; instead of any other language it is English.
problem-settings-unreadable = Line { $line } of the settings file is not TOML; the file is left out
    .next = Correct the line: name = value, texts in quotation marks.

## Folders and logs

problem-home-foreign = The folder belongs to another user: { $owner }
    .next = Name a folder of your own with --home DIR or HOOKSWITCH_HOME, or correct its owner.
problem-home-open = Other users may write in the folder, so what lies there may be theirs
    .next = Look what is in it, take the right from them (chmod go-w), or name another folder with --home DIR or HOOKSWITCH_HOME.
problem-home-unknown = This user has no home folder
    .next = Name a folder with --home DIR or HOOKSWITCH_HOME.
problem-home-unwritable = The folder cannot be written: { $reason }
    .next = Name another folder with --home DIR or HOOKSWITCH_HOME, or correct its permissions.
problem-log-not-started = The logs could not be started: { $reason }
    .next = Report this: it is a mistake in the program.
problem-log-unwritable = The log cannot be written: { $reason }
    .next = Correct the permissions of the file, or delete it.

## The desktop

problem-browser-not-opened = No browser could be opened: { $reason }
    .next = Install the package xdg-utils and choose a default browser, or open the address that “hookswitch open --print” prints.
problem-no-default-browser = No browser could be opened: { $reason }
    .next = Choose a default browser in the system’s settings, or open the address that “hookswitch open --print” prints.
    .place = browser
problem-not-on-this-system = Hookswitch cannot do this on this system yet: { $what }
    .next = Everything else works; nothing has to be done.
problem-tray-not-shown = There is no icon near the clock: { $reason }
    .next = Open the window with “hookswitch open”; everything else works.
    .place = desktop

## Headsets

problem-bad-descriptor = Its report descriptor cannot be understood: { $error }
    .next = Plug it in again; if that does not help, send a bundle to support.
problem-hid-access-denied = The headset cannot be opened: { $error }
    .next = Install the package’s udev rule (70-hookswitch.rules), then plug the headset in again.
problem-hid-not-allowed = The headset cannot be opened: { $error }
    .next = Allow Hookswitch in the system’s settings, Privacy & Security, Input Monitoring; then start it again.
problem-hid-not-opened = The headset cannot be opened: { $error }
    .next = End other programs that control this headset, then plug it in again.
problem-hid-unreadable = The headset is there, but reading from it ends at once, again and again
    .next = Plug it in again, at another port if that does not help.
problem-lights-not-taken = The headset does not take what its lights should show: { $error }
    .next = Hookswitch keeps trying; if it lasts, plug the headset in again.
problem-reports-unreadable = The headset sends reports that cannot be read: { $error }
    .next = If a button does nothing, send a bundle to support (“hookswitch bundle”).
problem-hid-unavailable = HID devices cannot be listed: { $error }
    .next = Start Hookswitch again; if that does not help, send a bundle to support (“hookswitch bundle”).
    .place = HID library
problem-hotplug-unavailable = The system does not tell when devices come and go: { $error }
    .next = Start Hookswitch again after plugging a headset in.
problem-usb-unavailable = USB devices cannot be listed: { $error }
    .next = Firmware updates are off until that works; call control is not affected. Send a bundle to support (“hookswitch bundle”).
    .place = USB library

## Calls

problem-no-such-call = There is no such call, or it has ended
    .next = Read GET /v1/calls for the calls that are open.
problem-not-your-call = The call belongs to another softphone
    .next = Only the softphone that created a call may act on it.
problem-too-many-calls = { $limit } calls are open already
    .next = End calls that are over before starting another one.
problem-wrong-call-state = That cannot be done to a call that is { $state ->
        [ringing] ringing
        [answered] answered
        [held] on hold
       *[ended] over
    }
    .next = Follow the call’s events; a held call is resumed, a ringing one answered.

## Updates

problem-not-at-the-seat = Somebody else is at this computer now
    .next = Switch to your own session at the screen, then try again.
    .place = firmware update
problem-in-call = The headset is in a call
    .next = Install the update when the call is over.
problem-cancel-strands = The firmware is being written: canceled now, the headset does not work until the update is installed again
    .next = Let it go on; or cancel all the same (“hookswitch update cancel --force”).
problem-cancel-too-late = The headset has the whole firmware and puts it in place
    .next = Leave it plugged in; it is nearly done.
problem-device-returning = The headset is on its way back from its update
    .next = Wait a few seconds.
problem-headset-gone = The headset was not plugged in when it was its turn
    .next = Plug it in and install the update again.
problem-needs-firmware = The headset needs its firmware again, because its update was not finished
    .next = Keep it at this USB port and install the update again.
    .place = USB port { $place }
problem-needs-firmware-away = The headset was unplugged before its update was finished, and needs its firmware again
    .next = Plug it into the same USB port and install the update again.
    .place = USB port { $place }
problem-method-unknown = This version of Hookswitch cannot write the firmware of this model: { $why }
    .next = Update it by its maker’s program, or when a newer version of Hookswitch can.
problem-no-dfu-interface = The device shows no firmware update interface
    .next = Plug it in by its USB cable, directly and not through a charger.
problem-version-not-comparable = The headset’s firmware version { $current } cannot be compared with { $target }, the one meant for it
    .next = Tell your IT department: the policy should name a version of the kind that the headset reports.
problem-no-such-offer = There is no such update, or not any more
    .next = Name one of those that “hookswitch update list” prints.
problem-no-update-running = No update is running
    .next = There is nothing to cancel.
    .place = firmware update
problem-not-deferrable = This update cannot be put off
    .next = Install it when it suits; until then it stays in the list.
problem-deferrals-used = This update was put off as often as your company allows ({ $most })
    .next = It begins by itself as soon as no call is going on; install it now if that suits better.
problem-recovery-without-tenant = Its firmware came from a company that does not manage this computer any more
    .next = Keep the headset at this USB port and ask your IT department.
problem-package-not-kept = The firmware package is not on this computer any more
    .next = Connect this computer to your company's network and install the update again.
problem-package-refused = The firmware package is refused: { $error }
    .next = { $resumed ->
        [true] The headset still needs its firmware: keep it at its USB port. Your company has to publish a package that fits.
       *[false] Nothing was sent to the headset. Your company has to publish a package that fits.
    }
problem-queue-full = { $most } updates wait already
    .next = Wait until one of them is done, then install this one.
problem-quit-strands = A headset is being updated: if Hookswitch ends now, it may not work until the update is installed again
    .next = Wait until the update is done; it takes a few minutes.
problem-update-cancelled = The update was canceled before anything was sent to the device
    .next = Start it again whenever it suits.
problem-update-failed = { $why ->
        [cannot-open] The headset could not be opened for its update
        [stayed] The headset did not switch over to take its firmware
        [method] The headset does not take firmware in this way
        [unplugged] The headset was unplugged during its update
        [not-accepted] The headset did not accept the new firmware
        [old-version] The headset came back with its old version
        [other-version] The headset came back with a version nobody asked for
        [no-journal] The update was stopped, because what it does cannot be written down
       *[writing] Writing the firmware to the headset failed
    }
    .next = { $device }
    .more = { $detail }
problem-update-forgotten = The update was not begun: somebody took it back, another person came to the computer, or Hookswitch was restarted
    .next = Install it again if “hookswitch update list” offers it.
problem-update-queued = The update of this headset waits for its turn already
    .next = It begins by itself.
problem-update-running = The update of this headset is running
    .next = Wait until it is done.
problem-update-stopped = The update was canceled
    .next = { $device }
    .more = { $detail }
problem-update-unknown = Nobody can say whether the update worked: the headset has not told its version
    .next = Plug the headset in again, into the same USB port; its version decides.
    .more = { $detail }

## The support bundle

problem-bundle-not-written = The bundle cannot be written: { $reason }
    .next = Name another file with --output FILE.
problem-package-not-written = The package cannot be written: { $reason }
    .next = Name another file with --output FILE.

## Said or stored by another version, in its English words

problem-unheard-of = { $what }
    .next = { $next }
    .more = { $code }

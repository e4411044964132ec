### Teile von Problemen mit Paketen, Abbildern, Deskriptoren und Dateien. Ohne Punkt am Ende.

## Ein Paket und seine Komponenten

detail-package-no-rules = Im Paket fehlt rules.json; es ist kein Firmware-Paket oder wurde mitsamt seinem Ordner gepackt
detail-package-missing-file = Komponente „{ $component }“: Ihre Datei „{ $file }“ fehlt im Paket
detail-package-unnamed-entry = Keine Komponente in rules.json nennt den Eintrag „{ $entry }“; entfernen oder nennen Sie ihn
detail-package-size = Komponente „{ $component }“: Ihre Datei hat { $bytes } Byte, rules.json nennt { $stated }
detail-package-crc = Komponente „{ $component }“: Ihre Datei hat die CRC-32 { $computed }, rules.json nennt { $stated }
detail-package-image = Komponente „{ $component }“: { $error }
detail-package-write = Das Paket lässt sich nicht schreiben: { $error }
detail-package-other-product = Es ist nicht für das Produkt { $product }
detail-package-component-count = Es hat { $count } Komponenten; dieser Agent schreibt Pakete mit genau einer
detail-package-other-version = Es enthält Version { $found }, die Richtlinie nennt { $wanted }
detail-package-suffix-product = Komponente „{ $component }“: Laut DFU-Suffix ist die Firmware für { $suffix }, nicht für { $product }
detail-package-suffix-version = Komponente „{ $component }“: Laut DFU-Suffix hat die Firmware Version { $suffix }, laut rules.json { $stated }
detail-package-two-versions = Es nennt sich Version { $package }, seine Komponente hat { $component }
detail-package-battery = Es verlangt eine Ladung von { $percent } %; dieser Agent kann die Ladung eines Headsets nicht lesen
detail-package-no-image = Seine Komponente hat kein Abbild

## Die Zip-Datei

detail-archive-unread = Das Paket ließ sich nicht lesen: { $error }
detail-archive-too-large = Das Paket hat { $bytes } Byte, höchstens { $most } werden gelesen
detail-archive-no-end = Das Paket endet nicht wie eine Zip-Datei ({ $bytes } Byte); es ist abgeschnitten oder keine
detail-archive-directory = Das Verzeichnis des Pakets füllt die Bytes vor seinem Ende nicht; das Paket ist beschädigt
detail-archive-too-many-entries = Das Paket hat { $entries } Einträge, höchstens { $most } werden gelesen
detail-archive-name = Eintrag { $index } (von 0 an) heißt „{ $entry }“: { $fault }
detail-archive-duplicate = Den Eintrag „{ $entry }“ gibt es zweimal (Groß- und Kleinschreibung zählen gleich)
detail-archive-symbolic-link = Eintrag „{ $entry }“ ist eine symbolische Verknüpfung; nur Dateien werden gelesen
detail-archive-not-a-file = Eintrag „{ $entry }“ ist keine Datei (Modus { $mode })
detail-archive-encrypted = Eintrag „{ $entry }“ ist verschlüsselt; packen Sie ihn ohne Kennwort
detail-archive-method = Eintrag „{ $entry }“ ist mit Verfahren { $method } gepackt; nur 0 (ungepackt) und 8 (deflate) werden gelesen
detail-archive-entry-too-large = Eintrag „{ $entry }“ hat entpackt { $bytes } Byte, höchstens { $most } werden gelesen
detail-archive-total-too-large = Das Paket hat entpackt { $bytes } Byte, höchstens { $most } werden gelesen
detail-archive-ratio = Eintrag „{ $entry }“ wächst beim Entpacken von { $packed } auf { $bytes } Byte, mehr als das { $most }-Fache
detail-archive-local-header = Eintrag „{ $entry }“: Sein eigener Kopf stimmt nicht mit dem Verzeichnis überein; das Paket ist beschädigt
detail-archive-overlap = Eintrag „{ $entry }“ teilt sich Bytes mit einem anderen; das Paket ist beschädigt oder soll täuschen
detail-archive-inflate = Eintrag „{ $entry }“ lässt sich nicht entpacken; seine Bytes sind beschädigt
detail-archive-unpacked-size = Eintrag „{ $entry }“ ergibt entpackt nicht die { $bytes } Byte, die er nennt; das Paket ist beschädigt
detail-archive-crc = Eintrag „{ $entry }“ hat die CRC-32 { $computed }, angegeben ist { $stated }

## Der Name eines Eintrags

detail-name-length = 1 bis 128 Byte werden erwartet
detail-name-characters = nur druckbares ASCII wird gelesen
detail-name-backslash = ein umgekehrter Schrägstrich trennt unter Windows Pfade
detail-name-drive = er beginnt mit einem Laufwerksbuchstaben
detail-name-stream = ein Doppelpunkt nennt unter Windows einen alternativen Datenstrom
detail-name-absolute = er ist ein absoluter Pfad
detail-name-parent = er verlässt mit „..“ seinen Ordner
detail-name-part = er hat einen leeren Teil oder „.“; Ordner werden nicht gelesen

## rules.json

detail-rules-json = rules.json Zeile { $line }, Spalte { $column }: { $error }
detail-rules-schema = rules.json hat Schema { $found }, dieses Programm kennt { $known }; aktualisieren Sie es, oder packen Sie neu
detail-rules-text = rules.json: { $field } muss { $least } bis { $most } Zeichen haben, darunter keine Steuerzeichen und keine unsichtbaren
detail-rules-targets = rules.json: targets muss 1 bis { $most } verschiedene Geräte nennen, es sind { $count }{ $repeated ->
        [true] , manche davon zweimal
       *[false] {""}
    }
detail-rules-components = rules.json: components muss 1 bis { $most } Einträge haben, es sind { $count }
detail-rules-id = rules.json: Komponente { $index } (von 0 an) hat die Kennung „{ $component }“, erwartet werden 1 bis { $most } aus a-z, 0-9 und -
detail-rules-file = rules.json: Komponente „{ $component }“ hat die Datei „{ $file }“, erwartet werden bis zu { $most } aus A-Z, a-z, 0-9, _ und -, dazwischen einzelne Punkte und Schrägstriche, und nicht rules.json selbst
detail-rules-repeated = rules.json: Komponente „{ $component }“ wiederholt die Kennung oder die Datei einer anderen
detail-rules-method = rules.json: Komponente „{ $component }“: { $error }; aktualisieren Sie dieses Programm
detail-package-other-method = es wird durch „{ $method }“ geschrieben, das Headset nimmt Firmware durch „{ $wanted }“
detail-method-unknown = das Firmware-Verfahren „{ $method }“ kennt diese Version nicht, nur „usb-dfu“
detail-rules-size = rules.json: Komponente „{ $component }“ hat die Größe { $bytes }, erwartet werden 1 bis { $most } Byte
detail-rules-minutes = rules.json: expected_minutes ist { $minutes }, erwartet wird 1 bis { $most }
detail-rules-battery-percent = rules.json: battery_percent_minimum ist { $percent }, erwartet wird 0 bis 100

## Das Abbild und sein DFU-Suffix

detail-image-empty = Die Firmware ist leer, erwartet wird mindestens 1 Byte vor dem DFU-Suffix
detail-image-too-large = Die Firmware hat { $bytes } Byte, höchstens { $most } werden angenommen
detail-image-suffix-length = Das DFU-Suffix nennt bei Byte { $at } seine Länge mit { $length } Byte, erwartet werden 16 bis { $bytes }, die Größe der Datei
detail-image-crc = Die CRC des DFU-Suffixes stimmt nicht: Die Datei nennt { $stated }, ihre Bytes ergeben { $computed }; die Datei ist beschädigt
detail-image-specification = Das DFU-Suffix ist von Spezifikation { $bcd_dfu }; nur 0x0100 und 0x0110 lassen sich mit USB DFU 1.1 senden
detail-version-erased = bcdDevice 0xffff ist keine Version; die Firmware ist gelöscht oder nicht lesbar
detail-version-text = „{ $text }“ ist keine Firmware-Version; erwartet wird Haupt.Nebennummer wie 1.20 oder 12.05, oder 0x0a12, wo eine Ziffer größer als 9 ist

## Report-Deskriptoren

detail-descriptor-not-hex = Kein Hex-Text: in Zeile { $line } steht „{ $word }“
detail-descriptor-no-collection = Er hat keine Collection
detail-descriptor-too-long = Er hat { $bytes } Byte, erwartet werden höchstens { $most }
detail-descriptor-truncated = Er endet mitten im Element bei Byte { $offset }: { $expected } Byte wurden erwartet, { $came } kamen
detail-descriptor-report-id = Das Element bei Byte { $offset } nennt den Report { $came }, erwartet wird 1 bis 255
detail-descriptor-too-many-bits = Mit dem Element bei Byte { $offset } wachsen die Reports auf zusammen { $bits } Bits, erwartet werden höchstens { $most }
detail-descriptor-too-many-usages = Bei Byte { $offset } stehen mehr als { $most } Usages vor einem Hauptelement
detail-descriptor-too-many-fields = Bei Byte { $offset } sind es mehr als { $most } Felder
detail-descriptor-too-deep = Bei Byte { $offset } sind Collections tiefer als { $most } verschachtelt
detail-descriptor-unopened-collection = Bei Byte { $offset } steht ein End Collection, es ist aber keine Collection offen
detail-descriptor-unclosed-collection = Er endet bei Byte { $offset }, während { $open ->
        [one] noch eine Collection offen ist
       *[other] noch { $open } Collections offen sind
    }
detail-descriptor-push-too-deep = Bei Byte { $offset } ist Push tiefer als { $most } verschachtelt
detail-descriptor-pop-without-push = Bei Byte { $offset } steht ein Pop ohne Push

## Dateien

detail-file-empty = Sie ist leer
detail-file-too-large = Die Datei hat mehr als die { $most } Byte, die gelesen werden

## Was das System, eine Bibliothek oder ein Server sagt

detail-verbatim = { $words }

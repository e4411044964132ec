### Was `hookswitch descriptor` ausgibt. Die Namen der Usages sind in jeder Sprache die der HID-Usage-Tabellen.

descriptor-numbered = { $file }: { $bytes } Byte, Reports mit Nummer
descriptor-unnumbered = { $file }: { $bytes } Byte, Reports ohne Nummer
descriptor-collection = Collection { $usage }
descriptor-call-control = Anrufsteuerung: ja
descriptor-no-telephony-collection = Anrufsteuerung: nein, es gibt keine Application Collection auf der Telephony-Seite (000B)
descriptor-vendor-page-only = Anrufsteuerung: nein, es gibt keine Application Collection auf der Telephony-Seite (000B); Telefonie läuft über die Herstellerseite FFA0
descriptor-no-hook-switch-nor-led = Anrufsteuerung: nein, der Telephony Collection fehlen der Hook Switch (000B:0020) und die Off-Hook-LED (0008:0017)
descriptor-no-hook-switch = Anrufsteuerung: nein, der Telephony Collection fehlt die Eingabe Hook Switch (000B:0020)
descriptor-no-off-hook-led = Anrufsteuerung: nein, der Telephony Collection fehlt die Ausgabe Off-Hook-LED (0008:0017)
descriptor-mute-sync = Stummschaltung im Gleichlauf: ja
descriptor-no-mute-sync = Stummschaltung im Gleichlauf: nein
descriptor-head-control = Aufgabe
descriptor-head-usage = Usage
descriptor-head-report = Report
descriptor-head-id = ID
descriptor-head-bit = Bit
descriptor-head-size = Bits
descriptor-head-kind = Art
descriptor-input = Eingabe
descriptor-output = Ausgabe
descriptor-feature = Feature
descriptor-array = Array
descriptor-relative = relativ
descriptor-absolute = absolut

## Wozu ein Element da ist

role-line-busy = Leitung belegt
role-drop = Auflegen
role-reject = Ablehnen (Taste 7)
role-hook-switch = Gabelschalter
role-flash = Flash
role-hold-button = Halten-Taste
role-redial = Wahlwiederholung
role-phone-mute = Stummtaste
role-teams-button = Teams-Taste
role-vendor-reject = Ablehnen (Herstellerseite)
role-ring = Klingel-LED
role-ringer = Klingelton
role-off-hook = Abgehoben-LED
role-on-line = Leitungs-LED
role-mute = Stumm-LED
role-microphone = Mikrofon-LED
role-hold = Halten-LED

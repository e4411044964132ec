### Kurze Hinweise der Arbeitsfläche, je ein Titel und ein Satz.

notice-update-succeeded = { $name }: Aktualisierung fertig
notice-update-succeeded-body = Das Headset meldet jetzt Version { $version }.
notice-update-failed = { $name }: Aktualisierung fehlgeschlagen
notice-update-failed-body = Die Seite „Aktualisierungen“ sagt, warum, und was zu tun ist.
notice-update-unknown = { $name }: niemand kann sagen, ob die Aktualisierung gelang
notice-update-unknown-body = Stecken Sie das Headset neu an; die Seite „Aktualisierungen“ sagt mehr.
notice-device-unavailable = { $name } ist nicht zu gebrauchen
notice-device-unavailable-body = Die Seite „Geräte“ sagt, warum, und was zu tun ist.
notice-install-refused = { $name }: nicht installiert

### Kurze Hinweise der Arbeitsfläche, je ein Titel und ein Satz.

notice-update-asks = Aktualisierung wartet: { $name }
notice-update-asks-body = Version { $version } ist bereit. Die Seite „Aktualisierungen“ installiert sie oder schiebt sie auf.
notice-update-begins = Aktualisierung beginnt in einer Minute: { $name }
notice-update-begins-body = Lassen Sie das Headset angesteckt. Die Seite „Aktualisierungen“ kann sie aufschieben.
notice-update-begins-now-body = Lassen Sie das Headset angesteckt. Aufschieben lässt sie sich nicht mehr.
notice-update-succeeded = Aktualisiert: { $name }
notice-update-succeeded-body = Das Headset meldet jetzt Version { $version }.
notice-update-failed = Aktualisierung fehlgeschlagen: { $name }
notice-update-failed-body = Die Seite „Aktualisierungen“ sagt, warum, und was zu tun ist.
notice-update-unknown = Unklar, ob die Aktualisierung gelang: { $name }
notice-update-unknown-body = Stecken Sie das Headset neu an; die Seite „Aktualisierungen“ sagt mehr.
notice-unplugged = Abgezogen während der Aktualisierung: { $name }
notice-unplugged-body = Stecken Sie das Headset wieder an denselben USB-Anschluss; dann geht die Aktualisierung weiter.
notice-device-unavailable = Nicht nutzbar: { $name }
notice-device-unavailable-body = Die Seite „Geräte“ sagt, warum, und was zu tun ist.
notice-softphone-asks = { $softphone } möchte das Headset nutzen
notice-softphone-asks-body = Erlauben oder ablehnen können Sie es auf der Seite Softphones.

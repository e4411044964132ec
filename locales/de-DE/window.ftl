### Das Fenster: Seiten, die im Browser gezeigt werden. Ganze Sätze enden mit einem Punkt, Beschriftungen nicht.

## Rahmen

window-devices = Geräte
window-updates = Aktualisierungen
window-softphones = Softphones
window-quit = Hookswitch beenden?
window-skip = Zum Inhalt springen
window-navigation = Seiten
window-offline = Hookswitch antwortet nicht. Was Sie sehen, ist vielleicht veraltet; öffnen Sie das Fenster neu aus der Taskleiste oder mit „hookswitch open“.
window-no-scripts = Ohne JavaScript bleibt diese Seite nicht aktuell, und ihre Schaltflächen tun nichts.
window-problems = Was gerade nicht funktioniert
window-misdirected = Dieser Server antwortet nur unter seiner eigenen Adresse.
window-expired = Diese Adresse gilt nicht mehr
window-expired-next = Öffnen Sie das Fenster neu aus der Taskleiste oder mit „hookswitch open“. Jede Adresse gilt einmal und eine Minute lang.

## Wer diesen Rechner verwaltet

window-consumer = Dieser Rechner wird von keiner Firma verwaltet.
window-locked = Die Funktionen der Firma sind aus: Die Einstellungen dafür lassen sich hier nicht nutzen.
window-consumer-hint = Keine Firma verwaltet diesen Rechner, und das ist auch nicht nötig: Was Ihr Headset kann, geht trotzdem.
window-managed-by = Verwaltet von { $company }
window-not-enrolled = { $company } soll diesen Rechner verwalten, hat aber noch nicht geantwortet.
window-folder = Verwaltet von { $company }: Die Richtlinie kommt aus einem Ordner. Gemeldet wird dorthin nichts.
window-folder-unread = Die Richtlinie aus einem Ordner soll diesen Rechner verwalten, war aber noch nicht zu lesen.
window-policy-seen = Richtlinie vom Stand:
window-policy-version = Richtlinie Version { $version }
window-last-poll = Zuletzt gefragt:
window-next-poll = Nächste Frage:
window-poll = Jetzt fragen
window-groups-away = Ihre Gruppen sind die von zuletzt: Das Verzeichnis der Firma hat nicht geantwortet.

## Geräte

window-no-device = Kein Headset gefunden
window-no-device-next = Schließen Sie Ihr Headset oder seinen USB-Adapter an. Es erscheint hier von selbst.
window-no-device-hint = Nichts geschieht? Versuchen Sie einen anderen USB-Anschluss, ohne Verteiler dazwischen.
window-present = { $count ->
        [0] Kein Headset ist angeschlossen.
       *[other] Angeschlossen: { $names }
    }
window-device = Headset
window-vendor = Hersteller
window-firmware = Firmware
window-serial = Seriennummer
window-port = USB-Anschluss
window-status-ready = Bereit
window-status-updating = Wird aktualisiert
window-status-unplugged = Abgezogen
window-status-cancelling = Die Aktualisierung wird abgebrochen
window-status-needs-firmware = Braucht seine Firmware noch einmal
window-status-unavailable = Nicht nutzbar
window-line-busy = Im Gespräch
window-in-use = Für Anrufe verwendet
window-use = Für Anrufe verwenden
window-can = Was es kann
window-can-nothing = Es bietet nichts, was Hookswitch nutzen kann.
window-can-call-control = Anrufe annehmen und beenden
window-can-ring = Anzeigen, dass es klingelt
window-can-mute-sync = Gemeinsam mit dem Softphone stummschalten
window-can-hold = Anrufe halten
window-can-reject = Anrufe abweisen
window-can-redial = Wahlwiederholung
window-can-line-busy = Melden, dass Sie im Gespräch sind
window-can-teams = Teams-Taste
window-can-firmware-update = Firmware-Aktualisierung

## Aktualisierungen

window-no-offer = Keine Aktualisierung im Angebot
window-no-offer-next = Wenn Ihre Firma neue Firmware für Ihr Headset anbietet, steht sie hier.
window-history = Bisherige Aktualisierungen
window-offers = Angebotene Aktualisierungen
window-versions = { $from } → { $to }
window-deployment = Installation
window-group = Für die Gruppe
window-install = Installieren
window-cancel = Abbrechen
window-cancel-anyway = Trotzdem abbrechen
window-cancel-strands = Wird jetzt abgebrochen, arbeitet das Headset nicht, bis die Aktualisierung noch einmal installiert ist.
window-quit-means = Ohne Hookswitch folgt das Headset Ihren Anrufen nicht mehr, und eine unterbrochene Aktualisierung geht beim nächsten Start weiter.
window-quit-link = Hookswitch beenden
window-no-tray = Alles andere funktioniert. „hookswitch open“ führt wieder zu diesem Fenster.
window-quit-now = Trotzdem beenden
window-quit-back = Zurück zu den Aktualisierungen
window-recover = Noch einmal installieren
window-more = Einzelheiten
window-retries = { $count ->
        [one] Das Schreiben brach einmal ab und wurde neu begonnen.
       *[other] Das Schreiben brach { $count }-mal ab und wurde neu begonnen.
    }
window-defer = Nicht jetzt
window-deferred = Das haben Sie aufgeschoben. Mit der nächsten Version wird es wieder angeboten.
window-being-installed = Sie wird gerade installiert.
window-waits = Sie wartet, bis sie an der Reihe ist.

## Softphones

window-softphones-what = Webseiten und Programme, die Ihr Headset klingeln lassen und damit Anrufe annehmen, stummschalten und beenden dürfen. Webseiten können nichts installieren.
window-softphones-asking = Bitten um Erlaubnis
window-softphones-trust = Erlauben Sie nur, womit Sie telefonieren.
window-softphones-decided = Entschieden
window-softphone-connected = Verbunden
window-softphone-allow = Erlauben
window-softphone-deny = Ablehnen
window-softphone-revoke = Zurücknehmen
window-no-softphone = Kein Softphone bittet um Erlaubnis
window-no-softphone-next = Wenn ein Softphone das Headset nutzen möchte, im Browser oder als Programm, steht es hier.
window-softphone-asks = { $more ->
        [0] { $softphone } möchte das Headset nutzen.
        [one] { $softphone } und 1 weiteres Softphone möchten das Headset nutzen.
       *[other] { $softphone } und { $more } weitere Softphones möchten das Headset nutzen.
    }

## Eine laufende oder beendete Aktualisierung

window-update-for = { $name } für { $device }
window-job-running = Wird installiert
window-job-waiting = Wartet
window-job-last = Letzte Aktualisierung
window-keep-plugged = Lassen Sie das Headset angeschlossen.
window-progress = { $percent } % – { $done } von { $total } KiB
window-succeeded = Fertig: { $device } meldet jetzt Version { $version }.
window-failed = Die Aktualisierung von { $device } ist fehlgeschlagen.
window-unknown = Ob die Aktualisierung von { $device } gelungen ist, ist nicht bekannt.

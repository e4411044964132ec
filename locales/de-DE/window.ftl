### Das Fenster: Seiten, die im Browser gezeigt werden. Ganze Sätze enden mit einem Punkt, Beschriftungen nicht.

## Rahmen

window-devices = Geräte
window-updates = Aktualisierungen
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
window-consumer-hint = Keine Firma verwaltet diesen Rechner, und das ist auch nicht nötig: Was Ihr Headset kann, geht trotzdem.
window-managed-by = Verwaltet von { $company }
window-not-enrolled = { $company } soll diesen Rechner verwalten, hat aber noch nicht geantwortet.
window-policy-version = Richtlinie Version { $version }
window-last-poll = Zuletzt gefragt:

## Geräte

window-no-device = Kein Headset gefunden
window-no-device-next = Schließen Sie Ihr Headset oder seinen USB-Adapter an. Es erscheint hier von selbst.
window-no-device-hint = Nichts geschieht? Versuchen Sie einen anderen USB-Anschluss, ohne Verteiler dazwischen.
window-device = Headset
window-vendor = Hersteller
window-firmware = Firmware
window-serial = Seriennummer
window-status-ready = Bereit
window-status-updating = Wird aktualisiert
window-status-unavailable = Nicht nutzbar
window-line-busy = Im Gespräch
window-can = Was es kann
window-can-nothing = Es bietet nichts, was Hookswitch nutzen kann.
window-can-call-control = Anrufe annehmen und beenden
window-can-ring = Anrufe anzeigen
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
window-offers = Angebotene Aktualisierungen
window-versions = { $from } → { $to }
window-deployment = Installation
window-group = Für die Gruppe
window-install = Installieren
window-cancel = Abbrechen
window-defer = Nicht jetzt
window-deferred = Das haben Sie aufgeschoben. Mit der nächsten Version wird es wieder angeboten.
window-being-installed = Sie wird gerade installiert.

## Eine laufende oder beendete Aktualisierung

window-update-for = { $name } für { $device }
window-job-running = Wird installiert
window-job-last = Letzte Aktualisierung
window-keep-plugged = Lassen Sie das Headset angeschlossen.
window-progress = { $percent } % – { $done } von { $total } KiB
window-succeeded = Fertig: { $device } meldet jetzt Version { $version }.
window-failed = Die Aktualisierung von { $device } ist fehlgeschlagen.
window-unknown = Ob die Aktualisierung von { $device } gelungen ist, ist nicht bekannt.

## Was eine Schaltfläche nicht konnte

problem-window-expired = Diese Seite ist zu alt, um etwas zu ändern
    .next = Öffnen Sie das Fenster neu aus der Taskleiste oder mit „hookswitch open“.
    .place = Fenster
problem-window-request = Die Seite wollte etwas, das es nicht gibt
    .next = Laden Sie die Seite neu.
problem-window-stopping = Hookswitch wird gerade beendet
    .next = Starten Sie es neu.
problem-window-not-opened = Das Fenster lässt sich nicht öffnen: { $error }
    .next = Starten Sie Hookswitch neu.

## Die Tür für Softphones

problem-rest-port-taken = Softphones können sich nicht verbinden: Port { $port } ist belegt von { $holder }
    .next = Beenden Sie dieses Programm oder wählen Sie einen anderen rest_port in hookswitch.toml, dann starten Sie Hookswitch neu.
problem-rest-not-listening = Softphones können sich nicht verbinden: { $error }
    .next = Wählen Sie einen anderen rest_port in hookswitch.toml, dann starten Sie Hookswitch neu.
problem-rest-certificate = Softphones können sich nicht verbinden: Es gibt kein Zertifikat ({ $error })
    .next = Machen Sie den Ordner für sich beschreibbar, dann starten Sie Hookswitch neu.
problem-rest-endpoint-file = Softphones können sich nicht verbinden: Ihre Datei lässt sich nicht schreiben ({ $error })
    .next = Machen Sie den Ordner für sich beschreibbar, dann starten Sie Hookswitch neu.
problem-certificate-renewed = Das Zertifikat für Softphones wurde neu erstellt: { $why }
    .next = Wo dem alten vertraut wurde, vertrauen Sie nun dieser Datei.
problem-sdk-approval-asked = { $origin } möchte das Headset benutzen
    .next = Wenn Sie dieser Seite vertrauen, tragen Sie sie in hookswitch.toml unter sdk_approved ein; sonst ist nichts zu tun.

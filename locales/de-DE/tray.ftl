### Das Symbol neben der Uhr: was es unter dem Zeiger sagt, und sein Menü.

tray-tooltip = { $count ->
        [0] Hookswitch: kein Headset
        [one] Hookswitch: 1 Headset
       *[other] Hookswitch: { $count } Headsets
    }
tray-tooltip-updates = { $count ->
        [one] Hookswitch: 1 Aktualisierung wartet
       *[other] Hookswitch: { $count } Aktualisierungen warten
    }
tray-tooltip-call = Hookswitch: im Gespräch
tray-tooltip-muted = Hookswitch: im Gespräch, stumm

tray-no-device = Kein Headset angeschlossen
tray-device = { $name }, Version { $version }
tray-device-in-use = { $name }: für Anrufe verwendet
tray-use-device = { $name } für Anrufe verwenden
tray-device-updating = { $name }: wird aktualisiert
tray-device-impaired = { $name } arbeitet nicht, wie es soll
tray-device-needs-firmware = { $name } braucht seine Firmware noch einmal
tray-device-unavailable = { $name } ist nicht zu gebrauchen
tray-more-devices = { $count ->
        [one] 1 weiteres Headset
       *[other] { $count } weitere Headsets
    }

tray-progress = { $name } wird aktualisiert: { $percent } %
tray-install = { $name } auf { $version } aktualisieren …
tray-recover = { $name } seine Firmware wieder geben …

tray-open-devices = Geräte
tray-open-updates = Aktualisierungen
tray-open-softphones = Softphones
tray-softphone-asks = { $softphone } bittet um Erlaubnis …

tray-consumer = Nicht verwaltet
tray-locked = Ohne Verbindung zur Firma: Ihre Vorgaben sind nicht zu gebrauchen
tray-managed = Verwaltet von { $company }
tray-not-enrolled = Noch nicht bei der Firma angemeldet
tray-folder = Verwaltet von { $company } (aus einem Ordner, Stand { $seen })
tray-folder-unread = Der Ordner der Firma wurde noch nicht gelesen
tray-quit = Beenden

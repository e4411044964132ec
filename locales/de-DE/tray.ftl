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

tray-device = { $name }, Version { $version }

tray-progress = { $name } wird aktualisiert: { $percent } %
tray-install = { $name } auf { $version } aktualisieren

tray-open-devices = Geräte
tray-open-updates = Aktualisierungen

tray-managed = Verwaltet von { $company }
tray-quit = Beenden

### The icon near the clock: what it says under the pointer, and its menu.

tray-tooltip = { $count ->
        [0] Hookswitch: no headset
        [one] Hookswitch: 1 headset
       *[other] Hookswitch: { $count } headsets
    }
tray-tooltip-updates = { $count ->
        [one] Hookswitch: 1 update waits
       *[other] Hookswitch: { $count } updates wait
    }
tray-tooltip-call = Hookswitch: in a call
tray-tooltip-muted = Hookswitch: in a call, muted

tray-device = { $name }, version { $version }

tray-progress = Updating { $name }: { $percent } %
tray-install = Update { $name } to { $version }

tray-open-devices = Devices
tray-open-updates = Updates

tray-managed = Managed by { $company }
tray-quit = Quit

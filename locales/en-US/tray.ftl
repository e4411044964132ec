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

tray-no-device = No headset connected
tray-device = { $name }, version { $version }
tray-device-in-use = { $name }: used for calls
tray-use-device = Use { $name } for calls
tray-device-updating = { $name }: update in progress
tray-device-impaired = { $name } does not work as it should
tray-device-needs-firmware = { $name } needs its firmware again
tray-device-unavailable = { $name } cannot be used
tray-more-devices = { $count ->
        [one] 1 more headset
       *[other] { $count } more headsets
    }

tray-progress = Updating { $name }: { $percent } %
tray-install = Update { $name } to { $version } …
tray-recover = Give { $name } its firmware again …

tray-open-devices = Devices
tray-open-updates = Updates
tray-open-softphones = Softphones
# $softphone (String) – address of a web page.
tray-softphone-asks = { $softphone } asks …

tray-consumer = Not managed
tray-locked = Not connected to a company: its settings cannot be used
tray-managed = Managed by { $company }
tray-not-enrolled = Not yet enrolled with the company
# $seen – a date and time.
tray-folder = Managed by { $company } (from a folder, as of { $seen })
tray-folder-unread = The company’s folder has not been read yet
tray-quit = Quit

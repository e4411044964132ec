### The window: pages shown in the browser. Full sentences end with a full stop, labels do not.

## Frame

window-devices = Devices
window-updates = Updates
window-softphones = Softphones
window-quit = Quit Hookswitch?
window-skip = Skip to the content
window-navigation = Pages
window-offline = Hookswitch does not answer. What you see may be out of date; open the window again from the tray or with “hookswitch open”.
window-no-scripts = Without JavaScript this page does not keep itself up to date, and its buttons do nothing.
window-problems = What does not work right now
window-misdirected = This server answers to its own address only.
window-expired = This address is no longer valid
window-expired-next = Open the window again from the tray, or with “hookswitch open”. Each address works once and for one minute.

## Who manages this computer

window-consumer = No company manages this computer.
window-locked = The company’s functions are off: the settings for them cannot be used here.
window-consumer-hint = No company manages this computer, and none has to: what your headset can do works all the same.
# $company (String) – name of the company, or address of its server.
window-managed-by = Managed by { $company }
window-not-enrolled = { $company } is to manage this computer, but it has not answered yet.
window-folder = Managed by { $company }, whose policy comes from a folder. Nothing is reported there.
window-folder-unread = The policy of a folder is to manage this computer, but it could not be read yet.
# A date and time follows, and how long ago that is.
window-policy-seen = Policy as of:
# $version (Number) – counts up with each change the company makes.
window-policy-version = Policy version { $version }
# A date and time follows.
window-last-poll = Last asked:
window-next-poll = Next asked:
window-poll = Ask now
window-groups-away = Your groups are those of last time: the company’s directory did not answer.

## Devices

window-no-device = No headset found
window-no-device-next = Plug in your headset or its USB adapter. It appears here by itself.
window-no-device-hint = Nothing happens? Try another USB port, without a hub in between.
# $names (String) – names of the headsets.
window-present = { $count ->
        [0] No headset is plugged in.
       *[other] Plugged in: { $names }
    }
window-device = Headset
window-vendor = Manufacturer
window-firmware = Firmware
window-serial = Serial number
window-port = USB port
window-status-ready = Ready
window-status-updating = Being updated
window-status-unplugged = Unplugged
window-status-cancelling = Update is being canceled
window-status-needs-firmware = Needs its firmware again
window-status-unavailable = Cannot be used
window-line-busy = In a call
window-in-use = Used for calls
window-use = Use for calls
window-can = What it can do
window-can-nothing = It offers nothing that Hookswitch can use.
window-can-call-control = Answer and end calls
window-can-ring = Show that it rings
window-can-mute-sync = Mute together with the softphone
window-can-hold = Hold calls
window-can-reject = Reject calls
window-can-redial = Redial
window-can-line-busy = Tell that you are in a call
window-can-teams = Teams button
window-can-firmware-update = Firmware updates

## Updates

window-no-offer = No update is offered
window-no-offer-next = When your company offers new firmware for your headset, it is shown here.
window-history = Updates so far
window-offers = Offered updates
# Both are version numbers.
window-versions = { $from } → { $to }
window-deployment = Installation
window-group = For the group
window-install = Install
window-cancel = Cancel
window-cancel-anyway = Cancel all the same
window-cancel-strands = Cancelled now, the headset does not work until the update is installed again.
window-quit-means = Without Hookswitch the headset no longer follows your calls, and an update that was interrupted goes on at the next start.
window-quit-link = Quit Hookswitch
window-no-tray = Everything else works. “hookswitch open” leads back to this window.
window-quit-now = Quit all the same
window-quit-back = Back to the updates
window-recover = Install again
window-more = Details
# How often writing the firmware was begun anew.
window-retries = { $count ->
        [one] Writing broke off once and was begun anew.
       *[other] Writing broke off { $count } times and was begun anew.
    }
window-defer = Not now
window-deferred = You put this off. It is offered again with the next version.
window-being-installed = It is being installed.
window-waits = It waits for its turn.

## Softphones

window-softphones-what = Web pages and programs that may ring your headset, answer, mute and end calls with it. Pages cannot install anything.
window-softphones-asking = Asking
window-softphones-trust = Allow only what you use for calls.
window-softphones-decided = Decided
window-softphone-connected = Connected
window-softphone-allow = Allow
window-softphone-deny = Deny
window-softphone-revoke = Take back
window-no-softphone = No softphone asks
window-no-softphone-next = When a softphone wants to use the headset, in your browser or as a program, it is shown here.
# $softphone (String) – page or program. $more (Number) – how many others ask.
window-softphone-asks = { $more ->
        [0] { $softphone } asks to use the headset.
        [one] { $softphone } and 1 other softphone ask to use the headset.
       *[other] { $softphone } and { $more } other softphones ask to use the headset.
    }

## A running, waiting or finished update

# $name (String) – name of the update. $device (String) – name of the headset.
window-update-for = { $name } for { $device }
window-job-running = Installing
window-job-waiting = Waiting
window-job-last = Last update
window-keep-plugged = Leave the headset plugged in.
# Sizes are in units of 1024 bytes.
window-progress = { $percent } % – { $done } of { $total } KiB
# $version (String) – as read back from the headset.
window-succeeded = Done: { $device } now reports version { $version }.
window-failed = The update of { $device } failed.
window-unknown = It is not known whether the update of { $device } succeeded.

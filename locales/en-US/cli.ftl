### What commands print in a terminal: headings of columns, single words in them, and short sentences.

cli-agent-not-running = Hookswitch is not running; this is what the buses show.
cli-agent-running = Hookswitch is running.
cli-call-control = Call control
cli-calls = Calls
cli-certificate-ends = Certificate until
cli-company = Company
cli-consumer = none (consumer mode)
cli-locked = off: the settings for it cannot be used (see below)
cli-deployment = Type
cli-device = Headset
cli-enrolled = Enrolled
cli-firmware = Firmware
cli-from = From
cli-group = Group
cli-headsets = Headsets
cli-id = Id
cli-job-ended = Last update: { $name }: { $what }. { $next }
cli-job-succeeded = Last update: { $name } succeeded; the headset reports version { $version }.
cli-last-poll = Last asked
cli-next-poll = Next asked
cli-no = no
cli-no-groups = The groups are not resolved yet.
cli-no-headset = No headset is plugged in.
cli-none = none yet
cli-off = off
cli-offer = Offer
cli-outbox = Reports waiting
cli-policy = Policy version
cli-polled = The company was asked. Policy version { $version } is in force.
cli-ready = ready
cli-rest = Softphone door
cli-run-consumer = No tenant: consumer mode. All local functions work.
cli-run-locked = What the settings say of a company cannot be used: its functions are off. What the headset can do works all the same.
cli-run-device = Headset: { $name }, version { $version }
cli-run-no-rest = The softphone door is closed; `hookswitch status` says why.
cli-run-rest = Softphones may connect to { $url }
cli-run-tenant = Managed by { $server }
cli-in-use = used for calls
cli-headset-chosen = { $id } is used for calls from now on.
cli-state = State
cli-softphone = Softphone
cli-softphone-label = Calls itself
cli-softphone-connected = Connected
cli-decided-by = Decided by
cli-no-softphones = No softphone asks, and none is approved.
cli-softphone-approved = { $softphone } may use the headset from now on.
cli-softphone-revoked = { $softphone } may not use the headset any more.
cli-run-softphone = { $softphone } asks to use the headset. If you trust it: hookswitch softphones approve { $softphone }
cli-policy-seen = Policy from a folder, as of
cli-outbox-folder = none: a folder takes no reports
cli-run-folder = Managed by the policy in { $server }; nothing is reported there
# $time – a date and time. $age – one of the three below.
cli-seen = { $time }, { $age }
cli-age-minutes = { $number ->
        [0] just now
        [one] a minute ago
       *[other] { $number } minutes ago
    }
cli-age-hours = { $number ->
        [one] an hour ago
       *[other] { $number } hours ago
    }
cli-age-days = { $number ->
        [one] a day ago
       *[other] { $number } days ago
    }
cli-tenant = Tenant
cli-to = To
cli-unavailable = unavailable
cli-update = Update
cli-no-history = No update has ended on this computer so far.
cli-when = When
cli-headset = Headset
cli-verdict = Verdict
cli-update-succeeded = Succeeded: the headset came back and reports version { $version }.
cli-updates = Updates
cli-updating = updating
cli-unplugged = unplugged: plug it back into the same USB port
cli-cancelling = update is being canceled
cli-offer-deferred = Put off until the next version.
cli-needs-firmware = needs its firmware again
cli-version = Version
cli-why-assigned = assigned by hand
cli-why-everyone = everyone is in it
cli-why-last-known = as last known ({ $what })
cli-why-ldap = found by { $filter } at { $server }
cli-yes = yes
cli-bundle-written = { $file } holds { $count } files, without secrets. Look into it before you send it.
cli-bundle-missing = Not in it: { $name } ({ $reason })
cli-cancelled = The update is being stopped. After some seconds `hookswitch update list` offers it again.
cli-cancelled-waiting = The update does not wait any more. `hookswitch update list` still offers it.
cli-put-off = Put off. `hookswitch update list` says when it comes again.
cli-deferred = Put off until there is another version. `hookswitch update install` installs it all the same.
cli-groups-consumer = There is no tenant, so there are no groups.
cli-groups-locked = The tenant cannot be used, so there are no groups; `hookswitch status` says why.
cli-progress = { $percent } %, { $done } of { $total } bytes: { $phase }
cli-setting-secret = (set)
cli-from-default = default
cli-from-user = user
cli-from-environment = environment
cli-from-machine = machine
cli-from-locked = set by IT in { $place }
cli-package-target = for { $device }
cli-package-component = component { $id }: { $file }, version { $version }, { $bytes } bytes, { $suffix }
cli-package-no-suffix = no DFU suffix
cli-package-suffix = DFU suffix for { $device }
cli-package-minutes = takes about { $minutes } min
cli-package-fault = hookswitch: This is no good firmware package: { $fault }
cli-package-written = { $file }: { $bytes } bytes
cli-run-headless = Headless: no tray icon and no notices; the desktop and its D-Bus are not used.
cli-setting-written = Written in { $file }.
cli-setting-overridden = The value from elsewhere comes first: { $from }.
cli-setting-next-start = It counts from the next start of Hookswitch.

### Words for values that the window, the tray and the terminal all show.

deployment-optional = Optional, you decide
deployment-persistent = Required; it is installed when you say so, and you are asked until then
deployment-automatic = Required; it begins by itself outside calls, and you can put it off a few times
deployment-silent = Required; it is installed by itself in the hours that your company has chosen
next-notice = It begins by itself at { $time }.
next-window = It begins by itself at { $time }.
next-deferral = Put off. It begins by itself at { $time }.
next-asked = Put off. You are asked again after { $time }.
next-deadline = From { $time } on it begins by itself.
next-retry = It could not be done. It is tried again at { $time }.
next-call = It begins when the call has ended.
next-turn = It begins when the other headset is done.
next-company = It begins when your company can be reached again.
deferrals-left = { $count ->
    [0] You cannot put it off any more.
    [one] You can put it off once more.
   *[other] You can put it off { $count } more times.
}
deployment-recovery = Needed, or the headset does not work

job-running = { $name } is being installed: { $percent } %
# $headset, $before (String) – the headset it is for, and the one whose update comes first.
job-queued = { $name } for { $headset } waits until { $before } is done.
job-queued-next = { $name } for { $headset } is next.
job-cancelling = { $name } is being canceled.
job-unplugged = { $name }: the headset was unplugged. Plug it back into the same USB port, then the update goes on.

phase-queued = Waiting for its turn …
phase-fetching = Fetching the firmware …
phase-detaching = Asking the headset to switch over …
phase-waiting-for-dfu = Waiting for the headset; keep it at this USB port …
phase-waiting-for-call = It is here and begins when the call is over …
phase-waiting-for-replug = The headset was unplugged. Plug it back into the same USB port …
phase-cancelling = Cancelling …
phase-preparing = Getting the headset ready …
phase-downloading = Writing the firmware …
phase-manifesting = The headset puts it in place …
phase-waiting-for-runtime = Waiting for the headset to come back …
phase-working = Working …

verdict-succeeded = Done
verdict-failed = Failed
verdict-unknown = Not known

group-all-users = All Users

headsets-unheard = Which headsets there are is not known yet
tenant-unheard = Whether a company manages this computer is not known yet

no-updates-consumer = No company offers updates for this computer
no-updates-not-asked = Nothing is known yet: the company has not been reached
no-updates-locked = The settings for a company cannot be used here: no update can be offered
no-updates-last-known = Nothing newer was known when the company was last reached
no-updates-no-headset = No headset is plugged in that could be updated
no-updates-none-newer = No newer firmware is offered for what is plugged in

## Softphones and the headset

softphone-asking = asks
softphone-approved = allowed
softphone-denied = denied
decider-person = you
decider-environment = environment
decider-machine = IT department
decider-company = company
decider-token = its token
decided-by-person = You decided this.
decided-by-environment = A variable of the environment decides this.
decided-by-machine = Your IT department decides this.
decided-by-company = Your company allowed it.
decided-by-token = It showed the token that only programs of your account can read.
# $label (String) – the name that a program gives itself.
softphone-label = It calls itself “{ $label }”.
softphone-runs-scripts = It runs any script: what it may, each of them may.

# Shown by the desktop to who wants to put the machine to sleep.
keep-awake-reason = The firmware of a headset is being written.

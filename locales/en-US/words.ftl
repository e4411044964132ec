### Words for values that the window, the tray and the terminal all show.

deployment-optional = Optional, you decide
deployment-persistent = Required, you are reminded of it
deployment-automatic = By itself, at a quiet moment
deployment-silent = By itself, without asking

phase-fetching = Fetching the firmware …
phase-detaching = Asking the headset to switch over …
phase-waiting-for-dfu = Waiting for the headset; if it is unplugged, plug it in again …
phase-preparing = Getting the headset ready …
phase-downloading = Writing the firmware …
phase-manifesting = The headset puts it in place …
phase-waiting-for-runtime = Waiting for the headset to come back …
phase-working = Working …

group-all-users = All Users

## Web pages and the headset

softphone-asking = asks
softphone-approved = allowed
softphone-denied = denied
decider-person = you
decider-environment = environment
decider-machine = IT department
decider-company = company
decided-by-person = You decided this.
decided-by-environment = A variable of the environment decides this.
decided-by-machine = Your IT department decides this.
decided-by-company = Your company allowed it.

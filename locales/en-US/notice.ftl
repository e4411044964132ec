### Short notices of the desktop, a title and a sentence each.

notice-update-succeeded = { $name }: update done
notice-update-succeeded-body = The headset says it has version { $version } now.
notice-update-failed = { $name }: update failed
notice-update-failed-body = The Updates page says why and what to do.
notice-update-unknown = { $name }: nobody can say whether the update worked
notice-update-unknown-body = Plug the headset in again; the Updates page says more.
notice-device-unavailable = { $name } cannot be used
notice-device-unavailable-body = The Devices page says why and what to do.
notice-install-refused = { $name }: not installed

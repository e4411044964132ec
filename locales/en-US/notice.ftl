### Short notices of the desktop, a title and a sentence each.

notice-update-asks = Update waiting: { $name }
notice-update-asks-body = Version { $version } is ready. The Updates page installs it, or puts it off.
notice-update-begins = Update begins in a minute: { $name }
notice-update-begins-body = Leave the headset plugged in. The Updates page can put it off.
notice-update-begins-now-body = Leave the headset plugged in. It cannot be put off any more.
notice-update-succeeded = Update done: { $name }
notice-update-succeeded-body = The headset says it has version { $version } now.
notice-update-failed = Update failed: { $name }
notice-update-failed-body = The Updates page says why and what to do.
notice-update-unknown = Unclear whether the update worked: { $name }
notice-update-unknown-body = Plug the headset in again; the Updates page says more.
notice-unplugged = Unplugged during its update: { $name }
notice-unplugged-body = Plug the headset back into the same USB port; the update then goes on.
notice-device-unavailable = Cannot be used: { $name }
notice-device-unavailable-body = The Devices page says why and what to do.
notice-softphone-asks = { $softphone } asks to use the headset
notice-softphone-asks-body = Allow or deny it on the Softphones page.

### What `hookswitch descriptor` prints. The names of usages are those of the HID usage tables in every language.

descriptor-numbered = { $file }: { $bytes } bytes, numbered reports
descriptor-unnumbered = { $file }: { $bytes } bytes, unnumbered reports
descriptor-collection = collection { $usage }
descriptor-call-control = Call control: yes
descriptor-no-telephony-collection = Call control: no, no application collection on the Telephony page (000B)
descriptor-vendor-page-only = Call control: no, no application collection on the Telephony page (000B); telephony goes over the vendor page FFA0
descriptor-no-hook-switch-nor-led = Call control: no, the telephony collection has no Hook Switch (000B:0020) and no Off-Hook LED (0008:0017)
descriptor-no-hook-switch = Call control: no, the telephony collection has no Hook Switch (000B:0020) input
descriptor-no-off-hook-led = Call control: no, the telephony collection has no Off-Hook LED (0008:0017) output
descriptor-mute-sync = Mute synchronization: yes
descriptor-no-mute-sync = Mute synchronization: no
descriptor-head-control = control
descriptor-head-usage = usage
descriptor-head-report = report
descriptor-head-id = id
descriptor-head-bit = bit
descriptor-head-size = size
descriptor-head-kind = kind
descriptor-input = input
descriptor-output = output
descriptor-feature = feature
descriptor-array = array
descriptor-relative = relative
descriptor-absolute = absolute

## What a control is for

role-line-busy = Line Busy
role-drop = Drop
role-reject = Reject (Button 7)
role-hook-switch = Hook Switch
role-flash = Flash
role-hold-button = Hold button
role-redial = Redial
role-phone-mute = Phone Mute
role-teams-button = Teams button
role-vendor-reject = Reject (vendor page)
role-ring = Ring LED
role-ringer = Ringer
role-off-hook = Off-Hook LED
role-on-line = On-Line LED
role-mute = Mute LED
role-microphone = Microphone LED
role-hold = Hold LED

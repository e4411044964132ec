### Parts of problems of the agent itself and of the desktop. Lower case, no full stop.

detail-bus-silent = it does not answer
detail-certificate-clock = the clock stands before 1970
detail-certificate-not-made = a certificate cannot be made: { $error }
detail-certificate-not-written = { $path } cannot be written: { $error }
detail-certificate-ends = the old one would soon have ended
detail-certificate-refused = the old one is not valid, or not for this computer: { $error }
detail-holder-program = { $name }, process { $process }
detail-holder-unknown = another program
detail-holder-user = a program of the user { $user }
detail-no-agent = no agent is running
detail-no-display = there is no display
detail-no-file = it is no file
detail-no-page = this is no address of a page
detail-no-randomness = no randomness
detail-pem-exposed = others could read { $path }
detail-pem-none = { $path } is not PEM with one certificate or key
detail-pem-unreadable = { $path } is missing or unreadable: { $error }
detail-store-foreign = it belongs to another program (application id { $application_id })
detail-store-link = it is a link
detail-store-newer = its version is { $found }, this program knows versions up to { $known }
detail-tray-ended = the tray’s thread ended

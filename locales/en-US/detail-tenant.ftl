### Parts of problems with the directory and the tenant. Lower case, no full stop.

## The directory server

detail-ldap-silent = no answer within { $seconds } s to: { $step }
detail-ldap-connect = connect
detail-ldap-tls = TLS handshake
detail-ldap-bind = bind
detail-ldap-search = search
detail-ldap-all-queries = all queries
detail-ldap-result = result code { $code }
detail-ldap-result-said = result code { $code }, { $words }
detail-ldap-unread = an answer the library cannot read
detail-ldap-query-not-encoded = the query cannot be encoded
detail-ldap-closed = it closed the connection
detail-ldap-starttls-answer = StartTLS was answered by something else
detail-ldap-message = a message of { $bytes } bytes, at most { $most } are read
detail-ldap-total = more than { $most } bytes in all
detail-ldap-depth = nested more than { $most } deep
detail-ldap-shape = no LDAP message: { $shape }
detail-ldap-no-sequence = it does not begin with a SEQUENCE
detail-ldap-length = its length is indefinite or longer than four bytes
detail-ldap-no-number = its number is missing
detail-ldap-unasked = an operation that was not asked for
detail-ldap-no-result = its result code or texts are missing
detail-ldap-not-utf8 = a text that is not UTF-8
detail-ldap-cut-off = an element is cut off
detail-ldap-long-tag = a tag number above 30
detail-ldap-indefinite = an indefinite length
detail-no-certificate = it holds no certificate

## Queries (RFC 4515)

detail-filter-unexpected = expected { $expected }, found { $found }
detail-filter-trailing = this stands after the end of the query (an opening parenthesis is missing, or one closes too much)
detail-filter-too-deep = nested more than { $most } deep
detail-filter-too-long = longer than { $most } characters
detail-filter-escape = `\` must be followed by two hexadecimal digits
detail-filter-double-star = two `*` in a row
detail-filter-star = `*` is not allowed after this operator
detail-filter-open-in-value = `(` inside a value; write `\28`, or close the parenthesis before it
detail-filter-nul = a NUL character; write `\00`
detail-filter-end = the end
detail-filter-character = `{ $character }`
detail-filter-open = `(`
detail-filter-close = `)`
detail-filter-part-or-close = `(` of another part or `)`
detail-filter-close-of-not = `)`, because `!` has one part
detail-filter-attribute = the name of an attribute
detail-filter-attribute-or-operator = the name of an attribute, `&`, `|` or `!`
detail-filter-attribute-option = an attribute option
detail-filter-attribute-or-rule = an attribute or a matching rule before it
detail-filter-rule-or-colon-equals = `:` and a matching rule, or `:=`
detail-filter-name-or-comparison = a letter, digit or `-` of the attribute’s name, or `=`, `>=`, `<=`, `~=`, `:=`
detail-filter-equals = `=`
detail-filter-colon-equals = `:=`
detail-filter-equals-of-colon-equals = `=` of `:=`
detail-filter-digit = a digit
detail-filter-no-leading-zero = a number without leading zeros

## The connection to the tenant server

detail-url-not-https = it is not https
detail-url-more-than-an-address = it holds a user name, a password, a query or a fragment
detail-url-no-host = it has no host
detail-report-host = this machine
detail-report-user = the user
detail-report-device = the headset { $name }
detail-report-update = the update of { $name }
detail-report-event = an event
detail-redirect-too-many = more than { $most } redirects
detail-redirect-elsewhere = a redirect to another server
detail-request-failed = the request failed
detail-answer-too-long = the answer is longer than { $most } bytes
detail-answer-not-understood = line { $line }, column { $column }: { $fault }
detail-json-ends = it ends too early
detail-json-none = it is not JSON
detail-json-fields = a field is missing or of another type
detail-json-unread = it cannot be read
detail-token-ends = its access token is good for less than { $seconds } s

## The tenant’s repository

detail-policy-rolled-back = version { $offered } was offered, version { $in_force } is in force
detail-document-too-large = tenant.json has { $bytes } bytes, at most { $most } are read
detail-root-too-large = root.json has more than { $most } bytes
detail-target-not-listed = version { $version } of the tenant’s repository does not list { $name }
detail-target-name = the name of the target is not a plain file name
detail-target-too-large = { $name } has { $bytes } bytes, at most { $most } are read
detail-another-part = the server sent another part of the file than was asked for
detail-another-length = { $name } has { $bytes } bytes, signed were { $signed }
detail-another-sha256 = its SHA-256 is { $found }, signed was { $signed }
detail-more-bytes = more than { $most } bytes
detail-file-lacking = the repository lacks a file that must be there

## tenant.json

detail-policy-json = tenant.json line { $line }, column { $column }: { $error }
detail-policy-schema = schema: expected { $known }, got { $found }; this program is too old or too new for the document
detail-policy-range = { $path }: expected { $least } to { $most }, got { $found }
detail-policy-count = { $path }: expected { $least } to { $most } entries, got { $found }
detail-policy-text = { $path }: expected { $expected }
detail-policy-duplicate = { $path }: “{ $id }” is already the id of entry { $first }
detail-policy-unknown-group = { $path }: no group “{ $id }” in this document (declare it under groups, or use “all-users”)
detail-policy-no-directory = { $path }: the rule asks a directory, but the document has no ldap section
detail-policy-brackets = { $path }: brackets do not match (RFC 4515; write \28 and \29 for brackets inside a value)
detail-policy-starttls-over-tls = { $path }: start_tls is for ldap:// servers, this one is ldaps:// already
detail-policy-password-in-the-clear = { $path }: a simple bind would send its password unencrypted; use ldaps:// or start_tls
detail-policy-other-deployment = { $path }: only with deployment { $deployments }, and this one is “{ $found }”
detail-policy-empty-support = support: expected at least one of name, email, phone, url
detail-expected-line = 1 to { $most } characters, no control or invisible characters
detail-expected-distinguished-name = a distinguished name of 1 to 1024 characters, no control or invisible characters
detail-expected-ldap-server = ldap://host[:port] or ldaps://host[:port], at most 300 characters
detail-expected-password = 1 to 1024 characters
detail-expected-ca-pem = PEM with at least one CERTIFICATE block, at most 65536 characters
detail-expected-slug = 1 to 64 of a-z 0-9 and inner hyphens
detail-expected-group-slug = 1 to 64 of a-z 0-9 and inner hyphens, other than “all-users”
detail-expected-filter = an LDAP filter in brackets (RFC 4515), at most 4096 characters on one line
detail-expected-placeholder = { $words } somewhere in the filter; without it everybody would get the same answer
detail-expected-bcd-version = a bcdDevice version such as 1.20 (1 or 2 digits, a point, 2 digits), or such as 0x0a12 where a digit is above 9
detail-expected-target = the name of a published target: 1 to 128 of A-Z a-z 0-9 . _ -, not tenant.json
detail-expected-timestamp = a point in time with its zone (RFC 3339), such as 2027-01-31T18:00:00Z
detail-expected-time-of-day = a time of day from 00:00 to 23:59
detail-expected-other-time = another time than that of the beginning: between the two there is no time
detail-expected-caller = an origin as browsers send it (https://host, http only on the loopback, lower case, no path, no default port) or a program id
detail-expected-email = user@host, at most 254 characters
detail-expected-url = an https:// address, at most 2048 characters
detail-answer-is-a-page = a web page came
detail-clock-behind = { $hours } h behind the tenant server’s
detail-clock-ahead = { $hours } h ahead of the tenant server’s
detail-url-share = a share is mounted on this system, and named by the folder it is mounted to
detail-folder-silent = nothing came for { $seconds } s
detail-folder-lacking = it is not there
# $status (String) – of HTTP, and what the server says to it.
detail-server-status = { $status }
detail-server-said = { $status }: { $words }

# Problems of the store, the directory and the tenant. The place stands beside it; $detail is technical: a text of
# detail-*.ftl, or the words of the system, a library or a server as they are.

## Store

problem-store-damaged = The agent's database is damaged: { $detail }
    .next = Restart the agent: it moves the damaged file aside and begins a fresh one.
problem-store-mended = The agent's database was damaged; it was moved to { $kept } and a fresh one begun
    .next = { $journal ->
        [lost] Which updates were cut short is forgotten: for a headset that does not work any more, send the moved file to support.
       *[whole] Nothing needs to be done. Reports that were not delivered yet are in the moved file.
    }
problem-store-newer = The agent's database was written by a newer version of this program: { $detail }
    .next = Install that version again, or move the file away to begin afresh.
problem-store-foreign = The file at the place of the agent's database is not the agent's: { $detail }
    .next = Move it away, or start with another folder (--home).
problem-store-in-use = Another process uses the agent's database
    .next = Stop the other agent, or start this one with another folder (--home).
problem-store-full = The disk is full: the agent cannot write its database
    .next = Free some space.
problem-store-unwritable = The agent's database cannot be opened for writing: { $detail }
    .next = Give the agent's user the right to write there, or start with another folder (--home).
problem-store-failed = The agent's database failed: { $detail }
    .next = Look at the disk. If it is sound, restart the agent and send the log to support.

## Directory

problem-directory-address = The directory server's address is not ldap://host[:port] or ldaps://host[:port]
    .next = Correct the server's address in the tenant's policy.
problem-directory-authority = The certificate authority for the directory cannot be used: { $detail }
    .next = Put a PEM certificate into the tenant's policy.
problem-directory-bind = The directory server refused the bind: { $detail }
    .next = Check which ways to bind the server allows.
problem-directory-certificate = The directory server's certificate was refused: { $detail }
    .next = Give the server a certificate for this name, or put its authority into the tenant's policy.
problem-directory-credentials = The directory server refused the name or password: { $detail }
    .next = Correct the bind name and password in the tenant's policy.
problem-directory-empty-bind = The bind name or the password for the directory is empty
    .next = Give both a name and a password, or bind anonymously.
problem-directory-filter = The query of the group { $group } cannot be read at character { $column }: { $detail }
    .next = Correct the query in the tenant's policy (RFC 4515).
    .place = tenant.json, group { $group }, character { $column }
problem-directory-missing = The tenant's policy has groups found by a directory query, but names no directory
    .next = Add the directory to the tenant's policy.
problem-directory-plaintext = A password for the directory would have to go over the network unencrypted
    .next = Use ldaps:// or StartTLS: a password is never sent over plain ldap://.
problem-directory-protocol = The directory server does not speak LDAP as expected: { $detail }
    .next = Check that this address is a directory server.
problem-directory-query = The directory refused the query of the group { $group }: { $detail }
    .next = Correct the query or its base in the tenant's policy, or the server's access rules.
    .place = { $server }, group { $group }
problem-directory-starttls = The directory server refused StartTLS: { $detail }
    .next = Use ldaps://, or allow StartTLS at the server.
problem-directory-timeout = The directory server did not answer in time: { $detail }
    .next = Check the server and the firewall. The last known groups stay in force.
problem-directory-tls = There is no TLS connection to the directory server: { $detail }
    .next = Check that this port speaks TLS (ldaps is usually 636, ldap 389).
problem-directory-unreachable = The directory server cannot be reached: { $detail }
    .next = Check the network and the server's name. The last known groups stay in force.
problem-directory-user = The user has no name the directory could be asked for
    .next = Set the user's name in the settings, or log on with one.

## Tenant: settings and folders

problem-tenant-url = The tenant's address cannot be used: { $detail }
    .next = Set SERVER_URL to an address that begins with https://, or with file:// for a folder.
problem-tenant-pin = The pinned trust anchor is not 64 hexadecimal digits
    .next = Set it to the SHA-256 of the tenant's root.json (hookswitch-tenant init prints it).
problem-tenant-ca = The tenant's certificate authority cannot be used: { $detail }
    .next = Name a PEM file with at least one certificate.
problem-tenant-trust = TLS cannot be set up: { $detail }
    .next = Install the system's certificate authorities (Debian: ca-certificates), or set the tenant's own.
    .place = the machine’s trust store
problem-tenant-data = The agent cannot keep what it gets from the tenant: { $detail }
    .next = Free some space and give the agent's user the right to write there.
problem-tenant-not-enrolled = The policy cannot be checked before the agent has enrolled
    .next = Nothing needs to be done: the agent enrols first.
problem-tenant-report = A report for the tenant cannot be written: { $detail }
    .next = Send the log to support.
    .place = the agent

## Tenant: connection

problem-tenant-unreachable = The tenant server cannot be reached: { $detail }
    .next = Check the network and SERVER_URL. The agent tries again by itself.
problem-tenant-timeout = The tenant server did not answer in time: { $detail }
    .next = Check the network and the server. The agent tries again by itself.
problem-tenant-certificate = The tenant server's certificate was refused: { $detail }
    .next = On a guest network log on in the browser first. Else give the server a certificate for this name, or name the file of the authority that signed it: setting tenant_ca, or TENANT_CA in the environment.
problem-tenant-certificate-time = The tenant server's certificate is not valid at this machine's time: { $detail }
    .next = Check this machine's date and time. If they are right, the server needs a new certificate.
problem-tenant-proof = The tenant server does not accept this machine's signature: { $detail }
    .next = Nothing needs to be done at first: the agent enrols again by itself. If it stays, check that nothing on the way changes requests.
problem-tenant-key = This machine has no key to show the tenant
    .next = Restart the agent: it makes a key. If it stays, send the log to support.
    .place = the agent’s database
problem-tenant-host-key = The tenant knows this machine by another key: another machine is enrolled under its id, or this one lost its key
    .next = Ask IT. If this machine lost its key, they run: hookswitch-tenant hosts reset { $system_id }. The agent then enrols by itself.
problem-tenant-agent-old = The tenant server needs a newer agent: { $detail }
    .next = Upgrade Hookswitch on this machine.
problem-tenant-server-old = The tenant server does not know version { $contract } of the contract
    .next = Upgrade hookswitch-tenant on the server, and check SERVER_URL.
problem-host-copied = The agent's data was copied from another machine, host { $original }. This machine is host { $own } now
    .next = Nothing needs to be done. Installed from an image? Leave the agent's data folder out of it.
    .place = system id
problem-tenant-redirect = The tenant server, or something on the way, sent the agent elsewhere: { $detail }
    .next = On a guest network log on in the browser first. Else set SERVER_URL to the final https:// address.
problem-tenant-unauthorized = The tenant server does not accept the agent's credentials: { $detail }
    .next = Check TENANT_ID and TENANT_TOKEN. The agent enrols again by itself.
problem-tenant-server-error = The tenant server failed or has no time now: { $detail }
    .next = Look at the server. The agent tries again by itself.
problem-tenant-rejected = The tenant server refused the request: { $detail }
    .next = Check that agent and server are of compatible versions.
problem-tenant-report-refused = The tenant refuses what this machine reports of { $what }: { $said }
    .next = It is missing in the company's inventory. Check that agent and server are of compatible versions, and send the log to support.
problem-tenant-answer = The tenant server gave an answer that is of no use: { $detail }
    .next = Check that SERVER_URL is a Hookswitch tenant, and that nothing on the way changes its answers. If both are right, the server has to be mended.

## Tenant: what is signed

problem-tenant-root = The tenant has another trust anchor than the pinned one: SHA-256 { $found } instead of { $pinned }
    .next = If the tenant was set up anew, set TENANT_ROOT and remove the agent's tenant folder and database. Otherwise ask IT.
problem-tenant-expired = The tenant's policy was not renewed in time: { $detail }
    .next = Publish it again (hookswitch-tenant publish), and check this machine's clock.
problem-tenant-rolled-back = The tenant offers an older policy than the one in force: { $detail }
    .next = Check the server or the folder: a backup was restored, or somebody replays old files. Publish again.
problem-tenant-signature = The tenant's policy is not signed by the tenant: { $detail }
    .next = Check the server or the folder: its files were changed, or signed with other keys.
problem-tenant-oversize = The tenant's repository holds a file that is too large: { $detail }
    .next = Check the tenant's files.
problem-tenant-mismatch = The tenant's files do not fit together: { $detail }
    .next = Publish again. If it stays, check what lies between agent and server.
problem-tenant-not-found = A file is missing in the tenant's repository
    .next = Publish again.
problem-tenant-clock = This machine's clock went back: the policy's age cannot be judged: { $detail }
    .next = Set the clock. If it was wrong before, remove latest_known_time.json from the agent's tuf folder.
problem-tenant-metadata = The tenant's repository cannot be understood: { $detail }
    .next = Check the tenant's files and publish again.
problem-tenant-policy-invalid = The tenant's policy document is not valid: { $detail }
    .next = Correct the policy document (published as tenant.json) and publish it again. The last good policy stays in force.
problem-tenant-target-unknown = The tenant's repository does not offer this package: { $detail }
    .next = Publish the package, or correct its name in the policy.
problem-tenant-intercepted = Something on the way answers instead of the tenant server: { $detail }
    .next = Open any page in the browser and log on to this network (hotel, train, guest Wi-Fi), or tell IT. The agent tries again by itself.
problem-clock-wrong = The clock of this computer seems to be wrong: { $detail }
    .next = Set date and time, best automatically. The agent then goes on by itself.
problem-tenant-folder-unpinned = Nothing says whose signature counts in the folder { $folder }
    .next = Set TENANT_ROOT to what hookswitch-tenant init printed: the SHA-256 of metadata/1.root.json.
problem-tenant-folder-unreadable = The company's folder cannot be read: { $detail }
    .next = Check that the share is mounted and that the agent's account may read it. The agent tries again by itself.
problem-tenant-folder-not-a-file = Something else than a file lies in the company's folder
    .next = Copy there what hookswitch-tenant publish made, as it is: folders and files, no links.
problem-tenant-folder-takes-nothing = The tenant is a folder: it takes no reports
    .next = Nothing needs to be done.

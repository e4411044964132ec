### What the command line says of itself: `help` is the program, `help-<command>` a command, the attributes are its
### arguments. A terminal has 80 columns: a line for an option may be 56 wide.

help-layout =
    .usage = Usage
    .commands = Commands
    .arguments = Arguments
    .options = Options
    .options-placeholder = OPTIONS
    .command-placeholder = COMMAND
    .exit-status = Exit status: 0 done, 1 failed, 2 wrong usage, 75 try later.

help =
    The open headset hub: call control, firmware and policy for USB headsets of
    any vendor.

    Without a command the agent runs.
    .headless =
        No tray, no notices: for servers, tests and systems
        without a desktop
    .minimized = Start without opening anything, as autostart does
    .rest-port =
        Where softphones find the agent on 127.0.0.1; 0 = any
        free port; without it the setting `rest_port` counts
    .home =
        Keep settings, data, logs and sockets below DIR; without
        it HOOKSWITCH_HOME counts, else the system's folders
    .language =
        Language of everything shown, such as de-DE; without it
        the setting `language` counts, else the system's
    .help = Show this help
    .version = Show the version

help-run = Run the agent
    .headless = { help.headless }
    .minimized = { help.minimized }
    .rest-port = { help.rest-port }

help-devices = List the headsets and whether they can be used
    .json =
        One JSON document (schemas/devices.schema.json); with
        --watch one a line
    .watch =
        Print again after every change, until interrupted;
        needs a running agent

help-devices-use = Use this headset for calls, at once and from now on
    .device = As `hookswitch devices` prints it

help-descriptor = Explain a HID report descriptor and the call control it offers
    .file =
        Hex text or raw bytes, at most 1 MiB, or a node such as
        /dev/hidraw3
    .json = One JSON document (schemas/descriptor.schema.json)

help-update = List, install, put off or stop firmware updates

help-update-list = List the updates offered for the headsets plugged in
    .json = One JSON document (schemas/update-list.schema.json)

help-update-history = How the last updates here ended
    .json = One JSON document (schemas/update-history.schema.json)

help-update-install = Install an update and wait for the verdict
    .offer =
        As `hookswitch update list` prints it; may be left out when there
        is only one. While another headset is updated, it waits for its turn

help-update-recover = Give a headset its firmware again that has none
    .offer =
        As `hookswitch update list` prints it; may be left out when there
        is only one such headset

help-update-defer = Put an update off; an optional one until its next version
    .offer =
        As `hookswitch update list` prints it; may be left out when there
        is only one

help-update-cancel = Stop the update that runs, or one that waits
    .offer =
        As `hookswitch update list` prints it; left out, it is the one
        that runs
    .force =
        Also while the firmware is being written: the
        headset then does not work until the update is
        installed again

help-firmware = Look into firmware packages and make them

help-firmware-inspect = Check a package as strictly as an update would; print its rules
    .package = The package, a zip of at most 64 MiB
    .json = The rules as JSON (dfu/schema/rules.schema.json)

help-firmware-pack = Make a package from rules.json and the files it names
    .rules =
        rules.json, at most 64 KiB; the files it names, each of at most
        64 MiB, lie beside it
    .output = The package to write; one that is there is replaced

help-softphones = Say which web pages and programs may use the headset

help-softphones-list = List those that ask, that may and that may not
    .json = One JSON document (schemas/softphones.schema.json)

help-softphones-approve = Let one use the headset, at once and from now on
    .softphone =
        As `hookswitch softphones list` prints it: a page as
        https://softphone.example, a program by its path

help-softphones-revoke = Take that back, or say no to one that asks
    .softphone = As `hookswitch softphones list` prints it

help-groups = List the user's groups, each with the reason
    .json = One JSON document (schemas/groups.schema.json)

help-status = Show what works, what does not and what to do about it
    .json = One JSON document (schemas/status.schema.json)

help-poll = Ask the company now instead of at the next time

help-bundle = Write a zip for support: logs, status, settings, no secrets
    .output =
        The zip to write; without it hookswitch-bundle.zip in
        this folder
    .preview =
        Only list what would be in it, as JSON
        (schemas/bundle.schema.json)

help-service = Look after the headsets for all accounts of this computer

help-service-run = Run the service; the system's service manager does that

help-settings = Read and change settings

help-settings-list = List every setting with its value and where it came from
    .json = One JSON document (schemas/settings.schema.json)

help-settings-get = Print the value of a setting
    .name = Such as log_level; `hookswitch settings list` prints all names

help-settings-set = Change a setting of the user
    .machine = Set it for everybody on this computer, as root
    .name = { help-settings-get.name }
    .value =
        The new value, a list with commas; without it the setting is
        removed from the file

help-certificate = Show the certificate of the softphone door

help-certificate-show =
    Print the certificate (PEM) that softphones and browsers have to
    trust, and where it lies

help-open = Open the window in the browser
    .print =
        Print the address instead of opening it; it is good for
        one use within a minute

help-completions = Print a completion script for a shell
    .shell = bash, elvish, fish, powershell or zsh

help-help = Show this help or a command's
    .command = Such as `update install`; without one the program's help

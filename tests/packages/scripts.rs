//! What the package's scripts ask of a system that runs: `systemctl` and `udevadm` write down what they are asked, for
//! Debian's own scripts, which stand between, as well.

use crate::rig::told::{Context, Told};
use crate::system::{APT, System};

pub(crate) const ASKED: &str = "/packages/asked";
const OF_MACHINE: &str = "/etc/systemd/system/multi-user.target.wants/hookswitch-machine.service";

/// Answers as systemd does where the unit is enabled by its link and one person is logged in. Debian's presets enable all.
const SYSTEMCTL: &str = r#"#!/bin/sh
link() { mkdir -p "/etc/systemd/$1"; ln -s "/usr/lib/systemd/${1%%/*}/$2" "/etc/systemd/$1/"; }
case "$*" in
*--version*) echo "systemd 252 (252.39-1)" ;;
*list-units*) echo "  user@1000.service loaded active running User Manager for UID 1000" ;;
*is-enabled*) [ -L /etc/systemd/system/multi-user.target.wants/hookswitch-machine.service ] && echo enabled ;;
*is-active*) exit 3 ;;
*--system*enable-only*preset*) link system/multi-user.target.wants hookswitch-machine.service ;;
*--global*enable-only*preset*) link user/graphical-session.target.wants hookswitch.service ;;
*--no-reload*preset*)
    echo "systemctl $*" >>/packages/asked
    case "$*" in *--global*) ;; *) link system/multi-user.target.wants hookswitch-machine.service ;; esac ;;
*--no-reload*disable*)
    echo "systemctl $*" >>/packages/asked
    rm -f /etc/systemd/system/multi-user.target.wants/hookswitch-machine.service ;;
*) echo "systemctl $*" >>/packages/asked ;;
esac
"#;
const UDEVADM: &str = "#!/bin/sh\necho \"udevadm $*\" >>/packages/asked\n";

const RELOAD: &str = "systemctl --system daemon-reload";
const RULES: &str = "udevadm control --reload";
const HEADSETS: &str = "udevadm trigger --subsystem-match=hidraw --subsystem-match=usb";
const START: &str = "systemctl --quiet --system start hookswitch-machine.service";
const RESTART: &str = "systemctl try-restart hookswitch-machine.service";

fn running() -> Told<System> {
    let system = System::take()?;
    pretend_to_run(&system)?;
    Ok(system)
}

/// As if systemd and udev ran there.
pub(crate) fn pretend_to_run(system: &System) -> Told<()> {
    for (name, text) in [("systemctl", SYSTEMCTL), ("udevadm", UDEVADM)] {
        std::fs::write(system.path(&format!("/usr/bin/{name}")), text).at(name)?;
    }
    system.sh(
        "chmod 755 /usr/bin/systemctl /usr/bin/udevadm; mkdir -p /run/systemd/system; rm -f /packages/asked",
    )?;
    Ok(())
}

/// What was asked since the last look.
pub(crate) fn asked(system: &System) -> Told<Vec<String>> {
    let path = system.path(ASKED);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let _ = std::fs::remove_file(&path);
    // Once more, where Debian's script has made or removed a link.
    let ours = text.lines().filter(|line| *line != "systemctl daemon-reload");
    Ok(ours.map(str::to_owned).collect())
}

#[test]
fn the_service_starts_once_is_restarted_by_updates_and_stopped_at_the_end() -> Told<()> {
    let system = running()?;
    system.install("first")?;
    assert_eq!(asked(&system)?, [RELOAD, RULES, HEADSETS, START]);
    system.install("next")?;
    assert_eq!(asked(&system)?, [RELOAD, RULES, HEADSETS, RESTART], "nothing is stopped meanwhile");
    // as dpkg does after a mishap: any number of times
    for _ in 0..2 {
        system.sh(
            "DPKG_MAINTSCRIPT_PACKAGE=hookswitch /var/lib/dpkg/info/hookswitch.postinst configure 0.1.0",
        )?;
        assert_eq!(asked(&system)?, [RELOAD, RULES, HEADSETS, RESTART]);
    }
    system.sh(&format!("{APT} remove hookswitch"))?;
    let stopped = [
        "systemctl --quiet --user --machine 1000@ stop hookswitch.service",
        "systemctl stop hookswitch-machine.service",
    ];
    assert_eq!(asked(&system)?, [&stopped[..], &[RELOAD, RULES]].concat());
    system.install("first")?;
    assert_eq!(asked(&system)?, [RELOAD, RULES, HEADSETS, START], "it starts again after a removal");
    system.sh(&format!("{APT} purge hookswitch"))?;
    Ok(())
}

#[test]
fn what_an_administrator_switched_off_stays_off() -> Told<()> {
    let system = running()?;
    system.install("first")?;
    std::fs::remove_file(system.path(OF_MACHINE)).at("as `systemctl disable` does")?;
    system.install("next")?;
    assert!(!system.is_there(OF_MACHINE));
    assert!(!asked(&system)?.iter().skip(4).any(|line| line.contains(" start ")), "nobody starts it");
    system.sh(&format!("{APT} purge hookswitch"))?;
    Ok(())
}

#[test]
fn without_a_running_systemd_nothing_is_asked() -> Told<()> {
    let system = running()?;
    system.sh("rmdir /run/systemd/system")?;
    system.install("first")?;
    assert!(system.is_there(OF_MACHINE), "it starts with the first start of the image");
    system.install("next")?;
    system.sh(&format!("{APT} purge hookswitch"))?;
    assert_eq!(asked(&system)?, [""; 0]);
    Ok(())
}

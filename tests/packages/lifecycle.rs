//! From the first installation to the purge, on a system where neither systemd nor udev runs, as in an image that is built.

use crate::of_rig;
use crate::rig::told::{Context, Told, wait_for};
use crate::rig::world::{PATIENCE, Program};
use crate::system::{APT, System, difference};
use std::os::unix::net::UnixStream;

const SETTINGS: &str = "/etc/hookswitch/hookswitch.toml";
const OF_MACHINE: &str = "/etc/systemd/system/multi-user.target.wants/hookswitch-machine.service";
const OF_USERS: &str = "/etc/systemd/user/graphical-session.target.wants/hookswitch.service";
/// What must be gone with the program.
const PARTS: [&str; 6] = [
    "/usr/bin/hookswitch",
    "/usr/lib/systemd/system/hookswitch-machine.service",
    "/usr/lib/systemd/user/hookswitch.service",
    "/usr/lib/udev/rules.d/70-hookswitch.rules",
    OF_MACHINE,
    OF_USERS,
];

#[tokio::test]
async fn it_is_installed_runs_is_updated_removed_and_leaves_nothing() -> Told<()> {
    let system = System::take()?;
    let before = system.everything()?;

    system.install("first")?;
    assert!(difference(&before, &system.everything()?).len() > 20, "the comparison sees what is installed");
    system.run(&["dpkg", "--verify", "hookswitch"])?;
    let version = system.run(&["hookswitch", "--version"])?.stdout;
    assert_eq!(version.trim(), format!("hookswitch {}", installed(&system)?));
    assert!(system.run(&["hookswitch", "help"])?.stdout.contains("Usage: hookswitch"));
    for part in PARTS {
        assert!(system.is_there(part), "{part}");
    }
    speaks_at_its_socket(&system).await?;

    system.run(&["hookswitch", "settings", "set", "--machine", "log_level", "debug"])?;
    let kept = std::fs::read_to_string(system.path(SETTINGS)).at(SETTINGS)?;
    assert!(kept.contains("debug"), "{kept}");
    let listed = settings(&system)?;
    assert!(listed.lines().any(|line| line.starts_with("log_level") && line.contains(SETTINGS)), "{listed}");

    let first = installed(&system)?;
    system.install("next")?;
    assert_ne!(installed(&system)?, first);
    assert_eq!(settings(&system)?, listed);
    assert!(system.is_there(OF_MACHINE) && system.is_there(OF_USERS));

    system.sh(&format!("{APT} remove hookswitch"))?;
    for part in PARTS {
        assert!(!system.is_there(part), "{part} is still there");
    }
    assert_eq!(std::fs::read_to_string(system.path(SETTINGS)).at(SETTINGS)?, kept);
    assert!(system.is_there("/var/lib/hookswitch"), "the data waits for the purge");

    system.install("next")?;
    assert_eq!(settings(&system)?, listed);
    for part in PARTS {
        assert!(system.is_there(part), "{part} did not come back");
    }
    system.sh(&format!("{APT} remove hookswitch && {APT} purge hookswitch"))?;
    assert_eq!(difference(&before, &system.everything()?), [""; 0]);
    Ok(())
}

/// Purged at once, and over what an administrator put there.
#[test]
fn a_purge_needs_no_removal_before() -> Told<()> {
    let system = System::take()?;
    let before = system.everything()?;
    system.install("first")?;
    system.sh("mkdir -p /etc/hookswitch /var/cache/hookswitch /run/hookswitch/ports && touch /etc/hookswitch/ca.pem")?;
    system.sh(&format!("{APT} purge hookswitch"))?;
    assert_eq!(difference(&before, &system.everything()?), [""; 0]);
    Ok(())
}

fn installed(system: &System) -> Told<String> {
    Ok(system.run(&["dpkg-query", "--show", "--showformat=${Version}", "hookswitch"])?.stdout)
}

fn settings(system: &System) -> Told<String> {
    Ok(system.run(&["hookswitch", "settings", "list"])?.stdout)
}

async fn speaks_at_its_socket(system: &System) -> Told<()> {
    let mut command = system.program(&["hookswitch", "service", "run"]);
    let log = of_rig("HOOKSWITCH_SCRATCH")?.join("service.log");
    let socket = system.path("/run/hookswitch/machine.sock");
    let program = Program::start("the service", &mut command, &log)?;
    let answered = wait_for("its socket", PATIENCE, async || Ok(UnixStream::connect(&socket).ok())).await;
    answered.map_err(|why| format!("{why}: {:?}", std::fs::read_to_string(&log)))?;
    program.end().await?;
    assert!(!socket.exists(), "an orderly end takes the socket away");
    Ok(())
}

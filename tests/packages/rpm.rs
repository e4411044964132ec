//! The package for Fedora, openSUSE and their relatives. No such system can be had by name here: it is installed by rpm
//! itself, with books of rpm's own, in the bare Debian, where rpm cannot look for the packages that it depends on.

use crate::package_of;
use crate::rig::told::{Context, Told, wait_for};
use crate::rig::world::{PATIENCE, Program, ended};
use crate::scripts::{ASKED, asked, pretend_to_run};
use crate::system::{APT, System, difference};
use crate::{of_rig, page, well};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

const SETTINGS: &str = "/etc/hookswitch/hookswitch.toml";
const PARTS: [&str; 5] = [
    "/usr/bin/hookswitch",
    "/usr/lib/systemd/system/hookswitch-machine.service",
    "/usr/lib/systemd/user/hookswitch.service",
    "/usr/lib/systemd/system-preset/50-hookswitch.preset",
    "/usr/lib/udev/rules.d/70-hookswitch.rules",
];
/// Debian's rpm wants to hear that this is meant, and its books have none of Debian's packages.
const INSTALL: &str = "rpm --force-debian --nodeps";

/// The bare system with rpm, and both versions of the package in `/packages`.
fn system() -> Told<System> {
    let system = System::take()?;
    system
        .sh(&format!("{APT} install rpm; ! rpm --query hookswitch >/dev/null || rpm --erase hookswitch"))?;
    for which in ["first", "next"] {
        std::fs::copy(package_of(which, "rpm")?, system.path(&format!("/packages/{which}.rpm"))).at(which)?;
    }
    Ok(system)
}

fn of_package(query: &[&str]) -> Told<String> {
    Ok(well(ended(Command::new("rpm").arg("-qp").args(query).arg(package_of("first", "rpm")?))?)?.stdout)
}

#[test]
fn the_same_source_makes_the_same_bytes() -> Told<()> {
    let bytes = |which: &str| std::fs::read(package_of(which, "rpm")?).at(which);
    let (first, again, next) = (bytes("first")?, bytes("again")?, bytes("next")?);
    assert!(first == again, "{} bytes and {} bytes differ", first.len(), again.len());
    assert!(first != next, "another version is another package");
    Ok(())
}

/// `UPDATE_GOLDEN=1 cargo xtask test --tier packages` writes the list anew.
#[test]
fn modes_owners_and_paths_are_as_listed() -> Told<()> {
    let list = of_package(&[
        "--queryformat",
        "[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\n]",
    ])?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/packages/rpm.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &list).at("the golden file")?;
    }
    assert_eq!(list, std::fs::read_to_string(&path).unwrap_or_default(), "UPDATE_GOLDEN=1 writes it anew");
    let settings = of_package(&["--configfiles"])?;
    assert_eq!(settings.trim(), "/etc/xdg/autostart/hookswitch.desktop");
    Ok(())
}

/// dnf and zypper find packages by the names of libraries.
#[test]
fn it_asks_for_its_libraries_by_their_names() -> Told<()> {
    let wanted = of_package(&["--requires"])?;
    for name in [
        "libc.so.6(GLIBC_2.34)(64bit)",
        "libusb-1.0.so.0()(64bit)",
        "libudev.so.1()(64bit)",
        "ca-certificates",
    ] {
        assert!(wanted.lines().any(|line| line == name), "{name} is not in {wanted}");
    }
    let newer = |line: &&str| line.contains("GLIBC_2.3") && line > &"libc.so.6(GLIBC_2.34)(64bit)";
    let of_c = wanted.lines().filter(|line| line.starts_with("libc.so.6(GLIBC_2.3"));
    assert_eq!(of_c.filter(|line| line.len() == 29 && newer(line)).count(), 0, "{wanted}");
    Ok(())
}

#[tokio::test]
async fn it_is_installed_runs_is_updated_removed_and_leaves_nothing_but_what_is_kept() -> Told<()> {
    let system = system()?;
    let before = system.everything()?;
    system.sh(&format!("{INSTALL} --install /packages/first.rpm"))?;
    assert!(difference(&before, &system.everything()?).len() > 20, "the comparison sees what is installed");
    system.sh("rpm --verify --nodeps hookswitch")?;
    let version = system.run(&["hookswitch", "--version"])?.stdout;
    let installed = || system.run(&["rpm", "--query", "--queryformat", "%{VERSION}", "hookswitch"]);
    let first = installed()?.stdout;
    assert_eq!(version.trim(), format!("hookswitch {first}"));
    for part in PARTS {
        assert!(system.is_there(part), "{part}");
    }

    let mut command = system.program(&["hookswitch", "service", "run"]);
    let log = of_rig("HOOKSWITCH_SCRATCH")?.join("service-rpm.log");
    let socket = system.path("/run/hookswitch/machine.sock");
    let program = Program::start("the service", &mut command, &log)?;
    wait_for("its socket", PATIENCE, async || Ok(UnixStream::connect(&socket).ok())).await?;
    program.end().await?;

    system.run(&["hookswitch", "settings", "set", "--machine", "log_level", "debug"])?;
    let kept = std::fs::read_to_string(system.path(SETTINGS)).at(SETTINGS)?;
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deploy/rpm.md"));
    let mut steps = page::blocks(&text.at("the page")?, "sh").into_iter();
    let mut next = |begins: &str| -> Told<String> {
        let commands = steps.next().ok_or("no more commands")?;
        assert!(commands.starts_with(begins), "{commands}");
        Ok(system.sh(&commands)?.stdout)
    };
    let listed = next("hookswitch settings list")?;
    assert!(listed.lines().any(|line| line.starts_with("log_level") && line.contains(SETTINGS)), "{listed}");

    system.sh(&format!("{INSTALL} --upgrade /packages/next.rpm"))?;
    assert_ne!(installed()?.stdout, first);
    assert_eq!(system.run(&["hookswitch", "settings", "list"])?.stdout, listed);

    next("rpm --erase")?;
    for part in PARTS {
        assert!(!system.is_there(part), "{part} is still there");
    }
    assert_eq!(std::fs::read_to_string(system.path(SETTINGS)).at(SETTINGS)?, kept);
    assert!(system.is_there("/var/lib/hookswitch"), "the data is nobody's file");
    next("rm -rf /etc/hookswitch")?;
    assert_eq!(difference(&before, &system.everything()?), [""; 0]);
    Ok(())
}

#[test]
fn the_service_starts_once_is_restarted_by_updates_and_stopped_at_the_end() -> Told<()> {
    let system = system()?;
    pretend_to_run(&system)?;
    let presets =
        ["--no-reload preset hookswitch-machine.service", "--no-reload --global preset hookswitch.service"];
    let seen = ["daemon-reload"];
    let rules =
        ["udevadm control --reload", "udevadm trigger --subsystem-match=hidraw --subsystem-match=usb"];
    let systemctl = |words: &[&str]| words.iter().map(|word| format!("systemctl {word}")).collect::<Vec<_>>();
    let rules: Vec<String> = rules.map(str::to_owned).to_vec();
    let is_enabled = systemctl(&["--quiet is-enabled hookswitch-machine.service"]);
    let _ = std::fs::remove_file(system.path(ASKED));

    system.sh(&format!("{INSTALL} --install /packages/first.rpm"))?;
    let start = systemctl(&["start hookswitch-machine.service"]);
    let wanted = [systemctl(&presets), systemctl(&seen), rules.clone(), start].concat();
    assert_eq!(asked(&system)?, without(wanted, &is_enabled));

    system.sh(&format!("{INSTALL} --upgrade /packages/next.rpm"))?;
    let restart = systemctl(&["try-restart hookswitch-machine.service"]);
    // The scripts of the old package come last.
    let wanted = [systemctl(&seen), rules.clone(), restart, systemctl(&seen), rules[..1].to_vec()].concat();
    assert_eq!(asked(&system)?, without(wanted, &is_enabled));

    system.sh("rpm --erase hookswitch")?;
    let end = systemctl(&[
        "--user --machine 1000@ stop hookswitch.service",
        "stop hookswitch-machine.service",
        "--no-reload disable hookswitch-machine.service",
        "--no-reload --global disable hookswitch.service",
    ]);
    let wanted = [end, systemctl(&seen), rules[..1].to_vec()].concat();
    assert_eq!(asked(&system)?, without(wanted, &is_enabled));

    system.sh("rmdir /run/systemd/system")?;
    system.sh(&format!("{INSTALL} --install /packages/first.rpm"))?;
    assert_eq!(asked(&system)?, systemctl(&presets), "in an image that is built nothing is started");
    system.sh("rpm --erase hookswitch")?;
    Ok(())
}

/// What is asked and changes nothing is not written down, nor are reloads, which Debian's scripts ask for besides.
fn without(lines: Vec<String>, more: &[String]) -> Vec<String> {
    lines.into_iter().filter(|line| *line != "systemctl daemon-reload" && !more.contains(line)).collect()
}

//! `installer/linux/README.md`, word by word.

use crate::rig::told::{Context, Told};
use crate::scene::{Ended, ended};
use crate::{Machine, as_user, of_rig, scratch, sh, well};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The blocks of commands, each under its heading.
fn blocks(text: &str) -> Vec<(String, String)> {
    let (mut found, mut heading, mut block) = (Vec::new(), String::new(), None::<String>);
    for line in text.lines() {
        match (&mut block, line) {
            (None, "```sh") => block = Some(String::new()),
            (Some(commands), "```") => {
                found.push((heading.clone(), std::mem::take(commands)));
                block = None;
            }
            (Some(commands), line) => *commands += &format!("{line}\n"),
            (None, line) => {
                if let Some(title) = line.strip_prefix("## ") {
                    title.clone_into(&mut heading);
                }
            }
        }
    }
    found
}

/// A folder that looks like the source after `cargo build --release`.
fn source() -> Told<std::path::PathBuf> {
    let folder = scratch()?.join("source");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = of_rig("HOOKSWITCH_SHIPPED")?;
    let shipped = if shipped.is_dir() { shipped.join("hookswitch") } else { shipped };
    sh(&format!(
        "rm -rf {0}; mkdir -p {0}/target/release; cp -r {1}/installer {1}/assets {0}; ln -s {2} {0}/target/release/hookswitch",
        folder.display(),
        root.display(),
        shipped.display()
    ))?;
    Ok(folder)
}

fn everything() -> Told<BTreeSet<String>> {
    let found =
        ended(Command::new("find").args(["/etc", "/usr", "-not", "-name", "*-", "-not", "-type", "d"]))?;
    Ok(well(found)?.stdout.lines().map(str::to_owned).collect())
}

fn anna(arguments: &[&str]) -> Told<Ended> {
    ended(&mut as_user("anna", "hookswitch", arguments)?)
}

#[test]
fn the_readme_says_what_works() -> Told<()> {
    let _machine = Machine::take()?;
    let before = everything()?;
    let source = source()?;
    let text = std::fs::read_to_string(source.join("installer/linux/README.md")).at("the README")?;
    let mut steps = blocks(&text).into_iter();
    let mut next = |heading: &str| -> Told<Ended> {
        let (at, commands) = steps.next().ok_or("no more commands")?;
        assert_eq!(at, heading, "{commands}");
        let mut shell = Command::new("sh");
        shell.args(["-euxc", &commands]).current_dir(&source).env("HOME", "/root");
        well(ended(&mut shell)?)
    };

    next("Installing")?;
    assert!(anna(&["--version"])?.stdout.starts_with("hookswitch "));
    next("Installing")?;
    assert!(Path::new("/etc/systemd/user/graphical-session.target.wants/hookswitch.service").exists());
    assert_eq!(anna(&["settings", "list"])?.stderr, "", "nothing is managed yet");

    next("One service for all accounts")?;
    let enabled = "/etc/systemd/system/multi-user.target.wants/hookswitch-machine.service";
    assert!(Path::new(enabled).is_symlink());

    next("The company's settings")?;
    let of_service = anna(&["settings", "list"])?;
    assert_eq!(of_service.stderr, "", "the service reads what she may not");
    sh("systemctl disable hookswitch-machine.service")?;
    let withheld =
        "This computer is managed, but this account may not read its settings (/etc/hookswitch/tenant.toml)";
    let listed = anna(&["settings", "list"])?;
    assert!(listed.stderr.contains(withheld), "{listed:?}");
    assert!(
        text.replace('\n', " ").contains("this account may not read its settings"),
        "the README says it so"
    );
    let refused = anna(&["settings", "set", "server_url", "https://evil.example"])?;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let of_root = ended(&mut as_user("root", "hookswitch", &["settings", "list"])?)?;
    assert_eq!(of_root.stderr, "", "{of_root:?}");

    next("The company's settings")?;
    assert!(anna(&["settings", "list"])?.stderr.contains(withheld), "anna is no member yet");
    let (command, _) = text
        .split_once("and then `")
        .and_then(|(_, rest)| rest.split_once('`'))
        .ok_or("the command that lets an account in")?;
    assert!(command.ends_with(" NAME"), "{command}");
    sh(&command.replace("NAME", "anna"))?;
    let listed = anna(&["settings", "list"])?;
    assert_eq!(listed.stderr, "", "{listed:?}");
    for (key, value, file) in [
        ("server_url", "https://tenant.example/", "hookswitch.toml"),
        ("tenant_id", "acme", "hookswitch.toml"),
        ("tenant_token", "(set)", "tenant.toml"),
    ] {
        let line = listed.stdout.lines().find(|line| line.starts_with(key)).ok_or(key)?;
        let whose = format!("set by IT in /etc/hookswitch/{file}");
        assert!(line.split_whitespace().eq([key, value].into_iter().chain(whose.split(' '))), "{line}");
    }
    next("The company's settings")?;

    next("Removing")?;
    assert_eq!(steps.next(), None, "nothing is told that was not tried");
    let left: Vec<String> = everything()?.difference(&before).cloned().collect();
    assert_eq!(left, [""; 0]);
    Ok(())
}

//! `docs/deploy/linux.md`, word by word.

use crate::package;
use crate::rig::told::{Context, Told};
use crate::system::System;
use std::path::Path;

/// The blocks of one language.
pub(crate) fn blocks(text: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    let cut = text.split(&begin).skip(1).filter_map(|rest| rest.split_once("\n```"));
    cut.map(|(block, _)| format!("{block}\n")).collect()
}

/// The text of the file that the Ansible example writes.
fn copied(yaml: &str) -> Told<String> {
    let lines = yaml.lines().skip_while(|line| line.trim() != "content: |").skip(1);
    let indent = "          ";
    let inside: String =
        lines.map_while(|line| line.strip_prefix(indent)).map(|line| format!("{line}\n")).collect();
    if inside.is_empty() { Err("the example copies no settings".into()) } else { Ok(inside) }
}

#[test]
fn the_page_says_what_works() -> Told<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deploy/linux.md");
    let text = std::fs::read_to_string(path).at("the page")?;
    let system = System::take()?;
    let name = package("first")?.file_name().ok_or("a name")?.to_string_lossy().into_owned();
    system.sh(&format!("mkdir -p /packages/here; cp /packages/first.deb /packages/here/{name}"))?;
    let run = |commands: &str| system.sh(&format!("cd /packages/here\n{commands}"));

    let mut steps = blocks(&text, "sh").into_iter();
    let mut next = |begins: &str| -> Told<String> {
        let commands = steps.next().ok_or("no more commands")?;
        assert!(commands.starts_with(begins), "{commands}");
        Ok(run(&commands)?.stdout)
    };
    next("apt-get install")?;
    next("install -d")?;
    let listed = next("hookswitch settings list")?;
    let managed = ["server_url", "tenant_id", "tenant_token"];
    for key in managed {
        let line = listed.lines().find(|line| line.starts_with(key)).ok_or(key)?;
        assert!(line.contains("set by IT in /etc/hookswitch/"), "{line}");
    }
    let by_ansible = blocks(&text, "yaml").into_iter().next().ok_or("no example for Ansible")?;
    std::fs::write(system.path("/etc/hookswitch/hookswitch.toml"), copied(&by_ansible)?)
        .at("its settings")?;
    assert_eq!(system.run(&["hookswitch", "settings", "list"])?.stdout, listed, "both ways come to the same");

    next("apt-get remove")?;
    assert!(system.is_there("/etc/hookswitch/hookswitch.toml") && !system.is_there("/usr/bin/hookswitch"));
    next("apt-get purge")?;
    assert!(!system.is_there("/etc/hookswitch"));
    assert_eq!(steps.next(), None, "nothing is told that was not tried");
    Ok(())
}

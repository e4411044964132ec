//! What is in the package, without installing it.

use crate::rig::told::{Context, Told};
use crate::rig::world::ended;
use crate::{of_rig, package, package_of, well};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Figures of systemd itself: 0 is closed, 10 is open.
const MOST_EXPOSED: f64 = 2.0;

/// Where its files lie side by side with nothing else.
fn unpacked() -> Told<PathBuf> {
    let folder = tempfile_in_scratch("unpacked")?;
    well(ended(Command::new("dpkg-deb").arg("--extract").arg(package("first")?).arg(&folder))?)?;
    Ok(folder)
}

fn tempfile_in_scratch(name: &str) -> Told<PathBuf> {
    let folder = of_rig("HOOKSWITCH_SCRATCH")?.join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).at(name)?;
    Ok(folder)
}

#[test]
fn the_same_source_makes_the_same_bytes() -> Told<()> {
    let bytes = |which: &str| std::fs::read(package(which)?).at(which);
    let (first, again, next) = (bytes("first")?, bytes("again")?, bytes("next")?);
    assert!(first == again, "{} bytes and {} bytes differ", first.len(), again.len());
    assert!(first != next, "another version is another package");
    for which in ["first", "again", "next"] {
        let path = package(which)?;
        let folder = path.parent().ok_or("a folder")?;
        let checked =
            well(ended(Command::new("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(folder))?)?;
        let name = path.file_name().ok_or("a name")?.to_string_lossy();
        let made_of = made_of(folder)?;
        let made_of = made_of.file_name().ok_or("a name")?.to_string_lossy();
        let rpm = package_of(which, "rpm")?;
        let rpm = rpm.file_name().ok_or("a name")?.to_string_lossy();
        assert_eq!(checked.stdout, format!("{name}: OK\n{rpm}: OK\n{made_of}: OK\n"));
    }
    Ok(())
}

/// The one document beside a package.
fn made_of(folder: &Path) -> Told<PathBuf> {
    let entries = std::fs::read_dir(folder).at("the folder")?;
    let mut found = entries.flatten().map(|entry| entry.path());
    found.find(|path| path.to_string_lossy().ends_with(".cdx.json")).ok_or_else(|| "no document".to_owned())
}

/// Held against what cargo itself says of the program, by another way than the document was made.
#[test]
fn what_is_compiled_in_is_listed_with_its_hash_and_licence() -> Told<()> {
    let path = package("first")?;
    let folder = path.parent().ok_or("a folder")?;
    let document: serde_json::Value =
        serde_json::from_slice(&std::fs::read(made_of(folder)?).at("the document")?).at("the document")?;
    assert_eq!((&document["bomFormat"], &document["specVersion"]), (&"CycloneDX".into(), &"1.6".into()));
    assert_eq!(document["metadata"]["component"]["name"], "hookswitch");
    let mut call = Command::new(env!("CARGO"));
    call.args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let known: serde_json::Value = serde_json::from_str(
        &well(ended(call.args(["--filter-platform", "x86_64-unknown-linux-gnu"]))?)?.stdout,
    )
    .at("cargo metadata")?;
    let empty = Vec::new();
    let known = known["packages"].as_array().unwrap_or(&empty);
    let listed = document["components"].as_array().ok_or("components")?;
    assert!(listed.len() > 150, "{}", listed.len());
    for component in listed {
        let of_cargo = known.iter().find(|package| {
            package["name"] == component["name"] && package["version"] == component["version"]
        });
        let of_cargo = of_cargo.ok_or_else(|| format!("cargo does not know {component}"))?;
        let licence = of_cargo["license"].as_str().unwrap_or_default().replace('/', " OR ");
        assert_eq!(component["licenses"][0]["expression"], licence.as_str(), "{component}");
        let is_foreign = of_cargo["source"].is_string();
        let hash = component["hashes"][0]["content"].as_str().unwrap_or_default();
        assert_eq!(hash.len(), if is_foreign { 64 } else { 0 }, "{component}");
    }
    for name in ["hub", "dfu", "tokio", "rustls", "hidapi", "rusb", "ldap3", "aws-lc-sys"] {
        assert!(listed.iter().any(|c| c["name"] == name && c["scope"] == "required"), "{name} is not listed");
    }
    assert!(listed.iter().any(|c| c["name"] == "serde_derive" && c["scope"] == "excluded"));
    Ok(())
}

/// Names of folders say who built it, and where; and two builders would make different bytes.
#[test]
fn the_program_names_no_folder_of_its_builder() -> Told<()> {
    let program = std::fs::read(unpacked()?.join("usr/bin/hookswitch")).at("the program")?;
    let names = |text: &str| program.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(names("/crates/") && names("src/shell/"), "places in the source are named");
    let target = std::env::current_exe().at("this test")?;
    let target = target.ancestors().find(|path| path.ends_with("debug")).and_then(Path::parent);
    let target = target.ok_or("a target folder")?.to_string_lossy().into_owned();
    for folder in [env!("CARGO_MANIFEST_DIR"), &target, "/registry/src/", ".rustup/", "crates.io-"] {
        assert!(!names(folder), "{folder} is in the program");
    }
    Ok(())
}

/// What systems of five years can start, and what a network of branch offices can carry.
#[test]
fn it_asks_for_no_newer_glibc_and_stays_small() -> Told<()> {
    const NEWEST: [u32; 2] = [2, 34];
    const MOST_BYTES: u64 = 6 * 1024 * 1024;
    let packed = std::fs::metadata(package("first")?).at("the package")?.len();
    assert!(packed <= MOST_BYTES, "{packed} bytes");
    let program = unpacked()?.join("usr/bin/hookswitch");
    let symbols = well(ended(Command::new("objdump").arg("-T").arg(&program))?)?.stdout;
    let wanted = symbols.lines().filter_map(|line| {
        let (_, version) = line.split_once("GLIBC_")?;
        let version = version.split([')', ' ']).next()?;
        let numbers: Option<Vec<u32>> = version.split('.').map(|number| number.parse().ok()).collect();
        Some((numbers?, line))
    });
    let wanted: Vec<(Vec<u32>, &str)> = wanted.collect();
    assert!(wanted.len() > 50, "the symbols are not read: {symbols}");
    let newer: Vec<&str> =
        wanted.iter().filter(|(version, _)| version[..] > NEWEST[..]).map(|(_, line)| *line).collect();
    assert_eq!(newer, [""; 0]);
    Ok(())
}

/// `UPDATE_GOLDEN=1 cargo xtask test --tier packages` writes the list anew.
#[test]
fn modes_owners_and_paths_are_as_listed() -> Told<()> {
    let said = well(ended(Command::new("dpkg-deb").arg("--contents").arg(package("first")?))?)?;
    let mut list = String::new();
    for line in said.stdout.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [mode, owner, _, _, _, path @ ..] = words.as_slice() else { return Err(line.to_owned()) };
        list += &format!("{mode} {owner} {}\n", path.join(" "));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/packages/deb.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().ok_or("a folder")?).at("the golden folder")?;
        std::fs::write(&path, &list).at("the golden file")?;
    }
    assert_eq!(list, std::fs::read_to_string(&path).unwrap_or_default(), "UPDATE_GOLDEN=1 writes it anew");
    Ok(())
}

#[test]
fn the_rule_lets_in_who_sits_there_and_nobody_else() -> Told<()> {
    fn complaint(rule: &str) -> Option<&'static str> {
        let says: Vec<&str> = rule.lines().filter(|line| !line.starts_with('#')).collect();
        let says = |word: &str| says.iter().any(|line| line.contains(word));
        match () {
            () if !says("TAG+=\"uaccess\"") => Some("nobody may use a headset"),
            () if says("MODE") || says("0666") => Some("everybody may use it"),
            () if says("GROUP=") || says("OWNER=") => Some("others than who sits there may use it"),
            () => None,
        }
    }
    assert!(complaint("KERNEL==\"hidraw*\", MODE=\"0666\", TAG+=\"uaccess\"").is_some());
    assert!(complaint("# TAG+=\"uaccess\"").is_some());
    let rule = std::fs::read_to_string(unpacked()?.join("usr/lib/udev/rules.d/70-hookswitch.rules"));
    assert_eq!(complaint(&rule.at("the rule")?), None);
    Ok(())
}

#[test]
fn the_service_is_sandboxed() -> Told<()> {
    fn exposure(unit: &Path) -> Told<f64> {
        let mut call = Command::new("systemd-analyze");
        call.args(["security", "--offline=true", "--no-pager"]).arg(unit);
        let said = well(ended(&mut call)?)?.stdout;
        let line = said.lines().rfind(|line| line.contains("exposure level")).ok_or("no figure")?;
        println!("{line}");
        let figure = line.rsplit(": ").next().and_then(|rest| rest.split(' ').next());
        figure.ok_or("no figure")?.parse().at(line)
    }
    let folder = unpacked()?;
    let unit = folder.join("usr/lib/systemd/system/hookswitch-machine.service");
    let sandboxed = exposure(&unit)?;
    assert!(sandboxed <= MOST_EXPOSED, "{sandboxed}");
    let text = std::fs::read_to_string(&unit).at("the unit")?;
    let open: String =
        text.lines().filter(|line| !line.starts_with("SystemCallFilter")).map(|l| format!("{l}\n")).collect();
    let open_unit = folder.join("open.service");
    std::fs::write(&open_unit, open).at("a unit that is open")?;
    assert!(exposure(&open_unit)? > MOST_EXPOSED, "the figure does not see what is left out");
    Ok(())
}

/// Each is held by the program that its readers have, which complains of a broken one.
#[test]
fn desktop_files_metainfo_manual_and_completions_are_well_formed() -> Told<()> {
    let folder = unpacked()?;
    let desktop: (&str, &[&str]) = ("desktop-file-validate", &[]);
    let metainfo: (&str, &[&str]) = ("appstreamcli", &["validate", "--no-net", "--pedantic"]);
    let completions: (&str, &[&str]) = ("bash", &["-n"]);
    for (path, (program, arguments), broken) in [
        ("usr/share/applications/hookswitch.desktop", desktop, "[Desktop Entry]\nName=x\n"),
        ("etc/xdg/autostart/hookswitch.desktop", desktop, "[Desktop Entry]\nType=Application\n"),
        (
            "usr/share/metainfo/org.hookswitch.Hookswitch.metainfo.xml",
            metainfo,
            "<component><id>x</id></component>",
        ),
        ("usr/share/bash-completion/completions/hookswitch", completions, "if"),
    ] {
        let path = folder.join(path);
        well(ended(Command::new(program).args(arguments).arg(&path))?)?;
        std::fs::write(&path, broken).at("a broken one")?;
        let seen = ended(Command::new(program).args(arguments).arg(&path))?;
        assert_ne!(seen.code, Some(0), "{program} takes what is broken: {seen:?}");
    }
    let page = folder.join("usr/share/man/man1/hookswitch.1.gz");
    let shown = |path: &Path| {
        let mut call = Command::new("man");
        let call = call
            .args(["--warnings=w", "--local-file"])
            .arg(path)
            .env("LC_ALL", "C.UTF-8")
            .env("MANWIDTH", "80");
        well(ended(call)?)
    };
    let read = shown(&page)?;
    assert_eq!(read.stderr, "", "troff warns of nothing");
    for word in
        ["settings set", "--machine", "Exit status", "hookswitch service run", "/etc/hookswitch/tenant.toml"]
    {
        assert!(read.stdout.contains(word), "{word}: {}", read.stdout);
    }
    let broken = folder.join("broken.1");
    std::fs::write(&broken, ".TH X 1\n.SH A\n.nosuch\n").at("a broken page")?;
    assert_ne!(shown(&broken)?.stderr, "", "a broken page is seen");
    Ok(())
}

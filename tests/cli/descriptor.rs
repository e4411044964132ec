//! `hookswitch descriptor` on the layouts of `recordings/` and on hostile bytes.

use crate::rig::told::{Context, Told};
use crate::scene::ended;
use crate::{hookswitch, one_clear_line};
use serde_json::Value;
use std::path::{Path, PathBuf};

#[test]
fn explains_every_layout() -> Told<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/descriptors");
    let entries = std::fs::read_dir(&folder).at("recordings/descriptors")?;
    let home = tempfile::tempdir().at("a temporary folder")?;
    let captures: Vec<PathBuf> =
        entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "hex")).collect();
    assert!(captures.len() >= 15, "only {} layouts", captures.len());
    for capture in captures {
        let facts = std::fs::read_to_string(capture.with_extension("toml")).at("facts")?;
        let facts: toml::Table = facts.parse().at("facts")?;
        let expected = facts["decoded"]["call_control"].as_bool().ok_or("a fact")?;
        let path = capture.display().to_string();
        let plain = ended(&mut hookswitch(home.path(), &["descriptor", &path]))?;
        assert_eq!(plain.code, Some(0), "{plain:?}");
        let line = if expected { "Call control: yes\n" } else { "Call control: no, " };
        assert!(plain.stdout.contains(line), "{path}: {}", plain.stdout);
        let json = ended(&mut hookswitch(home.path(), &["descriptor", &path, "--json"]))?;
        let json: Value = serde_json::from_str(&json.stdout).at("descriptor --json")?;
        assert_eq!(json["call_control"], expected, "{path}");
        assert_eq!(json["bytes"], facts["length"].as_integer().unwrap_or_default(), "{path}");
        crate::json::valid("descriptor", &json);
    }
    Ok(())
}

/// Ends with one clear line and status 1.
fn refused(home: &Path, path: &Path) -> Told<()> {
    let ended = ended(&mut hookswitch(home, &["descriptor", &path.display().to_string()]))?;
    assert_eq!(ended.code, Some(1), "{}: {ended:?}", path.display());
    assert_eq!(ended.stdout, "");
    one_clear_line(&ended.stderr);
    Ok(())
}

#[test]
fn refuses_hostile_files() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let good = simulated_descriptor();
    let hostile: [(&str, Vec<u8>); 6] = [
        // Report Count 0xFFFFFFFF of 32 bits: 22 bytes that ask for 16 GiB.
        (
            "bomb",
            b"\x05\x0b\x09\x05\xa1\x01\x15\x00\x25\x01\x75\x20\x97\xff\xff\xff\xff\x09\x20\x81\x02\xc0"
                .to_vec(),
        ),
        ("truncated", good[..good.len() - 3].to_vec()),
        ("cut in an item", good[..3].to_vec()),
        ("huge", vec![0x05; 2 << 20]),
        ("large", vec![0xff; 900 << 10]),
        ("empty", Vec::new()),
    ];
    for (name, bytes) in hostile {
        let path = home.join(name);
        std::fs::write(&path, bytes).at(name)?;
        refused(home, &path)?;
    }
    for path in ["/dev/zero", "/nowhere.hex", "/", "/dev/hidraw99"] {
        refused(home, Path::new(path))?;
    }
    Ok(())
}

#[test]
fn text_that_is_no_hex_is_refused_with_its_line() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let path = folder.path().join("mail.txt");
    std::fs::write(&path, "05 0b 09 05\nthis is what my headset says\n").at("mail.txt")?;
    for (language, words) in [("en", "line 2 has “this”"), ("de", "Zeile 2")] {
        let path = path.display().to_string();
        let arguments = ["descriptor", &path, "--language", language];
        let ended = ended(&mut hookswitch(folder.path(), &arguments))?;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
    Ok(())
}

#[test]
fn survives_random_bytes() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let mut random = crate::seed::random();
    for round in 0..60 {
        let length = random.usize(1..600);
        let mut bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
        if round % 2 == 0 {
            // Nearly right ones get further.
            bytes = simulated_descriptor();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
        }
        let path = home.join("random");
        std::fs::write(&path, &bytes).at("random")?;
        let ended = ended(&mut hookswitch(home, &["descriptor", &path.display().to_string()]))?;
        match ended.code {
            Some(0) => assert!(ended.stdout.contains("Call control: "), "{bytes:02x?}: {ended:?}"),
            Some(1) => drop(one_clear_line(&ended.stderr)),
            other => panic!("{other:?} for {bytes:02x?}: {ended:?}"),
        }
    }
    Ok(())
}

/// As the simulated headset of the default layout has it.
pub(crate) fn simulated_descriptor() -> Vec<u8> {
    let bus = simulator::Bus::new();
    bus.plug("1-1", simulator::Setup::default());
    bus.devices().remove(0).hid.expect("runtime mode has a HID interface").report_descriptor
}

//! Commands with no agent running.

use crate::rig::company;
use crate::rig::told::{Context, Told};
use crate::scene::{Ended, ended};
use crate::{hookswitch, one_clear_line};
use std::path::Path;

fn run(home: &Path, arguments: &[&str]) -> Told<Ended> {
    ended(&mut hookswitch(home, arguments))
}

#[test]
fn what_needs_an_agent_is_to_be_tried_later() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let commands: [&[&str]; 13] = [
        &["status"],
        &["status", "--json"],
        &["groups"],
        &["groups", "--json"],
        &["update", "list"],
        &["update", "install"],
        &["update", "defer", "x"],
        &["open"],
        &["open", "--print"],
        &["devices", "--watch"],
        &["devices", "--watch", "--json"],
        &["update", "list", "--json"],
        &["softphones", "list", "--json"],
    ];
    for command in commands {
        let ended = run(folder.path(), command)?;
        assert_eq!(ended.code, Some(75), "{command:?}: {ended:?}");
        match command.contains(&"--json") {
            true => {
                let document = serde_json::from_str(&ended.stdout).at("one JSON document")?;
                crate::json::valid("error", &document);
                assert_eq!(document["error"]["code"], "agent-not-running");
            }
            false => assert_eq!(ended.stdout, "", "{command:?}"),
        }
        let line = one_clear_line(&ended.stderr);
        assert!(line.starts_with("hookswitch: Hookswitch is not running ("), "{line}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).at("home")?.count(), 0, "looking leaves nothing behind");
    Ok(())
}

#[test]
fn devices_and_bundle_say_that_no_agent_runs() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let devices = run(folder.path(), &["devices"])?;
    assert_eq!(devices.code, Some(0), "{devices:?}");
    assert!(devices.stdout.starts_with("Hookswitch is not running; this is what the buses show.\n"));
    let zip = folder.path().join("bundle.zip");
    let bundle = run(folder.path(), &["bundle", "--output", &zip.display().to_string()])?;
    assert_eq!(bundle.code, Some(0), "{bundle:?}");
    assert!(bundle.stdout.contains("status.json (no agent is running)"), "{bundle:?}");
    assert!(zip.exists());
    let german = &["--language", "de-DE", "bundle", "--output", &zip.display().to_string()];
    let bundle = run(folder.path(), german)?;
    assert!(bundle.stdout.contains("Nicht enthalten: status.json (Es läuft kein Agent)\n"), "{bundle:?}");
    let nowhere = run(folder.path(), &["bundle", "--output", "/nowhere/bundle.zip"])?;
    assert_eq!(nowhere.code, Some(1));
    assert!(one_clear_line(&nowhere.stderr).contains("/nowhere"), "{nowhere:?}");
    Ok(())
}

#[test]
fn settings_are_read_and_written() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let get = |name: &str| run(home, &["settings", "get", name]);
    assert_eq!(get("log_level")?.stdout, "info\n");
    assert_eq!(run(home, &["settings", "set", "log_level", "debug"])?.code, Some(0));
    assert_eq!(get("log_level")?.stdout, "debug\n");
    let list = run(home, &["settings", "list"])?;
    assert_eq!(list.code, Some(0));
    assert!(list.stdout.lines().any(|l| l.split_whitespace().eq(["log_level", "debug", "user"])), "{list:?}");
    assert_eq!(run(home, &["settings", "set", "log_level"])?.code, Some(0));
    assert_eq!(get("log_level")?.stdout, "info\n");
    for refused in [&["settings", "get", "no_such"][..], &["settings", "set", "log_level", "loud"]] {
        let ended = run(home, refused)?;
        assert_eq!(ended.code, Some(1), "{refused:?}: {ended:?}");
        one_clear_line(&ended.stderr);
    }
    assert_eq!(get("log_level")?.stdout, "info\n", "a refused value changes nothing");
    Ok(())
}

#[test]
fn firmware_is_packed_and_inspected() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let (image, rules) = company::image_and_rules(2048)?;
    std::fs::write(home.join("headset.bin"), image).at("image")?;
    std::fs::write(home.join("rules.json"), rules.to_string()).at("rules")?;
    let path = |name: &str| home.join(name).display().to_string();
    let packed = run(home, &["firmware", "pack", &path("rules.json"), "--output", &path("p.zip")])?;
    assert_eq!(packed.code, Some(0), "{packed:?}");
    let inspected = run(home, &["firmware", "inspect", &path("p.zip")])?;
    assert_eq!(
        inspected.stdout,
        "Hookswitch Simulated Headset 1.20\n  for 1209:0001\n  \
         component main: headset.bin, version 1.20, 2048 bytes, no DFU suffix\n  takes about 1 min\n"
    );
    let bytes = std::fs::read(home.join("p.zip")).at("package")?;
    std::fs::write(home.join("cut.zip"), &bytes[..bytes.len() - 30]).at("package")?;
    for hostile in [&path("cut.zip"), &path("rules.json"), "/dev/zero"] {
        let ended = run(home, &["firmware", "inspect", hostile])?;
        assert_eq!(ended.code, Some(1), "{hostile}: {ended:?}");
        assert!(one_clear_line(&ended.stderr).contains("This is no good firmware package: "), "{ended:?}");
    }
    Ok(())
}

/// Somebody else put it where all may write.
#[test]
fn a_package_is_not_written_through_a_planted_link() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let (image, rules) = company::image_and_rules(2048)?;
    std::fs::write(home.join("headset.bin"), image).at("image")?;
    std::fs::write(home.join("rules.json"), rules.to_string()).at("rules")?;
    std::fs::write(home.join("mine"), "mine").at("a file")?;
    std::os::unix::fs::symlink(home.join("mine"), home.join("p.zip")).at("a link")?;
    let path = |name: &str| home.join(name).display().to_string();
    let packed = run(home, &["firmware", "pack", &path("rules.json"), "--output", &path("p.zip")])?;
    assert_eq!(packed.code, Some(1), "{packed:?}");
    assert!(
        one_clear_line(&packed.stderr).contains("The package cannot be written: it is a link"),
        "{packed:?}"
    );
    assert_eq!(std::fs::read(home.join("mine")).at("a file")?, b"mine");
    Ok(())
}

/// Whole and well-formed, and written to no device all the same: said before it is published, with every reason.
#[test]
fn a_package_that_agents_would_refuse_is_neither_packed_nor_called_good() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let (image, mut rules) = company::image_and_rules(2048)?;
    let suffix = dfu::image::Suffix { bcd_device: 0x0130, vid: 0x0001, pid: 0x1209, bcd_dfu: 0x0100 };
    let image = dfu::image::Image::with_suffix(&image, suffix);
    rules["components"][0]["size"] = image.len().into();
    rules["battery_percent_minimum"] = 30.into();
    rules["release_notes"] = "Louder.\nClearer.".into();
    std::fs::write(home.join("headset.bin"), &image).at("image")?;
    std::fs::write(home.join("rules.json"), rules.to_string()).at("rules")?;
    let rules = dfu::package::Rules::parse(rules.to_string().as_bytes()).at("rules")?;
    let files = std::collections::BTreeMap::from([("headset.bin".to_owned(), image)]);
    std::fs::write(home.join("p.zip"), dfu::package::pack(&rules, &files).at("pack")?).at("package")?;
    let path = |name: &str| home.join(name).display().to_string();
    let reasons = [
        "this agent cannot read the charge of a headset",
        "by its DFU suffix the firmware is for 0001:1209, not for 1209:0001",
        "by its DFU suffix the firmware has version 1.30, by rules.json 1.20",
    ];
    let inspected = run(home, &["firmware", "inspect", &path("p.zip")])?;
    assert!(inspected.stdout.ends_with("  takes about 1 min\n  | Louder.\n  | Clearer.\n"), "{inspected:?}");
    let packed = run(home, &["firmware", "pack", &path("rules.json"), "--output", &path("new.zip")])?;
    for ended in [inspected, packed] {
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let lines: Vec<&str> = ended.stderr.lines().collect();
        assert_eq!(lines.len(), reasons.len(), "{ended:?}");
        for (line, reason) in lines.iter().zip(reasons) {
            assert!(line.starts_with("hookswitch: This is no good firmware package: "), "{line}");
            assert!(line.contains(reason), "{line}");
        }
    }
    assert!(!home.join("new.zip").exists());
    Ok(())
}

#[test]
fn what_is_wrong_with_a_file_is_said_in_german() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let (image, rules) = company::image_and_rules(2048)?;
    std::fs::write(home.join("headset.bin"), &image[..2000]).at("image")?;
    std::fs::write(home.join("rules.json"), rules.to_string()).at("rules")?;
    std::fs::write(home.join("cut.zip"), [0x50; 1000]).at("package")?;
    std::fs::write(home.join("cut.hex"), "05 0b 09 05 a1 01 c0 c0").at("descriptor")?;
    std::fs::write(home.join("empty.hex"), "").at("descriptor")?;
    let path = |name: &str| home.join(name).display().to_string();
    let german = |command: &[&str], place: &str, what: &str, next: &str| -> Told<()> {
        let ended = run(home, &[&["--language", "de-DE"], command].concat())?;
        let line = format!("hookswitch: {what} ({}). {next}\n", path(place));
        assert_eq!((ended.stderr, ended.code), (line, Some(1)), "{command:?}");
        Ok(())
    };
    german(
        &["firmware", "inspect", &path("cut.zip")],
        "cut.zip",
        "Dies ist kein gutes Firmware-Paket: Das Paket endet nicht wie eine Zip-Datei (1000 Byte); es ist \
         abgeschnitten oder keine",
        "Noch einmal dort holen, woher es kam; ein Agent weist es auch zurück.",
    )?;
    german(
        &["firmware", "pack", &path("rules.json"), "--output", &path("p.zip")],
        "rules.json",
        "Dies ist kein gutes Firmware-Paket: Komponente „main“: Ihre Datei hat 2000 Byte, rules.json nennt 2048",
        "rules.json oder die dort genannten Dateien berichtigen und neu packen.",
    )?;
    german(
        &["descriptor", &path("cut.hex")],
        "cut.hex",
        "Das ist kein verständlicher Report-Deskriptor: Bei Byte 7 steht ein End Collection, es ist aber keine \
         Collection offen",
        "Geben Sie die Bytes des Deskriptors an: als Hex-Text, wie usbhid-dump oder hid-recorder sie ausgibt, als \
         C-Array, als Binärdatei oder als Knoten /dev/hidraw.",
    )?;
    german(
        &["descriptor", &path("empty.hex")],
        "empty.hex",
        "Die Datei ist nicht nutzbar: Sie ist leer",
        "Namen und Rechte prüfen.",
    )
}

/// A script must not take half a document for a whole one.
#[test]
fn output_that_does_not_arrive_is_a_failure() -> Told<()> {
    let home = tempfile::tempdir().at("home")?;
    for arguments in [&["settings", "list", "--json"][..], &["completions", "bash"][..]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").at("/dev/full")?;
        let output = crate::hookswitch(home.path(), arguments).stdout(full).output().at("hookswitch")?;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        crate::one_clear_line(&String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Whatever stands at the place of the bundle and is no file stays what it is.
#[test]
fn the_bundle_replaces_no_devices_and_no_links() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path().join("home");
    let (real, link) = (folder.path().join("real.zip"), folder.path().join("link.zip"));
    std::fs::write(&real, "old").at("a file")?;
    std::os::unix::fs::symlink(&real, &link).at("a link")?;
    let ended = run(&home, &["bundle", "-o", &link.display().to_string()])?;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.starts_with("hookswitch: The bundle cannot be written: it is a link ("),
        "{ended:?}"
    );
    assert!(std::fs::symlink_metadata(&link).at("the link")?.is_symlink());
    assert_eq!(std::fs::read(&real).at("the file behind it")?, b"old");

    // A socket stands for everything that is no file.
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).at("a socket")?;
    let ended = run(&home, &["bundle", "-o", &socket.display().to_string()])?;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.starts_with("hookswitch: The bundle cannot be written: it is no file ("),
        "{ended:?}"
    );
    assert!(std::os::unix::net::UnixStream::connect(&socket).is_ok(), "it is still there");

    let ended = run(&home, &["bundle", "-o", "/no-such-folder/x.zip"])?;
    assert!(!ended.stderr.contains(".hookswitch-bundle"), "{ended:?}");
    Ok(())
}

#[test]
fn words_are_no_descriptor() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let text = folder.path().join("words.txt");
    std::fs::write(&text, "zzzzzzzzzz").at("a file")?;
    let ended = run(folder.path(), &["descriptor", &text.display().to_string()])?;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.starts_with("hookswitch: This is no report descriptor"), "{ended:?}");
    Ok(())
}

#[test]
fn a_setting_that_is_written_says_so_and_whether_another_comes_first() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let set = |name: &str, value: &str| run(folder.path(), &["settings", "set", name, value]);
    let written = set("log_level", "debug")?;
    assert!(written.stdout.starts_with("Written in ") && written.stdout.lines().count() == 1, "{written:?}");
    let mut command = hookswitch(folder.path(), &["settings", "set", "user", "kim"]);
    let second = ended(command.env("HOOKSWITCH_USER", "jane"))?;
    let overridden = "The value from elsewhere comes first: environment.";
    assert_eq!(second.stdout.lines().last(), Some(overridden), "{second:?}");
    let wrong = set("log_level", "loud")?;
    assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(1), ""), "{wrong:?}");
    Ok(())
}

/// The secret lies where root alone reads; who may read a file stays as it was.
#[test]
fn the_machine_s_settings_are_written_where_they_belong() -> Told<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let set = |arguments: &[&str]| run(home, &[&["settings", "set", "--machine"], arguments].concat());
    let [shared, private] = ["hookswitch.toml", "tenant.toml"].map(|name| home.join("machine").join(name));
    let mode =
        |path: &Path| std::fs::metadata(path).at("a file").map(|file| file.permissions().mode() & 0o777);
    let told = set(&["log_level", "debug"])?;
    assert_eq!(told.stdout, format!("Written in {}.\n", shared.display()));
    assert_eq!(set(&["tenant_token", "s3cret"])?.stdout, format!("Written in {}.\n", private.display()));
    assert_eq!((mode(&shared)?, mode(&private)?), (0o644, 0o600));
    let text = std::fs::read_to_string(&shared).at("the file")?;
    assert!(text.contains("log_level = \"debug\"") && !text.contains("s3cret"), "{text}");
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o600)).at("the file")?;
    assert_eq!(set(&["rest_port", "0"])?.code, Some(0));
    assert_eq!(mode(&shared)?, 0o600, "nobody else was let in");
    assert_eq!(run(home, &["settings", "get", "rest_port"])?.stdout, "0\n");
    // What is refused changes nothing.
    for wrong in [&["log_level", "loud"][..], &["no_such", "1"]] {
        assert_eq!(set(wrong)?.code, Some(1));
    }
    assert_eq!(set(&["log_level"])?.code, Some(0));
    assert_eq!(run(home, &["settings", "get", "log_level"])?.stdout, "info\n");
    Ok(())
}

/// Two of three are a mistake, not consumer mode.
#[tokio::test]
async fn a_tenant_named_in_part_is_told() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let mut run = hookswitch(home, &["run", "--headless"]);
    run.env("HOOKSWITCH_REST_PORT", "0").env("TENANT_ID", "t").env("TENANT_TOKEN", "s3cret");
    let log = home.join("run.log");
    let program = crate::rig::world::Program::start("the agent", &mut run, &log)?;
    let said = crate::rig::told::wait_for("its words", crate::rig::world::PATIENCE, async || {
        let said = std::fs::read_to_string(&log).at("its log")?;
        Ok(said.contains("For the tenant there is no SERVER_URL").then_some(said))
    })
    .await?;
    assert!(!said.contains("No tenant: consumer mode"), "{said}");
    program.end().await
}

/// From the list of programs: there is nobody to read that no agent is running.
#[tokio::test]
async fn opening_the_window_starts_the_agent() -> Told<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path().join("home");
    let programs = folder.path().join("bin");
    std::fs::create_dir(&programs).at("a folder")?;
    // The desktop's opener, which says what it was asked to show.
    let opener = programs.join("xdg-open");
    std::fs::write(&opener, format!("#!/bin/sh\necho \"$1\" >> {}/shown\n", folder.path().display()))
        .at("opener")?;
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).at("opener")?;
    let path = format!("{}:/usr/bin:/bin", programs.display());
    let open = |display: &str| {
        let mut command = hookswitch(&home, &["open"]);
        command
            .env("DISPLAY", display)
            .env("PATH", &path)
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("INVOCATION_ID");
        ended(&mut command)
    };
    assert_eq!(open("")?.code, Some(75), "without a screen a person reads what is said");
    assert!(!home.exists());
    for times in 1..3 {
        let opened = open(":9")?;
        assert_eq!(opened.code, Some(0), "{opened:?}");
        let shown = crate::rig::told::wait_for("the page", crate::rig::world::PATIENCE, async || {
            let shown = std::fs::read_to_string(folder.path().join("shown")).unwrap_or_default();
            Ok((shown.lines().count() == times).then_some(shown))
        })
        .await?;
        assert!(shown.lines().all(|page| page.starts_with("http://127.0.0.1:")), "{shown}");
    }
    let socket = home.join("run/agent.sock");
    let agent =
        hookswitch::shell::ipc::LocalClient::connect(&socket).map_err(|problem| problem.to_string())?;
    let stop = hub::protocol::local::LocalRequest::Stop { anyway: false };
    agent.ok_or("one agent, still running")?.ask(&stop).map_err(|problem| problem.to_string())?;
    crate::rig::told::wait_for("its end", crate::rig::world::PATIENCE, async || {
        Ok((!socket.exists()).then_some(()))
    })
    .await
}

//! Every `--json` output against its committed schema, in several states of the world; what is stable also against
//! golden files.

use crate::rig::company;
use crate::rig::softphone::Softphone;
use crate::rig::told::{Context, Told, wait_for};
use crate::rig::world::PATIENCE;
use crate::scene::{IMAGE_BYTES, Scene, good_package};
use crate::{golden, masked};
use serde_json::{Value, json};
use simulator::{Fault, How};
use std::process::Stdio;

/// Panics unless `document` is valid by `schemas/<name>.schema.json`.
pub(crate) fn valid(name: &str, document: &Value) {
    let path = format!("{}/schemas/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    valid_by(&path, document);
}

fn valid_by(path: &str, document: &Value) {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.set_default_draft(boon::Draft::V2020_12);
    let schema = compiler.compile(path, &mut schemas).unwrap_or_else(|e| panic!("{path}: {e:#}"));
    if let Err(error) = schemas.validate(document, schema) {
        panic!("{path}: {error:#}\n{document:#}");
    }
}

/// Asks for everything the agent can say and checks it.
fn all_valid(scene: &Scene) -> Told<Value> {
    let outputs: [(&str, &[&str]); 8] = [
        ("devices", &["devices", "--json"]),
        ("update-list", &["update", "list", "--json"]),
        ("update-history", &["update", "history", "--json"]),
        ("softphones", &["softphones", "list", "--json"]),
        ("groups", &["groups", "--json"]),
        ("settings", &["settings", "list", "--json"]),
        ("bundle", &["bundle", "--preview"]),
        ("status", &["status", "--json"]),
    ];
    let mut last = Value::Null;
    for (schema, arguments) in outputs {
        last = scene.json(arguments)?;
        valid(schema, &last);
    }
    Ok(last)
}

/// The choice of a headset is in force and kept.
fn the_headset_is_chosen(scene: &Scene) -> Told<()> {
    let chosen = scene.run(&["devices", "use", "1209-0001-SIM0001"])?;
    assert_eq!(
        (chosen.code, chosen.stdout.as_str()),
        (Some(0), "1209-0001-SIM0001 is used for calls from now on.\n")
    );
    assert_eq!(scene.run(&["settings", "get", "headset"])?.stdout, "1209-0001-SIM0001\n");
    let absent = scene.run(&["devices", "use", "1209-0001-SIM0002"])?;
    assert_eq!(absent.code, Some(1));
    assert!(absent.stderr.contains("There is no such headset here (1209-0001-SIM0002)"), "{absent:?}");
    Ok(())
}

fn pretty(document: &Value) -> String {
    format!("{document:#}\n")
}

#[test]
fn schemas_are_closed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("schemas/ is part of the repository").flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("a readable schema");
        let schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
        closed(&schema, &entry.path().display().to_string());
        seen += 1;
    }
    assert!(seen >= 7, "only {seen} schemas");
    // A word too much is found.
    let mut document = json!({ "agent_running": false, "headset": null, "devices": [] });
    valid("devices", &document);
    document["more"] = 1.into();
    assert!(std::panic::catch_unwind(|| valid("devices", &document)).is_err());
}

fn closed(schema: &Value, place: &str) {
    if let Value::Object(members) = schema {
        if schema["type"] == "object" {
            assert!(members.contains_key("additionalProperties"), "{place} is open");
        }
        members.iter().for_each(|(name, member)| closed(member, &format!("{place}/{name}")));
    } else if let Value::Array(members) = schema {
        members.iter().for_each(|member| closed(member, place));
    }
}

#[test]
fn without_an_agent() -> Told<()> {
    let scene = Scene::founded(company::USER)?;
    let devices = scene.json(&["devices", "--json"])?;
    valid("devices", &devices);
    golden("devices.no-agent.json", &pretty(&devices));
    valid("settings", &scene.json(&["settings", "list", "--json"])?);
    valid("bundle", &scene.json(&["bundle", "--preview"])?);

    let package = good_package(&scene.world)?;
    let rules = scene.json(&["firmware", "inspect", &package.display().to_string(), "--json"])?;
    valid_by(concat!(env!("CARGO_MANIFEST_DIR"), "/dfu/schema/rules.schema.json"), &rules);

    let hex: Vec<String> =
        crate::descriptor::simulated_descriptor().iter().map(|byte| format!("{byte:02x}")).collect();
    let path = scene.world.path("simulated.hex");
    std::fs::write(&path, hex.join(" ")).at("simulated.hex")?;
    let path = path.display().to_string();
    let descriptor = scene.json(&["descriptor", &path, "--json"])?;
    valid("descriptor", &descriptor);
    golden("descriptor.json", &pretty(&descriptor));
    let plain = scene.run(&["descriptor", &path])?.stdout;
    golden("descriptor.txt", &masked(&plain, &[(&path, "simulated.hex")]));
    let plain = scene.run(&["descriptor", &path, "--language", "de"])?.stdout;
    golden("descriptor.de-DE.txt", &masked(&plain, &[(&path, "simulated.hex")]));
    for language in ["en-US", "de-DE"] {
        let inspect = ["firmware", "inspect", &package.display().to_string(), "--language", language];
        golden(&format!("firmware-inspect.{language}.txt"), &scene.run(&inspect)?.stdout);
        let list = scene.run(&["settings", "list", "--language", language])?.stdout;
        golden(&format!("settings-list.{language}.txt"), &list);
    }
    Ok(())
}

#[tokio::test]
async fn of_a_consumer() -> Told<()> {
    let mut scene = Scene::founded(company::USER)?;
    scene.start_alone()?;
    scene.status("the headset", |s| s["devices"][0]["status"]["state"] == "ready").await?;
    let status = all_valid(&scene)?;
    golden("status.consumer.json", &stable(&status));
    golden("devices.json", &pretty(&scene.json(&["devices", "--json"])?));
    let plain = scene.run(&["status"])?.stdout;
    let url = status["rest"]["url"].as_str().unwrap_or_default();
    let ends = hub::calendar::minute(status["rest"]["certificate_ends_s"].as_u64().unwrap_or_default());
    golden(
        "status.consumer.txt",
        &masked(
            &plain,
            &[(url, "https://127.0.0.1:PORT"), (&ends, "END"), (env!("CARGO_PKG_VERSION"), "VERSION")],
        ),
    );
    the_headset_is_chosen(&scene)
}

#[tokio::test]
async fn approvals_are_listed_in_force_and_remembered() -> Told<()> {
    let mut scene = Scene::founded(company::USER)?;
    scene.start_alone()?;
    scene.status("the headset", |s| s["devices"][0]["status"]["state"] == "ready").await?;
    let run = |scene: &Scene, arguments: &[&str], code: i32| -> Told<crate::scene::Ended> {
        let ended = scene.run(&[&["softphones"], arguments].concat())?;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
        Ok(ended)
    };
    golden("softphones.none.txt", &run(&scene, &["list"], 0)?.stdout);
    let allowed = run(&scene, &["approve", "https://phone.example"], 0)?.stdout;
    golden("softphones.approve.txt", &allowed);
    for (origin, action, code) in [
        ("http://evil.example", "approve", "This names neither a web page nor a program"),
        ("https://phone.example/", "approve", "This names neither a web page nor a program"),
        ("https://nobody.example", "revoke", "This softphone does not ask for the headset"),
    ] {
        let refused = run(&scene, &[action, origin], 1)?;
        assert!(crate::one_clear_line(&refused.stderr).contains(code), "{refused:?}");
    }
    scene.restart_agent().await?;
    scene.status("the page", |s| s["softphones"][0]["origin"] == "https://phone.example").await?;
    let list = scene.json(&["softphones", "list", "--json"])?;
    valid("softphones", &list);
    golden("softphones.json", &pretty(&list));
    golden("softphones.txt", &run(&scene, &["list"], 0)?.stdout);
    golden("softphones.de-DE.txt", &run(&scene, &["list", "--language", "de"], 0)?.stdout);
    run(&scene, &["revoke", "https://phone.example"], 0)?;
    let list = scene.json(&["softphones", "list", "--json"])?;
    assert_eq!(list["softphones"][0]["standing"], "denied");
    Ok(())
}

#[tokio::test]
async fn of_a_managed_agent() -> Told<()> {
    let scene = Scene::with_offer(good_package).await?;
    scene.status("the first reports", |s| s["tenant"]["outbox"] == 0).await?;
    golden("status.offer.json", &stable(&all_valid(&scene)?));
    golden("update-list.offer.json", &pretty(&scene.json(&["update", "list", "--json"])?));
    golden("update-list.offer.txt", &scene.run(&["update", "list"])?.stdout);
    golden("update-list.offer.de-DE.txt", &scene.run(&["update", "list", "--language", "de"])?.stdout);
    golden("groups.json", &pretty(&scene.json(&["groups", "--json"])?));
    golden("groups.txt", &scene.run(&["groups"])?.stdout);

    let softphone = Softphone::connect(&scene.world.path("agent/endpoint.json")).await?;
    let call = softphone.post("/v1/calls", &json!({ "direction": "incoming", "contact": "Kim" })).await?;
    scene.status("the call", |s| !s["offers"][0]["blocked"].is_null()).await?;
    assert_eq!(all_valid(&scene)?["calls"][0]["contact"], "Kim");
    softphone.post(&format!("/v1/calls/{}/end", call["id"]), &json!({})).await?;
    scene.offered().await?;

    // Held up in the middle, so that there is a job to look at.
    let mut hand = scene.hand().await?;
    hand.fail(Fault { at_block: (IMAGE_BYTES / 2048) as u32, how: How::UnplugUnanswered }).at("arming")?;
    let mut install = scene.world.agent(&["update", "install"]);
    let progress = scene.world.path("progress");
    let file = std::fs::File::create(&progress).at("a file")?;
    let install = install.args(["--language", "de"]).stdout(Stdio::null()).stderr(file);
    let mut install = install.spawn().at("update install")?;
    hand.wait("plugged=false", PATIENCE).at("the pulled cable")?;
    let running = all_valid(&scene)?;
    assert!(running["job"]["outcome"].is_null() && running["job"]["done_bytes"].is_u64(), "{running:#}");
    hand.plug().at("plugging in")?;
    wait_for("the verdict", PATIENCE, async || install.try_wait().at("update install")).await?;
    let progress = std::fs::read_to_string(&progress).at("the progress")?;
    assert!(
        progress.contains("[####################....................]  50 %, 12288 von 24576 Byte"),
        "{progress}"
    );
    assert!(progress.lines().all(|line| line.contains(" Byte: ") && line.ends_with('…')), "{progress}");
    let ended = all_valid(&scene)?;
    golden("update-list.succeeded.json", &pretty(&scene.json(&["update", "list", "--json"])?));
    golden("update-list.succeeded.txt", &scene.run(&["update", "list"])?.stdout);
    assert_eq!(ended["job"]["outcome"]["verdict"], "succeeded");
    let mut history = scene.json(&["update", "history", "--json"])?;
    let then = history["updates"][0]["ended_s"].take();
    assert!(then.as_u64().is_some_and(|then| then > 1_700_000_000), "{then}");
    history["updates"][0]["ended_s"] = 1_767_225_600.into();
    golden("update-history.json", &pretty(&history));
    let then = hub::calendar::minute(then.as_u64().unwrap_or_default());
    for language in ["en-US", "de-DE"] {
        let listed = scene.run(&["update", "history", "--language", language])?.stdout;
        golden(
            &format!("update-history.{language}.txt"),
            &masked(&listed, &[(&then, "2026-01-01 00:00 UTC")]),
        );
    }
    Ok(())
}

/// Addresses, paths, times and keys by their names.
fn stable(status: &Value) -> String {
    let mut status = status.clone();
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    status["version"] = "VERSION".into();
    status["rest"] = json!({ "url": "URL", "ca_path": "PATH", "certificate_ends_s": "END" });
    if status["tenant"]["mode"] == "server" {
        for name in ["server", "root_sha256", "policy_seen_s", "last_poll_s", "next_poll_s"] {
            assert!(!status["tenant"][name].is_null(), "{name}: {status:#}");
            status["tenant"][name] = name.to_uppercase().into();
        }
    }
    pretty(&status)
}

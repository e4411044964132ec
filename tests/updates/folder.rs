//! A company without a server: policy and firmware from a signed folder, which is told nothing.

use crate::rig::company::{self, NEW, USER};
use crate::rig::told::{Context, Told};
use crate::scene::{Scene, good_package};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;

const UNREADABLE: &str = "tenant-folder-unreadable";

fn row<'a>(status: &'a str, named: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(named)).map(str::trim)
}

#[tokio::test]
async fn gives_policy_and_firmware_and_shows_how_old_it_is() -> Told<()> {
    let mut scene = Scene::founded(USER)?;
    let mut policy = company::policy(&json!({ "kind": "manual" }));
    policy["firmware"][0]["groups"] = json!(["all-users"]);
    let package = good_package(&scene.world)?;
    scene.publish(&policy, &package)?;
    // Of the tenant there is its folder, and nothing else.
    let (share, away) = (scene.world.path("a share"), scene.world.path("away"));
    fs::rename(scene.world.path("tenant/repository"), &share).at("the share")?;
    fs::remove_dir_all(scene.world.path("tenant")).at("the tenant")?;
    let address = format!("file://{}/", share.display()).replace(' ', "%20");
    let settings = [
        ("SERVER_URL", format!("file://{}", share.display())),
        ("TENANT_ROOT", scene.company.root.clone()),
        ("HOOKSWITCH_USER", USER.to_owned()),
    ];
    scene.start_agent_with(&settings)?;
    scene.offered().await?;
    let status = scene.json(&["status", "--json"])?;
    let tenant = &status["tenant"];
    assert_eq!((&tenant["mode"], &tenant["server"]), (&json!("folder"), &json!(address)));
    assert_eq!(
        (&tenant["enrolled"], &tenant["outbox"], &tenant["problem"]),
        (&json!(false), &json!(0), &Value::Null)
    );
    assert_eq!(tenant["root_sha256"], json!(scene.company.root));
    let seen = tenant["policy_seen_s"].clone();
    let text = scene.run(&["status"])?.stdout;
    println!("{text}");
    let as_of = row(&text, "Policy from a folder, as of").ok_or("no age")?;
    assert!(as_of.ends_with("just now") || as_of.ends_with("a minute ago"), "{as_of}");
    assert!(!text.contains("Enrolled") && !text.contains("! "), "{text}");

    // The share is gone, before and after a start: what was good is still offered.
    fs::rename(&share, &away).at("the share")?;
    let asked = scene.run(&["poll"])?;
    assert_eq!(asked.code, Some(1), "{asked:?}");
    assert!(asked.stderr.starts_with("hookswitch: The company's folder cannot be read"), "{asked:?}");
    scene.stop_agent().await?;
    scene.start_agent_with(&settings)?;
    let status = scene.status("it is out of reach", |s| s["tenant"]["problem"]["code"] == UNREADABLE).await?;
    assert_eq!(
        (&status["tenant"]["mode"], &status["tenant"]["last_poll_s"]),
        (&json!("folder"), &Value::Null)
    );
    assert!(status["tenant"]["policy_seen_s"].as_u64() >= seen.as_u64(), "{seen} {status:#}");
    scene.offered().await?;
    let text = scene.run(&["status"])?.stdout;
    println!("{text}");
    assert!(
        row(&text, "Policy from a folder, as of")
            .is_some_and(|age| age.ends_with(" ago") || age.ends_with("now"))
    );
    assert_eq!(text.lines().filter(|line| line.starts_with("! ")).count(), 1, "{text}");
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(1), "its package is there: {ended:?}");
    scene.device_untouched().await?;

    // It is back, and the update is done.
    fs::rename(&away, &share).at("the share")?;
    let asked = scene.run(&["poll"])?;
    assert_eq!(asked.code, Some(0), "{asked:?}");
    scene.offered().await?;
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let now = |s: &Value| s["devices"][0]["firmware_version"] == NEW && s["tenant"]["problem"].is_null();
    scene.status("the new version", now).await?;
    scene.stop_agent().await?;
    let store = Connection::open(scene.world.path("agent/data/hookswitch.sqlite")).at("the store")?;
    let owed: i64 = store.query_row("SELECT count(*) FROM owed", [], |row| row.get(0)).at("the store")?;
    assert_eq!(owed, 0, "nobody takes it");
    Ok(())
}

/// Whoever can write there is not the company.
#[tokio::test]
async fn without_a_pin_counts_for_nothing() -> Told<()> {
    let mut scene = Scene::founded(USER)?;
    let share = scene.world.path("tenant/repository");
    scene.start_agent_with(&[("SERVER_URL", format!("file://{}", share.display()))])?;
    let code = "tenant-folder-unpinned";
    let status = scene.status(code, |s| s["tenant"]["problem"]["code"] == code).await?;
    assert_eq!(status["tenant"]["mode"], "locked");
    let text = scene.run(&["status"])?.stdout;
    assert!(text.contains("! Nothing says whose signature counts in the folder"), "{text}");
    Ok(())
}

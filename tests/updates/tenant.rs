//! Tenants that fail, are slow, or were tampered with.

use crate::rig::told::{Context, Told};
use crate::scene::{Scene, good_package};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[tokio::test]
async fn whose_files_were_changed() -> Told<()> {
    let mut scene = Scene::with_offer(good_package).await?;
    let before = scene.json(&["status", "--json"])?["tenant"]["policy_version"].clone();

    // Somebody signs with other keys: one digit of the signature is another.
    let timestamp = scene.world.path("tenant/repository/metadata/timestamp.json");
    let good = std::fs::read_to_string(&timestamp).at("timestamp.json")?;
    let mut document: Value = serde_json::from_str(&good).at("timestamp.json")?;
    let signature = document["signatures"][0]["sig"].as_str().ok_or("a signature")?.to_owned();
    let other = if signature.starts_with('0') { "1" } else { "0" };
    document["signatures"][0]["sig"] = format!("{other}{}", &signature[1..]).into();
    std::fs::write(&timestamp, document.to_string()).at("timestamp.json")?;
    stays(&mut scene, "tenant-signature", &before).await?;

    // A new policy whose signed digest is not that of the file.
    std::fs::write(&timestamp, good).at("timestamp.json")?;
    let mut policy = crate::rig::company::policy(&json!({ "kind": "manual" }));
    policy["firmware"] = json!([]);
    policy["company"] = "Another company".into();
    let targets = scene.world.path("tenant/repository/targets");
    let files = || -> Told<BTreeSet<_>> {
        Ok(std::fs::read_dir(&targets).at("targets")?.flatten().map(|e| e.path()).collect())
    };
    let known = files()?;
    scene.publish(&policy, &good_package(&scene.world)?)?;
    for new in files()?.difference(&known) {
        let text = std::fs::read_to_string(new).at("tenant.json")?;
        std::fs::write(new, text.replace("Another company", "Another c0mpany")).at("tenant.json")?;
    }
    stays(&mut scene, "tenant-mismatch", &before).await
}

/// The next poll ends in the problem; policy and offer are those of before, and the update still works.
async fn stays(scene: &mut Scene, code: &str, version: &Value) -> Told<()> {
    scene.restart_agent().await?;
    let status = scene.status(code, |s| s["tenant"]["problem"]["code"] == code).await?;
    assert_eq!(status["tenant"]["policy_version"], *version);
    assert_eq!(status["tenant"]["company"], "Example GmbH");
    scene.offered().await?;
    let told = scene.run(&["status"])?.stdout;
    let problems: Vec<&str> = told.lines().filter(|l| l.starts_with("! ")).collect();
    assert_eq!(problems.len(), 1, "{told}");
    Ok(())
}

#[tokio::test]
async fn that_take_a_person_out_of_the_group() -> Told<()> {
    let mut scene = Scene::with_offer(good_package).await?;
    scene.assign(false)?;
    scene.restart_agent().await?;
    let status = scene
        .status("the groups without it", |s| {
            s["offers"].as_array().is_some_and(Vec::is_empty)
                && s["groups"].as_array().is_some_and(|g| g.len() == 1)
        })
        .await?;
    assert_eq!(status["groups"][0]["id"], "all-users");
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.starts_with("hookswitch: There is no update to install"), "{ended:?}");
    Ok(())
}

/// What the tenant took, by id: the kind of event, or the verdict on an update.
fn taken(scene: &Scene) -> Told<BTreeMap<String, String>> {
    rows(
        &scene.world.path("tenant/tenant.db"),
        "SELECT id, event ->> 'type' FROM event UNION ALL SELECT event_id, status ->> 'verdict' FROM update_status",
    )
}

/// Events and verdicts that a stopped agent owes; a registration is replaced by a newer one.
fn owed(scene: &Scene) -> Told<BTreeMap<String, String>> {
    let sql = "SELECT id, kind FROM owed WHERE kind IN ('event', 'update')";
    rows(&scene.world.path("agent/data/hookswitch.sqlite"), sql)
}

fn rows(path: &Path, sql: &str) -> Told<BTreeMap<String, String>> {
    let store = Connection::open(path).at("store")?;
    let mut rows = store.prepare(sql).at("store")?;
    let ids = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).at("store")?;
    ids.collect::<Result<_, _>>().at("store")
}

/// Host, user and device, and that the agent started. The headset was there before, so it did not come.
const OWED_AT_START: u64 = 4;

/// A tenant that takes nothing: the agent says so in one line, keeps what it owes and works on.
async fn ill_humoured(mood: &str, code: &str, owed: u64) -> Told<(Scene, BTreeMap<String, String>)> {
    let mut scene = Scene::with_offer(good_package).await?;
    scene.status("nothing is owed", |s| s["tenant"]["outbox"] == 0).await?;
    let before = taken(&scene)?;
    scene.stop_agent().await?;
    scene.stop_tenant().await?;
    scene.serve(&["--mood", mood]).await?;
    scene.start_agent()?;

    let ill = |s: &Value| s["tenant"]["problem"]["code"] == code && s["tenant"]["outbox"] == owed;
    scene.status(code, ill).await?;
    let told = scene.run(&["status"])?.stdout;
    assert_eq!(told.lines().filter(|l| l.starts_with("! ")).count(), 1, "{told}");
    let waiting = ["Reports", "waiting", &owed.to_string()];
    assert!(told.lines().any(|l| l.split_whitespace().eq(waiting)), "{told}");
    assert_eq!(scene.json(&["devices", "--json"])?["devices"][0]["status"]["state"], "ready");
    scene.offered().await?;
    assert_eq!(taken(&scene)?, before, "the tenant took nothing");
    Ok((scene, before))
}

/// Everything is delivered, nothing twice. Gives what came since `before`.
async fn well_again(scene: &mut Scene, before: &BTreeMap<String, String>) -> Told<BTreeMap<String, String>> {
    let well = |s: &Value| {
        let tenant = &s["tenant"];
        tenant["enrolled"] == true && tenant["outbox"] == 0 && tenant["problem"].is_null()
    };
    scene.status("everything is delivered", well).await?;
    let inventory = scene.world.inventory()?;
    let host = &inventory["hosts"][0];
    for list in [&inventory["hosts"], &host["devices"], &host["users"]] {
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{inventory:#}");
    }
    let mut new = taken(scene)?;
    new.retain(|id, _| !before.contains_key(id));
    Ok(new)
}

fn kinds(taken: &BTreeMap<String, String>) -> Vec<&str> {
    let mut kinds: Vec<&str> = taken.values().map(String::as_str).collect();
    kinds.sort_unstable();
    kinds
}

/// Packages still come: the update is done, and its verdict is owed like everything else.
#[tokio::test]
async fn that_answer_500() -> Told<()> {
    let (mut scene, before) = ill_humoured("internal-error", "tenant-server-error", OWED_AT_START).await?;
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    scene.stop_tenant().await?;
    scene.serve(&[]).await?;
    let new = well_again(&mut scene, &before).await?;
    let expected = ["com.hookswitch.agent.started", "succeeded"];
    assert_eq!(kinds(&new), expected);
    Ok(())
}

/// Refused credentials: without them there is no package, which is said at once; IT mends it and starts the agent anew.
#[tokio::test]
async fn that_answer_401() -> Told<()> {
    let (mut scene, before) = ill_humoured("unauthorized", "tenant-unauthorized", OWED_AT_START).await?;
    scene.status("enrolment is refused as well", |s| s["tenant"]["enrolled"] == false).await?;
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let last = ended.stderr.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("hookswitch: The tenant server does not accept the agent's credentials"),
        "{last}"
    );
    scene.device_untouched().await?;

    scene.stop_agent().await?;
    let owed = owed(&scene)?;
    scene.stop_tenant().await?;
    scene.serve(&[]).await?;
    scene.start_agent()?;
    let new = well_again(&mut scene, &before).await?;
    assert!(owed.keys().all(|id| new.contains_key(id)), "owed {owed:?}, taken {new:?}");
    let of_the_second_start = 1;
    assert_eq!(new.len(), owed.len() + of_the_second_start, "owed {owed:?}, taken {new:?}");
    Ok(())
}

#[tokio::test]
async fn that_do_not_answer_in_time() -> Told<()> {
    let (mut scene, before) = ill_humoured("slow", "tenant-timeout", OWED_AT_START).await?;
    scene.stop_tenant().await?;
    scene.serve(&[]).await?;
    let new = well_again(&mut scene, &before).await?;
    assert_eq!(kinds(&new), ["com.hookswitch.agent.started"]);
    Ok(())
}

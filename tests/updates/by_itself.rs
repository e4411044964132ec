//! Updates that the agent begins by itself, as the policy says.

use crate::rig::company::{self, NEW, window_of_now};
use crate::rig::told::{Context, Told, wait_for};
use crate::rig::world::PATIENCE;
use crate::scene::{Scene, good_package};
use serde_json::{Value, json};

/// With a policy of these fields, in a computer whose clock on the wall shows UTC.
async fn deployed(fields: &Value) -> Told<Scene> {
    let mut scene = Scene::founded(company::USER)?;
    let package = good_package(&scene.world)?;
    let mut policy = company::policy(&json!({ "kind": "manual" }));
    let firmware = policy["firmware"][0].as_object_mut().ok_or("a firmware policy")?;
    firmware.extend(fields.as_object().cloned().unwrap_or_default());
    scene.publish(&policy, &package)?;
    scene.assign(true)?;
    scene.serve(&[]).await?;
    let settings = scene.company_settings().to_vec();
    scene.start_agent_with(&[settings, vec![("TZ", "UTC".to_owned())]].concat())?;
    Ok(scene)
}

#[tokio::test]
async fn in_its_window_a_silent_update_is_installed_without_a_word() -> Told<()> {
    let scene = deployed(&json!({ "deployment": "silent", "window": window_of_now() })).await?;
    let past = wait_for("the end of the update", PATIENCE, async || {
        let Ok(history) = scene.json(&["update", "history", "--json"]) else { return Ok(None) };
        Ok(history["updates"].get(0).cloned())
    })
    .await?;
    assert_eq!(past["outcome"], json!({ "verdict": "succeeded", "version": NEW }), "{past:#}");
    let state = scene.hand().await?.state().at("the headset")?;
    assert_eq!((state.firmware.version.as_str(), state.firmware.valid), (NEW, true));
    assert_eq!(scene.json(&["update", "list", "--json"])?["offers"], json!([]));
    Ok(())
}

#[tokio::test]
async fn outside_its_window_a_silent_update_says_when_it_begins() -> Told<()> {
    let window = window_of_now();
    let window = json!({ "from": window["until"], "until": window["from"] });
    let scene = deployed(&json!({ "deployment": "silent", "window": window })).await?;
    let offer = scene.offered().await?;
    assert_eq!((&offer["next"]["waits_for"], &offer["deferrable"]), (&json!("window"), &json!(false)));
    let list = scene.run(&["update", "list"])?;
    let at = offer["next"]["at_s"].as_u64().ok_or("a time")?;
    let words = format!("It begins by itself at {}.", hub::calendar::minute(at));
    assert!(list.stdout.contains(&words), "{list:?}");
    let refused = scene.run(&["update", "defer"])?;
    assert!(refused.stderr.contains("cannot be put off"), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn an_automatic_update_is_put_off_as_often_as_the_policy_says() -> Told<()> {
    let mut scene = deployed(&json!({ "deployment": "automatic", "deferrals": 1 })).await?;
    let offer = scene.offered().await?;
    assert_eq!((&offer["next"]["waits_for"], &offer["deferrals_left"]), (&json!("notice"), &json!(1)));
    let ended = scene.run(&["update", "defer"])?;
    assert!(ended.code == Some(0) && ended.stdout.contains("Put off."), "{ended:?}");
    let put_off = |offer: &Value| (offer["next"]["waits_for"].clone(), offer["deferrals_left"].clone());
    let expected = (json!("deferral"), json!(0));
    let status = scene.status("the deferred offer", |s| s["offers"][0]["deferrals_left"] == 0).await?;
    assert_eq!(put_off(&status["offers"][0]), expected);
    scene.restart_agent().await?;
    assert_eq!(put_off(&scene.offered().await?), expected, "and the next start knows it");
    // Said twice, meant once.
    assert_eq!(scene.run(&["update", "defer"])?.code, Some(0));
    assert_eq!(put_off(&scene.offered().await?), expected);
    Ok(())
}

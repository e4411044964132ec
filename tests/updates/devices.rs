//! Devices that fail, leave and come back in the middle of an update; updates that have to wait.

use crate::rig::company::NEW;
use crate::rig::softphone::Softphone;
use crate::rig::told::{Context, Told, wait_for};
use crate::rig::world::PATIENCE;
use crate::scene::{IMAGE_BYTES, Scene, good_package};
use hub::protocol::local::View;
use hub::user::menu::{self, Item};
use serde_json::{Value, json};
use simulator::{Fault, How};
use std::io::Read as _;
use std::process::Stdio;

/// The update fails at the device with `words` as often as the agent tries by itself, and succeeds when the person
/// tries it again.
async fn fails_and_recovers(how: How, at_block: u32, words: &str) -> Told<()> {
    let scene = Scene::with_offer(good_package).await?;
    let mut hand = scene.hand().await?;
    for _ in 0..dfu::usb_dfu::MAX_ATTEMPTS {
        hand.fail(Fault { at_block, how }).at("arming")?;
    }
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let last = ended.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("hookswitch: Writing the firmware to the headset failed ("), "{last}");
    assert!(last.contains(words), "expected {words:?} in {last:?}");
    let list = scene.json(&["update", "list", "--json"])?;
    assert_eq!(list["job"]["outcome"]["problem"]["code"], "update-failed", "{list:#}");

    scene.offered().await?;
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let state = hand.state().at("the headset")?;
    assert_eq!((state.firmware.version.as_str(), state.firmware.valid), (NEW, true), "{state:?}");
    wait_for("both verdicts at the tenant", PATIENCE, async || {
        let inventory = scene.world.inventory()?;
        let updates = inventory["hosts"][0]["updates"].as_array().cloned().unwrap_or_default();
        let mut verdicts: Vec<&str> = updates.iter().filter_map(|u| u["verdict"].as_str()).collect();
        verdicts.sort_unstable();
        Ok((verdicts == ["failed", "succeeded"]).then_some(()))
    })
    .await
}

#[tokio::test]
async fn that_cannot_verify_a_block() -> Told<()> {
    fails_and_recovers(How::ErrVerify, 5, "errVERIFY").await
}

#[tokio::test]
async fn that_cannot_program_a_block() -> Told<()> {
    fails_and_recovers(How::ErrProg, 20, "errPROG").await
}

/// In DFU mode this one has two settings, and describes them after the last.
#[tokio::test]
async fn that_describe_their_dfu_ability_after_the_last_setting() -> Told<()> {
    let scene = Scene::with_offer_to("split", good_package).await?;
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(scene.hand().await?.state().at("the headset")?.firmware.version, NEW);
    Ok(())
}

/// Mishaps that happen once, in the middle and after the last block, cost an attempt and no more.
#[tokio::test]
async fn that_stumble() -> Told<()> {
    let scene = Scene::with_offer(good_package).await?;
    let mut hand = scene.hand().await?;
    let blocks = (IMAGE_BYTES / 1024) as u32;
    for (at_block, how) in [(5, How::Stall), (blocks, How::ErrVerify)] {
        hand.fail(Fault { at_block, how }).at("arming")?;
    }
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "Succeeded: the headset came back and reports version 1.20.\n");
    assert_eq!(hand.state().at("the headset")?.firmware.version, NEW);
    Ok(())
}

#[tokio::test]
async fn that_leave_in_the_middle_and_come_back() -> Told<()> {
    let scene = Scene::with_offer(good_package).await?;
    let mut hand = scene.hand().await?;
    hand.fail(Fault { at_block: 7, how: How::UnplugUnanswered }).at("arming")?;
    let mut install = scene.world.agent(&["update", "install"]);
    let install = install.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().at("update install")?;
    hand.wait("plugged=false", PATIENCE).at("the pulled cable")?;
    let job = wait_for("the job that waits", PATIENCE, async || {
        let job = scene.json(&["update", "list", "--json"])?["job"].clone();
        Ok(job["phase"].as_str().is_some_and(|p| p.starts_with("waiting")).then_some(job))
    })
    .await?;
    assert_eq!(job["outcome"], Value::Null, "no verdict while it is away");
    // It waits: a second update is refused, to be tried later.
    let second = scene.run(&["update", "install", job["offer"].as_str().unwrap_or_default()])?;
    assert_eq!(second.code, Some(75), "{second:?}");
    assert!(second.stderr.starts_with("hookswitch: The update of this headset is running ("), "{second:?}");

    hand.plug().at("plugging in")?;
    let output = install.wait_with_output().at("update install")?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let state = hand.state().at("the headset")?;
    assert_eq!((state.firmware.version.as_str(), state.firmware.valid), (NEW, true), "{state:?}");
    Ok(())
}

/// The cable is pulled and nobody plugs it in again: the person ends the waiting. The verdict is no success, and once
/// the headset is back it can be given its firmware.
#[tokio::test]
async fn that_leave_and_are_given_up() -> Told<()> {
    let scene = Scene::with_offer(good_package).await?;
    let well = scene.run(&["update", "recover"])?;
    assert_eq!(well.code, Some(1), "an offer of a new version is none: {well:?}");
    assert!(well.stderr.starts_with("hookswitch: No headset needs its firmware again ("), "{well:?}");
    let mut hand = scene.hand().await?;
    hand.fail(Fault { at_block: 10, how: How::UnplugUnanswered }).at("arming")?;
    let mut install = scene.world.agent(&["--language", "de-DE", "update", "install"]);
    let mut install = install.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().at("install")?;
    hand.wait("plugged=false", PATIENCE).at("the pulled cable")?;
    wait_for("the waiting", PATIENCE, async || {
        let list = scene.json(&["update", "list", "--json"])?;
        Ok((list["job"]["phase"] == "waiting-for-replug" && list["job"]["outcome"].is_null()).then_some(()))
    })
    .await?;
    let asked = scene.run(&["update", "cancel"])?;
    assert_eq!(asked.code, Some(1), "it says first what that means: {asked:?}");
    let cancel = scene.run(&["update", "cancel", "--force"])?;
    assert_eq!(cancel.code, Some(0), "{cancel:?}");
    let status =
        wait_for("the end of `update install`", PATIENCE, async || install.try_wait().at("install")).await?;
    assert_eq!(status.code(), Some(1));
    let mut said = String::new();
    install.stderr.take().ok_or("no pipe")?.read_to_string(&mut said).at("its words")?;
    let list = scene.json(&["update", "list", "--json"])?;
    assert_eq!(list["job"]["outcome"]["verdict"], "failed", "{list:#}");
    let device = list["job"]["device"].as_str().unwrap_or_default();
    assert_eq!(
        said.lines().last(),
        Some(
            format!(
                "hookswitch: Die Aktualisierung wurde abgebrochen ({device}). Stecken Sie das Headset an denselben \
                 USB-Anschluss und starten Sie die Aktualisierung noch einmal; von dort wird es wiederhergestellt. \
                 [abgebrochen beim Warten auf den DFU-Modus]"
            )
            .as_str()
        )
    );
    let again = scene.run(&["update", "cancel"])?;
    assert_eq!(again.code, Some(1), "nothing runs any more: {again:?}");

    hand.plug().at("plugging in")?;
    scene.offered().await?;
    let another = scene.run(&["update", "recover", "fw:nobody"])?;
    assert_eq!(another.code, Some(1), "{another:?}");
    assert!(
        another.stderr.contains("no such update") && another.stderr.contains("(fw:nobody)"),
        "{another:?}"
    );
    let ended = scene.run(&["update", "recover"])?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let state = hand.state().at("the headset")?;
    assert_eq!((state.firmware.version.as_str(), state.firmware.valid), (NEW, true), "{state:?}");
    Ok(())
}

#[tokio::test]
async fn that_are_in_a_call() -> Told<()> {
    let scene = Scene::with_offer(good_package).await?;
    let softphone = Softphone::connect(&scene.world.path("agent/endpoint.json")).await?;
    let call = softphone.post("/v1/calls", &json!({ "direction": "incoming", "contact": "Kim" })).await?;
    scene.status("the call", |s| s["offers"][0]["blocked"]["code"] == "in-call").await?;
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(75), "{ended:?}");
    assert_eq!(
        ended.stderr,
        "hookswitch: The headset is in a call (Simulated Headset). Install the update when the call is over.\n"
    );
    scene.device_untouched().await?;
    softphone.post(&format!("/v1/calls/{}/end", call["id"]), &json!({})).await?;
    scene.offered().await.map(drop)
}

/// Entries of the tray menu for updates.
fn installs(status: &Value) -> Told<usize> {
    let view: View = serde_json::from_value(status.clone()).at("status --json")?;
    let items = menu::menu(&view).items;
    Ok(items.iter().filter(|i| matches!(i, Item::Action { label, .. } if label.id == "tray-install")).count())
}

#[tokio::test]
async fn whose_update_was_put_off() -> Told<()> {
    let mut scene = Scene::with_offer(good_package).await?;
    assert_eq!(installs(&scene.json(&["status", "--json"])?)?, 1);
    let ended = scene.run(&["update", "defer"])?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let status = scene.status("the deferred offer", |s| s["offers"][0]["deferred"] == true).await?;
    assert_eq!(installs(&status)?, 0, "the tray does not press it on anybody");
    // Remembered, and still there for who asks.
    scene.restart_agent().await?;
    let offer = scene.offered().await?;
    assert_eq!(offer["deferred"], true);
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    Ok(())
}

//! Two headsets, one written at a time: the other one waits and begins by itself.

use crate::rig::company::NEW;
use crate::rig::told::{Context, Told, wait_for};
use crate::rig::world::PATIENCE;
use crate::scene::Scene;
use simulator::{Fault, How};
use std::io::Read as _;
use std::process::{Child, Stdio};

fn install(scene: &Scene, offer: &str) -> Told<Child> {
    let mut install = scene.world.agent(&["update", "install", offer]);
    install.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().at("update install")
}

/// Its exit status and last words.
async fn ended(mut install: Child) -> Told<(Option<i32>, String)> {
    let status = wait_for("its end", PATIENCE, async || install.try_wait().at("update install")).await?;
    let mut said = String::new();
    install.stderr.take().ok_or("no pipe")?.read_to_string(&mut said).at("its words")?;
    Ok((status.code(), said.lines().last().unwrap_or_default().to_owned()))
}

#[tokio::test]
async fn the_second_of_two_updates_waits_for_the_first_and_can_be_taken_back() -> Told<()> {
    let (scene, mut second) = Scene::with_two_offers().await?;
    let mut first = scene.hand().await?;
    let offers = scene.json(&["update", "list", "--json"])?["offers"].clone();
    let at = |n: usize| offers[n]["id"].as_str().unwrap_or_default().to_owned();
    // Held up in the middle, so that there is time to look.
    for hand in [&mut first, &mut second] {
        hand.fail(Fault { at_block: 7, how: How::UnplugUnanswered }).at("arming")?;
    }
    let running = install(&scene, &at(0))?;
    let pulled = |state: simulator::State| !state.plugged;
    wait_for("a pulled cable", PATIENCE, async || {
        Ok((pulled(first.state().at("the first")?) || pulled(second.state().at("the second")?)).then_some(()))
    })
    .await?;
    let is_first = !first.state().at("the first")?.plugged;
    let (mut here, mut there) = if is_first { (first, second) } else { (second, first) };
    there.clear_faults().at("the one that waits")?;

    let waits = install(&scene, &at(1))?;
    let is_queued = |s: &serde_json::Value| s["queue"][0]["offer"] == at(1).as_str();
    let queued = scene.status("the one that waits", is_queued).await?;
    assert_eq!((&queued["queue"][0]["phase"], &queued["job"]["offer"]), (&"queued".into(), &at(0).into()));
    let list = scene.run(&["update", "list"])?.stdout;
    assert!(list.contains("waits until Simulated Headset (USB 1-"), "{list}");
    let twice = scene.run(&["update", "install", &at(1)])?;
    assert_eq!(twice.code, Some(75), "{twice:?}");
    assert!(twice.stderr.contains("waits for its turn already"), "{twice:?}");

    // Taken back, it is not begun; the other one goes on.
    let cancel = scene.run(&["update", "cancel", &at(1)])?;
    assert_eq!(cancel.code, Some(0), "{cancel:?}");
    let (code, said) = ended(waits).await?;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("The update was not begun"), "{said}");
    assert_eq!(scene.json(&["update", "list", "--json"])?["job"]["offer"], at(0));

    let waits = install(&scene, &at(1))?;
    scene.status("the one that waits", is_queued).await?;
    assert_eq!(there.state().at("the one that waits")?.firmware.updates_completed, 0);
    here.plug().at("plugging in")?;
    for (offer, install) in [(at(0), running), (at(1), waits)] {
        let (code, said) = ended(install).await?;
        assert_eq!(code, Some(0), "{offer}: {said}");
    }
    for hand in [&mut here, &mut there] {
        let state = hand.state().at("a headset")?;
        assert_eq!((state.firmware.version.as_str(), state.firmware.valid), (NEW, true), "{state:?}");
    }
    Ok(())
}

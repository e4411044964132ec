//! The disk is full: an update does not go on without its journal, the person is told, and all is well again once there
//! is space.

use crate::rig::told::{Context, Told, fail, wait_for};
use crate::rig::world::PATIENCE;
use crate::scene::{Scene, good_package};
use simulator::{Fault, How};
use std::process::{Command, Stdio};

/// From now on the running agent cannot make any file longer, or can again.
fn limit(pid: u32, limit: &str) -> Told<()> {
    let (pid, limit) = (format!("--pid={pid}"), format!("--fsize={limit}"));
    let status = Command::new("prlimit").args([pid, limit]).status().at("prlimit")?;
    if status.success() { Ok(()) } else { fail(format!("prlimit ended with {status}")) }
}

#[tokio::test]
async fn that_fills_up_in_the_middle_of_an_update() -> Told<()> {
    let scene = Scene::with_offer(good_package).await?;
    let pid = scene.agent_pid()?;
    let mut hand = scene.hand().await?;
    hand.fail(Fault { at_block: 7, how: How::UnplugUnanswered }).at("arming")?;
    let mut install = scene.world.agent(&["update", "install"]);
    let install = install.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().at("update install")?;
    hand.wait("plugged=false", PATIENCE).at("the pulled cable")?;
    limit(pid, "0:unlimited")?;
    hand.plug().at("plugging in")?;

    let output = install.wait_with_output().at("update install")?;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let status = scene.status("the problem", store_problem).await?;
    assert_eq!(status["job"]["outcome"]["verdict"], "failed", "{status:#}");
    let state = hand.state().at("the headset")?;
    assert_eq!(state.dfu.blocks_received, 0, "nothing was sent without a journal: {state:?}");

    limit(pid, "unlimited:unlimited")?;
    scene.offered().await?;
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    scene.status("the end of the problem", |s| !store_problem(s)).await?;
    wait_for("the version", PATIENCE, async || {
        Ok((hand.state().at("the headset")?.firmware.version == "1.20").then_some(()))
    })
    .await
}

fn store_problem(status: &serde_json::Value) -> bool {
    let problems = status["problems"].as_array();
    problems
        .is_some_and(|all| all.iter().any(|p| p["code"].as_str().unwrap_or_default().starts_with("store-")))
}

//! An update that was cut short goes on from what is on the disk of this computer.

use crate::rig::company::NEW;
use crate::rig::told::{Context, Told, wait_for};
use crate::rig::world::PATIENCE;
use crate::scene::{Scene, good_package};
use simulator::{Fault, How};
use std::process::Stdio;

/// The agent is killed while the headset has neither the old firmware nor the new.
async fn cut_short() -> Told<Scene> {
    let scene = Scene::with_offer(good_package).await?;
    let mut hand = scene.hand().await?;
    hand.fail(Fault { at_block: 7, how: How::UnplugUnanswered }).at("arming")?;
    let mut install = scene.world.agent(&["update", "install"]);
    let mut install = install.stdout(Stdio::null()).stderr(Stdio::null()).spawn().at("update install")?;
    hand.wait("plugged=false", PATIENCE).at("the pulled cable")?;
    install.kill().at("update install")?;
    install.wait().at("update install")?;
    Ok(scene)
}

async fn recovers(scene: &Scene) -> Told<()> {
    let status = scene.status("the verdict", |s| !s["job"]["outcome"].is_null()).await?;
    assert_eq!(status["job"]["outcome"]["verdict"], "succeeded", "{status:#}");
    wait_for("the version", PATIENCE, async || {
        let state = scene.hand().await?.state().at("the headset")?;
        Ok((state.firmware.version == NEW && state.firmware.valid).then_some(()))
    })
    .await
}

#[tokio::test]
async fn with_a_tenant_that_is_gone() -> Told<()> {
    let mut scene = cut_short().await?;
    scene.stop_tenant().await?;
    scene.crash_and_start(true)?;
    recovers(&scene).await?;
    let told = scene.json(&["status", "--json"])?;
    assert_eq!(
        told["tenant"]["outbox"].as_u64().map(|owed| owed > 0),
        Some(true),
        "the verdict waits: {told:#}"
    );
    Ok(())
}

#[tokio::test]
async fn on_a_computer_that_no_company_manages_any_more() -> Told<()> {
    let mut scene = cut_short().await?;
    scene.stop_tenant().await?;
    scene.crash_and_start(false)?;
    recovers(&scene).await
}

/// Nobody renews what the company signed: old policies end, but a headset that needs its firmware gets it.
#[tokio::test]
async fn when_the_companys_signatures_have_expired() -> Told<()> {
    let mut scene = cut_short().await?;
    let (policy, package) = (scene.world.path("policy.json"), good_package(&scene.world)?);
    let mut publish = scene.world.tenant(&["publish", "--expires-days", "0", "--policy"]);
    scene.world.output(publish.arg(policy).arg("--target").arg(package))?;
    scene.crash_and_start(true)?;
    recovers(&scene).await
}

/// What is on the disk is not what was vouched for: it is not written, and the tenant has it.
#[tokio::test]
async fn unless_the_package_there_is_damaged() -> Told<()> {
    let mut scene = cut_short().await?;
    let folder = scene.world.path("agent/data/tenant/packages");
    let file = std::fs::read_dir(&folder).at("packages")?.flatten().next().ok_or("a package")?.path();
    let mut bytes = std::fs::read(&file).at("package")?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).at("package")?;
    scene.stop_tenant().await?;
    scene.crash_and_start(false)?;
    let status = scene.status("the verdict", |s| !s["job"]["outcome"].is_null()).await?;
    assert_eq!(status["job"]["outcome"]["problem"]["code"], "package-not-kept", "{status:#}");
    assert_eq!(status["offers"][0]["deployment"], "recovery", "{status:#}");
    scene.serve(&[]).await?;
    scene.crash_and_start(true)?;
    recovers(&scene).await
}

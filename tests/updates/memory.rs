//! What a large package costs the agent: it lies on the disk, and only pieces of it are ever in memory.

use crate::rig::company;
use crate::rig::told::{Context, Told, wait_for};
use crate::rig::world::PATIENCE;
use crate::scene::Scene;
use simulator::{Fault, How};
use std::process::Stdio;

const PACKAGE_BYTES: usize = 16_000_000;

/// A line of the kernel's account of a process, in bytes.
fn account(pid: u32, line: &str) -> Told<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).at("the agent's account")?;
    let found = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':'));
    let kib = found.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kib.ok_or("a line of the account")? * 1024)
}

/// Fetched, hashed, looked through, and on its way to the headset until the cable is pulled.
#[tokio::test]
async fn of_a_large_package_is_that_of_a_few_pieces() -> Told<()> {
    let scene = Scene::with_offer(|world| {
        let (image, rules) = company::image_and_rules(PACKAGE_BYTES)?;
        company::pack(world, &image, &rules)
    })
    .await?;
    let pid = scene.agent_pid()?;
    let idle = account(pid, "VmHWM")?;
    let mut hand = scene.hand().await?;
    hand.fail(Fault { at_block: 7, how: How::UnplugUnanswered }).at("arming")?;
    let mut install = scene.world.agent(&["update", "install"]);
    let mut install = install.stdout(Stdio::null()).stderr(Stdio::null()).spawn().at("update install")?;
    hand.wait("plugged=false", PATIENCE).at("the pulled cable")?;
    wait_for("the job that waits", PATIENCE, async || {
        let list = scene.json(&["update", "list", "--json"])?;
        Ok((list["job"]["phase"] == "waiting-for-replug").then_some(()))
    })
    .await?;
    let peak = account(pid, "VmHWM")?;
    install.kill().at("update install")?;
    install.wait().at("update install")?;
    let grown = peak.saturating_sub(idle);
    println!(
        "peak before {:.1} MB, with a package of {:.1} MB {:.1} MB: {:.2} times the package more",
        idle as f64 / 1e6,
        PACKAGE_BYTES as f64 / 1e6,
        peak as f64 / 1e6,
        grown as f64 / PACKAGE_BYTES as f64
    );
    assert!(grown < PACKAGE_BYTES as u64 / 2, "{grown} bytes more for a package of {PACKAGE_BYTES}");
    Ok(())
}

//! What changes around a running agent is looked at again, without a restart.

use crate::hookswitch;
use crate::rig::told::{Context, Told, wait_for};
use crate::run::{Agent, SOON, endpoint, said};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

#[tokio::test]
async fn what_was_looked_at_only_at_start_a_port_that_becomes_free_opens_the_door() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").at("a port")?;
    let port = taken.local_addr().at("a port")?.port().to_string();
    let mut run = hookswitch(home, &["run", "--headless"]);
    let agent = Agent::start(run.env("HOOKSWITCH_REST_PORT", &port), home).await?;
    assert!(!home.join("endpoint.json").exists());
    drop(taken);
    wait_for("the door", SOON, async || Ok(home.join("endpoint.json").exists().then_some(()))).await?;
    assert_eq!(endpoint(home)?["url"], format!("https://127.0.0.1:{port}"));
    let line = format!("Softphones may connect to https://127.0.0.1:{port}");
    wait_for("the words for it", SOON, async || Ok(said(home)?.contains(&line).then_some(()))).await?;
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

/// The system's bus is the test's own, and so is what says on it that the machine slept; the agent is the real one.
#[tokio::test]
async fn what_was_looked_at_only_at_start_is_looked_at_again_after_a_sleep() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let mut daemon = Command::new("dbus-daemon")
        .args(["--session", "--nofork", "--nopidfile", "--print-address"])
        .stdout(Stdio::piped())
        .spawn()
        .at("dbus-daemon")?;
    let mut address = String::new();
    let out = daemon.stdout.take().ok_or("no pipe")?;
    BufReader::new(out).read_line(&mut address).at("the address of the bus")?;
    let address = address.trim();
    let mut run = hookswitch(home, &["run", "--headless"]);
    let agent = Agent::start(run.env("DBUS_SYSTEM_BUS_ADDRESS", address), home).await?;
    let bus = zbus::connection::Builder::address(address).at("the bus")?;
    let logind = bus.name("org.freedesktop.login1").at("a name")?.build().await.at("logind")?;
    // What is lost while nobody looks.
    let before = endpoint(home)?;
    std::fs::remove_file(home.join("endpoint.json")).at("endpoint.json")?;
    wait_for("another look", SOON, async || {
        let (path, interface) = ("/org/freedesktop/login1", "org.freedesktop.login1.Manager");
        logind.emit_signal(None::<&str>, path, interface, "PrepareForSleep", &false).await.at("a signal")?;
        Ok(home.join("endpoint.json").exists().then_some(()))
    })
    .await?;
    assert_eq!(endpoint(home)?, before);
    assert_eq!(agent.terminate().await?, Some(0));
    daemon.kill().at("the bus")?;
    daemon.wait().at("the bus")?;
    Ok(())
}

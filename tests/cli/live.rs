//! Settings that change under a running agent, by whoever writes them.

use crate::hookswitch;
use crate::rig::company;
use crate::rig::told::{Context, Told, wait_for};
use crate::run::{Agent, SOON, endpoint};
use crate::scene::{Scene, ended};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

fn free_port() -> Told<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").at("a port")?;
    Ok(listener.local_addr().at("a port")?.port())
}

/// The door for softphones is at this port, and nowhere else.
async fn opens_at(home: &Path, port: u16) -> Told<()> {
    let url = format!("https://127.0.0.1:{port}");
    wait_for(&format!("the door at {url}"), SOON, async || {
        // Between two ports there is none.
        let Ok(endpoint) = endpoint(home) else { return Ok(None) };
        Ok((endpoint["url"] == url.as_str()).then_some(()))
    })
    .await
}

async fn problems(home: &Path, wanted: &[&str]) -> Told<()> {
    wait_for(&format!("the problems {wanted:?}"), SOON, async || {
        let status = ended(&mut hookswitch(home, &["status", "--json"]))?;
        let status: Value = serde_json::from_str(&status.stdout).at("status --json")?;
        // What keeps a company out is said where the company is.
        let all = status["problems"].as_array().into_iter().flatten().chain([&status["tenant"]["problem"]]);
        let codes: Vec<&str> = all.filter_map(|problem| problem["code"].as_str()).collect();
        Ok((codes == wanted).then_some(()))
    })
    .await
}

#[tokio::test]
async fn what_is_written_into_a_settings_file_counts_while_the_agent_runs() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let own = home.join("config/hookswitch.toml");
    let set = |arguments: &[&str]| {
        let arguments = [&["settings", "set"], arguments].concat();
        ended(hookswitch(home, &arguments).env_remove("HOOKSWITCH_REST_PORT"))
    };
    let [first, second, third] = [free_port()?, free_port()?, free_port()?];
    assert_eq!(set(&["rest_port", &first.to_string()])?.code, Some(0));
    let mut run = hookswitch(home, &["run", "--headless"]);
    let agent = Agent::start(run.env_remove("HOOKSWITCH_REST_PORT"), home).await?;
    opens_at(home, first).await?;
    // By the command line.
    let told = set(&["rest_port", &second.to_string()])?;
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{told:?}");
    opens_at(home, second).await?;
    assert!(std::net::TcpStream::connect(("127.0.0.1", first)).is_err(), "the first port is free again");
    // What counts later says so.
    let told = set(&["language", "de-DE"])?;
    assert!(told.stdout.contains("next start") || told.stdout.contains("nächsten Start"), "{told:?}");
    // By an editor, in two ways.
    let by_hand = fs::read_to_string(&own).at("the file")?.replace(&second.to_string(), &third.to_string());
    fs::write(&own, by_hand).at("the file")?;
    opens_at(home, third).await?;
    let new = home.join("config/new");
    fs::write(&new, format!("rest_port = {first}\nlog_level = \"debug\"\n")).at("a file")?;
    fs::rename(&new, &own).at("the file")?;
    opens_at(home, first).await?;
    wait_for("debug lines", SOON, async || {
        let log = fs::read_to_string(home.join("logs/SessionManager.log")).at("the log")?;
        Ok(log.contains("level=\"debug\"").then_some(()))
    })
    .await?;
    // A mistake keeps what was, and is said until it is mended.
    fs::write(&own, "rest_port = \"no port\"\n").at("the file")?;
    problems(home, &["setting-invalid"]).await?;
    fs::write(&own, format!("rest_port = {first}\n")).at("the file")?;
    problems(home, &[]).await?;
    // By IT: locked from now on, and by what.
    let machine = home.join("machine/hookswitch.toml");
    fs::create_dir_all(home.join("machine")).at("a folder")?;
    fs::write(&machine, format!("rest_port = {second}\n")).at("the file")?;
    opens_at(home, second).await?;
    let refused = set(&["rest_port", &third.to_string()])?;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains(&machine.display().to_string()), "{refused:?}");
    let list = ended(hookswitch(home, &["settings", "list", "--json"]).env_remove("HOOKSWITCH_REST_PORT"))?;
    let list: Value = serde_json::from_str(&list.stdout).at("settings list --json")?;
    let port = list.as_array().into_iter().flatten().find(|s| s["key"] == "rest_port").cloned();
    let expected = json!({
        "key": "rest_port", "value": second, "from": "machine", "locked": true,
        "place": machine.display().to_string(),
    });
    assert_eq!(port, Some(expected));
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

/// Two free ports, one above the other: the upper one.
fn free_pair() -> Told<u16> {
    loop {
        let upper = TcpListener::bind("127.0.0.1:0").at("a port")?;
        let port = upper.local_addr().at("a port")?.port();
        if TcpListener::bind(("127.0.0.1", port - 1)).is_ok() {
            return Ok(port);
        }
    }
}

#[tokio::test]
async fn plain_http_is_spoken_below_the_door_while_its_setting_says_so() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let set = |arguments: &[&str]| -> Told<()> {
        let arguments = [&["settings", "set"], arguments].concat();
        let told = ended(hookswitch(home, &arguments).env_remove("HOOKSWITCH_REST_PORT"))?;
        assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{told:?}");
        Ok(())
    };
    let port = free_pair()?;
    set(&["rest_port", &port.to_string()])?;
    let mut run = hookswitch(home, &["run", "--headless"]);
    let agent = Agent::start(run.env_remove("HOOKSWITCH_REST_PORT"), home).await?;
    opens_at(home, port).await?;
    let is_open = || std::net::TcpStream::connect(("127.0.0.1", port - 1)).is_ok();
    assert!(!is_open(), "nobody asked for it");
    for (value, open) in [("true", true), ("false", false)] {
        set(&["rest_http", value])?;
        wait_for(&format!("rest_http = {value}"), SOON, async || Ok((is_open() == open).then_some(())))
            .await?;
        opens_at(home, port).await?;
    }
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

/// Whether one agent takes them all, or each command writes the file itself.
#[tokio::test]
async fn of_settings_that_are_set_at_the_same_time_none_is_lost() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let texts = [
        ("rest_port", "0"),
        ("log_level", "debug"),
        ("headset", "abc"),
        ("user", "anna"),
        ("language", "de-DE"),
        ("sdk_denied", "https://evil.example"),
    ];
    let all_at_once = |options: &[&str], file: &str| -> Told<()> {
        let _ = fs::remove_file(home.join(file));
        let set = |(key, value)| {
            let arguments = [&["settings", "set"], options, &[key, value]].concat();
            hookswitch(home, &arguments).env_remove("HOOKSWITCH_REST_PORT").stdout(Stdio::null()).spawn()
        };
        let commands: Vec<_> = texts.map(set).into_iter().collect::<Result<_, _>>().at("a command")?;
        for mut command in commands {
            assert!(command.wait().at("a command")?.success());
        }
        let written = fs::read_to_string(home.join(file)).at(file)?;
        for (key, value) in texts {
            assert!(written.lines().any(|l| l.starts_with(key) && l.contains(value)), "{key} in {written}");
        }
        Ok(())
    };
    for _ in 0..5 {
        all_at_once(&[], "config/hookswitch.toml")?;
        all_at_once(&["--machine"], "machine/hookswitch.toml")?;
        // What the machine says may not be set by a person.
        fs::remove_dir_all(home.join("machine")).at("the machine's settings")?;
    }
    let mut run = hookswitch(home, &["run", "--headless"]);
    let agent = Agent::start(run.env_remove("HOOKSWITCH_REST_PORT"), home).await?;
    for _ in 0..5 {
        all_at_once(&[], "config/hookswitch.toml")?;
    }
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

/// What was said last stands while the file says nothing, also with a service beside.
#[tokio::test]
async fn a_file_that_cannot_be_read_moves_nothing() -> Told<()> {
    for with_service in [false, true] {
        let folder = tempfile::tempdir().at("a temporary folder")?;
        let home = folder.path();
        let own = home.join("config/hookswitch.toml");
        let port = free_port()?;
        let good = format!("rest_port = {port}\nsdk_approved = [\"https://softphone.example\"]\n");
        fs::create_dir_all(home.join("config")).at("a folder")?;
        fs::write(&own, &good).at("the file")?;
        let mut service = match with_service {
            true => Some(hookswitch(home, &["service", "run"]).spawn().at("the service")?),
            false => None,
        };
        let mut run = hookswitch(home, &["run", "--headless"]);
        let agent = Agent::start(run.env_remove("HOOKSWITCH_REST_PORT"), home).await?;
        opens_at(home, port).await?;
        problems(home, &[]).await?;
        fs::write(&own, "rest_port = ").at("the file")?;
        problems(home, &["settings-unreadable"]).await?;
        opens_at(home, port).await?;
        let softphones = ended(&mut hookswitch(home, &["softphones", "list"]))?;
        assert!(softphones.stdout.contains("https://softphone.example"), "{softphones:?}");
        // Nor does a decision write over what cannot be read.
        fs::write(&own, format!("rest_port = {port}\nsdk_approved = 5\n")).at("the file")?;
        problems(home, &["setting-invalid"]).await?;
        ended(&mut hookswitch(home, &["softphones", "approve", "https://other.example"]))?;
        assert!(fs::read_to_string(&own).at("the file")?.contains("sdk_approved = 5"));
        let softphones = ended(&mut hookswitch(home, &["softphones", "list"]))?;
        assert!(softphones.stdout.contains("https://softphone.example"), "{softphones:?}");
        fs::write(&own, &good).at("the file")?;
        // It counts in this agent alone.
        problems(home, &["softphone-not-kept"]).await?;
        assert_eq!(agent.terminate().await?, Some(0));
        if let Some(service) = &mut service {
            ended(std::process::Command::new("kill").arg(service.id().to_string()))?;
            service.wait().at("the service")?;
        }
    }
    Ok(())
}

/// A service that comes under an agent that has the headsets itself is said, and its going too.
#[tokio::test]
async fn a_service_that_comes_is_said_to_an_agent_that_has_the_headsets() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let agent = Agent::start(&mut hookswitch(home, &["run", "--headless"]), home).await?;
    problems(home, &[]).await?;
    let mut service = hookswitch(home, &["service", "run"]).spawn().at("the service")?;
    problems(home, &["service-came"]).await?;
    ended(std::process::Command::new("kill").arg(service.id().to_string()))?;
    service.wait().at("the service")?;
    problems(home, &[]).await?;
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

/// What a service that died has left behind is nobody's word: an agent that starts has the headsets itself.
#[tokio::test]
async fn a_service_that_died_is_not_waited_for() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let mut service = hookswitch(home, &["service", "run"]).spawn().at("the service")?;
    let socket = home.join("service/run/machine.sock");
    wait_for("its socket", SOON, async || Ok(socket.exists().then_some(()))).await?;
    service.kill().at("the service")?;
    service.wait().at("the service")?;
    assert!(socket.exists(), "it had no time to take it away");
    let agent = Agent::start(&mut hookswitch(home, &["run", "--headless"]), home).await?;
    let log = fs::read_to_string(home.join("logs/SessionManager.log")).at("the log")?;
    assert!(!log.contains("the service of this computer has the headsets"), "{log}");
    problems(home, &[]).await?;
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

/// A computer comes to its company, and leaves it, while the agent runs.
#[tokio::test]
async fn a_tenant_that_the_machine_is_given_is_met_without_a_restart() -> Told<()> {
    let mut scene = Scene::founded(company::USER)?;
    let package = crate::scene::good_package(&scene.world)?;
    scene.publish(&company::policy(&json!({ "kind": "manual" })), &package)?;
    scene.assign(true)?;
    scene.serve(&[]).await?;
    scene.start_alone()?;
    scene.status("consumer mode", |status| status["tenant"]["mode"] == "consumer").await?;
    let machine = scene.world.path("agent/machine");
    fs::create_dir_all(&machine).at("a folder")?;
    let lines: Vec<String> = scene
        .company_settings()
        .into_iter()
        .map(|(key, value)| {
            let key = key.trim_start_matches("HOOKSWITCH_").to_lowercase();
            format!("{key} = {}\n", json!(value))
        })
        .collect();
    // As a deployment tool does it, in one step.
    fs::write(machine.join("new"), lines.concat()).at("a file")?;
    fs::rename(machine.join("new"), machine.join("hookswitch.toml")).at("the file")?;
    scene.status("enrolled", |status| status["tenant"]["enrolled"] == true).await?;
    scene.offered().await?;
    fs::remove_file(machine.join("hookswitch.toml")).at("the file")?;
    // One is told after the other.
    let nobodys = |status: &Value| status["tenant"]["mode"] == "consumer" && status["offers"] == json!([]);
    scene.status("nobody's, with nothing to offer", nobodys).await?;
    Ok(())
}

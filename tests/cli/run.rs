//! `hookswitch run`: start, end, and what stands in the way of either.

use crate::rig::told::{Context, Told, wait_for};
use crate::scene::ended;
use crate::{golden, hookswitch, masked, one_clear_line};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A running agent that ends with the test.
pub(crate) struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Agent {
    pub(crate) async fn start(command: &mut Command, home: &Path) -> Told<Self> {
        let log = std::fs::File::create(home.join("stderr")).at("stderr")?;
        let agent = Self(command.stdin(Stdio::null()).stderr(log).spawn().at("hookswitch")?);
        // The words for the person come last.
        wait_for("the summary", SOON, async || {
            let said = said(home)?;
            Ok(["mode", "Betrieb"].iter().any(|end| said.contains(end)).then_some(()))
        })
        .await
        .map_err(|e| format!("{e}: {:?}", said(home)))?;
        Ok(agent)
    }

    /// SIGTERM; how it ended.
    pub(crate) async fn terminate(mut self) -> Told<Option<i32>> {
        ended(Command::new("kill").arg(self.0.id().to_string()))?;
        let status = wait_for("its end", SOON, async || self.0.try_wait().at("its end")).await?;
        Ok(status.code())
    }
}

pub(crate) fn said(home: &Path) -> Told<String> {
    std::fs::read_to_string(home.join("stderr")).at("stderr")
}

pub(crate) fn endpoint(home: &Path) -> Told<Value> {
    serde_json::from_slice(&std::fs::read(home.join("endpoint.json")).at("endpoint.json")?)
        .at("endpoint.json")
}

/// A headset at this machine's own buses would be in the summary.
fn no_headset_here(home: &Path) -> Told<bool> {
    let devices = ended(&mut hookswitch(home, &["devices", "--json"]))?;
    let devices: Value = serde_json::from_str(&devices.stdout).at("devices --json")?;
    let none = devices["devices"].as_array().is_some_and(Vec::is_empty);
    if !none {
        println!("SKIPPED: a headset is plugged in here, so the words for none are not compared");
    }
    Ok(none)
}

#[tokio::test]
async fn starts_with_nothing_says_so_and_ends_in_order() -> Told<()> {
    let languages: [(&str, &[&str]); 4] = [
        ("run.en-US.txt", &[]),
        ("run.en-US.txt", &["--language", "en-US"]),
        ("run.de-DE.txt", &["--language", "de-DE"]),
        ("run.de-DE.txt", &["-language=de-DE"]),
    ];
    for (words, language) in languages {
        let folder = tempfile::tempdir().at("a temporary folder")?;
        let home = folder.path();
        let mut run = hookswitch(home, &["run", "--headless"]);
        // Variables nobody knows are left alone.
        run.env("HOOKSWITCH_BIN_DIR", "/nowhere").env("HOOKSWITCH_NO_SUCH_THING", "1");
        let agent = Agent::start(run.args(language), home).await?;
        let url = endpoint(home)?["url"].as_str().unwrap_or_default().to_owned();
        assert!(home.join("run/agent.sock").exists());
        if no_headset_here(home)? {
            golden(words, &masked(&said(home)?, &[(&url, "https://127.0.0.1:PORT")]));
        }
        assert_eq!(agent.terminate().await?, Some(0), "{}", said(home)?);
        assert!(!home.join("run/agent.sock").exists() && !home.join("endpoint.json").exists());
    }
    Ok(())
}

/// Without a session bus there is no tray: one line says so and everything else works.
#[tokio::test]
async fn goes_on_without_a_session_bus() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let mut run = hookswitch(home, &["run", "-m"]);
    run.env("XDG_RUNTIME_DIR", home);
    let agent = Agent::start(&mut run, home).await?;
    let problem = wait_for("the tray's problem", SOON, async || {
        let status = ended(&mut hookswitch(home, &["status", "--json"]))?;
        let status: Value = serde_json::from_str(&status.stdout).at("status --json")?;
        Ok(status["problems"].get(0).cloned())
    })
    .await?;
    assert_eq!(problem["code"], "tray-not-shown", "{problem}");
    let said = said(home)?;
    assert_eq!(said.lines().filter(|l| l.starts_with("hookswitch: ")).count(), 1, "{said}");
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

/// Nor is it held up by a desktop that takes the connection and says nothing, at its end neither.
#[tokio::test]
async fn goes_on_under_a_desktop_that_does_not_answer() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let bus = home.join("bus");
    let _silent = std::os::unix::net::UnixListener::bind(&bus).at("a bus")?;
    let mut run = hookswitch(home, &["run", "-m"]);
    run.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", bus.display()));
    let agent = Agent::start(&mut run, home).await?;
    let problem = wait_for("the tray's problem", SOON, async || {
        let status = ended(&mut hookswitch(home, &["status", "--json"]))?;
        let status: Value = serde_json::from_str(&status.stdout).at("status --json")?;
        Ok(status["problems"].get(0).cloned())
    })
    .await?;
    assert_eq!(problem["code"], "tray-not-shown", "{problem}");
    assert!(problem["what"].as_str().is_some_and(|what| what.contains("does not answer")), "{problem}");
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

#[tokio::test]
async fn a_second_one_with_the_same_home_is_told_so() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let agent = Agent::start(&mut hookswitch(home, &["run", "--headless"]), home).await?;
    let before = endpoint(home)?;
    let second = ended(&mut hookswitch(home, &["run", "--headless"]))?;
    assert_eq!(second.code, Some(1), "{second:?}");
    let line = masked(one_clear_line(&second.stderr), &[(&home.display().to_string(), "HOME")]);
    assert_eq!(
        line,
        "hookswitch: Hookswitch is running already (HOME/run/agent.sock). Use it with `hookswitch open`, or end \
         it before starting another one with the same folders."
    );
    assert_eq!(endpoint(home)?, before, "the first one is not disturbed");
    assert_eq!(ended(&mut hookswitch(home, &["status"]))?.code, Some(0));
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

/// A crash leaves the socket and the endpoint behind; neither stops the next one.
#[tokio::test]
async fn starts_after_a_crash() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    drop(Agent::start(&mut hookswitch(home, &["run", "--headless"]), home).await?);
    assert!(home.join("run/agent.sock").exists() && home.join("endpoint.json").exists());
    assert_eq!(ended(&mut hookswitch(home, &["status"]))?.code, Some(75), "nobody answers");
    let agent = Agent::start(&mut hookswitch(home, &["run", "--headless"]), home).await?;
    assert_eq!(ended(&mut hookswitch(home, &["status"]))?.code, Some(0));
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

#[test]
fn an_unwritable_home_is_one_clear_line() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    std::fs::write(folder.path().join("file"), "").at("file")?;
    // Neither of them can be written by root either.
    for home in [Path::new("/proc/hookswitch"), &folder.path().join("file")] {
        let run = ended(&mut hookswitch(home, &["run", "--headless"]))?;
        assert_eq!(run.code, Some(1), "{run:?}");
        let line = one_clear_line(&run.stderr);
        assert!(line.starts_with("hookswitch: The folder cannot be written: "), "{line}");
        assert!(line.contains(&format!("({}/config)", home.display())), "{line}");
        assert!(line.contains("--home DIR"), "{line}");
    }
    Ok(())
}

#[tokio::test]
async fn a_taken_port_names_its_holder_and_the_rest_works() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").at("a port")?;
    let port = taken.local_addr().at("a port")?.port().to_string();
    // What is typed counts more than the variable.
    let mut run = hookswitch(home, &["run", "--headless", "--rest-port", &port]);
    let agent = Agent::start(run.env("HOOKSWITCH_REST_PORT", "0"), home).await?;
    let said = said(home)?;
    let told: Vec<&str> = said.lines().filter(|l| l.starts_with("hookswitch: ")).collect();
    let [line] = told.as_slice() else { panic!("not one line: {said}") };
    one_clear_line(line);
    assert!(line.contains(&port) && line.contains(&format!("{}", std::process::id())), "{line}");

    let status = ended(&mut hookswitch(home, &["status", "--json"]))?;
    let status: Value = serde_json::from_str(&status.stdout).at("status --json")?;
    assert_eq!(status["rest"]["url"], Value::Null);
    assert_eq!(status["problems"][0]["code"], "rest-port-taken", "{status:#}");
    for works in [&["devices"][..], &["status"], &["groups"], &["update", "list"], &["open", "--print"]] {
        let ended = ended(&mut hookswitch(home, works))?;
        assert_eq!(ended.code, Some(0), "{works:?}: {ended:?}");
    }
    assert!(!home.join("endpoint.json").exists());
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

/// Starts through a shell that prepares what the agent inherits.
fn by_shell(home: &Path, prepare: &str) -> Command {
    let run = hookswitch(home, &["run", "--headless"]);
    let mut shell = Command::new("sh");
    for (name, value) in run.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.args(["-c", &format!("{prepare}; exec \"$0\" \"$@\"")]).arg(run.get_program()).args(run.get_args());
    shell.stdin(Stdio::null());
    shell
}

#[tokio::test]
async fn a_terminal_that_takes_no_words_does_not_end_the_agent() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    // Something to say beyond the summary: the door's port is taken.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").at("a port")?;
    let port = taken.local_addr().at("its port")?.port();
    let full = std::fs::File::create("/dev/full").at("/dev/full")?;
    let mut run = hookswitch(home, &["run", "--headless"]);
    run.env("HOOKSWITCH_REST_PORT", port.to_string()).stdin(Stdio::null()).stderr(full);
    let agent = Agent(run.spawn().at("hookswitch")?);
    let status = wait_for("an agent that says what is off", SOON, async || {
        let status = ended(&mut hookswitch(home, &["status", "--json"]))?;
        Ok(status.stdout.contains("rest-port-taken").then_some(status.stdout))
    })
    .await?;
    assert!(status.contains(&port.to_string()), "{status}");
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

#[tokio::test]
async fn out_of_descriptors_it_waits_for_one_and_the_logs_stay_small() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let home = folder.path();
    let agent = Agent::start(&mut by_shell(home, "ulimit -n 48"), home).await?;
    let url = endpoint(home)?["url"].as_str().unwrap_or_default().to_owned();
    let door = url.trim_start_matches("https://");
    let holders: Vec<_> = (0..64).filter_map(|_| std::net::TcpStream::connect(door).ok()).collect();
    let callers: Vec<_> = (0..8)
        .filter_map(|_| std::os::unix::net::UnixStream::connect(home.join("run/agent.sock")).ok())
        .collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let bytes: u64 = std::fs::read_dir(home.join("logs"))
        .at("logs")?
        .flatten()
        .map(|file| file.metadata().map_or(0, |meta| meta.len()))
        .sum();
    assert!(bytes < 16 * 1024, "{bytes} bytes of log in two seconds");
    drop((holders, callers));
    wait_for("an answer", SOON, async || {
        let status = ended(&mut hookswitch(home, &["status"]))?;
        Ok((status.code == Some(0)).then_some(()))
    })
    .await?;
    assert_eq!(agent.terminate().await?, Some(0));
    Ok(())
}

#[test]
fn a_command_whose_words_nobody_takes_still_says_how_it_ended() -> Told<()> {
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let full = std::fs::File::create("/dev/full").at("/dev/full")?;
    let status = hookswitch(folder.path(), &["update", "install"]).stderr(full).status().at("hookswitch")?;
    assert_eq!(status.code(), Some(75), "no agent runs: try later");
    Ok(())
}

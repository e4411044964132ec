//! Several people at one computer, each with an agent and a softphone, and the machine role that runs as root for all
//! of them. Needs root, the users anna and eve, and a folder of theirs in `HOOKSWITCH_SCRATCH`.
#![allow(dead_code, reason = "each of the programs that share this uses its part of it")]

use crate::rig::softphone::Softphone;
use crate::rig::told::{Context, Told, wait_for};
use crate::rig::world::{Ended, PATIENCE, Program, ended};
use crate::screen::Screen;
use serde_json::{Value, json};
use simulator::Button;
use simulator::control::Client;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Not where the package puts it.
pub(crate) const BINARY: &str = "/usr/libexec/hookswitch-under-test";
/// The same with a headset of its own.
pub(crate) const SIMULATED: &str = "/usr/libexec/hookswitch-simulated";
pub(crate) const SOCKET: &str = "/run/hookswitch/machine.sock";
pub(crate) const DARK: &str = "lights.off_hook=false,lights.ring=false,lights.mute=false";
/// What does not happen is waited for this long.
pub(crate) const A_WHILE: Duration = Duration::from_millis(700);

pub(crate) fn of_rig(variable: &str) -> Told<PathBuf> {
    let value = std::env::var_os(variable).ok_or_else(|| format!("{variable} is not set: no rig"))?;
    Ok(PathBuf::from(value))
}

/// A folder that every user may enter.
pub(crate) fn scratch() -> Told<PathBuf> {
    of_rig("HOOKSWITCH_SCRATCH")
}

pub(crate) fn home(user: &str) -> Told<PathBuf> {
    Ok(scratch()?.join(user))
}

/// A command of this user with nothing of this session in its environment.
pub(crate) fn as_user(user: &str, program: &str, arguments: &[&str]) -> Told<Command> {
    let mut command = Command::new("setpriv");
    // As useradd makes them, each has a group of the same name.
    let group = if user == "nobody" { "nogroup" } else { user };
    command.args(["--reuid", user, "--regid", group, "--init-groups", "--", program]).args(arguments);
    command.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("USER", user);
    command.env("HOME", if user == "root" { scratch()?.join("root") } else { home(user)? });
    command.env("HOOKSWITCH_REST_PORT", "0").current_dir("/");
    Ok(command)
}

pub(crate) fn hookswitch(user: &str, arguments: &[&str]) -> Told<Ended> {
    ended(&mut as_user(user, BINARY, arguments)?)
}

pub(crate) fn sh(script: &str) -> Told<()> {
    well(ended(Command::new("sh").args(["-euc", script]))?).map(drop)
}

pub(crate) fn well(ended: Ended) -> Told<Ended> {
    if ended.code == Some(0) { Ok(ended) } else { Err(format!("{ended:?}")) }
}

/// A running agent of this user, and its status.
pub(crate) async fn agent(
    user: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Told<(Program, Value)> {
    let run = [&["run", "--headless"], arguments].concat();
    let mut command = as_user(user, BINARY, &run)?;
    command.envs(environment.iter().copied());
    let log = scratch()?.join(format!("{user}.log"));
    let program = Program::start("the agent", &mut command, &log)?;
    let status = wait_for("its status", PATIENCE, async || {
        let asked = hookswitch(user, &[&["status", "--json"], arguments].concat())?;
        Ok((asked.code == Some(0)).then_some(asked.stdout))
    })
    .await
    .map_err(|e| format!("{e}: {:?}", std::fs::read_to_string(&log)))?;
    Ok((program, serde_json::from_str(&status).at("status --json")?))
}

pub(crate) fn problems(status: &Value) -> Vec<String> {
    let told = status["problems"].as_array().into_iter().flatten().chain([&status["tenant"]["problem"]]);
    told.filter_map(|problem| problem["code"].as_str()).map(str::to_owned).collect()
}

/// Where the headsets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// One lives in the service's process, and dies with it.
    InTheService,
    /// Behind the kernel: they outlive the service.
    OnTheBus,
}

/// The machine role, as root.
pub(crate) struct Service(pub(crate) Program);

impl Service {
    pub(crate) async fn start(place: Place, screen: Option<&Screen>) -> Told<Self> {
        Self::start_with(place, screen, &[]).await
    }

    pub(crate) async fn start_with(
        place: Place,
        screen: Option<&Screen>,
        settings: &[(&str, String)],
    ) -> Told<Self> {
        let program = match place {
            Place::InTheService => SIMULATED,
            Place::OnTheBus => BINARY,
        };
        let nowhere = "unix:path=/nonexistent/bus";
        let bus = ("DBUS_SYSTEM_BUS_ADDRESS", screen.map_or(nowhere, Screen::bus).to_owned());
        let settings = [&[bus], settings].concat();
        let mut command = match std::env::var("HOOKSWITCH_UNIT") {
            Ok(unit) => as_unit(&unit, &settings)?,
            Err(_) => as_user("root", program, &["service", "run"])?,
        };
        if place == Place::InTheService {
            command.env("SIM_CONTROL", control()?);
            let _ = std::fs::remove_file(control()?);
        }
        command.envs(settings);
        // One that was killed leaves its own behind.
        let _ = std::fs::remove_file(SOCKET);
        let program = Program::start("the service", &mut command, &scratch()?.join("service.log"))?;
        wait_for("the service", PATIENCE, async || Ok(Path::new(SOCKET).exists().then_some(()))).await?;
        Ok(Self(program))
    }
}

/// The service as it is installed, under the systemd of this machine: started, watched and stopped by it. The command runs
/// as long as the unit does.
fn as_unit(unit: &str, settings: &[(&str, String)]) -> Told<Command> {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    let environment: String =
        settings.iter().map(|(name, value)| format!("Environment=\"{name}={}\"\n", quoted(value))).collect();
    // Nothing else of this machine is started with it.
    let drop_in = format!(
        "[Unit]\nDefaultDependencies=no\n[Service]\nStandardError=append:{}\n{environment}",
        scratch()?.join("unit.log").display()
    );
    let folder = Path::new("/run/systemd/system").join(format!("{unit}.d"));
    std::fs::create_dir_all(&folder).at("the unit's folder")?;
    std::fs::write(folder.join("rig.conf"), drop_in).at("the unit's drop-in")?;
    sh("systemctl daemon-reload")?;
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "systemctl start \"$0\" || exit; trap 'systemctl stop \"$0\"; exit' TERM
        while systemctl is-active --quiet \"$0\"; do sleep 0.2; done
        systemctl status --no-pager \"$0\"; exit 1",
    ]);
    command.arg(unit);
    Ok(command)
}

/// The door of the hand at the headset.
pub(crate) fn control() -> Told<PathBuf> {
    Ok(scratch()?.join("headset.sock"))
}

pub(crate) async fn hand() -> Told<Client> {
    hand_at(&control()?).await
}

pub(crate) async fn hand_at(path: &Path) -> Told<Client> {
    wait_for("the headset's control door", PATIENCE, async || Ok(Client::connect(path).ok())).await
}

pub(crate) fn sees(hand: &mut Client, condition: &str) -> Told<()> {
    hand.wait(condition, PATIENCE).at(condition).map(drop)
}

/// A hand is slower than the answer of a headset to its lights, which is no press.
pub(crate) async fn press(hand: &mut Client) -> Told<()> {
    tokio::time::sleep(A_WHILE).await;
    let reacted = hand.press(Button::Hook).at("the hook")?;
    if reacted { Ok(()) } else { Err("the headset did not react".into()) }
}

/// One person with an agent and a softphone.
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) agent: Program,
    pub(crate) phone: Softphone,
}

impl Person {
    pub(crate) async fn come(name: &'static str) -> Told<Self> {
        let (agent, _) = agent(name, &[], &[]).await?;
        let endpoint = home(name)?.join(".local/state/hookswitch/run/endpoint.json");
        let phone = Softphone::connect(&endpoint).await?;
        let this = Self { name, agent, phone };
        this.status("the service's word", |status| status["devices"][0]["status"]["state"] == "ready")
            .await?;
        Ok(this)
    }

    /// The status, as soon as it is as wanted.
    pub(crate) async fn status(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Told<Value> {
        let mut last = String::new();
        let found = wait_for(what, PATIENCE, async || {
            last = hookswitch(self.name, &["status", "--json"])?.stdout;
            let status: Value = serde_json::from_str(&last).at("status --json")?;
            Ok(wanted(&status).then_some(status))
        });
        let found = found.await;
        found.map_err(|e| format!("{}: {e}: {last}", self.name))
    }

    pub(crate) async fn is_at_the_headset(&self, is: bool) -> Told<()> {
        self.status("the seat", |status| status["headset"].is_string() == is).await.map(drop)
    }

    pub(crate) async fn rings(&self) -> Told<u64> {
        let call = json!({ "direction": "incoming", "contact": self.name });
        let call = self.phone.post("/v1/calls", &call).await?;
        call["id"].as_u64().ok_or_else(|| format!("no call: {call}"))
    }

    pub(crate) async fn call(&self, id: u64) -> Told<Value> {
        let calls = self.phone.get("/v1/calls").await?;
        let calls = calls.as_array().or(calls["calls"].as_array()).cloned().unwrap_or_default();
        let call = calls.into_iter().find(|call| call["id"] == id);
        call.map(|call| call["state"].clone()).ok_or_else(|| format!("{}'s call is gone", self.name))
    }
}

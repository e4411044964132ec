//! Several people at one computer, one of them root: who may decide, who may read, whose word is believed. Needs the
//! rig `accounts/rig.sh`: root, two more users, and an /etc and /usr that may be written.
#![expect(clippy::disallowed_methods, reason = "starts programs and reads what they wrote")]

#[path = "support/rig.rs"]
mod rig;
#[path = "support/scene.rs"]
mod scene;

#[path = "accounts/folders.rs"]
mod folders;
#[path = "accounts/readme.rs"]
mod readme;
#[path = "accounts/screen.rs"]
mod screen;
#[path = "accounts/service.rs"]
mod service;
#[path = "accounts/tenant.rs"]
mod tenant;
#[path = "accounts/udev.rs"]
mod udev;

use rig::told::{Context, Told, wait_for};
use rig::world::Program;
use scene::{Ended, ended};
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

const SHARED: &str = "/etc/hookswitch/hookswitch.toml";
const PRIVATE: &str = "/etc/hookswitch/tenant.toml";

/// One test at a time has the machine.
struct Machine {
    _turn: File,
}

impl Machine {
    fn take() -> Told<Self> {
        let turn = File::create(scratch()?.join("turn")).at("the scratch folder")?;
        turn.lock().at("the turn")?;
        let machine = Self { _turn: turn };
        machine.clean()?;
        let built = of_rig("HOOKSWITCH_BIN_DIR")?;
        // Others may not look into the folder where it was built.
        for (built, name) in
            [(built.join("hookswitch"), BINARY), (built.join("examples/simulated"), SIMULATED)]
        {
            well(ended(Command::new("install").arg("-Dm755").arg(built).arg(name))?)?;
        }
        Ok(machine)
    }

    fn clean(&self) -> Told<()> {
        for user in ["anna", "eve"] {
            let home = home(user)?;
            sh(&format!("find {0} -mindepth 1 -delete; chown {user}: {0}; chmod 755 {0}", home.display()))?;
        }
        sh("rm -rf /run/hookswitch/machine.* /var/lib/hookswitch /var/log/hookswitch /var/cache/hookswitch")?;
        sh("rm -rf /etc/hookswitch && install -d -m755 /etc/hookswitch")
    }
}

/// Not where the package puts it.
const BINARY: &str = "/usr/libexec/hookswitch-under-test";
/// The same with a headset of its own.
const SIMULATED: &str = "/usr/libexec/hookswitch-simulated";

fn of_rig(variable: &str) -> Told<PathBuf> {
    let value = std::env::var_os(variable).ok_or_else(|| format!("{variable} is not set: no rig"))?;
    Ok(PathBuf::from(value))
}

/// A folder that every user may enter.
fn scratch() -> Told<PathBuf> {
    of_rig("HOOKSWITCH_SCRATCH")
}

fn home(user: &str) -> Told<PathBuf> {
    Ok(scratch()?.join(user))
}

/// A command of this user with nothing of this session in its environment.
fn as_user(user: &str, program: &str, arguments: &[&str]) -> Told<Command> {
    let mut command = Command::new("setpriv");
    // As useradd makes them, each has a group of the same name.
    let group = if user == "nobody" { "nogroup" } else { user };
    command.args(["--reuid", user, "--regid", group, "--init-groups", "--", program]).args(arguments);
    command.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("USER", user);
    command.env("HOME", if user == "root" { scratch()?.join("root") } else { home(user)? });
    command.env("HOOKSWITCH_REST_PORT", "0").current_dir("/");
    Ok(command)
}

fn hookswitch(user: &str, arguments: &[&str]) -> Told<Ended> {
    ended(&mut as_user(user, BINARY, arguments)?)
}

fn sh(script: &str) -> Told<()> {
    well(ended(Command::new("sh").args(["-euc", script]))?).map(drop)
}

fn well(ended: Ended) -> Told<Ended> {
    if ended.code == Some(0) { Ok(ended) } else { Err(format!("{ended:?}")) }
}

/// A running agent of this user, and its status.
async fn agent(user: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Told<(Program, Value)> {
    let run = [&["run", "--headless"], arguments].concat();
    let mut command = as_user(user, BINARY, &run)?;
    command.envs(environment.iter().copied());
    let log = scratch()?.join(format!("{user}.log"));
    let program = Program::start("the agent", &mut command, &log)?;
    let status = wait_for("its status", rig::world::PATIENCE, async || {
        let asked = hookswitch(user, &[&["status", "--json"], arguments].concat())?;
        Ok((asked.code == Some(0)).then_some(asked.stdout))
    })
    .await
    .map_err(|e| format!("{e}: {:?}", std::fs::read_to_string(&log)))?;
    Ok((program, serde_json::from_str(&status).at("status --json")?))
}

fn problems(status: &Value) -> Vec<String> {
    let told = status["problems"].as_array().into_iter().flatten().chain([&status["tenant"]["problem"]]);
    told.filter_map(|problem| problem["code"].as_str()).map(str::to_owned).collect()
}

fn write(path: impl AsRef<Path>, text: &str, mode: &str) -> Told<()> {
    let path = path.as_ref();
    std::fs::write(path, text).at("a file")?;
    sh(&format!("chmod {mode} {}", path.display()))
}

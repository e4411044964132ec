//! The programs of the story and how they are asked.

use super::told::{Context, Told, fail, wait_for};
use clap::ValueEnum;
use serde_json::Value;
use simulator::control::Client;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Patience for anything that is not a figure: emulated machines are slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A program that ends with the story.
pub(crate) struct Program {
    name: &'static str,
    child: Child,
}

impl Program {
    pub(crate) fn start(name: &'static str, command: &mut Command, log: &Path) -> Told<Self> {
        let out = File::create(log).at(name)?;
        let err = out.try_clone().at(name)?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().at(name)?;
        Ok(Self { name, child })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) -> Told<()> {
        self.child.kill().at(self.name)?;
        self.child.wait().at(self.name).map(drop)
    }

    /// SIGTERM, and the orderly end it asks for.
    pub(crate) async fn end(mut self) -> Told<()> {
        let status = Command::new("sh")
            .args(["-c", "kill \"$0\""])
            .arg(self.child.id().to_string())
            .status()
            .at(self.name)?;
        if !status.success() {
            return fail(format!("{} was gone before its end", self.name));
        }
        let name = self.name;
        let child = &mut self.child;
        let status = wait_for("its end", Duration::from_secs(20), async || child.try_wait().at(name))
            .await
            .at(name)?;
        if status.success() { Ok(()) } else { fail(format!("{name} ended with {status}")) }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn ended(command: &mut Command) -> Told<Ended> {
    let output = command.stdin(Stdio::null()).output().at("the command")?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).at("output");
    Ok(Ended { code: output.status.code(), stdout: text(output.stdout)?, stderr: text(output.stderr)? })
}

/// Where the headset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Door {
    /// In the agent's process: the example `simulated`.
    InProcess,
    /// Behind the kernel's vhci_hcd: `hookswitch-sim` beside the binary `hookswitch`.
    Usbip,
}

/// Paths and settings of one story.
pub(crate) struct World {
    pub(crate) home: PathBuf,
    bin_dir: PathBuf,
    pub(crate) door: Door,
    layout: String,
    /// The agent's binary, if it is not with the other programs.
    pub(crate) shipped: Option<PathBuf>,
    pub(crate) directory: Option<Directory>,
    /// A session bus is there: the agent runs with its tray.
    pub(crate) tray: bool,
}

/// A running slapd, from the rig's variables.
pub(crate) struct Directory {
    pub(crate) uri: String,
    pub(crate) base: String,
    pub(crate) bind: (String, String),
}

impl World {
    pub(crate) fn new(home: &Path, bin_dir: &Path, door: Door, layout: &str) -> Told<Self> {
        std::fs::create_dir_all(home).at("--home")?;
        let var = |name: &str| std::env::var(name).ok();
        let directory = var("SLAPD_URI").map(|uri| Directory {
            uri,
            base: var("SLAPD_BASE").unwrap_or_default(),
            bind: (var("SLAPD_BIND_DN").unwrap_or_default(), var("SLAPD_BIND_PASSWORD").unwrap_or_default()),
        });
        Ok(Self {
            home: std::path::absolute(home).at("--home")?,
            bin_dir: std::path::absolute(bin_dir).at("--bin-dir")?,
            door,
            layout: layout.to_owned(),
            shipped: None,
            directory,
            tray: var("DBUS_SESSION_BUS_ADDRESS").is_some(),
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.bin_dir.join(name))
    }

    /// Runs to its end and gives what it printed.
    pub(crate) fn output(&self, command: &mut Command) -> Told<String> {
        let name = format!("{:?}", command.get_program());
        let output = command.stdin(Stdio::null()).output().at(&name)?;
        if output.status.success() {
            return String::from_utf8(output.stdout).at(&name);
        }
        fail(format!(
            "{command:?} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ))
    }

    pub(crate) fn json(&self, command: &mut Command) -> Told<Value> {
        serde_json::from_str(&self.output(command)?).at(&format!("{command:?}"))
    }

    pub(crate) fn tenant(&self, arguments: &[&str]) -> Command {
        let mut command = self.program("hookswitch-tenant");
        command.arg(arguments[0]).arg("--dir").arg(self.path("tenant")).args(&arguments[1..]);
        command
    }

    pub(crate) fn inventory(&self) -> Told<Value> {
        self.json(&mut self.tenant(&["inventory", "--json"]))
    }

    /// The agent's own command line.
    pub(crate) fn agent(&self, arguments: &[&str]) -> Command {
        let mut command = match self.door {
            Door::InProcess => self.program("examples/simulated"),
            Door::Usbip => self.shipped.as_ref().map_or_else(|| self.program("hookswitch"), Command::new),
        };
        command.arg("--home").arg(self.path("agent")).args(arguments);
        command
    }

    /// `None` = the headset lives in the agent's process.
    pub(crate) fn start_headset(&self) -> Told<Option<Program>> {
        if self.door == Door::InProcess {
            return Ok(None);
        }
        let mut command = self.program("hookswitch-sim");
        command.args(["run", "--door", "usbip", "--layout", &self.layout, "--control"]).arg(self.control());
        Program::start("hookswitch-sim", &mut command, &self.path("headset.log")).map(Some)
    }

    pub(crate) fn start_agent(&self, environment: &[(&str, String)]) -> Told<Program> {
        let mut command = self.agent(if self.tray { &["run"] } else { &["run", "--headless"] });
        command.env("SIM_CONTROL", self.control()).env("SIM_LAYOUT", &self.layout);
        command.env("HOOKSWITCH_REST_PORT", "0").env("HOOKSWITCH_LANGUAGE", "en-US");
        command.envs(environment.iter().map(|(name, value)| (*name, value)));
        Program::start("hookswitch", &mut command, &self.path("agent.log"))
    }

    fn control(&self) -> PathBuf {
        self.path("headset.sock")
    }

    /// The hand at the headset.
    pub(crate) async fn headset(&self) -> Told<Client> {
        let path = self.control();
        wait_for("the headset's control door", PATIENCE, async || Ok(Client::connect(&path).ok())).await
    }
}

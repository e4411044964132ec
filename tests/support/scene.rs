//! One test's world: a temporary folder, a tenant and the agent with its simulated headset, all as programs of their
//! own. What they wrote is printed when the test fails.
#![allow(dead_code, reason = "each of the tests that share this uses its part of it")]

use crate::rig::company::{self, Company, NEW, Served, USER};
use crate::rig::told::{Context, Told, fail, wait_for};
use crate::rig::world::{Door, PATIENCE, Program, World};
pub(crate) use crate::rig::world::{Ended, ended};
use serde_json::{Value, json};
use simulator::control::Client;
use std::path::{Path, PathBuf};

/// Small, so that an update takes a second.
pub(crate) const IMAGE_BYTES: usize = 24 * 1024;

pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) company: Company,
    pub(crate) user: &'static str,
    url: String,
    tenant: Option<Program>,
    agent: Option<Program>,
    /// Goes last.
    _folder: tempfile::TempDir,
}

/// A world in a fresh folder, with neither directory nor desktop.
pub(crate) fn world() -> Told<(World, tempfile::TempDir)> {
    world_with("shared")
}

/// With a headset of this layout.
fn world_with(layout: &str) -> Told<(World, tempfile::TempDir)> {
    let hookswitch = Path::new(env!("CARGO_BIN_EXE_hookswitch"));
    let bin_dir = hookswitch.parent().ok_or("the programs are in a folder")?;
    for program in ["examples/simulated", "hookswitch-tenant"] {
        if !bin_dir.join(program).exists() {
            return fail(format!(
                "{} is missing: `cargo build --workspace --bins --examples` builds it",
                bin_dir.join(program).display()
            ));
        }
    }
    let folder = tempfile::tempdir().at("a temporary folder")?;
    let mut world = World::new(folder.path(), bin_dir, Door::InProcess, layout)?;
    world.directory = None;
    world.tray = false;
    Ok((world, folder))
}

impl Scene {
    /// Company and package are there; nothing is published and nothing runs.
    pub(crate) fn founded(user: &'static str) -> Told<Self> {
        Self::founded_in(world()?, user)
    }

    fn founded_in((world, folder): (World, tempfile::TempDir), user: &'static str) -> Told<Self> {
        let company = Company::found(&world)?;
        Ok(Self { world, company, user, url: String::new(), tenant: None, agent: None, _folder: folder })
    }

    /// Everything runs and the agent offers the update to version 1.20 that `package` makes the file of.
    pub(crate) async fn with_offer(package: impl FnOnce(&World) -> Told<PathBuf>) -> Told<Self> {
        Self::with_offer_to("shared", package).await
    }

    /// The same, with a headset of this layout.
    pub(crate) async fn with_offer_to(
        layout: &str,
        package: impl FnOnce(&World) -> Told<PathBuf>,
    ) -> Told<Self> {
        let mut scene = Self::founded_in(world_with(layout)?, USER)?;
        let package = package(&scene.world)?;
        scene.publish(&company::policy(&json!({ "kind": "manual" })), &package)?;
        scene.assign(true)?;
        scene.serve(&[]).await?;
        scene.start_agent()?;
        scene.offered().await?;
        Ok(scene)
    }

    /// Two headsets of one model and one serial number, each offered the update; the second one's hand.
    pub(crate) async fn with_two_offers() -> Told<(Self, Client)> {
        let mut scene = Self::founded_in(world()?, USER)?;
        let package = good_package(&scene.world)?;
        scene.publish(&company::policy(&json!({ "kind": "manual" })), &package)?;
        scene.assign(true)?;
        scene.serve(&[]).await?;
        let second = scene.world.path("second.sock");
        let mut settings = scene.company.settings(&scene.url, scene.user).to_vec();
        settings.push(("SIM_SECOND", "shared".to_owned()));
        settings.push(("SIM_SECOND_CONTROL", second.display().to_string()));
        scene.agent = Some(scene.world.start_agent(&settings)?);
        scene.status("both offers", |s| s["offers"].as_array().is_some_and(|o| o.len() == 2)).await?;
        let hand =
            wait_for("the second headset", PATIENCE, async || Ok(Client::connect(&second).ok())).await?;
        Ok((scene, hand))
    }

    pub(crate) fn publish(&self, policy: &Value, package: &Path) -> Told<()> {
        Company::publish(&self.world, policy, package).map(drop)
    }

    /// Puts the user in the group, or takes them out.
    pub(crate) fn assign(&self, member: bool) -> Told<()> {
        let mut assign = self.world.tenant(&["assign", "--user", self.user, "--group", "sales"]);
        if !member {
            assign.arg("--remove");
        }
        self.world.output(&mut assign).map(drop)
    }

    /// At the same address as before, if it was served before.
    pub(crate) async fn serve(&mut self, options: &[&str]) -> Told<()> {
        let listen = self.url.strip_prefix("https://").unwrap_or("127.0.0.1:0").to_owned();
        let Served { program, url } =
            Company::serve(&self.world, &[&["--listen", &listen], options].concat()).await?;
        (self.tenant, self.url) = (Some(program), url);
        Ok(())
    }

    pub(crate) async fn stop_tenant(&mut self) -> Told<()> {
        self.tenant.take().ok_or("no tenant runs")?.end().await
    }

    pub(crate) fn start_agent(&mut self) -> Told<()> {
        let settings = self.company.settings(&self.url, self.user);
        self.agent = Some(self.world.start_agent(&settings)?);
        Ok(())
    }

    /// Installed as somebody else would have it.
    pub(crate) fn start_agent_with(&mut self, settings: &[(&str, String)]) -> Told<()> {
        self.agent = Some(self.world.start_agent(settings)?);
        Ok(())
    }

    pub(crate) fn company_settings(&self) -> [(&'static str, String); 6] {
        self.company.settings(&self.url, self.user)
    }

    /// With no tenant.
    pub(crate) fn start_alone(&mut self) -> Told<()> {
        self.agent = Some(self.world.start_agent(&[("HOOKSWITCH_USER", self.user.to_owned())])?);
        Ok(())
    }

    /// As after `kill -9` in the middle of a download: of the headset all that is left is its boot loader. `managed`:
    /// the company is named, whether or not it answers.
    pub(crate) fn crash_and_start(&mut self, managed: bool) -> Told<()> {
        self.agent.take().ok_or("no agent runs")?.kill()?;
        let company = self.company.settings(&self.url, self.user);
        let alone = [("HOOKSWITCH_USER", self.user.to_owned())];
        let settings: &[(&str, String)] = if managed { &company } else { &alone };
        let stranded = [settings, &[("SIM_FIRMWARE", "none".to_owned())]].concat();
        self.agent = Some(self.world.start_agent(&stranded)?);
        Ok(())
    }

    pub(crate) fn agent_pid(&self) -> Told<u32> {
        self.agent.as_ref().map(Program::id).ok_or_else(|| "no agent runs".into())
    }

    pub(crate) async fn stop_agent(&mut self) -> Told<()> {
        self.agent.take().ok_or("no agent runs")?.end().await
    }

    /// The next start polls within seconds, a running agent within a minute.
    pub(crate) async fn restart_agent(&mut self) -> Told<()> {
        self.stop_agent().await?;
        self.start_agent()
    }

    pub(crate) async fn hand(&self) -> Told<Client> {
        self.world.headset().await
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Told<Ended> {
        ended(&mut self.world.agent(arguments))
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Told<Value> {
        self.world.json(&mut self.world.agent(arguments))
    }

    pub(crate) async fn offered(&self) -> Told<Value> {
        wait_for("the offered update", PATIENCE, async || {
            // The socket may not be there yet.
            let Ok(list) = self.json(&["update", "list", "--json"]) else { return Ok(None) };
            let offer = list["offers"].get(0).cloned().unwrap_or_default();
            Ok((offer["to_version"] == NEW && offer["blocked"].is_null()).then_some(offer))
        })
        .await
    }

    /// `hookswitch status --json`, as soon as it is as wanted.
    pub(crate) async fn status(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Told<Value> {
        let mut last = Value::Null;
        let found = wait_for(what, PATIENCE, async || {
            let Ok(status) = self.json(&["status", "--json"]) else { return Ok(None) };
            last = status.clone();
            Ok(wanted(&status).then_some(status))
        })
        .await;
        found.map_err(|e| format!("{e}; the last status: {last:#}"))
    }

    /// Whether the headset ever heard of the update.
    pub(crate) async fn device_untouched(&self) -> Told<()> {
        let mut hand = self.hand().await?;
        let told: Vec<String> = hand.log().at("the headset")?.into_iter().map(|e| e.text).collect();
        let state = hand.state().at("the headset")?;
        let touched = told.iter().any(|t| t.contains("DETACH") || t.contains("download"));
        if touched || state.firmware.version != company::OLD || state.firmware.updates_broken != 0 {
            return fail(format!("the headset was touched: {told:?}, {:?}", state.firmware));
        }
        Ok(())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for name in ["agent.log", "tenant.log", "agent/logs/CloudConnector.log", "agent/logs/DFUManager.log"]
        {
            if let Ok(text) = std::fs::read_to_string(self.world.path(name)) {
                println!("--- {name}\n{text}");
            }
        }
    }
}

/// A package as the headset's maker would make it.
pub(crate) fn good_package(world: &World) -> Told<PathBuf> {
    let (image, rules) = company::image_and_rules(IMAGE_BYTES)?;
    company::pack(world, &image, &rules)
}

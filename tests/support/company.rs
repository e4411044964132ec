//! A company: its tenant, its policy, its firmware package.

use super::told::{Context, Told, wait_for};
use super::world::{PATIENCE, Program, World};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const TENANT_ID: &str = "example";
pub(crate) const POLICY_ID: &str = "headset-1-20";
pub(crate) const USER: &str = "alice";
pub(crate) const OLD: &str = "1.00";
pub(crate) const NEW: &str = "1.20";
/// The name the policy knows the package by.
pub(crate) const PACKAGE: &str = "headset-1.20.zip";

/// What IT installs agents with.
pub(crate) struct Company {
    pub(crate) token: String,
    pub(crate) root: String,
    ca: String,
}

/// A tenant that answers.
pub(crate) struct Served {
    pub(crate) program: Program,
    pub(crate) url: String,
}

impl Company {
    pub(crate) fn found(world: &World) -> Told<Self> {
        let made = world.json(&mut world.tenant(&[
            "init",
            "--tenant-id",
            TENANT_ID,
            "--company",
            "Example GmbH",
            "--json",
        ]))?;
        let text =
            |key: &str| made[key].as_str().map(str::to_owned).ok_or(format!("init printed no {key}: {made}"));
        Ok(Self { token: text("TENANT_TOKEN")?, root: text("TENANT_ROOT")?, ca: text("ca_pem")? })
    }

    /// Gives what `publish` printed.
    pub(crate) fn publish(world: &World, policy: &Value, package: &Path) -> Told<String> {
        std::fs::write(world.path("policy.json"), policy.to_string()).at("policy.json")?;
        let policy = world.path("policy.json").display().to_string();
        let package = package.display().to_string();
        world.output(&mut world.tenant(&["publish", "--policy", &policy, "--target", &package]))
    }

    /// `options`: more of `hookswitch-tenant serve`.
    pub(crate) async fn serve(world: &World, options: &[&str]) -> Told<Served> {
        let mut serve = world.tenant(&["serve"]);
        serve.args(options);
        let program = Program::start("hookswitch-tenant", &mut serve, &world.path("tenant.log"))?;
        let endpoint = world.path("tenant/endpoint.json");
        let url = wait_for("the tenant's address", PATIENCE, async || {
            let Ok(bytes) = std::fs::read(&endpoint) else { return Ok(None) };
            let endpoint = serde_json::from_slice::<Value>(&bytes).ok();
            Ok(endpoint.and_then(|e| e["url"].as_str().map(str::to_owned)))
        })
        .await?;
        Ok(Served { program, url })
    }

    /// The agent's environment.
    pub(crate) fn settings(&self, url: &str, user: &str) -> [(&'static str, String); 6] {
        [
            ("TENANT_ID", TENANT_ID.to_owned()),
            ("SERVER_URL", url.to_owned()),
            ("TENANT_TOKEN", self.token.clone()),
            ("TENANT_ROOT", self.root.clone()),
            ("HOOKSWITCH_TENANT_CA", self.ca.clone()),
            ("HOOKSWITCH_USER", user.to_owned()),
        ]
    }
}

/// One group by `rule`, one optional update.
pub(crate) fn policy(rule: &Value) -> Value {
    json!({
        "schema": 1, "company": "Example GmbH", "polling_s": 60,
        "groups": [{ "id": "sales", "name": "Sales", "priority": 10, "rule": rule }],
        "firmware": [{
            "id": POLICY_ID, "groups": ["sales"], "name": "Simulated Headset 1.20",
            "products": [{ "vendor_id": 0x1209, "product_id": 1 }], "version": NEW,
            "target": PACKAGE, "deployment": "optional",
        }],
        "support": { "name": "Help desk", "email": "help@example.com" },
    })
}

/// From an hour ago for three hours, where the clock on the wall shows UTC.
pub(crate) fn window_of_now() -> Value {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let time = |minute: u64| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
    let now = seconds / 60 % 1440;
    json!({ "from": time(now + 1440 - 60), "until": time(now + 120) })
}

/// Image and rules of the new version for product 1209:0001, as the headset's maker (the simulator) builds them.
pub(crate) fn image_and_rules(image_bytes: usize) -> Told<(Vec<u8>, Value)> {
    let image = simulator::firmware::build(simulator::parse_bcd(NEW).at("version")?, image_bytes);
    let component = json!({ "id": "main", "file": "headset.bin", "method": "usb-dfu", "version": NEW, "size": image.len() });
    let rules = json!({
        "schema": 1, "name": "Simulated Headset", "vendor": "Hookswitch", "version": NEW,
        "targets": [{ "vid": "1209", "pid": "0001" }],
        "components": [component],
        "expected_minutes": 1,
    });
    Ok((image, rules))
}

/// Packed by the product.
pub(crate) fn pack(world: &World, image: &[u8], rules: &Value) -> Told<PathBuf> {
    let folder = world.path("firmware");
    std::fs::create_dir_all(&folder).at("firmware")?;
    std::fs::write(folder.join("headset.bin"), image).at("headset.bin")?;
    std::fs::write(folder.join("rules.json"), rules.to_string()).at("rules.json")?;
    let package = folder.join(PACKAGE);
    let mut pack = world.agent(&["firmware", "pack"]);
    world.output(pack.arg(folder.join("rules.json")).arg("--output").arg(&package))?;
    Ok(package)
}

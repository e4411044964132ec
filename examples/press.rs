//! How long a press takes from the headset to the softphone, and what the agent keeps in memory, under an empty policy
//! and under one of 1,000 groups and 1,000 firmware policies: two companies, each with its tenant, its agent (the
//! example `simulated`) and a softphone, pressed in turn. `cargo xtask bench press` builds and runs it.
//!
//! `press --home DIR --bin-dir DIR [--presses N]`
#![expect(clippy::disallowed_methods, reason = "a program of its own that starts and watches others")]

#[path = "../tests/support/rig.rs"]
mod rig;

use clap::Parser;
use rig::company::{self, Company, NEW, PACKAGE, Served, USER};
use rig::softphone::Softphone;
use rig::told::{Context, Told, fail, wait_for};
use rig::world::{Door, PATIENCE, Program, World};
use serde_json::{Value, json};
use simulator::Button;
use simulator::control::Client;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A policy of a large company; the contract allows no more.
const MANY: usize = 1000;
const IMAGE_BYTES: usize = 4096;
/// After the start, before memory is read.
const SETTLE: Duration = Duration::from_secs(10);
/// Between presses: a button that is pressed again sooner is taken for one that bounces.
const PAUSE: Duration = Duration::from_millis(300);
/// A press under the large policy may take this much of one under the empty one.
const AIM: f64 = 1.1;
const MB: f64 = 1e6;

/// Measures presses under a small and a large policy.
#[derive(Parser, Debug)]
struct Options {
    /// A fresh folder for everything
    #[arg(long)]
    home: PathBuf,
    /// Where the programs are (`target/release`)
    #[arg(long)]
    bin_dir: PathBuf,
    /// Under each policy
    #[arg(long, default_value_t = 500)]
    presses: usize,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("press: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(measure(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("press: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A company with its policy in force at one agent.
struct Side {
    hand: Client,
    softphone: Softphone,
    agent: Program,
    _tenant: Served,
    /// Milliseconds of each press.
    presses: Vec<f64>,
}

async fn measure(options: &Options) -> Told<()> {
    let mut small = Side::start(&options.home.join("small"), &options.bin_dir, &policy(0)).await?;
    let mut large = Side::start(&options.home.join("large"), &options.bin_dir, &policy(MANY)).await?;
    tokio::time::sleep(SETTLE).await;
    let memory = [small.memory()?, large.memory()?];
    for _ in 0..options.presses {
        for side in [&mut small, &mut large] {
            side.press().await?;
            tokio::time::sleep(PAUSE).await;
        }
    }
    println!("{:<34} {:>9} {:>9} {:>8} {:>8}", "policy", "p50 ms", "p95 ms", "RSS MB", "anon MB");
    let mut medians = Vec::new();
    let names = ["empty".to_owned(), format!("{MANY} groups, {MANY} firmware policies")];
    for ((name, side), (all, anonymous)) in names.into_iter().zip([small, large]).zip(memory) {
        let Side { mut presses, agent, .. } = side;
        presses.sort_by(f64::total_cmp);
        let at = |percent: usize| presses[(presses.len() - 1) * percent / 100];
        println!("{name:<34} {:>9.2} {:>9.2} {all:>8.2} {anonymous:>8.2}", at(50), at(95));
        medians.push(at(50));
        agent.end().await?;
    }
    let ratio = medians[1] / medians[0];
    let verdict = if ratio <= AIM { "met" } else { "missed" };
    println!("ratio of the medians: {ratio:.2}, at most {AIM}: {verdict}");
    Ok(())
}

impl Side {
    async fn start(home: &Path, bin_dir: &Path, policy: &Value) -> Told<Self> {
        let mut world = World::new(home, bin_dir, Door::InProcess, "shared")?;
        world.tray = false;
        let company = Company::found(&world)?;
        let (image, rules) = company::image_and_rules(IMAGE_BYTES)?;
        let package = company::pack(&world, &image, &rules)?;
        Company::publish(&world, policy, &package)?;
        let tenant = Company::serve(&world, &[]).await?;
        let agent = world.start_agent(&company.settings(&tenant.url, USER))?;
        let wanted = usize::from(policy["firmware"].get(0).is_some());
        wait_for("the policy at work", PATIENCE, async || {
            let status = world.json(&mut world.agent(&["status", "--json"]));
            let list = world.json(&mut world.agent(&["update", "list", "--json"]));
            let (Ok(status), Ok(list)) = (status, list) else { return Ok(None) };
            let offers = list["offers"].as_array().map_or(0, Vec::len);
            let in_force = !status["tenant"]["policy_version"].is_null();
            Ok((in_force && offers == wanted).then_some(()))
        })
        .await?;
        let hand = world.headset().await?;
        let softphone = Softphone::connect(&world.path("agent/endpoint.json")).await?;
        Ok(Self { hand, softphone, agent, _tenant: tenant, presses: Vec::new() })
    }

    async fn press(&mut self) -> Told<()> {
        let begun = Instant::now();
        if !self.hand.press(Button::Redial).at("the headset")? {
            return fail("the headset did not react");
        }
        self.softphone.event("redial", |event| event.data["wish"] == "redial").await?;
        self.presses.push(begun.elapsed().as_secs_f64() * 1e3);
        Ok(())
    }

    /// Megabytes that are resident, and those of them that are no file's.
    fn memory(&self) -> Told<(f64, f64)> {
        let path = format!("/proc/{}/smaps_rollup", self.agent.id());
        let text = std::fs::read_to_string(&path).at(&path)?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        };
        let kib = field("Rss:").zip(field("Anonymous:")).ok_or(format!("{path} tells no memory"))?;
        Ok((kib.0 * 1024.0 / MB, kib.1 * 1024.0 / MB))
    }
}

/// `many` groups and firmware policies, all for the headset that is there; everybody is in none but All Users, which
/// the last of them is for.
fn policy(many: usize) -> Value {
    let groups = (0..many).map(|n| {
        json!({ "id": format!("group-{n}"), "name": format!("Group {n}"), "priority": n, "rule": { "kind": "manual" } })
    });
    let firmware = (0..many).map(|n| {
        let group = if n + 1 == many { "all-users".to_owned() } else { format!("group-{n}") };
        json!({
            "id": format!("firmware-{n}"), "groups": [group], "name": format!("Simulated Headset {n}"),
            "products": [{ "vendor_id": 0x1209, "product_id": 1 }], "version": NEW,
            "target": PACKAGE, "deployment": "optional",
        })
    });
    json!({
        "schema": 1, "company": "Example GmbH", "polling_s": 21600,
        "groups": groups.collect::<Vec<_>>(), "firmware": firmware.collect::<Vec<_>>(),
    })
}

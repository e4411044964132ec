//! One run: an update with its mishaps, then the way out, then the judgement, which is the headset's.

use crate::fault::{Fault, Kind, Step};
use crate::firmware::{self, Making, NEW, OLD, OTHER};
use crate::world::World;
use hub::protocol::{DeviceStatus, Outcome, ToMachine};
use simulator::{Mode, Setup};
use std::time::{Duration, Instant};
use tenant::wire::Verdict;

const HOUR: Duration = Duration::from_secs(3600);
/// More than any run needs.
const STEPS: u32 = 30_000;
const POLICY: &str = r#"{"schema":1,"company":"Example","firmware":[{"id":"fw","groups":["all-users"],
    "name":"Headset 1.20","version":"1.20","products":[{"vendor_id":4617,"product_id":1}],
    "target":"headset-1.20.zip","deployment":"optional"}]}"#;

/// How a run ended for its headsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Old,
    New,
    Recovered,
}

pub(crate) struct Ran {
    pub(crate) hit: Vec<(Kind, u32)>,
    pub(crate) end: End,
    pub(crate) wrong: Vec<String>,
    pub(crate) drawn: String,
}

fn draw(random: &mut fastrand::Rng) -> Vec<Fault> {
    let one = |random: &mut fastrand::Rng| {
        let kind = Kind::ALL[random.usize(..Kind::ALL.len())].0;
        let at = match kind.needs_transfer() || random.bool() {
            true => Step::Transfer(random.u32(1..40)),
            false => Step::Record(random.u32(1..14)),
        };
        Fault { at, kind }
    };
    (0..random.u8(1..4)).map(|_| one(random)).collect()
}

pub(crate) fn run(seed: u64, number: u64, start: Instant) -> Ran {
    let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number);
    let faults = draw(&mut random);
    let drawn = format!("{faults:?}");
    let made = |kind| faults.iter().any(|fault| fault.kind == kind);
    let making = match () {
        () if made(Kind::Truncated) => Making::Truncated,
        () if made(Kind::Tampered) => Making::Tampered,
        () if made(Kind::OtherVersion) => Making::OtherVersion,
        () => Making::Good,
    };
    let base = Setup {
        dual_bank: random.bool(),
        will_detach: random.bool(),
        manifest_ms: if made(Kind::SlowManifest) { 20_000 } else { 300 },
        manifest_poll_ms: made(Kind::SlowManifest).then_some(50),
        ..firmware::setup()
    };
    let (two, shared) = (random.bool(), random.bool());
    let second = if shared { "SIM0001" } else { "SIM0002" };
    let mut setups = vec![base.clone()];
    setups.extend(two.then(|| Setup { serial: second.to_owned(), ..base }));
    let mut world = World::new(setups, Vec::new(), start, POLICY);
    world.begin();
    pass(&mut world, Duration::from_secs(600));
    world.offered = world.kept.make(making);
    world.faults = faults.iter().copied().filter(|fault| !fault.kind.is_made()).collect();
    (world.transfers, world.records) = (0, 0);
    if world.heard.offers.is_empty() {
        world.wrong.push("nothing was offered".to_owned());
    }
    for offer in world.heard.offers.clone() {
        world.say(ToMachine::InstallUpdate { request: 1, offer: offer.id });
        if random.bool() {
            break;
        }
    }
    pass(&mut world, HOUR * 3);
    if world.transfers > 0 {
        let at = world.transfers;
        world.hit.extend(faults.iter().filter(|f| f.kind.is_made()).map(|f| (f.kind, at)));
    }
    world.faults.clear();
    let end = judge(&mut world, making);
    Ran { hit: world.hit, end, wrong: world.wrong, drawn }
}

fn pass(world: &mut World, time: Duration) {
    let until = world.now.instant + time;
    let mut left = STEPS;
    while world.step(until) {
        left -= 1;
        if left == 0 {
            world.wrong.push("it does not come to rest".to_owned());
            return;
        }
    }
}

fn is_at_work(state: &simulator::State) -> bool {
    state.mode == Mode::Runtime && state.firmware.valid && state.present
}

const PORTS: [&str; 5] = ["1-1", "1-2", "1-5", "1-7", "1-8"];

fn lost(world: &World) -> Vec<&'static str> {
    let is = |port: &&str| world.bench.state(port).is_some_and(|state| !is_at_work(&state));
    PORTS.into_iter().filter(is).collect()
}

fn judge(world: &mut World, making: Making) -> End {
    let stranded = lost(world);
    known(world, &stranded);
    // One that was moved is brought back to where it was, as its advice says.
    for away in stranded.iter().filter(|port| ["1-7", "1-8"].contains(port)) {
        let free = ["1-1", "1-2"].into_iter().find(|home| world.bench.state(home).is_none());
        if let Some(home) = free {
            world.bench.relocate(away, home, world.now.instant);
        }
    }
    if !stranded.is_empty() {
        world.online = false;
        recover(world);
        if making == Making::Good && !lost(world).is_empty() {
            let left = lost(world);
            world.wrong.push(format!("without network, {left:?} is not brought back"));
        }
    }
    world.online = true;
    world.offered = world.kept.make(Making::Good);
    pass(world, HOUR * 30);
    if !lost(world).is_empty() {
        recover(world);
    }
    for port in lost(world) {
        let state = world.bench.state(port);
        world.wrong.push(format!("the headset at {port} is lost: {state:?}"));
    }
    pass(world, HOUR);
    agree(world);
    let first = PORTS.into_iter().find_map(|port| world.bench.state(port));
    let version = first.map(|state| state.firmware.version).unwrap_or_default();
    match () {
        () if !stranded.is_empty() => End::Recovered,
        () if version == OLD => End::Old,
        () => End::New,
    }
}

/// Each headset without firmware is shown, and offered for recovery or at work on.
fn known(world: &mut World, stranded: &[&str]) {
    let needs =
        |status: &DeviceStatus| matches!(status, DeviceStatus::NeedsFirmware { .. } | DeviceStatus::Updating);
    let shown: Vec<_> = world.told.values().filter(|device| needs(&device.status)).cloned().collect();
    if shown.len() < stranded.len() {
        world.wrong.push(format!("{stranded:?} need firmware, and shown are {shown:?}"));
    }
    for device in &shown {
        let offered = world.heard.offers.iter().any(|o| o.device == device.id && o.blocked.is_none());
        let running = world.heard.job.as_ref().is_some_and(|j| j.device == device.id && j.outcome.is_none());
        let here = device.port.as_deref().is_some_and(|port| stranded.contains(&port));
        if here && !offered && !running {
            world.wrong.push(format!("{} needs firmware, and there is no way out", device.id));
        }
    }
}

fn recover(world: &mut World) {
    pass(world, HOUR);
    for _ in 0..2 {
        let needs = |id: &str| {
            world.told.get(id).is_some_and(|d| matches!(d.status, DeviceStatus::NeedsFirmware { .. }))
        };
        let offers: Vec<_> =
            world.heard.offers.iter().filter(|o| needs(&o.device)).map(|o| o.id.clone()).collect();
        for offer in offers {
            world.say(ToMachine::InstallUpdate { request: 2, offer });
        }
        pass(world, HOUR);
    }
}

/// What person, tenant and headset believe is the same.
fn agree(world: &mut World) {
    let mut wrong = Vec::new();
    for device in world.told.values() {
        let Some(state) = device.port.as_deref().and_then(|port| world.bench.state(port)) else { continue };
        let is = state.firmware.version;
        if device.status == DeviceStatus::Ready && device.firmware_version != is {
            wrong.push(format!("{} runs {is}, and {} is shown", device.id, device.firmware_version));
        }
        let past = world.heard.history.iter().find(|past| past.device == device.id);
        let report = world.reports.iter().rev().find(|report| report.device_id == device.id);
        if let Some(past) = past {
            let succeeded = matches!(past.outcome, Outcome::Succeeded { .. });
            let failed = matches!(past.outcome, Outcome::Failed { .. });
            if succeeded && is != NEW || failed && is == NEW {
                wrong.push(format!("{} runs {is}, and its history says {:?}", device.id, past.outcome));
            }
            let told = report.is_some_and(|report| match report.verdict {
                Verdict::Succeeded => succeeded,
                Verdict::Failed => failed,
                Verdict::Unknown | Verdict::InProgress => !succeeded && !failed,
            });
            if !told {
                wrong.push(format!("{}: history {:?}, tenant {report:?}", device.id, past.outcome));
            }
        }
        if ![OLD, NEW, OTHER].contains(&&*is) && state.serial != "LATE" {
            wrong.push(format!("{} runs {is}, which nobody made", device.id));
        }
    }
    world.wrong.extend(wrong);
}

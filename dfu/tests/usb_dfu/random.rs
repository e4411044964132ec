//! Random devices, faults and hands.

use dfu::usb_dfu::{Input, Mode, Output, TransferError, UsbIdentity, Verdict};

use crate::device::{Bus, Make};
use crate::moods::Moods;
use crate::world::{Meddling, NEW, OLD, PORT, World, payload};

const RUNS: u64 = 6000;

#[test]
fn whatever_happens_it_ends_and_tells_the_truth() {
    let (mut succeeded, mut failed, mut unknown) = (0u64, 0u64, 0u64);
    let seeds = crate::seed::runs(RUNS);
    let alone = seeds.end - seeds.start == 1;
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| one_run(seed));
        match outcome {
            Ok(Verdict::Succeeded { .. }) => succeeded += 1,
            Ok(Verdict::Failed(_)) => failed += 1,
            Ok(Verdict::Unknown(_)) => unknown += 1,
            Err(panic) => {
                println!("SEED={seed} repeats this run");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("updates: {succeeded} succeeded, {failed} failed, {unknown} unknown");
    // The faults must leave room for each outcome, or the test says little.
    assert!(alone || (succeeded > RUNS / 4 && failed > RUNS / 20 && unknown > RUNS / 200));
}

fn random_make(rng: &mut fastrand::Rng) -> Make {
    let dfu_pid = if rng.u8(..4) == 0 { 1 } else { 2 };
    Make {
        dfu_pid,
        transfer_size: [8, 64, 256, 1024, 4096][rng.usize(..5)],
        will_detach: rng.bool(),
        tolerant: rng.bool(),
        two_banks: rng.bool(),
        mute_in_manifestation: rng.u8(..6) == 0,
        write_ms: [0, 1, 20, 700][rng.usize(..4)],
        idle_ms: [0, 0, 3, 50][rng.usize(..4)],
        manifest_ms: [1, 300, 4000][rng.usize(..3)],
        enumerate_ms: [50, 400, 2500][rng.usize(..3)],
        moods: random_moods(dfu_pid == 2, rng),
        ..Make::default()
    }
}

/// Up to three deviations at once. Two are in no run: a device with them is not asked to detach, and comes to nothing.
fn random_moods(has_dfu_pid: bool, rng: &mut fastrand::Rng) -> Moods {
    let mut moods = Moods::default();
    for _ in 0..[0, 0, 1, 1, 2, 3][rng.usize(..6)] {
        match rng.u8(..15) {
            0 => moods.stated_attributes = Some(rng.u8(..16)),
            1 => moods.stated_bcd_dfu = 0x0200,
            2 => moods.stated_transfer_size = Some(4096),
            3 => moods.stated_poll_ms = Some([0, 1, 60_000, 0x00ff_ffff][rng.usize(..4)]),
            4 => moods.patience_ms = Some(3),
            5 => moods.answer_ms = 7000,
            6 => moods.class = [0xff, 0],
            7 if has_dfu_pid => (moods.dfu_protocol, moods.says_app_idle) = (rng.u8(..3), true),
            8 if !moods.says_app_idle => moods.dfu_protocol = 0,
            9 => moods.wants_force = true,
            10 => moods.leaves_by_detach = true,
            11 => moods.leaves_after_use = true,
            12 => moods.wants_reset = true,
            13 => moods.disturbed = true,
            _ => moods.hasty = true,
        }
    }
    // Nothing tells the one from any other interface of its vendor.
    if moods.class == [0xff, 0] {
        moods.stated_bcd_dfu = 0x0110;
    }
    // Each replaces what the other is about.
    if moods.leaves_by_detach {
        moods.hasty = false;
    }
    if moods.stated_poll_ms.is_some() {
        moods.patience_ms = None;
        moods.disturbed = false;
    }
    moods
}

fn random_world(rng: &mut fastrand::Rng) -> World {
    let make = random_make(rng);
    let old = if rng.u8(..8) == 0 { NEW } else { OLD };
    let mut world = World::with(make, payload(), old, None);
    world.hide_departures = rng.u8(..10) == 0;
    world.device.lazy = rng.u8(..20) == 0;
    if rng.u8(..6) == 0 {
        world.device.fail_block = Some((rng.u16(..30), rng.u8(1..=16)));
    }
    if rng.u8(..10) == 0 {
        world.device.fail_manifestation = Some((rng.u8(1..=15), rng.u32(1..5)));
    }
    let mut at = 0;
    for _ in 0..rng.u8(..4) {
        at += rng.u64(1..8_000);
        world.hand.push((at, false));
        // Some are never plugged in again in time.
        at += [100, 2_000, 20_000, 900_000][rng.usize(..4)];
        world.hand.push((at, true));
    }
    if rng.bool() {
        world.stranger = Some(stranger(&world, rng));
    }
    if rng.u8(..8) == 0 {
        world.cancel_at = Some(rng.u64(..10_000));
    }
    if rng.u8(..4) == 0 {
        world.crash_at = Some(rng.u64(..10_000));
    }
    world
}

fn one_run(seed: u64) -> Verdict {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut world = random_world(&mut rng);
    let fault_percent = [0, 0, 1, 10][rng.usize(..4)];
    let verdict = world.run(move |world, request| {
        if rng.u8(..100) == 0 {
            another_device(world, &mut rng);
        }
        if rng.u8(..100) >= fault_percent {
            return Meddling::Pass;
        }
        let errors = [
            TransferError::Stall,
            TransferError::Timeout,
            TransferError::Io(-1),
            TransferError::AccessDenied,
        ];
        let error = errors[rng.usize(..4)];
        match rng.u8(..10) {
            // A reset that never reaches the device, yet is answered, would leave it where it was.
            0..=3 if !matches!(request, Output::Reset) => Meddling::Swallow(error),
            4..=6 => Meddling::LoseAnswer(error),
            7 => Meddling::Garble(&[0, 0, 0]),
            8 => Meddling::Garble(&[0, 5, 0, 0, 77, 0]),
            9 if matches!(world.device.bus, Bus::Dfu | Bus::Runtime) => Meddling::Unplug,
            _ => Meddling::Pass,
        }
    });
    // A mute device cannot be asked whether it is done: it is reset after its time, and may then be hit.
    if world.device.make.mute_in_manifestation || fault_percent > 0 {
        world.device.interrupted = 0;
    }
    world.check(&verdict);
    verdict
}

/// Somebody plugs something else in, behind another port.
fn another_device(world: &mut World, rng: &mut fastrand::Rng) {
    let mut other: UsbIdentity = world.plan.runtime.clone();
    other.bcd_device = NEW;
    match rng.u8(..2) {
        0 => other.port = "1-9".to_owned(),
        _ => other.port = format!("{PORT}.1"),
    }
    world.input(Input::Arrived(other.clone()));
    world.input(Input::Left { port: other.port });
}

/// What somebody plugs into the port of our device while that is away: it already has the version that is wanted, and
/// differs in just one thing.
fn stranger(world: &World, rng: &mut fastrand::Rng) -> UsbIdentity {
    let mut other = world.plan.runtime.clone();
    other.bcd_device = NEW;
    match rng.u8(..4) {
        0 => other.vid ^= 1,
        1 => other.pid = 0x0077,
        2 => other.serial = Some("B2".to_owned()),
        _ => {
            other.pid = 0x0077;
            if let Some(dfu) = &mut other.dfu {
                dfu.mode = Mode::Dfu;
            }
        }
    }
    other
}

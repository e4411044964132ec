//! One case each for what DFU 1.1 and the field demand.

use dfu::FirmwareVersion;
use dfu::image::{Image, Suffix};
use dfu::usb_dfu::{
    DeviceNow, DfuStatus, Failure, Input, Output, Phase, PlanError, TransferError, UnknownReason, UsbDfu,
    Verdict,
};

use crate::device::{Bus, ERROR, IDLE, Make, VID, firmware};
use crate::world::{Meddling, NEW, OLD, World, is_block, payload};

fn pass(_: &mut World, _: &Output) -> Meddling {
    Meddling::Pass
}

fn succeeded() -> Verdict {
    Verdict::Succeeded { version: FirmwareVersion::from_bcd(NEW).unwrap() }
}

fn resets(world: &World) -> usize {
    world.requests.iter().filter(|request| **request == Output::Reset).count()
}

fn requests(world: &World, number: u8) -> usize {
    world.requests.iter().filter(|output| matches!(output, Output::Control(c) if c.request == number)).count()
}

#[test]
fn a_good_update_is_journalled_phase_by_phase() {
    let mut world = World::new(Make::default());
    let verdict = world.run(pass);
    world.check(&verdict);
    assert_eq!(verdict, succeeded());
    let journal: Vec<String> = world.journal.iter().map(Phase::to_string).collect();
    assert_eq!(journal.join("\n") + "\n", include_str!("good-update.journal"));
    assert_eq!(resets(&world), 0, "a device that detaches by itself was reset");
    let total = payload().len() as u64;
    assert_eq!(world.progress.last(), Some(&(total, total)));
    assert!(world.progress.windows(2).all(|pair| pair[0].0 <= pair[1].0), "progress went back");
}

#[test]
fn every_make_of_device_is_updated_at_the_first_attempt() {
    for bits in 0..64u8 {
        let flag = |bit: u8| bits & (1 << bit) != 0;
        let make = Make {
            will_detach: flag(0),
            tolerant: flag(1),
            two_banks: flag(2),
            mute_in_manifestation: flag(3),
            write_ms: if flag(4) { 700 } else { 0 },
            dfu_pid: if flag(5) { 1 } else { 2 },
            idle_ms: 30,
            ..Make::default()
        };
        let mut world = World::new(make);
        let verdict = world.run(pass);
        world.check(&verdict);
        assert_eq!(verdict, succeeded(), "{:?}", world.device.make);
        let blocks = payload().len().div_ceil(64) + 1;
        assert_eq!(requests(&world, 1), blocks, "{:?}", world.device.make);
    }
}

#[test]
fn the_block_number_wraps_after_65535() {
    let make = Make { transfer_size: 8, write_ms: 0, ..Make::default() };
    let payload = firmware(NEW, 8 * 65_540, 3);
    let mut world = World::with(make, payload, OLD, None);
    assert_eq!(world.run(pass), succeeded());
    let zeroes = world.requests.iter().filter(|output| is_block(output, 0)).count();
    assert_eq!(zeroes, 2, "block 65536 has number 0 again");
    world.check(&succeeded());
}

#[test]
fn without_will_detach_the_host_resets_twice() {
    let mut world = World::new(Make { will_detach: false, ..Make::default() });
    assert_eq!(world.run(pass), succeeded());
    assert_eq!(resets(&world), 2, "after DFU_DETACH and in dfuMANIFEST-WAIT-RESET");
    assert_eq!(world.device.interrupted, 0);
}

#[test]
fn a_device_that_falls_silent_and_leaves_by_itself_is_not_reset() {
    let stated_manifest_ms = Some(10);
    let make = Make { manifest_ms: 6000, stated_manifest_ms, mute_in_manifestation: true, ..Make::default() };
    let mut world = World::new(make);
    let verdict = world.run(pass);
    world.check(&verdict);
    assert_eq!((verdict, resets(&world)), (succeeded(), 0));
}

#[test]
fn transfer_sizes_beyond_what_a_host_can_send_are_cut() {
    let make = Make { transfer_size: 0xfffe, ..Make::default() };
    let mut world = World::with(make, firmware(NEW, 9000, 0), OLD, None);
    assert_eq!(world.run(pass), succeeded());
    let most = world.requests.iter().filter_map(|output| match output {
        Output::Control(control) => match &control.data {
            dfu::usb_dfu::Data::Block(block) => Some(block.bytes),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(most.max(), Some(4096));
}

#[test]
fn unplugged_in_the_download_it_starts_again_at_block_0_on_replug() {
    for two_banks in [false, true] {
        let mut world = World::new(Make { two_banks, ..Make::default() });
        let mut pulls = 1;
        let verdict = world.run(|_, request| {
            if pulls > 0 && is_block(request, 9) {
                pulls -= 1;
                return Meddling::Unplug;
            }
            Meddling::Pass
        });
        world.check(&verdict);
        assert_eq!(verdict, succeeded(), "two banks: {two_banks}");
        assert_eq!(world.requests.iter().filter(|request| is_block(request, 0)).count(), 2);
        // A device with two banks comes back in normal operation and is asked to detach again.
        assert_eq!(requests(&world, 0), if two_banks { 2 } else { 1 });
        let names: Vec<&str> = world.journal.iter().map(|phase| phase.name()).collect();
        let lost = names.iter().position(|name| *name == "downloading").unwrap();
        assert!(names[lost..].contains(&"waiting-for-dfu"), "{names:?}");
    }
}

#[test]
fn unplugged_for_good_is_said_with_what_next() {
    let mut world = World::new(Make::default());
    let verdict = world.run(|world, request| {
        if is_block(request, 9) {
            world.device.unplug();
        }
        Meddling::Pass
    });
    world.check(&verdict);
    let phase = Phase::WaitingForDfu;
    let device = DeviceNow::Unseen;
    assert_eq!(verdict, Verdict::Failed(Failure::Unplugged { phase, attempts: 1, written: true, device }));
    assert!(verdict.to_string().contains("plug the device into the same port"), "{verdict}");
}

#[test]
fn unplugged_every_time_it_gives_up_after_three_attempts() {
    let mut world = World::new(Make::default());
    let verdict =
        world.run(|_, request| if is_block(request, 5) { Meddling::Unplug } else { Meddling::Pass });
    world.check(&verdict);
    assert!(
        matches!(verdict, Verdict::Failed(Failure::Unplugged { attempts: 3, written: true, .. })),
        "{verdict:?}"
    );
    assert!(verdict.keeps_journal());
}

#[test]
fn what_the_device_reports_is_said_in_the_words_of_dfu() {
    let mut world = World::new(Make::default());
    world.device.fail_manifestation = Some((7, u32::MAX));
    let verdict = world.run(pass);
    world.check(&verdict);
    let Verdict::Failed(Failure::Reported { status, attempts: 3, device: DeviceNow::Dfu, .. }) = &verdict
    else {
        panic!("{verdict:?}");
    };
    assert_eq!(*status, DfuStatus(7));
    assert!(verdict.to_string().contains("errVERIFY"), "{verdict}");
}

#[test]
fn a_file_the_device_calls_foreign_is_not_sent_again() {
    let mut world = World::new(Make { two_banks: true, ..Make::default() });
    world.device.fail_block = Some((0, 1));
    let verdict = world.run(pass);
    world.check(&verdict);
    let expected = matches!(
        verdict,
        Verdict::Failed(Failure::Reported {
            attempts: 1,
            device: DeviceNow::Runtime,
            status: DfuStatus(1),
            ..
        })
    );
    assert!(expected, "{verdict:?}");
    assert!(!verdict.keeps_journal(), "a device in normal operation needs no journal");
}

#[test]
fn one_error_in_the_middle_is_made_good() {
    let mut world = World::new(Make::default());
    world.device.fail_block = Some((7, 6));
    let verdict = world.run(pass);
    world.check(&verdict);
    assert_eq!(verdict, succeeded());
    assert_eq!(requests(&world, 4), 1, "DFU_CLRSTATUS brings it out of dfuERROR");
}

#[test]
fn a_device_left_in_any_state_is_recovered_from_the_journal() {
    let phases = [Phase::Detaching, Phase::WaitingForDfu, Phase::Preparing, Phase::Downloading { block: 4 }];
    for phase in phases {
        // dfuIDLE, dfuDNLOAD-SYNC, dfuDNLOAD-IDLE, dfuMANIFEST-WAIT-RESET, dfuERROR
        for state in [IDLE, 3, 5, 8, ERROR] {
            let mut world = World::with(Make::default(), payload(), OLD, Some(phase));
            world.device.firmware = None;
            world.device.bus = Bus::Dfu;
            world.device.state = state;
            world.pass_time(1);
            let verdict = world.run(pass);
            world.check(&verdict);
            assert_eq!(verdict, succeeded(), "{phase}, state {state}");
        }
    }
}

#[test]
fn an_update_that_ended_while_nobody_looked_is_found_done() {
    for phase in [Phase::Manifesting, Phase::WaitingForRuntime] {
        let mut world = World::with(Make::default(), payload(), OLD, Some(phase));
        world.device.firmware = Some(payload());
        world.pass_time(1);
        let verdict = world.run(pass);
        world.check(&verdict);
        assert_eq!(verdict, succeeded());
        assert!(world.requests.is_empty(), "nothing had to be sent");
    }
}

#[test]
fn a_device_that_was_manifesting_when_the_host_died_is_left_alone() {
    // The same version as before: only a whole manifestation makes it a success without another download.
    let mut world = World::with(Make::default(), payload(), NEW, None);
    let mut crashed = false;
    let verdict = world.run(|world, request| {
        let asks = matches!(request, Output::Control(control) if control.request == 3);
        if asks && world.device.state == 6 && !std::mem::replace(&mut crashed, true) {
            world.crash_at = Some(world.now_ms + 1);
        }
        Meddling::Pass
    });
    world.check(&verdict);
    assert!(crashed);
    assert_eq!(verdict, succeeded());
    assert_eq!(world.requests.iter().filter(|request| is_block(request, 0)).count(), 1);
    assert_eq!(world.device.firmware, Some(payload()));
}

#[test]
fn a_device_that_waits_for_its_reset_when_the_host_comes_back_gets_it() {
    let make = Make { will_detach: false, ..Make::default() };
    let mut world = World::with(make, payload(), NEW, Some(Phase::Manifesting));
    world.device.firmware = Some(payload());
    world.device.bus = Bus::Dfu;
    world.device.state = 8;
    world.pass_time(1);
    let verdict = world.run(pass);
    world.check(&verdict);
    assert_eq!((verdict, requests(&world, 1), resets(&world)), (succeeded(), 0, 1));
}

#[test]
fn a_device_that_failed_to_manifest_while_the_host_was_away_is_downloaded_again() {
    let mut world = World::with(Make::default(), payload(), OLD, Some(Phase::WaitingForRuntime));
    world.device.firmware = None;
    world.device.bus = Bus::Dfu;
    world.device.state = ERROR;
    world.pass_time(1);
    let verdict = world.run(pass);
    world.check(&verdict);
    assert_eq!(verdict, succeeded());
}

#[test]
fn between_two_attempts_it_can_be_cancelled() {
    let mut world = World::new(Make::default());
    world.device.fail_manifestation = Some((7, 1));
    let verdict = world.run(|world, request| {
        if matches!(request, Output::Control(control) if control.request == 4) {
            world.input(Input::Cancel);
        }
        Meddling::Pass
    });
    world.check(&verdict);
    assert!(
        matches!(verdict, Verdict::Failed(Failure::Cancelled { phase: Phase::Preparing, .. })),
        "{verdict:?}"
    );
}

#[test]
fn a_device_told_of_before_its_interfaces_is_not_mistaken() {
    let mut world = World::new(Make { dfu_pid: 1, ..Make::default() });
    let verdict = world.run(|world, request| {
        if !matches!(request, Output::Open { .. }) {
            let mut bare = world.plan.runtime.clone();
            bare.dfu = None;
            bare.bcd_device = NEW;
            world.input(Input::Arrived(bare));
            world.tell_again();
        }
        Meddling::Pass
    });
    world.check(&verdict);
    assert_eq!(verdict, succeeded());
    assert_eq!(requests(&world, 0), 1, "one DFU_DETACH");
}

#[test]
fn an_old_version_is_no_success_however_well_it_went() {
    let mut world = World::new(Make::default());
    world.device.lazy = true;
    world.device.make.two_banks = true;
    let verdict = world.run(pass);
    world.check(&verdict);
    let (expected, found) =
        (FirmwareVersion::from_bcd(NEW).unwrap(), FirmwareVersion::from_bcd(OLD).unwrap());
    assert_eq!(verdict, Verdict::Failed(Failure::StillOldVersion { expected, found, before: OLD }));
}

#[test]
fn a_device_that_reports_ffff_has_no_version() {
    let mut world = World::with(Make::default(), firmware(0xffff, 500, 0), OLD, None);
    let verdict = world.run(pass);
    assert_eq!(verdict, Verdict::Unknown(UnknownReason::VersionUnreadable { bcd: 0xffff }));
}

#[test]
fn a_device_that_never_comes_back_is_unknown() {
    let mut world = World::new(Make { enumerate_ms: 10_000_000, ..Make::default() });
    let verdict = world.run(pass);
    let Verdict::Unknown(UnknownReason::NeverCameBack { phase, .. }) = &verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!(*phase, Phase::WaitingForDfu);
    assert!(verdict.keeps_journal());
    assert!(world.now_ms < 11_000, "waited {} ms for a timeout of 10 s", world.now_ms);
}

#[test]
fn another_unit_at_the_port_is_not_believed() {
    let mut world = World::new(Make::default());
    let mut stranger = world.plan.runtime.clone();
    stranger.bcd_device = NEW;
    stranger.serial = Some("B2".to_owned());
    let mut done = false;
    let verdict = world.run(|world, request| {
        if is_block(request, 3) && !std::mem::replace(&mut done, true) {
            world.device.unplug();
            world.pass_time(world.now_ms);
            world.input(Input::Arrived(stranger.clone()));
        }
        Meddling::Pass
    });
    world.check(&verdict);
    assert!(matches!(verdict, Verdict::Failed(Failure::Unplugged { .. })), "{verdict:?}");
}

#[test]
fn cancelled_before_detach_nothing_was_sent() {
    let mut world = World::new(Make::default());
    world.input(Input::Cancel);
    let verdict = world.run(pass);
    let (phase, device) = (Phase::Detaching, DeviceNow::Runtime);
    assert_eq!(verdict, Verdict::Failed(Failure::Cancelled { phase, device }));
    assert_eq!(world.requests.len(), 1, "opened only");
}

#[test]
fn cancelled_in_the_download_it_is_aborted_and_says_what_is_left() {
    for (two_banks, left) in [(true, DeviceNow::Runtime), (false, DeviceNow::Dfu)] {
        let mut world = World::new(Make { two_banks, ..Make::default() });
        let verdict = world.run(|world, request| {
            if is_block(request, 6) {
                world.input(Input::Cancel);
            }
            Meddling::Pass
        });
        world.check(&verdict);
        assert_eq!(requests(&world, 6), 1, "DFU_ABORT");
        let Verdict::Failed(Failure::Cancelled { device, .. }) = verdict else { panic!("{verdict:?}") };
        assert_eq!(device, left);
    }
}

#[test]
fn cancelled_in_manifestation_comes_too_late() {
    let mut world = World::new(Make::default());
    let verdict = world.run(|world, _| {
        if world.journal.last() == Some(&Phase::Manifesting) {
            world.input(Input::Cancel);
        }
        Meddling::Pass
    });
    assert_eq!(verdict, succeeded());
}

#[test]
fn rights_that_come_late_are_waited_for_and_missing_ones_are_named() {
    let mut world = World::new(Make::default());
    let mut denials = 4;
    let verdict = world.run(|_, request| {
        if matches!(request, Output::Open { .. }) && denials > 0 {
            denials -= 1;
            return Meddling::Swallow(TransferError::AccessDenied);
        }
        Meddling::Pass
    });
    assert_eq!(verdict, succeeded());

    let mut world = World::new(Make::default());
    let verdict = world.run(|_, _| Meddling::Swallow(TransferError::AccessDenied));
    assert!(
        matches!(
            verdict,
            Verdict::Failed(Failure::CannotOpen {
                error: TransferError::AccessDenied,
                device: DeviceNow::Runtime,
                ..
            })
        ),
        "{verdict:?}"
    );
}

#[test]
fn a_poll_timeout_of_hours_is_not_waited_for_and_nothing_is_sent_in_it() {
    let mut world = World::new(Make::default());
    let verdict = world.run(|world, request| {
        let asks = matches!(request, Output::Control(control) if control.request == 3);
        if asks && world.journal.last().is_some_and(|phase| phase.name() == "downloading") {
            return Meddling::Garble(&[0, 0xff, 0xff, 0xff, 4, 0]);
        }
        Meddling::Pass
    });
    assert!(
        matches!(verdict, Verdict::Failed(Failure::PollTimeoutTooLong { poll_timeout_ms: 0xff_ffff, .. })),
        "{verdict:?}"
    );
}

#[test]
fn a_device_busy_for_ever_is_given_up() {
    let mut world = World::new(Make::default());
    let verdict = world.run(|world, request| {
        let asks = matches!(request, Output::Control(control) if control.request == 3);
        if asks && world.journal.last().is_some_and(|phase| phase.name() == "downloading") {
            return Meddling::Garble(&[0, 0, 0, 0, 4, 0]);
        }
        Meddling::Pass
    });
    assert!(matches!(verdict, Verdict::Failed(Failure::UnexpectedState { attempts: 3, .. })), "{verdict:?}");
}

#[test]
fn a_plan_for_another_device_is_refused_before_anything_is_sent() {
    let world = World::new(Make::default());
    let with_suffix = |vid, pid, bcd_device| {
        let suffix = Suffix { bcd_device, vid, pid, bcd_dfu: 0x0110 };
        let mut plan = world.plan.clone();
        plan.image = Image::parse(&Image::with_suffix(&payload(), suffix)).unwrap();
        UsbDfu::new(plan, world.now()).err()
    };
    for (vid, pid) in [(0xffff, 0xffff), (VID, 0xffff), (VID, 1), (VID, 2), (0xffff, 2)] {
        assert_eq!(with_suffix(vid, pid, NEW), None);
    }
    for (vid, pid) in [(VID + 1, 0xffff), (VID, 3), (0xffff, 3)] {
        assert!(matches!(with_suffix(vid, pid, 0xffff), Some(PlanError::OtherDevice { .. })));
    }
    assert!(matches!(with_suffix(VID, 1, OLD), Some(PlanError::OtherVersion { bcd_device: OLD, .. })));

    let refused = |change: &dyn Fn(&mut dfu::usb_dfu::Plan)| {
        let mut plan = world.plan.clone();
        change(&mut plan);
        UsbDfu::new(plan, world.now()).err()
    };
    assert!(matches!(refused(&|plan| plan.runtime.dfu = None), Some(PlanError::NoDfuInterface { .. })));
    let dfu = |change: fn(&mut dfu::usb_dfu::DfuInterface)| {
        refused(&move |plan| change(plan.runtime.dfu.as_mut().unwrap()))
    };
    assert!(matches!(dfu(|dfu| dfu.mode = dfu::usb_dfu::Mode::Dfu), Some(PlanError::InDfuMode { .. })));
    assert!(matches!(dfu(|dfu| dfu.functional.can_download = false), Some(PlanError::CannotDownload { .. })));
    assert!(matches!(dfu(|dfu| dfu.functional.bcd_dfu = 0x011a), Some(PlanError::Specification { .. })));
    assert_eq!(refused(&|plan| plan.image.payload_bytes = 0), Some(PlanError::EmptyImage));
    let hours = refused(&|plan| plan.reenumerate_timeout = std::time::Duration::from_secs(7200));
    assert!(matches!(hours, Some(PlanError::ReenumerateTimeout { .. })));
}

#[test]
fn stray_inputs_change_nothing() {
    let mut world = World::new(Make::default());
    let verdict = world.run(|world, _| {
        let mut elsewhere = world.plan.runtime.clone();
        elsewhere.port = "1-2".to_owned();
        world.input(Input::Arrived(elsewhere));
        world.input(Input::Left { port: "1-2".to_owned() });
        Meddling::Pass
    });
    assert_eq!(verdict, succeeded());
    for input in [Input::Completed(Ok(vec![0; 6])), Input::Cancel, Input::Arrived(world.plan.runtime.clone())]
    {
        world.input(input);
        assert_eq!(world.dfu.poll_output(), None, "the verdict is the last output");
    }
}

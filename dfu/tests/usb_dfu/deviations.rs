//! Each deviation twice: a device that has it, by a table that does not say so, and by one that does.

use std::time::Duration;

use dfu::usb_dfu::{
    Data, Deviations, DeviceNow, DfuInterface, Failure, Input, Mode, OPEN_TRIES, Output, Phase, PlanError,
    TransferError, UnknownReason, UsbIdentity, Verdict,
};
use dfu::{FirmwareVersion, usb_dfu::TRANSFER_TIMEOUT};

use crate::device::Make;
use crate::hand::{DETACH, GETSTATUS, Hand};
use crate::moods::Moods;
use crate::world::{Meddling, NEW, OLD, PORT, World, payload};

fn pass(_: &mut World, _: &Output) -> Meddling {
    Meddling::Pass
}

fn succeeded() -> Verdict {
    Verdict::Succeeded { version: FirmwareVersion::from_bcd(NEW).unwrap() }
}

fn told(make: &Make, table: Deviations) -> Result<World, PlanError> {
    World::told(make.clone(), table, payload(), OLD, None)
}

/// `moods` on each kind of device that leaves by itself or not, and takes its id with it or not.
fn makes(moods: &Moods) -> Vec<Make> {
    let moods = || moods.clone();
    vec![
        Make { moods: moods(), ..Make::default() },
        Make { moods: moods(), will_detach: false, ..Make::default() },
        Make { moods: moods(), tolerant: true, two_banks: true, ..Make::default() },
        Make { moods: moods(), tolerant: true, will_detach: false, write_ms: 0, ..Make::default() },
    ]
}

/// With its table the device is updated at the first attempt. Returned is how it ends without.
fn both(make: &Make) -> Result<Verdict, PlanError> {
    assert_ne!(make.table(), Deviations::default(), "{make:?}");
    let mut world = told(make, make.table()).unwrap();
    let verdict = world.run(pass);
    world.check(&verdict);
    assert_eq!(verdict, succeeded(), "{make:?}");
    let blocks = |request: &&Output| matches!(request, Output::Control(control) if control.request == 1);
    let least = payload().len().div_ceil(usize::from(make.transfer_size)) + 1;
    assert_eq!(world.requests.iter().filter(blocks).count(), least, "{make:?}");

    let mut world = told(make, Deviations::default())?;
    let verdict = world.run(pass);
    if let Verdict::Succeeded { .. } = verdict {
        world.check(&verdict);
    }
    Ok(verdict)
}

fn fails_without(moods: &Moods) {
    for make in makes(moods) {
        let verdict = both(&make);
        assert!(!matches!(verdict, Ok(Verdict::Succeeded { .. })), "{verdict:?}: {make:?}");
    }
}

#[test]
fn attributes_that_are_wrong_are_corrected() {
    let moods = Moods { stated_attributes: Some(8), ..Moods::default() };
    let make = Make { moods, ..Make::default() };
    assert_eq!(both(&make), Err(PlanError::CannotDownload { port: PORT.to_owned() }));
    // It waits to be reset, and says that it leaves by itself.
    let moods = Moods { stated_attributes: Some(9), ..Moods::default() };
    let verdict = both(&Make { will_detach: false, moods, ..Make::default() });
    assert!(matches!(verdict, Ok(Verdict::Failed(Failure::DidNotDetach { .. }))), "{verdict:?}");
    // A device that falls silent for longer than it said is not done, if it answers again.
    let moods = Moods { stated_attributes: Some(1), ..Moods::default() };
    let make = Make {
        will_detach: false,
        tolerant: true,
        mute_in_manifestation: true,
        manifest_ms: 6000,
        stated_manifest_ms: Some(10),
        moods,
        ..Make::default()
    };
    let mut world = told(&make, Deviations::default()).unwrap();
    assert!(matches!(world.run(pass), Verdict::Failed(_)));
    assert!(world.device.interrupted > 0, "reset while it was at work");
    let mut world = told(&make, make.table()).unwrap();
    assert_eq!((world.run(pass), world.device.interrupted), (succeeded(), 0));
}

#[test]
fn a_tolerant_device_is_asked_for_as_long_as_it_may_be_away_and_not_longer() {
    let mut hand = Hand::downloading(|plan| {
        plan.image.payload_bytes = 10;
        plan.reenumerate_timeout = Duration::from_secs(300);
        plan.deviations.manifest_tolerant = Some(true);
        plan.deviations.will_detach = Some(false);
    });
    hand.block();
    hand.status(0, 0, crate::hand::DNLOAD_IDLE);
    hand.block();
    let mut asked = 0;
    let last = loop {
        match hand.next() {
            Some(Output::Control(control)) if control.request == GETSTATUS => {
                asked += 1;
                hand.answer(Err(TransferError::Timeout));
            }
            other => break other,
        }
    };
    assert_eq!((last, asked), (Some(Output::Reset), 603), "from the third on, each half second of its time");
}

#[test]
fn a_version_of_the_specification_that_is_wrong_is_corrected() {
    let moods = Moods { stated_bcd_dfu: 0x0200, ..Moods::default() };
    for make in makes(&moods) {
        let expected = PlanError::Specification { port: PORT.to_owned(), bcd_dfu: 0x0200 };
        assert_eq!(both(&make), Err(expected));
    }
}

#[test]
fn a_transfer_size_that_is_too_large_is_corrected() {
    fails_without(&Moods { stated_transfer_size: Some(4096), ..Moods::default() });
}

#[test]
fn a_device_that_answers_late_is_given_its_time() {
    let moods = Moods { answer_ms: 7000, ..Moods::default() };
    fails_without(&moods);
    let make = Make { moods, ..Make::default() };
    for (table, timeout) in
        [(Deviations::default(), TRANSFER_TIMEOUT), (make.table(), Duration::from_secs(20))]
    {
        let mut world = told(&make, table).unwrap();
        world.run(pass);
        let controls = world.requests.iter().filter_map(|request| match request {
            Output::Control(control) => Some(control.timeout),
            _ => None,
        });
        assert!(controls.clone().count() > 3 && controls.into_iter().all(|each| each == timeout));
    }
}

#[test]
fn a_poll_timeout_that_means_nothing_is_ignored() {
    fails_without(&Moods { stated_poll_ms: Some(0x00ff_ffff), ..Moods::default() });
}

#[test]
fn a_poll_timeout_of_zero_may_be_meant() {
    fails_without(&Moods { patience_ms: Some(3), ..Moods::default() });
}

/// Of the same vendor, in DFU mode, at the port while ours is away.
fn stranger(pid: u16) -> UsbIdentity {
    let dfu = World::new(Make::default()).plan.runtime.dfu.unwrap();
    let dfu = Some(DfuInterface { mode: Mode::Dfu, ..dfu });
    let port = PORT.to_owned();
    UsbIdentity { port, vid: crate::device::VID, pid, bcd_device: 1, serial: None, dfu }
}

#[test]
fn a_device_that_keeps_its_id_is_not_taken_for_another_one() {
    let make = Make { dfu_pid: 1, ..Make::default() };
    assert!(make.table().no_pid_change);
    for (table, opened) in [(make.table(), false), (Deviations::default(), true)] {
        let mut world = told(&make, table).unwrap();
        let mut pulled = false;
        let reached = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            world.stranger = Some(stranger(0x0077));
            world.run(|world, request| {
                if matches!(request, Output::Control(control) if control.request == 1) && !pulled {
                    pulled = true;
                    world.hand = vec![(world.now_ms, false), (world.now_ms + 20_000, true)];
                }
                Meddling::Pass
            })
        }));
        assert_eq!(reached.is_err(), opened, "a request to a stranger");
        if let Ok(verdict) = reached {
            assert_eq!(verdict, succeeded());
        }
    }
}

#[test]
fn dfu_mode_may_be_told_by_the_id_alone() {
    // Its interface says normal operation, and it itself appIDLE.
    fails_without(&Moods { dfu_protocol: 1, says_app_idle: true, ..Moods::default() });
    fails_without(&Moods { says_app_idle: true, ..Moods::default() });
    // Of another class or protocol, the id still tells what it is.
    let moods = Moods { dfu_protocol: 0, says_app_idle: true, ..Moods::default() };
    for make in makes(&moods) {
        let table = Deviations { use_protocol_zero: false, ..make.table() };
        assert_eq!(told(&make, table).unwrap().run(pass), succeeded());
    }
}

#[test]
fn a_way_into_dfu_mode_that_is_broken_is_not_taken() {
    let moods = Moods { hangs_by_detach: true, ..Moods::default() };
    for make in makes(&moods) {
        let refused = told(&make, make.table()).map(|_| ());
        assert_eq!(refused, Err(PlanError::RuntimeBroken { port: PORT.to_owned() }));
        let verdict = told(&make, Deviations::default()).unwrap().run(pass);
        assert!(!matches!(verdict, Verdict::Succeeded { .. }), "{verdict:?}");
        // Somebody puts it into DFU mode by hand.
        let mut world =
            World::told(make.clone(), make.table(), payload(), OLD, Some(Phase::WaitingForDfu)).unwrap();
        world.device.enter_dfu_mode();
        world.tell_again();
        assert_eq!(world.run(pass), succeeded());
    }
}

#[test]
fn without_an_interface_it_may_be_in_normal_operation() {
    let moods = Moods { no_runtime_interface: true, ..Moods::default() };
    for make in makes(&moods) {
        let make = Make { dfu_pid: 1, ..make };
        for (table, known) in [(make.table(), true), (Deviations::default(), false)] {
            let phase = Some(Phase::WaitingForDfu);
            let mut world = World::told(make.clone(), table, payload(), OLD, phase).unwrap();
            world.device.enter_dfu_mode();
            world.tell_again();
            assert_eq!(world.run(pass) == succeeded(), known, "{make:?}");
        }
        // Where nobody puts it there it says so, and not that it is gone.
        let phase = Some(Phase::WaitingForDfu);
        let mut world = World::told(make.clone(), make.table(), payload(), OLD, phase).unwrap();
        world.tell_again();
        assert_eq!(world.run(pass), Verdict::Failed(Failure::DidNotDetach { attempts: 0 }));
        assert!(told(&make, make.table()).is_err(), "it cannot be sent there");
        // Where it is not there it does not.
        let mut world = World::told(make.clone(), make.table(), payload(), OLD, phase).unwrap();
        world.device.unplug();
        let verdict = world.run(pass);
        let never = matches!(verdict, Verdict::Unknown(UnknownReason::NeverCameBack { .. }));
        assert!(never, "{verdict:?}");
    }
}

#[test]
fn an_interface_of_another_class_or_protocol_may_be_that_of_dfu() {
    let moods = Moods { class: [0xff, 0], ..Moods::default() };
    for make in makes(&moods) {
        let (port, vid, pid) = (PORT.to_owned(), crate::device::VID, 1);
        assert_eq!(both(&make), Err(PlanError::NoDfuInterface { port, vid, pid }));
    }
    fails_without(&Moods { dfu_protocol: 0, ..Moods::default() });
    let neither = Moods { class: [0xff, 0], dfu_protocol: 0, ..Moods::default() };
    let make = Make { moods: neither, ..Make::default() };
    for (any, zero) in [(true, false), (false, true)] {
        let table = Deviations { use_any_interface: any, use_protocol_zero: zero, ..make.table() };
        assert_ne!(told(&make, table).map(|mut world| world.run(pass)), Ok(succeeded()));
    }
    assert!(both(&make).is_err());
}

#[test]
fn detach_may_have_to_be_forced() {
    fails_without(&Moods { wants_force: true, ..Moods::default() });
    let make = Make {
        moods: Moods { wants_force: true, leaves_by_detach: true, ..Moods::default() },
        ..Make::default()
    };
    assert!(!matches!(both(&make), Ok(Verdict::Succeeded { .. })));
}

#[test]
fn dfu_mode_may_be_left_by_detach_alone() {
    for tolerant in [false, true] {
        let moods = Moods { leaves_by_detach: true, ..Moods::default() };
        let make = Make { will_detach: false, tolerant, moods, ..Make::default() };
        let verdict = both(&make);
        assert!(matches!(verdict, Ok(Verdict::Failed(Failure::NotAccepted { .. }))), "{verdict:?}");
        assert_eq!(cancelled(&make, make.table()), DeviceNow::Runtime);
        assert_eq!(cancelled(&make, Deviations::default()), DeviceNow::Dfu);
    }
}

/// Cancelled before the first block: how the device is left.
fn cancelled(make: &Make, table: Deviations) -> DeviceNow {
    let mut world = told(make, table).unwrap();
    let verdict = world.run(|world, request| {
        if matches!(request, Output::Control(control) if control.request == 3) {
            world.cancel_at = Some(world.now_ms);
        }
        Meddling::Pass
    });
    match verdict {
        Verdict::Failed(Failure::Cancelled { device, .. }) => device,
        other => panic!("{other:?}"),
    }
}

#[test]
fn dfu_mode_may_be_left_only_after_something_was_read() {
    let moods = Moods { leaves_after_use: true, ..Moods::default() };
    for make in makes(&moods) {
        assert_eq!(cancelled(&make, make.table()), DeviceNow::Runtime, "{make:?}");
        assert_eq!(cancelled(&make, Deviations::default()), DeviceNow::Dfu, "{make:?}");
        // What was written has been used.
        assert_eq!(both(&make), Ok(succeeded()));
    }
    let make = Make { moods, ..Make::default() };
    let mut world = told(&make, make.table()).unwrap();
    world.cancel_at = Some(450);
    world.run(pass);
    let reads = |output: &&Output| matches!(output, Output::Control(c) if c.request == 2);
    let read = world.requests.iter().find(reads);
    assert!(
        matches!(read, Some(Output::Control(c)) if c.data == Data::In(64) && c.request_type == 0xa1),
        "{read:?}"
    );
}

#[test]
fn a_device_that_leaves_by_itself_may_say_that_it_is_done_too_early() {
    let moods = Moods { hasty: true, ..Moods::default() };
    for make in makes(&moods) {
        let make = Make { manifest_ms: 6000, ..make };
        let mut world = told(&make, Deviations::default()).unwrap();
        world.run(pass);
        assert!(world.device.interrupted > 0, "{make:?}");
        let mut world = told(&make, make.table()).unwrap();
        assert_eq!((world.run(pass), world.device.interrupted), (succeeded(), 0), "{make:?}");
        // One that is left alone is still reset.
        assert_eq!(cancelled(&make, make.table()), DeviceNow::Runtime);
    }
}

#[test]
fn a_device_may_run_its_new_firmware_after_another_reset() {
    let moods = Moods { wants_reset: true, ..Moods::default() };
    fails_without(&moods);
    for make in makes(&moods) {
        // One that needs it no more, or not this time, is not taken for lost.
        let mut world =
            World::told(Make { moods: Moods::default(), ..make.clone() }, make.table(), payload(), OLD, None)
                .unwrap();
        assert_eq!(world.run(pass), succeeded());
        let mut world = told(&Make { two_banks: true, ..make.clone() }, make.table()).unwrap();
        world.device.lazy = true;
        let verdict = world.run(pass);
        assert!(matches!(verdict, Verdict::Failed(Failure::StillOldVersion { .. })), "{verdict:?}");
    }
}

/// Sent whole, come back in normal operation with the old version, and reset once more.
fn reset_once_more() -> (Hand, UsbIdentity) {
    let mut hand = Hand::downloading(|plan| {
        plan.image.payload_bytes = 10;
        plan.deviations.attach_extra_reset = true;
    });
    hand.block();
    hand.status(0, 0, crate::hand::DNLOAD_IDLE);
    hand.block();
    hand.status(0, 0, crate::hand::WAIT_RESET);
    assert_eq!(hand.next(), None);
    let old = crate::hand::plan().runtime;
    hand.update.handle(Input::Left { port: old.port.clone() }, hand.now);
    hand.update.handle(Input::Arrived(old.clone()), hand.now);
    hand.opened_again();
    assert_eq!(hand.next(), Some(Output::Reset));
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), None);
    (hand, old)
}

#[test]
fn after_another_reset_what_was_there_before_says_nothing() {
    let (mut hand, old) = reset_once_more();
    hand.update.handle(Input::Arrived(old.clone()), hand.now);
    assert_eq!((hand.next(), &hand.verdict), (None, &None), "told of once more, and still there");
    // What came in its place does, though nobody told that it left.
    let new = UsbIdentity { bcd_device: NEW, ..old };
    hand.update.handle(Input::Arrived(new), hand.now);
    assert_eq!((hand.next(), hand.verdict), (None, Some(succeeded())));

    let (mut hand, _) = reset_once_more();
    hand.waits_in_vain();
    assert!(matches!(hand.failure(), Failure::StillOldVersion { .. }), "it had its time");

    let (mut hand, old) = reset_once_more();
    hand.update.handle(Input::Left { port: old.port.clone() }, hand.now);
    hand.update.handle(Input::Arrived(old), hand.now);
    assert!(matches!(hand.failure(), Failure::StillOldVersion { .. }), "it came back as it was");
}

#[test]
fn a_device_that_cannot_be_reset_once_more_is_read_all_the_same() {
    let mut hand = Hand::downloading(|plan| {
        plan.image.payload_bytes = 10;
        plan.deviations.attach_extra_reset = true;
    });
    hand.block();
    hand.status(0, 0, crate::hand::DNLOAD_IDLE);
    hand.block();
    hand.status(0, 0, crate::hand::WAIT_RESET);
    assert_eq!(hand.next(), None);
    let back = UsbIdentity { bcd_device: NEW, ..crate::hand::plan().runtime };
    hand.update.handle(Input::Left { port: back.port.clone() }, hand.now);
    hand.update.handle(Input::Arrived(back), hand.now);
    for _ in 0..OPEN_TRIES {
        assert!(hand.verdict.is_none() && matches!(hand.next(), Some(Output::Open { .. })));
        hand.answer(Err(TransferError::Busy));
    }
    assert_eq!((hand.next(), hand.verdict), (None, Some(succeeded())));
}

#[test]
fn a_device_may_not_be_disturbed_in_manifestation() {
    let moods = Moods { disturbed: true, ..Moods::default() };
    for make in makes(&moods).into_iter().filter(|make| !make.two_banks) {
        let make = Make { stated_manifest_ms: Some(100), will_detach: true, ..make };
        let mut world = told(&make, make.table()).unwrap();
        assert_eq!(world.run(pass), succeeded(), "{make:?}");
        let mut world = told(&make, Deviations::default()).unwrap();
        let verdict = world.run(pass);
        assert!(!matches!(verdict, Verdict::Succeeded { .. }), "{verdict:?} {make:?}");
    }
    // What its time is, is waited for before it is reset.
    let make = Make { will_detach: false, manifest_ms: 4000, moods, ..Make::default() };
    let mut world = told(&make, make.table()).unwrap();
    assert_eq!((world.run(pass), world.device.interrupted), (succeeded(), 0));
}

#[test]
fn a_device_that_was_corrected_stays_as_it_is() {
    let all = Deviations {
        can_download: Some(false),
        manifest_tolerant: Some(true),
        will_detach: Some(false),
        bcd_dfu: Some(0x0101),
        transfer_size: Some(9),
        force_dfu_mode: true,
        use_any_interface: true,
        use_protocol_zero: true,
        ..Deviations::default()
    };
    for (pid, protocol, of_class) in [(1, 0, true), (1, 1, false), (1, 2, false), (2, 1, false), (2, 0, true)]
    {
        let mut device = stranger(pid);
        device.dfu.as_mut().unwrap().mode = Mode::Irregular { of_class, protocol };
        let none = Deviations::default().correct(device.clone(), &[2]).dfu;
        assert_eq!(none.is_none(), !of_class || protocol == 0);
        let once = all.correct(device, &[2]);
        let dfu = once.dfu.clone().unwrap();
        assert_eq!(dfu.mode == Mode::Dfu, pid == 2 || protocol != 1);
        assert_eq!((dfu.functional.bcd_dfu, dfu.functional.transfer_size), (0x0101, 9));
        assert_eq!(all.correct(once.clone(), &[2]), once);
        assert_eq!(Deviations::default().correct(once.clone(), &[2]), once);
    }
}

#[test]
fn a_device_that_refuses_to_detach_a_second_time_is_not_asked_for_ever() {
    let moods = Moods { dfu_protocol: 1, ..Moods::default() };
    for make in makes(&moods) {
        let verdict = told(&make, Deviations::default()).unwrap().run(pass);
        // Without bitWillDetach it is reset, and back in normal operation each time.
        let expected = match verdict {
            Verdict::Failed(Failure::DidNotDetach { attempts: 3 }) => !make.will_detach,
            Verdict::Failed(Failure::UnexpectedState { attempts: 3, device, .. }) => device == DeviceNow::Dfu,
            _ => false,
        };
        assert!(expected, "{verdict:?}: {make:?}");
    }
}

/// Some take their bootloader's id first, and need DFU_DETACH once more under it.
#[test]
fn the_way_over_two_ids_is_no_failed_attempt() {
    let plan = crate::hand::plan();
    let bootloader = UsbIdentity { pid: 2, ..plan.runtime.clone() };
    let mut hand = Hand::new(plan);
    hand.opened_again();
    assert_eq!(hand.request(), DETACH);
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), None);
    hand.update.handle(Input::Left { port: bootloader.port.clone() }, hand.now);
    hand.update.handle(Input::Arrived(bootloader), hand.now);
    for _ in 0..3 {
        hand.opened_again();
        assert_eq!(hand.request(), DETACH);
        hand.answer(Err(TransferError::Stall));
        assert_eq!(hand.next(), None);
        hand.waits_in_vain();
    }
    assert!(matches!(hand.failure(), Failure::UnexpectedState { attempts: 3, .. }));
}

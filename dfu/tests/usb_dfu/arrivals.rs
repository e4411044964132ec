//! What comes to the port while a device is awaited there, and how often it is tried.

use dfu::FirmwareVersion;
use dfu::usb_dfu::{
    DeviceNow, Failure, Input, Mode, Output, Phase, Plan, REPLUG_TIMEOUT, TransferError, UnknownReason,
    UsbIdentity, Verdict,
};

use crate::hand::{
    ABORT, DETACH, DNBUSY, DNLOAD, DNLOAD_IDLE, ERROR, GETSTATUS, Hand, IDLE, MANIFEST_SYNC, WAIT_RESET, plan,
};

#[test]
fn a_device_that_never_enters_dfu_mode_is_asked_three_times() {
    let device = plan().runtime;
    let mut hand = Hand::new(plan());
    for _ in 0..3 {
        hand.opened_again();
        assert_eq!(hand.request(), DETACH);
        hand.answer(Ok(Vec::new()));
        assert_eq!(hand.next(), None);
        hand.update.handle(Input::Left { port: device.port.clone() }, hand.now);
        hand.update.handle(Input::Arrived(device.clone()), hand.now);
    }
    assert_eq!(hand.failure(), Failure::DidNotDetach { attempts: 3 });
}

#[test]
fn a_device_that_never_takes_the_image_is_sent_it_three_times() {
    let mut device = plan().runtime;
    device.dfu.as_mut().unwrap().mode = Mode::Dfu;
    let mut hand = Hand::in_dfu_mode(|plan| plan.image.payload_bytes = 10);
    for attempt in 1..=3 {
        hand.status(0, 0, IDLE);
        hand.block();
        hand.status(0, 0, DNLOAD_IDLE);
        assert_eq!(hand.block(), 0);
        hand.status(0, 0, WAIT_RESET);
        assert_eq!(hand.next(), None, "it leaves by itself");
        hand.update.handle(Input::Left { port: device.port.clone() }, hand.now);
        hand.update.handle(Input::Arrived(device.clone()), hand.now);
        if attempt < 3 {
            hand.opened_again();
        }
    }
    assert_eq!(hand.failure(), Failure::NotAccepted { attempts: 3, device: DeviceNow::Dfu });
}

/// What a device at the port is taken for while ours is awaited in normal operation, after it had left.
fn taken_for(change: impl Fn(&mut Plan, &mut UsbIdentity)) -> &'static str {
    let mut plan = plan();
    let mut device = plan.runtime.clone();
    plan.resume = Some(Phase::WaitingForRuntime);
    change(&mut plan, &mut device);
    let mut hand = Hand::new(plan);
    assert_eq!(hand.next(), None);
    hand.update.handle(Input::Left { port: device.port.clone() }, hand.now);
    hand.update.handle(Input::Arrived(device), hand.now);
    match hand.next() {
        Some(Output::Open { .. }) => {
            hand.answer(Ok(Vec::new()));
            return if hand.request() == DETACH { "in the way to DFU mode" } else { "in DFU mode" };
        }
        Some(other) => panic!("{other:?}"),
        None if hand.verdict.is_some() => return "in normal operation",
        None => {}
    }
    let (due, _) = hand.update.poll_timeout().unwrap();
    hand.update.handle_timeout(due);
    assert_eq!(hand.next(), None);
    match hand.verdict {
        Some(Verdict::Unknown(UnknownReason::NeverCameBack { another_seen: true, .. })) => "another",
        Some(Verdict::Unknown(UnknownReason::NeverCameBack { another_seen: false, .. })) => "perhaps ours",
        other => panic!("{other:?}"),
    }
}

#[test]
fn our_device_is_told_from_others_by_ids_mode_and_serial() {
    let mode = |device: &mut UsbIdentity, mode| device.dfu.as_mut().unwrap().mode = mode;
    let (ours, runtime) = ("in DFU mode", "in normal operation");
    assert_eq!(taken_for(|_, _| {}), runtime);
    assert_eq!(taken_for(|_, device| device.vid += 1), "another");
    assert_eq!(taken_for(|_, device| device.pid = 0x77), "another");
    assert_eq!(taken_for(|_, device| device.serial = Some("B2".to_owned())), "another");
    assert_eq!(taken_for(|_, device| device.serial = None), runtime);
    assert_eq!(taken_for(|plan, _| plan.runtime.serial = None), runtime);
    // In DFU mode: its own product id or one of those that are known, any if none is.
    assert_eq!(taken_for(|_, device| mode(device, Mode::Dfu)), ours);
    let dfu = |pid: u16| {
        move |_: &mut Plan, device: &mut UsbIdentity| {
            device.pid = pid;
            device.serial = Some("B2".to_owned());
            device.dfu.as_mut().unwrap().mode = Mode::Dfu;
        }
    };
    assert_eq!((taken_for(dfu(2)), taken_for(dfu(0x77))), (ours, "another"));
    let any = taken_for(|plan, device| {
        plan.dfu_pids.clear();
        dfu(0x77)(plan, device);
    });
    assert_eq!(any, ours);
    // A second step on the way to DFU mode, under the product id of that.
    assert_eq!(taken_for(|_, device| device.pid = 2), "in the way to DFU mode");
    assert_eq!(taken_for(|plan, _| plan.dfu_pids = vec![1]), runtime, "one product id for both");
    // Without its interfaces: sure only where the product id is that of normal operation alone.
    let bare = |pid: u16| {
        move |_: &mut Plan, device: &mut UsbIdentity| {
            device.pid = pid;
            device.dfu = None;
        }
    };
    assert_eq!(
        (taken_for(bare(1)), taken_for(bare(2)), taken_for(bare(0x77))),
        (runtime, "perhaps ours", "another")
    );
    let both = |serial: &'static str| {
        move |plan: &mut Plan, device: &mut UsbIdentity| {
            plan.dfu_pids = vec![1];
            device.dfu = None;
            device.serial = Some(serial.to_owned());
        }
    };
    assert_eq!((taken_for(both("A1")), taken_for(both("B2"))), ("perhaps ours", "perhaps ours"));
    let other_unit = taken_for(|plan, device| {
        bare(1)(plan, device);
        device.serial = Some("B2".to_owned());
    });
    assert_eq!(other_unit, "perhaps ours");
}

#[test]
fn a_lost_device_in_normal_operation_is_waited_for_until_its_interfaces_are_known() {
    let mut hand = Hand::downloading(|_| {});
    assert_eq!(hand.request(), DNLOAD);
    let whole = plan().runtime;
    hand.update.handle(Input::Left { port: whole.port.clone() }, hand.now);
    hand.answer(Err(TransferError::NoDevice));
    assert_eq!(hand.next(), None);
    let mut bare = whole.clone();
    bare.dfu = None;
    hand.update.handle(Input::Arrived(bare), hand.now);
    assert_eq!(hand.next(), None);
    let (due, _) = hand.update.poll_timeout().unwrap();
    assert!(due > hand.now, "it is given time");
    hand.update.handle_timeout(hand.now);
    hand.update.handle(Input::Arrived(whole), hand.now);
    hand.opened_again();
    assert_eq!(hand.request(), DETACH);
}

#[test]
fn a_device_that_has_left_is_sent_nothing_more() {
    for asked in [DNLOAD, GETSTATUS] {
        let mut hand = Hand::downloading(|_| {});
        if asked == GETSTATUS {
            hand.block();
        }
        assert_eq!(hand.request(), asked);
        hand.answer(Err(TransferError::NoDevice));
        assert_eq!(hand.next(), None);
        assert_eq!(hand.update.poll_timeout().map(|(_, reason)| reason), Some("device is plugged in again"));
    }
}

#[test]
fn a_device_that_did_not_detach_is_given_time_to_show_its_interfaces_again() {
    let whole = plan().runtime;
    let mut bare = whole.clone();
    bare.dfu = None;
    let mut hand = Hand::new(plan());
    hand.opened_again();
    assert_eq!(hand.request(), DETACH);
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), None);
    hand.update.handle(Input::Left { port: whole.port.clone() }, hand.now);
    hand.update.handle(Input::Arrived(bare), hand.now);
    assert_eq!(hand.next(), None);
    let (due, _) = hand.update.poll_timeout().unwrap();
    assert!(due >= hand.now + REPLUG_TIMEOUT);
    hand.update.handle(Input::Arrived(whole), hand.now);
    hand.opened_again();
    assert_eq!(hand.request(), DETACH);
}

/// The host died after the whole image was sent; the device has left and come back, still in DFU mode.
#[test]
fn a_device_that_puts_the_image_in_place_is_not_stopped_by_a_host_that_comes_back() {
    let mut device = plan().runtime;
    device.dfu.as_mut().unwrap().mode = Mode::Dfu;
    let mut resumed = plan();
    resumed.resume = Some(Phase::Manifesting);
    let mut hand = Hand::new(resumed);
    hand.update.handle(Input::Left { port: device.port.clone() }, hand.now);
    hand.update.handle(Input::Arrived(device), hand.now);
    hand.opened_again();
    hand.status(0, 0, MANIFEST_SYNC);
    hand.status(0, 0, MANIFEST_SYNC);
    hand.status(0, 0, WAIT_RESET);
    assert_eq!(hand.next(), Some(Output::Reset));
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), None);
    let reason = hand.update.poll_timeout().map(|(_, reason)| reason);
    assert_eq!(reason, Some("device re-enumerates in normal operation"));
}

#[test]
fn a_device_that_leaves_before_it_answers_is_awaited_by_what_it_was_asked() {
    let port = plan().runtime.port;
    let awaited = |hand: &mut Hand| {
        hand.update.handle(Input::Left { port: port.clone() }, hand.now);
        hand.update.poll_timeout().map(|(_, reason)| reason)
    };
    let mut hand = Hand::new(plan());
    hand.opened_again();
    assert_eq!(hand.request(), DETACH);
    assert_eq!(awaited(&mut hand), None, "its answer is owed");
    hand.answer(Ok(Vec::new()));
    assert_eq!(awaited(&mut hand), Some("device re-enumerates in DFU mode"));

    let mut hand = Hand::new(plan());
    assert!(matches!(hand.next(), Some(Output::Open { .. })));
    hand.answer(Err(TransferError::AccessDenied));
    assert_eq!(awaited(&mut hand), Some("device is plugged in again"), "it was not asked to leave");
}

#[test]
fn a_device_whose_dfu_mode_takes_no_download_is_sent_nothing() {
    for (can_download, bcd_dfu) in [(false, 0x0110), (true, 0x011a)] {
        let mut hand = Hand::new(plan());
        hand.opened_again();
        assert_eq!(hand.request(), DETACH);
        hand.answer(Ok(Vec::new()));
        assert_eq!(hand.next(), None);
        let mut device = plan().runtime;
        let dfu = device.dfu.as_mut().unwrap();
        (dfu.mode, dfu.functional.can_download, dfu.functional.bcd_dfu) = (Mode::Dfu, can_download, bcd_dfu);
        hand.update.handle(Input::Left { port: device.port.clone() }, hand.now);
        hand.update.handle(Input::Arrived(device), hand.now);
        assert_eq!(
            hand.failure(),
            Failure::NotDownloadable { can_download, bcd_dfu, device: DeviceNow::Dfu }
        );
    }
}

#[test]
fn a_lost_device_that_comes_back_with_the_version_wanted_needs_nothing_more() {
    for (bcd_device, done) in [(0x0120, true), (0x0110, false), (0x0130, false)] {
        let mut hand = Hand::downloading(|_| {});
        assert_eq!(hand.request(), DNLOAD);
        hand.answer(Err(TransferError::NoDevice));
        assert_eq!(hand.next(), None);
        let device = UsbIdentity { bcd_device, ..plan().runtime };
        hand.update.handle(Input::Arrived(device), hand.now);
        let opened = matches!(hand.next(), Some(Output::Open { .. }));
        let succeeded = matches!(hand.verdict, Some(Verdict::Succeeded { .. }));
        assert_eq!((succeeded, opened), (done, !done), "{bcd_device:#06x}");
    }
}

#[test]
fn what_is_opened_must_be_what_is_there() {
    let mut device = plan().runtime;
    device.dfu.as_mut().unwrap().mode = Mode::Dfu;
    let mut hand = Hand::new(plan());
    assert!(matches!(hand.next(), Some(Output::Open { .. })));
    hand.update.handle(Input::Arrived(device), hand.now);
    hand.answer(Ok(Vec::new()));
    hand.opened_again();
    assert_eq!(hand.request(), GETSTATUS, "the one that was replaced is closed and never spoken to");

    let mut hand = Hand::new(plan());
    assert!(matches!(hand.next(), Some(Output::Open { .. })));
    hand.answer(Err(TransferError::NoDevice));
    assert_eq!(hand.next(), None);
    assert_eq!(hand.update.poll_timeout().map(|(_, reason)| reason), Some("device is plugged in again"));
}

#[test]
fn a_device_that_is_told_of_again_while_it_is_busy_is_left_at_its_work() {
    let mut device = plan().runtime;
    device.dfu.as_mut().unwrap().mode = Mode::Dfu;
    let mut hand = Hand::downloading(|_| {});
    hand.block();
    assert_eq!(hand.request(), GETSTATUS);
    hand.answer(Ok(vec![0, 50, 0, 0, DNBUSY, 0]));
    hand.update.handle(Input::Arrived(device), hand.now);
    hand.status(0, 0, DNLOAD_IDLE);
    assert!(hand.block() > 0, "the next one");
}

/// It may be listed under its old identity for a while.
#[test]
fn a_device_that_was_reset_in_the_end_is_looked_at_once_it_has_left() {
    let mut hand = Hand::downloading(|_| {});
    hand.block();
    hand.status(0, 0, DNLOAD_IDLE);
    hand.update.handle(Input::Cancel, hand.now);
    hand.block();
    assert_eq!(hand.request(), ABORT);
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), Some(Output::Reset));
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), None);
    let runtime = plan().runtime;
    let mut still = runtime.clone();
    still.dfu.as_mut().unwrap().mode = Mode::Dfu;
    hand.update.handle(Input::Arrived(still), hand.now);
    assert_eq!(hand.verdict, None, "it has not left");
    hand.update.handle(Input::Left { port: runtime.port.clone() }, hand.now);
    hand.update.handle(Input::Arrived(runtime), hand.now);
    assert!(
        matches!(hand.failure(), Failure::Cancelled { device: DeviceNow::Runtime, .. }),
        "where it is by then"
    );
}

#[test]
fn a_device_that_does_not_leave_by_itself_is_reset() {
    let mut hand = Hand::in_dfu_mode(|plan| plan.image.payload_bytes = 10);
    hand.status(0, 0, IDLE);
    hand.block();
    hand.status(0, 0, DNLOAD_IDLE);
    assert_eq!(hand.block(), 0);
    hand.status(0, 0, WAIT_RESET);
    assert_eq!(hand.next(), None, "it leaves by itself");
    hand.waits_in_vain();
    assert_eq!(hand.next(), Some(Output::Reset));
    // It takes no notice, and nobody saw it leave.
    hand.answer(Ok(Vec::new()));
    let mut still = plan().runtime;
    still.dfu.as_mut().unwrap().mode = Mode::Dfu;
    hand.update.handle(Input::Arrived(still), hand.now);
    assert_eq!(hand.next(), None);
    hand.waits_in_vain();
    hand.opened_again();
    assert_eq!(hand.request(), GETSTATUS, "it is sent the image again");
}

#[test]
fn a_device_that_stays_as_it_was_is_asked_to_detach_again() {
    let mut hand = Hand::new(plan());
    hand.update.handle(Input::Arrived(plan().runtime), hand.now);
    for _ in 0..3 {
        hand.opened_again();
        assert_eq!(hand.request(), DETACH);
        hand.answer(Ok(Vec::new()));
        assert_eq!(hand.next(), None);
        hand.waits_in_vain();
    }
    assert_eq!(hand.failure(), Failure::DidNotDetach { attempts: 3 });
}

#[test]
fn one_that_is_awaited_after_it_was_cancelled_was_cancelled() {
    let mut hand = Hand::new(plan());
    hand.opened_again();
    assert_eq!(hand.request(), DETACH);
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), None);
    hand.update.handle(Input::Left { port: plan().runtime.port }, hand.now);
    hand.update.handle(Input::Cancel, hand.now);
    assert_eq!(hand.next(), None);
    hand.waits_in_vain();
    assert!(matches!(hand.failure(), Failure::Cancelled { phase: Phase::WaitingForDfu, .. }));
}

#[test]
fn one_that_comes_in_dfu_mode_after_it_was_cancelled_is_sent_back() {
    let mut hand = Hand::new(plan());
    hand.opened_again();
    assert_eq!(hand.request(), DETACH);
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), None);
    let mut device = plan().runtime;
    hand.update.handle(Input::Left { port: device.port.clone() }, hand.now);
    hand.update.handle(Input::Cancel, hand.now);
    device.dfu.as_mut().expect("a device with DFU").mode = Mode::Dfu;
    hand.update.handle(Input::Arrived(device), hand.now);
    hand.opened_again();
    let failure = hand.left_alone(ABORT);
    assert_eq!(failure, Failure::Cancelled { phase: Phase::Preparing, device: DeviceNow::Dfu });
}

/// It has the whole image: what it makes of it is awaited, also where it had to be opened again.
#[test]
fn one_that_has_the_whole_image_cannot_be_cancelled_when_it_is_opened_again() {
    let mut hand = Hand::in_dfu_mode(|plan| plan.image.payload_bytes = 10);
    hand.status(0, 0, IDLE);
    hand.block();
    hand.status(0, 0, DNLOAD_IDLE);
    assert_eq!(hand.block(), 0);
    hand.status(0, 0, WAIT_RESET);
    assert_eq!(hand.next(), None);
    let mut device = plan().runtime;
    device.dfu.as_mut().expect("a device with DFU").mode = Mode::Dfu;
    hand.update.handle(Input::Left { port: device.port.clone() }, hand.now);
    hand.update.handle(Input::Arrived(device), hand.now);
    hand.opened_again();
    hand.update.handle(Input::Cancel, hand.now);
    hand.status(0, 0, MANIFEST_SYNC);
    assert_eq!(hand.request(), GETSTATUS, "and not DFU_ABORT");
}

#[test]
fn what_one_that_has_left_answers_counts_for_nothing() {
    let mut hand = Hand::in_dfu_mode(|_| {});
    assert_eq!(hand.request(), GETSTATUS);
    hand.update.handle(Input::Left { port: plan().runtime.port }, hand.now);
    hand.answer(Ok(vec![0, 0, 0, 0, IDLE, 0]));
    assert_eq!(hand.next(), None, "nothing is downloaded to it");
}

#[test]
fn one_that_cannot_be_opened_after_it_was_cancelled_was_cancelled() {
    let mut hand = Hand::new(plan());
    assert!(matches!(hand.next(), Some(Output::Open { .. })));
    hand.update.handle(Input::Cancel, hand.now);
    hand.answer(Err(TransferError::AccessDenied));
    let failure = hand.failure();
    assert_eq!(failure, Failure::Cancelled { phase: Phase::Detaching, device: DeviceNow::Runtime });
}

#[test]
fn one_that_refuses_to_leave_is_given_a_moment_and_no_more() {
    for (answer, wait) in [(Err(TransferError::Stall), 5), (Ok(Vec::new()), 10)] {
        let mut hand = Hand::new(plan());
        hand.opened_again();
        assert_eq!(hand.request(), DETACH);
        hand.answer(answer);
        assert_eq!(hand.next(), None);
        let (due, _) = hand.update.poll_timeout().expect("it is awaited");
        assert_eq!((due - hand.now).as_secs(), wait);
    }
}

/// What was there before a reset is not there after it until it is told.
#[test]
fn one_that_was_reset_and_is_not_told_of_has_not_come_back() {
    let mut plan = plan();
    plan.runtime.dfu.as_mut().expect("a device with DFU").functional.will_detach = false;
    let mut hand = Hand::new(plan);
    hand.opened_again();
    assert_eq!(hand.request(), DETACH);
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), Some(Output::Reset));
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), None);
    hand.waits_in_vain();
    assert_eq!(hand.next(), None, "it is not asked to detach once more");
    assert!(matches!(hand.verdict, Some(Verdict::Unknown(UnknownReason::NeverCameBack { .. }))));
}

#[test]
fn one_that_was_sent_away_by_detach_is_not_taken_for_back_before_it_has_left() {
    let mut hand = Hand::in_dfu_mode(|plan| plan.deviations.detach_for_attach = true);
    hand.status(0, 0, WAIT_RESET);
    assert_eq!(hand.request(), DETACH);
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), None);
    let mut device = plan().runtime;
    device.dfu.as_mut().expect("a device with DFU").mode = Mode::Dfu;
    hand.update.handle(Input::Left { port: device.port.clone() }, hand.now);
    hand.update.handle(Input::Arrived(device), hand.now);
    hand.opened_again();
}

#[test]
fn after_an_error_there_is_a_pause_however_soon_the_device_wants_to_be_asked() {
    let mut hand = Hand::downloading(|_| {});
    hand.block();
    let before = hand.elapsed();
    hand.status(3, 100, ERROR);
    assert!(hand.next().is_some());
    assert_eq!((hand.elapsed() - before).as_millis(), 500);
}

#[test]
fn a_version_that_is_neither_the_old_nor_the_new_one_is_said() {
    let came_back = |bcd_device| {
        let mut hand = Hand::in_dfu_mode(|plan| plan.image.payload_bytes = 10);
        hand.status(0, 0, IDLE);
        hand.block();
        hand.status(0, 0, DNLOAD_IDLE);
        assert_eq!(hand.block(), 0);
        hand.status(0, 0, WAIT_RESET);
        assert_eq!(hand.next(), None);
        let device = UsbIdentity { bcd_device, ..plan().runtime };
        hand.update.handle(Input::Left { port: device.port.clone() }, hand.now);
        hand.update.handle(Input::Arrived(device), hand.now);
        hand.failure()
    };
    let version = |bcd| FirmwareVersion::from_bcd(bcd).expect("digits");
    let expected = plan().target_version;
    assert_eq!(came_back(0x0130), Failure::OtherVersion { expected, found: version(0x0130) });
    let before = plan().runtime.bcd_device;
    assert_eq!(came_back(before), Failure::StillOldVersion { expected, found: version(before), before });
}

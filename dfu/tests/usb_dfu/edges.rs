//! Where one more, or one millisecond more, makes the difference.

use std::time::Duration;

use dfu::usb_dfu::{
    Data, DeviceNow, DfuState, DfuStatus, Failure, Input, MAX_BUSY, MAX_POLL_TIMEOUT, Mode, Output, Phase,
    TransferError,
};

use crate::hand::{
    ABORT, APP_IDLE, CLRSTATUS, DETACH, DNBUSY, DNLOAD, DNLOAD_IDLE, ERROR, GETSTATUS, Hand, IDLE,
    MANIFEST_SYNC, UPLOAD_IDLE, WAIT_RESET, plan,
};

#[test]
fn the_time_of_dfu_detach_is_the_devices_own_or_a_second() {
    for (stated, sent) in [(0, 1000), (1, 1), (250, 250), (0xffff, 0xffff)] {
        let mut plan = plan();
        plan.runtime.dfu.as_mut().unwrap().functional.detach_timeout_ms = stated;
        let mut hand = Hand::new(plan);
        assert!(matches!(hand.next(), Some(Output::Open { .. })));
        hand.answer(Ok(Vec::new()));
        let control = hand.control();
        assert_eq!((control.request, control.value), (DETACH, sent));
    }
}

#[test]
fn five_minutes_are_waited_for_and_not_a_millisecond_more() {
    let most = MAX_POLL_TIMEOUT.as_millis() as u32;
    let mut hand = Hand::downloading(|_| {});
    hand.block();
    hand.status(0, most, DNBUSY);
    assert_eq!(hand.request(), GETSTATUS);
    assert_eq!((hand.elapsed(), hand.reason), (MAX_POLL_TIMEOUT, Some("bwPollTimeout")));

    let mut hand = Hand::downloading(|_| {});
    hand.block();
    hand.status(0, most + 1, DNBUSY);
    let expected = Failure::PollTimeoutTooLong {
        poll_timeout_ms: most + 1,
        phase: Phase::Downloading { block: 0 },
        device: DeviceNow::Dfu,
    };
    assert_eq!(hand.failure(), expected);
    assert_eq!(hand.elapsed(), Duration::ZERO, "nothing is sent to it, not even DFU_ABORT");
}

/// A time in an answer that is otherwise nonsense holds all the same.
#[test]
fn a_poll_timeout_holds_whatever_the_rest_of_the_answer_says() {
    let mut hand = Hand::downloading(|_| {});
    hand.block();
    hand.status(0, 2000, 77);
    assert_eq!(hand.request(), GETSTATUS);
    assert_eq!(hand.elapsed(), Duration::from_millis(2000));
}

#[test]
fn a_status_that_is_not_answered_is_asked_for_three_times() {
    let mut hand = Hand::downloading(|_| {});
    for attempt in 1..=3u8 {
        hand.block();
        for pause_ms in [0, 500, 500] {
            let before = hand.elapsed();
            assert_eq!(hand.request(), GETSTATUS);
            assert_eq!(hand.elapsed() - before, Duration::from_millis(pause_ms));
            hand.answer(Err(TransferError::Timeout));
        }
        assert_eq!(hand.reason, Some("the status is asked for again"));
        if attempt < 3 {
            hand.opened_again();
            assert_eq!(hand.reason, Some("the download is started again"));
            hand.status(0, 0, IDLE);
        }
    }
    let (error, phase, device) = (TransferError::Timeout, Phase::Downloading { block: 0 }, DeviceNow::Dfu);
    assert_eq!(hand.left_alone(ABORT), Failure::Transfer { error, phase, attempts: 3, device });
}

#[test]
fn a_status_answered_in_between_is_a_new_beginning() {
    let mut hand = Hand::downloading(|_| {});
    hand.block();
    for _ in 0..4 {
        for _ in 0..2 {
            assert_eq!(hand.request(), GETSTATUS);
            hand.answer(Ok(vec![0, 0]));
        }
        hand.status(0, 0, DNBUSY);
    }
    hand.status(0, 0, DNLOAD_IDLE);
    hand.block();
}

#[test]
fn a_device_that_names_no_time_is_asked_again_after_a_moment_if_it_is_busy() {
    for (state, pause_ms) in [(DNBUSY, 5), (3, 5), (DNLOAD_IDLE, 0)] {
        let mut hand = Hand::downloading(|_| {});
        hand.block();
        hand.status(0, 0, state);
        let next = hand.request();
        assert_eq!(next, if state == DNLOAD_IDLE { DNLOAD } else { GETSTATUS });
        assert_eq!(hand.elapsed(), Duration::from_millis(pause_ms), "state {state}");
    }
    let mut hand = Hand::downloading(|_| {});
    hand.block();
    hand.status(0, 70, DNLOAD_IDLE);
    assert_eq!(hand.request(), DNLOAD);
    assert_eq!(hand.elapsed(), Duration::from_millis(70), "its time holds in any state");
}

#[test]
fn ten_minutes_of_work_are_waited_for_and_not_more() {
    let half = (MAX_BUSY / 2).as_millis() as u32;
    let mut hand = Hand::downloading(|_| {});
    hand.block();
    hand.status(0, half, DNBUSY);
    hand.status(0, half, DNBUSY);
    assert_eq!(hand.request(), GETSTATUS);
    assert_eq!(hand.elapsed(), MAX_BUSY);
    hand.answer(Ok(vec![0, 1, 0, 0, DNBUSY, 0]));
    hand.status(0, 0, DNBUSY);
    hand.opened_again();
    // Another block is another work.
    hand.status(0, 0, IDLE);
    for _ in 0..3 {
        hand.block();
        hand.status(0, half, DNBUSY);
        hand.status(0, half, DNBUSY);
        hand.status(0, 0, DNLOAD_IDLE);
    }
}

#[test]
fn a_device_is_brought_to_idle_in_up_to_sixteen_requests() {
    let mut hand = Hand::in_dfu_mode(|_| {});
    for _ in 0..16 {
        hand.status(0, 0, UPLOAD_IDLE);
        assert_eq!(hand.request(), ABORT);
        hand.answer(Err(TransferError::Stall));
    }
    hand.status(0, 0, UPLOAD_IDLE);
    hand.opened_again();
    hand.status(10, 0, ERROR);
    assert_eq!(hand.request(), CLRSTATUS);
    hand.answer(Ok(Vec::new()));
    hand.status(0, 0, MANIFEST_SYNC);
    assert_eq!(hand.request(), ABORT, "nothing was sent whole that it could put in place");
    hand.answer(Ok(Vec::new()));
    hand.status(0, 0, IDLE);
    hand.block();
}

#[test]
fn one_that_waits_for_a_reset_from_another_update_is_reset_and_looked_at_again() {
    let mut hand = Hand::in_dfu_mode(|_| {});
    hand.status(0, 0, WAIT_RESET);
    assert_eq!(hand.next(), Some(Output::Reset));
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), None);
    let mut back = plan().runtime;
    back.dfu.as_mut().unwrap().mode = Mode::Dfu;
    hand.update.handle(Input::Arrived(back), hand.now);
    hand.opened_again();
    hand.status(0, 0, IDLE);
    hand.block();
}

#[test]
fn one_that_says_it_runs_its_application_is_detached_again() {
    let mut hand = Hand::in_dfu_mode(|_| {});
    hand.status(0, 0, APP_IDLE);
    assert_eq!(hand.request(), DETACH);
    hand.answer(Ok(Vec::new()));
    assert_eq!(
        hand.next(),
        Some(Output::Reset),
        "it is in DFU mode by its descriptors: nobody knows what it does next"
    );
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.next(), None);
    assert_eq!(hand.update.poll_timeout().map(|(_, reason)| reason), Some("device is plugged in again"));
}

/// What follows a block: the failure it is, by status, state and the answer to the block itself.
fn after_block(answer: Result<Vec<u8>, TransferError>, status: u8, state: u8) -> Failure {
    let mut hand = Hand::downloading(|_| {});
    for attempt in 1..=3 {
        assert_eq!(hand.request(), DNLOAD);
        hand.answer(answer.clone());
        hand.status(status, 0, state);
        if attempt < 3 && status != 1 {
            hand.opened_again();
            hand.status(0, 0, IDLE);
        } else {
            break;
        }
    }
    hand.left_alone(if state == ERROR { CLRSTATUS } else { ABORT })
}

#[test]
fn a_block_counts_if_nothing_speaks_against_it() {
    let (phase, device) = (Phase::Downloading { block: 0 }, DeviceNow::Dfu);
    let reported = |status, state, attempts| Failure::Reported {
        status: DfuStatus(status),
        state,
        phase,
        attempts,
        device,
    };
    let fine = || Ok(Vec::new());
    assert_eq!(after_block(fine(), 3, ERROR), reported(3, DfuState::Error, 3));
    assert_eq!(after_block(fine(), 3, DNLOAD_IDLE), reported(3, DfuState::DnloadIdle, 3));
    assert_eq!(after_block(fine(), 1, ERROR), reported(1, DfuState::Error, 1));
    let unexpected = |state| Failure::UnexpectedState { state, phase, attempts: 3, device };
    assert_eq!(after_block(fine(), 0, ERROR), unexpected(DfuState::Error));
    assert_eq!(after_block(fine(), 0, IDLE), unexpected(DfuState::DfuIdle));
    let error = TransferError::Stall;
    let refused = Failure::Transfer { error, phase, attempts: 3, device };
    assert_eq!(after_block(Err(error), 0, DNLOAD_IDLE), refused);
    assert_eq!(after_block(Err(error), 7, ERROR), reported(7, DfuState::Error, 3), "the device knows better");
}

/// What follows the end of the download, where the device says this.
fn after_end(answer: Result<Vec<u8>, TransferError>, status: u8, state: u8) -> Option<Output> {
    let mut hand = Hand::downloading(|plan| plan.image.payload_bytes = 10);
    assert_eq!(hand.block(), 10);
    hand.status(0, 0, DNLOAD_IDLE);
    let control = hand.control();
    assert_eq!((control.request, control.data), (DNLOAD, Data::Empty));
    hand.answer(answer);
    hand.status(status, 0, state);
    hand.next()
}

#[test]
fn the_end_counts_if_nothing_speaks_against_it() {
    let opened_again = |output: Option<Output>| matches!(output, Some(Output::Open { .. }));
    let asked_again =
        |output| matches!(output, Some(Output::Control(control)) if control.request == GETSTATUS);
    let fine = || Ok(Vec::new());
    assert!(asked_again(after_end(fine(), 0, MANIFEST_SYNC)) && asked_again(after_end(fine(), 0, 7)));
    for state in [APP_IDLE, IDLE] {
        assert_eq!(after_end(fine(), 0, state), Some(Output::Reset), "done and tolerant: state {state}");
    }
    assert!(opened_again(after_end(fine(), 7, MANIFEST_SYNC)) && opened_again(after_end(fine(), 0, ERROR)));
    assert!(opened_again(after_end(fine(), 0, UPLOAD_IDLE)));
    let stall = || Err(TransferError::Stall);
    assert!(opened_again(after_end(stall(), 0, IDLE)), "the end was not announced after all");
    assert!(asked_again(after_end(stall(), 0, MANIFEST_SYNC)), "it was");
    assert_eq!(after_end(stall(), 0, WAIT_RESET), None, "it was, and it leaves by itself");
}

#[test]
fn progress_is_told_at_each_percent() {
    let mut hand = Hand::downloading(|plan| {
        plan.image.payload_bytes = 10_050;
        plan.runtime.dfu.as_mut().unwrap().functional.transfer_size = 30;
    });
    let mut sent = 0;
    while sent < 10_050 {
        sent += hand.block();
        hand.status(0, 0, DNLOAD_IDLE);
    }
    assert_eq!(hand.block(), 0);
    let downloading = |(done, phase): &(u64, Phase)| (phase.name() == "downloading").then_some(*done);
    let told: Vec<u64> = hand.progress.iter().filter_map(downloading).collect();
    assert_eq!((told.first(), told.last()), (Some(&0), Some(&10_050)));
    // A percent is 101 bytes: every fourth block, and every tenth of the whole as it is stored.
    assert!(told.windows(2).all(|pair| pair[1] - pair[0] <= 120), "{told:?}");
    assert!((84..=95).contains(&told.len()), "{} times", told.len());
}

#[test]
fn a_journal_need_not_remember_the_interface() {
    let mut plan = plan();
    let device = plan.runtime.clone();
    plan.runtime.dfu = None;
    plan.resume = Some(Phase::Detaching);
    let mut hand = Hand::new(plan);
    hand.update.handle(Input::Arrived(device), hand.now);
    assert!(matches!(hand.next(), Some(Output::Open { .. })));
    hand.answer(Ok(Vec::new()));
    assert_eq!(hand.request(), DETACH);
}

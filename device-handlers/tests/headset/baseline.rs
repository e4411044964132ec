use device_handlers::headset::{Event, Output};

use crate::layouts::{MIRRORED, SEPARATE, SHARED};
use crate::{IDLE, IN_CALL, NOTHING, RINGING, Rig, SECOND_RING, event, writes};

#[test]
fn the_first_report_sets_the_state_and_says_nothing() {
    let mut rig = Rig::fresh(SHARED, &[]);
    assert_eq!(rig.report(&[1, 0x03]), NOTHING);
    rig.after_ms(10);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::LineBusy(false)), "the line was busy from the start");
}

#[test]
fn without_a_report_the_baseline_ends_and_the_first_press_counts() {
    let mut rig = Rig::fresh(SHARED, &[]);
    rig.headset.rewrite_indicators(rig.now);
    assert_eq!(rig.headset.poll_timeout().map(|(_, reason)| reason), Some("baseline report"));
    assert_eq!(rig.after_ms(250), writes(&[&[2, 0, 0]]));
    assert_eq!(rig.report(&[1, 0x01]), event(Event::DialTone));
}

#[test]
fn lights_of_an_idle_device_are_cleared_once_the_baseline_is_known() {
    let mut rig = Rig::fresh(SEPARATE, &[]);
    rig.headset.rewrite_indicators(rig.now);
    assert_eq!(rig.drain(), NOTHING);
    assert_eq!(rig.report(&[8, 0]), writes(&[&[0x18, 0], &[0x17, 0], &[0x2A, 0], &[0x09, 0], &[0x20, 0]]));
}

#[test]
fn a_device_in_another_softphones_call_is_left_alone() {
    for busy in [0x01, 0x02, 0x03] {
        let mut rig = Rig::fresh(SHARED, &[]);
        rig.headset.rewrite_indicators(rig.now);
        assert_eq!(rig.report(&[1, busy]), NOTHING, "state {busy:#04x}");
        assert_eq!(rig.after_ms(1000), NOTHING);
    }
}

#[test]
fn a_ring_right_after_opening_is_shown_at_once() {
    let mut rig = Rig::fresh(SHARED, &[]);
    rig.headset.rewrite_indicators(rig.now);
    assert_eq!(rig.set(RINGING), writes(&[&[2, 0x44, 0]]));
    rig.after_ms(251);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::Answer));
}

#[test]
fn a_reconnect_in_a_call_rewrites_all_and_takes_the_next_state_as_it_is() {
    let mut rig = Rig::new(SEPARATE);
    rig.settle(IN_CALL);
    rig.report(&[8, 0x02]);
    rig.headset.rewrite_indicators(rig.now);
    assert_eq!(rig.drain(), writes(&[&[0x18, 0], &[0x17, 1], &[0x2A, 1], &[0x09, 0], &[0x20, 0]]));
    assert_eq!(rig.report(&[8, 0x02]), NOTHING);
    rig.after_ms(600);
    assert_eq!(rig.report(&[8, 0x00]), event(Event::HangUp));
}

/// A host that crashed in a call finds the device off-hook and lit: nothing changes when it lights it again, so the
/// device has nothing to say, and the first it says is Hook=0.
#[test]
fn the_first_hook_down_after_opening_in_a_call_hangs_up() {
    // One of them says in the same report that the line is busy, as it was all the time.
    for (layout, down) in [(SHARED, [1, 0]), (SHARED, [1, 0x02]), (SEPARATE, [8, 0])] {
        // The host knows of the call before it has the device open, or while it learns in which state that is.
        for ms_known_before in [300_i32, 0, -100] {
            let mut rig = Rig::fresh(layout, &[]);
            rig.headset.pause();
            if ms_known_before >= 0 {
                rig.set(SECOND_RING);
                rig.after_ms(ms_known_before.unsigned_abs().into());
                rig.headset.rewrite_indicators(rig.now);
                rig.drain();
            } else {
                rig.headset.rewrite_indicators(rig.now);
                rig.after_ms(ms_known_before.unsigned_abs().into());
                rig.set(SECOND_RING);
            }
            rig.settle(IN_CALL);
            let said = rig.report(&down);
            assert!(
                said.contains(&Output::Event(Event::HangUp)),
                "known {ms_known_before} ms before: {said:?}"
            );
            rig.after_ms(100);
            assert_eq!(rig.report(&down), NOTHING, "once");
        }
    }
}

/// What says nothing of the hook leaves it not known.
#[test]
fn another_report_says_nothing_of_the_hook() {
    let mut rig = Rig::fresh(MIRRORED, &[]);
    rig.headset.pause();
    rig.set(IN_CALL);
    rig.headset.rewrite_indicators(rig.now);
    rig.drain();
    rig.after_ms(600);
    assert_eq!(rig.report(&[0x9B, 1]), event(Event::TeamsButton));
    rig.after_ms(300);
    assert_eq!(rig.report(&[1, 0]), event(Event::HangUp));
}

/// The same after the link was lost in a call, where the device went on.
#[test]
fn the_first_hook_down_after_a_reconnect_in_a_call_hangs_up() {
    let mut rig = Rig::new(SEPARATE);
    rig.settle(IN_CALL);
    rig.report(&[8, 0x02]);
    rig.headset.rewrite_indicators(rig.now);
    rig.drain();
    rig.after_ms(600);
    assert_eq!(rig.report(&[8, 0x00]), event(Event::HangUp));
}

/// A device that tells no hook of its own: what it repeats is no hang-up.
#[test]
fn hook_down_hangs_up_nothing_once_the_device_was_dark_or_has_said_where_its_hook_is() {
    let mut rig = Rig::fresh(SHARED, &[]);
    rig.headset.rewrite_indicators(rig.now);
    assert_eq!(rig.after_ms(300), writes(&[&[2, 0, 0]]));
    rig.settle(IN_CALL);
    assert_eq!(rig.report(&[1, 0x00]), NOTHING, "dark before the call");

    for (layout, down) in [(SHARED, [1, 0]), (SEPARATE, [8, 0])] {
        let mut rig = Rig::fresh(layout, &[]);
        rig.headset.pause();
        rig.set(IN_CALL);
        rig.headset.rewrite_indicators(rig.now);
        rig.drain();
        rig.after_ms(20);
        assert_eq!(rig.report(&down), NOTHING, "how it was found");
        rig.after_ms(600);
        assert_eq!(rig.report(&down), NOTHING, "said before");
    }

    // Nor is one that comes with a press of another key.
    let mut rig = Rig::fresh(SHARED, &[]);
    rig.headset.pause();
    rig.set(IN_CALL);
    rig.headset.rewrite_indicators(rig.now);
    rig.drain();
    rig.after_ms(600);
    assert_eq!(rig.report(&[1, 0x04]), event(Event::MuteToggle));
    rig.after_ms(100);
    assert_eq!(rig.report(&[1, 0x00]), NOTHING, "the key comes up");
}

#[test]
fn on_the_way_out_all_lights_are_cleared() {
    let mut rig = Rig::new(SHARED);
    rig.settle(IN_CALL);
    assert_eq!(rig.set(IDLE), writes(&[&[2, 0, 0]]));
    rig.headset.rewrite_indicators(rig.now);
    assert_eq!(rig.drain(), vec![Output::Write(vec![2, 0, 0])]);
}

#[test]
fn a_reconnect_ends_what_waited_for_the_old_connection() {
    let mut rig = Rig::new(SHARED);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::DialTone));
    rig.headset.rewrite_indicators(rig.now);
    assert_eq!(rig.drain(), writes(&[&[2, 0, 0]]));
    assert_eq!(rig.after_ms(5000), NOTHING, "a dial tone that went with the connection");

    rig.settle(IN_CALL);
    rig.report(&[1, 0x01]);
    rig.settle(SECOND_RING);
    assert_eq!(rig.report(&[1, 0x00]), NOTHING, "a hang-up or half a pulse");
    rig.headset.rewrite_indicators(rig.now);
    rig.drain();
    assert_eq!(rig.after_ms(5000), NOTHING);
}

#[test]
fn after_a_reconnect_without_a_report_a_lifted_hook_is_news() {
    let mut rig = Rig::new(SHARED);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::DialTone));
    rig.after_ms(5000);
    rig.headset.rewrite_indicators(rig.now);
    rig.drain();
    rig.after_ms(5000);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::DialTone));
}

#[test]
fn an_off_hook_light_that_is_written_anew_is_echoed_like_a_new_one() {
    let mut rig = Rig::new(SHARED);
    rig.settle(IN_CALL);
    rig.headset.rewrite_indicators(rig.now);
    assert_eq!(rig.drain(), writes(&[&[2, 0x21, 0]]));
    assert_eq!(rig.report(&[1, 0x01]), NOTHING, "the baseline");
    rig.after_ms(400);
    assert_eq!(rig.report(&[1, 0x00]), NOTHING, "the device went idle and came back by itself");
}

#[test]
fn the_first_report_after_a_reconnect_is_the_state_and_no_news() {
    let mut rig = Rig::new(SHARED);
    rig.headset.rewrite_indicators(rig.now);
    rig.drain();
    rig.after_ms(249);
    assert_eq!(rig.report(&[1, 0x03]), NOTHING, "lifted and busy while it was away");
    assert_eq!(rig.report(&[1, 0x01]), event(Event::LineBusy(false)));
}

#[test]
fn a_report_that_says_no_state_does_not_end_the_baseline() {
    let mut rig = Rig::fresh(MIRRORED, &[]);
    assert_eq!(rig.report(&[0x9B, 0x01]), NOTHING);
    assert_eq!(rig.report(&[1, 0x01]), NOTHING, "the state it is in");
    rig.report(&[0x9B, 0x00]);
    rig.after_ms(10);
    assert_eq!(rig.report(&[0x9B, 0x01]), event(Event::TeamsButton));
}

#[test]
fn the_echo_of_a_write_before_a_reconnect_may_still_come() {
    let mut rig = Rig::new(SHARED);
    rig.settle(IN_CALL);
    rig.set(IDLE);
    rig.headset.rewrite_indicators(rig.now);
    rig.drain();
    assert_eq!(rig.report(&[1, 0x00]), NOTHING, "the baseline");
    rig.after_ms(400);
    assert_eq!(rig.report(&[1, 0x01]), NOTHING);
}

use device_handlers::headset::{Event, Output};
use device_handlers::quirk::Quirk;

use crate::layouts::{ARRAYS, MIRRORED, RELATIVE, SEPARATE, SHARED, UNNUMBERED};
use crate::{HELD, IDLE, IN_CALL, NOTHING, RINGING, Rig, SECOND_RING, event, writes};

#[test]
fn hook_answers_a_ring_and_ends_the_call() {
    let mut rig = Rig::new(SHARED);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::Answer));
    assert_eq!(rig.set(IN_CALL), writes(&[&[2, 0x21, 0]]), "ring ends and off-hook begins in one report");
    rig.after_ms(5000);
    assert_eq!(rig.report(&[1, 0x00]), event(Event::HangUp));
    assert_eq!(rig.set(IDLE), writes(&[&[2, 0, 0]]));
}

#[test]
fn with_a_report_per_light_the_ring_ends_before_the_call_opens() {
    let mut rig = Rig::new(SEPARATE);
    assert_eq!(rig.settle(RINGING), writes(&[&[0x18, 1]]));
    assert_eq!(rig.report(&[8, 0x02]), event(Event::Answer));
    assert_eq!(rig.set(IN_CALL), writes(&[&[0x18, 0], &[0x17, 1], &[0x2A, 1]]));
}

/// The person ends one of two calls at the headset, and lifts the hook again for the other one.
#[test]
fn a_hook_that_is_lifted_takes_the_held_call_back() {
    let mut rig = Rig::new(SHARED);
    rig.settle(RINGING);
    rig.report(&[1, 0x01]);
    rig.settle(IN_CALL);
    assert_eq!(rig.report(&[1, 0x00]), event(Event::HangUp));
    rig.settle(HELD);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::HoldToggle));
    rig.settle(IN_CALL);
    assert_eq!(rig.report(&[1, 0x00]), event(Event::HangUp));
    // Where nothing is on hold, a late echo of the light looks the same.
    rig.settle(IN_CALL);
    assert_eq!(rig.report(&[1, 0x01]), NOTHING);

    // Nor is it news of a device that was found with its hook up.
    let mut rig = Rig::fresh(SHARED, &[]);
    rig.headset.pause();
    rig.set(HELD);
    rig.headset.rewrite_indicators(rig.now);
    rig.drain();
    rig.after_ms(1000);
    assert_eq!(rig.report(&[1, 0x05]), event(Event::MuteToggle));
}

#[test]
fn hook_is_news_only_when_it_changes() {
    let mut rig = Rig::new(SHARED);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::Answer));
    for _ in 0..3 {
        rig.after_ms(200);
        assert_eq!(rig.report(&[1, 0x01]), NOTHING);
    }
}

#[test]
fn the_echo_of_our_own_off_hook_is_swallowed_both_ways() {
    let mut rig = Rig::new(SHARED);
    rig.set(IN_CALL);
    rig.after_ms(499);
    assert_eq!(rig.report(&[1, 0x01]), NOTHING);
    rig.after_ms(5000);
    rig.set(IDLE);
    rig.after_ms(100);
    assert_eq!(rig.report(&[1, 0x00]), NOTHING);
    rig.after_ms(5000);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::DialTone), "after the window a press counts again");
}

#[test]
fn glare_is_one_call() {
    let mut rig = Rig::new(SHARED);
    rig.settle(RINGING);
    // The host answers while Hook=1 is on its way; it even arrives after the echo window.
    rig.set(IN_CALL);
    rig.after_ms(700);
    assert_eq!(rig.report(&[1, 0x01]), NOTHING);
    assert_eq!(rig.set(IN_CALL), NOTHING);
}

#[test]
fn a_hook_that_springs_back_is_no_hang_up() {
    let mut rig = Rig::new(SEPARATE);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[8, 0x02]), event(Event::Answer));
    rig.after_ms(10);
    rig.set(IN_CALL);
    rig.after_ms(40);
    assert_eq!(rig.report(&[8, 0x00]), NOTHING, "pulse not acknowledged in time");
    rig.after_ms(1000);
    assert_eq!(rig.report(&[8, 0x02]), NOTHING);
    rig.after_ms(20);
    assert_eq!(rig.report(&[8, 0x00]), event(Event::HangUp), "the next pulse ends the call");
}

#[test]
fn a_pulse_answers_though_the_host_is_slow() {
    let mut rig = Rig::new(SEPARATE);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[8, 0x02]), event(Event::Answer));
    rig.after_ms(50);
    assert_eq!(rig.report(&[8, 0x00]), NOTHING);
    rig.after_ms(300);
    assert_eq!(rig.set(IN_CALL), writes(&[&[0x18, 0], &[0x17, 1], &[0x2A, 1]]));
}

#[test]
fn a_dial_tone_nobody_takes_is_ended_by_off_hook_on_and_off() {
    let mut rig = Rig::new(SHARED);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::DialTone));
    assert_eq!(rig.headset.poll_timeout().map(|(_, reason)| reason), Some("dial tone nobody took"));
    assert_eq!(rig.after_ms(999), NOTHING);
    assert_eq!(rig.after_ms(1), writes(&[&[2, 0x01, 0], &[2, 0x00, 0]]));
    rig.after_ms(30);
    assert_eq!(rig.report(&[1, 0x00]), NOTHING, "the device goes idle");
    assert_eq!(rig.after_ms(5000), NOTHING);
}

#[test]
fn a_dial_tone_somebody_takes_stays() {
    let mut rig = Rig::new(SHARED);
    rig.report(&[1, 0x01]);
    rig.after_ms(400);
    assert_eq!(rig.set(IN_CALL), writes(&[&[2, 0x21, 0]]));
    assert_eq!(rig.after_ms(5000), NOTHING);
    assert_eq!(rig.report(&[1, 0x00]), event(Event::HangUp));
}

#[test]
fn a_dial_tone_the_device_gives_up_or_another_softphone_takes_is_left_alone() {
    let mut rig = Rig::new(SHARED);
    rig.report(&[1, 0x01]);
    rig.after_ms(50);
    assert_eq!(rig.report(&[1, 0x00]), NOTHING);
    assert_eq!(rig.after_ms(5000), NOTHING);

    rig.report(&[1, 0x01]);
    rig.after_ms(300);
    assert_eq!(rig.report(&[1, 0x03]), event(Event::LineBusy(true)));
    assert_eq!(rig.after_ms(5000), NOTHING);
}

#[test]
fn hold_keeps_off_hook_and_hook_0_is_a_hang_up() {
    let mut rig = Rig::new(SHARED);
    rig.settle(IN_CALL);
    rig.report(&[1, 0x01]);
    assert_eq!(rig.settle(HELD), writes(&[&[2, 0x29, 0]]));
    assert_eq!(rig.report(&[1, 0x00]), event(Event::HangUp));
}

#[test]
fn by_quirk_hold_clears_off_hook_and_hook_0_is_its_echo() {
    let mut rig = Rig::with_quirks(SHARED, &[Quirk::HoldClearsOffHook]);
    rig.settle(IN_CALL);
    rig.report(&[1, 0x01]);
    assert_eq!(rig.settle(HELD), writes(&[&[2, 0x28, 0]]));
    assert_eq!(rig.report(&[1, 0x00]), NOTHING);
    rig.after_ms(1000);
    assert_eq!(rig.settle(IN_CALL), writes(&[&[2, 0x21, 0]]));
    rig.report(&[1, 0x01]);
    rig.after_ms(1000);
    assert_eq!(rig.report(&[1, 0x00]), event(Event::HangUp));
}

#[test]
fn with_a_second_call_ringing_a_hook_pulse_answers_it() {
    let mut rig = Rig::new(SHARED);
    rig.settle(IN_CALL);
    rig.report(&[1, 0x01]);
    rig.settle(SECOND_RING);
    assert_eq!(rig.report(&[1, 0x00]), NOTHING, "not decided yet");
    assert_eq!(rig.after_ms(99), NOTHING);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::Answer));
    assert_eq!(rig.after_ms(5000), NOTHING);
}

#[test]
fn with_a_second_call_ringing_hook_0_alone_ends_the_first() {
    let mut rig = Rig::new(SHARED);
    rig.settle(IN_CALL);
    rig.report(&[1, 0x01]);
    rig.settle(SECOND_RING);
    rig.report(&[1, 0x00]);
    assert_eq!(rig.headset.poll_timeout().map(|(_, reason)| reason), Some("hook pulse"));
    assert_eq!(rig.after_ms(100), event(Event::HangUp));
}

#[test]
fn with_a_second_call_ringing_flash_answers_and_button_7_rejects() {
    let mut rig = Rig::new(SHARED);
    rig.settle(SECOND_RING);
    assert_eq!(rig.report(&[1, 0x08]), event(Event::Answer));
    rig.after_ms(500);
    rig.report(&[1, 0x00]);
    assert_eq!(rig.report(&[1, 0x20]), event(Event::Reject));
}

#[test]
fn drop_ends_the_call_or_rejects_the_ring_and_its_hook_0_is_not_a_second_hang_up() {
    let mut rig = Rig::new(MIRRORED);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[1, 0x08]), event(Event::Reject));
    rig.report(&[1, 0x00]);
    rig.settle(IN_CALL);
    rig.report(&[1, 0x01]);
    assert_eq!(rig.report(&[1, 0x09]), event(Event::HangUp));
    rig.after_ms(300);
    assert_eq!(rig.report(&[1, 0x00]), NOTHING);
    rig.settle(IDLE);
    assert_eq!(rig.report(&[1, 0x08]), NOTHING, "nothing to end");
}

#[test]
fn drop_and_hook_0_in_one_report_are_one_hang_up() {
    let mut rig = Rig::new(MIRRORED);
    rig.settle(IN_CALL);
    rig.report(&[1, 0x01]);
    assert_eq!(rig.report(&[1, 0x08]), event(Event::HangUp));
}

#[test]
fn a_repeated_hook_0_is_a_press_only_by_quirk() {
    let mut plain = Rig::new(SHARED);
    plain.settle(RINGING);
    assert_eq!(plain.report(&[1, 0x00]), NOTHING);

    let mut rig = Rig::with_quirks(SHARED, &[Quirk::RepeatedOnHookIsPress]);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[1, 0x00]), event(Event::Reject));
    rig.after_ms(3);
    assert_eq!(rig.report(&[1, 0x00]), NOTHING, "sent twice");
    rig.settle(IN_CALL);
    assert_eq!(rig.report(&[1, 0x00]), event(Event::HangUp));
}

#[test]
fn a_relative_hook_is_pressed_not_lifted() {
    let mut rig = Rig::new(RELATIVE);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::DialTone));
    rig.report(&[1, 0x00]);
    assert_eq!(rig.after_ms(5000), NOTHING, "it has no dial tone that would hang");
    rig.settle(RINGING);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::Answer));
    rig.report(&[1, 0x00]);
    rig.settle(IN_CALL);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::HangUp));
}

#[test]
fn unnumbered_reports_are_read_without_and_written_with_a_leading_zero() {
    let mut rig = Rig::new(UNNUMBERED);
    assert_eq!(rig.settle(RINGING), writes(&[&[0, 0x01]]));
    assert_eq!(rig.report(&[0x01]), event(Event::Answer));
    assert_eq!(rig.settle(IN_CALL), writes(&[&[0, 0x02]]));
    assert_eq!(rig.report(&[0x00]), event(Event::HangUp));
}

#[test]
fn arrays_select_controls_and_lights() {
    let mut rig = Rig::new(ARRAYS);
    assert_eq!(rig.settle(RINGING), writes(&[&[3, 0b10]]));
    assert_eq!(rig.settle(SECOND_RING), writes(&[&[3, 0b0110]]), "off-hook takes the free slot");
    assert_eq!(rig.settle(IN_CALL), writes(&[&[3, 0b0100]]));
    assert_eq!(rig.report(&[1, 1 << 1]), event(Event::HoldToggle), "Flash");
    rig.after_ms(500);
    assert_eq!(rig.report(&[1, 3 << 1]), event(Event::HoldToggle), "Hold");
    assert_eq!(rig.report(&[1, 0]), NOTHING);
    assert_eq!(rig.report(&[1, 4 << 1]), event(Event::Redial));
    assert_eq!(rig.report(&[1, 2 << 1]), event(Event::HangUp), "Drop");
    rig.settle(IDLE);
    rig.report(&[1, 0]);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[1, 0]), NOTHING, "0 of the one-bit array is nothing, not Button 7");
    assert_eq!(rig.report(&[1, 1 << 4]), event(Event::Reject));
}

#[test]
fn a_hook_that_is_reported_once_more_in_a_call_does_not_end_it() {
    let mut rig = Rig::new(SHARED);
    rig.settle(IN_CALL);
    rig.report(&[1, 0x01]);
    for _ in 0..3 {
        rig.after_ms(1000);
        assert_eq!(rig.report(&[1, 0x01]), NOTHING);
    }
}

#[test]
fn a_hook_in_an_array_is_pressed_not_lifted() {
    let hook_and_flash = [0x09, 0x21, 0x09, 0x26];
    let at = ARRAYS.windows(4).position(|items| items == hook_and_flash).expect("an array");
    let mut bytes = ARRAYS.to_vec();
    // Drop becomes the Hook Switch; the one with a bit of its own becomes Line Busy.
    bytes[at + 3] = 0x20;
    let own = bytes.windows(2).position(|item| item == [0x09, 0x20]).expect("a hook");
    bytes[own + 1] = 0x97;
    let mut rig = Rig::new(&bytes);
    assert_eq!(rig.report(&[1, 2 << 1]), event(Event::DialTone));
    assert_eq!(rig.report(&[1, 0]), NOTHING);
    assert_eq!(rig.after_ms(5000), NOTHING, "it has no dial tone that would hang");
    rig.settle(IN_CALL);
    assert_eq!(rig.report(&[1, 2 << 1]), event(Event::HangUp));
}

#[test]
fn an_echo_of_the_hook_ends_with_its_window() {
    for (ms, expected) in [(499, NOTHING), (500, &[Output::Event(Event::HangUp)][..])] {
        let mut rig = Rig::new(SHARED);
        rig.settle(RINGING);
        assert_eq!(rig.report(&[1, 0x01]), event(Event::Answer));
        rig.set(IN_CALL);
        rig.after_ms(ms);
        assert_eq!(rig.report(&[1, 0x00]), expected, "after {ms} ms");
    }
}

#[test]
fn the_hook_0_of_a_drop_may_take_up_to_two_seconds() {
    for (ms, expected) in [(1999, NOTHING), (2000, &[Output::Event(Event::HangUp)][..])] {
        let mut rig = Rig::new(MIRRORED);
        rig.settle(IN_CALL);
        rig.report(&[1, 0x01]);
        assert_eq!(rig.report(&[1, 0x09]), event(Event::HangUp));
        rig.after_ms(ms);
        assert_eq!(rig.report(&[1, 0x00]), expected, "after {ms} ms");
    }
}

#[test]
fn a_ring_that_has_just_begun_is_answered_by_the_hook() {
    for layout in [SHARED, SEPARATE] {
        let (report, hook) = if layout == SHARED { (1, 0x01) } else { (8, 0x02) };
        let mut rig = Rig::new(layout);
        rig.set(RINGING);
        rig.after_ms(50);
        assert_eq!(rig.report(&[report, hook]), event(Event::Answer), "the ring light brings no echo of it");
    }
}

#[test]
fn a_repeated_hook_0_is_told_from_the_state_beside_it() {
    let mut rig = Rig::with_quirks(UNNUMBERED, &[Quirk::RepeatedOnHookIsPress]);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[0x02]), event(Event::MuteState(true)));
    rig.after_ms(50);
    assert_eq!(rig.report(&[0x02]), event(Event::Reject));
    rig.settle(IDLE);
    assert_eq!(rig.report(&[0x02]), NOTHING, "nothing to reject");
}

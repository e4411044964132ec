use device_handlers::headset::{Event, Indicators};
use device_handlers::quirk::Quirk;

use crate::layouts::{RELATIVE, SHARED, UNNUMBERED};
use crate::{IN_CALL, MUTED, NOTHING, Rig, event, writes};

const DOWN: [u8; 2] = [1, 0x04];
const UP: [u8; 2] = [1, 0x00];

fn in_call(quirks: &[Quirk]) -> Rig {
    let mut rig = Rig::with_quirks(SHARED, quirks);
    rig.settle(IN_CALL);
    rig
}

fn pulse(rig: &mut Rig) -> Vec<device_handlers::headset::Output> {
    let mut outputs = rig.report(&DOWN);
    rig.after_ms(20);
    outputs.extend(rig.report(&UP));
    outputs
}

#[test]
fn a_relative_mute_is_a_toggle_and_the_host_is_master() {
    let mut rig = in_call(&[]);
    assert_eq!(pulse(&mut rig), event(Event::MuteToggle));
    assert_eq!(rig.set(MUTED), writes(&[&[2, 0x23, 0]]));
}

#[test]
fn a_second_press_soon_after_the_first_is_not_lost_on_a_silent_headset() {
    let mut rig = in_call(&[]);
    assert_eq!(pulse(&mut rig), event(Event::MuteToggle));
    rig.set(MUTED);
    rig.after_ms(200);
    assert_eq!(pulse(&mut rig), event(Event::MuteToggle));
}

#[test]
fn the_echo_of_the_hosts_own_mute_is_swallowed() {
    let mut rig = in_call(&[]);
    rig.set(MUTED);
    rig.after_ms(690);
    assert_eq!(pulse(&mut rig), NOTHING);
    rig.settle(IN_CALL);
    assert_eq!(pulse(&mut rig), event(Event::MuteToggle), "after the window it is a press");
}

#[test]
fn two_echoes_of_one_write_mean_that_the_headset_refuses() {
    let mut rig = in_call(&[]);
    rig.settle(MUTED);
    rig.set(IN_CALL);
    rig.after_ms(100);
    assert_eq!(pulse(&mut rig), NOTHING);
    rig.after_ms(600);
    assert_eq!(pulse(&mut rig), event(Event::MuteState(true)), "the arm is up: adopt muted");
    rig.set(MUTED);
    rig.after_ms(100);
    assert_eq!(pulse(&mut rig), NOTHING, "no fight about it");
    rig.after_ms(200);
    assert_eq!(pulse(&mut rig), NOTHING, "however often it says so");
    rig.after_ms(1500);
    assert_eq!(pulse(&mut rig), event(Event::MuteToggle), "later presses count again");
}

#[test]
fn a_headset_that_echoes_every_answer_does_not_toggle_for_ever() {
    let mut rig = in_call(&[]);
    let mut target = IN_CALL;
    let mut toggles = 0;
    // One press; from then on each write is answered by a pulse.
    let mut outputs = pulse(&mut rig);
    for _ in 0..10 {
        rig.after_ms(120);
        for output in outputs {
            match output {
                device_handlers::headset::Output::Event(Event::MuteToggle) => {
                    toggles += 1;
                    target = Indicators { mute: !target.mute, ..target };
                }
                device_handlers::headset::Output::Event(Event::MuteState(mute)) => {
                    target = Indicators { mute, ..target };
                }
                _ => {}
            }
        }
        rig.set(target);
        outputs = pulse(&mut rig);
    }
    assert!(toggles <= 3, "{toggles} toggles");
    assert!(target.mute, "one press mutes");
}

#[test]
fn by_quirk_the_echo_of_an_answer_is_expected_from_the_start() {
    let mut rig = in_call(&[Quirk::MuteEcho]);
    assert_eq!(pulse(&mut rig), event(Event::MuteToggle));
    rig.set(MUTED);
    rig.after_ms(120);
    assert_eq!(pulse(&mut rig), NOTHING);
}

#[test]
fn an_absolute_mute_is_a_state() {
    let mut rig = Rig::new(UNNUMBERED);
    rig.settle(IN_CALL);
    assert_eq!(rig.report(&[0x02]), event(Event::MuteState(true)));
    rig.set(MUTED);
    assert_eq!(rig.report(&[0x02]), NOTHING);
    rig.after_ms(50);
    assert_eq!(rig.report(&[0x00]), event(Event::MuteState(false)));
    rig.set(IN_CALL);
    rig.set(MUTED);
    assert_eq!(rig.report(&[0x02]), NOTHING, "the headset confirms what the host wrote");
}

#[test]
fn quirks_turn_a_state_into_a_toggle_and_back() {
    let mut toggle = Rig::with_quirks(UNNUMBERED, &[Quirk::MuteIsToggle]);
    toggle.settle(IN_CALL);
    assert_eq!(toggle.report(&[0x02]), event(Event::MuteToggle));
    assert_eq!(toggle.report(&[0x00]), NOTHING);

    let mut state = in_call(&[Quirk::MuteIsState]);
    assert_eq!(state.report(&DOWN), event(Event::MuteState(true)));
    state.set(MUTED);
    assert_eq!(state.report(&UP), event(Event::MuteState(false)));
}

#[test]
fn separate_on_and_off_buttons_say_which() {
    let mut rig = Rig::new(RELATIVE);
    rig.settle(IN_CALL);
    assert_eq!(rig.report(&[1, 0b010]), event(Event::MuteState(true)));
    rig.after_ms(50);
    assert_eq!(rig.report(&[1, 0b010]), NOTHING, "held down");
    rig.set(MUTED);
    assert_eq!(rig.report(&[1, 0]), NOTHING, "let go");
    rig.after_ms(50);
    assert_eq!(rig.report(&[1, 0b110]), event(Event::MuteState(false)));
}

#[test]
fn a_press_later_than_an_echo_can_be_counts() {
    let mut rig = in_call(&[]);
    rig.set(MUTED);
    rig.after_ms(800);
    assert_eq!(pulse(&mut rig), event(Event::MuteToggle));
}

#[test]
fn presses_that_are_far_apart_are_presses_however_many() {
    let mut rig = in_call(&[]);
    for target in [MUTED, IN_CALL, MUTED, IN_CALL] {
        assert_eq!(pulse(&mut rig), event(Event::MuteToggle));
        rig.settle(target);
    }
}

/// RELATIVE with another minimum and other flags of its mute.
fn relative_mute(minimum: u8, flags: u8) -> Vec<device_handlers::headset::Output> {
    let at = RELATIVE.windows(2).position(|item| item == [0x15, 0xFF]).expect("a minimum");
    let mut bytes = RELATIVE.to_vec();
    assert_eq!(bytes[at + 8..at + 10], [0x81, 0x26]);
    (bytes[at + 1], bytes[at + 9]) = (minimum, flags);
    let mut rig = Rig::new(&bytes);
    rig.settle(IN_CALL);
    rig.report(&[1, 0b010])
}

/// An On/Off Control (HUT 3.4.1) is relative, has no preferred state and goes from -1 to 1: less is a toggle.
#[test]
fn a_relative_mute_says_on_and_off_only_as_the_usage_tables_have_it() {
    assert_eq!(relative_mute(0xFF, 0x26), event(Event::MuteState(true)));
    assert_eq!(relative_mute(0xFF, 0x06), event(Event::MuteToggle));
    assert_eq!(relative_mute(0x00, 0x26), event(Event::MuteToggle));
}

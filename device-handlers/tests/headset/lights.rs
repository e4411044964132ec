use device_handlers::headset::{Event, Indicators};
use device_handlers::quirk::Quirk;

use crate::layouts::{SEPARATE, SHARED};
use crate::{HELD, IDLE, IN_CALL, MUTED, NOTHING, RINGING, Rig, event, writes};

#[test]
fn a_shared_report_keeps_the_other_lights_and_has_its_full_length() {
    let mut rig = Rig::new(SHARED);
    assert_eq!(rig.set(IN_CALL), writes(&[&[2, 0x21, 0]]), "off-hook and on-line");
    assert_eq!(rig.set(MUTED), writes(&[&[2, 0x23, 0]]));
    assert_eq!(rig.set(Indicators { hold: true, ..MUTED }), writes(&[&[2, 0x2B, 0]]));
    assert_eq!(rig.set(HELD), writes(&[&[2, 0x29, 0]]));
    assert_eq!(rig.set(IDLE), writes(&[&[2, 0, 0]]), "call, hold and on-line end in one report");
}

#[test]
fn a_report_per_light_is_written_for_what_changed_only() {
    let mut rig = Rig::new(SEPARATE);
    assert_eq!(rig.set(IN_CALL), writes(&[&[0x17, 1], &[0x2A, 1]]));
    assert_eq!(rig.set(MUTED), writes(&[&[0x09, 1]]));
    assert_eq!(rig.set(MUTED), NOTHING);
    assert_eq!(rig.set(IDLE), writes(&[&[0x17, 0], &[0x2A, 0], &[0x09, 0]]));
}

#[test]
fn the_ringer_rings_with_the_ring_light() {
    let mut rig = Rig::new(SHARED);
    assert_eq!(rig.set(RINGING), writes(&[&[2, 0x44, 0]]));
    assert_eq!(rig.set(IDLE), writes(&[&[2, 0, 0]]));
}

#[test]
fn the_microphone_light_shows_mute_by_quirk_only() {
    let mut rig = Rig::with_quirks(SHARED, &[Quirk::MicrophoneLedIsMute]);
    rig.set(IN_CALL);
    assert_eq!(rig.set(MUTED), writes(&[&[2, 0x33, 0]]));
    assert_eq!(rig.set(IN_CALL), writes(&[&[2, 0x21, 0]]));
}

#[test]
fn an_off_hook_light_that_is_none_takes_call_control_away() {
    let plain = Rig::new(SHARED);
    assert!(plain.headset.capabilities().call_control);
    let mut rig = Rig::with_quirks(SHARED, &[Quirk::OffHookLedIsMessageWaiting]);
    assert!(!rig.headset.capabilities().call_control);
    assert_eq!(rig.set(IN_CALL), writes(&[&[2, 0x20, 0]]), "the lamp stays dark");
}

#[test]
fn the_target_is_remembered() {
    let mut rig = Rig::new(SHARED);
    rig.set(HELD);
    assert_eq!(rig.headset.indicators(), HELD);
}

#[test]
fn a_light_beside_off_hook_that_changes_brings_no_echo_of_the_hook() {
    let mut rig = Rig::new(SHARED);
    rig.settle(IN_CALL);
    rig.report(&[1, 0x01]);
    rig.after_ms(1000);
    assert_eq!(rig.set(MUTED), writes(&[&[2, 0x23, 0]]));
    rig.after_ms(100);
    assert_eq!(rig.report(&[1, 0x00]), event(Event::HangUp));
}

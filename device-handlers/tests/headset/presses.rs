use device_handlers::headset::{Event, ReportError};

use crate::layouts::{MIRRORED, SEPARATE, SHARED, UNNUMBERED};
use crate::{IN_CALL, NOTHING, RINGING, Rig, event};

#[test]
fn a_press_counts_on_the_way_down_only() {
    let mut rig = Rig::new(SHARED);
    rig.settle(IN_CALL);
    assert_eq!(rig.report(&[1, 0x08]), event(Event::HoldToggle));
    rig.after_ms(80);
    assert_eq!(rig.report(&[1, 0x00]), NOTHING);
    rig.after_ms(400);
    assert_eq!(rig.report(&[1, 0x10]), event(Event::Redial));
}

#[test]
fn a_press_repeated_within_5_ms_is_one_press() {
    let mut rig = Rig::new(SEPARATE);
    assert_eq!(rig.report(&[8, 0x01]), event(Event::MuteToggle));
    rig.after_ms(1);
    assert_eq!(rig.report(&[8, 0x00]), NOTHING);
    rig.after_ms(3);
    assert_eq!(rig.report(&[8, 0x01]), NOTHING);
    rig.report(&[8, 0x00]);
    rig.after_ms(6);
    assert_eq!(rig.report(&[8, 0x01]), event(Event::MuteToggle));
}

#[test]
fn hold_and_reject_mean_nothing_without_a_call() {
    let mut rig = Rig::new(SHARED);
    assert_eq!(rig.report(&[1, 0x08]), NOTHING);
    assert_eq!(rig.report(&[1, 0x20]), NOTHING);
    rig.report(&[1, 0x00]);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[1, 0x08]), NOTHING, "Flash does not answer a first call");
    assert_eq!(rig.report(&[1, 0x20]), event(Event::Reject));
}

#[test]
fn line_busy_is_a_state() {
    let mut rig = Rig::new(SHARED);
    assert_eq!(rig.report(&[1, 0x02]), event(Event::LineBusy(true)));
    assert_eq!(rig.report(&[1, 0x02]), NOTHING);
    assert_eq!(rig.report(&[1, 0x00]), event(Event::LineBusy(false)));
}

#[test]
fn the_vendor_mirror_of_hook_and_mute_is_not_heard() {
    let mut rig = Rig::new(MIRRORED);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[4, 0x01]), NOTHING);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::Answer));
    assert_eq!(rig.report(&[4, 0x03]), NOTHING);
    assert_eq!(rig.after_ms(1000), NOTHING);
}

#[test]
fn a_reject_on_both_pages_is_one_reject_in_either_order() {
    let mut rig = Rig::new(MIRRORED);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[1, 0x04]), event(Event::Reject));
    rig.after_ms(20);
    assert_eq!(rig.report(&[4, 0x04]), NOTHING);
    assert_eq!(rig.after_ms(1000), NOTHING);
    rig.report(&[4, 0x00]);
    rig.report(&[1, 0x00]);
    rig.after_ms(1000);

    assert_eq!(rig.report(&[4, 0x04]), NOTHING);
    assert_eq!(rig.headset.poll_timeout().map(|(_, reason)| reason), Some("mirrored press"));
    rig.after_ms(20);
    assert_eq!(rig.report(&[1, 0x04]), event(Event::Reject));
    assert_eq!(rig.after_ms(1000), NOTHING);
}

#[test]
fn two_controls_that_say_the_same_at_once_are_one_request() {
    let mut rig = Rig::new(MIRRORED);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[1, 0x0C]), event(Event::Reject), "Button 7 and Drop");
    rig.report(&[1, 0x00]);
    rig.after_ms(101);
    assert_eq!(rig.report(&[1, 0x04]), event(Event::Reject), "later it is a press of its own");
}

#[test]
fn the_telephony_page_wins_over_a_contradicting_mirror() {
    let mut rig = Rig::new(MIRRORED);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[4, 0x04]), NOTHING);
    rig.after_ms(20);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::Answer));
    assert_eq!(rig.after_ms(1000), NOTHING);
}

#[test]
fn a_reject_on_the_vendor_page_alone_counts_after_the_mirror_window() {
    let mut rig = Rig::new(MIRRORED);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[4, 0x04]), NOTHING);
    rig.after_ms(10);
    assert_eq!(rig.report(&[1, 0x00]), NOTHING, "a telephony report that says nothing new");
    assert_eq!(rig.after_ms(89), NOTHING);
    assert_eq!(rig.after_ms(1), event(Event::Reject));
}

#[test]
fn the_teams_button_is_an_event() {
    let mut rig = Rig::new(MIRRORED);
    assert!(rig.headset.capabilities().teams);
    assert_eq!(rig.report(&[0x9B, 0x01]), event(Event::TeamsButton));
    assert_eq!(rig.report(&[0x9B, 0x00]), NOTHING);
}

#[test]
fn a_report_that_cannot_be_is_named_and_the_next_one_counts() {
    let mut rig = Rig::new(SHARED);
    rig.settle(RINGING);
    let headset = &mut rig.headset;
    assert_eq!(headset.handle_report(&[], rig.now), Err(ReportError::Empty));
    assert_eq!(headset.handle_report(&[7, 1], rig.now), Err(ReportError::UnknownReport { report_id: 7 }));
    assert_eq!(
        headset.handle_report(&[1], rig.now),
        Err(ReportError::TooShort { report_id: 1, expected: 1, came: 0 })
    );
    assert_eq!(rig.report(&[1, 0x01, 0xFF, 0xFF]), event(Event::Answer), "padding is ignored");

    let mut unnumbered = Rig::new(UNNUMBERED);
    assert_eq!(unnumbered.headset.handle_report(&[], unnumbered.now), Err(ReportError::Empty));
}

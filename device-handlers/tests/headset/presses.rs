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
    rig.after_ms(4);
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

/// Input 2: hook b0, line busy b1, mute (relative) b8. Input 3: redial (relative) b8. Output 2: off-hook b0, mute b1.
#[rustfmt::skip]
const TWO_BYTES: &[u8] = &[
    0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
    0x85, 0x02, 0x95, 0x02, 0x09, 0x20, 0x09, 0x97, 0x81, 0x22, 0x95, 0x06, 0x81, 0x01,
    0x95, 0x01, 0x09, 0x2F, 0x81, 0x06, 0x95, 0x07, 0x81, 0x01,
    0x85, 0x03, 0x95, 0x08, 0x81, 0x01, 0x95, 0x01, 0x09, 0x24, 0x81, 0x06, 0x95, 0x07, 0x81, 0x01,
    0x05, 0x08, 0x85, 0x02, 0x95, 0x02, 0x09, 0x17, 0x09, 0x09, 0x91, 0x22, 0x95, 0x06, 0x91, 0x01,
    0xC0,
];

#[test]
fn bytes_missing_at_the_end_of_a_report_count_as_zero() {
    let mut rig = Rig::new(TWO_BYTES);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[2, 0x01]), event(Event::Answer), "the hook came");
    rig.settle(IN_CALL);
    assert_eq!(rig.report(&[2, 0x01, 0x01]), event(Event::MuteToggle));
    assert_eq!(rig.report(&[2, 0x01]), NOTHING, "released");
    rig.after_ms(2000);
    assert_eq!(rig.report(&[2, 0x01, 0x01]), event(Event::MuteToggle), "and pressed again");
}

#[test]
fn a_report_that_ends_before_its_first_control_is_an_error() {
    let mut rig = Rig::new(TWO_BYTES);
    let short = |report_id, came| Err(ReportError::TooShort { report_id, expected: 2, came });
    assert_eq!(rig.headset.handle_report(&[2], rig.now), short(2, 0));
    assert_eq!(rig.headset.handle_report(&[3, 0xFF], rig.now), short(3, 1));
    assert_eq!(rig.report(&[3, 0, 1]), event(Event::Redial));
}

/// Input 1: mute (relative) b0, hook b8. Output 2: off-hook b0, ring b1, mute b2.
#[rustfmt::skip]
const HOOK_LAST: &[u8] = &[
    0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x85, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x09, 0x2F, 0x81, 0x06,
    0x95, 0x07, 0x81, 0x01, 0x95, 0x01, 0x09, 0x20, 0x81, 0x22, 0x95, 0x07, 0x81, 0x01,
    0x85, 0x02, 0x05, 0x08, 0x95, 0x03, 0x09, 0x17, 0x09, 0x18, 0x09, 0x09, 0x91, 0x22, 0x95, 0x05, 0x91, 0x01, 0xC0,
];

/// A hook that is not mentioned is not put down, and a device that never mentions it is told of.
#[test]
fn a_state_that_was_not_sent_stays_and_is_told() {
    let mut rig = Rig::new(HOOK_LAST);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[1, 0, 1]), event(Event::Answer));
    rig.settle(IN_CALL);
    rig.after_ms(2000);
    let short = Err(ReportError::TooShort { report_id: 1, expected: 2, came: 1 });
    assert_eq!(rig.headset.handle_report(&[1, 1], rig.now), short);
    assert_eq!(rig.drain(), event(Event::MuteToggle), "what came counts");
    rig.after_ms(2000);
    assert_eq!(rig.report(&[1, 0, 0]), event(Event::HangUp));
    let mut never = Rig::new(HOOK_LAST);
    never.settle(RINGING);
    assert_eq!(never.headset.handle_report(&[1, 0], never.now), short);
    assert_eq!(never.drain(), NOTHING);
}

#[test]
fn a_report_longer_than_declared_is_read_as_far_as_declared() {
    let mut rig = Rig::new(TWO_BYTES);
    rig.settle(RINGING);
    assert_eq!(rig.report(&[2, 0x01, 0, 0xFF, 0xFF, 0xFF]), event(Event::Answer));
}

/// Input 1: hook b0, mute b8. Input 2: a byte that says nothing here.
#[rustfmt::skip]
const ONE_AND_NONE: &[u8] = &[
    0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
    0x85, 0x01, 0x95, 0x01, 0x09, 0x20, 0x81, 0x22, 0x95, 0x07, 0x81, 0x01, 0x95, 0x01, 0x09, 0x2F, 0x81, 0x06,
    0x95, 0x07, 0x81, 0x01,
    0x85, 0x02, 0x95, 0x10, 0x81, 0x01,
    0xC0,
];

#[test]
fn one_control_that_came_is_enough_and_so_is_a_report_that_has_none() {
    let mut rig = Rig::new(ONE_AND_NONE);
    assert_eq!(rig.report(&[1, 0x01]), event(Event::DialTone), "the hook came, the mute did not");
    assert_eq!(rig.headset.handle_report(&[2], rig.now), Ok(()));
    assert_eq!(
        rig.headset.handle_report(&[1], rig.now),
        Err(ReportError::TooShort { report_id: 1, expected: 2, came: 0 })
    );
}

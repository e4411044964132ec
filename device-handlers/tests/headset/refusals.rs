//! Devices that refuse output reports, answer late or not at all: a light counts as lit when the device has taken it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use device_handlers::description::Description;
use device_handlers::headset::{
    Event, FIRST_RETRY, Headset, Indicators, LONGEST_RETRY, Output, REFUSALS_TOLD, WRITE_WAIT,
};
use device_handlers::quirk::Quirk;
use device_handlers::report::{Layout, ReportDescriptor, ReportType, Role, Selector};

use crate::layouts::{self, SEPARATE, SHARED};
use crate::{IDLE, IN_CALL, MUTED, NOTHING, RINGING, Rig, event, writes};

impl Rig {
    /// What comes out, unanswered.
    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.headset.poll_output()).collect()
    }

    fn wish(&mut self, target: Indicators) -> Vec<Output> {
        self.headset.set_indicators(target, self.now);
        self.outputs()
    }

    fn answer(&mut self, taken: bool) -> Vec<Output> {
        self.headset.written(taken, self.now);
        self.outputs()
    }

    /// Waits for the next deadline and no longer.
    fn next(&mut self) -> Vec<Output> {
        let (due, _) = self.headset.poll_timeout().expect("a deadline");
        self.wait(due.saturating_duration_since(self.now))
    }

    /// Moves the clock; nothing that is due on the way is answered.
    fn wait(&mut self, time: Duration) -> Vec<Output> {
        let end = self.now + time;
        let mut outputs = Vec::new();
        while let Some((due, _)) = self.headset.poll_timeout().filter(|(due, _)| *due <= end) {
            self.now = self.now.max(due);
            self.headset.handle_timeout(self.now);
            outputs.extend(self.outputs());
        }
        self.now = end;
        outputs
    }
}

#[test]
fn a_refused_report_does_not_hold_up_the_others_and_is_tried_again() {
    let mut rig = Rig::new(SEPARATE);
    rig.settle(RINGING);
    assert_eq!(rig.wish(IN_CALL), writes(&[&[0x18, 0]]), "the ring ends first");
    assert_eq!(rig.answer(false), writes(&[&[0x17, 1]]), "the call opens all the same");
    assert_eq!(rig.answer(true), writes(&[&[0x2A, 1]]));
    assert_eq!(rig.answer(true), NOTHING);
    assert!(!rig.headset.is_settled());
    assert_eq!(rig.headset.poll_timeout().map(|(_, why)| why), Some("output report refused"));
    assert_eq!(rig.wait(FIRST_RETRY), writes(&[&[0x18, 0]]));
    assert_eq!(rig.answer(true), NOTHING);
    assert!(rig.headset.is_settled());
}

#[test]
fn one_report_is_under_way_at_a_time_and_a_newer_wish_overtakes() {
    let mut rig = Rig::new(SEPARATE);
    assert_eq!(rig.wish(IN_CALL), writes(&[&[0x17, 1]]));
    assert_eq!(rig.wish(MUTED), NOTHING);
    assert_eq!(rig.wish(IDLE), NOTHING, "mute and on-line were never written: nothing to take back");
    assert_eq!(rig.answer(true), writes(&[&[0x17, 0]]));
    assert_eq!(rig.answer(true), NOTHING);
    assert!(rig.headset.is_settled());
}

#[test]
fn a_wish_that_is_newer_than_the_refused_report_is_tried_at_once() {
    let mut rig = Rig::new(SHARED);
    rig.wish(IN_CALL);
    rig.wish(MUTED);
    assert_eq!(rig.answer(false), writes(&[&[2, 0x23, 0]]));
    assert_eq!(rig.answer(false), NOTHING);
    assert_eq!(rig.wish(IN_CALL), writes(&[&[2, 0x21, 0]]));
}

#[test]
fn a_refused_report_is_written_again_even_if_the_old_state_is_wanted_again() {
    let mut rig = Rig::new(SHARED);
    rig.wish(RINGING);
    assert_eq!(rig.answer(false), NOTHING);
    assert_eq!(rig.wish(IDLE), writes(&[&[2, 0, 0]]), "nobody knows how far the refused one got");
}

#[test]
fn retries_come_later_and_later_and_never_end() {
    let mut rig = Rig::new(SHARED);
    rig.wish(RINGING);
    rig.answer(false);
    let mut waits = Vec::new();
    for _ in 0..40 {
        let refused = rig.now;
        assert_eq!(rig.next(), writes(&[&[2, 0x44, 0]]));
        waits.push(rig.now - refused);
        rig.answer(false);
    }
    assert_eq!(waits[..3], [FIRST_RETRY, FIRST_RETRY * 2, FIRST_RETRY * 4]);
    assert_eq!(waits[39], LONGEST_RETRY);
    assert!(waits.is_sorted());
}

#[test]
fn after_several_refusals_the_lights_fail_until_a_report_is_taken() {
    let mut rig = Rig::new(SEPARATE);
    rig.wish(RINGING);
    for n in 1..=REFUSALS_TOLD {
        assert!(!rig.headset.lights_fail(), "after {n} refusals less one");
        rig.answer(false);
        assert_eq!(rig.next(), writes(&[&[0x18, 1]]));
    }
    assert!(rig.headset.lights_fail());
    rig.answer(true);
    assert!(!rig.headset.lights_fail() && rig.headset.is_settled());
    assert_eq!(rig.wish(IDLE), writes(&[&[0x18, 0]]));
    assert_eq!(rig.answer(false), NOTHING);
    assert!(!rig.headset.lights_fail(), "counted anew");
}

#[test]
fn a_light_that_was_never_lit_and_is_refused_is_nothing_to_tell() {
    let mut rig = Rig::fresh(SEPARATE, &[]);
    rig.headset.rewrite_indicators(rig.now);
    assert_eq!(rig.wait(Duration::from_millis(250)), writes(&[&[0x18, 0]]));
    for _ in 0..100 {
        if rig.answer(false) == NOTHING {
            rig.next();
        }
    }
    assert!(!rig.headset.lights_fail());
    assert!(rig.headset.poll_timeout().is_some(), "it is tried all the same");
}

#[test]
fn an_unanswered_report_fails_after_a_while_and_what_is_wanted_then_follows_its_answer() {
    let mut rig = Rig::new(SHARED);
    rig.wish(RINGING);
    assert_eq!(rig.headset.poll_timeout().map(|(_, why)| why), Some("output report unanswered"));
    assert_eq!(rig.wait(WRITE_WAIT - Duration::from_millis(1)), NOTHING);
    assert!(!rig.headset.lights_fail());
    assert_eq!(rig.wait(Duration::from_millis(1)), NOTHING);
    assert!(rig.headset.lights_fail());
    assert_eq!(rig.headset.poll_timeout(), None, "nothing to do until it answers");
    assert_eq!(rig.wish(IDLE), NOTHING);
    assert!(!rig.headset.is_settled());
    assert_eq!(rig.answer(true), writes(&[&[2, 0, 0]]), "the ring it took late is put out");
    assert!(!rig.headset.lights_fail());
    assert_eq!(rig.answer(true), NOTHING);
    assert!(rig.headset.is_settled());
}

#[test]
fn a_report_refused_late_is_told_until_one_is_taken() {
    let mut rig = Rig::new(SHARED);
    rig.wish(RINGING);
    rig.wait(WRITE_WAIT);
    rig.answer(false);
    assert!(rig.headset.lights_fail(), "no news in between");
    assert_eq!(rig.wait(LONGEST_RETRY), writes(&[&[2, 0x44, 0]]));
    assert!(rig.headset.lights_fail());
    rig.answer(true);
    assert!(!rig.headset.lights_fail());
}

#[test]
fn while_paused_nothing_is_written_and_afterwards_everything() {
    let mut rig = Rig::new(SHARED);
    rig.wish(RINGING);
    rig.headset.pause();
    assert!(rig.headset.is_settled());
    assert_eq!(rig.wish(IN_CALL), NOTHING);
    assert_eq!(rig.wait(LONGEST_RETRY), NOTHING);
    rig.headset.rewrite_indicators(rig.now);
    assert_eq!(rig.outputs(), writes(&[&[2, 0x21, 0]]));
    assert_eq!(rig.answer(true), NOTHING);
    assert!(rig.headset.is_settled());
}

#[test]
fn the_answer_to_what_was_under_way_before_a_reconnect_is_owed_no_more() {
    let mut rig = Rig::new(SHARED);
    rig.wish(RINGING);
    rig.headset.rewrite_indicators(rig.now);
    assert_eq!(rig.outputs(), writes(&[&[2, 0x44, 0]]));
    assert_eq!(rig.answer(true), NOTHING);
    assert!(rig.headset.is_settled());
    assert_eq!(rig.answer(false), NOTHING, "an answer nobody waits for");
    assert!(rig.headset.is_settled());
}

#[test]
fn the_echo_of_a_report_is_awaited_from_when_it_was_taken() {
    let mut rig = Rig::new(SHARED);
    rig.wish(IN_CALL);
    rig.wait(Duration::from_secs(2));
    rig.answer(true);
    assert_eq!(rig.report(&[1, 0x01]), NOTHING, "the device lifts its hook as it was told");
    rig.wait(Duration::from_millis(400));
    assert_eq!(rig.report(&[1, 0x00]), NOTHING, "and lets go of it");
    rig.report(&[1, 0x01]);
    rig.wait(Duration::from_secs(1));
    assert_eq!(rig.report(&[1, 0x00]), event(Event::HangUp));
}

/// The report of what the device does may be here before the word that it took the write.
#[test]
fn an_echo_may_come_before_the_write_is_said_to_be_taken() {
    let mut rig = Rig::new(SHARED);
    rig.wish(IN_CALL);
    assert_eq!(rig.report(&[1, 0x01]), NOTHING, "the device lifts its hook as it was told");
    assert_eq!(rig.report(&[1, 0x00]), NOTHING, "and lets go of it");
}

#[test]
fn the_echo_of_a_mute_light_is_awaited_from_when_it_was_taken() {
    let mut rig = Rig::with_quirks(SHARED, &[Quirk::MuteEcho]);
    rig.settle(IN_CALL);
    rig.wish(MUTED);
    rig.wait(Duration::from_secs(2));
    rig.answer(true);
    assert_eq!(rig.report(&[1, 0x04]), NOTHING);
    rig.report(&[1, 0x00]);
    rig.wait(Duration::from_secs(2));
    assert_eq!(rig.report(&[1, 0x04]), event(Event::MuteToggle));
}

#[test]
fn a_hook_nobody_took_is_acknowledged_once_whatever_the_device_makes_of_it() {
    for taken in [true, false] {
        let mut rig = Rig::new(SHARED);
        assert_eq!(rig.report(&[1, 0x01]), event(Event::DialTone));
        assert_eq!(rig.wait(Duration::from_secs(1)), writes(&[&[2, 0x01, 0]]));
        assert_eq!(rig.answer(taken), writes(&[&[2, 0, 0]]));
        assert_eq!(rig.answer(true), NOTHING);
        assert!(rig.headset.is_settled());
    }
}

#[test]
fn a_hook_nobody_took_is_acknowledged_by_its_own_light_alone() {
    let mut rig = Rig::new(SEPARATE);
    assert_eq!(rig.report(&[8, 0x02]), event(Event::DialTone));
    rig.wait(Duration::from_millis(990));
    assert_eq!(rig.wish(RINGING), writes(&[&[0x18, 1]]));
    assert_eq!(rig.wait(Duration::from_millis(10)), NOTHING, "a report is under way");
    assert_eq!(rig.answer(true), writes(&[&[0x17, 1]]));
    assert_eq!(rig.answer(true), writes(&[&[0x17, 0]]));
}

#[test]
fn a_call_that_starts_while_a_hook_is_acknowledged_stays_open() {
    let mut rig = Rig::new(SHARED);
    rig.report(&[1, 0x01]);
    rig.wait(Duration::from_secs(1));
    assert_eq!(rig.wish(IN_CALL), NOTHING);
    assert_eq!(rig.answer(true), writes(&[&[2, 0x21, 0]]));
}

/// Lights by report, as a device holds them, and how it is disposed.
struct Device {
    layout: Layout,
    reports: BTreeMap<u8, Vec<u8>>,
    /// The report it has not answered yet.
    pending: Option<Vec<u8>>,
    writes: u32,
}

impl Device {
    fn take(&mut self, report: &[u8]) {
        self.reports.insert(report[0], report[1..].to_vec());
    }

    fn has_slots(&self) -> bool {
        let mute = self.layout.control(Role::Mute);
        mute.is_some_and(|control| matches!(control.selector, Selector::Array { .. }))
    }

    fn shows(&self, role: Role) -> Option<bool> {
        let control = self.layout.control(role)?;
        Some(control.read(self.reports.get(&control.report_id)?) == Some(1))
    }
}

struct Walk {
    headset: Headset,
    device: Device,
    now: Instant,
    target: Indicators,
}

impl Walk {
    /// A device whose lights a crash left as they were.
    fn new(random: &mut fastrand::Rng, start: Instant) -> Self {
        let bytes = random.choice(&layouts::ALL).expect("layouts");
        let descriptor = ReportDescriptor::parse(bytes).expect("valid");
        let layout = descriptor.layout();
        let mut device = Device { reports: BTreeMap::new(), pending: None, writes: 0, layout };
        let lights = device.layout.controls().iter().filter(|c| c.role.report_type() == ReportType::Output);
        for control in lights.cloned().collect::<Vec<_>>() {
            let len = descriptor.payload_len(ReportType::Output, control.report_id).expect("a report");
            let payload = device.reports.entry(control.report_id).or_insert_with(|| vec![0; len]);
            control.write(payload, random.bool());
        }
        let mut headset = Headset::new(descriptor, &Description::default());
        headset.rewrite_indicators(start);
        Self { headset, device, now: start, target: IDLE }
    }

    /// Hands the reports to the device; `refuse` says whether it refuses one, `stall` whether it answers later.
    fn drain(&mut self, mut refuse: impl FnMut() -> bool, mut stall: impl FnMut() -> bool) {
        while let Some(output) = self.headset.poll_output() {
            let Output::Write(report) = output else { continue };
            assert!(self.device.pending.is_none(), "a second report beside one that is not answered");
            self.device.writes += 1;
            self.device.pending = Some(report);
            if !stall() {
                self.answer(refuse());
            }
        }
    }

    fn answer(&mut self, refused: bool) {
        let Some(report) = self.device.pending.take() else { return };
        // A refused one may have been taken all the same.
        if !refused || report.len() % 2 == 0 {
            self.device.take(&report);
        }
        self.headset.written(!refused, self.now);
    }

    fn pass(&mut self, time: Duration, mut refuse: impl FnMut() -> bool, mut stall: impl FnMut() -> bool) {
        let end = self.now + time;
        while let Some((due, _)) = self.headset.poll_timeout().filter(|(due, _)| *due <= end) {
            assert!(due >= self.now || !self.headset.is_settled());
            self.now = self.now.max(due);
            self.headset.handle_timeout(self.now);
            self.drain(&mut refuse, &mut stall);
            assert!(
                self.headset.poll_timeout().is_none_or(|(at, _)| at > self.now),
                "due, called, still due"
            );
        }
        self.now = end;
    }
}

#[test]
fn once_the_device_accepts_again_its_lights_equal_the_wish() {
    let mut random = crate::seed::random();
    let start = Rig::new(SHARED).now;
    for _ in 0..400 {
        let mut walk = Walk::new(&mut random, start);
        let mut wishes = 0;
        for _ in 0..random.usize(1..60) {
            let refusing = random.u8(0..=100);
            let (mut refused, mut stalled) = (random.fork(), random.fork());
            let refuse = || refused.u8(0..100) < refusing;
            let stall = || stalled.u8(0..10) == 0;
            match random.u8(0..8) {
                0..=3 => {
                    let (off_hook, ring) = (random.bool(), random.bool());
                    // An array may have fewer slots than lights.
                    let mute = random.bool() && !walk.device.has_slots();
                    walk.target = Indicators { off_hook, ring, mute, hold: random.bool() };
                    walk.headset.set_indicators(walk.target, walk.now);
                    wishes += 1;
                }
                4 => walk.answer(random.bool()),
                5 if random.u8(0..8) == 0 => {
                    // The node goes and comes: what was under way is lost.
                    walk.headset.pause();
                    walk.device.pending = None;
                    walk.headset.rewrite_indicators(walk.now);
                    wishes += 1;
                }
                _ => {
                    let time = Duration::from_millis(random.u64(0..5000));
                    walk.pass(time, refuse, stall);
                    continue;
                }
            }
            walk.drain(refuse, stall);
        }
        // A wish has few reports, and retries thin out.
        assert!(walk.device.writes < 30 * (wishes + 2), "{} writes", walk.device.writes);
        walk.answer(false);
        walk.drain(|| false, || false);
        walk.pass(LONGEST_RETRY * 2, || false, || false);
        assert!(walk.headset.is_settled() && !walk.headset.lights_fail());
        let Indicators { off_hook, ring, mute, hold } = walk.target;
        let wanted = [
            (Role::Ring, ring),
            (Role::Ringer, ring),
            (Role::OffHook, off_hook),
            (Role::OnLine, off_hook),
            (Role::Mute, mute),
            (Role::Hold, hold),
        ];
        for (role, lit) in wanted {
            let shown = walk.device.shows(role);
            assert!(shown.is_none_or(|shown| shown == lit), "{role:?} is not {lit} at the end");
        }
    }
}

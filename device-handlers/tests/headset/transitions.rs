//! Random walks of headset and host over every layout, against invariants that hold whatever happens.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use device_handlers::headset::{Event, HOOK_ECHO_WINDOW, Indicators, Output};
use device_handlers::report::{Layout, ReportDescriptor, ReportType, Role};

use crate::{IDLE, Rig, layouts};

const WALKS: usize = 60;
const STEPS: usize = 400;

/// What was written, put together as a device would see it.
struct Device {
    descriptor: ReportDescriptor,
    layout: Layout,
    reports: BTreeMap<u8, Vec<u8>>,
}

impl Device {
    fn new(bytes: &[u8]) -> Self {
        let descriptor = ReportDescriptor::parse(bytes).expect("valid");
        Self { layout: descriptor.layout(), descriptor, reports: BTreeMap::new() }
    }

    fn take(&mut self, report: &[u8]) {
        let (id, payload) = report.split_first().expect("an id byte");
        let len = self.descriptor.payload_len(ReportType::Output, *id);
        assert_eq!(Some(payload.len()), len, "report {id} is not of full length");
        self.reports.insert(*id, payload.to_vec());
    }

    fn is_lit(&self, role: Role) -> Option<bool> {
        let control = self.layout.control(role)?;
        let payload = self.reports.get(&control.report_id);
        Some(payload.is_some_and(|payload| control.read(payload) == Some(1)))
    }

    fn assert_shows(&self, target: Indicators) {
        let expected = [
            (Role::OffHook, target.off_hook),
            (Role::OnLine, target.off_hook),
            (Role::Ring, target.ring),
            (Role::Ringer, target.ring),
            (Role::Hold, target.hold),
            (Role::Microphone, false),
        ];
        for (role, lit) in expected {
            assert!(self.is_lit(role).is_none_or(|came| came == lit), "{role:?} is not {lit}");
        }
    }
}

fn random_report(random: &mut fastrand::Rng, descriptor: &ReportDescriptor) -> Vec<u8> {
    let inputs: Vec<(u8, usize)> = descriptor
        .reports()
        .filter(|(report_type, ..)| *report_type == ReportType::Input)
        .map(|(_, id, len)| (id, len))
        .collect();
    let (id, len) = *random.choice(&inputs).expect("an input report");
    let mut report = vec![0; len];
    random.fill(&mut report);
    // Mostly one bit at a time: that is what people press.
    if random.u8(0..4) != 0 {
        report.fill(0);
        let bit = random.usize(0..len * 8);
        report[bit / 8] = 1 << (bit % 8);
    }
    if descriptor.is_numbered() {
        report.insert(0, id);
    }
    report
}

/// A host that follows the events, sometimes not.
fn follow(random: &mut fastrand::Rng, event: Event, target: Indicators) -> Indicators {
    if random.u8(0..5) == 0 {
        return target;
    }
    match event {
        Event::Answer => Indicators { off_hook: true, ring: false, ..target },
        Event::HangUp => Indicators { ring: target.ring, ..IDLE },
        Event::Reject => Indicators { ring: false, ..target },
        Event::DialTone => Indicators { off_hook: random.bool(), ..target },
        Event::HoldToggle => Indicators { hold: !target.hold, ..target },
        Event::MuteToggle => Indicators { mute: !target.mute, ..target },
        Event::MuteState(mute) => Indicators { mute, ..target },
        Event::Redial | Event::LineBusy(_) | Event::TeamsButton => target,
    }
}

fn assert_event_fits(event: Event, target: Indicators) {
    match event {
        Event::Answer => assert!(target.ring, "answered what did not ring"),
        Event::Reject => assert!(target.ring, "rejected what did not ring"),
        Event::HangUp | Event::HoldToggle => assert!(target.off_hook, "{event:?} outside a call"),
        Event::DialTone => assert!(!target.off_hook && !target.ring, "dial tone in a call"),
        Event::MuteState(muted) => assert_ne!(muted, target.mute, "adopts what is there"),
        Event::MuteToggle | Event::Redial | Event::LineBusy(_) | Event::TeamsButton => {}
    }
}

/// A walk of one rig: what the host wants, and when Off-Hook was last written.
struct Walk {
    rig: Rig,
    device: Device,
    target: Indicators,
    off_hook_at: Option<Instant>,
}

impl Walk {
    fn new(bytes: &[u8]) -> Self {
        Self { rig: Rig::new(bytes), device: Device::new(bytes), target: IDLE, off_hook_at: None }
    }

    /// Takes the writes and hands out the events.
    fn carry_out(&mut self, outputs: Vec<(Instant, Output)>) -> Vec<Event> {
        let mut events = Vec::new();
        for (at, output) in outputs {
            match output {
                Output::Write(report) => {
                    let was = self.device.is_lit(Role::OffHook);
                    self.device.take(&report);
                    if self.device.is_lit(Role::OffHook) != was {
                        self.off_hook_at = Some(at);
                    }
                }
                Output::Event(event) => {
                    assert_event_fits(event, self.target);
                    events.push(event);
                }
            }
        }
        self.device.assert_shows(self.target);
        events
    }

    fn set(&mut self, target: Indicators) {
        // A deadline that is due at this very moment still belongs to the old target.
        self.rig.headset.handle_timeout(self.rig.now);
        let late = self.rig.timed_drain();
        self.carry_out(late);
        self.target = target;
        self.rig.headset.set_indicators(target, self.rig.now);
        let outputs = self.rig.timed_drain();
        assert_eq!(self.carry_out(outputs), [], "a target makes no event");
        assert_eq!(self.rig.headset.indicators(), target);
    }

    fn press(&mut self, random: &mut fastrand::Rng) -> Vec<Event> {
        let report = random_report(random, &self.device.descriptor);
        self.rig.headset.handle_report(&report, self.rig.now).expect("a report of the descriptor");
        let outputs = self.rig.timed_drain();
        let layout = &self.device.layout;
        let hook_only = !layout.has(Role::Drop) && !layout.has(Role::Flash);
        if hook_only && self.off_hook_at.is_some_and(|at| self.rig.now < at + HOOK_ECHO_WINDOW) {
            let from_hook = |(_, output): &(Instant, Output)| {
                matches!(output, Output::Event(Event::Answer | Event::HangUp | Event::DialTone))
            };
            assert!(!outputs.iter().any(from_hook), "event from our own echo: {outputs:?}");
        }
        self.carry_out(outputs)
    }

    fn step(&mut self, random: &mut fastrand::Rng) {
        let outputs = self.rig.timed_after_ms(random.u64(0..700));
        let mut events = self.carry_out(outputs);
        match random.u8(0..10) {
            0 => self.set(Indicators { ring: !self.target.ring, ..self.target }),
            1 => self.set(Indicators { off_hook: !self.target.off_hook, hold: false, ..self.target }),
            2 => {
                self.rig.headset.rewrite_indicators(self.rig.now);
                let outputs = self.rig.timed_drain();
                events.extend(self.carry_out(outputs));
            }
            _ => events.extend(self.press(random)),
        }
        for event in events {
            let target = follow(random, event, self.target);
            self.set(target);
        }
        let due = self.rig.headset.poll_timeout();
        assert!(due.is_none_or(|(at, _)| at <= self.rig.now + Duration::from_secs(1)), "{due:?}");
    }
}

#[test]
fn random_walks_keep_the_invariants() {
    let mut random = crate::seed::random();
    for _ in 0..WALKS {
        let bytes = random.choice(&layouts::ALL).expect("layouts");
        let mut walk = Walk::new(bytes);
        for _ in 0..STEPS {
            walk.step(&mut random);
        }
    }
    println!("{WALKS} walks of {STEPS} steps");
}

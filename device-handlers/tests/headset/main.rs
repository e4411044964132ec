//! The headset against the handshake rules, byte by byte, with a hand-moved clock.
#![expect(clippy::disallowed_methods, reason = "a hand-moved clock needs an origin, a failed run its seed")]

mod baseline;
mod call;
mod decoding;
mod deviations;
mod devices;
mod explained;
mod hostile;
mod layouts;
mod lights;
mod mute;
mod presses;
mod refusals;
#[path = "../../../tests/support/seed.rs"]
mod seed;
mod transitions;

use std::time::{Duration, Instant};

use device_handlers::description::Description;
use device_handlers::headset::{BASELINE_WINDOW, Event, Headset, Indicators, Output};
use device_handlers::quirk::Quirk;
use device_handlers::report::ReportDescriptor;

const IDLE: Indicators = Indicators { off_hook: false, ring: false, mute: false, hold: false };
const RINGING: Indicators = Indicators { ring: true, ..IDLE };
const IN_CALL: Indicators = Indicators { off_hook: true, ..IDLE };
const HELD: Indicators = Indicators { hold: true, ..IN_CALL };
const MUTED: Indicators = Indicators { mute: true, ..IN_CALL };
const SECOND_RING: Indicators = Indicators { ring: true, ..IN_CALL };

/// A headset with a clock.
struct Rig {
    headset: Headset,
    now: Instant,
}

impl Rig {
    fn fresh(descriptor: &[u8], quirks: &[Quirk]) -> Self {
        let descriptor = ReportDescriptor::parse(descriptor).expect("a valid descriptor");
        let description = Description { quirks: quirks.iter().copied().collect(), ..Description::default() };
        Self { headset: Headset::new(descriptor, &description), now: Instant::now() }
    }

    /// Opened, baseline over, lights cleared.
    fn with_quirks(descriptor: &[u8], quirks: &[Quirk]) -> Self {
        let mut rig = Self::fresh(descriptor, quirks);
        rig.headset.rewrite_indicators(rig.now);
        let cleared = rig.after_ms(u64::try_from(BASELINE_WINDOW.as_millis()).expect("short"));
        assert!(cleared.iter().all(|output| matches!(output, Output::Write(_))), "{cleared:?}");
        rig.after_ms(2000);
        rig
    }

    fn new(descriptor: &[u8]) -> Self {
        Self::with_quirks(descriptor, &[])
    }

    /// Moves the clock, stopping at each deadline on the way.
    fn after_ms(&mut self, ms: u64) -> Vec<Output> {
        self.timed_after_ms(ms).into_iter().map(|(_, output)| output).collect()
    }

    fn timed_after_ms(&mut self, ms: u64) -> Vec<(Instant, Output)> {
        let end = self.now + Duration::from_millis(ms);
        let mut outputs = Vec::new();
        while let Some((due, reason)) = self.headset.poll_timeout().filter(|(due, _)| *due <= end) {
            assert!(!reason.is_empty());
            self.now = self.now.max(due);
            self.headset.handle_timeout(self.now);
            outputs.extend(self.timed_drain());
        }
        self.now = end;
        outputs
    }

    fn report(&mut self, bytes: &[u8]) -> Vec<Output> {
        self.headset.handle_report(bytes, self.now).expect("a report of the descriptor");
        self.drain()
    }

    fn set(&mut self, target: Indicators) -> Vec<Output> {
        self.headset.set_indicators(target, self.now);
        self.drain()
    }

    /// Sets the target and waits until no echo is expected any more.
    fn settle(&mut self, target: Indicators) -> Vec<Output> {
        let mut outputs = self.set(target);
        outputs.extend(self.after_ms(2000));
        outputs
    }

    fn timed_drain(&mut self) -> Vec<(Instant, Output)> {
        let now = self.now;
        self.drain().into_iter().map(|output| (now, output)).collect()
    }

    /// The device takes whatever is written at once.
    fn drain(&mut self) -> Vec<Output> {
        let mut outputs = Vec::new();
        while let Some(output) = self.headset.poll_output() {
            if matches!(output, Output::Write(_)) {
                self.headset.written(true, self.now);
            }
            outputs.push(output);
        }
        outputs
    }
}

fn event(event: Event) -> Vec<Output> {
    vec![Output::Event(event)]
}

fn writes(reports: &[&[u8]]) -> Vec<Output> {
    reports.iter().map(|report| Output::Write(report.to_vec())).collect()
}

const NOTHING: &[Output] = &[];

//! Phone Mute pulses: presses, echoes of our own Mute LED writes, and headsets that insist.

use std::time::{Duration, Instant};

/// A pulse this soon after our own write is taken for its echo.
const ECHO_WINDOW: Duration = Duration::from_millis(700);
/// Two echoes within this time after one write: the headset refuses (boom arm, hardware switch).
const LOCK_WINDOW: Duration = Duration::from_millis(1000);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MutePress {
    /// The person pressed.
    Toggle,
    /// The headset answered our write.
    Echo,
    /// The headset refuses what was written: its state is the opposite, take it.
    Adopt,
}

#[derive(Debug, Clone, Copy)]
struct Write {
    at: Instant,
    echoes: u8,
}

#[derive(Debug)]
pub(super) struct MuteGuard {
    /// Writes that answer a press are echoed as well: stated by a quirk or learned.
    echoes_answers: bool,
    write: Option<Write>,
    /// Toggle that waits for the host's answer.
    asked_at: Option<Instant>,
    /// Toggles since the headset was last quiet for [`LOCK_WINDOW`]: first and number.
    burst: Option<(Instant, u8)>,
    locked_until: Option<Instant>,
}

impl MuteGuard {
    pub(super) fn new(echoes_answers: bool) -> Self {
        Self { echoes_answers, write: None, asked_at: None, burst: None, locked_until: None }
    }

    /// The Mute LED was written with a new value.
    pub(super) fn wrote(&mut self, now: Instant) {
        if self.is_locked(now) {
            return;
        }
        let answers_press = self.asked_at.take().is_some_and(|at| within(at, now, ECHO_WINDOW));
        // A second press must not get lost on headsets that stay silent, and most do.
        self.write = (!answers_press || self.echoes_answers).then_some(Write { at: now, echoes: 0 });
    }

    /// The device has taken what was written: the echo comes after that.
    pub(super) fn took(&mut self, now: Instant) {
        if let Some(write) = self.write.as_mut().filter(|write| write.echoes == 0) {
            write.at = now;
        }
    }

    pub(super) fn press(&mut self, now: Instant) -> MutePress {
        if self.is_locked(now) {
            return MutePress::Echo;
        }
        if let Some(write) = &mut self.write {
            let window = if write.echoes == 0 { ECHO_WINDOW } else { LOCK_WINDOW };
            if within(write.at, now, window) {
                write.echoes += 1;
                return if write.echoes >= 2 { self.lock(now) } else { MutePress::Echo };
            }
            self.write = None;
        }
        // A headset that echoes each answer would toggle for ever: at the third toggle within a second it is one.
        let (first, toggles) = match self.burst {
            Some((first, toggles)) if within(first, now, LOCK_WINDOW) => (first, toggles + 1),
            _ => (now, 1),
        };
        self.burst = Some((first, toggles));
        if toggles >= 3 {
            self.echoes_answers = true;
            self.burst = None;
            // Press and echo have cancelled each other out (and three real presses come to the same): flip once.
            return self.lock(now);
        }
        self.asked_at = Some(now);
        MutePress::Toggle
    }

    fn lock(&mut self, now: Instant) -> MutePress {
        self.locked_until = Some(now + LOCK_WINDOW);
        self.write = None;
        MutePress::Adopt
    }

    fn is_locked(&mut self, now: Instant) -> bool {
        self.locked_until.take_if(|until| now >= *until);
        self.locked_until.is_some()
    }
}

fn within(at: Instant, now: Instant, window: Duration) -> bool {
    now.saturating_duration_since(at) <= window
}

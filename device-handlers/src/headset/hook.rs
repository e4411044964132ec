//! The hook switch: its level, and which of its changes are not requests.

use std::time::{Duration, Instant};

use super::HOOK_ECHO_WINDOW;

/// How long after Drop the Hook=0 that belongs to it may take.
const DROP_WINDOW: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HookChange {
    /// State 0 to 1.
    Lifted,
    /// State 1 to 0.
    Replaced,
    /// State 0 sent once more.
    PressedOnHook,
    /// One press of a hook that has no state.
    Toggled,
}

#[derive(Debug, Default)]
pub(super) struct Hook {
    /// Hook=1 as last reported; on-hook as long as nothing was reported.
    pub(super) up: bool,
    /// Whether `up` is what the device has said, or what it must be as its Off-Hook has been dark, since it was opened.
    /// One that is found off-hook and lit again has nothing to say: `up` is a guess until it does.
    pub(super) known: bool,
    /// A Hook=0 waits to be either a hang-up or the first half of a pulse.
    pub(super) pulse_until: Option<Instant>,
    /// A lifted hook waits for a call to start.
    pub(super) dial_tone_until: Option<Instant>,
    wrote_at: Option<Instant>,
    dropped_at: Option<Instant>,
}

impl Hook {
    /// Whether the level says nothing new.
    pub(super) fn is_repeat(&self, up: bool) -> bool {
        self.up == up && (up || self.known)
    }

    pub(super) fn wrote(&mut self, now: Instant) {
        self.wrote_at = Some(now);
        self.dropped_at = None;
        self.pulse_until = None;
    }

    /// The device has taken what was written: the echo comes after that.
    pub(super) fn took(&mut self, now: Instant) {
        self.wrote_at = Some(now);
    }

    pub(super) fn is_echo(&self, now: Instant) -> bool {
        self.wrote_at.is_some_and(|at| now.saturating_duration_since(at) < HOOK_ECHO_WINDOW)
    }

    pub(super) fn expect_drop(&mut self, now: Instant) {
        self.dropped_at = Some(now);
    }

    /// Whether Drop has already said what this Hook=0 says. True once.
    pub(super) fn dropped(&mut self, now: Instant) -> bool {
        self.dropped_at.take().is_some_and(|at| now.saturating_duration_since(at) < DROP_WINDOW)
    }

    /// After a reconnect nothing of the old level holds.
    pub(super) fn forget(&mut self) {
        *self = Self { wrote_at: self.wrote_at, ..Self::default() };
    }
}

//! What the headset noticed, in its own words: the second witness beside what the host believes.

use std::collections::VecDeque;
use std::time::Instant;

use serde::{Deserialize, Serialize};

const MAX_ENTRIES: usize = 2000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Normal life of a headset.
    Info,
    /// The host broke a rule of DFU 1.1 or of the report descriptor.
    Violation,
    /// The firmware was damaged by what happened.
    Broken,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEntry {
    /// Milliseconds since the headset was made.
    pub at_ms: u64,
    /// How bad it is.
    pub severity: Severity,
    /// What happened, in English.
    pub text: String,
}

#[derive(Debug)]
pub(crate) struct EventLog {
    start: Instant,
    entries: VecDeque<LogEntry>,
}

impl EventLog {
    pub(crate) fn new(now: Instant) -> Self {
        Self { start: now, entries: VecDeque::new() }
    }

    pub(crate) fn info(&mut self, now: Instant, text: impl Into<String>) {
        self.push(now, Severity::Info, text.into());
    }

    pub(crate) fn violation(&mut self, now: Instant, text: impl Into<String>) {
        self.push(now, Severity::Violation, text.into());
    }

    pub(crate) fn broken(&mut self, now: Instant, text: impl Into<String>) {
        self.push(now, Severity::Broken, format!("BROKEN: {}", text.into()));
    }

    fn push(&mut self, now: Instant, severity: Severity, text: String) {
        if self.entries.len() == MAX_ENTRIES {
            self.entries.pop_front();
        }
        let at_ms = u64::try_from(now.saturating_duration_since(self.start).as_millis()).unwrap_or(u64::MAX);
        self.entries.push_back(LogEntry { at_ms, severity, text });
    }

    pub(crate) fn entries(&self) -> Vec<LogEntry> {
        self.entries.iter().cloned().collect()
    }
}

//! What is owed to the tenant: on disk before it is sent, sent until it is taken, taken once by its id.

#[cfg(test)]
mod tests;

use super::revision::{Revised, Revision};
use super::{Delivery, Output, Owed, Record, TenantFailure};
use crate::problem::Reason;
use crate::protocol::{Detail, Problem};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Events go out at the start and then this often.
const EVENTS_EVERY: Duration = Duration::from_secs(120);
const BACKOFF_FIRST: Duration = Duration::from_secs(5);
/// A `Retry-After: 0` is no invitation to ask in a circle.
const BACKOFF_LEAST: Duration = Duration::from_secs(1);
const BACKOFF_MOST: Duration = Duration::from_secs(15 * 60);
/// Reports in one request to the shell.
const BATCH: usize = 32;
/// Events in one batch on the wire.
const EVENT_BATCH: usize = 500;
/// Events kept while the tenant cannot be reached; the oldest are given up first. Reports are never given up.
const MOST_EVENTS: usize = 10_000;
/// Refusals of one report before it is given up.
const MOST_REFUSALS: u8 = 3;
/// Reports that are known to be refused for good.
const MOST_REFUSED: usize = 64;

#[derive(Debug, Default)]
pub struct Outbox {
    owed: Revised<VecDeque<Owed>>,
    /// How many of them are no events: looked at after every input, while 10,000 events may wait.
    reports: usize,
    /// Ids that are with the shell right now.
    sent: Vec<String>,
    /// They are events, and more were waiting.
    more_events: bool,
    not_before: Option<Instant>,
    events_due: Option<Instant>,
    failures: u32,
    /// Smaller after a refusal, until the report that is refused stands alone.
    limit: Option<usize>,
    refusals: u8,
    /// Reports that were given up, by what they were about: said until the tenant takes a later one.
    refused: Revised<BTreeMap<(u8, String), Problem>>,
}

impl Outbox {
    pub fn restore(&mut self, owed: Vec<Owed>) {
        *self.owed.edit() = owed.into();
        self.count();
    }

    /// Of what people are told of it.
    pub(super) fn revision(&self) -> Revision {
        self.owed.revision().with(self.refused.revision())
    }

    pub fn len(&self) -> usize {
        self.owed.len()
    }

    /// A report that the tenant refuses for good, for people.
    pub fn refused(&self) -> Option<&Problem> {
        self.refused.values().next()
    }

    /// Whether a registration of this user has not been taken yet.
    pub fn owes_user(&self, name: &str) -> bool {
        self.owed.iter().any(|o| matches!(&o.delivery, Delivery::User(user) if user.user == name))
    }

    pub fn is_empty(&self) -> bool {
        self.owed.is_empty()
    }

    /// Written down first; a newer registration of the same thing replaces an unsent older one.
    pub fn owe(&mut self, owed: Owed, now: Instant, out: &mut VecDeque<Output>) {
        if let Some(key) = key(&owed.delivery) {
            let same = |o: &Owed| key_is(&o.delivery, &key) && !self.sent.contains(&o.id);
            let old: Vec<String> = self.owed.iter().filter(|o| same(o)).map(|o| o.id.clone()).collect();
            self.forget(&old, out);
        }
        if is_event(&owed) {
            self.events_due.get_or_insert(now + EVENTS_EVERY);
            let events = self.owed.iter().filter(|o| is_event(o)).count();
            if events >= MOST_EVENTS {
                let oldest = self.owed.iter().find(|o| is_event(o)).map(|o| o.id.clone());
                self.forget(&oldest.into_iter().collect::<Vec<_>>(), out);
            }
        }
        out.push_back(Output::Persist(Record::Owed(owed.clone())));
        self.reports += usize::from(!is_event(&owed));
        self.owed.edit().push_back(owed);
    }

    /// Sends the events that wait with the next opportunity: at the start.
    pub fn flush_events(&mut self, now: Instant) {
        self.events_due = Some(now);
    }

    /// A pause after a failure ends then at the latest.
    pub fn try_again_by(&mut self, at: Instant) {
        self.not_before = self.not_before.map(|was| was.min(at));
    }

    /// What to send now, if anything may be sent.
    pub fn next(&mut self, now: Instant) -> Option<Vec<Owed>> {
        if !self.sent.is_empty() || self.not_before.is_some_and(|at| at > now) {
            return None;
        }
        let limit = self.limit.unwrap_or(EVENT_BATCH);
        let reports = self.owed.iter().filter(|o| !is_event(o));
        let mut batch: Vec<Owed> = reports.take(limit.min(BATCH).min(self.reports)).cloned().collect();
        if batch.is_empty() && self.events_due.is_some_and(|at| at <= now) {
            batch = self.owed.iter().filter(|o| is_event(o)).take(limit).cloned().collect();
            self.events_due = None;
            self.more_events = self.owed.iter().filter(|o| is_event(o)).nth(limit).is_some();
        }
        if batch.is_empty() {
            return None;
        }
        self.sent = batch.iter().map(|o| o.id.clone()).collect();
        Some(batch)
    }

    pub fn delivered(&mut self, ids: &[String], now: Instant, out: &mut VecDeque<Output>) {
        self.sent.clear();
        self.failures = 0;
        self.limit = None;
        self.refusals = 0;
        self.not_before = None;
        if !self.refused.is_empty() {
            for taken in self.owed.iter().filter(|o| ids.contains(&o.id)) {
                self.refused.edit().remove(&about(&taken.delivery));
            }
        }
        self.forget(ids, out);
        if std::mem::take(&mut self.more_events) {
            self.events_due = Some(now);
        } else if self.owed.iter().any(is_event) {
            self.events_due.get_or_insert(now + EVENTS_EVERY);
        } else {
            self.events_due = None;
        }
    }

    /// A report that is refused for what it is would be refused for ever: it is singled out and, after
    /// [`MOST_REFUSALS`], given up with a word in the log.
    pub fn failed(&mut self, failure: &TenantFailure, now: Instant, out: &mut VecDeque<Output>) {
        let sent = std::mem::take(&mut self.sent);
        if self.owed.iter().any(|o| is_event(o) && sent.contains(&o.id)) {
            self.events_due = Some(now);
        }
        if failure.kind.is_rejection() {
            match sent.as_slice() {
                [only] => {
                    self.refusals += 1;
                    if self.refusals >= MOST_REFUSALS {
                        tracing::error!(report = %only, problem = %failure.problem, "the tenant refuses a report for good: given up");
                        self.refusals = 0;
                        self.limit = None;
                        if let Some(owed) = self.owed.iter().find(|o| o.id == *only)
                            && self.refused.len() < MOST_REFUSED
                        {
                            let problem = given_up(&owed.delivery, &failure.problem);
                            self.refused.edit().insert(about(&owed.delivery), problem);
                        }
                        self.forget(&sent, out);
                    }
                }
                several => self.limit = Some((several.len() / 2).max(1)),
            }
        }
        let backoff = BACKOFF_FIRST.saturating_mul(1 << self.failures.min(10)).min(BACKOFF_MOST);
        self.failures += 1;
        self.not_before =
            Some(now + failure.retry_after.unwrap_or(backoff).clamp(BACKOFF_LEAST, BACKOFF_MOST));
    }

    /// When something may be sent. `None` = nothing is owed, or it is on its way.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if !self.sent.is_empty() || self.owed.is_empty() {
            return None;
        }
        let at = match (self.reports > 0, self.not_before, self.events_due) {
            (true, at, _) | (false, at @ Some(_), None) => at?,
            (false, Some(at), Some(due)) => at.max(due),
            (false, None, due) => due?,
        };
        Some((at, "deliver to the tenant"))
    }

    /// Nothing is owed any more; on disk, [`Record::TenantLeft`] says so.
    pub(super) fn clear(&mut self) {
        self.owed.edit().clear();
        self.refused.edit().clear();
        *self = Self {
            owed: std::mem::take(&mut self.owed),
            refused: std::mem::take(&mut self.refused),
            ..Self::default()
        };
    }

    /// What is on its way is not answered any more: it is sent again.
    pub(super) fn unsent(&mut self, now: Instant) {
        if !std::mem::take(&mut self.sent).is_empty() {
            self.events_due.get_or_insert(now);
        }
    }

    fn count(&mut self) {
        self.reports = self.owed.iter().filter(|owed| !is_event(owed)).count();
    }

    fn forget(&mut self, ids: &[String], out: &mut VecDeque<Output>) {
        if !ids.is_empty() {
            self.owed.edit().retain(|o| !ids.contains(&o.id));
            self.count();
            out.push_back(Output::Persist(Record::Delivered(ids.to_vec())));
        }
    }
}

fn is_event(owed: &Owed) -> bool {
    matches!(owed.delivery, Delivery::Event(_))
}

/// What a report is about, for the people who are told that it was given up.
fn about(delivery: &Delivery) -> (u8, String) {
    key(delivery).unwrap_or_else(|| match delivery {
        Delivery::Update(status) => (3, status.device_id.clone()),
        _ => (4, String::new()),
    })
}

fn given_up(delivery: &Delivery, why: &Problem) -> Problem {
    let detail = match delivery {
        Delivery::Host(_) => Detail::new("report-host", "this machine"),
        Delivery::User(_) => Detail::new("report-user", "the user"),
        Delivery::Device(device) => Detail::new("report-device", format!("the headset {}", device.product))
            .with("name", &device.product),
        Delivery::Update(status) => {
            Detail::new("report-update", format!("the update of {}", status.device_id))
                .with("name", &status.device_id)
        }
        Delivery::Event(_) => Detail::new("report-event", "an event"),
    };
    let said = why.said().cloned().unwrap_or_else(|| Detail::verbatim(why.what()));
    Reason::TenantReportRefused { what: detail, said }.at(why.place())
}

/// What a registration registers; statuses and events are all kept.
fn key(delivery: &Delivery) -> Option<(u8, String)> {
    match delivery {
        Delivery::Host(_) => Some((0, String::new())),
        Delivery::User(user) => Some((1, user.user.clone())),
        Delivery::Device(device) => Some((2, device.device_id.clone())),
        Delivery::Update(_) | Delivery::Event(_) => None,
    }
}

fn key_is(delivery: &Delivery, wanted: &(u8, String)) -> bool {
    key(delivery).as_ref() == Some(wanted)
}

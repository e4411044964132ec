//! When a firmware update begins by itself, when the person is asked, and why not now: [`decide`], a function of values.
//!
//! | | begins | the person can | is asked |
//! |---|---|---|---|
//! | optional | the person | dismiss the version | never |
//! | persistent | the person; after the deadline as *automatic* | put it off for [`PAUSE_S`] | when they come and at each poll, at most once in [`PAUSE_S`] |
//! | automatic | the agent, [`NOTICE_S`] after a notice, whether or not somebody is there | put it off for [`PAUSE_S`], as often as the policy says | before each beginning |
//! | silent | the agent, in the window, at a time in its first [`SPREAD_S`] that is the computer's own | nothing | never |
//!
//! None of them begins, and nobody is asked, while a headset of this computer is in a call. What failed is tried again a
//! day later (in the next window), after the third time in a row a week later.

use crate::protocol::{Next, WaitsFor};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use tenant::policy::{Deployment, FirmwarePolicy};

/// Between two questions, and after one was put off.
pub const PAUSE_S: u64 = 4 * 3600;
/// Between the notice and the beginning.
pub const NOTICE_S: u64 = 60;
/// Failures in a row after which there is more time between two tries, and the company is told.
pub const MOST_FAILURES: u8 = 3;
/// The computers of a company begin within this from the beginning of a window (within half of it, where that is less),
/// each at its own time: all at once would ask the tenant for all packages at once.
pub const SPREAD_S: u64 = 1800;
/// Longest hold of what could not be begun.
pub const MOST_HELD_S: u64 = 3600;
const DAY_S: u64 = 24 * 3600;
const WEEK_S: u64 = 7 * DAY_S;

/// What the policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub deployment: Deployment,
    pub deadline_s: Option<u64>,
    pub deferrals: u8,
    /// In minutes after midnight.
    pub window: (u16, u16),
}

impl Rule {
    pub fn of(firmware: &FirmwarePolicy) -> Self {
        Self {
            deployment: firmware.deployment,
            deadline_s: firmware.deadline_s(),
            deferrals: firmware.deferrals(),
            window: firmware.window_minutes(),
        }
    }

    /// What it is by now.
    pub fn deployment(&self, now_s: u64) -> Deployment {
        match (self.deployment, self.deadline_s) {
            (Deployment::Persistent, Some(deadline)) if deadline <= now_s => Deployment::Automatic,
            (deployment, _) => deployment,
        }
    }
}

/// What became of an offer so far. Kept on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    pub offer: String,
    pub version: String,
    /// How often it was put off since it begins by itself.
    pub deferrals: u8,
    pub deferred_s: Option<u64>,
    pub asked_s: Option<u64>,
    /// In a row.
    pub failures: u8,
    pub failed_s: Option<u64>,
}

impl Past {
    /// It was put off, and is until then.
    pub fn deferred_until(&self, now_s: u64) -> Option<u64> {
        let at = self.deferred_s.filter(|at| *at <= now_s)?;
        Some(at + PAUSE_S).filter(|until| *until > now_s)
    }

    /// Without what the clock, when it was wrong, has dated later than now: nobody waits for that.
    fn until(&self, now_s: u64) -> Self {
        let passed = |at: Option<u64>| at.filter(|at| *at <= now_s);
        let Self { deferred_s, asked_s, failed_s, .. } = *self;
        let (deferred_s, asked_s, failed_s) = (passed(deferred_s), passed(asked_s), passed(failed_s));
        Self { deferred_s, asked_s, failed_s, ..self.clone() }
    }
}

impl Situation<'_> {
    /// The same of what is known in this run.
    fn until(&self) -> Self {
        let passed = |at: Option<u64>| at.filter(|at| *at <= self.now_s);
        let held_until_s = self.held_until_s.filter(|until| *until <= self.now_s + MOST_HELD_S);
        let (announced_s, calm_since_s) = (passed(self.announced_s), passed(self.calm_since_s));
        Self { announced_s, held_until_s, calm_since_s, ..*self }
    }
}

/// How things are.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    pub now_s: u64,
    pub zone: &'a TimeZone,
    /// Where this computer is among those of its company: see [`place`].
    pub place: u16,
    /// A person is at the seat.
    pub somebody: bool,
    /// A headset of this computer is in a call.
    pub call: bool,
    /// What else an update that begins by itself has to wait for, nobody knows how long.
    pub kept: Option<WaitsFor>,
    /// When whoever is at the seat was told that it begins.
    pub announced_s: Option<u64>,
    /// It could not be begun: not before this.
    pub held_until_s: Option<u64>,
    /// When somebody came last, or the company was asked.
    pub occasion_s: Option<u64>,
    /// When the last program came to the seat or left it, or the clock was set: whoever is in a call says so within
    /// [`NOTICE_S`] after it.
    pub calm_since_s: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The person begins it, and is asked now.
    Ask,
    /// The person begins it.
    Leave(Option<Next>),
    /// Whoever is there is told that it begins, then it is waited for.
    Announce,
    Begin,
    Wait(Next),
}

pub fn decide(rule: &Rule, past: &Past, is: &Situation<'_>) -> Decision {
    let past = &past.until(is.now_s);
    let is = &is.until();
    match rule.deployment(is.now_s) {
        Deployment::Optional => Decision::Leave(None),
        Deployment::Persistent => persistent(rule, past, is),
        Deployment::Automatic => automatic(past, is),
        Deployment::Silent => silent(rule, past, is),
    }
}

fn wait(at_s: u64, waits_for: WaitsFor) -> Next {
    Next { at_s: Some(at_s), waits_for }
}

/// What stands in the way of a beginning, and will be over at a time that nobody knows.
fn kept(is: &Situation<'_>) -> Option<Decision> {
    let waits_for = is.call.then_some(WaitsFor::Call).or(is.kept)?;
    Some(Decision::Wait(Next { at_s: None, waits_for }))
}

fn persistent(rule: &Rule, past: &Past, is: &Situation<'_>) -> Decision {
    let deferred = past.deferred_until(is.now_s);
    let deadline = rule.deadline_s.map(|at| wait(at, WaitsFor::Deadline));
    if let Some(until) = deferred {
        // Whichever comes first is said.
        let sooner = deadline.filter(|deadline| deadline.at_s < Some(until));
        return Decision::Leave(sooner.or(Some(wait(until, WaitsFor::Deferral))));
    }
    let occasion = |at: u64| is.occasion_s.is_some_and(|occasion| occasion > at);
    let asked = past.asked_s.is_some_and(|at| at + PAUSE_S > is.now_s || !occasion(at));
    if is.somebody && !is.call && !asked {
        return Decision::Ask;
    }
    Decision::Leave(deadline)
}

fn automatic(past: &Past, is: &Situation<'_>) -> Decision {
    let deferred = past.deferred_s.map(|at| (at + PAUSE_S, WaitsFor::Deferral));
    let failed = past.failed_s.map(|at| (at + retry_after(past.failures), WaitsFor::Retry));
    let held = is.held_until_s.map(|until| (until, WaitsFor::Retry));
    let latest = [deferred, failed, held].into_iter().flatten().max_by_key(|(until, _)| *until);
    if let Some((until, why)) = latest.filter(|(until, _)| *until > is.now_s) {
        return Decision::Wait(wait(until, why));
    }
    if let Some(waits) = kept(is) {
        return waits;
    }
    match is.announced_s.map(|at| at + NOTICE_S) {
        // Also with nobody there: whoever is about to come is told anew.
        None => Decision::Announce,
        Some(at) if at > is.now_s => Decision::Wait(wait(at, WaitsFor::Notice)),
        Some(_) => Decision::Begin,
    }
}

fn silent(rule: &Rule, past: &Past, is: &Situation<'_>) -> Decision {
    // One try in each window; after the third one in a row that failed, one a week.
    let not_before = match past.failed_s {
        None => is.now_s,
        Some(at) if past.failures < MOST_FAILURES => end_of_window_at(rule, at, is.zone),
        Some(at) => end_of_window_at(rule, at, is.zone) + WEEK_S - DAY_S,
    };
    let cancelled = past.deferred_s.map_or(0, |at| at + PAUSE_S);
    let calm = is.calm_since_s.map_or(0, |at| at + NOTICE_S);
    let from_s =
        [not_before, cancelled, calm, is.held_until_s.unwrap_or(0)].into_iter().fold(is.now_s, u64::max);
    let Some((start, end)) = window_from(rule.window, from_s, is.zone) else {
        // The calendar has an end.
        return Decision::Leave(None);
    };
    let spread = SPREAD_S.min((end - start) / 2);
    let at = (start + spread * u64::from(is.place) / 65_536).max(from_s);
    if at > is.now_s {
        let why = if past.failed_s.is_some() { WaitsFor::Retry } else { WaitsFor::Window };
        return Decision::Wait(wait(at, why));
    }
    kept(is).unwrap_or(Decision::Begin)
}

/// A place among computers: the same for a SystemID each time, and evenly spread over many (FNV-1a, folded; nothing hangs
/// on that nobody can choose it).
pub fn place(system_id: &str) -> u16 {
    let hash = system_id
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 16) as u16 ^ hash as u16
}

fn retry_after(failures: u8) -> u64 {
    if failures < MOST_FAILURES { DAY_S } else { WEEK_S }
}

/// The end of the window that this point in time is in, or this point.
fn end_of_window_at(rule: &Rule, at_s: u64, zone: &TimeZone) -> u64 {
    match window_from(rule.window, at_s, zone) {
        Some((start, end)) if start <= at_s => end,
        _ => at_s,
    }
}

/// The window that this point in time is in, else the next one; in Unix seconds. A time of day that the clock passes
/// twice, or not at all, is taken so that the window is longer: no day is without one.
fn window_from(window: (u16, u16), from_s: u64, zone: &TimeZone) -> Option<(u64, u64)> {
    let now = Timestamp::from_second(i64::try_from(from_s).ok()?).ok()?;
    let today = zone.to_datetime(now).date();
    (-1..=2).find_map(|days| {
        let day = today.checked_add(days.days()).ok()?;
        let (start, end) = bounds(window, day, zone)?;
        (end > from_s).then_some((start, end))
    })
}

fn bounds((from, until): (u16, u16), day: Date, zone: &TimeZone) -> Option<(u64, u64)> {
    let last = if until > from { day } else { day.tomorrow().ok()? };
    let start = zone.to_ambiguous_timestamp(day.to_datetime(time(from)?)).earlier().ok()?;
    let end = zone.to_ambiguous_timestamp(last.to_datetime(time(until)?)).later().ok()?;
    Some((u64::try_from(start.as_second()).ok()?, u64::try_from(end.as_second()).ok()?))
}

fn time(minute: u16) -> Option<Time> {
    Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests;

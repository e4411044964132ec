//! Output reports from two shadows: what the lights should show, and what the device has taken. A device cannot be
//! asked what it shows, a report carries several lights, and a write can be refused or stay unanswered.
//!
//! One report is under way at a time. What was refused is tried again, later and later, and does not hold up the
//! other reports; a newer wish overtakes an older one that was not taken.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Indicators;
use crate::description::Description;
use crate::quirk::Quirk;
use crate::report::{Control, Layout, ReportDescriptor, ReportType, Role};

/// Before a refused report is tried again; twice as long after each further refusal.
pub const FIRST_RETRY: Duration = Duration::from_millis(50);
/// The longest wait before a refused report is tried again. It is tried for as long as it is wanted: a light that
/// stays on is worth a wake-up a minute.
pub const LONGEST_RETRY: Duration = Duration::from_mins(1);
/// Refusals in a row after which [`super::Headset::lights_fail`] says so.
pub const REFUSALS_TOLD: u32 = 5;
/// How long a device may take for one report. The Linux kernel itself gives up after five seconds.
pub const WRITE_WAIT: Duration = Duration::from_secs(3);

#[derive(Debug)]
struct Light {
    control: Control,
    /// Whether it is to be lit.
    lit: bool,
}

#[derive(Debug)]
struct Report {
    /// As it is to be, id byte first.
    wanted: Vec<u8>,
    /// As the device took it last.
    taken: Vec<u8>,
    /// Whether `taken` is what the device shows: not after a refusal, for nobody knows how far it got.
    sure: bool,
    refusals: u32,
    retry_at: Option<Instant>,
}

impl Report {
    fn is_due(&self, now: Instant) -> bool {
        self.is_open() && self.retry_at.is_none_or(|at| at <= now)
    }

    /// The device does not show what is wanted, as far as is known.
    fn is_open(&self) -> bool {
        !self.sure || self.wanted != self.taken
    }

    /// Whether somebody can see that it is not as it should be.
    fn shows(&self) -> bool {
        let lit = |report: &[u8]| report.iter().skip(1).any(|byte| *byte != 0);
        lit(&self.wanted) || lit(&self.taken)
    }
}

/// A report on its way, and what it will have changed.
#[derive(Debug, Clone)]
struct UnderWay {
    report_id: u8,
    bytes: Vec<u8>,
    until: Instant,
    late: bool,
    echoes: Echoes,
}

/// What a report that was taken says of the device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Those it can still bring.
    pub(super) echoes: Echoes,
    /// Its Off-Hook is dark now.
    pub(super) on_hook: bool,
}

/// Which echoes a report can bring.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Echoes {
    pub(super) off_hook: bool,
    pub(super) mute: bool,
}

#[derive(Debug)]
pub(super) struct Lights {
    /// In the order of [`Role`].
    lights: Vec<Light>,
    reports: BTreeMap<u8, Report>,
    under_way: Option<UnderWay>,
    /// Off-Hook is lit for one report, to acknowledge a hook that nobody took.
    acknowledging: bool,
    /// Nothing is written: the node is not open, or a firmware job has the device.
    paused: bool,
}

impl Lights {
    pub(super) fn new(descriptor: &ReportDescriptor, layout: &Layout, description: &Description) -> Self {
        let usable = |control: &&Control| match control.role {
            Role::Microphone => description.has(Quirk::MicrophoneLedIsMute),
            Role::OffHook => !description.has(Quirk::OffHookLedIsMessageWaiting),
            role => role.report_type() == ReportType::Output,
        };
        let lights: Vec<Light> = layout
            .controls()
            .iter()
            .filter(usable)
            .map(|control| Light { control: control.clone(), lit: false })
            .collect();
        let mut reports = BTreeMap::new();
        for Light { control, .. } in &lights {
            let payload_len = descriptor.payload_len(ReportType::Output, control.report_id).unwrap_or(0);
            let mut dark = vec![0; 1 + payload_len];
            dark[0] = control.report_id;
            let report =
                Report { wanted: dark.clone(), taken: dark, sure: true, refusals: 0, retry_at: None };
            reports.insert(control.report_id, report);
        }
        Self { lights, reports, under_way: None, acknowledging: false, paused: false }
    }

    pub(super) fn has(&self, role: Role) -> bool {
        self.lights.iter().any(|light| light.control.role == role)
    }

    /// Sets what is to be shown.
    pub(super) fn want(&mut self, target: Indicators, hold_clears_off_hook: bool) {
        for Light { control, lit } in &mut self.lights {
            let on = match control.role {
                Role::Ring | Role::Ringer => target.ring,
                Role::OffHook => {
                    self.acknowledging || target.off_hook && !(target.hold && hold_clears_off_hook)
                }
                Role::OnLine => target.off_hook,
                Role::Mute | Role::Microphone => target.mute,
                Role::Hold => target.hold,
                _ => false,
            };
            let Some(report) = self.reports.get_mut(&control.report_id).filter(|_| *lit != on) else {
                continue;
            };
            *lit = on;
            if let Some((_, payload)) = report.wanted.split_first_mut() {
                control.write(payload, on);
            }
            // What is new is tried at once.
            report.retry_at = None;
        }
    }

    /// Lights Off-Hook until the device has taken it.
    pub(super) fn acknowledge(&mut self) {
        self.acknowledging = true;
    }

    /// What was under way is lost, and what the device took before, too.
    pub(super) fn reconnected(&mut self) {
        self.under_way = None;
        self.doubt_all();
    }

    /// The device may show anything; every report is due.
    pub(super) fn doubt_all(&mut self) {
        for report in self.reports.values_mut() {
            report.sure = false;
            report.refusals = 0;
            report.retry_at = None;
        }
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
        self.acknowledging = false;
        if let Some(report) = self.under_way.take().and_then(|w| self.reports.get_mut(&w.report_id)) {
            report.sure = false;
        }
    }

    pub(super) fn unpause(&mut self) {
        self.paused = false;
    }

    /// The report to be written now, if one is due and none is under way: the first in the order of [`Role`].
    pub(super) fn next(&mut self, now: Instant) -> Option<(Vec<u8>, Echoes)> {
        if self.paused || self.under_way.is_some() {
            return None;
        }
        let due = |id: &u8| self.reports.get(id).is_some_and(|report| report.is_due(now));
        let report_id = self.lights.iter().map(|light| light.control.report_id).find(due)?;
        let echoes = self.echoes(report_id);
        let bytes = self.reports.get(&report_id)?.wanted.clone();
        let until = now + WRITE_WAIT;
        self.under_way = Some(UnderWay { report_id, bytes: bytes.clone(), until, late: false, echoes });
        Some((bytes, echoes))
    }

    /// A light that is lit, or that changes. Clearing one that is off provokes no echo: a press right after opening
    /// must count.
    fn echoes(&self, report_id: u8) -> Echoes {
        let Some(report) = self.reports.get(&report_id) else { return Echoes::default() };
        let moves = |role: Role| {
            let of_role = |control: &&Control| control.role == role && control.report_id == report_id;
            self.lights.iter().map(|light| &light.control).find(of_role).is_some_and(|control| {
                let (wanted, taken) = (is_lit(control, &report.wanted), is_lit(control, &report.taken));
                wanted != taken || (wanted && !report.sure)
            })
        };
        Echoes { off_hook: moves(Role::OffHook), mute: moves(Role::Mute) || moves(Role::Microphone) }
    }

    /// What became of the report under way; nothing if it was refused.
    pub(super) fn written(&mut self, taken: bool, now: Instant) -> Taken {
        let Some(UnderWay { report_id, bytes, echoes, .. }) = self.under_way.take() else {
            return Taken::default();
        };
        let mut off_hook = self.lights.iter().map(|light| &light.control);
        let off_hook = off_hook.find(|c| c.role == Role::OffHook && c.report_id == report_id);
        let off_hook = off_hook.map(|control| is_lit(control, &bytes));
        if off_hook == Some(true) {
            // Of a refused one, too: it would come too late.
            self.acknowledging = false;
        }
        let Some(report) = self.reports.get_mut(&report_id) else { return Taken::default() };
        if taken {
            (report.taken, report.sure) = (bytes, true);
            (report.refusals, report.retry_at) = (0, None);
            return Taken { echoes, on_hook: off_hook == Some(false) };
        }
        report.sure = false;
        let wait = FIRST_RETRY.saturating_mul(1 << report.refusals.min(16)).min(LONGEST_RETRY);
        report.refusals = report.refusals.saturating_add(1);
        // A wish that is newer than what was refused is tried at once.
        report.retry_at = (report.wanted == bytes).then(|| now + wait);
        Taken::default()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        let Some(under_way) = self.under_way.as_mut().filter(|w| !w.late && w.until <= now) else { return };
        under_way.late = true;
        if let Some(report) = self.reports.get_mut(&under_way.report_id) {
            report.refusals = report.refusals.max(REFUSALS_TOLD);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if self.paused {
            return None;
        }
        if let Some(under_way) = &self.under_way {
            return (!under_way.late).then_some((under_way.until, "output report unanswered"));
        }
        let retries = self.reports.values().filter(|report| report.is_open()).filter_map(|r| r.retry_at);
        retries.min().map(|at| (at, "output report refused"))
    }

    /// Reports are refused again and again, or one stays unanswered, and it can be seen.
    pub(super) fn fail(&self) -> bool {
        let late = self.under_way.as_ref().is_some_and(|w| w.late);
        late || self.reports.values().any(|r| r.refusals >= REFUSALS_TOLD && !r.sure && r.shows())
    }

    /// Nothing is under way and nothing waits.
    pub(super) fn settled(&self) -> bool {
        self.paused || (self.under_way.is_none() && !self.reports.values().any(Report::is_open))
    }
}

fn is_lit(control: &Control, report: &[u8]) -> bool {
    report.split_first().and_then(|(_, payload)| control.read(payload)).is_some_and(|value| value != 0)
}

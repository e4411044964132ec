//! One firmware job at a time: fetch, verify, gate, write, wait for the device, believe only what it reports.

use super::{
    Archive, FailureKind, JobId, JournalEntry, Output, Record, Sha256, Source, TenantFailure, UsbRequest,
    Verified,
};
use crate::protocol::{Job, JobPhase, Offer, Outcome, Problem, Stop, ToUser};
use device_handlers::description::Description;
use dfu::Machine;
use dfu::usb_dfu::{self, DeviceNow, Failure, Input, Phase, TransferError, UsbIdentity, Verdict};
pub use plan::job_of;
use problems::refused_package;
use running::Running;
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

pub(super) mod phase;
mod plan;
mod problems;
mod running;

/// A reset takes it off the bus for so long at most; then somebody pulled it out.
const RESET_TIME: Duration = Duration::from_secs(3);
/// Times a package is asked for when the tenant refuses the credential.
const MOST_FETCHES: u8 = 3;

/// The device as it was when the job began, or as the journal remembers it.
#[derive(Clone, Debug)]
pub struct Target {
    pub runtime: UsbIdentity,
    pub description: Description,
    /// For the journal: how the headset calls itself.
    pub vendor: String,
    pub product: String,
}

#[derive(Debug, Default)]
pub struct Update {
    running: Option<Running>,
    last: Option<Job>,
    /// How many jobs there were.
    begun: u64,
    /// The devices sleep with the machine: what is waited for is waited for awake.
    slept: Duration,
}

/// What [`Update`] has to say to the rest of the machine role after a step.
#[derive(Debug, PartialEq)]
pub struct Finished {
    pub job: Job,
    pub policy: String,
    pub outcome: Outcome,
    /// The version that was read back, if one was.
    pub read_back: Option<String>,
    /// What becomes of the device's entry in the journal.
    pub journal: Entry,
    /// The package could not be had just now.
    pub starved: bool,
}

/// A device's entry in the journal after a job.
#[derive(Debug, PartialEq)]
pub enum Entry {
    /// The job has written none.
    Untouched,
    Cleared,
    /// The device still needs its firmware, or what it says later may correct the verdict.
    Kept(Box<JournalEntry>),
}

impl Update {
    /// What is known of the last job: a verdict that is corrected, or why one that waited was not begun.
    pub fn correct(&mut self, job: Job) {
        self.last = Some(job);
    }

    pub fn job(&self) -> Option<&Job> {
        self.running.as_ref().map(|r| &r.job).or(self.last.as_ref())
    }

    /// The one that runs.
    pub fn id(&self) -> Option<JobId> {
        self.running.as_ref().map(|r| r.id)
    }

    pub fn device(&self) -> Option<&str> {
        self.running.as_ref().map(|r| r.job.device.as_str())
    }

    /// How long the machine has slept in all.
    pub fn slept(&mut self, total: Duration) {
        self.slept = total;
    }

    pub fn port(&self) -> Option<&str> {
        self.running.as_ref().map(|r| r.target.runtime.port.as_str())
    }

    /// Begins: the package is asked for, nothing has touched the device yet.
    pub fn start(&mut self, offer: &Offer, target_name: &str, target: Target, out: &mut VecDeque<Output>) {
        let job = Job {
            offer: offer.id.clone(),
            device: offer.device.clone(),
            name: offer.name.clone(),
            from_version: offer.from_version.clone(),
            to_version: offer.to_version.clone(),
            ..Job::default()
        };
        let sources = VecDeque::from([Source::Tenant { target: target_name.to_owned() }]);
        self.run(job, &offer.policy, target_name, target, sources, None, out);
    }

    /// Continues what a crash or a shutdown interrupted, with the package of the first of `sources` that has one.
    pub fn resume(
        &mut self,
        entry: &JournalEntry,
        sources: VecDeque<Source>,
        target: Target,
        out: &mut VecDeque<Output>,
    ) {
        tracing::info!(device = %entry.device, phase = %entry.phase, "continuing an interrupted firmware update");
        self.run(job_of(entry), &entry.policy, &entry.target, target, sources, Some(entry.phase), out);
        if let Some(running) = &mut self.running {
            running.package = entry.package;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a job, from its two beginnings")]
    fn run(
        &mut self,
        job: Job,
        policy: &str,
        target_name: &str,
        target: Target,
        sources: VecDeque<Source>,
        resume: Option<Phase>,
        out: &mut VecDeque<Output>,
    ) {
        out.push_back(Output::news(ToUser::JobChanged { job: Some(job.clone()) }));
        self.begun += 1;
        self.running = Some(Running {
            id: JobId(self.begun),
            job,
            policy: policy.to_owned(),
            target_name: target_name.to_owned(),
            target,
            sources,
            asked: false,
            refusal: None,
            package: None,
            dfu: None,
            component: String::new(),
            resume,
            journalled: resume,
            percent_told: 0,
            fetches: 0,
            unjournalled: false,
            gone_since: None,
            begun: false,
        });
    }

    /// Where the running job's package is to be looked for next.
    pub fn wants(&self) -> Option<&Source> {
        self.running.as_ref().filter(|r| r.dfu.is_none() && !r.asked)?.sources.front()
    }

    /// Only the tenant can help.
    pub fn awaits_tenant(&self) -> bool {
        matches!(self.wants(), Some(Source::Tenant { .. }))
    }

    /// Asks the shell for it.
    pub fn fetch(&mut self, keep: BTreeSet<Sha256>, out: &mut VecDeque<Output>) {
        let Some(from) = self.wants().cloned() else { return };
        if let Some(running) = &mut self.running {
            running.asked = true;
            out.push_back(Output::Fetch { job: running.id, from, keep });
        }
    }

    /// The job of a fetch; what comes for one that has ended meanwhile is nobody's.
    fn fetching(&mut self, job: JobId) -> Option<&mut Running> {
        self.running.as_mut().filter(|r| r.id == job && r.asked)
    }

    pub fn fetch_progress(
        &mut self,
        job: JobId,
        done_bytes: u64,
        total_bytes: u64,
        out: &mut VecDeque<Output>,
    ) {
        if self.fetching(job).is_some() {
            self.tell(JobPhase::Fetching, done_bytes, total_bytes, out);
        }
    }

    /// `None` = it is asked for again, with a new credential or elsewhere.
    pub fn fetch_failed(
        &mut self,
        job: JobId,
        failure: TenantFailure,
        out: &mut VecDeque<Output>,
    ) -> Option<Finished> {
        let running = self.fetching(job)?;
        running.asked = false;
        running.fetches += 1;
        if failure.kind == FailureKind::Unauthorized && running.fetches < MOST_FETCHES {
            return None;
        }
        let failure = match running.sources.pop_front() {
            Some(Source::Kept(_)) => running.refusal.take().unwrap_or(failure),
            _ => failure,
        };
        if !running.sources.is_empty() {
            running.refusal = Some(failure);
            return None;
        }
        // An interrupted job stays in the journal: the package may come another time.
        let starved = running.resume.is_some();
        let finished = self.finish(Outcome::Failed { problem: failure.problem }, None, starved, out)?;
        Some(Finished { starved, ..finished })
    }

    /// Without a credential there is no package from the tenant: a person hears so at once, an interrupted job does
    /// with the one that is here, or waits.
    pub fn enrolment_failed(
        &mut self,
        failure: &TenantFailure,
        out: &mut VecDeque<Output>,
    ) -> Option<Finished> {
        if !self.awaits_tenant() {
            return None;
        }
        let running = self.running.as_mut()?;
        if running.resume.is_none() {
            return self.finish(Outcome::Failed { problem: failure.problem.clone() }, None, false, out);
        }
        if running.sources.len() > 1 {
            running.sources.pop_front();
            running.refusal = Some(failure.clone());
        }
        None
    }

    /// `None` also where another source may have a package that fits.
    pub fn fetched(
        &mut self,
        job: JobId,
        archive: &Verified<Archive>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Option<Finished> {
        let awake = now - self.slept;
        let Some(running) = self.fetching(job) else {
            // It was on its way when its job ended.
            out.push_back(Output::JobEnded(job));
            return None;
        };
        running.asked = false;
        let archive = archive.get();
        let resumed = running.resume.is_some();
        let opened = plan::plan(archive, &running.job, &running.target, running.resume);
        match opened.and_then(|plan::Planned { method, plan, component }| {
            let refused = |error| refused_package(&running.target_name, &error, resumed);
            Ok((Machine::new(method, plan, awake).map_err(refused)?, component))
        }) {
            Ok((dfu, component)) => {
                running.component = component;
                running.package = Some(archive.fingerprint);
                running.dfu = Some(dfu);
                out.push_back(Output::KeepAwake(true));
                self.drain(out)
            }
            Err(problem) => {
                running.sources.pop_front();
                if !running.sources.is_empty() {
                    tracing::warn!(%problem, "another package is looked for");
                    return None;
                }
                // What was begun before is not undone by a package that does not fit.
                self.finish(Outcome::Failed { problem }, None, resumed, out)
            }
        }
    }

    /// An answer that comes late, to a job that has ended, is nobody's.
    pub fn completed(
        &mut self,
        job: JobId,
        result: Result<Vec<u8>, TransferError>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Option<Finished> {
        if self.id() != Some(job) {
            return None;
        }
        if result == Err(TransferError::NoDevice) {
            self.gone(now);
        }
        self.input(Input::Completed(result), now, out)
    }

    pub fn arrived(
        &mut self,
        usb: UsbIdentity,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Option<Finished> {
        self.input(Input::Arrived(usb), now, out)
    }

    pub fn left(&mut self, port: String, now: Instant, out: &mut VecDeque<Output>) -> Option<Finished> {
        if self.port() == Some(&port) {
            self.gone(now);
        }
        self.input(Input::Left { port }, now, out)
    }

    /// The device has left the bus in the middle of it.
    fn gone(&mut self, now: Instant) {
        if let Some(running) = &mut self.running {
            let writing = matches!(running.journalled, Some(Phase::Preparing | Phase::Downloading { .. }));
            if running.dfu.is_some() && writing {
                running.gone_since.get_or_insert(now);
            }
        }
    }

    /// `None` = nothing runs.
    pub fn cancel(&mut self, now: Instant, out: &mut VecDeque<Output>) -> Option<Option<Finished>> {
        let running = self.running.as_mut()?;
        if running.dfu.is_some() {
            if !running.job.cancelling {
                running.job.cancelling = true;
                out.push_back(Output::news(ToUser::JobChanged { job: Some(running.job.clone()) }));
            }
            return Some(self.input(Input::Cancel, now, out));
        }
        if running.unjournalled {
            let keep = running.resume.is_some();
            let device = if keep { DeviceNow::Unseen } else { DeviceNow::Runtime };
            let problem = problems::unjournalled(running.job.device.clone(), device);
            return Some(self.finish(Outcome::Failed { problem }, None, keep, out));
        }
        let problem = Problem::new(
            "update-cancelled",
            "The update was cancelled before anything was sent to the device",
            running.job.device.clone(),
            "Start it again whenever it suits.",
        );
        let keep = running.resume.is_some();
        Some(self.finish(Outcome::Failed { problem }, None, keep, out))
    }

    /// Like [`Update::cancel`], because the journal cannot be written.
    pub fn cannot_journal(&mut self, now: Instant, out: &mut VecDeque<Output>) -> Option<Option<Finished>> {
        self.running.as_mut()?.unjournalled = true;
        self.cancel(now, out)
    }

    pub fn handle_timeout(&mut self, now: Instant, out: &mut VecDeque<Output>) -> Option<Finished> {
        let running = self.running.as_mut()?;
        let gone = running.gone_since.is_some_and(|since| since + RESET_TIME <= now);
        if gone {
            running.gone_since = None;
            if running.journalled == Some(Phase::WaitingForDfu) {
                let (done_bytes, total_bytes) = (running.job.done_bytes, running.job.total_bytes);
                self.tell(JobPhase::WaitingForReplug, done_bytes, total_bytes, out);
            }
        }
        let awake = now - self.slept;
        let dfu = self.running.as_mut()?.dfu.as_mut()?;
        if dfu.poll_timeout().is_none_or(|(at, _)| at > awake) {
            return None;
        }
        dfu.handle_timeout(awake);
        self.drain(out)
    }

    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let running = self.running.as_ref()?;
        let gone = running.gone_since.map(|since| (since + RESET_TIME, "a headset that was pulled out"));
        let dfu = running.dfu.as_ref()?.poll_timeout().map(|(awake, reason)| (awake + self.slept, reason));
        [dfu, gone].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn input(&mut self, input: Input, now: Instant, out: &mut VecDeque<Output>) -> Option<Finished> {
        let awake = now - self.slept;
        self.running.as_mut()?.dfu.as_mut()?.handle(input, awake);
        self.drain(out)
    }

    fn drain(&mut self, out: &mut VecDeque<Output>) -> Option<Finished> {
        loop {
            let running = self.running.as_mut()?;
            match running.dfu.as_mut()?.poll_output()? {
                usb_dfu::Output::Open { port, interface } => {
                    running.gone_since = None;
                    running.ask(UsbRequest::Open { port, interface }, out);
                }
                usb_dfu::Output::Control(transfer) => running.ask(UsbRequest::Control(transfer), out),
                usb_dfu::Output::Reset => running.ask(UsbRequest::Reset, out),
                usb_dfu::Output::Close => running.ask(UsbRequest::Close, out),
                usb_dfu::Output::Journal(phase) => {
                    tracing::info!(device = %running.job.device, %phase, "firmware update");
                    if running.begun && phase == Phase::Preparing {
                        running.job.retries += 1;
                    }
                    running.begun |= matches!(phase, Phase::Downloading { .. });
                    running.journalled = Some(phase);
                    let entry = running.journal(phase);
                    out.push_back(Output::Persist(Record::Journal(entry)));
                    // The bus is about to change; do not rely on a hot-plug notice alone.
                    if matches!(phase, Phase::WaitingForDfu | Phase::WaitingForRuntime) {
                        out.push_back(Output::Scan { usb: true });
                    }
                }
                usb_dfu::Output::Progress { done_bytes, total_bytes, phase } => {
                    self.tell(phase::shown(phase), done_bytes, total_bytes, out);
                }
                usb_dfu::Output::Finished(verdict) => return self.verdict(&verdict, out),
            }
        }
    }

    fn verdict(&mut self, verdict: &Verdict, out: &mut VecDeque<Output>) -> Option<Finished> {
        let running = self.running.as_ref()?;
        let (place, stopped) = (running.job.device.clone(), running.unjournalled);
        let keep = verdict.keeps_journal();
        let (outcome, read_back) = match verdict {
            Verdict::Succeeded { version } => {
                let version = version.to_string();
                (Outcome::Succeeded { version: version.clone() }, Some(version))
            }
            Verdict::Failed(failure @ Failure::Cancelled { .. }) if stopped => {
                (Outcome::Failed { problem: problems::unjournalled(place, failure.device()) }, None)
            }
            Verdict::Failed(failure) => {
                let read_back = failure.found().map(|version| version.to_string());
                (Outcome::Failed { problem: problems::failed(failure, place) }, read_back)
            }
            Verdict::Unknown(reason) => {
                (Outcome::Unknown { problem: problems::unknown(reason, place) }, None)
            }
        };
        self.finish(outcome, read_back, keep, out)
    }

    /// `needed`: the device may still have no working firmware.
    fn finish(
        &mut self,
        outcome: Outcome,
        read_back: Option<String>,
        needed: bool,
        out: &mut VecDeque<Output>,
    ) -> Option<Finished> {
        let running = self.running.take()?;
        match &outcome {
            Outcome::Succeeded { version } => {
                tracing::info!(device = %running.job.device, %version, "firmware update succeeded")
            }
            Outcome::Failed { problem } | Outcome::Unknown { problem } => {
                tracing::warn!(device = %running.job.device, why = %problem, "firmware update did not succeed");
            }
        }
        let said = match &outcome {
            Outcome::Succeeded { .. } => tenant::wire::Verdict::Succeeded,
            Outcome::Failed { .. } => tenant::wire::Verdict::Failed,
            Outcome::Unknown { .. } => tenant::wire::Verdict::Unknown,
        };
        // It had the whole image and did not say that it runs it: some do so after being plugged in anew.
        let in_doubt = said != tenant::wire::Verdict::Succeeded
            && matches!(running.journalled, Some(Phase::Manifesting | Phase::WaitingForRuntime));
        let journal = match running.journalled {
            None => Entry::Untouched,
            Some(phase) if needed || in_doubt => {
                let entry = running.journal(phase);
                Entry::Kept(Box::new(JournalEntry { said: Some(said), works: !needed, ..entry }))
            }
            Some(_) => Entry::Cleared,
        };
        if running.dfu.is_some() {
            out.push_back(Output::KeepAwake(false));
        }
        out.push_back(Output::JobEnded(running.id));
        let Running { mut job, policy, .. } = running;
        job.cancelling = false;
        job.stop = Stop::Harmless;
        job.outcome = Some(outcome.clone());
        self.last = Some(job.clone());
        Some(Finished { job, policy, outcome, read_back, journal, starved: false })
    }

    /// Told when the phase or the percentage changed; faces need no more.
    fn tell(&mut self, phase: JobPhase, done_bytes: u64, total_bytes: u64, out: &mut VecDeque<Output>) {
        let Some(running) = self.running.as_mut() else { return };
        let percent = (done_bytes.saturating_mul(100)).checked_div(total_bytes).unwrap_or(0);
        let stop = running.stop();
        let changed =
            running.job.phase != phase || running.percent_told != percent || running.job.stop != stop;
        running.job.stop = stop;
        running.job.phase = phase;
        running.job.done_bytes = done_bytes;
        running.job.total_bytes = total_bytes;
        running.percent_told = percent;
        if changed {
            out.push_back(Output::news(ToUser::JobChanged { job: Some(running.job.clone()) }));
        }
    }
}

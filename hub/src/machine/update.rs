//! One firmware job at a time: fetch, verify, gate, write, wait for the device, believe only what it reports.

use super::{FailureKind, JournalEntry, Output, Record, TenantFailure, TenantRequest, UsbRequest, Verified};
use crate::protocol::{Detail, Job, Offer, Outcome, Problem, Stop, ToUser};
use device_handlers::description::Description;
use dfu::FirmwareVersion;
use dfu::package::{Package, Product};
use dfu::usb_dfu::{
    self, DeviceNow, Failure, Input, Phase, Plan, TransferError, UsbDfu, UsbIdentity, Verdict,
};
use problems::refused_package;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

mod problems;

/// Shown while the package comes.
const FETCHING: &str = "fetching";
/// Shown while a headset that was pulled out is awaited.
const UNPLUGGED: &str = "waiting-for-replug";
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

#[derive(Debug)]
struct Running {
    job: Job,
    policy: String,
    target_name: String,
    target: Target,
    /// `None` while the package is fetched.
    dfu: Option<Box<UsbDfu>>,
    component: String,
    resume: Option<Phase>,
    /// As the journal on disk has it.
    journalled: Option<Phase>,
    /// The tenant room was asked for this job's package.
    asked: bool,
    percent_told: u64,
    fetches: u8,
    /// Since when it is gone while firmware was written to it.
    gone_since: Option<Instant>,
    /// Part of the firmware may be at the device.
    begun: bool,
    /// It is cancelled because its journal cannot be written, not because somebody wished it.
    unjournalled: bool,
}

#[derive(Debug, Default)]
pub struct Update {
    running: Option<Running>,
    last: Option<Job>,
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
    /// A verdict that is corrected is what is known of the last job.
    pub fn correct(&mut self, job: Job) {
        self.last = Some(job);
    }

    pub fn job(&self) -> Option<&Job> {
        self.running.as_ref().map(|r| &r.job).or(self.last.as_ref())
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
            phase: FETCHING.to_owned(),
            ..Job::default()
        };
        self.run(Running::new(job, offer.policy.clone(), target_name.to_owned(), target, None), out);
    }

    /// Continues what a crash or a shutdown interrupted.
    pub fn resume(&mut self, entry: &JournalEntry, target: Target, out: &mut VecDeque<Output>) {
        let phase = entry.phase.parse::<Phase>().unwrap_or_else(|_| {
            // Written by another version. Whatever it meant: look what is at the port, and go on from there.
            tracing::warn!(phase = %entry.phase, "the journal names an unknown phase");
            Phase::WaitingForDfu
        });
        tracing::info!(device = %entry.device, phase = %entry.phase, "continuing an interrupted firmware update");
        let job = job_of(entry);
        self.run(Running::new(job, entry.policy.clone(), entry.target.clone(), target, Some(phase)), out);
    }

    fn run(&mut self, running: Running, out: &mut VecDeque<Output>) {
        out.push_back(Output::news(ToUser::JobChanged { job: Some(running.job.clone()) }));
        self.running = Some(running);
    }

    /// What the tenant room should fetch for the running job.
    pub fn wants(&mut self) -> Option<TenantRequest> {
        let running = self.running.as_mut().filter(|r| r.dfu.is_none())?;
        running.asked = true;
        Some(TenantRequest::FetchTarget { target: running.target_name.clone() })
    }

    /// What comes for a job that was cancelled meanwhile is nobody's.
    fn expects_package(&self) -> bool {
        self.running.as_ref().is_some_and(|r| r.asked && r.dfu.is_none())
    }

    pub fn fetch_progress(&mut self, done_bytes: u64, total_bytes: u64, out: &mut VecDeque<Output>) {
        if !self.expects_package() {
            return;
        }
        self.tell(FETCHING, done_bytes, total_bytes, out);
    }

    /// `None` = it is asked for again, with a new credential.
    pub fn fetch_failed(&mut self, failure: TenantFailure, out: &mut VecDeque<Output>) -> Option<Finished> {
        let running = self.running.as_mut().filter(|r| r.asked && r.dfu.is_none())?;
        running.asked = false;
        running.fetches += 1;
        if failure.kind == FailureKind::Unauthorized && running.fetches < MOST_FETCHES {
            return None;
        }
        // An interrupted job stays in the journal: the package may come another time.
        let starved = running.resume.is_some();
        let finished = self.finish(Outcome::Failed { problem: failure.problem }, None, starved, out)?;
        Some(Finished { starved, ..finished })
    }

    /// Without a credential there is no package: a person hears so at once, an interrupted job waits for one.
    pub fn enrolment_failed(&mut self, problem: &Problem, out: &mut VecDeque<Output>) -> Option<Finished> {
        self.running.as_ref().filter(|r| r.dfu.is_none() && r.resume.is_none())?;
        self.finish(Outcome::Failed { problem: problem.clone() }, None, false, out)
    }

    pub fn fetched(
        &mut self,
        archive: &Verified<Vec<u8>>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Option<Finished> {
        let running = self.running.as_mut().filter(|r| r.asked && r.dfu.is_none())?;
        let resumed = running.resume.is_some();
        let opened = plan(archive, &running.job, &running.target, running.resume);
        match opened.and_then(|(plan, component)| {
            let refused = |error| refused_package(&running.target_name, &error, resumed);
            Ok((UsbDfu::new(plan, now - self.slept).map_err(refused)?, component))
        }) {
            Ok((dfu, component)) => {
                running.component = component;
                running.dfu = Some(Box::new(dfu));
                out.push_back(Output::KeepAwake(true));
                self.drain(out)
            }
            // What was begun before is not undone by a package that does not fit.
            Err(problem) => {
                let keep = running.resume.is_some();
                self.finish(Outcome::Failed { problem }, None, keep, out)
            }
        }
    }

    pub fn completed(
        &mut self,
        result: Result<Vec<u8>, TransferError>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Option<Finished> {
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
                self.tell(UNPLUGGED, done_bytes, total_bytes, out);
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
                    out.push_back(Output::Usb(UsbRequest::Open { port, interface }));
                }
                usb_dfu::Output::Control(transfer) => {
                    out.push_back(Output::Usb(UsbRequest::Control(transfer)))
                }
                usb_dfu::Output::Reset => out.push_back(Output::Usb(UsbRequest::Reset)),
                usb_dfu::Output::Close => out.push_back(Output::Usb(UsbRequest::Close)),
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
                    self.tell(phase.name(), done_bytes, total_bytes, out);
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
        let Running { mut job, policy, .. } = running;
        job.cancelling = false;
        job.stop = Stop::Harmless;
        job.outcome = Some(outcome.clone());
        self.last = Some(job.clone());
        Some(Finished { job, policy, outcome, read_back, journal, starved: false })
    }

    /// Told when the phase or the percentage changed; faces need no more.
    fn tell(&mut self, phase: &str, done_bytes: u64, total_bytes: u64, out: &mut VecDeque<Output>) {
        let Some(running) = self.running.as_mut() else { return };
        let percent = (done_bytes.saturating_mul(100)).checked_div(total_bytes).unwrap_or(0);
        let stop = running.stop();
        let changed =
            running.job.phase != phase || running.percent_told != percent || running.job.stop != stop;
        running.job.stop = stop;
        running.job.phase = phase.to_owned();
        running.job.done_bytes = done_bytes;
        running.job.total_bytes = total_bytes;
        running.percent_told = percent;
        if changed {
            out.push_back(Output::news(ToUser::JobChanged { job: Some(running.job.clone()) }));
        }
    }
}

impl Running {
    fn new(job: Job, policy: String, target_name: String, target: Target, resume: Option<Phase>) -> Self {
        Self {
            job,
            policy,
            target_name,
            target,
            dfu: None,
            component: String::new(),
            resume,
            journalled: resume,
            asked: false,
            percent_told: 0,
            fetches: 0,
            unjournalled: false,
            gone_since: None,
            begun: false,
        }
    }

    /// What cancelling would mean.
    fn stop(&self) -> Stop {
        match (&self.dfu, self.journalled) {
            (None, _) => Stop::Harmless,
            (_, Some(Phase::Manifesting | Phase::WaitingForRuntime)) => Stop::TooLate,
            _ if self.begun || matches!(self.resume, Some(Phase::Downloading { .. })) => Stop::Strands,
            _ => Stop::Harmless,
        }
    }

    fn journal(&self, phase: Phase) -> JournalEntry {
        let runtime = &self.target.runtime;
        JournalEntry {
            offer: self.job.offer.clone(),
            policy: self.policy.clone(),
            name: self.job.name.clone(),
            device: self.job.device.clone(),
            port: runtime.port.clone(),
            vendor_id: runtime.vid,
            product_id: runtime.pid,
            serial: runtime.serial.clone(),
            from_version: self.job.from_version.clone(),
            target_version: self.job.to_version.clone(),
            target: self.target_name.clone(),
            component: self.component.clone(),
            phase: phase.to_string(),
            vendor: self.target.vendor.clone(),
            product: self.target.product.clone(),
            said: None,
            works: false,
        }
    }
}

/// A job as the journal knows it.
pub fn job_of(entry: &JournalEntry) -> Job {
    Job {
        offer: entry.offer.clone(),
        device: entry.device.clone(),
        name: entry.name.clone(),
        from_version: entry.from_version.clone(),
        to_version: entry.target_version.clone(),
        phase: FETCHING.to_owned(),
        ..Job::default()
    }
}

/// The package must agree with the policy in every point before the device is touched.
fn plan(
    archive: &Verified<Vec<u8>>,
    job: &Job,
    target: &Target,
    resume: Option<Phase>,
) -> Result<(Plan, String), Problem> {
    let refused = |error: Detail| refused_package(&job.name, error, resume.is_some());
    let package = Package::open(archive.get()).map_err(|error| refused(Detail::from(&error)))?;
    let wanted: FirmwareVersion = job.to_version.parse().map_err(|error| refused(Detail::from(&error)))?;
    let dfu_pids = target.description.firmware.dfu_pids.clone();
    let ids = dfu::package::Target { vid: target.runtime.vid, pid: target.runtime.pid };
    let misfits = package.misfits(&[Product { target: ids, dfu_pids: dfu_pids.clone() }], Some(wanted));
    if let Some(misfit) = misfits.first() {
        return Err(refused(Detail::from(misfit)));
    }
    // That there is one is what fits.
    let component = package
        .rules
        .components
        .first()
        .ok_or_else(|| refused(Detail::new("package-no-image", "the component has no image")))?;
    let image = package
        .component_image(&component.id)
        .cloned()
        .ok_or_else(|| refused(Detail::new("package-no-image", "the component has no image")))?;
    let plan = Plan {
        runtime: target.runtime.clone(),
        dfu_pids,
        image,
        target_version: wanted,
        reenumerate_timeout: target.description.firmware.reenumerate_timeout.max(Duration::from_millis(100)),
        resume,
    };
    Ok((plan, component.id.clone()))
}

//! One firmware job at a time: fetch, verify, gate, write, wait for the device, believe only what it reports.

use super::{JobId, JournalEntry, Output, Record, Source, UsbRequest};
use crate::problem::Reason;
use crate::protocol::{Job, JobPhase, Offer, Outcome, ToUser};
use device_handlers::description::Description;
use dfu::usb_dfu::{self, DeviceNow, Input, Phase, TransferError, UsbIdentity};
pub use plan::job_of;
use running::Running;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

mod ending;
mod fetching;
pub(super) mod phase;
mod plan;
mod problems;
mod running;
mod writing;

/// A reset takes it off the bus for so long at most; then somebody pulled it out.
const RESET_TIME: Duration = Duration::from_secs(3);

/// The device as it was when the job began, or as the journal remembers it.
#[derive(Clone, Debug)]
pub struct Target {
    pub runtime: UsbIdentity,
    pub description: Description,
    /// For the journal: how the headset calls itself.
    pub vendor: String,
    pub product: String,
    /// See [`JournalEntry::tenant`].
    pub tenant: Option<String>,
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
    /// See [`JournalEntry::tenant`].
    pub tenant: Option<String>,
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

    /// Begins: the package is asked for, nothing touches the device before [`Update::write`].
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
            planned: None,
            dfu: None,
            resume,
            journalled: resume,
            percent_told: 0,
            fetches: 0,
            unjournalled: false,
            gone_since: None,
            begun: false,
        });
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
        let problem = Reason::UpdateCancelled.at(&running.job.device);
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

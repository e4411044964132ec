//! The package of a job: where it is looked for, one source after the other, and what comes of it.

use super::problems::refused_package;
use super::running::Running;
use super::{Finished, Update, plan};
use crate::machine::{Archive, FailureKind, JobId, Output, Sha256, Source, TenantFailure, Verified};
use crate::protocol::{JobPhase, Outcome};
use dfu::Machine;
use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

/// Times a package is asked for when the tenant refuses the credential.
const MOST_FETCHES: u8 = 3;

impl Update {
    /// Where the running job's package is to be looked for next.
    pub fn wants(&self) -> Option<&Source> {
        self.running.as_ref().filter(|r| r.planned.is_none() && !r.asked)?.sources.front()
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
        match opened.and_then(|planned| {
            let refused = |error| refused_package(&running.target_name, &error, resumed);
            // Whether it can be begun; when it is, its time begins.
            Machine::new(planned.method, planned.plan.clone(), awake).map_err(refused)?;
            Ok(planned)
        }) {
            Ok(planned) => {
                running.planned = Some(planned);
                running.package = Some(archive.fingerprint);
                None
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
}

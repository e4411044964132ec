//! From the package that is here to the device: until then that is at its person's work.

use super::problems::refused_package;
use super::{Finished, Target, Update};
use crate::machine::Output;
use crate::problem::Reason;
use crate::protocol::{JobPhase, Outcome};
use dfu::Machine;
use std::collections::VecDeque;
use std::time::Instant;

impl Update {
    /// The device whose package is here, while nothing has touched it.
    pub fn is_ready(&self) -> Option<&str> {
        let ready = self.running.as_ref().filter(|r| r.planned.is_some() && r.dfu.is_none())?;
        Some(&ready.job.device)
    }

    /// It is in a call, and taken after that.
    pub fn wait_for_call(&mut self, out: &mut VecDeque<Output>) {
        let bytes = self.running.as_ref().map_or(0, |running| running.job.total_bytes);
        self.tell(JobPhase::WaitingForCall, bytes, bytes, out);
    }

    /// Begins to write. `target` is the device as it is now; `None` where it is not at work, which is no hindrance to a
    /// job that is continued.
    pub fn write(
        &mut self,
        target: Option<Target>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Option<Finished> {
        let awake = now - self.slept;
        let running = self.running.as_mut()?;
        let planned = running.planned.as_mut()?;
        if running.resume.is_none() {
            let offered_for = running.target.runtime.bcd_device;
            let is = match target {
                Some(is) if is.runtime.bcd_device == offered_for => is,
                other => {
                    let problem = match other {
                        // Another firmware by now: what was offered is not offered any more.
                        Some(_) => Reason::NoSuchOffer.at(&running.job.offer),
                        None => Reason::HeadsetGone.at(&running.job.name),
                    };
                    return self.finish(Outcome::Failed { problem }, None, false, out);
                }
            };
            // It may have been plugged in elsewhere meanwhile.
            planned.plan.runtime = is.runtime.clone();
            running.target = is;
        }
        match Machine::new(planned.method, planned.plan.clone(), awake) {
            Ok(dfu) => {
                running.dfu = Some(dfu);
                out.push_back(Output::KeepAwake(true));
                self.drain(out)
            }
            Err(error) => {
                let resumed = running.resume.is_some();
                let problem = refused_package(&running.target_name, &error, resumed);
                self.finish(Outcome::Failed { problem }, None, resumed, out)
            }
        }
    }

    /// What nobody asked for is left for another time, as if it had not been begun: there is no verdict.
    pub fn put_back(&mut self, out: &mut VecDeque<Output>) {
        let Some(running) = self.running.take_if(|running| running.dfu.is_none()) else { return };
        tracing::info!(device = %running.job.device, "a firmware update is left for after a call");
        self.last = None;
        out.push_back(Output::JobEnded(running.id));
    }
}

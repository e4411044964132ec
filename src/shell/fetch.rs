//! Packages for firmware jobs, beside everything else that is asked of the tenant.

use super::errands::SharedRoom;
use super::event::Event;
use super::store::packages::{OpenPackage, Packages};
use hub::machine::{FailureKind, Input, JobId, Sha256, Source, TenantFailure, no_tenant};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// One transfer for each job.
pub struct Fetches {
    packages: Packages,
    room: SharedRoom,
    events: UnboundedSender<Event>,
    /// Dropped, it ends the transfer.
    running: BTreeMap<JobId, oneshot::Sender<()>>,
}

impl Fetches {
    pub fn new(packages: Packages, room: SharedRoom, events: UnboundedSender<Event>) -> Self {
        Self { packages, room, events, running: BTreeMap::new() }
    }

    /// Answered by [`Event::Fetched`], unless it is cancelled.
    pub fn start(&mut self, job: JobId, from: Source, keep: BTreeSet<Sha256>) {
        self.running.retain(|_, cancel| !cancel.is_closed());
        let (cancel, cancelled) = oneshot::channel();
        self.running.insert(job, cancel);
        let (packages, events) = (self.packages.clone(), self.events.clone());
        let room = self.room.clone();
        tokio::task::spawn_local(async move {
            let result = match from {
                Source::Tenant { target } => {
                    let progress_to = events.clone();
                    let progress = move |done_bytes, total_bytes| {
                        let progress = Input::FetchProgress { job, done_bytes, total_bytes };
                        let _ = progress_to.send(Event::Machine(progress));
                    };
                    download(&room, &target, &keep, progress, cancelled).await
                }
                Source::Kept(package) => {
                    tokio::task::spawn_blocking(move || packages.recall(package)).await.ok()
                }
            };
            if let Some(result) = result {
                let _ = events.send(Event::Fetched { job, result });
            }
        });
    }

    pub fn cancel(&mut self, job: JobId) {
        self.running.remove(&job);
    }
}

/// `None` = it was cancelled. What came stays on disk.
async fn download(
    room: &SharedRoom,
    target: &str,
    keep: &BTreeSet<Sha256>,
    progress: impl Fn(u64, u64),
    mut cancelled: oneshot::Receiver<()>,
) -> Option<Result<OpenPackage, TenantFailure>> {
    let mut room = tokio::select! {
        biased;
        _ = &mut cancelled => return None,
        room = room.lock() => room,
    };
    let Some(tenant) = &mut *room else {
        // It was asked while there was one.
        let problem = no_tenant();
        return Some(Err(TenantFailure { kind: FailureKind::Rejected, problem, retry_after: None }));
    };
    // Not cut short: it writes down what it has seen of the repository. The transfer itself needs the room no more.
    let listed = tenant.listed(target).await;
    drop(room);
    let listed = match listed {
        Ok(listed) => listed,
        Err(failure) => return Some(Err(failure)),
    };
    tokio::select! {
        biased;
        _ = &mut cancelled => None,
        fetched = listed.fetch(keep, progress) => Some(fetched),
    }
}

impl std::fmt::Debug for Fetches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetches").field("running", &self.running.keys()).finish_non_exhaustive()
    }
}

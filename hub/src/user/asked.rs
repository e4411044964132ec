//! What the machine role was asked and has not answered, and when it is not waited for any more: a face that asked gets
//! an answer in any case.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long the machine role may take to answer. It answers when it has begun what it was asked for, not when that is
/// done, so only one that hangs takes longer.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Numbers of what was asked, whose each is, and until when it is waited for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    open: BTreeMap<u64, (u64, Instant)>,
    last: u64,
}

impl Asked {
    /// The number under which the machine role is asked on behalf of `request`.
    pub(super) fn ask(&mut self, request: u64, now: Instant) -> u64 {
        self.last += 1;
        self.open.insert(self.last, (request, now + ANSWER_LIMIT));
        self.last
    }

    /// Whose number that was; `None` = it is not waited for.
    pub(super) fn answered(&mut self, number: u64) -> Option<u64> {
        self.open.remove(&number).map(|(request, _)| request)
    }

    /// Requests that have waited long enough.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Vec<u64> {
        let late = self.open.extract_if(.., |_, (_, until)| *until <= now);
        late.map(|(_, (request, _))| request).collect()
    }

    /// None of them is answered any more.
    pub(super) fn take_all(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.open).into_values().map(|(request, _)| request).collect()
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        // The numbers were given in the order of time.
        self.open.values().next().map(|(_, until)| (*until, "the machine role does not answer"))
    }
}

//! Those who knock with wrong tokens: each waits for its answer, and the operator hears of them once a minute.
#![expect(clippy::disallowed_methods, reason = "wrong tokens are answered late")]

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Before each answer but the first few. A peer's connections are counted, so this bounds its guesses.
const DELAY: Duration = Duration::from_secs(1);
/// Answered at once in each [`WINDOW`]: an agent whose token has ended comes with a wrong one by right.
const FREE: u64 = 8;
/// One line in the log for each.
const WINDOW: Duration = Duration::from_secs(60);
/// Peers that are told apart; the others share one count.
const MOST_PEERS: usize = 1_024;

/// Marks an answer to a wrong token or proof.
#[derive(Clone, Copy)]
pub(super) struct Wrong;

/// What came in the running window, by peer; `None` are those beyond [`MOST_PEERS`].
#[derive(Default)]
pub(super) struct Guard {
    counts: Mutex<Option<Window>>,
}

struct Window {
    ends: Instant,
    counts: HashMap<Option<IpAddr>, u64>,
}

impl Guard {
    /// Counts one, and waits before it is answered.
    pub(super) async fn wrong(self: &Arc<Self>, peer: Option<IpAddr>) {
        if self.count(peer) > FREE {
            tokio::time::sleep(DELAY).await;
        }
    }

    fn count(self: &Arc<Self>, peer: Option<IpAddr>) -> u64 {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let window = counts.get_or_insert_with(|| {
            let ends = Instant::now() + WINDOW;
            tokio::spawn(Arc::clone(self).at_the_end(ends));
            Window { ends, counts: HashMap::new() }
        });
        let peer = peer.filter(|_| window.counts.len() < MOST_PEERS || window.counts.contains_key(&peer));
        let count = window.counts.entry(peer).or_default();
        *count += 1;
        *count
    }

    async fn at_the_end(self: Arc<Self>, ends: Instant) {
        tokio::time::sleep_until(ends).await;
        self.tell();
    }

    /// Says what came, and begins anew. Called when a window ends, and when the server does.
    pub(super) fn tell(&self) {
        let window = self.counts.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Window { ends, counts }) = window else { return };
        let seconds = (WINDOW - ends.saturating_duration_since(Instant::now())).as_secs() + 1;
        for (peer, count) in counts {
            let peer = peer.map_or_else(|| "other addresses".to_owned(), |peer| peer.to_string());
            eprintln!(
                "hookswitch-tenant: {count} requests with a wrong token or signature from {peer} within {seconds} s"
            );
        }
    }
}

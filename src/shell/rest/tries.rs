//! Wrong tokens: answered slowly, one after the other, and told in the log by number.
#![expect(clippy::disallowed_methods, reason = "slowness is time")]

use super::refusal::Refusal;
use axum::http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Between two answers to wrong tokens, whoever shows them.
const PAUSE: Duration = Duration::from_millis(200);
/// Tries that wait for their answer. Each holds a connection.
const MOST_WAITING: usize = 8;
/// The log counts them for so long before it says how many there were.
const COUNTED: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct WrongTokens {
    waiting: Semaphore,
    turn: tokio::sync::Mutex<()>,
    count: Arc<AtomicU64>,
}

impl Default for WrongTokens {
    fn default() -> Self {
        Self {
            waiting: Semaphore::new(MOST_WAITING),
            turn: tokio::sync::Mutex::default(),
            count: Arc::default(),
        }
    }
}

impl WrongTokens {
    /// The answer to a wrong token, after its pause.
    pub(super) async fn refused(&self) -> Refusal {
        self.counted();
        let Ok(_waiting) = self.waiting.try_acquire() else {
            return Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-wrong-tokens",
                "Too many wrong tokens were shown",
                "the header Authorization",
                "Read `token` from endpoint.json again, once.",
            );
        };
        let _turn = self.turn.lock().await;
        tokio::time::sleep(PAUSE).await;
        Refusal::unauthorized("The token is not the one of this run")
    }

    /// The first one is told at once, what follows by number.
    fn counted(&self) {
        if self.count.fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        tracing::warn!("a program shows a wrong token to the softphone door");
        let count = self.count.clone();
        tokio::spawn(async move {
            tokio::time::sleep(COUNTED).await;
            let more = count.swap(0, Ordering::Relaxed).saturating_sub(1);
            if more > 0 {
                tracing::warn!(more, "wrong tokens were shown to the softphone door within a minute");
            }
        });
    }
}

//! Wrong tokens: answered slowly, one after the other, and told in the log by number.
#![expect(clippy::disallowed_methods, reason = "slowness is time")]

use super::refusal::{Code, Refusal};
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
        let Ok(_waiting) = self.waiting.try_acquire() else { return too_many() };
        let _turn = self.turn.lock().await;
        tokio::time::sleep(PAUSE).await;
        Refusal::unauthorized("The token is not the one of this run")
    }

    /// Whether somebody waits for the answer to a wrong token.
    pub(super) fn wait(&self) -> bool {
        self.waiting.available_permits() < MOST_WAITING
    }

    /// The answer to a further token on a connection where all were wrong.
    pub(super) fn not_compared(&self) -> Refusal {
        self.counted();
        too_many()
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

fn too_many() -> Refusal {
    Refusal::new(
        Code::TooManyWrongTokens,
        "Too many wrong tokens were shown",
        "the header Authorization",
        "Read `token` from endpoint.json again, once.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Lines as the log gets them.
    #[derive(Clone, Debug, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn lines(&self) -> Vec<String> {
            let text = self.0.lock().expect("no panic").clone();
            String::from_utf8(text).expect("UTF-8").lines().map(str::to_owned).collect()
        }
    }

    /// Whoever guesses leaves a trace, and cannot fill the disk with it.
    #[test]
    fn guessing_leaves_one_line_whatever_its_number() {
        let log = Log::default();
        let to = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || to.clone()).finish();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        tracing::subscriber::with_default(subscriber, || {
            runtime.block_on(async {
                let tokens = WrongTokens::default();
                (0..1_000).for_each(|_| tokens.counted());
                tokio::task::yield_now().await;
                assert_eq!(tokens.count.load(Ordering::Relaxed), 1_000);
            });
        });
        let lines = log.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(" WARN ") && lines[0].contains("wrong token"), "{lines:?}");
    }
}

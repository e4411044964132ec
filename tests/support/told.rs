//! How steps are told, and how they fail.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// What did not happen, and where it was looked for.
pub(crate) type Told<T> = Result<T, String>;

pub(crate) fn fail<T>(what: impl Into<String>) -> Told<T> {
    Err(what.into())
}

/// Context for an error.
pub(crate) trait Context<T> {
    fn at(self, place: &str) -> Told<T>;
}

impl<T, E: Display> Context<T> for Result<T, E> {
    fn at(self, place: &str) -> Told<T> {
        self.map_err(|e| format!("{place}: {e}"))
    }
}

pub(crate) struct Story {
    step: u32,
    begun: Instant,
}

impl Story {
    pub(crate) fn new() -> Self {
        Self { step: 0, begun: Instant::now() }
    }

    pub(crate) fn chapter(&mut self, title: &str) {
        self.step += 1;
        self.begun = Instant::now();
        println!("{}. {title}", self.step);
    }

    /// One thing seen.
    pub(crate) fn seen(&self, what: &str) {
        println!("   {:>7.1?}  {what}", self.begun.elapsed());
    }
}

/// Looks until `look` has something, every 50 ms at first and less often later.
pub(crate) async fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Told<Option<T>>,
) -> Told<T> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if begun.elapsed() > limit {
            return fail(format!("waited {limit:?} in vain for: {what}"));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 5 / 4).min(Duration::from_millis(500));
    }
}

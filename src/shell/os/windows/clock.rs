//! Time. [`Instant`] counts sleep here. Waits do not: who waited through a sleep is woken by the notice of its end.
#![expect(clippy::disallowed_methods, reason = "reads the clocks")]

use std::sync::OnceLock;
use std::time::{Duration, Instant};
use windows_sys::Win32::System::WindowsProgramming::{QueryInterruptTime, QueryUnbiasedInterruptTime};

/// Now, on a clock that ran on while the machine slept.
pub fn instant() -> Instant {
    Instant::now()
}

/// How long the machine has slept since this was first asked.
pub fn slept() -> Duration {
    static AT_START: OnceLock<u64> = OnceLock::new();
    let (mut with, mut without) = (0, 0);
    // SAFETY: room for one number each. The second is read last, so that the difference is never too large.
    unsafe {
        QueryInterruptTime(&raw mut with);
        QueryUnbiasedInterruptTime(&raw mut without);
    }
    let asleep = with.saturating_sub(without);
    // In units of 100 ns.
    Duration::from_nanos(asleep.saturating_sub(*AT_START.get_or_init(|| asleep)).saturating_mul(100))
}

/// Rings at an [`instant`].
#[derive(Debug, Default)]
pub struct Alarm(());

impl Alarm {
    pub fn new() -> Self {
        Self(())
    }

    /// Waits until then; for good without a deadline. Cancel-safe.
    pub async fn wait(&self, deadline: Option<Instant>) {
        match deadline {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    }
}

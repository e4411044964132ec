//! Time that counts sleep. [`Instant`] stands still while the machine sleeps; CLOCK_MONOTONIC_RAW does not. Waits do not
//! count sleep either: who waited through one is woken by the notice of its end.
#![expect(clippy::disallowed_methods, reason = "reads the clocks")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Less is the time between reading one clock and the other.
const LEAST_SLEEP_NS: u64 = 100_000_000;

/// Now, on a clock that ran on while the machine slept.
pub fn instant() -> Instant {
    Instant::now() + slept()
}

/// How long the machine has slept since this was first asked. Never less than it was.
pub fn slept() -> Duration {
    static AT_START: OnceLock<u64> = OnceLock::new();
    static SLEPT: AtomicU64 = AtomicU64::new(0);
    let (awake, all) = (read(libc::CLOCK_UPTIME_RAW), read(libc::CLOCK_MONOTONIC_RAW));
    let ahead = all.saturating_sub(awake);
    let since = ahead.saturating_sub(*AT_START.get_or_init(|| ahead));
    let known = SLEPT.load(Ordering::Relaxed);
    if since > known + LEAST_SLEEP_NS {
        SLEPT.fetch_max(since, Ordering::Relaxed);
    }
    Duration::from_nanos(SLEPT.load(Ordering::Relaxed))
}

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: room for one time; a clock that is not there leaves it at zero.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
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
            Some(at) => tokio::time::sleep(at.saturating_duration_since(instant())).await,
            None => std::future::pending().await,
        }
    }
}

//! Time that counts sleep. [`Instant`] is CLOCK_MONOTONIC here, which stands still while the machine sleeps;
//! CLOCK_BOOTTIME does not. Alarms are timerfd(2) on that clock: one that came due in the sleep rings at the end of it.
#![expect(clippy::disallowed_methods, reason = "reads the clocks")]

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::unix::AsyncFd;

/// Less is the time between reading one clock and the other.
const LEAST_SLEEP_NS: u64 = 100_000_000;
/// What both clocks are read within, or they are read again.
const AT_ONCE_NS: u64 = 100_000;

/// Now, on a clock that ran on while the machine slept.
pub fn instant() -> Instant {
    Instant::now() + slept()
}

/// How long the machine has slept since this was first asked. Never less than it was.
pub fn slept() -> Duration {
    static AT_START: OnceLock<u64> = OnceLock::new();
    static SLEPT: AtomicU64 = AtomicU64::new(0);
    let ahead = ahead();
    let since = ahead.saturating_sub(*AT_START.get_or_init(|| ahead));
    let known = SLEPT.load(Ordering::Relaxed);
    if since > known + LEAST_SLEEP_NS {
        SLEPT.fetch_max(since, Ordering::Relaxed);
    }
    Duration::from_nanos(SLEPT.load(Ordering::Relaxed))
}

/// Nanoseconds that CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC.
fn ahead() -> u64 {
    let read = |clock| {
        let time = clock_gettime(clock);
        time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
    };
    let look = || {
        let before = read(ClockId::Monotonic);
        let boot = read(ClockId::Boottime);
        let took = read(ClockId::Monotonic).saturating_sub(before);
        (took, boot.saturating_sub(before))
    };
    // The thread may lose the processor between two readings.
    let mut best = look();
    for _ in 0..8 {
        if best.0 <= AT_ONCE_NS {
            break;
        }
        best = best.min(look());
    }
    best.1.saturating_sub(best.0)
}

/// Rings at an [`instant`].
#[derive(Debug)]
pub struct Alarm {
    /// `None` = the system gives no timer: then sleep is not counted, and the alarm rings later.
    timer: Option<AsyncFd<OwnedFd>>,
    armed: Cell<Option<Instant>>,
}

impl Alarm {
    /// Must be called inside a runtime.
    #[expect(clippy::new_without_default, reason = "there is none without a runtime")]
    pub fn new() -> Self {
        let timer = timer(TimerfdClockId::Boottime)
            .inspect_err(|error| tracing::warn!(%error, "no timer that counts sleep"))
            .ok();
        Self { timer, armed: Cell::new(None) }
    }

    /// Waits until then; for good without a deadline. Cancel-safe.
    pub async fn wait(&self, deadline: Option<Instant>) {
        let Some(timer) = &self.timer else {
            return match deadline {
                Some(at) => tokio::time::sleep(at.saturating_duration_since(instant())).await,
                None => std::future::pending().await,
            };
        };
        if self.armed.get() != deadline {
            // Zero disarms.
            let wait = deadline.map_or(Duration::ZERO, |at| {
                at.saturating_duration_since(instant()).max(Duration::from_nanos(1))
            });
            if let Err(error) = set(timer.get_ref(), TimerfdTimerFlags::empty(), wait) {
                tracing::warn!(%error, "a timer could not be set");
            }
            self.armed.set(deadline);
        }
        if deadline.is_none() {
            return std::future::pending().await;
        }
        // An error is a ring too: it is the role that says whether its time has come.
        let _ = rung(timer).await;
        self.armed.set(None);
    }
}

/// Calls `stepped` whenever the wall clock is set, which the end of a sleep also does.
///
/// # Errors
/// The system gives no such timer.
pub(super) async fn watch_steps(mut stepped: impl FnMut()) -> io::Result<()> {
    // Later than any time the kernel counts to: it never rings by itself.
    const NEVER: Duration = Duration::from_secs(9_000_000_000);
    let timer = timer(TimerfdClockId::Realtime)?;
    let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    loop {
        set(timer.get_ref(), flags, NEVER)?;
        match rung(&timer).await {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::ECANCELED) => stepped(),
            Err(error) => return Err(error),
        }
    }
}

fn timer(clock: TimerfdClockId) -> io::Result<AsyncFd<OwnedFd>> {
    let timer = timerfd_create(clock, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    super::readable(timer)
}

fn set(timer: &OwnedFd, flags: TimerfdTimerFlags, wait: Duration) -> io::Result<()> {
    let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
    let value = Timespec {
        tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: wait.subsec_nanos().into(),
    };
    timerfd_settime(timer, flags, &Itimerspec { it_interval: zero, it_value: value })?;
    Ok(())
}

async fn rung(timer: &AsyncFd<OwnedFd>) -> io::Result<()> {
    loop {
        let mut ready = timer.readable().await?;
        let mut count = [0; 8];
        match ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut count)?)) {
            Ok(read) => return read.map(drop),
            // Rang for a deadline that was given up since.
            Err(_would_block) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_rings_at_its_deadline_and_not_at_one_that_was_given_up() {
        let alarm = Alarm::new();
        assert!(alarm.timer.is_some());
        let start = instant();
        let soon = start + Duration::from_millis(20);
        let late = start + Duration::from_millis(60);
        tokio::select! {
            () = alarm.wait(Some(soon)) => panic!("first come, first served"),
            () = std::future::ready(()) => {}
        }
        // Rings for nobody meanwhile.
        tokio::time::sleep(Duration::from_millis(30)).await;
        alarm.wait(Some(late)).await;
        assert!(instant() >= late);
        alarm.wait(Some(start)).await;
        let never = tokio::time::timeout(Duration::from_millis(20), alarm.wait(None)).await;
        assert!(never.is_err(), "rang without a deadline");
    }

    #[test]
    fn time_that_counts_sleep_never_runs_back() {
        let mut last = instant();
        for _ in 0..100_000 {
            let now = instant();
            assert!(now >= last, "{:?} back", last - now);
            last = now;
        }
    }
}

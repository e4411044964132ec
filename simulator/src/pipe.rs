//! An open HID interface, with the manners of a hidraw node.
#![expect(clippy::disallowed_methods, reason = "simulated hardware runs in real time")]

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::shared::{Listener, Shared};

/// Reports kept for a reader that does not come; the kernel's hidraw keeps as many.
const MAX_QUEUED: usize = 64;
/// errno EIO: what a hidraw node answers when its device has gone.
const EIO: i32 = 5;

/// An open HID interface. Clones are the same opening: one thread may block in [`HidPipe::read`] while another writes.
/// Closed by [`HidPipe::close`] or when the last clone goes.
#[derive(Debug, Clone)]
pub struct HidPipe {
    queue: Arc<ReportQueue>,
    shared: Weak<Shared>,
    port: String,
    address: u8,
}

#[derive(Debug, Default)]
pub(crate) struct ReportQueue {
    inner: Mutex<Inner>,
    ready: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    reports: VecDeque<Vec<u8>>,
    gone: bool,
    closed: bool,
}

impl Listener for ReportQueue {
    fn report(&self, report: &[u8]) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.reports.len() == MAX_QUEUED {
            inner.reports.pop_front();
        }
        inner.reports.push_back(report.to_vec());
        self.ready.notify_all();
    }

    fn device_left(&self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).gone = true;
        self.ready.notify_all();
    }
}

impl HidPipe {
    pub(crate) fn new(queue: Arc<ReportQueue>, shared: Weak<Shared>, port: String, address: u8) -> Self {
        Self { queue, shared, port, address }
    }

    /// Blocks for the next input report, its report id first; a buffer that is too short cuts it.
    ///
    /// # Errors
    /// EIO when the headset left the bus, `NotConnected` after [`HidPipe::close`].
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(bytes) = self.read_timeout(buffer, Duration::from_secs(3600))? {
                return Ok(bytes);
            }
        }
    }

    /// As [`HidPipe::read`], `None` when no report came in time.
    ///
    /// # Errors
    /// As [`HidPipe::read`].
    pub fn read_timeout(&self, buffer: &mut [u8], timeout: Duration) -> io::Result<Option<usize>> {
        let until = Instant::now() + timeout;
        let mut inner = self.queue.inner.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if inner.closed {
                return Err(closed());
            }
            if let Some(report) = inner.reports.pop_front() {
                let bytes = report.len().min(buffer.len());
                buffer[..bytes].copy_from_slice(&report[..bytes]);
                return Ok(Some(bytes));
            }
            if inner.gone {
                return Err(io::Error::from_raw_os_error(EIO));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            inner = self.queue.ready.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sends an output report, its report id first. All bytes count as written, whatever the headset thinks of them.
    ///
    /// # Errors
    /// EIO when the headset left the bus, `NotConnected` after [`HidPipe::close`], `InvalidInput` for no bytes.
    pub fn write(&self, report: &[u8]) -> io::Result<usize> {
        if report.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "an output report starts with its report id",
            ));
        }
        {
            let inner = self.queue.inner.lock().unwrap_or_else(PoisonError::into_inner);
            if inner.closed {
                return Err(closed());
            }
            if inner.gone {
                return Err(io::Error::from_raw_os_error(EIO));
            }
        }
        let shared = self.shared.upgrade().ok_or_else(|| io::Error::from_raw_os_error(EIO))?;
        if shared.output_report(&self.port, Some(self.address), report) {
            Ok(report.len())
        } else {
            Err(io::Error::from_raw_os_error(EIO))
        }
    }

    /// Closes this opening, all its clones and wakes a blocked [`HidPipe::read`].
    pub fn close(&self) {
        self.queue.inner.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.queue.ready.notify_all();
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "this HID pipe was closed")
}

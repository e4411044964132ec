//! The USB/IP door: a headset as a device of the kernel's `vhci_hcd`, without network and without a daemon.
//!
//! The kernel keeps one end of a socket pair and sends URBs, [`serve`] answers them at the other. Interrupt IN stays
//! pending until there is a report, STALL is -EPIPE, UNLINK is everyday traffic. Port resets are not forwarded by
//! `vhci_hcd`; their only trace is the GET_DESCRIPTOR(device) with wLength 64 that follows, and a device which changes
//! by the reset switches its descriptors in place there.
//!
//! Protocol: Documentation/usb/usbip_protocol.rst of the Linux kernel.
#![expect(clippy::disallowed_methods, reason = "the server of a kernel interface has a thread and files")]

mod vhci;
mod wire;

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;

use crate::bus::HeadsetHandle;
use crate::dfu::Reply;
use crate::shared::Listener;

pub use vhci::AttachError;
use wire::{Message, Parsed, Submit};

/// Number of both interrupt endpoints, IN and OUT.
const HID_ENDPOINT: u32 = 1;
/// Reports that wait for the next IN while somebody reads: the endpoint's own memory.
const MAX_QUEUED: usize = 8;

const EPIPE: i32 = -32;
const ECONNRESET: i32 = -104;

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The headset left the bus: pulled, or by itself.
    DeviceLeft,
    /// The other side closed the connection.
    HostClosed,
}

/// The bus's side of a connection: reports and the departure, with a descriptor to poll for them.
#[derive(Debug)]
struct Tap {
    inner: Mutex<TapQueue>,
    wake: UnixStream,
}

#[derive(Debug, Default)]
struct TapQueue {
    reports: VecDeque<Vec<u8>>,
    left: bool,
}

impl Tap {
    fn new() -> io::Result<(Arc<Self>, UnixStream)> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        Ok((Arc::new(Self { inner: Mutex::default(), wake }), woken))
    }

    fn wake(&self) {
        // A full pipe wakes as well as one byte more would.
        let _ = (&self.wake).write(&[0]);
    }

    fn take(&self) -> TapQueue {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        TapQueue { reports: std::mem::take(&mut inner.reports), left: inner.left }
    }
}

impl Listener for Tap {
    fn report(&self, report: &[u8]) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.reports.len() == MAX_QUEUED {
            inner.reports.pop_front();
        }
        inner.reports.push_back(report.to_vec());
        self.wake();
    }

    fn device_left(&self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).left = true;
        self.wake();
    }
}

/// Answers one USB/IP connection, after import, until the headset leaves or the other side closes.
///
/// # Errors
/// I/O errors of the socket, and `InvalidData` for a message that is none.
pub fn serve(headset: &HeadsetHandle, stream: &UnixStream) -> io::Result<Ended> {
    let (tap, woken) = Tap::new()?;
    let shared = headset.bus().shared();
    let listener: Arc<dyn Listener> = Arc::<Tap>::clone(&tap);
    if shared.listen(headset.port(), Arc::downgrade(&listener)).is_none() {
        return Ok(Ended::DeviceLeft);
    }
    let mut connection = Connection {
        headset,
        stream,
        configured: false,
        reads: VecDeque::new(),
        reports: VecDeque::new(),
        polled: false,
        unanswered: Vec::new(),
    };
    let ended = connection.run(&tap, &woken);
    // Surprise removal for the other side; it may be gone already.
    let _ = stream.shutdown(std::net::Shutdown::Both);
    ended
}

struct Connection<'a> {
    headset: &'a HeadsetHandle,
    stream: &'a UnixStream,
    /// SET_CONFIGURATION was seen since the device arrived or was reset.
    configured: bool,
    /// Pending interrupt INs: sequence number and buffer length.
    reads: VecDeque<(u32, u32)>,
    /// Reports the host has not fetched yet, while it is polling.
    reports: VecDeque<Vec<u8>>,
    /// The host polls the interrupt IN endpoint: somebody has the HID node open.
    polled: bool,
    /// Control transfers the device does not answer.
    unanswered: Vec<u32>,
}

impl Connection<'_> {
    fn run(&mut self, tap: &Tap, mut woken: &UnixStream) -> io::Result<Ended> {
        let mut buffer = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let (readable, wake) = poll_two(self.stream, woken)?;
            if wake {
                while matches!(woken.read(&mut chunk), Ok(bytes) if bytes > 0) {}
                let news = tap.take();
                for report in news.reports {
                    self.report(report)?;
                }
                if news.left {
                    return Ok(Ended::DeviceLeft);
                }
            }
            if readable {
                let bytes = match (&mut &*self.stream).read(&mut chunk) {
                    Ok(0) => return Ok(Ended::HostClosed),
                    Ok(bytes) => bytes,
                    Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                        return Ok(Ended::HostClosed);
                    }
                    Err(error) => return Err(error),
                };
                buffer.extend_from_slice(&chunk[..bytes]);
                while let Parsed::Message { message, bytes } = wire::parse(&buffer)? {
                    buffer.drain(..bytes);
                    self.handle(message)?;
                }
            }
        }
    }

    fn handle(&mut self, message: Message) -> io::Result<()> {
        match message {
            Message::Submit(submit) if submit.endpoint == 0 => self.control(&submit),
            Message::Submit(submit) if submit.endpoint == HID_ENDPOINT && submit.to_host => {
                self.polled = true;
                self.reads.push_back((submit.sequence, submit.length));
                self.deliver()
            }
            Message::Submit(submit) if submit.endpoint == HID_ENDPOINT => {
                let (shared, port) = (self.headset.bus().shared(), self.headset.port());
                if shared.output_report(port, None, &submit.data) {
                    self.send(&wire::ret_submit(submit.sequence, 0, submit.length, &[]))?;
                }
                Ok(())
            }
            Message::Submit(submit) => self.send(&wire::ret_submit(submit.sequence, EPIPE, 0, &[])),
            Message::Unlink { sequence, victim } => {
                let pending = self.reads.len() + self.unanswered.len();
                let reads = self.reads.len();
                self.reads.retain(|(read, _)| *read != victim);
                self.unanswered.retain(|transfer| *transfer != victim);
                if self.reads.len() < reads && self.reads.is_empty() {
                    self.polled = false;
                    self.reports.clear();
                }
                let was_pending = self.reads.len() + self.unanswered.len() < pending;
                self.send(&wire::ret_unlink(sequence, if was_pending { ECONNRESET } else { 0 }))
            }
        }
    }

    fn control(&mut self, submit: &Submit) -> io::Result<()> {
        let (shared, port) = (self.headset.bus().shared(), self.headset.port());
        // GET_DESCRIPTOR(device) with wLength 64, from a host that knows the device already: it was just reset.
        if self.configured && submit.setup == [0x80, 6, 0, 1, 0, 0, 64, 0] {
            self.configured = false;
            shared.with(port, |device, now| device.bus_reset(true, now));
        }
        match shared.transfer(port, submit.setup, &submit.data) {
            Reply::Data(data) if submit.to_host => {
                let bytes = data.len().min(submit.length as usize);
                let length = u32::try_from(bytes).unwrap_or(u32::MAX);
                self.send(&wire::ret_submit(submit.sequence, 0, length, &data[..bytes]))
            }
            Reply::Data(_) => {
                if submit.setup[..2] == [0, 9] {
                    self.configured = submit.setup[2] != 0;
                }
                self.send(&wire::ret_submit(submit.sequence, 0, submit.length, &[]))
            }
            Reply::Stall => self.send(&wire::ret_submit(submit.sequence, EPIPE, 0, &[])),
            Reply::NoAnswer => {
                self.unanswered.push(submit.sequence);
                Ok(())
            }
            // The departure follows through the tap.
            Reply::Vanish => Ok(()),
        }
    }

    fn report(&mut self, report: Vec<u8>) -> io::Result<()> {
        if !self.polled {
            let (shared, port) = (self.headset.bus().shared(), self.headset.port());
            shared.with(port, |device, now| device.note(now, "input report lost: the host does not poll"));
            return Ok(());
        }
        if self.reports.len() == MAX_QUEUED {
            self.reports.pop_front();
        }
        self.reports.push_back(report);
        self.deliver()
    }

    fn deliver(&mut self) -> io::Result<()> {
        while !self.reads.is_empty()
            && let Some(report) = self.reports.pop_front()
            && let Some((sequence, length)) = self.reads.pop_front()
        {
            let bytes = report.len().min(length as usize);
            self.send(&wire::ret_submit(sequence, 0, u32::try_from(bytes).unwrap_or(0), &report[..bytes]))?;
        }
        Ok(())
    }

    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match (&mut &*self.stream).write_all(message) {
            // The other side has gone; the next read says so.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

/// Waits until one of two descriptors can be read.
fn poll_two(first: &UnixStream, second: &UnixStream) -> io::Result<(bool, bool)> {
    let mut polled = [PollFd::new(first, PollFlags::IN), PollFd::new(second, PollFlags::IN)];
    retry_on_intr(|| poll(&mut polled, None))?;
    let [first, second] = polled.map(|entry| !entry.revents().is_empty());
    Ok((first, second))
}

/// A headset attached to the kernel. It follows the headset: unplug, plug and re-enumeration are seen by the kernel.
/// Dropping it detaches.
#[derive(Debug)]
pub struct Attachment {
    vhci_port: u32,
    link: Arc<Link>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Link {
    stop: AtomicBool,
    stream: Mutex<Option<UnixStream>>,
}

impl Attachment {
    /// Number of the port at `vhci_hcd.0`.
    #[must_use]
    pub fn vhci_port(&self) -> u32 {
        self.vhci_port
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.link.stop.store(true, Ordering::SeqCst);
        if let Some(stream) = &*self.link.stream.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Attaches a headset, plugged in or not, to a port of `vhci_hcd.0`; `None` takes the first free one.
///
/// # Errors
/// [`AttachError`] says what is missing and what to do about it.
pub fn attach(headset: &HeadsetHandle, vhci_port: Option<u32>) -> Result<Attachment, AttachError> {
    let vhci_port = vhci::choose_port(vhci_port)?;
    let link = Arc::new(Link::default());
    let first = if headset.state().present { Some(connect(&link, vhci_port)?) } else { None };
    let thread = std::thread::spawn({
        let (headset, link) = (headset.clone(), Arc::clone(&link));
        move || keep_attached(&headset, vhci_port, &link, first)
    });
    Ok(Attachment { vhci_port, link, thread: Some(thread) })
}

fn connect(link: &Link, vhci_port: u32) -> Result<UnixStream, AttachError> {
    let stream = vhci::attach(vhci_port)?;
    let mut current = link.stream.lock().unwrap_or_else(PoisonError::into_inner);
    *current = stream.try_clone().ok();
    // The drop of the attachment may have looked for a stream just before there was this one.
    if link.stop.load(Ordering::SeqCst) {
        let _ = stream.shutdown(std::net::Shutdown::Both);
    }
    Ok(stream)
}

fn keep_attached(headset: &HeadsetHandle, vhci_port: u32, link: &Link, first: Option<UnixStream>) {
    let (shared, port) = (headset.bus().shared(), headset.port());
    let note = |text: &str| {
        shared.with(port, |device, now| device.note(now, text));
    };
    let mut stream = first;
    while !link.stop.load(Ordering::SeqCst) {
        if let Some(stream) = stream.take() {
            match serve(headset, &stream) {
                Ok(Ended::DeviceLeft) => {}
                Ok(Ended::HostClosed) => {
                    note("detached by the host");
                    headset.unplug();
                }
                Err(error) => {
                    note(&format!("USB/IP connection lost: {error}"));
                    headset.unplug();
                }
            }
            continue;
        }
        let present =
            shared.wait_for(port, Duration::from_secs(1), |device| device.is_present().then_some(()));
        if present.is_none() {
            continue;
        }
        match connect(link, vhci_port) {
            Ok(connected) => stream = Some(connected),
            Err(error) => {
                note(&format!("attach failed, next try in a second: {error}"));
                std::thread::sleep(Duration::from_secs(1));
            }
        }
    }
}

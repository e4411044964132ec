//! The threads between [`Hardware`] and the service loop: one owns the buses, one a firmware job's device, and each
//! open headset has a reader and a writer. All of them block; none has a timer.
#![expect(clippy::disallowed_methods, reason = "blocking device calls need threads")]

use super::hardware::{Hardware, HidRead, HidWrite, UsbHandle};
use super::service::Event;
use crate::service::{Input, Scan, UsbRequest};
use dfu::usb_dfu::TransferError;
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use tokio::sync::mpsc::UnboundedSender;

/// HID 1.11 leaves report lengths open; USB 2.0 full speed interrupts carry 64 bytes, some vendors' reports 1 KiB.
const REPORT_BYTES: usize = 4096;

enum BusCommand {
    Scan { usb: bool },
    Open { path: String },
}

/// What the service loop holds of the hardware. Dropping it ends all threads but those blocked in a read.
pub(super) struct Buses {
    bus: mpsc::Sender<BusCommand>,
    usb: mpsc::Sender<UsbRequest>,
    events: UnboundedSender<Event>,
    writers: BTreeMap<String, mpsc::Sender<Vec<u8>>>,
}

impl Buses {
    pub(super) fn start(hardware: Hardware, events: UnboundedSender<Event>) -> Self {
        let Hardware { hid, usb, hotplug } = hardware;
        let opener = usb.opener();
        let (bus, commands) = mpsc::channel();
        let to = events.clone();
        spawn("bus", move || run_bus(hid, usb, &commands, &to));
        let (usb, requests) = mpsc::channel();
        let to = events.clone();
        spawn("usb", move || run_usb(opener, &requests, &to));
        let to = events.clone();
        spawn("hotplug", move || {
            let result = hotplug.watch(&mut || _ = to.send(Event::Service(Input::Hotplug)));
            if let Err(problem) = result {
                tracing::warn!(%problem, "hot-plug");
                let _ = to.send(Event::Function { name: "hotplug", problem: Some(problem) });
            }
        });
        Self { bus, usb, events, writers: BTreeMap::new() }
    }

    pub(super) fn scan(&self, usb: bool) {
        let _ = self.bus.send(BusCommand::Scan { usb });
    }

    pub(super) fn open(&self, path: String) {
        let _ = self.bus.send(BusCommand::Open { path });
    }

    /// Called when the node was opened.
    pub(super) fn opened(&mut self, path: String, reader: Box<dyn HidRead>, writer: Box<dyn HidWrite>) {
        let (reports, queue) = mpsc::channel();
        let (to, at) = (self.events.clone(), path.clone());
        spawn("hid-read", move || run_reader(reader, &at, &to));
        let (to, at) = (self.events.clone(), path.clone());
        spawn("hid-write", move || run_writer(writer, &queue, &at, &to));
        self.writers.insert(path, reports);
    }

    pub(super) fn write(&self, path: &str, report: Vec<u8>) {
        if let Some(writer) = self.writers.get(path) {
            let _ = writer.send(report);
        }
    }

    /// The writer ends at once; the reader when the system tells it that the device is gone.
    pub(super) fn close(&mut self, path: &str) {
        self.writers.remove(path);
    }

    pub(super) fn usb(&self, request: UsbRequest) {
        let _ = self.usb.send(request);
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) {
    // Shallow stacks: these threads call a library and send a message.
    let spawned = thread::Builder::new().name(name.to_owned()).stack_size(256 * 1024).spawn(run);
    if let Err(error) = spawned {
        tracing::error!(name, %error, "no thread: this part of the hardware is out of reach");
    }
}

fn run_bus(
    mut hid: Box<dyn super::hardware::HidBus>,
    mut usb: Box<dyn super::hardware::UsbBus>,
    commands: &mpsc::Receiver<BusCommand>,
    events: &UnboundedSender<Event>,
) {
    while let Ok(command) = commands.recv() {
        match command {
            BusCommand::Scan { usb: with_usb } => {
                let nodes = hid.enumerate();
                report(events, "hid", nodes.as_ref().err());
                let devices = with_usb.then(|| usb.enumerate());
                if let Some(devices) = &devices {
                    report(events, "usb", devices.as_ref().err());
                }
                // Without a list of nodes nothing is known: do not tell the service that all are gone.
                if let Ok(hid) = nodes {
                    let usb = devices.and_then(Result::ok);
                    let _ = events.send(Event::Service(Input::Scanned(Scan { hid, usb })));
                }
            }
            BusCommand::Open { path } => {
                let _ = events.send(Event::Opened { result: hid.open(&path), path });
            }
        }
    }
}

fn report(events: &UnboundedSender<Event>, name: &'static str, problem: Option<&crate::protocol::Problem>) {
    if let Some(problem) = problem {
        tracing::warn!(%problem, "bus");
    }
    let _ = events.send(Event::Function { name, problem: problem.cloned() });
}

fn run_usb(
    mut opener: Box<dyn super::hardware::UsbOpen>,
    requests: &mpsc::Receiver<UsbRequest>,
    events: &UnboundedSender<Event>,
) {
    let mut open: Option<Box<dyn UsbHandle>> = None;
    while let Ok(request) = requests.recv() {
        let answer = match request {
            UsbRequest::Open { port, interface } => {
                drop(open.take());
                opener.open(&port, interface).map(|handle| {
                    open = Some(handle);
                    Vec::new()
                })
            }
            UsbRequest::Control(transfer) => match open.as_mut() {
                Some(handle) => handle.control(&transfer),
                None => Err(TransferError::NoDevice),
            },
            UsbRequest::Reset => match open.as_mut() {
                Some(handle) => handle.reset().map(|()| Vec::new()),
                None => Err(TransferError::NoDevice),
            },
            UsbRequest::Close => {
                drop(open.take());
                continue;
            }
        };
        let _ = events.send(Event::Service(Input::UsbCompleted(answer)));
    }
}

fn run_reader(mut reader: Box<dyn HidRead>, path: &str, events: &UnboundedSender<Event>) {
    let mut report = vec![0; REPORT_BYTES];
    let error = loop {
        match reader.read(&mut report) {
            Ok(0) => {}
            Ok(length) => {
                tracing::trace!(path, report = ?&report[..length], "input report");
                let bytes = report[..length].to_vec();
                if events.send(Event::Service(Input::HidReport { path: path.to_owned(), bytes })).is_err() {
                    return;
                }
            }
            Err(error) => break error,
        }
    };
    tracing::debug!(path, %error, "reading ends");
    let _ = events.send(Event::Service(Input::HidLost { path: path.to_owned() }));
}

fn run_writer(
    mut writer: Box<dyn HidWrite>,
    queue: &mpsc::Receiver<Vec<u8>>,
    path: &str,
    events: &UnboundedSender<Event>,
) {
    while let Ok(report) = queue.recv() {
        tracing::trace!(path, ?report, "output report");
        if let Err(error) = writer.write(&report) {
            // A stalled report is no departure; the reader knows about that.
            tracing::warn!(path, %error, "output report not taken");
            let _ = events.send(Event::Service(Input::Hotplug));
        }
    }
}

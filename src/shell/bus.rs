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
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// HID 1.11 leaves report lengths open; USB 2.0 full speed interrupts carry 64 bytes, some vendors' reports 1 KiB.
const REPORT_BYTES: usize = 4096;
/// For the last reports of a run. A device that takes longer than this is not listening.
const LAST_WRITES: Duration = Duration::from_secs(1);

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
    /// Every writing thread holds a clone; nothing is ever sent.
    writing: mpsc::Sender<()>,
    written: mpsc::Receiver<()>,
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
        let (writing, written) = mpsc::channel();
        Self { bus, usb, events, writers: BTreeMap::new(), writing, written }
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
        let writing = self.writing.clone();
        spawn("hid-write", move || {
            run_writer(writer, &queue, &at, &to);
            drop(writing);
        });
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

    /// Waits until the reports that were given are written: the end of the program ends its threads too.
    pub(super) fn finish(self) {
        let Self { writers, writing, written, .. } = self;
        drop((writers, writing));
        // Disconnected once the last writer ended.
        if let Err(mpsc::RecvTimeoutError::Timeout) = written.recv_timeout(LAST_WRITES) {
            tracing::warn!("a headset did not take its last reports: its lights may stay on");
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    struct Silent;
    impl HidRead for Silent {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    /// A full-speed device polled every 32 ms takes about this long for each report.
    struct Slow(Arc<Mutex<Vec<u8>>>);
    impl HidWrite for Slow {
        fn write(&mut self, report: &[u8]) -> io::Result<()> {
            thread::sleep(Duration::from_millis(32));
            self.0.lock().expect("no panic").extend_from_slice(report);
            Ok(())
        }
    }

    #[test]
    fn the_last_reports_are_at_the_device_before_the_program_ends() {
        let (events, _queue) = tokio::sync::mpsc::unbounded_channel();
        let (writing, written) = mpsc::channel();
        let (bus, usb) = (mpsc::channel().0, mpsc::channel().0);
        let mut buses = Buses { bus, usb, events, writers: BTreeMap::new(), writing, written };
        let device = Arc::new(Mutex::new(Vec::new()));
        buses.opened("node".to_owned(), Box::new(Silent), Box::new(Slow(device.clone())));
        for report in 1..=4 {
            buses.write("node", vec![report]);
        }
        buses.finish();
        assert_eq!(*device.lock().expect("no panic"), [1, 2, 3, 4]);
    }
}

//! The threads between [`Hardware`] and the machine role's loop: one owns the buses, one what firmware jobs have open, and
//! each open headset has a reader and a writer. All of them block; none has a timer.
#![expect(clippy::disallowed_methods, reason = "blocking device calls need threads")]

use super::event::Event;
use super::hardware::{Hardware, HidRead, HidWrite};
use super::store::packages::PackageFile;
use dfu::usb_dfu::TransferError;
use hub::machine::{Input, JobId, Scan, UsbRequest};
use hub::protocol::{Detail, Function, Problem};
use hub::world::WorldChange;
use job::JobCommand;
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use tokio::sync::mpsc::UnboundedSender;

mod job;

/// HID 1.11 leaves report lengths open; USB 2.0 full speed interrupts carry 64 bytes, some vendors' reports 1 KiB.
const REPORT_BYTES: usize = 4096;

/// Reads in a row that bring nothing.
const MOST_EMPTY: u32 = 1000;

enum BusCommand {
    Scan { usb: bool },
    Open { path: String },
}

struct OutputReport {
    ticket: u64,
    bytes: Vec<u8>,
}

/// What the machine role's loop holds of the hardware. Dropping it ends all threads but those blocked in a read.
pub(super) struct Buses {
    bus: mpsc::Sender<BusCommand>,
    jobs: mpsc::Sender<(JobId, JobCommand)>,
    events: UnboundedSender<Event>,
    writers: BTreeMap<String, mpsc::Sender<OutputReport>>,
}

impl Buses {
    pub(super) fn start(hardware: Hardware, events: UnboundedSender<Event>) -> Self {
        let Hardware { hid, usb, hotplug } = hardware;
        let opener = usb.opener();
        let (bus, commands) = mpsc::channel();
        let to = events.clone();
        spawn("bus", move || run_bus(hid, usb, &commands, &to));
        let (jobs, commands) = mpsc::channel();
        let to = events.clone();
        spawn("usb", move || job::run(opener, &commands, &to));
        let to = events.clone();
        spawn("hotplug", move || {
            let result =
                hotplug.watch(&mut || _ = to.send(Event::Machine(Input::WorldChanged(WorldChange::HotPlug))));
            if let Err(problem) = result {
                report(&to, Function::Hotplug, Some(&problem));
            }
        });
        Self { bus, jobs, events, writers: BTreeMap::new() }
    }

    /// Where news of the world go.
    pub(super) fn events(&self) -> UnboundedSender<Event> {
        self.events.clone()
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

    /// Answered in any case: a node that is not open takes nothing.
    pub(super) fn write(&self, path: String, ticket: u64, bytes: Vec<u8>) {
        let given = self.writers.get(&path).map(|writer| writer.send(OutputReport { ticket, bytes }));
        if !matches!(given, Some(Ok(()))) {
            let result = Err(Detail::new("device-not-open", "it is not open"));
            let _ = self.events.send(Event::Machine(Input::HidWritten { path, ticket, result }));
        }
    }

    /// The writer ends at once; the reader when the system tells it that the device is gone.
    pub(super) fn close(&mut self, path: &str) {
        self.writers.remove(path);
    }

    pub(super) fn usb(&self, job: JobId, request: UsbRequest) {
        let _ = self.jobs.send((job, JobCommand::Ask(request)));
    }

    /// The file that the blocks of this job are read from.
    pub(super) fn package(&self, job: JobId, file: PackageFile) {
        let _ = self.jobs.send((job, JobCommand::Package(file)));
    }

    pub(super) fn job_ended(&self, job: JobId) {
        let _ = self.jobs.send((job, JobCommand::End));
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
                report(events, Function::Hid, nodes.as_ref().err());
                let devices = with_usb.then(|| usb.enumerate());
                if let Some(devices) = &devices {
                    report(events, Function::Usb, devices.as_ref().err());
                }
                // Without a list of nodes nothing is known: that is not to say that all are gone.
                let input = match nodes {
                    Ok(hid) => Input::Scanned(Scan { hid, usb: devices.and_then(Result::ok) }),
                    Err(_) => Input::ScanFailed,
                };
                let _ = events.send(Event::Machine(input));
            }
            BusCommand::Open { path } => {
                let _ = events.send(Event::Opened { result: hid.open(&path), path });
            }
        }
    }
}

fn report(events: &UnboundedSender<Event>, function: Function, problem: Option<&Problem>) {
    if let Some(problem) = problem {
        tracing::warn!(%problem, "bus");
    }
    let _ = events.send(Event::Machine(Input::Trouble { function, problem: problem.cloned() }));
}

fn report_usb(events: &UnboundedSender<Event>, job: JobId, result: Result<Vec<u8>, TransferError>) {
    let _ = events.send(Event::Machine(Input::UsbCompleted { job, result }));
}

fn run_reader(mut reader: Box<dyn HidRead>, path: &str, events: &UnboundedSender<Event>) {
    let mut report = vec![0; REPORT_BYTES];
    let mut empty = 0;
    let error = loop {
        match reader.read(&mut report) {
            // A node that answers at once and with nothing must not keep a processor busy.
            Ok(0) if empty == MOST_EMPTY => break std::io::Error::other("nothing but empty reads"),
            Ok(0) => empty += 1,
            Ok(length) => {
                empty = 0;
                tracing::trace!(path, report = ?&report[..length], "input report");
                let bytes = report[..length].to_vec();
                if events.send(Event::Machine(Input::HidReport { path: path.to_owned(), bytes })).is_err() {
                    return;
                }
            }
            Err(error) => break error,
        }
    };
    tracing::debug!(path, %error, "reading ends");
    let _ = events.send(Event::Machine(Input::HidLost { path: path.to_owned() }));
}

fn run_writer(
    mut writer: Box<dyn HidWrite>,
    queue: &mpsc::Receiver<OutputReport>,
    path: &str,
    events: &UnboundedSender<Event>,
) {
    while let Ok(OutputReport { ticket, bytes }) = queue.recv() {
        let result = writer.write(&bytes);
        tracing::trace!(path, report = ?bytes, ?result, "output report");
        let result = result.map_err(Detail::verbatim);
        let written = Input::HidWritten { path: path.to_owned(), ticket, result };
        if events.send(Event::Machine(written)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    struct Silent;
    impl HidRead for Silent {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    /// Takes one report and refuses the next.
    struct Moody(bool);
    impl HidWrite for Moody {
        fn write(&mut self, _: &[u8]) -> io::Result<()> {
            self.0 = !self.0;
            if self.0 { Ok(()) } else { Err(io::Error::other("stalled")) }
        }
    }

    struct Empty;
    impl HidRead for Empty {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }
    }

    #[test]
    fn a_reader_that_brings_nothing_ends() {
        let (events, mut queue) = tokio::sync::mpsc::unbounded_channel();
        run_reader(Box::new(Empty), "node", &events);
        assert!(matches!(queue.try_recv(), Ok(Event::Machine(Input::HidLost { path })) if path == "node"));
    }

    #[test]
    fn every_output_report_is_answered_also_of_a_node_that_is_not_open() {
        let (events, mut queue) = tokio::sync::mpsc::unbounded_channel();
        let (bus, jobs) = (mpsc::channel().0, mpsc::channel().0);
        let mut buses = Buses { bus, jobs, events, writers: BTreeMap::new() };
        buses.opened("node".to_owned(), Box::new(Silent), Box::new(Moody(false)));
        buses.write("node".to_owned(), 1, vec![1]);
        buses.write("node".to_owned(), 2, vec![1]);
        let mut answers = Vec::new();
        while answers.len() < 2 {
            if let Some(Event::Machine(Input::HidWritten { ticket, result, .. })) = queue.blocking_recv() {
                answers.push((ticket, result.map_err(|error| error.text)));
            }
        }
        assert_eq!(answers, [(1, Ok(())), (2, Err("stalled".to_owned()))]);
        buses.close("node");
        buses.write("node".to_owned(), 3, vec![1]);
        let last = std::iter::from_fn(|| queue.try_recv().ok()).last();
        let Some(Event::Machine(Input::HidWritten { ticket: 3, result: Err(error), .. })) = last else {
            panic!("an answer")
        };
        assert_eq!(error.code, "device-not-open");
    }
}

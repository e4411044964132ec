//! What firmware jobs have open: the device that is written to, and the package whose blocks go there.

use super::{Event, report_usb};
use crate::shell::hardware::{UsbHandle, UsbOpen};
use crate::shell::store::packages::PackageFile;
use dfu::unpack::{Place, Unpacker};
use dfu::usb_dfu::{Block, ControlTransfer, Data, TransferError};
use hub::machine::{JobId, UsbRequest};
use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use tokio::sync::mpsc::UnboundedSender;

pub(super) enum JobCommand {
    /// It was looked through; blocks come from here.
    Package(PackageFile),
    Ask(UsbRequest),
    End,
}

#[derive(Default)]
struct Job {
    device: Option<Box<dyn UsbHandle>>,
    package: Option<Arc<PackageFile>>,
    /// The image that is being read, where the last block ended.
    image: Option<(Place, Unpacker<Arc<PackageFile>>)>,
}

/// Answers all requests but `Close`, one after the other.
pub(super) fn run(
    mut opener: Box<dyn UsbOpen>,
    commands: &mpsc::Receiver<(JobId, JobCommand)>,
    events: &UnboundedSender<Event>,
) {
    let mut jobs: BTreeMap<JobId, Job> = BTreeMap::new();
    while let Ok((id, command)) = commands.recv() {
        match command {
            JobCommand::Package(package) => {
                let job = jobs.entry(id).or_default();
                (job.package, job.image) = (Some(Arc::new(package)), None);
            }
            JobCommand::Ask(UsbRequest::Close) => {
                if let Some(job) = jobs.get_mut(&id) {
                    job.device = None;
                }
            }
            JobCommand::Ask(request) => {
                let answer = jobs.entry(id).or_default().answer(opener.as_mut(), request);
                report_usb(events, id, answer);
            }
            JobCommand::End => drop(jobs.remove(&id)),
        }
    }
}

impl Job {
    fn answer(&mut self, opener: &mut dyn UsbOpen, request: UsbRequest) -> Result<Vec<u8>, TransferError> {
        match request {
            UsbRequest::Open { port, interface } => {
                self.device = None;
                self.device = Some(opener.open(&port, interface)?);
                Ok(Vec::new())
            }
            UsbRequest::Control(transfer) => self.control(&transfer),
            UsbRequest::Reset => {
                let device = self.device.as_mut().ok_or(TransferError::NoDevice)?;
                device.reset().map(|()| Vec::new())
            }
            UsbRequest::Close => Ok(Vec::new()),
        }
    }

    fn control(&mut self, transfer: &ControlTransfer) -> Result<Vec<u8>, TransferError> {
        let block = match transfer.data {
            Data::Block(block) => self.block(block)?,
            Data::Empty | Data::In(_) => Vec::new(),
        };
        self.device.as_mut().ok_or(TransferError::NoDevice)?.control(transfer, &block)
    }

    fn block(&mut self, block: Block) -> Result<Vec<u8>, TransferError> {
        let package = self.package.as_ref().ok_or(TransferError::PackageUnread)?;
        let mut unpacker = match self.image.take() {
            Some((place, unpacker)) if place == block.place => unpacker,
            _ => Unpacker::new(package.clone(), block.place),
        };
        let mut bytes = vec![0; block.bytes.into()];
        let read = unpacker.read(block.from, &mut bytes);
        self.image = Some((block.place, unpacker));
        read.map(|()| bytes).map_err(|error| {
            tracing::error!(%error, from = block.from, "a block of the firmware cannot be read");
            TransferError::PackageUnread
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub::machine::Input;
    use std::time::Duration;

    /// Takes what it is sent, for whoever looks.
    struct Taker(mpsc::Sender<Vec<u8>>);
    impl UsbHandle for Taker {
        fn control(&mut self, _: &ControlTransfer, out: &[u8]) -> Result<Vec<u8>, TransferError> {
            self.0.send(out.to_vec()).map_err(|_| TransferError::NoDevice)?;
            Ok(Vec::new())
        }
        fn reset(&mut self) -> Result<(), TransferError> {
            Ok(())
        }
    }
    impl UsbOpen for Taker {
        fn open(&mut self, _: &str, _: u8) -> Result<Box<dyn UsbHandle>, TransferError> {
            Ok(Box::new(Taker(self.0.clone())))
        }
    }

    fn package(folder: &std::path::Path, bytes: &[u8]) -> PackageFile {
        let path = folder.join(format!("{}.zip", bytes.len()));
        std::fs::write(&path, bytes).expect("a file");
        let file = PackageFile::new(std::fs::File::open(&path).expect("a file")).expect("a package");
        // What lies there afterwards is another file.
        std::fs::remove_file(&path).expect("its name");
        std::fs::write(&path, vec![0xee; bytes.len()]).expect("another file");
        file
    }

    fn block(from: u64, bytes: u16) -> UsbRequest {
        let data = Data::Block(Block { place: Place::whole(12), from, bytes });
        let timeout = Duration::from_secs(5);
        UsbRequest::Control(ControlTransfer {
            request_type: 0x21,
            request: 1,
            value: 0,
            index: 0,
            data,
            timeout,
        })
    }

    #[test]
    fn a_block_comes_from_the_package_that_was_opened_for_its_job() {
        let folder = tempfile::tempdir().expect("a folder");
        let (to, taken) = mpsc::channel();
        let (commands, queue) = mpsc::channel();
        let (events, mut answers) = tokio::sync::mpsc::unbounded_channel();
        let ask = |job, request| commands.send((JobId(job), JobCommand::Ask(request))).expect("a thread");
        let open = || UsbRequest::Open { port: "1-1".to_owned(), interface: 0 };
        let packages = [package(folder.path(), b"first bytes!"), package(folder.path(), b"second bytes")];
        for (job, package) in [1, 2].into_iter().zip(packages) {
            commands.send((JobId(job), JobCommand::Package(package))).expect("a thread");
            ask(job, open());
        }
        ask(2, block(7, 5));
        ask(1, block(6, 6));
        ask(1, block(8, 5));
        commands.send((JobId(1), JobCommand::End)).expect("a thread");
        ask(1, block(0, 1));
        ask(2, UsbRequest::Close);
        ask(2, block(0, 1));
        drop(commands);
        run(Box::new(Taker(to)), &queue, &events);
        drop(events);
        assert_eq!(taken.try_iter().collect::<Vec<_>>(), [b"bytes".to_vec(), b"bytes!".to_vec()]);
        let answers: Vec<_> = std::iter::from_fn(|| answers.try_recv().ok())
            .map(|event| match event {
                Event::Machine(Input::UsbCompleted { job, result }) => (job.0, result.err()),
                other => panic!("{other:?}"),
            })
            .collect();
        let (unread, gone) = (Some(TransferError::PackageUnread), Some(TransferError::NoDevice));
        assert_eq!(
            answers,
            [(1, None), (2, None), (2, None), (1, None), (1, unread), (1, unread), (2, gone)],
            "beyond its end, after the job, and without a device there is nothing"
        );
    }
}

//! USB DFU 1.1 from the host's side, as a state machine.
//!
//! The owner calls [`UsbDfu::handle`] for everything that happens and [`UsbDfu::handle_timeout`] when the time of
//! [`UsbDfu::poll_timeout`] has come, and after either performs all of [`UsbDfu::poll_output`] in order:
//!
//! * [`Output::Open`], [`Output::Control`] and [`Output::Reset`] are requests. There is never more than one without
//!   an answer, and each is answered by exactly one [`Input::Completed`], also if the device is gone.
//! * [`Output::Journal`] must be on disk before the next output is performed.
//! * [`Input::Arrived`] may be repeated for a device that is still there. It should be sent once for what is at the
//!   port when an interrupted update is resumed, and again when more is known of a device (on Windows the interfaces
//!   appear after the device).
//!
//! A device may ask for time in every answer to DFU_GETSTATUS (bwPollTimeout); nothing is sent before it has passed.

mod answers;
mod arrivals;
mod configuration;
mod descriptor;
mod deviations;
mod ending;
mod identity;
mod plan;
mod requests;
mod step;
mod verdict;
mod wire;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub use self::descriptor::FunctionalDescriptor;
pub use self::deviations::Deviations;
pub use self::identity::{DfuInterface, Mode, UsbIdentity};
pub use self::plan::{MAX_REENUMERATE_TIMEOUT, MIN_REENUMERATE_TIMEOUT, Phase, PhaseError, Plan, PlanError};
use self::step::{ExtraReset, Step};
pub use self::verdict::{Bcd, DeviceNow, Failure, TransferError, UnknownReason, Verdict};
pub use self::wire::{DfuState, DfuStatus};
use crate::unpack::Place;

/// Downloads begun, or devices lost on the way to one, before the update is given up.
pub const MAX_ATTEMPTS: u8 = 3;
/// Tries to open one device. Rights may come some time after the device.
pub const OPEN_TRIES: u8 = 10;
/// Longest bwPollTimeout that is waited for.
pub const MAX_POLL_TIMEOUT: Duration = Duration::from_secs(300);
/// Longest time a device may be busy with one block, or with manifestation, beyond which it is taken to hang.
pub const MAX_BUSY: Duration = Duration::from_secs(600);
/// How long a device that left the bus in the middle of an update is awaited at its port.
pub const REPLUG_TIMEOUT: Duration = Duration::from_secs(600);
/// Time a device is given to answer one control transfer.
pub const TRANSFER_TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of one DFU_DNLOAD, whatever the device allows: Linux takes no longer control transfer.
pub const MAX_TRANSFER_BYTES: u16 = 4096;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A device is at a port (devices at other ports are ignored).
    Arrived(UsbIdentity),
    /// The device at this port is gone.
    Left {
        /// The port, as in [`UsbIdentity::port`].
        port: String,
    },
    /// The answer to the one request without an answer; the bytes read if it was a [`Data::In`], else empty.
    Completed(Result<Vec<u8>, TransferError>),
    /// Stop if that is still possible: up to the end of the download. Later the device decides, and this is ignored.
    Cancel,
}

/// Something to do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open the device and claim the interface. A request.
    Open {
        /// The port, as in [`UsbIdentity::port`].
        port: String,
        /// bInterfaceNumber.
        interface: u8,
    },
    /// One control transfer to the open device. A request.
    Control(ControlTransfer),
    /// A USB port reset of the open device. A request; a [`Output::Close`] follows.
    Reset,
    /// Release the interface and close the device. Not answered.
    Close,
    /// Store the phase. Not answered.
    Journal(Phase),
    /// For the person who waits. Not answered.
    Progress {
        /// Bytes the device has acknowledged.
        done_bytes: u64,
        /// Bytes of the image.
        total_bytes: u64,
        /// Where the update stands.
        phase: Phase,
    },
    /// The last output.
    Finished(Verdict),
}

/// A control transfer on endpoint 0 (USB 2.0 §9.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlTransfer {
    /// bmRequestType.
    pub request_type: u8,
    /// bRequest.
    pub request: u8,
    /// wValue.
    pub value: u16,
    /// wIndex: the interface.
    pub index: u16,
    /// The data stage.
    pub data: Data,
    /// Time the device is given.
    pub timeout: Duration,
}

/// The data stage of a control transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// There is none.
    Empty,
    /// Host to device: a part of the image.
    Block(Block),
    /// Device to host: at most so many bytes.
    In(u16),
}

/// A part of a firmware image, to be read where the image lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The file of the image.
    pub place: Place,
    /// Its first byte, counted from the file's.
    pub from: u64,
    /// How many; 1 to [`MAX_TRANSFER_BYTES`].
    pub bytes: u16,
}

/// One USB DFU update. See the [module](self).
#[derive(Debug)]
pub struct UsbDfu {
    plan: Plan,
    outputs: VecDeque<Output>,
    step: Step,
    phase: Phase,
    /// What is at the port, as far as it was told.
    device: Option<UsbIdentity>,
    /// The interface that is open.
    opened: Option<DfuInterface>,
    /// The device behind `opened` has left or was replaced.
    gone: bool,
    /// A departure was seen since the last request that makes the device leave.
    left_seen: bool,
    /// A device that is not the one of the plan was seen at the port.
    another_seen: bool,
    /// Nothing may be sent before.
    quiet_until: Option<(Instant, &'static str)>,
    /// Since when the device is busy with the same thing.
    busy_since: Option<Instant>,
    /// Until when a lost device is awaited; kept while it cannot be opened.
    replug_until: Option<Instant>,
    attempts: u8,
    open_failures: u8,
    status_failures: u8,
    prepare_steps: u8,
    /// How the last DFU_DNLOAD failed, until DFU_GETSTATUS tells why.
    download_error: Option<TransferError>,
    /// Blocks acknowledged.
    block: u32,
    /// Bytes acknowledged.
    sent: u64,
    /// Bytes at the last progress report.
    shown: u64,
    /// DFU_DETACH was sent to the device that is open.
    detach_sent: bool,
    /// idProduct of the device that DFU_DETACH was sent to last.
    detached_pid: Option<u16>,
    /// A block may have reached the device.
    written: bool,
    extra_reset: ExtraReset,
    /// The device said dfuERROR last.
    in_error: bool,
    /// The whole image was sent and its end announced, and nothing since says that it was refused.
    complete: bool,
    cancelled: bool,
    /// The failure this update ends with once the device has been left alone.
    ending: Option<Failure>,
}

impl UsbDfu {
    /// Begins (or, with [`Plan::resume`], continues) an update.
    ///
    /// Errors: see [`PlanError`]; nothing was sent then.
    pub fn new(mut plan: Plan, now: Instant) -> Result<UsbDfu, PlanError> {
        plan.runtime = plan.deviations.correct(plan.runtime, &plan.dfu_pids);
        plan.check()?;
        let resume = plan.resume;
        let mut update = UsbDfu {
            device: resume.is_none().then(|| plan.runtime.clone()),
            extra_reset: ExtraReset::of(&plan),
            plan,
            outputs: VecDeque::new(),
            step: Step::Done,
            phase: Phase::Detaching,
            opened: None,
            gone: false,
            // A device that may be manifesting is left alone: when it may be asked, nobody knows any more.
            left_seen: !matches!(resume, Some(Phase::Manifesting | Phase::WaitingForRuntime)),
            another_seen: false,
            quiet_until: None,
            busy_since: None,
            replug_until: None,
            attempts: 0,
            open_failures: 0,
            status_failures: 0,
            prepare_steps: 0,
            download_error: None,
            block: 0,
            sent: 0,
            shown: 0,
            detach_sent: false,
            detached_pid: None,
            written: matches!(resume, Some(Phase::Downloading { .. })),
            in_error: false,
            complete: matches!(resume, Some(Phase::Manifesting | Phase::WaitingForRuntime)),
            cancelled: false,
            ending: None,
        };
        match resume {
            None => update.approach(now),
            Some(Phase::Manifesting | Phase::WaitingForRuntime) => update.await_runtime(now),
            Some(_) => update.await_replug(now),
        }
        Ok(update)
    }

    /// Takes in what happened.
    pub fn handle(&mut self, input: Input, now: Instant) {
        match input {
            Input::Arrived(identity) => self.arrived(identity, now),
            Input::Left { port } => self.left(&port, now),
            Input::Completed(result) => self.completed(result, now),
            Input::Cancel => self.cancel(),
        }
    }

    /// Does what is due at `now`; nothing if that is earlier than [`UsbDfu::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.step {
            Step::Waiting { goal, until } if until <= now => self.waited_in_vain(goal, now),
            // Goes on pausing where that is too early.
            Step::Pausing { then, .. } => self.ask(then, now),
            _ => {}
        }
    }

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`UsbDfu::handle_timeout`], and what for. `None` while a request is without an answer, and
    /// after the verdict.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match self.step {
            Step::Waiting { goal, until } => Some((until, goal.reason())),
            Step::Pausing { until, reason, .. } => Some((until, reason)),
            Step::Requested(_) | Step::Done => None,
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.outputs.push_back(Output::Journal(phase));
        self.show_progress();
    }

    fn show_progress(&mut self) {
        self.shown = self.sent;
        self.outputs.push_back(Output::Progress {
            done_bytes: self.sent,
            total_bytes: self.plan.image.payload_bytes,
            phase: self.phase,
        });
    }

    fn close(&mut self) {
        if self.opened.take().is_some() {
            self.outputs.push_back(Output::Close);
        }
        self.gone = false;
        self.in_error = false;
        self.busy_since = None;
    }
}

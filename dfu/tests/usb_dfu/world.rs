//! A host, a cable and a hand: performs what `UsbDfu` asks for on the simulated device, and checks its manners.
#![expect(clippy::disallowed_methods, reason = "an origin for the clock of the test, never read again")]

use std::time::{Duration, Instant};

use dfu::FirmwareVersion;
use dfu::image::{Image, Suffix};
use dfu::unpack::Unpacker;
use dfu::usb_dfu::{
    Block, ControlTransfer, Data, Deviations, DfuInterface, Input, Output, Phase, Plan, PlanError,
    TransferError, UsbIdentity, Verdict,
};
use dfu::{Machine, Method};

use crate::device::{Bus, Device, Make, Refusal, VID, firmware};

pub(crate) const PORT: &str = "1-2.3";
pub(crate) const OLD: u16 = 0x0110;
pub(crate) const NEW: u16 = 0x0120;

/// What a script does to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meddling {
    /// Nothing.
    Pass,
    /// The device never sees the request.
    Swallow(TransferError),
    /// The device sees it, the answer is lost.
    LoseAnswer(TransferError),
    /// The cable is pulled before it arrives.
    Unplug,
    /// The device answers other bytes.
    Garble(&'static [u8]),
}

pub(crate) struct World {
    pub(crate) device: Device,
    /// What the device is to hold, and the file that has it.
    payload: Vec<u8>,
    file: Vec<u8>,
    pub(crate) dfu: Machine,
    pub(crate) plan: Plan,
    start: Instant,
    pub(crate) now_ms: u64,
    pub(crate) journal: Vec<Phase>,
    pub(crate) progress: Vec<(u64, u64)>,
    pub(crate) requests: Vec<Output>,
    pub(crate) verdict: Option<Verdict>,
    /// What the hand does and when: `true` plugs, `false` unplugs.
    pub(crate) hand: Vec<(u64, bool)>,
    pub(crate) cancel_at: Option<u64>,
    pub(crate) crash_at: Option<u64>,
    /// Plugged into the port whenever the hand has pulled the device, and pulled before that comes back.
    pub(crate) stranger: Option<UsbIdentity>,
    stranger_is_there: bool,
    /// Report no departures, as a host that is slow to notice.
    pub(crate) hide_departures: bool,
    seen: Option<UsbIdentity>,
    open: bool,
    /// No request may be sent before, by the last answer that was handed over.
    quiet_until_ms: u64,
    busy: bool,
}

pub(crate) fn payload() -> Vec<u8> {
    firmware(NEW, 1500, 0x5a)
}

fn identity(device: &Device) -> Option<UsbIdentity> {
    let (pid, runtime) = match device.bus {
        Bus::Runtime => (device.make.runtime_pid, true),
        Bus::Dfu => (device.make.dfu_pid, false),
        Bus::Away(_) | Bus::Unplugged => return None,
    };
    Some(UsbIdentity {
        port: PORT.to_owned(),
        vid: VID,
        pid,
        bcd_device: device.bcd_device(),
        serial: runtime.then(|| "A1".to_owned()),
        dfu: DfuInterface::find(&device.configuration_descriptor(), Some(1)),
    })
}

impl World {
    pub(crate) fn new(make: Make) -> World {
        World::with(make, payload(), OLD, None)
    }

    /// The table of the make says what it does differently.
    pub(crate) fn with(make: Make, payload: Vec<u8>, old: u16, resume: Option<Phase>) -> World {
        let table = make.table();
        World::told(make, table, payload, old, resume).unwrap()
    }

    pub(crate) fn told(
        make: Make,
        deviations: Deviations,
        payload: Vec<u8>,
        old: u16,
        resume: Option<Phase>,
    ) -> Result<World, PlanError> {
        let device = Device::new(make, firmware(old, 700, 1));
        let suffix = Suffix { bcd_device: NEW, vid: VID, pid: 0xffff, bcd_dfu: 0x0100 };
        let file = Image::with_suffix(&payload, suffix);
        let plan = Plan {
            runtime: identity(&device).unwrap(),
            dfu_pids: device.make.dfu_pids(),
            image: Image::parse(&file).unwrap(),
            target_version: FirmwareVersion::from_bcd(NEW).unwrap(),
            deviations,
            reenumerate_timeout: Duration::from_secs(10),
            resume,
        };
        let start = Instant::now();
        Ok(World {
            dfu: Machine::new(Method::UsbDfu, plan.clone(), start)?,
            seen: identity(&device),
            device,
            payload,
            file,
            plan,
            start,
            now_ms: 0,
            journal: Vec::new(),
            progress: Vec::new(),
            requests: Vec::new(),
            verdict: None,
            hand: Vec::new(),
            cancel_at: None,
            crash_at: None,
            stranger: None,
            stranger_is_there: false,
            hide_departures: false,
            open: false,
            quiet_until_ms: 0,
            busy: false,
        })
    }

    pub(crate) fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.now_ms)
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.dfu.handle(input, self.now());
    }

    /// Runs until there is a verdict.
    pub(crate) fn run(&mut self, mut script: impl FnMut(&mut World, &Output) -> Meddling) -> Verdict {
        for _ in 0..2_000_000 {
            while let Some(output) = self.dfu.poll_output() {
                self.perform(output, &mut script);
            }
            if let Some(verdict) = &self.verdict {
                assert!(self.dfu.poll_timeout().is_none(), "something is due after the verdict");
                assert!(!self.open, "finished with the device open");
                return verdict.clone();
            }
            let Some((deadline, _)) = self.dfu.poll_timeout() else {
                panic!("neither a verdict nor a deadline, at {} ms, {:?}", self.now_ms, self.dfu);
            };
            // A real timer is never early.
            let due_ms = deadline.saturating_duration_since(self.start).as_micros().div_ceil(1000) as u64;
            let mut next = due_ms.max(self.now_ms);
            let others =
                [self.device.wakes_at(), self.hand.first().map(|(at, _)| *at), self.cancel_at, self.crash_at];
            next = others.into_iter().flatten().fold(next, u64::min).max(self.now_ms);
            self.pass_time(next);
            // Where that is early, it does nothing.
            self.dfu.handle_timeout(self.now());
        }
        panic!("no end in sight: {:?}", self.dfu);
    }

    pub(crate) fn pass_time(&mut self, to_ms: u64) {
        self.now_ms = to_ms;
        self.device.advance(to_ms);
        while self.hand.first().is_some_and(|(at, _)| *at <= to_ms) {
            if self.hand.remove(0).1 {
                self.pull_stranger();
                self.device.plug();
                self.notice();
            } else {
                self.device.unplug();
                self.notice();
                self.plug_stranger();
            }
        }
        if self.crash_at.is_some_and(|at| at <= to_ms) {
            self.crash_at = None;
            self.crash();
        }
        self.notice();
        if self.cancel_at.is_some_and(|at| at <= to_ms) {
            self.cancel_at = None;
            self.input(Input::Cancel);
        }
    }

    fn plug_stranger(&mut self) {
        if let Some(stranger) = self.stranger.clone().filter(|_| !self.stranger_is_there) {
            self.stranger_is_there = true;
            self.input(Input::Arrived(stranger));
        }
    }

    fn pull_stranger(&mut self) {
        if std::mem::take(&mut self.stranger_is_there) {
            self.input(Input::Left { port: PORT.to_owned() });
        }
    }

    /// Tells what changed on the bus.
    fn notice(&mut self) {
        let present = identity(&self.device);
        if present == self.seen {
            return;
        }
        // What the device asked for ended with its session.
        self.quiet_until_ms = 0;
        if self.seen.is_some() && !self.hide_departures {
            self.input(Input::Left { port: PORT.to_owned() });
        }
        if let Some(identity) = &present {
            self.input(Input::Arrived(identity.clone()));
        }
        self.seen = present;
    }

    /// Tells of the device at the port once more.
    pub(crate) fn tell_again(&mut self) {
        if let Some(identity) = identity(&self.device) {
            self.input(Input::Arrived(identity));
        }
    }

    /// The host dies and starts again with what the journal holds.
    fn crash(&mut self) {
        let resume = self.journal.last().copied();
        self.plan.resume = resume;
        self.dfu = Machine::new(Method::UsbDfu, self.plan.clone(), self.now()).unwrap();
        self.open = false;
        self.busy = false;
        self.quiet_until_ms = 0;
        self.seen = identity(&self.device);
        if let Some(seen) = self.seen.clone().filter(|_| resume.is_some()) {
            self.input(Input::Arrived(seen));
        }
        if std::mem::take(&mut self.stranger_is_there) {
            self.plug_stranger();
        }
    }

    fn perform(&mut self, output: Output, script: &mut impl FnMut(&mut World, &Output) -> Meddling) {
        assert!(self.verdict.is_none(), "{output:?} after the verdict");
        match output {
            Output::Journal(phase) => self.journal.push(phase),
            Output::Progress { done_bytes, total_bytes, .. } => {
                assert!(done_bytes <= total_bytes);
                self.progress.push((done_bytes, total_bytes));
            }
            Output::Close => {
                assert!(self.open, "closed twice");
                self.open = false;
            }
            Output::Finished(verdict) => self.verdict = Some(verdict),
            Output::Open { .. } | Output::Control(_) | Output::Reset => self.request(output, script),
        }
    }

    fn request(&mut self, request: Output, script: &mut impl FnMut(&mut World, &Output) -> Meddling) {
        assert!(!self.busy, "a second request: {request:?}");
        assert_eq!(
            self.open,
            !matches!(request, Output::Open { .. }),
            "{request:?} while open is {}",
            self.open
        );
        if !matches!(request, Output::Open { .. }) {
            assert!(self.now_ms >= self.quiet_until_ms, "{request:?} before bwPollTimeout has passed");
        }
        assert!(!self.stranger_is_there || self.open, "{request:?} to a stranger");
        let meddling = script(self, &request);
        self.requests.push(request.clone());
        self.busy = true;
        if meddling == Meddling::Unplug {
            self.device.unplug();
            self.hand.insert(0, (self.now_ms + 5_000, true));
        }
        let answer = match meddling {
            Meddling::Swallow(error) => Err(error),
            _ => self.answer_in_time(&request),
        };
        let answer = match (meddling, answer) {
            (Meddling::LoseAnswer(error), _) => Err(error),
            (Meddling::Garble(bytes), Ok(_)) if matches!(&request, Output::Control(c) if c.request == 3) => {
                Ok(bytes.to_vec())
            }
            (_, answer) => answer,
        };
        self.pass_time(self.now_ms + 1);
        // A crash in between: nobody waits for the answer.
        if !std::mem::take(&mut self.busy) {
            return;
        }
        let is_status = matches!(&request, Output::Control(control) if control.request == 3);
        if let (true, Ok(bytes)) = (is_status, &answer)
            && bytes.len() >= 6
            && !self.plan.deviations.ignore_poll_timeout
        {
            self.quiet_until_ms =
                self.now_ms + u64::from(u32::from_le_bytes([bytes[1], bytes[2], bytes[3], 0]));
        }
        if matches!(request, Output::Open { .. }) {
            self.open = answer.is_ok();
            self.quiet_until_ms = self.quiet_until_ms.max(self.now_ms);
        }
        self.input(Input::Completed(answer));
    }

    /// Too late is a timeout, though the device has done it.
    fn answer_in_time(&mut self, request: &Output) -> Result<Vec<u8>, TransferError> {
        let answer = self.answer(request);
        let Output::Control(ControlTransfer { timeout, .. }) = request else { return answer };
        let late = Duration::from_millis(self.device.make.moods.answer_ms) > *timeout;
        if late { answer.and(Err(TransferError::Timeout)) } else { answer }
    }

    fn answer(&mut self, request: &Output) -> Result<Vec<u8>, TransferError> {
        let on_bus = matches!(self.device.bus, Bus::Runtime | Bus::Dfu);
        match request {
            _ if !on_bus => Err(TransferError::NoDevice),
            Output::Open { port, interface } => {
                assert_eq!((port.as_str(), *interface), (PORT, 3));
                Ok(Vec::new())
            }
            Output::Reset => {
                self.device.reset();
                // libusb says so when a device is another one after its reset.
                if matches!(self.device.bus, Bus::Away(_)) {
                    Err(TransferError::NoDevice)
                } else {
                    Ok(Vec::new())
                }
            }
            Output::Control(ControlTransfer { request_type, request, value, index, data, .. }) => {
                let mut sent = Vec::new();
                if let Data::Block(Block { place, from, bytes }) = data {
                    sent.resize((*bytes).into(), 0);
                    Unpacker::new(&self.file, *place).read(*from, &mut sent).unwrap();
                }
                self.device.control((*request_type, *request, *value, *index), &sent).map_err(|refusal| {
                    match refusal {
                        Refusal::Stall => TransferError::Stall,
                        Refusal::Gone => TransferError::NoDevice,
                    }
                })
            }
            other => panic!("{other:?} is no request"),
        }
    }

    /// What must hold whatever happened.
    pub(crate) fn check(&self, verdict: &Verdict) {
        let holds = self.device.firmware.as_deref() == Some(self.payload.as_slice());
        if let Verdict::Succeeded { version } = verdict {
            assert_eq!(*version, self.plan.target_version);
            // Where the same version was there before, the version cannot tell whether it was written anew.
            let repair = self.plan.runtime.bcd_device == version.bcd();
            assert!(holds || repair, "success, but the device does not hold the image");
            assert_eq!(
                self.device.firmware.as_ref().map(|image| image[8..10].to_vec()),
                Some(vec![0x20, 0x01])
            );
        }
        if self.device.firmware.is_none() {
            assert!(
                verdict.keeps_journal(),
                "{verdict}: the device has no firmware, but its journal would go"
            );
        }
        assert_eq!(
            self.device.interrupted, 0,
            "a reset in the middle of manifestation: {:?}",
            self.device.make
        );
    }
}

/// `true` for the DFU_DNLOAD of this block (or the empty one that ends the download).
pub(crate) fn is_block(output: &Output, block: u16) -> bool {
    matches!(output, Output::Control(control) if control.request == 1 && control.value == block)
}

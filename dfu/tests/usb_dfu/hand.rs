//! An update whose device is played by the test, answer by answer.
#![expect(clippy::disallowed_methods, reason = "an origin for the clock of the test, never read again")]

use std::time::{Duration, Instant};

use dfu::usb_dfu::{
    ControlTransfer, Data, Failure, Input, Mode, Output, Phase, Plan, TransferError, Verdict,
};
use dfu::{Machine, Method};

use crate::device::Make;
use crate::world::World;

pub(crate) const DETACH: u8 = 0;
pub(crate) const DNLOAD: u8 = 1;
pub(crate) const GETSTATUS: u8 = 3;
pub(crate) const CLRSTATUS: u8 = 4;
pub(crate) const ABORT: u8 = 6;

pub(crate) const APP_IDLE: u8 = 0;
pub(crate) const IDLE: u8 = 2;
pub(crate) const DNBUSY: u8 = 4;
pub(crate) const DNLOAD_IDLE: u8 = 5;
pub(crate) const MANIFEST_SYNC: u8 = 6;
pub(crate) const WAIT_RESET: u8 = 8;
pub(crate) const UPLOAD_IDLE: u8 = 9;
pub(crate) const ERROR: u8 = 10;

/// An update whose device is played by the test.
pub(crate) struct Hand {
    pub(crate) update: Machine,
    start: Instant,
    pub(crate) now: Instant,
    /// Why it paused last.
    pub(crate) reason: Option<&'static str>,
    pub(crate) progress: Vec<(u64, Phase)>,
    pub(crate) verdict: Option<Verdict>,
}

pub(crate) fn plan() -> Plan {
    World::new(Make::default()).plan
}

impl Hand {
    pub(crate) fn new(plan: Plan) -> Hand {
        let start = Instant::now();
        let update = Machine::new(Method::UsbDfu, plan, start).unwrap();
        Hand { update, start, now: start, reason: None, progress: Vec::new(), verdict: None }
    }

    /// In DFU mode, opened, and asked for its status.
    pub(crate) fn in_dfu_mode(change: impl Fn(&mut Plan)) -> Hand {
        let mut plan = plan();
        plan.runtime.dfu.as_mut().unwrap().mode = Mode::Dfu;
        plan.resume = Some(Phase::Preparing);
        change(&mut plan);
        let device = plan.runtime.clone();
        let mut hand = Hand::new(plan);
        hand.update.handle(Input::Arrived(device), hand.now);
        assert!(matches!(hand.next(), Some(Output::Open { .. })));
        hand.answer(Ok(Vec::new()));
        hand
    }

    /// Ready for its first block.
    pub(crate) fn downloading(change: impl Fn(&mut Plan)) -> Hand {
        let mut hand = Hand::in_dfu_mode(change);
        hand.status(0, 0, IDLE);
        hand
    }

    /// The next request, if there is one without an input; lets as much time pass as it takes.
    pub(crate) fn next(&mut self) -> Option<Output> {
        loop {
            while let Some(output) = self.update.poll_output() {
                match output {
                    Output::Open { .. } | Output::Control(_) | Output::Reset => return Some(output),
                    Output::Progress { done_bytes, phase, .. } => self.progress.push((done_bytes, phase)),
                    Output::Finished(verdict) => self.verdict = Some(verdict),
                    Output::Close | Output::Journal(_) => {}
                }
            }
            let (due, reason) = self.update.poll_timeout()?;
            if reason.contains("device re-enumerates") || reason.contains("plugged in") {
                return None;
            }
            self.reason = Some(reason);
            if let Some(early) = due.checked_sub(Duration::from_nanos(1)).filter(|early| *early >= self.now) {
                self.update.handle_timeout(early);
                assert_eq!(
                    self.update.poll_timeout(),
                    Some((due, reason)),
                    "nothing is done before it is due"
                );
            }
            self.now = self.now.max(due);
            self.update.handle_timeout(self.now);
        }
    }

    pub(crate) fn control(&mut self) -> ControlTransfer {
        match self.next() {
            Some(Output::Control(control)) => control,
            other => panic!("{other:?}, {:?}", self.verdict),
        }
    }

    pub(crate) fn request(&mut self) -> u8 {
        self.control().request
    }

    pub(crate) fn answer(&mut self, answer: Result<Vec<u8>, TransferError>) {
        self.update.handle(Input::Completed(answer), self.now);
    }

    /// Answers the DFU_GETSTATUS that is asked now.
    pub(crate) fn status(&mut self, status: u8, poll_ms: u32, state: u8) {
        assert_eq!(self.request(), GETSTATUS);
        let [low, middle, high, _] = poll_ms.to_le_bytes();
        self.answer(Ok(vec![status, low, middle, high, state, 0]));
    }

    /// Takes one block (or the end of all).
    pub(crate) fn block(&mut self) -> usize {
        let control = self.control();
        assert_eq!(control.request, DNLOAD);
        self.answer(Ok(Vec::new()));
        match control.data {
            Data::Empty => 0,
            Data::Block(block) => block.bytes.into(),
            Data::In(_) => panic!("{control:?}"),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// How it ends once it was sent this, reset, and came back in DFU mode.
    pub(crate) fn left_alone(&mut self, sent: u8) -> Failure {
        assert_eq!(self.request(), sent);
        self.answer(Ok(Vec::new()));
        assert_eq!(self.next(), Some(Output::Reset));
        self.answer(Err(TransferError::NoDevice));
        assert_eq!(self.next(), None);
        let mut back = plan().runtime;
        back.dfu.as_mut().unwrap().mode = Mode::Dfu;
        self.update.handle(Input::Left { port: back.port.clone() }, self.now);
        self.update.handle(Input::Arrived(back), self.now);
        self.failure()
    }

    /// What is awaited at the port does not come.
    pub(crate) fn waits_in_vain(&mut self) {
        let (due, _) = self.update.poll_timeout().expect("nothing is awaited for ever");
        self.now = due;
        self.update.handle_timeout(due);
    }

    /// The device is opened once more, for another attempt.
    pub(crate) fn opened_again(&mut self) {
        assert!(matches!(self.next(), Some(Output::Open { .. })));
        self.answer(Ok(Vec::new()));
    }

    pub(crate) fn failure(&mut self) -> Failure {
        assert_eq!(self.next(), None);
        match self.verdict.take() {
            Some(Verdict::Failed(failure)) => failure,
            other => panic!("{other:?}"),
        }
    }
}

//! One update by whichever method it takes. Each method is a state machine of its own; all are driven alike.

use std::time::Instant;

use crate::method::Method;
use crate::usb_dfu::{Input, Output, Plan, PlanError, UsbDfu};

/// The update of one component of one device. Driven as [`crate::usb_dfu`] says.
#[derive(Debug)]
pub enum Machine {
    /// See [`UsbDfu`].
    UsbDfu(Box<UsbDfu>),
}

impl Machine {
    /// Begins (or, with [`Plan::resume`], continues) an update by `method`.
    ///
    /// Errors: see [`PlanError`]; nothing was sent then.
    pub fn new(method: Method, plan: Plan, now: Instant) -> Result<Machine, PlanError> {
        match method {
            Method::UsbDfu => UsbDfu::new(plan, now).map(|update| Machine::UsbDfu(Box::new(update))),
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, input: Input, now: Instant) {
        match self {
            Machine::UsbDfu(update) => update.handle(input, now),
        }
    }

    /// Does what is due at `now`; nothing if that is earlier than [`Machine::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Instant) {
        match self {
            Machine::UsbDfu(update) => update.handle_timeout(now),
        }
    }

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        match self {
            Machine::UsbDfu(update) => update.poll_output(),
        }
    }

    /// When to call [`Machine::handle_timeout`], and what for. `None` while a request is without an answer, and after
    /// the verdict.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match self {
            Machine::UsbDfu(update) => update.poll_timeout(),
        }
    }
}

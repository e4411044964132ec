//! Call control between one headset and one host, without I/O.
//!
//! The headset *requests* and the host *acknowledges by LED*, and the other way round; the LEDs a host writes are
//! the only state that counts. A press therefore becomes an [`Event`], and what the host makes of it comes back as
//! the [`Indicators`] it wants lit.
//!
//! After every call that takes `now`, drain [`Headset::poll_output`], then wait until [`Headset::poll_timeout`]. What
//! became of each [`Output::Write`] is told by [`Headset::written`]: lights count as lit when the device has taken them.
//!
//! On opening a device call [`Headset::rewrite_indicators`] once: it starts the baseline and, unless another
//! softphone turns out to be in a call on the device, clears lights left over by a crash.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::description::Description;
use crate::quirk::Quirk;
use crate::report::{Capabilities, ReportDescriptor, ReportType, Role};

mod hook;
mod input;
mod lights;
mod mute;

use hook::{Hook, HookChange};
use input::{Change, Inputs};
use lights::Lights;
pub use lights::{FIRST_RETRY, LONGEST_RETRY, REFUSALS_TOLD, WRITE_WAIT};
use mute::{MuteGuard, MutePress};

/// How long after opening a report is taken as the state the device is in, not as news.
pub const BASELINE_WINDOW: Duration = Duration::from_millis(250);
/// How long after our own Off-Hook write hook changes are taken for its echo.
pub const HOOK_ECHO_WINDOW: Duration = Duration::from_millis(500);
/// Presses of one control that follow each other this closely are one press; the Linux kernel's rule too.
pub const REPEAT_WINDOW: Duration = Duration::from_millis(5);
/// One press may come as several reports within this time: telephony page, vendor mirror, Drop and Hook.
pub const MIRROR_WINDOW: Duration = Duration::from_millis(100);
/// Hook=0 with a second call ringing is a hang-up only if Hook=1 does not follow within this time.
pub const HOOK_PULSE_WINDOW: Duration = Duration::from_millis(100);
/// How long a lifted hook may wait for somebody to start a call before the device is sent back to idle. Devices
/// give up by themselves after about 2 s.
pub const DIAL_TONE_WAIT: Duration = Duration::from_millis(1000);

/// What the host wants the headset to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "independent lights")]
pub struct Indicators {
    /// In a call, held or not. On wireless headsets this opens the radio link and the microphone.
    pub off_hook: bool,
    /// A call is ringing; together with `off_hook` it is a second one.
    pub ring: bool,
    pub mute: bool,
    pub hold: bool,
}

/// What the person with the headset asked for, or what the headset says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Take the ringing call; if there is a call already, hold that one.
    Answer,
    HangUp,
    Reject,
    /// The hook was lifted with no call about. If no call starts, the device is sent back to idle after
    /// [`DIAL_TONE_WAIT`].
    DialTone,
    HoldToggle,
    /// The host is master: flip the mute and set [`Indicators::mute`].
    MuteToggle,
    /// The headset's own mute state, which the host must adopt.
    MuteState(bool),
    Redial,
    /// The headset is (or no longer is) in a call with any softphone.
    LineBusy(bool),
    TeamsButton,
}

/// What [`Headset::poll_output`] hands out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// An output report of full declared length: report id first, 0x00 if reports are unnumbered. The next one comes
    /// after the answer, [`Headset::written`].
    Write(Vec<u8>),
    Event(Event),
}

/// Why an input report was not understood. The machine goes on as if it had not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    #[error("input report is empty")]
    Empty,
    #[error("input report {report_id} is not in the descriptor")]
    UnknownReport { report_id: u8 },
    #[error("input report {report_id} has {came} payload bytes, expected {expected}")]
    TooShort { report_id: u8, expected: usize, came: usize },
}

/// Whether the device's own state is known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Baseline {
    /// Nothing with a time has happened yet.
    NotStarted,
    Pending {
        until: Instant,
        clear_lights: bool,
    },
    Known,
}

/// One headset. Dropping it leaves the lights as they are: to clear them, set default [`Indicators`], call
/// [`Headset::rewrite_indicators`] and write what comes out.
#[derive(Debug)]
pub struct Headset {
    descriptor: ReportDescriptor,
    capabilities: Capabilities,
    target: Indicators,
    hold_clears_off_hook: bool,
    repeated_on_hook_is_press: bool,
    baseline: Baseline,
    inputs: Inputs,
    lights: Lights,
    hook: Hook,
    mute: MuteGuard,
    mirror_until: Option<Instant>,
    last_press: Option<(Event, Instant)>,
    last_telephony: Option<Instant>,
    outputs: VecDeque<Output>,
}

impl Headset {
    #[must_use]
    pub fn new(descriptor: ReportDescriptor, description: &Description) -> Self {
        let layout = descriptor.layout();
        let lights = Lights::new(&descriptor, &layout, description);
        let mut capabilities = layout.capabilities();
        capabilities.call_control &= lights.has(Role::OffHook);
        capabilities.mute_sync &= lights.has(Role::Mute) || lights.has(Role::Microphone);
        Self {
            capabilities,
            target: Indicators::default(),
            hold_clears_off_hook: description.has(Quirk::HoldClearsOffHook),
            repeated_on_hook_is_press: description.has(Quirk::RepeatedOnHookIsPress),
            baseline: Baseline::NotStarted,
            inputs: Inputs::new(&layout, description),
            lights,
            hook: Hook::default(),
            mute: MuteGuard::new(description.has(Quirk::MuteEcho)),
            mirror_until: None,
            last_press: None,
            last_telephony: None,
            outputs: VecDeque::new(),
            descriptor,
        }
    }

    /// What can be driven: the descriptor's capabilities less what a quirk takes away.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// The last target.
    #[must_use]
    pub fn indicators(&self) -> Indicators {
        self.target
    }

    /// Takes an input report as hidraw and hidapi hand it out: report id first if reports are numbered. Bytes
    /// beyond the declared length are ignored (Windows pads), bytes that are missing at the end count as 0 (as the
    /// Linux kernel has it) if at least one control came.
    ///
    /// # Errors
    /// [`ReportError`] if the report is empty, unknown or ends before its first control; nothing changes then. Also if
    /// it ends before a state that it should carry: what came counts, and that state stays.
    pub fn handle_report(&mut self, bytes: &[u8], now: Instant) -> Result<(), ReportError> {
        let (report_id, payload, came) = self.split(bytes)?;
        self.handle_timeout(now);
        let changes = self.inputs.changes(report_id, &payload, came, self.hook.known, now);
        self.start_baseline(now, false);
        if self.baseline == Baseline::Known {
            for change in changes {
                self.change(change, now);
            }
        } else if self.inputs.carries_state(report_id) {
            self.end_baseline();
        }
        self.hook.known |= self.inputs.tells_hook(report_id, came);
        self.write_next(now);
        match self.inputs.all_states_within(report_id, came) {
            true => Ok(()),
            false => Err(ReportError::TooShort { report_id, expected: payload.len(), came }),
        }
    }

    /// Sets what the headset is to show and writes the reports that differ from what it has taken.
    pub fn set_indicators(&mut self, target: Indicators, now: Instant) {
        self.handle_timeout(now);
        self.start_baseline(now, false);
        self.target = target;
        if target.off_hook {
            self.hook.dial_tone_until = None;
        } else {
            self.hook.pulse_until = None;
        }
        self.want();
        self.write_next(now);
    }

    /// What became of the last [`Output::Write`]: the device took it, or it was refused. What was refused is tried
    /// again for as long as it is wanted.
    pub fn written(&mut self, taken: bool, now: Instant) {
        self.handle_timeout(now);
        let lights::Taken { echoes, on_hook } = self.lights.written(taken, now);
        if echoes.off_hook {
            self.hook.took(now);
        }
        if echoes.mute {
            self.mute.took(now);
        }
        self.hook.known |= on_hook;
        self.want();
        self.write_next(now);
    }

    /// Nothing is written from now on, as the device is not open or belongs to a firmware job; an answer that is owed
    /// does not come. [`Self::rewrite_indicators`] ends it.
    pub fn pause(&mut self) {
        self.lights.pause();
    }

    /// Whether the device refuses, or does not answer, what its lights should show, for long enough to be told.
    #[must_use]
    pub fn lights_fail(&self) -> bool {
        self.lights.fail()
    }

    /// Whether the device has taken all that its lights should show.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.lights.settled()
    }

    /// Writes every light report in full: after opening or reconnecting, and to clear all on the way out.
    ///
    /// On a fresh machine with nothing to show the writes wait for the baseline (at most [`BASELINE_WINDOW`]) and
    /// are left out if the device is in a call already, as they would take it from another softphone.
    pub fn rewrite_indicators(&mut self, now: Instant) {
        self.handle_timeout(now);
        self.lights.unpause();
        let fresh = self.baseline == Baseline::NotStarted;
        if fresh && self.target == Indicators::default() {
            self.start_baseline(now, true);
            return;
        }
        self.inputs.forget();
        self.hook.forget();
        self.baseline = Baseline::Pending { until: now + BASELINE_WINDOW, clear_lights: false };
        self.lights.reconnected();
        self.want();
        self.write_next(now);
    }

    /// Lets time pass. To be called when [`Self::poll_timeout`] is due; earlier does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Baseline::Pending { until, .. } = self.baseline
            && now >= until
        {
            self.end_baseline();
        }
        if self.mirror_until.take_if(|until| now >= *until).is_some() && self.target.ring {
            self.press(Event::Reject, now);
        }
        if self.hook.pulse_until.take_if(|until| now >= *until).is_some() && self.target.off_hook {
            self.press(Event::HangUp, now);
        }
        if self.hook.dial_tone_until.take_if(|until| now >= *until).is_some() {
            self.release_hook();
        }
        self.lights.handle_timeout(now);
        self.write_next(now);
    }

    #[must_use = "outputs are lost if they are not carried out"]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] is due next, and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let baseline = match self.baseline {
            Baseline::Pending { until, .. } => Some((until, "baseline report")),
            Baseline::NotStarted | Baseline::Known => None,
        };
        let mirror = self.mirror_until.map(|until| (until, "mirrored press"));
        let pulse = self.hook.pulse_until.map(|until| (until, "hook pulse"));
        let dial_tone = self.hook.dial_tone_until.map(|until| (until, "dial tone nobody took"));
        [baseline, mirror, pulse, dial_tone, self.lights.poll_timeout()].into_iter().flatten().min()
    }

    /// The report's id, its payload at full length, and how many bytes of that were sent.
    fn split<'a>(&self, bytes: &'a [u8]) -> Result<(u8, Cow<'a, [u8]>, usize), ReportError> {
        let (report_id, payload) = if self.descriptor.is_numbered() {
            let (id, payload) = bytes.split_first().ok_or(ReportError::Empty)?;
            (*id, payload)
        } else if bytes.is_empty() {
            return Err(ReportError::Empty);
        } else {
            (0, bytes)
        };
        let expected = self
            .descriptor
            .payload_len(ReportType::Input, report_id)
            .ok_or(ReportError::UnknownReport { report_id })?;
        let came = payload.len();
        if let Some(payload) = payload.get(..expected) {
            return Ok((report_id, Cow::Borrowed(payload), expected));
        }
        if !self.inputs.begin_within(report_id, came) {
            return Err(ReportError::TooShort { report_id, expected, came });
        }
        let mut whole = payload.to_vec();
        whole.resize(expected, 0);
        Ok((report_id, Cow::Owned(whole), came))
    }

    fn start_baseline(&mut self, now: Instant, clear_lights: bool) {
        if self.baseline == Baseline::NotStarted {
            self.baseline = Baseline::Pending { until: now + BASELINE_WINDOW, clear_lights };
        }
    }

    fn end_baseline(&mut self) {
        let clear_lights = matches!(self.baseline, Baseline::Pending { clear_lights: true, .. });
        self.baseline = Baseline::Known;
        self.hook.up = self.inputs.is_on(Role::HookSwitch);
        let in_a_call = self.hook.up || self.inputs.is_on(Role::LineBusy);
        if clear_lights && !in_a_call {
            self.lights.doubt_all();
        }
    }

    fn change(&mut self, change: Change, now: Instant) {
        if self.is_telephony_press(change) {
            self.last_telephony = Some(now);
            self.mirror_until = None;
        }
        match (change.role, change.on) {
            (Role::LineBusy, on) => self.emit(Event::LineBusy(on)),
            (Role::HookSwitch, on) => self.hook_changed(change.is_state, on, now),
            (Role::PhoneMute, on) if change.is_state => self.mute_state(on),
            (Role::PhoneMute, true) => self.mute_pressed(now),
            (Role::Drop, true) => self.drop_pressed(now),
            (Role::Reject, true) if self.target.ring => self.press(Event::Reject, now),
            (Role::VendorReject, true) => self.vendor_reject_pressed(now),
            (Role::Flash | Role::HoldButton, true) => self.flash_pressed(now),
            (Role::Redial, true) => self.press(Event::Redial, now),
            (Role::TeamsButton, true) => self.press(Event::TeamsButton, now),
            _ => {}
        }
    }

    /// Whether the change may be what the vendor page mirrors: not what the device says of itself, and not a report
    /// that only repeats the hook.
    fn is_telephony_press(&self, change: Change) -> bool {
        match change.role {
            Role::VendorReject | Role::TeamsButton | Role::LineBusy => false,
            Role::HookSwitch => !change.is_state || !self.hook.is_repeat(change.on),
            _ => true,
        }
    }

    fn hook_changed(&mut self, is_state: bool, up: bool, now: Instant) {
        let repeated = is_state && self.hook.is_repeat(up);
        if repeated && (up || !self.repeated_on_hook_is_press) {
            return;
        }
        let change = if repeated {
            HookChange::PressedOnHook
        } else if is_state {
            self.hook.up = up;
            if up { HookChange::Lifted } else { HookChange::Replaced }
        } else if up {
            HookChange::Toggled
        } else {
            return;
        };
        if self.hook.is_echo(now) {
            return;
        }
        let Indicators { off_hook, ring, hold, .. } = self.target;
        match change {
            HookChange::Lifted if off_hook && !ring => {
                self.hook.pulse_until = None;
                // Of a device that was opened in a call it may have been up all the time.
                if hold && self.hook.known {
                    self.press(Event::HoldToggle, now);
                }
            }
            HookChange::Lifted | HookChange::Toggled if ring => {
                self.hook.pulse_until = None;
                self.press(Event::Answer, now);
            }
            HookChange::Replaced | HookChange::PressedOnHook | HookChange::Toggled if off_hook => {
                if self.hook.dropped(now) || (hold && self.hold_clears_off_hook && is_state) {
                    return;
                }
                if ring && change == HookChange::Replaced {
                    self.hook.pulse_until = Some(now + HOOK_PULSE_WINDOW);
                } else {
                    self.press(Event::HangUp, now);
                }
            }
            HookChange::Lifted | HookChange::Toggled => {
                self.press(Event::DialTone, now);
                if self.lights.has(Role::OffHook) && is_state {
                    self.hook.dial_tone_until = Some(now + DIAL_TONE_WAIT);
                }
            }
            HookChange::PressedOnHook if ring => self.press(Event::Reject, now),
            HookChange::Replaced | HookChange::PressedOnHook => self.hook.dial_tone_until = None,
        }
    }

    /// Drop ends the call there is, or else refuses the one that rings.
    fn drop_pressed(&mut self, now: Instant) {
        if self.target.off_hook {
            self.hook.expect_drop(now);
            self.press(Event::HangUp, now);
        } else if self.target.ring {
            self.press(Event::Reject, now);
        }
    }

    /// The mirror may come before the report on the telephony page, which wins.
    fn vendor_reject_pressed(&mut self, now: Instant) {
        let mirrored =
            self.last_telephony.is_some_and(|at| now.saturating_duration_since(at) <= MIRROR_WINDOW);
        if !mirrored {
            self.mirror_until = Some(now + MIRROR_WINDOW);
        }
    }

    fn flash_pressed(&mut self, now: Instant) {
        match (self.target.off_hook, self.target.ring) {
            (true, true) => self.press(Event::Answer, now),
            (true, false) => self.press(Event::HoldToggle, now),
            (false, _) => {}
        }
    }

    fn mute_pressed(&mut self, now: Instant) {
        match self.mute.press(now) {
            MutePress::Toggle => self.emit(Event::MuteToggle),
            MutePress::Echo => {}
            MutePress::Adopt => self.emit(Event::MuteState(!self.target.mute)),
        }
    }

    fn mute_state(&mut self, muted: bool) {
        if muted != self.target.mute {
            self.emit(Event::MuteState(muted));
        }
    }

    /// Emits a request unless the same one has just come by another report.
    fn press(&mut self, event: Event, now: Instant) {
        let again = self
            .last_press
            .is_some_and(|(last, at)| last == event && now.saturating_duration_since(at) <= MIRROR_WINDOW);
        if !again {
            self.last_press = Some((event, now));
            self.emit(event);
        }
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Nobody took the lifted hook: acknowledge and end, so that the device goes idle. Not if another softphone
    /// has taken it.
    fn release_hook(&mut self) {
        if self.inputs.is_on(Role::LineBusy) {
            return;
        }
        self.lights.acknowledge();
        self.want();
    }

    fn want(&mut self) {
        self.lights.want(self.target, self.hold_clears_off_hook);
    }

    fn write_next(&mut self, now: Instant) {
        let Some((report, echoes)) = self.lights.next(now) else { return };
        if echoes.off_hook {
            self.hook.wrote(now);
        }
        if echoes.mute {
            self.mute.wrote(now);
        }
        self.outputs.push_back(Output::Write(report));
    }
}

//! Buttons, hook, lights and radio link: the telephony half of the device, with the handshake real headsets keep.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::event_log::EventLog;
use crate::layout::{self, Inputs};
use crate::setup::Setup;
use crate::state::Lights;

/// What a wearer can press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// The call button: Hook Switch changes to its other state.
    Hook,
    /// Takes the call that rings: the call button if the hook is down, a Flash pulse if the hook is up and another call
    /// rings; nothing otherwise.
    Accept,
    /// The call button, if the hook is up; nothing otherwise.
    Terminate,
    /// The call button, if the hook is down and nothing rings: asks for a dial tone; nothing otherwise.
    Dial,
    /// Phone Mute pulse; ignored outside a call unless `Setup::mute_outside_call`.
    Mute,
    /// Phone Mute pulse, if the Mute light is on; nothing otherwise.
    Unmute,
    /// Flash pulse: hold, resume or swap.
    Flash,
    /// Flash pulse, if the Hold light is on; nothing otherwise.
    Resume,
    /// Button 7 pulse (`Layout::Shared`) or Drop pulse (`Layout::Split`).
    Reject,
    /// Redial pulse.
    Redial,
    /// Speed Dial pulse.
    SpeedDial,
    /// Volume Increment pulse.
    VolumeUp,
    /// Volume Decrement pulse.
    VolumeDown,
}

#[derive(Debug)]
pub(crate) struct Headset {
    hook: bool,
    lights: Lights,
    /// When one of them changed last.
    lights_at: Option<Instant>,
    muted: bool,
    /// A hook press waits for the Off-Hook light until then.
    revert_at: Option<Instant>,
    /// The momentary button that is down, and when it comes up.
    held: Option<(Button, Instant)>,
    reports: VecDeque<Vec<u8>>,
}

impl Headset {
    pub(crate) fn new() -> Self {
        Self {
            hook: false,
            lights: Lights::default(),
            lights_at: None,
            muted: false,
            revert_at: None,
            held: None,
            reports: VecDeque::new(),
        }
    }

    /// Everything a headset forgets without power.
    pub(crate) fn power_off(&mut self) {
        *self = Self::new();
    }

    pub(crate) fn hook(&self) -> bool {
        self.hook
    }

    pub(crate) fn lights_at(&self) -> Option<Instant> {
        self.lights_at
    }

    pub(crate) fn lights(&self) -> Lights {
        self.lights
    }

    pub(crate) fn muted(&self) -> bool {
        self.muted
    }

    pub(crate) fn radio_link(&self) -> bool {
        self.lights.off_hook
    }

    /// Line Busy Tone (000B:0097): in a call with whatever softphone.
    fn line_busy(&self) -> bool {
        self.hook || self.lights.off_hook
    }

    pub(crate) fn poll_report(&mut self) -> Option<Vec<u8>> {
        self.reports.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.revert_at.into_iter().chain(self.held.map(|(_, until)| until)).min()
    }

    /// The report a GET_REPORT for an input asks for.
    pub(crate) fn input_report(&self, setup: &Setup, id: u8) -> Option<Vec<u8>> {
        let down = |button| matches!(self.held, Some((held, _)) if held == button);
        let inputs = Inputs {
            hook: self.hook,
            line_busy: self.line_busy(),
            mute: down(Button::Mute),
            flash: down(Button::Flash),
            redial: down(Button::Redial),
            speed_dial: down(Button::SpeedDial),
            reject: down(Button::Reject),
            volume_up: down(Button::VolumeUp),
            volume_down: down(Button::VolumeDown),
        };
        layout::input_report(setup.layout, id, inputs)
    }

    pub(crate) fn handle_timeout(&mut self, setup: &Setup, now: Instant, log: &mut EventLog) {
        if let Some((button, until)) = self.held
            && until <= now
        {
            self.held = None;
            self.send_for(setup, button);
        }
        if self.revert_at.is_some_and(|at| at <= now) {
            self.revert_at = None;
            self.hook = false;
            log.info(now, "hook taken back: no Off-Hook light acknowledged the press");
            self.send_telephony(setup);
        }
    }

    /// Presses a button. False: this headset does not react to it now.
    pub(crate) fn press(&mut self, setup: &Setup, button: Button, now: Instant, log: &mut EventLog) -> bool {
        match button {
            Button::Accept if self.hook && !self.lights.ring => {
                return ignore(log, now, "accept pressed with the hook up: ignored");
            }
            Button::Terminate if !self.hook => {
                return ignore(log, now, "terminate pressed with the hook down: ignored");
            }
            Button::Dial if self.hook || self.lights.ring => {
                return ignore(log, now, "dial pressed with something going on: ignored");
            }
            Button::Unmute if !self.lights.mute => {
                return ignore(log, now, "unmute pressed with the microphone on: ignored");
            }
            Button::Resume if !self.lights.hold => {
                return ignore(log, now, "resume pressed with nothing on hold: ignored");
            }
            Button::Accept if self.hook => {}
            Button::Hook | Button::Accept | Button::Terminate | Button::Dial => {
                self.toggle_hook(setup, now, log);
                return true;
            }
            Button::Mute if !self.lights.off_hook && !setup.mute_outside_call => {
                return ignore(log, now, "mute pressed outside a call: ignored");
            }
            _ => {}
        }
        // One key each, whatever the wearer wants of it.
        let button = match button {
            Button::Unmute => Button::Mute,
            Button::Resume | Button::Accept => Button::Flash,
            other => other,
        };
        // A second press before the first came up: real buttons come up in between.
        if let Some((down, _)) = self.held.take() {
            self.send_for(setup, down);
        }
        log.info(now, format!("{button:?} pressed"));
        self.held = Some((button, now + Duration::from_millis(setup.button_ms.into())));
        self.send_for(setup, button);
        true
    }

    /// An output report, its id first.
    pub(crate) fn output_report(&mut self, setup: &Setup, report: &[u8], now: Instant, log: &mut EventLog) {
        let before = self.lights;
        let telephony = layout::telephony_input(setup.layout);
        let was = self.input_report(setup, telephony);
        if let Err(fault) = layout::apply_output(setup.layout, report, &mut self.lights) {
            log.violation(now, fault.to_string());
            return;
        }
        log_changes(before, self.lights, now, log);
        let lights = self.lights;
        if before != lights {
            self.lights_at = Some(now);
        }
        self.muted = lights.mute && lights.off_hook;
        match (before.off_hook, lights.off_hook) {
            (false, true) => {
                self.revert_at = None;
                self.hook |= setup.confirms_hook;
            }
            (true, false) => {
                // A press that came just before is overruled: the host ended the call.
                self.revert_at = None;
                self.hook = false;
            }
            _ => {}
        }
        // A report for every change of an input, Line Busy Tone included, and none without one.
        if was != self.input_report(setup, telephony) {
            self.send_telephony(setup);
        }
    }

    fn toggle_hook(&mut self, setup: &Setup, now: Instant, log: &mut EventLog) {
        self.hook = !self.hook;
        self.revert_at = None;
        if self.hook {
            log.info(
                now,
                if self.lights.ring { "call button: hook up, answers" } else { "call button: hook up" },
            );
            if !self.lights.off_hook {
                self.revert_at = Some(now + Duration::from_millis(setup.hook_revert_ms.into()));
            }
        } else {
            log.info(now, "call button: hook down");
        }
        self.send_telephony(setup);
    }

    fn send_for(&mut self, setup: &Setup, button: Button) {
        if matches!(button, Button::VolumeUp | Button::VolumeDown) {
            self.reports.extend(self.input_report(setup, layout::CONSUMER_INPUT));
        } else {
            self.send_telephony(setup);
        }
    }

    fn send_telephony(&mut self, setup: &Setup) {
        self.reports.extend(self.input_report(setup, layout::telephony_input(setup.layout)));
    }
}

fn ignore(log: &mut EventLog, now: Instant, text: &str) -> bool {
    log.info(now, text);
    false
}

fn log_changes(before: Lights, after: Lights, now: Instant, log: &mut EventLog) {
    let lights = [
        ("Off-Hook", before.off_hook, after.off_hook),
        ("Mute", before.mute, after.mute),
        ("Ring", before.ring, after.ring),
        ("Hold", before.hold, after.hold),
        ("Microphone", before.microphone, after.microphone),
        ("On-Line", before.on_line, after.on_line),
        ("Ringer", before.ringer, after.ringer),
    ];
    for (name, was, is) in lights {
        if was != is {
            log.info(now, format!("{name} light {}", if is { "on" } else { "off" }));
        }
    }
    if before.off_hook != after.off_hook {
        log.info(now, if after.off_hook { "radio link open" } else { "radio link closed" });
    }
}

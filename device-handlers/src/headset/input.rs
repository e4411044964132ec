//! Input reports into changes of the controls that matter.

use std::time::Instant;

use super::REPEAT_WINDOW;
use crate::description::Description;
use crate::quirk::Quirk;
use crate::report::{Control, Layout, ReportType, Role, Selector};

/// What a control did in one report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) role: Role,
    /// New state; of a press always true.
    pub(super) on: bool,
    /// The control has a state; otherwise it only knows presses.
    pub(super) is_state: bool,
}

/// How the values of a control are to be read (HUT §3.4.1, On/Off Control).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// 0 and 1 are the state.
    State,
    /// 1 is a press, 0 its release.
    Press,
    /// +1 is "on", −1 is "off", 0 is nothing.
    OnOff,
}

#[derive(Debug)]
struct Input {
    control: Control,
    kind: Kind,
    value: i32,
    /// Of a hook with a state: when it was last reported.
    pressed_at: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Inputs {
    inputs: Vec<Input>,
}

impl Inputs {
    pub(super) fn new(layout: &Layout, description: &Description) -> Self {
        let inputs = layout
            .controls()
            .iter()
            .filter(|control| control.role.report_type() == ReportType::Input)
            .map(|control| Input {
                kind: kind(control, description),
                control: control.clone(),
                value: 0,
                pressed_at: None,
            })
            .collect();
        Self { inputs }
    }

    /// Whether the report says anything of a state the device is in.
    pub(super) fn carries_state(&self, report_id: u8) -> bool {
        self.inputs.iter().any(|input| input.control.report_id == report_id && input.kind == Kind::State)
    }

    /// Whether this many bytes of the report's payload hold one of its controls, or it has none that matters.
    pub(super) fn begin_within(&self, report_id: u8, bytes: usize) -> bool {
        let mut inputs = self.inputs.iter().filter(|i| i.control.report_id == report_id);
        inputs.next().is_none_or(|first| first.came_in(bytes)) || inputs.any(|input| input.came_in(bytes))
    }

    /// Whether this many bytes of the report's payload hold every state that it should carry.
    pub(super) fn all_states_within(&self, report_id: u8, bytes: usize) -> bool {
        let mut inputs = self.inputs.iter().filter(|i| i.control.report_id == report_id);
        inputs.all(|input| input.kind != Kind::State || input.came_in(bytes))
    }

    /// Whether this many bytes of the report's payload say where the hook is.
    pub(super) fn tells_hook(&self, report_id: u8, bytes: usize) -> bool {
        self.inputs.iter().any(|input| {
            input.control.report_id == report_id
                && input.control.role == Role::HookSwitch
                && input.kind == Kind::State
                && input.came_in(bytes)
        })
    }

    pub(super) fn is_on(&self, role: Role) -> bool {
        self.inputs
            .iter()
            .any(|input| input.control.role == role && input.kind == Kind::State && input.value != 0)
    }

    /// After a reconnect no value holds.
    pub(super) fn forget(&mut self) {
        for input in &mut self.inputs {
            input.value = 0;
            input.pressed_at = None;
        }
    }

    /// Takes over the values of a report, of which `came` bytes were sent and the rest is 0, and tells what changed, in
    /// the order of [`Role`]. A report that changes nothing but carries Hook=0 tells just that; where it is not known yet
    /// where the hook is, also one that says no more than that the line is busy, of which no more is known. A state that was not
    /// sent stays: a hook that is not mentioned is not put down. A press that is not mentioned is over.
    pub(super) fn changes(
        &mut self,
        report_id: u8,
        payload: &[u8],
        came: usize,
        hook_known: bool,
        now: Instant,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut repeated_hook = None;
        for input in self.inputs.iter_mut().filter(|input| input.control.report_id == report_id) {
            if input.kind == Kind::State && !input.came_in(came) {
                continue;
            }
            let Some(value) = input.control.read(payload) else { continue };
            let before = std::mem::replace(&mut input.value, value);
            let is_state_hook = input.control.role == Role::HookSwitch && input.kind == Kind::State;
            if is_state_hook && input.is_new_press(now) && before == value {
                repeated_hook = Some(Change { role: Role::HookSwitch, on: value != 0, is_state: true });
            }
            changes.extend(input.change(before, value, now));
        }
        let is_no_press = |change: &Change| change.role == Role::LineBusy && !hook_known;
        if changes.iter().all(is_no_press) {
            changes.extend(repeated_hook);
        }
        changes
    }
}

impl Input {
    /// Whether this many bytes of the report's payload hold it.
    fn came_in(&self, bytes: usize) -> bool {
        let end = u64::from(self.control.bit_offset) + u64::from(self.control.bit_size);
        end <= bytes as u64 * 8
    }

    fn change(&mut self, before: i32, value: i32, now: Instant) -> Option<Change> {
        let role = self.control.role;
        match self.kind {
            Kind::State if (before != 0) != (value != 0) => {
                Some(Change { role, on: value != 0, is_state: true })
            }
            Kind::Press if before == 0 && value != 0 => {
                self.is_new_press(now).then_some(Change { role, on: true, is_state: false })
            }
            Kind::OnOff if value != 0 && before != value => {
                self.is_new_press(now).then_some(Change { role, on: value > 0, is_state: true })
            }
            Kind::State | Kind::Press | Kind::OnOff => None,
        }
    }

    fn is_new_press(&mut self, now: Instant) -> bool {
        let last = self.pressed_at.replace(now);
        last.is_none_or(|at| now.saturating_duration_since(at) > REPEAT_WINDOW)
    }
}

fn kind(control: &Control, description: &Description) -> Kind {
    let in_array = matches!(control.selector, Selector::Array { .. });
    match control.role {
        // Some headsets declare Line Busy relative; it is a state all the same.
        Role::LineBusy => Kind::State,
        Role::HookSwitch | Role::PhoneMute => {
            let muting = control.role == Role::PhoneMute;
            let is_state = !control.relative || (muting && description.has(Quirk::MuteIsState));
            if in_array || (muting && description.has(Quirk::MuteIsToggle)) {
                Kind::Press
            } else if is_state {
                Kind::State
            } else if control.no_preferred_state && control.logical_min < 0 {
                Kind::OnOff
            } else {
                Kind::Press
            }
        }
        _ => Kind::Press,
    }
}

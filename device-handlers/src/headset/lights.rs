//! Output reports from a shadow: a device cannot be asked what its lights show, and a report carries several.

use std::collections::BTreeMap;

use super::Indicators;
use crate::description::Description;
use crate::quirk::Quirk;
use crate::report::{Control, Layout, ReportDescriptor, ReportType, Role};

#[derive(Debug)]
struct Light {
    control: Control,
    lit: bool,
}

#[derive(Debug)]
pub(super) struct Lights {
    lights: Vec<Light>,
    /// Full reports as they are written: id byte first.
    shadow: BTreeMap<u8, Vec<u8>>,
}

#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) reports: Vec<Vec<u8>>,
    pub(super) off_hook_changed: bool,
    pub(super) mute_changed: bool,
}

impl Lights {
    pub(super) fn new(descriptor: &ReportDescriptor, layout: &Layout, description: &Description) -> Self {
        let usable = |control: &&Control| match control.role {
            Role::Microphone => description.has(Quirk::MicrophoneLedIsMute),
            Role::OffHook => !description.has(Quirk::OffHookLedIsMessageWaiting),
            role => role.report_type() == ReportType::Output,
        };
        let lights: Vec<Light> = layout
            .controls()
            .iter()
            .filter(usable)
            .map(|control| Light { control: control.clone(), lit: false })
            .collect();
        let mut shadow = BTreeMap::new();
        for Light { control, .. } in &lights {
            let payload_len = descriptor.payload_len(ReportType::Output, control.report_id).unwrap_or(0);
            let mut report = vec![0; 1 + payload_len];
            report[0] = control.report_id;
            shadow.insert(control.report_id, report);
        }
        Self { lights, shadow }
    }

    pub(super) fn has(&self, role: Role) -> bool {
        self.lights.iter().any(|light| light.control.role == role)
    }

    pub(super) fn is_lit(&self, role: Role) -> bool {
        self.lights.iter().any(|light| light.control.role == role && light.lit)
    }

    /// Brings the shadow to the target and hands out each report that changed, once, in the order of [`Role`].
    pub(super) fn show(&mut self, target: Indicators, hold_clears_off_hook: bool) -> Shown {
        let mut shown = Shown::default();
        let mut report_ids: Vec<u8> = Vec::new();
        for light in &mut self.lights {
            let on = match light.control.role {
                Role::Ring | Role::Ringer => target.ring,
                Role::OffHook => target.off_hook && !(target.hold && hold_clears_off_hook),
                Role::OnLine => target.off_hook,
                Role::Mute | Role::Microphone => target.mute,
                Role::Hold => target.hold,
                _ => false,
            };
            if !light.put(on, &mut self.shadow) {
                continue;
            }
            shown.off_hook_changed |= light.control.role == Role::OffHook;
            shown.mute_changed |= matches!(light.control.role, Role::Mute | Role::Microphone);
            if !report_ids.contains(&light.control.report_id) {
                report_ids.push(light.control.report_id);
            }
        }
        shown.reports = report_ids.iter().filter_map(|id| self.shadow.get(id).cloned()).collect();
        shown
    }

    /// Switches one light and hands out its report if that changed it.
    pub(super) fn set(&mut self, role: Role, on: bool) -> Option<Vec<u8>> {
        let light = self.lights.iter_mut().find(|light| light.control.role == role)?;
        light.put(on, &mut self.shadow).then(|| self.shadow.get(&light.control.report_id).cloned())?
    }

    /// Every report that carries a light.
    pub(super) fn reports(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.shadow.values().cloned()
    }
}

impl Light {
    /// Whether the light changed.
    fn put(&mut self, on: bool, shadow: &mut BTreeMap<u8, Vec<u8>>) -> bool {
        if self.lit == on {
            return false;
        }
        self.lit = on;
        if let Some((_, payload)) =
            shadow.get_mut(&self.control.report_id).and_then(|report| report.split_first_mut())
        {
            self.control.write(payload, on);
        }
        true
    }
}

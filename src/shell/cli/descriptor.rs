//! `hookswitch descriptor`: a report descriptor in plain facts.

use super::{Done, input, output};
use crate::shell::os;
use clap::Args;
use device_handlers::report::{Explanation, NoCallControl, ReportDescriptor, ReportType, Role};
use hub::locale::{Locale, Message};
use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use serde::Serialize;
use std::path::{Path, PathBuf};

mod text;

/// Linux takes 4 KiB; as hex with white space that is well below this.
const MAX_FILE: u64 = 1024 * 1024;

#[derive(Args, Debug)]
pub(super) struct Options {
    #[arg(value_name = "FILE.hex|PATH")]
    file: PathBuf,
    #[arg(long)]
    json: bool,
}

/// What a usage looks like.
#[cfg(test)]
const USAGE: &str = "^[0-9A-F]{4}:[0-9A-F]{4}$";

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document {
    bytes: usize,
    numbered_reports: bool,
    top_level: Vec<Named>,
    call_control: bool,
    mute_sync: bool,
    /// The reason; null if there is call control.
    no_call_control: Option<String>,
    controls: Vec<Control>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Named {
    /// Usage page and usage id, hexadecimal.
    #[cfg_attr(test, schemars(regex(pattern = USAGE)))]
    usage: String,
    /// As in the HID Usage Tables.
    name: Option<&'static str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Control {
    role: String,
    /// Usage page and usage id, hexadecimal.
    #[cfg_attr(test, schemars(regex(pattern = USAGE)))]
    usage: String,
    /// As in the HID Usage Tables.
    name: Option<&'static str>,
    report: Report,
    /// 0 = unnumbered.
    report_id: u8,
    /// Offset in the report, without its id.
    bit: u32,
    /// In bits.
    size: u32,
    relative: bool,
    array: bool,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Report {
    Input,
    Output,
    Feature,
}

pub(super) fn explain(options: &Options, locale: &Locale) -> Done {
    let raw = read(&options.file)?;
    let not_understood = |error: Detail| Reason::BadDescriptorFile { error }.at(options.file.display());
    let bytes = text::bytes_of(raw).map_err(not_understood)?;
    let descriptor = ReportDescriptor::parse(&bytes).map_err(|error| not_understood(Detail::from(&error)))?;
    let explanation = descriptor.explain();
    // Almost any bytes are items; what has no collection describes nothing.
    if explanation.top_level.is_empty() {
        let none = Detail::new("descriptor-no-collection", "it has no collection");
        return Err(not_understood(none).into());
    }
    match options.json {
        true => output::json(&document(bytes.len(), &explanation)),
        false => print(&options.file, bytes.len(), &explanation, locale),
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, Problem> {
    let cannot = |error: Detail| Reason::FileUnreadable { error }.at(file.display());
    let of_node = file.to_str().and_then(os::hid_descriptor);
    let raw = match of_node {
        Some(raw) => raw,
        None => input::read(file, MAX_FILE).map_err(|e| cannot(Detail::from(&e)))?,
    };
    if raw.is_empty() {
        return Err(cannot(Detail::new("file-empty", "it is empty")));
    }
    Ok(raw)
}

fn document(bytes: usize, explanation: &Explanation) -> Document {
    let named =
        |c: &device_handlers::report::CollectionSummary| Named { usage: c.usage.to_string(), name: c.name };
    Document {
        bytes,
        numbered_reports: explanation.numbered_reports,
        top_level: explanation.top_level.iter().map(named).collect(),
        call_control: explanation.capabilities.call_control,
        mute_sync: explanation.capabilities.mute_sync,
        no_call_control: explanation.no_call_control.map(|reason| reason.to_string()),
        controls: explanation
            .controls
            .iter()
            .map(|c| Control {
                role: c.role.label().to_owned(),
                usage: c.usage.to_string(),
                name: c.usage.name(),
                report: c.report_type.into(),
                report_id: c.report_id,
                bit: c.bit,
                size: c.size,
                relative: c.relative,
                array: c.array,
            })
            .collect(),
    }
}

impl From<ReportType> for Report {
    fn from(report: ReportType) -> Self {
        match report {
            ReportType::Input => Self::Input,
            ReportType::Output => Self::Output,
            ReportType::Feature => Self::Feature,
        }
    }
}

fn print(file: &Path, bytes: usize, explanation: &Explanation, locale: &Locale) {
    let say = |id: &'static str| locale.format(&Message::new(id));
    let head = Message::new(match explanation.numbered_reports {
        true => "descriptor-numbered",
        false => "descriptor-unnumbered",
    });
    let head = head.text("file", file.display().to_string());
    output::line(&locale.format(&head.number("bytes", i64::try_from(bytes).unwrap_or(i64::MAX))));
    for collection in &explanation.top_level {
        let usage = format!("{} {}", collection.usage, collection.name.unwrap_or(""));
        let message = Message::new("descriptor-collection").text("usage", usage.trim_end());
        output::line(&format!("  {}", locale.format(&message)));
    }
    output::line(&say(match explanation.no_call_control {
        None => "descriptor-call-control",
        Some(NoCallControl::NoTelephonyCollection) => "descriptor-no-telephony-collection",
        Some(NoCallControl::VendorPageOnly) => "descriptor-vendor-page-only",
        Some(NoCallControl::NoHookSwitchNorOffHookLed) => "descriptor-no-hook-switch-nor-led",
        Some(NoCallControl::NoHookSwitch) => "descriptor-no-hook-switch",
        Some(NoCallControl::NoOffHookLed) => "descriptor-no-off-hook-led",
    }));
    output::line(&say(match explanation.capabilities.mute_sync {
        true => "descriptor-mute-sync",
        false => "descriptor-no-mute-sync",
    }));
    if explanation.controls.is_empty() {
        return;
    }
    let head = [
        "descriptor-head-control",
        "descriptor-head-usage",
        "descriptor-head-report",
        "descriptor-head-id",
        "descriptor-head-bit",
        "descriptor-head-size",
        "descriptor-head-kind",
    ]
    .map(say)
    .to_vec();
    let rows = explanation.controls.iter().map(|c| {
        vec![
            say(role_text(c.role)),
            format!("{} {}", c.usage, c.usage.name().unwrap_or("")).trim_end().to_owned(),
            say(match c.report_type {
                ReportType::Input => "descriptor-input",
                ReportType::Output => "descriptor-output",
                ReportType::Feature => "descriptor-feature",
            }),
            format!("{:02x}", c.report_id),
            c.bit.to_string(),
            c.size.to_string(),
            say(match (c.array, c.relative) {
                (true, _) => "descriptor-array",
                (false, true) => "descriptor-relative",
                (false, false) => "descriptor-absolute",
            }),
        ]
    });
    output::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
}

/// What the control is for.
fn role_text(role: Role) -> &'static str {
    match role {
        Role::LineBusy => "role-line-busy",
        Role::Drop => "role-drop",
        Role::Reject => "role-reject",
        Role::HookSwitch => "role-hook-switch",
        Role::Flash => "role-flash",
        Role::HoldButton => "role-hold-button",
        Role::Redial => "role-redial",
        Role::PhoneMute => "role-phone-mute",
        Role::TeamsButton => "role-teams-button",
        Role::VendorReject => "role-vendor-reject",
        Role::Ring => "role-ring",
        Role::Ringer => "role-ringer",
        Role::OffHook => "role-off-hook",
        Role::OnLine => "role-on-line",
        Role::Mute => "role-mute",
        Role::Microphone => "role-microphone",
        Role::Hold => "role-hold",
    }
}

#[cfg(test)]
mod tests {
    use super::Document;
    use crate::contract::{document, hold};

    #[test]
    fn the_document_is_made_of_the_types() {
        let schema = document::<Document>("hookswitch descriptor FILE --json");
        hold(env!("CARGO_MANIFEST_DIR"), "schemas/descriptor.schema.json", &schema);
    }
}

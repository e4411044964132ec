//! The support bundle: one zip with the logs, the status, the settings and the report descriptors, without secrets and
//! without the names of people.
#![expect(clippy::disallowed_methods, reason = "reads the logs and writes the zip")]

use super::log;
use super::os::Readers;
use super::private_file;
use device_handlers::report::ReportDescriptor;
use hub::locale::Locale;
use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use hub::settings::Settings;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// More of one log is cut at its beginning; the agent turns the page before.
const MAX_LOG_BYTES: u64 = log::MAX_FILE_BYTES + 64 * 1024;
const MAX_DESCRIPTORS: usize = 64;

/// What goes into a bundle.
#[derive(Clone, Copy, Debug)]
pub struct BundleParts<'a> {
    /// The agent's view as JSON; `None` = no agent is running.
    pub status_json: Option<&'a str>,
    /// Of this process. They are in the bundle if no agent is running.
    pub settings: &'a Settings,
    /// The running agent's own list, or why it has none to give; `None` = no agent is running.
    pub agent_settings: Option<Result<&'a Value, &'a Problem>>,
    /// Report descriptors by the name of their device.
    pub descriptors: &'a [(String, Vec<u8>)],
    /// The folder of the four logs.
    pub logs: &'a Path,
    /// The names of the people at this computer, to be left out.
    pub users: &'a [&'a str],
}

/// A file in the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Entry {
    #[cfg_attr(test, schemars(regex(pattern = tests::NAME)))]
    pub name: String,
    /// Before compression.
    pub bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// Version of the agent that made it.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub version: &'static str,
    pub entries: Vec<Entry>,
    /// What would belong to it but is not there, and why.
    pub missing: Vec<Missing>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Missing {
    pub name: String,
    #[cfg_attr(test, schemars(with = "String"))]
    pub reason: WhyMissing,
}

/// Why something is not in the bundle. Support reads it in English, the person in their language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyMissing {
    Detail(Detail),
    /// What the agent answered.
    Problem(Problem),
}

impl WhyMissing {
    pub fn text(&self, locale: &Locale) -> String {
        match self {
            Self::Detail(detail) => locale.detail(detail),
            Self::Problem(problem) => locale.problem(problem).to_string(),
        }
    }
}

impl std::fmt::Display for WhyMissing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Detail(detail) => detail.fmt(f),
            Self::Problem(problem) => problem.fmt(f),
        }
    }
}

impl Serialize for WhyMissing {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What [`write`] would put in, with the same sizes.
pub fn preview(parts: &BundleParts<'_>) -> Summary {
    let mut summary = Summary::new();
    let never_fails = summary.collect(parts, |_, _| Ok(()));
    debug_assert!(never_fails.is_ok());
    summary
}

/// Writes the bundle, readable by this user only. It appears at `output` when it is complete, or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn write(parts: &BundleParts<'_>, output: &Path) -> Result<Summary, Problem> {
    let refused = |reason: Detail| Reason::BundleNotWritten { reason }.at(output.display());
    private_file::put(output, Readers::Owner, |file| write_zip(parts, file)).map_err(refused)
}

fn write_zip(parts: &BundleParts<'_>, file: &mut File) -> io::Result<Summary> {
    let mut zip = ZipWriter::new(file);
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).unix_permissions(0o600);
    let mut add = |name: &str, content: &[u8]| {
        zip.start_file(name, options)?;
        zip.write_all(content)
    };
    let mut summary = Summary::new();
    summary.collect(parts, &mut add)?;
    let manifest = serde_json::to_string_pretty(&summary)?;
    add("manifest.json", manifest.as_bytes())?;
    zip.finish()?;
    Ok(summary)
}

impl Summary {
    fn new() -> Self {
        Self { version: env!("CARGO_PKG_VERSION"), entries: Vec::new(), missing: Vec::new() }
    }

    /// Makes the files one after the other, so that only one of them is in memory.
    fn collect(
        &mut self,
        parts: &BundleParts<'_>,
        mut add: impl FnMut(&str, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if let Some(token) = &parts.settings.tenant_token.value {
            log::mask(&token.0);
        }
        for user in parts.users {
            log::mask_user(user);
        }
        if let Some(user) = &parts.settings.user.value {
            log::mask_user(user);
        }
        // An agent that has just started may not have told its user in the status yet.
        let listed = parts.agent_settings.and_then(Result::ok).and_then(Value::as_array);
        for setting in listed.into_iter().flatten().filter(|setting| setting["key"] == "user") {
            setting["value"].as_str().into_iter().for_each(log::mask_user);
        }
        let mut add = |summary: &mut Self, name: String, text: &str| {
            summary.entries.push(Entry { name: name.clone(), bytes: text.len() as u64 });
            add(&name, text.as_bytes())
        };

        match parts.status_json.map(without_contacts) {
            Some(Ok(status)) => add(self, "status.json".to_owned(), &status)?,
            Some(Err(error)) => self.miss("status.json", WhyMissing::Detail(Detail::verbatim(error))),
            None => {
                let nobody = Detail::new("no-agent", "no agent is running");
                self.miss("status.json", WhyMissing::Detail(nobody));
            }
        }
        match parts.agent_settings {
            None => add(
                self,
                "settings.json".to_owned(),
                &settings(serde_json::to_value(parts.settings.list())?)?,
            )?,
            Some(Ok(listed)) => add(self, "settings.json".to_owned(), &settings(listed.clone())?)?,
            Some(Err(problem)) => self.miss("settings.json", WhyMissing::Problem(problem.clone())),
        }
        for (index, (device, bytes)) in parts.descriptors.iter().take(MAX_DESCRIPTORS).enumerate() {
            let name = format!("descriptors/{}-{}", index + 1, file_name(device));
            // Made of numbers and the words of the standards: no person is named in them.
            add(self, format!("{name}.hex"), &hex(bytes))?;
            add(self, format!("{name}.txt"), &explained(bytes))?;
        }
        for name in log_names() {
            match read_log(&parts.logs.join(&name)) {
                Ok(text) => add(self, format!("logs/{name}"), &log::masked(&text, true))?,
                // pages that were never turned
                Err(Unread::System(error))
                    if error.kind() == io::ErrorKind::NotFound && name.matches('.').count() > 1 => {}
                Err(unread) => self.miss(&format!("logs/{name}"), WhyMissing::Detail(Detail::from(&unread))),
            }
        }
        Ok(())
    }

    fn miss(&mut self, name: &str, reason: WhyMissing) {
        self.missing.push(Missing { name: name.to_owned(), reason });
    }
}

/// Names and numbers of the people called are nobody's business but the user's.
fn without_contacts(status: &str) -> serde_json::Result<String> {
    let mut status: Value = serde_json::from_str(status)?;
    if let Some(calls) = status.get_mut("calls").and_then(Value::as_array_mut) {
        for contact in calls.iter_mut().filter_map(|call| call.get_mut("contact")) {
            if !contact.is_null() {
                *contact = Value::from("(contact)");
            }
        }
    }
    log::mask_json(&mut status);
    serde_json::to_string_pretty(&status)
}

/// The name of a setting and where it comes from are this product's words, whoever is called the same.
fn settings(mut listed: Value) -> serde_json::Result<String> {
    match &mut listed {
        Value::Array(settings) => settings.iter_mut().for_each(|setting| match setting {
            Value::Object(members) => members
                .iter_mut()
                .filter(|(name, _)| !matches!(name.as_str(), "key" | "from"))
                .for_each(|(_, member)| log::mask_json(member)),
            other => log::mask_json(other),
        }),
        other => log::mask_json(other),
    }
    serde_json::to_string_pretty(&listed)
}

/// The four logs, each with its older pages.
fn log_names() -> impl Iterator<Item = String> {
    log::NAMES.into_iter().flat_map(|name| {
        std::iter::once(format!("{name}.log"))
            .chain((1..=log::KEPT_FILES).map(move |page| format!("{name}.{page}.log")))
    })
}

/// Why a log is not read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("it is no file")]
    NotAFile,
    #[error(transparent)]
    System(#[from] io::Error),
}

impl From<&Unread> for Detail {
    fn from(unread: &Unread) -> Self {
        match unread {
            Unread::NotAFile => Detail::new("no-file", unread),
            Unread::System(system) => Detail::verbatim(system),
        }
    }
}

fn read_log(path: &Path) -> Result<String, Unread> {
    // A link or a pipe in the place of a log is not ours.
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(Unread::NotAFile);
    }
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    file.seek(SeekFrom::Start(bytes.saturating_sub(MAX_LOG_BYTES)))?;
    let mut content = Vec::new();
    file.take(MAX_LOG_BYTES).read_to_end(&mut content)?;
    Ok(String::from_utf8_lossy(&content).into_owned())
}

/// A device's name as part of a file name.
fn file_name(device: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    device.chars().take(64).map(safe).collect()
}

fn hex(bytes: &[u8]) -> String {
    let line = |row: &[u8]| row.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    bytes.chunks(16).flat_map(|row| [line(row), "\n".to_owned()]).collect()
}

fn explained(bytes: &[u8]) -> String {
    let descriptor = match ReportDescriptor::parse(bytes) {
        Ok(descriptor) => descriptor,
        Err(error) => return format!("{} bytes that do not decode: {error}\n", bytes.len()),
    };
    let explanation = descriptor.explain();
    let mut text = format!(
        "{} bytes, reports are {}numbered\n",
        bytes.len(),
        if descriptor.is_numbered() { "" } else { "not " }
    );
    for collection in &explanation.top_level {
        let _ = writeln!(text, "collection {} {}", collection.usage, collection.name.unwrap_or("(vendor)"));
    }
    match explanation.no_call_control {
        None => text.push_str("call control: yes\n"),
        Some(why) => _ = writeln!(text, "call control: no, {why}"),
    }
    for control in &explanation.controls {
        let _ = writeln!(
            text,
            "{} {}: {} report {}, bit {}, width {}{}{}",
            control.usage,
            control.role.label(),
            control.report_type,
            control.report_id,
            control.bit,
            control.size,
            if control.relative { ", relative" } else { "" },
            if control.array { ", array" } else { "" },
        );
    }
    for (report_type, id, bytes) in descriptor.reports() {
        let _ = writeln!(text, "{report_type} report {id}: {bytes} bytes");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Summary;
    use crate::contract::{document, hold};

    pub(super) const NAME: &str =
        r"^(status\.json|settings\.json|(descriptors|logs)/[A-Za-z0-9_.-]+\.(hex|txt|log))$";

    #[test]
    fn the_manifest_is_made_of_the_types() {
        let title = "manifest.json of a support bundle, and hookswitch bundle --preview --json";
        let schema = document::<Summary>(title);
        hold(env!("CARGO_MANIFEST_DIR"), "schemas/bundle.schema.json", &schema);
    }
}

//! Decodes report descriptors and compares what comes out with facts that were not laid down by our decoder: the
//! layouts in `recordings/`, and captures of real devices where there is a folder of them.
#![expect(clippy::disallowed_methods, reason = "reads captures from disk")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use device_handlers::report::{Field, ReportDescriptor, ReportType, Usage, UsageRange};
use serde::Deserialize;

#[derive(Deserialize)]
struct Capture {
    length: usize,
    decoded: Decoded,
    #[serde(default)]
    fact: Vec<Fact>,
    #[serde(default)]
    report_bytes: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Decoded {
    numbered_reports: bool,
    top_level: Vec<String>,
    has_telephony_headset: bool,
    has_telephony_phone: bool,
    has_teams_page_ff99: bool,
    call_control: bool,
}

#[derive(Deserialize)]
struct Fact {
    name: String,
    r#type: String,
    report_id: u8,
    bit: u32,
    size: u32,
    usage: String,
    relative: bool,
    constant: bool,
    array: bool,
    no_preferred_state: bool,
    application: String,
    array_count: Option<u32>,
    array_usages: Option<Vec<String>>,
    logical_min: Option<i32>,
    logical_max: Option<i32>,
    null_state: Option<bool>,
}

fn report_type(name: &str) -> ReportType {
    match name {
        "input" => ReportType::Input,
        "output" => ReportType::Output,
        "feature" => ReportType::Feature,
        other => panic!("report type {other:?}"),
    }
}

fn hex(text: &str) -> Vec<u8> {
    let items = text.lines().filter_map(|line| line.split('#').next());
    let bytes = items.flat_map(str::split_whitespace);
    bytes.map(|byte| u8::from_str_radix(byte, 16).expect("two hex digits")).collect()
}

/// Whether the field, or one of the elements it stands for, is what the fact says.
fn agrees(field: &Field, fact: &Fact) -> bool {
    let array = match (&field.array, fact.array) {
        (None, false) => field.usage.to_string() == fact.usage,
        (Some(array), true) => {
            let usages: Vec<String> =
                array.usages.iter().flat_map(UsageRange::usages).map(|usage| usage.to_string()).collect();
            let listed = fact.array_usages.as_ref().expect("an array fact lists usages");
            usages.contains(&fact.usage)
                && usages.starts_with(listed)
                && Some(field.count) == fact.array_count
                && Some(field.logical_min) == fact.logical_min
                && Some(field.logical_max) == fact.logical_max
                && Some(field.null_state) == fact.null_state
        }
        _ => false,
    };
    array
        && field.report_type == report_type(&fact.r#type)
        && field.report_id == fact.report_id
        && field.bit_offset == fact.bit
        && field.bit_size == fact.size
        && field.relative == fact.relative
        && field.constant == fact.constant
        && field.no_preferred_state == fact.no_preferred_state
        && field.application.to_string() == fact.application
}

fn check(path: &Path) -> usize {
    let name = path.file_stem().expect("a file name").to_string_lossy();
    let bytes = hex(&std::fs::read_to_string(path).expect("readable capture"));
    let facts = std::fs::read_to_string(path.with_extension("toml")).expect("facts beside the capture");
    let capture: Capture = toml::from_str(&facts).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(bytes.len(), capture.length, "{name}: length");
    let descriptor = ReportDescriptor::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));

    let Decoded { numbered_reports, top_level, call_control, .. } = &capture.decoded;
    assert_eq!(descriptor.is_numbered(), *numbered_reports, "{name}: numbered");
    let came: Vec<String> = descriptor.top_level().iter().map(Usage::to_string).collect();
    assert_eq!(came, *top_level, "{name}: top-level collections");
    let capabilities = descriptor.capabilities();
    assert_eq!(capabilities.call_control, *call_control, "{name}: call control");
    assert_eq!(descriptor.explain().no_call_control.is_none(), *call_control, "{name}: reason");
    let telephony = capture.decoded.has_telephony_headset || capture.decoded.has_telephony_phone;
    assert_eq!(descriptor.has_telephony(), telephony, "{name}: telephony");
    assert_eq!(capabilities.teams, capture.decoded.has_teams_page_ff99, "{name}: Teams page");
    for fact in &capture.fact {
        assert!(
            descriptor.fields().iter().any(|field| agrees(field, fact)),
            "{name}: no field agrees with {} at {} {}:{}",
            fact.name,
            fact.r#type,
            fact.report_id,
            fact.bit
        );
    }
    for (report, expected) in &capture.report_bytes {
        let (kind, id) = report.split_once(':').expect("type:id");
        let came = descriptor.payload_len(report_type(kind), id.parse().expect("decimal report id"));
        assert_eq!(came, Some(*expected), "{name}: bytes of report {report}");
    }
    capture.fact.len()
}

fn check_all(folder: &Path, at_least: usize) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("directory entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "hex"))
        .collect();
    paths.sort();
    assert!(paths.len() >= at_least, "only {} in {}", paths.len(), folder.display());
    let facts: usize = paths.iter().map(|path| check(path)).sum();
    println!("{} descriptors, {facts} facts agree", paths.len());
}

/// Those of the tree, and those of the folder that `CAPTURES` names (captures of real devices that may not be passed on).
#[test]
fn every_layout_decodes_to_its_facts() {
    check_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../recordings/descriptors"), 15);
    if let Some(folder) = std::env::var_os("CAPTURES") {
        check_all(Path::new(&folder), 1);
    }
}

//! The support bundle, read back: what is in it and what must never be.
#![expect(clippy::disallowed_methods, reason = "plants files and reads the zip")]

use hookswitch::shell::bundle::{BundleParts, preview, write};
use hookswitch::shell::log;
use hub::problem::{Code, Reason};
use hub::protocol::local::{Call, CallState, Direction, View};
use hub::settings::{Layers, Settings, SettingsFile};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const TOKEN: &str = "planted-tenant-token";
const PASSWORD: &str = "planted bind\"password";

fn settings() -> Settings {
    let text =
        format!("tenant_token = \"{TOKEN}\"\nserver_url = \"https://t.example\"\nuser = \"planted.user\"");
    let user = SettingsFile::of_text("user.toml", text);
    let (settings, problems) = Settings::resolve(&Layers { user, ..Layers::default() });
    assert!(problems.is_empty(), "{problems:?}");
    settings
}

fn status() -> String {
    let call = Call {
        id: 1,
        client: hub::protocol::client::ClientId::Unnamed,
        label: None,
        direction: Direction::Incoming,
        state: CallState::Answered,
        muted: false,
        contact: Some("Planted Contact".to_owned()),
    };
    let view = View {
        user: "login.name".to_owned(),
        calls: vec![call],
        version: TOKEN.to_owned(),
        ..View::default()
    };
    serde_json::to_string(&view).expect("a view is JSON")
}

fn unzip(path: &Path) -> BTreeMap<String, String> {
    let file = std::fs::File::open(path).expect("the bundle is there");
    let mut zip = zip::ZipArchive::new(file).expect("it is a zip");
    (0..zip.len())
        .map(|index| {
            let mut entry = zip.by_index(index).expect("an entry");
            let name = entry.name().expect("a name in UTF-8").into_owned();
            assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o600), "{name}");
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("all entries are text");
            (name, text)
        })
        .collect()
}

/// Usage page Telephony, a headset with a hook switch and an off-hook LED in reports without number.
const DESCRIPTOR: [u8; 39] = [
    0x05, 0x0b, 0x09, 0x05, 0xa1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x09, 0x20, 0x81,
    0x22, 0x95, 0x07, 0x81, 0x01, 0x05, 0x08, 0x09, 0x17, 0x95, 0x01, 0x91, 0x02, 0x95, 0x07, 0x91, 0x01,
    0xc0, 0x05, 0x0b, 0x09, 0x05,
];

#[test]
fn holds_what_support_needs_and_no_secret() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let logs = folder.path().join("logs");
    std::fs::create_dir(&logs).expect("created");
    log::mask(PASSWORD);
    // as a foreign program might have left them: unmasked
    let line = format!("a {TOKEN} b {PASSWORD} c {PASSWORD:?} of planted.user at LOGIN.NAME\n");
    for name in ["CloudConnector.log", "CloudConnector.2.log", "DeviceManager.log", "DFUManager.log"] {
        std::fs::write(logs.join(name), &line).expect("written");
    }
    let huge = format!("first\n{}\nlast", "x".repeat(3 << 20));
    std::fs::write(logs.join("CloudConnector.1.log"), huge).expect("written");
    std::fs::write(logs.join("other.log"), "not a log of ours").expect("written");
    std::os::unix::fs::symlink("/etc/passwd", logs.join("SessionManager.log")).expect("linked");

    let (settings, status) = (settings(), status());
    let descriptors =
        [("../../etc/Läufer 1".to_owned(), DESCRIPTOR.to_vec()), ("hostile".to_owned(), vec![0xff; 40_000])];
    let parts = BundleParts {
        status_json: Some(&status),
        settings: &settings,
        agent_settings: None,
        descriptors: &descriptors,
        logs: &logs,
        users: &["login.name"],
    };
    let output = folder.path().join("bundle.zip");
    std::fs::write(&output, "an older bundle").expect("written");
    let summary = write(&parts, &output).expect("the folder is writable");
    assert_eq!(preview(&parts), summary, "the preview tells the truth");
    assert_eq!(std::fs::metadata(&output).expect("there").permissions().mode() & 0o777, 0o600);

    let files = unzip(&output);
    for (name, text) in &files {
        let lower = text.to_lowercase();
        for planted in [TOKEN, "bind", "planted.user", "login.name", "planted contact", "/root:"] {
            assert!(!lower.contains(planted), "{planted} is in {name}");
        }
    }
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "descriptors/1-______etc_L_ufer_1.hex",
            "descriptors/1-______etc_L_ufer_1.txt",
            "descriptors/2-hostile.hex",
            "descriptors/2-hostile.txt",
            "logs/CloudConnector.1.log",
            "logs/CloudConnector.2.log",
            "logs/CloudConnector.log",
            "logs/DFUManager.log",
            "logs/DeviceManager.log",
            "manifest.json",
            "settings.json",
            "status.json",
        ]
    );
    assert_eq!(summary.missing.len(), 1);
    assert_eq!(summary.missing[0].name, "logs/SessionManager.log");
    for entry in &summary.entries {
        assert_eq!(files[&entry.name].len() as u64, entry.bytes, "{}", entry.name);
    }
    assert!(
        files["logs/CloudConnector.1.log"].ends_with("last")
            && !files["logs/CloudConnector.1.log"].contains("first")
    );
    assert!(files["descriptors/1-______etc_L_ufer_1.hex"].starts_with("05 0b 09 05 a1 01"));
    assert!(files["descriptors/2-hostile.txt"].contains("do not decode"));
    assert!(files["settings.json"].contains("\"(set)\""));
    assert!(files["status.json"].contains("(contact)") && files["status.json"].contains("(user)"));
    fits_schema(&files["manifest.json"]);
}

fn fits_schema(manifest: &str) {
    let schema = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/bundle.schema.json"))
        .expect("the schema is committed");
    let mut compiler = boon::Compiler::new();
    let mut schemas = boon::Schemas::new();
    compiler.add_resource("bundle", serde_json::from_str(&schema).expect("JSON")).expect("a resource");
    let index = compiler.compile("bundle", &mut schemas).expect("the schema compiles");
    let manifest = serde_json::from_str(manifest).expect("the manifest is JSON");
    schemas.validate(&manifest, index).expect("the manifest fits");
}

#[test]
fn says_what_is_missing_without_an_agent_and_logs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = Settings::default();
    let logs = folder.path().join("none");
    let parts = BundleParts {
        status_json: None,
        settings: &settings,
        agent_settings: None,
        descriptors: &[],
        logs: &logs,
        users: &[""],
    };
    let output = folder.path().join("bundle.zip");
    let summary = write(&parts, &output).expect("the folder is writable");
    let missing: Vec<&str> = summary.missing.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(
        missing,
        [
            "status.json",
            "logs/CloudConnector.log",
            "logs/DeviceManager.log",
            "logs/DFUManager.log",
            "logs/SessionManager.log"
        ]
    );
    assert_eq!(unzip(&output).len(), 2, "the settings and the manifest");
}

#[test]
fn a_bundle_that_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = Settings::default();
    let parts = BundleParts {
        status_json: None,
        settings: &settings,
        agent_settings: None,
        descriptors: &[],
        logs: folder.path(),
        users: &[],
    };
    let in_the_way = folder.path().join("folder");
    std::fs::create_dir_all(in_the_way.join("full")).expect("created");
    for output in [Path::new("/nonexistent/bundle.zip"), in_the_way.as_path()] {
        let problem = write(&parts, output).expect_err("cannot be written");
        assert_eq!(problem.code, Code::BundleNotWritten);
        assert_eq!(problem.place(), output.display().to_string());
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 1, "no half bundle is left");
}

#[test]
fn people_called_like_a_word_of_the_product_leave_its_words_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let agent_settings = json!([
        { "key": "tenant_root", "value": "30e4", "from": "environment", "locked": true },
        { "key": "user", "value": "Early.Bird", "from": "user", "locked": false },
        { "key": "sdk_approved", "value": ["a", "banana"], "from": "default", "locked": false },
    ]);
    let status = json!({
        "user": "tenant", "tenant": { "root_sha256": "30e4", "mode": "server" }, "root": null, "a": "\"a\"",
        "problems": [{ "place": "/home/root/.config", "what": "tenant_id of a=1" }],
    });
    let line = "root=30e4 tenant=\"https://t\" a=7 as root at /home/tenant/a tenant_root early.bird\n";
    std::fs::write(folder.path().join("CloudConnector.log"), line).expect("written");
    let own = settings();
    let parts = BundleParts {
        status_json: Some(&status.to_string()),
        settings: &own,
        agent_settings: Some(Ok(&agent_settings)),
        descriptors: &[("1209-0001".to_owned(), DESCRIPTOR.to_vec())],
        logs: folder.path(),
        users: &["root", "a", "tenant", "user", "0b"],
    };
    let output = folder.path().join("bundle.zip");
    assert_eq!(preview(&parts), write(&parts, &output).expect("the folder is writable"));
    let files = unzip(&output);
    let read = |name: &str| -> Value { serde_json::from_str(&files[name]).expect("valid JSON") };
    assert_eq!(
        read("settings.json"),
        json!([
            { "key": "tenant_root", "value": "30e4", "from": "environment", "locked": true },
            { "key": "user", "value": "(user)", "from": "user", "locked": false },
            { "key": "sdk_approved", "value": ["(user)", "banana"], "from": "default", "locked": false },
        ]),
        "the running agent's, not this process's"
    );
    assert_eq!(
        read("status.json"),
        json!({
            "user": "(user)", "tenant": { "root_sha256": "30e4", "mode": "server" }, "root": null,
            "a": "\"(user)\"",
            "problems": [{ "place": "/home/(user)/.config", "what": "tenant_id of (user)=1" }],
        })
    );
    assert_eq!(
        files["logs/CloudConnector.log"],
        "root=30e4 tenant=\"https://t\" a=7 as (user) at /home/(user)/(user) tenant_root (user)\n"
    );
    assert!(files["descriptors/1-1209-0001.hex"].starts_with("05 0b 09"), "numbers are no names");
}

#[test]
fn the_settings_of_an_agent_that_does_not_tell_them_are_missing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let problem = Reason::NotUnderstood { error: "too old".to_owned() }.here();
    let own = settings();
    let parts = BundleParts {
        status_json: None,
        settings: &own,
        agent_settings: Some(Err(&problem)),
        descriptors: &[],
        logs: folder.path(),
        users: &[],
    };
    let summary = preview(&parts);
    assert!(summary.entries.is_empty(), "never those of another process: {summary:?}");
    let missing = summary.missing.iter().find(|m| m.name == "settings.json").expect("it is told");
    assert!(missing.reason.to_string().contains("not understood"), "{missing:?}");
}

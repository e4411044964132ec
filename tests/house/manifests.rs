//! The crate graph, read from the manifests.

use std::collections::BTreeSet;
use toml::{Table, Value};

/// The crates of this repository.
const OURS: [&str; 9] =
    ["hookswitch", "hub", "device-handlers", "dfu", "directory", "tenant", "simulator", "torture", "xtask"];
/// Libraries that know no clock, thread, file, socket, environment or process: all that the pure crates may use.
const WORLDLESS: [&str; 14] = [
    "crc32fast",
    "fastrand",
    "flate2",
    "fluent-bundle",
    "fluent-langneg",
    "jiff",
    "serde",
    "serde_json",
    "thiserror",
    "toml",
    "tracing",
    "unic-langid",
    "url",
    "zip",
];
/// What the tenant's library may use without its `server` feature.
const CONTRACT: [&str; 6] = ["dfu", "directory", "jiff", "serde", "serde_json", "thiserror"];

fn manifest(member: &str) -> Table {
    let path = super::root().join(member).join("Cargo.toml");
    std::fs::read_to_string(&path).expect("a manifest").parse().expect("TOML")
}

/// Names under every table `section`, those for one target included; a renamed dependency under its real name.
fn dependencies(manifest: &Table, section: &str) -> BTreeSet<String> {
    let of = |table: &Table| -> Vec<String> {
        let name = |(name, value): (&String, &Value)| {
            value.get("package").and_then(Value::as_str).unwrap_or(name).to_owned()
        };
        table.get(section).and_then(Value::as_table).into_iter().flatten().map(name).collect()
    };
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let for_targets = targets.filter_map(|(_, target)| target.as_table()).flat_map(of);
    of(manifest).into_iter().chain(for_targets).collect()
}

fn used(manifest: &Table) -> BTreeSet<String> {
    let build = dependencies(manifest, "build-dependencies");
    dependencies(manifest, "dependencies").into_iter().chain(build).collect()
}

/// Complaints about one crate of the graph.
fn graph(member: &str, manifest: &Table) -> Vec<String> {
    let used = used(manifest);
    let tested = dependencies(manifest, "dev-dependencies");
    let ours = |of: &BTreeSet<String>| of.iter().filter(|d| OURS.contains(&d.as_str())).cloned().collect();
    let (of_ours, tested_with): (Vec<String>, Vec<String>) = (ours(&used), ours(&tested));
    let allowed: &[&str] = match member {
        "." => &["hub", "device-handlers", "dfu", "directory", "tenant"],
        // What it decides, it decides on headsets, firmware, groups and the words of the tenant.
        "hub" => &["device-handlers", "dfu", "directory", "tenant"],
        // What it publishes is read by the rules of those who take it.
        "tenant" => &["device-handlers", "dfu", "directory"],
        // It holds what decides against simulated hardware, and nothing is built on it.
        "torture" => &["dfu", "hub", "simulator", "tenant"],
        _ => &[],
    };
    let mut out = Vec::new();
    for name in of_ours.iter().filter(|d| !allowed.contains(&d.as_str())) {
        out.push(format!("{member}/Cargo.toml: depends on {name}"));
    }
    // A bug that test and code shared would cancel itself out.
    for name in tested_with.iter().filter(|_| member != ".") {
        out.push(format!("{member}/Cargo.toml: is tested with {name}"));
    }
    out
}

/// What `tenant` needs when nobody asks for the server.
fn contract(manifest: &Table) -> Vec<String> {
    let Some(all) = manifest.get("dependencies").and_then(Value::as_table) else { return Vec::new() };
    let must = all.iter().filter(|(_, v)| v.get("optional").and_then(Value::as_bool) != Some(true));
    must.filter(|(name, _)| !CONTRACT.contains(&name.as_str()))
        .map(|(name, _)| format!("tenant/Cargo.toml: {name} comes even without the server"))
        .collect()
}

#[test]
fn crates_depend_one_way() {
    let broken = |text: &str| text.parse::<Table>().expect("TOML");
    assert_eq!(graph("dfu", &broken("[dependencies]\ndevice-handlers.workspace = true")).len(), 1);
    assert_eq!(
        graph("dfu", &broken("[dependencies]\nx = { package = \"tenant\", version = \"1\" }")).len(),
        1
    );
    assert_eq!(graph(".", &broken("[target.'cfg(unix)'.dependencies]\nsimulator.workspace = true")).len(), 1);
    assert_eq!(graph("simulator", &broken("[dev-dependencies]\ndfu.workspace = true")).len(), 1);
    assert_eq!(graph(".", &broken("[dev-dependencies]\nsimulator.workspace = true")), Vec::<String>::new());
    let mut members: Vec<String> = workspace()["members"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| m.as_str().expect("a text").to_owned())
        .collect();
    members.push(".".to_owned());
    assert_eq!(members.len(), OURS.len(), "a crate came or went: say here what it may depend on");
    let complaints: Vec<String> = members.iter().flat_map(|m| graph(m, &manifest(m))).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(used(&manifest(".")).contains("device-handlers"), "the manifests are not read right");
}

/// What decides has no world, as a fact of its manifest.
#[test]
fn what_decides_has_no_library_that_reaches_the_world() {
    fn rule(member: &str, manifest: &Table) -> Vec<String> {
        let foreign = |name: &String| {
            let known = WORLDLESS.contains(&name.as_str()) || OURS.contains(&name.as_str());
            (!known).then(|| format!("{member}/Cargo.toml: {name} is not known to leave the world alone"))
        };
        used(manifest).iter().filter_map(foreign).collect()
    }
    let sample = "[dependencies]\nserde.workspace = true\n[target.'cfg(unix)'.dependencies]\nrustix = \"1\"";
    assert_eq!(rule("hub", &sample.parse().expect("TOML")).len(), 1);
    let complaints: Vec<String> = super::PURE.iter().flat_map(|m| rule(m, &manifest(m))).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_agent_takes_the_contract_without_the_server() {
    let sample = "[dependencies]\nserde = \"1\"\naxum = { workspace = true }\ntokio = { optional = true }";
    assert_eq!(contract(&sample.parse().expect("TOML")).len(), 1);
    let complaints = contract(&manifest("tenant"));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let shared = workspace();
    let tenant = &shared["dependencies"]["tenant"];
    assert_eq!(tenant.get("default-features").and_then(Value::as_bool), Some(false));
    let ours = manifest(".");
    let features = ours["dependencies"]["tenant"].get("features").and_then(Value::as_array);
    assert!(features.is_none_or(Vec::is_empty), "the agent asks for features of the tenant: {features:?}");
}

#[test]
fn one_tls_provider_and_no_gtk() {
    let lock: Table = std::fs::read_to_string(super::root().join("Cargo.lock"))
        .expect("a lock file")
        .parse()
        .expect("TOML");
    let packages = lock["package"].as_array().expect("a list");
    let names: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    assert!(names.contains("aws-lc-rs"), "the lock file is not read right");
    for unwanted in ["openssl", "openssl-sys", "native-tls", "gtk", "gtk-sys", "libappindicator"] {
        assert!(!names.contains(unwanted), "{unwanted} is in Cargo.lock");
    }
}

fn workspace() -> Table {
    manifest(".")["workspace"].as_table().expect("a table").clone()
}

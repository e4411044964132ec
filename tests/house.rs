//! The house rules of `ARCHITECTURE.md`: who may depend on whom, who may touch the world, how a file looks.
//! Each rule is a function from a path and its text to complaints, tried on a sample that breaks it.
#![expect(clippy::disallowed_methods, reason = "reads the source from disk")]

use std::path::{Path, PathBuf};

#[path = "house/circles.rs"]
mod circles;
#[path = "house/manifests.rs"]
mod manifests;
#[path = "house/promises.rs"]
mod promises;
#[path = "house/shell.rs"]
mod shell;
#[path = "support/rust_source.rs"]
mod source;
#[path = "house/testing.rs"]
mod testing;

/// Lines of the longest file.
const MOST_LINES: usize = 600;
/// The crates that own no world.
const PURE: [&str; 4] = ["hub", "device-handlers", "dfu", "directory"];
const NO_NAMES: [&str; 7] = ["utils", "util", "helper", "manager", "common", "core", "types"];
/// Where TUF or the store have checked what they hand on, and a rig that is in no package.
const VOUCHERS: [&str; 4] = ["hub/src/machine/trust.rs", "src/shell/tenant", "src/shell/store", "torture"];
/// Where the world begins.
const WORLDLY: [&str; 11] = [
    "build.rs",
    "hub/build.rs",
    "src/shell",
    "src/main.rs",
    "tests/",
    "examples/",
    "simulator/",
    "tenant/src/bin/",
    "torture/",
    "xtask/",
    "fuzz/fuzz_targets/",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of the repository, with its path from the root.
fn files() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a readable folder").map(|e| e.expect("an entry")) {
            let path = entry.path();
            let name = entry.file_name();
            let kind = entry.file_type().expect("a file type");
            if kind.is_dir() && !name.to_string_lossy().starts_with('.') && name != "target" {
                walk(&path, found);
            } else if kind.is_file() && path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(root(), &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a readable source file");
        let relative =
            path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
        (relative, text)
    };
    let files: Vec<_> = found.into_iter().map(read).collect();
    assert!(files.len() > 100, "the walk has lost its way: {} files", files.len());
    files
}

type Rule = fn(&str, &str) -> Vec<String>;

/// Holds `rule` against every file, after samples that break it and one that does not.
fn hold(rule: Rule, broken: &[(&str, &str)], kept: (&str, &str)) {
    for (path, text) in broken {
        assert!(!rule(path, text).is_empty(), "the rule does not see {path}: {text}");
    }
    assert_eq!(rule(kept.0, kept.1), Vec::<String>::new(), "the rule complains of {kept:?}");
    let complaints: Vec<String> = files().iter().flat_map(|(path, text)| rule(path, text)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn in_room(path: &str, room: &str) -> bool {
    path.strip_prefix(room).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
}

fn complain(path: &str, text: &str, is_bad: impl Fn(&str) -> bool, why: &str) -> Vec<String> {
    let code = source::without_tests(&source::code(text));
    let bad = source::paths(&code).into_iter().filter(|(_, name)| is_bad(name));
    bad.map(|(line, name)| format!("{path}:{line}: {name}: {why}")).collect()
}

fn touches_the_world(name: &str) -> bool {
    const WORLD: [&str; 12] = [
        "std::fs",
        "std::net",
        "std::thread",
        "std::env",
        "std::process",
        "std::os",
        "tokio",
        "rusqlite",
        "reqwest",
        "rusb",
        "hidapi",
        "axum",
    ];
    let under = |world: &&str| name.strip_prefix(world).is_some_and(|r| r.is_empty() || r.starts_with("::"));
    WORLD.iter().any(under)
        || name.starts_with("std::*")
        || name == "std"
        || name.ends_with("Instant::now")
        || name.ends_with("SystemTime::now")
        || name.ends_with("Timestamp::now")
        || name.ends_with("Zoned::now")
        || name.ends_with("::mpsc")
        || name.contains("::mpsc::")
}

#[test]
fn the_pure_core_owns_no_world() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        let pure = |name: &&str| path.strip_prefix(*name).is_some_and(|rest| rest.starts_with("/src/"));
        if !PURE.iter().any(pure) || is_test(path) {
            return Vec::new();
        }
        complain(path, text, touches_the_world, "the pure core owns no world; only src/shell touches it")
    }
    let kept = "use std::time::Instant; // std::fs\nfn f(now: Instant) { \"std::net\"; }";
    let broken = [
        "use std::{collections::VecDeque, fs};",
        "fn f() { let now = std::time::Instant::now(); }",
        "fn f() { SystemTime::now(); }",
        "use tokio::time;",
        "use std::{sync::mpsc::channel};",
        "fn f() { std :: env :: var(\"X\"); }",
        "use std as s;",
        "#[cfg(test)] mod tests { }\nuse std::thread;",
    ];
    hold(rule, &broken.map(|text| ("hub/src/machine/update.rs", text)), ("hub/src/user.rs", kept));
    assert_eq!(rule("dfu/src/image.rs", "use std::net::IpAddr;").len(), 1);
    assert_eq!(
        rule("hub/src/user/call.rs", "\n\nuse std::fs;")[0].split(": ").next(),
        Some("hub/src/user/call.rs:3")
    );
}

#[test]
fn the_roles_meet_in_protocol() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        let mut out = Vec::new();
        let leads_to = |name: &str, room: &str| {
            let parts: Vec<&str> = name.split("::").collect();
            let own = ["crate", "super", "hub"];
            parts.windows(2).any(|pair| own.contains(&pair[0]) && pair[1] == room)
        };
        for (room, other) in [("hub/src/machine", "user"), ("hub/src/user", "machine")] {
            if in_room(path, room) {
                let why = "the roles meet only in protocol";
                out.extend(complain(path, text, |n| leads_to(n, other), why));
            }
        }
        for room in ["protocol", "settings", "locale", "calendar", "detail", "world"] {
            if in_room(path, &format!("hub/src/{room}")) {
                let role = |n: &str| leads_to(n, "user") || leads_to(n, "machine");
                out.extend(complain(path, text, role, "what both roles share knows neither"));
            }
        }
        out
    }
    let kept = ("hub/src/machine/fleet.rs", "use crate::protocol::{Device}; use super::{Scan}; fn user() {}");
    let broken = [
        ("hub/src/machine.rs", "use super::user::UserRole;"),
        ("hub/src/machine/role/reports.rs", "fn f() { super::super::super::user::f() }"),
        ("hub/src/user.rs", "use crate::{machine, protocol};"),
        ("hub/src/protocol/local.rs", "use crate::user::UserRole;"),
        ("hub/src/detail.rs", "use crate::machine::Input;"),
    ];
    hold(rule, &broken, kept);
}

#[test]
fn files_are_short_and_well_named() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        let mut out = Vec::new();
        let lines = text.lines().count();
        if lines > MOST_LINES {
            out.push(format!("{path}: {lines} lines, at most {MOST_LINES}: split it"));
        }
        let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
        if name == "mod" {
            out.push(format!("{path}: foo.rs and foo/, never mod.rs"));
        }
        let code = source::code(text);
        let words: Vec<&str> = code.split_whitespace().collect();
        let modules = words.windows(2).filter(|w| w[0] == "mod").map(|w| w[1].trim_end_matches([';', '{']));
        let folders = path.split('/').rev().skip(1);
        for name in modules.chain([name]).chain(folders).filter(|n| NO_NAMES.contains(n)) {
            out.push(format!("{path}: {name} says nothing: name the module after what it does"));
        }
        out
    }
    let long = "\n".repeat(MOST_LINES + 1);
    let most = "\n".repeat(MOST_LINES);
    let broken = [
        ("src/a.rs", long.as_str()),
        ("src/a/mod.rs", ""),
        ("src/utils.rs", ""),
        ("src/core/a.rs", ""),
        ("a.rs", "pub mod types {"),
    ];
    assert_eq!(rule("src/a.rs", &most), Vec::<String>::new());
    hold(rule, &broken, ("src/a.rs", "mod typesetting;\n// mod utils;"));
}

#[test]
fn only_those_who_check_vouch() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        let may = VOUCHERS.iter().any(|v| path == *v || in_room(path, v)) || is_test(path);
        if may {
            return Vec::new();
        }
        let why = "only TUF (shell/tenant) and the store vouch for a value";
        complain(path, text, |name| name.split("::").any(|part| part == "vouched"), why)
    }
    let kept = ("src/shell/tenant/tuf.rs", "Verified::vouched(document, 1)");
    let broken = [
        ("src/shell/service.rs", "let v = Verified::vouched(x, 1);"),
        ("src/shell/tenants.rs", "<Verified<X>>::vouched (x, 1)"),
        ("hub/src/machine/update.rs", "x.map(Verified::<Y>::vouched)"),
    ];
    assert_eq!(rule("src/a.rs", "// vouched("), Vec::<String>::new());
    hold(rule, &broken, kept);
}

#[test]
fn the_world_is_entered_by_whole_modules() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        let code = source::code(text);
        let core = source::without_tests(&code);
        let may = is_test(path) || WORLDLY.iter().any(|w| path.starts_with(w));
        let mut out = Vec::new();
        for (at, lint) in code.match_indices("clippy::disallowed_methods") {
            let start = code[..at].rfind('#').unwrap_or(0);
            let attribute = &code[start..at];
            let line = code[..start].lines().count().max(1);
            let end = at + lint.len() + code[at + lint.len()..].find(']').map_or(0, |n| n + 1);
            let in_tests = core[start..at].trim().is_empty();
            let of_tests = code[..start].trim_end().ends_with("#[cfg(test)]")
                || code[end..].trim_start().starts_with("#[cfg(test)]");
            if attribute.contains("allow(") {
                out.push(format!("{path}:{line}: expect it with a reason, do not allow it"));
            } else if !attribute.starts_with("#![") && !of_tests {
                out.push(format!("{path}:{line}: say it once for the module, as an inner attribute"));
            } else if !may && !in_tests && !of_tests {
                out.push(format!("{path}:{line}: the world is not touched here"));
            }
        }
        out
    }
    let on =
        |what: &str| format!("{what}\n    clippy::disallowed_methods,\n    reason = \"x\"\n)]\nfn f() {{}}");
    let (inner, outer, allowed) = (on("#![expect("), on("#[expect("), on("#![allow("));
    let broken = [
        ("src/shell/hid.rs", outer.as_str()),
        ("src/shell/hid.rs", &allowed),
        ("hub/src/machine/fleet.rs", &inner),
        ("tenant/src/policy.rs", &inner),
        ("dfu/src/lib.rs", &outer),
        ("dfu/src/lib.rs", "#![cfg_attr(all(), expect(clippy::disallowed_methods))]"),
    ];
    let tests = "#[cfg(test)]\n#[expect(clippy::disallowed_methods, reason = \"x\")]\nmod tests {}";
    assert_eq!(rule("hub/src/user/identity.rs", tests), Vec::<String>::new());
    hold(rule, &broken, ("src/shell/hid.rs", &inner));
}

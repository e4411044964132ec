//! What the shell must not do. Each rule has a list of files that still break it and why; a file that does no more
//! has to be struck from it, so the lists only get shorter.

use super::{in_room, is_test, source};
use std::collections::BTreeSet;

pub(crate) type Left = &'static [(&'static str, &'static str)];

/// Holds `rule` against all files: those that break it are those of `left`, no more and no fewer.
pub(crate) fn shrink(rule: super::Rule, broken: &[(&str, &str)], kept: &[(&str, &str)], left: Left) {
    for (path, text) in broken {
        assert!(!rule(path, text).is_empty(), "the rule does not see {path}: {text}");
    }
    for (path, text) in kept {
        assert_eq!(rule(path, text), Vec::<String>::new(), "the rule complains of {path}: {text}");
    }
    let files = super::files();
    let may: BTreeSet<&str> = left.iter().map(|(path, _)| *path).collect();
    let complaints = |path: &str, text: &str| -> Vec<String> { rule(path, text) };
    let new: Vec<String> = files
        .iter()
        .filter(|(path, _)| !may.contains(path.as_str()))
        .flat_map(|(path, text)| complaints(path, text))
        .collect();
    assert!(new.is_empty(), "{}", new.join("\n"));
    let breaks =
        |name: &str| files.iter().any(|(path, text)| path == name && !complaints(path, text).is_empty());
    let gone: Vec<&str> = may.into_iter().filter(|path| !breaks(path)).collect();
    assert!(gone.is_empty(), "these keep the rule now, strike them from the list: {gone:?}");
}

/// Where every system's own ways are known; the rest of the program asks these, without exception.
const OS: &str = "src/shell/os";
#[test]
fn operating_systems_differ_in_one_place() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        const CRATES: [&str; 7] = ["libc", "nix", "rustix", "udev", "zbus", "ksni", "windows"];
        const PLACES: [&str; 4] = ["/proc", "/sys", "/dev", "/etc"];
        let of_product = ["src/", "hub/src/", "device-handlers/src/", "dfu/src/", "directory/src/"];
        if in_room(path, OS) || is_test(path) || !of_product.iter().any(|folder| path.starts_with(folder)) {
            return Vec::new();
        }
        let code = source::without_tests(&source::code(text));
        let complaint = |line: usize, what: &str| {
            format!("{path}:{line}: {what}: what differs by system is a file in src/shell/os")
        };
        let of_system = |name: &str| {
            let first = name.split("::").next().unwrap_or(name);
            (name.contains("::") && CRATES.contains(&first)) || name.starts_with("std::os")
        };
        let names = source::paths(&code).into_iter().filter(|(_, name)| of_system(name));
        let mut out: Vec<String> = names.map(|(line, name)| complaint(line, &name)).collect();
        let tested = conditions(&code).into_iter().filter(|(_, condition)| {
            let mut words = condition.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.any(|word| ["unix", "windows", "target_os", "target_family"].contains(&word))
        });
        out.extend(tested.map(|(line, condition)| complaint(line, condition.trim())));
        for (n, line) in source::texts(text).lines().enumerate() {
            let named = PLACES.iter().find(|place| {
                line.match_indices(**place).any(|(at, _)| {
                    let after = line[at + place.len()..].chars().next();
                    line[..at].ends_with('"') && matches!(after, Some('/' | '"'))
                })
            });
            out.extend(named.map(|place| complaint(n + 1, place)));
        }
        out
    }
    let broken = [
        ("src/shell/hid.rs", "#[cfg(not(any(target_os = \"linux\")))] fn f() {}"),
        ("src/shell/osmosis.rs", "fn f() { cfg!(target_os = \"windows\") }"),
        ("src/shell/hid.rs", "#[cfg(unix)]\nfn f() {}"),
        ("src/shell/hid.rs", "#[cfg_attr(not(windows), path = \"x\")] mod f;"),
        ("hub/src/user.rs", "use std::os::unix::fs::PermissionsExt as _;"),
        ("src/shell/hid.rs", "fn f() { libc::geteuid() }"),
        ("src/shell/hid.rs", "fn f() { open(\"/sys/class\") }"),
        ("src/shell/hid.rs", "fn f() { open(r\"/proc\") }"),
    ];
    let kept = [
        ("src/shell/os.rs", "#[cfg(target_os = \"linux\")] mod linux;"),
        ("src/shell/os/linux.rs", "fn f() { libc::geteuid(); open(\"/proc/1\") }"),
        (
            "src/shell/hid.rs",
            "fn f(unix: u8) { x.windows(2); \"/system\"; \"a/sys/b\"; \"libc::x\" } // cfg(unix)",
        ),
        ("src/shell/hid.rs", "#[cfg(test)] mod tests { use std::os::unix; fn f() { \"/proc/1\" } }"),
    ];
    shrink(rule, &broken, &kept, &[]);
}

/// What stands in each `cfg(…)`, `cfg!(…)` and `cfg_attr(…)`, with its line.
fn conditions(code: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    for (at, word) in code.match_indices("cfg") {
        let rest = code[at + word.len()..].trim_start_matches("_attr").trim_start_matches('!');
        let Some(inside) = rest.strip_prefix('(') else { continue };
        let mut depth = 1;
        let end = inside.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        let condition = &inside[..end.unwrap_or(inside.len())];
        out.push((code[..at].matches('\n').count() + 1, condition.to_owned()));
    }
    out
}

/// A text is for people. What the program branches on is a value of a type.
#[test]
fn nobody_reads_the_text_of_an_error() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        const READING: [&str; 11] = [
            "code.as_str() ==",
            "code.as_str() !=",
            "code.as_str() {",
            "code.as_str().",
            "code.starts_with(",
            ".args.get(",
            ".what().contains(",
            ".what() ==",
            ".english().what",
            ".english() ==",
            ".what.contains(",
        ];
        if !path.starts_with("src/") && !path.starts_with("hub/src/") || is_test(path) {
            return Vec::new();
        }
        if in_room(path, PROBLEMS) || path == WORDS {
            return Vec::new();
        }
        let code = source::without_tests(&source::code(text)).replace("code.as_str().to_owned()", "");
        let is_text = |line: &str| {
            [".code == ", ".code != "]
                .iter()
                .any(|compared| line.split(compared).skip(1).any(|with| !with.starts_with("Code::")))
        };
        let reading = |line: &str| READING.iter().any(|reading| line.contains(reading)) || is_text(line);
        let bad = code.lines().enumerate().filter(|(_, line)| reading(line));
        bad.map(|(n, line)| format!("{path}:{}: {}: branch on a type, not on a text", n + 1, line.trim()))
            .collect()
    }
    let broken = [
        ("src/shell/tenant.rs", "if detail.code == \"x\" {}"),
        ("src/shell/tenant.rs", "if x == y.code && problem.code != text {}"),
        ("src/shell/rest/a.rs", "match p.code.as_str() { _ => {} }"),
        ("src/shell/rest/a.rs", "if p.code.as_str().starts_with(\"x\") {}"),
        ("src/shell/bus.rs", "f(e.problem.args.get(\"status\"))"),
        ("src/shell/cli/update.rs", "if problem.code.as_str() == \"x\" {}"),
        ("hub/src/user.rs", "if problem.what().contains(\"x\") {}"),
    ];
    let kept = [
        ("src/shell/a.rs", "#[cfg(test)] mod tests { fn f() { p.code == \"x\" } }"),
        ("src/shell/a.rs", "// p.code == \"x\"\nlet p = \"p.code == x\"; let code = 1;"),
        ("src/shell/a.rs", "if p.code == Code::InCall || p.code != Code::X {} f(p.code.as_str().to_owned())"),
        ("hub/src/problem.rs", "self.args.get(\"detail\")"),
    ];
    shrink(rule, &broken, &kept, &[]);
}

/// Where a reason becomes a problem.
const PROBLEMS: &str = "hub/src/problem";
/// Where it becomes words.
const WORDS: &str = "hub/src/locale/problems.rs";

/// The fields of a `Problem` are closed to everybody else; here it is that nobody opens a second way, or asks for a
/// problem's words by himself.
#[test]
fn problems_are_made_in_one_room() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        let of_product = path.starts_with("src/") || path.starts_with("hub/src/");
        if !of_product || in_room(path, PROBLEMS) || path == WORDS || is_test(path) {
            return Vec::new();
        }
        let (code, texts) = (source::without_tests(&source::code(text)), source::texts(text));
        let lines = code.lines().zip(texts.lines()).enumerate();
        let bad =
            lines.filter(|(_, (line, text))| line.contains("Problem::new(") || text.contains("\"problem-"));
        bad.map(|(n, _)| format!("{path}:{}: a problem is a `Reason` at a place", n + 1)).collect()
    }
    let broken = [
        ("src/shell/a.rs", "let p = Problem::new(\"x\", a, b, c);"),
        ("src/shell/a.rs", "let id = format!(\"problem-{x}\");"),
        ("hub/src/locale.rs", "f(\"problem-in-call\");"),
    ];
    let kept = [
        (PROBLEMS, "x"),
        ("hub/src/problem.rs", "Problem { code, place, args, details }"),
        (WORDS, "format!(\"problem-{}\", code)"),
        ("src/shell/a.rs", "fn f() -> Problem { Reason::InCall.at(\"x\") }"),
        ("src/shell/a.rs", "LocalAnswer::Problem { problem } => wire::Problem { title }"),
        ("src/shell/a.rs", "#[cfg(test)] mod tests { fn f() { \"problem-x\" } }"),
    ];
    shrink(rule, &broken, &kept, &[]);
}

/// The alarms, one a system, by which the loops wait for the deadlines of the roles.
const ALARMS: [&str; 3] =
    ["src/shell/os/linux/clock.rs", "src/shell/os/macos/clock.rs", "src/shell/os/windows/clock.rs"];
const WAITING: Left = &[
    ("src/shell/cli/status.rs", "an agent that was started for the person is waited for"),
    ("src/shell/ipc.rs", "no descriptors left: a pause before the next try"),
    ("src/shell/loopback.rs", "no descriptors left, and the limit of a silent connection"),
    ("src/shell/rest/tries.rs", "wrong tokens are answered slowly and counted by the minute"),
    ("src/shell/window/live.rs", "a page is drawn at most so often"),
];

/// A wait that nobody can move by hand is in no test of the roles.
#[test]
fn waits_are_deadlines_of_the_roles() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        const WAITS: [&str; 4] = ["time::sleep", "time::sleep_until", "time::interval", "thread::sleep"];
        if !path.starts_with("src/") && !path.starts_with("hub/src/")
            || ALARMS.contains(&path)
            || is_test(path)
        {
            return Vec::new();
        }
        let waits =
            |name: &str| WAITS.iter().any(|wait| name == *wait || name.ends_with(&format!("::{wait}")));
        super::complain(path, text, waits, "a wait is a deadline of a role, and only the loops wait for it")
    }
    let broken = [
        ("src/shell/bus.rs", "async fn f() { tokio::time::sleep(D).await }"),
        ("src/shell/bus.rs", "use tokio::time::{sleep, timeout};"),
        ("src/shell/bus.rs", "fn f() { std::thread::sleep(D) }"),
        ("src/shell/services.rs", "async fn f() { time::interval(D) }"),
    ];
    let kept = [
        (ALARMS[0], "async fn f() { tokio::time::sleep(wait).await }"),
        ("src/shell/bus.rs", "async fn f() { tokio::time::timeout(D, x).await; sleep_well() }"),
    ];
    shrink(rule, &broken, &kept, WAITING);
}

//! How tests are written: what is random can be repeated, and nothing depends on how busy the machine is.

use super::shell::{Left, shrink};
use super::{is_test, source};

const SEEDS: &str = "tests/support/seed.rs";

const UNSEEDED: Left =
    &[("hub/src/machine/role/tests/random.rs", "prints its seed and takes it back by itself")];

#[test]
fn random_tests_take_their_seed_from_one_place() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        let code = source::code(text);
        let mut out = Vec::new();
        for (at, call) in code.match_indices("with_seed(") {
            if code[at + call.len()..].trim_start().starts_with(|c: char| c.is_ascii_digit()) {
                let line = code[..at].matches('\n').count() + 1;
                out.push(format!("{path}:{line}: a seed that never changes: take it from {SEEDS}"));
            }
        }
        let global = |name: &str| name.starts_with("fastrand::") && !name.starts_with("fastrand::Rng");
        if is_test(path) && path != SEEDS {
            let named = source::paths(&code).into_iter().filter(|(_, name)| global(name));
            out.extend(
                named.map(|(line, name)| format!("{path}:{line}: {name} has no seed: {SEEDS} prints one")),
            );
        }
        out
    }
    let broken = [
        ("tests/a.rs", "fn f() { fastrand::Rng::with_seed(7) }"),
        ("src/a.rs", "#[cfg(test)] mod t { fn f() { Rng::with_seed( 0x5eed) } }"),
        ("dfu/tests/a.rs", "fn f() { fastrand::u64(..) }"),
    ];
    let kept = [
        ("tests/a.rs", "fn f(random: &mut fastrand::Rng) { Rng::with_seed(seed); crate::seed::random() }"),
        ("src/shell/run.rs", "fn f() { fastrand::u64(..) }"),
    ];
    shrink(rule, &broken, &kept, UNSEEDED);
}

const TIMED: Left = &[];

/// How long something takes is a figure of `cargo xtask bench`; a busy machine must not turn a test red.
#[test]
fn no_test_asserts_on_time() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        const BOUNDS: [&str; 6] = [
            "elapsed() <",
            "took <",
            "elapsed <",
            "elapsed().as_millis() <",
            "elapsed().as_secs_f64() <",
            "elapsed().as_secs() <",
        ];
        if path.starts_with("xtask/") {
            return Vec::new();
        }
        let code = source::code(text);
        let mut out = Vec::new();
        for (at, word) in code.match_indices("assert").chain(code.match_indices("while ")) {
            let end = match word {
                "while " => code[at..].find('{').map_or(code.len(), |n| at + n),
                _ => code[at..].find(';').map_or(code.len(), |n| at + n),
            };
            if let Some(bound) = BOUNDS.iter().find(|bound| code[at..end].contains(**bound)) {
                let line = code[..at].matches('\n').count() + 1;
                out.push(format!(
                    "{path}:{line}: {bound}: count rounds or look at a deadline, time goes to a bench"
                ));
            }
        }
        out
    }
    let broken = [
        ("tests/a.rs", "fn f() { assert!(\n    began.elapsed() < LIMIT,\n    \"x\"); }"),
        ("src/a.rs", "#[cfg(test)] mod t { fn f() { assert!(took < Duration::from_secs(1)); } }"),
        ("dfu/tests/a.rs", "fn f() { while start.elapsed() < TIME { x() } }"),
    ];
    let kept = [
        ("tests/a.rs", "fn f() { assert!(a); if begun.elapsed() < limit { x() } }"),
        ("tests/a.rs", "fn f() { assert!(before.elapsed() >= Duration::from_millis(200)); }"),
        ("xtask/src/footprint.rs", "fn f() { while began.elapsed() < LIMIT {} }"),
    ];
    shrink(rule, &broken, &kept, TIMED);
}

const SKIPPING: Left = &[("tests/cli/run.rs", "where a headset is plugged in")];

/// A test that did not happen must not count as passed: what is missing is a hindrance of its tier.
#[test]
fn no_test_skips_itself() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        if !is_test(path) || path.starts_with("tests/house") {
            return Vec::new();
        }
        let texts = literals(text);
        let lines = texts.lines().enumerate();
        let bad = lines.filter(|(_, line)| ["SKIP", "skipped", "skipping"].iter().any(|s| line.contains(s)));
        bad.map(|(n, _)| format!("{path}:{}: a test that skips itself and passes", n + 1)).collect()
    }
    let broken = [
        ("tests/a.rs", "fn f() { println!(\"SKIPPED: no headset\"); return; }"),
        ("dfu/tests/a.rs", "fn f() { eprintln!(\"skipping {x}\") }"),
    ];
    let kept =
        [("tests/a.rs", "// SKIPPED\nfn f() { let skipped = 1; }"), ("xtask/src/tiers.rs", "f(\"SKIPPED\")")];
    shrink(rule, &broken, &kept, SKIPPING);
}

/// Where each tier says what it needs.
const NEEDS: &str = include_str!("../../xtask/src/tier.rs");

/// Of packages that each Debian has, and what comes with the toolchain.
const ALWAYS: [&str; 6] = ["bash", "find", "id", "install", "sh", "sleep"];

/// What a test starts and nobody installs is there on the machine of who wrote it, and not on the next one.
#[test]
fn whatever_a_test_starts_its_tier_installs() {
    fn rule(path: &str, text: &str) -> Vec<String> {
        let starts_some = ["tests/", "examples/", "tenant/tests/", "simulator/tests/"];
        if !starts_some.iter().any(|folder| path.starts_with(folder)) || path.starts_with("tests/house") {
            return Vec::new();
        }
        let texts = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let mut out = Vec::new();
        for (n, line) in texts.enumerate() {
            for start in ["Command::new(\"", "fs::copy(\"/usr/bin/"] {
                for (at, _) in line.match_indices(start) {
                    let name = line[at + start.len()..].split('"').next().unwrap_or_default();
                    let known = ALWAYS.contains(&name) || NEEDS.contains(&format!("\"{name}\""));
                    if !known {
                        out.push(format!("{path}:{}: who installs `{name}`?", n + 1));
                    }
                }
            }
        }
        out
    }
    let broken = [
        ("tests/a.rs", "fn f() { Command::new(\"nobody-has-this\"); }"),
        ("examples/a.rs", "fn f() { std::fs::copy(\"/usr/bin/rare\", path) }"),
    ];
    let kept = [
        ("tests/a.rs", "fn f() { Command::new(\"curl\"); Command::new(\"sh\"); Command::new(program); }"),
        ("src/shell/os/linux/desktop.rs", "fn f() { Command::new(\"xdg-open\"); }"),
    ];
    shrink(rule, &broken, &kept, &[]);
}

/// The literals of a file of tests, its test modules included.
fn literals(text: &str) -> String {
    source::texts(&text.replace("#[cfg(test)]", ""))
}

//! What must hold before any test runs: the crate graph, and in CI formatting, lints and documentation tests.

use std::process::Command;

use crate::cargo::{Workspace, run as run_call, show};
use crate::tier::Counts;
use crate::{Outcome, Stop, stop};

/// Crates that must not be in the graph of any system, with what they would bring.
const ABSENT: [(&str, &str); 4] = [
    ("ring", "a second cryptography provider beside aws-lc-rs"),
    ("openssl-sys", "OpenSSL, and its version on each distribution"),
    ("native-tls", "a TLS stack that is another one on each system"),
    ("gtk-sys", "GTK, which the tray does without"),
];

/// A version that wakes an idle process twice a second: its pool threads never end.
const NOISY: (&str, &str) = ("blocking", "1.7.0");

/// Runs the gates and says of each whether it holds. `strict` adds the slow ones.
pub(crate) fn run(workspace: &Workspace, strict: bool) -> Counts {
    println!("\n=== gates ===");
    let mut counts = Counts::default();
    let mut gate = |name: String, outcome: Outcome| match outcome {
        Ok(()) => {
            println!("gate holds: {name}");
            counts.passed += 1;
        }
        Err(Stop(why)) => {
            println!("gate FAILED: {name}: {why}");
            counts.failed += 1;
        }
    };
    for (name, outcome) in absent_for(workspace, "x86_64-unknown-linux-gnu") {
        gate(format!("{name} is not in the Linux graph"), outcome);
    }
    gate(format!("{} is not {}", NOISY.0, NOISY.1), quiet_pool(workspace));
    if strict {
        let mut clippy = workspace.cargo("clippy");
        clippy.args(["--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"]);
        // The tests of the tiers are no targets of a plain `cargo test`: they have to be named, and are left out where
        // `--all-targets` stands beside their names.
        let mut tiers = workspace.cargo("clippy");
        tiers.args(["--workspace", "--test", "directory", "--test", "browser", "--test", "kernel"]);
        tiers.args(["--test", "accounts", "--test", "desktop", "--test", "packages"]);
        tiers.args(["--quiet", "--", "--deny", "warnings"]);
        gate("formatting".into(), run_call(workspace.cargo("fmt").args(["--all", "--check"])));
        gate("lints".into(), run_call(&mut clippy));
        gate("lints of the tiers".into(), run_call(&mut tiers));
        let mut doc = workspace.cargo("test");
        gate("documentation tests".into(), run_call(doc.args(["--workspace", "--doc", "--quiet"])));
    }
    counts
}

/// Each of those crates, and whether it stays out of the graph for a system.
pub(crate) fn absent_for(workspace: &Workspace, target: &str) -> Vec<(&'static str, Outcome)> {
    ABSENT.into_iter().map(|(name, what)| (name, absent(workspace, name, what, target))).collect()
}

fn absent(workspace: &Workspace, name: &str, what: &str, target: &str) -> Outcome {
    let mut tree = workspace.cargo("tree");
    tree.args(["--workspace", "--edges", "normal,build", "--target", target]);
    tree.args(["--invert", name]);
    let (found, said, succeeded) = output(&mut tree)?;
    match (found.trim(), succeeded) {
        ("", true) => Ok(()),
        // not even in Cargo.lock
        ("", false) if said.contains("did not match any packages") => Ok(()),
        ("", false) => Err(stop(format!("`{}` failed: {}", show(&tree), said.trim()))),
        (found, _) => Err(stop(format!("it would bring {what}, and this needs it:\n{found}"))),
    }
}

fn quiet_pool(workspace: &Workspace) -> Outcome {
    let path = workspace.root.join("Cargo.lock");
    let lock = std::fs::read_to_string(&path)
        .map_err(|why| stop(format!("cannot read {}: {why}", path.display())))?;
    let (name, version) = NOISY;
    if lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")) {
        return Err(stop(format!("run `cargo update --package {name} --precise 1.6.2`")));
    }
    Ok(())
}

fn output(call: &mut Command) -> Outcome<(String, String, bool)> {
    let output = call.output().map_err(|why| crate::cargo::cannot_start(call, &why))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((text(&output.stdout), text(&output.stderr), output.status.success()))
}

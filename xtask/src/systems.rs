//! The agent for other systems, as far as this machine can tell: every line of its Rust code is type-checked and held to
//! the lints, and what must not be in its crate graph is not.

use std::process::Command;

use crate::cargo::{MACOS, WINDOWS, Workspace, run as run_call};
use crate::tier::{Counts, Tier};
use crate::{Outcome, Stop, gates};

/// A system that this machine is not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct System {
    /// As people call it.
    name: &'static str,
    target: &'static str,
}

/// The system of a tier that only checks.
pub(crate) fn of(tier: Tier) -> Option<System> {
    match tier {
        Tier::Windows => Some(System { name: "Windows", target: WINDOWS }),
        Tier::MacOs => Some(System { name: "macOS", target: MACOS }),
        _ => None,
    }
}

/// Installs the standard library of the system. What is there already is no error.
pub(crate) fn install(workspace: &Workspace, system: System) -> Outcome {
    run_call(workspace.settled("rustup").args(["target", "add", system.target]))
}

/// Installs what is missing, then checks. Counted are the agent itself and each
/// crate that must stay out of its graph.
pub(crate) fn run(workspace: &Workspace, system: System) -> Outcome<Counts> {
    install(workspace, system)?;
    let mut counts = Counts::default();
    let mut count = |what: String, outcome: Outcome| match outcome {
        Ok(()) => {
            println!("holds: {what}");
            counts.passed += 1;
        }
        Err(Stop(why)) => {
            println!("FAILED: {what}: {why}");
            counts.failed += 1;
        }
    };
    count(format!("the agent type-checks for {}", system.name), check(workspace, system));
    for (name, outcome) in gates::absent_for(workspace, system.target) {
        count(format!("{name} is not in the {} graph", system.name), outcome);
    }
    Ok(counts)
}

fn check(workspace: &Workspace, system: System) -> Outcome {
    let mut clippy = workspace.cargo("clippy");
    clippy.args(["--package", "hookswitch", "--lib", "--bins", "--target", system.target, "--quiet"]);
    clippy.args(["--", "--deny", "warnings"]);
    without_c(&mut clippy, workspace, system);
    run_call(&mut clippy)
}

/// Nothing is linked, so the crates that bring C sources need none of it: no compiler of that system, and no time.
fn without_c(call: &mut Command, workspace: &Workspace, system: System) {
    let tools = workspace.root.join("tests/systems");
    let target = system.target.replace('-', "_");
    for (variable, tool) in [("CC", "cc"), ("CXX", "cc"), ("AR", "ar")] {
        call.env(format!("{variable}_{target}"), tools.join(tool));
    }
    // Else Apple's tools are asked where theirs are.
    call.env("SDKROOT", &tools);
}

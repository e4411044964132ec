//! Firmware updates under every mishap: starts the program that tries them, and shows that it notices a wrong engine.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cargo::{Workspace, cannot_start, make_folder, run as run_call};
use crate::packages;
use crate::tier::BUILD;
use crate::{Asked, Outcome, stop};

pub(crate) const HELP: &str = "\
cargo xtask torture [--runs N] [--seed N] [--run K]
cargo xtask torture --prove

  Updates simulated headsets in process while everything goes wrong: the real machine role and DFU engine, a clock moved
  by hand, a mishap at any request and any record. Each run is judged by what the headsets are afterwards; the table at
  the end says how often each mishap happened, at how many places, and how those runs ended.

  --runs N   how many runs (1000)
  --seed N   where chance begins (1)
  --run K    this run alone, as a failing one is named
  --prove    instead: puts one deliberate bug after the other into a copy of the sources (xtask/torture/*.patch), and
             fails if the torture does not notice it
";

/// One deliberate bug a file.
const BUGS: &str = "xtask/torture";

/// `cargo xtask torture`
pub(crate) fn run(asked: &Asked) -> Outcome {
    let workspace = Workspace::open(asked.strict)?;
    packages::ensure(&[BUILD], asked)?;
    if asked.prove {
        return prove(&workspace);
    }
    let mut program = workspace.cargo("run");
    run_call(program.args(["--quiet", "--package", "torture", "--"]).args(&asked.torture))
}

fn prove(workspace: &Workspace) -> Outcome {
    let folder = workspace.root.join(BUGS);
    let unreadable = |error| stop(format!("{} cannot be read: {error}.", folder.display()));
    let entries = fs::read_dir(&folder).map_err(unreadable)?;
    let mut bugs: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    bugs.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
    bugs.sort();
    if bugs.is_empty() {
        return Err(stop(format!("{} has no patch: nothing would be proved.", folder.display())));
    }
    let copy = workspace.target.join("torture/copy");
    let mut unnoticed = Vec::new();
    for bug in &bugs {
        let name = bug.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        copy_sources(&workspace.root, &copy)?;
        let mut apply = Command::new("git");
        apply.arg("apply").arg(bug).current_dir(&copy);
        // Inside of another work tree git would look for the files there.
        apply.env("GIT_CEILING_DIRECTORIES", workspace.target.join("torture"));
        run_call(&mut apply)?;
        let mut build = workspace.cargo("build");
        build.args(["--quiet", "--package", "torture", "--target-dir"]).arg(workspace.target.join("torture"));
        run_call(build.current_dir(&copy))?;
        let program = workspace.target.join("torture/debug/torture");
        let mut torture = Command::new(&program);
        torture.args(["--runs", "1000"]).stderr(Stdio::null());
        let output = torture.output().map_err(|error| cannot_start(&torture, &error))?;
        // A run that went wrong, not a mishap that was not tried.
        let wrong = String::from_utf8_lossy(&output.stdout).matches("repeats this run").count();
        let noticed = wrong > 0 && !output.status.success();
        println!("{name}: {} ({wrong} of 1000 runs)", if noticed { "noticed" } else { "NOT NOTICED" });
        if !noticed {
            unnoticed.push(name);
        }
    }
    if unnoticed.is_empty() {
        return Ok(());
    }
    Err(stop(format!("the torture does not notice: {}.", unnoticed.join(", "))))
}

/// What git knows of, as it is now.
fn copy_sources(root: &Path, copy: &Path) -> Outcome {
    drop(fs::remove_dir_all(copy));
    make_folder(copy)?;
    let mut list = Command::new("git");
    list.args(["ls-files", "-z"]).current_dir(root);
    let listed = list.output().map_err(|error| cannot_start(&list, &error))?;
    for name in String::from_utf8_lossy(&listed.stdout).split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root.join(name), copy.join(name));
        if let Some(parent) = to.parent() {
            make_folder(parent)?;
        }
        fs::copy(&from, &to)
            .map_err(|error| stop(format!("{} cannot be copied: {error}.", from.display())))?;
    }
    Ok(())
}

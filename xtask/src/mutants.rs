//! How much wrong code the tests notice: cargo-mutants over the pure crates, held against an aim.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::cargo::{Workspace, cannot_start, make_folder};
use crate::packages;
use crate::tier::BUILD;
use crate::{Asked, Outcome, stop};

pub(crate) const HELP: &str = "\
cargo xtask mutants [CRATE]... [--sample K/N] [--yes]

  Puts one small fault after the other into the pure crates (device-handlers, dfu, directory and hub, or those named),
  runs the tests of the crate, and ends with the share of faults that they notice, of those that compile. Less than 97 %
  (of hub: 95 %) is a failure, and so is a fault that nobody notices and nobody has explained: xtask/mutants.explained
  says of each that is left why no test can or need see it. It takes hours (hub: a day) and is no part of ci.
  cargo-mutants is built if it is missing (after asking); what it wrote stays in the target folder, in
  mutants/CRATE/mutants.out.

  --sample K/N   every Nth fault alone, from the Kth on: 0/50, 1/50 … 49/50 are all of them
  --yes          install without asking
";

/// Crates that must come up to an aim: the least share, in percent of the faults that compile.
const CRATES: [(&str, f64); 4] =
    [("device-handlers", 97.0), ("dfu", 97.0), ("directory", 97.0), ("hub", 95.0)];
/// One fault a line, in cargo-mutants' words without line and column, a tab, and why no test sees it.
const EXPLAINED: &str = "xtask/mutants.explained";

/// `cargo xtask mutants`
pub(crate) fn run(asked: &Asked) -> Outcome {
    for name in &asked.crates {
        if !CRATES.iter().any(|(with_aim, _)| with_aim == name) {
            return Err(stop(format!(
                "\"{name}\" has no aim; {} have.",
                CRATES.map(|(name, _)| name).join(", ")
            )));
        }
    }
    let workspace = Workspace::open(asked.strict)?;
    packages::ensure(&[BUILD], asked)?;
    packages::ensure_mutants(&workspace, asked)?;
    let explained = read(&workspace.root.join(EXPLAINED))?;
    let mut wrong = Vec::new();
    let wanted = |name: &str| asked.crates.is_empty() || asked.crates.iter().any(|asked| asked == name);
    for (name, least) in CRATES.into_iter().filter(|(name, _)| wanted(name)) {
        let found = mutate(&workspace, name, asked.sample.as_deref())?;
        println!("\n{name}: {found}");
        for missed in &found.missed {
            let why = explanation(&explained, missed);
            println!("  missed: {missed}\n          {}", why.unwrap_or("NOT EXPLAINED"));
            if why.is_none() {
                wrong.push(format!("{name}: nobody explains {missed}"));
            }
        }
        if found.share() < least {
            wrong.push(format!("{name}: {:.1} %, expected at least {least:.0} %", found.share()));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(stop(format!("{}. Write the test that notices it, or explain it in {EXPLAINED}.", wrong.join("; "))))
}

/// `K/N`, as cargo-mutants wants it.
pub(crate) fn sample(text: &str) -> Outcome<String> {
    let parts =
        text.split_once('/').and_then(|(k, n)| Some((k.parse::<u32>().ok()?, n.parse::<u32>().ok()?)));
    match parts {
        Some((k, n)) if k < n => Ok(format!("{k}/{n}")),
        _ => Err(stop(format!("--sample needs K/N with K less than N, as 0/50, not \"{text}\"."))),
    }
}

/// What became of the faults of one crate.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    caught: usize,
    /// In cargo-mutants' words, with their places.
    missed: Vec<String>,
}

impl Found {
    /// Of all that compile, in percent.
    fn share(&self) -> f64 {
        let viable = self.caught + self.missed.len();
        if viable == 0 { 0.0 } else { 100.0 * self.caught as f64 / viable as f64 }
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { caught, missed } = self;
        write!(f, "{caught} of {} faults noticed, {:.1} %", caught + missed.len(), self.share())
    }
}

fn mutate(workspace: &Workspace, name: &str, sample: Option<&str>) -> Outcome<Found> {
    let folder = workspace.target.join("mutants").join(name);
    make_folder(&folder)?;
    let mut call = Command::new("cargo");
    call.current_dir(&workspace.root);
    // A copy of its own for each fault, one at a time: the machine is somebody's.
    call.args([
        "mutants",
        "--package",
        name,
        "--test-package",
        name,
        "--jobs",
        "1",
        "--no-shuffle",
        "--colors=never",
    ]);
    if let Some(sample) = sample {
        call.args(["--shard", sample, "--sharding", "round-robin"]);
    }
    call.arg("--output").arg(&folder).stdin(Stdio::null());
    println!("> cargo mutants --package {name}");
    let status = call.status().map_err(|why| cannot_start(&call, &why))?;
    // 2: some were missed, 3: some did not end in time. Both are answers.
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        return Err(stop(format!(
            "cargo-mutants ended with {status} before it had an answer; it says why above."
        )));
    }
    let list = |file: &str| read(&folder.join("mutants.out").join(file));
    // A test that never ends has noticed something too.
    let caught = list("caught.txt")?.lines().count() + list("timeout.txt")?.lines().count();
    Ok(Found { caught, missed: list("missed.txt")?.lines().map(str::to_owned).collect() })
}

/// Lines come and go above a fault, so that its place is no part of its name.
fn explanation<'a>(explained: &'a str, missed: &str) -> Option<&'a str> {
    let name = without_place(missed);
    let lines = explained.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('\t')).find(|(fault, _)| *fault == name).map(|(_, why)| why)
}

/// `dfu/src/a.rs:12:5: replace …` without `:12:5`.
fn without_place(missed: &str) -> String {
    let Some((place, what)) = missed.split_once(": ") else { return missed.to_owned() };
    format!("{}: {what}", place.split(':').next().unwrap_or(place))
}

fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|why| stop(format!("cannot read {}: {why}.", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_known_by_its_words_wherever_it_stands() {
        let explained = "# why\ndfu/src/a.rs: replace + with - in f\tboth are the same here\n";
        let why = Some("both are the same here");
        assert_eq!(explanation(explained, "dfu/src/a.rs:1:2: replace + with - in f"), why);
        assert_eq!(explanation(explained, "dfu/src/a.rs:99:12: replace + with - in f"), why);
        assert_eq!(explanation(explained, "dfu/src/a.rs:1:2: replace + with * in f"), None);
        assert_eq!(explanation(explained, "dfu/src/b.rs:1:2: replace + with - in f"), None);
        assert_eq!(explanation(explained, "# why"), None);
    }

    #[test]
    fn a_sample_is_a_part_of_a_whole() {
        assert_eq!(sample("0/50").ok().as_deref(), Some("0/50"));
        assert_eq!(sample("49/50").ok().as_deref(), Some("49/50"));
        for wrong in ["50/50", "1", "-1/3", "a/b", "0/0", ""] {
            assert!(sample(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_share_is_of_what_compiles() {
        assert_eq!(Found { caught: 97, missed: vec![String::new(); 3] }.share(), 97.0);
        assert_eq!(Found::default().share(), 0.0, "a crate without faults has not been tried");
    }
}

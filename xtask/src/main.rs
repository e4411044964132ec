//! `cargo xtask`: sets the machine up, runs the demo, the test tiers and the footprint bench.
//!
//! It has no dependencies, so that it starts at once on a bare machine, and it only starts other programs: cargo,
//! the system's package manager and the rigs under `tests/`.
#![expect(clippy::disallowed_methods, reason = "xtask is a tool of the repository: it lives in the world")]

mod cargo;
mod deb;
mod demo;
mod dist;
mod footprint;
mod gates;
mod manual;
mod mutants;
mod packages;
mod press;
mod rpm;
mod sbom;
mod shipped;
mod systems;
mod tier;
mod tiers;
mod torture;

use std::process::ExitCode;

/// Why the task ends without success: what happened, where, and what to do next.
#[derive(Debug)]
struct Stop(String);

type Outcome<T = ()> = Result<T, Stop>;

/// The first half of an error line; the reason follows.
fn stop(what: impl Into<String>) -> Stop {
    Stop(what.into())
}

const HELP: &str = "\
cargo xtask COMMAND

  demo [--once] [--yes]         the main job from end to end, on a simulated headset
  test [--tier NAME]... [--yes] [--no-skip]
                                the test tiers: fast, directory, browser, kernel, accounts,
                                desktop, packages, windows, macos (all of them by default)
  ci                            what CI runs: every tier, none skipped, and formatting, lints and documentation tests
  mutants [CRATE]... [--sample K/N] [--yes]
                                how much of wrong code the tests of the pure crates notice (hours; not part of ci)
  torture [--runs N] [--seed N] [--run K] [--prove]
                                firmware updates while everything goes wrong: no headset is lost
  bench footprint               size, memory, wakeups and start time of the release build
  bench press                   from a press to a softphone, under a small and a large policy
  dist deb|rpm|all [--yes]      packages, the same bytes for the same source
  setup [--yes]                 installs what all of the above need, and nothing else

cargo xtask COMMAND --help tells more.
Where things are built: $CARGO_TARGET_DIR, else $XDG_CACHE_HOME/hookswitch/target (~/.cache/hookswitch/target).
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (command, rest) = match words.as_slice() {
        [] | ["-h" | "--help" | "help", ..] => {
            print!("{HELP}");
            return if words.is_empty() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
        ["bench", "footprint", rest @ ..] => ("bench footprint", rest),
        ["bench", "press", rest @ ..] => ("bench press", rest),
        ["dist", "deb", rest @ ..] => ("dist deb", rest),
        ["dist", "rpm", rest @ ..] => ("dist rpm", rest),
        ["dist", "all", rest @ ..] => ("dist all", rest),
        [command, rest @ ..] => (*command, rest),
    };
    let help = match command {
        "demo" => demo::HELP,
        "test" | "ci" => tiers::HELP,
        "bench" | "bench footprint" => footprint::HELP,
        "bench press" => press::HELP,
        "dist" | "dist deb" | "dist rpm" | "dist all" => dist::HELP,
        "mutants" => mutants::HELP,
        "setup" => packages::HELP,
        "torture" => torture::HELP,
        other => {
            eprint!("cargo xtask: there is no command \"{other}\".\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    if rest.iter().any(|word| matches!(*word, "-h" | "--help")) {
        print!("{help}");
        return ExitCode::SUCCESS;
    }
    let asked = match Asked::read(command, rest) {
        Ok(asked) => asked,
        Err(Stop(why)) => {
            eprint!("cargo xtask {command}: {why}\n\n{help}");
            return ExitCode::from(2);
        }
    };
    let outcome = match command {
        "demo" => demo::run(&asked),
        "test" | "ci" => tiers::run(&asked),
        "dist deb" => dist::run(&asked, &[dist::Format::Deb]),
        "dist rpm" => dist::run(&asked, &[dist::Format::Rpm]),
        "dist all" => dist::run(&asked, &dist::Format::ALL),
        "mutants" => mutants::run(&asked),
        "setup" => packages::run(&asked),
        "torture" => torture::run(&asked),
        "bench press" => press::run(&asked),
        _ => footprint::run(&asked),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop(why)) => {
            eprintln!("cargo xtask {command}: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The options, as far as the command at hand knows them.
#[derive(Debug, Default)]
struct Asked {
    /// Run the demo without a person.
    once: bool,
    /// Install without asking.
    yes: bool,
    /// CI's rules: nothing may be skipped, all gates run, the lock file is final.
    strict: bool,
    /// Crates to put faults into. Empty: all that have an aim.
    crates: Vec<String>,
    /// One fault in so many, `K/N` as cargo-mutants has it. `None` = all faults.
    sample: Option<String>,
    /// Empty: all of them.
    tiers: Vec<tier::Tier>,
    /// Measure this program instead of building one.
    binary: Option<std::path::PathBuf>,
    /// Debug programs will do.
    debug: bool,
    /// Show that the torture notices wrong code.
    prove: bool,
    /// What the torture is told, with its numbers.
    torture: Vec<String>,
    /// Seconds over which wakeups are counted.
    idle_s: u64,
}

impl Asked {
    fn read(command: &str, words: &[&str]) -> Outcome<Self> {
        let in_ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
        let strict = in_ci || command == "ci";
        let mut asked = Self { strict, yes: strict, idle_s: 60, ..Self::default() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value =
                || words.next().copied().ok_or_else(|| stop(format!("{word} needs a value after it.")));
            match (command, *word) {
                ("demo", "--once") => asked.once = true,
                ("demo" | "test" | "setup" | "mutants", "--yes") => asked.yes = true,
                ("dist deb" | "dist rpm" | "dist all", "--yes") => asked.yes = true,
                ("test", "--no-skip") => asked.strict = true,
                ("test", "--tier") => asked.tiers.push(tier::Tier::named(value()?)?),
                ("bench press", "--debug") => asked.debug = true,
                ("bench footprint", "--binary") => asked.binary = Some(value()?.into()),
                ("bench footprint", "--idle") => {
                    let text = value()?;
                    asked.idle_s = text
                        .parse()
                        .map_err(|_| stop(format!("--idle needs a number of seconds, not \"{text}\".")))?;
                }
                ("torture", "--prove") => asked.prove = true,
                ("torture", "--runs" | "--seed" | "--run") => {
                    let number = value()?;
                    if number.parse::<u64>().is_err() {
                        return Err(stop(format!("{word} needs a number, not \"{number}\".")));
                    }
                    asked.torture.extend([(*word).to_owned(), number.to_owned()]);
                }
                ("mutants", "--sample") => asked.sample = Some(mutants::sample(value()?)?),
                ("mutants", name) if !name.starts_with('-') => asked.crates.push(name.to_owned()),
                ("dist", _) => return Err(stop(format!("there is no package \"{word}\"."))),
                ("bench", _) => return Err(stop(format!("there is no bench \"{word}\"."))),
                _ => return Err(stop(format!("\"{word}\" is not one of its options."))),
            }
        }
        if command == "dist" {
            return Err(stop("which package? There are two, deb and rpm, and \"all\" makes both."));
        }
        if command == "bench" {
            return Err(stop("which bench? There are two: footprint and press."));
        }
        Ok(asked)
    }
}

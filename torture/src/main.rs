//! The proof that no headset is lost by a firmware update: the real machine role and DFU engine, simulated headsets as
//! the truth, and every mishap at every request and every record. `cargo xtask torture` starts it.
#![expect(clippy::disallowed_methods, reason = "a program; its clock, moved by hand, needs an origin")]

mod fault;
mod firmware;
mod run;
mod world;

/// The disk of the role's own tests: what the records alone say.
#[path = "../../hub/src/machine/role/tests/disk.rs"]
mod disk;

use hub::machine::{self, Credential, Identity, JournalEntry, Owed, Persisted, Record, Verified};
use hub::protocol::{PastUpdate, ResolvedGroup};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;
use tenant::policy::PolicyDocument;
use tenant::wire;

use fault::Kind;
use run::{End, Ran};

const HELP: &str = "\
torture [--runs N] [--seed N] [--run K]

  Updates simulated headsets while everything goes wrong, in process, on a clock moved by hand, and judges each run by
  what the headsets are afterwards. Ends with a failure if one was lost, if a verdict was false, or if a mishap of the
  table never happened at two places or more.

  --runs N   how many runs (1000)
  --seed N   where chance begins (1)
  --run K    this run alone, as a failing one is named
";

struct Asked {
    runs: u64,
    seed: u64,
    run: Option<u64>,
}

fn read(words: &[String]) -> Result<Asked, String> {
    let mut asked = Asked { runs: 1000, seed: 1, run: None };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a number after it"))?;
        let number: u64 = value.parse().map_err(|_| format!("{word} needs a number, not \"{value}\""))?;
        match word.as_str() {
            "--runs" => asked.runs = number,
            "--seed" => asked.seed = number,
            "--run" => asked.run = Some(number),
            _ => return Err(format!("\"{word}\" is not one of its options")),
        }
    }
    Ok(asked)
}

/// How often each mishap happened, where, and how its runs ended.
#[derive(Default)]
struct Row {
    hits: u64,
    places: std::collections::BTreeSet<u32>,
    ends: [u64; 3],
}

fn count(rows: &mut BTreeMap<Kind, Row>, ran: &Ran) {
    for (kind, at) in &ran.hit {
        let row = rows.entry(*kind).or_default();
        row.hits += 1;
        row.places.insert(*at);
        row.ends[match ran.end {
            End::Old => 0,
            End::New => 1,
            End::Recovered => 2,
        }] += 1;
    }
}

/// The table, and the mishaps that were not really tried.
fn table(rows: &BTreeMap<Kind, Row>) -> Vec<&'static str> {
    println!("{:<18}{:>8}{:>8}{:>8}{:>8}{:>11}", "mishap", "times", "places", "old", "new", "recovered");
    let mut idle = Vec::new();
    for (kind, name) in Kind::ALL {
        let none = Row::default();
        let row = rows.get(&kind).unwrap_or(&none);
        let [old, new, recovered] = row.ends;
        println!("{name:<18}{:>8}{:>8}{old:>8}{new:>8}{recovered:>11}", row.hits, row.places.len());
        if row.hits == 0 || row.places.len() < 2 {
            idle.push(name);
        }
    }
    idle
}

/// Runs that went wrong, and mishaps that were not tried.
fn torture(asked: &Asked, start: Instant) -> (u64, Vec<&'static str>) {
    let numbers = asked.run.map_or(0..asked.runs, |run| run..run + 1);
    let (mut rows, mut wrong) = (BTreeMap::new(), 0);
    for number in numbers {
        let ran = run::run(asked.seed, number, start);
        if !ran.wrong.is_empty() {
            wrong += 1;
            println!("--seed {} --run {number} repeats this run: {}", asked.seed, ran.drawn);
            ran.wrong.iter().for_each(|what| println!("  {what}"));
        }
        count(&mut rows, &ran);
        if (number + 1).is_multiple_of(1000) && asked.run.is_none() {
            eprintln!("{} of {} runs, {wrong} wrong", number + 1, asked.runs);
        }
    }
    let idle = table(&rows);
    (wrong, if asked.run.is_some() { Vec::new() } else { idle })
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| matches!(word.as_str(), "-h" | "--help")) {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let asked = match read(&words) {
        Ok(asked) => asked,
        Err(why) => {
            eprint!("torture: {why}.\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let (wrong, idle) = torture(&asked, Instant::now());
    if !idle.is_empty() {
        eprintln!("torture: not tried at two places or more: {}. More --runs may.", idle.join(", "));
    }
    if wrong > 0 {
        eprintln!("torture: {wrong} runs went wrong; each says above how it is repeated.");
    }
    if wrong == 0 && idle.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_headset_is_lost_and_every_mishap_is_tried() {
        let asked = Asked { runs: 500, seed: 1, run: None };
        assert_eq!(torture(&asked, Instant::now()), (0, Vec::new()));
    }
}

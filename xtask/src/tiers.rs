//! The test tiers: each starts its rig, runs its tests through cargo-nextest and says what it counted.

use std::io::{BufRead, BufReader, IsTerminal};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::cargo::{Workspace, cannot_start, make_folder, run as run_call, show};
use crate::packages;
use crate::systems;
use crate::tier::{BUILD, Counts, Tier};
use crate::{Asked, Outcome, Stop, dist, gates, stop};

pub(crate) const HELP: &str = "\
cargo xtask test [--tier NAME]... [--yes] [--no-skip]
cargo xtask ci

  Installs what is missing (after asking), builds once, runs the tiers and ends with a table and one line of counts.

  fast        everything that needs nothing but this process, and the graph guards
  directory   tests/directory.rs against OpenLDAP (tests/directory/slapd.sh)
  browser     tests/browser.rs with headless Chromium (tests/browser/rig.sh)
  kernel      tests/kernel.rs with a stock Debian kernel in an emulated machine (tests/kernel/run.sh). SEED=n repeats
              one round of its random mishaps
  accounts    tests/accounts.rs as root, with two more users and an /etc and /usr of its own (tests/accounts/rig.sh)
  desktop     tests/desktop.rs with an X server, D-Bus and a panel (tests/desktop/rig.sh)
  packages    tests/packages.rs: the Debian package, made twice, and installed, updated, removed and purged in a bare
              Debian of its own, as root (tests/packages/rig.sh)
  windows     the agent's Rust code checked for Windows; nothing is built or run. One test is the check, and one each
              crate that must not be in its graph
  macos       the same for macOS

  The integration tests named directory, browser, kernel, accounts, desktop and packages run in their tier only.
  A tier that this machine cannot run is skipped loudly. With --no-skip, with CI=true and as `cargo xtask ci` that
  is a failure, and formatting, lints and documentation tests are run as well.

  --tier NAME   only this tier (may be repeated)
  --yes         install without asking

  What the tests find in their environment:
  HOOKSWITCH_BIN_DIR         the built programs; examples in examples/ below it
  HOOKSWITCH_ARTIFACTS       a folder for pictures and logs worth keeping
  HOOKSWITCH_VM              kernel: run.sh, which runs a command in the guest
  HOOKSWITCH_SHIPPED         kernel, accounts, desktop: the agent as it is shipped (release build)
  HOOKSWITCH_PACKAGES        packages: a folder with the package (first), the same made again (again), and a newer one
                             (next)
  HOOKSWITCH_ROOT            packages: the bare Debian; see tests/packages/rig.sh
  SLAPD_URI, SLAPD_CA, ...   directory: see tests/directory/slapd.sh
  HOOKSWITCH_WEBDRIVER, ...  browser: see tests/browser/rig.sh
  HOOKSWITCH_DESKTOP_ITEM    desktop: item.sh, which asks the tray; see tests/desktop/rig.sh
";

/// Why this machine cannot run the tier.
fn hindrance(workspace: &Workspace, tier: Tier) -> Option<String> {
    if tier == Tier::Kernel && !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Some("its rig boots Debian's amd64 kernel and needs a Linux machine of that kind".into());
    }
    if let (Tier::Accounts | Tier::Packages, Some(rig)) = (tier, tier.rig().first()) {
        match Command::new(workspace.root.join(rig)).arg("--check").output() {
            Ok(tried) if tried.status.success() => {}
            Ok(tried) => return Some(String::from_utf8_lossy(&tried.stderr).trim().to_owned()),
            Err(why) => return Some(format!("its rig cannot be started: {why}")),
        }
    }
    let needs = tier.needs();
    let lacking = needs.lacking();
    (!lacking.is_empty())
        .then(|| format!("missing: {} (Debian packages: {})", lacking.join(", "), needs.packages.join(" ")))
}

/// What one tier came to.
#[derive(Debug, Default)]
struct Row {
    name: &'static str,
    counts: Counts,
    took: Duration,
    /// Why it was skipped or could not be finished.
    note: String,
}

/// `cargo xtask test` and `cargo xtask ci`
pub(crate) fn run(asked: &Asked) -> Outcome {
    let workspace = Workspace::open(asked.strict)?;
    let tiers: Vec<Tier> =
        Tier::ALL.into_iter().filter(|tier| asked.tiers.is_empty() || asked.tiers.contains(tier)).collect();
    let mut all = vec![BUILD];
    all.extend(tiers.iter().map(|tier| tier.needs()));
    packages::ensure(&all, asked)?;
    let lacking = BUILD.lacking();
    if !lacking.is_empty() {
        return Err(stop(format!("cannot build without {}.", lacking.join(", "))));
    }
    packages::ensure_nextest(&workspace, asked)?;

    let mut rows = Vec::new();
    if asked.strict || tiers.contains(&Tier::Fast) {
        let began = Instant::now();
        let counts = gates::run(&workspace, asked.strict);
        rows.push(Row { name: "gates", counts, took: began.elapsed(), note: String::new() });
    }
    let began = Instant::now();
    // A tier that only checks starts none of them.
    let built = match tiers.iter().all(|tier| systems::of(*tier).is_some()) {
        true => Ok(()),
        false => workspace.build_programs(),
    };
    rows.push(Row { name: "build", took: began.elapsed(), ..Row::default() });
    if let Err(Stop(why)) = built {
        rows.push(Row {
            name: "build",
            counts: Counts { failed: 1, ..Counts::default() },
            note: why,
            ..Row::default()
        });
        return conclude(&rows, asked.strict);
    }
    for tier in tiers {
        rows.push(run_tier(&workspace, tier));
    }
    conclude(&rows, asked.strict)
}

fn run_tier(workspace: &Workspace, tier: Tier) -> Row {
    println!("\n=== {} ===", tier.name());
    let mut row = Row { name: tier.name(), ..Row::default() };
    if let Some(why) = hindrance(workspace, tier) {
        println!("SKIPPED: the {} tier: {why}", tier.name());
        row.counts.skipped = 1;
        row.note = format!("SKIPPED: {why}");
        return row;
    }
    if let Some(setup) = tier.setup()
        && let Err(Stop(why)) = run_call(&mut Command::new(workspace.root.join(setup)))
    {
        println!("SKIPPED: the {} tier: {why}", tier.name());
        row.counts.skipped = 1;
        row.note = format!("SKIPPED: its rig could not be set up: {why}");
        return row;
    }
    if let Some(system) = systems::of(tier) {
        let began = Instant::now();
        match systems::run(workspace, system) {
            Ok(counts) => row.counts = counts,
            Err(Stop(why)) => {
                row.counts.failed = 1;
                row.note = why;
            }
        }
        row.took = began.elapsed();
        return row;
    }
    let mut call = workspace.nextest(&tier.rig());
    call.env("HOOKSWITCH_BIN_DIR", workspace.programs()).env("HOOKSWITCH_ARTIFACTS", workspace.artifacts());
    match tier {
        Tier::Fast => {
            call.args(["--lib", "--bins"]);
            let of_tiers = Tier::ALL.map(Tier::name);
            for name in workspace.integration_tests() {
                if !of_tiers.contains(&name.as_str()) {
                    call.args(["--test", &name]);
                }
            }
        }
        Tier::Kernel => {
            call.env("HOOKSWITCH_VM", workspace.root.join("tests/kernel/run.sh"));
            call.env("HOOKSWITCH_SHIPPED", workspace.shipped());
            call.args(["--test", tier.name()]);
        }
        Tier::Accounts | Tier::Desktop => {
            call.env("HOOKSWITCH_SHIPPED", workspace.shipped());
            call.args(["--test", tier.name()]);
        }
        Tier::Packages => {
            call.env("HOOKSWITCH_PACKAGES", dist::of_tests(workspace));
            call.args(["--test", tier.name()]);
        }
        Tier::Directory | Tier::Browser | Tier::Windows | Tier::MacOs => {
            call.args(["--test", tier.name()]);
        }
    }
    let began = Instant::now();
    let outcome = make_folder(&workspace.artifacts())
        .and_then(|()| build_test(workspace, tier))
        .and_then(|()| count(&mut call));
    match outcome {
        Ok(counts) => row.counts = counts,
        Err(Stop(why)) => {
            row.counts.failed = 1;
            row.note = why;
        }
    }
    row.took = began.elapsed();
    row
}

/// Builds the integration test of a tier before its rig stands, so that no time limit of a test runs meanwhile.
fn build_test(workspace: &Workspace, tier: Tier) -> Outcome {
    if tier == Tier::Fast {
        return Ok(());
    }
    if matches!(tier, Tier::Kernel | Tier::Accounts | Tier::Desktop | Tier::Packages) {
        workspace.build_shipped()?;
    }
    if tier == Tier::Packages {
        dist::for_tests(workspace)?;
    }
    run_call(workspace.cargo("test").args(["--workspace", "--no-run", "--quiet", "--test", tier.name()]))
}

/// Runs nextest, passes on what it says and reads its summary.
fn count(call: &mut Command) -> Outcome<Counts> {
    let shown = show(call);
    println!("> {shown}");
    if std::io::stderr().is_terminal() {
        call.args(["--color", "always"]);
    }
    let mut child = call.stderr(Stdio::piped()).spawn().map_err(|why| cannot_start(call, &why))?;
    let mut found = None;
    if let Some(said) = child.stderr.take() {
        for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            eprintln!("{line}");
            found = Counts::read(&plain(&line)).or(found);
        }
    }
    let status = child.wait().map_err(|why| cannot_start(call, &why))?;
    match found {
        Some(counts) if status.success() || counts.failed > 0 => Ok(counts),
        Some(_) => Err(stop(format!("`{shown}` ended with {status} though no test failed"))),
        None => Err(stop(format!("`{shown}` ended with {status} before any test ran"))),
    }
}

/// Without what stands in brackets: there the summary tells the slow and the leaky, which it has counted already.
fn without_brackets(text: &str) -> String {
    let outside = text.split('(').map(|part| part.rsplit(')').next().unwrap_or(part));
    outside.collect()
}

/// Without the escape sequences for colour.
fn plain(line: &str) -> String {
    let mut rest = line;
    let mut text = String::with_capacity(line.len());
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        text.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    text + rest
}

impl Counts {
    /// Reads nextest's closing line: `Summary [0.1s] 7 tests run: 5 passed (1 slow), 1 failed, 1 timed out, 2 skipped`.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let (_, results) = line.trim_start().strip_prefix("Summary [")?.split_once(" run: ")?;
        let mut counts = Self::default();
        for part in without_brackets(results).split(',') {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what.trim() {
                "passed" => counts.passed += number,
                "skipped" => counts.skipped += number,
                // failed, timed out, exec failed: whatever is neither passed nor skipped did not do its work
                _ => counts.failed += number,
            }
        }
        Some(counts)
    }
}

/// The table, the line of counts, and whether all is well.
fn conclude(rows: &[Row], strict: bool) -> Outcome {
    println!("\n{:<10} {:>7} {:>7} {:>8} {:>8}", "tier", "passed", "failed", "skipped", "seconds");
    let mut total = Counts::default();
    let mut skipped_tiers = Vec::new();
    for Row { name, counts, took, note } in rows {
        let Counts { passed, failed, skipped } = *counts;
        println!("{name:<10} {passed:>7} {failed:>7} {skipped:>8} {:>8.1}  {note}", took.as_secs_f64());
        total.passed += passed;
        total.failed += failed;
        total.skipped += skipped;
        if note.starts_with("SKIPPED") {
            skipped_tiers.push(*name);
        }
    }
    println!("\n{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    if total.failed > 0 {
        return Err(stop("not all passed; what failed is told above."));
    }
    if strict && !skipped_tiers.is_empty() {
        return Err(stop(format!("no tier may be skipped here, and {} was.", skipped_tiers.join(", "))));
    }
    if total.passed == 0 && skipped_tiers.is_empty() {
        return Err(stop("no test ran."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_summary_with_every_kind_of_result() {
        let line = "     Summary [   0.512s] 9/12 tests run: 5 passed (1 slow, 2 leaky), 1 failed, 2 timed out, 1 exec failed, 3 skipped";
        assert_eq!(Counts::read(line), Some(Counts { passed: 5, failed: 4, skipped: 3 }));
    }

    #[test]
    fn takes_no_other_line_for_a_summary() {
        assert_eq!(Counts::read("        PASS [   0.004s] xtask summary run: 7 passed"), None);
    }

    #[test]
    fn a_coloured_line_reads_like_a_plain_one() {
        let line = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.004s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m0\u{1b}[0m skipped";
        assert_eq!(Counts::read(&plain(line)), Some(Counts { passed: 2, failed: 0, skipped: 0 }));
    }

    #[test]
    fn every_tier_is_found_by_its_name_and_nothing_else_is() {
        for tier in Tier::ALL {
            assert_eq!(Tier::named(tier.name()).ok(), Some(tier));
        }
        assert!(Tier::named("plan9").is_err_and(|Stop(why)| why.contains("fast, directory")));
    }
}

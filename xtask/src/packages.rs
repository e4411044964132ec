//! What the machine must have, and its installation through the system's package manager.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

use crate::cargo::{Workspace, cannot_start, run as run_call};
use crate::systems;
use crate::tier::{BUILD, Needs, Tier};
use crate::{Asked, Outcome, stop};

pub(crate) const HELP: &str = "\
cargo xtask setup [--yes]

  Lists the Debian packages that the build, the demo and all test tiers need and this machine lacks, asks, and
  installs them with apt-get (through sudo if you are not root); then cargo-nextest, if it is missing, what the
  kernel tier boots and the Debian of the packages tier (both into the cache), and Rust's standard libraries of other
  systems (rustup). No service is started. The other commands do the same for what they need.

  --yes   do not ask (as with CI=true)
";

/// Installs what is missing of `all`, after saying so and asking. That the person says no, or that this is no
/// Debian, is not an error here: whoever needs a command looks for it with [`Needs::lacking`].
pub(crate) fn ensure(all: &[Needs], asked: &Asked) -> Outcome {
    let wanted: BTreeSet<&str> = all.iter().flat_map(|needs| needs.packages).copied().collect();
    let Some(installed) = installed(&wanted) else {
        if all.iter().all(|needs| needs.lacking().is_empty()) {
            return Ok(());
        }
        println!(
            "This system has no dpkg and apt-get, so nothing is installed. Needed, by their Debian names:"
        );
        for needs in all {
            println!("  for {}: {}", needs.purpose, needs.packages.join(" "));
        }
        return Ok(());
    };
    let missing: Vec<&str> = wanted.difference(&installed).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("These Debian packages are needed and not installed:");
    for needs in all {
        let of_it: Vec<&str> =
            needs.packages.iter().copied().filter(|package| missing.contains(package)).collect();
        if !of_it.is_empty() {
            println!("  for {}: {}", needs.purpose, of_it.join(" "));
        }
    }
    if !may("Install them with apt-get?", asked) {
        println!("Not installed. Later: apt-get install --no-install-recommends {}", missing.join(" "));
        return Ok(());
    }
    install(&missing)
}

/// cargo-nextest runs the tests; it is built from source where it is missing.
pub(crate) fn ensure_nextest(workspace: &Workspace, asked: &Asked) -> Outcome {
    let there = |call: &mut Command| {
        call.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    if there(workspace.cargo("nextest").arg("--version")) {
        return Ok(());
    }
    println!("cargo-nextest, which runs the tests, is not installed.");
    if !may("Build it with `cargo install --locked --debug cargo-nextest` (some minutes)?", asked) {
        return Err(stop("cargo-nextest is needed: `cargo install --locked cargo-nextest`, then again."));
    }
    // Unoptimised: it mostly waits for tests, and builds in a third of the time.
    run_call(Command::new("cargo").args(["install", "--locked", "--debug", "cargo-nextest"]))
}

/// cargo-mutants puts faults into code; it is built from source where it is missing.
pub(crate) fn ensure_mutants(workspace: &Workspace, asked: &Asked) -> Outcome {
    let mut call = workspace.cargo("mutants");
    call.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    if call.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    println!("cargo-mutants, which puts faults into code, is not installed.");
    if !may("Build it with `cargo install --locked --debug cargo-mutants` (some minutes)?", asked) {
        return Err(stop("cargo-mutants is needed: `cargo install --locked cargo-mutants`, then again."));
    }
    run_call(Command::new("cargo").args(["install", "--locked", "--debug", "cargo-mutants"]))
}

/// `cargo xtask setup`
pub(crate) fn run(asked: &Asked) -> Outcome {
    let workspace = Workspace::open(asked.strict)?;
    let mut all = vec![BUILD];
    all.extend(Tier::ALL.map(Tier::needs));
    ensure(&all, asked)?;
    ensure_nextest(&workspace, asked)?;
    for setup in Tier::ALL.into_iter().filter_map(Tier::setup) {
        run_call(&mut Command::new(workspace.root.join(setup)))?;
    }
    for system in Tier::ALL.into_iter().filter_map(systems::of) {
        systems::install(&workspace, system)?;
    }
    let lacking: Vec<&str> = all.iter().flat_map(Needs::lacking).collect();
    if lacking.is_empty() {
        println!("Everything is there.");
        return Ok(());
    }
    Err(stop(format!("still missing: {}.", lacking.join(", "))))
}

impl Needs {
    /// The commands that are not on this machine.
    pub(crate) fn lacking(&self) -> Vec<&'static str> {
        self.commands.iter().copied().filter(|name| !has_command(name)).collect()
    }
}

/// Whether a program of that name is on the path or where daemons live.
pub(crate) fn has_command(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(name).is_file())
}

/// Those of `wanted` that dpkg has installed; `None` without dpkg or apt-get.
fn installed<'a>(wanted: &BTreeSet<&'a str>) -> Option<BTreeSet<&'a str>> {
    if !has_command("apt-get") {
        return None;
    }
    let mut call = Command::new("dpkg-query");
    call.args(["--show", "--showformat", "${Package} ${db:Status-Status}\\n"]).args(wanted);
    // it fails as a whole when it does not know one of them, and still lists the others
    let said = call.stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let lines: BTreeSet<&str> = said.lines().filter_map(|line| line.strip_suffix(" installed")).collect();
    Some(wanted.iter().copied().filter(|package| lines.contains(package)).collect())
}

/// Asks on the terminal. Without one, and without `--yes`, the answer is no.
fn may(question: &str, asked: &Asked) -> bool {
    if asked.yes {
        return true;
    }
    if !std::io::stdin().is_terminal() {
        println!("{question} Nobody to ask here: pass --yes to agree.");
        return false;
    }
    print!("{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdout().flush().and_then(|()| std::io::stdin().read_line(&mut answer));
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Installs without starting services: while packages are set up, policy-rc.d forbids it (Debian policy §9.3.3).
const INSTALL: &str = r#"set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update || echo 'The package lists could not all be refreshed; going on with what is there.' >&2
echo 'slapd slapd/no_configuration boolean true' | debconf-set-selections
apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
"#;

fn install(packages: &[&str]) -> Outcome {
    let mut who = Command::new("id");
    let said = who.arg("-u").output().map_err(|why| cannot_start(&who, &why))?;
    let mut call = if said.stdout.starts_with(b"0\n") {
        Command::new("sh")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg("sh");
        sudo
    };
    println!("> apt-get install --no-install-recommends {}", packages.join(" "));
    call.args(["-c", INSTALL, "sh"]).args(packages);
    match call.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(stop(format!("the installation ended with {status}; apt-get says why above."))),
        Err(why) => Err(cannot_start(&call, &why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_where_programs_and_daemons_live() {
        assert!(has_command("sh"));
        assert!(!has_command("no-such-command-anywhere"));
        let needs = Needs { purpose: "a test", packages: &[], commands: &["sh", "no-such-command-anywhere"] };
        assert_eq!(needs.lacking(), ["no-such-command-anywhere"]);
    }

    #[test]
    fn an_unknown_package_is_not_installed() {
        let wanted = BTreeSet::from(["no-such-package-anywhere"]);
        assert!(installed(&wanted).is_none_or(|found| found.is_empty()));
    }
}

//! Several people and several headsets at one computer with a real kernel: the machine role runs as root for the user
//! roles of two accounts, the headsets are `hookswitch-sim` behind vhci_hcd. `tests/kernel/suite.sh` runs it in the
//! guest, as root; elsewhere it would change the machine.
//!
//! `household PART --bin-dir DIR --agent FILE`
#![expect(clippy::disallowed_methods, reason = "a program of its own that starts and watches others")]

#[path = "../../tests/support/people.rs"]
mod people;
#[path = "../../tests/support/rig.rs"]
mod rig;
#[path = "../../tests/support/screen.rs"]
mod screen;
#[path = "../../tests/support/seat.rs"]
mod seat;
#[path = "../../tests/support/seed.rs"]
mod seed;

mod headsets;
mod mishaps;
mod night;
mod twins;

use clap::{Parser, ValueEnum};
use headsets::Headsets;
use people::Place;
use rig::told::{Told, fail};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser, Debug)]
struct Options {
    part: Part,
    /// Where the programs are (`target/debug`)
    #[arg(long)]
    bin_dir: PathBuf,
    /// The agent's binary
    #[arg(long)]
    agent: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// One headset, two people, one seat
    People,
    /// The same, and each of the three programs dies
    Deaths,
    /// Two headsets that nothing tells apart but their ports
    Twins,
    /// A silent update with nobody logged in, and who comes in the morning
    Night,
    /// Updates of two headsets, and all that can come between, in random order
    Mishaps,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if std::env::var_os("HOOKSWITCH_GUEST").is_none() {
        eprintln!("household: this makes users and runs as root: it is for the guest of tests/kernel/run.sh");
        return ExitCode::from(2);
    }
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let told = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(tell(&options)),
        Err(error) => fail(error.to_string()),
    };
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("household: FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn tell(options: &Options) -> Told<()> {
    furnish(&options.agent)?;
    let headsets = |more: &[&str]| Headsets::plug(&options.bin_dir, more);
    match options.part {
        Part::People => {
            let _one = headsets(&[])?;
            seat::moves_with_the_person(Place::OnTheBus).await
        }
        Part::Deaths => {
            let _one = headsets(&[])?;
            seat::outlives_each_of_the_three(Place::OnTheBus).await
        }
        Part::Twins => twins::tell(headsets(&["SIM0001"])?).await,
        Part::Night => night::tell(options).await,
        Part::Mishaps => mishaps::tell(options).await,
    }
}

/// Users with empty homes, the agent where they can run it, and nothing of an earlier part.
fn furnish(agent: &Path) -> Told<()> {
    for user in ["anna", "eve"] {
        let home = people::home(user)?;
        people::sh(&format!(
            "id {user} >/dev/null 2>&1 || useradd --no-create-home --home-dir {0} --shell /bin/sh {user}; \
             rm -rf {0}; install -d -m755 -o {user} -g {user} {0}",
            home.display()
        ))?;
    }
    people::sh(
        "rm -rf /run/hookswitch /var/lib/hookswitch /var/log/hookswitch /var/cache/hookswitch /etc/hookswitch",
    )?;
    people::sh(&format!("install -Dm755 {} {}", agent.display(), people::BINARY))
}

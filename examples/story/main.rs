//! The main job from end to end: a tenant, a headset, an agent, a directory, a softphone, an update, a bundle. Every
//! step is told with its figure and is a failure unless it was *seen* to happen where it counts: at the device, at the
//! tenant, at the softphone, on the page.
//!
//! `story --once --door in-process|usbip --home DIR --bin-dir DIR`
//!
//! * `in-process`: the agent is the example `simulated`, the headset lives in its process.
//! * `usbip`: the agent is the binary `hookswitch` on a real kernel, the headset is `hookswitch-sim` behind vhci_hcd.
//!
//! Without `--once` the world stands until Ctrl-C and the story tells what to try. With `SLAPD_URI` and its companions
//! (see `tests/directory/slapd.sh`) groups come from that directory, else from a manual group, and the story says so.
#![expect(clippy::disallowed_methods, reason = "a program of its own that starts and watches others")]

#[path = "../../tests/support/rig.rs"]
mod rig;
mod steps;

use clap::Parser;
use rig::world::Door;
use std::path::PathBuf;
use std::process::ExitCode;

/// Tells the main job from end to end.
#[derive(Parser, Debug)]
struct Options {
    /// Exit 0 only if every step was seen to happen; no questions, no display
    #[arg(long)]
    once: bool,
    #[arg(long, value_enum, default_value = "in-process")]
    door: Door,
    /// A fresh folder for everything
    #[arg(long)]
    home: PathBuf,
    /// Where the programs are (`target/debug`)
    #[arg(long)]
    bin_dir: PathBuf,
    /// The agent's binary behind the door usbip [default: hookswitch in --bin-dir]
    #[arg(long, value_name = "PATH")]
    agent: Option<PathBuf>,
    /// Instead of the undisturbed update: unplug in the middle of a download, and recovery on replug
    #[arg(long)]
    interrupt: bool,
    /// Instead of the undisturbed update, behind the door usbip: the agent is killed in the middle of a download, and
    /// recovers the headset when it is started again
    #[arg(long, conflicts_with = "interrupt")]
    crash: bool,
    /// The headset's report layout: shared or split
    #[arg(long, default_value = "shared")]
    layout: String,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.crash && options.door == Door::InProcess {
        eprintln!("story: --crash needs --door usbip: in process the headset would end with the agent");
        return ExitCode::from(2);
    }
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("story: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(steps::tell(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("story: FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

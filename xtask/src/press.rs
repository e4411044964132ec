//! How long a press takes to a softphone under a small and a large policy.

use std::fs;

use crate::cargo::{Workspace, cache_folder, make_folder, run as run_call};
use crate::packages;
use crate::tier::BUILD;
use crate::{Asked, Outcome};

pub(crate) const HELP: &str = "\
cargo xtask bench press [--debug]

  Builds the release programs and measures, in one run, how long a press takes from the headset to the event at a
  softphone, and the agent's memory: under an empty policy, and under one of 1,000 groups and 1,000 firmware policies
  for that headset. The headset is simulated in the agent's process; tenant, policy, doors and certificates are real.

  --debug   with debug programs, which are built sooner: their milliseconds say little, their ratio something
";

pub(crate) fn run(asked: &Asked) -> Outcome {
    let workspace = Workspace::open(asked.strict)?;
    packages::ensure(&[BUILD], asked)?;
    let programs = if asked.debug {
        workspace.build_programs()?;
        workspace.programs()
    } else {
        let mut build = workspace.release("build")?;
        build.args(["--package", "hookswitch", "--package", "tenant", "--features", "tenant/server"]);
        build.args(["--bin", "hookswitch-tenant", "--example", "simulated", "--example", "press"]);
        run_call(&mut build)?;
        workspace.target.join("release")
    };
    let home = cache_folder()?.join("press");
    drop(fs::remove_dir_all(&home));
    make_folder(&home)?;
    let mut press = workspace.settled(&programs.join("examples/press").to_string_lossy());
    let outcome = run_call(press.arg("--home").arg(&home).arg("--bin-dir").arg(&programs));
    drop(fs::remove_dir_all(&home));
    outcome
}

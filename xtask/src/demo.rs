//! The main job, from end to end, on a simulated headset.

use std::path::{Path, PathBuf};

use crate::cargo::{Workspace, cache_folder, make_folder, run as run_call};
use crate::packages;
use crate::tier::{BUILD, Needs, Tier};
use crate::{Asked, Outcome, stop};

pub(crate) const HELP: &str = "\
cargo xtask demo [--once] [--yes]

  Installs what building needs (after asking), builds, and plays the main job: a tenant is served, a headset appears,
  a softphone calls, firmware is updated. The headset is simulated, everything else is real. Without OpenLDAP, where
  it is not wanted, the user's group is assigned by hand.

  --once   by itself, without a display or a question: exits 0 only if every step was seen to happen
  --yes    install without asking
";

/// A session bus of its own, on which the tray menu is read without a display.
const BUS: Needs = Needs {
    purpose: "the demo",
    packages: &["dbus", "libglib2.0-bin"],
    commands: &["dbus-run-session", "gdbus"],
};

pub(crate) fn run(asked: &Asked) -> Outcome {
    let workspace = Workspace::open(asked.strict)?;
    let needs: &[Needs] = if asked.once { &[BUILD, BUS] } else { &[BUILD] };
    // The user's groups come from a directory; who does not want it installed goes without.
    packages::ensure(&[needs, &[Tier::Directory.needs()]].concat(), asked)?;
    let lacking: Vec<_> = needs.iter().flat_map(|needs| needs.lacking()).collect();
    if !lacking.is_empty() {
        return Err(stop(format!("the demo cannot go on without {}.", lacking.join(", "))));
    }
    workspace.build_programs()?;

    let home = cache_folder()?.join("demo");
    let _turn = Turn::take(&cache_folder()?.join("demo.pid"))?;
    if home.exists() {
        std::fs::remove_dir_all(&home)
            .map_err(|why| stop(format!("cannot clear the last demo's folder {}: {why}.", home.display())))?;
    }
    make_folder(&home)?;
    let directory_is_there = Tier::Directory.needs().lacking().is_empty();
    let mut rig: Vec<PathBuf> = if directory_is_there {
        vec!["tests/directory/slapd.sh".into(), "with".into()]
    } else {
        println!("OpenLDAP is not installed: the user's group is assigned by hand.");
        vec![]
    };
    if asked.once {
        // An interactive demo shows its icon on the person's own session bus.
        rig.extend(["/usr/bin/env".into(), "dbus-run-session".into(), "--".into()]);
    }
    let story = workspace.programs().join("examples/story");
    let mut call = workspace.through(&rig, story.as_os_str());
    if asked.once {
        call.arg("--once");
    }
    call.args(["--door", "in-process", "--home"]).arg(&home).arg("--bin-dir").arg(workspace.programs());
    run_call(&mut call)
}

/// One demo at a time: the next one clears the folder of the last.
struct Turn(PathBuf);

impl Turn {
    fn take(path: &Path) -> Outcome<Self> {
        let holder = std::fs::read_to_string(path).unwrap_or_default();
        // A number that is no process any more was left by a demo that was killed.
        if !holder.is_empty() && Path::new("/proc").join(holder.trim()).join("cmdline").exists() {
            return Err(stop(format!(
                "a demo is running already (process {}); end it with Ctrl-C first.",
                holder.trim()
            )));
        }
        std::fs::write(path, std::process::id().to_string())
            .map_err(|why| stop(format!("cannot write {}: {why}.", path.display())))?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Should it stay, the number says that nobody holds it.
        drop(std::fs::remove_file(&self.0));
    }
}

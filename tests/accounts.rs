//! Several people at one computer, one of them root: who may decide, who may read, whose word is believed. Needs the
//! rig `accounts/rig.sh`: root, two more users, and an /etc and /usr that may be written.
#![expect(clippy::disallowed_methods, reason = "starts programs and reads what they wrote")]

#[path = "support/people.rs"]
mod people;
#[path = "support/rig.rs"]
mod rig;
#[path = "support/scene.rs"]
mod scene;

#[path = "accounts/folders.rs"]
mod folders;
#[path = "accounts/readme.rs"]
mod readme;
#[path = "support/screen.rs"]
mod screen;
#[path = "support/seat.rs"]
mod seat;
#[path = "accounts/service.rs"]
mod service;
#[path = "accounts/tenant.rs"]
mod tenant;
#[path = "accounts/udev.rs"]
mod udev;

use people::{BINARY, SIMULATED, agent, as_user, home, hookswitch, of_rig, problems, scratch, sh, well};
use rig::told::{Context, Told};
use scene::ended;
use std::fs::File;
use std::path::Path;
use std::process::Command;

const SHARED: &str = "/etc/hookswitch/hookswitch.toml";
const PRIVATE: &str = "/etc/hookswitch/tenant.toml";

/// One test at a time has the machine.
struct Machine {
    _turn: File,
}

impl Machine {
    fn take() -> Told<Self> {
        let turn = File::create(scratch()?.join("turn")).at("the scratch folder")?;
        turn.lock().at("the turn")?;
        let machine = Self { _turn: turn };
        machine.clean()?;
        let built = of_rig("HOOKSWITCH_BIN_DIR")?;
        // Others may not look into the folder where it was built.
        for (built, name) in
            [(built.join("hookswitch"), BINARY), (built.join("examples/simulated"), SIMULATED)]
        {
            well(ended(Command::new("install").arg("-Dm755").arg(built).arg(name))?)?;
        }
        Ok(machine)
    }

    fn clean(&self) -> Told<()> {
        for user in ["anna", "eve"] {
            let home = home(user)?;
            sh(&format!("find {0} -mindepth 1 -delete; chown {user}: {0}; chmod 755 {0}", home.display()))?;
        }
        sh("rm -rf /run/hookswitch/machine.* /var/lib/hookswitch /var/log/hookswitch /var/cache/hookswitch")?;
        sh("rm -rf /etc/hookswitch && install -d -m755 /etc/hookswitch")
    }
}

fn write(path: impl AsRef<Path>, text: &str, mode: &str) -> Told<()> {
    let path = path.as_ref();
    std::fs::write(path, text).at("a file")?;
    sh(&format!("chmod {mode} {}", path.display()))
}

//! A bare Debian that a test has for itself, without a network.

use crate::rig::told::{Context, Told};
use crate::rig::world::{Ended, ended};
use crate::{of_rig, package, well};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

/// Books of the package managers, and what is mounted for the tests. All else must be as before.
const BOOKS: [&str; 10] = [
    "/dev",
    "/packages",
    "/proc",
    "/root/.rpmdb",
    "/var/cache/apt",
    "/var/cache/debconf",
    "/var/lib/apt",
    "/var/lib/dpkg",
    "/var/log/apt",
    "/var/log/dpkg.log",
];

/// The bare system with what the package depends on, and without the package.
pub(crate) struct System {
    root: PathBuf,
    _turn: File,
}

impl System {
    pub(crate) fn take() -> Told<Self> {
        let turn = File::create(of_rig("HOOKSWITCH_SCRATCH")?.join("turn")).at("the turn")?;
        turn.lock().at("the turn")?;
        let system = Self { root: of_rig("HOOKSWITCH_ROOT")?, _turn: turn };
        system.sh("rm -rf /run/systemd /usr/bin/systemctl /usr/bin/udevadm; mkdir -p /packages")?;
        system.sh("! dpkg-query --show hookswitch 2>/dev/null || dpkg --purge hookswitch")?;
        for which in ["first", "next"] {
            std::fs::copy(package(which)?, system.path(&format!("/packages/{which}.deb"))).at(which)?;
        }
        std::fs::write(system.path("/etc/apt/apt.conf.d/99rig"), CONFIGURED).at("the settings of apt")?;
        // Exactly what it asks for, and nothing that happens to be there besides.
        let names = depends()?.join(" ");
        system.sh(&format!("{APT} install {names}"))?;
        Ok(system)
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside.trim_start_matches('/'))
    }

    /// A program in there, as root, with an environment as at a login.
    pub(crate) fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--net", "--", "chroot"]).arg(&self.root).args(words);
        command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.envs([("HOME", "/root"), ("LC_ALL", "C.UTF-8"), ("DEBIAN_FRONTEND", "noninteractive")]);
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Told<Ended> {
        well(ended(&mut self.program(words))?)
    }

    pub(crate) fn sh(&self, script: &str) -> Told<Ended> {
        self.run(&["sh", "-euc", script])
    }

    /// As an administrator does it, so that its dependencies are looked at.
    pub(crate) fn install(&self, which: &str) -> Told<Ended> {
        self.sh(&format!("{APT} install /packages/{which}.deb"))
    }

    pub(crate) fn is_there(&self, inside: &str) -> bool {
        self.path(inside).symlink_metadata().is_ok()
    }

    /// Every file, folder and link: kind, mode, owner, where it leads to, and what is in it.
    pub(crate) fn everything(&self) -> Told<BTreeMap<String, String>> {
        let left_out = BOOKS.map(|book| format!("-path {book}")).join(" -o ");
        let prune = format!("\\( {left_out} \\) -prune -o");
        let listed = self.sh(&format!("find / {prune} -printf '%p\\t%y %m %U:%G %l\\n'"))?;
        let sums = self.sh(&format!("find / {prune} -type f -print0 | xargs -0 sha256sum"))?;
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for line in listed.stdout.lines() {
            let (path, what) = line.split_once('\t').ok_or_else(|| format!("not a line of find: {line}"))?;
            found.insert(path.to_owned(), what.to_owned());
        }
        for line in sums.stdout.lines() {
            let (sum, path) = line.split_once("  ").ok_or_else(|| format!("not a check sum: {line}"))?;
            found.entry(path.to_owned()).or_default().push_str(sum);
        }
        if found.len() > 3000 {
            Ok(found)
        } else {
            Err(format!("the walk has lost its way: {}", found.len()))
        }
    }
}

pub(crate) const APT: &str = "apt-get -qq -y";
/// There is no network for what is only recommended, and apt's own account may not read here.
const CONFIGURED: &str =
    "APT::Install-Recommends \"false\";\nAPT::Sandbox::User \"root\";\nDpkg::Use-Pty \"0\";\n";

/// The names in the field `Depends`.
pub(crate) fn depends() -> Told<Vec<String>> {
    let said = well(ended(Command::new("dpkg-deb").arg("--field").arg(package("first")?).arg("Depends"))?)?;
    let names = said.stdout.trim().split(',').filter_map(|one| one.split_whitespace().next());
    Ok(names.map(str::to_owned).collect())
}

/// What is only in one of them or not the same, as lines of a comparison.
pub(crate) fn difference(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let gone = before.iter().filter(|(path, what)| after.get(*path) != Some(what));
    let come = after.iter().filter(|(path, what)| before.get(*path) != Some(what));
    let gone = gone.map(|(path, what)| format!("- {path} {what}"));
    gone.chain(come.map(|(path, what)| format!("+ {path} {what}"))).collect()
}

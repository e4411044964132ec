//! The packages: made twice, looked into, and installed, updated, removed and purged in a bare Debian. Needs the
//! rig `packages/rig.sh`: root, and that Debian below `HOOKSWITCH_ROOT`.
#![expect(clippy::disallowed_methods, reason = "starts programs and reads what they wrote")]

#[path = "support/rig.rs"]
mod rig;

#[path = "packages/content.rs"]
mod content;
#[path = "packages/lifecycle.rs"]
mod lifecycle;
#[path = "packages/page.rs"]
mod page;
#[path = "packages/rpm.rs"]
mod rpm;
#[path = "packages/scripts.rs"]
mod scripts;
#[path = "packages/system.rs"]
mod system;

use rig::told::{Context, Told};
use rig::world::Ended;
use std::path::PathBuf;

fn of_rig(variable: &str) -> Told<PathBuf> {
    let value = std::env::var_os(variable);
    let value =
        value.ok_or_else(|| format!("{variable} is not set: run `cargo xtask test --tier packages`"))?;
    Ok(PathBuf::from(value))
}

fn well(ended: Ended) -> Told<Ended> {
    if ended.code == Some(0) { Ok(ended) } else { Err(format!("{ended:?}")) }
}

/// The one Debian package in `first`, `again` or `next`.
fn package(which: &str) -> Told<PathBuf> {
    package_of(which, "deb")
}

/// The one package there whose name ends so.
fn package_of(which: &str, kind: &str) -> Told<PathBuf> {
    let folder = of_rig("HOOKSWITCH_PACKAGES")?.join(which);
    let entries = std::fs::read_dir(&folder).at(which)?.flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == kind)).collect();
    match (found.pop(), found.is_empty()) {
        (Some(path), true) => Ok(path),
        _ => Err(format!("{} has not one package of {kind}", folder.display())),
    }
}

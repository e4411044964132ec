//! Files and folders of the agent's own: whose they are, and that they cannot be used.

use super::http;
use crate::shell::os;
use crate::shell::private_file::{self, Durability, Readers};
use hub::machine::{FailureKind, TenantFailure};
use hub::problem::{Detail, Reason};
use hub::protocol::Problem;
use std::fs;
use std::io;
use std::path::Path;

/// Whose trust anchor and metadata are in the folder.
const OF: &str = "of";

pub(super) fn failure(path: &Path, error: &std::io::Error) -> TenantFailure {
    http::failure(FailureKind::Rejected, problem(path, error))
}

pub(super) fn problem(path: &Path, error: &std::io::Error) -> Problem {
    Reason::TenantData { detail: Detail::verbatim(error) }.at(path.display())
}

/// Whether they are of another than `name`. Older versions did not write it down: then they are taken for this one's.
pub(super) fn is_of_another(folder: &Path, name: &str) -> io::Result<bool> {
    match fs::read_to_string(folder.join(OF)) {
        Ok(known) => Ok(known != name),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// What is pinned and was seen of one tenant says nothing of another: it is forgotten. Packages stay, each is known by its
/// digest.
pub(super) fn take(folder: &Path, name: &str) -> io::Result<()> {
    let (of, seen) = (folder.join(OF), folder.join("tuf"));
    if is_of_another(folder, name)? {
        let gone = |result: io::Result<()>| match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        gone(fs::remove_file(folder.join("root.json")))?;
        gone(fs::remove_dir_all(&seen))?;
    } else if of.exists() {
        return Ok(());
    }
    os::private_folder(&seen)?;
    private_file::replace(&of, name.as_bytes(), Readers::Owner, Durability::Disk)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "plants files")]

    use super::*;

    #[test]
    fn what_was_pinned_of_one_tenant_is_not_held_against_another() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("tenant");
        let there = |name: &str| folder.join(name).exists();
        let fill = || {
            fs::create_dir_all(folder.join("tuf")).expect("made");
            fs::create_dir_all(folder.join("packages")).expect("made");
            fs::write(folder.join("root.json"), "a").expect("written");
            fs::write(folder.join("tuf/snapshot.json"), "a").expect("written");
        };
        fill();
        for _ in 0..2 {
            take(&folder, "https://a acme").expect("settled");
            assert!(there("root.json") && there("tuf/snapshot.json"), "it is the first one's");
        }
        take(&folder, "https://b bolt").expect("settled");
        assert!(!there("root.json") && !there("tuf/snapshot.json") && there("packages") && there("tuf"));
        fill();
        take(&folder, "https://b bolt").expect("settled");
        assert!(there("root.json"));
    }
}

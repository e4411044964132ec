//! Which tenant the settings name, now and whenever they change.

#![expect(clippy::disallowed_methods, reason = "files of the tenant's folder")]

use super::folders::Folders;
use super::private_file::{self, Durability, Readers};
use super::settings_files;
use super::store::packages::Packages;
use super::tenant::{CaFile, TenantConfig, TenantRoom, folder_problem, packages_folder};
use super::{log, os};
use hub::machine::Tenancy;
use hub::protocol::Problem;
use hub::settings::{LastGood, Settings};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Whose trust anchor and metadata are in the tenant's folder.
const OF: &str = "of";

/// What was last read of the settings that name the tenant.
#[derive(Debug)]
pub struct Tenancies {
    folders: Folders,
    settings: Settings,
    last_good: LastGood,
}

impl Tenancies {
    pub fn new(folders: Folders, settings: Settings) -> Self {
        let mut last_good = LastGood::default();
        last_good.resolve(&settings_files::layers(&folders));
        Self { folders, settings, last_good }
    }

    /// The tenant that was last read, and the room that speaks with it.
    pub fn current(&self) -> (Tenancy, Option<TenantRoom>) {
        if let Some(token) = &self.settings.tenant_token.value {
            log::mask(&token.0);
        }
        let (room, fault) = match self.room() {
            Ok(room) => (room, None),
            Err(problem) => {
                tracing::error!(%problem, "tenant");
                (None, Some(problem))
            }
        };
        let of_room = |value: &Option<String>| room.as_ref().and(value.clone());
        let tenancy = Tenancy {
            server_url: of_room(&self.settings.server_url.value),
            tenant_id: of_room(&self.settings.tenant_id.value),
            fault,
            root_sha256: room.as_ref().and_then(TenantRoom::pinned_root),
        };
        (tenancy, room)
    }

    /// Reads the settings again. `None` = they say the same of the tenant.
    pub fn changed(&mut self) -> Option<(Tenancy, Option<TenantRoom>)> {
        let (settings, problems) = self.last_good.resolve(&settings_files::layers(&self.folders));
        log::set_level(&settings.log_level.value);
        if settings.tenant() == self.settings.tenant() {
            self.settings = settings;
            return None;
        }
        for problem in &problems {
            tracing::warn!(%problem, "settings");
        }
        self.settings = settings;
        Some(self.current())
    }

    pub fn packages(&self) -> Packages {
        Packages::new(packages_folder(&self.folder()))
    }

    /// `None` = consumer mode.
    fn room(&self) -> Result<Option<TenantRoom>, Problem> {
        let Some(named) = self.settings.tenant()? else { return Ok(None) };
        let extra_ca = named.tenant_ca.map(|path| {
            settings_files::authority(Path::new(&path)).map(|pem| CaFile { path: path.clone(), pem }).map_err(|why| {
                Problem::new(
                    "tenant-ca-unreadable",
                    format!("The tenant's CA certificate cannot be used: {why}"),
                    path.clone(),
                    "Correct the setting tenant_ca, or the file: it belongs to you or root, and nobody else may write \
                     it or the folders above it.",
                )
                .detail("reason", &why)
            })
        });
        let folder = self.folder();
        of_tenant(&folder, &format!("{} {}", named.server_url, named.tenant_id))
            .map_err(|error| folder_problem(&folder, &error))?;
        TenantRoom::new(TenantConfig {
            server_url: named.server_url,
            tenant_id: named.tenant_id,
            tenant_token: named.tenant_token.0,
            pinned_root_sha256: named.tenant_root,
            extra_ca: extra_ca.transpose()?,
            data: self.folder(),
        })
        .map(Some)
    }

    fn folder(&self) -> PathBuf {
        self.folders.data.join("tenant")
    }
}

/// What is pinned and was seen of one tenant says nothing of another that the settings name: it is forgotten. Packages
/// stay, each is known by its digest.
fn of_tenant(folder: &Path, name: &str) -> io::Result<()> {
    let of = folder.join(OF);
    os::private_folder(folder)?;
    match fs::read_to_string(&of) {
        Ok(known) if known == name => return Ok(()),
        Ok(_) => {
            let gone = |result: io::Result<()>| match result {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
            gone(fs::remove_file(folder.join("root.json")))?;
            gone(fs::remove_dir_all(folder.join("tuf")))?;
        }
        // Older versions did not write it down.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    private_file::replace(&of, name.as_bytes(), Readers::Owner, Durability::Disk)
}

#[cfg(test)]
mod tests {
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
        };
        fill();
        for _ in 0..2 {
            of_tenant(&folder, "https://a acme").expect("settled");
            assert!(there("root.json") && there("tuf"), "it is the first one's");
        }
        of_tenant(&folder, "https://b bolt").expect("settled");
        assert!(!there("root.json") && !there("tuf") && there("packages"));
        fill();
        of_tenant(&folder, "https://b bolt").expect("settled");
        assert!(there("root.json"));
    }
}

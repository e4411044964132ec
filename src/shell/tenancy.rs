//! Which tenant the settings name, now and whenever they change.

use super::folders::Folders;
use super::log;
use super::settings_files;
use super::store::packages::Packages;
use super::tenant::{CaFile, TenantConfig, TenantRoom, packages_folder};
use hub::machine::Tenancy;
use hub::protocol::Problem;
use hub::settings::Settings;
use std::path::{Path, PathBuf};

/// What was last read of the settings that name the tenant.
#[derive(Debug)]
pub struct Tenancies {
    folders: Folders,
    settings: Settings,
}

impl Tenancies {
    pub fn new(folders: Folders, settings: Settings) -> Self {
        Self { folders, settings }
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
        let (settings, problems) = Settings::resolve(&settings_files::layers(&self.folders));
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

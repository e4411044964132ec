//! Which tenant the settings name, now and whenever they change.

use super::folders::Folders;
use super::log;
use super::settings_files;
use super::store::packages::Packages;
use super::tenant::{CaFile, TenantConfig, TenantRoom, packages_folder};
use hub::machine::Tenancy;
use hub::problem::Reason;
use hub::protocol::Problem;
use hub::settings::{LastGood, Settings, TenantSettings};
use std::path::{Path, PathBuf};

/// What was last read of the settings that name the tenant.
#[derive(Debug)]
pub struct Tenancies {
    folders: Folders,
    settings: Settings,
    last_good: LastGood,
    said: Said,
}

/// All that is said of the tenant, in the settings and in the file they name.
#[derive(Debug, PartialEq)]
struct Said {
    tenant: Result<Option<TenantSettings>, Problem>,
    authority: Option<Result<CaFile, Problem>>,
}

impl Said {
    fn by(settings: &Settings) -> Self {
        let tenant = settings.tenant();
        let path = tenant.as_ref().ok().and_then(Option::as_ref).and_then(|named| named.tenant_ca.as_deref());
        Self { authority: path.map(authority), tenant }
    }
}

impl Tenancies {
    pub fn new(folders: Folders, settings: Settings) -> Self {
        let mut last_good = LastGood::default();
        last_good.resolve(&settings_files::layers(&folders));
        Self { folders, said: Said::by(&settings), settings, last_good }
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
        let tenancy = Tenancy {
            source: room.as_ref().map(|room| room.source().clone()),
            tenant_id: room.as_ref().and(self.settings.tenant_id.value.clone()),
            fault,
            root_sha256: room.as_ref().and_then(TenantRoom::pinned_root),
        };
        (tenancy, room)
    }

    /// Reads the settings again. `None` = they say the same of the tenant.
    pub fn changed(&mut self) -> Option<(Tenancy, Option<TenantRoom>)> {
        let (settings, problems) = self.last_good.resolve(&settings_files::layers(&self.folders));
        log::set_level(&settings.log_level.value);
        let said = Said::by(&settings);
        self.settings = settings;
        if said == self.said {
            return None;
        }
        for problem in &problems {
            tracing::warn!(%problem, "settings");
        }
        self.said = said;
        Some(self.current())
    }

    pub fn packages(&self) -> Packages {
        Packages::new(packages_folder(&self.folder()))
    }

    /// `None` = consumer mode.
    fn room(&self) -> Result<Option<TenantRoom>, Problem> {
        let Some(named) = self.said.tenant.clone()? else { return Ok(None) };
        let (source, tenant_id) = (Some(named.source.clone()), named.tenant_id.clone());
        let root_sha256 = named.tenant_root.clone();
        TenantRoom::new(TenantConfig {
            name: Tenancy { source, tenant_id, root_sha256, fault: None }.name().unwrap_or_default(),
            source: named.source,
            tenant_id: named.tenant_id.unwrap_or_default(),
            tenant_token: named.tenant_token.map(|token| token.0).unwrap_or_default(),
            pinned_root_sha256: named.tenant_root,
            extra_ca: self.said.authority.clone().transpose()?,
            data: self.folder(),
        })
        .map(Some)
    }

    fn folder(&self) -> PathBuf {
        self.folders.data.join("tenant")
    }
}

fn authority(path: &str) -> Result<CaFile, Problem> {
    let pem = settings_files::authority(Path::new(path))
        .map_err(|why| Reason::TenantCaUnreadable { reason: (&why).into() }.at(path))?;
    Ok(CaFile { path: path.to_owned(), pem })
}

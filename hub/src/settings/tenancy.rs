//! Which tenant the settings name.

use super::{Secret, Settings};
use crate::problem::Reason;
use crate::protocol::Problem;
use crate::tenancy::TenantSource;

/// Everything it takes to speak with a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSettings {
    pub source: TenantSource,
    /// A folder may do without.
    pub tenant_id: Option<String>,
    /// A folder has none.
    pub tenant_token: Option<Secret>,
    /// SHA-256 of the root.json to trust; `None` = the one of the first enrolment, so a folder always has one.
    pub tenant_root: Option<String>,
    /// PEM file.
    pub tenant_ca: Option<String>,
}

impl Settings {
    /// `None` = consumer mode: nobody has said anything of a tenant.
    ///
    /// # Errors
    /// One is meant, or could be, that cannot be told from what is set.
    pub fn tenant(&self) -> Result<Option<TenantSettings>, Problem> {
        if let Some(fault) = &self.tenant_fault {
            return Err(fault.clone());
        }
        let (server_url, tenant_id, token) =
            (&self.server_url.value, &self.tenant_id.value, &self.tenant_token.value);
        let (tenant_root, tenant_ca) = (&self.tenant_root.value, &self.tenant_ca.value);
        let source = server_url.as_deref().map(TenantSource::named);
        match (&source, tenant_id, token) {
            // There is no first contact over which it could be known: whoever may write there would be the tenant.
            (Some(TenantSource::Folder(folder)), ..) if tenant_root.is_none() => Err(unpinned(folder)),
            (Some(source @ TenantSource::Folder(_)), ..) | (Some(source), Some(_), Some(_)) => {
                Ok(Some(TenantSettings {
                    source: source.clone(),
                    tenant_id: tenant_id.clone(),
                    tenant_token: token.clone().filter(|_| source.can_enrol()),
                    tenant_root: tenant_root.clone(),
                    tenant_ca: tenant_ca.clone(),
                }))
            }
            (None, None, None) if tenant_root.is_none() && tenant_ca.is_none() => Ok(None),
            _ => Err(incomplete(&[
                ("SERVER_URL", server_url.is_none()),
                ("TENANT_ID", tenant_id.is_none()),
                ("TENANT_TOKEN", token.is_none()),
            ])),
        }
    }
}

fn unpinned(folder: &str) -> Problem {
    Reason::TenantFolderUnpinned { folder: folder.to_owned() }.at("hookswitch.toml")
}

fn incomplete(parts: &[(&str, bool)]) -> Problem {
    let missing: Vec<&str> = parts.iter().filter(|(_, missing)| *missing).map(|(name, _)| *name).collect();
    Reason::TenantIncomplete { missing: missing.join(", ") }.at("hookswitch.toml")
}

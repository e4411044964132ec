//! Which tenant the settings name.

use super::{Secret, Settings};
use crate::protocol::Problem;

/// Everything it takes to speak with a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSettings {
    pub server_url: String,
    pub tenant_id: String,
    pub tenant_token: Secret,
    /// SHA-256 of the root.json to trust; `None` = the one of the first enrolment.
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
        match (server_url, tenant_id, token) {
            (Some(server_url), Some(tenant_id), Some(token)) => Ok(Some(TenantSettings {
                server_url: server_url.clone(),
                tenant_id: tenant_id.clone(),
                tenant_token: token.clone(),
                tenant_root: tenant_root.clone(),
                tenant_ca: tenant_ca.clone(),
            })),
            (None, None, None) if tenant_root.is_none() && tenant_ca.is_none() => Ok(None),
            _ => Err(incomplete(&[
                ("SERVER_URL", server_url.is_none()),
                ("TENANT_ID", tenant_id.is_none()),
                ("TENANT_TOKEN", token.is_none()),
            ])),
        }
    }
}

fn incomplete(parts: &[(&str, bool)]) -> Problem {
    let missing: Vec<&str> = parts.iter().filter(|(_, missing)| *missing).map(|(name, _)| *name).collect();
    let missing = missing.join(", ");
    Problem::new(
        "tenant-incomplete",
        format!("For the tenant there is no {missing}"),
        "hookswitch.toml",
        "Set SERVER_URL, TENANT_ID and TENANT_TOKEN, or none of them for consumer mode.",
    )
    .with("missing", missing)
}

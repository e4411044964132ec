//! Making a tenant.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use tenant::grammar::{is_wire_id, split_authority};
use tenant::policy::{PolicyDocument, PolicyError};
use thiserror::Error;

use crate::certificate;
use crate::digest::{random_token, sha256};
use crate::home::{self, Home, HomeError};
use crate::repository::{self, RepositoryError};
use crate::store::{Store, StoreError, Tenant};

/// Why no tenant was made.
#[derive(Debug, Error)]
pub(crate) enum InitError {
    #[error("--tenant-id: expected 1 to 128 of A-Z a-z 0-9 . _ : ~ -, beginning with a letter or digit")]
    TenantId,
    #[error("--company: {0}")]
    Company(PolicyError),
    #[error("--host {0:?}: expected a host name or an IP address, without port")]
    Host(String),
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("the operating system's random number generator failed")]
    Random,
}

/// What agents are installed with. The token is shown here and never again: only its hash is kept.
#[derive(Serialize)]
pub(crate) struct Made {
    #[serde(rename = "TENANT_ID")]
    tenant_id: String,
    #[serde(rename = "TENANT_TOKEN")]
    tenant_token: String,
    #[serde(rename = "TENANT_ROOT")]
    tenant_root: String,
    ca_pem: PathBuf,
    /// `SERVER_URL` where it is a folder.
    folder: String,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "TENANT_ID={}", self.tenant_id)?;
        writeln!(f, "TENANT_TOKEN={}", self.tenant_token)?;
        writeln!(f, "TENANT_ROOT={}", self.tenant_root)?;
        // Only agents that reach the server under its own certificate need it; beside a public one it does no harm.
        writeln!(f, "TENANT_CA={}", self.ca_pem.display())?;
        writeln!(
            f,
            "SERVER_URL of a server is what `hookswitch-tenant serve` prints, with a name or address given to --host."
        )?;
        writeln!(
            f,
            "SERVER_URL of a folder is {} or wherever it is copied to; it needs TENANT_ROOT and nothing else.",
            self.folder
        )
    }
}

/// Makes a tenant in a new folder.
pub(crate) async fn init(
    dir: &Path,
    tenant_id: &str,
    company: Option<&str>,
    hosts: &[String],
    now: SystemTime,
) -> Result<Made, InitError> {
    if !is_wire_id(tenant_id) {
        return Err(InitError::TenantId);
    }
    let policy = PolicyDocument::empty(company.unwrap_or(tenant_id));
    policy.validate().map_err(InitError::Company)?;
    for host in hosts {
        let name = matches!(split_authority(host), Some((_, None))) && !host.starts_with('[');
        if !name && host.parse::<std::net::IpAddr>().is_err() {
            return Err(InitError::Host(host.clone()));
        }
    }
    let issued = certificate::issue(hosts, now)?;
    let tenant_token = random_token().map_err(|_| InitError::Random)?;

    let home = Home::create(dir)?;
    home::write_secret(&home.server_key(), issued.server_key_pem.as_bytes())?;
    home::replace(&home.server_certificate(), issued.server_pem.as_bytes())?;
    home::replace(&home.ca(), issued.ca_pem.as_bytes())?;
    let tenant_root = repository::create(&home, &policy, now).await?;
    // SQLite gives its side files the mode of the database, so this one call covers all three. It comes last: a
    // folder without it is no tenant.
    home::write_secret(&home.database(), b"")?;
    let tenant = Tenant {
        id: tenant_id.to_owned(),
        token_sha256: sha256(tenant_token.as_bytes()).to_vec(),
        root_sha256: tenant_root.clone(),
    };
    Store::open(&home.database())?.create_tenant(&tenant, crate::seconds(now))?;
    let folder = url::Url::from_directory_path(home.repository()).map(String::from);
    let folder = folder.map_err(|()| HomeError::NoTenant(home.repository()))?;
    Ok(Made { tenant_id: tenant.id, tenant_token, tenant_root, ca_pem: home.ca(), folder })
}

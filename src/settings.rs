//! Each setting with its value and where it came from: default < user < machine < tenant (highest wins).
//! Pure: layers come in as text, the shell reads the files.

use serde::{Deserialize, Serialize};

/// Where a value came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    #[default]
    Default,
    User,
    /// Environment `HOOKSWITCH_*`.
    Environment,
    Machine,
    Tenant,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setting<T> {
    pub value: T,
    pub from: Provenance,
}

/// All settings in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// TCP port of the HTTPS door on the loopback, 0 = any free one. Default 32018.
    pub rest_port: Setting<u16>,
    /// Origins (`https://softphone.example`) that browsers may call the SDK from.
    pub sdk_approved: Setting<Vec<String>>,
    /// BCP 47 tag; `None` = the system's.
    pub language: Setting<Option<String>>,
    /// `https://` address of the tenant server.
    pub server_url: Setting<Option<String>>,
    pub tenant_id: Setting<Option<String>>,
    pub tenant_token: Setting<Option<Secret>>,
    /// SHA-256 of root.json, 64 hex digits.
    pub tenant_root: Setting<Option<String>>,
    /// PEM file of a CA to trust for the tenant's TLS besides the system's.
    pub tenant_ca: Setting<Option<String>>,
    /// The name `$user$` stands for; `None` = the logged-in user.
    pub user: Setting<Option<String>>,
    /// `error`, `warn`, `info`, `debug`, `trace`. Default `info`.
    pub log_level: Setting<String>,
}

/// A value that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

//! Each setting with its value and where it came from: default < user < environment < machine < tenant (highest wins).
//! Pure: layers come in as text, the shell reads the files.

use crate::protocol::Problem;
use document::Document;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use value::Raw;

mod document;
mod edit;
mod list;
pub mod migrations;
mod value;

pub use edit::set;
pub use list::Listed;
pub use tenant::grammar::is_page_origin;

/// Where a value came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    #[default]
    Default,
    User,
    /// `HOOKSWITCH_*`, or an installer's property of the same meaning.
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

impl Default for Settings {
    fn default() -> Self {
        Self {
            rest_port: Setting { value: 32018, from: Provenance::Default },
            sdk_approved: Setting::default(),
            language: Setting::default(),
            server_url: Setting::default(),
            tenant_id: Setting::default(),
            tenant_token: Setting::default(),
            tenant_root: Setting::default(),
            tenant_ca: Setting::default(),
            user: Setting::default(),
            log_level: Setting { value: "info".to_owned(), from: Provenance::Default },
        }
    }
}

/// A value that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The settings by name, in the order they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    RestPort,
    SdkApproved,
    Language,
    ServerUrl,
    TenantId,
    TenantToken,
    TenantRoot,
    TenantCa,
    User,
    LogLevel,
}

impl Key {
    pub const ALL: [Self; 10] = [
        Self::RestPort,
        Self::SdkApproved,
        Self::Language,
        Self::ServerUrl,
        Self::TenantId,
        Self::TenantToken,
        Self::TenantRoot,
        Self::TenantCa,
        Self::User,
        Self::LogLevel,
    ];

    /// As it is spelt in `hookswitch.toml`; the environment spells it `HOOKSWITCH_` and the same in capitals.
    pub fn name(self) -> &'static str {
        match self {
            Self::RestPort => "rest_port",
            Self::SdkApproved => "sdk_approved",
            Self::Language => "language",
            Self::ServerUrl => "server_url",
            Self::TenantId => "tenant_id",
            Self::TenantToken => "tenant_token",
            Self::TenantRoot => "tenant_root",
            Self::TenantCa => "tenant_ca",
            Self::User => "user",
            Self::LogLevel => "log_level",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// For names a person gives.
    ///
    /// # Errors
    /// No such setting; the problem names the one that is spelt nearly so.
    pub fn find(name: &str) -> Result<Self, Problem> {
        Self::named(name).ok_or_else(|| document::unknown(name, "settings"))
    }

    /// Says whom the agent trusts. All of these come from one layer: once the machine names a tenant, a user can
    /// neither retarget it nor add a trust anchor the machine left out.
    pub fn is_tenant(self) -> bool {
        matches!(
            self,
            Self::ServerUrl | Self::TenantId | Self::TenantToken | Self::TenantRoot | Self::TenantCa
        )
    }

    /// Variables of the environment, the strongest first.
    fn variables(self) -> impl Iterator<Item = String> {
        let plain = self.name().to_uppercase();
        let installer = matches!(
            self,
            Self::ServerUrl | Self::TenantId | Self::TenantToken | Self::TenantRoot | Self::TenantCa
        );
        [Some(format!("HOOKSWITCH_{plain}")), installer.then_some(plain)].into_iter().flatten()
    }
}

/// One `hookswitch.toml`.
#[derive(Clone, Debug, Default)]
pub struct SettingsFile {
    pub path: String,
    /// `None` = there is no such file.
    pub text: Option<String>,
}

/// What [`Settings::resolve`] looks at.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    pub user: SettingsFile,
    /// The whole environment; other variables are ignored.
    pub environment: BTreeMap<String, String>,
    pub machine: SettingsFile,
}

impl Settings {
    /// The settings in force and what was left out of the layers, each with its reason. Never fails: whatever is
    /// wrong keeps the value of the layer below.
    pub fn resolve(layers: &Layers) -> (Self, Vec<Problem>) {
        let (mut settings, mut problems) = (Self::default(), Vec::new());
        let machine = Document::read(&layers.machine, &mut problems);
        let user = Document::read(&layers.user, &mut problems);
        let locked = machine_names_tenant(&layers.machine, &machine);

        let user = user.into_values(&layers.user.path, &mut problems);
        let machine = machine.into_values(&layers.machine.path, &mut problems);
        let environment = environment_values(&layers.environment);
        for (from, values) in
            [(Provenance::User, user), (Provenance::Environment, environment), (Provenance::Machine, machine)]
        {
            for (key, place, raw) in values {
                if key.is_tenant() && locked && from < Provenance::Machine {
                    problems.push(managed(key, place, &layers.machine.path));
                } else if let (Key::TenantRoot, Raw::Text(pin)) = (key, &raw) {
                    // Kept as it is: ignoring a mistyped pin would be trusting whatever the server shows.
                    settings.tenant_root = Setting { value: Some(pin.trim().to_ascii_lowercase()), from };
                } else if key == Key::TenantRoot {
                    settings.tenant_root = Setting { value: Some(String::new()), from };
                } else if let Err(kind) = settings.put(key, raw, from) {
                    problems.push(kind.problem(key, place));
                }
            }
        }
        (settings, problems)
    }

    /// What the signed policy sets on top. An empty list is no opinion.
    pub fn apply_tenant(&mut self, sdk_approved: &[String]) {
        if !sdk_approved.is_empty() {
            self.sdk_approved = Setting { value: sdk_approved.to_vec(), from: Provenance::Tenant };
        }
    }

    fn put(&mut self, key: Key, raw: Raw, from: Provenance) -> Result<(), value::Kind> {
        match key {
            Key::RestPort => self.rest_port = Setting { value: value::port(&raw)?, from },
            Key::SdkApproved => self.sdk_approved = Setting { value: value::origins(&raw)?, from },
            Key::Language => self.language = Setting { value: Some(value::language(&raw)?), from },
            Key::ServerUrl => self.server_url = Setting { value: Some(value::https_url(&raw)?), from },
            Key::TenantId => self.tenant_id = Setting { value: Some(value::tenant_id(&raw)?), from },
            Key::TenantToken => {
                self.tenant_token = Setting { value: Some(Secret(value::token(&raw)?)), from };
            }
            Key::TenantRoot => self.tenant_root = Setting { value: Some(value::sha256(&raw)?), from },
            Key::TenantCa => self.tenant_ca = Setting { value: Some(value::absolute_path(&raw)?), from },
            Key::User => self.user = Setting { value: Some(value::user(&raw)?), from },
            Key::LogLevel => self.log_level = Setting { value: value::log_level(&raw)?, from },
        }
        Ok(())
    }
}

/// A machine file that cannot be read locks too: a mistake there must not open the door to another tenant.
fn machine_names_tenant(file: &SettingsFile, document: &Document) -> bool {
    let unreadable = file.text.is_some() && document.is_unreadable();
    unreadable || document.keys().filter_map(Key::named).any(Key::is_tenant)
}

fn environment_values(environment: &BTreeMap<String, String>) -> Vec<(Key, String, Raw)> {
    let value = |key: Key| {
        let name = key.variables().find(|name| environment.get(name).is_some_and(|v| !v.is_empty()))?;
        let text = environment.get(&name)?.clone();
        Some((key, name, Raw::Text(text)))
    };
    Key::ALL.into_iter().filter_map(value).collect()
}

fn managed(key: Key, place: String, machine: &str) -> Problem {
    Problem::new(
        "setting-managed",
        format!("{} is set by your IT department and cannot be changed here", key.name()),
        place,
        format!("Remove it here, or ask your IT department to change {machine}."),
    )
    .with("key", key.name())
    .with("machine", machine)
}

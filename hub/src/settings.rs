//! Each setting with its value and where it came from: default < user < environment < machine (highest wins).
//! Pure: layers come in as text, the shell reads the files.

use crate::problem::Reason;
use crate::protocol::Problem;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use value::Raw;

mod document;
mod edit;
mod file;
mod last_good;
mod layers;
mod list;
pub mod migrations;
mod tenancy;
mod value;

pub use edit::{not_spoken, set, set_for_machine};
pub use file::{Content, MAX_FILE_BYTES, SettingsFile, Unusable};
pub use last_good::LastGood;
pub use layers::{Layers, MachineFiles};
pub use list::Listed;
pub use tenancy::TenantSettings;
pub use value::MOST_SOFTPHONES;

/// Where a value came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Nobody set it.
    #[default]
    Default,
    /// The person, in their file.
    User,
    /// `HOOKSWITCH_*`, or an installer's property of the same meaning.
    Environment,
    /// The file for everybody at this computer.
    Machine,
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
    /// Programs of the Plantronics Hub are answered over plain HTTP, too. Default no.
    pub rest_http: Setting<bool>,
    /// Web pages (`https://softphone.example`) and programs (`/usr/bin/softphone`) that may use the SDK.
    pub sdk_approved: Setting<Vec<String>>,
    /// Pages and programs that the person said no to.
    pub sdk_denied: Setting<Vec<String>>,
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
    /// Id of the headset that carries the calls while it can; `None` = the first one that can.
    pub headset: Setting<Option<String>>,
    /// `error`, `warn`, `info`, `debug`, `trace`. Default `info`.
    pub log_level: Setting<String>,
    /// The machine decides on the tenant, or may do so in a file that cannot be read.
    pub tenant_locked: bool,
    /// Where each setting that is set is set, and where one is decided that may not be.
    pub(crate) places: BTreeMap<Key, String>,
    /// Set to what cannot be used, in the strongest layer that sets them.
    pub(crate) wrong: BTreeSet<Key>,
    /// Of files that only root may read: a service of root's reads them.
    pub withheld: Vec<Problem>,
    /// Why the tenant cannot be told from what is set: a file or a value that cannot be used.
    pub tenant_fault: Option<Problem>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rest_port: Setting { value: 32018, from: Provenance::Default },
            rest_http: Setting::default(),
            sdk_approved: Setting::default(),
            sdk_denied: Setting::default(),
            language: Setting::default(),
            server_url: Setting::default(),
            tenant_id: Setting::default(),
            tenant_token: Setting::default(),
            tenant_root: Setting::default(),
            tenant_ca: Setting::default(),
            user: Setting::default(),
            headset: Setting::default(),
            log_level: Setting { value: "info".to_owned(), from: Provenance::Default },
            tenant_locked: false,
            places: BTreeMap::new(),
            wrong: BTreeSet::new(),
            withheld: Vec::new(),
            tenant_fault: None,
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
    RestHttp,
    SdkApproved,
    SdkDenied,
    Language,
    ServerUrl,
    TenantId,
    TenantToken,
    TenantRoot,
    TenantCa,
    User,
    Headset,
    LogLevel,
}

impl Key {
    pub const ALL: [Self; 13] = [
        Self::RestPort,
        Self::RestHttp,
        Self::SdkApproved,
        Self::SdkDenied,
        Self::Language,
        Self::ServerUrl,
        Self::TenantId,
        Self::TenantToken,
        Self::TenantRoot,
        Self::TenantCa,
        Self::User,
        Self::Headset,
        Self::LogLevel,
    ];

    /// As it is spelt in `hookswitch.toml`; the environment spells it `HOOKSWITCH_` and the same in capitals.
    pub fn name(self) -> &'static str {
        match self {
            Self::RestPort => "rest_port",
            Self::RestHttp => "rest_http",
            Self::SdkApproved => "sdk_approved",
            Self::SdkDenied => "sdk_denied",
            Self::Language => "language",
            Self::ServerUrl => "server_url",
            Self::TenantId => "tenant_id",
            Self::TenantToken => "tenant_token",
            Self::TenantRoot => "tenant_root",
            Self::TenantCa => "tenant_ca",
            Self::User => "user",
            Self::Headset => "headset",
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

    /// Where the machine names the tenant, its word alone counts on this: the tenant, and who its users are. A person
    /// who could say whose groups to take would have anybody's.
    pub fn follows_tenancy(self) -> bool {
        self.is_tenant() || self == Self::User
    }

    /// An agent that runs does not take a change of this.
    pub fn counts_from_next_start(self) -> bool {
        matches!(self, Self::Language | Self::User)
    }

    /// Variables of the environment, the strongest first.
    fn variables(self) -> impl Iterator<Item = String> {
        let plain = self.name().to_uppercase();
        let installer = self.is_tenant();
        [Some(format!("HOOKSWITCH_{plain}")), installer.then_some(plain)].into_iter().flatten()
    }
}

/// Where the door for softphones is to be, on the loopback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DoorPlace {
    /// 0 = any free one.
    pub port: u16,
    /// Of plain HTTP; `None` = that is not spoken.
    pub plain: Option<u16>,
}

impl Settings {
    /// Plain HTTP has the port below, as programs of the Plantronics Hub know it.
    pub fn door(&self) -> DoorPlace {
        let port = self.rest_port.value;
        DoorPlace { port, plain: self.rest_http.value.then(|| port.saturating_sub(1)) }
    }

    /// These, where the program has run since it read `started`: what it asks for at its start alone stays as it was.
    #[must_use]
    pub fn after_start_with(mut self, started: &Self) -> Self {
        for key in Key::ALL.into_iter().filter(|key| key.counts_from_next_start()) {
            self.take(key, started);
        }
        self
    }

    /// Of `problems` with these settings, those that an agent says itself. What keeps the tenant out is said where the
    /// tenant is, by the role that reads it; a service reads what is the machine's, and what is withheld here.
    pub fn said_by_agent(&self, mut problems: Vec<Problem>, with_service: bool) -> Vec<Problem> {
        problems.retain(|problem| match with_service {
            true => !self.withheld.contains(problem),
            false => self.tenant_fault.as_ref() != Some(problem),
        });
        problems
    }

    /// Whether the strongest layer that sets it sets it to what cannot be used.
    pub fn is_wrong(&self, key: Key) -> bool {
        self.wrong.contains(&key)
    }

    /// What another has of one setting, and where it is from.
    fn take(&mut self, key: Key, from: &Self) {
        match key {
            Key::RestPort => self.rest_port.clone_from(&from.rest_port),
            Key::RestHttp => self.rest_http.clone_from(&from.rest_http),
            Key::SdkApproved => self.sdk_approved.clone_from(&from.sdk_approved),
            Key::SdkDenied => self.sdk_denied.clone_from(&from.sdk_denied),
            Key::Language => self.language.clone_from(&from.language),
            Key::ServerUrl => self.server_url.clone_from(&from.server_url),
            Key::TenantId => self.tenant_id.clone_from(&from.tenant_id),
            Key::TenantToken => self.tenant_token.clone_from(&from.tenant_token),
            Key::TenantRoot => self.tenant_root.clone_from(&from.tenant_root),
            Key::TenantCa => self.tenant_ca.clone_from(&from.tenant_ca),
            Key::User => self.user.clone_from(&from.user),
            Key::Headset => self.headset.clone_from(&from.headset),
            Key::LogLevel => self.log_level.clone_from(&from.log_level),
        }
        match from.places.get(&key) {
            Some(place) => self.places.insert(key, place.clone()),
            None => self.places.remove(&key),
        };
    }

    fn put(&mut self, key: Key, raw: Raw, from: Provenance) -> Result<(), value::Kind> {
        match key {
            Key::RestPort => self.rest_port = Setting { value: value::port(&raw)?, from },
            Key::RestHttp => self.rest_http = Setting { value: value::truth(&raw)?, from },
            Key::SdkApproved => self.sdk_approved = Setting { value: value::softphones(&raw)?, from },
            Key::SdkDenied => self.sdk_denied = Setting { value: value::softphones(&raw)?, from },
            Key::Language => self.language = Setting { value: Some(value::language(&raw)?), from },
            Key::ServerUrl => self.server_url = Setting { value: Some(value::tenant_url(&raw)?), from },
            Key::TenantId => self.tenant_id = Setting { value: Some(value::tenant_id(&raw)?), from },
            Key::TenantToken => {
                self.tenant_token = Setting { value: Some(Secret(value::token(&raw)?)), from };
            }
            Key::TenantRoot => self.tenant_root = Setting { value: Some(value::sha256(&raw)?), from },
            Key::TenantCa => self.tenant_ca = Setting { value: Some(value::absolute_path(&raw)?), from },
            Key::User => self.user = Setting { value: Some(value::user(&raw)?), from },
            Key::Headset => self.headset = Setting { value: Some(value::headset(&raw)?), from },
            Key::LogLevel => self.log_level = Setting { value: value::log_level(&raw)?, from },
        }
        Ok(())
    }
}

fn managed(key: Key, place: String, machine: &str) -> Problem {
    Reason::SettingManaged { key: key.name().to_owned(), machine: machine.to_owned() }.at(place)
}

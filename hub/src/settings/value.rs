//! What a value may be, bounds first.

use super::Key;
use crate::problem::Reason;
use crate::protocol::Problem;
use crate::protocol::client::ClientId;
use unic_langid::LanguageIdentifier;
use url::Url;

/// Softphones in one list.
pub const MOST_SOFTPHONES: usize = 64;

/// A value as it was written.
#[derive(Clone, Debug)]
pub(super) enum Raw {
    /// From the environment or the command line it may also be a number or a list.
    Text(String),
    Integer(i64),
    Truth(bool),
    List(Vec<String>),
    /// Nothing a setting can be.
    Unfit,
}

impl From<toml::Value> for Raw {
    fn from(value: toml::Value) -> Self {
        match value {
            toml::Value::String(text) => Self::Text(text),
            toml::Value::Integer(number) => Self::Integer(number),
            toml::Value::Boolean(truth) => Self::Truth(truth),
            toml::Value::Array(items) => {
                let texts: Option<Vec<String>> =
                    items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
                texts.map_or(Self::Unfit, Self::List)
            }
            _ => Self::Unfit,
        }
    }
}

/// What was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Kind {
    #[error("a TCP port from 0 to 65535")]
    Port,
    #[error("true or false")]
    Truth,
    #[error(
        "a list of at most 64 pages such as https://softphone.example and programs such as /usr/bin/softphone"
    )]
    Origins,
    #[error("a language tag such as de-DE")]
    Language,
    #[error(
        "an address that begins with https://, or file:// or folder+https:// of a folder, and has no password, query or fragment"
    )]
    TenantUrl,
    #[error("1 to 128 letters, digits, '-', '_' or '.'")]
    TenantId,
    #[error("1 to 4096 visible ASCII characters")]
    Token,
    #[error("the SHA-256 of root.json, 64 hexadecimal digits")]
    Sha256,
    #[error("the full path of a PEM file")]
    Path,
    #[error("1 to 256 characters")]
    User,
    #[error("the id of a headset as `hookswitch devices` prints it")]
    Headset,
    #[error("one of error, warn, info, debug, trace")]
    LogLevel,
}

impl Kind {
    pub(super) fn of(key: Key) -> Self {
        match key {
            Key::RestPort => Self::Port,
            Key::RestHttp => Self::Truth,
            Key::SdkApproved | Key::SdkDenied => Self::Origins,
            Key::Language => Self::Language,
            Key::ServerUrl => Self::TenantUrl,
            Key::TenantId => Self::TenantId,
            Key::TenantToken => Self::Token,
            Key::TenantRoot => Self::Sha256,
            Key::TenantCa => Self::Path,
            Key::User => Self::User,
            Key::Headset => Self::Headset,
            Key::LogLevel => Self::LogLevel,
        }
    }

    /// For the texts of the languages.
    fn code(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Truth => "truth",
            Self::Origins => "origins",
            Self::Language => "language",
            Self::TenantUrl => "https",
            Self::TenantId => "tenant-id",
            Self::Token => "token",
            Self::Sha256 => "sha256",
            Self::Path => "path",
            Self::User => "user",
            Self::Headset => "headset",
            Self::LogLevel => "level",
        }
    }

    /// Does not quote the value: it may be the token, in the wrong line.
    pub(super) fn problem(self, key: Key, place: String) -> Problem {
        Reason::SettingInvalid { key: key.name().to_owned(), kind: self.code().to_owned() }.at(place)
    }
}

fn text(raw: &Raw, max_bytes: usize, kind: Kind) -> Result<&str, Kind> {
    match raw {
        Raw::Text(text) if !text.is_empty() && text.len() <= max_bytes => Ok(text),
        _ => Err(kind),
    }
}

pub(super) fn port(raw: &Raw) -> Result<u16, Kind> {
    match raw {
        Raw::Integer(number) => u16::try_from(*number).map_err(|_| Kind::Port),
        Raw::Text(text) => text.parse().map_err(|_| Kind::Port),
        Raw::Truth(_) | Raw::List(_) | Raw::Unfit => Err(Kind::Port),
    }
}

pub(super) fn truth(raw: &Raw) -> Result<bool, Kind> {
    match raw {
        Raw::Truth(truth) => Ok(*truth),
        Raw::Text(text) => text.parse().map_err(|_| Kind::Truth),
        // As registries have it.
        Raw::Integer(number @ (0 | 1)) => Ok(*number == 1),
        Raw::Integer(_) | Raw::List(_) | Raw::Unfit => Err(Kind::Truth),
    }
}

pub(super) fn softphones(raw: &Raw) -> Result<Vec<String>, Kind> {
    let list: Vec<&str> = match raw {
        Raw::List(list) => list.iter().map(String::as_str).collect(),
        Raw::Text(text) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
        Raw::Integer(_) | Raw::Truth(_) | Raw::Unfit => return Err(Kind::Origins),
    };
    if list.len() > MOST_SOFTPHONES || list.iter().any(|item| ClientId::named(item).is_none()) {
        return Err(Kind::Origins);
    }
    Ok(list.into_iter().map(str::to_owned).collect())
}

pub(super) fn language(raw: &Raw) -> Result<String, Kind> {
    let text = text(raw, 35, Kind::Language)?;
    text.parse::<LanguageIdentifier>().map(|id| id.to_string()).map_err(|_| Kind::Language)
}

/// In its normal form. That of a folder ends with a slash, so that one folder is one tenant.
pub(super) fn tenant_url(raw: &Raw) -> Result<String, Kind> {
    let text = text(raw, 2048, Kind::TenantUrl)?;
    // As Windows writes a share; the rest is what a name there may hold and an address gives another meaning.
    let share = text.strip_prefix(r"\\").map(|share| share.replace('%', "%25").replace('#', "%23"));
    let share = share.map(|share| format!("file://{}", share.replace('\\', "/")));
    let text = share.as_deref().unwrap_or(text);
    let of_folder = text.strip_prefix("folder+");
    let url = Url::parse(of_folder.unwrap_or(text)).map_err(|_| Kind::TenantUrl)?;
    let plain = url.username().is_empty() && url.password().is_none();
    if !plain || url.query().is_some() || url.fragment().is_some() {
        return Err(Kind::TenantUrl);
    }
    let ended = |url: &Url| if url.path().ends_with('/') { url.to_string() } else { format!("{url}/") };
    match (url.scheme(), of_folder) {
        // An address of this scheme always has a host, by the URL standard.
        ("https", None) => Ok(url.to_string()),
        ("https", Some(_)) => Ok(format!("folder+{}", ended(&url))),
        ("file", None) => Ok(ended(&url)),
        _ => Err(Kind::TenantUrl),
    }
}

pub(super) fn tenant_id(raw: &Raw) -> Result<String, Kind> {
    let text = text(raw, 128, Kind::TenantId)?;
    let fits = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits { Ok(text.to_owned()) } else { Err(Kind::TenantId) }
}

pub(super) fn token(raw: &Raw) -> Result<String, Kind> {
    let text = text(raw, 4096, Kind::Token)?;
    if text.chars().all(|c| c.is_ascii_graphic()) { Ok(text.to_owned()) } else { Err(Kind::Token) }
}

pub(super) fn sha256(raw: &Raw) -> Result<String, Kind> {
    let text = text(raw, 64, Kind::Sha256)?;
    let fits = text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit());
    if fits { Ok(text.to_ascii_lowercase()) } else { Err(Kind::Sha256) }
}

pub(super) fn absolute_path(raw: &Raw) -> Result<String, Kind> {
    let text = text(raw, 4096, Kind::Path)?;
    let fits = std::path::Path::new(text).is_absolute() && !text.contains(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Kind::Path) }
}

pub(super) fn user(raw: &Raw) -> Result<String, Kind> {
    let text = text(raw, 1024, Kind::User)?;
    let fits = text.chars().count() <= 256 && !text.contains(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Kind::User) }
}

pub(super) fn headset(raw: &Raw) -> Result<String, Kind> {
    let text = text(raw, 256, Kind::Headset)?;
    if text.chars().all(|c| c.is_ascii_graphic()) { Ok(text.to_owned()) } else { Err(Kind::Headset) }
}

pub(super) fn log_level(raw: &Raw) -> Result<String, Kind> {
    let text = text(raw, 5, Kind::LogLevel)?;
    let known = ["error", "warn", "info", "debug", "trace"].contains(&text);
    if known { Ok(text.to_owned()) } else { Err(Kind::LogLevel) }
}

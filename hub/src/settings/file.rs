//! One settings file as the shell found it.

use super::document::Document;
use super::migrations;
use crate::problem::Reason;
use crate::protocol::{Detail, Problem};

/// Bytes; a settings file of every key at its longest stays far below.
pub const MAX_FILE_BYTES: usize = 256 * 1024;

/// A settings file with what is in it. Only [`Content::Absent`] means that nobody has said anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsFile {
    pub path: String,
    pub content: Content,
    /// Every user of this computer may read it.
    pub exposed: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// There is no such file.
    #[default]
    Absent,
    Text(String),
    /// There is something, but not what it says or not whose word it is.
    Unusable(Unusable),
}

/// Why a settings file that is there does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The machine keeps it from this account.
    #[error("this account may not read it")]
    Withheld,
    /// Something else names it.
    #[error("there is no such file")]
    Missing,
    #[error("it is no file")]
    NotAFile,
    #[error("it is a link that leads nowhere")]
    DanglingLink,
    #[error("it is not UTF-8 text")]
    NotUtf8,
    #[error("it has {0} bytes, at most {MAX_FILE_BYTES} are read")]
    TooLarge(u64),
    #[error("{path} belongs to {owner}")]
    Foreign { path: String, owner: String },
    #[error("others may write {0}")]
    OpenToOthers(String),
    /// In the system's words.
    #[error("{0}")]
    System(String),
}

impl SettingsFile {
    pub fn absent(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    pub fn of_text(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), content: Content::Text(text.into()), exposed: false }
    }

    /// An absent file is an empty document. `problems` gets what is odd about a file that can be used.
    ///
    /// # Errors
    /// It is there and cannot be used.
    pub(super) fn document(&self, problems: &mut Vec<Problem>) -> Result<Document, Problem> {
        let text = match &self.content {
            Content::Absent => return Ok(Document::default()),
            Content::Unusable(why) => return Err(self.unusable(why)),
            Content::Text(text) => text,
        };
        if text.len() > MAX_FILE_BYTES {
            return Err(self.unusable(&Unusable::TooLarge(text.len() as u64)));
        }
        let (document, notice) =
            migrations::migrate(text).map_err(|error| unreadable(&self.path, text, &error))?;
        problems.extend(notice.map(|n| n.problem(&self.path)));
        Ok(document)
    }

    fn unusable(&self, why: &Unusable) -> Problem {
        match why {
            Unusable::Withheld => Reason::SettingsWithheld.at(&self.path),
            why => Reason::SettingsUnusable { reason: why.into() }.at(&self.path),
        }
    }

    /// The token is no secret any more.
    pub(super) fn exposes_token(&self, private: &str) -> Problem {
        let file = if self.path == private { "private" } else { "shared" };
        Reason::TenantTokenExposed { file: file.to_owned(), private: private.to_owned() }.at(&self.path)
    }
}

/// Says where, never quotes the line: it may hold the token.
fn unreadable(path: &str, text: &str, error: &toml::de::Error) -> Problem {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    Reason::SettingsUnreadable { line: line.to_string() }.at(format!("{path}:{line}"))
}

impl From<&Unusable> for Detail {
    fn from(why: &Unusable) -> Self {
        match why {
            Unusable::Withheld => Detail::new("file-withheld", why),
            Unusable::Missing => Detail::new("file-missing", why),
            Unusable::NotAFile => Detail::new("no-file", why),
            Unusable::DanglingLink => Detail::new("file-dangling", why),
            Unusable::NotUtf8 => Detail::new("file-not-utf8", why),
            Unusable::TooLarge(bytes) => {
                Detail::new("settings-too-large", why).with("bytes", bytes).with("limit", MAX_FILE_BYTES)
            }
            Unusable::Foreign { path, owner } => {
                Detail::new("file-foreign", why).with("path", path).with("owner", owner)
            }
            Unusable::OpenToOthers(path) => Detail::new("file-open-to-others", why).with("path", path),
            Unusable::System(system) => Detail::verbatim(system),
        }
    }
}

//! The file's `schema` number and the steps that bring older files up to date. A step changes names in the text and
//! leaves every other character alone; the file itself is rewritten only when the person changes a setting.

use super::Key;
use super::document::{Document, SCHEMA_KEY};
use crate::problem::Reason;
use crate::protocol::Problem;

pub const SCHEMA: i64 = 1;

/// The file was written by a newer agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Newer {
    schema: i64,
}

impl Newer {
    pub(super) fn problem(self, path: &str) -> Problem {
        Reason::SettingsNewer { schema: self.schema.to_string(), known: SCHEMA.to_string() }.at(path)
    }
}

/// Today's form of the document.
pub(super) fn migrate(text: &str) -> Result<(Document, Option<Newer>), toml::de::Error> {
    let document = Document::parse(text)?;
    let schema = document.entries.get(SCHEMA_KEY).and_then(|entry| entry.value.as_integer()).unwrap_or(0);
    if schema > SCHEMA {
        return Ok((document, Some(Newer { schema })));
    }
    let text = if schema < 1 { installer_names(&document) } else { None };
    match text {
        Some(text) => Ok((Document::parse(&text)?, None)),
        None => Ok((document, None)),
    }
}

/// 0 → 1: files made by an installer job from its properties spell the names as those do (`TENANT_ID = "…"`).
/// A name that is there in both spellings keeps the new one.
fn installer_names(document: &Document) -> Option<String> {
    let mut renames: Vec<_> = document
        .entries
        .iter()
        .filter_map(|(name, entry)| {
            let key = Key::ALL.into_iter().find(|key| key.name().to_uppercase() == *name)?;
            (!document.entries.contains_key(key.name())).then_some((entry.key.clone(), key.name()))
        })
        .collect();
    if renames.is_empty() {
        return None;
    }
    // from the end, so that the places before stay right
    renames.sort_by_key(|(at, _)| std::cmp::Reverse(at.start));
    let mut text = document.text.clone();
    for (at, name) in renames {
        text.replace_range(at, name);
    }
    Some(text)
}

//! One `hookswitch.toml` as keys with their places in the text.

use super::value::Raw;
use super::{Key, SettingsFile, migrations};
use crate::protocol::Problem;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::{Spanned, Value};

/// Bytes; a settings file of every key at its longest stays far below.
pub(super) const MAX_FILE_BYTES: usize = 256 * 1024;

/// A top-level entry: where its key and its value are.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: Range<usize>,
    pub value_at: Range<usize>,
    pub value: Value,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    /// In today's schema; ranges are places in this text.
    pub text: String,
    pub entries: BTreeMap<String, Entry>,
    unreadable: bool,
}

impl Document {
    /// An absent file is an empty document; so is an unreadable one, with a problem.
    pub(super) fn read(file: &SettingsFile, problems: &mut Vec<Problem>) -> Self {
        let Some(text) = &file.text else { return Self::default() };
        if text.len() > MAX_FILE_BYTES {
            problems.push(too_large(&file.path, text.len()));
            return Self { unreadable: true, ..Self::default() };
        }
        match migrations::migrate(text) {
            Ok((document, notice)) => {
                problems.extend(notice.map(|n| n.problem(&file.path)));
                document
            }
            Err(error) => {
                problems.push(unreadable(&file.path, text, &error));
                Self { unreadable: true, ..Self::default() }
            }
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let entries: BTreeMap<Spanned<String>, Spanned<Value>> = toml::from_str(text)?;
        let entries = entries
            .into_iter()
            .map(|(key, value)| {
                let entry = Entry { key: key.span(), value_at: value.span(), value: value.into_inner() };
                (key.into_inner(), entry)
            })
            .collect();
        Ok(Self { text: text.to_owned(), entries, unreadable: false })
    }

    pub(super) fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Known keys with their values; the others become problems.
    pub(super) fn into_values(self, path: &str, problems: &mut Vec<Problem>) -> Vec<(Key, String, Raw)> {
        let mut known = Vec::new();
        for (name, entry) in self.entries {
            match Key::named(&name) {
                Some(key) => known.push((key, format!("{path}: {name}"), Raw::from(entry.value))),
                None if name == migrations::SCHEMA_KEY => {}
                None => problems.push(unknown(&name, path)),
            }
        }
        known.sort_by_key(|(key, ..)| *key);
        known
    }
}

pub(super) fn unknown(name: &str, place: &str) -> Problem {
    let name: String = name.chars().take(64).collect();
    let nearest = Key::ALL.into_iter().map(|key| (distance(&name, key.name()), key.name())).min();
    match nearest {
        Some((steps, near)) if steps <= 3 => Problem::new(
            "setting-misspelt",
            format!("There is no setting {name}; {near} comes nearest"),
            format!("{place}: {name}"),
            format!("Write {near}; `hookswitch settings list` shows all of them."),
        )
        .with("key", name)
        .with("nearest", near),
        _ => Problem::new(
            "setting-unknown",
            format!("There is no setting {name}"),
            format!("{place}: {name}"),
            "Remove it; `hookswitch settings list` shows all there are.",
        )
        .with("key", name),
    }
}

fn too_large(path: &str, bytes: usize) -> Problem {
    Problem::new(
        "settings-too-large",
        format!("The settings file has {bytes} bytes, at most {MAX_FILE_BYTES} are read; it is left out"),
        path,
        "Look what filled it, or delete it: the defaults apply.",
    )
    .with("bytes", bytes.to_string())
    .with("limit", MAX_FILE_BYTES.to_string())
}

/// Says where, never quotes the line: it may hold the token.
fn unreadable(path: &str, text: &str, error: &toml::de::Error) -> Problem {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    Problem::new(
        "settings-unreadable",
        format!("Line {line} of the settings file is not TOML; the file is left out"),
        format!("{path}:{line}"),
        "Correct the line: `name = value`, texts in quotation marks.",
    )
    .with("line", line.to_string())
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

//! One `hookswitch.toml` as keys with their places in the text.

use super::Key;
use super::value::Raw;
use crate::problem::Reason;
use crate::protocol::Problem;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::{Spanned, Value};

/// The number of the file's form; see `migrations`.
pub(super) const SCHEMA_KEY: &str = "schema";

/// A top-level entry: where its key and its value are.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: Range<usize>,
    pub value_at: Range<usize>,
    pub value: Value,
}

/// So many names that are no settings are said one by one.
const MOST_UNKNOWN: usize = 8;

#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    /// In today's schema; ranges are places in this text.
    pub text: String,
    pub entries: BTreeMap<String, Entry>,
}

impl Document {
    pub(super) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let entries: BTreeMap<Spanned<String>, Spanned<Value>> = toml::from_str(text)?;
        let entries = entries
            .into_iter()
            .map(|(key, value)| {
                let entry = Entry { key: key.span(), value_at: value.span(), value: value.into_inner() };
                (key.into_inner(), entry)
            })
            .collect();
        Ok(Self { text: text.to_owned(), entries })
    }

    /// Known keys with their values, and a problem for each of the others.
    pub(super) fn into_values(self, path: &str) -> (Vec<(Key, String, Raw)>, Vec<Problem>) {
        let (mut known, mut unknowns) = (Vec::new(), Vec::new());
        for (name, entry) in self.entries {
            match Key::named(&name) {
                Some(key) => known.push((key, format!("{path}: {name}"), Raw::from(entry.value))),
                None if name == SCHEMA_KEY => {}
                None => unknowns.push(unknown(&name, path)),
            }
        }
        known.sort_by_key(|(key, ..)| *key);
        let more = unknowns.len().saturating_sub(MOST_UNKNOWN);
        if more > 0 {
            unknowns.truncate(MOST_UNKNOWN);
            unknowns.push(many_unknown(more, path));
        }
        (known, unknowns)
    }
}

pub(super) fn unknown(name: &str, place: &str) -> Problem {
    let name: String = name.chars().take(64).collect();
    // The environment's spelling, and that of other programs' files, is no other word.
    let plain = name.to_lowercase().replace('-', "_");
    let nearest = Key::ALL.into_iter().map(|key| (distance(&plain, key.name()), key.name())).min();
    let place = format!("{place}: {name}");
    match nearest {
        Some((steps, near)) if steps <= 3 => {
            Reason::SettingMisspelt { key: name, nearest: near.to_owned() }.at(place)
        }
        _ => Reason::SettingUnknown { key: name }.at(place),
    }
}

fn many_unknown(more: usize, path: &str) -> Problem {
    Reason::SettingsUnknown { more: more.to_string() }.at(path)
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

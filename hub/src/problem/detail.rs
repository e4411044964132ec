//! A part of a problem.

#[cfg(test)]
use super::CODE;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Part of what went wrong, as another room states it: an id with arguments instead of a finished sentence, so that
/// every face can say it in its language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Detail {
    /// Stable, kebab-case; its localised text is `detail-<code>`.
    #[cfg_attr(test, schemars(regex(pattern = CODE)))]
    pub code: String,
    /// In English, for logs and programs, and for faces that do not know the code.
    pub text: String,
    /// For the localised text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// Arguments of that text which are themselves said in the person's language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, Detail>,
}

impl Detail {
    /// What somebody else says: the system, a library, a server. Shown as it is.
    pub fn verbatim(words: impl std::fmt::Display) -> Self {
        let words = words.to_string();
        Detail::new("verbatim", &words).with("words", words)
    }

    pub fn new(code: &str, text: impl std::fmt::Display) -> Self {
        Self {
            code: code.to_owned(),
            text: text.to_string(),
            args: BTreeMap::new(),
            details: BTreeMap::new(),
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }

    #[must_use]
    pub fn detail(mut self, name: &str, detail: impl Into<Detail>) -> Self {
        self.details.insert(name.to_owned(), detail.into());
        self
    }
}

impl std::fmt::Display for Detail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

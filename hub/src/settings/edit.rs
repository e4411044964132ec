//! `settings set`: the user's file with one value changed and everything else as the person wrote it.

use super::document::{Document, SCHEMA_KEY, unknown};
use super::migrations::SCHEMA;
use super::value::Raw;
use super::{Key, Layers, MachineFiles, Provenance, Settings, SettingsFile, managed};
use crate::locale::Locale;
use crate::problem::Reason;
use crate::protocol::Problem;

/// The new text of the user's file. `value` is spelt as in the environment (lists with commas); `None` removes the
/// setting, so that the layer below applies again.
///
/// # Errors
/// No such setting, a value out of bounds, a setting that the machine decides on, or a user's file that cannot be read.
pub fn set(layers: &Layers, name: &str, value: Option<&str>) -> Result<String, Problem> {
    let path = layers.user.path.as_str();
    let key = Key::named(name).ok_or_else(|| unknown(name, path))?;
    let by_tenancy = key.follows_tenancy().then(|| layers.tenant_decided_by()).flatten();
    let decided = by_tenancy.or_else(|| layers.set_by_machine(name));
    if let Some(machine) = decided {
        return Err(managed(key, format!("{path}: {name}"), &machine));
    }
    let own = layers.user.document(&mut Vec::new())?;
    keeps_token(&[&own], key, value, path)?;
    edited(&layers.user, key, value)
}

/// A token that is there is sent to whichever tenant is named: it has to go first.
fn keeps_token(documents: &[&Document], key: Key, value: Option<&str>, path: &str) -> Result<(), Problem> {
    let names_tenant = matches!(key, Key::ServerUrl | Key::TenantId);
    let entry = |name: &str| documents.iter().find_map(|document| document.entries.get(name));
    // Also where none is named at this moment: whose the token is then, nobody knows.
    let was = entry(key.name()).and_then(|entry| entry.value.as_str());
    if !names_tenant || value.is_none() || was == value || entry(Key::TenantToken.name()).is_none() {
        return Ok(());
    }
    Err(Reason::SettingTokenFirst { key: key.name().to_owned() }.at(format!("{path}: {}", key.name())))
}

/// The file of the machine that says `name`, or is to say it, and its new text. `value` as for [`set`]. The secret goes
/// where root alone reads.
///
/// # Errors
/// No such setting, a value out of bounds, or a file that cannot be read.
pub fn set_for_machine<'a>(
    files: &'a MachineFiles,
    name: &str,
    value: Option<&str>,
) -> Result<(&'a SettingsFile, String), Problem> {
    let key = Key::named(name).ok_or_else(|| unknown(name, &files.shared.path))?;
    let private = files.private.document(&mut Vec::new())?;
    let shared = files.shared.document(&mut Vec::new())?;
    keeps_token(&[&shared, &private], key, value, &files.shared.path)?;
    let is_private = key == Key::TenantToken || private.entries.contains_key(name);
    let file = if is_private { &files.private } else { &files.shared };
    Ok((file, edited(file, key, value)?))
}

fn edited(file: &SettingsFile, key: Key, value: Option<&str>) -> Result<String, Problem> {
    let (name, path) = (key.name(), file.path.as_str());
    let document = file.document(&mut Vec::new())?;
    let wrong = |kind: super::value::Kind| kind.problem(key, format!("{path}: {name}"));
    // A table may be spread over the file (`user.x = 1`, `[user]`): there is no one place to change.
    if document.entries.get(name).is_some_and(|entry| holds_tables(&entry.value)) {
        return Err(wrong(super::value::Kind::of(key)));
    }
    let literal = match value {
        None => None,
        Some(value) => Some(spelling(key, value).map_err(wrong)?),
    };
    // Only where a person chooses: IT may ask for a language before its texts are there.
    if let (Key::Language, Some(tag)) = (key, value)
        && !Locale::speaks(tag)
    {
        return Err(not_spoken(tag, &format!("{path}: {name}")));
    }
    Ok(with_schema(changed(document, key, literal.as_deref())))
}

/// There are no texts in this language.
pub fn not_spoken(tag: &str, place: &str) -> Problem {
    let tag: String = tag.chars().take(35).collect();
    let known: Vec<&str> = Locale::tags().collect();
    Reason::LanguageNotSpoken { tag, known: known.join(", ") }.at(place)
}

/// The value in TOML, in its normal form.
fn spelling(key: Key, value: &str) -> Result<String, super::value::Kind> {
    let mut settings = Settings::default();
    settings.put(key, Raw::Text(value.to_owned()), Provenance::User)?;
    Ok(match key {
        Key::RestPort => settings.rest_port.value.to_string(),
        Key::RestHttp => settings.rest_http.value.to_string(),
        Key::SdkApproved => listed(&settings.sdk_approved.value),
        Key::SdkDenied => listed(&settings.sdk_denied.value),
        Key::TenantToken => quoted(settings.tenant_token.value.as_ref().map_or("", |secret| &secret.0)),
        _ => quoted(settings.text(key).as_deref().unwrap_or_default()),
    })
}

fn listed(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

/// A basic string of TOML 1.0. Control characters are refused before.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn changed(document: Document, key: Key, literal: Option<&str>) -> String {
    let mut text = document.text;
    match (document.entries.get(key.name()), literal) {
        (Some(entry), Some(literal)) => text.replace_range(entry.value_at.clone(), literal),
        (Some(entry), None) => {
            let start = text[..entry.key.start].rfind('\n').map_or(0, |at| at + 1);
            let end = line_end(&text, entry.value_at.end);
            text.replace_range(start..end, "");
        }
        (None, Some(literal)) => {
            // Behind the last plain value: what follows a table's header would belong to the table.
            let plain = document.entries.values().filter(|entry| !holds_tables(&entry.value));
            let at = plain.map(|entry| line_end(&text, entry.value_at.end)).max().unwrap_or(0);
            let line = format!("{} = {literal}\n", key.name());
            let gap = if at > 0 && !text[..at].ends_with('\n') { "\n" } else { "" };
            text.insert_str(at, &format!("{gap}{line}"));
        }
        (None, None) => {}
    }
    text
}

/// A table or an array of tables: it may be written under a header of its own.
fn holds_tables(value: &toml::Value) -> bool {
    value.is_table() || value.as_array().is_some_and(|items| items.iter().any(toml::Value::is_table))
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |at| from + at + 1)
}

fn with_schema(text: String) -> String {
    // Not in today's form where an edit broke it; then it is written as it is.
    let Ok(document) = Document::parse(&text) else { return text };
    match document.entries.get(SCHEMA_KEY) {
        None => format!("{SCHEMA_KEY} = {SCHEMA}\n{text}"),
        // A table has no one place for the number.
        Some(entry) if holds_tables(&entry.value) => text,
        Some(entry) if entry.value.as_integer().is_none_or(|schema| schema < SCHEMA) => {
            let mut text = text;
            text.replace_range(entry.value_at.clone(), &SCHEMA.to_string());
            text
        }
        Some(_) => text,
    }
}

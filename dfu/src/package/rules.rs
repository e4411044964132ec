//! `rules.json`: what a package is for. `dfu/schema/rules.schema.json` is made of these types.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{LIMITS, RULES_FILE};
use crate::method::{Method, MethodUnknown};
use crate::text::characters;
use crate::version::FirmwareVersion;
#[cfg(test)]
use crate::version::PATTERN as VERSION;

/// The schema this build reads and writes.
pub const RULES_SCHEMA: u32 = 1;

const TEXT_CHARS: usize = 100;
const NOTES_CHARS: usize = 4000;
/// Most devices in [`Rules::targets`].
pub const TARGETS: usize = 64;
/// Most entries of [`Rules::components`].
pub const COMPONENTS: usize = 16;
/// Longest [`Component::id`].
pub const ID_BYTES: usize = 32;
/// Longest [`Component::file`].
pub const FILE_BYTES: usize = 128;
/// Largest [`Rules::expected_minutes`].
pub const MINUTES: u32 = 240;

/// `rules.json`. A wire type: its JSON form is published as the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Always 1.
    #[cfg_attr(test, schemars(extend("const" = RULES_SCHEMA)))]
    pub schema: u32,
    /// Name of the firmware, as shown.
    #[cfg_attr(test, schemars(length(min = 1, max = TEXT_CHARS), regex(pattern = r"^[^\x00-\x1f\x7f]*$")))]
    pub name: String,
    /// Who made it, as shown.
    #[cfg_attr(test, schemars(length(min = 1, max = TEXT_CHARS), regex(pattern = r"^[^\x00-\x1f\x7f]*$")))]
    pub vendor: String,
    /// Version of the package as a whole.
    #[cfg_attr(test, schemars(with = "String", regex(pattern = VERSION), extend("not" = { "const": "0xffff" })))]
    pub version: FirmwareVersion,
    /// The devices it is for, by the ids of their normal operation.
    #[cfg_attr(test, schemars(length(min = 1, max = TARGETS), extend("uniqueItems" = true)))]
    pub targets: Vec<Target>,
    /// What it holds, in the order of installation. No two share an id, or a file (upper and lower case count as the same).
    #[cfg_attr(test, schemars(length(min = 1, max = COMPONENTS)))]
    pub components: Vec<Component>,
    /// How long an update takes, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(test, schemars(with = "u32", range(min = 1, max = MINUTES)))]
    pub expected_minutes: Option<u32>,
    /// Text for the person who decides.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(test, schemars(with = "String", length(max = NOTES_CHARS), regex(pattern = r"^[^\x00-\x08\x0b-\x1f\x7f]*$")))]
    pub release_notes: Option<String>,
    /// Charge below which the update is not begun, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(test, schemars(with = "u8", range(max = 100)))]
    pub battery_percent_minimum: Option<u8>,
}

/// A device, by the ids it has in normal operation. Written as four hexadecimal digits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// idVendor.
    #[serde(with = "hex_id")]
    #[cfg_attr(test, schemars(with = "String", regex(pattern = "^[0-9a-f]{4}$")))]
    pub vid: u16,
    /// idProduct.
    #[serde(with = "hex_id")]
    #[cfg_attr(test, schemars(with = "String", regex(pattern = "^[0-9a-f]{4}$")))]
    pub pid: u16,
}

/// One file that goes to the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Name within the package.
    #[cfg_attr(test, schemars(regex(pattern = "^[a-z0-9-]{1,32}$")))]
    pub id: String,
    /// Entry of the archive.
    #[cfg_attr(test, schemars(length(max = FILE_BYTES), regex(pattern = "^[A-Za-z0-9_-]+([./][A-Za-z0-9_-]+)*$")))]
    #[cfg_attr(test, schemars(extend("not" = { "pattern": r"^[Rr][Uu][Ll][Ee][Ss]\.[Jj][Ss][Oo][Nn]$" })))]
    pub file: String,
    /// How it gets into the device.
    #[cfg_attr(test, schemars(with = "String", extend("enum" = Method::ALL)))]
    pub method: Method,
    /// What the device reports once it runs this.
    #[cfg_attr(test, schemars(with = "String", regex(pattern = VERSION), extend("not" = { "const": "0xffff" })))]
    pub version: FirmwareVersion,
    /// Bytes of the file, DFU suffix included.
    #[cfg_attr(test, schemars(range(min = 1, max = LIMITS.file_bytes)))]
    pub size: u64,
    /// CRC-32 (as in zip) of the file, DFU suffix included.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(test, schemars(with = "String", regex(pattern = "^[0-9a-f]{8}$")))]
    pub crc32: Option<Crc32>,
}

/// A CRC-32 as zip uses it. Written as eight lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crc32(pub u32);

/// The texts of `rules.json` that are shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextField {
    /// `name`
    Name,
    /// `vendor`
    Vendor,
    /// `release_notes`
    ReleaseNotes,
}

/// What is wrong in `rules.json`.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// No JSON, or not of the form of the schema.
    #[error("{RULES_FILE} line {}, column {}: {source}", source.line(), source.column())]
    Json {
        /// What the parser says, with its position.
        source: serde_json::Error,
    },
    /// Written for another version of this program.
    #[error("{RULES_FILE} has schema {found}: this program knows {RULES_SCHEMA}; update it, or pack again")]
    Schema {
        /// The schema it has.
        found: u32,
    },
    /// A component that gets into its device in a way that is not built.
    #[error("{RULES_FILE}: component {id:?}: {source}; update this program")]
    Method {
        /// Its id, cut to 40 characters.
        id: String,
        /// The method.
        source: MethodUnknown,
    },
    /// A text that is empty, too long, or holds what does not show itself.
    #[error(
        "{RULES_FILE}: {field} must have {least} to {most} characters, none of them a control character or invisible"
    )]
    Text {
        /// Which.
        field: TextField,
        /// Fewest characters.
        least: usize,
        /// Most characters.
        most: usize,
    },
    /// No target, too many, or the same twice.
    #[error("{RULES_FILE}: targets must be 1 to {TARGETS} different devices, there are {len}{}",
        if *.repeated { ", some of them twice" } else { "" })]
    Targets {
        /// How many there are.
        len: usize,
        /// Whether one is there twice.
        repeated: bool,
    },
    /// No component, or too many.
    #[error("{RULES_FILE}: components must be 1 to {COMPONENTS}, there are {len}")]
    Components {
        /// How many there are.
        len: usize,
    },
    /// An id that is none.
    #[error(
        "{RULES_FILE}: component {index} (from 0) has id {id:?}: expected 1 to {ID_BYTES} of a-z, 0-9 and -"
    )]
    Id {
        /// Which component.
        index: usize,
        /// Its id.
        id: String,
    },
    /// A file name that is none.
    #[error(
        "{RULES_FILE}: component {id:?} has file {file:?}: expected up to {FILE_BYTES} of A-Z, a-z, 0-9, _ and -, \
         with single points and slashes in between, and not {RULES_FILE} itself"
    )]
    File {
        /// Which component.
        id: String,
        /// Its file.
        file: String,
    },
    /// The same id or file (but for case) twice.
    #[error("{RULES_FILE}: component {id:?} repeats the id or the file of another")]
    Repeated {
        /// The later one.
        id: String,
    },
    /// A size that is none.
    #[error("{RULES_FILE}: component {id:?} has size {size}: expected 1 to {} bytes", LIMITS.file_bytes)]
    Size {
        /// Which component.
        id: String,
        /// Its size.
        size: u64,
    },
    /// Minutes out of range.
    #[error("{RULES_FILE}: expected_minutes is {minutes}: expected 1 to {MINUTES}")]
    Minutes {
        /// What it says.
        minutes: u32,
    },
    /// A percentage out of range.
    #[error("{RULES_FILE}: battery_percent_minimum is {percent}: expected 0 to 100")]
    BatteryPercent {
        /// What it says.
        percent: u8,
    },
}

impl Rules {
    /// Reads `rules.json`.
    ///
    /// Errors: see [`RulesError`]; [`RulesError::Json`] has line and column.
    pub fn parse(json: &[u8]) -> Result<Rules, RulesError> {
        #[derive(Deserialize)]
        struct Head {
            schema: u32,
        }
        #[derive(Deserialize)]
        struct Methods {
            #[serde(default)]
            components: Vec<Named>,
        }
        #[derive(Deserialize)]
        struct Named {
            #[serde(default)]
            id: String,
            method: String,
        }
        let broken = |source| RulesError::Json { source };
        // A later schema has fields that are not known here: its number is the better message.
        let Head { schema } = serde_json::from_slice(json).map_err(broken)?;
        if schema != RULES_SCHEMA {
            return Err(RulesError::Schema { found: schema });
        }
        // So is the name of a method that a later version knows. Whatever else is wrong, the whole form tells.
        let methods =
            serde_json::from_slice(json).map_or_else(|_| Vec::new(), |read: Methods| read.components);
        for Named { id, method } in methods {
            if let Err(source) = method.parse::<Method>() {
                return Err(RulesError::Method { id: id.chars().take(40).collect(), source });
            }
        }
        let rules: Rules = serde_json::from_slice(json).map_err(broken)?;
        rules.check()?;
        Ok(rules)
    }

    /// The file, indented, with a newline at its end. [`Rules::parse`] is its inverse.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json =
            serde_json::to_vec_pretty(self).expect("invariant: neither a map key nor a float is in Rules");
        json.push(b'\n');
        json
    }

    pub(super) fn check(&self) -> Result<(), RulesError> {
        if self.schema != RULES_SCHEMA {
            return Err(RulesError::Schema { found: self.schema });
        }
        check_text(TextField::Name, &self.name)?;
        check_text(TextField::Vendor, &self.vendor)?;
        if let Some(notes) = &self.release_notes {
            check_text(TextField::ReleaseNotes, notes)?;
        }
        let len = self.targets.len();
        let repeated = self.targets.iter().collect::<BTreeSet<_>>().len() < len;
        if !(1..=TARGETS).contains(&len) || repeated {
            return Err(RulesError::Targets { len, repeated });
        }
        if let Some(minutes) = self.expected_minutes.filter(|minutes| !(1..=MINUTES).contains(minutes)) {
            return Err(RulesError::Minutes { minutes });
        }
        if let Some(percent) = self.battery_percent_minimum.filter(|percent| *percent > 100) {
            return Err(RulesError::BatteryPercent { percent });
        }
        self.check_components()
    }

    fn check_components(&self) -> Result<(), RulesError> {
        if !(1..=COMPONENTS).contains(&self.components.len()) {
            return Err(RulesError::Components { len: self.components.len() });
        }
        let (mut ids, mut files) = (BTreeSet::new(), BTreeSet::new());
        for (index, component) in self.components.iter().enumerate() {
            let Component { id, file, size, .. } = component;
            if !is_id(id) {
                return Err(RulesError::Id { index, id: id.chars().take(40).collect() });
            }
            if !is_file(file) {
                return Err(RulesError::File { id: id.clone(), file: file.chars().take(140).collect() });
            }
            if !ids.insert(id) || !files.insert(file.to_ascii_lowercase()) {
                return Err(RulesError::Repeated { id: id.clone() });
            }
            if !(1..=LIMITS.file_bytes).contains(size) {
                return Err(RulesError::Size { id: id.clone(), size: *size });
            }
        }
        Ok(())
    }
}

fn check_text(field: TextField, text: &str) -> Result<(), RulesError> {
    let notes = field == TextField::ReleaseNotes;
    let (least, most) = if notes { (0, NOTES_CHARS) } else { (1, TEXT_CHARS) };
    let odd = |(c, shown): (char, bool)| !(shown || notes && matches!(c, '\n' | '\t'));
    if !(least..=most).contains(&text.chars().count()) || characters(text).any(odd) {
        return Err(RulesError::Text { field, least, most });
    }
    Ok(())
}

fn is_id(id: &str) -> bool {
    (1..=ID_BYTES).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_file(file: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    file.len() <= FILE_BYTES
        && !file.eq_ignore_ascii_case(RULES_FILE)
        && file.split(['/', '.']).all(|part| !part.is_empty() && part.bytes().all(word))
}

impl fmt::Display for TextField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TextField::Name => "name",
            TextField::Vendor => "vendor",
            TextField::ReleaseNotes => "release_notes",
        })
    }
}

impl fmt::Display for Crc32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl Serialize for Crc32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Crc32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Crc32, D::Error> {
        hex_digits(&String::deserialize(deserializer)?, 8).map(Crc32)
    }
}

/// An optional field is left out, not null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn hex_digits<E: de::Error>(text: &str, digits: usize) -> Result<u32, E> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() == digits && text.bytes().all(lower) {
        return u32::from_str_radix(text, 16).map_err(E::custom);
    }
    let shown: String = text.chars().take(16).collect();
    Err(E::custom(format_args!("{shown:?}: expected {digits} lower-case hexadecimal digits")))
}

/// USB ids as they are written everywhere: four hexadecimal digits.
mod hex_id {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(id: &u16, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{id:04x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
        super::hex_digits(&String::deserialize(deserializer)?, 4).map(|id| id as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::Rules;
    use crate::contract::{hold, input};

    #[test]
    fn the_rules_are_made_of_the_types() {
        let schema = input::<Rules>("rules.json of a firmware package");
        hold(env!("CARGO_MANIFEST_DIR"), "schema/rules.schema.json", &schema);
    }
}

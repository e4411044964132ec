//! One answer is one envelope: compact JSON with its keys in ordinal order, which some clients search by text.

use serde::Serialize;

/// What came of a request; [`Envelope::json`] is how it is sent.
#[derive(Debug, Serialize)]
pub struct Envelope<T> {
    #[serde(rename = "Description")]
    description: &'static str,
    #[serde(rename = "Err", skip_serializing_if = "Option::is_none")]
    err: Option<Failure>,
    // Absent on error: a typed client reads no null.
    #[serde(rename = "Result", skip_serializing_if = "Option::is_none")]
    result: Option<T>,
    #[serde(rename = "Type")]
    kind: u8,
    #[serde(rename = "Type_Name")]
    kind_name: &'static str,
    #[serde(rename = "isError")]
    is_error: bool,
}

#[derive(Debug, Serialize)]
struct Failure {
    #[serde(rename = "Description")]
    description: String,
    #[serde(rename = "Error_Code")]
    error_code: u8,
    #[serde(rename = "Type")]
    kind: u8,
}

/// The kinds of results that are answered, with the numbers that clients check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool = 2,
    Integer = 3,
    DeviceInfo = 4,
    DeviceEventArray = 6,
    SessionHash = 7,
    String = 8,
    CallManagerState = 9,
    CallStateArray = 10,
    ContactArray = 11,
    StringArray = 12,
}

/// Why there is no result. Clients compare the texts of all but the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// In English.
    Exception(String),
    NoDevice,
    PluginExists,
    InvalidPlugin,
    InvalidSession,
    EmptySession,
    /// No room for a plugin more, of whose calls none could be ended for it.
    TooManyPlugins,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Bool => "Bool",
            Self::Integer => "Integer",
            Self::DeviceInfo => "DeviceInfo",
            Self::DeviceEventArray => "DeviceEventArray",
            Self::SessionHash => "SessionHash",
            Self::String => "String",
            Self::CallManagerState => "CallManagerState",
            Self::CallStateArray => "CallStateArray",
            Self::ContactArray => "ContactArray",
            Self::StringArray => "StringArray",
        }
    }
}

impl Error {
    fn text(self) -> (u8, String) {
        let (kind, text) = match self {
            Self::Exception(text) => return (2, text),
            Self::NoDevice => (5, "There are no supported devices"),
            Self::PluginExists => (5, "Plugin exists"),
            Self::InvalidPlugin => (5, "Invalid plugin name"),
            Self::TooManyPlugins => (5, "There are too many plugins"),
            Self::InvalidSession => (3, "Invalid session id"),
            Self::EmptySession => (3, "Empty session id"),
        };
        (kind, text.to_owned())
    }

    pub fn json(self) -> String {
        let (kind, description) = self.text();
        let err = Some(Failure { description, error_code: 0, kind });
        let (result, is_error) = (None::<()>, true);
        Envelope { description: "", err, result, kind: 1, kind_name: "Error", is_error }.json()
    }
}

impl<T: Serialize> Envelope<T> {
    pub fn new(description: &'static str, kind: Kind, result: T) -> Self {
        let (kind, kind_name) = (kind as u8, kind.name());
        Self { description, err: None, result: Some(result), kind, kind_name, is_error: false }
    }

    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("invariant: envelopes have text keys")
    }
}

/// The answer as a script that calls `callback`.
pub fn script(callback: &str, json: &str) -> String {
    // Ends of lines in scripts of old browsers, plain characters in JSON.
    let json = json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    format!("{callback}({json});")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_ordinal_order_and_an_error_has_no_result() {
        assert_eq!(
            Envelope::new("Is Active", Kind::Bool, true).json(),
            r#"{"Description":"Is Active","Result":true,"Type":2,"Type_Name":"Bool","isError":false}"#
        );
        assert_eq!(
            Error::InvalidSession.json(),
            r#"{"Description":"","Err":{"Description":"Invalid session id","Error_Code":0,"Type":3},"Type":1,"Type_Name":"Error","isError":true}"#
        );
        let name = Envelope::new("", Kind::String, "a\u{2028}b").json();
        assert!(script("f", &name).starts_with("f({") && !script("f", &name).contains('\u{2028}'));
    }
}

//! `settings list`: what is in force and why.

use super::{Key, Provenance, Settings};
use serde::Serialize;
use serde_json::Value;

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("if" = tests::of_the_secret(), "then" = tests::hidden())))]
pub struct Listed {
    #[cfg_attr(test, schemars(extend("enum" = Key::ALL.map(Key::name))))]
    pub key: &'static str,
    /// Null = not set. A secret that is set shows as `(set)`.
    #[cfg_attr(test, schemars(extend("oneOf" = tests::values())))]
    pub value: Value,
    pub from: Provenance,
    /// Set by IT: `settings set` refuses it.
    pub locked: bool,
    /// The file or variable that sets it, or by which it is locked; null = nobody has.
    pub place: Option<String>,
}

impl Settings {
    pub fn list(&self) -> Vec<Listed> {
        Key::ALL.into_iter().map(|key| self.get(key)).collect()
    }

    pub fn get(&self, key: Key) -> Listed {
        let from = self.provenance(key);
        let value = match key {
            Key::RestPort => Value::from(self.rest_port.value),
            Key::RestHttp => Value::from(self.rest_http.value),
            Key::SdkApproved => Value::from(self.sdk_approved.value.clone()),
            Key::SdkDenied => Value::from(self.sdk_denied.value.clone()),
            Key::TenantToken => Value::from(self.tenant_token.value.as_ref().map(|_| "(set)")),
            _ => Value::from(self.text(key)),
        };
        Listed {
            key: key.name(),
            value,
            from,
            place: self.places.get(&key).cloned(),
            locked: from >= Provenance::Machine || (self.tenant_locked && key.follows_tenancy()),
        }
    }

    /// The value of a setting that is a plain text; never a secret.
    pub(super) fn text(&self, key: Key) -> Option<String> {
        match key {
            Key::Language => self.language.value.clone(),
            Key::ServerUrl => self.server_url.value.clone(),
            Key::TenantId => self.tenant_id.value.clone(),
            Key::TenantRoot => self.tenant_root.value.clone(),
            Key::TenantCa => self.tenant_ca.value.clone(),
            Key::User => self.user.value.clone(),
            Key::Headset => self.headset.value.clone(),
            Key::LogLevel => Some(self.log_level.value.clone()),
            Key::RestPort | Key::RestHttp | Key::SdkApproved | Key::SdkDenied | Key::TenantToken => None,
        }
    }

    fn provenance(&self, key: Key) -> Provenance {
        match key {
            Key::RestPort => self.rest_port.from,
            Key::RestHttp => self.rest_http.from,
            Key::SdkApproved => self.sdk_approved.from,
            Key::SdkDenied => self.sdk_denied.from,
            Key::Language => self.language.from,
            Key::ServerUrl => self.server_url.from,
            Key::TenantId => self.tenant_id.from,
            Key::TenantToken => self.tenant_token.from,
            Key::TenantRoot => self.tenant_root.from,
            Key::TenantCa => self.tenant_ca.from,
            Key::User => self.user.from,
            Key::Headset => self.headset.from,
            Key::LogLevel => self.log_level.from,
        }
    }
}

impl Listed {
    /// A secret that is set: its value is not to be shown.
    pub fn is_hidden(&self) -> bool {
        self.key == Key::TenantToken.name() && !self.value.is_null()
    }

    /// The value as `settings get` prints it and `settings set` takes it.
    pub fn shown(&self) -> String {
        match &self.value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{document, hold};
    use crate::settings::MOST_SOFTPHONES;
    use serde_json::json;

    pub(super) fn values() -> Value {
        json!([
            { "type": "null" },
            { "type": "string" },
            { "type": "boolean" },
            { "type": "integer", "minimum": 0, "maximum": u16::MAX },
            { "type": "array", "maxItems": MOST_SOFTPHONES, "items": { "type": "string" } },
        ])
    }

    pub(super) fn of_the_secret() -> Value {
        json!({ "properties": { "key": { "const": Key::TenantToken.name() } } })
    }

    pub(super) fn hidden() -> Value {
        json!({ "properties": { "value": { "enum": [null, "(set)"] } } })
    }

    #[test]
    fn the_list_is_made_of_the_types() {
        let schema = document::<Vec<Listed>>("hookswitch settings list --json");
        hold(env!("CARGO_MANIFEST_DIR"), "../schemas/settings.schema.json", &schema);
    }
}

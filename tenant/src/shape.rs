//! Texts of the contract that have a form and a name of their own.

use crate::grammar::{HOST_KEY, SLUG, TARGET_NAME, WIRE_ID};
use crate::paths::POLICY_TARGET;
use crate::policy::{ALL_USERS, MAX_FILTER_CHARS};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// Characters that show themselves, as far as a schema can say it.
const PLAIN: &str = r"^(?:[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\u200d)+$";

macro_rules! shapes {
    ($($name:ident: { $($schema:tt)+ },)+) => {
        $(
            pub(crate) struct $name;

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({ "type": "string", $($schema)+ })
                }
            }
        )+
    };
}

shapes! {
    Id: { "pattern": WIRE_ID },
    HostKey: { "pattern": HOST_KEY },
    Slug: { "pattern": SLUG },
    UserName: { "minLength": 1, "maxLength": 256 },
    Version: { "minLength": 1, "maxLength": 64 },
    Name: { "minLength": 1, "maxLength": 200, "pattern": PLAIN },
    Dn: { "minLength": 1, "maxLength": 1_024, "pattern": PLAIN },
    BaseDn: {
        "minLength": 1,
        "maxLength": 1_024,
        "pattern": r"^[ ]*[A-Za-z0-9][A-Za-z0-9.-]*[ ]*=\P{Cc}*$",
    },
    LdapUrl: {
        "maxLength": 300,
        "pattern": concat!(
            r"^ldaps?://(?:[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*|\[[0-9A-Fa-f:.]{2,45}\])",
            "(?::[0-9]{1,5})?$",
        ),
    },
    Filter: {
        "maxLength": MAX_FILTER_CHARS,
        "allOf": [{ "pattern": r"^\(\P{Cc}*\)$" }, { "pattern": r"\$user\$" }],
    },
    GroupId: { "pattern": SLUG, "not": { "const": ALL_USERS } },
    Target: { "pattern": TARGET_NAME, "not": { "const": POLICY_TARGET } },
    BcdVersion: { "pattern": dfu::VERSION_PATTERN, "not": { "const": "0xffff" } },
    TimeOfDay: { "pattern": "^(?:[01][0-9]|2[0-3]):[0-5][0-9]$" },
    Timestamp: {
        "format": "date-time",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})$",
    },
    Caller: {
        "anyOf": [
            { "pattern": TARGET_NAME },
            {
                "maxLength": 1_024,
                "pattern": concat!(
                    r"^(?:(?:/[^/,\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+)+",
                    r"|[A-Za-z]:(?:\\[^\\,\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+)+)$",
                ),
            },
            {
                "maxLength": 300,
                "pattern": concat!(
                    r"^(?:https://(?:[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?",
                    r"|http://(?:localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[[0:]*:0*1\])(?::[0-9]{1,5})?",
                    r"|(?:chrome|moz)-extension://[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*)$",
                ),
            },
        ],
    },
    Email: { "minLength": 3, "maxLength": 254, "pattern": r"^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$" },
    Phone: { "minLength": 1, "maxLength": 64, "pattern": PLAIN },
    Url: { "minLength": 9, "maxLength": 2_048, "pattern": r"^https://[^\s\p{Cc}]+$" },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::{is_host_key, is_slug, is_target_name, is_user_name, is_wire_id};

    fn accepts<T: JsonSchema>() -> impl Fn(&str) -> bool {
        let schema = SchemaGenerator::default().into_root_schema_for::<T>().to_value();
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource("shape.json", schema).expect("a resource");
        let index = compiler.compile("shape.json", &mut schemas).expect("a schema");
        move |text| schemas.validate(&text.into(), index).is_ok()
    }

    #[test]
    fn a_pattern_says_what_its_function_does() {
        let (id, slug, key, user) =
            (accepts::<Id>(), accepts::<Slug>(), accepts::<HostKey>(), accepts::<UserName>());
        let target = accepts::<Target>();
        let texts =
            ["", "a", "A", "a-", "-a", "a.b", ".a", "a:b", "a~b", "a_b", "a/b", "ä", "a b", "a\n", "0"];
        let long = [1, 42, 43, 44, 64, 65, 128, 129, 256, 257].map(|length| "a".repeat(length));
        for text in texts.into_iter().chain(long.iter().map(String::as_str)) {
            assert_eq!(id(text), is_wire_id(text), "id {text:?}");
            assert_eq!(slug(text), is_slug(text), "slug {text:?}");
            assert_eq!(key(text), is_host_key(text), "key {text:?}");
            assert_eq!(target(text), is_target_name(text), "target {text:?}");
            // What does not show itself no schema can say.
            assert!(user(text) || !is_user_name(text), "user {text:?}");
        }
    }
}

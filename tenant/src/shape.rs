//! Texts of the contract that have a form and a name of their own.

use crate::grammar::{HOST_KEY, SLUG, WIRE_ID};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::{is_host_key, is_slug, is_user_name, is_wire_id};

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
        let texts =
            ["", "a", "A", "a-", "-a", "a.b", ".a", "a:b", "a~b", "a_b", "a/b", "ä", "a b", "a\n", "0"];
        let long = [1, 42, 43, 44, 64, 65, 128, 129, 256, 257].map(|length| "a".repeat(length));
        for text in texts.into_iter().chain(long.iter().map(String::as_str)) {
            assert_eq!(id(text), is_wire_id(text), "id {text:?}");
            assert_eq!(slug(text), is_slug(text), "slug {text:?}");
            assert_eq!(key(text), is_host_key(text), "key {text:?}");
            // What does not show itself no schema can say.
            assert!(user(text) || !is_user_name(text), "user {text:?}");
        }
    }
}

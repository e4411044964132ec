//! A published contract, made of the types: schemas come from their derives, names and spellings from serde, what is said
//! of them from their docs. The file in the tree is what was published; a test says where the two differ.
#![allow(dead_code, reason = "each crate makes the documents of its own types")]
#![expect(clippy::disallowed_methods, reason = "reads and writes the published files")]

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};
use std::path::Path;

const ANEW: &str = "UPDATE_GOLDEN=1 cargo test --workspace --lib --bins made_of_the_types";
/// Longest line that is not broken.
const WIDTH: usize = 120;
/// What a reader looks for first in an object of a schema, and last. Anything else is between them, by name.
const FIRST: [&str; 18] = [
    "$schema",
    "$id",
    "$ref",
    "openapi",
    "info",
    "title",
    "$comment",
    "name",
    "in",
    "operationId",
    "summary",
    "description",
    "type",
    "required",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
];
const LAST: [&str; 6] = ["requestBody", "responses", "paths", "components", "properties", "$defs"];

/// The schema of a whole document that is printed or written. It is closed: a member that it does not know is a fault.
pub(crate) fn document<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = titled::<T>(settings, title);
    written(&mut schema);
    close(&mut schema);
    schema
}

/// The schema of a whole document that is read; closed, too.
pub(crate) fn input<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let mut schema = titled::<T>(settings, title);
    plain(&mut schema);
    close(&mut schema);
    schema
}

fn titled<T: JsonSchema>(settings: SchemaSettings, title: &str) -> Value {
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    schema["title"] = title.into();
    if let Some(members) = schema.as_object_mut() {
        // Of the type, for who reads the source.
        members.remove("description");
    }
    schema
}

/// The schemas of an OpenAPI document.
pub(crate) struct Schemas {
    said: SchemaGenerator,
    asked: SchemaGenerator,
}

impl Schemas {
    pub(crate) fn new() -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.definitions_path = "/components/schemas".into();
        let asked = settings.clone().for_deserialize().into_generator();
        Self { said: settings.for_serialize().into_generator(), asked }
    }

    /// Of what is said: every member that is always there is asked for.
    pub(crate) fn said<T: JsonSchema>(&mut self) -> Value {
        self.said.subschema_for::<T>().to_value()
    }

    /// Of what is asked: members may be left out as the reader lets them.
    pub(crate) fn asked<T: JsonSchema>(&mut self) -> Value {
        self.asked.subschema_for::<T>().to_value()
    }

    /// `components.schemas`.
    pub(crate) fn all(mut self) -> Value {
        let mut all = Value::Object(self.said.take_definitions(true));
        written(&mut all);
        let mut asked = Value::Object(self.asked.take_definitions(true));
        plain(&mut asked);
        for (name, schema) in asked.as_object().into_iter().flatten() {
            let said = &mut all[name];
            assert!(said.is_null() || said == schema, "{name} is read otherwise than it is written");
            *said = schema.clone();
        }
        all
    }
}

/// A schema of what is said: what is left out where it is nothing is never null.
fn written(schema: &mut Value) {
    plain(schema);
    never_null(schema);
}

/// As JSON Schema and people read it: no names of Rust's numbers, sentences instead of lines, words as a list.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(plain);
            number(members);
            words(members);
            flattened(members);
            defaults(members);
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(!text.contains("[`"), "not everybody who reads this has the Rust: {text}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

fn number(schema: &mut Map<String, Value>) {
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    if !format.starts_with("uint") && !format.starts_with("int") {
        return;
    }
    if format == "uint32" {
        schema.entry("maximum").or_insert_with(|| u32::MAX.into());
    }
    schema.remove("format");
    if schema.contains_key("const") {
        schema.remove("minimum");
        schema.remove("maximum");
    }
}

/// An enum without data: its words in one list, and what each means behind what all of them are.
fn words(schema: &mut Map<String, Value>) {
    let Some(Value::Array(all)) = schema.get("oneOf") else { return };
    let (mut list, mut meanings) = (Vec::new(), Vec::new());
    for one in all.iter().filter(|one| one["type"] == "string") {
        let of_one = one.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
        let words: Vec<Value> = one.get("const").cloned().into_iter().chain(of_one).collect();
        if let (Some(meaning), [Value::String(word)]) = (one["description"].as_str(), words.as_slice()) {
            meanings.push(format!("`{word}`: {meaning}"));
        }
        list.extend(words);
    }
    if list.len() < all.len() {
        return;
    }
    schema.remove("oneOf");
    let head = schema.get("description").and_then(Value::as_str).map(str::to_owned);
    let text: Vec<String> = head.into_iter().chain(meanings).collect();
    if !text.is_empty() {
        schema.insert("description".to_owned(), text.join(" ").into());
    }
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), list.into());
}

/// An enum whose members stand among those of the struct that has it: one of them is there.
fn flattened(schema: &mut Map<String, Value>) {
    if !schema.contains_key("properties") {
        return;
    }
    let Some(Value::Array(all)) = schema.get_mut("oneOf") else { return };
    all.retain(|one| one["type"] == "object");
    let mut lifted = Map::new();
    for one in all {
        let what = one["description"].take();
        for (name, property) in one["properties"].as_object_mut().into_iter().flatten() {
            property["description"] = what.clone();
            lifted.insert(name.clone(), property.take());
        }
        *one = json!({ "required": one["required"] });
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.extend(lifted);
    }
}

/// A default says what it means that a member is not there.
fn defaults(schema: &mut Map<String, Value>) {
    for (property, always) in properties(schema) {
        if always || property.get("default") == Some(&Value::Null) {
            property.remove("default");
        }
    }
}

fn never_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (property, always) in properties(members) {
                if always {
                    continue;
                }
                if let Some(Value::Array(types)) = property.get_mut("type") {
                    types.retain(|one| one != "null");
                    if let [one] = types.as_slice() {
                        property["type"] = one.clone();
                    }
                }
                if let Some(Value::Array(any)) = property.get_mut("anyOf") {
                    any.retain(|one| one["type"] != "null");
                    if let [Value::Object(one)] = any.as_slice() {
                        let one = one.clone();
                        property.remove("anyOf");
                        property.extend(one);
                    }
                }
            }
            members.values_mut().for_each(never_null);
        }
        Value::Array(items) => items.iter_mut().for_each(never_null),
        _ => {}
    }
}

/// The members of a type, and whether each is always there.
fn properties(schema: &mut Map<String, Value>) -> impl Iterator<Item = (&mut Map<String, Value>, bool)> {
    let always = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flatten().filter_map(move |(name, property)| {
        let always = always.iter().any(|one| one == name);
        Some((property.as_object_mut()?, always))
    })
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_type = members.get("type").is_some_and(|kind| kind == "object");
            if is_type && members.contains_key("properties") {
                members.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Holds what the types say against the published file; `path` begins at the crate's folder.
pub(crate) fn hold(crate_folder: &str, path: &str, now: &Value) {
    let mut text = String::new();
    write(now, &[], 0, &mut text);
    text.push('\n');
    hold_text(&Path::new(crate_folder).join(path), &text);
}

/// As [`hold`], for the part of a page between `<!-- NAME -->` and `<!-- end of NAME -->`.
pub(crate) fn hold_table(crate_folder: &str, path: &str, name: &str, now: &str) {
    let path = Path::new(crate_folder).join(path);
    let page = std::fs::read_to_string(&path).expect("a page");
    let (begin, end) = (format!("<!-- {name} -->\n\n"), format!("\n<!-- end of {name} -->\n"));
    let (before, rest) = page.split_once(&begin).expect("where the table begins");
    let (_, after) = rest.split_once(&end).expect("where the table ends");
    hold_text(&path, &format!("{before}{begin}{now}{end}{after}"));
}

fn hold_text(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, text).expect("the published file is writable");
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    let differs = text.lines().zip(published.lines()).position(|(now, before)| now != before);
    let line = differs.unwrap_or(text.lines().count().min(published.lines().count()));
    assert!(
        text == published,
        "{} is not what the types say, from line {} on. Now:\n{}\npublished:\n{}\n`{ANEW}` writes it anew; look at the \
         difference: somebody may rely on what was published.",
        path.display(),
        line + 1,
        text.lines().nth(line).unwrap_or_default(),
        published.lines().nth(line).unwrap_or_default(),
    );
}

/// JSON in an order for readers, with what is short in one line. `order` is that of the members, as far as it is known.
fn write(value: &Value, order: &[Value], indent: usize, out: &mut String) {
    let short = one_line(value, order);
    if indent + short.len() <= WIDTH && indent > 0 {
        return out.push_str(&short);
    }
    let (open, close) = if value.is_object() { ('{', '}') } else { ('[', ']') };
    let pad = " ".repeat(indent + 2);
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push(open);
            for (n, (name, member)) in in_order(members, order).into_iter().enumerate() {
                out.push_str(if n == 0 { "\n" } else { ",\n" });
                out.push_str(&format!("{pad}{}: ", Value::from(name)));
                write(member, order_of(members, name), indent + 2, out);
            }
            out.push_str(&format!("\n{}{close}", " ".repeat(indent)));
        }
        Value::Array(items) if !items.is_empty() => {
            out.push(open);
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n == 0 { "\n" } else { ",\n" });
                out.push_str(&pad);
                write(item, &[], indent + 2, out);
            }
            out.push_str(&format!("\n{}{close}", " ".repeat(indent)));
        }
        _ => out.push_str(&short),
    }
}

fn one_line(value: &Value, order: &[Value]) -> String {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let members = in_order(members, order).into_iter().map(|(name, member)| {
                format!("{}: {}", Value::from(name), one_line(member, order_of(members, name)))
            });
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| one_line(item, &[]));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Members of a type stand as they do in the type: as far as they are always there, that is the order of `required`.
fn order_of<'a>(schema: &'a Map<String, Value>, member: &str) -> &'a [Value] {
    let required = schema.get("required").filter(|_| member == "properties");
    required.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn in_order<'a>(members: &'a Map<String, Value>, order: &[Value]) -> Vec<(&'a str, &'a Value)> {
    let rank = |name: &str| {
        let known = order.iter().position(|one| one == name);
        let first = known.or_else(|| FIRST.iter().position(|one| *one == name));
        let last = LAST.iter().position(|one| *one == name).map_or(0, |at| at + 1);
        (last, first.unwrap_or(usize::MAX))
    };
    let mut all: Vec<(&str, &Value)> = members.iter().map(|(name, member)| (name.as_str(), member)).collect();
    all.sort_by_key(|(name, _)| rank(name));
    all
}

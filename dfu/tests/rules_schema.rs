//! The committed JSON schema and the code say the same about `rules.json`.

#![expect(clippy::unwrap_used, reason = "tests")]

use boon::{Compiler, Schemas};
use dfu::package::{Rules, RulesError};
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../schema/rules.schema.json");

fn smallest() -> Value {
    json!({
        "schema": 1,
        "name": "n",
        "vendor": "v",
        "version": "1.20",
        "targets": [{ "vid": "1209", "pid": "0001" }],
        "components": [{ "id": "c", "file": "c.dfu", "method": "usb-dfu", "version": "1.20", "size": 1 }],
    })
}

/// The smallest rules with one value replaced (or added).
fn with(pointer: &str, value: Value) -> Value {
    let mut rules = smallest();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match rules.pointer_mut(parent).unwrap() {
        Value::Object(object) => drop(object.insert(key.to_owned(), value)),
        Value::Array(array) => array[key.parse::<usize>().unwrap()] = value,
        other => panic!("{pointer} is in {other}"),
    }
    rules
}

fn without(pointer: &str) -> Value {
    let mut rules = smallest();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    rules.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    rules
}

fn components(count: usize) -> Value {
    let one = |n: usize| json!({ "id": format!("c{n}"), "file": format!("c{n}"), "method": "usb-dfu", "version": "0.00", "size": 1 });
    (0..count).map(one).collect()
}

fn targets(count: usize) -> Value {
    (0..count).map(|pid| json!({ "vid": "1209", "pid": format!("{pid:04x}") })).collect()
}

fn good_cases() -> Vec<Value> {
    vec![
        smallest(),
        with("/name", json!("ü".repeat(100))),
        with("/version", json!("99.99")),
        with("/version", json!("0x0a12")),
        with("/components/0/version", json!("0xfffe")),
        with("/expected_minutes", json!(1)),
        with("/expected_minutes", json!(240)),
        with("/release_notes", json!("")),
        with("/release_notes", json!("a\n\tb")),
        with("/release_notes", json!("x".repeat(4000))),
        with("/battery_percent_minimum", json!(0)),
        with("/battery_percent_minimum", json!(100)),
        with("/targets", targets(64)),
        with("/components", components(16)),
        with("/components/0/crc32", json!("0123abcd")),
        with("/components/0/size", json!(64 << 20)),
        with("/components/0/id", json!("a-0".repeat(10))),
        with("/components/0/file", json!("images/left-ear_2.v1.dfu")),
    ]
}

fn bad_cases() -> Vec<Value> {
    let mut cases = vec![
        json!(null),
        json!([]),
        with("/schema", json!(2)),
        with("/schema", json!("1")),
        with("/unknown", json!(1)),
        with("/targets/0/unknown", json!(1)),
        with("/components/0/unknown", json!(1)),
        with("/name", json!("")),
        with("/name", json!("x".repeat(101))),
        with("/vendor", json!("two\nlines")),
        with("/vendor", json!("\u{7f}")),
        with("/expected_minutes", json!(0)),
        with("/expected_minutes", json!(241)),
        with("/expected_minutes", json!(null)),
        with("/expected_minutes", json!(1.5)),
        with("/release_notes", json!("x".repeat(4001))),
        with("/release_notes", json!("\u{1b}[2J")),
        with("/release_notes", json!(null)),
        with("/battery_percent_minimum", json!(101)),
        with("/battery_percent_minimum", json!(-1)),
        with("/battery_percent_minimum", json!(1000)),
        with("/targets", json!([])),
        with("/targets", targets(65)),
        with("/targets", json!([{ "vid": "1209", "pid": "0001" }, { "vid": "1209", "pid": "0001" }])),
        with("/components", json!([])),
        with("/components", components(17)),
        with("/components/0/method", json!("dfuse")),
        with("/components/0/size", json!(0)),
        with("/components/0/size", json!((64 << 20) + 1)),
        with("/components/0/crc32", json!(null)),
        with("/components/0/crc32", json!("123")),
        with("/components/0/crc32", json!("0123ABCD")),
    ];
    for pointer in ["/schema", "/name", "/vendor", "/version", "/targets", "/components"] {
        cases.push(without(pointer));
    }
    for field in ["id", "file", "method", "version", "size"] {
        cases.push(without(&format!("/components/0/{field}")));
    }
    cases.extend([without("/targets/0/vid"), without("/targets/0/pid")]);
    for version in [
        json!("0xffff"),
        json!("0x0120"),
        json!("0x0A12"),
        json!("0xa12"),
        json!(""),
        json!("1"),
        json!("1.2"),
        json!("01.20"),
        json!("1.2a"),
        json!("100.00"),
        json!(120),
    ] {
        cases.push(with("/version", version.clone()));
        cases.push(with("/components/0/version", version));
    }
    for id in [json!("12"), json!("0x1209"), json!("12g9"), json!("12AB"), json!(4617), json!("+123")] {
        cases.push(with("/targets/0/vid", id));
    }
    for id in ["", "A", "a b", "a/b", "ä", "..", &"a".repeat(33)] {
        cases.push(with("/components/0/id", json!(id)));
    }
    let long = "f".repeat(129);
    let files = [
        "",
        ".",
        "..",
        "../a",
        "a/../b",
        "/a",
        "a/",
        "a//b",
        "./a",
        ".a",
        "a.",
        "a..b",
        "C:a",
        "a:b",
        "a\\b",
        "a b",
        "ä",
        "a\n",
        "rules.json",
        "RULES.json",
        &long,
    ];
    cases.extend(files.map(|file| with("/components/0/file", json!(file))));
    cases
}

#[test]
fn schema_and_code_agree() {
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.add_resource("rules.schema.json", serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let schema = compiler.compile("rules.schema.json", &mut schemas).unwrap();
    for (expected, cases) in [(true, good_cases()), (false, bad_cases())] {
        for case in cases {
            let by_schema = schemas.validate(&case, schema).is_ok();
            let by_code = Rules::parse(&serde_json::to_vec(&case).unwrap());
            assert_eq!(by_code.is_ok(), expected, "code, {by_code:?}: {case}");
            assert_eq!(by_schema, expected, "schema: {case}");
            if let Ok(rules) = by_code {
                assert_eq!(serde_json::from_slice::<Value>(&rules.to_json()).unwrap(), case, "written again");
            }
        }
    }
}

/// For people: an example that holds, and every field there is.
#[test]
fn the_page_on_packages_is_true() {
    let page = include_str!("../../docs/firmware-packages.md");
    let (_, rest) = page.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    Rules::parse(example.as_bytes()).unwrap();
    let rows: String = page.lines().filter(|line| line.starts_with("| `")).collect();
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    for of in ["/properties", "/$defs/Component/properties", "/$defs/Target/properties"] {
        for field in schema.pointer(of).unwrap().as_object().unwrap().keys() {
            assert!(rows.contains(&format!("`{field}`")), "{field} is not explained");
            assert!(example.contains(&format!("\"{field}\"")), "{field} is not shown");
        }
    }
}

/// What a JSON schema cannot say.
#[test]
fn repeated_ids_and_files_are_refused_by_the_code() {
    for (second_id, second_file) in [("c0", "other"), ("other", "C0")] {
        let mut list = components(2);
        list[1]["id"] = json!(second_id);
        list[1]["file"] = json!(second_file);
        let rules = Rules::parse(&serde_json::to_vec(&with("/components", list)).unwrap());
        assert!(matches!(rules, Err(RulesError::Repeated { .. })), "{rules:?}");
    }
}

#[test]
fn a_later_schema_is_named_before_its_unknown_fields() {
    let mut later = with("/schema", json!(2));
    later["something_new"] = json!({});
    let rules = Rules::parse(&serde_json::to_vec(&later).unwrap());
    assert!(matches!(rules, Err(RulesError::Schema { found: 2 })), "{rules:?}");
}

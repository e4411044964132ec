//! What a package is made of, as CycloneDX 1.6 (ECMA-424) has it: each crate with version, licence, hash and what it
//! uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::cargo::{Workspace, date, output, text};
use crate::{Outcome, stop};

/// A crate.
#[derive(Debug, Default, PartialEq, Eq)]
struct Component {
    name: String,
    version: String,
    /// An SPDX expression; empty where the crate names none.
    licence: String,
    /// It runs while the program is built, and is not in it.
    is_macro: bool,
    /// Of this repository.
    is_own: bool,
    uses: BTreeSet<String>,
}

/// The document for the program of `version`, whose source is of `epoch` (seconds since 1970): the same source makes the
/// same bytes.
pub(crate) fn of(workspace: &Workspace, version: &str, epoch: u64) -> Outcome<String> {
    let mut tree = workspace.cargo("tree");
    tree.args(["--package", "hookswitch", "--edges", "normal,build", "--target", "x86_64-unknown-linux-gnu"]);
    let tree = output(tree.args(["--prefix", "depth", "--format", " {p} | {l}"]))?;
    let lock = text(&workspace.root.join("Cargo.lock"))?;
    let time = date(epoch, "+%Y-%m-%dT%H:%M:%SZ")?;
    document(&tree, &hashes(&lock), version, &time)
}

fn document(tree: &str, hashes: &BTreeMap<String, &str>, version: &str, time: &str) -> Outcome<String> {
    let (root, components) = components(tree)?;
    let linked = linked(&root, &components);
    let mut parts = Vec::new();
    for (key, component) in components.iter().filter(|(key, _)| **key != root) {
        let hash = hashes.get(key);
        if hash.is_none() && !component.is_own {
            return Err(stop(format!("Cargo.lock has no check sum of {key}.")));
        }
        parts.push(described(key, component, hash.copied(), linked.contains(key.as_str())));
    }
    let edges: Vec<String> = components
        .iter()
        .map(|(key, component)| {
            let uses: Vec<String> = component.uses.iter().map(|used| quoted(used)).collect();
            format!("    {{ \"ref\": {}, \"dependsOn\": [{}] }}", quoted(key), uses.join(", "))
        })
        .collect();
    let licence = components.get(&root).map_or("", |component| component.licence.as_str());
    Ok(format!(
        "{{\n  \"$schema\": \"http://cyclonedx.org/schema/bom-1.6.schema.json\",\n  \"bomFormat\": \"CycloneDX\",\n  \
         \"specVersion\": \"1.6\",\n  \"version\": 1,\n  \"metadata\": {{\n    \"timestamp\": {},\n    \"component\": {{ \
         \"type\": \"application\", \"bom-ref\": {}, \"name\": \"hookswitch\", \"version\": {}{} }}\n  }},\n  \
         \"components\": [\n{}\n  ],\n  \"dependencies\": [\n{}\n  ]\n}}\n",
        quoted(time),
        quoted(&root),
        quoted(version),
        licences(licence),
        parts.join(",\n"),
        edges.join(",\n"),
    ))
}

fn described(key: &str, component: &Component, hash: Option<&str>, is_linked: bool) -> String {
    let Component { name, version, licence, is_own, .. } = component;
    let mut part = format!(
        "    {{ \"type\": \"library\", \"bom-ref\": {}, \"name\": {}, \"version\": {}, \"scope\": \"{}\"{}",
        quoted(key),
        quoted(name),
        quoted(version),
        if is_linked { "required" } else { "excluded" },
        licences(licence),
    );
    if let Some(hash) = hash {
        let _ = write!(part, ", \"hashes\": [{{ \"alg\": \"SHA-256\", \"content\": {} }}]", quoted(hash));
    }
    if !is_own {
        let _ = write!(part, ", \"purl\": {}", quoted(&format!("pkg:cargo/{name}@{version}")));
    }
    part + " }"
}

/// Older crates write a slash for OR.
fn licences(expression: &str) -> String {
    match expression {
        "" => String::new(),
        said => format!(", \"licenses\": [{{ \"expression\": {} }}]", quoted(&said.replace('/', " OR "))),
    }
}

/// The program's own name, and each crate by `name@version`, out of `cargo tree --prefix depth`.
fn components(tree: &str) -> Outcome<(String, BTreeMap<String, Component>)> {
    let mut components: BTreeMap<String, Component> = BTreeMap::new();
    // Of each depth, the last that was named.
    let mut above: Vec<String> = Vec::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let read = read(line).ok_or_else(|| stop(format!("`cargo tree` says \"{line}\".")))?;
        let (depth, component) = read;
        let key = format!("{}@{}", component.name, component.version);
        above.truncate(depth);
        if let Some(parent) = above.last().and_then(|parent| components.get_mut(parent)) {
            parent.uses.insert(key.clone());
        }
        if above.len() != depth {
            return Err(stop(format!("`cargo tree` skips a depth at \"{line}\".")));
        }
        above.push(key.clone());
        components.entry(key).or_insert(component);
    }
    let root = above.into_iter().next().ok_or_else(|| stop("`cargo tree` names nothing."))?;
    Ok((root, components))
}

/// A line: depth, name, version, remarks in brackets, licence.
fn read(line: &str) -> Option<(usize, Component)> {
    let (depth, rest) = line.split_once(' ')?;
    let (package, licence) = rest.trim_end_matches(" (*)").split_once(" | ")?;
    let mut words = package.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    let remarks: Vec<&str> = words.collect();
    let is_macro = remarks.contains(&"(proc-macro)");
    let is_own = remarks.iter().any(|remark| remark.starts_with("(/"));
    let (name, version, licence) = (name.to_owned(), version.to_owned(), licence.to_owned());
    Some((depth.parse().ok()?, Component { name, version, licence, is_macro, is_own, uses: BTreeSet::new() }))
}

/// What is reached without passing what runs while the program is built. (What build scripts alone use is not told
/// apart from what is linked: `cargo tree` names both alike.)
fn linked<'a>(root: &'a str, components: &'a BTreeMap<String, Component>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![root];
    while let Some(key) = next.pop() {
        let Some(component) = components.get(key).filter(|component| !component.is_macro) else { continue };
        if found.insert(key) {
            next.extend(component.uses.iter().map(String::as_str));
        }
    }
    found
}

/// The check sum of each crate in `Cargo.lock`, which is that of the file that the registry gives out.
fn hashes(lock: &str) -> BTreeMap<String, &str> {
    let of = |block: &'_ str, key: &str| -> Option<(usize, usize)> {
        let start = block.find(&format!("\n{key} = \""))? + key.len() + 5;
        Some((start, start + block.get(start..)?.find('"')?))
    };
    let mut found = BTreeMap::new();
    for block in lock.split("[[package]]").skip(1) {
        let value = |key| of(block, key).and_then(|(start, end)| block.get(start..end));
        if let (Some(name), Some(version), Some(sum)) = (value("name"), value("version"), value("checksum")) {
            found.insert(format!("{name}@{version}"), sum);
        }
    }
    found
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0 hookswitch v0.1.0 (/a b/c) | MIT OR Apache-2.0\n1 derive v2.0.0 (proc-macro) | ISC\n\
        2 syntax v3.0.0 | MIT\n1 hub v0.1.0 (/a/hub) | MIT\n2 json v1.0.0 | MIT/Apache-2.0\n3 syntax v4.0.0 | \n\
        1 json v1.0.0 | MIT/Apache-2.0 (*)\n";

    fn lock() -> String {
        let block = |name: &str, version: &str| {
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"r\"\nchecksum = \"{name}{version}\"\n\n"
            )
        };
        [("derive", "2.0.0"), ("syntax", "3.0.0"), ("syntax", "4.0.0"), ("json", "1.0.0")]
            .map(|(name, version)| block(name, version))
            .concat()
    }

    #[test]
    fn each_crate_has_its_licence_its_hash_and_what_it_uses() {
        let lock = lock();
        let told = document(TREE, &hashes(&lock), "0.1.0", "2026-01-01T00:00:00Z").expect("a document");
        for line in [
            r#"{ "type": "library", "bom-ref": "json@1.0.0", "name": "json", "version": "1.0.0", "scope": "required", "licenses": [{ "expression": "MIT OR Apache-2.0" }], "hashes": [{ "alg": "SHA-256", "content": "json1.0.0" }], "purl": "pkg:cargo/json@1.0.0" }"#,
            r#"{ "type": "library", "bom-ref": "hub@0.1.0", "name": "hub", "version": "0.1.0", "scope": "required", "licenses": [{ "expression": "MIT" }] }"#,
            r#""name": "syntax", "version": "3.0.0", "scope": "excluded""#,
            r#""name": "syntax", "version": "4.0.0", "scope": "required", "hashes""#,
            r#"{ "ref": "hookswitch@0.1.0", "dependsOn": ["derive@2.0.0", "hub@0.1.0", "json@1.0.0"] }"#,
            r#"{ "ref": "json@1.0.0", "dependsOn": ["syntax@4.0.0"] }"#,
        ] {
            assert!(told.contains(line), "{line}\nis not in\n{told}");
        }
        assert!(!told.contains("/a"), "{told}");
    }

    #[test]
    fn what_has_no_hash_or_cannot_be_read_is_an_error() {
        let lock = lock();
        let without = lock.replace("checksum = \"json1.0.0\"", "");
        assert!(document(TREE, &hashes(&without), "1", "t").is_err());
        for tree in ["", "0 x", "x v1 | MIT", "0 hookswitch 1 | MIT", "0 a v1 | MIT\n2 b v1 | MIT\n"] {
            assert!(components(tree).is_err(), "{tree}");
        }
    }

    #[test]
    fn a_name_cannot_leave_its_string() {
        assert_eq!(quoted("a\"b\\c\n"), r#""a\"b\\c\u000a""#);
    }
}

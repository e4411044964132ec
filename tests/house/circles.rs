//! No circle between files: whoever reads one of them can read what it uses first, and stop there.
//!
//! A file that lies below another is part of it, so what a child takes from its own parents is no arrow. Everything
//! else is: `use` trees and written-out paths, by `crate::`, `super::`, `self::` or the name of a child.

use super::source;
use std::collections::{BTreeMap, BTreeSet};

/// Files that are roots of a crate, with the folder their modules lie in.
const ROOTS: [(&str, &str); 11] = [
    ("src/lib.rs", "src"),
    ("hub/src/lib.rs", "hub/src"),
    ("device-handlers/src/lib.rs", "device-handlers/src"),
    ("dfu/src/lib.rs", "dfu/src"),
    ("directory/src/lib.rs", "directory/src"),
    ("tenant/src/lib.rs", "tenant/src"),
    ("tenant/src/bin/hookswitch-tenant/main.rs", "tenant/src/bin/hookswitch-tenant"),
    ("simulator/src/lib.rs", "simulator/src"),
    ("simulator/src/bin/hookswitch-sim.rs", "simulator/src/bin/hookswitch-sim"),
    ("torture/src/main.rs", "torture/src"),
    ("xtask/src/main.rs", "xtask/src"),
];

/// The modules of one crate: path from the root, and file.
type Modules<'a> = BTreeMap<Vec<&'a str>, &'a str>;

fn modules<'a>(files: &'a [(String, String)], root: &'a str, folder: &str) -> Modules<'a> {
    let inside = |path: &'a str| {
        let rest = path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".rs")?;
        let foreign = path.contains("/src/bin/") && !folder.contains("/src/bin/");
        (path != root && !foreign && !super::is_test(path)).then(|| (rest.split('/').collect(), path))
    };
    files.iter().filter_map(|(path, _)| inside(path)).chain([(Vec::new(), root)]).collect()
}

/// The file that `name`, written in the module `here`, leads to.
fn leads_to<'a>(modules: &Modules<'a>, here: &[&str], name: &str) -> Option<&'a str> {
    let mut parts = name.split("::").peekable();
    let mut at = match *parts.peek()? {
        "crate" => Vec::new(),
        "self" | "super" => here.to_vec(),
        child => {
            let below: Vec<&str> = here.iter().copied().chain([child]).collect();
            // One word alone may be a variable.
            return (modules.contains_key(&below[..]) && name.contains("::"))
                .then(|| leads_to(modules, here, &format!("self::{name}")))?;
        }
    };
    for part in parts {
        match part {
            "crate" | "self" => {}
            "super" => drop(at.pop()),
            part => {
                let below: Vec<&str> = at.iter().copied().chain([part]).collect();
                let Some((known, _)) = modules.get_key_value(&below[..]) else { break };
                at.clone_from(known);
            }
        }
    }
    modules.get(&at[..]).copied()
}

type Arrows<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn arrows<'a>(files: &'a [(String, String)], root: &'a str, folder: &str) -> Arrows<'a> {
    let modules = modules(files, root, folder);
    let text_of = |path: &str| files.iter().find(|(p, _)| p == path).map_or("", |(_, text)| text);
    let from = |(here, file): (&Vec<&'a str>, &&'a str)| {
        let code = source::without_tests(&source::code(text_of(file)));
        let ancestors: Vec<&str> =
            (0..=here.len()).filter_map(|n| modules.get(&here[..n]).copied()).collect();
        let names = source::paths(&code).into_iter();
        let targets = names.filter_map(|(_, name)| leads_to(&modules, here, &name));
        (*file, targets.filter(|target| !ancestors.contains(target)).collect())
    };
    modules.iter().map(from).collect()
}

/// Sets of files that all lead to one another.
fn circles<'a>(arrows: &Arrows<'a>) -> BTreeSet<Vec<&'a str>> {
    let reached = |from: &'a str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(file) = next.pop() {
            let targets = arrows.get(file).into_iter().flatten();
            next.extend(targets.copied().filter(|target| seen.insert(*target)));
        }
        seen
    };
    let all: BTreeMap<&str, BTreeSet<&str>> = arrows.keys().map(|file| (*file, reached(file))).collect();
    let circle = |(file, reached): (&&'a str, &BTreeSet<&'a str>)| {
        let back = |other: &&&str| all.get(**other).is_some_and(|of_other| of_other.contains(file));
        let files: Vec<&str> = reached.iter().filter(back).copied().collect();
        (files.len() > 1).then_some(files)
    };
    all.iter().filter_map(circle).collect()
}

#[test]
fn files_do_not_use_one_another_in_a_circle() {
    let files = super::files();
    let (mut found, mut count) = (BTreeSet::new(), 0);
    for (root, folder) in ROOTS {
        let arrows = arrows(&files, root, folder);
        count += arrows.values().map(BTreeSet::len).sum::<usize>();
        found.extend(circles(&arrows).into_iter().map(|circle| circle.join(", ")));
    }
    assert!(count > 300, "the source is not read right: {count} arrows");
    assert!(found.is_empty(), "put what they share under all of them: {found:#?}");
}

#[test]
fn circles_are_seen_and_children_are_no_circle() {
    let circles_of = |texts: &[(&str, &str)]| {
        let files: Vec<(String, String)> =
            texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        circles(&arrows(&files, "src/lib.rs", "src"))
            .into_iter()
            .map(|circle| circle.join(" "))
            .collect::<Vec<_>>()
    };
    let root = ("src/lib.rs", "mod a; mod b; mod c; pub use a::A;");
    let straight =
        [root, ("src/a.rs", "use crate::b::{self, B};"), ("src/b.rs", "use super::c; fn f(a: a::A) {}")];
    assert_eq!(circles_of(&straight), [""; 0]);
    let in_a_use_tree =
        [root, ("src/a.rs", "use crate::{b::B, x};"), ("src/b.rs", "fn f() { super::a::f() }")];
    assert_eq!(circles_of(&in_a_use_tree), ["src/a.rs src/b.rs"]);
    let of_three = [
        root,
        ("src/a.rs", "mod d; fn f() { d::f(); }"),
        ("src/a/d.rs", "use super::super::b; use super::A;"),
        ("src/b.rs", "use crate::a;"),
    ];
    assert_eq!(circles_of(&of_three), ["src/a.rs src/a/d.rs src/b.rs"]);
    let child = [root, ("src/a.rs", "mod d; use d::D;"), ("src/a/d.rs", "use super::*; use crate::A;")];
    assert_eq!(circles_of(&child), [""; 0]);
    let siblings = [
        root,
        ("src/a.rs", "mod d; mod e; mod f;"),
        ("src/a/d.rs", "use super::e::E; // use super::f;"),
        ("src/a/e.rs", "use crate::a::d;"),
        ("src/a/f.rs", "#[cfg(test)] mod tests { use crate::a::d; }"),
    ];
    assert_eq!(circles_of(&siblings), ["src/a/d.rs src/a/e.rs"]);
}

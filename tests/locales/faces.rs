//! No face shows words of its own: what the terminal, the tray, notices and pages say comes from the Fluent files.

use super::{Entry, REFERENCE, arguments, entries, files, literal, root, without_tests_and_comments};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where words for people are made. The window's pages are templates and are looked at as such.
const FACES: [&str; 7] = ["cli.rs", "cli", "run.rs", "tray.rs", "notify.rs", "window.rs", "window"];
/// What takes words that are not shown as they are: English for logs and programs, or another program's.
const NOT_SHOWN: [&str; 13] = [
    // The name of a place; `problems.rs` looks that it is one.
    ".at(",
    "Detail::new(",
    "#[",
    "#![",
    "tracing::",
    ".expect(",
    "panic!(",
    "unreachable!(",
    "io::Error::new(",
    "io::Error::other(",
    "write_file(",
    "HeaderValue::from_static(",
    "matches!(",
];

/// The source without the calls of [`NOT_SHOWN`].
fn shown(text: &str) -> String {
    let (mut rest, mut kept) = (text, String::new());
    while let Some((at, marker)) =
        NOT_SHOWN.iter().filter_map(|m| rest.find(m).map(|at| (at, *m))).min_by_key(|(at, _)| *at)
    {
        kept.push_str(&rest[..at]);
        let inside = &rest[at + marker.len()..];
        let opened = if marker.ends_with(['(', '[']) { Some(0) } else { inside.find('(').map(|p| p + 1) };
        rest = opened.map_or("", |from| arguments(&inside[from..]).1);
    }
    kept.push_str(rest);
    kept
}

/// A literal that reads like words: two or more beside each other, outside of placeholders, or a capital at the front.
fn is_words(literal: &str) -> bool {
    let mut depth = 0;
    let plain: String = literal
        .chars()
        .filter(|c| {
            depth += i32::from(*c == '{');
            let inside = depth > 0;
            depth -= i32::from(*c == '}');
            !inside
        })
        .collect();
    let words: Vec<&str> = plain
        .split_whitespace()
        .filter(|word| word.trim_matches(|c: char| !c.is_alphabetic()).chars().count() > 1)
        .filter(|word| word.chars().all(|c| c.is_alphabetic() || ",.;:!?()".contains(c)))
        .filter(|word| !word.starts_with("hookswitch"))
        .collect();
    words.len() > 1
}

/// `.text("name", value)` -> `.text(, value)`.
fn without_argument_names(text: &str) -> String {
    let mut kept = text.to_owned();
    for call in [".text(", ".number(", ".with(", ".detail("] {
        let parts: Vec<&str> = kept.split(call).collect();
        let tails = parts.iter().skip(1).map(|tail| literal(tail).map_or(*tail, |(_, after)| after));
        kept = std::iter::once(parts[0]).chain(tails).collect::<Vec<_>>().join(call);
    }
    kept
}

/// Literals that a face prints as they are.
fn printed(text: &str, ids: &BTreeMap<String, Entry>) -> Vec<String> {
    let mut found = Vec::new();
    let text = without_argument_names(text);
    for marker in ["output::line(", "output::aside(", "println!(", "writeln!(", "write!(", "say(", ".text("] {
        for (at, _) in text.match_indices(marker) {
            let (literals, _) = arguments(&text[at + marker.len()..]);
            found.extend(literals.into_iter().filter(|l| !is_known(l, ids) && has_letters(l)));
        }
    }
    found
}

fn is_known(text: &str, ids: &BTreeMap<String, Entry>) -> bool {
    ids.contains_key(text) || ids.values().any(|entry| entry.attributes.contains(text))
}

fn has_letters(literal: &str) -> bool {
    let outside = literal.split('{').map(|part| part.split_once('}').map_or(part, |(_, after)| after));
    let mut words = outside.flat_map(|part| part.split(|c: char| !c.is_alphabetic()));
    words.any(|word| word.chars().count() > 1 && word != "hookswitch")
}

#[test]
fn no_face_has_words_of_its_own() {
    let mut paths: Vec<PathBuf> = Vec::new();
    for face in FACES {
        let path = root().join("src/shell").join(face);
        match path.is_dir() {
            true => files(&path, "rs", &mut paths),
            false => paths.push(path),
        }
    }
    paths.retain(|path| !path.ends_with("tests.rs"));
    let (ids, mut wrong) = (entries(REFERENCE), Vec::new());
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a source file of the repository");
        let text = shown(&without_tests_and_comments(&text));
        let (literals, _) = arguments(&text);
        let words = literals.into_iter().filter(|l| is_words(l));
        let words = words.chain(printed(&text, &ids));
        wrong.extend(
            words.map(|l| format!("{}: {l:?}", path.strip_prefix(root()).unwrap_or(&path).display())),
        );
    }
    assert!(wrong.is_empty(), "shown in one language only:\n{}", wrong.join("\n"));
}

#[test]
fn the_look_at_faces_sees_what_it_must() {
    assert!(is_words("no updates") && is_words("{count} updates are here") && is_words("Call control: yes"));
    assert!(
        !is_words("{} {}") && !is_words("cli-no") && !is_words("hookswitch: {}") && !is_words("/dev/hidraw")
    );
    let text = "Detail::new(\"a\", f(\"It broke here\"), x); output::line(\"yes\"); #[arg(x = \"an arg\")] f(\"so it is\")";
    let kept = shown(text);
    assert_eq!(arguments(&kept).0, ["yes", "so it is"]);
    let ids = entries(REFERENCE);
    assert_eq!(printed(&kept, &ids), ["yes"]);
    assert_eq!(printed("say(\"cli-no\"); write!(f, \"{x} %\")", &ids), Vec::<String>::new());
}

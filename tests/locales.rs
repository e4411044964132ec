//! The Fluent files agree with the source and with each other: every id used exists in every language, with the
//! arguments its callers pass; none is left over; nothing fails to parse.
#![expect(clippy::disallowed_methods, reason = "reads the source and the texts from disk")]

use fluent_bundle::FluentResource;
use hub::problem::Code;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[path = "locales/faces.rs"]
mod faces;
#[path = "locales/problems.rs"]
mod problems;
#[path = "support/rust_source.rs"]
mod rust_source;

const REFERENCE: &str = "en-US";

/// What one Fluent message offers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    attributes: BTreeSet<String>,
    variables: BTreeSet<String>,
    text: String,
    /// Of that, what the attribute `place` says.
    place: String,
}

/// One place of the source that shows a text.
#[derive(Debug)]
struct Use {
    place: String,
    id: String,
    args: BTreeSet<String>,
    /// More of them may be added elsewhere.
    open: bool,
}

#[derive(Debug, Default)]
struct Source {
    messages: Vec<Use>,
    details: Vec<Use>,
    /// Every string literal: an id may be chosen far from where it is shown.
    literals: BTreeSet<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, extension, into);
        } else if path.extension().is_some_and(|e| e == extension) {
            into.push(path);
        }
    }
    into.sort();
}

fn language_files(tag: &str) -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    files(&root().join("locales").join(tag), "ftl", &mut paths);
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a text file of the repository can be read");
            (path, text)
        })
        .collect()
}

fn languages() -> Vec<String> {
    let mut tags: Vec<String> = std::fs::read_dir(root().join("locales"))
        .expect("locales/ is part of the repository")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    tags.sort();
    tags
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect()
}

fn entries(tag: &str) -> BTreeMap<String, Entry> {
    let mut all: BTreeMap<String, Entry> = BTreeMap::new();
    for (path, text) in language_files(tag) {
        let (mut current, mut in_place) = (String::new(), false);
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
                (current, in_place) = (identifier(line), false);
                let earlier = all.insert(current.clone(), Entry::default());
                assert!(earlier.is_none(), "{}: {current} is there twice", path.display());
            }
            let Some(entry) = all.get_mut(&current) else { continue };
            entry.text.push_str(line);
            if let Some(attribute) = line.trim_start().strip_prefix('.') {
                in_place = identifier(attribute) == "place";
                entry.attributes.insert(identifier(attribute));
            }
            if in_place {
                entry.place.push_str(line);
            }
            entry.variables.extend(line.split('$').skip(1).map(identifier));
        }
    }
    all
}

/// A string literal at the start of `text`: its content and what follows.
fn literal(text: &str) -> Option<(String, &str)> {
    let mut content = String::new();
    let mut chars = text.strip_prefix('"')?.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((content, &text[at + 2..])),
            '\\' => content.extend(chars.next().map(|(_, c)| c)),
            c => content.push(c),
        }
    }
    None
}

/// `text` starts inside a parenthesis: the literals up to its end, and what follows. Those that a `match` compares with
/// are no texts.
fn arguments(text: &str) -> (Vec<String>, &str) {
    let (mut found, mut depth, mut rest) = (Vec::new(), 1, text);
    while let Some(c) = rest.chars().next() {
        if let Some((content, after)) = literal(rest) {
            if !after.trim_start().starts_with("=>") {
                found.push(content);
            }
            rest = after;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    (found, rest)
}

/// The names given by `.text("name", …)`, `.number(…)`, `.with(…)` and `.detail(…)` in the chain that `text` starts
/// with, and whether a name was given to the whole, so that more may follow elsewhere.
fn chain(mut text: &str) -> (BTreeSet<String>, bool) {
    let mut names = BTreeSet::new();
    while let Some(call) = text.trim_start().strip_prefix('.') {
        let method = identifier(call);
        let Some(inside) = call[method.len()..].strip_prefix('(') else { break };
        let (literals, after) = arguments(inside);
        if matches!(method.as_str(), "text" | "number" | "with" | "detail") {
            names.extend(literals.into_iter().next());
        }
        text = after;
    }
    (names, text.trim_start().starts_with(';'))
}

fn without_tests_and_comments(text: &str) -> String {
    // Tests that stand in a file of their own are named near the beginning.
    let shown = text.split("\nmod tests {").next().unwrap_or_default();
    shown.lines().filter(|l| !l.trim_start().starts_with("//")).flat_map(|l| [l, "\n"]).collect()
}

fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase()) && identifier(text) == text
}

fn source() -> Source {
    let (mut paths, mut all) = (Vec::new(), Source::default());
    files(&root().join("src"), "rs", &mut paths);
    files(&root().join("hub/src"), "rs", &mut paths);
    files(&root().join("templates"), "html", &mut paths);
    paths.retain(|path| !path.ends_with("tests.rs") && !path.iter().any(|part| part == "tests"));
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a source file can be read");
        // Ids stand in what is code; a template has them anywhere between quotes.
        let literals = match path.extension().is_some_and(|e| e == "rs") {
            true => rust_source::literals(&text),
            false => text.split('"').map(str::to_owned).collect(),
        };
        let text = without_tests_and_comments(&text);
        let place = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        for (marker, only_first) in [("Message::new(", false), ("Detail::new(", true)] {
            for (at, _) in text.match_indices(marker) {
                let (literals, after) = arguments(&text[at + marker.len()..]);
                let starts_with_literal = text[at + marker.len()..].trim_start().starts_with('"');
                let (args, open) = chain(after);
                let ids = literals.into_iter().filter(|l| is_id(l));
                let (ids, into): (Vec<_>, _) = match only_first {
                    true => (ids.take(usize::from(starts_with_literal)).collect(), &mut all.details),
                    false => (ids.collect(), &mut all.messages),
                };
                let found = |id| Use { place: place.clone(), id, args: args.clone(), open };
                into.extend(ids.into_iter().map(found));
            }
        }
        all.literals.extend(literals.into_iter().filter(|l| is_id(l)));
    }
    all
}

#[test]
fn every_file_parses() {
    for tag in languages() {
        for (path, text) in language_files(&tag) {
            if let Err((_, errors)) = FluentResource::try_new(text) {
                panic!("{}: {errors:?}", path.display());
            }
        }
    }
}

#[test]
fn languages_agree() {
    let reference = entries(REFERENCE);
    assert!(reference.len() > 5, "the texts were found");
    let mut wrong = Vec::new();
    for tag in languages() {
        let entries = entries(&tag);
        for id in reference.keys().chain(entries.keys()).collect::<BTreeSet<_>>() {
            match (reference.get(id), entries.get(id)) {
                (Some(a), Some(b)) if a.attributes != b.attributes || a.variables != b.variables => {
                    wrong.push(format!("{tag}: {id} has {b:?}, but {REFERENCE} {a:?}"));
                }
                (Some(_), Some(_)) => {}
                (Some(_), None) => wrong.push(format!("{tag}: {id} is missing")),
                (None, _) => wrong.push(format!("{tag}: {id} is not in {REFERENCE}")),
            }
        }
        let named: Vec<_> =
            language_files(REFERENCE).iter().map(|(p, _)| p.file_name().map(Into::into)).collect();
        let here: Vec<Option<PathBuf>> =
            language_files(&tag).iter().map(|(p, _)| p.file_name().map(Into::into)).collect();
        assert_eq!(named, here, "{tag} has the same files");
    }
    let embedded: BTreeSet<String> = hub::locale::Locale::tags().map(str::to_owned).collect();
    assert_eq!(embedded, languages().into_iter().collect(), "a folder is a language");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_text_used_exists_with_its_arguments() {
    let (source, entries) = (source(), entries(REFERENCE));
    let mut wrong = Vec::new();
    for Use { place, id, args, open, .. } in &source.messages {
        match entries.get(id) {
            None => wrong.push(format!("{place}: {id} has no text")),
            Some(entry) if *open && entry.variables.is_superset(args) => {}
            Some(entry) if entry.variables != *args => {
                wrong.push(format!("{place}: {id} is given {args:?}, its text wants {:?}", entry.variables));
            }
            Some(_) => {}
        }
    }
    for Use { place, id, args, open, .. } in &source.details {
        match entries.get(&format!("detail-{id}")) {
            None => wrong.push(format!("{place}: detail-{id} has no text")),
            Some(entry) if entry.variables.is_subset(args) || *open => {}
            Some(entry) => {
                wrong.push(format!("{place}: detail-{id} is given {args:?}, wants {:?}", entry.variables));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_text_is_left_over() {
    let source = source();
    let codes: BTreeSet<String> = Code::ALL
        .iter()
        .map(|code| format!("problem-{}", code.as_str()))
        .chain(source.details.iter().map(|u| format!("detail-{}", u.id)))
        .chain(source.literals.iter().cloned())
        .collect();
    // `src/shell/cli/help/tests.rs` holds this file against the command line.
    let help: BTreeSet<String> = language_files(REFERENCE)
        .into_iter()
        .filter(|(path, _)| path.ends_with("help.ftl"))
        .flat_map(|(_, text)| text.lines().map(identifier).collect::<Vec<_>>())
        .filter(|id| id == "help" || id.starts_with("help-"))
        .collect();
    assert!(help.len() > 20, "the texts of the command line were found: {help:?}");
    let left: Vec<String> =
        entries(REFERENCE).into_keys().filter(|id| !codes.contains(id) && !help.contains(id)).collect();
    assert!(left.is_empty(), "shown nowhere: {left:?}");
}

/// A language that was forgotten shows as the reference's words.
#[test]
fn texts_are_translated() {
    let reference = entries(REFERENCE);
    for tag in languages().into_iter().filter(|t| t != REFERENCE) {
        let words = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
        let same: Vec<_> = entries(&tag)
            .into_iter()
            .filter(|(id, e)| words(&e.text) > words(id) + 24 && reference.get(id) == Some(e))
            .map(|(id, _)| id)
            .collect();
        assert!(same.is_empty(), "{tag} holds the words of {REFERENCE}: {same:?}");
    }
}

/// English left in the middle of a translated text; words of the standards and of the command line are names.
#[test]
fn translations_hold_no_english() {
    const ENGLISH: [&str; 24] = [
        "the", "is", "are", "were", "has", "have", "of", "with", "not", "and", "or", "it", "its", "this",
        "that", "from", "by", "to", "be", "cannot", "than", "there", "expected", "no",
    ];
    let mut wrong = Vec::new();
    for tag in languages().into_iter().filter(|t| t.split('-').next() != REFERENCE.split('-').next()) {
        for (id, entry) in entries(&tag) {
            // Without what stands in code marks, and without `$arguments`.
            let prose = entry.text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
            let mut words =
                prose.split(|c: char| !c.is_alphanumeric() && !matches!(c, '$' | '-' | '_' | '.'));
            if let Some(word) = words.find(|word| ENGLISH.contains(word)) {
                wrong.push(format!("{tag}: {id} says {word:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_scanner_sees_what_it_must() {
    let text = "Message::new(if a { \"one\" } else { \"two\" }).text(\"x\", f(\")\")).number(\"n\", 1); x.text(\"y\", 2)";
    let (ids, after) = arguments(&text["Message::new(".len()..]);
    assert_eq!(ids, ["one", "two"]);
    let (names, open) = chain(after);
    assert_eq!((names.into_iter().collect::<Vec<_>>(), open), (vec!["n".to_owned(), "x".to_owned()], true));
    assert!(!chain(".text(\"x\", 1))").1);
    assert_eq!(arguments("match x { \"a\" => \"one\", _ => \"two\" })").0, ["one", "two"]);
    assert_eq!(literal(r#""a\"b" c"#), Some(("a\"b".to_owned(), " c")));
}

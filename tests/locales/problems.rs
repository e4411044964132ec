//! The table of what can go wrong agrees with its texts in every language and with the source.

use super::{REFERENCE, entries, files, languages, root, without_tests_and_comments};
use hub::locale::{Locale, ProblemText};
use hub::problem::{Code, Problem};
use std::collections::BTreeSet;
use std::path::PathBuf;

#[path = "../support/problem.rs"]
mod sample;

fn id(code: Code) -> String {
    format!("problem-{}", code.as_str())
}

/// The texts of a code in one language: what is wrong with them.
fn faults(code: Code, entry: &super::Entry) -> Vec<String> {
    let mut wrong = Vec::new();
    if !entry.attributes.contains("next") {
        wrong.push("does not say what next".to_owned());
    }
    let declared: BTreeSet<&str> = code.arguments().iter().map(|(name, _)| *name).collect();
    let used: BTreeSet<&str> = entry.variables.iter().map(String::as_str).filter(|v| *v != "place").collect();
    if declared != used {
        wrong.push(format!("is given {declared:?}, uses {used:?}"));
    }
    let (has, takes) = (!entry.place.is_empty(), entry.place.contains("$place"));
    if code.says_where() != (has && !takes) {
        wrong.push(format!("says where: {}, but the text: {:?}", code.says_where(), entry.place));
    }
    wrong
}

#[test]
fn each_code_has_its_texts_in_every_language_and_they_need_what_it_has() {
    assert!(Code::ALL.len() > 100, "the table: {}", Code::ALL.len());
    let mut wrong = Vec::new();
    for tag in languages() {
        let entries = entries(&tag);
        for code in Code::ALL {
            let id = id(*code);
            match entries.get(&id) {
                None => wrong.push(format!("{tag}: {id} has no text")),
                Some(entry) => {
                    wrong
                        .extend(faults(*code, entry).into_iter().map(|fault| format!("{tag}: {id} {fault}")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_look_at_the_table_sees_what_it_must() {
    let entry = |attributes: &[&str], variables: &[&str], place: &str| super::Entry {
        attributes: attributes.iter().map(|a| (*a).to_owned()).collect(),
        variables: variables.iter().map(|v| (*v).to_owned()).collect(),
        text: String::new(),
        place: place.to_owned(),
    };
    let good = entry(&["next", "place"], &["seconds"], "    .place = local socket");
    assert_eq!(faults(Code::AgentHangs, &good), [""; 0]);
    for bad in [
        entry(&["place"], &["seconds"], ".place = local socket"),
        entry(&["next", "place"], &[], ".place = local socket"),
        entry(&["next", "place"], &["seconds", "error"], ".place = local socket"),
        entry(&["next"], &["seconds"], ""),
        entry(&["next", "place"], &["seconds", "place"], ".place = at { $place }"),
    ] {
        assert_eq!(faults(Code::AgentHangs, &bad).len(), 1, "{bad:?}");
    }
    assert_eq!(faults(Code::NoUpdates, &entry(&["next", "place"], &[], ".place = words")).len(), 1);
}

/// What follows a `Reason::…` at once.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Here,
    /// With the name, if it is written out.
    At(Option<String>),
    Elsewhere,
}

/// Names of each `Reason::…` in `code`, and its place.
fn made(code: &str) -> Vec<(String, Place)> {
    let found = code.match_indices("Reason::").map(|(at, marker)| {
        let rest = &code[at + marker.len()..];
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        let mut after = rest[name.len()..].trim_start();
        if let Some(inside) = after.strip_prefix('{') {
            after = super::arguments(inside).1.trim_start();
        }
        let place = match after.strip_prefix(".at(") {
            Some(inside) => Place::At(super::literal(inside.trim_start()).map(|(name, _)| name)),
            None if after.starts_with(".here()") => Place::Here,
            None => Place::Elsewhere,
        };
        (name, place)
    });
    found.collect()
}

/// Not the name of a variable, file, program or address. A person who speaks no English does not read it.
fn is_words(place: &str) -> bool {
    let command = matches!(place.split(' ').next(), Some("hookswitch"));
    !command && place.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, ' ' | '\'' | '-')) && {
        place.contains(' ') || place.chars().all(|c| c.is_ascii_lowercase())
    }
}

#[test]
fn each_code_is_made_somewhere_and_where_its_text_says_where_nothing_else_does() {
    assert_eq!(
        made("Reason::A.here(); Reason::B { x: f(y) }.at(z); Reason::C { x } Reason::D\n.at(\"d e\")"),
        [
            ("A".to_owned(), Place::Here),
            ("B".to_owned(), Place::At(None)),
            ("C".to_owned(), Place::Elsewhere),
            ("D".to_owned(), Place::At(Some("d e".to_owned())))
        ]
    );
    assert!(is_words("the agent's trust-store") && is_words("process") && is_words("HID library"));
    assert!(!["HOME", "xdg-open", "127.0.0.1", "hookswitch update list"].iter().any(|name| is_words(name)));
    let mut paths: Vec<PathBuf> = Vec::new();
    ["src", "hub/src"].into_iter().for_each(|folder| files(&root().join(folder), "rs", &mut paths));
    paths.retain(|path| !path.ends_with("tests.rs") && !path.iter().any(|part| part == "tests"));
    let (mut used, mut wrong) = (BTreeSet::new(), Vec::new());
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a source file can be read");
        for (name, place) in made(&without_tests_and_comments(&text)) {
            let code = Code::ALL.iter().find(|code| format!("{code:?}") == name);
            let says_where = code.is_some_and(|code| code.says_where());
            let is_wrong = match &place {
                Place::Here => !says_where,
                Place::At(name) => says_where || name.as_ref().is_some_and(|name| is_words(name)),
                Place::Elsewhere => false,
            };
            if is_wrong {
                let path = path.display();
                wrong.push(format!(
                    "{path}: {name}: {place:?}: words are said by the text, and nothing else is"
                ));
            }
            used.insert(name);
        }
    }
    // Made where a problem of another version is read.
    let unused: Vec<_> =
        Code::ALL.iter().filter(|c| **c != Code::UnheardOf && !used.contains(&format!("{c:?}"))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(unused.is_empty(), "never made: {unused:?}");
}

/// What the texts choose by: each `[key]`.
fn keys(text: &str) -> BTreeSet<&str> {
    let bracketed = text.split('[').skip(1).filter_map(|rest| rest.split_once(']'));
    bracketed.map(|(key, _)| key).collect()
}

#[test]
fn every_problem_is_said_whole_in_every_language() {
    let mut wrong = Vec::new();
    for tag in languages() {
        let (entries, locale) = (entries(&tag), Locale::new(&tag));
        for code in Code::ALL {
            let whole = sample::sample(*code, "the place");
            let values = keys(&entries[&id(*code)].text).into_iter().chain(["7", "some words"]);
            let with = |value: &str| {
                let mut problem: Problem = whole.clone();
                problem.args.values_mut().for_each(|argument| value.clone_into(argument));
                problem
            };
            for problem in values.map(with).chain([whole.clone()]) {
                assert_eq!(problem.code, *code, "it is read as what it is");
                let ProblemText { what, place, next, more } = locale.problem(&problem);
                let is_bad =
                    |text: &String| text.contains(['{', '}', '$', '\u{2068}']) || text.contains("[problem-");
                if [&what, &place, &next, &more].into_iter().any(is_bad)
                    || [&what, &place, &next].into_iter().any(|text| text.trim().is_empty())
                {
                    wrong.push(format!("{tag}: {problem:?}: {what} | {place} | {next} | {more}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_english_of_programs_is_that_of_people() {
    let english = Locale::new(REFERENCE);
    for code in Code::ALL {
        let problem = sample::sample(*code, "the place");
        let (shown, written) = (english.problem(&problem), serde_json::to_value(&problem).expect("JSON"));
        assert_eq!((&written["what"], &written["next"]), (&shown.what.into(), &shown.next.into()));
        assert_eq!(serde_json::from_value::<Problem>(written).expect("a problem"), problem);
    }
}

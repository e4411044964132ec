#![expect(clippy::disallowed_methods, reason = "reads the texts as they are written")]

use super::super::usage;
use super::*;
use std::collections::BTreeSet;
use std::ffi::OsString;

const LAYOUT_WORDS: [&str; 7] = [
    "usage",
    "commands",
    "arguments",
    "options",
    "options-placeholder",
    "command-placeholder",
    "exit-status",
];

/// A text of `help.ftl`: `id` or `id.attribute`.
type Name = String;

fn identifier(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default()
}

fn written(file: &str) -> Vec<Name> {
    let (mut id, mut names) = (String::new(), Vec::new());
    for line in file.lines() {
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            identifier(line).clone_into(&mut id);
            names.push(id.clone());
        } else if let Some(attribute) = line.trim_start().strip_prefix('.') {
            names.push(format!("{id}.{}", identifier(attribute)));
        }
    }
    names
}

/// The command and all below it, with their ids and the words that lead to them.
fn all(command: &Command, id: String, path: Vec<String>, found: &mut Vec<(String, Vec<String>, Command)>) {
    for below in command.get_subcommands() {
        let path = [&path[..], &[below.get_name().to_owned()]].concat();
        all(below, format!("{id}-{}", below.get_name()), path, found);
    }
    found.push((id, path, command.clone()));
}

fn commands(root: &Command) -> Vec<(String, Vec<String>, Command)> {
    let mut found = Vec::new();
    all(root, "help".to_owned(), Vec::new(), &mut found);
    assert!(found.len() >= 24, "only {} commands", found.len());
    found
}

fn wanted() -> BTreeSet<Name> {
    let mut wanted: BTreeSet<Name> = LAYOUT_WORDS.iter().map(|word| format!("{LAYOUT}.{word}")).collect();
    wanted.insert(LAYOUT.to_owned());
    for (id, _, command) in commands(&Cli::command()) {
        for argument in command.get_arguments() {
            assert!(!argument.is_hide_set(), "{id}: a hidden argument is for nobody");
            wanted.insert(format!("{id}.{}", argument.get_id().as_str().replace('_', "-")));
        }
        wanted.insert(id);
    }
    wanted
}

#[test]
fn every_command_and_argument_has_its_text_and_nothing_else_has_one() {
    let wanted = wanted();
    for tag in Locale::tags() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/locales");
        let file = std::fs::read_to_string(format!("{folder}/{tag}/help.ftl")).expect("a text of the tree");
        let written = written(&file);
        let once: BTreeSet<Name> = written.iter().cloned().collect();
        assert_eq!(once.len(), written.len(), "{tag}: a name is there twice");
        let missing: Vec<_> = wanted.difference(&once).collect();
        let left: Vec<_> = once.difference(&wanted).collect();
        assert!(missing.is_empty() && left.is_empty(), "{tag}: missing {missing:?}, left over {left:?}");
    }
}

#[test]
fn texts_of_the_command_line_are_in_its_files_alone() {
    for (id, _, command) in commands(&Cli::command()) {
        assert!(command.get_about().is_none(), "{id} has a text in the source");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_none(), "{id}.{} has a text in the source", argument.get_id());
        }
    }
}

#[test]
fn values_and_bounds_are_said() {
    use dfu::package::LIMITS;
    for tag in Locale::tags() {
        let command = localised(&Locale::new(tag));
        command.clone().debug_assert();
        for (id, _, command) in commands(&command) {
            for argument in command.get_arguments() {
                let text = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(
                    text.len() > 5 && !text.contains(['[', '{']),
                    "{tag}: {id}.{}: {text}",
                    argument.get_id()
                );
                let takes_values = argument.get_action().takes_values();
                let values = argument.get_possible_values().into_iter().map(|v| v.get_name().to_owned());
                let defaults = argument.get_default_values().iter().map(|v| v.to_string_lossy().into_owned());
                for value in values.chain(defaults).filter(|_| takes_values) {
                    assert!(text.contains(&value), "{tag}: {id}.{} hides {value}: {text}", argument.get_id());
                }
            }
        }
        let texts = Locale::new(tag).help();
        let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
        let package = texts.text("help-firmware-inspect", Some("package"));
        assert!(package.contains(&mib(LIMITS.archive_bytes)), "{tag}: {package}");
        let rules = texts.text("help-firmware-pack", Some("rules"));
        assert!(rules.contains(&format!("{} KiB", LIMITS.rules_bytes >> 10)), "{tag}: {rules}");
        assert!(rules.contains(&mib(LIMITS.file_bytes)), "{tag}: {rules}");
    }
}

fn pages(tag: &str) -> Vec<(Vec<String>, String)> {
    let paths = commands(&Cli::command()).into_iter().map(|(_, path, _)| path);
    let page = |path: Vec<String>| {
        let words = ["hookswitch"].into_iter().chain(path.iter().map(String::as_str)).chain(["--help"]);
        let arguments: Vec<OsString> = words.map(OsString::from).collect();
        let page = usage::page(&arguments, &Locale::new(tag));
        (path, page)
    };
    paths.map(page).collect()
}

#[test]
fn pages_fit_a_terminal_and_start_with_their_own_usage() {
    for tag in Locale::tags() {
        for (path, page) in pages(tag) {
            let name = [&["hookswitch".to_owned()], &path[..]].concat().join(" ");
            let heading = Locale::new(tag).help().text(LAYOUT, Some("usage"));
            assert!(page.contains(&format!("\n{heading}: {name} [")), "{tag}: {name}: {page}");
            for line in page.lines() {
                assert!(line.chars().count() <= COLUMNS, "{tag}: {name}: too long: {line}");
                assert_eq!(line.trim_end(), line, "{tag}: {name}: blanks at the end");
            }
        }
    }
}

/// What clap says by itself, wherever it says it.
#[test]
fn no_english_of_clap_is_left() {
    const CLAP: [&str; 22] = [
        "Usage",
        "Options",
        "OPTIONS",
        "Commands",
        "COMMAND",
        "Arguments",
        "error",
        "For more information",
        "Print ",
        "see more",
        "see a summary",
        "default:",
        "possible values",
        "Possible values",
        "env:",
        "alias",
        "tip:",
        "this message",
        "subcommand",
        "required",
        "unexpected",
        "invalid",
    ];
    for (path, page) in pages("de-DE") {
        let found: Vec<_> = CLAP.iter().filter(|words| page.contains(**words)).collect();
        assert!(found.is_empty(), "{path:?} says {found:?}: {page}");
    }
    // The list is of words clap does use.
    let bare = Command::new("x").arg(Arg::new("y").help("z")).subcommand(Command::new("w"));
    let bare = bare.clone().render_help().to_string();
    for words in
        ["Usage", "Commands", "COMMAND", "Arguments", "Options", "Print ", "this message", "subcommand"]
    {
        assert!(CLAP.contains(&words) && bare.contains(words), "{words}: {bare}");
    }
}

#[test]
fn completions_have_texts_of_one_line() {
    for tag in Locale::tags() {
        for (id, _, command) in commands(&completed(&Locale::new(tag))) {
            let texts = command.get_arguments().filter_map(Arg::get_help).chain(command.get_about());
            for text in texts.map(ToString::to_string) {
                assert!(!text.contains('\n') && !text.is_empty(), "{tag}: {id}: {text}");
            }
        }
    }
}

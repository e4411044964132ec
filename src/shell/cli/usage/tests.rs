use super::*;
use crate::shell::cli::Cli;
use clap::Parser as _;

fn arguments(words: &[&str]) -> Vec<OsString> {
    ["hookswitch"].iter().chain(words).map(OsString::from).collect()
}

fn wrong(words: &[&str]) -> Problem {
    let arguments = arguments(words);
    let error = Cli::try_parse_from(&arguments).expect_err("wrong usage");
    problem(&error, &arguments)
}

#[test]
fn each_mistake_has_its_code_its_command_and_what_clap_found() {
    let cases: [(&[&str], &str, &str, &str); 22] = [
        (&["devices", "--jsn"], "unknown-argument", "hookswitch devices", "--json"),
        (&["--json", "devices"], "unknown-argument", "hookswitch", "devices --json"),
        (&["settings", "set", "rest_port", "-5"], "unknown-argument", "hookswitch settings set", "-- -5"),
        (&["settings", "set", "a", "--", "-5", "-6"], "unknown-argument", "hookswitch settings set", ""),
        (&["status", "surplus"], "unknown-argument", "hookswitch status", ""),
        (&["status", "-x"], "unknown-argument", "hookswitch status", ""),
        (&["no-such"], "unknown-command", "hookswitch", ""),
        (&["updat"], "unknown-command", "hookswitch", "update"),
        (&["update", "instal"], "unknown-command", "hookswitch update", "install"),
        (&["--home", "update", "updat"], "unknown-command", "hookswitch", "update"),
        (&["update", "--language", "de", "instal"], "unknown-command", "hookswitch update", "install"),
        (&["settings", "get"], "missing", "hookswitch settings get", ""),
        (&["firmware", "pack"], "missing", "hookswitch firmware pack", ""),
        (&["settings", "--home", "/x"], "missing-command", "hookswitch settings", ""),
        (&["bundle", "--output"], "missing-value", "hookswitch bundle", ""),
        (&["bundle", "-o"], "missing-value", "hookswitch bundle", ""),
        (&["bundle", "-o", "list", "x"], "unknown-argument", "hookswitch bundle", ""),
        (&["--home"], "missing-value", "hookswitch", ""),
        (&["completions", "tcsh"], "invalid-value", "hookswitch completions", ""),
        (&["devices", "--json", "--json"], "repeated", "hookswitch devices", ""),
        (&["devices", "--json=1"], "surplus-value", "hookswitch devices", ""),
        (&["devices", "--jsn=1"], "unknown-argument", "hookswitch devices", "--json"),
    ];
    for (words, code, place, suggestion) in cases {
        let problem = wrong(words);
        assert_eq!(problem.code.as_str(), format!("usage-{code}"), "{words:?}: {problem}");
        assert_eq!(problem.place(), place, "{words:?}: {problem}");
        assert_eq!(problem.args.get("suggestion").map_or("", String::as_str), suggestion, "{words:?}");
        assert_eq!(Locale::new("en-US").problem(&problem).to_string(), problem.to_string(), "{words:?}");
    }
}

/// Also what this command line cannot provoke, and what clap knows besides.
#[test]
fn every_kind_of_error_has_words_in_every_language() {
    let kinds = [
        ErrorKind::InvalidValue,
        ErrorKind::UnknownArgument,
        ErrorKind::InvalidSubcommand,
        ErrorKind::NoEquals,
        ErrorKind::ValueValidation,
        ErrorKind::TooManyValues,
        ErrorKind::TooFewValues,
        ErrorKind::WrongNumberOfValues,
        ErrorKind::ArgumentConflict,
        ErrorKind::MissingRequiredArgument,
        ErrorKind::MissingSubcommand,
        ErrorKind::InvalidUtf8,
        ErrorKind::Io,
        ErrorKind::Format,
    ];
    let conflict = Reason::UsageConflict { argument: "--a".to_owned(), other: "--b".to_owned() };
    let conflict = conflict.at("hookswitch x");
    let problems = kinds.map(|kind| problem(&clap::Error::new(kind), &arguments(&["devices"])));
    let run = options_of_run(&arguments(&["--headless", "devices"]));
    assert_eq!(run.place(), "hookswitch devices");
    for problem in problems.into_iter().chain([conflict, run]) {
        let english = Locale::new("en-US").problem(&problem);
        assert_eq!(english.to_string(), problem.to_string());
        let german = Locale::new("de-DE").problem(&problem);
        assert!(german.what != english.what && german.next != english.next, "{german}");
        assert_eq!(german.place, english.place);
        for text in [english, german] {
            assert!(!text.to_string().contains(['{', '[']), "{text}");
        }
    }
}

#[test]
fn arguments_cannot_steer_the_terminal_or_fill_it() {
    let problem = wrong(&["\u{1b}[31mred\nline\u{85}"]).to_string();
    assert!(!problem.chars().any(char::is_control) && problem.contains("red\\nline"), "{problem}");
    let long = "x".repeat(100_000);
    for problem in [wrong(&[&long]), wrong(&["status", &long]), wrong(&["completions", &long])] {
        assert!(problem.to_string().chars().count() < 400, "{}", problem.code.as_str());
        let german = Locale::new("de").problem(&problem).to_string();
        assert!(german.chars().count() < 400 && german.contains('…'), "{german}");
    }
}

#[test]
fn the_language_is_found_in_arguments_that_are_wrong() {
    let language = |words: &[&str]| value_of("--language", &arguments(words));
    assert_eq!(language(&["--language", "de"]), Some("de".into()));
    assert_eq!(language(&["nonsense", "--x", "--language=de", "--language=en"]), Some("de".into()));
    assert_eq!(language(&["--language="]), Some("".into()));
    assert_eq!(language(&["--languages=de", "--lang", "de", "language"]), None);
    assert_eq!(language(&["settings", "set", "x", "--", "--language", "de"]), None);
    assert_eq!(language(&["--language"]), None);
}

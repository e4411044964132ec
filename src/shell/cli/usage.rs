//! What clap does not take as a command: questions for help, and wrong usage in our own words.

use super::{Done, Failure, help, output};
use crate::shell::folders::Folders;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _};
use hub::locale::Locale;
use hub::problem::Reason;
use hub::protocol::Problem;
use hub::settings::Settings;
use std::ffi::OsString;
use std::path::PathBuf;

/// Characters of an argument that a problem repeats.
const MOST_SHOWN: usize = 100;

/// Prints the help that is asked for; all else is wrong usage.
pub(super) fn answer(error: &clap::Error, arguments: &[OsString], locale: &Locale) -> Done {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output::line(page(arguments, locale).trim_end());
            Ok(())
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            output::aside(page(arguments, locale).trim_end());
            Err(Failure::UsageShown)
        }
        _ => Err(Failure::Usage(problem(error, arguments))),
    }
}

/// `hookswitch help COMMAND …`: as `hookswitch COMMAND … --help`.
pub(super) fn explain(path: &[String], locale: &Locale) -> Done {
    let root = built();
    let words = std::iter::once(root.get_name()).chain(path.iter().map(String::as_str));
    let mut arguments: Vec<OsString> = words.map(OsString::from).collect();
    let mut at = &root;
    for name in path {
        at = at.find_subcommand(name).ok_or_else(|| {
            // clap knows what it resembles.
            Failure::Usage(match super::Cli::command().try_get_matches_from(&arguments) {
                Err(error) if error.kind() == ErrorKind::InvalidSubcommand => problem(&error, &arguments),
                _ => unknown_command(at.get_bin_name().unwrap_or_default(), name, None),
            })
        })?;
    }
    arguments.push("--help".into());
    output::line(page(&arguments, locale).trim_end());
    Ok(())
}

/// What clap has to say about the same arguments, with words.
pub(super) fn page(arguments: &[OsString], locale: &Locale) -> String {
    let mut command = help::localised(locale);
    match command.try_get_matches_from_mut(arguments) {
        Err(page) => page.render().to_string(),
        Ok(_) => command.render_help().to_string(),
    }
}

/// The language of arguments that may be wrong: what they ask for, else the settings', else the system's.
pub(super) fn locale(arguments: &[OsString]) -> Locale {
    let asked = value_of("--language", arguments).and_then(|tag| tag.into_string().ok());
    let home = super::home(value_of("--home", arguments).map(PathBuf::from));
    let settings = Folders::places(home.as_deref())
        .map(|folders| Settings::resolve(&crate::shell::settings_files::layers(&folders)).0);
    super::locale(asked, &settings.unwrap_or_else(|_| Settings::default()))
}

fn value_of(option: &str, arguments: &[OsString]) -> Option<OsString> {
    let mut words = arguments.iter().skip(1).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == option {
            return words.next().cloned();
        }
        let value = word.to_str().and_then(|word| word.strip_prefix(option)?.strip_prefix('='));
        if let Some(value) = value {
            return Some(value.into());
        }
    }
    None
}

/// `hookswitch --headless devices`.
pub(super) fn options_of_run(arguments: &[OsString]) -> Problem {
    let command = built();
    let (_, place) = reached(&command, arguments, None);
    Reason::UsageOptionsOfRun.at(place)
}

fn built() -> Command {
    let mut command = super::Cli::command();
    command.build();
    command
}

/// The command that `arguments` lead to and its name in full. Not beyond `until`, the argument that clap stopped at.
fn reached<'a>(root: &'a Command, arguments: &[OsString], until: Option<&str>) -> (&'a Command, String) {
    let mut at = root;
    let mut words = arguments.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        let is_end = until.is_some_and(|until| *word == *until || word.starts_with(&format!("{until}=")));
        if is_end || word == "--" {
            break;
        }
        if word.starts_with('-') && word.len() > 1 {
            let named = |argument: &&clap::Arg| {
                argument.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long))
                    || argument.get_short().is_some_and(|short| *word == format!("-{short}"))
            };
            if at.get_arguments().find(named).is_some_and(|option| option.get_action().takes_values()) {
                words.next();
            }
        } else if let Some(command) = at.find_subcommand(&*word) {
            at = command;
        } else {
            break;
        }
    }
    (at, at.get_bin_name().unwrap_or(root.get_name()).to_owned())
}

/// Wrong usage as a problem; its place is the command, whose `--help` is where to go next.
fn problem(error: &clap::Error, arguments: &[OsString]) -> Problem {
    let root = built();
    let argument = words(error, ContextKind::InvalidArg);
    let until = argument.as_deref().filter(|_| error.kind() == ErrorKind::UnknownArgument);
    let (command, place) = reached(&root, arguments, until);
    let value = shown(&words(error, ContextKind::InvalidValue).unwrap_or_default());
    let argument = argument.unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let similar = words(error, ContextKind::SuggestedArg);
            let hint = similar.map(Hint::Similar).or_else(|| elsewhere(command, &argument, arguments));
            unknown_argument(&place, &argument, hint)
        }
        ErrorKind::InvalidSubcommand => {
            let name = words(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            unknown_command(&place, &name, best(error, ContextKind::SuggestedSubcommand))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation if !value.is_empty() => {
            let valid = words(error, ContextKind::ValidValue).unwrap_or_default();
            invalid_value(&place, argument, value, valid)
        }
        ErrorKind::InvalidValue
        | ErrorKind::ValueValidation
        | ErrorKind::TooFewValues
        | ErrorKind::WrongNumberOfValues
        | ErrorKind::NoEquals => Reason::UsageMissingValue { argument }.at(place),
        ErrorKind::MissingRequiredArgument => Reason::UsageMissing { argument }.at(place),
        ErrorKind::MissingSubcommand => Reason::UsageMissingCommand.at(place),
        ErrorKind::TooManyValues => Reason::UsageSurplusValue { argument, value }.at(place),
        ErrorKind::ArgumentConflict => {
            let other = words(error, ContextKind::PriorArg).unwrap_or_default();
            let reason = match other == argument {
                true => Reason::UsageRepeated { argument },
                false => Reason::UsageConflict { argument, other },
            };
            reason.at(place)
        }
        ErrorKind::InvalidUtf8 => Reason::UsageNotText.at(place),
        // Nothing else comes from arguments; clap may learn new ones.
        _ => Reason::UsageNotUnderstood.at(place),
    }
}

/// What clap knows about its error, several things with commas between.
fn words(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::None => None,
        value => Some(value.to_string()),
    }
}

/// clap sorts what it suggests, the nearest last.
fn best(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::Strings(all) => all.last().cloned(),
        value => Some(value.to_string()),
    }
}

/// An argument on one line and without what would steer the terminal.
fn shown(argument: &str) -> String {
    let mut shown: String = dfu::text::characters(argument).take(MOST_SHOWN).flat_map(printable).collect();
    if argument.chars().nth(MOST_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn printable((c, shown): (char, bool)) -> Vec<char> {
    if shown { vec![c] } else { c.escape_default().collect() }
}

enum Hint {
    Similar(String),
    /// How it is given as a value.
    Value(String),
}

/// An option of a command that comes after it, or a value that looks like an option.
fn elsewhere(command: &Command, argument: &str, arguments: &[OsString]) -> Option<Hint> {
    let long = argument.strip_prefix("--");
    let has_it = |command: &&Command| command.get_arguments().any(|a| a.get_long() == long);
    let mut named = arguments.iter().filter_map(|word| command.find_subcommand(word));
    if let Some(command) = named.find(has_it).filter(|_| long.is_some()) {
        return Some(Hint::Similar(format!("{} {argument}", command.get_name())));
    }
    let wants_values = command.get_positionals().next().is_some();
    (argument.starts_with('-') && wants_values && arguments.iter().all(|word| word != "--"))
        .then(|| Hint::Value(format!("-- {argument}")))
}

fn unknown_argument(place: &str, argument: &str, hint: Option<Hint>) -> Problem {
    let (hint, suggestion) = match hint {
        Some(Hint::Similar(suggestion)) => ("similar", shown(&suggestion)),
        Some(Hint::Value(suggestion)) => ("value", shown(&suggestion)),
        None => ("none", String::new()),
    };
    Reason::UsageUnknownArgument { argument: shown(argument), hint: hint.to_owned(), suggestion }.at(place)
}

fn unknown_command(place: &str, name: &str, similar: Option<String>) -> Problem {
    let hint = if similar.is_some() { "similar" } else { "none" };
    let suggestion = similar.unwrap_or_default();
    Reason::UsageUnknownCommand { name: shown(name), hint: hint.to_owned(), suggestion }.at(place)
}

fn invalid_value(place: &str, argument: String, value: String, valid: String) -> Problem {
    let hint = if valid.is_empty() { "none" } else { "valid" };
    Reason::UsageInvalidValue { value, argument, hint: hint.to_owned(), valid }.at(place)
}

#[cfg(test)]
mod tests;

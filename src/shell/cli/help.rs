//! The command line with its words: what `--help` prints, and what completions show. Only made when somebody asks.

use super::Cli;
use clap::{Arg, ArgAction, Command, CommandFactory as _};
use hub::locale::{HelpTexts, Locale};

/// Columns of a terminal nobody has made wider. The texts break their lines for it.
const COLUMNS: usize = 80;

/// What clap would define with its own words.
pub(super) fn flags() -> [Arg; 2] {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help);
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    [help.global(true).display_order(102), version.display_order(103)]
}

/// With every text and its own layout.
pub(super) fn localised(locale: &Locale) -> Command {
    let texts = locale.help();
    let command = worded(Cli::command(), "help", &|id, attribute| texts.text(id, attribute))
        .after_help(texts.text(LAYOUT, Some("exit-status")));
    let mut built = command.clone();
    built.build();
    laid_out(command, &built, &texts)
}

/// For completions: each text is one line.
pub(super) fn completed(locale: &Locale) -> Command {
    let texts = locale.help();
    worded(Cli::command(), "help", &|id, attribute| texts.text(id, attribute).replace('\n', " "))
}

const LAYOUT: &str = "help-layout";

/// `id` is the command's in `help.ftl`; its attributes are the arguments.
fn worded(command: Command, id: &str, text: &impl Fn(&str, Option<&str>) -> String) -> Command {
    let placeholder = text(LAYOUT, Some("command-placeholder"));
    command
        .about(text(id, None))
        .subcommand_value_name(placeholder.clone())
        .mut_args(|argument| {
            let words = text(id, Some(&argument.get_id().as_str().replace('_', "-")));
            let argument = match argument.get_id() == "command" {
                true => argument.value_name(placeholder.clone()),
                false => argument,
            };
            argument.help(words)
        })
        .mut_subcommands(|command| {
            let id = format!("{id}-{}", command.get_name());
            worded(command, &id, text)
        })
}

/// `built` is the same command with what it inherits: clap writes the usage from it.
fn laid_out(command: Command, built: &Command, texts: &HelpTexts) -> Command {
    let word = |name: &str| texts.text(LAYOUT, Some(name));
    let usage = built.clone().render_usage().to_string();
    let usage =
        usage.strip_prefix("Usage: ").unwrap_or(&usage).replace("OPTIONS", &word("options-placeholder"));
    let mut template = format!("{{about}}\n\n{}: {{usage}}", word("usage"));
    let parts = [
        ("commands", "subcommands", built.has_subcommands()),
        ("arguments", "positionals", built.get_positionals().next().is_some()),
        ("options", "options", true),
    ];
    for (heading, part, _) in parts.iter().filter(|(_, _, is_there)| *is_there) {
        template.push_str(&format!("\n\n{}:\n{{{part}}}", word(heading)));
    }
    template.push_str("{after-help}");
    command
        .term_width(COLUMNS)
        .override_usage(usage)
        .help_template(template)
        // Both are said in the text.
        .mut_args(|argument| match argument.get_action().takes_values() {
            true => argument.hide_default_value(true).hide_possible_values(true),
            false => argument,
        })
        .mut_subcommands(|command| match built.find_subcommand(command.get_name()) {
            Some(built) => laid_out(command, built, texts),
            None => command,
        })
}

#[cfg(test)]
mod tests;

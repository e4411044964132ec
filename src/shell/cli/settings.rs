//! `hookswitch settings get|set|list`.

use super::{Context, Done, output};
use crate::shell::own_settings::{self, Patience};
use crate::shell::settings_files;
use clap::Subcommand;
use hub::locale::Message;
use hub::settings::{Key, Listed, Provenance, Settings};

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    List {
        #[arg(long)]
        json: bool,
    },
    Get {
        name: String,
    },
    Set {
        #[arg(long)]
        machine: bool,
        name: String,
        value: Option<String>,
    },
}

pub(super) fn execute(command: &Command, context: &Context) -> Done {
    match command {
        Command::List { json } => {
            let list = context.settings.list();
            if *json {
                output::json(&list);
            } else {
                let rows: Vec<Vec<String>> = list
                    .iter()
                    .map(|s| vec![s.key.to_owned(), shown(s, context), from(s, context)])
                    .collect();
                output::table(&rows);
                // What this account may not read the service reads.
                let served = context.folders.service().is_some();
                let withheld = &context.settings.withheld;
                let own = context.settings_problems.iter().filter(|p| !(served && withheld.contains(p)));
                for problem in own {
                    let text = context.locale.problem(problem);
                    output::aside(&format!("! {text}"));
                }
            }
            Ok(())
        }
        Command::Get { name } => {
            let key = Key::find(name)?;
            output::line(&shown(&context.settings.get(key), context));
            Ok(())
        }
        Command::Set { machine: true, name, value } => {
            let file = own_settings::set_for_machine(&context.folders, name, value.as_deref())?;
            said_written(&file, context);
            Ok(())
        }
        Command::Set { machine: false, name, value } => set(name, value.as_deref(), context),
    }
}

fn shown(setting: &Listed, context: &Context) -> String {
    match setting.is_hidden() {
        true => context.locale.format(&Message::new("cli-setting-secret")),
        false => setting.shown(),
    }
}

/// Where it comes from; of what IT has set, also by what.
fn from(setting: &Listed, context: &Context) -> String {
    if let (true, Some(place)) = (setting.locked, &setting.place) {
        return context.locale.format(&Message::new("cli-from-locked").text("place", place));
    }
    context.locale.format(&Message::new(match setting.from {
        Provenance::Default => "cli-from-default",
        Provenance::User => "cli-from-user",
        Provenance::Environment => "cli-from-environment",
        Provenance::Machine => "cli-from-machine",
    }))
}

fn set(name: &str, value: Option<&str>, context: &Context) -> Done {
    let agent = context.agent()?;
    let runs = agent.is_some();
    match agent {
        // It takes it at once.
        Some(mut agent) => agent.set(name, value)?,
        None => own_settings::set(&context.folders, name, value, Patience::Command)?,
    }
    said_written(&context.folders.user_settings().display().to_string(), context);
    let (now, _) = Settings::resolve(&settings_files::layers(&context.folders));
    let key = Key::find(name)?;
    let listed = now.get(key);
    if listed.from > Provenance::User {
        let overridden = Message::new("cli-setting-overridden").text("from", from(&listed, context));
        output::line(&context.locale.format(&overridden));
    } else if runs && key.counts_from_next_start() {
        output::line(&context.locale.format(&Message::new("cli-setting-next-start")));
    }
    Ok(())
}

fn said_written(file: &str, context: &Context) {
    output::line(&context.locale.format(&Message::new("cli-setting-written").text("file", file)));
}

//! `hookswitch settings get|set|list`.

use super::{Context, Done, output};
use crate::shell::private_file::{self, Durability, Readers};
use crate::shell::{os, settings_files};
use clap::Subcommand;
use hub::locale::Message;
use hub::protocol::Problem;
use hub::settings::{self, Key, Listed, Provenance, Settings};

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
                    .map(|s| vec![s.key.to_owned(), shown(s, context), from(s.from, context)])
                    .collect();
                output::table(&rows);
                // What this account may not read the service reads.
                let served = context.folders.service().is_some();
                let own = |problem: &&Problem| !(served && problem.code == "settings-withheld");
                for problem in context.settings_problems.iter().filter(own) {
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
        Command::Set { name, value } => set(name, value.as_deref(), context),
    }
}

fn shown(setting: &Listed, context: &Context) -> String {
    match setting.is_hidden() {
        true => context.locale.format(&Message::new("cli-setting-secret")),
        false => setting.shown(),
    }
}

fn from(provenance: Provenance, context: &Context) -> String {
    context.locale.format(&Message::new(match provenance {
        Provenance::Default => "cli-from-default",
        Provenance::User => "cli-from-user",
        Provenance::Environment => "cli-from-environment",
        Provenance::Machine => "cli-from-machine",
        Provenance::Tenant => "cli-from-tenant",
    }))
}

fn set(name: &str, value: Option<&str>, context: &Context) -> Done {
    let path = context.folders.user_settings();
    let layers = settings_files::layers(&context.folders);
    let text = settings::set(&layers, name, value)?;
    let cannot = |error: std::io::Error| {
        Problem::new(
            "settings-not-written",
            format!("The settings cannot be written: {error}"),
            path.display().to_string(),
            "Check the folder's permissions and that the disk is not full.",
        )
        .with("error", error.to_string())
    };
    let folder = path.parent().unwrap_or(&path).to_owned();
    os::private_folder(&folder).map_err(cannot)?;
    // Whole or not at all: a crash leaves the old file.
    private_file::replace(&path, text.as_bytes(), Readers::Owner, Durability::Disk).map_err(cannot)?;
    let written = Message::new("cli-setting-written").text("file", path.display().to_string());
    output::line(&context.locale.format(&written));
    let (now, _) = Settings::resolve(&settings_files::layers(&context.folders));
    if let Ok(key) = Key::find(name)
        && now.get(key).from > Provenance::User
    {
        let overridden =
            Message::new("cli-setting-overridden").text("from", from(now.get(key).from, context));
        output::line(&context.locale.format(&overridden));
    }
    Ok(())
}

//! `hookswitch settings get|set|list`.
#![expect(clippy::disallowed_methods, reason = "settings are files")]

use super::{Context, Done, output};
use crate::locale::Message;
use crate::protocol::Problem;
use crate::settings::{self, Key, Layers, Listed, Provenance, Settings, SettingsFile};
use crate::shell::os;
use clap::Subcommand;

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
                for problem in &context.settings_problems {
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
    let file = |path: &std::path::Path| SettingsFile {
        path: path.display().to_string(),
        text: std::fs::read_to_string(path).ok(),
    };
    let layers = Layers {
        user: file(&path),
        environment: os::environment(),
        machine: file(context.folders.machine_settings()),
    };
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
    let mut temporary = tempfile::NamedTempFile::new_in(&folder).map_err(cannot)?;
    std::io::Write::write_all(&mut temporary, text.as_bytes()).map_err(cannot)?;
    temporary.as_file().sync_all().map_err(cannot)?;
    temporary.persist(&path).map_err(|e| cannot(e.error))?;
    let written = Message::new("cli-setting-written").text("file", path.display().to_string());
    output::line(&context.locale.format(&written));
    let (now, _) = Settings::resolve(&Layers { user: file(&path), ..layers });
    if let Ok(key) = Key::find(name)
        && now.get(key).from > Provenance::User
    {
        let overridden =
            Message::new("cli-setting-overridden").text("from", from(now.get(key).from, context));
        output::line(&context.locale.format(&overridden));
    }
    Ok(())
}

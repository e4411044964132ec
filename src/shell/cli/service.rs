//! `hookswitch service run`.

use super::{Context, Done};
use crate::shell::hardware::Hardware;
use crate::shell::service::{self, ServiceOptions};
use clap::Subcommand;

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    Run,
}

pub(super) fn execute(command: &Command, context: &Context, hardware: impl FnOnce() -> Hardware) -> Done {
    let Command::Run = command;
    let options = ServiceOptions {
        folders: context.folders.clone(),
        settings: context.settings.clone(),
        settings_problems: context.settings_problems.clone(),
        language: context.locale.tag().to_owned(),
    };
    Ok(service::run(options, hardware())?)
}

//! `hookswitch firmware inspect|pack`: packages, without an agent.
#![expect(clippy::disallowed_methods, reason = "packages are files")]

use super::input::{self, ReadError};
use super::{Done, output};
use crate::locale::{Locale, Message};
use crate::protocol::{Detail, Problem};
use clap::Subcommand;
use dfu::package::{LIMITS, Package, Rules, pack};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    Inspect {
        package: PathBuf,
        #[arg(long)]
        json: bool,
    },
    Pack {
        rules: PathBuf,
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
}

pub(super) fn execute(command: &Command, locale: &Locale) -> Done {
    match command {
        Command::Inspect { package, json } => inspect(package, *json, locale),
        Command::Pack { rules, output } => make(rules, output, locale),
    }
}

fn inspect(path: &Path, json: bool, locale: &Locale) -> Done {
    let package = Package::open(&read(path, LIMITS.archive_bytes as u64)?).map_err(|e| broken(path, &e))?;
    let rules = &package.rules;
    if json {
        output::line(&String::from_utf8_lossy(&rules.to_json()));
        return Ok(());
    }
    output::line(&format!("{} {} {}", rules.vendor, rules.name, rules.version));
    for target in &rules.targets {
        let device = format!("{:04x}:{:04x}", target.vid, target.pid);
        let message = Message::new("cli-package-target").text("device", device);
        output::line(&format!("  {}", locale.format(&message)));
    }
    for component in &rules.components {
        let suffix = match package.component_image(&component.id).and_then(|i| i.suffix) {
            Some(suffix) => Message::new("cli-package-suffix")
                .text("device", format!("{:04x}:{:04x}", suffix.vid, suffix.pid)),
            None => Message::new("cli-package-no-suffix"),
        };
        let message = Message::new("cli-package-component")
            .text("suffix", locale.format(&suffix))
            .text("id", &component.id)
            .text("file", &component.file)
            .text("version", component.version.to_string())
            .number("bytes", i64::try_from(component.size).unwrap_or(i64::MAX));
        output::line(&format!("  {}", locale.format(&message)));
    }
    Ok(())
}

fn make(rules_path: &Path, target: &Path, locale: &Locale) -> Done {
    let rules = Rules::parse(&read(rules_path, LIMITS.rules_bytes)?).map_err(|e| refused(rules_path, &e))?;
    let folder = rules_path.parent().unwrap_or(Path::new("."));
    let mut files = BTreeMap::new();
    for component in &rules.components {
        // The rules were checked: the name is a plain file name.
        let bytes = read(&folder.join(&component.file), LIMITS.file_bytes)?;
        files.insert(component.file.clone(), bytes);
    }
    let archive = pack(&rules, &files).map_err(|e| refused(rules_path, &e))?;
    std::fs::write(target, &archive).map_err(|e| unusable(target, &e))?;
    let message = Message::new("cli-package-written")
        .text("file", target.display().to_string())
        .number("bytes", i64::try_from(archive.len()).unwrap_or(i64::MAX));
    output::line(&locale.format(&message));
    Ok(())
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, Problem> {
    input::read(path, most).map_err(|error| match &error {
        ReadError::TooLarge { .. } => refused(path, &error),
        ReadError::Io(system) => unusable(path, system),
    })
}

fn broken(path: &Path, error: impl Into<Detail>) -> Problem {
    let error = error.into();
    Problem::new(
        "package-broken",
        format!("This is no good firmware package: {error}"),
        path.display().to_string(),
        "Get it again from where it came; an agent refuses it too.",
    )
    .detail("error", error)
}

fn refused(path: &Path, error: impl Into<Detail>) -> Problem {
    let error = error.into();
    Problem::new(
        "package-invalid",
        format!("This is no good firmware package: {error}"),
        path.display().to_string(),
        "Correct rules.json or the files it names, and pack them again.",
    )
    .detail("error", error)
}

fn unusable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(
        "file-unreadable",
        format!("The file cannot be used: {error}"),
        path.display().to_string(),
        "Check the name and the permissions.",
    )
    .with("error", error.to_string())
}

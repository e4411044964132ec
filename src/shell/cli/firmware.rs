//! `hookswitch firmware inspect|pack`: packages, without an agent.

use super::input::{self, ReadError};
use super::{Done, output};
use crate::shell::os::Readers;
use crate::shell::private_file;
use clap::Subcommand;
use device_handlers::registry;
use dfu::package::{LIMITS, Misfit, Package, Product, Rules, pack};
use hub::locale::{Locale, Message};
use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use std::collections::BTreeMap;
use std::io::Write as _;
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
    let file = input::ranges(path, LIMITS.archive_bytes).map_err(|error| unread(path, &error))?;
    let package = Package::open(&*file).map_err(|e| broken(path, &e))?;
    let rules = &package.rules;
    if json {
        output::line(&String::from_utf8_lossy(&rules.to_json()));
        return Ok(acceptable(&package, locale).map_err(|misfit| broken(path, &misfit))?);
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
    if let Some(minutes) = rules.expected_minutes {
        let message = Message::new("cli-package-minutes").number("minutes", minutes.into());
        output::line(&format!("  {}", locale.format(&message)));
    }
    for line in rules.release_notes.iter().flat_map(|notes| notes.lines()) {
        output::line(&format!("  | {line}"));
    }
    Ok(acceptable(&package, locale).map_err(|misfit| broken(path, &misfit))?)
}

/// Whether agents would write it to the devices that it names. All but the last fault are told at once.
fn acceptable(package: &Package, locale: &Locale) -> Result<(), Misfit> {
    let product = |target: &dfu::package::Target| {
        let dfu_pids = registry::describe(target.vid, target.pid).firmware.dfu_pids;
        Product { target: *target, dfu_pids }
    };
    let products: Vec<Product> = package.rules.targets.iter().map(product).collect();
    let mut misfits = package.misfits(&products, None);
    let Some(last) = misfits.pop() else { return Ok(()) };
    for misfit in &misfits {
        let message = Message::new("cli-package-fault").text("fault", locale.detail(&Detail::from(misfit)));
        output::aside(&locale.format(&message));
    }
    Err(last)
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
    let package = Package::open(archive.as_slice()).map_err(|e| refused(rules_path, &e))?;
    acceptable(&package, locale).map_err(|misfit| refused(rules_path, &misfit))?;
    private_file::put(target, Readers::Everyone, |file| file.write_all(&archive))
        .map_err(|reason| not_written(target, reason))?;
    let message = Message::new("cli-package-written")
        .text("file", target.display().to_string())
        .number("bytes", i64::try_from(archive.len()).unwrap_or(i64::MAX));
    output::line(&locale.format(&message));
    Ok(())
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, Problem> {
    input::read(path, most).map_err(|error| unread(path, &error))
}

fn unread(path: &Path, error: &ReadError) -> Problem {
    match error {
        ReadError::TooLarge { .. } => refused(path, error),
        ReadError::Io(system) => unusable(path, system),
    }
}

fn broken(path: &Path, error: impl Into<Detail>) -> Problem {
    Reason::PackageBroken { error: error.into() }.at(path.display())
}

fn refused(path: &Path, error: impl Into<Detail>) -> Problem {
    Reason::PackageInvalid { error: error.into() }.at(path.display())
}

fn not_written(path: &Path, reason: Detail) -> Problem {
    Reason::PackageNotWritten { reason }.at(path.display())
}

fn unusable(path: &Path, error: &std::io::Error) -> Problem {
    Reason::FileUnreadable { error: Detail::verbatim(error) }.at(path.display())
}

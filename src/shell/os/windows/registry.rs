//! What the registry tells: the machine's settings, and what the system is.

use super::super::{MachineSettings, System};
use super::told::{quoted, setting};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;
use std::io;
use windows_registry::{Key, LOCAL_MACHINE, Type};

/// What the company sets by its policies, over what was set at the installation.
const PLACES: [&str; 2] = [r"Software\Policies\Hookswitch", r"Software\Hookswitch"];
/// Below each: what only administrators may read.
const PRIVATE: &str = "Enrolment";
const NOT_FOUND: i32 = windows_sys::Win32::Foundation::ERROR_FILE_NOT_FOUND.cast_signed();

/// The machine's settings, of which there are no files here.
pub fn machine_settings_elsewhere() -> Option<MachineSettings> {
    let shared = PLACES.map(str::to_owned);
    let private = PLACES.map(|place| format!(r"{place}\{PRIVATE}"));
    let place = |keys: &[String; 2]| format!(r"HKLM\{}", keys[1]);
    Some(MachineSettings {
        shared: (place(&shared), settings(&shared)),
        private: (place(&private), settings(&private)),
    })
}

/// As a settings file would say it; what stands in the first of the keys counts. `None` = there is nothing.
fn settings(keys: &[String; 2]) -> io::Result<Option<String>> {
    let mut lines = BTreeMap::new();
    for key in keys {
        let key = match LOCAL_MACHINE.open(key) {
            Ok(key) => key,
            Err(error) => match io::Error::from(error) {
                error if error.raw_os_error() == Some(NOT_FOUND) => continue,
                error => return Err(error),
            },
        };
        // A key may have a value without a name, which stands for nothing here.
        for (name, _) in key.values()?.filter(|(name, _)| !name.is_empty()) {
            if let Entry::Vacant(free) = lines.entry(setting(&name)) {
                free.insert(value(&key, &name)?);
            }
        }
    }
    let mut text = String::new();
    for (name, value) in &lines {
        let _ = writeln!(text, "{name} = {value}");
    }
    Ok((!lines.is_empty()).then_some(text))
}

/// In TOML.
fn value(key: &Key, name: &str) -> io::Result<String> {
    let value = key.get_value(name)?;
    Ok(match value.ty() {
        Type::U32 | Type::U64 => key.get_u64(name)?.to_string(),
        Type::MultiString => {
            let texts: Vec<String> = key.get_multi_string(name)?.iter().map(|text| quoted(text)).collect();
            format!("[{}]", texts.join(", "))
        }
        _ => quoted(&key.get_string(name)?),
    })
}

pub fn system() -> System {
    let current = LOCAL_MACHINE.open(r"Software\Microsoft\Windows NT\CurrentVersion");
    let text =
        |name: &str| current.as_ref().ok().and_then(|key| key.get_string(name).ok()).unwrap_or_default();
    let build = text("CurrentBuildNumber");
    // Windows 11 calls itself 10 there, from its first build on.
    let is_eleven = build.parse::<u32>().is_ok_and(|build| build >= 22_000);
    let name = text("ProductName");
    System {
        name: if is_eleven { name.replace("Windows 10", "Windows 11") } else { name },
        version: text("DisplayVersion"),
        kernel: build,
        architecture: std::env::consts::ARCH,
    }
}

/// The id that Windows gave itself at its installation, 32 hexadecimal digits.
pub(super) fn machine_id() -> Option<String> {
    let id = LOCAL_MACHINE.open(r"Software\Microsoft\Cryptography").ok()?.get_string("MachineGuid").ok()?;
    Some(id.replace('-', "").to_ascii_lowercase())
}

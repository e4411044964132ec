//! The command line as people and scripts meet it: the real program, its words, its exit codes, its JSON.
//! `UPDATE_GOLDEN=1 cargo test --test cli` writes the files in `tests/golden/cli/` anew.
#![expect(clippy::disallowed_methods, reason = "starts programs and reads what they wrote")]

#[path = "support/rig.rs"]
mod rig;
#[path = "support/scene.rs"]
mod scene;
#[path = "support/seed.rs"]
mod seed;

#[path = "cli/alone.rs"]
mod alone;
#[path = "cli/descriptor.rs"]
mod descriptor;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/json.rs"]
mod json;
#[path = "cli/live.rs"]
mod live;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/softphones.rs"]
mod softphones;
#[path = "cli/spokes.rs"]
mod spokes;
#[path = "cli/world.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program with nothing of this session's settings.
fn hookswitch(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookswitch"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("HOOKSWITCH_") || text.starts_with("TENANT_") || text == "SERVER_URL" {
            command.env_remove(name);
        }
    }
    for name in ["LC_ALL", "LC_MESSAGES", "LANG", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] {
        command.env_remove(name);
    }
    command.env("HOOKSWITCH_REST_PORT", "0").arg("--home").arg(home).args(arguments);
    command
}

/// Holds `text` against a file of `tests/golden/cli/`.
fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("the golden file is writable");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{} differs; UPDATE_GOLDEN=1 writes it anew", path.display());
}

/// What differs from run to run, by what it is.
fn masked(text: &str, masks: &[(&str, &str)]) -> String {
    masks.iter().fold(text.to_owned(), |text, (found, mask)| text.replace(found, mask))
}

/// One line, from the program, that says where and what next.
fn one_clear_line(stderr: &str) -> &str {
    let line = stderr.strip_suffix('\n').unwrap_or(stderr);
    assert!(!line.contains('\n') && line.starts_with("hookswitch: "), "not one line: {stderr:?}");
    assert!(
        line.contains(" (") && line.contains("). ") && line.ends_with('.'),
        "no where or no next: {line:?}"
    );
    line
}

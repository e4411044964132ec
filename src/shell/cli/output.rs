//! How commands print: aligned text for people, one JSON document for programs.

use crate::protocol::Problem;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// Some output did not arrive: a script must not take the rest for the whole.
static LOST: AtomicBool = AtomicBool::new(false);

/// A closed pipe (`| head`) ends the output, not the command.
pub(super) fn line(text: &str) {
    if writeln!(io::stdout(), "{text}").is_err_and(|e| e.kind() != io::ErrorKind::BrokenPipe) {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// Whether all that was printed has arrived.
pub(super) fn arrived() -> Result<(), Problem> {
    match LOST.load(Ordering::Relaxed) {
        false => Ok(()),
        true => Err(Problem::new(
            "output-lost",
            "Not all of the output could be written",
            "standard output",
            "Free space where it goes, then run the command again.",
        )),
    }
}

/// To the person. Where nobody can read it, the exit status still says how it ended.
pub(super) fn aside(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

pub(super) fn json(value: &impl serde::Serialize) {
    // The types printed hold no maps with keys that are not texts.
    if let Ok(text) = serde_json::to_string_pretty(value) {
        line(&text);
    }
}

/// Columns as wide as their widest cell, two blanks between.
pub(super) fn table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|t| t.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().enumerate().map(|(c, text)| {
            let gap = if c + 1 == row.len() { 0 } else { widths[c] - text.chars().count() + 2 };
            format!("{text}{}", " ".repeat(gap))
        });
        line(&cells.collect::<String>());
    }
}

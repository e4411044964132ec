//! How commands print: aligned text for people, one JSON document for programs.

use dfu::text;
use hub::problem::Reason;
use hub::protocol::Problem;
use std::borrow::Cow;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use unicode_width::UnicodeWidthStr as _;

/// Some output did not arrive: a script must not take the rest for the whole.
static LOST: AtomicBool = AtomicBool::new(false);

/// A closed pipe (`| head`) ends the output, not the command.
pub(super) fn line(text: &str) {
    let text = harmless(text);
    if writeln!(io::stdout(), "{text}").is_err_and(|e| e.kind() != io::ErrorKind::BrokenPipe) {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// Whether all that was printed has arrived.
pub(super) fn arrived() -> Result<(), Problem> {
    match LOST.load(Ordering::Relaxed) {
        false => Ok(()),
        true => Err(Reason::OutputLost.here()),
    }
}

/// To the person. Where nobody can read it, the exit status still says how it ended.
pub(super) fn aside(text: &str) {
    let _ = writeln!(io::stderr(), "{}", harmless(text));
}

/// Names of files and devices may hold characters that a terminal obeys, or that nobody sees.
fn harmless(text: &str) -> Cow<'_, str> {
    let is_layout = |c: char| c == '\n' || c == '\t';
    if text::characters(text).all(|(c, shown)| shown || is_layout(c)) {
        return Cow::Borrowed(text);
    }
    let shown = text::characters(text).map(|(c, shown)| match shown || is_layout(c) {
        true => c.to_string(),
        false => c.escape_default().to_string(),
    });
    Cow::Owned(shown.collect())
}

pub(super) fn json(value: &impl serde::Serialize) {
    // The types printed hold no maps with keys that are not texts.
    if let Ok(text) = serde_json::to_string_pretty(value) {
        line(&text);
    }
}

/// One line, also behind lines of a document that goes on.
pub(super) fn json_line(value: &impl serde::Serialize) {
    if let Ok(text) = serde_json::to_string(value) {
        line(&text);
    }
}

/// Columns as wide as their widest cell, two blanks between.
pub(super) fn table(rows: &[Vec<String>]) {
    for row in aligned(rows) {
        line(&row);
    }
}

/// A terminal gives a character of East Asia two columns, a mark over another one none, and an escaped one many.
fn columns_of(text: &str) -> usize {
    harmless(text).width()
}

fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    // A cell alone is a remark on the row above it, as long as it likes.
    let lines = || rows.iter().filter(|row| row.len() > 1);
    let width = |c: usize| lines().filter_map(|r| r.get(c)).map(|t| columns_of(t)).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let aligned = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(c, text)| {
            let gap = if c + 1 == row.len() { 0 } else { widths[c] - columns_of(text) + 2 };
            format!("{text}{}", " ".repeat(gap))
        });
        cells.collect()
    };
    rows.iter().map(aligned).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_aligned_by_what_a_terminal_shows() {
        let row = |a: &str| vec![a.to_owned(), "|".to_owned()];
        let rows = ["Headset", "耳机", "Té", "Te\u{301}", "a\u{1b}"].map(row);
        let shown = ["Headset  |", "耳机     |", "Té       |", "Te\u{301}       |", "a\u{1b}  |"];
        assert_eq!(super::aligned(&rows), shown);
    }

    #[test]
    fn a_terminal_is_told_nothing_by_names() {
        assert_eq!(super::harmless("a\x1b[31mb\u{9b}\n\tc"), "a\\u{1b}[31mb\\u{9b}\n\tc");
        assert_eq!(super::harmless("ä {} 日"), "ä {} 日");
        assert_eq!(super::harmless("x\u{202e}exe.oec\u{200b}"), "x\\u{202e}exe.oec\\u{200b}");
    }
}

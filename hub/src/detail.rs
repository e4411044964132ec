//! What other crates' errors say to a person: the [`Detail`](crate::protocol::Detail) of each.
//!
//! Every `match` names every variant, so that a new one does not compile without its words in every language. Their
//! English text stays the error's own; words of other libraries go along as they are.

mod descriptor;
mod dfu;
mod directory;
mod package;
mod policy;
mod report;

/// A text of a stranger, with what would move a terminal's cursor or end the quotation marks written out.
fn shown(text: &str) -> String {
    text.escape_debug().to_string()
}

/// `serde_json` says line and column at the end of its text, too.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or_else(|| text.clone(), |(words, _)| words.to_owned())
}

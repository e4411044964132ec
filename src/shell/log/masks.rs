//! What must not be readable in a log: registered once, masked in every line written afterwards.

use std::sync::{PoisonError, RwLock};

const SECRET: &str = "(secret)";
const USER: &str = "(user)";
/// Access tokens come and go; the first ones registered are the long-lived ones and stay.
const MAX_MASKS: usize = 1024;
const LASTING_MASKS: usize = 64;
/// Shorter texts are masked only where they stand alone, or a log would have holes inside of its words.
const ANYWHERE_FROM_BYTES: usize = 8;

#[derive(Debug)]
struct Mask {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Secret,
    User,
}

static MASKS: RwLock<Vec<Mask>> = RwLock::new(Vec::new());

/// Never to be written to a log: a token, a password.
pub fn mask(secret: &str) {
    let percent: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    // as it looks inside of `{:?}`, JSON and a query
    for form in [secret.to_owned(), secret.escape_debug().to_string(), percent] {
        register(form, Kind::Secret);
    }
}

/// Not to be written to a log at `info`, `warn` and `error`.
pub fn mask_user(name: &str) {
    register(name.to_lowercase(), Kind::User);
}

fn register(text: String, kind: Kind) {
    let mut masks = MASKS.write().unwrap_or_else(PoisonError::into_inner);
    if text.is_empty() || masks.iter().any(|mask| mask.text == text && mask.kind == kind) {
        return;
    }
    if masks.len() >= MAX_MASKS {
        masks.remove(LASTING_MASKS);
    }
    masks.push(Mask { text, kind });
}

/// The text without registered secrets and, if asked, without user names.
pub fn masked(text: &str, hide_user: bool) -> String {
    let masks = MASKS.read().unwrap_or_else(PoisonError::into_inner);
    let mut spans: Vec<(usize, usize, Kind)> = Vec::new();
    for mask in masks.iter() {
        match mask.kind {
            Kind::Secret => {
                find(text, &mask.text, mask.text.len() < ANYWHERE_FROM_BYTES, Kind::Secret, &mut spans)
            }
            Kind::User if hide_user => {
                // Names are compared without case. Lower case may move bytes about; then only the text as it is counts.
                let lower = text.to_lowercase();
                let same_places = lower.len() == text.len()
                    && lower.char_indices().map(|(at, _)| at).eq(text.char_indices().map(|(at, _)| at));
                let haystack = if same_places { lower.as_str() } else { text };
                find(haystack, &mask.text, true, Kind::User, &mut spans);
            }
            Kind::User => {}
        }
    }
    spans.sort_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)));
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for (start, end, kind) in spans {
        if start >= at {
            shown.push_str(&text[at..start]);
            shown.push_str(if kind == Kind::Secret { SECRET } else { USER });
        }
        at = at.max(end);
    }
    shown.push_str(&text[at..]);
    shown
}

fn find(text: &str, needle: &str, alone: bool, kind: Kind, spans: &mut Vec<(usize, usize, Kind)>) {
    for (start, _) in text.match_indices(needle) {
        let end = start + needle.len();
        let before = text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
        let after = text[end..].chars().next().is_some_and(char::is_alphanumeric);
        if !alone || !(before || after) {
            spans.push((start, end, kind));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_every_form_of_a_secret_and_names_only_above_debug() {
        mask("p\"w/1 longer");
        mask("abc");
        mask("masks-first-part-and-more");
        mask("and-more-of-it");
        mask_user("Jörg.Test");
        mask_user("al");
        let hide = |text| masked(text, true);
        assert_eq!(hide(r#"a p"w/1 longer b"#), "a (secret) b");
        assert_eq!(hide(r#"{"k":"p\"w/1 longer"}"#), r#"{"k":"(secret)"}"#);
        assert_eq!(hide("x=p%22w%2F1+longer&y"), "x=(secret)&y");
        assert_eq!(hide("abc abcd 'abc'"), "(secret) abcd '(secret)'");
        assert_eq!(
            hide("masks-first-part-and-more-of-it!"),
            "(secret)!",
            "overlapping secrets leave no rest"
        );
        assert_eq!(hide("/home/JÖRG.TEST/x of Al, also"), "/home/(user)/x of (user), also");
        assert_eq!(masked("jörg.test abc", false), "jörg.test (secret)");
    }
}

//! What must not be readable in a log: registered once, masked in every line written afterwards.

use serde_json::Value;
use std::sync::{PoisonError, RwLock};

const SECRET: &str = "(secret)";
const USER: &str = "(user)";
/// Access tokens come and go; the first ones registered are the long-lived ones and stay.
const MAX_MASKS: usize = 1024;
const LASTING_MASKS: usize = 256;
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
    for form in written(secret) {
        register(form, Kind::Secret);
    }
}

/// Not to be written to a log at `info`, `warn` and `error`.
///
/// `CORP\jane.doe` and `jane.doe@corp.example` are known by the account, as `DOMAIN\` and `@realm` change from place to
/// place, and `jane.doe` by what a directory makes of it: `Jane Doe`, `Doe, Jane`.
pub fn mask_user(name: &str) {
    let account = name.rsplit('\\').next().unwrap_or(name);
    let account = account.split('@').next().unwrap_or(account);
    let mut names = vec![name.to_owned(), account.to_owned()];
    if let Some((first, last)) = account.split_once(['.', '_']).filter(|(a, b)| a.len() > 1 && b.len() > 1) {
        names.extend([format!("{first} {last}"), format!("{last} {first}"), format!("{last}, {first}")]);
    }
    for form in names.iter().flat_map(|name| written(name)) {
        register(form.to_lowercase(), Kind::User);
        // for texts that cannot be compared without case
        register(form, Kind::User);
    }
}

fn digits_in_small(form: &str) -> String {
    let mut digits = 0;
    let small = |c: char| {
        let digit = digits > 0;
        digits = if matches!(c, '%' | '\\') { 2 } else { digits - i32::from(digit) };
        if digit { c.to_ascii_lowercase() } else { c }
    };
    form.chars().map(small).collect()
}

/// A text as it stands inside of `{:?}` and JSON, a query and a path, a name of a directory (RFC 4514) and a filter
/// (RFC 4515).
fn written(text: &str) -> Vec<String> {
    let query: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let path = query.replace('+', "%20");
    // Every byte that is no letter or digit, for those who escape more than they must.
    let every = |mark: &str| -> String {
        let escaped = |byte: u8| match byte {
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b => format!("{mark}{b:02X}"),
        };
        text.bytes().map(escaped).collect()
    };
    let special = |c: char| matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' | '#');
    let name: String = text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect();
    let hex = |special: &dyn Fn(char) -> bool| -> String {
        text.chars()
            .map(|c| if special(c) { format!("\\{:02x}", u32::from(c)) } else { c.to_string() })
            .collect()
    };
    let of_name = hex(&special);
    let of_filter = hex(&|c| matches!(c, '*' | '(' | ')' | '\\'));
    let debug = text.escape_debug().to_string();
    let every = [every("%"), every("\\")];
    // Some write the digits of an escape small.
    let small = |form: &String| digits_in_small(form);
    let small = [&query, &path, &every[0], &every[1]].map(small);
    let mut forms = vec![text.to_owned(), debug, query, path, name, of_name, of_filter];
    forms.extend(every.into_iter().chain(small));
    forms.sort();
    forms.dedup();
    forms
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

/// A line of a log, or several, without registered secrets and, if asked, without user names. A name that is also the
/// name of a field (`root=…`) stays there.
pub fn masked(text: &str, hide_user: bool) -> String {
    let masks = MASKS.read().unwrap_or_else(PoisonError::into_inner);
    hidden(&masks, text, if hide_user { Names::InValues } else { Names::Shown })
}

/// All texts in `json` without registered secrets and user names; keys stay as they are.
pub fn mask_json(json: &mut Value) {
    let masks = MASKS.read().unwrap_or_else(PoisonError::into_inner);
    hide_in_json(&masks, json);
}

/// Where user names are hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Shown,
    /// Not where a `=` follows.
    InValues,
    Everywhere,
}

fn hide_in_json(masks: &[Mask], json: &mut Value) {
    match json {
        Value::String(text) => *text = hidden(masks, text, Names::Everywhere),
        Value::Array(items) => items.iter_mut().for_each(|item| hide_in_json(masks, item)),
        Value::Object(members) => members.values_mut().for_each(|member| hide_in_json(masks, member)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn hidden(masks: &[Mask], text: &str, names: Names) -> String {
    // Names are compared without case. Lower case may move bytes about; then only the text as it is counts.
    let lower = text.to_lowercase();
    let same_places = lower.len() == text.len()
        && lower.char_indices().map(|(at, _)| at).eq(text.char_indices().map(|(at, _)| at));
    let comparable = if same_places { lower.as_str() } else { text };
    let mut spans: Vec<(usize, usize, Kind)> = Vec::new();
    for mask in masks {
        let haystack = match mask.kind {
            Kind::Secret => text,
            Kind::User if names == Names::Shown => continue,
            Kind::User => comparable,
        };
        for (start, found) in haystack.match_indices(&mask.text) {
            let end = start + found.len();
            let counts = match mask.kind {
                Kind::Secret => found.len() >= ANYWHERE_FROM_BYTES || stands_alone(haystack, start, end),
                Kind::User => is_name(haystack, start, end, names),
            };
            if counts {
                spans.push((start, end, mask.kind));
            }
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

fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
    let after = text[end..].chars().next().is_some_and(char::is_alphanumeric);
    !before && !after
}

/// `uid%3D` and `CORP\5c`: the digits are those of a mark.
fn ends_escaped(text: &str) -> bool {
    let mut last = text.bytes().rev();
    let digits = [last.next(), last.next()].iter().all(|byte| byte.is_some_and(|b| b.is_ascii_hexdigit()));
    digits && matches!(last.next(), Some(b'%' | b'\\'))
}

/// A whole word: `root` is no user in `tenant_root` and `root-ca`.
fn is_name(text: &str, start: usize, end: usize, names: Names) -> bool {
    let of_a_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let (before, after) = (&text[..start], &text[end..]);
    // The letter of an escaped line break is none of the word that begins the next line.
    let begins_line =
        ["\\n", "\\r", "\\t"].iter().any(|escape| before.ends_with(escape)) || ends_escaped(before);
    let is_field = names == Names::InValues && after.starts_with('=');
    (begins_line || !before.chars().next_back().is_some_and(of_a_word))
        && !after.chars().next().is_some_and(of_a_word)
        && !is_field
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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

    fn users(names: &[&str]) -> Vec<Mask> {
        names.iter().map(|name| Mask { text: (*name).to_owned(), kind: Kind::User }).collect()
    }

    #[test]
    fn a_user_name_is_a_whole_word_and_no_field_of_a_line() {
        let masks = users(&["root", "a", "tenant"]);
        for (line, shown) in [
            ("tenant_root tenant-root root_sha256 roots", "tenant_root tenant-root root_sha256 roots"),
            (
                "pinned root=30e4 tenant=\"https://a.example\"",
                "pinned root=30e4 tenant=\"https://(user).example\"",
            ),
            ("root=root /home/root/x (root)", "root=(user) /home/(user)/x ((user))"),
            ("Root: bind as\\nroot\\nfailed", "(user): bind as\\n(user)\\nfailed"),
            ("a banana and a-b a_b", "(user) banana and a-b a_b"),
            ("root", "(user)"),
        ] {
            assert_eq!(hidden(&masks, line, Names::InValues), shown);
            assert_eq!(hidden(&masks, line, Names::Shown), line);
        }
    }

    /// However somebody else writes it.
    #[test]
    fn every_form_of_a_name_is_hidden() {
        mask_user("CORP\\Jane.Doe");
        mask_user("jörg müller@corp.example");
        for line in [
            "CORP\\Jane.Doe CORP\\\\jane.doe corp\\JANE.DOE CORP\\5cJane.Doe CORP%5CJane.Doe",
            "Jane.Doe@corp.example JANE.DOE@CORP.EXAMPLE jane.doe%40corp.example",
            "no such entry: uid=Jane.Doe,ou=people,dc=example UID=JANE.DOE+cn=Jane Doe cn=Doe\\, Jane cn=Doe\\2c Jane",
            "(&(uid=jane.doe)(cn=x)) /v1/users/jane.doe/groups?u=Jane%2EDoe uid%3DJane.Doe%2Cou%3Dx uid%3djane%2edoe",
            "Jane.Doe: bind as\\nJane.Doe\\nfailed {\"user\":\"Jane.Doe\"}",
            "jörg müller JÖRG MÜLLER j%C3%B6rg%20m%C3%BCller J%c3%b6rg+m%c3%bcller cn=J\\C3\\B6rg\\20M\\C3\\BCller",
        ] {
            let shown = masked(line, true).to_lowercase();
            for part in ["jane", "doe", "jörg", "müller", "b6rg", "bcller"] {
                assert!(!shown.contains(part), "{part} is in {shown:?}, which was {line:?}");
            }
        }
        assert_eq!(masked("Janet.Doe; jane.doe-admin; Doerthe", true), "Janet.Doe; jane.doe-admin; Doerthe");
    }

    #[test]
    fn every_form_of_a_secret_is_hidden_whoever_writes_it() {
        mask("s3cr3t p/w+of=all");
        for line in [
            "s3cr3t p/w+of=all",
            "s3cr3t%20p%2Fw%2Bof%3Dall",
            "s3cr3t+p%2fw%2bof%3dall",
            "s3cr3t p/w\\+of\\=all",
        ] {
            assert_eq!(masked(line, false), "(secret)", "{line}");
        }
    }

    #[test]
    fn json_keeps_its_keys_and_stays_json() {
        let masks = users(&["root", "a", "tenant", "q"]);
        let mut json = json!({
            "root": "root", "a": ["a", { "tenant": "of tenant, root=1" }], "root_sha256": "tenant_root",
            "n": [1, true, null], "text": "\"q\" \\q",
        });
        hide_in_json(&masks, &mut json);
        let shown = json!({
            "root": "(user)", "a": ["(user)", { "tenant": "of (user), (user)=1" }],
            "root_sha256": "tenant_root", "n": [1, true, null], "text": "\"(user)\" \\(user)",
        });
        assert_eq!(json, shown);
    }

    #[test]
    fn a_name_is_found_where_lower_case_moves_bytes() {
        mask_user("İlker.Masks");
        assert_eq!(masked("of İlker.Masks", true), "of (user)");
    }
}

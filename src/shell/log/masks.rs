//! What must not be readable in a log: registered once, masked in every line written afterwards.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hub::settings::Key;
use serde_json::Value;
use std::sync::{PoisonError, RwLock};

const SECRET: &str = "(secret)";
const USER: &str = "(user)";
/// Access tokens come and go; the first ones registered are the long-lived ones and stay.
const MAX_MASKS: usize = 4096;
const LASTING_MASKS: usize = 1024;
/// Shorter texts are masked only where they stand alone, or a log would have holes inside of its words.
const ANYWHERE_FROM_BYTES: usize = 8;

/// A part of a Base64 text that is shorter may be anybody's.
const ENCODED_FROM_BYTES: usize = 7;

#[derive(Debug)]
struct Mask {
    /// Of a user: [`folded`], but for what is encoded.
    text: String,
    kind: Kind,
    /// In Base64, of which it may be a part.
    encoded: bool,
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
        register(form, Kind::Secret, false);
    }
    for form in encoded(secret) {
        register(form, Kind::Secret, true);
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
    for name in &names {
        for form in [name.clone(), decomposed(name)].iter().flat_map(|name| written(name)) {
            register(folded(&form).0, Kind::User, false);
        }
        // In Base64 the case of a name is not to be seen.
        let spelt = [name.clone(), name.to_lowercase(), name.to_uppercase(), titled(name)];
        let in_a_dn = spelt.clone().map(|name| name.replace(',', "\\,"));
        for form in spelt.iter().chain(&in_a_dn).flat_map(|name| encoded(name)) {
            register(form, Kind::User, true);
        }
    }
}

/// `Jane.Doe`, as directories spell an account whose owner types `jane.doe`.
fn titled(name: &str) -> String {
    let mut begins = true;
    let title = |c: char| -> String {
        let first = std::mem::replace(&mut begins, !c.is_alphanumeric());
        if first { c.to_uppercase().collect() } else { c.to_lowercase().collect() }
    };
    name.chars().map(title).collect()
}

/// With the marks behind their letters, as some file systems keep names (Unicode form D).
fn decomposed(name: &str) -> String {
    unicode_normalization::UnicodeNormalization::nfd(name).collect()
}

/// The part of a Base64 text that stands for `text`, wherever in the encoded bytes it begins.
fn encoded(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(text.as_bytes());
        // The characters at the ends hold bits of the neighbours too.
        let (skipped, whole) = ([0, 2, 3][before], bytes.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            forms.extend(
                encoded
                    .get(skipped..whole)
                    .filter(|part| part.len() >= ENCODED_FROM_BYTES)
                    .map(str::to_owned),
            );
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

/// In small letters, and for each byte of it (and the end) where its character begins in `text`.
fn folded(text: &str) -> (String, Vec<usize>) {
    let (mut small, mut places) = (String::with_capacity(text.len()), Vec::with_capacity(text.len() + 1));
    for (at, c) in text.char_indices() {
        // One for one: what a letter becomes beside (`İ`) is the same in the name that is looked for.
        let c = c.to_lowercase().next().unwrap_or(c);
        small.push(c);
        places.resize(small.len(), at);
    }
    places.push(text.len());
    (small, places)
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
    // Programs that write nothing but ASCII: JSON (RFC 8259 §7) in units of UTF-16, Rust by code point.
    let json: String = text
        .chars()
        .map(|c| match c.is_ascii() {
            true => c.escape_debug().to_string(),
            false => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
        })
        .collect();
    let capital = json_digits_in_capitals(&json);
    let ascii = text.escape_default().to_string();
    // The last is a path within a query.
    let every = [every("%"), every("\\"), every("%25")];
    // Some write the digits of an escape small.
    let small = |form: &String| digits_in_small(form);
    let small = [&query, &path, &every[0], &every[1]].map(small);
    let mut forms = vec![text.to_owned(), debug, json, capital, ascii, query, path, name, of_name, of_filter];
    forms.extend(every.into_iter().chain(small));
    forms.sort();
    forms.dedup();
    forms
}

/// `\u00f6` as `\u00F6`.
fn json_digits_in_capitals(json: &str) -> String {
    let mut parts = json.split("\\u");
    let mut capital = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(4).unwrap_or((part, ""));
        capital.push_str("\\u");
        capital.push_str(&digits.to_ascii_uppercase());
        capital.push_str(rest);
    }
    capital
}

fn register(text: String, kind: Kind, encoded: bool) {
    let mut masks = MASKS.write().unwrap_or_else(PoisonError::into_inner);
    let known = |mask: &Mask| mask.text == text && mask.kind == kind && mask.encoded == encoded;
    if text.is_empty() || masks.iter().any(known) {
        return;
    }
    if masks.len() >= MAX_MASKS {
        masks.remove(LASTING_MASKS);
    }
    masks.push(Mask { text, kind, encoded });
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
    // Names are compared without case.
    let (small, places) = folded(text);
    let mut spans: Vec<(usize, usize, Kind)> = Vec::new();
    for Mask { text: wanted, kind, encoded } in masks {
        if *kind == Kind::User && names == Names::Shown {
            continue;
        }
        if *encoded {
            for (start, found) in text.match_indices(wanted) {
                let (start, end) = whole_encoded(text, start, start + found.len());
                spans.push((start, end, *kind));
            }
        } else if *kind == Kind::Secret {
            for (start, found) in text.match_indices(wanted) {
                let end = start + found.len();
                if found.len() >= ANYWHERE_FROM_BYTES || stands_alone(text, start, end) {
                    spans.push((start, end, *kind));
                }
            }
        } else {
            for (start, found) in small.match_indices(wanted) {
                let (start, end) = (places[start], places[start + found.len()]);
                if is_name(text, start, end, names) {
                    spans.push((start, end, *kind));
                }
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

/// The whole of a Base64 text of which a part was found.
fn whole_encoded(text: &str, start: usize, end: usize) -> (usize, usize) {
    let of_it = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
    let before: usize =
        text[..start].chars().rev().take_while(|c| of_it(c) && *c != '=').map(char::len_utf8).sum();
    let after: usize = text[end..].chars().take_while(of_it).map(char::len_utf8).sum();
    (start - before, end + after)
}

/// A whole word, also where it is a part of another: `jane.doe-laptop`. But `root` is no user in the name of the setting
/// `tenant_root`, nor in any field.
fn is_name(text: &str, start: usize, end: usize, names: Names) -> bool {
    let (before, after) = (&text[..start], &text[end..]);
    // The letter of an escaped line break is none of the word that begins the next line.
    let begins_line =
        ["\\n", "\\r", "\\t"].iter().any(|escape| before.ends_with(escape)) || ends_escaped(before);
    let of_a_field = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let rest = after.trim_start_matches(of_a_field);
    let is_field = names == Names::InValues && rest.starts_with('=');
    let begins = before.trim_end_matches(of_a_field).len();
    let whole = &text[begins..text.len() - rest.len()];
    let is_setting = whole.len() > end - start && Key::named(whole).is_some();
    // A mark over the last letter makes it another one.
    let is_mark = |c: char| ('\u{300}'..='\u{36f}').contains(&c);
    (begins_line || !before.chars().next_back().is_some_and(char::is_alphanumeric))
        && !after.chars().next().is_some_and(|c| c.is_alphanumeric() || is_mark(c))
        && !is_field
        && !is_setting
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
        let mask = |name: &&str| Mask { text: (*name).to_owned(), kind: Kind::User, encoded: false };
        names.iter().map(mask).collect()
    }

    #[test]
    fn a_user_name_is_a_whole_word_and_no_field_of_a_line() {
        let masks = users(&["root", "a", "tenant"]);
        for (line, shown) in [
            (
                "tenant_root=1 tenant-root=2 root_sha256=3 roots",
                "tenant_root=1 tenant-root=2 root_sha256=3 roots",
            ),
            ("root-laptop laptop_root of tenant", "(user)-laptop laptop_(user) of (user)"),
            (
                "pinned root=30e4 tenant=\"https://a.example\"",
                "pinned root=30e4 tenant=\"https://(user).example\"",
            ),
            ("root=root /home/root/x (root)", "root=(user) /home/(user)/x ((user))"),
            ("Root: bind as\\nroot\\nfailed", "(user): bind as\\n(user)\\nfailed"),
            ("a banana and a-b a_b=", "(user) banana and (user)-b a_b="),
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
            "jane.doe-laptop laptop-jane.doe DESKTOP_JANE.DOE /v1?u=Jane%252EDoe",
            "J\\u00f6rg M\\u00FCller j\\u{f6}rg m\\u{fc}ller jo\u{308}rg mu\u{308}ller JO\u{308}RG MU\u{308}LLER",
            "jörg müller JÖRG MÜLLER j%C3%B6rg%20m%C3%BCller J%c3%b6rg+m%c3%bcller cn=J\\C3\\B6rg\\20M\\C3\\BCller",
        ] {
            let shown = masked(line, true).to_lowercase();
            for part in ["jane", "doe", "rg", "ller"] {
                assert!(!shown.contains(part), "{part} is in {shown:?}, which was {line:?}");
            }
        }
        assert_eq!(masked("Janet.Doe; jane.doe-admin; Doerthe", true), "Janet.Doe; (user)-admin; Doerthe");
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
        mask_user("case.masks");
        assert_eq!(masked("of İlker.Masks", true), "of (user)");
        assert_eq!(masked("İ\nẞ of CASE.MASKS and ilker.masks\nİ", true), "İ\nẞ of (user) and (user)\nİ");
    }

    /// As LDIF (RFC 2849) and the header `Authorization: Basic` have it, alone or within more.
    #[test]
    fn a_name_and_a_secret_are_found_in_base64() {
        mask_user("base.sixtyfour");
        mask("password-in-base64");
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        for dn in
            ["Base.Sixtyfour", "uid=base.sixtyfour,ou=x", "cn=Base Sixtyfour,ou=x", "1cn=Sixtyfour\\, Base"]
        {
            assert_eq!(masked(&format!("dn:: {} end", encode(dn)), true), "dn:: (user) end", "{dn}");
        }
        for pair in ["u:password-in-base64", "us:password-in-base64", "use:password-in-base64!"] {
            assert_eq!(masked(&format!("Basic {} end", encode(pair)), false), "Basic (secret) end", "{pair}");
        }
        assert_eq!(masked(&encode("nothing of anybody"), true), encode("nothing of anybody"));
    }
}

//! Rust source as tests see it: without comments and texts, the texts alone, and as paths with every `use` tree
//! unfolded.
#![allow(dead_code, reason = "each crate of tests takes what it needs")]

/// `text` with comments and literals blanked; lines keep their numbers.
pub(crate) fn code(text: &str) -> String {
    blanked(text, ' ')
}

/// The literals of `text` outside of its tests, in their places; the rest is blank.
pub(crate) fn texts(text: &str) -> String {
    const LITERAL: char = '\u{1}';
    let marked = without_tests(&blanked(text, LITERAL));
    let kept = |(marked, c)| if marked == LITERAL || c == '\n' { c } else { ' ' };
    marked.chars().zip(text.chars()).map(kept).collect()
}

/// What stands in each text literal of `text` outside of its tests, escapes as they are written.
pub(crate) fn literals(text: &str) -> Vec<String> {
    let chars: Vec<char> = texts(text).chars().collect();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        let end = skip(&chars, at);
        let literal: String = chars[at..end].iter().collect();
        if let (Some(first), Some(last)) = (literal.find('"'), literal.rfind('"')) {
            out.extend(literal.get(first + 1..last).map(str::to_owned));
        }
        at = end.max(at + 1);
    }
    out
}

/// `text` with its comments blank and its literals filled.
fn blanked(text: &str, fill: char) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skip(&chars, at);
        if end > at {
            let fill = if chars[at] == '/' { ' ' } else { fill };
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { fill }));
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// The end of the comment or literal that begins at `at`; `at` itself if none does.
fn skip(text: &[char], at: usize) -> usize {
    let starts = |what: &str| what.chars().enumerate().all(|(i, c)| text.get(at + i) == Some(&c));
    let word_before = at > 0 && (text[at - 1].is_alphanumeric() || text[at - 1] == '_');
    if starts("//") {
        return text[at..].iter().position(|c| *c == '\n').map_or(text.len(), |n| at + n);
    }
    if starts("/*") {
        return block_comment(text, at);
    }
    if text[at] == '"' {
        return quoted(text, at + 1, '"');
    }
    if !word_before && (starts("b\"") || starts("c\"") || starts("b'")) {
        return quoted(text, at + 2, text[at + 1]);
    }
    if !word_before && (starts("r\"") || starts("r#") || starts("br\"") || starts("br#")) {
        return raw(text, at);
    }
    if text[at] == '\'' {
        // A lifetime has no closing quote right behind one character.
        let escaped = text.get(at + 1) == Some(&'\\');
        return if escaped || text.get(at + 2) == Some(&'\'') { quoted(text, at + 1, '\'') } else { at };
    }
    at
}

fn block_comment(text: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i < text.len() {
        match (text[i], text.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    text.len()
}

fn quoted(text: &[char], mut at: usize, quote: char) -> usize {
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// `r"…"`, `r#"…"#`; an `r#identifier` is no text.
fn raw(text: &[char], start: usize) -> usize {
    let mut at = start + 1 + usize::from(text[start] == 'b');
    let hashes = text[at..].iter().take_while(|c| **c == '#').count();
    at += hashes;
    if text.get(at) != Some(&'"') {
        return start;
    }
    at += 1;
    while at < text.len() {
        if text[at] == '"' && text[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    text.len()
}

/// `code` without its `#[cfg(test)]` modules.
pub(crate) fn without_tests(code: &str) -> String {
    let mut rest = code;
    let mut out = String::new();
    while let Some(at) = rest.find("#[cfg(test)]") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let opens = from.find('{');
        let ends = from.find(';');
        let end = match (opens, ends) {
            (Some(open), None) => closing(from, open),
            (Some(open), Some(end)) if open < end => closing(from, open),
            (_, Some(end)) => end + 1,
            (None, None) => from.len(),
        };
        out.extend(from[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &from[end..];
    }
    out + rest
}

/// The end of the block that opens at `open`.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at + 1;
        }
    }
    code.len()
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Colons,
    Open,
    Close,
    Comma,
    Star,
    Other,
}

fn tokens(code: &str) -> Vec<(usize, Token)> {
    let mut out = Vec::new();
    let mut line = 1;
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        let token = match c {
            '\n' => {
                line += 1;
                continue;
            }
            c if c.is_whitespace() => continue,
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_' || *c == '#') {
                    word.push(c);
                }
                Token::Word(word.trim_start_matches("r#").to_owned())
            }
            ':' if chars.next_if_eq(&':').is_some() => Token::Colons,
            '{' => Token::Open,
            '}' => Token::Close,
            ',' => Token::Comma,
            '*' => Token::Star,
            _ => Token::Other,
        };
        out.push((line, token));
    }
    out
}

/// Every path in `code` with its line, `use a::{b, c::d}` as `a::b` and `a::c::d`.
pub(crate) fn paths(code: &str) -> Vec<(usize, String)> {
    let tokens = tokens(code);
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].1 {
            Token::Word(_) => at = path(&tokens, at, "", &mut out),
            _ => at += 1,
        }
    }
    out
}

fn path(tokens: &[(usize, Token)], mut at: usize, prefix: &str, out: &mut Vec<(usize, String)>) -> usize {
    let mut name = prefix.to_owned();
    let line = tokens[at].0;
    loop {
        match tokens.get(at).map(|t| &t.1) {
            Some(Token::Word(word)) => {
                name = if name.is_empty() { word.clone() } else { format!("{name}::{word}") };
                at += 1;
            }
            Some(Token::Star) => {
                out.push((line, format!("{name}::*")));
                return at + 1;
            }
            Some(Token::Open) => return tree(tokens, at + 1, &name, out),
            _ => break,
        }
        if tokens.get(at).map(|t| &t.1) != Some(&Token::Colons) {
            break;
        }
        at += 1;
    }
    out.push((line, name));
    at
}

fn tree(tokens: &[(usize, Token)], mut at: usize, prefix: &str, out: &mut Vec<(usize, String)>) -> usize {
    while let Some((_, token)) = tokens.get(at) {
        at = match token {
            Token::Close => return at + 1,
            Token::Word(word) if word == "as" => at + 2,
            Token::Word(_) | Token::Star => path(tokens, at, prefix, out),
            _ => at + 1,
        };
    }
    at
}

#[test]
fn comments_and_texts_are_no_code_and_lines_stay() {
    let text = "a // std::fs\n/* x /* std */ y */ b \"std::fs \\\" c\" r#\"std\"# 'x' '\\'' d<'a>\n\"\n\" e";
    let code = code(text);
    assert!(!code.contains("std"), "{code}");
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "d<'a>", "e"]);
    assert_eq!(code.lines().count(), text.lines().count());
}

#[test]
fn use_trees_unfold() {
    let names = |code: &str| paths(code).into_iter().map(|(_, p)| p).collect::<Vec<_>>();
    assert_eq!(
        names("use std::{fs, io::{self, Read as _}, net::*};\nx(super :: y::z)"),
        ["use", "std::fs", "std::io::self", "std::io::Read", "std::net::*", "x", "super::y::z"]
    );
    assert_eq!(paths("a\n\nb::c"), [(1, "a".to_owned()), (3, "b::c".to_owned())]);
}

#[test]
fn test_modules_are_left_out_and_what_follows_is_not() {
    let code = without_tests("a\n#[cfg(test)]\nmod tests { fn x() { y } }\nb\n#[cfg(test)]\nmod t;\nc");
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(code.lines().count(), 7);
}

#[test]
fn texts_are_found_where_they_stand_and_not_in_tests() {
    let text = "a(\"b \\\" c\") // \"no\"\nr#\"d\"# /* \"no\" */\n#[cfg(test)] mod t { \"no }\" }\n\"e\"";
    let lines: Vec<String> = texts(text).lines().map(|line| line.trim().to_owned()).collect();
    assert_eq!(lines, ["\"b \\\" c\"", "r#\"d\"#", "", "\"e\""]);
    assert_eq!(literals(text), ["b \\\" c", "d", "e"]);
    assert_eq!(literals("x('\"', \"a\", b'\"', b\"c\", \"\")"), ["a", "c", ""]);
}

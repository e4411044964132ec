//! The manual page, made of what the program itself says as help.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::cargo::{cannot_start, show};
use crate::{Outcome, stop};

/// Commands inside of commands are asked so deep, and no deeper.
const DEEPEST: usize = 3;

/// The page as roff, with the help of every command of `program`. `date` as 2026-12-01.
pub(crate) fn page(program: &Path, version: &str, date: &str) -> Outcome<String> {
    let top = help(program, &[])?;
    let mut page = format!(".TH HOOKSWITCH 1 \"{date}\" \"hookswitch {version}\" \"User Commands\"\n");
    page += ".SH NAME\nhookswitch \\- the open headset hub\n";
    page += ".SH SYNOPSIS\n.nf\n";
    for usage in top.lines().filter_map(|line| line.strip_prefix("Usage: ")) {
        let _ = writeln!(page, "{}", escaped(usage));
    }
    page += ".fi\n.SH DESCRIPTION\n";
    let mut body = String::new();
    for line in top.lines().filter(|line| !line.starts_with("Usage: ")) {
        body += line;
        body.push('\n');
    }
    page += &told(&body, ".SH");
    let mut commands = String::new();
    explain(program, &[], &top, &mut commands)?;
    if commands.is_empty() {
        return Err(stop("the help names no commands: the manual page would be empty."));
    }
    page += ".SH EACH COMMAND\n";
    page += &commands;
    page += ".SH FILES\n";
    for (file, what) in [
        ("/etc/hookswitch/hookswitch.toml", "settings of this computer, which every user may read"),
        ("/etc/hookswitch/tenant.toml", "the company's token, for root alone"),
        ("~/.config/hookswitch", "settings of one person"),
    ] {
        let _ = write!(page, ".TP\n.I {}\n{}\n", escaped(file), escaped(what));
    }
    Ok(page)
}

fn explain(program: &Path, above: &[&str], text: &str, page: &mut String) -> Outcome {
    for name in names(text) {
        let words = [above, &[name]].concat();
        let text = help(program, &words)?;
        let _ = writeln!(page, ".SS \"hookswitch {}\"", escaped(&words.join(" ")));
        *page += &told(&text, ".PP");
        if words.len() < DEEPEST {
            explain(program, &words, &text, page)?;
        }
    }
    Ok(())
}

/// What stands under "Commands:", without `help` itself.
fn names(text: &str) -> Vec<&str> {
    let list = text.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = list.take_while(|line| !line.is_empty());
    list.filter_map(|line| entry(line)?.0.split(' ').next()).filter(|name| *name != "help").collect()
}

/// `  term  its text`, where texts go on further to the right.
fn entry(line: &str) -> Option<(&str, &str)> {
    let inner = line.trim_start();
    let indent = line.len() - inner.len();
    if !(1..=6).contains(&indent) {
        return None;
    }
    let (term, rest) = inner.split_once("  ").unwrap_or((inner, ""));
    Some((term, rest.trim()))
}

/// Help as roff: paragraphs, headings and lists. `heading` is what a line such as "Options:" becomes.
fn told(text: &str, heading: &str) -> String {
    let mut page = String::new();
    // One usage below the other, not filled to a paragraph.
    let mut in_usage = false;
    for line in text.lines() {
        if let Some(usage) = line.strip_prefix("Usage: ") {
            in_usage = true;
            let _ = write!(page, ".nf\n{}\n", escaped(usage));
        } else if in_usage && line.is_empty() {
            in_usage = false;
            page += ".fi\n.PP\n";
        } else if let Some((term, what)) = entry(line) {
            let _ = write!(page, ".TP\n.B {}\n", escaped(term));
            if !what.is_empty() {
                let _ = writeln!(page, "{}", escaped(what));
            }
        } else if line.is_empty() {
            page += ".PP\n";
        } else if let Some(title) = line.strip_suffix(':').filter(|title| !title.starts_with(' ')) {
            let shown = if heading == ".SH" { title.to_uppercase() } else { format!("{title}:") };
            let _ =
                writeln!(page, "{heading}{}{}", if heading == ".SH" { " " } else { "\n" }, escaped(&shown));
        } else {
            let _ = writeln!(page, "{}", escaped(line.trim()));
        }
    }
    if in_usage {
        page += ".fi\n";
    }
    // A paragraph before a heading or a list item is an empty one.
    while page.contains(".PP\n.PP\n") {
        page = page.replace(".PP\n.PP\n", ".PP\n");
    }
    let page = page.replace(".PP\n.TP\n", ".TP\n").replace(".PP\n.SH", ".SH");
    let page = page.strip_prefix(".PP\n").map(str::to_owned).unwrap_or(page);
    page.strip_suffix(".PP\n").map(str::to_owned).unwrap_or(page)
}

/// As roff prints it unchanged.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

fn help(program: &Path, words: &[&str]) -> Outcome<String> {
    said(program, &[&["--language", "en-US", "help"], words].concat())
}

/// What the program prints when it is asked by somebody without a home and without settings.
pub(crate) fn said(program: &Path, words: &[&str]) -> Outcome<String> {
    let mut call = Command::new(program);
    call.args(words).env_clear().env("HOME", "/nonexistent").env("PATH", "/usr/bin:/bin");
    let output = call.output().map_err(|why| cannot_start(&call, &why))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(stop(format!("`{}` ended with {}: {}", show(&call), output.status, why.trim())));
    }
    String::from_utf8(output.stdout).map_err(|_| stop(format!("`{}` prints no text.", show(&call))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELP: &str = "Does it\nwell.\n\nUsage: x [OPTIONS]\n\nCommands:\n  run   Run it\n  help  Show this\n\nOptions:\n  -m, --mini       Start small,\n                   and stay so\n      --home <DIR>\n                   Where\n";

    #[test]
    fn the_commands_of_a_help_are_its_list_without_help() {
        assert_eq!(names(HELP), ["run"]);
        assert_eq!(names("Usage: x\n"), [""; 0]);
    }

    #[test]
    fn lists_become_lists_and_long_texts_stay_with_their_term() {
        let page = told(HELP, ".PP");
        assert!(page.starts_with("Does it\nwell.\n.PP\n.nf\nx [OPTIONS]\n.fi\n.PP\nCommands:\n"), "{page}");
        let mini = ".TP\n.B \\-m, \\-\\-mini\nStart small,\nand stay so\n";
        assert!(page.contains(mini), "{page}");
        assert!(page.ends_with(".TP\n.B \\-\\-home <DIR>\nWhere\n"), "{page}");
        assert!(told(HELP, ".SH").contains("\n.SH OPTIONS\n"));
    }

    #[test]
    fn nothing_is_taken_for_a_request() {
        assert_eq!(escaped(".PP"), "\\&.PP");
        assert_eq!(escaped("a\\b"), "a\\eb");
    }
}

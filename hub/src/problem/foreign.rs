//! Which parts of a problem are somebody else's words.

use super::{Detail, Problem};
use std::collections::BTreeMap;

/// Arguments that hold what a server, a library or a device said.
const FOREIGN: [&str; 7] = ["error", "reason", "words", "title", "product", "detail", "said"];

/// First strong isolate and its end, which Fluent puts around arguments.
const ISOLATES: [char; 2] = ['\u{2068}', '\u{2069}'];

/// `text`, which was made for `problem`, without any of them.
pub(crate) fn without(text: &str, problem: &Problem) -> String {
    let mut words = Vec::new();
    of_arguments(&problem.args, &mut words);
    problem.details.values().for_each(|detail| of_detail(detail, &mut words));
    // The longest first: one may be part of another.
    words.sort_by_key(|words| std::cmp::Reverse(words.len()));
    words.into_iter().fold(text.to_owned(), |text, words| {
        // What is shown has no isolates.
        let shown: String = words.chars().filter(|c| !ISOLATES.contains(c)).collect();
        let text = text.replace(words, "…");
        if shown.is_empty() { text } else { text.replace(&shown, "…") }
    })
}

fn of_detail<'a>(detail: &'a Detail, words: &mut Vec<&'a str>) {
    of_arguments(&detail.args, words);
    detail.details.values().for_each(|detail| of_detail(detail, words));
}

fn of_arguments<'a>(arguments: &'a BTreeMap<String, String>, words: &mut Vec<&'a str>) {
    let foreign = arguments.iter().filter(|(name, _)| FOREIGN.contains(&name.as_str()));
    words.extend(
        foreign.map(|(_, words)| words.as_str()).filter(|words| !words.is_empty() && !of_system(words)),
    );
}

/// What the system says of a call of ours is fixed and names nobody: `No such file or directory (os error 2)`.
fn of_system(words: &str) -> bool {
    let number = words.strip_suffix(')').and_then(|words| words.rsplit_once("(os error "));
    let number = number.and_then(|(_, number)| number.parse().ok());
    number.is_some_and(|number| std::io::Error::from_raw_os_error(number).to_string() == words)
}

#[cfg(test)]
mod tests {
    use crate::problem::{Detail, Reason};

    #[test]
    fn a_logged_problem_keeps_its_own_words_and_the_system_s() {
        let detail = Detail::new("outer", "no uid=Jane.Doe there")
            .detail("said", Detail::verbatim("no uid=Jane.Doe there"));
        let problem = Reason::TenantFolderUnreadable { detail }.at("https://t.example/no uid=Jane.Doe there");
        let text = problem.to_string();
        assert!(text.contains("cannot be read: …") && text.contains("(https://t.example/…)"), "{text}");
        assert!(format!("{problem:?}").contains("uid=Jane.Doe"), "below info it is whole");
        let lost = |error: &str| Reason::AgentLost { error: error.to_owned() }.here().to_string();
        let system = std::io::Error::from_raw_os_error(13).to_string();
        assert!(lost(&system).contains(&system), "{}", lost(&system));
        for forged in ["Jane (os error 13)", "Jane.Doe"] {
            assert!(!lost(forged).contains("Jane"), "{}", lost(forged));
        }
    }

    /// Who puts marks of direction into a name is not known by it all the same.
    #[test]
    fn marks_of_direction_hide_no_words() {
        let error = "\u{2068}Jane\u{2069}.Doe".to_owned();
        let problem = Reason::AgentLost { error }.here();
        assert_eq!(super::without("it says \u{2068}Jane\u{2069}.Doe, Jane.Doe", &problem), "it says …, …");
    }
}

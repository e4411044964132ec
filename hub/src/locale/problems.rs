//! Problems and details in the words of a language; in English where no person is asked: for logs, programs and other
//! parts of Hookswitch.

use super::{Bundle, Locale, Part, plain, render};
use crate::problem::{CARRIED, Code, Detail, Problem, Written, foreign};
use fluent_bundle::{FluentArgs, FluentMessage, FluentValue};
use std::collections::BTreeMap;
use std::sync::LazyLock;

static ENGLISH: LazyLock<Locale> = LazyLock::new(Locale::default);

/// A [`Problem`] in the person's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemText {
    pub what: String,
    /// Names of devices, files and addresses: the same in every language.
    pub place: String,
    pub next: String,
    /// What devices and systems said, for who wants to know. Empty where there is nothing more to say.
    pub more: String,
}

impl std::fmt::Display for ProblemText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What a library says may end with a full stop of its own.
        write!(f, "{} ({}). {}", self.what.trim_end_matches('.'), self.place, self.next)?;
        match self.more.as_str() {
            "" => Ok(()),
            more => write!(f, " [{more}]"),
        }
    }
}

impl Locale {
    /// The text of `problem-<code>` and its attributes `next` and, where it has words, `place` and `more`, plain.
    pub fn problem(&self, problem: &Problem) -> ProblemText {
        let text = self.problem_isolated(problem);
        let ProblemText { what, place, next, more } = text;
        ProblemText { what: plain(&what), place: plain(&place), next: plain(&next), more: plain(&more) }
    }

    /// Like [`Self::problem`], for a page.
    pub fn problem_isolated(&self, problem: &Problem) -> ProblemText {
        let mut args = self.arguments(&problem.args, &problem.details);
        let place = self.place(problem, &mut args);
        let id = id(problem);
        let said = self.look_up(Part::Problems, &id, |bundle, text| {
            let what = render_whole(bundle, text, None, &args)?;
            let next = render_whole(bundle, text, Some("next"), &args)?;
            let more = render_whole(bundle, text, Some("more"), &args).unwrap_or_default();
            Some((what, next, more))
        });
        // `tests/locales.rs` looks that each code has its texts.
        let (what, next, more) = said.unwrap_or_else(|| (format!("[{id}]"), String::new(), String::new()));
        ProblemText { what, place, next, more }
    }

    /// Most places are names that are the same in every language.
    fn place<'a>(&self, problem: &'a Problem, args: &mut FluentArgs<'a>) -> String {
        let name = problem.name_of_place();
        args.set("place", name.unwrap_or_default());
        let words = self.look_up(Part::Problems, &id(problem), |bundle, text| {
            render_whole(bundle, text, Some("place"), args)
        });
        let place = words.or_else(|| name.map(str::to_owned)).unwrap_or_default();
        args.set("place", place.clone());
        place
    }

    /// The text of `detail-<code>`, plain; without entry the English text it carries.
    pub fn detail(&self, detail: &Detail) -> String {
        plain(&self.detail_isolated(detail))
    }

    fn detail_isolated(&self, detail: &Detail) -> String {
        let args = self.arguments(&detail.args, &detail.details);
        self.look_up(Part::Details, &format!("detail-{}", detail.code), |bundle, text| {
            render_whole(bundle, text, None, &args)
        })
        .unwrap_or_else(|| detail.text.clone())
    }

    fn arguments<'a>(
        &self,
        args: &'a BTreeMap<String, String>,
        details: &'a BTreeMap<String, Detail>,
    ) -> FluentArgs<'a> {
        let mut all = FluentArgs::with_capacity(args.len() + details.len() + 1);
        for (name, value) in args {
            all.set(name.as_str(), number_or_text(value));
        }
        for (name, detail) in details {
            all.set(name.as_str(), self.detail_isolated(detail));
        }
        all
    }
}

fn id(problem: &Problem) -> String {
    format!("problem-{}", problem.code.as_str())
}

impl Problem {
    /// For logs, programs and other parts of Hookswitch.
    pub fn english(&self) -> ProblemText {
        let text = ENGLISH.problem(self);
        // With words around it, a name would get them again where it is read.
        let place = self.name_of_place().map_or(text.place, str::to_owned);
        ProblemText { place, ..text }
    }

    pub fn what(&self) -> String {
        self.english().what
    }

    pub fn next(&self) -> String {
        self.english().next
    }

    /// Where it is; if that are words, in English.
    pub fn place(&self) -> String {
        self.name_of_place().map_or_else(|| self.english().place, str::to_owned)
    }
}

impl From<Problem> for Written {
    fn from(problem: Problem) -> Self {
        let ProblemText { what, place, next, .. } = problem.english();
        let Problem { code, mut args, details, .. } = problem;
        // It goes on as it came: whoever reads it may have heard of it.
        if code == Code::UnheardOf {
            let [code, what, next] = CARRIED.map(|name| args.remove(name).unwrap_or_default());
            return Self { code, what, place, next, args, details };
        }
        Self { code: code.as_str().to_owned(), what, place, next, args, details }
    }
}

/// For logs and the bundle: without the words of servers, libraries and devices, which may name anybody. Faces say a
/// problem by its id; [`Debug`] has everything.
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ProblemText { what, place, next, .. } = self.english();
        let own = |text: &str| foreign::without(text, self);
        write!(f, "{} ({}). {}", own(&what), own(&place), own(&next))
    }
}

impl std::error::Error for Problem {}

/// Like [`render`], but `None` if an argument is missing: what is shown may come from a peer or a store of another
/// version: a detail brings its English text along.
fn render_whole<'a>(
    bundle: &'a Bundle,
    text: &FluentMessage<'a>,
    attribute: Option<&str>,
    args: &FluentArgs<'_>,
) -> Option<String> {
    render(bundle, text, attribute, args).and_then(|(text, whole)| whole.then_some(text))
}

/// Arguments of problems travel as text; a whole number must choose the plural form all the same.
fn number_or_text(value: &str) -> FluentValue<'_> {
    match value.parse::<i64>() {
        Ok(number) if number.to_string() == value => FluentValue::from(number),
        _ => FluentValue::from(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Code, Reason};
    use serde_json::json;

    fn read(value: serde_json::Value) -> Problem {
        serde_json::from_value(value).expect("a problem")
    }

    #[test]
    fn a_detail_is_said_in_the_language_of_its_problem() {
        let refused =
            |error: Detail| Reason::PackageRefused { error, resumed: "false".to_owned() }.at("pack.zip");
        let size = Detail::new("archive-no-end", "cut off").with("bytes", 7);
        let component =
            Detail::new("package-image", "app: cut off").with("component", "app").detail("error", size);
        let text = Locale::new("de").problem(&refused(component)).what;
        assert_eq!(
            text,
            "Das Firmware-Paket wird abgelehnt: Komponente „app“: Das Paket endet nicht wie eine Zip-Datei (7 Byte); \
             es ist abgeschnitten oder keine"
        );
        let text = Locale::new("de").problem(&refused(Detail::new("no-such-code", "the dog ate it"))).what;
        assert_eq!(text, "Das Firmware-Paket wird abgelehnt: the dog ate it");
    }

    #[test]
    fn a_detail_alone_is_plain_text() {
        let size = Detail::new("archive-no-end", "cut off").with("bytes", 7);
        let text = "Das Paket endet nicht wie eine Zip-Datei (7 Byte); es ist abgeschnitten oder keine";
        assert_eq!(Locale::new("de").detail(&size), text);
        assert_eq!(
            Locale::new("de").detail(&Detail::new("no-such-code", "the dog ate it")),
            "the dog ate it"
        );
    }

    /// Its words were others then; of the older one an argument is missing, of the newer one the code is not known.
    #[test]
    fn a_problem_of_another_version_shows_the_text_it_carries() {
        let older = json!({"code": "update-failed", "what": "It broke", "where": "here", "next": "Mend it.",
            "args": {"detail": "so and so"}});
        let newer = json!({"code": "no-such-code", "what": "It broke", "where": "here", "next": "Mend it."});
        for (value, code) in [(older, "update-failed"), (newer, "no-such-code")] {
            let problem = read(value);
            assert_eq!((problem.code, problem.args["code"].as_str()), (Code::UnheardOf, code));
            for tag in Locale::tags() {
                let text = Locale::new(tag).problem(&problem).to_string();
                assert_eq!(text, format!("It broke (here). Mend it. [{code}]"));
            }
            // Handed on it stays what it is.
            assert_eq!(read(serde_json::to_value(&problem).expect("JSON")), problem);
        }
        let known = json!({"code": "update-queued", "what": "Old words", "where": "A", "next": "Old words"});
        assert_eq!(read(known), Reason::UpdateQueued.at("A"));
    }

    #[test]
    fn the_words_of_strangers_are_not_logged_whatever_the_version() {
        let newer = json!({"code": "no-such-code", "what": "Jane broke it", "where": "Jane's", "next": "Ask Jane.",
            "args": {"error": "Jane"}});
        assert_eq!(read(newer).to_string(), "… broke it (…'s). Ask ….");
    }

    #[test]
    fn a_place_in_words_is_said_in_each_language_and_written_once() {
        let silent = Reason::MachineSilent.here();
        let place = |tag: &str| Locale::new(tag).problem(&silent).place;
        assert!(place("de") != place("en") && silent.place() == place("en"));
        let port = Reason::NeedsFirmware.at("1-2.3");
        assert_eq!(Locale::new("en").problem(&port).place, "USB port 1-2.3");
        for problem in [silent, port] {
            let back = read(serde_json::to_value(&problem).expect("JSON"));
            assert_eq!((back.place(), &back), (problem.place(), &problem));
        }
    }

    #[test]
    fn what_is_in_order_needs_no_text_of_a_problem() {
        let locale = Locale::new("de");
        locale.format(&super::super::Message::new("cli-no-headset"));
        let problem = Reason::TrayNotShown { reason: Detail::verbatim("no bus") }.here();
        let parsed = locale.own.as_ref().expect("a language of its own");
        assert!(
            parsed.texts.get().is_some() && parsed.problems.get().is_none() && parsed.details.get().is_none()
        );
        assert!(locale.problem(&problem).what.contains("no bus") && parsed.problems.get().is_some());
    }
}

//! Every string shown, by Fluent id. Pure: the `.ftl` texts are embedded, the language is an argument.

use crate::protocol::{Detail, Problem};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentMessage, FluentResource, FluentValue};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use unic_langid::{CharacterDirection, LanguageIdentifier};

mod negotiation;

/// A text to show: a Fluent id and its arguments. Faces turn it into words with [`Locale::format`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    pub id: &'static str,
    pub args: Vec<(&'static str, Arg)>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    Text(String),
    Number(i64),
}

impl Message {
    pub fn new(id: &'static str) -> Self {
        Self { id, args: Vec::new() }
    }

    #[must_use]
    pub fn text(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.args.push((name, Arg::Text(value.into())));
        self
    }

    #[must_use]
    pub fn number(mut self, name: &'static str, value: i64) -> Self {
        self.args.push((name, Arg::Number(value)));
        self
    }
}

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

/// One language of the product: a folder of `locales/`.
#[derive(Debug)]
struct Language {
    tag: &'static str,
    texts: &'static [&'static str],
    details: &'static [&'static str],
    help: &'static [&'static str],
}

/// The first one is complete and what the others fall back to. `build.rs` makes the table.
static LANGUAGES: &[Language] = &include!(concat!(env!("OUT_DIR"), "/languages.rs"));

type Bundle = FluentBundle<FluentResource>;

/// The texts of one language. Parsed at first use.
pub struct Locale {
    language: &'static Language,
    texts: Parsed,
    /// Apart: an agent with which nothing is wrong never needs them.
    details: Parsed,
}

/// Some files of the language in use, and of the one it falls back to.
struct Parsed {
    files: fn(&Language) -> &'static [&'static str],
    chosen: OnceLock<Bundle>,
    fallback: OnceLock<Bundle>,
}

impl std::fmt::Debug for Locale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Locale").field(&self.language.tag).finish()
    }
}

impl Default for Locale {
    fn default() -> Self {
        Self::new("")
    }
}

impl Locale {
    /// The best language for `tag`, which may be a BCP 47 tag or a POSIX locale name (`de_AT.UTF-8`), else English.
    pub fn new(tag: &str) -> Self {
        let tags: Vec<&str> = Self::tags().collect();
        let language = negotiation::best(tag, &tags).and_then(|n| LANGUAGES.get(n)).unwrap_or(&LANGUAGES[0]);
        let parsed = |files| Parsed { files, chosen: OnceLock::new(), fallback: OnceLock::new() };
        Self {
            language,
            texts: parsed(|language| language.texts),
            details: parsed(|language| language.details),
        }
    }

    /// Whether there are texts for `tag`, or it is English that takes their place.
    pub fn speaks(tag: &str) -> bool {
        let tags: Vec<&str> = Self::tags().collect();
        negotiation::best(tag, &tags).is_some()
    }

    /// Tags of all languages there are.
    pub fn tags() -> impl Iterator<Item = &'static str> {
        LANGUAGES.iter().map(|l| l.tag)
    }

    /// BCP 47 tag of the language in use, for `<html lang>`.
    pub fn tag(&self) -> &'static str {
        self.language.tag
    }

    /// Written from right to left.
    pub fn rtl(&self) -> bool {
        self.language.id().character_direction() == CharacterDirection::RTL
    }

    /// Plain text for the tray, notices and the terminal. A missing id shows as `[id]`.
    pub fn format(&self, message: &Message) -> String {
        plain(&self.format_isolated(message))
    }

    /// Text for a page: arguments are wrapped in U+2068 … U+2069, so that a name written in the other direction does
    /// not turn its surroundings around.
    pub fn format_isolated(&self, message: &Message) -> String {
        let mut args = FluentArgs::with_capacity(message.args.len());
        for (name, value) in &message.args {
            match value {
                Arg::Text(text) => args.set(*name, text.as_str()),
                Arg::Number(number) => args.set(*name, *number),
            }
        }
        // An argument that is not there shows as `{$name}`; `tests/locales.rs` compares them.
        self.look_up(&self.texts, message.id, |bundle, text| render(bundle, text, None, &args))
            .map_or_else(|| format!("[{}]", message.id), |(text, _)| text)
    }

    /// The text of `problem-<code>` and its attributes `next` and, where it has words, `place` and
    /// `more`, plain. A problem without entry is shown with the English
    /// text it carries.
    pub fn problem(&self, problem: &Problem) -> ProblemText {
        let text = self.problem_isolated(problem);
        let ProblemText { what, place, next, more } = text;
        ProblemText { what: plain(&what), place: plain(&place), next: plain(&next), more: plain(&more) }
    }

    /// Like [`Self::problem`], for a page.
    pub fn problem_isolated(&self, problem: &Problem) -> ProblemText {
        let mut args = self.arguments(&problem.args, &problem.details);
        args.set("place", problem.place.as_str());
        let id = format!("problem-{}", problem.code);
        // Most places are names that are the same in every language.
        let place = self
            .look_up(&self.texts, &id, |bundle, text| render_whole(bundle, text, Some("place"), &args))
            .unwrap_or_else(|| problem.place.clone());
        args.set("place", place.as_str());
        let found = self.look_up(&self.texts, &id, |bundle, text| {
            let what = render_whole(bundle, text, None, &args)?;
            let next = render_whole(bundle, text, Some("next"), &args)?;
            Some((what, next))
        });
        let (what, next) = found.unwrap_or_else(|| (problem.what.clone(), problem.next.clone()));
        let more = self
            .look_up(&self.texts, &id, |bundle, text| render_whole(bundle, text, Some("more"), &args))
            .unwrap_or_default();
        ProblemText { what, place, next, more }
    }

    /// What the command line says of itself. Parsed by this call alone: an agent that runs has no use for it.
    pub fn help(&self) -> HelpTexts {
        let fallback = (!std::ptr::eq(self.language, &LANGUAGES[0])).then_some(&LANGUAGES[0]);
        let languages = std::iter::once(self.language).chain(fallback);
        HelpTexts(languages.map(|language| language.parse(language.help)).collect())
    }

    /// The text of `detail-<code>`, plain; without entry the English text it carries.
    pub fn detail(&self, detail: &Detail) -> String {
        plain(&self.detail_isolated(detail))
    }

    fn detail_isolated(&self, detail: &Detail) -> String {
        let args = self.arguments(&detail.args, &detail.details);
        self.look_up(&self.details, &format!("detail-{}", detail.code), |bundle, text| {
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

    fn look_up<'a, T>(
        &self,
        parsed: &'a Parsed,
        id: &str,
        then: impl Fn(&'a Bundle, &FluentMessage<'a>) -> Option<T>,
    ) -> Option<T> {
        let chosen = parsed.chosen.get_or_init(|| self.language.parse((parsed.files)(self.language)));
        let found = chosen.get_message(id).and_then(|text| then(chosen, &text));
        if found.is_some() || std::ptr::eq(self.language, &LANGUAGES[0]) {
            return found;
        }
        let fallback = parsed.fallback.get_or_init(|| LANGUAGES[0].parse((parsed.files)(&LANGUAGES[0])));
        fallback.get_message(id).and_then(|text| then(fallback, &text))
    }
}

/// The texts of `help.ftl`, in the language asked for and in the one it falls back to.
pub struct HelpTexts(Vec<Bundle>);

impl std::fmt::Debug for HelpTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|bundle| &bundle.locales)).finish()
    }
}

impl HelpTexts {
    /// The value of a message, or of one of its attributes, plain. One that is missing shows as `[id]` or
    /// `[id.attribute]`.
    pub fn text(&self, id: &str, attribute: Option<&str>) -> String {
        let args = FluentArgs::new();
        let found =
            self.0.iter().find_map(|bundle| render(bundle, &bundle.get_message(id)?, attribute, &args));
        match (found, attribute) {
            (Some((text, _)), _) => plain(&text),
            (None, None) => format!("[{id}]"),
            (None, Some(attribute)) => format!("[{id}.{attribute}]"),
        }
    }
}

impl Language {
    fn id(&self) -> LanguageIdentifier {
        self.tag.parse().unwrap_or_default()
    }

    fn parse(&self, texts: &[&str]) -> Bundle {
        let mut bundle = Bundle::new_concurrent(vec![self.id()]);
        for text in texts {
            // `tests/locales.rs` parses every file and refuses errors; here what can be read is used.
            let resource = FluentResource::try_new((*text).to_owned()).unwrap_or_else(|(partial, _)| partial);
            bundle.add_resource_overriding(resource);
        }
        bundle
    }
}

/// The text, or the text of one of its attributes, and whether every argument it wants was there.
fn render<'a>(
    bundle: &'a Bundle,
    text: &FluentMessage<'a>,
    attribute: Option<&str>,
    args: &FluentArgs<'_>,
) -> Option<(String, bool)> {
    let pattern = match attribute {
        None => text.value()?,
        Some(name) => text.get_attribute(name)?.value(),
    };
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
    Some((text, errors.is_empty()))
}

/// Like [`render`], but `None` if an argument is missing: what is shown may come from a peer or a store of another
/// version, and brings its English text along.
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

fn plain(text: &str) -> String {
    text.replace(['\u{2068}', '\u{2069}'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_by_tag_then_language_then_english() {
        for (wanted, got) in [
            ("de-DE", "de-DE"),
            ("de_AT.UTF-8", "de-DE"),
            ("DE", "de-DE"),
            ("sr@latin", "en-US"),
            ("en-GB", "en-US"),
            ("den", "en-US"),
            ("C", "en-US"),
            ("POSIX", "en-US"),
            ("", "en-US"),
            ("-", "en-US"),
            ("\u{0}\u{2068}", "en-US"),
        ] {
            assert_eq!(Locale::new(wanted).tag(), got, "for {wanted:?}");
        }
    }

    #[test]
    fn a_language_says_itself_how_it_is_written() {
        let rtl = |tag: &'static str| {
            let language = Language { tag, texts: &[], details: &[], help: &[] };
            language.id().character_direction() == CharacterDirection::RTL
        };
        assert!(rtl("ar-EG") && rtl("he-IL") && !rtl("en-US") && !rtl("de-DE"));
    }

    #[test]
    fn a_missing_id_is_visible() {
        assert_eq!(Locale::new("de").format(&Message::new("no-such-id")), "[no-such-id]");
    }

    #[test]
    fn a_detail_is_said_in_the_language_of_its_problem() {
        let size = Detail::new("archive-no-end", "cut off").with("bytes", 7);
        let component =
            Detail::new("package-image", "app: cut off").with("component", "app").detail("error", size);
        let known = Problem::new("package-refused", "It broke", "here", "Mend it.")
            .with("resumed", "false")
            .detail("error", component);
        let text = Locale::new("de").problem(&known).what;
        assert_eq!(
            text,
            "Das Firmware-Paket wird abgelehnt: Komponente „app“: Das Paket endet nicht wie eine Zip-Datei (7 Byte); \
             es ist abgeschnitten oder keine"
        );
        let unknown = Problem::new("package-refused", "It broke", "here", "Mend it.")
            .with("resumed", "false")
            .detail("error", Detail::new("no-such-code", "the dog ate it"));
        let text = Locale::new("de").problem(&unknown).what;
        assert_eq!(text, "Das Firmware-Paket wird abgelehnt: the dog ate it");
    }

    #[test]
    fn a_problem_that_lacks_an_argument_shows_its_english_text() {
        let older = Problem::new("update-failed", "It broke", "here", "Mend it.").with("detail", "so and so");
        let text = Locale::new("de").problem(&older);
        assert_eq!((text.what.as_str(), text.next.as_str()), ("It broke", "Mend it."));
    }

    #[test]
    fn a_problem_without_entry_shows_its_english_text() {
        let problem = Problem::new("no-such-code", "It broke", "here", "Mend it.");
        assert_eq!(Locale::new("de").problem(&problem).to_string(), "It broke (here). Mend it.");
    }
}

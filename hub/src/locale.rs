//! Every string shown, by Fluent id. Pure: the `.ftl` texts are embedded, the language is an argument.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentMessage, FluentResource};
use std::sync::OnceLock;
use unic_langid::{CharacterDirection, LanguageIdentifier};

mod negotiation;
mod problems;

pub use problems::ProblemText;

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

/// One language of the product: a folder of `locales/`.
#[derive(Debug)]
struct Language {
    tag: &'static str,
    texts: &'static [&'static str],
    problems: &'static [&'static str],
    details: &'static [&'static str],
    help: &'static [&'static str],
}

/// The first one is complete and what the others fall back to. `build.rs` makes the table.
static LANGUAGES: &[Language] = &include!(concat!(env!("OUT_DIR"), "/languages.rs"));

type Bundle = FluentBundle<FluentResource>;

/// The texts of one language. Parsed at first use.
pub struct Locale {
    language: &'static Language,
    /// `None` is English, which everything falls back to: its texts are there once.
    own: Option<Parsed>,
}

/// The files of one language, as far as somebody asked for them.
struct Parsed {
    texts: OnceLock<Bundle>,
    /// Apart, like the details: an agent with which nothing is wrong never needs them.
    problems: OnceLock<Bundle>,
    details: OnceLock<Bundle>,
}

/// Which of them.
#[derive(Clone, Copy)]
enum Part {
    Texts,
    Problems,
    Details,
}

static ENGLISH: Parsed = Parsed::none();

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
        let is_english = std::ptr::eq(language, &LANGUAGES[0]);
        Self { language, own: (!is_english).then(Parsed::none) }
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
        self.look_up(Part::Texts, message.id, |bundle, text| render(bundle, text, None, &args))
            .map_or_else(|| format!("[{}]", message.id), |(text, _)| text)
    }

    /// What the command line says of itself. Parsed by this call alone: an agent that runs has no use for it.
    pub fn help(&self) -> HelpTexts {
        let fallback = (!std::ptr::eq(self.language, &LANGUAGES[0])).then_some(&LANGUAGES[0]);
        let languages = std::iter::once(self.language).chain(fallback);
        HelpTexts(languages.map(|language| language.parse(language.help)).collect())
    }

    fn look_up<'a, T>(
        &'a self,
        part: Part,
        id: &str,
        then: impl Fn(&'a Bundle, &FluentMessage<'a>) -> Option<T>,
    ) -> Option<T> {
        let own = self.own.as_ref().map(|own| (own, self.language));
        own.into_iter().chain([(&ENGLISH, &LANGUAGES[0])]).find_map(|(parsed, language)| {
            let bundle = parsed.bundle(part, language);
            then(bundle, &bundle.get_message(id)?)
        })
    }
}

impl Parsed {
    const fn none() -> Self {
        Self { texts: OnceLock::new(), problems: OnceLock::new(), details: OnceLock::new() }
    }

    fn bundle(&self, part: Part, language: &Language) -> &Bundle {
        let (bundle, files) = match part {
            Part::Texts => (&self.texts, language.texts),
            Part::Problems => (&self.problems, language.problems),
            Part::Details => (&self.details, language.details),
        };
        bundle.get_or_init(|| language.parse(files))
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
            let language = Language { tag, texts: &[], problems: &[], details: &[], help: &[] };
            language.id().character_direction() == CharacterDirection::RTL
        };
        assert!(rtl("ar-EG") && rtl("he-IL") && !rtl("en-US") && !rtl("de-DE"));
    }

    #[test]
    fn a_missing_id_is_visible() {
        assert_eq!(Locale::new("de").format(&Message::new("no-such-id")), "[no-such-id]");
    }
}

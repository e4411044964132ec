//! Which of some languages suits a person best.

use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use unic_langid::LanguageIdentifier;

/// The index in `tags` of the best one for `wanted`, a BCP 47 tag or a POSIX locale name. Languages that are written
/// in more than one script are tagged by script: `zh-Hans`, `zh-Hant`.
pub(super) fn best(wanted: &str, tags: &[&str]) -> Option<usize> {
    let (name, modifier) = wanted.split_once('@').unwrap_or((wanted, ""));
    let mut wanted: LanguageIdentifier = name.split('.').next()?.parse().ok()?;
    match modifier {
        "latin" => wanted.script = "Latn".parse().ok(),
        "cyrillic" => wanted.script = "Cyrl".parse().ok(),
        _ => {}
    }
    let available: Vec<LanguageIdentifier> = tags.iter().map(|tag| tag.parse().unwrap_or_default()).collect();
    if !available.contains(&wanted) {
        wanted = written_form(wanted);
    }
    let best = negotiate_languages(&[wanted], &available, None, NegotiationStrategy::Lookup);
    let best = *best.first()?;
    available.iter().position(|tag| tag == best)
}

/// The standard form that a person of this place reads, where a language has more than one: parent locales and likely
/// scripts of CLDR. All of CLDR's would be 300 KB of tables for the few languages of this program.
fn written_form(wanted: LanguageIdentifier) -> LanguageIdentifier {
    let script = wanted.script.map(|script| script.as_str().to_owned());
    let region = wanted.region.map(|region| region.as_str().to_owned());
    let form = match (wanted.language.as_str(), script.as_deref(), region.as_deref()) {
        ("zh", Some("Hant"), _) | ("zh", None, Some("TW" | "HK" | "MO")) => "zh-Hant",
        ("zh", None | Some("Hans"), _) => "zh-Hans",
        ("pt", _, None | Some("BR")) => "pt-BR",
        ("pt", _, Some(_)) => "pt-PT",
        ("no", _, _) => "nb-NO",
        _ => return wanted,
    };
    form.parse().unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::best;

    const TAGS: [&str; 10] =
        ["en-US", "de-DE", "fr-FR", "pt-PT", "pt-BR", "zh-Hans", "zh-Hant", "sr-Cyrl", "sr-Latn", "nb-NO"];

    fn chosen(wanted: &str) -> &'static str {
        best(wanted, &TAGS).map_or("", |n| TAGS[n])
    }

    #[test]
    fn everybody_reads_the_form_of_their_own_country() {
        for (wanted, tag) in [
            ("zh_TW.UTF-8", "zh-Hant"),
            ("zh_HK", "zh-Hant"),
            ("zh-MO", "zh-Hant"),
            ("zh-Hant-CN", "zh-Hant"),
            ("zh_CN.UTF-8", "zh-Hans"),
            ("zh_SG", "zh-Hans"),
            ("zh", "zh-Hans"),
            ("zh-Hans-TW", "zh-Hans"),
            ("pt", "pt-BR"),
            ("pt_BR.UTF-8", "pt-BR"),
            ("pt_PT@euro", "pt-PT"),
            ("pt-AO", "pt-PT"),
            ("sr@latin", "sr-Latn"),
            ("sr_RS", "sr-Cyrl"),
            ("no_NO", "nb-NO"),
            ("nb", "nb-NO"),
            ("fr_CA.UTF-8", "fr-FR"),
            ("de_AT.UTF-8", "de-DE"),
            ("DE", "de-DE"),
            ("en_GB", "en-US"),
            ("nn_NO", ""),
            ("den", ""),
            ("C", ""),
            ("C.UTF-8", ""),
            ("POSIX", ""),
            ("", ""),
            ("@", ""),
            ("\u{0}", ""),
        ] {
            assert_eq!(chosen(wanted), tag, "for {wanted:?}");
        }
    }

    #[test]
    fn another_form_of_the_language_is_better_than_none_but_not_another_script() {
        assert_eq!(best("pt_AO", &["en-US", "pt-BR"]), Some(1));
        assert_eq!(best("pt_BR", &["en-US", "pt-PT"]), Some(1));
        assert_eq!(best("zh_TW", &["en-US", "zh-Hans"]), None);
    }

    #[test]
    fn a_modifier_names_the_script() {
        let tags = ["uz-Latn", "uz-Cyrl"];
        for (wanted, index) in [("uz_UZ@latin", 0), ("uz_UZ@cyrillic", 1), ("uz_UZ.UTF-8@cyrillic", 1)] {
            assert_eq!(best(wanted, &tags), Some(index), "for {wanted}");
        }
    }
}

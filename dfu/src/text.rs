//! Which characters of a text show themselves. Texts of strangers are told apart by people who read them: what turns the
//! direction of writing, breaks the line or cannot be seen makes one look like another. The one rule of all rooms, kept
//! in the lowest that reads such texts.

/// Each character, and whether it shows itself: control characters do not, nor does what [`hides`], but for what joins
/// two pictures to one.
pub fn characters(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = None;
    text.char_indices().map(move |(at, c)| {
        let joins = |next: Option<char>| {
            c == '\u{200d}' && before.is_some_and(ends_picture) && next.is_some_and(is_picture)
        };
        let shown = !c.is_control() && (!hides(c) || joins(text[at + c.len_utf8()..].chars().next()));
        before = Some(c);
        (c, shown)
    })
}

/// Whether all of it shows itself.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    characters(text).all(|(_, shown)| shown)
}

/// What of it shows itself.
pub fn plain(text: &str) -> impl Iterator<Item = char> {
    characters(text).filter_map(|(c, shown)| shown.then_some(c))
}

/// General categories Cf, Zl and Zp of Unicode 16, and the Hangul fillers, which show nothing either.
fn hides(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{115f}'..='\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

fn is_picture(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// A picture, or how one is to be drawn.
fn ends_picture(c: char) -> bool {
    is_picture(c) || c == '\u{fe0f}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_or_hides_is_not_plain_and_joined_pictures_are() {
        for text in ["CORP\\jörg müller", "jo\u{308}rg", "日本", "Ops 👩\u{200d}💻", "❤\u{fe0f}\u{200d}🔥"]
        {
            assert!(is_plain(text), "{text:?}");
        }
        for c in [
            '\u{202e}', '\u{2066}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{2028}',
            '\u{2029}', '\n',
        ] {
            assert!(!is_plain(&format!("ceo{c}x")), "{c:?}");
            assert_eq!(plain(&format!("ceo{c}x")).collect::<String>(), "ceox");
        }
        assert!(!is_plain("👩\u{200d}") && !is_plain("\u{200d}👩") && !is_plain("a\u{200d}👩"));
    }
}

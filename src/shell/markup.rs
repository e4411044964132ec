//! Text in places that read markup.

/// `text` such that no character of it is markup.
pub(super) fn escaped(text: &str) -> String {
    let Ok(escaped) = askama::filters::escape(text, askama::filters::Html);
    escaped.to_string()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_name_is_no_markup() {
        assert_eq!(escaped("<b a='\"'>A & B</b>"), "&#60;b a=&#39;&#34;&#39;&#62;A &#38; B&#60;/b&#62;");
    }
}

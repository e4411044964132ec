//! Group queries (RFC 4515) with `$user$` in them: read, tidied, and only then filled in.
//!
//! The user's name is escaped and put in where a *value* of the checked template stands, so no name can change the
//! structure of a query.

use crate::{MAX_FILTER_CHARS, USER_PLACEHOLDER};

/// Deepest nesting that is sent; the encoder recurses.
pub const MAX_DEPTH: usize = 64;

/// What is wrong with a query, and where: `column` counts characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {column}: {fault}")]
pub struct FilterFault {
    pub column: usize,
    pub fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("expected {expected}, found {found}")]
    Unexpected { expected: Expected, found: Found },
    #[error(
        "this stands after the end of the query (an opening parenthesis is missing, or one closes too much)"
    )]
    Trailing,
    #[error("nested more than {MAX_DEPTH} deep")]
    TooDeep,
    #[error("longer than {MAX_FILTER_CHARS} characters")]
    TooLong,
    #[error("`\\` must be followed by two hexadecimal digits")]
    Escape,
    #[error("two `*` in a row")]
    DoubleStar,
    #[error("`*` is not allowed after this operator")]
    Star,
    #[error("`(` inside a value: write \\28, or close the parenthesis before it")]
    OpenInValue,
    #[error("a NUL character: write \\00")]
    Nul,
}

/// What the grammar of RFC 4515 allows at some place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Expected {
    #[error("`(`")]
    Open,
    #[error("`)`")]
    Close,
    #[error("`(` of another part or `)`")]
    PartOrClose,
    #[error("`)`: `!` has one part")]
    CloseOfNot,
    #[error("the name of an attribute")]
    Attribute,
    #[error("the name of an attribute, `&`, `|` or `!`")]
    AttributeOrOperator,
    #[error("an attribute option")]
    AttributeOption,
    #[error("an attribute or a matching rule before it")]
    AttributeOrRule,
    #[error("`:` and a matching rule, or `:=`")]
    RuleOrColonEquals,
    #[error("a letter, digit or `-` of the attribute's name, or `=`, `>=`, `<=`, `~=`, `:=`")]
    NameOrComparison,
    #[error("`=`")]
    Equals,
    #[error("`:=`")]
    ColonEquals,
    #[error("`=` of `:=`")]
    EqualsOfColonEquals,
    #[error("a digit")]
    Digit,
    #[error("a number without leading zeros")]
    NoLeadingZero,
}

/// What stands there instead; `None` is the end of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found(pub Option<char>);

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            None => f.write_str("the end"),
            Some(character) => write!(f, "`{}`", character.escape_default()),
        }
    }
}

/// A checked query, in pieces between which the user's name belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<String>,
}

impl Template {
    /// Checks `text` and takes out the blanks that only the layout wants: around the query, after `&`, `|` and `!`,
    /// and after closing parentheses. Parentheses are never guessed.
    ///
    /// # Errors
    /// The first fault and its place.
    pub fn parse(text: &str) -> Result<Self, FilterFault> {
        let characters = text.chars().count();
        if characters > MAX_FILTER_CHARS {
            return Err(FilterFault { column: MAX_FILTER_CHARS + 1, fault: Fault::TooLong });
        }
        let mut reader = Reader { text, at: 0, pieces: vec![String::new()] };
        reader.skip_blanks();
        if reader.peek() == Some('(') {
            reader.filter(1)?;
        } else {
            // RFC 4515 wants parentheses; a single test without them has only one meaning.
            reader.push("(");
            reader.item()?;
            reader.push(")");
        }
        reader.skip_blanks();
        match reader.peek() {
            None => Ok(Self { pieces: reader.pieces }),
            Some(_) => Err(reader.fault(Fault::Trailing)),
        }
    }

    /// The query for one user. `user` may hold any character; it must not be empty.
    pub fn fill(&self, user: &str) -> String {
        self.pieces.join(&escaped(user))
    }
}

/// `text` as a value (RFC 4515 §3).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '*' => out.push_str("\\2a"),
            '(' => out.push_str("\\28"),
            ')' => out.push_str("\\29"),
            '\\' => out.push_str("\\5c"),
            '\0' => out.push_str("\\00"),
            other => out.push(other),
        }
    }
    out
}

/// The account name: `DOMAIN\name` and `name@realm` without domain and realm. `None` if nothing is left.
pub fn account_name(user: &str) -> Option<&str> {
    let user = user.split_once('\\').map_or(user, |(_, name)| name);
    let name = user.split_once('@').map_or(user, |(name, _)| name).trim();
    (!name.is_empty()).then_some(name)
}

struct Reader<'a> {
    text: &'a str,
    /// Byte offset, always on a character boundary.
    at: usize,
    pieces: Vec<String>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, text: &str) {
        if let Some(piece) = self.pieces.last_mut() {
            piece.push_str(text);
        }
    }

    /// Takes one character over into the query.
    fn take(&mut self, character: char) {
        self.at += character.len_utf8();
        self.push(character.encode_utf8(&mut [0; 4]));
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn fault(&self, fault: Fault) -> FilterFault {
        FilterFault { column: self.text.get(..self.at).unwrap_or_default().chars().count() + 1, fault }
    }

    fn unexpected(&self, expected: Expected) -> FilterFault {
        self.fault(Fault::Unexpected { expected, found: Found(self.peek()) })
    }

    fn expect(&mut self, character: char, expected: Expected) -> Result<(), FilterFault> {
        if self.peek() == Some(character) {
            self.take(character);
            return Ok(());
        }
        Err(self.unexpected(expected))
    }

    /// `"(" filtercomp ")"`, RFC 4515 §3, and RFC 4526's empty `(&)` and `(|)`.
    fn filter(&mut self, depth: usize) -> Result<(), FilterFault> {
        if depth > MAX_DEPTH {
            return Err(self.fault(Fault::TooDeep));
        }
        self.expect('(', Expected::Open)?;
        match self.peek() {
            Some(operator @ ('&' | '|')) => {
                self.take(operator);
                self.skip_blanks();
                while self.peek() == Some('(') {
                    self.filter(depth + 1)?;
                    self.skip_blanks();
                }
                self.expect(')', Expected::PartOrClose)
            }
            Some('!') => {
                self.take('!');
                self.skip_blanks();
                self.filter(depth + 1)?;
                self.skip_blanks();
                self.expect(')', Expected::CloseOfNot)
            }
            _ => {
                self.item()?;
                self.expect(')', Expected::Close)
            }
        }
    }

    /// `attr op value`, or an extensible match.
    fn item(&mut self) -> Result<(), FilterFault> {
        let named = self.peek() != Some(':');
        if named {
            self.attribute_type()?;
            while self.peek() == Some(';') {
                self.take(';');
                self.run(|c| c.is_ascii_alphanumeric() || c == '-', Expected::AttributeOption)?;
            }
        }
        match self.peek() {
            Some('=') => {
                self.take('=');
                self.value(true)
            }
            Some(operator @ ('>' | '<' | '~')) => {
                self.take(operator);
                self.expect('=', Expected::Equals)?;
                self.value(false)
            }
            Some(':') => {
                if self.rest().starts_with(":dn") {
                    ":dn".chars().for_each(|c| self.take(c));
                }
                if !self.rest().starts_with(":=") {
                    self.expect(':', Expected::RuleOrColonEquals)?;
                    self.attribute_type()?;
                } else if !named {
                    return Err(self.unexpected(Expected::AttributeOrRule));
                }
                self.expect(':', Expected::ColonEquals)?;
                self.expect('=', Expected::EqualsOfColonEquals)?;
                self.value(false)
            }
            _ => Err(self.unexpected(Expected::NameOrComparison)),
        }
    }

    /// A name or a dotted number without leading zeros (RFC 4512 §1.4).
    fn attribute_type(&mut self) -> Result<(), FilterFault> {
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            loop {
                let start = self.at;
                self.run(|c| c.is_ascii_digit(), Expected::Digit)?;
                let number = self.text.get(start..self.at).unwrap_or_default();
                if number.len() > 1 && number.starts_with('0') {
                    self.at = start;
                    return Err(self.unexpected(Expected::NoLeadingZero));
                }
                if self.peek() != Some('.') {
                    return Ok(());
                }
                self.take('.');
            }
        }
        if !self.peek().is_some_and(|c| c.is_ascii_alphabetic()) {
            return Err(self.unexpected(Expected::AttributeOrOperator));
        }
        self.run(|c| c.is_ascii_alphanumeric() || c == '-', Expected::Attribute)
    }

    /// One or more characters of a set.
    fn run(&mut self, of: impl Fn(char) -> bool, expected: Expected) -> Result<(), FilterFault> {
        let start = self.at;
        while let Some(character) = self.peek().filter(|c| of(*c)) {
            self.take(character);
        }
        if self.at == start { Err(self.unexpected(expected)) } else { Ok(()) }
    }

    /// Up to the closing parenthesis, which stays.
    fn value(&mut self, stars: bool) -> Result<(), FilterFault> {
        let mut after_star = false;
        while let Some(character) = self.peek() {
            if self.rest().starts_with(USER_PLACEHOLDER) {
                self.at += USER_PLACEHOLDER.len();
                self.pieces.push(String::new());
                after_star = false;
                continue;
            }
            match character {
                ')' => break,
                '(' => return Err(self.fault(Fault::OpenInValue)),
                '\0' => return Err(self.fault(Fault::Nul)),
                '*' if !stars => return Err(self.fault(Fault::Star)),
                '*' if after_star => return Err(self.fault(Fault::DoubleStar)),
                '\\' => {
                    let digits: String = self.rest().chars().skip(1).take(2).collect();
                    if digits.len() != 2 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                        return Err(self.fault(Fault::Escape));
                    }
                    "\\".chars().chain(digits.chars()).for_each(|c| self.take(c));
                    after_star = false;
                    continue;
                }
                _ => {}
            }
            after_star = character == '*';
            self.take(character);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn values_are_escaped_as_the_library_does() {
        let mut random = crate::seed::random();
        for _ in 0..10_000 {
            let text: String = (0..8).map(|_| random.char('\0'..='\u{ff}')).collect();
            assert_eq!(escaped(&text), ldap3::ldap_escape(&text));
        }
    }

    fn filled(template: &str, user: &str) -> String {
        let filter = Template::parse(template).unwrap_or_else(|e| panic!("{template}: {e}")).fill(user);
        assert!(ldap3::parse_filter(&filter).is_ok(), "the library refuses {filter}");
        filter
    }

    fn fault(template: &str) -> (usize, String) {
        let error = Template::parse(template).expect_err(template);
        (error.column, error.fault.to_string())
    }

    #[test]
    fn layout_is_tidied_and_nothing_else() {
        let tidy = "(&(objectClass=person)(|(uid=$user$)(!(l=a b ))))";
        let laid_out = " \n(& (objectClass=person) \t( | (uid=$user$) (! (l=a b )) ) ) ";
        assert!(Template::parse(laid_out).is_err(), "a blank before an operator is no layout");
        let laid_out = " \n(& (objectClass=person) \t(| (uid=$user$) (! (l=a b )) ) ) ";
        assert_eq!(filled(laid_out, "x"), filled(tidy, "x"));
        assert_eq!(filled("uid=$user$", "x"), "(uid=x)");
        for same in [
            "(memberOf:1.2.840.113556.1.4.1941:=CN=Sales, OU=x,DC=y)",
            "(cn:dn:=x)",
            "(:dn:2.4.6.8.10:=x)",
            "(:1.2.3:=x)",
            "(cn:caseExactMatch:=Fred)",
            "(&)",
            "(|)",
            "(cn=*)",
            "(cn=a*b*c)",
            "(cn=*a)",
            "(cn=a*)",
            "(cn=)",
            "(cn;lang-de=x)",
            "(a>=1)",
            "(a<=1)",
            "(a~=1)",
            "(x=a\\2ab)",
            "(cn=Jörg $ü$)",
            "(a=b=c:d)",
            "(cn:=x)",
            "(0.9.2342.19200300.100.1.1=x)",
        ] {
            assert_eq!(filled(same, "x"), same);
        }
    }

    #[test]
    fn a_name_is_only_ever_a_value() {
        let template = "(&(uid=$user$)(!(cn=$user$*)))";
        assert_eq!(filled(template, "*"), "(&(uid=\\2a)(!(cn=\\2a*)))");
        assert_eq!(filled("(uid=$user$)", "a)(uid=*"), "(uid=a\\29\\28uid=\\2a)");
        assert_eq!(filled("(uid=$user$)", "a\\b\0$user$"), "(uid=a\\5cb\\00$user$)");
        assert_eq!(filled("(uid=$user$)", "josé"), "(uid=josé)");
    }

    #[test]
    fn the_account_name_is_taken_out_first() {
        assert_eq!(account_name("CORP\\jane"), Some("jane"));
        assert_eq!(account_name("jane@corp.example"), Some("jane"));
        assert_eq!(account_name("o'brien "), Some("o'brien"));
        for empty in ["", " ", "CORP\\", "@corp.example"] {
            assert_eq!(account_name(empty), None, "{empty:?}");
        }
    }

    #[test]
    fn faults_name_their_place() {
        assert_eq!(fault("(&(a=b)(c=d)").0, 13, "the end");
        assert!(fault("(&(a=b)(c=d)").1.contains("the end"));
        assert_eq!(fault("(a=b)(c=d)"), (6, Fault::Trailing.to_string()));
        assert_eq!(fault("(&(a=b)))").0, 9);
        assert_eq!(fault("(my_attr=1)").0, 4);
        assert_eq!(fault("(ü=1)").0, 2);
        assert_eq!(fault("(&(cn=ü)(a=te**s))"), (15, Fault::DoubleStar.to_string()));
        assert_eq!(fault("(x=DOM\\jane)"), (7, Fault::Escape.to_string()));
        assert_eq!(fault("(x=a\\2)").0, 5);
        assert_eq!(fault("(x=a(b))").1, Fault::OpenInValue.to_string());
        assert_eq!(fault("(x>=a*)").1, Fault::Star.to_string());
        assert_eq!(fault("(x=\0)").1, Fault::Nul.to_string());
        assert_eq!(fault("(!(a=b)(c=d))").0, 8);
        assert_eq!(fault("($user$=1)").0, 2);
        assert_eq!(fault("(1.02.3=1)").0, 4);
        assert_eq!(fault("(1.0.00=1)").0, 6);
        let missing = format!("expected {}, found `:`", Expected::AttributeOrRule);
        assert_eq!(fault("(:=x)"), (2, missing));
        assert_eq!(fault("").1, "expected the name of an attribute, `&`, `|` or `!`, found the end");
        assert_eq!(fault("()").0, 2);
        assert_eq!(fault("(objectClass)").0, 13);
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let nested = |n: usize| format!("{}(a=b){}", "(!".repeat(n - 1), ")".repeat(n - 1));
        filled(&nested(MAX_DEPTH), "x");
        assert_eq!(fault(&nested(MAX_DEPTH + 1)), (MAX_DEPTH * 2 + 1, Fault::TooDeep.to_string()));
        let lists = |n: usize| format!("{}(a=b){}", "(&".repeat(n - 1), ")".repeat(n - 1));
        filled(&lists(MAX_DEPTH), "x");
        assert_eq!(fault(&lists(MAX_DEPTH + 1)), (MAX_DEPTH * 2 + 1, Fault::TooDeep.to_string()));
        let long = |n: usize| format!("(a={})", "ü".repeat(n - 4));
        filled(&long(4096), "x");
        assert_eq!(fault(&long(4097)), (4097, Fault::TooLong.to_string()));
    }

    #[test]
    fn whatever_is_accepted_the_library_accepts() {
        let alphabet: Vec<char> = "()&|!=*\\<>~:;.- a1dnü$u\n".chars().collect();
        let mut random = crate::seed::random();
        let mut accepted = 0;
        for _ in 0..200_000 {
            let mut text: String =
                (0..random.usize(1..14)).map(|_| *random.choice(&alphabet).unwrap()).collect();
            if random.bool() {
                text = format!("(&(a={text})(!(b=c)))");
            }
            if let Ok(template) = Template::parse(&text) {
                accepted += 1;
                let filter = template.fill("*)(x");
                assert!(ldap3::parse_filter(&filter).is_ok(), "{text:?} became {filter:?}");
            }
        }
        assert!(accepted > 1_000, "{accepted}");
    }
}

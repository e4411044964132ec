//! What went wrong, where, and what to do next: the one room where problems are made.
//!
//! Each thing that can go wrong is declared once, in the table of [`Reason`]. Its words are in `locales/` alone, also the
//! English ones for logs and programs; `locale/problems.rs` says them when somebody asks.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Display;

mod detail;
pub(crate) mod foreign;
mod reasons;

#[cfg(test)]
#[path = "../../tests/support/problem.rs"]
pub(crate) mod sample;

pub use detail::Detail;
pub use reasons::{Code, Reason};

/// What the code of a problem or detail looks like.
#[cfg(test)]
const CODE: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";

/// A reason with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Problem {
    pub code: Code,
    /// Empty where the text says where.
    place: String,
    /// All that the text of the code needs is in here or in `details`.
    pub args: BTreeMap<String, String>,
    pub details: BTreeMap<String, Detail>,
}

impl Reason {
    /// `place`: device, file or address, the same in every language.
    pub fn at(self, place: impl Display) -> Problem {
        let (code, said) = self.taken_apart();
        let place = if code.says_where() { String::new() } else { place.to_string() };
        let (mut args, mut details) = (BTreeMap::new(), BTreeMap::new());
        for (name, said) in said {
            match said {
                Said::Words(words) => drop(args.insert(name.to_owned(), words)),
                Said::Detail(detail) => drop(details.insert(name.to_owned(), *detail)),
            }
        }
        Problem { code, place, args, details }
    }

    /// Where it is, the text itself says.
    pub fn here(self) -> Problem {
        let problem = self.at("");
        debug_assert!(problem.code.says_where(), "{problem:?} has no place");
        problem
    }
}

impl Problem {
    /// The name of where it is; `None` where the text says that in words.
    pub(crate) fn name_of_place(&self) -> Option<&str> {
        (!self.code.says_where()).then_some(self.place.as_str())
    }

    /// The same, elsewhere.
    #[must_use]
    pub fn moved_to(self, place: impl Display) -> Self {
        let place = if self.code.says_where() { String::new() } else { place.to_string() };
        Self { place, ..self }
    }

    /// That it is the same thing in the same place, whatever else is told of it.
    pub fn is_same(&self, other: &Self) -> bool {
        // Where the text says where, that is in its arguments.
        let elsewhere = self.code.says_where() && self.args != other.args;
        self.code == other.code && self.place == other.place && !elsewhere
    }

    /// What the other side said, where its words are a part of the text.
    pub(crate) fn said(&self) -> Option<&Detail> {
        self.details.get("detail")
    }
}

impl Code {
    pub fn as_str(self) -> &'static str {
        self.declared().code
    }

    /// What the text is given: a name, and whether it is a [`Detail`].
    pub fn arguments(self) -> &'static [(&'static str, bool)] {
        self.declared().arguments
    }

    /// Whether the place is words of the text.
    pub fn says_where(self) -> bool {
        self.declared().here
    }

    /// It is about a company: where it is or what it said.
    pub fn is_of_tenant(self) -> bool {
        self == Self::ClockWrong || self.as_str().starts_with("tenant-")
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

/// A line of the table.
struct Declared {
    code: &'static str,
    here: bool,
    arguments: &'static [(&'static str, bool)],
}

enum Said {
    Words(String),
    Detail(Box<Detail>),
}

impl From<String> for Said {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<Detail> for Said {
    fn from(detail: Detail) -> Self {
        Self::Detail(Box::new(detail))
    }
}

/// What went wrong, where, and what to do next, in English.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Problem"))]
pub(crate) struct Written {
    /// Stable, kebab-case.
    #[cfg_attr(test, schemars(regex(pattern = CODE)))]
    pub(crate) code: String,
    pub(crate) what: String,
    /// Device, file or address.
    #[serde(rename = "where")]
    pub(crate) place: String,
    pub(crate) next: String,
    /// What the localised text of `problem-<code>` needs besides `where`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) args: BTreeMap<String, String>,
    /// Arguments of that text which are themselves said in the person's language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) details: BTreeMap<String, Detail>,
}

/// What [`Reason::UnheardOf`] carries.
pub(crate) const CARRIED: [&str; 3] = ["code", "what", "next"];

/// The English words are made anew. They are kept where there are no others: of a code that is unknown here, and of one
/// whose text needs more than came.
impl From<Written> for Problem {
    fn from(written: Written) -> Self {
        let Written { code: name, what, place, next, mut args, mut details } = written;
        let has = |name: &str| args.contains_key(name) || details.contains_key(name);
        let known = Code::named(&name).filter(|code| code.arguments().iter().all(|(name, _)| has(name)));
        let code = known.unwrap_or_else(|| {
            // What it was given stays: some of it are a stranger's words, and not for a log.
            details.retain(|name, _| !CARRIED.contains(&name.as_str()));
            args.extend([("code", name), ("what", what), ("next", next)].map(|(of, is)| (of.to_owned(), is)));
            Code::UnheardOf
        });
        let place = if code.says_where() { String::new() } else { place };
        Self { code, place, args, details }
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Problem {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_name_of_its_reason() {
        let kebab = |name: String| {
            let words = name.chars().flat_map(|c| {
                let dash = c.is_ascii_uppercase().then_some('-');
                dash.into_iter().chain(c.to_lowercase())
            });
            words.collect::<String>().trim_start_matches('-').to_owned()
        };
        for (at, code) in Code::ALL.iter().enumerate() {
            assert_eq!(kebab(format!("{code:?}")), code.as_str());
            assert_eq!((*code as usize, Code::named(code.as_str())), (at, Some(*code)));
        }
    }

    #[test]
    fn what_names_a_company_s_server_is_of_that_company() {
        for of_tenant in [Code::TenantRejected, Code::TenantUnreachable, Code::ClockWrong] {
            assert!(of_tenant.is_of_tenant(), "{of_tenant:?}");
        }
        assert!(
            ![Code::UpdateFailed, Code::PackageRefused, Code::InCall].iter().any(|code| code.is_of_tenant())
        );
    }

    #[test]
    fn what_is_made_is_whole_and_in_its_place() {
        let problem =
            Reason::RestPortTaken { port: "1".to_owned(), holder: Detail::verbatim("x") }.at("here");
        assert_eq!((problem.code, problem.args["port"].as_str()), (Code::RestPortTaken, "1"));
        assert_eq!((problem.details["holder"].text.as_str(), problem.name_of_place()), ("x", Some("here")));
        assert!(problem.is_same(&sample::sample(Code::RestPortTaken, "here")), "whatever holds it");
        assert!(!problem.is_same(&problem.clone().moved_to("there")));
        let words = Reason::OutputLost.here();
        assert_eq!((words.name_of_place(), &words), (None, &words.clone().moved_to("there")));
    }
}

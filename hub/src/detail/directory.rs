//! What is wrong with a directory query, for a person.

use crate::protocol::Detail;
use directory::MAX_FILTER_CHARS;
use directory::filter::{Expected, Fault, Found, MAX_DEPTH};

impl From<&Fault> for Detail {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Unexpected { expected, found } => {
                Detail::new("filter-unexpected", fault).detail("expected", *expected).detail("found", *found)
            }
            Fault::Trailing => Detail::new("filter-trailing", fault),
            Fault::TooDeep => Detail::new("filter-too-deep", fault).with("most", MAX_DEPTH),
            Fault::TooLong => Detail::new("filter-too-long", fault).with("most", MAX_FILTER_CHARS),
            Fault::Escape => Detail::new("filter-escape", fault),
            Fault::DoubleStar => Detail::new("filter-double-star", fault),
            Fault::Star => Detail::new("filter-star", fault),
            Fault::OpenInValue => Detail::new("filter-open-in-value", fault),
            Fault::Nul => Detail::new("filter-nul", fault),
        }
    }
}

impl From<Expected> for Detail {
    fn from(expected: Expected) -> Self {
        match expected {
            Expected::Open => Detail::new("filter-open", expected),
            Expected::Close => Detail::new("filter-close", expected),
            Expected::PartOrClose => Detail::new("filter-part-or-close", expected),
            Expected::CloseOfNot => Detail::new("filter-close-of-not", expected),
            Expected::Attribute => Detail::new("filter-attribute", expected),
            Expected::AttributeOrOperator => Detail::new("filter-attribute-or-operator", expected),
            Expected::AttributeOption => Detail::new("filter-attribute-option", expected),
            Expected::AttributeOrRule => Detail::new("filter-attribute-or-rule", expected),
            Expected::RuleOrColonEquals => Detail::new("filter-rule-or-colon-equals", expected),
            Expected::NameOrComparison => Detail::new("filter-name-or-comparison", expected),
            Expected::Equals => Detail::new("filter-equals", expected),
            Expected::ColonEquals => Detail::new("filter-colon-equals", expected),
            Expected::EqualsOfColonEquals => Detail::new("filter-equals-of-colon-equals", expected),
            Expected::Digit => Detail::new("filter-digit", expected),
            Expected::NoLeadingZero => Detail::new("filter-no-leading-zero", expected),
        }
    }
}

impl From<Found> for Detail {
    fn from(found: Found) -> Self {
        match found.0 {
            None => Detail::new("filter-end", found),
            Some(character) => {
                Detail::new("filter-character", found).with("character", character.escape_default())
            }
        }
    }
}

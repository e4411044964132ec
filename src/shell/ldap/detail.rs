//! What is wrong with a query, or with a directory server's answer, for a person.

use super::connection::Step;
use super::guard::{self, GuardFault, Shape};
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

impl From<Step> for Detail {
    fn from(step: Step) -> Self {
        match step {
            Step::Connect => Detail::new("ldap-connect", step),
            Step::Tls => Detail::new("ldap-tls", step),
            Step::Bind => Detail::new("ldap-bind", step),
            Step::Search => Detail::new("ldap-search", step),
            Step::AllQueries => Detail::new("ldap-all-queries", step),
        }
    }
}

impl From<&GuardFault> for Detail {
    fn from(fault: &GuardFault) -> Self {
        match fault {
            GuardFault::Message(bytes) => {
                Detail::new("ldap-message", fault).with("bytes", bytes).with("most", guard::MAX_MESSAGE_BYTES)
            }
            GuardFault::Total => Detail::new("ldap-total", fault).with("most", guard::MAX_TOTAL_BYTES),
            GuardFault::Depth => Detail::new("ldap-depth", fault).with("most", guard::MAX_DEPTH),
            GuardFault::Shape(shape) => Detail::new("ldap-shape", fault).detail("shape", *shape),
            GuardFault::Io(system) => Detail::verbatim(system),
        }
    }
}

impl From<Shape> for Detail {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::NoSequence => Detail::new("ldap-no-sequence", shape),
            Shape::Length => Detail::new("ldap-length", shape),
            Shape::NoNumber => Detail::new("ldap-no-number", shape),
            Shape::Unasked => Detail::new("ldap-unasked", shape),
            Shape::NoResult => Detail::new("ldap-no-result", shape),
            Shape::NotUtf8 => Detail::new("ldap-not-utf8", shape),
            Shape::CutOff => Detail::new("ldap-cut-off", shape),
            Shape::LongTag => Detail::new("ldap-long-tag", shape),
            Shape::Indefinite => Detail::new("ldap-indefinite", shape),
        }
    }
}

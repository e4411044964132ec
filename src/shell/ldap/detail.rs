//! What is wrong with a directory server's answer, for a person.

use super::connection::Step;
use super::guard::{self, GuardFault, Shape};
use hub::protocol::Detail;

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

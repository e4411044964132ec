//! Why a wish was not followed: a type for who acts on it, a problem for who reads it.

use crate::problem::Reason;
use crate::protocol::Problem;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    NoSuchCall,
    NotYourCall,
    WrongCallState,
    TooManyCalls,
    NoSuchOffer,
    NoSuchDevice,
    /// The machine role said no.
    Machine,
    /// The machine role is not there.
    MachineAway,
    /// The machine role did not say anything.
    NoAnswer,
    /// Not a web page as browsers name them.
    NoName,
    /// No page of this name asked or is approved.
    NoSuchSoftphone,
    /// Somebody else decides about this page.
    Locked,
    /// In force, but not for the next start.
    NotKept,
    /// Not while firmware is written.
    AtWork,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub why: WhyNot,
    pub problem: Problem,
}

impl Refusal {
    pub fn new(why: WhyNot, problem: Problem) -> Self {
        Self { why, problem }
    }
}

pub(super) fn no_such_offer(offer: String) -> Refusal {
    let problem = Reason::NoSuchOffer.at(offer);
    Refusal::new(WhyNot::NoSuchOffer, problem)
}

pub(super) fn no_answer() -> Refusal {
    let problem = Reason::NoAnswer.at("hookswitch");
    Refusal::new(WhyNot::NoAnswer, problem)
}

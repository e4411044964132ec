//! Whom the door deals with, and what each may do.

use super::door::Door;
use super::reader::Reader;
use super::refusal::Refusal;
use axum::http::StatusCode;
use hub::protocol::local::Decider;
use hub::user::sdk::consent::Stranger;
use hub::user::sdk::session::Client;

/// Whom the door deals with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A page of an approved origin.
    Page { origin: String },
    /// A program that showed the token.
    Program { name: String },
    /// A page that may ask for health and the contract, and be told why no more.
    Unwelcome { origin: String, why: Stranger },
    /// Nobody yet.
    Stranger,
}

/// What a route is for. A column of the route table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    /// Read by anybody on this computer, also by pages nobody approved: holds nothing of the person.
    Open,
    /// Devices, calls and events: what a page was approved for.
    Calls,
    /// Firmware. An approval to speak is none to change the headset: this needs the token, or the person's click.
    Updates,
    /// The legacy door, which answers strangers in its own envelope.
    Spokes,
}

impl Caller {
    /// The name calls are owned under.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Page { origin } => origin,
            Self::Program { name } => name,
            Self::Unwelcome { .. } | Self::Stranger => "",
        }
    }

    /// The softphone it is; a stranger is none.
    pub(super) fn client(&self) -> Option<Client> {
        match self {
            Self::Page { origin } => Some(Client::Page(origin.clone())),
            Self::Program { name } => Some(Client::Program(name.clone())),
            Self::Unwelcome { .. } | Self::Stranger => None,
        }
    }

    pub(super) fn reads<'a>(&'a self, door: &'a Door) -> Reader<'a> {
        let is_page = !matches!(self, Self::Program { .. });
        Reader { name: self.name(), is_page, salt: &door.salt }
    }

    pub(super) fn may(&self, power: Power) -> Result<(), Refusal> {
        match (self, power) {
            (_, Power::Open | Power::Spokes)
            | (Self::Program { .. }, _)
            | (Self::Page { .. }, Power::Calls) => Ok(()),
            (Self::Page { origin }, Power::Updates) => Err(not_for_pages(origin)),
            (Self::Unwelcome { origin, why }, _) => Err(unwelcome(origin, *why)),
            (Self::Stranger, _) => Err(Refusal::unauthorized("A program must show the token of this run")),
        }
    }
}

fn not_for_pages(origin: &str) -> Refusal {
    let next = "The person installs updates in Hookswitch's window; a program may, with the token.";
    Refusal::new(StatusCode::FORBIDDEN, "not-for-pages", "A web page may not change firmware", origin, next)
}

/// Why a page may not come in, and who could change that.
pub(super) fn unwelcome(origin: &str, why: Stranger) -> Refusal {
    let (code, what, next) = match why {
        Stranger::Asks(Decider::Person) => (
            "origin-not-approved",
            "This web page may not use the headset yet",
            format!(
                "The person is asked. They allow it in Hookswitch's window on the page Softphones, or by `hookswitch softphones approve {origin}`; the company's IT can allow it for everybody."
            ),
        ),
        Stranger::Asks(Decider::Environment | Decider::Machine | Decider::Company) => (
            "origin-not-approved",
            "This web page may not use the headset yet",
            "Not the person decides here, but their IT department, in the setting sdk_approved.".to_owned(),
        ),
        Stranger::Denied => (
            "origin-denied",
            "The person said no to this web page",
            format!(
                "They are not asked again. They change their mind in Hookswitch's window on the page Softphones, or by `hookswitch softphones approve {origin}`."
            ),
        ),
        Stranger::NoPage => (
            "origin-not-approvable",
            "This is no web page that could be approved",
            "Serve the page over https; http only from this computer itself. A file, and a sandboxed frame without allow-same-origin, have no origin (null).".to_owned(),
        ),
    };
    Refusal::new(StatusCode::FORBIDDEN, code, what, origin, next)
}

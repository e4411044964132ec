//! Whom the door deals with, and what each may do.

use super::door::Door;
use super::reader::Reader;
use super::refusal::Refusal;
use axum::http::StatusCode;
use hub::user::sdk::session::Client;

/// Whom the door deals with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A page of an approved origin.
    Page { origin: String },
    /// A program that showed the token.
    Program { name: String },
    /// Nobody yet: may ask for health and the contract, and be told how to be approved.
    Stranger { origin: Option<String> },
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
            Self::Stranger { .. } => "",
        }
    }

    /// The softphone it is; a stranger is none.
    pub(super) fn client(&self) -> Option<Client> {
        match self {
            Self::Page { origin } => Some(Client::Page(origin.clone())),
            Self::Program { name } => Some(Client::Program(name.clone())),
            Self::Stranger { .. } => None,
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
            (Self::Stranger { origin: Some(origin) }, _) => Err(not_approved(origin)),
            (Self::Stranger { origin: None }, _) => {
                Err(Refusal::unauthorized("A program must show the token of this run"))
            }
        }
    }
}

fn not_for_pages(origin: &str) -> Refusal {
    let next = "The person installs updates in Hookswitch's window; a program may, with the token.";
    Refusal::new(StatusCode::FORBIDDEN, "not-for-pages", "A web page may not change firmware", origin, next)
}

fn not_approved(origin: &str) -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "origin-not-approved",
        "This web page may not use the headset yet",
        origin,
        format!(
            "The person is asked. They allow it in Hookswitch's window on the page Softphones, or by `hookswitch softphones approve {origin}`; the company's IT can allow it for everybody."
        ),
    )
}

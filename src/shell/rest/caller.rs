//! Whom the door deals with, and what each may do.

use super::door::Door;
use super::reader::Reader;
use super::refusal::{Code, Refusal};
use hub::protocol::client::ClientId;
use hub::protocol::local::Decider;
use hub::user::sdk::consent::Stranger;

/// Whom the door deals with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A page that is approved, or a program that is or showed the token.
    Softphone {
        client: ClientId,
        /// What it calls itself.
        label: Option<String>,
        token: bool,
    },
    /// One that may ask for health and the contract, and be told why no more.
    Unwelcome { client: ClientId, why: Stranger },
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
    /// The softphone it is, and what it calls itself.
    ///
    /// # Errors
    /// Nobody who was let in.
    pub(super) fn softphone(&self) -> Result<(ClientId, Option<String>), Refusal> {
        match self {
            Self::Softphone { client, label, .. } => Ok((client.clone(), label.clone())),
            Self::Unwelcome { client, why } => Err(unwelcome(client, *why)),
            Self::Stranger => Err(needs_token()),
        }
    }

    pub(super) fn reads<'a>(&'a self, door: &'a Door) -> Reader<'a> {
        let client = match self {
            Self::Softphone { client, .. } => Some(client),
            Self::Unwelcome { .. } | Self::Stranger => None,
        };
        Reader { client, salt: &door.salt }
    }

    pub(super) fn may(&self, power: Power) -> Result<(), Refusal> {
        match (self, power) {
            (_, Power::Open | Power::Spokes) | (Self::Softphone { .. }, Power::Calls) => Ok(()),
            (Self::Softphone { client: ClientId::Page(origin), .. }, Power::Updates) => {
                Err(not_for_pages(origin))
            }
            (Self::Softphone { token, .. }, Power::Updates) => match token {
                true => Ok(()),
                false => Err(needs_token()),
            },
            (Self::Unwelcome { client, why }, _) => Err(unwelcome(client, *why)),
            (Self::Stranger, _) => Err(needs_token()),
        }
    }
}

fn needs_token() -> Refusal {
    Refusal::unauthorized("A program must show the token of this run")
}

fn not_for_pages(origin: &str) -> Refusal {
    let next = "The person installs updates in Hookswitch's window; a program may, with the token.";
    Refusal::new(Code::NotForPages, "A web page may not change firmware", origin, next)
}

/// Why a softphone may not come in, and who could change that.
pub(super) fn unwelcome(client: &ClientId, why: Stranger) -> Refusal {
    match client {
        ClientId::Page(origin) => unwelcome_page(origin, why),
        ClientId::Program(path) => unwelcome_program(path, why),
        ClientId::Unnamed => needs_token(),
    }
}

fn unwelcome_program(path: &str, why: Stranger) -> Refusal {
    let allow = format!(
        "in Hookswitch's window on the page Softphones, or by `hookswitch softphones approve {}`",
        quoted(path)
    );
    match why {
        Stranger::Denied => Refusal::new(
            Code::ProgramDenied,
            "The person said no to this program",
            path,
            format!("They are not asked again. They change their mind {allow}."),
        ),
        Stranger::Asks(Decider::Person) => {
            let next = format!("The person is asked, and allows it {allow}.");
            Refusal::unauthorized_or("This program may not use the headset yet: it showed no token", &next)
        }
        Stranger::Asks(_) | Stranger::NoPage | Stranger::Unnamed => {
            let next = "Or the IT department allows it in the setting sdk_approved.";
            Refusal::unauthorized_or("This program may not use the headset yet: it showed no token", next)
        }
    }
}

/// As one word for a shell, where it is more.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._+-".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

fn unwelcome_page(origin: &str, why: Stranger) -> Refusal {
    let (code, what, next) = match why {
        Stranger::Asks(Decider::Person) => (
            Code::OriginNotApproved,
            "This web page may not use the headset yet",
            format!(
                "The person is asked. They allow it in Hookswitch's window on the page Softphones, or by `hookswitch softphones approve {origin}`; the company's IT can allow it for everybody."
            ),
        ),
        Stranger::Asks(_) => (
            Code::OriginNotApproved,
            "This web page may not use the headset yet",
            "Not the person decides here, but their IT department, in the setting sdk_approved.".to_owned(),
        ),
        Stranger::Denied => (
            Code::OriginDenied,
            "The person said no to this web page",
            format!(
                "They are not asked again. They change their mind in Hookswitch's window on the page Softphones, or by `hookswitch softphones approve {origin}`."
            ),
        ),
        Stranger::NoPage | Stranger::Unnamed => (
            Code::OriginNotApprovable,
            "This is no web page that could be approved",
            "Serve the page over https; http only from this computer itself. A file, and a sandboxed frame without allow-same-origin, have no origin (null).".to_owned(),
        ),
    };
    Refusal::new(code, what, origin, next)
}

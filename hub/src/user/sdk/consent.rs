//! Which web pages may use the headset: who is approved and by whom, who asks, and when the person is told of it.
//!
//! Anybody can make pages of any number of origins ask. So nothing here is used up: the list of askers keeps the most
//! recent ones, one site cannot fill it, whoever asks again stays longer than whoever asked once, and notices are rare
//! in time, not in number.

use crate::protocol::local::{Decider, Softphone, Standing};
use crate::settings::{MOST_ORIGINS, is_page_origin};
use std::time::{Duration, Instant};

/// Askers that are listed.
pub const MOST_ASKING: usize = 32;
/// Of them, those of one site: its subdomains cost its owner nothing.
pub const MOST_OF_A_SITE: usize = 4;
/// Denials that are remembered.
pub const MOST_DENIED: usize = MOST_ORIGINS;
/// Between two notices about askers.
pub const NOTICE_PAUSE: Duration = Duration::from_secs(60);

/// What the settings say of approved pages, and which ones the person said no to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approvals {
    pub origins: Vec<String>,
    pub denied: Vec<String>,
    pub by: Decider,
    /// The file or variable that says so.
    pub place: String,
}

/// What one decision of the person came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// In force, and the settings have to be changed for it.
    Keep,
    /// In force for as long as the agent runs, or already so before.
    Done,
    /// Somebody else decides about this page.
    Locked(Decider),
    /// Not a page as browsers name them.
    NoOrigin,
    /// Nobody asked under this name, and it is not approved.
    Unknown,
}

/// Why a page may not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// Nobody has decided yet; who does.
    Asks(Decider),
    /// The person said no.
    Denied,
    /// No page that anybody could approve.
    NoPage,
}

#[derive(Debug)]
struct Asking {
    origin: String,
    /// It came back: more than a throw-away name.
    again: bool,
    told: bool,
}

#[derive(Debug, Default)]
pub struct Consent {
    own: Approvals,
    company: Vec<String>,
    /// The most recent last.
    asking: Vec<Asking>,
    denied: Vec<String>,
    quiet_until: Option<Instant>,
}

impl Consent {
    pub fn approves(&self, origin: &str) -> bool {
        is_page_origin(origin) && (is_on(&self.own.origins, origin) || is_on(&self.company, origin))
    }

    /// Whether the page may come in. One that may not is listed as asking, unless the person said no.
    ///
    /// # Errors
    /// It may not.
    pub fn knock(&mut self, origin: &str) -> Result<(), Stranger> {
        if !is_page_origin(origin) {
            return Err(Stranger::NoPage);
        }
        if self.approves(origin) {
            return Ok(());
        }
        if is_on(&self.denied, origin) {
            return Err(Stranger::Denied);
        }
        let known = self.asking.iter().position(|a| a.origin == origin).map(|at| self.asking.remove(at));
        let asking = match known {
            Some(known) => Asking { again: true, ..known },
            None => Asking { origin: origin.to_owned(), again: false, told: false },
        };
        self.make_room(origin);
        self.asking.push(asking);
        Err(Stranger::Asks(self.own.by))
    }

    fn make_room(&mut self, origin: &str) {
        let of_site = |a: &&Asking| site(&a.origin) == site(origin);
        if self.asking.iter().filter(of_site).count() >= MOST_OF_A_SITE {
            if let Some(at) = self.asking.iter().position(|a| site(&a.origin) == site(origin)) {
                self.asking.remove(at);
            }
        } else if self.asking.len() >= MOST_ASKING {
            let at = self.asking.iter().position(|a| !a.again).unwrap_or(0);
            self.asking.remove(at);
        }
    }

    /// The person says yes or no.
    pub fn decide(&mut self, origin: &str, approve: bool) -> Decided {
        if !is_page_origin(origin) {
            return Decided::NoOrigin;
        }
        let (own, company) = (is_on(&self.own.origins, origin), is_on(&self.company, origin));
        let person_decides = matches!(self.own.by, Decider::Person);
        let asked = self.asking.iter().any(|a| a.origin == origin) || is_on(&self.denied, origin);
        match (approve, own, company) {
            (true, true, _) | (true, _, true) => return Decided::Done,
            (true, false, false) if !person_decides => return Decided::Locked(self.own.by),
            (true, false, false) => self.own.origins.push(origin.to_owned()),
            (false, _, true) => return Decided::Locked(Decider::Company),
            (false, true, false) if !person_decides => return Decided::Locked(self.own.by),
            (false, true, false) => self.own.origins.retain(|o| o != origin),
            (false, false, false) if !asked => return Decided::Unknown,
            (false, false, false) => {}
        }
        self.asking.retain(|a| a.origin != origin);
        self.denied.retain(|o| o != origin);
        if !approve {
            if self.denied.len() == MOST_DENIED {
                self.denied.remove(0);
            }
            self.denied.push(origin.to_owned());
        }
        if person_decides || approve || own { Decided::Keep } else { Decided::Done }
    }

    /// Where it is decided what `decider` decides.
    pub fn place(&self, decider: Decider) -> &str {
        if decider == self.own.by { &self.own.place } else { "sdk.approved" }
    }

    pub fn set_own(&mut self, approvals: Approvals) {
        let before = std::mem::replace(&mut self.own, approvals);
        // What could not be kept counts on.
        self.denied.retain(|o| !is_on(&before.denied, o) || is_on(&self.own.denied, o));
        let denied = self.own.denied.iter().filter(|o| is_page_origin(o));
        let new: Vec<String> = denied.filter(|o| !is_on(&self.denied, o)).cloned().collect();
        self.denied.extend(new);
        self.denied.drain(..self.denied.len().saturating_sub(MOST_DENIED));
        self.forget_answered();
    }

    pub fn set_company(&mut self, origins: &[String]) {
        if self.company != origins {
            self.company = origins.to_vec();
            self.forget_answered();
        }
    }

    fn forget_answered(&mut self) {
        let (asking, denied) = (std::mem::take(&mut self.asking), std::mem::take(&mut self.denied));
        self.denied = denied.into_iter().filter(|o| !self.approves(o)).collect();
        let open = |origin: &str| !self.approves(origin) && !is_on(&self.denied, origin);
        self.asking = asking.into_iter().filter(|a| open(&a.origin)).collect();
    }

    /// The page that the person is to be told of now: the most recent of those that were not.
    pub fn tell(&mut self, now: Instant) -> Option<String> {
        if self.quiet_until.is_some_and(|until| now < until) {
            return None;
        }
        let newest = self.asking.iter().rposition(|a| !a.told)?;
        for asking in &mut self.asking {
            // The list shows the others too: one notice is enough to look at it.
            asking.told = true;
        }
        self.quiet_until = Some(now + NOTICE_PAUSE);
        Some(self.asking[newest].origin.clone())
    }

    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let waits = self.asking.iter().any(|a| !a.told);
        self.quiet_until.filter(|_| waits).map(|at| (at, "a page asks to use the headset"))
    }

    /// Who asks, the most recent first; then who may, then who may not.
    pub fn list(&self, connected: impl Fn(&str) -> bool) -> Vec<Softphone> {
        let entry = |origin: &String, standing, by: Option<Decider>| Softphone {
            origin: origin.clone(),
            standing,
            by,
            locked: by.is_some_and(|by| by != Decider::Person),
            connected: connected(origin),
        };
        // Whoever decides about the list decides about those who want to be on it.
        let asks_whom = Some(self.own.by).filter(|by| *by != Decider::Person);
        let asking = self.asking.iter().rev().map(|a| entry(&a.origin, Standing::Asking, asks_whom));
        let usable = |list: &'_ [String]| -> Vec<String> {
            let mut seen = Vec::new();
            for origin in list.iter().filter(|o| is_page_origin(o)) {
                if !is_on(&seen, origin) {
                    seen.push(origin.clone());
                }
            }
            seen
        };
        let company = usable(&self.company);
        let own: Vec<String> =
            usable(&self.own.origins).into_iter().filter(|o| !is_on(&company, o)).collect();
        let own = own.iter().map(|o| entry(o, Standing::Approved, Some(self.own.by)));
        let company = company.iter().map(|o| entry(o, Standing::Approved, Some(Decider::Company)));
        let denied = self.denied.iter().rev().map(|o| entry(o, Standing::Denied, Some(self.own.by)));
        asking.chain(own).chain(company).chain(denied).collect()
    }
}

fn is_on(list: &[String], origin: &str) -> bool {
    list.iter().any(|on| on == origin)
}

/// What one owner can have any number of names below: the last two labels of a name, or an address. Where names are
/// given out below a longer suffix (`co.uk`) neighbours share, which only matters while they ask in hundreds.
fn site(origin: &str) -> &str {
    let host = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    if host.starts_with('[') || host.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return host;
    }
    host.rmatch_indices('.').nth(1).map_or(host, |(at, _)| &host[at + 1..])
}

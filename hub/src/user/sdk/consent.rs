//! Which softphones may use the headset: who is approved and by whom, who asks, and when the person is told of it.
//!
//! A page needs an approval. A program needs one too, unless it shows the token, which only this account's programs can
//! read; the person's no counts against both.
//!
//! Anybody can make pages of any number of origins ask. So nothing here is used up: the list of askers keeps the most
//! recent ones, one site cannot fill it, whoever asks again stays longer than whoever asked once, and notices are rare
//! in time, not in number.

use crate::protocol::client::ClientId;
use crate::protocol::local::{Decider, Softphone, Standing};
use crate::settings::MOST_SOFTPHONES;
use std::time::{Duration, Instant};

/// Askers that are listed.
pub const MOST_ASKING: usize = 32;
/// Of them, those of one site: its subdomains cost its owner nothing. So it is with the programs of one folder.
pub const MOST_OF_A_SITE: usize = 4;
/// Denials that are remembered.
pub const MOST_DENIED: usize = MOST_SOFTPHONES;
/// Programs with the token that are listed, the most recent ones.
pub const MOST_HOLDERS: usize = 64;
/// Between two notices about askers.
pub const NOTICE_PAUSE: Duration = Duration::from_secs(60);

/// What the settings say of approved softphones, and which ones the person said no to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approvals {
    pub approved: Vec<String>,
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
    /// Somebody else decides about it.
    Locked(Decider),
    /// Nobody asked under this name, and it is not approved.
    Unknown,
}

/// Why a softphone may not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// Nobody has decided yet; who does.
    Asks(Decider),
    /// The person said no.
    Denied,
    /// No page that anybody could approve.
    NoPage,
    /// A program that the system does not name, so that nobody could approve it; and it has no token.
    Unnamed,
}

#[derive(Debug)]
struct Asking {
    client: ClientId,
    label: Option<String>,
    /// It came back: more than a throw-away name.
    again: bool,
    told: bool,
}

/// A program that showed the token in this run.
#[derive(Debug)]
struct Holder {
    client: ClientId,
    label: Option<String>,
}

#[derive(Debug, Default)]
pub struct Consent {
    own: Vec<ClientId>,
    /// Who decides what is on it.
    by: Decider,
    place: String,
    company: Vec<ClientId>,
    /// The most recent last.
    asking: Vec<Asking>,
    /// The most recent last.
    holders: Vec<Holder>,
    denied: Vec<ClientId>,
    /// Those of them that are in the settings.
    denied_there: Vec<ClientId>,
    /// Those that the settings approved when they were read last.
    approved_there: Vec<ClientId>,
    quiet_until: Option<Instant>,
}

impl Consent {
    fn approves(&self, client: &ClientId) -> bool {
        self.own.contains(client) || self.company.contains(client)
    }

    /// Whether its streams and calls may go on.
    pub fn welcomes(&self, client: &ClientId) -> bool {
        let holds = || self.holders.iter().any(|h| h.client == *client) && !self.denied.contains(client);
        match client {
            ClientId::Page(_) => self.approves(client),
            ClientId::Program(_) => self.approves(client) || holds(),
            ClientId::Unnamed => true,
        }
    }

    /// Whether it may come in. One that may not is listed as asking, unless the person said no. `token`: it is a program
    /// and showed the token. `in_use`: who has a stream or a call.
    ///
    /// # Errors
    /// It may not.
    pub fn knock(
        &mut self,
        client: &ClientId,
        token: bool,
        label: Option<String>,
        in_use: impl Fn(&ClientId) -> bool,
    ) -> Result<(), Stranger> {
        match client {
            ClientId::Unnamed if token => return Ok(()),
            ClientId::Unnamed => return Err(Stranger::Unnamed),
            ClientId::Page(origin) if ClientId::named(origin).is_none() => return Err(Stranger::NoPage),
            ClientId::Page(_) | ClientId::Program(_) => {}
        }
        let approved = self.approves(client);
        if !approved && self.denied.contains(client) {
            return Err(Stranger::Denied);
        }
        if token && !client.is_page() {
            self.hold(client, label, in_use);
            return Ok(());
        }
        if approved {
            return Ok(());
        }
        let known = self.asking.iter().position(|a| a.client == *client).map(|at| self.asking.remove(at));
        let asking = match known {
            Some(known) => Asking { again: true, label, ..known },
            None => Asking { client: client.clone(), label, again: false, told: false },
        };
        self.make_room(client);
        self.asking.push(asking);
        Err(Stranger::Asks(self.by))
    }

    fn hold(&mut self, client: &ClientId, label: Option<String>, in_use: impl Fn(&ClientId) -> bool) {
        self.asking.retain(|a| a.client != *client);
        self.holders.retain(|h| h.client != *client);
        // Whoever has a stream or a call stays: those are bounded too.
        if self.holders.len() >= MOST_HOLDERS
            && let Some(at) = self.holders.iter().position(|h| !in_use(&h.client))
        {
            self.holders.remove(at);
        }
        self.holders.push(Holder { client: client.clone(), label });
    }

    fn make_room(&mut self, client: &ClientId) {
        let of_site = |a: &&Asking| site(&a.client) == site(client);
        if self.asking.iter().filter(of_site).count() >= MOST_OF_A_SITE {
            if let Some(at) = self.asking.iter().position(|a| site(&a.client) == site(client)) {
                self.asking.remove(at);
            }
        } else if self.asking.len() >= MOST_ASKING {
            let at = self.asking.iter().position(|a| !a.again).unwrap_or(0);
            self.asking.remove(at);
        }
    }

    /// The person says yes or no.
    pub fn decide(&mut self, client: &ClientId, approve: bool) -> Decided {
        let (own, company) = (self.own.contains(client), self.company.contains(client));
        let person_decides = matches!(self.by, Decider::Person);
        // A program may have the token, and come at any time.
        let known = !client.is_page()
            || self.asking.iter().any(|a| a.client == *client)
            || self.denied.contains(client);
        match (approve, own, company) {
            (true, true, _) | (true, _, true) => return Decided::Done,
            (true, false, false) if !person_decides => return Decided::Locked(self.by),
            (true, false, false) => self.own.push(client.clone()),
            (false, _, true) => return Decided::Locked(Decider::Company),
            (false, true, false) if !person_decides => return Decided::Locked(self.by),
            (false, true, false) => self.own.retain(|on| on != client),
            (false, false, false) if !known => return Decided::Unknown,
            (false, false, false) => {}
        }
        self.asking.retain(|a| a.client != *client);
        self.denied.retain(|on| on != client);
        if !approve {
            if self.denied.len() == MOST_DENIED {
                self.denied.remove(0);
            }
            self.denied.push(client.clone());
        }
        // Where somebody else decides, all but a no to an asker was answered above.
        if person_decides { Decided::Keep } else { Decided::Done }
    }

    /// Where it is decided what `decider` decides.
    pub fn place(&self, decider: Decider) -> &str {
        if decider == self.by { &self.place } else { "sdk.approved" }
    }

    pub fn set_own(&mut self, approvals: Approvals) {
        let Approvals { approved, denied, by, place } = approvals;
        let new = named(&approved);
        let was = std::mem::replace(&mut self.approved_there, new.clone());
        if by == self.by {
            // What the file says anew counts. What was decided and could not be kept counts on where it says the same.
            self.own.retain(|on| !was.contains(on) || new.contains(on));
            let added: Vec<ClientId> =
                new.into_iter().filter(|on| !was.contains(on) && !self.own.contains(on)).collect();
            self.own.extend(added);
        } else {
            self.own = new;
        }
        (self.by, self.place) = (by, place);
        let before = std::mem::replace(&mut self.denied_there, named(&denied));
        // What could not be kept counts on.
        self.denied.retain(|on| !before.contains(on) || self.denied_there.contains(on));
        let new: Vec<ClientId> =
            self.denied_there.iter().filter(|on| !self.denied.contains(on)).cloned().collect();
        self.denied.extend(new);
        self.denied.drain(..self.denied.len().saturating_sub(MOST_DENIED));
        self.forget_answered();
    }

    /// Whether the settings say all that the person decided.
    pub(crate) fn is_kept(&self) -> bool {
        let same = |a: &[ClientId], b: &[ClientId]| a.len() == b.len() && a.iter().all(|on| b.contains(on));
        same(&self.own, &self.approved_there) && self.denied.iter().all(|on| self.denied_there.contains(on))
    }

    pub fn set_company(&mut self, approved: &[String]) {
        let approved = named(approved);
        if self.company != approved {
            self.company = approved;
            self.forget_answered();
        }
    }

    fn forget_answered(&mut self) {
        let (asking, denied) = (std::mem::take(&mut self.asking), std::mem::take(&mut self.denied));
        self.denied = denied.into_iter().filter(|on| !self.approves(on)).collect();
        let open = |client: &ClientId| !self.approves(client) && !self.denied.contains(client);
        self.asking = asking.into_iter().filter(|a| open(&a.client)).collect();
    }

    /// The softphone that the person is to be told of now: the most recent of those that were not.
    pub fn tell(&mut self, now: Instant) -> Option<ClientId> {
        if self.quiet_until.is_some_and(|until| now < until) {
            return None;
        }
        let newest = self.asking.iter().rposition(|a| !a.told)?;
        for asking in &mut self.asking {
            // The list shows the others too: one notice is enough to look at it.
            asking.told = true;
        }
        self.quiet_until = Some(now + NOTICE_PAUSE);
        Some(self.asking[newest].client.clone())
    }

    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let waits = self.asking.iter().any(|a| !a.told);
        self.quiet_until.filter(|_| waits).map(|at| (at, "a softphone asks to use the headset"))
    }

    /// Who asks, the most recent first; then who may, then who may not.
    pub fn list(&self, connected: impl Fn(&ClientId) -> bool) -> Vec<Softphone> {
        let entry = |client: &ClientId, standing, by: Option<Decider>| Softphone {
            client: client.clone(),
            label: self.holders.iter().find(|h| h.client == *client).and_then(|h| h.label.clone()),
            standing,
            by,
            locked: by.is_some_and(|by| !matches!(by, Decider::Person | Decider::Token)),
            connected: connected(client),
        };
        // Whoever decides about the list decides about those who want to be on it.
        let asks_whom = Some(self.by).filter(|by| *by != Decider::Person);
        let asking = self
            .asking
            .iter()
            .rev()
            .map(|a| Softphone { label: a.label.clone(), ..entry(&a.client, Standing::Asking, asks_whom) });
        let own = self.own.iter().filter(|on| !self.company.contains(on));
        let own = own.map(|on| entry(on, Standing::Approved, Some(self.by)));
        let company = self.company.iter().map(|on| entry(on, Standing::Approved, Some(Decider::Company)));
        let by_token = self.holders.iter().rev().map(|h| &h.client);
        let by_token = by_token.filter(|on| !self.approves(on) && !self.denied.contains(on));
        let by_token = by_token.map(|on| entry(on, Standing::Approved, Some(Decider::Token)));
        let denied = self.denied.iter().rev().map(|on| entry(on, Standing::Denied, Some(self.by)));
        asking.chain(own).chain(company).chain(by_token).chain(denied).collect()
    }
}

/// Those that are softphones, each once.
fn named(list: &[String]) -> Vec<ClientId> {
    let mut named = Vec::new();
    for client in list.iter().filter_map(|on| ClientId::named(on)) {
        if !named.contains(&client) {
            named.push(client);
        }
    }
    named
}

/// What one owner can have any number of names below: the last two labels of a name, or an address; of a program, its
/// folder. Where names are given out below a longer suffix (`co.uk`) neighbours share, which only matters while they ask
/// in hundreds.
fn site(client: &ClientId) -> &str {
    let origin = match client {
        ClientId::Page(origin) => origin.as_str(),
        ClientId::Program(path) => return path.rfind(['/', '\\']).map_or(path, |at| &path[..at]),
        ClientId::Unnamed => return "",
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shows_the_token_asks_no_more_and_is_listed_once() {
        let mut consent = Consent::default();
        let [one, two] = ["/usr/bin/one", "/opt/two"].map(|path| ClientId::named(path).expect("a program"));
        let mut knocks = |client, token| consent.knock(client, token, None, |_| false).is_ok();
        assert!(!knocks(&one, false) && !knocks(&two, false));
        assert!(knocks(&one, true) && knocks(&one, true));
        let listed: Vec<_> = consent.list(|_| false).into_iter().map(|on| (on.client, on.standing)).collect();
        assert_eq!(listed, [(two, Standing::Asking), (one, Standing::Approved)]);
    }

    #[test]
    fn names_that_cost_their_owner_nothing_are_one_site() {
        for (name, of) in [
            ("https://example.com", "example.com"),
            ("https://a.b.example.com:8443", "example.com"),
            ("https://localhost:3000", "localhost"),
            ("http://127.0.0.1:3000", "127.0.0.1"),
            ("http://[::1]:3000", "[::1]"),
            ("chrome-extension://abcdefghijklmnop", "abcdefghijklmnop"),
            ("/opt/phone/bin/phone", "/opt/phone/bin"),
        ] {
            assert_eq!(site(&ClientId::named(name).expect(name)), of, "{name}");
        }
        assert_eq!(site(&ClientId::Program(r"C:\Phone\phone.exe".to_owned())), r"C:\Phone");
    }

    #[test]
    fn a_no_where_somebody_else_decides_counts_for_this_run() {
        let mut consent = Consent::default();
        let by = Decider::Environment;
        consent.set_own(Approvals { by, ..Approvals::default() });
        let asker = ClientId::named("https://a.example").expect("a page");
        assert_eq!(consent.knock(&asker, false, None, |_| false), Err(Stranger::Asks(by)));
        assert_eq!(consent.decide(&asker, true), Decided::Locked(by));
        assert_eq!(consent.decide(&asker, false), Decided::Done);
        assert_eq!(consent.knock(&asker, false, None, |_| false), Err(Stranger::Denied));
    }
}

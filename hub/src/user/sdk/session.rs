//! Who listens: the open event streams of softphones. A softphone is there as long as one of its streams is open. When
//! the last one closed and none came back within the grace, it is gone; a crashed program must not leave a headset
//! ringing. One that never opened a stream cannot be missed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What a softphone gets to come back with a new stream before its calls end.
pub const GRACE: Duration = Duration::from_secs(30);

/// Streams of one softphone, each a tab perhaps. The door has places for many times that.
pub const MOST_STREAMS: usize = 16;

/// Streams of all programs together. Their names are their own choice, the token is the same for all: against each other
/// the streams of programs have no places of their own, but half of the door's are for pages.
pub const MOST_STREAMS_OF_PROGRAMS: usize = 128;

/// A softphone, as the door found it: which of the two it is was not its own word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// A page of this origin.
    Page(String),
    /// A program of this name that showed the token.
    Program(String),
}

impl Client {
    /// The name its calls are owned under. No program's name looks like an origin: [`is_page`].
    pub fn name(&self) -> &str {
        match self {
            Self::Page(name) | Self::Program(name) => name,
        }
    }
}

/// Whether calls under this name are a page's.
pub fn is_page(name: &str) -> bool {
    name.contains("://")
}

#[derive(Debug, Default)]
pub struct Sessions {
    open: BTreeMap<u64, Client>,
    /// Without a stream since then, plus the grace.
    leaving: BTreeMap<String, Instant>,
}

impl Sessions {
    /// Gives the stream that makes room, if the softphone has too many, or all programs have: the one opened first.
    pub fn opened(&mut self, session: u64, client: Client) -> Option<u64> {
        self.leaving.remove(client.name());
        let mut own = self.open.iter().filter(|(_, c)| **c == client).map(|(session, _)| *session);
        let of_own = own.next().filter(|_| own.count() + 1 >= MOST_STREAMS);
        let mut programs = self.open.iter().filter(|(_, c)| matches!(c, Client::Program(_)));
        let of_programs = matches!(client, Client::Program(_))
            .then(|| programs.next().filter(|_| programs.count() + 1 >= MOST_STREAMS_OF_PROGRAMS))
            .flatten()
            .map(|(session, _)| *session);
        let oldest = of_own.or(of_programs);
        if let Some(oldest) = oldest {
            self.open.remove(&oldest);
        }
        self.open.insert(session, client);
        oldest
    }

    pub fn closed(&mut self, session: u64, now: Instant) {
        if let Some(client) = self.open.remove(&session)
            && !self.is_here(client.name())
        {
            self.leaving.insert(client.name().to_owned(), now + GRACE);
        }
    }

    pub fn is_here(&self, name: &str) -> bool {
        self.open.values().any(|client| client.name() == name)
    }

    /// Those whose grace is over.
    pub fn gone(&mut self, now: Instant) -> Vec<String> {
        let gone: Vec<String> =
            self.leaving.iter().filter(|(_, at)| **at <= now).map(|(name, _)| name.clone()).collect();
        self.leaving.retain(|_, at| *at > now);
        gone
    }

    /// Closes the streams of pages that are not `welcome` any more.
    pub fn dismiss(&mut self, welcome: impl Fn(&str) -> bool) -> Vec<u64> {
        let unwelcome = |client: &Client| matches!(client, Client::Page(origin) if !welcome(origin));
        let ended: Vec<u64> =
            self.open.iter().filter(|(_, client)| unwelcome(client)).map(|(session, _)| *session).collect();
        self.open.retain(|_, client| !unwelcome(client));
        ended
    }

    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.leaving.values().min().map(|at| (*at, "a softphone may come back"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_programs_are_bounded_whatever_their_names() {
        let mut sessions = Sessions::default();
        let page = |n| Client::Page(format!("https://p{n}.example"));
        for n in 0..40 {
            assert_eq!(sessions.opened(n, page(n)), None);
        }
        let first = 100;
        for n in 0..MOST_STREAMS_OF_PROGRAMS as u64 {
            assert_eq!(sessions.opened(first + n, Client::Program(format!("n{n}"))), None, "{n}");
        }
        assert_eq!(sessions.opened(900, Client::Program("more".to_owned())), Some(first));
        assert_eq!(sessions.opened(901, page(1)), None, "pages are not concerned");
        for n in 0..MOST_STREAMS as u64 {
            let oldest = sessions.opened(1000 + n, page(2));
            assert_eq!(oldest, (n == MOST_STREAMS as u64 - 1).then_some(2));
        }
    }
}

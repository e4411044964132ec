//! Who listens: the open event streams of softphones. A softphone is there as long as one of its streams is open. When
//! the last one closed and none came back within the grace, it is gone; a crashed program must not leave a headset
//! ringing. One that never opened a stream cannot be missed.

use crate::protocol::client::ClientId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What a softphone gets to come back with a new stream before its calls end.
pub const GRACE: Duration = Duration::from_secs(30);

/// Streams of one softphone, each a tab perhaps. The door has places for many times that.
pub const MOST_STREAMS: usize = 16;

/// Streams of all programs together. A program has as many names as it has copies of itself: against each other the
/// streams of programs have no places of their own, but half of the door's are for pages.
pub const MOST_STREAMS_OF_PROGRAMS: usize = 128;

#[derive(Debug, Default)]
pub struct Sessions {
    open: BTreeMap<u64, ClientId>,
    /// Without a stream since then, plus the grace.
    leaving: BTreeMap<ClientId, Instant>,
}

impl Sessions {
    /// Gives the stream that makes room, if the softphone has too many, or all programs have: the one opened first.
    pub fn opened(&mut self, session: u64, client: ClientId) -> Option<u64> {
        self.leaving.remove(&client);
        let mut own = self.open.iter().filter(|(_, c)| **c == client).map(|(session, _)| *session);
        let of_own = own.next().filter(|_| own.count() + 1 >= MOST_STREAMS);
        let mut programs = self.open.iter().filter(|(_, c)| !c.is_page());
        let of_programs = (!client.is_page())
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
            && !self.is_here(&client)
        {
            self.leaving.insert(client, now + GRACE);
        }
    }

    pub fn is_here(&self, client: &ClientId) -> bool {
        self.open.values().any(|here| here == client)
    }

    /// Those whose grace is over.
    pub fn gone(&mut self, now: Instant) -> Vec<ClientId> {
        let gone: Vec<ClientId> =
            self.leaving.iter().filter(|(_, at)| **at <= now).map(|(client, _)| client.clone()).collect();
        self.leaving.retain(|_, at| *at > now);
        gone
    }

    /// Closes the streams of those that are not `welcome` any more.
    pub fn dismiss(&mut self, welcome: impl Fn(&ClientId) -> bool) -> Vec<u64> {
        let ended: Vec<u64> =
            self.open.iter().filter(|(_, client)| !welcome(client)).map(|(session, _)| *session).collect();
        self.open.retain(|_, client| welcome(client));
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
        let page = |n| ClientId::Page(format!("https://p{n}.example"));
        for n in 0..40 {
            assert_eq!(sessions.opened(n, page(n)), None);
        }
        let first = 100;
        for n in 0..MOST_STREAMS_OF_PROGRAMS as u64 {
            assert_eq!(sessions.opened(first + n, ClientId::Program(format!("/n{n}"))), None, "{n}");
        }
        assert_eq!(sessions.opened(900, ClientId::Program("/more".to_owned())), Some(first));
        assert_eq!(sessions.opened(901, page(1)), None, "pages are not concerned");
        for n in 0..MOST_STREAMS as u64 {
            let oldest = sessions.opened(1000 + n, page(2));
            assert_eq!(oldest, (n == MOST_STREAMS as u64 - 1).then_some(2));
        }
    }
}

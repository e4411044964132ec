//! Who may see and use the window: one-time addresses, cookies and the secret that only the page holds.
//!
//! The cookie alone lets a browser read. Cookies are not isolated by port, so a server of another user on the same
//! loopback could be sent it; what changes something therefore needs the page's secret too. That one reaches the
//! browser once, in the fragment of the first address, and is kept in the storage of this origin, port included: it
//! is in no page and no request before it is used, so a stolen cookie does not lead to it.

use crate::shell::secret;
use hub::user::menu::Page;
use std::time::{Duration, Instant};

/// A one-time address is for the browser that is being started.
pub(super) const TOKEN_LIFE: Duration = Duration::from_secs(60);
/// A page left open overnight goes on working.
const SESSION_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// Addresses and browsers at the same time; the oldest makes room.
const MAX_OPEN: usize = 16;

struct Token {
    token: String,
    page: Page,
    until: Instant,
}

#[derive(Clone)]
pub(super) struct Session {
    /// Value of the cookie.
    pub(super) cookie: String,
    pub(super) page_secret: String,
    until: Instant,
}

#[derive(Default)]
pub(super) struct Sessions {
    tokens: Vec<Token>,
    sessions: Vec<Session>,
}

// Shows none of the secrets.
impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("open", &self.sessions.len()).finish_non_exhaustive()
    }
}

/// The system has no randomness to give.
pub(super) type NoRandomness = aws_lc_rs::error::Unspecified;

impl Sessions {
    /// A token that opens `page` once within [`TOKEN_LIFE`].
    pub(super) fn issue(&mut self, page: Page, now: Instant) -> Result<String, NoRandomness> {
        let token = secret::secret()?;
        self.tokens.retain(|t| t.until > now);
        make_room(&mut self.tokens);
        self.tokens.push(Token { token: token.clone(), page, until: now + TOKEN_LIFE });
        Ok(token)
    }

    /// Uses a token up. `None`: it was never given, used before, or is too old.
    pub(super) fn redeem(
        &mut self,
        token: &str,
        now: Instant,
    ) -> Result<Option<(Page, Session)>, NoRandomness> {
        let Some(at) = self.tokens.iter().position(|t| secret::same(&t.token, token)) else {
            return Ok(None);
        };
        let Token { page, until, .. } = self.tokens.remove(at);
        if until <= now {
            return Ok(None);
        }
        let session =
            Session { cookie: secret::secret()?, page_secret: secret::secret()?, until: now + SESSION_LIFE };
        self.sessions.retain(|s| s.until > now);
        make_room(&mut self.sessions);
        self.sessions.push(session.clone());
        Ok(Some((page, session)))
    }

    pub(super) fn of_cookie(&self, cookie: &str, now: Instant) -> Option<&Session> {
        self.sessions.iter().find(|s| s.until > now && secret::same(&s.cookie, cookie))
    }
}

fn make_room<T>(list: &mut Vec<T>) {
    if list.len() >= MAX_OPEN {
        list.remove(0);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a starting point for times that are moved by hand")]
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_token_opens_once_and_soon() {
        let now = Instant::now();
        let mut sessions = Sessions::default();
        let token = sessions.issue(Page::Updates, now).unwrap();
        assert_eq!(token.len(), 32, "128 bits in hex");
        assert!(sessions.redeem("0", now).unwrap().is_none());
        let (page, session) = sessions.redeem(&token, now + Duration::from_secs(59)).unwrap().unwrap();
        assert_eq!(page, Page::Updates);
        assert_ne!(session.cookie, session.page_secret);
        assert!(sessions.redeem(&token, now).unwrap().is_none(), "used up");
        let late = sessions.issue(Page::Devices, now).unwrap();
        assert!(sessions.redeem(&late, now + TOKEN_LIFE).unwrap().is_none(), "too late");
        assert!(sessions.redeem(&late, now).unwrap().is_none(), "and gone");
    }

    #[test]
    fn sessions_end_and_are_few() {
        let now = Instant::now();
        let mut sessions = Sessions::default();
        let open = |sessions: &mut Sessions| {
            let token = sessions.issue(Page::Devices, now).unwrap();
            sessions.redeem(&token, now).unwrap().unwrap().1.cookie
        };
        let first = open(&mut sessions);
        assert!(sessions.of_cookie(&first, now).is_some());
        assert!(sessions.of_cookie(&first, now + SESSION_LIFE).is_none());
        for _ in 0..MAX_OPEN {
            open(&mut sessions);
        }
        assert!(sessions.of_cookie(&first, now).is_none());
        assert_eq!(sessions.sessions.len(), MAX_OPEN);
    }
}

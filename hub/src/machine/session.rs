//! Who speaks to the machine role: any number of user roles, each of a person whom the system named, one of them at the
//! seat. What each was told, so that it hears changes only.

use crate::protocol::{DeviceId, Offer, Problem, ResolvedGroup, TenantState, ToUser, Trouble};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// User roles at a time, and of one account: any user of the computer may connect.
const MOST: usize = 64;
const MOST_OF_ONE: usize = 8;
/// A user role says hello at once.
const HELLO_WAIT: Duration = Duration::from_secs(10);

/// One connection of a user role. No other has or had the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub u32);

/// Who is at the other end, as the system says; never what was said there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The uid, or SID.
    pub account: String,
    /// What `$user$` stands for in group rules, and what the tenant knows the person by.
    pub name: String,
}

/// Whose turn it is at the screen, as the system says. A session of the system is not needed to tell that, the account
/// is: one account has one user role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seat {
    /// The system does not say. Whoever came first has it.
    #[default]
    Unknown,
    /// Nobody is logged in there, or the screen is between two people.
    Empty,
    Of {
        account: String,
    },
}

/// Why a session is ended by the machine role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dismissal {
    /// It speaks another version, and was told so.
    OtherVersion,
    /// It did not begin with a hello, or with nothing at all.
    NoHello,
    TooMany,
}

/// What a user role was told last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) active: bool,
    pub(super) offers: Arc<Vec<Offer>>,
    pub(super) tenant: Arc<TenantState>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) groups: Arc<[ResolvedGroup]>,
    pub(super) groups_problem: Option<Problem>,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) peer: Peer,
    /// `None` before its hello: it is told nothing.
    pub(super) told: Option<Told>,
    came: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Sessions {
    all: BTreeMap<SessionId, Session>,
    seat: Seat,
    /// Accounts whose programs were sent away, as the log has it: one that comes again and again does not fill it.
    noted: BTreeSet<String>,
    /// Answers wait until what they answer for is told.
    answers: Vec<(SessionId, ToUser)>,
}

impl Sessions {
    pub(super) fn came(&mut self, session: SessionId, peer: Peer, now: Instant) -> Result<(), Dismissal> {
        let of_one = self.all.values().filter(|known| known.peer.account == peer.account).count();
        if self.all.len() >= MOST || of_one >= MOST_OF_ONE {
            return Err(Dismissal::TooMany);
        }
        self.all.insert(session, Session { peer, told: None, came: now });
        Ok(())
    }

    /// Whether the log has not heard of this account's misbehaviour yet. It hears of so many accounts at most.
    pub(super) fn is_news(&mut self, session: SessionId) -> bool {
        let Some(known) = self.all.get(&session) else { return false };
        self.noted.len() < MOST && self.noted.insert(known.peer.account.clone())
    }

    pub(super) fn gone(&mut self, session: SessionId) -> Option<Session> {
        self.answers.retain(|(to, _)| *to != session);
        self.all.remove(&session)
    }

    pub(super) fn set_seat(&mut self, seat: Seat) {
        self.seat = seat;
    }

    pub(super) fn get(&self, session: SessionId) -> Option<&Session> {
        self.all.get(&session)
    }

    pub(super) fn has(&self, user: &str) -> bool {
        self.greeted().any(|(_, known)| known.peer.name == user)
    }

    pub(super) fn greeted(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.all.iter().filter(|(_, known)| known.told.is_some()).map(|(id, known)| (*id, known))
    }

    pub(super) fn ids(&self) -> Vec<SessionId> {
        self.greeted().map(|(id, _)| id).collect()
    }

    /// The one whose calls light the headsets, and whose presses are.
    pub(super) fn active(&self) -> Option<SessionId> {
        let mut greeted = self.greeted();
        match &self.seat {
            Seat::Unknown => greeted.next(),
            Seat::Empty => None,
            Seat::Of { account } => greeted.find(|(_, known)| known.peer.account == *account),
        }
        .map(|(id, _)| id)
    }

    /// Who decides which firmware is offered: the person at the seat.
    pub(super) fn deciding(&self) -> Option<&str> {
        self.active().and_then(|id| self.get(id)).map(|known| known.peer.name.as_str())
    }

    pub(super) fn greet(&mut self, session: SessionId, told: Told) {
        if let Some(known) = self.all.get_mut(&session) {
            known.told = Some(told);
        }
    }

    /// What is different from what it was told before.
    pub(super) fn news(&mut self, session: SessionId, is: &Told) -> Vec<ToUser> {
        let Some(told) = self.all.get_mut(&session).and_then(|known| known.told.as_mut()) else {
            return Vec::new();
        };
        if told == is {
            return Vec::new();
        }
        let mut news = Vec::new();
        if told.active != is.active {
            news.push(ToUser::SeatChanged { active: is.active });
        }
        if told.tenant != is.tenant {
            news.push(ToUser::TenantChanged { tenant: TenantState::clone(&is.tenant) });
        }
        if (&told.groups, &told.groups_problem) != (&is.groups, &is.groups_problem) {
            let (groups, problem) = (is.groups.to_vec(), is.groups_problem.clone());
            news.push(ToUser::GroupsChanged { groups, problem });
        }
        if told.offers != is.offers {
            news.push(ToUser::OffersChanged { offers: is.offers.to_vec() });
        }
        if told.troubles != is.troubles {
            news.push(ToUser::TroublesChanged { troubles: is.troubles.clone() });
        }
        told.clone_from(is);
        news
    }

    pub(super) fn answer(&mut self, to: SessionId, request: u64, problem: Option<Problem>) {
        self.answers.push((to, ToUser::Answer { request, problem }));
    }

    pub(super) fn take_answers(&mut self) -> Vec<(SessionId, ToUser)> {
        std::mem::take(&mut self.answers)
    }

    /// When the one that said nothing for longest is dismissed.
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let silent = self.all.values().filter(|known| known.told.is_none()).map(|known| known.came);
        silent.min().map(|came| (came + HELLO_WAIT, "dismiss a user role that says nothing"))
    }

    pub(super) fn silent(&self, now: Instant) -> Vec<SessionId> {
        let silent = |known: &Session| known.told.is_none() && known.came + HELLO_WAIT <= now;
        self.all.iter().filter(|(_, known)| silent(known)).map(|(id, _)| *id).collect()
    }
}

/// Whom news of the machine's rooms concern: what is pressed only whoever is at the seat.
pub(super) fn address(out: &mut VecDeque<super::Output>, all: &[SessionId], active: Option<SessionId>) {
    use super::Output;
    out.retain_mut(|output| match output {
        Output::ToUser { to, message } if to.is_empty() => {
            match message {
                ToUser::DeviceEvent { .. } | ToUser::UpdateAsks { .. } => to.extend(active),
                _ => to.extend_from_slice(all),
            }
            !to.is_empty()
        }
        _ => true,
    });
}

/// Devices that the fleet does not tell of.
pub(super) type Stranded = BTreeMap<DeviceId, crate::protocol::Device>;

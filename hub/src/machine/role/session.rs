//! What user roles say, what they are told, and who of them is heard.

use super::*;
use crate::machine::people::News;
use crate::machine::session::{Dismissal, Peer, Seat, SessionId, Told, address};
use crate::problem::Reason;

/// What is told to user roles beside news: as long as it is the same, they know all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ToldFrom {
    offers: Revision,
    tenant: Revision,
    people: Revision,
    out_of_order: Revision,
    at_seat: Option<SessionId>,
}

impl MachineRole {
    pub(super) fn user_came(&mut self, session: SessionId, peer: Peer, now: Now) {
        self.user_gone(session, now);
        if let Err(why) = self.sessions.came(session, peer, now.instant) {
            self.out.push_back(Output::Dismiss { session, why });
        }
    }

    /// Whether it left or was sent away: its lights go out, and nobody is owed an answer.
    pub(super) fn user_gone(&mut self, session: SessionId, now: Now) {
        let Some(gone) = self.sessions.gone(session) else { return };
        self.poll_asked.retain(|(who, _)| *who != session);
        if !self.sessions.has(&gone.peer.name) {
            self.people.gone(&gone.peer.name);
        }
        self.look_at_seat(now);
    }

    fn dismiss(&mut self, session: SessionId, why: Dismissal, now: Now) {
        if self.sessions.is_news(session) {
            tracing::warn!(?session, ?why, "a user role is sent away; said once for each account");
        }
        self.user_gone(session, now);
        self.out.push_back(Output::Dismiss { session, why });
    }

    pub(super) fn dismiss_silent(&mut self, now: Now) {
        for session in self.sessions.silent(now.instant) {
            self.dismiss(session, Dismissal::NoHello, now);
        }
    }

    pub(super) fn seat_changed(&mut self, seat: Seat, now: Now) {
        self.sessions.set_seat(seat);
        self.look_at_seat(now);
    }

    /// The lights are of whoever had the seat: they go out, and the next one asks for its own.
    fn look_at_seat(&mut self, now: Now) {
        let active = self.sessions.active();
        if active != self.at_seat {
            self.at_seat = active;
            if let Some(session) = active {
                self.seat_is_of(session);
            }
            self.deployments.another_person(now);
            self.fleet.all_dark(now.instant, &mut self.out);
        }
    }

    pub(super) fn handle_user(&mut self, from: SessionId, message: ToMachine, now: Now) {
        // What a session says that was sent away is said to nobody.
        let Some(session) = self.sessions.get(from) else { return };
        let greeted = session.told.is_some();
        match message {
            ToMachine::Hello { protocol } if protocol == PROTOCOL_VERSION => self.greet(from, now),
            ToMachine::Hello { protocol } => {
                // Neither would understand all that the other says, and what is misread may be an order.
                tracing::debug!(
                    protocol,
                    ours = PROTOCOL_VERSION,
                    "a user role of another version is refused"
                );
                self.tell(from, ToUser::Refused { protocol: PROTOCOL_VERSION });
                self.dismiss(from, Dismissal::OtherVersion, now);
            }
            _ if !greeted => self.dismiss(from, Dismissal::NoHello, now),
            ToMachine::SetIndicators { device, indicators } => {
                if self.at_seat == Some(from) {
                    self.fleet.set_indicators(&device, indicators, now.instant, &mut self.out);
                }
            }
            ToMachine::InstallUpdate { request, offer } => {
                let done = self.of_seat(from).and_then(|()| self.install(&offer, from, now));
                self.sessions.answer(from, request, done.err());
            }
            ToMachine::DeferUpdate { request, offer } => {
                let done = self.of_seat(from).and_then(|()| self.defer(&offer, now));
                self.sessions.answer(from, request, done.err());
            }
            ToMachine::CancelUpdate { request, offer, anyway } => {
                let done = self.of_seat(from).and_then(|()| self.cancel(offer.as_deref(), anyway, now));
                self.sessions.answer(from, request, done.err());
            }
            ToMachine::Poll { request } => self.asked_to_poll(from, request, now),
        }
    }

    fn greet(&mut self, from: SessionId, now: Now) {
        let Some(name) = self.sessions.get(from).map(|known| known.peer.name.clone()) else { return };
        // What is not told yet is no news to this one.
        self.tell_stranded();
        let others = self.sessions.ids();
        address(&mut self.out, &others, self.at_seat);
        let known = self.groups.get(&name).cloned().unwrap_or_default();
        if self.people.came(&name, &known) {
            self.owe_known_user(&name, now);
        }
        self.sessions.greet(from, Told::default());
        self.look_at_seat(now);
        // What changes by its coming is in its hello.
        address(&mut self.out, &others, self.at_seat);
        let (told, state) = self.state(from);
        self.sessions.greet(from, told);
        self.tell(from, ToUser::Hello(Box::new(state)));
    }

    /// What is done to the headsets is done by whoever is with them.
    fn of_seat(&self, from: SessionId) -> Result<(), Problem> {
        if self.at_seat == Some(from) {
            return Ok(());
        }
        Err(Reason::NotAtTheSeat.here())
    }

    fn tell(&mut self, to: SessionId, message: ToUser) {
        self.out.push_back(Output::ToUser { to: vec![to], message });
    }

    /// What each user role does not know yet.
    pub(super) fn tell_users(&mut self) {
        address(&mut self.out, &self.sessions.ids(), self.at_seat);
        let everybody = self.told_everybody();
        let from = ToldFrom {
            offers: self.work.plan.revision(),
            tenant: self.work.tenant.revision(),
            people: self.people.revision(),
            out_of_order: self.out_of_order.revision(),
            at_seat: self.at_seat,
        };
        if self.work.told.is_due(from) {
            for session in self.sessions.ids() {
                let is = self.told(session, everybody.clone());
                for message in self.sessions.news(session, &is) {
                    self.tell(session, message);
                }
            }
        }
        for (to, answer) in self.sessions.take_answers() {
            self.tell(to, answer);
        }
    }

    fn told_everybody(&mut self) -> Told {
        let (offers, tenant) = (self.offers(), self.tenant_state());
        Told { offers, tenant, troubles: self.parts_out_of_order(), ..Told::default() }
    }

    pub(super) fn parts_out_of_order(&self) -> Vec<Trouble> {
        let trouble = |(function, problem): (&Function, &Problem)| Trouble {
            function: *function,
            problem: problem.clone(),
        };
        self.out_of_order.iter().map(trouble).collect()
    }

    pub(super) fn told(&self, session: SessionId, everybody: Told) -> Told {
        let name = self.sessions.get(session).map_or("", |known| known.peer.name.as_str());
        let (groups, problem) = self.people.groups(name);
        Told { active: self.at_seat == Some(session), groups, groups_problem: problem.cloned(), ..everybody }
    }

    /// All that this user role is told at its hello.
    pub(super) fn state(&mut self, session: SessionId) -> (Told, State) {
        let everybody = self.told_everybody();
        self.state_of(session, everybody)
    }

    pub(super) fn state_of(&self, session: SessionId, everybody: Told) -> (Told, State) {
        let mut devices: Vec<Device> =
            self.fleet.devices().cloned().chain(self.stranded().into_values()).collect();
        devices.sort_by(|a, b| a.id.cmp(&b.id));
        let told = self.told(session, everybody);
        let state = State {
            protocol: PROTOCOL_VERSION,
            user: self.sessions.get(session).map(|known| known.peer.name.clone()).unwrap_or_default(),
            active: told.active,
            devices,
            offers: told.offers.to_vec(),
            job: self.update.job().cloned(),
            queue: self.queued(),
            history: self.history.clone().into(),
            tenant: TenantState::clone(&told.tenant),
            groups: told.groups.to_vec(),
            groups_problem: told.groups_problem.clone(),
            troubles: told.troubles.clone(),
        };
        (told, state)
    }

    /// By whose groups firmware is offered: those of the person at the seat; with nobody there, of everybody.
    pub(super) fn deciding(&self) -> Arc<[ResolvedGroup]> {
        match self.sessions.deciding() {
            Some(user) => self.people.groups(user).0,
            None => Arc::new([crate::machine::people::identity::everyone()]),
        }
    }

    /// Everybody's groups, when the policy or the tenant's word on them changed.
    pub(super) fn look_at_people(&mut self, now: Now) {
        let Some(policy) = &*self.policy else { return };
        if !self.work.people.is_due((self.policy.revision(), self.people.revision())) {
            return;
        }
        for news in self.people.look(policy, self.tenancy.can_report()) {
            self.people_news(news, now);
        }
    }

    pub(super) fn people_news(&mut self, news: News, now: Now) {
        match news {
            News::Ask { user, rules } => self.out.push_back(Output::AskDirectory { user, rules }),
            News::Resolved { user, groups } => {
                if let Some(problem) = self.people.groups(&user).1 {
                    tracing::warn!(%problem, "groups are those last known");
                }
                if self.groups.get(&user).is_none_or(|known| **known != *groups) {
                    let (user, groups) = (user.clone(), groups.to_vec());
                    self.out.push_back(Output::Persist(Record::Groups { user, groups }));
                }
                self.owe_user(&user, &groups, now);
                self.groups.insert(user, groups.to_vec());
            }
        }
    }
}

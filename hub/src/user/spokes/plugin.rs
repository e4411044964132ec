//! Plugins: what the old hub calls a softphone that registered under a name. Its calls by the ids that it gave them, and
//! what it has not fetched of what happened to them.
//!
//! Names belong to the softphone that uses them: two web pages may choose the same one and do not meet. Tabs of one page
//! that choose the same one share the plugin, its calls and its events.
//!
//! Nobody says goodbye for sure. A plugin that fetched events once and does not come back within its grace is gone, and
//! a plugin that is asked for by name is there again.

use super::super::sdk::{CallChange, Cause, Change};
use crate::protocol::client::ClientId;
use crate::protocol::local::{CallState, Direction};
use serde::Serialize;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Plugins of one softphone.
pub const MOST_PLUGINS: usize = 16;
/// Plugins of all softphones together.
pub const MOST_PLUGINS_OF_ALL: usize = 512;
/// Of all programs together, which have as many names as copies of themselves: the rest is for pages.
pub const MOST_PLUGINS_OF_PROGRAMS: usize = 256;
/// Events that a plugin may leave unread; the oldest goes.
pub const MOST_EVENTS: usize = 64;
/// Events that are older say nothing that is still true.
pub const EVENT_LIFE: Duration = Duration::from_secs(300);
/// A program comes back every ten seconds at the least.
pub const GRACE_OF_PROGRAM: Duration = Duration::from_secs(30);
/// A page that nobody looks at is woken once a minute by its browser.
pub const GRACE_OF_PAGE: Duration = Duration::from_secs(150);

/// What happened to a call, in the numbers that all clients know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    AcceptCall = 1,
    TerminateCall = 2,
    HoldCall = 3,
    ResumeCall = 4,
    CallInProgress = 6,
    CallRinging = 7,
    CallEnded = 8,
    Mute = 11,
    Unmute = 12,
    CallIdle = 18,
    RejectCall = 23,
}

/// One event as it is sent. Every one has a `CallId`: a client gives up the whole answer where one has none.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CallEvent {
    action: u8,
    call_id: EventCallId,
    call_source: String,
    device_event: u8,
    dialed_key: u8,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EventCallId {
    conference_id: u64,
    // Not the last one: a client reads it up to the next comma.
    id: u64,
    in_conference: bool,
}

/// A call of a plugin.
#[derive(Debug)]
struct Known {
    /// As the softphone names it.
    id: u64,
    /// As the agent does.
    call: u64,
    /// From before the softphone began anew under the name: it may not know of it any more.
    old: bool,
}

#[derive(Debug)]
struct Plugin {
    client: ClientId,
    name: String,
    /// A UUID for who lists calls.
    session: String,
    calls: Vec<Known>,
    events: VecDeque<(Instant, Action, u64)>,
    /// It fetches events, and so is missed when it does not.
    listens: bool,
    last: Instant,
    /// Whether its person wants to be heard, in whichever of its calls: it mutes itself, and names no call.
    muted: bool,
    /// As it was told, or has said.
    told_muted: bool,
    /// It did not come back, and does not know yet that its calls have ended.
    gone: bool,
}

/// What a plugin is known by.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    pub client: &'a ClientId,
    pub name: &'a str,
}

/// Whose a call is, in the words of the old hub.
#[derive(Debug, PartialEq)]
pub struct Owner<'a> {
    pub name: &'a str,
    pub session: &'a str,
    pub id: u64,
}

#[derive(Debug, Default)]
pub struct Plugins(Vec<Plugin>);

impl Plugins {
    fn at(&self, of: Name<'_>) -> Option<usize> {
        self.0.iter().position(|p| p.client == *of.client && p.name == of.name)
    }

    /// Makes the plugin known; `None` = there is no room for it. `fresh`: 32 random hex digits.
    fn enter(&mut self, of: Name<'_>, fresh: &str, now: Instant) -> Option<&mut Plugin> {
        let at = match self.at(of) {
            Some(at) => at,
            None => {
                self.make_room(of.client)?;
                let (client, name) = (of.client.clone(), of.name.to_owned());
                let (session, calls, events) = (uuid(fresh), Vec::new(), VecDeque::new());
                self.0.push(Plugin {
                    client,
                    name,
                    session,
                    calls,
                    events,
                    listens: false,
                    last: now,
                    muted: false,
                    told_muted: false,
                    gone: false,
                });
                self.0.len() - 1
            }
        };
        let plugin = &mut self.0[at];
        plugin.last = now;
        plugin.gone = false;
        Some(plugin)
    }

    /// What has no call gives way, whoever was silent longest first.
    fn make_room(&mut self, client: &ClientId) -> Option<()> {
        let is_own = |p: &Plugin| p.client == *client;
        let is_program = |p: &Plugin| !p.client.is_page();
        let count = |which: &dyn Fn(&Plugin) -> bool| self.0.iter().filter(|p| which(p)).count();
        let full: Option<&dyn Fn(&Plugin) -> bool> = if count(&is_own) >= MOST_PLUGINS {
            Some(&is_own)
        } else if !client.is_page() && count(&is_program) >= MOST_PLUGINS_OF_PROGRAMS {
            Some(&is_program)
        } else if self.0.len() >= MOST_PLUGINS_OF_ALL {
            Some(&|_| true)
        } else {
            None
        };
        let Some(gives_way) = full else { return Some(()) };
        let silent = |(_, p): &(usize, &Plugin)| p.calls.is_empty() && gives_way(p);
        let (at, _) = self.0.iter().enumerate().filter(silent).min_by_key(|(_, p)| p.last)?;
        self.0.remove(at);
        Some(())
    }

    /// Whether it is known now; `None` = there is no room for it.
    pub fn knows(&mut self, of: Name<'_>, fresh: &str, now: Instant) -> Option<()> {
        self.enter(of, fresh, now).map(|_| ())
    }

    /// `Some(false)` = it was known before, and begins anew under the name.
    pub fn register(&mut self, of: Name<'_>, fresh: &str, now: Instant) -> Option<bool> {
        let is_new = self.at(of).is_none_or(|at| self.0[at].gone);
        let plugin = self.enter(of, fresh, now)?;
        if is_new {
            // Whoever begins anew has no calls to hear of.
            plugin.events.clear();
            plugin.tell(now, Action::CallIdle, 0);
        } else {
            plugin.calls.iter_mut().for_each(|call| call.old = true);
        }
        Some(is_new)
    }

    /// Forgets it. What is given are the calls that it had, by the agent's ids; `None` = it was not known.
    pub fn unregister(&mut self, of: Name<'_>) -> Option<Vec<u64>> {
        let at = self.at(of)?;
        Some(self.0.remove(at).calls.iter().map(|known| known.call).collect())
    }

    /// It asked for something that says nothing of it but that it is there.
    pub fn touch(&mut self, of: Name<'_>, now: Instant) {
        if let Some(at) = self.at(of) {
            self.0[at].last = now;
        }
    }

    /// The call that it names so. Whoever acts on a call knows of it.
    pub fn call(&mut self, of: Name<'_>, id: u64) -> Option<u64> {
        let at = self.at(of)?;
        let known = self.0[at].calls.iter_mut().find(|known| known.id == id)?;
        known.old = false;
        Some(known.call)
    }

    /// A call of this id that it has, and whether that may be one it does not know of any more.
    pub fn present(&self, of: Name<'_>, id: u64) -> Option<(u64, bool)> {
        let known = self.0[self.at(of)?].calls.iter().find(|known| known.id == id)?;
        Some((known.call, known.old))
    }

    pub fn began(&mut self, of: Name<'_>, id: u64, call: u64) {
        if let Some(at) = self.at(of) {
            self.0[at].calls.push(Known { id, call, old: false });
        }
    }

    /// Its person is not to be heard, or is again; nothing where it has no call.
    pub fn mute(&mut self, of: Name<'_>, muted: bool) {
        if let Some(at) = self.at(of).filter(|at| !self.0[*at].calls.is_empty()) {
            self.0[at].muted = muted;
        }
    }

    /// Calls by the agent's ids, and whether their person is to be heard in them.
    pub fn mutes(&self) -> impl Iterator<Item = (&ClientId, u64, bool)> {
        self.0.iter().flat_map(|p| p.calls.iter().map(|known| (&p.client, known.call, p.muted)))
    }

    pub fn owner(&self, call: u64) -> Option<Owner<'_>> {
        self.0.iter().find_map(|plugin| {
            let known = plugin.calls.iter().find(|known| known.call == call)?;
            Some(Owner { name: &plugin.name, session: &plugin.session, id: known.id })
        })
    }

    /// Names of the plugins of a page; a program learns those of all.
    pub fn names(&self, client: &ClientId) -> Vec<&str> {
        let seen = |p: &&Plugin| !p.gone && (!client.is_page() || p.client == *client);
        self.0.iter().filter(seen).map(|p| p.name.as_str()).collect()
    }

    /// Its events that were not fetched before.
    pub fn take_events(&mut self, of: Name<'_>, fresh: &str, now: Instant) -> Option<Vec<CallEvent>> {
        let plugin = self.enter(of, fresh, now)?;
        plugin.listens = true;
        let events = std::mem::take(&mut plugin.events);
        let young = events.into_iter().filter(|(at, ..)| now < *at + EVENT_LIFE);
        Some(young.map(|(_, action, id)| plugin.event(action, id)).collect())
    }

    /// What one input did to calls, in its order.
    pub fn hear(&mut self, changes: &[Change], now: Instant) {
        for change in changes {
            let Change::Call { call, what, cause } = change else { continue };
            let Some(at) = self.0.iter().position(|p| p.calls.iter().any(|k| k.call == call.id)) else {
                continue;
            };
            let by_another = *cause == Cause::Softphone && *what == CallChange::Held && {
                let own = |id| self.0[at].calls.iter().any(|known| known.call == id);
                takes_over(changes).is_some_and(|id| !own(id))
            };
            let plugin = &mut self.0[at];
            let Some(id) = plugin.calls.iter().find(|k| k.call == call.id).map(|k| k.id) else { continue };
            let told = match what {
                CallChange::Muted | CallChange::Unmuted => {
                    plugin.muted = *what == CallChange::Muted;
                    std::mem::replace(&mut plugin.told_muted, plugin.muted) == plugin.muted
                }
                _ => false,
            };
            for action in actions(*what, *cause, call.direction, by_another).iter().filter(|_| !told) {
                plugin.tell(now, *action, id);
            }
            if call.state == CallState::Ended {
                plugin.calls.retain(|known| known.call != call.id);
                if plugin.calls.is_empty() {
                    plugin.tell(now, Action::CallIdle, id);
                    (plugin.muted, plugin.told_muted) = (false, false);
                }
            }
        }
    }

    /// Those that did not come back. What is given are their calls, of whose end they hear if they do.
    pub fn gone(&mut self, now: Instant) -> Vec<u64> {
        let missed = |p: &Plugin| p.misses_at().is_some_and(|at| at <= now);
        self.0.retain(|p| !(missed(p) && p.calls.is_empty()));
        let mut calls = Vec::new();
        for plugin in self.0.iter_mut().filter(|p| missed(p)) {
            (plugin.listens, plugin.gone) = (false, true);
            calls.extend(plugin.calls.iter().map(|known| known.call));
        }
        calls
    }

    /// Forgets those of softphones that are not welcome any more; their calls end otherwise.
    pub fn dismiss(&mut self, welcome: impl Fn(&ClientId) -> bool) {
        self.0.retain(|plugin| welcome(&plugin.client));
    }

    /// Whether one of its plugins fetches events.
    pub fn is_here(&self, client: &ClientId) -> bool {
        self.0.iter().any(|p| p.listens && p.client == *client)
    }

    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let next = self.0.iter().filter_map(Plugin::misses_at).min();
        next.map(|at| (at, "a softphone of the old hub may come back"))
    }
}

impl Plugin {
    fn tell(&mut self, now: Instant, action: Action, id: u64) {
        if self.events.len() == MOST_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back((now, action, id));
    }

    fn event(&self, action: Action, id: u64) -> CallEvent {
        CallEvent {
            action: action as u8,
            call_id: EventCallId { conference_id: 0, id, in_conference: false },
            call_source: self.name.clone(),
            device_event: 0,
            dialed_key: 0,
        }
    }

    fn misses_at(&self) -> Option<Instant> {
        let grace = if self.client.is_page() { GRACE_OF_PAGE } else { GRACE_OF_PROGRAM };
        self.listens.then(|| self.last + grace)
    }
}

/// The call that became the one a softphone is busy with, where that held another.
fn takes_over(changes: &[Change]) -> Option<u64> {
    changes.iter().find_map(|change| match change {
        Change::Call { call, what: CallChange::Answered | CallChange::Resumed, .. } => Some(call.id),
        Change::Call { call, what: CallChange::Ringing, .. } if call.direction == Direction::Outgoing => {
            Some(call.id)
        }
        _ => None,
    })
}

/// What the softphone is told: what the person did at the headset, and that what it asked for is so.
fn actions(what: CallChange, cause: Cause, direction: Direction, by_another: bool) -> &'static [Action] {
    let by_device = cause == Cause::Device;
    match what {
        CallChange::Ringing if direction == Direction::Incoming => &[Action::CallRinging],
        // An outgoing call is in progress from its first moment on, and said to be so once.
        CallChange::Ringing => &[],
        CallChange::Answered if by_device => &[Action::AcceptCall, Action::CallInProgress],
        CallChange::Answered => &[Action::CallInProgress],
        CallChange::Held if by_device || by_another => &[Action::HoldCall],
        // The softphone did it, and knows.
        CallChange::Held => &[],
        CallChange::Resumed if by_device => &[Action::ResumeCall, Action::CallInProgress],
        CallChange::Resumed => &[Action::CallInProgress],
        CallChange::Muted => &[Action::Mute],
        CallChange::Unmuted => &[Action::Unmute],
        CallChange::Rejected => &[Action::RejectCall, Action::CallEnded],
        CallChange::Ended if by_device => &[Action::TerminateCall, Action::CallEnded],
        CallChange::Ended => &[Action::CallEnded],
    }
}

fn uuid(hex: &str) -> String {
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

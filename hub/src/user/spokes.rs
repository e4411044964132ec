//! What softphones written for the Plantronics Hub ask, and what comes of it: their plugins and calls are calls of the
//! agent like all others, so that a press at the headset takes effect at once whoever owns the call.
//!
//! What is already so succeeds, and so does what concerns a call that ended: these softphones send all of it again, and
//! take an error for the end of the headset. Only beginning a call can fail.

use super::{CallAction, Refusal, UserRole, WhyNot};
use crate::protocol::Indicators;
use crate::protocol::client::ClientId;
use crate::protocol::local::{Call, CallState, Direction, MAX_LABEL};
use envelope::{Envelope, Error, Kind};
use plugin::{Name, Plugins};
use request::{Asks, CallId, OfPlugin, OfSession};
use serde::Serialize;
use session::{ALL_QUEUES, Sessions};
use std::collections::BTreeMap;
use std::time::Instant;

pub mod envelope;
pub mod plugin;
pub mod request;
pub mod session;

pub use request::Request;

/// All that is kept for these softphones.
#[derive(Debug, Default)]
pub(super) struct Spokes {
    plugins: Plugins,
    sessions: Sessions,
    /// The plugin that each softphone wants to be the one to dial with.
    default: BTreeMap<ClientId, String>,
    /// What inputs did to calls and plugins were not told yet, one after the other.
    unheard: Vec<Vec<super::Change>>,
    /// The headset that sessions are with.
    headset: Option<crate::protocol::DeviceId>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    pub client: ClientId,
    /// What it calls itself elsewhere than in its request.
    pub label: Option<String>,
    /// 32 hex digits by chance, new for each request.
    pub fresh: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ManagerState<'a> {
    call_on_hold: usize,
    calls: Vec<ListedCall<'a>>,
    has_active_call: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListedCall<'a> {
    call_id: u64,
    is_active: bool,
    session_id: &'a str,
    source: &'a str,
}

/// A call that is not one of the old hub's has no session.
const NO_SESSION: &str = "00000000-0000-0000-0000-000000000000";

impl Spokes {
    pub(super) fn changed(&mut self, changes: &[super::Change]) {
        if !changes.is_empty() {
            self.unheard.push(changes.to_vec());
        }
    }

    pub(super) fn pressed(&mut self, event: crate::protocol::DeviceEvent, now: Instant) {
        self.sessions.pressed(event, now);
    }

    pub(super) fn is_here(&self, client: &ClientId) -> bool {
        self.plugins.is_here(client)
    }

    /// Whether a call was begun here, where softphones have a grace of their own.
    pub(super) fn owns(&self, call: &Call) -> bool {
        self.plugins.owner(call.id).is_some()
    }

    pub(super) fn dismiss(&mut self, welcome: impl Fn(&ClientId) -> bool) {
        self.plugins.dismiss(&welcome);
        self.sessions.dismiss(&welcome);
        self.default.retain(|client, _| welcome(client));
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.plugins.poll_timeout()
    }

    fn of_session(&mut self, client: &ClientId, hash: &str, asks: OfSession, now: Instant) -> String {
        if hash.is_empty() {
            return Error::EmptySession.json();
        }
        if asks == OfSession::Release {
            return match self.sessions.release(client, hash) {
                true => yes("Release"),
                false => Error::InvalidSession.json(),
            };
        }
        let Some(session) = self.sessions.of(client, hash) else { return Error::InvalidSession.json() };
        let (registry, number) =
            (session.registry(), |what, number: u32| Envelope::new(what, Kind::Integer, number).json());
        match asks {
            OfSession::Release => yes("Release"),
            OfSession::Events { queues } => {
                Envelope::new("Events", Kind::DeviceEventArray, session.take(queues, now)).json()
            }
            OfSession::GetRegistry => number("Get Registry", registry),
            OfSession::SetRegistry { queues } => number("Set Registry", session.set_registry(queues)),
            OfSession::AddRegistry { queues } => {
                number("Add Registry", session.set_registry(registry | queues))
            }
            OfSession::RemoveRegistry { queues } => {
                number("Remove Registry", session.set_registry(registry & !queues))
            }
            OfSession::Ttl { queues, ms } => number("TTL", session.ttl(queues & ALL_QUEUES, ms)),
            OfSession::MaxCount { queues, count } => {
                number("Max Count", session.max_count(queues & ALL_QUEUES, count))
            }
        }
    }
}

impl UserRole {
    /// The answer, as JSON. [`Asks::Info`] is answered by who knows what the asker may read of the headset.
    pub(super) fn spokes(&mut self, asker: &Asker, asks: Asks, now: Instant) -> String {
        match asks {
            Asks::Info => Error::NoDevice.json(),
            Asks::Attach if self.view.headset.is_none() => Error::NoDevice.json(),
            Asks::Attach => {
                self.spokes.sessions.attach(&asker.client, asker.fresh.clone());
                Envelope::new("Attach", Kind::SessionHash, &asker.fresh).json()
            }
            Asks::OfSession(hash, asks) => self.spokes.of_session(&asker.client, &hash, asks, now),
            Asks::OfPlugin(name, _) if name.is_empty() => Error::InvalidPlugin.json(),
            Asks::OfPlugin(name, asks) => {
                let answer = self.of_plugin(asker, &name, asks, now);
                answer.unwrap_or_else(Error::json)
            }
            Asks::PluginList => {
                let names = self.spokes.plugins.names(&asker.client);
                Envelope::new("Plugin List", Kind::StringArray, names).json()
            }
            Asks::CallManagerState => self.call_manager_state(&asker.client),
            Asks::GetDefaultSoftPhone => {
                let name = self.spokes.default.get(&asker.client).map_or("", String::as_str);
                Envelope::new("getDefaultSoftphone", Kind::String, name).json()
            }
            Asks::Nothing(why) => Error::Exception(why).json(),
        }
    }

    fn of_plugin(
        &mut self,
        asker: &Asker,
        name: &str,
        asks: OfPlugin,
        now: Instant,
    ) -> Result<String, Error> {
        let of = Name { client: &asker.client, name };
        let plugins = &mut self.spokes.plugins;
        let no_room = || Error::TooManyPlugins;
        plugins.touch(of, now);
        Ok(match asks {
            OfPlugin::Register => {
                let is_new = plugins.register(of, &asker.fresh, now).ok_or_else(no_room)?;
                if !is_new {
                    return Err(Error::PluginExists);
                }
                yes("Register")
            }
            OfPlugin::UnRegister => {
                let calls = plugins.unregister(of).ok_or(Error::InvalidPlugin)?;
                if self.spokes.default.get(of.client).is_some_and(|default| default == of.name) {
                    self.spokes.default.remove(of.client);
                }
                self.act_all(of.client, &calls, CallAction::End);
                yes("UnRegister")
            }
            OfPlugin::IsActive => {
                plugins.knows(of, &asker.fresh, now).ok_or_else(no_room)?;
                yes("Is Active")
            }
            OfPlugin::SetDefaultSoftPhone => {
                plugins.knows(of, &asker.fresh, now).ok_or_else(no_room)?;
                self.spokes.default.insert(of.client.clone(), of.name.to_owned());
                yes("setDefaultSoftphone")
            }
            OfPlugin::CallEvents => {
                let events = plugins.take_events(of, &asker.fresh, now).ok_or_else(no_room)?;
                Envelope::new("CallEvents", Kind::CallStateArray, events).json()
            }
            // No headset whose reports are read here has keys to dial with.
            OfPlugin::CallRequests => Envelope::new("Call Requests", Kind::ContactArray, [(); 0]).json(),
            OfPlugin::IncomingCall { call, contact } => {
                plugins.knows(of, &asker.fresh, now).ok_or_else(no_room)?;
                self.begin(asker, of, call, Direction::Incoming, contact)?;
                yes("Incoming Call")
            }
            OfPlugin::OutgoingCall { call, contact } => {
                plugins.knows(of, &asker.fresh, now).ok_or_else(no_room)?;
                self.begin(asker, of, call, Direction::Outgoing, contact)?;
                yes("Outgoing Call")
            }
            OfPlugin::AnswerCall(call) => self.act_on(of, call, CallAction::Answer, "Answered Call")?,
            OfPlugin::TerminateCall(call) => self.act_on(of, call, CallAction::End, "Terminate Call")?,
            OfPlugin::HoldCall(call) => self.act_on(of, call, CallAction::Hold, "Hold Call")?,
            OfPlugin::ResumeCall(call) => self.act_on(of, call, CallAction::Resume, "Resume Call")?,
            OfPlugin::MuteCall { muted: None } => {
                return Err(Error::Exception("muted is true or false".to_owned()));
            }
            OfPlugin::MuteCall { muted: Some(muted) } => {
                plugins.mute(of, muted);
                self.level_mutes();
                yes("Mute Call")
            }
        })
    }

    fn begin(
        &mut self,
        asker: &Asker,
        of: Name<'_>,
        id: CallId,
        direction: Direction,
        contact: Option<String>,
    ) -> Result<(), Error> {
        let CallId::Number(id) = id else { return Err(no_call_id()) };
        if let Some((before, old)) = self.spokes.plugins.present(of, id) {
            let same = |call: &Call| call.id == before && call.direction == direction;
            if !old && self.calls.all().iter().any(same) {
                // Asked for twice.
                return Ok(());
            }
            self.act_all(of.client, &[before], CallAction::End);
        }
        let label = label_of(of).or_else(|| asker.label.clone());
        let mut changes = Vec::new();
        let created = self.calls.create((of.client.clone(), label), direction, contact, false, &mut changes);
        let call = created.map_err(|refusal| exception(&refusal))?.id;
        self.spokes.plugins.began(of, id, call);
        if direction == Direction::Outgoing {
            // The old hub knows no dialling: who is called from here is spoken to at once.
            let answered = self.calls.act(of.client, call, CallAction::Answer, &mut changes);
            answered.map_err(|refusal| exception(&refusal))?;
        }
        self.publish(changes);
        Ok(())
    }

    fn act_on(
        &mut self,
        of: Name<'_>,
        id: CallId,
        action: CallAction,
        description: &'static str,
    ) -> Result<String, Error> {
        let call = match id {
            CallId::Missing => return Err(no_call_id()),
            CallId::Unknown => None,
            CallId::Number(id) => self.spokes.plugins.call(of, id),
        };
        if let Some(call) = call {
            let mut changes = Vec::new();
            let acted = self.calls.act(of.client, call, action, &mut changes);
            self.publish(changes);
            match acted {
                // It comes late: the person has gone on since.
                Err(refusal) if refusal.why == WhyNot::WrongCallState => {}
                acted => _ = acted.map_err(|refusal| exception(&refusal))?,
            }
        }
        Ok(yes(description))
    }

    /// To calls of this softphone, to which it can be done.
    fn act_all(&mut self, client: &ClientId, calls: &[u64], action: CallAction) {
        let mut changes = Vec::new();
        for call in calls {
            let acted = self.calls.act(client, *call, action, &mut changes);
            debug_assert!(acted.is_ok(), "{acted:?}");
        }
        self.publish(changes);
    }

    /// What a softphone says of its microphone is said of all its calls, also of one that is answered later.
    fn level_mutes(&mut self) {
        let wished = |call: &Call| {
            let mut mutes = self.spokes.plugins.mutes();
            mutes.find_map(|(client, id, muted)| (id == call.id).then(|| (client.clone(), muted)))
        };
        let rings = |call: &Call| call.state == CallState::Ringing && call.direction == Direction::Incoming;
        let others = self.calls.all().iter().filter(|call| !rings(call)).filter_map(|call| {
            let (client, muted) = wished(call)?;
            (call.muted != muted).then_some((client, call.id, muted))
        });
        let others: Vec<(ClientId, u64, bool)> = others.collect();
        for (client, call, muted) in others {
            self.act_all(&client, &[call], if muted { CallAction::Mute } else { CallAction::Unmute });
        }
    }

    /// What inputs did to calls is heard, and what follows from that for the lights.
    pub(super) fn hear_spokes(&mut self, now: Instant) {
        // What the second round brings is what the first one asked for.
        for _ in 0..2 {
            for changes in std::mem::take(&mut self.spokes.unheard) {
                self.spokes.plugins.hear(&changes, now);
            }
            self.level_mutes();
        }
    }

    fn call_manager_state(&self, client: &ClientId) -> String {
        let all = self.calls.all();
        let taken: Vec<u64> =
            all.iter().filter_map(|c| self.spokes.plugins.owner(c.id)).map(|o| o.id).collect();
        // Clients read numbers of 32 bits: those of this list that nobody gave are small, and no other call's.
        let mut free = (1..).filter(|id| !taken.contains(id));
        let listed = all.iter().map(|call| {
            let owner = self.spokes.plugins.owner(call.id);
            // A page learns of other softphones only that they have calls.
            let hidden = client.is_page() && call.client != *client;
            let is_active = call.state == CallState::Answered;
            match owner {
                Some(owner) if !hidden => {
                    let (session_id, source) = (owner.session, owner.name);
                    ListedCall { call_id: owner.id, is_active, session_id, source }
                }
                _ => {
                    let name = || call.label.as_deref().unwrap_or_else(|| call.client.name());
                    let source = if hidden { "other" } else { name() };
                    let call_id = free.next().unwrap_or_default();
                    ListedCall { call_id, is_active, session_id: NO_SESSION, source }
                }
            }
        });
        let state = ManagerState {
            call_on_hold: all.iter().filter(|call| call.state == CallState::Held).count(),
            calls: listed.collect(),
            has_active_call: all.iter().any(|call| call.state == CallState::Answered),
        };
        Envelope::new("Call Manager State", Kind::CallManagerState, state).json()
    }

    /// Calls of those that did not come back.
    pub(super) fn spokes_gone(&mut self, now: Instant) {
        let gone = self.spokes.plugins.gone(now);
        if !gone.is_empty() {
            let mut changes = Vec::new();
            self.calls.end_all(|call| gone.contains(&call.id), &mut changes);
            self.publish(changes);
        }
    }

    /// Plugins hear what happened; sessions end with their headset.
    pub(super) fn settle_spokes(&mut self, now: Instant) {
        self.hear_spokes(now);
        let (headset, devices) = (&self.view.headset, &self.view.devices);
        if self.spokes.headset != *headset {
            let before = std::mem::replace(&mut self.spokes.headset, headset.clone());
            let still = |id| devices.iter().any(|d| d.id == id && super::headset::can_carry(d));
            // Where the person took another one, sessions go on with that.
            if headset.is_none() || !before.is_some_and(still) {
                self.spokes.sessions.end_all();
            }
        }
        let lit = if headset.is_some() { self.calls.indicators() } else { Indicators::default() };
        self.spokes.sessions.lights(lit, now);
    }
}

fn yes(description: &'static str) -> String {
    Envelope::new(description, Kind::Bool, true).json()
}

fn no_call_id() -> Error {
    Error::Exception("callID is {\"Id\":\"5\"}, with a number of the softphone's own".to_owned())
}

fn exception(refusal: &Refusal) -> Error {
    Error::Exception(refusal.problem.to_string())
}

/// What a program calls its plugin is what it calls itself. Pages are called by their origin.
fn label_of(of: Name<'_>) -> Option<String> {
    let text: String = dfu::text::plain(of.name).take(MAX_LABEL).collect();
    let text = text.trim();
    (!of.client.is_page() && !text.is_empty() && !text.contains("://")).then(|| text.to_owned())
}

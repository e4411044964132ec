//! Sessions with the headset that carries the calls: what a softphone attached to, and what it has not fetched of what
//! was done there. They end when that headset goes, which is how a softphone learns of it.

use crate::protocol::client::ClientId;
use crate::protocol::{DeviceEvent, Indicators};
use serde::Serialize;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Sessions of one softphone; the oldest gives way.
pub const MOST_SESSIONS: usize = 16;
/// Sessions of all softphones together.
pub const MOST_SESSIONS_OF_ALL: usize = 512;
/// Of all programs together, which have as many names as copies of themselves: the rest is for pages.
pub const MOST_SESSIONS_OF_PROGRAMS: usize = 256;
/// Events of one queue that may wait, if the softphone does not choose less.
pub const MOST_WAITING: u32 = 64;
/// How long they wait, if the softphone does not choose less, in ms.
pub const LONGEST_MS: u32 = 300_000;
/// All seven queues, as bits.
pub const ALL_QUEUES: u32 = 0b111_1111;
const QUEUES: usize = 7;

/// Queues that anything comes into, by their bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queue {
    HeadsetStateChange = 2,
    HeadsetButtonPressed = 4,
}

impl Queue {
    fn name(self) -> &'static str {
        match self {
            Self::HeadsetStateChange => "HeadsetStateChange",
            Self::HeadsetButtonPressed => "HeadsetButtonPressed",
        }
    }
}

/// What was done at the headset, by its queue's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    MuteOn,
    MuteOff,
    Mute,
    Talk,
    Flash,
    Reject,
}

impl Done {
    fn number(self) -> (Queue, u8, &'static str) {
        match self {
            Self::MuteOn => (Queue::HeadsetStateChange, 5, "MuteOn"),
            Self::MuteOff => (Queue::HeadsetStateChange, 6, "MuteOff"),
            Self::Mute => (Queue::HeadsetButtonPressed, 5, "Mute"),
            Self::Talk => (Queue::HeadsetButtonPressed, 7, "Talk"),
            Self::Flash => (Queue::HeadsetButtonPressed, 16, "Flash"),
            Self::Reject => (Queue::HeadsetButtonPressed, 33, "Reject"),
        }
    }
}

/// One event as it is sent, whole: a typed client refuses all of them where one lacks a member.
#[derive(Clone, Debug, Serialize)]
pub struct HeadsetEvent {
    /// In ms.
    #[serde(rename = "Age")]
    age: u64,
    #[serde(rename = "Event_Id")]
    id: u8,
    #[serde(rename = "Event_Log_Type_Id")]
    queue: u8,
    #[serde(rename = "Event_Log_Type_Name")]
    queue_name: &'static str,
    #[serde(rename = "Event_Name")]
    name: &'static str,
    #[serde(rename = "Order")]
    order: u64,
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    ms: u32,
    count: u32,
}

/// A session that a softphone has.
#[derive(Debug)]
pub struct Session {
    client: ClientId,
    hash: String,
    /// Queues that it wants anything in.
    registry: u32,
    bounds: [Bounds; QUEUES],
    waiting: VecDeque<(Instant, u64, Done)>,
    last: u64,
}

#[derive(Debug, Default)]
pub struct Sessions {
    /// The oldest first.
    open: Vec<Session>,
    /// As last told.
    muted: bool,
    /// As the light last was.
    lit: bool,
}

impl Sessions {
    /// `hash`: 32 random hex digits.
    pub fn attach(&mut self, client: &ClientId, hash: String) {
        let own = |s: &Session| s.client == *client;
        let of_programs = |s: &Session| !s.client.is_page();
        let count = |which: &dyn Fn(&Session) -> bool| self.open.iter().filter(|s| which(s)).count();
        let gives_way = if count(&own) >= MOST_SESSIONS {
            self.open.iter().position(own)
        } else if !client.is_page() && count(&of_programs) >= MOST_SESSIONS_OF_PROGRAMS {
            self.open.iter().position(of_programs)
        } else {
            (self.open.len() >= MOST_SESSIONS_OF_ALL).then_some(0)
        };
        if let Some(at) = gives_way {
            self.open.remove(at);
        }
        let bounds = [Bounds { ms: LONGEST_MS, count: MOST_WAITING }; QUEUES];
        let (client, waiting) = (client.clone(), VecDeque::new());
        self.open.push(Session { client, hash, registry: ALL_QUEUES, bounds, waiting, last: 0 });
    }

    /// A session of this softphone; nobody else's.
    pub fn of(&mut self, client: &ClientId, hash: &str) -> Option<&mut Session> {
        self.open.iter_mut().find(|s| s.client == *client && s.hash.eq_ignore_ascii_case(hash))
    }

    pub fn release(&mut self, client: &ClientId, hash: &str) -> bool {
        let before = self.open.len();
        self.open.retain(|s| s.client != *client || !s.hash.eq_ignore_ascii_case(hash));
        self.open.len() < before
    }

    /// The headset is gone.
    pub fn end_all(&mut self) {
        self.open.clear();
        (self.muted, self.lit) = (false, false);
    }

    pub fn dismiss(&mut self, welcome: impl Fn(&ClientId) -> bool) {
        self.open.retain(|session| welcome(&session.client));
    }

    /// A person acted at the headset.
    pub fn pressed(&mut self, event: DeviceEvent, now: Instant) {
        let button = match event {
            DeviceEvent::Answer | DeviceEvent::HangUp | DeviceEvent::DialTone => Done::Talk,
            DeviceEvent::Reject => Done::Reject,
            DeviceEvent::HoldToggle => Done::Flash,
            DeviceEvent::MuteToggle => Done::Mute,
            DeviceEvent::MuteOn | DeviceEvent::MuteOff => {
                self.tell(now, Done::Mute);
                return self.muted(event == DeviceEvent::MuteOn, now);
            }
            // The old hub has no word for them.
            DeviceEvent::Redial | DeviceEvent::TeamsButton => return,
        };
        self.tell(now, button);
    }

    /// The lights of the headset are so now. In a call the one of mute is what counts, whatever was pressed before.
    pub fn lights(&mut self, lights: Indicators, now: Instant) {
        let Indicators { off_hook, mute, .. } = lights;
        if std::mem::replace(&mut self.lit, mute) != mute || off_hook {
            self.muted(mute, now);
        }
    }

    fn muted(&mut self, muted: bool, now: Instant) {
        if std::mem::replace(&mut self.muted, muted) != muted {
            self.tell(now, if muted { Done::MuteOn } else { Done::MuteOff });
        }
    }

    fn tell(&mut self, now: Instant, done: Done) {
        self.open.iter_mut().for_each(|session| session.tell(now, done));
    }
}

impl Session {
    fn tell(&mut self, now: Instant, done: Done) {
        let (queue, ..) = done.number();
        self.last += 1;
        if self.registry & queue as u32 == 0 {
            return;
        }
        self.waiting.push_back((now, self.last, done));
        self.keep_to_bounds(queue);
    }

    fn keep_to_bounds(&mut self, queue: Queue) {
        let most = self.bounds_of(queue).count as usize;
        let is_in = |done: &Done| done.number().0 == queue;
        let mut over = self.waiting.iter().filter(|(.., done)| is_in(done)).count().saturating_sub(most);
        self.waiting.retain(|(.., done)| {
            let goes = over > 0 && is_in(done);
            over -= usize::from(goes);
            !goes
        });
    }

    fn bounds_of(&self, queue: Queue) -> Bounds {
        self.bounds[(queue as u32).trailing_zeros() as usize]
    }

    /// The events of these queues that were not fetched before; 0 = of all.
    pub fn take(&mut self, queues: u32, now: Instant) -> Vec<HeadsetEvent> {
        let queues = all_if_none(queues);
        let mut taken = Vec::new();
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|(at, order, done)| {
            let (queue, id, name) = done.number();
            let age = now.saturating_duration_since(*at);
            if age >= Duration::from_millis(self.bounds_of(queue).ms.into()) {
                return false;
            }
            if queues & queue as u32 == 0 {
                return true;
            }
            taken.push(HeadsetEvent {
                age: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
                id,
                queue: queue as u8,
                queue_name: queue.name(),
                name,
                order: *order,
            });
            false
        });
        self.waiting = waiting;
        taken
    }

    pub fn registry(&self) -> u32 {
        self.registry
    }

    /// The queues that it wants from now on.
    pub fn set_registry(&mut self, queues: u32) -> u32 {
        self.registry = queues & ALL_QUEUES;
        self.registry
    }

    /// How long events of these queues wait, in ms; of several queues the first one's is told.
    pub fn ttl(&mut self, queues: u32, ms: Option<u32>) -> u32 {
        let ms = ms.map(|ms| ms.min(LONGEST_MS));
        let mut asked = self.asked(queues);
        asked.iter_mut().for_each(|bounds| bounds.ms = ms.unwrap_or(bounds.ms));
        asked.first().map_or(0, |bounds| bounds.ms)
    }

    /// How many events of these queues wait at most; of several queues the first one's is told.
    pub fn max_count(&mut self, queues: u32, count: Option<u32>) -> u32 {
        let count = count.map(|count| count.min(MOST_WAITING));
        let mut asked = self.asked(queues);
        asked.iter_mut().for_each(|bounds| bounds.count = count.unwrap_or(bounds.count));
        let told = asked.first().map_or(0, |bounds| bounds.count);
        self.keep_to_bounds(Queue::HeadsetStateChange);
        self.keep_to_bounds(Queue::HeadsetButtonPressed);
        told
    }

    fn asked(&mut self, queues: u32) -> Vec<&mut Bounds> {
        let queues = all_if_none(queues);
        let is_asked = |(bit, _): &(usize, &mut Bounds)| queues >> bit & 1 == 1;
        self.bounds.iter_mut().enumerate().filter(is_asked).map(|(_, bounds)| bounds).collect()
    }
}

fn all_if_none(queues: u32) -> u32 {
    if queues == 0 { ALL_QUEUES } else { queues }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> ClientId {
        ClientId::named(name).expect("a softphone")
    }

    /// Each is another one's: no softphone has more than its own bound.
    fn attach(sessions: &mut Sessions, count: usize, name: impl Fn(usize) -> String) {
        for n in 0..count {
            sessions.attach(&named(&name(n)), format!("{n:032x}"));
        }
    }

    fn is_open(sessions: &mut Sessions, name: &str, n: usize) -> bool {
        sessions.of(&named(name), &format!("{n:032x}")).is_some()
    }

    #[test]
    fn programs_give_way_to_programs_and_leave_the_pages_alone() {
        let mut sessions = Sessions::default();
        attach(&mut sessions, 1, |_| "https://page.example".to_owned());
        let program = |n: usize| format!("/opt/{n}/phone");
        attach(&mut sessions, MOST_SESSIONS_OF_PROGRAMS, program);
        assert!(is_open(&mut sessions, &program(0), 0), "there is room for so many");
        sessions.attach(&named("/opt/more/phone"), "f".repeat(32));
        assert!(!is_open(&mut sessions, &program(0), 0), "the oldest program's goes");
        assert!(is_open(&mut sessions, &program(1), 1));
        assert!(is_open(&mut sessions, "https://page.example", 0));
    }

    #[test]
    fn of_one_softphone_and_of_all_the_oldest_give_way() {
        let mut sessions = Sessions::default();
        attach(&mut sessions, 1, |_| "https://other.example".to_owned());
        attach(&mut sessions, MOST_SESSIONS + 1, |_| "https://page.example".to_owned());
        assert!(!is_open(&mut sessions, "https://page.example", 0));
        assert!(is_open(&mut sessions, "https://page.example", 1));
        assert!(is_open(&mut sessions, "https://other.example", 0));

        let mut sessions = Sessions::default();
        let page = |n: usize| format!("https://{n}.example");
        attach(&mut sessions, MOST_SESSIONS_OF_ALL, page);
        assert!(is_open(&mut sessions, &page(0), 0));
        sessions.attach(&named("https://more.example"), "f".repeat(32));
        assert!(!is_open(&mut sessions, &page(0), 0));
        assert!(is_open(&mut sessions, &page(1), 1));
    }
}

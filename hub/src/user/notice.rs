//! Short notices for the person. They wait while a call is going on.

use crate::locale::Message;
use crate::protocol::client::ClientId;
use crate::protocol::{Device, DeviceId, DeviceStatus, Job, JobPhase, Outcome, Problem};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub title: Message,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    Message(Message),
    /// What went wrong and what next.
    Problem(Problem),
}

/// Notices that wait, at most [`Notices::MOST`] of them: the newest are kept.
#[derive(Debug, Default)]
pub struct Notices {
    waiting: Vec<Notice>,
    /// Shown at once, also in a call: the headset waits for the person.
    urgent: Option<Notice>,
    /// Devices whose trouble was told once.
    told: BTreeSet<DeviceId>,
}

impl Notices {
    const MOST: usize = 4;

    pub fn job(&mut self, before: Option<&Job>, now: Option<&Job>) {
        let Some(job) = now else { return };
        if job.phase == JobPhase::WaitingForReplug && before.is_none_or(|b| b.phase != job.phase) {
            self.urgent = Some(Notice {
                title: Message::new("notice-unplugged").text("name", &job.name),
                body: Body::Message(Message::new("notice-unplugged-body")),
            });
        }
        let Some(outcome) = &job.outcome else { return };
        // Another verdict is news once more, another advice is not.
        let same = |was: &Outcome| std::mem::discriminant(was) == std::mem::discriminant(outcome);
        if before.is_some_and(|b| b.offer == job.offer && b.outcome.as_ref().is_some_and(same)) {
            return;
        }
        let (title, body) = match outcome {
            Outcome::Succeeded { version } => (
                "notice-update-succeeded",
                Message::new("notice-update-succeeded-body").text("version", version),
            ),
            Outcome::Failed { .. } => ("notice-update-failed", Message::new("notice-update-failed-body")),
            Outcome::Unknown { .. } => ("notice-update-unknown", Message::new("notice-update-unknown-body")),
        };
        self.push(Notice { title: Message::new(title).text("name", &job.name), body: Body::Message(body) });
    }

    /// One waits for the person, or `begins` by itself, and they may put it off or not.
    pub fn update(&mut self, name: &str, version: &str, begins: bool, deferrable: bool) {
        let title = if begins { "notice-update-begins" } else { "notice-update-asks" };
        let body = match (begins, deferrable) {
            (true, true) => Message::new("notice-update-begins-body"),
            (true, false) => Message::new("notice-update-begins-now-body"),
            (false, _) => Message::new("notice-update-asks-body").text("version", version),
        };
        self.push(Notice { title: Message::new(title).text("name", name), body: Body::Message(body) });
    }

    pub fn device(&mut self, device: &Device) {
        match device.status {
            DeviceStatus::Unavailable { .. } if self.told.insert(device.id.clone()) => self.push(Notice {
                title: Message::new("notice-device-unavailable").text("name", &device.product),
                body: Body::Message(Message::new("notice-device-unavailable-body")),
            }),
            DeviceStatus::Ready => _ = self.told.remove(&device.id),
            _ => {}
        }
    }

    /// A softphone asks to use the headset.
    pub fn asks(&mut self, client: &ClientId) {
        self.push(Notice {
            title: Message::new("notice-softphone-asks").text("softphone", client.name()),
            body: Body::Message(Message::new("notice-softphone-asks-body")),
        });
    }

    pub fn drain(&mut self) -> impl Iterator<Item = Notice> + '_ {
        self.waiting.drain(..)
    }

    pub fn drain_urgent(&mut self) -> impl Iterator<Item = Notice> + '_ {
        self.urgent.take().into_iter()
    }

    fn push(&mut self, notice: Notice) {
        if self.waiting.len() == Self::MOST {
            self.waiting.remove(0);
        }
        self.waiting.push(notice);
    }
}

//! What the tenant is asked, beside the loop: one request at a time, in order.

use super::event::Event;
use super::log;
use super::tenant::TenantRoom;
use hub::machine::{Input, TenantAnswer, TenantRequest};
use std::cell::Cell;
use std::rc::Rc;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// The tenant room, for the errands and for the fetches; `None` = there is no tenant.
pub type SharedRoom = Rc<Mutex<Option<TenantRoom>>>;

#[derive(Debug)]
enum Errand {
    Ask(TenantRequest),
    /// From now on another tenant is asked, or none.
    GoTo(Option<Box<TenantRoom>>),
}

/// The way to the tenant.
#[derive(Debug)]
pub struct Errands {
    queue: UnboundedSender<(u64, Errand)>,
    /// Which of the tenants that there were.
    tenant: Rc<Cell<u64>>,
}

impl Errands {
    /// Must be called inside a `LocalSet`.
    pub fn start(room: SharedRoom, events: UnboundedSender<Event>) -> Self {
        let (queue, mut errands) = unbounded_channel();
        let tenant = Rc::new(Cell::new(0));
        let now = tenant.clone();
        tokio::task::spawn_local(async move {
            while let Some((of, errand)) = errands.recv().await {
                let mut room = room.lock().await;
                let request = match errand {
                    Errand::Ask(request) => request,
                    Errand::GoTo(other) => {
                        *room = other.map(|room| *room);
                        continue;
                    }
                };
                let Some(room) = &mut *room else { continue };
                let answer = room.perform(request).await;
                if let TenantAnswer::Enrolled(Ok(enrolment)) = &answer {
                    log::mask(&enrolment.credential.access_token);
                }
                // Of a tenant that was left meanwhile nobody wants to hear.
                if of == now.get() && events.send(Event::Machine(Input::Tenant(answer))).is_err() {
                    return;
                }
            }
        });
        Self { queue, tenant }
    }

    pub fn ask(&self, request: TenantRequest) {
        let _ = self.queue.send((self.tenant.get(), Errand::Ask(request)));
    }

    /// What was asked before is not answered any more.
    pub fn go_to(&mut self, room: Option<TenantRoom>) {
        self.tenant.set(self.tenant.get() + 1);
        let _ = self.queue.send((self.tenant.get(), Errand::GoTo(room.map(Box::new))));
    }
}

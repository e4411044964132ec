//! The machine role's loop: one closed [`Event`], the pure [`MachineRole`], and the doing of its outputs.
#![expect(clippy::disallowed_methods, reason = "this loop reads the clocks for the pure role")]

use super::awake::Awake;
use super::bus::Buses;
use super::errands::{Errands, SharedRoom};
pub use super::event::Event;
use super::event::Said;
use super::fetch::Fetches;
use super::hardware::Hardware;
use super::sessions::Ways;
use super::store::Store;
use super::store::packages::OpenPackage;
use super::tenancy::Tenancies;
use super::tenant::TenantRoom;
use super::{ldap, log, os};
use hub::machine::{
    FailureKind, GroupRules, Input, MachineRole, Now, Output, Record, TenantAnswer, TenantFailure,
    TenantRequest, UsbRequest,
};
use hub::protocol::Function;
use jiff::tz::TimeZone;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

/// So long after the start, an answer of the tenant or a download the memory that it took is given back: what follows
/// each of them is over by then. Not after presses, whose code is to be there for the next one.
pub const REST: Duration = Duration::from_secs(5);

/// What the loop is given.
pub struct Parts {
    pub role: MachineRole,
    pub store: Store,
    pub hardware: Hardware,
    pub tenancies: Tenancies,
    /// To the tenant that the role knows of.
    pub room: Option<TenantRoom>,
    pub awake: Awake,
}

pub fn now() -> Now {
    let unix_s = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Now { instant: os::instant(), unix_s, slept: os::slept() }
}

/// Where the computer is, as its clock on the wall shows.
///
/// # Errors
/// The system does not say, or names a zone that is not known.
pub fn zone() -> Result<TimeZone, jiff::Error> {
    TimeZone::try_system()
}

/// Runs until [`Event::Stop`]. Must be called inside a `LocalSet`.
pub async fn run(parts: Parts, events: UnboundedSender<Event>, mut queue: UnboundedReceiver<Event>) {
    let Parts { mut role, store, hardware, mut tenancies, room, mut awake } = parts;
    let mut ways = Ways::default();
    let mut store = Kept { store, failing: false };
    let mut buses = Buses::start(hardware, events.clone());
    let room = SharedRoom::new(room.into());
    let mut fetches = Fetches::new(tenancies.packages(), room.clone(), events.clone());
    let mut errands = Errands::start(room, events.clone());
    let mut stopped: Option<oneshot::Sender<()>> = None;
    let alarm = os::Alarm::new();
    let rested = os::Alarm::new();
    let mut rest = Some(os::instant() + REST);
    loop {
        let world = (&mut buses, &errands, &mut fetches);
        perform(&mut role, &mut store, world, &mut ways, &mut awake).await;
        if role.has_stopped()
            && let Some(stopped) = stopped.take()
        {
            let _ = stopped.send(());
            return;
        }
        let deadline = role.poll_timeout().map(|(at, _reason)| at);
        let event = tokio::select! {
            event = queue.recv() => event,
            () = alarm.wait(deadline) => {
                look_at_zone(&mut role);
                role.handle_timeout(now());
                continue;
            }
            () = rested.wait(rest) => {
                rest = None;
                os::give_back_memory();
                continue;
            }
        };
        if matches!(event, Some(Event::Machine(Input::Tenant(_)) | Event::Fetched { .. })) {
            rest = Some(os::instant() + REST);
        }
        match event {
            None => return,
            Some(Event::Machine(input @ Input::WorldChanged(_))) => {
                look_at_zone(&mut role);
                role.handle(input, now());
            }
            Some(Event::Machine(input)) => role.handle(input, now()),
            Some(Event::Came { session, peer, way }) => {
                ways.came(session, way);
                role.handle(Input::UserCame { session, peer }, now());
            }
            Some(Event::Said(Said { session, message, waits: _waits })) => {
                role.handle(Input::User { session, message }, now());
            }
            Some(Event::Gone(session)) => {
                ways.end(session);
                role.handle(Input::UserGone { session }, now());
            }
            Some(Event::Opened { path, result }) => {
                let result = result.map(|(reader, writer)| buses.opened(path.clone(), reader, writer));
                role.handle(Input::HidOpened { path, result }, now());
            }
            Some(Event::Fetched { job, result }) => {
                let result = result.map(|OpenPackage { archive, file }| {
                    buses.package(job, file);
                    archive
                });
                role.handle(Input::Fetched { job, result }, now());
            }
            Some(Event::SettingsChanged) => {
                if let Some((tenancy, mut room)) = tenancies.changed() {
                    role.handle(Input::TenancyChanged(tenancy), now());
                    if let Some(room) = &mut room {
                        room.speak_for(&role);
                    }
                    errands.go_to(room);
                }
            }
            Some(Event::Stop(done)) => {
                role.handle(Input::Stop, now());
                stopped = Some(done);
            }
        }
    }
}

/// What is decided by the clock on the wall is decided by the one of now.
fn look_at_zone(role: &mut MachineRole) {
    // Where it cannot be told, it stays the one that was.
    if let Ok(is) = zone()
        && is != *role.zone()
    {
        role.handle(Input::ZoneChanged(is), now());
    }
}

/// The store, and whether its last write failed: the next one that reaches the disk says that it works again.
struct Kept {
    store: Store,
    failing: bool,
}

/// Does all outputs in order; what must be on disk first is.
async fn perform(
    role: &mut MachineRole,
    kept: &mut Kept,
    (buses, errands, fetches): (&mut Buses, &Errands, &mut Fetches),
    ways: &mut Ways,
    awake: &mut Awake,
) {
    let mut records: Vec<Record> = Vec::new();
    // The store had something to say that may have led to more.
    let mut more = false;
    loop {
        let output = role.poll_output();
        match output {
            Some(Output::Persist(record)) => {
                records.push(record);
                continue;
            }
            _ if !records.is_empty() => {
                // Neighbours share a transaction.
                let written = kept.store.write(&records);
                let identities = records.drain(..).any(|record| matches!(record, Record::Identities(_)));
                if kept.failing && written == Ok(true) {
                    (kept.failing, more) = (false, true);
                    role.handle(Input::Trouble { function: Function::Store, problem: None }, now());
                }
                if let Err(problem) = written {
                    tracing::error!(%problem, "store");
                    (kept.failing, more) = (true, true);
                    // What follows a record of the journal does not happen without it.
                    let withheld =
                        matches!(&output, Some(Output::Usb { request, .. }) if *request != UsbRequest::Close);
                    let enrolment = matches!(&output, Some(Output::Tenant(TenantRequest::Enrol { .. })));
                    role.handle(Input::StoreFailed { problem: problem.clone(), withheld }, now());
                    if enrolment && identities {
                        // Nor is a key shown to the tenant that the next start would not have.
                        let failure =
                            TenantFailure { kind: FailureKind::Refused, problem, retry_after: None };
                        role.handle(Input::Tenant(TenantAnswer::Enrolled(Err(failure))), now());
                        continue;
                    }
                    if withheld {
                        continue;
                    }
                }
            }
            _ => {}
        }
        match output {
            None if std::mem::take(&mut more) => {}
            None => return,
            Some(Output::Persist(_)) => {}
            Some(Output::Scan { usb }) => buses.scan(usb),
            Some(Output::OpenHid { path }) => buses.open(path),
            Some(Output::WriteHid { path, ticket, bytes }) => buses.write(path, ticket, bytes),
            Some(Output::CloseHid { path }) => buses.close(&path),
            Some(Output::Usb { job, request }) => buses.usb(job, request),
            Some(Output::Tenant(request)) => errands.ask(request),
            Some(Output::Fetch { job, from, keep }) => fetches.start(job, from, keep),
            Some(Output::JobEnded(job)) => {
                fetches.cancel(job);
                buses.job_ended(job);
            }
            Some(Output::KeepAwake(on)) => awake.keep(on).await,
            Some(Output::ToUser { to, message }) => {
                for session in ways.tell(&to, &message).await {
                    role.handle(Input::UserGone { session }, now());
                }
            }
            Some(Output::Dismiss { session, why }) => {
                tracing::debug!(?session, ?why, "a user role is sent away");
                ways.end(session);
            }
            Some(Output::AskDirectory { user, rules }) => ask_directory(user, rules, buses.events()),
        }
    }
}

/// Beside the loop; answered when the directory has answered, or does not.
fn ask_directory(user: String, rules: GroupRules, events: UnboundedSender<Event>) {
    if let Some((_, password)) = rules.directory.as_ref().and_then(|d| d.bind.as_ref()) {
        log::mask(password);
    }
    tokio::task::spawn_local(async move {
        let answer = ldap::ask(&user, &rules).await;
        let _ = events.send(Event::Machine(Input::Directory { user, answer }));
    });
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("role", &self.role).finish_non_exhaustive()
    }
}

//! What the machine role needs to begin: the store, the tenant, who this machine is.

use super::awake::Awake;
use super::folders::Folders;
use super::hardware::Hardware;
use super::machine::{self, Event, Parts};
use super::store::Store;
use super::tenancy::Tenancies;
use super::{log, os};
use hub::machine::{Config, Identity, Input, MachineRole, Marks};
use hub::problem::Reason;
use hub::protocol::{self, Detail, Problem};
use hub::settings::Settings;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// Names the application where the machine's id is derived, so that it stands for nothing else.
const APPLICATION: &str = "hookswitch";

/// What the machine role is given.
pub(super) struct Machine {
    pub(super) folders: Folders,
    pub(super) settings: Settings,
    pub(super) hardware: Hardware,
    pub(super) events: UnboundedSender<Event>,
    pub(super) queue: UnboundedReceiver<Event>,
    /// For who wants to put the machine to sleep during an update.
    pub(super) why_awake: String,
}

/// Runs the machine role until it is stopped. Must be called inside a `LocalSet`.
///
/// # Errors
/// What keeps it from running at all.
pub(super) async fn run(machine: Machine) -> Result<(), Problem> {
    let Machine { folders, settings, hardware, events, queue, why_awake } = machine;
    let mut store = Store::open(&folders.data.join("hookswitch.sqlite"))?;
    if let Some(problem) = store.take_mended() {
        tracing::error!(%problem, "store");
        let _ = events.send(trouble(protocol::Function::Store, problem));
    }
    let persisted = store.load()?;
    let tenancies = Tenancies::new(folders, settings);
    let (tenancy, mut room) = tenancies.current();
    if let Some(credential) = &persisted.credential {
        log::mask(&credential.access_token);
    }
    let identity = new_identity()?;
    for key in persisted.identities.iter().chain([&identity]).filter_map(|identity| identity.key.as_ref()) {
        log::mask(key.expose());
    }
    let system = os::system();
    let config = Config {
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        identity,
        hostname: os::host_name(),
        os: system.name,
        os_version: system.version,
        tenancy,
        zone: machine::zone().unwrap_or_else(|error| {
            tracing::warn!(%error, "the time zone of this computer is not known: hours are those of UTC");
            jiff::tz::TimeZone::UTC
        }),
        seed: random()?,
    };
    let role = MachineRole::new(config, persisted, machine::now());
    if let Some(room) = &mut room {
        room.speak_for(&role);
    }
    if let Some(problem) = role.notice() {
        tracing::warn!(%problem, "this machine");
        let _ = events.send(trouble(protocol::Function::Host, problem.clone()));
    }
    let awake = Awake::new(why_awake);
    let parts = Parts { role, store, hardware, tenancies, room, awake };
    machine::run(parts, events, queue).await;
    Ok(())
}

fn trouble(function: protocol::Function, problem: Problem) -> Event {
    Event::Machine(Input::Trouble { function, problem: Some(problem) })
}

/// Who this machine would be at its first start: told apart from a clone of its disk by chance, and kept from then on.
fn new_identity() -> Result<Identity, Problem> {
    let machine =
        Marks { installation: os::machine_seed(APPLICATION), hardware: os::hardware_seed(APPLICATION) };
    let key = super::tenant::fresh_key()
        .ok_or_else(|| no_resources(Detail::new("no-randomness", "no randomness")))?;
    let seed = machine.installation.as_deref().unwrap_or_default();
    let system_id = format!("{:.16}{:016x}", format!("{seed:0<16}"), random()?);
    Ok(Identity { machine, system_id, key: Some(key), copied_from: None })
}

pub(super) fn random() -> Result<u64, Problem> {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| no_resources(Detail::new("no-randomness", "no randomness")))?;
    Ok(u64::from_le_bytes(bytes))
}

/// # Errors
/// The system gives none.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| no_resources(Detail::verbatim(error)))
}

pub(super) fn no_resources(error: Detail) -> Problem {
    Reason::NoResources { error }.here()
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("folders", &self.folders).finish_non_exhaustive()
    }
}

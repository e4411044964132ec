//! What the machine role needs to begin: the store, the tenant, who this machine is.

use super::awake::Awake;
use super::folders::Folders;
use super::hardware::Hardware;
use super::machine::{self, Event, Parts};
use super::store::Store;
use super::store::packages::Packages;
use super::tenant::{CaFile, TenantConfig, TenantRoom, packages_folder};
use super::{log, os, settings_files};
use hub::machine::{Config, Identity, Input, MachineRole, Marks};
use hub::protocol::{self, Detail, Problem};
use hub::settings::Settings;
use std::path::{Path, PathBuf};
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
    let (mut tenant, tenant_fault) = match tenant_room(&folders, &settings) {
        Ok(tenant) => (tenant, None),
        Err(problem) => {
            tracing::error!(%problem, "tenant");
            (None, Some(problem))
        }
    };
    if let (Some(room), Some(credential)) = (&mut tenant, &persisted.credential) {
        log::mask(&credential.access_token);
        room.use_token(&credential.access_token);
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
        server_url: tenant.as_ref().and(settings.server_url.value.clone()),
        tenant_fault,
        root_sha256: tenant.as_ref().and_then(TenantRoom::pinned_root),
        seed: random()?,
    };
    let role = MachineRole::new(config, persisted, machine::now());
    if let Some(room) = &mut tenant {
        room.use_key(role.host_key());
    }
    if let Some(problem) = role.notice() {
        tracing::warn!(%problem, "this machine");
        let _ = events.send(trouble(protocol::Function::Host, problem.clone()));
    }
    let awake = Awake::new(why_awake);
    let packages = Packages::new(packages_folder(&tenant_folder(&folders)));
    let parts = Parts { role, store, hardware, tenant, packages, awake };
    machine::run(parts, events, queue).await;
    Ok(())
}

fn trouble(function: protocol::Function, problem: Problem) -> Event {
    Event::Machine(Input::Trouble { function, problem: Some(problem) })
}

/// `None` = consumer mode.
fn tenant_room(folders: &Folders, settings: &Settings) -> Result<Option<TenantRoom>, Problem> {
    let Some(named) = settings.tenant()? else { return Ok(None) };
    let extra_ca = named.tenant_ca.map(|path| {
        settings_files::authority(Path::new(&path)).map(|pem| CaFile { path: path.clone(), pem }).map_err(|why| {
            Problem::new(
                "tenant-ca-unreadable",
                format!("The tenant's CA certificate cannot be used: {why}"),
                path.clone(),
                "Correct the setting tenant_ca, or the file: it belongs to you or root, and nobody else may write it or \
                 the folders above it.",
            )
            .detail("reason", &why)
        })
    });
    TenantRoom::new(TenantConfig {
        server_url: named.server_url,
        tenant_id: named.tenant_id,
        tenant_token: named.tenant_token.0,
        pinned_root_sha256: named.tenant_root,
        extra_ca: extra_ca.transpose()?,
        data: tenant_folder(folders),
    })
    .map(Some)
}

fn tenant_folder(folders: &Folders) -> PathBuf {
    folders.data.join("tenant")
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
    Problem::new(
        "no-resources",
        format!("The system gives no thread or socket: {error}"),
        "process",
        "Close other programs, or raise this user's limits.",
    )
    .detail("error", error)
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("folders", &self.folders).finish_non_exhaustive()
    }
}

//! `hookswitch service run`: the machine role alone, for the user roles of every account of this computer.

use super::event::Event;
use super::folders::Folders;
use super::hardware::Hardware;
use super::os::{self, Callers, LocalListener};
use super::start::{self, Machine, runtime};
use super::{ipc, log, sessions, settings_files};
use hub::locale::{Locale, Message};
use hub::machine::Input;
use hub::problem::Reason;
use hub::protocol::Problem;
use hub::settings::Settings;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

/// Lights out within this, or the program ends anyway.
const STOP_LIMIT: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub struct ServiceOptions {
    /// As [`Folders::of_service`] makes them.
    pub folders: Folders,
    pub settings: Settings,
    pub settings_problems: Vec<Problem>,
    pub language: String,
}

/// Runs until it is told to end.
///
/// # Errors
/// What keeps the service from running at all. Anything less the user roles are told.
pub fn run(options: ServiceOptions, hardware: Hardware) -> Result<(), Problem> {
    os::frugal_memory();
    os::survive_file_limits();
    // Fails only if one was installed before, and that one is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let _log = log::start(&options.folders.state, &options.settings.log_level.value)?;
    if let Some(token) = &options.settings.tenant_token.value {
        log::mask(&token.0);
    }
    os::serve(move || LocalSet::new().block_on(&runtime()?, serve(options, hardware)))
}

async fn serve(options: ServiceOptions, hardware: Hardware) -> Result<(), Problem> {
    let ServiceOptions { folders, settings, settings_problems, language } = options;
    for problem in &settings_problems {
        tracing::warn!(%problem, "settings");
    }
    let path = folders.machine.socket.clone();
    let Some(_lock) = ipc::lock(&path.with_extension("lock")).map_err(|e| cannot_listen(&path, &e))? else {
        return Err(runs_already(&path));
    };
    let (listener, _place) =
        LocalListener::bind(&path, Callers::Everyone).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => runs_already(&path),
            _ => cannot_listen(&path, &error),
        })?;
    let (events, queue) = unbounded_channel();
    sessions::accept(listener, events.clone());
    tokio::task::spawn_local(watch(folders.clone(), events.clone()));
    let why_awake = Locale::new(&language).format(&Message::new("keep-awake-reason"));
    let machine = Machine { folders, settings, hardware, events: events.clone(), queue, why_awake };
    let role = start::run(machine);
    tokio::pin!(role);
    tracing::info!(socket = %path.display(), "the service runs");
    tokio::select! {
        ended = &mut role => return ended,
        () = os::termination() => {}
    }
    let (done, _stopped) = oneshot::channel();
    let _ = events.send(Event::Stop(done));
    let ended = tokio::time::timeout(STOP_LIMIT, role).await;
    tracing::info!("stopped");
    ended.unwrap_or(Ok(()))
}

/// Hands on what the system tells.
async fn watch(folders: Folders, events: UnboundedSender<Event>) {
    let tell = |input| _ = events.send(Event::Machine(input));
    let world = os::watch_world(|change| {
        tracing::info!(?change, "the world may have changed");
        tell(Input::WorldChanged(change));
    });
    let seat = os::watch_seat(|seat| {
        tracing::info!(?seat, "whose turn it is at the screen");
        tell(Input::SeatChanged(seat));
    });
    let settings = settings_files::watch(&folders, || _ = events.send(Event::SettingsChanged));
    tokio::join!(world, seat, settings);
}

fn runs_already(path: &Path) -> Problem {
    Reason::ServiceRunning.at(path.display())
}

fn cannot_listen(path: &Path, error: &io::Error) -> Problem {
    Reason::ServiceSocket { error: error.to_string() }.at(path.display())
}

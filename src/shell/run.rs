//! `hookswitch run`: the user role; the machine role too, on a thread of this process, where no service has it.
#![expect(clippy::disallowed_methods, reason = "threads, tasks and the process itself start here")]

use super::approvals::ApprovedSoftphones;
use super::certificate::Terms;
use super::event::Event as MachineEvent;
use super::folders::Folders;
use super::handle::{Event, UserHandle};
use super::hardware::Hardware;
use super::ipc::{self, Doors};
use super::machine::REST;
use super::rest::{Keeper, RestConfig};
use super::start::{self, Machine, no_resources, random};
use super::tray::{self, Tray};
use super::user::Parts as UserParts;
use super::window::WindowHandle;
use super::{link, log, os, settings_files, user};
use hub::locale::{Locale, Message};
use hub::machine::Input;
use hub::problem::Reason;
use hub::protocol::local::View;
use hub::protocol::{Detail, Problem};
use hub::settings::Settings;
use hub::user::menu::{self, Action, Page};
use hub::user::terminal::{Line, Terminal};
use hub::user::{Command, Function, Reply, UserRole};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::task::LocalSet;

/// The command line's socket below the runtime folder.
pub const SOCKET: &str = "agent.sock";
/// What waits for the agent loop; a slow loop holds back its callers.
const AGENT_QUEUE: usize = 1024;
/// Lights out and calls ended within this, or the program ends anyway.
const STOP_LIMIT: Duration = Duration::from_secs(3);
/// The first look at the buses takes this long at most before the summary is printed.
const FIRST_LOOK: Duration = Duration::from_millis(700);

#[derive(Debug)]
pub struct RunOptions {
    pub headless: bool,
    pub folders: Folders,
    pub settings: Settings,
    pub settings_problems: Vec<Problem>,
    pub language: String,
}

/// Runs until SIGTERM, SIGINT, *Quit* in the tray or a local `stop`.
///
/// # Errors
/// What keeps the agent from running at all. Anything less is a function that is off, shown where people look.
pub fn run(options: RunOptions, hardware: Hardware) -> Result<(), Problem> {
    os::frugal_memory();
    os::survive_file_limits();
    // Fails only if one was installed before, and that one is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let _log = log::start(&options.folders.state, &options.settings.log_level.value)?;
    if let Some(token) = &options.settings.tenant_token.value {
        log::mask(&token.0);
    }
    let user = options.settings.user.value.clone().unwrap_or_else(os::user_name);
    log::mask_user(&user);
    let runtime = start::runtime()?;
    if options.headless {
        return LocalSet::new().block_on(&runtime, start(options, user, hardware, None));
    }
    let locale = Arc::new(Locale::new(&options.language));
    let (tray, icon) = match tray::on_this_thread(locale) {
        Ok(both) => both,
        // Everything else works.
        Err(problem) => {
            let agent = start(options, user, hardware, Some(Err(problem)));
            return LocalSet::new().block_on(&runtime, agent);
        }
    };
    let (icon_has_ended, icon_ends) = std::sync::mpsc::channel::<()>();
    let agent = move || {
        let result = LocalSet::new().block_on(&runtime, start(options, user, hardware, Some(Ok(tray))));
        // A desktop that does not answer keeps the icon's thread, and must not keep the program.
        if icon_ends.recv_timeout(STOP_LIMIT) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the icon does not end");
            std::process::exit(i32::from(result.is_err()));
        }
        result
    };
    let agent = std::thread::Builder::new().name("agent".to_owned()).spawn(agent);
    let agent = agent.map_err(|error| no_resources(Detail::verbatim(error)))?;
    icon.run();
    drop(icon_has_ended);
    agent.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

async fn start(
    options: RunOptions,
    user: String,
    hardware: Hardware,
    tray: Option<Result<Tray, Problem>>,
) -> Result<(), Problem> {
    let RunOptions { headless, folders, settings, settings_problems, language } = options;
    let locale = Arc::new(Locale::new(&language));
    let (events, queue) = mpsc::channel(AGENT_QUEUE);
    let (views, view) = watch::channel(Arc::new(View::default()));
    let handle = UserHandle::new(events.clone(), view);
    let (stop, mut stopping) = mpsc::channel(1);

    let (list, listed) = watch::channel(serde_json::Value::Null);
    // The local socket is also the lock: a second agent with the same folders ends here.
    let window = WindowHandle::new(handle.clone(), locale.clone()).ending(stop.clone());
    let doors = Doors { agent: handle.clone(), settings: listed, window: window.clone(), stop: stop.clone() };
    let socket = ipc::start(&folders.runtime.join(SOCKET), doors)?;

    let mut keeper = Keeper::new(rest_config(&folders, &settings), handle.clone());
    let door = keeper.check().await;
    let service = folders.service();
    let why_awake = locale.format(&Message::new("keep-awake-reason"));
    let (ended, mut machine_ended) = oneshot::channel();
    let mut ended = Some(ended);
    let coming = os::FileChanges::of(std::slice::from_ref(&folders.machine.socket));
    let watched = coming.tells();
    let (wishes, to_machine) = match service {
        Some(owner) => {
            tracing::info!("the service of this computer has the headsets");
            (link::outside(folders.machine.socket.clone(), owner, coming, events.clone()), None)
        }
        None => {
            let (to_machine, queue) = unbounded_channel();
            let (folders, settings) = (folders.clone(), settings.clone());
            let machine =
                Machine { folders, settings, hardware, events: to_machine.clone(), queue, why_awake };
            start_machine(machine, ended.take())?;
            (link::inside(user, to_machine.clone(), events.clone()), Some(to_machine))
        }
    };

    let (look_after, asked) = mpsc::channel(1);
    let (place, moved) = watch::channel(settings.door());
    let role = UserRole::new(env!("CARGO_PKG_VERSION"))
        // Every number that JavaScript can count to has room for the calls of a run behind it.
        .numbering_calls_from((random()? >> 12).max(1))
        .preferring(settings.headset.value.clone());
    let parts = UserParts {
        role: match service {
            Some(_) => role.apart(watched),
            None => role,
        },
        locale: locale.clone(),
        notices: !headless,
        approved: ApprovedSoftphones::new(folders.clone()),
        views,
        to_machine: wishes,
        events: events.clone(),
        door: look_after,
        place,
        apart: service.is_some(),
        started: settings,
        settings: list,
    };
    let agent = tokio::task::spawn_local(user::run(parts, queue));
    for problem in &settings_problems {
        tracing::warn!(%problem, "settings");
    }
    // The system can, and does not: its watches are used up.
    let untold =
        (!watched && !os::MISSING.contains(&os::Missing::FileChanges)).then_some(os::Missing::FileChanges);
    let missing: Vec<Problem> = os::MISSING.iter().copied().chain(untold).map(Problem::from).collect();
    for problem in &missing {
        tracing::info!(%problem, "this system");
    }
    let _ = handle.send(Event::Function { function: Function::System, problems: missing }).await;
    let _ = handle.send(Event::Door(door)).await;
    let (close, closed) = oneshot::channel();
    let door = tokio::task::spawn_local(keeper.run(asked, moved, closed));
    tokio::task::spawn_local(watch_world(handle.clone(), to_machine.clone()));
    if to_machine.is_some() {
        tokio::task::spawn_local(watch_for_service(folders.clone(), handle.clone()));
    }
    tokio::task::spawn_local(watch_settings(folders, handle.clone(), to_machine.clone()));
    match tray {
        None => {}
        Some(Ok(tray)) => {
            tokio::task::spawn_local(show_tray(tray, handle.clone(), window.clone(), stop.clone()));
        }
        Some(Err(problem)) => say_no_tray(problem, &handle).await,
    }
    let summary = tokio::task::spawn_local(summary(handle.clone(), locale.tag(), headless));
    if to_machine.is_none() {
        tokio::task::spawn_local(rest());
    }

    let result = tokio::select! {
        _ = stopping.recv() => Ok(()),
        () = os::termination() => Ok(()),
        ended = &mut machine_ended => ended.unwrap_or(Ok(())),
    };
    summary.abort();
    stop_all(&handle, to_machine.as_ref(), agent, window).await;
    let _ = close.send(());
    let _ = tokio::time::timeout(STOP_LIMIT, door).await;
    tracing::info!("stopped");
    drop(socket);
    drop(ended);
    // What ended the machine's thread is what ends the program.
    machine_ended.try_recv().unwrap_or(result)
}

fn rest_config(folders: &Folders, settings: &Settings) -> RestConfig {
    RestConfig {
        place: settings.door(),
        certificate_folder: folders.data.join("certificate"),
        certificate: Terms::default(),
        endpoint_path: folders.endpoint.clone(),
    }
}

/// The machine role on a thread of this process. `ended` is told why it ended.
fn start_machine(
    machine: Machine,
    ended: Option<oneshot::Sender<Result<(), Problem>>>,
) -> Result<(), Problem> {
    let run = move || {
        let result =
            start::runtime().and_then(|runtime| LocalSet::new().block_on(&runtime, start::run(machine)));
        if let Err(problem) = &result {
            tracing::error!(%problem, "the machine role cannot run");
        }
        ended.map(|ended| ended.send(result))
    };
    let thread = std::thread::Builder::new().name("service".to_owned()).spawn(run);
    thread.map(drop).map_err(|error| no_resources(Detail::verbatim(error)))
}

/// The roles that are here hear of everything that may have changed around them.
async fn watch_world(handle: UserHandle, to_machine: Option<UnboundedSender<MachineEvent>>) {
    let (changes, mut heard) = unbounded_channel();
    let tell = async {
        while let Some(change) = heard.recv().await {
            tracing::info!(?change, "the world may have changed");
            if let Some(machine) = &to_machine {
                let _ = machine.send(MachineEvent::Machine(Input::WorldChanged(change)));
            }
            let _ = handle.send(Event::WorldChanged(change)).await;
        }
    };
    let watch = os::watch_world(move |change| _ = changes.send(change));
    tokio::join!(watch, tell);
}

/// The roles that are here read again what somebody wrote.
async fn watch_settings(
    folders: Folders,
    handle: UserHandle,
    to_machine: Option<UnboundedSender<MachineEvent>>,
) {
    let (changes, mut heard) = unbounded_channel();
    let tell = async {
        while heard.recv().await.is_some() {
            if let Some(machine) = &to_machine {
                let _ = machine.send(MachineEvent::SettingsChanged);
            }
            let _ = handle.send(Event::SettingsChanged).await;
        }
    };
    let watch = settings_files::watch(&folders, || _ = changes.send(()));
    tokio::join!(watch, tell);
}

/// A service that comes while the headsets are this program's: two masters of one headset are worse than none.
async fn watch_for_service(folders: Folders, handle: UserHandle) {
    let mut changes = os::FileChanges::of(std::slice::from_ref(&folders.machine.socket));
    while changes.next().await.is_some() {
        let problems = folders.service().map(|_| service_came(&folders.machine.socket));
        let problems = problems.into_iter().collect();
        let _ = handle.send(Event::Function { function: Function::Machine, problems }).await;
    }
}

fn service_came(socket: &Path) -> Problem {
    Reason::ServiceCame.at(socket.display())
}

/// The desktop may take seconds to answer: the agent does not wait for it.
async fn show_tray(tray: Tray, handle: UserHandle, window: WindowHandle, stop: mpsc::Sender<()>) {
    let (actions, clicked) = mpsc::channel(16);
    let draw = async {
        if let Err(problem) = tray.show(actions).await {
            say_no_tray(problem, &handle).await;
            return;
        }
        let mut views = handle.views();
        loop {
            let menu = menu::menu(&views.borrow_and_update());
            tray.draw(&menu);
            if views.changed().await.is_err() {
                return;
            }
        }
    };
    tokio::join!(draw, act(clicked, handle.clone(), window, stop));
}

async fn say_no_tray(problem: Problem, handle: &UserHandle) {
    tracing::warn!(%problem, "tray");
    let _ = handle.send(Event::Function { function: Function::Tray, problems: vec![problem] }).await;
}

/// Does what was clicked in the tray.
async fn act(
    mut clicked: mpsc::Receiver<Action>,
    handle: UserHandle,
    window: WindowHandle,
    stop: mpsc::Sender<()>,
) {
    while let Some(action) = clicked.recv().await {
        match action {
            Action::OpenWindow(page) => show(page, &handle, &window).await,
            Action::UseHeadset(device) => {
                // Where that is refused, the page shows how things are.
                if !matches!(handle.command(Command::UseHeadset { device }).await, Ok(Reply::Done)) {
                    show(Page::Devices, &handle, &window).await;
                }
            }
            Action::Quit => match handle.command(Command::Quit { anyway: false }).await {
                Ok(Reply::Refused(_)) => show(Page::Quit, &handle, &window).await,
                _ => _ = stop.send(()).await,
            },
        }
    }
}

async fn show(page: Page, handle: &UserHandle, window: &WindowHandle) {
    let opened = match window.open_url(page).await {
        Ok(url) => os::open_url(&url),
        Err(problem) => Err(problem),
    };
    if let Err(problem) = opened {
        tracing::warn!(%problem, "window");
        let function = Event::Function { function: Function::Browser, problems: vec![problem] };
        let _ = handle.send(function).await;
    }
}

/// Says what runs and what does not to the person who started it in a terminal, then follows the problems.
async fn summary(handle: UserHandle, language: &'static str, headless: bool) {
    handle.greeted().await;
    let mut views = handle.views();
    let look = async {
        while views.borrow_and_update().devices.is_empty() {
            if views.changed().await.is_err() {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(FIRST_LOOK, look).await;
    let mut terminal = Terminal::default();
    let lines = terminal.start(&views.borrow_and_update(), headless);
    say(lines, language);
    // The start is over.
    os::give_back_memory();
    while views.changed().await.is_ok() {
        let lines = terminal.later(&views.borrow_and_update());
        say(lines, language);
    }
}

/// Where the machine role is here too, that does it for both.
async fn rest() {
    os::Alarm::new().wait(Some(os::instant() + REST)).await;
    os::give_back_memory();
}

/// To the terminal it was started in. That may be closed, or a file on a full disk: the agent runs on without.
fn say(lines: Vec<Line>, language: &str) {
    if lines.is_empty() {
        return;
    }
    // One of its own: without tray and window nobody else needs the texts in memory.
    let locale = Locale::new(language);
    for line in lines {
        let _ = match line {
            Line::Message(message) => writeln!(std::io::stderr(), "{}", locale.format(&message)),
            Line::Problem(problem) => {
                writeln!(std::io::stderr(), "hookswitch: {}", locale.problem(&problem))
            }
        };
    }
}

async fn stop_all(
    handle: &UserHandle,
    to_machine: Option<&UnboundedSender<MachineEvent>>,
    agent: tokio::task::JoinHandle<()>,
    window: WindowHandle,
) {
    // The user role first: ending its calls puts the lights out, which the machine role still has to write.
    let _ = handle.send(Event::Stop).await;
    let _ = tokio::time::timeout(STOP_LIMIT, agent).await;
    let (done, stopped) = oneshot::channel();
    if to_machine.is_some_and(|machine| machine.send(MachineEvent::Stop(done)).is_ok()) {
        let _ = tokio::time::timeout(STOP_LIMIT, stopped).await;
    }
    window.stop().await;
}

//! The window: pages for the person, served to a browser on this computer and nobody else.
//!
//! Nothing listens before somebody asks for the window the first time.
#![expect(clippy::disallowed_methods, reason = "sockets, tasks and the clock live in the shell")]

use crate::shell::handle::UserHandle;
use crate::shell::loopback;
use crate::shell::os;
use axum::Router;
use axum::routing::{get, post};
use hub::locale::Locale;
use hub::problem::Reason;
use hub::protocol::Problem;
use hub::user::menu::Page;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;

mod access;
mod answer;
mod live;
mod page;
mod session;

/// What open requests get to end by themselves.
const STOP_LIMIT: Duration = Duration::from_secs(2);
/// Connections at the same time: a browser has six, one of them for good.
const MAX_CONNECTIONS: usize = 64;

/// Opens the window. Clones share one server.
#[derive(Clone, Debug)]
pub struct WindowHandle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    handle: UserHandle,
    locale: Arc<Locale>,
    /// Ends the program; `None` where it cannot be ended from here.
    stop: Option<mpsc::Sender<()>>,
    server: Mutex<Option<Server>>,
}

#[derive(Debug)]
struct Server {
    window: Arc<Window>,
    stopping: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// What all requests share.
#[derive(Debug)]
struct Window {
    handle: UserHandle,
    locale: Arc<Locale>,
    stop: Option<mpsc::Sender<()>>,
    port: u16,
    sessions: Mutex<session::Sessions>,
    stopping: watch::Receiver<bool>,
}

impl WindowHandle {
    pub fn new(handle: UserHandle, locale: Arc<Locale>) -> Self {
        Self(Arc::new(Shared { handle, locale, stop: None, server: Mutex::default() }))
    }

    /// The window may end the program by `stop`, after asking.
    #[must_use]
    pub fn ending(self, stop: mpsc::Sender<()>) -> Self {
        let Shared { handle, locale, .. } = &*self.0;
        let (handle, locale) = (handle.clone(), locale.clone());
        Self(Arc::new(Shared { handle, locale, stop: Some(stop), server: Mutex::default() }))
    }

    /// An address that shows `page` once, within a minute, in whichever browser opens it first. Starts the server if
    /// it does not run. Errors: `window-not-opened`.
    pub async fn open_url(&self, page: Page) -> Result<String, Problem> {
        let mut server = self.0.server.lock().await;
        let window = match &*server {
            Some(running) => running.window.clone(),
            None => {
                let started = start(&self.0).await.map_err(|e| not_opened(&e))?;
                server.insert(started).window.clone()
            }
        };
        let token = window.sessions.lock().await.issue(page, os::instant());
        let token = token.map_err(|e| not_opened(&io::Error::other(e)))?;
        Ok(format!("http://127.0.0.1:{}/enter?token={token}", window.port))
    }

    /// Ends the server, if one runs.
    pub async fn stop(&self) {
        let Some(mut server) = self.0.server.lock().await.take() else { return };
        let _ = server.stopping.send(true);
        if tokio::time::timeout(STOP_LIMIT, &mut server.serving).await.is_err() {
            server.serving.abort();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn start(shared: &Shared) -> io::Result<Server> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = socket.local_addr()?.port();
    let (stopping, stopped) = watch::channel(false);
    let window = Arc::new(Window {
        handle: shared.handle.clone(),
        locale: shared.locale.clone(),
        stop: shared.stop.clone(),
        port,
        sessions: Mutex::default(),
        stopping: stopped.clone(),
    });
    let router = router(window.clone());
    let plain = |stream| std::future::ready(Ok(stream));
    let serving = tokio::spawn(loopback::serve(vec![socket], MAX_CONNECTIONS, router, plain, stopped));
    Ok(Server { window, stopping, serving })
}

fn router(window: Arc<Window>) -> Router {
    Router::new()
        .route("/enter", get(answer::enter))
        .route("/", get(answer::home))
        .route("/devices", get(answer::devices))
        .route("/updates", get(answer::updates))
        .route("/softphones", get(answer::softphones))
        .route("/quit", get(answer::quit))
        .route("/live", get(live::live))
        .route("/updates/{offer}/{action}", post(answer::act_on_update))
        .route("/devices/{device}/{action}", post(answer::act_on_device))
        .route("/softphones/{softphone}/{action}", post(answer::act_on_softphone))
        .route("/program/{this}/{action}", post(answer::act_on_program))
        .route("/poll", post(answer::poll))
        .route("/assets/{name}", get(answer::asset))
        .fallback(answer::nothing)
        .layer(axum::middleware::from_fn_with_state(window.clone(), access::guard))
        .with_state(window)
}

fn not_opened(error: &io::Error) -> Problem {
    Reason::WindowNotOpened { error: error.to_string() }.at("127.0.0.1")
}

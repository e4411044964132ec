//! Plain HTTP beside the door, where a setting asks for it: a port of its own, which may be somebody else's. Then softphones
//! that know nothing better wait for it, and all others do not.

use super::door::Door;
use super::{MAX_PLAIN_CONNECTIONS, bind, holder_of, plain_router};
use crate::shell::loopback;
use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use std::io;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Debug)]
pub(super) struct Plain {
    /// `None` = it is not spoken.
    wanted: Option<u16>,
    serving: Option<JoinHandle<()>>,
    /// Why not.
    pub(super) closed: Option<Problem>,
}

impl Plain {
    pub(super) fn new(wanted: Option<u16>) -> Self {
        Self { wanted, serving: None, closed: None }
    }

    /// Opens it, if it is to be open and is not.
    pub(super) async fn open(&mut self, door: &Arc<Door>, stopping: &watch::Receiver<bool>) {
        let Some(port) = self.wanted.filter(|_| self.serving.is_none()) else { return };
        match bind(port).await {
            Ok((sockets, port)) => {
                // Set once: it is served once.
                let _ = door.plain.set(port);
                let (router, stopping) = (plain_router(door.clone()), stopping.clone());
                let plainly = |stream| std::future::ready(Ok(stream));
                self.serving = Some(tokio::spawn(loopback::serve(
                    sockets,
                    MAX_PLAIN_CONNECTIONS,
                    router,
                    plainly,
                    stopping,
                )));
                self.closed = None;
                tracing::info!(port, "softphones may connect over plain HTTP");
            }
            Err((address, error)) => {
                let why = match error.kind() {
                    io::ErrorKind::AddrInUse => holder_of(address).0,
                    _ => Detail::verbatim(&error),
                };
                let problem = Reason::RestPlainClosed { port: port.to_string(), why }.at(address);
                if self.closed.as_ref() != Some(&problem) {
                    tracing::warn!(%problem, "the door for softphones over plain HTTP is closed");
                    self.closed = Some(problem);
                }
            }
        }
    }

    /// What is served has ended, as its `stopping` said.
    pub(super) async fn ended(&mut self) {
        if let Some(serving) = &mut self.serving {
            let _ = serving.await;
        }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

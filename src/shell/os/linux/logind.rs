//! What logind tells on the system bus (`org.freedesktop.login1`). A machine without it, or without the bus, works on:
//! the clocks tell of a sleep, too.

use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::sync::OnceCell;
use zbus::{Connection, MatchRule, MessageStream, message};

const SERVICE: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
/// The bus may have to start it first.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The one connection to the system bus; made when first asked for.
///
/// # Errors
/// There is no system bus.
pub(super) async fn system_bus() -> zbus::Result<Connection> {
    static BUS: OnceCell<Connection> = OnceCell::const_new();
    let connect = || async { zbus::connection::Builder::system()?.method_timeout(TIMEOUT).build().await };
    BUS.get_or_try_init(connect).await.cloned()
}

/// Calls `woke` each time the machine is awake again, until the bus ends.
///
/// # Errors
/// There is no system bus, or it does not pass the signal on.
pub(super) async fn watch_sleep(mut woke: impl FnMut()) -> zbus::Result<()> {
    let rule = MatchRule::builder()
        .msg_type(message::Type::Signal)
        .sender(SERVICE)?
        .path(PATH)?
        .interface(MANAGER)?
        .member("PrepareForSleep")?
        .build();
    let mut signals = MessageStream::for_match_rule(rule, &system_bus().await?, None).await?;
    while let Some(signal) = signals.next().await {
        // True comes before the sleep, false after it.
        if signal?.body().deserialize::<bool>() == Ok(false) {
            woke();
        }
    }
    Ok(())
}

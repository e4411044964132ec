//! Notices by the desktop (Desktop Notifications Specification 1.2).

use crate::shell::markup::escaped;
use std::collections::HashMap;
use std::time::Duration;
use zbus::zvariant::Value;

const SERVICE: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// The bus may have to start the desktop's service first.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Milliseconds; the desktop decides.
const EXPIRE_BY_DESKTOP: i32 = -1;

/// Shows a notice; returns when the desktop has it.
///
/// # Errors
/// In words for the log.
pub fn show_notice(title: &str, body: &str) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    runtime.block_on(send(title, body)).map_err(|error| error.to_string())
}

async fn send(title: &str, body: &str) -> zbus::Result<()> {
    let bus = zbus::connection::Builder::session()?.method_timeout(TIMEOUT).build().await?;
    let call = |method| bus.call_method(Some(SERVICE), PATH, Some(SERVICE), method, &());
    let capabilities: Vec<String> = call("GetCapabilities").await?.body().deserialize()?;
    // Where the body is markup, names of devices must not be.
    let is_markup = capabilities.iter().any(|capability| capability == "body-markup");
    let body = if is_markup { escaped(body) } else { body.to_owned() };
    let hints: HashMap<&str, Value<'_>> = HashMap::from([("desktop-entry", Value::from("hookswitch"))]);
    let (replaces, no_actions): (u32, [&str; 0]) = (0, []);
    let notice = (
        "Hookswitch",
        replaces,
        "audio-headset",
        title,
        body.as_str(),
        &no_actions[..],
        hints,
        EXPIRE_BY_DESKTOP,
    );
    bus.call_method(Some(SERVICE), PATH, Some(SERVICE), "Notify", &notice).await?;
    bus.close().await
}

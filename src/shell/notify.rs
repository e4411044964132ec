//! Short notices, shown by the desktop (Desktop Notifications Specification 1.2). A notice that cannot be shown is
//! logged and forgotten: everything it says is also in the window.
#![expect(clippy::disallowed_methods, reason = "shows a notice from a thread of its own")]

use crate::shell::markup::escaped;
use hub::locale::Locale;
use hub::user::Notice;
use hub::user::notice::Body;
use std::collections::HashMap;
use std::time::Duration;
use zbus::zvariant::Value;

const SERVICE: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// The bus may have to start the desktop's service first.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Milliseconds; the desktop decides.
const EXPIRE_BY_DESKTOP: i32 = -1;

/// Shows the notice; returns at once.
pub fn show(locale: &Locale, notice: &Notice) {
    let title = locale.format(&notice.title);
    let body = match &notice.body {
        Body::Message(message) => locale.format(message),
        Body::Problem(problem) => {
            let text = locale.problem(problem);
            format!("{}. {}", text.what.trim_end_matches('.'), text.next)
        }
    };
    let thread = std::thread::Builder::new().name("notice".to_owned());
    let shown = thread.spawn(move || {
        let sent = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(zbus::Error::from)
            .and_then(|runtime| runtime.block_on(send(&title, &body)));
        if let Err(error) = sent {
            tracing::info!("a notice could not be shown");
            tracing::debug!(%error, "the desktop's word for it");
        }
    });
    if let Err(error) = shown {
        tracing::warn!(%error, "a notice could not be shown");
    }
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

//! `/v1` from a page of another origin, over the certificate that the browser trusts.

use crate::machine;
use crate::sdk::Sdk;
use crate::webdriver::{Options, Session};
use crate::{driver, until};
use hub::protocol::local::{Softphone, Standing};
use hub::protocol::{DeviceEvent, ToUser};
use serde_json::{Value, json};
use std::path::Path;

/// Begins an event stream and keeps what comes; `window.seen` and `window.failed` tell.
const LISTEN: &str = r#"
window.seen = [];
window.failed = 0;
const stream = new EventSource(arguments[0] + "/v1/events");
for (const name of ["state", "device", "call", "updates"]) {
  stream.addEventListener(name, (e) => window.seen.push([name, JSON.parse(e.data)]));
}
stream.addEventListener("error", () => { window.failed += 1; });
"#;

/// A call made with fetch, which needs a preflight; gives status and body, or the error.
const CALL: &str = r#"
try {
  const answer = await fetch(arguments[0] + "/v1/calls", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ direction: "incoming", contact: "Kim" }),
  });
  return [answer.status, await answer.json()];
} catch (error) {
  return [0, String(error)];
}
"#;

/// What any page may ask; gives status and body, or the error.
const HEALTH: &str = r#"
try {
  const answer = await fetch(arguments[0] + "/v1/health");
  return [answer.status, await answer.json()];
} catch (error) {
  return [0, String(error)];
}
"#;

pub(crate) fn trust(ca: &Path) {
    let home = std::env::var("HOOKSWITCH_BROWSER_HOME").expect(crate::HOW);
    let store = format!("sql:{home}/.pki/nssdb");
    // Tests at the same time share the store: one after the other, and each under a name of its own.
    let turn = std::fs::File::create(format!("{home}/.pki/turn")).expect("a file");
    turn.lock().expect("a turn");
    let name = ca.display().to_string();
    let certutil = std::process::Command::new("certutil")
        .args(["-d", &store, "-A", "-t", "C,,", "-n", &name, "-i"])
        .arg(ca)
        .status()
        .expect("certutil (package libnss3-tools) runs");
    assert!(certutil.success(), "{certutil}");
}

/// An empty page on a port of its own, which makes it an origin of its own.
pub(crate) async fn page() -> String {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", socket.local_addr().expect("an address"));
    let html = "<!doctype html><html lang=en><title>Softphone</title><link rel=icon href=data:,>";
    let page = axum::routing::get(async move || axum::response::Html(html));
    tokio::spawn(async move { axum::serve(socket, axum::Router::new().route("/", page)).await });
    origin
}

#[tokio::test]
async fn an_approved_page_gets_state_and_events_and_another_gets_nothing() {
    let sdk = Sdk::open_with(machine::state()).await;
    trust(&sdk.home.path().join("certificate/ca.pem"));
    let (softphone, stranger) = (page().await, page().await);
    sdk.decide(&softphone, true).await;
    let url = json!(sdk.server.url());

    let session = Session::new(&driver(), &Options::default()).await.expect("a browser");
    session.goto(&softphone).await.expect("a page");
    session.script(LISTEN, std::slice::from_ref(&url)).await.expect("a stream");
    let seen = async |count: usize| {
        until(&format!("{count} events came"), async || {
            let seen = session.script("return window.seen.length", &[]).await.expect("an answer");
            seen.as_u64().is_some_and(|n| n >= count as u64)
        })
        .await;
        session.script("return window.seen", &[]).await.expect("events")
    };
    let first = seen(1).await;
    assert_eq!(first[0][0], "state");
    assert_eq!(first[0][1]["devices"][0]["product"], "Desk One");

    let made = session.script(CALL, std::slice::from_ref(&url)).await.expect("an answer");
    assert_eq!(made[0], 201, "{made}");
    assert_eq!(made[1]["client"], softphone);
    let headset = sdk.handle.view().devices[0].id.clone();
    sdk.service.say(ToUser::DeviceEvent { id: headset, event: DeviceEvent::Answer }).await;
    let events = seen(3).await;
    let what: Vec<(&Value, &Value)> =
        events.as_array().expect("a list")[1..].iter().map(|e| (&e[1]["what"], &e[1]["cause"])).collect();
    assert_eq!(what, [(&json!("ringing"), &json!("softphone")), (&json!("answered"), &json!("device"))]);
    assert_eq!(session.script("return window.failed", &[]).await.expect("an answer"), 0);
    assert_eq!(session.log().await.expect("a log"), Vec::<String>::new());

    // The same page from another port is another origin.
    session.goto(&stranger).await.expect("a page");
    session.script(LISTEN, std::slice::from_ref(&url)).await.expect("a try");
    until("the stream is refused", async || {
        session.script("return window.failed", &[]).await.expect("an answer").as_u64().is_some_and(|n| n > 0)
    })
    .await;
    assert_eq!(session.script("return window.seen.length", &[]).await.expect("an answer"), 0);
    // It can read why: the code is for the page, to say what to do.
    let refused = session.script(CALL, std::slice::from_ref(&url)).await.expect("an answer");
    assert_eq!((&refused[0], &refused[1]["code"]), (&json!(403), &json!("origin-not-approved")), "{refused}");
    let health = session.script(HEALTH, std::slice::from_ref(&url)).await.expect("an answer");
    assert_eq!((&health[0], &health[1]["product"]), (&json!(200), &json!("hookswitch")), "{health}");
    assert_eq!(sdk.handle.view().calls.len(), 1);
    let asks = |s: &Softphone| s.client.name() == stranger && s.standing == Standing::Asking;
    assert!(sdk.handle.view().softphones.iter().any(asks), "{:?}", sdk.handle.view().softphones);

    // Taken back: the stream of the first page ends at once.
    session.goto(&softphone).await.expect("a page");
    session.script(LISTEN, std::slice::from_ref(&url)).await.expect("a stream");
    seen(1).await;
    sdk.decide(&softphone, false).await;
    until("the stream ends", async || {
        session.script("return window.failed", &[]).await.expect("an answer").as_u64().is_some_and(|n| n > 0)
    })
    .await;
    session.delete().await.expect("the end");
}

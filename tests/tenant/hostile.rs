//! A TLS server that is no tenant: each answer is the bytes a test gives it.

use crate::rig::{ca, clear, deliver, enrol};
use hookswitch::shell::tenant::{TenantConfig, TenantRoom};
use hub::machine::{Delivery, FailureKind, Owed, TenantFailure};
use hub::problem::Code;
use rustls::pki_types::PrivateKeyDer;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What servers heard, each request by itself.
type Heard = Arc<Mutex<Vec<String>>>;

/// A room whose server answers every request with `answer` and closes.
fn room(folder: &tempfile::TempDir, answer: impl Fn(u16) -> Vec<u8> + Send + 'static) -> TenantRoom {
    let (server, mut rooms) = server();
    listen(server, Heard::default(), answer);
    rooms(folder)
}

/// A listener with a certificate for `localhost`, and what makes rooms for it.
fn server() -> ((TcpListener, Arc<rustls::ServerConfig>), impl FnMut(&tempfile::TempDir) -> TenantRoom) {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let rooms = move |folder: &tempfile::TempDir| {
        let mut room = TenantRoom::new(TenantConfig {
            name: "hostile".to_owned(),
            source: hub::tenancy::TenantSource::named(&format!("https://localhost:{port}")),
            tenant_id: "contoso".to_owned(),
            tenant_token: "s3cr3t-token".to_owned(),
            pinned_root_sha256: None,
            extra_ca: Some(ca(certified.cert.pem().into_bytes())),
            data: folder.path().join("agent"),
        })
        .unwrap();
        room.use_key(&crate::rig::key());
        room
    };
    ((listener, config), rooms)
}

fn listen(
    (listener, config): (TcpListener, Arc<rustls::ServerConfig>),
    heard: Heard,
    answer: impl Fn(u16) -> Vec<u8> + Send + 'static,
) {
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for tcp in listener.incoming() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut tls = rustls::StreamOwned::new(connection, tcp.unwrap());
            let mut request = [0; 16 * 1024];
            let read = tls.read(&mut request).unwrap_or_default();
            heard.lock().unwrap().push(String::from_utf8_lossy(&request[..read]).into_owned());
            let _ = tls.write_all(&answer(port));
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    });
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

async fn failure_of(answer: impl Fn(u16) -> Vec<u8> + Send + 'static) -> TenantFailure {
    let folder = tempfile::tempdir().unwrap();
    let failure = enrol(&mut room(&folder, answer)).await.unwrap_err();
    clear(&failure.problem);
    let shown = format!("{failure:?} {}", failure.problem);
    assert!(!shown.contains("s3cr3t"), "{shown}");
    failure
}

/// An answer of 307 or 308 would have the whole request sent again, to whomever it names.
#[tokio::test]
async fn a_redirect_takes_no_secret_elsewhere() {
    let report = tenant::wire::UserRegistration { user: "jane".to_owned(), display: None, groups: vec![] };
    let owed = [Owed { id: "u".to_owned(), unix_s: 1, delivery: Delivery::User(report) }];
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let folder = tempfile::tempdir().unwrap();
        let (first, mut rooms) = server();
        let (_, config) = &first;
        let second = (TcpListener::bind("127.0.0.1:0").unwrap(), config.clone());
        let elsewhere = second.0.local_addr().unwrap().port();
        let heard = Heard::default();
        listen(second, heard.clone(), |_| http("200 OK", "", "{}"));
        listen(first, Heard::default(), move |_| {
            http(status, &format!("Location: https://localhost:{elsewhere}/v2/enrol\r\n"), "")
        });
        let mut room = rooms(&folder);
        for failure in
            [enrol(&mut room).await.unwrap_err(), deliver(&mut room, &owed, "t0ken").await.unwrap_err()]
        {
            clear(&failure.problem);
            assert_eq!(failure.problem.code, Code::TenantRedirect, "{status}: {}", failure.problem);
        }
        let heard = heard.lock().unwrap();
        assert!(heard.is_empty(), "{status}: the other server heard {heard:?}");
    }
}

#[tokio::test]
async fn redirects_stay_on_https_and_end() {
    let plain =
        failure_of(|port| http("302 Found", &format!("Location: http://localhost:{port}/\r\n"), "")).await;
    assert_eq!((plain.problem.code.as_str(), plain.kind), ("tenant-redirect", FailureKind::Unreachable));
    let round =
        failure_of(|port| http("307 Found", &format!("Location: https://localhost:{port}/x\r\n"), "")).await;
    assert_eq!((round.problem.code.as_str(), round.kind), ("tenant-redirect", FailureKind::Unreachable));
}

#[tokio::test]
async fn the_server_may_say_when_to_come_back() {
    let busy = failure_of(|_| http("503 Busy", "Retry-After: 120\r\n", "")).await;
    assert_eq!((busy.kind, busy.retry_after), (FailureKind::ServerError, Some(Duration::from_secs(120))));
    let many = failure_of(|_| http("429 Many", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "")).await;
    assert_eq!((many.kind, many.retry_after), (FailureKind::ServerError, Some(Duration::ZERO)));
    let vague = failure_of(|_| http("500 Oh", "Retry-After: soon\r\n", "")).await;
    assert_eq!((vague.kind, vague.retry_after), (FailureKind::ServerError, None));
}

#[tokio::test]
async fn answers_that_are_none() {
    for (name, answer) in [
        ("a field missing", http("200 OK", "", r#"{"access_token":"s3cr3t-token"}"#)),
        (
            "another type",
            http("200 OK", "", r#"{"access_token":["s3cr3t"],"expires_in_s":1,"root_sha256":""}"#),
        ),
        ("too long", http("200 OK", "", &"x".repeat(2 * 1024 * 1024))),
    ] {
        let failure = failure_of(move |_| answer.clone()).await;
        assert_eq!(
            (failure.problem.code.as_str(), failure.kind),
            ("tenant-answer", FailureKind::ServerError),
            "{name}"
        );
    }
    let echo = r#"{"title":"no","detail":"bad token s3cr3t-token\r\nX"}"#;
    let echo = failure_of(move |_| http("400 Bad", "Content-Type: application/problem+json\r\n", echo)).await;
    assert_eq!(echo.kind, FailureKind::Rejected);
    assert!(echo.problem.what().contains("bad token …X"), "{}", echo.problem);
    let logged = echo.problem.to_string();
    assert!(logged.contains("400") && !logged.contains("bad token"), "a log has no server's words: {logged}");
    let cut = failure_of(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()).await;
    assert_eq!(cut.kind, FailureKind::Unreachable, "{}", cut.problem);
    let noise = failure_of(|_| vec![0xff; 4096]).await;
    assert_eq!(noise.kind, FailureKind::Unreachable, "{}", noise.problem);
    // A trust anchor that is announced and never comes.
    let empty = r#"{"access_token":"a","expires_in_s":60,"root_sha256":"00"}"#;
    let anchor = failure_of(move |_| http("200 OK", "", empty)).await;
    assert_eq!((anchor.problem.code.as_str(), anchor.kind), ("tenant-root", FailureKind::Refused));
}

#[tokio::test]
async fn advice_for_the_wrong_person_a_guest_network_is_named() {
    let page = "<!doctype html><title>Please log on to the hotel's network</title>";
    for (name, answer) in [
        ("a page", http("200 OK", "Content-Type: text/html; charset=utf-8\r\n", page)),
        ("a page that does not say so", http("200 OK", "", page)),
        ("RFC 6585", http("511 Network Authentication Required", "", "{}")),
    ] {
        let failure = failure_of(move |_| answer.clone()).await;
        let told = (failure.problem.code.as_str(), failure.kind);
        assert_eq!(told, ("tenant-intercepted", FailureKind::Unreachable), "{name}");
        assert!(!failure.problem.next().contains("server"), "nobody here can mend it: {}", failure.problem);
    }
    let portal = |_| http("302 Found", "Location: http://portal.example/\r\n", "");
    let portal = failure_of(portal).await;
    assert_eq!(portal.kind, FailureKind::Unreachable);
    assert!(portal.problem.next().contains("log on"), "{}", portal.problem);
}

#[tokio::test]
async fn a_user_name_in_an_error_is_cut_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut room = room(&folder, |_| http("400 Bad", "", r#"{"title":"no","detail":"jörg is not welcome"}"#));
    let user = tenant::wire::UserRegistration { user: "jörg".to_owned(), display: None, groups: vec![] };
    let owed = Owed { id: "u".to_owned(), unix_s: 1, delivery: Delivery::User(user) };
    let failure = deliver(&mut room, &[owed], "t0ken").await.unwrap_err();
    assert!(failure.problem.what().contains("… is not welcome"), "{}", failure.problem);
    assert!(failure.problem.place().ends_with("/hosts/…/users/…"), "{}", failure.problem);
}

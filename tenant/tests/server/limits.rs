//! Those who say little, knock wrongly or ask for much keep nobody out.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;
use tenant::paths;

use crate::rig::{Host, Server, Tenant, problem};

fn tls(tenant: &Tenant, server: &Server) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    let ca = std::fs::read(tenant.value("ca_pem")).expect("ca.pem");
    roots.add(CertificateDer::from_pem_slice(&ca).expect("a certificate")).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let tcp = TcpStream::connect(address(server)).expect("connects");
    tcp.set_read_timeout(Some(Duration::from_millis(500))).expect("a timeout");
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).expect("a connection"), tcp)
}

fn address(server: &Server) -> SocketAddr {
    server.url.strip_prefix("https://").expect("https").parse().expect("an address")
}

/// Whether the server ends a connection on which `bytes` come one by one, twice a second.
fn is_cut(mut tls: StreamOwned<ClientConnection, TcpStream>, begin: &str, bytes: &str) -> bool {
    tls.write_all(begin.as_bytes()).expect("the beginning is taken");
    let patience = Instant::now() + Duration::from_secs(100);
    for byte in bytes.as_bytes().iter().cycle() {
        if Instant::now() > patience {
            return false;
        }
        if tls.write_all(&[*byte]).and_then(|()| tls.flush()).is_err() {
            return true;
        }
        match tls.read(&mut [0; 1024]) {
            Ok(0) => return true,
            // Its last words.
            Ok(_) => {}
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => return true,
        }
    }
    false
}

#[test]
fn a_deadline_ends_those_who_drip() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let header = tls(&tenant, &server);
    let body = tls(&tenant, &server);
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
        paths::ENROL
    );
    let header = std::thread::spawn(move || is_cut(header, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "s"));
    let body = std::thread::spawn(move || is_cut(body, &request, " "));
    assert!(header.join().expect("no panic"), "a header that never ends");
    assert!(body.join().expect("no panic"), "a body that never ends");
}

/// More bodies on their way than requests are worked on at a time.
#[tokio::test]
async fn slow_bodies_keep_no_request_out() {
    let tenant = Tenant::new();
    let server = tenant.serve(&["--connections-per-peer", "300"]);
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{",
        paths::ENROL
    );
    let slow: Vec<_> = (0..260)
        .map(|_| {
            let mut connection = tls(&tenant, &server);
            connection.write_all(request.as_bytes()).and_then(|()| connection.flush()).expect("taken");
            connection
        })
        .collect();
    let host = server.enrol_as(&tenant, "HOST-1").await;
    assert_eq!(server.enrol(&host).await.status(), 200);
    drop(slow);
}

#[tokio::test]
async fn one_peer_has_its_connections_and_no_more() {
    let tenant = Tenant::new();
    let server = tenant.serve(&["--connections-per-peer", "8"]);
    let silent: Vec<_> = (0..8).map(|_| TcpStream::connect(address(&server)).expect("connects")).collect();
    let ask = async |client: &reqwest::Client| {
        client
            .get(format!("{}{}", server.url, paths::HEALTH))
            .send()
            .await
            .map(|answer| answer.status().as_u16())
    };
    let mut refused = false;
    for _ in 0..50 {
        // The first of the eight may not have been counted yet.
        refused |= ask(&server.client).await.is_err();
    }
    assert!(refused, "a ninth connection");
    let ca = std::fs::read(tenant.value("ca_pem")).expect("ca.pem");
    let ca = reqwest::Certificate::from_pem(&ca).expect("a certificate");
    let other = reqwest::Client::builder().tls_certs_only([ca]).no_proxy();
    let other = other.local_address(std::net::IpAddr::from([127, 0, 0, 2])).build().expect("a client");
    assert_eq!(ask(&other).await.expect("an answer"), 200, "another address is not concerned");
    drop(silent);
}

#[cfg(unix)]
#[tokio::test]
async fn wrong_tokens_leave_one_line() {
    let tenant = Tenant::new();
    let mut server = tenant.serve(&[]);
    let mut host = Host::new(&tenant, "HOST-1");
    host.token = "wrong".to_owned();
    for _ in 0..12 {
        let body = json!({ "user": "jane", "groups": [] });
        problem(server.put(&host, &paths::user("HOST-1", "jane"), &body).await, 401).await;
    }
    let pid = server.child.id().to_string();
    std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
    assert!(server.child.wait().expect("it ends").success());
    let said = std::fs::read_to_string(tenant.log()).expect("its stderr");
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("wrong token")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains("12 requests") && lines[0].contains("127.0.0.1"), "{said}");
}

#[tokio::test]
async fn new_hosts_are_counted_by_address_and_in_all() {
    let tenant = Tenant::new();
    let server = tenant.serve(&["--new-hosts-per-minute", "0"]);
    let first = server.enrol_as(&tenant, "HOST-0").await;
    for n in 1..60 {
        server.enrol_as(&tenant, &format!("HOST-{n}")).await;
    }
    let ghost = server.enrol(&Host::new(&tenant, "GHOST")).await;
    assert!(ghost.headers().contains_key("retry-after"));
    assert!(problem(ghost, 429).await.contains("new hosts"));
    assert_eq!(server.enrol(&first).await.status(), 200, "a known host is none of them");

    let full = tenant.serve(&["--max-hosts", "60"]);
    assert!(problem(full.enrol(&Host::new(&tenant, "GHOST")).await, 403).await.contains("60 hosts"));
    assert_eq!(full.enrol(&first).await.status(), 200);
}

#[tokio::test]
async fn one_host_fills_its_own_shelf_only() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let host = server.enrol_as(&tenant, "HOST-1").await;
    let database = rusqlite::Connection::open(tenant.dir.join("tenant.db")).expect("opens");
    for table in [
        "device (system_id, device_id, registration, seen_at)",
        "user (system_id, user, registration, seen_at)",
    ] {
        let rows = format!(
            "INSERT INTO {table} WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
             SELECT 'HOST-1', 'N' || i, '{{}}', 1 FROM n"
        );
        database.execute_batch(&rows).expect("rows");
    }
    let device = |id: &str| json!({ "device_id": id, "vendor_id": 1, "product_id": 2, "vendor": "", "product": "", "attached": true });
    let user = |name: &str| json!({ "user": name, "groups": [] });
    for (path, body, status) in [
        (paths::device("HOST-1", "N1"), device("N1"), 204),
        (paths::device("HOST-1", "NEW"), device("NEW"), 403),
        (paths::user("HOST-1", "N1"), user("N1"), 204),
        (paths::user("HOST-1", "NEW"), user("NEW"), 403),
    ] {
        assert_eq!(server.put(&host, &path, &body).await.status(), status, "{path}");
    }
    let events = |from: u32| -> Vec<u8> {
        let event = |n| json!({ "specversion": "1.0", "id": format!("E-{n}"), "source": "s", "type": "t", "time": "2026-11-24T09:30:00Z" });
        json!((from..from + 1_000).map(event).collect::<Vec<_>>()).to_string().into_bytes()
    };
    for n in 0..10 {
        assert_eq!(server.send_events(&host, false, events(n * 1_000)).await.status(), 200, "{n}");
    }
    let more = server.send_events(&host, false, events(10_000)).await;
    assert!(more.headers().contains_key("retry-after"));
    assert!(problem(more, 429).await.contains("events of this host"));
    let other = server.enrol_as(&tenant, "HOST-2").await;
    assert_eq!(server.send_events(&other, false, events(0)).await.status(), 200);
}

#[tokio::test]
async fn enrolling_again_and_again_uses_up_a_host_s_requests() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let host = server.enrol_as(&tenant, "HOST-1").await;
    let mut again = server.enrol(&host).await;
    for _ in 0..1_000 {
        if again.status() != 200 {
            break;
        }
        again = server.enrol(&host).await;
    }
    assert!(again.headers().contains_key("retry-after"));
    assert!(problem(again, 429).await.contains("requests of this host"));
    server.enrol_as(&tenant, "HOST-2").await;
}

#[tokio::test]
async fn one_host_s_events_are_bounded_in_bytes() {
    const MEBIBYTE: i64 = 1024 * 1024;
    let tenant = Tenant::new();
    let database = || rusqlite::Connection::open(tenant.dir.join("tenant.db")).expect("opens");
    let event = |n: u32| {
        let data = "y".repeat(1_000_000);
        let event = json!([{ "specversion": "1.0", "id": format!("E-{n}"), "source": "s", "type": "t", "time": "2026-11-24T09:30:00Z", "data": data }]);
        event.to_string().into_bytes()
    };
    let host = tenant.serve(&[]).enrol_as(&tenant, "HOST-1").await;
    let mut sent = 0;
    // The server's memory of what was used up ends with it.
    for _ in 0..3 {
        let server = tenant.serve(&[]);
        let mut last = None;
        for _ in 0..20 {
            sent += 1;
            let answer = server.send_events(&host, false, event(sent)).await;
            if answer.status() != 200 {
                last = Some(answer);
                break;
            }
        }
        assert!(problem(last.expect("refused"), 429).await.contains("bytes in events of this host"));
        database().execute("UPDATE event SET received_at = received_at - 100", []).expect("older");
    }
    let kept: i64 = database()
        .query_row("SELECT sum(length(CAST(event AS BLOB))) FROM event", [], |row| row.get(0))
        .expect("a sum");
    assert!(sent > 40 && kept <= 33 * MEBIBYTE, "{sent} sent, {kept} bytes kept");
}

#[tokio::test]
async fn groups_are_told_of_users_of_that_host_only() {
    let tenant = Tenant::new();
    tenant.publish_policy(&json!({
        "schema": 1, "company": "Contoso",
        "groups": [{ "id": "board", "name": "Board", "priority": 1, "rule": { "kind": "manual" } }]
    }));
    tenant.done("assign", &["--user", "ceo", "--group", "board"]);
    let server = tenant.serve(&[]);
    let (desk, lobby) = (server.enrol_as(&tenant, "DESK").await, server.enrol_as(&tenant, "LOBBY").await);
    let ceo = json!({ "user": "ceo", "groups": [] });
    assert_eq!(server.put(&desk, &paths::user("DESK", "ceo"), &ceo).await.status(), 204);
    let groups =
        async |host: &Host, id: &str| server.sign(host, server.get(&paths::user_groups(id, "ceo"))).await;
    assert_eq!(groups(&desk, "DESK").await.status(), 200);
    assert!(problem(groups(&lobby, "LOBBY").await, 404).await.contains("register"));
}

#[tokio::test]
async fn characters_that_make_a_list_lie_are_refused_by_field() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let host = server.enrol_as(&tenant, "HOST-1").await;
    for hostile in ["A\u{1b}[2J", "A\nB", "\u{202e}321", "A\u{200f}", "\u{2066}A"] {
        for field in ["serial", "vendor", "product", "port", "firmware_version"] {
            let mut device = json!({
                "device_id": "D", "vendor_id": 1, "product_id": 2, "vendor": "", "product": "", "attached": true
            });
            device[field] = json!(hostile);
            let answer = server.put(&host, &paths::device("HOST-1", "D"), &device).await;
            let said = problem(answer, 400).await;
            assert!(said.contains(&format!("{field}: expected")), "{field} {hostile:?}: {said}");
        }
    }
}

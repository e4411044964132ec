//! The door itself: its port, its certificate and its file, at the start and later.

use super::sdk::Events;
use super::*;
use hookswitch::shell::rest::Keeper;
use hub::problem::Code;
use hub::settings::DoorPlace;
use hub::user::DoorState;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

fn config(home: &Path, port: u16, certificate: Terms) -> RestConfig {
    RestConfig {
        place: DoorPlace { port, plain: None },
        certificate_folder: home.join("certificate"),
        certificate,
        endpoint_path: home.join("endpoint.json"),
    }
}

async fn closed(keeper: &mut Keeper) -> Problem {
    match keeper.check().await {
        DoorState::Closed(problem) => problem,
        DoorState::Open { .. } => panic!("the port is taken"),
    }
}

#[tokio::test]
async fn a_taken_port_names_its_holder_and_the_door_opens_once_it_is_free() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = holder.local_addr().expect("an address").port();
    let home = tempfile::tempdir().expect("a folder");
    let service = PlayedMachine::start(State::default()).await;
    let config = config(home.path(), port, Terms::default());
    let endpoint = config.endpoint_path.clone();
    let mut keeper = Keeper::new(config, service.handle.clone());
    for _ in 0..2 {
        let problem = closed(&mut keeper).await;
        assert_eq!(problem.code, Code::RestPortTaken);
        assert_eq!(
            (&problem.args["port"], &problem.place()),
            (&port.to_string(), &format!("127.0.0.1:{port}"))
        );
        let ourselves = std::process::id().to_string();
        assert!(problem.what().contains(&ourselves), "{problem}");
        assert!(!endpoint.exists());
    }
    drop(holder);
    let DoorState::Open { endpoint, .. } = keeper.check().await else { panic!("it is free") };
    assert_eq!(endpoint.url, Some(format!("https://127.0.0.1:{port}")));
}

/// Softphones that speak HTTPS are no worse off for a port that they do not use.
#[tokio::test]
async fn a_taken_port_of_plain_http_closes_that_alone_until_it_is_free() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = holder.local_addr().expect("an address").port();
    let home = tempfile::tempdir().expect("a folder");
    let service = PlayedMachine::start(State::default()).await;
    let mut config = config(home.path(), 0, Terms::default());
    config.place.plain = Some(port);
    let mut server = rest::start(config, service.handle.clone()).await.expect("the door opens");
    let health = format!("{}/v1/health", server.url());
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build();
    let client = client.expect("a client");
    assert_eq!(client.get(health).send().await.expect("an answer").status(), 200);
    for _ in 0..2 {
        let DoorState::Open { notice, renew_in, .. } = server.check().await else { panic!("it is open") };
        let problem = notice.expect("why plain HTTP is not spoken");
        assert_eq!((problem.code, &problem.args["port"]), (Code::RestPlainClosed, &port.to_string()));
        assert!(problem.what().contains(&std::process::id().to_string()), "{problem}");
        assert_eq!((renew_in, server.plain_url()), (Some(Duration::from_secs(60)), None));
    }
    drop(holder);
    let DoorState::Open { notice, .. } = server.check().await else { panic!("it is open") };
    assert_eq!((notice, server.plain_url()), (None, Some(format!("http://127.0.0.1:{port}"))));
    let info = format!("http://127.0.0.1:{port}/Spokes/DeviceServices/Info");
    assert_eq!(client.get(info).send().await.expect("an answer").status(), 200);
    server.stop().await;
    assert!(TcpListener::bind(("127.0.0.1", port)).is_ok(), "it is let go");
}

/// Whoever says `localhost` may get either address, so one of them is not enough.
#[tokio::test]
async fn the_address_that_is_named_is_the_one_that_is_taken() {
    let Ok(holder) = TcpListener::bind("[::1]:0") else { panic!("this machine has no IPv6 loopback") };
    let port = holder.local_addr().expect("an address").port();
    let home = tempfile::tempdir().expect("a folder");
    let service = PlayedMachine::start(State::default()).await;
    let mut keeper = Keeper::new(config(home.path(), port, Terms::default()), service.handle.clone());
    let problem = closed(&mut keeper).await;
    assert_eq!((problem.code.as_str(), problem.place()), ("rest-port-taken", format!("[::1]:{port}")));
    assert!(problem.what().contains(&std::process::id().to_string()), "{}", problem.what());
}

/// A program that ended is blamed no longer than until the next look, which its end itself brings about.
#[tokio::test]
async fn a_holder_that_ends_lets_the_door_open_at_once() {
    let home = tempfile::tempdir().expect("a folder");
    let mut python = std::process::Command::new("python3")
        .args([
            "-uc",
            "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1]); input()",
        ])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python3");
    let mut line = String::new();
    let said = python.stdout.take().expect("its words");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(said), &mut line).expect("its port");
    let port = line.trim().parse().expect("a port");
    let service = PlayedMachine::start(State::default()).await;
    let mut keeper = Keeper::new(config(home.path(), port, Terms::default()), service.handle.clone());
    let problem = closed(&mut keeper).await;
    assert!(problem.what().contains(&format!("python3, process {}", python.id())), "{}", problem.what());
    let (_asks, asked) = tokio::sync::mpsc::channel(1);
    let (_stop, stopped) = tokio::sync::oneshot::channel();
    let (_place, moved) = tokio::sync::watch::channel(DoorPlace { port, plain: None });
    let mut views = service.handle.views();
    let keeping = tokio::spawn(keeper.run(asked, moved, stopped));
    python.kill().expect("killed");
    python.wait().expect("ended");
    let opened = views.wait_for(|view| view.rest.url.is_some());
    tokio::time::timeout(std::time::Duration::from_secs(10), opened).await.expect("in time").expect("a view");
    keeping.abort();
}

/// A leaf of `peer`'s certificate, as a new connection is shown it.
async fn shown(url: &str) -> Vec<u8> {
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .tls_info(true)
        .no_proxy()
        .build()
        .expect("a client");
    let response = client.get(url).send().await.expect("an answer");
    let info = response.extensions().get::<reqwest::tls::TlsInfo>().expect("TLS");
    info.peer_certificate().expect("a certificate").to_vec()
}

#[tokio::test]
async fn what_was_looked_at_only_at_start_a_certificate_that_ends_gives_way_without_a_dropped_stream() {
    let home = tempfile::tempdir().expect("a folder");
    let service = PlayedMachine::start(machine::state()).await;
    let hour = Duration::from_secs(3600);
    // Good for an hour, and renewed all the time.
    let terms = Terms { valid: hour, renew_before: hour * 2 };
    let config = config(home.path(), 0, terms);
    let mut server = rest::start(config.clone(), service.handle.clone()).await.expect("the door opens");
    let file = std::fs::read(&config.endpoint_path).expect("the file");
    let file: Value = serde_json::from_slice(&file).expect("JSON");
    let first = shown(server.url()).await;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let ends_s = server.endpoint().certificate_ends_s.expect("an end");
    assert!((now_s + 3500..=now_s + 3600).contains(&ends_s), "{ends_s}");

    let stream = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .no_proxy()
        .build()
        .expect("a client")
        .get(format!("{}/v1/events", server.url()))
        .bearer_auth(file["token"].as_str().expect("a token"))
        .header("x-hookswitch-client", "desk");
    let mut events = Events::of(stream.send().await.expect("a stream"));
    assert_eq!(events.next().await.expect("an event").name, "state");

    let DoorState::Open { notice, endpoint, .. } = server.check().await else { panic!("it is open") };
    assert_eq!(notice.expect("who trusted the old one must know").code, Code::CertificateRenewed);
    assert!(endpoint.certificate_ends_s.expect("an end") >= ends_s);
    let second = shown(server.url()).await;
    assert_ne!(first, second, "another certificate for who connects now");
    let leaf = std::fs::read(home.path().join("certificate/leaf.pem")).expect("the leaf");
    let leaf = rustls::pki_types::pem::PemObject::from_pem_slice(&leaf);
    assert_eq!(leaf.map(|l: rustls::pki_types::CertificateDer<'_>| l.to_vec()).expect("PEM"), second);

    service.say(ToUser::DeviceRemoved { id: "1209-0001-A1B2".to_owned() }).await;
    assert_eq!(events.next().await.expect("the stream goes on").name, "device-removed");
}

#[tokio::test]
async fn a_certificate_that_does_is_kept_and_a_lost_file_for_programs_is_written_again() {
    let home = tempfile::tempdir().expect("a folder");
    let service = PlayedMachine::start(State::default()).await;
    let config = config(home.path(), 0, Terms::default());
    let mut server = rest::start(config.clone(), service.handle.clone()).await.expect("the door opens");
    let (certificate, file) =
        (shown(server.url()).await, std::fs::read(&config.endpoint_path).expect("the file"));
    std::fs::remove_file(&config.endpoint_path).expect("removed");
    let DoorState::Open { notice, renew_in, .. } = server.check().await else { panic!("it is open") };
    assert_eq!(notice, None);
    let days = renew_in.expect("a time").as_secs() / 86_400;
    assert!((360..=366).contains(&days), "renewed in {days} days");
    assert_eq!(shown(server.url()).await, certificate);
    assert_eq!(std::fs::read(&config.endpoint_path).expect("the file"), file);
}

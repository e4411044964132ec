//! Who may do what at the door, what each may know, and that nobody shuts it for the others.

use crate::sdk::{self, Sdk, json_of};
use crate::{APPROVED, Contract, OFFER, machine};
use hub::problem::Reason;
use hub::protocol::local::{Decider, Standing};
use hub::protocol::{DeviceStatus, Function, ToUser, Trouble};
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

#[tokio::test]
async fn programs_need_the_token_and_pages_an_approved_origin() {
    let sdk = Sdk::open().await;
    let contract = Contract::read();
    for path in ["/v1/health", "/v1/openapi.json"] {
        let response = sdk.stranger(Method::GET, path).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
    for path in ["/v1/devices", "/v1/calls", "/v1/status", "/v1/updates", "/v1/events", "/nothing"] {
        let response = sdk.stranger(Method::GET, path).send().await.expect("an answer");
        contract.check_problem(response, StatusCode::UNAUTHORIZED, "token-needed").await;
        let wrong =
            sdk.stranger(Method::GET, path).bearer_auth("0".repeat(32)).send().await.expect("an answer");
        contract.check_problem(wrong, StatusCode::UNAUTHORIZED, "token-needed").await;
    }
    for origin in ["https://evil.example", "https://phone.example.evil.example", "https://phone.example:8443"]
    {
        let response = sdk
            .page(Method::GET, "/v1/devices", origin)
            .bearer_auth(&sdk.token)
            .send()
            .await
            .expect("an answer");
        let problem = contract.check_problem(response, StatusCode::FORBIDDEN, "origin-not-approved").await;
        assert!(problem["next"].as_str().expect("text").contains("softphones approve"), "{problem}");
    }
    // Nobody is asked about these, and nobody could allow them.
    for origin in ["null", "http://phone.example", "https://phone.example/", "garbage"] {
        let response = sdk.page(Method::GET, "/v1/devices", origin).send().await.expect("an answer");
        let problem = contract.check_problem(response, StatusCode::FORBIDDEN, "origin-not-approvable").await;
        let told = problem.to_string();
        assert!(!told.contains("is asked") && !told.contains("softphones approve"), "{told}");
        assert!(!sdk.handle.view().softphones.iter().any(|s| s.client.name() == origin), "{origin}");
    }
    for origin in [APPROVED, "https://own.example"] {
        let response = sdk.page(Method::GET, "/v1/devices", origin).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["access-control-allow-origin"], origin);
        assert_eq!(response.headers()["vary"], "Origin");
    }
    let two = sdk.page(Method::GET, "/v1/devices", APPROVED).header("origin", "https://evil.example");
    contract
        .check_problem(two.send().await.expect("an answer"), StatusCode::FORBIDDEN, "origin-not-approvable")
        .await;
}

/// What a page of any origin may know: whether the agent is there, and why it is not let in.
#[tokio::test]
async fn a_page_can_tell_what_is_wrong() {
    let sdk = Sdk::open().await;
    let contract = Contract::read();
    for (origin, code) in [("https://new.example", "origin-not-approved"), ("null", "origin-not-approvable")]
    {
        let readable = |response: &Response| {
            let headers = response.headers();
            assert_eq!(headers["access-control-allow-origin"], origin);
            assert_eq!(headers["vary"], "Origin");
            assert!(!headers.contains_key("access-control-allow-credentials"));
        };
        let listed = sdk.handle.view().softphones.len();
        let health = sdk.page(Method::GET, "/v1/health", origin).send().await.expect("an answer");
        readable(&health);
        contract.check("Health", &json_of(health).await);
        sdk.service.settled().await;
        assert_eq!(sdk.handle.view().softphones.len(), listed, "looking is not asking");
        for (method, path) in [(Method::GET, "/v1/devices"), (Method::POST, "/v1/calls")] {
            // The browser asks first; what the answer is, the page is to read.
            let question = sdk
                .page(Method::OPTIONS, path, origin)
                .header("access-control-request-method", method.as_str())
                .header("access-control-request-headers", "content-type")
                .header("access-control-request-private-network", "true")
                .header("access-control-request-local-network", "true");
            let answer = question.send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
            readable(&answer);
            let headers = answer.headers();
            assert_eq!(headers["access-control-allow-methods"], "GET, POST");
            assert_eq!(headers["access-control-allow-headers"], "content-type, last-event-id");
            assert_eq!(headers["access-control-allow-private-network"], "true");
            assert_eq!(headers["access-control-allow-local-network"], "true");
            let refused = sdk.page(method, path, origin).send().await.expect("an answer");
            readable(&refused);
            let told = contract.check_problem(refused, StatusCode::FORBIDDEN, code).await;
            assert_eq!(told["where"], origin);
            let told = told.to_string();
            for secret in [sdk.token.as_str(), "Example Ltd", "Desk One", "own.example", "A1B2"] {
                assert!(!told.contains(secret), "{secret}: {told}");
            }
        }
    }
}

#[tokio::test]
async fn an_approval_is_in_force_at_once_and_remembered() {
    let sdk = Sdk::open().await;
    let waiting = "https://new.example";
    let visit = async |status: StatusCode| {
        let response = sdk.page(Method::GET, "/v1/devices", waiting).send().await.expect("an answer");
        assert_eq!(response.status(), status);
    };
    let standing = || {
        let view = sdk.handle.view();
        view.softphones.iter().find(|s| s.client.name() == waiting).map(|s| s.standing)
    };
    visit(StatusCode::FORBIDDEN).await;
    assert_eq!(standing(), Some(Standing::Asking));
    sdk.decide(waiting, true).await;
    visit(StatusCode::OK).await;
    assert_eq!(standing(), Some(Standing::Approved));
    let kept = sdk.service.settings();
    assert!(kept.contains(r#"sdk_approved = ["https://own.example", "https://new.example"]"#), "{kept}");
    sdk.decide(waiting, false).await;
    visit(StatusCode::FORBIDDEN).await;
    assert_eq!(standing(), Some(Standing::Denied), "it does not ask again");
    let kept = sdk.service.settings();
    assert!(kept.contains(r#"sdk_approved = ["https://own.example"]"#), "{kept}");
    assert!(kept.contains(r#"sdk_denied = ["https://new.example"]"#), "{kept}");
    // The page hears that there is nothing to wait for, on both doors.
    let contract = Contract::read();
    let denied = sdk.page(Method::GET, "/v1/devices", waiting).send().await.expect("an answer");
    let problem = contract.check_problem(denied, StatusCode::FORBIDDEN, "origin-denied").await;
    assert!(!problem.to_string().contains("is asked"), "{problem}");
    let legacy = sdk.page(Method::GET, "/Spokes/DeviceServices/Info", waiting);
    let told = json_of(legacy.send().await.expect("an answer")).await.to_string();
    assert!(told.contains("said no") && !told.contains("is asked"), "{told}");
    sdk.decide(waiting, true).await;
    visit(StatusCode::OK).await;
    assert!(!sdk.service.settings().contains("sdk_denied"), "{}", sdk.service.settings());
}

/// Being approved to speak is no approval to change the headset.
#[tokio::test]
async fn a_page_starts_no_firmware() {
    let sdk = Sdk::open().await;
    let contract = Contract::read();
    for path in [&format!("/v1/updates/{OFFER}/install"), "/v1/updates/x/install"] {
        let page = sdk.page(Method::POST, path, APPROVED).header("content-type", "application/json");
        let refused = page.body("{}").send().await.expect("an answer");
        contract.check_problem(refused, StatusCode::FORBIDDEN, "not-for-pages").await;
    }
    sdk.service.nothing_asked().await;
    let call = sdk.page(Method::POST, "/v1/calls", APPROVED).header("content-type", "application/json");
    let made = call.body(r#"{"direction":"incoming"}"#).send().await.expect("an answer");
    assert_eq!(made.status(), StatusCode::CREATED, "that is what it was approved for");
}

/// Nothing by which a page could tell this person or this computer from others.
#[tokio::test]
async fn a_page_learns_the_least() {
    let mut state = machine::state();
    let broken =
        Reason::HidAccessDenied { error: "/home/alex/.x may not be read".to_owned() }.at("/dev/hidraw0");
    state.devices[0].status = DeviceStatus::Unavailable { problem: broken.clone() };
    state.devices[0].line_busy = true;
    let mut bare = state.devices[0].clone();
    (bare.id, bare.serial) = ("bare".to_owned(), None);
    bare.status = DeviceStatus::NeedsFirmware { problem: broken.clone() };
    state.devices.push(bare);
    state.tenant.server = Some("https://tenant.example.com".to_owned());
    state.tenant.problem = Some(broken.clone());
    state.offers[0].blocked = Some(broken.clone());
    let sdk = Sdk::open_with(state).await;
    let contract = Contract::read();
    let trouble = Trouble { function: Function::Hid, problem: broken };
    sdk.service.say(ToUser::TroublesChanged { troubles: vec![trouble] }).await;
    sdk.post("/v1/calls", &json!({"direction": "incoming", "contact": "Kim"})).await;
    let own = sdk.page(Method::POST, "/v1/calls", "https://own.example");
    let own =
        own.header("content-type", "application/json").body(r#"{"direction":"incoming","contact":"Lee"}"#);
    own.send().await.expect("an answer");

    let mut ids = Vec::new();
    for origin in [APPROVED, "https://own.example"] {
        let stream = sdk.page(Method::GET, "/v1/events", origin).send().await.expect("a stream");
        let state = sdk::Events::of(stream).next().await.expect("the state").data;
        contract.check("StateEvent", &state);
        ids.push(state["devices"][0]["id"].clone());
        let mut told = vec![state.to_string()];
        for path in ["/v1/status", "/v1/devices", "/v1/calls", "/v1/updates", "/Spokes/DeviceServices/Info"] {
            let answer = sdk.page(Method::GET, path, origin).send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            told.push(answer.text().await.expect("text"));
        }
        contract.check("Status", &serde_json::from_str(&told[1]).expect("JSON"));
        let other = if origin == APPROVED { "own.example" } else { "phone.example" };
        let contact = if origin == APPROVED { "Lee" } else { "nobody" };
        for text in told {
            for secret in
                ["A1B2", "/home", "/dev", "tenant.example", "Example Ltd", "Sales", "spring", "desk", "Kim"]
            {
                assert!(!text.contains(secret), "{origin} reads {secret}: {text}");
            }
            assert!(!text.contains(other) && !text.contains(contact), "{origin}: {text}");
        }
    }
    assert_ne!(ids[0], ids[1], "two pages cannot compare notes");
    assert_eq!(sdk.get("/v1/devices").await["devices"][0]["serial"], "A1B2", "a program is the user's own");
}

/// More connections than the door has places, none of which says a word.
#[tokio::test]
async fn silent_connections_shut_the_door_for_nobody() {
    let sdk = Sdk::open().await;
    let address = sdk.server.url().strip_prefix("https://").expect("an address").to_owned();
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(tokio::net::TcpStream::connect(&address).await.expect("room"));
    }
    let answer = tokio::time::timeout(sdk::PATIENCE, sdk.get("/v1/devices")).await.expect("in time");
    assert_eq!(answer["devices"][0]["product"], "Desk One");
    drop(silent);
}

/// A connection to the door that has said `words`.
async fn said(sdk: &Sdk, words: &str) -> tokio_rustls::client::TlsStream<tokio::net::TcpStream> {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    let ca = sdk.server.endpoint().ca_path.expect("a certificate");
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(ca).expect("PEM")).expect("an authority");
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = sdk.server.url().strip_prefix("https://").expect("an address");
    let stream = tokio::net::TcpStream::connect(address).await.expect("room");
    let name = rustls::pki_types::ServerName::try_from("127.0.0.1").expect("a name");
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let mut stream = connector.connect(name, stream).await.expect("TLS");
    let words = words.replace("HOST", address);
    tokio::io::AsyncWriteExt::write_all(&mut stream, words.as_bytes()).await.expect("taken");
    stream
}

/// More connections than the door has places: each has begun a request, none has shown the token.
#[tokio::test]
async fn requests_without_a_token_that_never_end_shut_the_door_for_nobody() {
    let sdk = Sdk::open().await;
    let mut held = Vec::new();
    // Large answers that nobody takes, and bodies that do not come.
    let unread = "GET /v1/openapi.json HTTP/1.1\r\nHost: HOST\r\n\r\n".repeat(60);
    let drips = "GET /v1/health HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    for n in 0..300 {
        held.push(said(&sdk, if n % 2 == 0 { &unread } else { drips }).await);
    }
    let answer = tokio::time::timeout(sdk::PATIENCE, sdk.get("/v1/devices")).await.expect("in time");
    assert_eq!(answer["devices"][0]["product"], "Desk One");
    drop(held);
}

/// The right token among many wrong ones is as good as any of them, on a connection that has only guessed.
#[tokio::test]
async fn while_wrong_tokens_wait_who_guesses_is_not_compared() {
    use tokio::io::AsyncReadExt as _;
    let sdk = Sdk::open().await;
    let ask = |token: &str| {
        format!("GET /v1/status HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer {token}\r\n\r\n")
    };
    let status = async |stream: &mut tokio_rustls::client::TlsStream<_>| {
        let mut answer = vec![0; 64 * 1024];
        let got = tokio::time::timeout(sdk::PATIENCE, stream.read(&mut answer)).await.expect("in time");
        String::from_utf8_lossy(&answer[..got.expect("an answer")]).split(' ').nth(1).map(str::to_owned)
    };
    let mut guesser = said(&sdk, &ask("wrong")).await;
    assert_eq!(status(&mut guesser).await.as_deref(), Some("401"));
    let mut others = Vec::new();
    for _ in 0..8 {
        others.push(said(&sdk, &ask("wrong")).await);
    }
    let address = sdk.server.url().strip_prefix("https://").expect("an address");
    let right = ask(&sdk.token).replace("HOST", address);
    tokio::io::AsyncWriteExt::write_all(&mut guesser, right.as_bytes()).await.expect("taken");
    assert_eq!(status(&mut guesser).await.as_deref(), Some("429"));
    let mut honest = said(&sdk, &ask(&sdk.token)).await;
    assert_eq!(status(&mut honest).await.as_deref(), Some("200"), "who has not guessed is not concerned");
    drop(others);
}

#[tokio::test]
async fn wrong_tokens_are_slowed_and_hold_up_nobody() {
    let sdk = Sdk::open().await;
    let wrong = sdk.token.replace(|c: char| c.is_ascii_hexdigit(), "0");
    let tries: Vec<_> = (0..40)
        .map(|_| sdk.stranger(Method::GET, "/v1/devices").bearer_auth(&wrong).send())
        .map(tokio::spawn)
        .collect();
    let answer = tokio::time::timeout(sdk::PATIENCE, sdk.get("/v1/devices")).await.expect("in time");
    assert_eq!(answer["devices"][0]["product"], "Desk One");
    let mut codes = Vec::new();
    for tried in tries {
        codes.push(tried.await.expect("no panic").expect("an answer").status());
    }
    let of = |status| codes.iter().filter(|code| **code == status).count();
    assert_eq!(of(StatusCode::UNAUTHORIZED) + of(StatusCode::TOO_MANY_REQUESTS), 40, "{codes:?}");
    assert!(of(StatusCode::UNAUTHORIZED) > 0 && of(StatusCode::TOO_MANY_REQUESTS) > 20, "{codes:?}");
}

/// Which program it is the system says. Two copies of one file are two programs; what they call themselves is a label.
#[tokio::test]
async fn programs_are_told_apart_by_the_system_and_not_by_their_word() {
    let sdk = Sdk::open().await;
    let (phone, other) = (sdk.another_program("phone"), sdk.another_program("other"));
    let incoming = json!({"direction": "incoming", "contact": "Kim"});
    let (status, made) = phone.asks("desk", "/v1/calls", Some(&incoming)).await;
    assert_eq!((status, &made["client"]), (201, &json!("desk")));
    let call = &format!("/v1/calls/{}", made["id"]);
    // The same name, the same token, the same bytes on the disk: and still somebody else.
    let (status, problem) = other.asks("desk", &format!("{call}/end"), Some(&json!({}))).await;
    assert_eq!((status, &problem["code"]), (403, &json!("not-your-call")), "{problem}");
    let (_, seen) = other.asks("desk", call, None).await;
    assert_eq!(
        (&seen["client"], &seen["contact"]),
        (&json!("desk"), &json!(null)),
        "what it says is not for others"
    );
    // Another name, and still itself.
    let (_, seen) = phone.asks("renamed", call, None).await;
    assert_eq!(seen["contact"], "Kim");
    let (status, ended) = phone.asks("renamed", &format!("{call}/end"), Some(&json!({}))).await;
    assert_eq!((status, &ended["state"]), (200, &json!("ended")));
    sdk.service.settled().await;
    let view = sdk.handle.view();
    let listed = |program: &sdk::Program| view.softphones.iter().find(|s| s.client.name() == program.name());
    for (program, label) in [(&phone, "renamed"), (&other, "desk")] {
        let listed = listed(program).expect("listed");
        assert_eq!((listed.label.as_deref(), listed.by), (Some(label), Some(Decider::Token)));
    }
}

#[tokio::test]
async fn a_program_is_asked_about_and_revoked_as_a_page_is() {
    let sdk = Sdk::open().await;
    let contract = Contract::read();
    let phone = sdk.another_program("phone");
    let bare = phone.without_token();
    let standing = || {
        let view = sdk.handle.view();
        view.softphones.iter().find(|s| s.client.name() == phone.name()).map(|s| s.standing)
    };
    let (status, problem) = bare.asks("desk", "/v1/devices", None).await;
    contract.check("ProblemDocument", &problem);
    assert_eq!((status, &problem["code"]), (401, &json!("token-needed")));
    assert!(problem["next"].as_str().expect("text").contains(phone.name()), "{problem}");
    sdk.service.settled().await;
    assert_eq!(standing(), Some(Standing::Asking));
    sdk.decide(phone.name(), true).await;
    assert_eq!(bare.asks("desk", "/v1/devices", None).await.0, 200, "at once, and without the token");
    let kept = sdk.service.settings();
    assert!(kept.contains(&format!(r#""https://own.example", "{}""#, phone.name())), "{kept}");
    let install = format!("/v1/updates/{OFFER}/install");
    let (status, problem) = bare.asks("desk", &install, Some(&json!({}))).await;
    assert_eq!((status, &problem["code"]), (401, &json!("token-needed")), "firmware needs the token");
    sdk.service.nothing_asked().await;

    let mut stream = phone.listens("desk").await;
    sdk.decide(phone.name(), false).await;
    let ended = tokio::time::timeout(sdk::PATIENCE, stream.wait()).await.expect("at once");
    assert!(ended.expect("curl ends").code().is_some());
    for program in [&phone, &bare] {
        let (status, problem) = program.asks("desk", "/v1/devices", None).await;
        contract.check("ProblemDocument", &problem);
        assert_eq!((status, &problem["code"]), (403, &json!("program-denied")), "in spite of the token");
    }
    assert_eq!(standing(), Some(Standing::Denied));
    assert!(sdk.service.settings().contains(&format!(r#"sdk_denied = ["{}"]"#, phone.name())));
    assert_eq!(sdk.get("/v1/devices").await["devices"].as_array().map(Vec::len), Some(1), "nobody else is");
}

/// What a page has its browser ask without an Origin is not the browser's own wish.
#[tokio::test]
async fn a_page_does_not_come_in_as_its_browser() {
    let sdk = Sdk::open().await;
    let contract = Contract::read();
    let me = std::env::current_exe().expect("a path").display().to_string();
    sdk.decide(&me, true).await;
    let bare = || sdk.stranger(Method::GET, "/v1/devices");
    assert_eq!(bare().send().await.expect("an answer").status(), StatusCode::OK);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-dest", "script"),
        ("referer", "https://evil.example/"),
        ("cookie", "a=b"),
        ("user-agent", "Mozilla/5.0"),
    ] {
        let refused = bare().header(name, value).send().await.expect("an answer");
        contract.check_problem(refused, StatusCode::UNAUTHORIZED, "token-needed").await;
        let legacy = sdk.stranger(Method::GET, "/Spokes/DeviceServices/Info").header(name, value);
        assert_eq!(json_of(legacy.send().await.expect("an answer")).await["isError"], true, "{name}");
    }
}

//! The SDK's HTTPS door as a softphone meets it: contract, access rules, events.
#![expect(clippy::disallowed_methods, reason = "test code: files, sockets and tasks")]

#[path = "contract/access.rs"]
mod access;
#[path = "contract/door.rs"]
mod door;
#[path = "contract/events.rs"]
mod events;
#[path = "doors/machine.rs"]
mod machine;
#[path = "doors/sdk.rs"]
mod sdk;
#[path = "contract/spokes.rs"]
mod spokes;

use hookswitch::shell::certificate::Terms;
use hookswitch::shell::rest::{self, RestConfig};
use hub::problem::{Code, Reason};
use hub::protocol::{DeviceStatus, Function, Job, JobPhase, Problem, State, ToUser, Trouble};
use hub::settings::DoorPlace;
use machine::PlayedMachine;
use reqwest::{Method, Response, StatusCode};
use sdk::{Sdk, json_of};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

const APPROVED: &str = "https://phone.example";
const HEADSET: &str = "1209-0001-A1B2";
const OFFER: &str = "spring:1209-0001-A1B2";

/// The schemas of the contract, closed: an answer with a member that the contract does not know is a fault here.
struct Contract(Value);

impl Contract {
    fn read() -> Self {
        let mut contract: Value = serde_json::from_str(rest::OPENAPI).expect("openapi.json is JSON");
        close(&mut contract["components"]["schemas"]);
        Self(contract)
    }

    fn check(&self, schema: &str, value: &Value) {
        let mut schemas = boon::Schemas::new();
        let mut compiler = boon::Compiler::new();
        let place = "http://contract.invalid/openapi.json";
        compiler.add_resource(place, self.0.clone()).expect("a resource");
        let index = compiler
            .compile(&format!("{place}#/components/schemas/{schema}"), &mut schemas)
            .unwrap_or_else(|e| panic!("schema {schema}: {e}"));
        if let Err(error) = schemas.validate(value, index) {
            panic!("{schema}: {error}\n{value:#}");
        }
    }

    /// The schema of an event's data.
    fn check_event(&self, event: &sdk::Event) {
        let stream =
            &self.0["paths"]["/v1/events"]["get"]["responses"]["200"]["content"]["text/event-stream"];
        let place = stream["x-events"][&event.name]["data"]["$ref"].as_str();
        let place = place.unwrap_or_else(|| panic!("{} is an event that is not listed", event.name));
        self.check(place.rsplit('/').next().expect("a name"), &event.data);
    }

    /// A route says with which codes it refuses. What the machine role says of an update can be anything.
    fn lists(&self, path: &str, status: StatusCode, code: &str) -> bool {
        let fits = |template: &str| {
            let mut parts = template.split('/').zip(path.split('/'));
            template.split('/').count() == path.split('/').count()
                && parts.all(|(part, given)| part == given || part.starts_with('{'))
        };
        let paths = self.0["paths"].as_object().expect("paths");
        let mut items = paths.iter().filter(|(template, _)| fits(template)).peekable();
        // Of no route, or of no method of one.
        if items.peek().is_none() || status == StatusCode::METHOD_NOT_ALLOWED {
            return true;
        }
        let methods = items.flat_map(|(_, item)| item.as_object().expect("methods").values());
        let mut said = methods.map(|method| &method["responses"][status.as_str()]["description"]);
        said.any(|said| {
            let of_an_update = path.ends_with("/install") && status == StatusCode::CONFLICT;
            said.as_str().is_some_and(|said| of_an_update || said.contains(&format!("`{code}`")))
        })
    }

    async fn check_problem(&self, response: Response, status: StatusCode, code: &str) -> Value {
        assert_eq!(response.status(), status, "expected {code}");
        let path = response.url().path().to_owned();
        assert!(self.lists(&path, status, code), "{path}: the contract does not know of {status} {code}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let document = json_of(response).await;
        self.check("ProblemDocument", &document);
        assert_eq!(document["code"], code);
        assert_eq!(document["status"], status.as_u16());
        for member in ["what", "where", "next"] {
            assert_ne!(document[member], "", "{member}");
        }
        document
    }
}

fn close(value: &mut Value) {
    if let Value::Object(members) = value {
        if members.contains_key("properties") {
            members.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        members.values_mut().for_each(close);
    } else if let Value::Array(items) = value {
        items.iter_mut().for_each(close);
    }
}

#[test]
fn the_contract_lists_exactly_the_routes() {
    let contract = Contract::read().0;
    let paths = contract["paths"].as_object().expect("paths");
    let written: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().expect("an item").keys().map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let built: BTreeSet<_> =
        rest::routes().map(|(method, path)| (method.to_string(), path.to_owned())).collect();
    assert_eq!(written, built);
}

#[tokio::test]
async fn answers_keep_to_the_contract() {
    let mut state = machine::state();
    let problem = Reason::HidAccessDenied { error: "It may not be opened".to_owned() }.at("/dev/hidraw0");
    state.devices.push(machine::device("2", "Broken"));
    state.devices[1].status = DeviceStatus::Unavailable { problem: problem.clone() };
    state.offers[0].blocked = Some(problem.clone());
    let sdk = Sdk::open_with(state).await;
    let trouble = Trouble { function: Function::Hid, problem: problem.clone() };
    sdk.service.say(ToUser::TroublesChanged { troubles: vec![trouble] }).await;
    let contract = Contract::read();

    contract.check("Health", &sdk.get("/v1/health").await);
    contract.check("Status", &sdk.get("/v1/status").await);
    contract.check("Devices", &sdk.get("/v1/devices").await);
    contract.check("Updates", &sdk.get("/v1/updates").await);
    assert_eq!(
        sdk.get("/v1/openapi.json").await,
        serde_json::from_str::<Value>(rest::OPENAPI).expect("JSON")
    );

    let made = sdk.post("/v1/calls", &json!({"direction": "incoming", "contact": "Kim"})).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    assert_eq!(made.headers()["location"], "/v1/calls/1");
    contract.check("Call", &json_of(made).await);
    contract.check("Calls", &sdk.get("/v1/calls").await);
    let ended = ["answer", "hold", "resume", "mute", "unmute", "end"];
    for action in ended {
        let response = sdk.post(&format!("/v1/calls/1/{action}"), &json!({})).await;
        assert_eq!(response.status(), StatusCode::OK, "{action}");
        contract.check("Call", &json_of(response).await);
    }
    let gone = sdk.program(Method::GET, "/v1/calls/1", "desk").send().await.expect("an answer");
    contract.check_problem(gone, StatusCode::NOT_FOUND, "no-such-call").await;

    let path = format!("/v1/updates/{OFFER}/install");
    let refuse = async {
        let request = sdk.service.asked_to_install(OFFER).await;
        sdk.service.answer(request, Some(problem)).await;
    };
    let nothing = json!({});
    let unknown = sdk.post("/v1/updates/autumn/install", &nothing).await;
    contract.check_problem(unknown, StatusCode::NOT_FOUND, "no-such-offer").await;
    sdk.service.nothing_asked().await;
    let (blocked, ()) = tokio::join!(sdk.post(&path, &nothing), refuse);
    contract.check_problem(blocked, StatusCode::CONFLICT, "hid-access-denied").await;
    let offer = machine::offer(OFFER, HEADSET);
    sdk.service.say(ToUser::OffersChanged { offers: vec![offer.clone()] }).await;
    let encoded = path.replace("spring:", "spring%3A");
    let (accepted, job) = tokio::join!(sdk.post(&encoded, &nothing), sdk.service.begin_update(&offer));
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    contract.check("Accepted", &json_of(accepted).await);
    let updates = sdk.get("/v1/updates").await;
    contract.check("Updates", &updates);
    assert_eq!(updates["job"]["phase"], "fetching");
    // The running one is not offered, and asked for all the same: why not, the machine role says.
    sdk.service.say(ToUser::OffersChanged { offers: vec![] }).await;
    let running = Reason::UpdateRunning.at(HEADSET);
    let refuse = async {
        let request = sdk.service.asked_to_install(OFFER).await;
        sdk.service.answer(request, Some(running)).await;
    };
    let (other, ()) = tokio::join!(sdk.post(&path, &nothing), refuse);
    contract.check_problem(other, StatusCode::CONFLICT, "update-running").await;
    let waiting = Job { phase: JobPhase::Queued, device: "second".to_owned(), ..job };
    sdk.service.say(ToUser::QueueChanged { queue: vec![waiting] }).await;
    let updates = sdk.get("/v1/updates").await;
    contract.check("Updates", &updates);
    assert_eq!(
        (&updates["queue"][0]["phase"], &updates["queue"][0]["device"]),
        (&json!("queued"), &json!("second"))
    );
}

#[tokio::test]
async fn what_does_not_fit_a_call_is_refused() {
    let sdk = Sdk::open().await;
    let contract = Contract::read();
    // An outgoing call rings at the other end until its softphone says that somebody answered.
    let made = json_of(sdk.post("/v1/calls", &json!({"direction": "outgoing"})).await).await;
    assert_eq!((&made["state"], &made["direction"]), (&json!("ringing"), &json!("outgoing")));
    for action in ["hold", "resume"] {
        let refused = sdk.post(&format!("/v1/calls/1/{action}"), &json!({})).await;
        contract.check_problem(refused, StatusCode::CONFLICT, "wrong-call-state").await;
    }
    // It is off-hook: what would be said into it can be kept from the other end, also before there is one.
    for (action, muted) in [("mute", true), ("unmute", false)] {
        let call = json_of(sdk.post(&format!("/v1/calls/1/{action}"), &json!({})).await).await;
        assert_eq!((&call["state"], &call["muted"]), (&json!("ringing"), &json!(muted)), "{action}");
    }
    // What already is the case is no mistake: device and softphone may act at the same moment.
    for _ in 0..2 {
        let answered = json_of(sdk.post("/v1/calls/1/answer", &json!({})).await).await;
        assert_eq!(answered["state"], "answered");
    }
    for _ in 1..hub::user::call::MAX_CALLS {
        let made = sdk.post("/v1/calls", &json!({"direction": "incoming"})).await;
        assert_eq!(made.status(), StatusCode::CREATED);
    }
    let refused = sdk.post("/v1/calls", &json!({"direction": "incoming"})).await;
    contract.check_problem(refused, StatusCode::TOO_MANY_REQUESTS, "too-many-calls").await;
    // Another softphone's calls are not among them.
    let one_more = json!({"direction": "incoming", "muted": true});
    let (status, made) = sdk.another_program("other").asks("desk", "/v1/calls", Some(&one_more)).await;
    assert_eq!((status, &made["muted"]), (201, &json!(true)));
}

#[tokio::test]
async fn mistakes_are_explained() {
    let sdk = Sdk::open().await;
    let contract = Contract::read();
    let calls = |body: &'static str| {
        sdk.program(Method::POST, "/v1/calls", "desk")
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    for body in
        ["", "{", "[]", "{}", r#"{"direction":"sideways"}"#, r#"{"direction":"incoming","priority":1}"#]
    {
        let response = calls(body).await.expect("an answer");
        contract.check_problem(response, StatusCode::BAD_REQUEST, "invalid-request").await;
    }
    let long = sdk.post("/v1/calls", &json!({"direction": "incoming", "contact": "x".repeat(257)})).await;
    contract.check_problem(long, StatusCode::BAD_REQUEST, "invalid-request").await;
    let extra = sdk.post("/v1/calls/1/answer", &json!({"quickly": true})).await;
    contract.check_problem(extra, StatusCode::BAD_REQUEST, "invalid-request").await;
    let huge =
        sdk.post("/v1/calls", &json!({"direction": "incoming", "contact": "x".repeat(65 * 1024)})).await;
    contract.check_problem(huge, StatusCode::PAYLOAD_TOO_LARGE, "body-too-large").await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        let response = sdk.program(Method::POST, "/v1/calls", "desk").header("content-type", kind).body("{}");
        let response = response.send().await.expect("an answer");
        contract.check_problem(response, StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type").await;
    }
    for method in [Method::DELETE, Method::TRACE, Method::PUT, Method::OPTIONS] {
        let response = sdk.program(method, "/v1/calls", "desk").send().await.expect("an answer");
        contract.check_problem(response, StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed").await;
    }
    let nowhere = sdk.program(Method::GET, "/v2", "desk").send().await.expect("an answer");
    contract.check_problem(nowhere, StatusCode::NOT_FOUND, "not-found").await;
    let action = sdk.post("/v1/calls/1/explode", &json!({})).await;
    contract.check_problem(action, StatusCode::NOT_FOUND, "not-found").await;
    for path in ["/v1/calls/%ff", "/v1/calls/%ff/answer", "/v1/updates/%ff/install"] {
        let method = if path.ends_with("%ff") { Method::GET } else { Method::POST };
        let request = sdk.program(method, path, "desk").header("content-type", "application/json");
        let response = request.send().await.expect("an answer");
        contract.check_problem(response, StatusCode::BAD_REQUEST, "invalid-request").await;
    }
    assert!(sdk.handle.view().calls.is_empty());
}

#[tokio::test]
async fn only_local_names_are_answered() {
    let sdk = Sdk::open().await;
    let contract = Contract::read();
    let port = sdk.server.url().rsplit_once(':').expect("a port").1.to_owned();
    for name in ["127.0.0.1", "localhost", "LocalHost", "[::1]"] {
        let request = sdk.stranger(Method::GET, "/v1/health").header("host", format!("{name}:{port}"));
        assert_eq!(request.send().await.expect("an answer").status(), StatusCode::OK, "{name}");
    }
    for host in [
        format!("evil.example:{port}"),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1.evil.example:{port}"),
        "localhost:1".to_owned(),
        format!("user@localhost:{port}"),
    ] {
        let request = sdk.program(Method::GET, "/v1/health", "desk").header("host", &host);
        let response = request.send().await.expect("an answer");
        contract.check_problem(response, StatusCode::MISDIRECTED_REQUEST, "host-not-local").await;
    }
    // The same port by the other names, with the same certificate.
    for name in ["localhost", "[::1]"] {
        let response =
            sdk.http.get(format!("https://{name}:{port}/v1/health")).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "{name}");
    }
}

#[tokio::test]
async fn every_answer_is_uncached_and_inert() {
    let sdk = Sdk::open().await;
    for path in ["/v1/health", "/v1/devices", "/nothing", "/Spokes/DeviceServices/Info"] {
        let response = sdk.stranger(Method::GET, path).send().await.expect("an answer");
        let headers = response.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert_eq!(headers["content-security-policy"], "default-src 'none'", "{path}");
    }
}

#[tokio::test]
async fn a_call_is_its_owners_alone() {
    let sdk = Sdk::open().await;
    let contract = Contract::read();
    let made = sdk.post("/v1/calls", &json!({"direction": "incoming", "contact": "Kim"})).await;
    assert_eq!(json_of(made).await["client"], "desk");
    let other = sdk
        .page(Method::POST, "/v1/calls/1/end", APPROVED)
        .header("content-type", "application/json")
        .body("{}")
        .send()
        .await
        .expect("an answer");
    contract.check_problem(other, StatusCode::FORBIDDEN, "not-your-call").await;
    let seen = sdk.page(Method::GET, "/v1/calls/1", APPROVED).send().await.expect("an answer");
    let seen = json_of(seen).await;
    assert_eq!((&seen["state"], &seen["contact"]), (&json!("ringing"), &Value::Null));
    assert_eq!(sdk.get("/v1/calls/1").await["contact"], "Kim");
    // A program cannot take the name of a page.
    let name = sdk.program(Method::GET, "/v1/calls", APPROVED).send().await.expect("an answer");
    contract.check_problem(name, StatusCode::BAD_REQUEST, "invalid-request").await;
    let name = sdk.program(Method::GET, "/v1/calls", &"n".repeat(65)).send().await.expect("an answer");
    contract.check_problem(name, StatusCode::BAD_REQUEST, "invalid-request").await;
}

#[tokio::test]
async fn the_file_for_programs_is_the_users_own() {
    let sdk = Sdk::open().await;
    let mode = std::fs::metadata(sdk.endpoint_path()).expect("the file").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert!(sdk.token.len() >= 32 && sdk.token.bytes().all(|b| b.is_ascii_hexdigit()), "{}", sdk.token);
    assert_ne!(sdk.token, Sdk::open().await.token);
    assert_eq!(sdk.server.endpoint().url.as_deref(), Some(sdk.server.url()));
    assert_eq!(sdk.server.notice(), None);
}

#[tokio::test]
async fn an_unwritable_home_is_one_clear_line() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("not-a-folder");
    std::fs::write(&file, "").expect("a file");
    let service = PlayedMachine::start(State::default()).await;
    let config = RestConfig {
        place: DoorPlace::default(),
        certificate_folder: file.join("certificate"),
        certificate: Terms::default(),
        endpoint_path: home.path().join("endpoint.json"),
    };
    let problem = rest::start(config, service.handle.clone()).await.expect_err("nowhere to write");
    assert_eq!(problem.code, Code::RestCertificate);
    assert!(problem.place().contains("not-a-folder"), "{problem}");
}

/// What says everything in its path needs no body, and no word about one.
#[tokio::test]
async fn a_body_is_optional_where_the_contract_says_so() {
    let sdk = Sdk::open().await;
    assert_eq!(sdk.post("/v1/calls", &json!({"direction": "incoming"})).await.status(), StatusCode::CREATED);
    for action in ["answer", "mute", "end"] {
        let path = format!("/v1/calls/1/{action}");
        let response = sdk.program(Method::POST, &path, "desk").send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "{action}");
    }
}

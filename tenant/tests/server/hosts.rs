//! A host is its key: neither the tenant's token nor an access token speaks for it.

use reqwest::Method;
use serde_json::{Value, json};
use tenant::paths;

use crate::rig::{Host, Tenant, json_of, problem, random};

fn registration(hostname: &str) -> Value {
    json!({ "system_id": "HOST-1", "hostname": hostname, "os": "linux", "os_version": "12", "agent_version": "0.1.0" })
}

/// The code of a problem document.
async fn code(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    let kind = json_of(response).await["type"].as_str().expect("a type").to_owned();
    (status, kind.strip_prefix("urn:hookswitch:tenant:").expect("one of ours").to_owned())
}

#[tokio::test]
async fn a_shared_secret_is_no_identity() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let honest = server.enrol_as(&tenant, "HOST-1").await;
    assert_eq!(server.put(&honest, &paths::host("HOST-1"), &registration("desk-7")).await.status(), 204);

    // Whoever has the tenant's token has the token and nothing else.
    let other = Host::new(&tenant, "HOST-1");
    for _ in 0..2 {
        assert_eq!(code(server.enrol(&other).await).await, (409, "host-key".to_owned()));
    }
    // Nor does it help to name the honest host's key.
    let mut named = Host::new(&tenant, "HOST-1");
    named.enrolment["host_key"] = json!(honest.public());
    assert_eq!(code(server.enrol(&named).await).await, (401, "proof".to_owned()));
    let answer = server.post(paths::ENROL, &honest.enrolment).await;
    assert_eq!(code(answer).await, (401, "proof".to_owned()), "the honest host's own request, unsigned");

    // The honest host goes on as if nothing had been; the operator sees what was.
    assert_eq!(server.enrol(&honest).await.status(), 200);
    assert_eq!(server.put(&honest, &paths::host("HOST-1"), &registration("desk-8")).await.status(), 204);
    let listed: Value = serde_json::from_str(&tenant.done("hosts", &["--json"])).expect("JSON");
    conforms(&listed);
    let one = &listed["hosts"][0];
    assert_eq!((&one["host_key"], &one["hostname"]), (&json!(honest.public()), &json!("desk-8")));
    let refused = one["refused"].as_array().expect("a list");
    assert_eq!(refused.len(), 1);
    assert_eq!((&refused[0]["host_key"], &refused[0]["times"]), (&json!(other.public()), &json!(2)));
    assert_eq!(refused[0]["peer"], "127.0.0.1");
    let shown = tenant.done("hosts", &[]);
    assert!(shown.contains("refused 2 times") && shown.contains("hosts reset"), "{shown}");

    // A key that was lost.
    assert!(tenant.done("hosts", &[]).contains("HOST-1"));
    let out = crate::rig::command(&["hosts", "reset", "--dir", crate::rig::text(&tenant.dir), "HOST-1"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let old = server.put(&honest, &paths::host("HOST-1"), &registration("desk-9")).await;
    assert_eq!(code(old).await, (401, "token".to_owned()), "its tokens went with its key");
    assert_eq!(server.enrol(&other).await.status(), 200, "the next enrolment pins anew");
    assert_eq!(code(server.enrol(&honest).await).await, (409, "host-key".to_owned()));
    let unknown = crate::rig::command(&["hosts", "reset", "--dir", crate::rig::text(&tenant.dir), "HOST-2"]);
    assert_eq!(unknown.status.code(), Some(1));
}

#[tokio::test]
async fn an_access_token_without_the_key_opens_nothing() {
    let tenant = Tenant::new();
    tenant.publish_policy(&json!({ "schema": 1, "company": "Contoso" }));
    let server = tenant.serve(&[]);
    let honest = server.enrol_as(&tenant, "HOST-1").await;
    let thief = honest.thief(&tenant);
    let (jane, event) = (json!({ "user": "jane", "groups": [] }), json!([]));
    let device = json!({ "device_id": "D", "vendor_id": 1, "product_id": 2, "vendor": "", "product": "", "attached": true });
    let status = json!({ "event_id": "U", "device_id": "D", "policy_id": "p", "target_version": "2", "verdict": "failed" });
    for (method, path, body) in [
        (Method::PUT, paths::host("HOST-1"), registration("x")),
        (Method::PUT, paths::user("HOST-1", "jane"), jane),
        (Method::GET, paths::user_groups("HOST-1", "jane"), json!(null)),
        (Method::PUT, paths::device("HOST-1", "D"), device),
        (Method::PUT, paths::update("HOST-1", "U"), status),
        (Method::POST, paths::EVENTS.to_owned(), event),
        (Method::GET, format!("/targets/{}.tenant.json", "0".repeat(64)), json!(null)),
    ] {
        let request = || server.json(method.clone(), &path, &body);
        assert_eq!(code(server.sign(&thief, request()).await).await, (401, "proof".to_owned()), "{path}");
        let bare = request().bearer_auth(&honest.token).send().await.expect("an answer");
        assert_eq!(code(bare).await, (401, "proof".to_owned()), "{path}");
        assert_ne!(server.sign(&honest, request()).await.status(), 401, "{path}");
    }
}

#[tokio::test]
async fn a_proof_is_of_one_request_and_for_one_time() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let host = server.enrol_as(&tenant, "HOST-1").await;
    let path = paths::host("HOST-1");
    let request = || server.json(Method::PUT, &path, &registration("desk-7"));
    let nonce = format!("{}.{}", server.nonce().await, random());
    let recorded = host.signed(request(), &nonce);
    let replay = || recorded.try_clone().expect("a body of bytes");
    assert_eq!(server.client.execute(replay()).await.expect("an answer").status(), 204);
    let again = server.client.execute(replay()).await.expect("an answer");
    assert!(again.headers().contains_key("hookswitch-nonce"), "what to sign with next");
    assert_eq!(code(again).await, (401, "proof-stale".to_owned()));

    // Each part of it is signed.
    let fresh = async || host.signed(request(), &format!("{}.{}", server.nonce().await, random()));
    let mut body = fresh().await;
    *body.body_mut() = Some(registration("desk-8").to_string().into());
    let mut method = fresh().await;
    *method.method_mut() = Method::POST;
    let mut elsewhere = fresh().await;
    elsewhere.url_mut().set_path(&paths::device("HOST-1", "D"));
    let mut digest = fresh().await;
    digest.headers_mut().remove("content-digest");
    let mut less = fresh().await;
    let input = less.headers()["signature-input"].to_str().expect("ASCII").replace(" \"authorization\"", "");
    less.headers_mut().insert("signature-input", input.parse().expect("a header"));
    for (name, request) in
        [("body", body), ("path", elsewhere), ("digest", digest), ("list of components", less)]
    {
        let answer = server.client.execute(request).await.expect("an answer");
        assert_eq!(code(answer).await, (401, "proof".to_owned()), "{name}");
    }
    assert_eq!(server.client.execute(method).await.expect("an answer").status(), 405);

    // A nonce of another server, or of nobody.
    let other = tenant.serve(&[]);
    for nonce in [format!("{}.{}", other.nonce().await, random()), format!("x.{}", random()), String::new()] {
        let answer = server.sign_with(&host, request(), &nonce).await;
        assert_eq!(code(answer).await, (401, "proof-stale".to_owned()), "{nonce}");
    }
    assert_eq!(server.sign(&host, request()).await.status(), 204);
}

/// Enrolment and registration are rare; a host that polls is there all the same.
#[tokio::test]
async fn a_host_is_seen_with_each_request_that_it_signs() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let host = server.enrol_as(&tenant, "HOST-1").await;
    let database = rusqlite::Connection::open(tenant.dir.join("tenant.db")).expect("opens");
    let was_seen = |ago: &str| {
        let update = format!("UPDATE host SET seen_at = unixepoch() - {ago}");
        database.execute(&update, []).expect("an update");
    };
    let ago = || -> i64 {
        let query = "SELECT unixepoch() - seen_at FROM host";
        database.query_row(query, [], |row| row.get(0)).expect("a host")
    };
    let jane = json!({ "user": "jane", "groups": [] });
    let user = || server.json(Method::PUT, &paths::user("HOST-1", "jane"), &jane);
    let poll = || server.get("/metadata/timestamp.json");
    for request in [&user as &dyn Fn() -> reqwest::RequestBuilder, &poll] {
        was_seen("600");
        assert!(server.sign(&host, request()).await.status().is_success());
        assert!(ago() < 60, "{} s", ago());
        was_seen("30");
        assert!(server.sign(&host, request()).await.status().is_success());
        assert!(ago() >= 30, "no write for each of many requests");
        // Whoever has the token without the key is not the host.
        was_seen("600");
        server.sign(&host.thief(&tenant), request()).await;
        assert!(ago() >= 600);
    }
    // Metadata stays open to all, whatever they show; a nonce that has aged is told, for the host to sign again.
    assert_eq!(poll().send().await.expect("an answer").status(), 200);
    assert_eq!(poll().bearer_auth("x").send().await.expect("an answer").status(), 200);
    let aged = server.sign_with(&host, poll(), &format!("x.{}", random())).await;
    assert_eq!(code(aged).await, (401, "proof-stale".to_owned()));
}

#[tokio::test]
async fn an_agent_of_the_first_contract_is_told_to_upgrade() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let enrolment = json!({
        "tenant_id": "contoso", "tenant_token": tenant.value("TENANT_TOKEN"), "system_id": "HOST-1"
    });
    let answer = server.post("/v1/enrol", &enrolment).await;
    let said = problem(answer, 410).await;
    assert!(said.contains("upgrade the agent"), "{said}");
    assert_eq!(code(server.post("/v1/enrol", &enrolment).await).await, (410, "contract".to_owned()));
}

#[tokio::test]
async fn a_host_of_before_keys_pins_one_at_its_next_enrolment() {
    let tenant = Tenant::new();
    let database = rusqlite::Connection::open(tenant.dir.join("tenant.db")).expect("opens");
    // As the first version left it.
    database
        .execute_batch(
            "DROP TABLE refused_enrolment; DROP INDEX event_host; ALTER TABLE host DROP COLUMN host_key; ALTER TABLE host DROP COLUMN pinned_at;
             PRAGMA user_version = 1;
             INSERT INTO host (system_id, seen_at) VALUES ('HOST-1', 1);
             INSERT INTO access_token VALUES (x'00', 'HOST-1', 9999999999);",
        )
        .expect("an older database");
    drop(database);
    assert!(tenant.done("hosts", &[]).contains("no key"));
    let server = tenant.serve(&[]);
    let host = server.enrol_as(&tenant, "HOST-1").await;
    assert_eq!(server.put(&host, &paths::host("HOST-1"), &registration("desk")).await.status(), 204);
    assert_eq!(server.enrol(&Host::new(&tenant, "HOST-1")).await.status(), 409);
}

fn conforms(listed: &Value) {
    let mut compiler = boon::Compiler::new();
    let schema = serde_json::from_str(tenant::HOSTS_SCHEMA).expect("the schema is JSON");
    compiler.add_resource("hosts.schema.json", schema).expect("a resource");
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("hosts.schema.json", &mut schemas).expect("the schema compiles");
    if let Err(error) = schemas.validate(listed, index) {
        panic!("{error}");
    }
}

//! Enrolment, registration, events, moods.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tenant::paths;

use crate::rig::{Host, Tenant, json_of, problem};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).expect("to memory");
    encoder.finish().expect("to memory")
}

fn event(id: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/hosts/HOST-1", "type": "device.attached",
        "time": "2026-11-24T09:30:00Z", "data": { "device_id": "D-1" }, "traceparent": "00-x"
    })
}

fn host(system_id: &str) -> Value {
    json!({ "system_id": system_id, "hostname": "desk-7", "os": "linux", "os_version": "Debian 12", "agent_version": "0.1.0" })
}

fn update(verdict: &str, read_back: Option<&str>) -> Value {
    let mut status = json!({
        "event_id": "U-1", "device_id": "1395:0025:S1", "policy_id": "sc60-2-1",
        "from_version": "2.0", "target_version": "2.1", "verdict": verdict
    });
    if let Some(version) = read_back {
        status["version_read_back"] = json!(version);
    }
    status
}

#[tokio::test]
async fn enrolment_wants_the_right_id_and_token() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let good = Host::new(&tenant, "HOST-1").enrolment;
    for (field, value) in [("tenant_token", "0".repeat(64)), ("tenant_id", "fabrikam".to_owned())] {
        let mut bad = good.clone();
        bad[field] = json!(value);
        let answer = server.post(paths::ENROL, &bad).await;
        assert!(answer.headers()["www-authenticate"].to_str().expect("ASCII").starts_with("Bearer"));
        let detail = problem(answer, 401).await;
        assert!(!detail.contains(tenant.value("TENANT_TOKEN")));
    }
    let mut unknown = good.clone();
    unknown["agent"] = json!("x");
    assert!(problem(server.post(paths::ENROL, &unknown).await, 400).await.contains("agent"));
    let mut hostile = good.clone();
    hostile["system_id"] = json!("../x");
    assert!(problem(server.post(paths::ENROL, &hostile).await, 400).await.contains("system_id"));

    let mut one = server.enrol_as(&tenant, "HOST-1").await;
    let again = json_of(server.enrol(&one).await).await;
    let second = again["access_token"].as_str().expect("a token").to_owned();
    assert!(one.token.len() >= 32 && one.token != second);
    for token in [one.token.clone(), second] {
        one.token = token;
        assert_eq!(server.put(&one, &paths::host("HOST-1"), &host("HOST-1")).await.status(), 204);
    }
    // Nothing that opens a door is on disk.
    for name in ["tenant.db", "tenant.db-wal"] {
        let bytes = std::fs::read(tenant.dir.join(name)).expect("a database file");
        let secret = tenant.value("TENANT_TOKEN").as_bytes();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{name} holds the tenant token");
    }
}

#[tokio::test]
async fn a_token_opens_its_own_host_only() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let one = server.enrol_as(&tenant, "HOST-1").await;
    let two = server.enrol_as(&tenant, "HOST-2").await;

    let nobody = server.get(&paths::user_groups("HOST-1", "jane")).send().await.expect("an answer");
    assert!(nobody.headers().contains_key("www-authenticate"));
    problem(nobody, 401).await;
    let mut unknown = Host::new(&tenant, "HOST-1");
    unknown.token = "no-such-token".to_owned();
    problem(server.put(&unknown, &paths::host("HOST-1"), &host("HOST-1")).await, 401).await;

    let device = json!({
        "device_id": "D", "vendor_id": 1, "product_id": 2, "vendor": "", "product": "", "attached": true
    });
    let jane = json!({ "user": "jane", "groups": [] });
    for (path, body) in [
        (paths::host("HOST-1"), host("HOST-1")),
        (paths::user("HOST-1", "jane"), jane.clone()),
        (paths::device("HOST-1", "D"), device.clone()),
        (paths::update("HOST-1", "U-1"), update("in-progress", None)),
    ] {
        problem(server.put(&two, &path, &body).await, 403).await;
        assert_eq!(server.put(&one, &path, &body).await.status(), 204, "{path}");
    }
    let groups = server.get(&paths::user_groups("HOST-1", "jane"));
    problem(server.sign(&two, groups).await, 403).await;
    // A body that speaks of another thing than its path.
    problem(server.put(&one, &paths::host("HOST-1"), &host("HOST-2")).await, 400).await;
    problem(server.put(&one, &paths::user("HOST-1", "john"), &jane).await, 400).await;
    problem(server.put(&one, &paths::device("HOST-1", "E"), &device).await, 400).await;
}

#[tokio::test]
async fn the_inventory_shows_what_was_said() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let token = server.enrol_as(&tenant, "HOST-1").await;
    server.enrol_as(&tenant, "HOST-2").await;
    let user = "CORP\\jörg müller";
    let device = json!({
        "device_id": "1395:0025:S1", "vendor_id": 0x1395, "product_id": 0x25, "vendor": "EPOS", "product": "SC 60",
        "serial": "S1", "firmware_version": "2.0", "attached": true, "port": "1-4.2"
    });
    let groups = json!([{ "id": "sales", "why": "the directory found uid=jm" }, { "id": "all-users", "why": "everybody" }]);
    for (path, body) in [
        (paths::host("HOST-1"), host("HOST-1")),
        (paths::user("HOST-1", user), json!({ "user": user, "display": "Jörg Müller", "groups": groups })),
        (paths::device("HOST-1", "1395:0025:S1"), device),
        (paths::update("HOST-1", "U-1"), update("succeeded", Some("2.1"))),
    ] {
        assert_eq!(server.put(&token, &path, &body).await.status(), 204, "{path}");
    }
    assert_eq!(
        server.send_events(&token, false, json!([event("E-1")]).to_string().into()).await.status(),
        200
    );

    let inventory: Value = serde_json::from_str(&tenant.done("inventory", &["--json"])).expect("JSON");
    let mut compiler = boon::Compiler::new();
    let schema = serde_json::from_str(tenant::INVENTORY_SCHEMA).expect("the schema is JSON");
    compiler.add_resource("inventory.schema.json", schema).expect("a resource");
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("inventory.schema.json", &mut schemas).expect("the schema compiles");
    if let Err(error) = schemas.validate(&inventory, index) {
        panic!("{error}");
    }
    let one = &inventory["hosts"][0];
    assert_eq!(one["hostname"], "desk-7");
    assert_eq!(one["users"][0]["user"], user);
    assert_eq!(one["users"][0]["groups"], groups);
    assert_eq!(one["devices"][0]["vendor_id"], 0x1395);
    assert_eq!(one["updates"][0]["verdict"], "succeeded");
    assert_eq!(one["updates"][0]["version_read_back"], "2.1");
    assert_eq!((&one["events"], &inventory["events"]), (&json!(1), &json!(1)));
    assert_eq!(inventory["hosts"][1]["hostname"], Value::Null, "enrolled, but not registered");
    let shown = tenant.done("inventory", &[]);
    assert!(shown.contains("in sales: the directory found uid=jm"), "{shown}");
    assert!(shown.contains("2.0 -> 2.1: succeeded, read back 2.1"), "{shown}");
}

#[tokio::test]
async fn an_update_ends_once() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let token = server.enrol_as(&tenant, "HOST-1").await;
    let path = paths::update("HOST-1", "U-1");
    assert!(
        problem(server.put(&token, &path, &update("succeeded", None)).await, 400)
            .await
            .contains("version_read_back")
    );
    problem(server.put(&token, &path, &update("succeeded", Some("2.0"))).await, 400).await;
    problem(server.put(&token, &path, &update("done", None)).await, 400).await;
    for (verdict, read_back, status) in [
        ("in-progress", None, 204),
        ("in-progress", None, 204),
        ("failed", Some("2.0"), 204),
        ("failed", Some("2.0"), 204),
        ("in-progress", None, 204),
        ("succeeded", Some("2.1"), 409),
    ] {
        let answer = server.put(&token, &path, &update(verdict, read_back)).await;
        assert_eq!(answer.status(), status, "{verdict}");
    }
    let inventory: Value = serde_json::from_str(&tenant.done("inventory", &["--json"])).expect("JSON");
    let updates = inventory["hosts"][0]["updates"].as_array().expect("a list");
    assert_eq!((updates.len(), &updates[0]["verdict"]), (1, &json!("failed")));
}

#[tokio::test]
async fn events_are_counted_once_whatever_is_repeated() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let token = server.enrol_as(&tenant, "HOST-1").await;
    let batch = json!([event("E-1"), event("E-2"), event("E-1")]).to_string().into_bytes();
    let answer = json_of(server.send_events(&token, true, gzip(&batch)).await).await;
    assert_eq!(answer, json!({ "accepted": 2, "duplicates": 1 }));
    let answer = json_of(server.send_events(&token, false, batch.clone()).await).await;
    assert_eq!(answer, json!({ "accepted": 0, "duplicates": 3 }));
    // The same ids from another host are other events.
    let other = server.enrol_as(&tenant, "HOST-2").await;
    let answer = json_of(server.send_events(&other, false, batch).await).await;
    assert_eq!(answer["accepted"], 2);
    // A bad event spoils its batch.
    let mut bad = event("E-4");
    bad["time"] = json!("yesterday");
    let spoiled = json!([event("E-3"), bad]).to_string().into_bytes();
    assert!(problem(server.send_events(&token, false, spoiled).await, 400).await.contains("[1].time"));
    let answer =
        json_of(server.send_events(&token, false, json!([event("E-3")]).to_string().into()).await).await;
    assert_eq!(answer["accepted"], 1, "nothing of the spoiled batch was kept");
    let many: Vec<Value> = (0..1_001).map(|n| json!({ "specversion": "1.0", "id": n.to_string(), "source": "s", "type": "t", "time": "2026-11-24T09:30:00Z" })).collect();
    problem(server.send_events(&token, true, gzip(json!(many).to_string().as_bytes())).await, 400).await;
    problem(server.send_events(&token, false, b"[]".to_vec()).await, 400).await;
}

#[tokio::test]
async fn bodies_are_bounded_packed_and_unpacked() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let token = server.enrol_as(&tenant, "HOST-1").await;
    let bomb = gzip(&vec![b' '; 64 * 1024 * 1024]);
    assert!(bomb.len() < 100_000, "{} bytes packed", bomb.len());
    problem(server.send_events(&token, true, bomb).await, 413).await;
    problem(server.send_events(&token, true, b"not gzip".to_vec()).await, 400).await;
    let mut cut = gzip(json!([event("E-1")]).to_string().as_bytes());
    cut.truncate(cut.len() - 4);
    problem(server.send_events(&token, true, cut).await, 400).await;
    let fits = [json!([event("E-1")]).to_string().into_bytes(), vec![b' '; 1024 * 1024 - 1024]].concat();
    assert_eq!(server.send_events(&token, false, fits).await.status(), 200);
    problem(server.send_events(&token, false, vec![b' '; 1024 * 1024 + 1]).await, 413).await;

    let request = |media: &'static str, encoding: &'static str| {
        let url = format!("{}{}", server.url, paths::EVENTS);
        let request = server.client.post(url).header(CONTENT_TYPE, media);
        request.header("content-encoding", encoding).body("[]")
    };
    for (media, encoding) in
        [("application/json", "identity"), (paths::EVENTS_MEDIA_TYPE, "br"), ("text/plain", "gzip")]
    {
        problem(server.sign(&token, request(media, encoding)).await, 415).await;
    }
}

#[tokio::test]
async fn manual_groups_are_assigned_and_cached() {
    let tenant = Tenant::new();
    let refused = tenant.refused("assign", &["--user", "jane", "--group", "pilots"], 1);
    assert!(refused.contains("no manual group \"pilots\""), "{refused}");
    tenant.publish_policy(&json!({
        "schema": 1, "company": "Contoso",
        "groups": [{ "id": "pilots", "name": "Pilots", "priority": 1, "rule": { "kind": "manual" } }]
    }));
    let server = tenant.serve(&[]);
    let token = server.enrol_as(&tenant, "HOST-1").await;
    let jane = json!({ "user": "jane", "groups": [] });
    assert_eq!(server.put(&token, &paths::user("HOST-1", "jane"), &jane).await.status(), 204);
    let ask = |tag: Option<String>| {
        let request = server.get(&paths::user_groups("HOST-1", "jane"));
        let request = tag.into_iter().fold(request, |request, tag| request.header("if-none-match", tag));
        server.sign(&token, request)
    };
    let empty = ask(None).await;
    let tag = empty.headers()["etag"].to_str().expect("ASCII").to_owned();
    assert_eq!(json_of(empty).await, json!({ "groups": [] }));
    assert_eq!(ask(Some(format!("\"other\", W/{tag}"))).await.status(), 304);
    assert!(tenant.done("assign", &["--user", "jane", "--group", "pilots"]).contains("jane now in pilots"));
    let changed = ask(Some(tag)).await;
    assert_eq!(json_of(changed).await, json!({ "groups": ["pilots"] }));
    tenant.done("assign", &["--user", "jane", "--group", "pilots", "--remove"]);
    assert_eq!(json_of(ask(None).await).await, json!({ "groups": [] }));
}

#[tokio::test]
async fn moods_misbehave_on_v2_and_nowhere_else() {
    let tenant = Tenant::new();
    for (mood, status) in [("unauthorized", 401), ("internal-error", 500)] {
        let server = tenant.serve(&["--mood", mood]);
        problem(server.post(paths::ENROL, &json!({})).await, status).await;
        assert_eq!(server.get(paths::ROOT).send().await.expect("an answer").status(), 200, "{mood}");
    }
    let server = tenant.serve(&["--mood", "slow"]);
    let request = server.get(paths::HEALTH).timeout(Duration::from_secs(1)).send().await;
    assert!(request.expect_err("no answer within a second").is_timeout());
    assert_eq!(server.get(paths::OPENAPI).send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_locked_store_asks_to_come_back() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let token = server.enrol_as(&tenant, "HOST-1").await;
    let lock = rusqlite::Connection::open(tenant.dir.join("tenant.db")).expect("opens");
    lock.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let answer = server.put(&token, &paths::host("HOST-1"), &host("HOST-1")).await;
    assert_eq!(answer.headers()["retry-after"], "5");
    problem(answer, 503).await;
    lock.execute_batch("ROLLBACK").expect("unlocks");
    assert_eq!(server.put(&token, &paths::host("HOST-1"), &host("HOST-1")).await.status(), 204);
}

#[tokio::test]
async fn a_peer_that_says_nothing_delays_nobody() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let address = server.url.strip_prefix("https://").expect("https");
    let silent: Vec<_> = (0..50).map(|_| std::net::TcpStream::connect(address).expect("connects")).collect();
    let answer = server.get(paths::HEALTH).timeout(Duration::from_secs(2)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    drop(silent);
}

#[tokio::test]
async fn what_is_open_is_open_and_the_rest_is_a_problem_document() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let health = server.get(paths::HEALTH).send().await.expect("an answer");
    assert_eq!(health.headers()["x-content-type-options"], "nosniff");
    assert_eq!(json_of(health).await, json!({ "status": "ok", "contract": 2 }));
    let openapi = server.get(paths::OPENAPI).send().await.expect("an answer");
    assert_eq!(openapi.text().await.expect("text"), tenant::OPENAPI);
    problem(server.get("/v2").send().await.expect("an answer"), 404).await;
    problem(server.get(paths::ENROL).send().await.expect("an answer"), 405).await;
    // Plain HTTP is not answered, and a stranger's authority not trusted.
    let plain = server.url.replace("https://", "http://");
    assert!(server.client.get(plain).send().await.is_err());
    let stranger = Tenant::new().serve(&[]).client.clone();
    assert!(stranger.get(format!("{}{}", server.url, paths::HEALTH)).send().await.is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn sigterm_ends_it_cleanly_and_what_was_acknowledged_stays() {
    let tenant = Tenant::new();
    let mut server = tenant.serve(&[]);
    let token = server.enrol_as(&tenant, "HOST-1").await;
    let endpoint: Value =
        serde_json::from_slice(&std::fs::read(tenant.dir.join("endpoint.json")).expect("a file"))
            .expect("JSON");
    assert_eq!(endpoint, json!({ "url": server.url, "ca": tenant.made["ca_pem"] }));
    let pid = server.child.id().to_string();
    assert!(
        std::process::Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &pid])
            .status()
            .expect("sh runs")
            .success()
    );
    assert!(server.child.wait().expect("it ends").success());
    assert!(!tenant.dir.join("endpoint.json").exists());

    let mut again = tenant.serve(&[]);
    assert_eq!(
        again.put(&token, &paths::host("HOST-1"), &host("HOST-1")).await.status(),
        204,
        "the token is kept"
    );
    again.child.kill().expect("killed");
    let inventory: Value = serde_json::from_str(&tenant.done("inventory", &["--json"])).expect("JSON");
    assert_eq!(inventory["hosts"][0]["hostname"], "desk-7");
}

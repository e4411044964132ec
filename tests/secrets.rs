//! After a day's work at log level info: no secret and no user name in any log or in the bundle, and nothing under the
//! agent's home that another user could read.
#![expect(clippy::disallowed_methods, reason = "starts programs and reads what they wrote")]

#[path = "support/rig.rs"]
mod rig;
#[path = "support/scene.rs"]
mod scene;

use rig::company;
use rig::softphone::Softphone;
use rig::told::{Context, Told, wait_for};
use rig::world::PATIENCE;
use rusqlite::Connection;
use scene::{Scene, good_package};
use serde_json::{Value, json};
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

const USER: &str = "zwiebelfisch";
const BIND_PASSWORD: &str = "Hydrargyrum-4711-Password";

/// A group by hand, and one of a directory that nobody can reach.
fn policy() -> Value {
    let mut policy = company::policy(&json!({ "kind": "manual" }));
    let by_query = json!({
        "id": "leads", "name": "Leads", "priority": 20,
        "rule": { "kind": "ldap-query", "filter": "(uid=$user$)" },
    });
    policy["groups"].as_array_mut().expect("a list of groups").push(by_query);
    policy["ldap"] = json!({
        "servers": ["ldaps://127.0.0.1:1"], "base_dn": "dc=example,dc=com",
        "bind": { "method": "simple", "dn": "cn=reader,dc=example,dc=com", "password": BIND_PASSWORD },
    });
    policy
}

struct Day {
    scene: Scene,
    /// Each by what it is.
    secrets: Vec<(&'static str, String)>,
}

/// Enrols, fails at the directory, has a call, updates, opens the window, is refused by a softphone's wrong token.
async fn a_day() -> Told<Day> {
    let mut scene = Scene::founded(USER)?;
    scene.publish(&policy(), &good_package(&scene.world)?)?;
    scene.assign(true)?;
    scene.serve(&[]).await?;
    scene.start_agent()?;
    scene.offered().await?;
    scene
        .status("the directory's problem", |s| s["groups_problem"]["code"] == "directory-unreachable")
        .await?;

    let endpoint = scene.world.path("agent/endpoint.json");
    let softphone = Softphone::connect(&endpoint).await?;
    let call = softphone.post("/v1/calls", &json!({ "direction": "incoming", "contact": "Kim" })).await?;
    softphone.post(&format!("/v1/calls/{}/end", call["id"]), &json!({})).await?;
    let window = scene.run(&["open", "--print"])?.stdout;
    let window = last_part(&window)?;
    scene.offered().await?;
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    wait_for("the verdict at the tenant", PATIENCE, async || {
        Ok((scene.world.inventory()?["hosts"][0]["updates"][0]["verdict"] == "succeeded").then_some(()))
    })
    .await?;
    let bundle = scene.world.path("bundle.zip").display().to_string();
    assert_eq!(scene.run(&["bundle", "--output", &bundle])?.code, Some(0));

    let endpoint: Value =
        serde_json::from_slice(&std::fs::read(endpoint).at("endpoint.json")?).at("endpoint.json")?;
    let sdk = endpoint["token"].as_str().ok_or("endpoint.json has a token")?.to_owned();
    let mut secrets = vec![
        ("tenant token", scene.company.token.clone()),
        ("SDK token", sdk),
        ("one-time token of the window", window),
        ("bind password", BIND_PASSWORD.to_owned()),
    ];
    for line in
        std::fs::read_to_string(scene.world.path("agent/data/certificate/key.pem")).at("key.pem")?.lines()
    {
        if !line.starts_with("-----") {
            secrets.push(("TLS key", line.to_owned()));
        }
    }
    Ok(Day { scene, secrets })
}

/// The last part of a one-time address.
fn last_part(url: &str) -> Told<String> {
    let token = url.trim().rsplit(['/', '=', '?', '#']).next().unwrap_or_default();
    if token.len() >= 16 { Ok(token.to_owned()) } else { Err(format!("no token in {url}")) }
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files(&path, into);
        }
        into.push(path);
    }
}

#[tokio::test]
async fn nothing_secret_is_left_lying_about() -> Told<()> {
    let Day { mut scene, mut secrets } = a_day().await?;
    let home = scene.world.path("agent");
    private(&home);
    scene.stop_agent().await?;
    private(&home);
    secrets.push(("access token", access_token(&home)?));
    secrets.push(("host key", host_key(&home)?));

    let mut texts = Vec::new();
    let mut logs = Vec::new();
    files(&home.join("logs"), &mut logs);
    for log in logs {
        texts.push((log.display().to_string(), std::fs::read(&log).at("log")?));
    }
    assert!(texts.len() >= 4, "four logs");
    let written: usize = texts.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(written > 1000, "the logs say something");
    texts.push(("stderr".to_owned(), std::fs::read(scene.world.path("agent.log")).at("stderr")?));
    let bundle = std::fs::File::open(scene.world.path("bundle.zip")).at("bundle")?;
    let mut bundle = zip::ZipArchive::new(bundle).at("bundle")?;
    for index in 0..bundle.len() {
        let mut entry = bundle.by_index(index).at("bundle")?;
        let name = format!("bundle: {}", entry.name().at("bundle")?);
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).at("bundle")?;
        texts.push((name, bytes));
    }
    for (name, bytes) in &texts {
        let text = String::from_utf8_lossy(bytes);
        for (what, secret) in &secrets {
            assert!(!text.contains(secret.as_str()), "{name} holds the {what}:\n{text}");
        }
        assert!(!text.contains(USER), "{name} holds the user's name:\n{text}");
    }
    settings_of_the_agent(&texts)
}

/// The bundle was made by a process without the agent's environment.
fn settings_of_the_agent(texts: &[(String, Vec<u8>)]) -> Told<()> {
    let json = |name: &str| -> Told<Value> {
        let (_, bytes) = texts.iter().find(|(n, _)| n == name).ok_or(format!("no {name}"))?;
        serde_json::from_slice(bytes).at(name)
    };
    let (settings, status) = (json("bundle: settings.json")?, json("bundle: status.json")?);
    let setting = |key: &str| {
        let settings = settings.as_array().into_iter().flatten();
        settings.clone().find(|s| s["key"] == key).cloned().unwrap_or_default()
    };
    let server = status["tenant"]["server"].as_str().ok_or("the agent is enrolled")?;
    assert!(server.starts_with("https://"), "{status}");
    let plain = |key: &str, value: &str| {
        let listed = setting(key);
        assert_eq!(listed["value"], value, "{settings}");
        assert_eq!(listed["from"], "environment", "{settings}");
    };
    plain("server_url", server);
    plain("tenant_token", "(set)");
    plain("user", "(user)");
    assert_eq!(status["user"], "(user)");
    Ok(())
}

fn access_token(home: &Path) -> Told<String> {
    let store = Connection::open(home.join("data/hookswitch.sqlite")).at("store")?;
    let credential: String = store
        .query_row("SELECT value FROM single WHERE key = 'credential'", [], |row| row.get(0))
        .at("credential")?;
    let credential: Value = serde_json::from_str(&credential).at("credential")?;
    credential["access_token"].as_str().map(str::to_owned).ok_or("a credential has a token".to_owned())
}

fn host_key(home: &Path) -> Told<String> {
    let store = Connection::open(home.join("data/hookswitch.sqlite")).at("store")?;
    let identities: String = store
        .query_row("SELECT value FROM single WHERE key = 'identities'", [], |row| row.get(0))
        .at("identities")?;
    let identities: Value = serde_json::from_str(&identities).at("identities")?;
    identities[0]["key"].as_str().map(str::to_owned).ok_or("the host has a key".to_owned())
}

/// Folders 0700, files 0600 or stricter; the certificate to trust may be read by all, though nobody gets there.
fn private(home: &Path) {
    let mut all = vec![home.to_owned()];
    files(home, &mut all);
    for path in all {
        let meta = std::fs::symlink_metadata(&path).expect("it was listed");
        let mode = meta.permissions().mode() & 0o7777;
        let is_public = path.ends_with("certificate/ca.pem");
        let open = if is_public { 0o133 } else { 0o077 };
        assert_eq!(mode & open, 0, "{} has mode {mode:o}", path.display());
        assert!(!meta.file_type().is_symlink() && !meta.file_type().is_fifo(), "{}", path.display());
    }
}

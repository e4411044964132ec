//! `init` and `publish`, looked at from the file tenant.

use std::path::Path;

use serde_json::{Value, json};
use tenant::policy::PolicyDocument;
use tough::{
    ExpirationEnforcement, FilesystemTransport, IntoVec as _, Repository, RepositoryLoader, TargetName,
};
use url::Url;

use crate::rig::{Tenant, command, text};

/// Loads the repository as an agent with a pinned root does: strict about expiry.
async fn load(tenant: &Tenant, datastore: Option<&Path>) -> Result<Repository, tough::error::Error> {
    let repository = tenant.dir.join("repository");
    let root = std::fs::read(repository.join("metadata/1.root.json")).expect("the first root");
    let url = |name| Url::from_directory_path(repository.join(name)).expect("an absolute path");
    let loader = RepositoryLoader::new(&root, url("metadata"), url("targets"))
        .transport(FilesystemTransport)
        .expiration_enforcement(ExpirationEnforcement::Safe);
    match datastore {
        Some(dir) => loader.datastore(dir).load().await,
        None => loader.load().await,
    }
}

async fn read(repository: &Repository, name: &str) -> Vec<u8> {
    let name = TargetName::new(name).expect("a target name");
    let stream = repository.read_target(&name).await.expect("readable").expect("listed");
    stream.into_vec().await.expect("whole and unaltered")
}

fn versions(repository: &Repository) -> [u64; 3] {
    [
        repository.targets().signed.version.get(),
        repository.snapshot().signed.version.get(),
        repository.timestamp().signed.version.get(),
    ]
}

fn policy(company: &str) -> Value {
    json!({
        "schema": 1, "company": company,
        "firmware": [{
            "id": "f", "groups": ["all-users"], "name": "SC 60 2.10", "version": "2.10",
            "products": [{ "vendor_id": 0x1395, "product_id": 0x25 }],
            "target": "sc60-2.1.zip", "deployment": "optional"
        }]
    })
}

#[tokio::test]
async fn a_new_tenant_is_complete_and_private() {
    let tenant = Tenant::new();
    let repository = load(&tenant, None).await.expect("loads");
    let document = PolicyDocument::from_json(&read(&repository, "tenant.json").await).expect("a policy");
    assert_eq!(document, PolicyDocument::empty("Contoso"));
    let root = std::fs::read(tenant.dir.join("repository/metadata/1.root.json")).expect("a root");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &root);
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(tenant.value("TENANT_ROOT"), digest);
    assert!(tenant.value("TENANT_TOKEN").len() >= 32);
    assert_eq!(tenant.value("TENANT_ID"), "contoso");

    let again = command(&["init", "--dir", text(&tenant.dir), "--tenant-id", "contoso"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("not empty"));
    for bad in [["--tenant-id", "../x"], ["--tenant-id", ""]] {
        let fresh = tenant.dir.with_file_name("fresh");
        let out = command(&[&["init", "--dir", text(&fresh)], bad.as_slice()].concat());
        assert_eq!((out.status.code(), fresh.exists()), (Some(1), false));
    }
    assert_eq!(command(&["init"]).status.code(), Some(2));
    assert!(tenant.refused("publish", &["--dir", "/nonexistent"], 2).contains("--dir"));
}

#[cfg(unix)]
#[test]
fn keys_and_database_are_their_owners_alone_and_the_authority_has_none() {
    use std::os::unix::fs::PermissionsExt as _;

    let tenant = Tenant::new();
    let mode =
        |path: &str| std::fs::metadata(tenant.dir.join(path)).expect(path).permissions().mode() & 0o777;
    for dir in [".", "keys", "tls"] {
        assert_eq!(mode(dir), 0o700, "{dir}");
    }
    let secret = ["keys/root.pk8", "keys/targets.pk8", "keys/snapshot.pk8", "keys/timestamp.pk8"];
    for file in secret.iter().chain(&["tls/server.key", "tenant.db"]) {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    let keys: std::collections::BTreeSet<Vec<u8>> =
        secret.iter().map(|file| std::fs::read(tenant.dir.join(file)).expect("a key")).collect();
    assert_eq!(keys.len(), 4, "each role has a key of its own");
    let mut private = Vec::new();
    let mut folders = vec![tenant.dir.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if String::from_utf8_lossy(&std::fs::read(&path).expect("a file")).contains("PRIVATE KEY")
            {
                private.push(path);
            }
        }
    }
    assert_eq!(private, [tenant.dir.join("tls/server.key")]);
}

#[tokio::test]
async fn publishing_raises_versions_and_replaces_by_name() {
    let tenant = Tenant::new();
    let seen = tempfile::tempdir().expect("a temporary folder");
    assert_eq!(versions(&load(&tenant, Some(seen.path())).await.expect("loads")), [1, 1, 1]);

    let firmware = tenant.file("sc60-2.1.zip", b"first");
    let first = tenant.file("policy.json", policy("One").to_string());
    let shown = tenant.done("publish", &["--policy", text(&first), "--target", text(&firmware)]);
    assert!(shown.contains("root 1, targets 2, snapshot 2, timestamp 2"), "{shown}");
    assert!(
        shown.contains(
            "sc60-2.1.zip  5 bytes  sha256 a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e"
        ),
        "{shown}"
    );
    let old = load(&tenant, Some(seen.path())).await.expect("loads");

    tenant.file("sc60-2.1.zip", b"second");
    tenant.done("publish", &["--target", text(&firmware)]);
    let new = load(&tenant, Some(seen.path())).await.expect("loads");
    assert_eq!((versions(&old), versions(&new)), ([2, 2, 2], [3, 3, 3]));
    assert_eq!(read(&new, "sc60-2.1.zip").await, b"second");
    assert_eq!(
        read(&old, "sc60-2.1.zip").await,
        b"first",
        "whoever began with the old one can finish with it"
    );
    let document = PolicyDocument::from_json(&read(&new, "tenant.json").await).expect("a policy");
    assert_eq!(document.company, "One", "no --policy: the published one stays");
}

#[tokio::test]
async fn a_wrong_order_publishes_nothing() {
    let tenant = Tenant::new();
    let before = std::fs::read(tenant.dir.join("repository/metadata/timestamp.json")).expect("a file");
    let good = tenant.file("policy.json", policy("One").to_string());
    let message = tenant.refused("publish", &["--policy", text(&good)], 1);
    assert!(message.contains("firmware[0].target: \"sc60-2.1.zip\" is not published"), "{message}");
    let mut unknown = policy("One");
    unknown["firmware"][0]["groups"] = json!(["pilots"]);
    let bad = tenant.file("bad.json", unknown.to_string());
    let message = tenant.refused("publish", &["--policy", text(&bad)], 1);
    assert!(message.contains("bad.json: firmware[0].groups[0]: no group \"pilots\""), "{message}");
    let spaced = tenant.file("a b.zip", b"x");
    assert!(tenant.refused("publish", &["--target", text(&spaced)], 1).contains("target name"));
    let shadow = tenant.file("tenant.json", b"{}");
    assert!(tenant.refused("publish", &["--target", text(&shadow)], 1).contains("target name"));
    let absent = tenant.dir.with_file_name("absent.zip");
    assert!(tenant.refused("publish", &["--target", text(&absent)], 1).contains("absent.zip"));
    let large = tenant.file("large.json", vec![b' '; 4 * 1024 * 1024 + 1]);
    assert!(
        tenant.refused("publish", &["--policy", text(&large)], 1).contains("large.json: policy document")
    );
    let lock = std::fs::File::create(tenant.dir.join("publish.lock")).expect("a file");
    lock.try_lock().expect("free");
    assert!(tenant.refused("publish", &[], 75).contains("another process"));
    drop(lock);
    let after = std::fs::read(tenant.dir.join("repository/metadata/timestamp.json")).expect("a file");
    assert_eq!(before, after);
    tenant.done("publish", &[]);
}

#[tokio::test]
async fn a_publication_that_stops_half_way_leaves_the_old_one_standing() {
    let tenant = Tenant::new();
    let firmware = tenant.file("sc60-2.1.zip", b"first");
    let order = tenant.file("policy.json", policy("Old").to_string());
    tenant.done("publish", &["--policy", text(&order), "--target", text(&firmware)]);
    tenant.file("sc60-2.1.zip", b"second");
    tenant.file("policy.json", policy("New").to_string());
    let arguments = ["--policy", text(&order), "--target", text(&firmware)];
    // A folder in the way of a rename stops it after each of its steps in turn.
    let second = "16367aacb67a4a017c8da8ab95682ccb390863780f7114dda0a0e0c55644c7c4";
    for step in
        [&format!("targets/{second}.sc60-2.1.zip"), "metadata/3.targets.json", "metadata/3.snapshot.json"]
    {
        let obstacle = tenant.dir.join("repository").join(step);
        std::fs::create_dir_all(obstacle.join("full")).expect("in the way");
        assert!(tenant.refused("publish", &arguments, 1).contains(step), "{step}");
        let repository = load(&tenant, None).await.expect("the old publication loads");
        assert_eq!(versions(&repository), [2, 2, 2], "{step}");
        assert_eq!(read(&repository, "sc60-2.1.zip").await, b"first");
        let document = PolicyDocument::from_json(&read(&repository, "tenant.json").await).expect("a policy");
        assert_eq!(document.company, "Old");
        std::fs::remove_dir_all(&obstacle).expect("removed");
    }
    tenant.done("publish", &arguments);
    let repository = load(&tenant, None).await.expect("the new publication loads");
    assert_eq!(versions(&repository), [3, 3, 3]);
    assert_eq!(read(&repository, "sc60-2.1.zip").await, b"second");
}

/// `kill -9` at any moment: what loads afterwards is the publication before or the one after, never a mixture.
#[tokio::test]
async fn a_killed_publication_is_done_or_not_done() {
    let tenant = Tenant::new();
    let mut company = "Contoso".to_owned();
    let mut done = 0;
    for attempt in 0..24_u64 {
        let wanted = format!("Contoso {attempt}");
        let order = tenant.file("policy.json", json!({ "schema": 1, "company": wanted }).to_string());
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_hookswitch-tenant"))
            .args(["publish", "--dir", text(&tenant.dir), "--policy", text(&order)])
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("the binary starts");
        std::thread::sleep(std::time::Duration::from_millis(attempt * 3));
        let _ = child.kill();
        child.wait().expect("it ends");
        let repository = load(&tenant, None).await.expect("a whole publication");
        let document = PolicyDocument::from_json(&read(&repository, "tenant.json").await).expect("a policy");
        assert!([&company, &wanted].contains(&&document.company), "{} after {attempt}", document.company);
        done += u32::from(document.company == wanted);
        company = document.company;
    }
    println!("{done} of 24 came through");
    tenant.done("publish", &[]);
}

#[tokio::test]
async fn an_end_set_on_purpose_is_kept_by_the_server() {
    let tenant = Tenant::new();
    tenant.done("publish", &["--expires-days", "0"]);
    let error = load(&tenant, None).await.expect_err("expired");
    assert!(matches!(error, tough::error::Error::ExpiredMetadata { .. }), "{error}");
    let server = tenant.serve(&[]);
    drop(server);
    assert!(load(&tenant, None).await.is_err(), "serving did not renew it");
    tenant.done("publish", &[]);
    load(&tenant, None).await.expect("publishing did");
}

//! `init` and `publish`, looked at from the file tenant.

use std::path::Path;

use dfu::image::{Image, Suffix};
use dfu::package::Rules;
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

/// A package of version 2.10 for that product, with this image.
fn package(image: &[u8]) -> Vec<u8> {
    packed(&rules(image), image)
}

fn rules(image: &[u8]) -> Value {
    json!({
        "schema": 1, "name": "SC 60", "vendor": "V", "version": "2.10", "targets": [{ "vid": "1395", "pid": "0025" }],
        "components": [{ "id": "main", "file": "f.bin", "method": "usb-dfu", "version": "2.10", "size": image.len() }]
    })
}

fn packed(rules: &Value, image: &[u8]) -> Vec<u8> {
    let rules = Rules::parse(rules.to_string().as_bytes()).expect("rules");
    let files = rules.components.iter().map(|component| (component.file.clone(), image.to_vec())).collect();
    dfu::package::pack(&rules, &files).expect("a package")
}

fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_new_tenant_is_complete_and_private() {
    let tenant = Tenant::new();
    let repository = load(&tenant, None).await.expect("loads");
    let document = PolicyDocument::from_json(&read(&repository, "tenant.json").await).expect("a policy");
    assert_eq!(document, PolicyDocument::empty("Contoso"));
    let root = std::fs::read(tenant.dir.join("repository/metadata/1.root.json")).expect("a root");
    assert_eq!(tenant.value("TENANT_ROOT"), sha256(&root));
    assert!(tenant.value("TENANT_TOKEN").len() >= 32);
    assert_eq!(tenant.value("TENANT_ID"), "contoso");

    let again = command(&["init", "--dir", text(&tenant.dir), "--tenant-id", "contoso"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("not empty"));
    for bad in [["--tenant-id", "../x"], ["--tenant-id", ""], ["--tenant-id", "Con toso!"]] {
        let fresh = tenant.dir.with_file_name("fresh");
        let out = command(&[&["init", "--dir", text(&fresh)], bad.as_slice()].concat());
        assert_eq!((out.status.code(), fresh.exists()), (Some(2), false));
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

    let (one, two) = (package(b"first"), package(b"second"));
    let firmware = tenant.file("sc60-2.1.zip", &one);
    let first = tenant.file("policy.json", policy("One").to_string());
    let shown = tenant.done("publish", &["--policy", text(&first), "--target", text(&firmware)]);
    assert!(shown.contains("root 1, targets 2, snapshot 2, timestamp 2"), "{shown}");
    let line = format!("sc60-2.1.zip  {} bytes  sha256 {}", one.len(), sha256(&one));
    assert!(shown.contains(&line), "{shown}");
    let old = load(&tenant, Some(seen.path())).await.expect("loads");

    tenant.file("sc60-2.1.zip", &two);
    tenant.done("publish", &["--target", text(&firmware)]);
    let new = load(&tenant, Some(seen.path())).await.expect("loads");
    assert_eq!((versions(&old), versions(&new)), ([2, 2, 2], [3, 3, 3]));
    assert_eq!(read(&new, "sc60-2.1.zip").await, two);
    assert_eq!(read(&old, "sc60-2.1.zip").await, one, "whoever began with the old one can finish with it");
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
    assert!(message.contains("firmware[0].groups[0]: no group \"pilots\""), "{message}");
    let spaced = tenant.file("a b.zip", b"x");
    assert!(tenant.refused("publish", &["--target", text(&spaced)], 1).contains("target name"));
    let shadow = tenant.file("tenant.json", b"{}");
    assert!(tenant.refused("publish", &["--target", text(&shadow)], 1).contains("target name"));
    let absent = tenant.dir.with_file_name("absent.zip");
    assert!(tenant.refused("publish", &["--target", text(&absent)], 1).contains("absent.zip"));
    let large = tenant.file("large.json", vec![b' '; 4 * 1024 * 1024 + 1]);
    assert!(
        tenant.refused("publish", &["--policy", text(&large)], 1).contains("policy document: 4194305 bytes")
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
    let (one, two) = (package(b"first"), package(b"second"));
    let firmware = tenant.file("sc60-2.1.zip", &one);
    let order = tenant.file("policy.json", policy("Old").to_string());
    tenant.done("publish", &["--policy", text(&order), "--target", text(&firmware)]);
    tenant.file("sc60-2.1.zip", &two);
    tenant.file("policy.json", policy("New").to_string());
    let arguments = ["--policy", text(&order), "--target", text(&firmware)];
    // A folder in the way of a rename stops it after each of its steps in turn.
    let second = sha256(&two);
    for step in
        [&format!("targets/{second}.sc60-2.1.zip"), "metadata/3.targets.json", "metadata/3.snapshot.json"]
    {
        let obstacle = tenant.dir.join("repository").join(step);
        std::fs::create_dir_all(obstacle.join("full")).expect("in the way");
        assert!(tenant.refused("publish", &arguments, 1).contains(step), "{step}");
        let repository = load(&tenant, None).await.expect("the old publication loads");
        assert_eq!(versions(&repository), [2, 2, 2], "{step}");
        assert_eq!(read(&repository, "sc60-2.1.zip").await, one);
        let document = PolicyDocument::from_json(&read(&repository, "tenant.json").await).expect("a policy");
        assert_eq!(document.company, "Old");
        std::fs::remove_dir_all(&obstacle).expect("removed");
    }
    tenant.done("publish", &arguments);
    let repository = load(&tenant, None).await.expect("the new publication loads");
    assert_eq!(versions(&repository), [3, 3, 3]);
    assert_eq!(read(&repository, "sc60-2.1.zip").await, two);
}

/// What agents would refuse or treat otherwise is not published, and all of it is told at once.
#[tokio::test]
async fn what_agents_would_not_do_is_refused_with_every_fault() {
    let tenant = Tenant::new();
    let before = std::fs::read(tenant.dir.join("repository/metadata/timestamp.json")).expect("a file");
    let suffix = Suffix { bcd_device: 0x0120, vid: 0x0001, pid: 0x1209, bcd_dfu: 0x0100 };
    let swapped = Image::with_suffix(b"firmware", suffix);
    let mut charge = rules(b"image");
    charge["battery_percent_minimum"] = json!(30);
    let mut two = rules(b"image");
    let second =
        json!({ "id": "second", "file": "g.bin", "method": "usb-dfu", "version": "2.10", "size": 5 });
    two["components"].as_array_mut().expect("a list").push(second);
    let one = |id: &str, product: u16, version: &str, deployment: &str| {
        json!({ "id": id, "groups": ["all-users"], "name": id, "version": version,
            "products": [{ "vendor_id": 0x1395, "product_id": product }],
            "target": format!("{id}.zip"), "deployment": deployment })
    };
    let policy = json!({
        "schema": 1, "company": "Contoso",
        "ldap": { "servers": ["ldaps://dc1"], "base_dn": "dc=x", "ca_pem": "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----" },
        "groups": [
            { "id": "raw", "name": "Raw", "priority": 1,
              "rule": { "kind": "ldap-query", "filter": "(&(uid=$user$)(ou=Sales (EMEA)))" } },
            { "id": "open", "name": "Open", "priority": 2, "rule": { "kind": "ldap-query", "filter": "(&(uid=$user$)" } },
        ],
        "firmware": [
            one("text", 0x25, "2.10", "optional"),
            one("version", 0x25, "9.99", "optional"),
            one("product", 0x26, "2.10", "optional"),
            one("suffix", 0x25, "2.10", "optional"),
            one("charge", 0x25, "2.10", "optional"),
            one("two", 0x25, "2.10", "optional"),
            one("absent", 0x25, "0x0a12", "optional"),
        ],
        "sdk": { "approved": ["http://evil.example"] }
    });
    let mut suffixed = rules(&swapped);
    suffixed["name"] = json!("Suffixed");
    let files = [
        ("text", b"hello\n".to_vec()),
        ("version", package(b"image")),
        ("product", package(b"image")),
        ("suffix", packed(&suffixed, &swapped)),
        ("charge", packed(&charge, b"image")),
        ("two", packed(&two, b"image")),
    ];
    let files: Vec<_> = files.iter().map(|(id, bytes)| tenant.file(&format!("{id}.zip"), bytes)).collect();
    let spaced = tenant.file("a b.zip", b"x");
    let order = tenant.file("policy.json", policy.to_string());
    let mut arguments = vec!["--policy", text(&order), "--target", text(&spaced)];
    arguments.extend(files.iter().flat_map(|file| ["--target", text(file)]));
    let message = tenant.refused("publish", &arguments, 1);
    let faults = [
        "a b.zip: its file name cannot be a target name",
        "groups[1].rule.filter: brackets do not match",
        "sdk.approved[0]: expected ",
        "groups[0].rule.filter: at character 25: `(` inside a value: write \\28, or close the parenthesis before it",
        "ldap.ca_pem: ",
        "firmware[0].target: \"text.zip\" is no good firmware package: ",
        "firmware[1].target: \"version.zip\" would be refused by agents: it holds version 2.10, the policy names 9.99",
        "firmware[2].target: \"product.zip\" would be refused by agents: it is not for the product 1395:0026",
        "firmware[3].target: \"suffix.zip\" would be refused by agents: component \"main\": by its DFU suffix the firmware is for 0001:1209, not for 1395:0025",
        "firmware[3].target: \"suffix.zip\" would be refused by agents: component \"main\": by its DFU suffix the firmware has version 1.20, by the rules 2.10",
        "firmware[4].target: \"charge.zip\" would be refused by agents: it asks for a charge of 30 %",
        "firmware[5].target: \"two.zip\" would be refused by agents: 2 components",
        "firmware[6].target: \"absent.zip\" is not published",
    ];
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(
        lines[0],
        format!("hookswitch-tenant: nothing is published; {} faults to mend:", faults.len())
    );
    for (line, fault) in lines[1..].iter().zip(faults) {
        assert!(line.contains(fault), "expected {fault}\nin {line}");
    }
    assert_eq!(lines.len(), faults.len() + 1, "{message}");
    let after = std::fs::read(tenant.dir.join("repository/metadata/timestamp.json")).expect("a file");
    assert_eq!(before, after);
}

/// The package is looked at with the policy that names it, in whatever order the two come.
#[tokio::test]
async fn a_published_package_is_held_against_a_new_policy_and_the_other_way_round() {
    let tenant = Tenant::new();
    let firmware = tenant.file("sc60-2.1.zip", b"hello\n");
    tenant.done("publish", &["--target", text(&firmware)]);
    let order = tenant.file("policy.json", policy("One").to_string());
    let message = tenant.refused("publish", &["--policy", text(&order)], 1);
    assert!(
        message.contains("firmware[0].target: \"sc60-2.1.zip\" is no good firmware package"),
        "{message}"
    );
    tenant.file("sc60-2.1.zip", package(b"image"));
    tenant.done("publish", &["--policy", text(&order), "--target", text(&firmware)]);
    tenant.file("sc60-2.1.zip", b"hello\n");
    let message = tenant.refused("publish", &["--target", text(&firmware)], 1);
    assert!(message.contains("one fault to mend:"), "{message}");
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

/// `publish … | head`: what was published stays published, and nothing is said of a reader that has seen enough.
#[test]
fn a_reader_that_has_seen_enough_is_no_fault() {
    let tenant = Tenant::new();
    let policy = tenant.file("policy.json", policy("Contoso").to_string());
    let firmware = tenant.file("sc60-2.1.zip", package(b"firmware"));
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = tenant
        .program("publish", &["--policy", text(&policy), "--target", text(&firmware)])
        .stdout(writer)
        .output()
        .expect("hookswitch-tenant");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn what_a_program_says_ends_with_a_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = command(&["init", "--tenant-id", "contoso", "--dir", text(&folder.path().join("t"))]);
    assert!(made.stdout.ends_with(b".\n"), "{}", String::from_utf8_lossy(&made.stdout));
    let help = command(&["serve", "--help"]);
    assert!(!String::from_utf8_lossy(&help.stdout).contains("mood"), "nothing for operators");
}

/// The same folder may be served as it is: then everybody reads it.
#[test]
fn publishing_warns_of_what_a_folder_cannot_keep_or_do() {
    let tenant = Tenant::new();
    let said = |policy: &Value| {
        let path = tenant.file("policy.json", policy.to_string());
        let out = tenant.run("publish", &["--policy", text(&path)]);
        assert!(out.status.success(), "it is published all the same");
        String::from_utf8(out.stderr).expect("UTF-8")
    };
    let plain = json!({ "schema": 1, "company": "Contoso" });
    assert_eq!(said(&plain), "");
    let mut secret = plain.clone();
    secret["ldap"] = json!({
        "servers": ["ldaps://dc.contoso.example"], "base_dn": "dc=contoso,dc=example",
        "bind": { "method": "simple", "dn": "cn=reader,dc=contoso,dc=example", "password": "Sesame-1" }
    });
    secret["groups"] =
        json!([{ "id": "pilots", "name": "Pilots", "priority": 1, "rule": { "kind": "manual" } }]);
    let warned = said(&secret);
    let lines: Vec<&str> = warned.lines().collect();
    assert_eq!(lines.len(), 2, "{warned}");
    assert!(lines[0].starts_with("hookswitch-tenant: warning: ldap.bind.password: "), "{warned}");
    assert!(lines[1].starts_with("hookswitch-tenant: warning: groups pilots: "), "{warned}");
    assert!(!warned.contains("Sesame"), "{warned}");
    // Also where only a package is new.
    let out = tenant.run("publish", &[]);
    assert_eq!(String::from_utf8_lossy(&out.stderr), warned);
}

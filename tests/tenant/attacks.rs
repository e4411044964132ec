//! A server, or somebody in its place, that changes what was signed.

use crate::rig::{Tenant, clear, copy_folder, enrol, files, policy, published_file, target};
use hookswitch::shell::store::Store;
use hub::machine::{FailureKind, Record};
use hub::problem::Code;
use std::path::Path;
use std::time::Duration;

type Attack<'a> = (&'a str, &'a str, Box<dyn Fn(&Path)>);

fn edit(file: &'static str, change: impl Fn(&mut serde_json::Value) + 'static) -> Box<dyn Fn(&Path)> {
    Box::new(move |repository| {
        let path = repository.join("metadata").join(file);
        let mut value: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        std::fs::write(&path, serde_json::to_vec(&value).unwrap()).unwrap();
    })
}

fn write(file: &'static str, bytes: Vec<u8>) -> Box<dyn Fn(&Path)> {
    Box::new(move |repository| std::fs::write(repository.join("metadata").join(file), &bytes).unwrap())
}

#[tokio::test]
async fn changed_files_are_refused_by_name_and_the_last_good_policy_stays() {
    let tenant = Tenant::new(&[]);
    let stranger = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let (mut room, store_path) = (tenant.room(&url), tenant.dir().join("agent.db"));
    enrol(&mut room).await.unwrap();
    let good = policy(&mut room, None).await.unwrap().unwrap();
    Store::open(&store_path).unwrap().write(&[Record::Policy(good.clone())]).unwrap();

    let repository = tenant.dir().join("tenant").join("repository");
    let foreign = std::fs::read(stranger.metadata().join("timestamp.json")).unwrap();
    let root_loop = |repository: &Path| {
        let path = repository.join("metadata/2.root.json");
        // The server fails (500) when it opens it: a root that cannot be asked for is not a root that is not there.
        std::os::unix::fs::symlink(&path, &path).unwrap();
    };
    let attacks: Vec<Attack<'_>> = vec![
        ("unsigned", "tenant-signature", edit("timestamp.json", |v| v["signatures"] = serde_json::json!([]))),
        (
            "garbled signature",
            "tenant-signature",
            edit("timestamp.json", |v| v["signatures"][0]["sig"] = "00".repeat(64).into()),
        ),
        (
            "a longer life",
            "tenant-signature",
            edit("timestamp.json", |v| v["signed"]["expires"] = "2099-01-01T00:00:00Z".into()),
        ),
        ("another tenant's", "tenant-signature", write("timestamp.json", foreign)),
        ("endless", "tenant-oversize", write("timestamp.json", vec![b' '; 2 * 1024 * 1024])),
        ("an endless root", "tenant-oversize", write("2.root.json", vec![b' '; 2 * 1024 * 1024])),
        ("an unsigned root", "tenant-metadata", write("2.root.json", b"{}".to_vec())),
        ("no JSON", "tenant-metadata", write("timestamp.json", b"no JSON".to_vec())),
        ("a page of the network's", "tenant-intercepted", write("timestamp.json", b"<html>".to_vec())),
        (
            "missing",
            "tenant-not-found",
            Box::new(|r| std::fs::remove_file(r.join("metadata/timestamp.json")).unwrap()),
        ),
        (
            "targets replaced",
            "tenant-mismatch",
            edit("2.targets.json", |v| v["signed"]["targets"] = serde_json::json!({})),
        ),
        (
            "snapshot replaced",
            "tenant-mismatch",
            edit("2.snapshot.json", |v| v["signed"]["meta"] = serde_json::json!({})),
        ),
        ("a hidden rotation", "tenant-server-error", Box::new(root_loop)),
    ];
    for (name, code, attack) in attacks {
        let copy = tenant.dir().join("copy");
        copy_folder(&repository, &copy);
        attack(&repository);
        for have in [None, Some(good.version())] {
            let failure = policy(&mut room, have).await.expect_err(name);
            assert_eq!(failure.problem.code.as_str(), code, "{name}: {}", failure.problem);
            let kind = match code {
                "tenant-server-error" => FailureKind::ServerError,
                "tenant-intercepted" => FailureKind::Unreachable,
                "tenant-mismatch" => FailureKind::Mismatch,
                _ => FailureKind::Refused,
            };
            assert_eq!(failure.kind, kind, "{name}");
            clear(&failure.problem);
        }
        std::fs::remove_dir_all(&repository).unwrap();
        std::fs::rename(&copy, &repository).unwrap();
        assert_eq!(
            policy(&mut room, Some(good.version())).await.unwrap(),
            None,
            "{name}: recovers by itself"
        );
    }
    let kept = Store::open(&store_path).unwrap().load().unwrap().policy.unwrap();
    assert_eq!(kept, good, "the last good policy, with its version");
}

#[tokio::test]
async fn an_old_or_outlived_publication_is_refused() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let mut room = tenant.room(&url);
    enrol(&mut room).await.unwrap();
    assert_eq!(policy(&mut room, None).await.unwrap().unwrap().version(), 2);
    let old = std::fs::read(tenant.metadata().join("timestamp.json")).unwrap();
    tenant.publish(&[]);
    let new = std::fs::read(tenant.metadata().join("timestamp.json")).unwrap();
    assert_eq!(policy(&mut room, Some(2)).await.unwrap().unwrap().version(), 3);

    std::fs::write(tenant.metadata().join("timestamp.json"), &old).unwrap();
    let failure = policy(&mut room, Some(3)).await.unwrap_err();
    assert_eq!(failure.problem.code, Code::TenantRolledBack, "{}", failure.problem);
    // What the agent knows of the repository is lost, its store is not.
    let tuf = tenant.dir().join("agent").join("tuf");
    std::fs::remove_dir_all(&tuf).unwrap();
    std::fs::create_dir(&tuf).unwrap();
    let failure = policy(&mut room, Some(3)).await.unwrap_err();
    assert_eq!(failure.problem.code, Code::TenantRolledBack, "{}", failure.problem);
    std::fs::write(tenant.metadata().join("timestamp.json"), &new).unwrap();
    assert_eq!(policy(&mut room, Some(3)).await.unwrap(), None);

    tenant.publish(&["--expires-days", "0"]);
    tokio::time::timeout(Duration::from_secs(5), async {
        // It ends with the second in which it was published.
        while policy(&mut room, Some(3)).await.is_ok() {}
    })
    .await
    .unwrap();
    let failure = policy(&mut room, Some(3)).await.unwrap_err();
    assert_eq!((failure.problem.code.as_str(), failure.kind), ("tenant-expired", FailureKind::Refused));
    let failure = target(&mut room, "fw.zip").await.unwrap_err();
    assert_eq!(failure.problem.code, Code::TenantExpired, "no firmware of an outlived publication");
    tenant.publish(&[]);
    assert_eq!(policy(&mut room, Some(3)).await.unwrap().unwrap().version(), 5);
}

#[tokio::test]
async fn a_changed_package_is_refused() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let mut room = tenant.room(&url);
    enrol(&mut room).await.unwrap();
    let published = published_file(&tenant, "fw.zip");
    let good = std::fs::read(&published).unwrap();
    let mut changed = good.clone();
    changed[1_000] ^= 1;
    for (name, code, bytes) in [
        ("one bit", ("tenant-mismatch", FailureKind::Mismatch), changed),
        ("cut off", ("tenant-mismatch", FailureKind::Mismatch), good[..100_000].to_vec()),
        ("longer", ("tenant-oversize", FailureKind::Refused), [good.as_slice(), b"more"].concat()),
    ] {
        std::fs::write(&published, bytes).unwrap();
        let failure = target(&mut room, "fw.zip").await.expect_err(name);
        assert_eq!((failure.problem.code.as_str(), failure.kind), code, "{name}");
        clear(&failure.problem);
        let left = files(&tenant.packages());
        assert!(left.is_empty(), "{name}: rejected bytes are not kept: {left:?}");
    }
    std::fs::remove_file(&published).unwrap();
    assert_eq!(target(&mut room, "fw.zip").await.unwrap_err().problem.code, Code::TenantNotFound);
    for bad in ["other.zip", "../root.json", "a/b", "", ".."] {
        let failure = target(&mut room, bad).await.expect_err(bad);
        assert_eq!(failure.problem.code, Code::TenantTargetUnknown, "{bad}");
    }
    std::fs::write(&published, &good).unwrap();
    assert_eq!(target(&mut room, "fw.zip").await.unwrap().0.get(), &good);
}

#[tokio::test]
async fn rotated_keys_are_followed_and_not_forgotten() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let mut room = tenant.room(&url);
    enrol(&mut room).await.unwrap();
    policy(&mut room, None).await.unwrap().unwrap();
    let (old_timestamp, root) =
        (tenant.metadata().join("timestamp.json"), tenant.metadata().join("2.root.json"));
    rotate_timestamp_key(&tenant).await;
    tenant.publish(&[]);
    assert_eq!(policy(&mut room, Some(2)).await.unwrap().unwrap().version(), 3);
    let before = std::fs::read(&old_timestamp).unwrap();
    tenant.publish(&[]);
    assert_eq!(policy(&mut room, Some(3)).await.unwrap().unwrap().version(), 4);
    // Rollback protection is still there after a rotation …
    let newest = std::fs::read(&old_timestamp).unwrap();
    std::fs::write(&old_timestamp, before).unwrap();
    assert_eq!(policy(&mut room, Some(4)).await.unwrap_err().problem.code, Code::TenantRolledBack);
    std::fs::write(&old_timestamp, newest).unwrap();
    // … and a server that hides the new root does not bring the old keys back.
    std::fs::remove_file(&root).unwrap();
    assert_eq!(policy(&mut room, Some(4)).await.unwrap(), None);
}

/// What `publish` will do one day: root version 2 with a new key for the timestamp.
async fn rotate_timestamp_key(tenant: &Tenant) {
    use tough::editor::signed::SignedRole;
    use tough::key_source::{KeySource, LocalKeySource};
    use tough::schema::{KeyHolder, RoleKeys, RoleType, Root, Signed, Timestamp};
    let keys = tenant.dir().join("tenant/keys");
    let random = aws_lc_rs::rand::SystemRandom::new();
    let pkcs8 = aws_lc_rs::signature::Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    std::fs::write(keys.join("timestamp.pk8"), pkcs8.as_ref()).unwrap();
    let source = LocalKeySource { path: keys.join("timestamp.pk8") };
    let key = source.as_sign().await.unwrap().tuf_key();
    let bytes = std::fs::read(tenant.metadata().join("1.root.json")).unwrap();
    let mut root = serde_json::from_slice::<Signed<Root>>(&bytes).unwrap().signed;
    root.version = root.version.checked_add(1).unwrap();
    let id = key.key_id().unwrap();
    root.keys.insert(id.clone(), key);
    let one = std::num::NonZeroU64::MIN;
    root.roles.insert(
        RoleType::Timestamp,
        RoleKeys { keyids: vec![id], threshold: one, _extra: Default::default() },
    );
    let signer: Vec<Box<dyn KeySource>> = vec![Box::new(LocalKeySource { path: keys.join("root.pk8") })];
    let holder = KeyHolder::Root(root.clone());
    let path = tenant.metadata().join("timestamp.json");
    let timestamp =
        serde_json::from_slice::<Signed<Timestamp>>(&std::fs::read(&path).unwrap()).unwrap().signed;
    let new_key: Vec<Box<dyn KeySource>> = vec![Box::new(source)];
    let timestamp = SignedRole::new(timestamp, &holder, &new_key, &random).await.unwrap();
    std::fs::write(&path, timestamp.buffer()).unwrap();
    let signed = SignedRole::new(root, &holder, &signer, &random).await.unwrap();
    std::fs::write(tenant.metadata().join("2.root.json"), signed.buffer()).unwrap();
}

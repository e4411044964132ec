//! The tenant room against the real `hookswitch-tenant`: real TLS, real signatures, real files.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests: files, processes, sockets")]

use hookswitch::shell::tenant::{TenantConfig, TenantRoom};
use hub::machine::{Delivery, FailureKind, Owed, TenantAnswer, TenantRequest};
use hub::problem::Code;
use hub::tenancy::TenantSource;
use rig::{Tenant, clear, deliver, enrol, files, policy, published_file, run, target};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tenant::wire::{
    CloudEvent, DeviceRegistration, HostRegistration, UpdateStatus, UserRegistration, Verdict,
};

#[path = "tenant/attacks.rs"]
mod attacks;
#[path = "tenant/fetches.rs"]
mod fetches;
#[path = "tenant/folder.rs"]
mod folder;
#[path = "tenant/hostile.rs"]
mod hostile;
#[path = "tenant/moves.rs"]
mod moves;
#[path = "tenant/rig.rs"]
mod rig;

fn event(id: &str) -> Owed {
    let event = CloudEvent {
        specversion: "1.0".to_owned(),
        id: id.to_owned(),
        source: "/hosts/S-1".to_owned(),
        kind: "dev.hookswitch.call.ended".to_owned(),
        time: "2026-01-01T00:00:00Z".to_owned(),
        subject: None,
        datacontenttype: None,
        data: None,
        extensions: BTreeMap::new(),
    };
    Owed { id: format!("owed-{id}"), unix_s: 1, delivery: Delivery::Event(event) }
}

fn reports() -> Vec<Owed> {
    let host = HostRegistration {
        system_id: "S-1".to_owned(),
        hostname: "desk".to_owned(),
        os: "linux".to_owned(),
        os_version: "12".to_owned(),
        agent_version: "0.1.0".to_owned(),
        groups: vec![],
        copied_from: None,
    };
    let user = UserRegistration { user: "CORP\\jörg".to_owned(), display: None, groups: vec![] };
    let device = DeviceRegistration {
        device_id: "1395-00a2-7".to_owned(),
        vendor_id: 0x1395,
        product_id: 0x00a2,
        vendor: "EPOS".to_owned(),
        product: "Impact".to_owned(),
        serial: Some("7".to_owned()),
        firmware_version: Some("1.0".to_owned()),
        attached: true,
        port: None,
    };
    let update = UpdateStatus {
        event_id: "u-1".to_owned(),
        device_id: "1395-00a2-7".to_owned(),
        policy_id: "fw".to_owned(),
        from_version: Some("1.0".to_owned()),
        target_version: "1.2".to_owned(),
        verdict: Verdict::Succeeded,
        version_read_back: Some("1.2".to_owned()),
        detail: None,
    };
    let owe = |id: &str, delivery| Owed { id: id.to_owned(), unix_s: 1, delivery };
    vec![
        event("e-1"),
        owe("h", Delivery::Host(host)),
        owe("u", Delivery::User(user)),
        owe("d", Delivery::Device(device)),
        owe("s", Delivery::Update(update)),
        event("e-2"),
    ]
}

#[tokio::test]
async fn enrolment_policy_package_reports() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let mut room = tenant.room(&url);
    let failure = policy(&mut room, None).await.unwrap_err();
    assert_eq!(
        (failure.problem.code.as_str(), failure.kind),
        ("tenant-not-enrolled", FailureKind::Unauthorized)
    );

    let enrolment = enrol(&mut room).await.unwrap();
    assert_eq!(enrolment.root_sha256, tenant.secret("TENANT_ROOT"));
    assert_eq!(room.pinned_root(), Some(enrolment.root_sha256.clone()));
    let now_s = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((now_s + 3_500..=now_s + 3_700).contains(&enrolment.credential.expires_unix_s));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&tenant.dir().join("agent")), 0o700);
    assert_eq!(mode(&tenant.dir().join("agent/root.json")), 0o600);
    assert_eq!(enrol(&mut room).await.unwrap().root_sha256, enrolment.root_sha256, "again is no harm");

    let document = policy(&mut room, None).await.unwrap().unwrap();
    assert_eq!((document.version(), document.get().company.as_str()), (2, "Contoso"));
    assert_eq!(policy(&mut room, Some(2)).await.unwrap(), None);
    tenant.publish(&[]);
    assert_eq!(policy(&mut room, Some(2)).await.unwrap().unwrap().version(), 3);

    let firmware = std::fs::read(tenant.dir().join("fw.zip")).unwrap();
    let (package, steps) = target(&mut room, "fw.zip").await.unwrap();
    assert_eq!((package.get(), package.version()), (&firmware, 3));
    assert!(steps.len() > 2 && steps.is_sorted(), "{} steps", steps.len());
    assert_eq!(*steps.last().unwrap(), (3_000_000, 3_000_000));
    let cached = files(&tenant.packages());
    assert_eq!((cached.len(), mode(&cached[0])), (1, 0o600), "{cached:?}");

    let token = enrolment.credential.access_token;
    let owed = reports();
    let taken = deliver(&mut room, &owed, &token).await.unwrap();
    assert_eq!(taken, ["h", "u", "d", "s", "owed-e-1", "owed-e-2"]);
    assert_eq!(deliver(&mut room, &owed, &token).await.unwrap(), taken, "idempotent");
    let inventory = run(&["inventory", "--json"], &tenant.dir().join("tenant"));
    for known in ["desk", "jörg", "1395-00a2-7", "1.2"] {
        assert!(inventory.contains(known), "{known} in {inventory}");
    }

    run(&["assign", "--user", "CORP\\jörg", "--group", "pilots"], &tenant.dir().join("tenant"));
    let (system_id, user) = ("S-1".to_owned(), "CORP\\jörg".to_owned());
    let request = TenantRequest::AssignedGroups { system_id, user, token };
    match room.perform(request).await {
        TenantAnswer::Assigned(groups) => assert_eq!(groups.unwrap(), ["pilots"]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_poll_that_finds_nothing_new_shows_that_the_host_is_there() {
    let tenant = Tenant::new(&[]);
    let (server, url) = tenant.serve(&[]);
    let mut room = tenant.room(&url);
    enrol(&mut room).await.unwrap();
    let database = rusqlite::Connection::open(tenant.dir().join("tenant/tenant.db")).unwrap();
    let polled = async |room: &mut _| -> i64 {
        database.execute("UPDATE host SET seen_at = unixepoch() - 600", []).unwrap();
        assert_eq!(policy(room, Some(2)).await.unwrap(), None);
        database.query_row("SELECT unixepoch() - seen_at FROM host", [], |row| row.get(0)).unwrap()
    };
    assert!(polled(&mut room).await < 60);
    // A server that started anew takes no nonce of before.
    drop(server);
    let (_server, _) = tenant.serve_at(url.strip_prefix("https://").unwrap());
    // The connection of before is dead, which the first request may have to find out.
    let _ = policy(&mut room, Some(2)).await;
    assert!(polled(&mut room).await < 60);
}

#[tokio::test]
async fn a_package_is_fetched_once_and_an_interrupted_one_goes_on() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let mut room = tenant.room(&url);
    enrol(&mut room).await.unwrap();
    let firmware = std::fs::read(tenant.dir().join("fw.zip")).unwrap();
    target(&mut room, "fw.zip").await.unwrap();
    let whole = files(&tenant.packages()).pop().unwrap();
    let part = whole.with_extension("part");

    // The server's copy is gone: what is here is used, after hashing it again.
    let published = published_file(&tenant, "fw.zip");
    std::fs::rename(&published, published.with_extension("away")).unwrap();
    let (package, steps) = target(&mut room, "fw.zip").await.unwrap();
    assert_eq!((package.get(), steps), (&firmware, vec![(3_000_000, 3_000_000)]));
    std::fs::rename(published.with_extension("away"), &published).unwrap();

    // A bit of the copy here flips.
    let mut damaged = firmware.clone();
    damaged[77] ^= 1;
    std::fs::write(&whole, &damaged).unwrap();
    assert_eq!(target(&mut room, "fw.zip").await.unwrap().0.get(), &firmware);
    assert_eq!(std::fs::read(&whole).unwrap(), firmware);

    // A download that broke off: the first step is what was here already.
    std::fs::remove_file(&whole).unwrap();
    std::fs::write(&part, &firmware[..2_000_000]).unwrap();
    let (package, steps) = target(&mut room, "fw.zip").await.unwrap();
    assert_eq!((package.get(), steps[0]), (&firmware, (2_000_000, 3_000_000)));
    assert_eq!(std::fs::read(&whole).unwrap(), firmware);
    assert!(!part.exists());

    // A download that is given up half-way: what came stays, and the next one goes on from there.
    std::fs::remove_file(&whole).unwrap();
    {
        let (slow_url, _throttle) = rig::throttled(&url, 1_500_000);
        let mut room = tenant.room(&slow_url);
        room.use_token(&enrol(&mut tenant.room(&url)).await.unwrap().credential.access_token);
        let half = tokio::sync::Notify::new();
        let progress = |done, _| {
            if done >= 500_000 {
                half.notify_one();
            }
        };
        let listed = room.listed("fw.zip").await.unwrap();
        let keep = BTreeSet::new();
        tokio::select! {
            biased;
            () = half.notified() => {}
            answer = listed.fetch(&keep, progress) => panic!("it cannot end: {answer:?}"),
        }
    }
    assert!(!whole.exists());
    let came = std::fs::metadata(&part).unwrap().len();
    assert!((500_000..1_500_000).contains(&came), "{came} bytes came before");
    let (package, steps) = target(&mut room, "fw.zip").await.unwrap();
    assert_eq!((package.get(), steps[0]), (&firmware, (came, 3_000_000)));

    // Its beginning is damaged: found by the hash, and fetched from the start.
    for beginning in [&damaged[..2_000_000], &[0; 3_500_000][..]] {
        std::fs::remove_file(&whole).unwrap();
        std::fs::write(&part, beginning).unwrap();
        assert_eq!(target(&mut room, "fw.zip").await.unwrap().0.get(), &firmware);
        assert_eq!(std::fs::read(&whole).unwrap(), firmware);
    }

    // After a restart the token comes from the store.
    let mut room = tenant.room(&url);
    std::fs::remove_file(&whole).unwrap();
    assert_eq!(target(&mut room, "fw.zip").await.unwrap_err().kind, FailureKind::Unauthorized);
    let token = enrol(&mut tenant.room(&url)).await.unwrap().credential.access_token;
    room.use_token(&token);
    assert_eq!(target(&mut room, "fw.zip").await.unwrap().0.get(), &firmware);
}

#[tokio::test]
async fn a_report_that_is_refused_does_not_hold_up_the_others() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let mut room = tenant.room(&url);
    let token = enrol(&mut room).await.unwrap().credential.access_token;
    let mut owed = reports();
    let Delivery::Host(host) = &mut owed[1].delivery else { panic!("the host") };
    host.hostname = String::new();
    let mut bad = event("bad");
    let Delivery::Event(inner) = &mut bad.delivery else { panic!("an event") };
    inner.time = "yesterday".to_owned();
    owed.insert(0, bad);
    owed.extend((3..40).map(|n| event(&format!("e-{n}"))));
    let taken = deliver(&mut room, &owed, &token).await.unwrap();
    assert_eq!(taken.len(), owed.len() - 2);
    assert!(!taken.contains(&"h".to_owned()) && !taken.contains(&"owed-bad".to_owned()));
    let failure = deliver(&mut room, &owed[..1], &token).await.unwrap_err();
    assert_eq!((failure.problem.code.as_str(), failure.kind), ("tenant-rejected", FailureKind::Rejected));

    let many: Vec<Owed> = (0..2_300).map(|n| event(&format!("many-{n}"))).collect();
    assert_eq!(deliver(&mut room, &many, &token).await.unwrap().len(), 2_300);
}

#[tokio::test]
async fn wrong_credentials() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let config = TenantConfig { tenant_token: "wr0ng-t0ken".to_owned(), ..tenant.config(&url) };
    assert!(!format!("{config:?}").contains("wr0ng"));
    let mut room = TenantRoom::new(config).unwrap();
    let failure = enrol(&mut room).await.unwrap_err();
    assert_eq!(
        (failure.problem.code.as_str(), failure.kind),
        ("tenant-unauthorized", FailureKind::Unauthorized)
    );
    assert!(!format!("{failure:?}{room:?}").contains("wr0ng"));
    clear(&failure.problem);
    assert_eq!(room.pinned_root(), None);
    let failure = deliver(&mut room, &reports(), "no-token").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unauthorized);
    let user = reports().remove(2);
    let failure = deliver(&mut room, &[user], "no-token").await.unwrap_err();
    let shown = format!("{failure:?}");
    assert!(
        !shown.contains("no-token") && !shown.contains("jörg") && !shown.contains("%B6rg"),
        "neither token nor user: {shown}"
    );
}

#[tokio::test]
async fn another_trust_anchor_is_refused() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let other = "ab".repeat(32);
    let pinned = |pin: &str| TenantConfig { pinned_root_sha256: Some(pin.to_owned()), ..tenant.config(&url) };
    let failure = enrol(&mut TenantRoom::new(pinned(&other)).unwrap()).await.unwrap_err();
    assert_eq!((failure.problem.code.as_str(), failure.kind), ("tenant-root", FailureKind::Refused));
    assert!(
        failure.problem.what().contains(&other)
            && failure.problem.what().contains(&tenant.secret("TENANT_ROOT"))
    );
    assert!(!tenant.dir().join("agent/root.json").exists());

    // Without a pin the first one seen over TLS is trusted, and from then on no other.
    let first = TenantConfig { pinned_root_sha256: None, ..tenant.config(&url) };
    assert_eq!(
        enrol(&mut TenantRoom::new(first).unwrap()).await.unwrap().root_sha256,
        tenant.secret("TENANT_ROOT")
    );
    let mut later = TenantRoom::new(pinned(&other)).unwrap();
    assert_eq!(enrol(&mut later).await.unwrap_err().problem.code, Code::TenantRoot);
    assert_eq!(policy(&mut later, None).await.unwrap_err().problem.code, Code::TenantRoot);
    let stranger = Tenant::new(&[]);
    let (_server, strange_url) = stranger.serve(&[]);
    let moved = TenantConfig {
        pinned_root_sha256: None,
        data: tenant.dir().join("agent"),
        ..stranger.config(&strange_url)
    };
    assert_eq!(enrol(&mut TenantRoom::new(moved).unwrap()).await.unwrap_err().problem.code, Code::TenantRoot);

    let upper = pinned(&tenant.secret("TENANT_ROOT").to_uppercase());
    enrol(&mut TenantRoom::new(upper).unwrap()).await.unwrap();
    assert_eq!(TenantRoom::new(pinned("abc")).unwrap_err().code, Code::TenantPin);
}

#[tokio::test]
async fn a_server_that_fails_is_slow_or_is_not_there() {
    let tenant = Tenant::new(&[]);
    let (failing, failing_url) = tenant.serve(&["--mood", "internal-error"]);
    let failure = enrol(&mut tenant.room(&failing_url)).await.unwrap_err();
    assert_eq!(
        (failure.problem.code.as_str(), failure.kind),
        ("tenant-server-error", FailureKind::ServerError)
    );
    clear(&failure.problem);

    let mut unknown_authority = tenant.config(&failing_url);
    unknown_authority.extra_ca =
        Some(rig::ca(std::fs::read(Tenant::new(&[]).dir().join("tenant/ca.pem")).unwrap()));
    let failure = enrol(&mut TenantRoom::new(unknown_authority).unwrap()).await.unwrap_err();
    assert_eq!(
        (failure.problem.code.as_str(), failure.kind),
        ("tenant-certificate", FailureKind::Unreachable)
    );
    assert!(failure.problem.what().contains("peer certificate"), "{}", failure.problem);

    // The machine's own authorities do not know it either, if there are any.
    let machine_only = TenantConfig { extra_ca: None, ..tenant.config(&failing_url) };
    let failure = enrol(&mut TenantRoom::new(machine_only).unwrap()).await.unwrap_err();
    assert!(
        ["tenant-certificate", "tenant-trust"].contains(&failure.problem.code.as_str()),
        "{}",
        failure.problem
    );

    drop(failing);
    let failure = enrol(&mut tenant.room(&failing_url)).await.unwrap_err();
    assert_eq!(
        (failure.problem.code.as_str(), failure.kind),
        ("tenant-unreachable", FailureKind::Unreachable)
    );

    let (_slow, slow_url) = tenant.serve(&["--mood", "slow"]);
    // The answer would have come: that it did not is the agent's own deadline.
    let failure = enrol(&mut tenant.room(&slow_url)).await.unwrap_err();
    assert_eq!((failure.problem.code.as_str(), failure.kind), ("tenant-timeout", FailureKind::Unreachable));
}

/// The loops of the shell may run it on any thread.
#[test]
fn the_room_can_move_between_threads() {
    fn moves<T: Send>(_: &T) {}
    let folder = tempfile::tempdir().unwrap();
    let config = TenantConfig {
        name: "example".to_owned(),
        source: TenantSource::named("https://tenant.example"),
        tenant_id: "t".to_owned(),
        tenant_token: "k".to_owned(),
        pinned_root_sha256: None,
        extra_ca: None,
        data: folder.path().join("agent"),
    };
    let mut room = TenantRoom::new(config).unwrap();
    moves(&room);
    moves(&room.perform(TenantRequest::FetchPolicy { have: None }));
}

#[test]
fn a_configuration_that_cannot_work_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = TenantConfig {
        name: "example".to_owned(),
        source: TenantSource::named("https://tenant.example"),
        tenant_id: "t".to_owned(),
        tenant_token: "k".to_owned(),
        pinned_root_sha256: None,
        extra_ca: None,
        data: folder.path().join("agent"),
    };
    TenantRoom::new(config.clone()).unwrap();
    let with = |change: fn(&mut TenantConfig)| {
        let mut config = config.clone();
        change(&mut config);
        let problem = TenantRoom::new(config).unwrap_err();
        if problem.code == Code::TenantCa {
            assert_eq!(problem.place(), "/etc/company/ca.pem", "the file that is wrong");
        }
        problem.code
    };
    assert_eq!(with(|c| c.source = TenantSource::named("http://tenant.example")), Code::TenantUrl);
    assert_eq!(with(|c| c.extra_ca = Some(rig::ca(b"no certificate".to_vec()))), Code::TenantCa);
    assert_eq!(with(|c| c.pinned_root_sha256 = Some("g".repeat(64))), Code::TenantPin);
    assert_eq!(with(|c| c.data = PathBuf::from("/proc/nowhere")), Code::TenantData);
}

/// Whoever has the tenant's token is another machine all the same, and the honest one hears what to do.
#[tokio::test]
async fn a_host_is_its_key_to_the_tenant() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let token = enrol(&mut tenant.room(&url)).await.unwrap().credential.access_token;
    let other = |system_id: &str| TenantRequest::Enrol {
        system_id: system_id.to_owned(),
        host_key: hookswitch::shell::tenant::fresh_key().unwrap(),
    };
    let mut thief =
        TenantRoom::new(TenantConfig { data: tenant.dir().join("thief"), ..tenant.config(&url) }).unwrap();
    let TenantAnswer::Enrolled(Err(failure)) = thief.perform(other("S-1")).await else {
        panic!("it is refused")
    };
    assert_eq!((failure.problem.code.as_str(), failure.kind), ("tenant-host-key", FailureKind::Rejected));
    assert_eq!(failure.problem.args["system_id"], "S-1");
    clear(&failure.problem);
    // Enrolled as itself, with the honest host's token: neither reports nor packages.
    let TenantAnswer::Enrolled(Ok(_)) = thief.perform(other("S-2")).await else {
        panic!("a machine of its own")
    };
    let failure = deliver(&mut thief, &reports(), &token).await.unwrap_err();
    assert_eq!((failure.problem.code.as_str(), failure.kind), ("tenant-proof", FailureKind::Unauthorized));
    thief.use_token(&token);
    assert_eq!(target(&mut thief, "fw.zip").await.unwrap_err().problem.code, Code::TenantProof);

    // The operator forgets the key, and the next machine is the host.
    let out = std::process::Command::new(rig::binary())
        .args(["hosts", "reset", "S-1", "--dir"])
        .arg(tenant.dir().join("tenant"))
        .status()
        .unwrap();
    assert!(out.success());
    assert!(matches!(thief.perform(other("S-1")).await, TenantAnswer::Enrolled(Ok(_))));
    assert_eq!(enrol(&mut tenant.room(&url)).await.unwrap_err().problem.code, Code::TenantHostKey);
}

/// The server was restarted, or the nonce had aged: the agent signs again by itself.
#[tokio::test]
async fn a_nonce_of_before_is_no_failure() {
    let tenant = Tenant::new(&[]);
    let (first, url) = tenant.serve(&[]);
    let mut room = tenant.room(&url);
    let token = enrol(&mut room).await.unwrap().credential.access_token;
    drop(first);
    let address = url.strip_prefix("https://").unwrap();
    let (_second, again) = tenant.serve_at(address);
    assert_eq!(again, url);
    // The first one finds the old connection dead.
    let _ = deliver(&mut room, &reports(), &token).await;
    assert_eq!(deliver(&mut room, &reports(), &token).await.unwrap().len(), 6);
}

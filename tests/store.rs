//! The store on a real file: nothing lost, nothing half-written, nothing readable by others.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests: real files and a child process")]

#[path = "support/seed.rs"]
mod seed;

use dfu::usb_dfu::Phase;
use hookswitch::shell::store::{MAX_OWED, MAX_USERS, Store};
use hub::machine::{
    Credential, Delivery, Fingerprint, Identity, JournalEntry, Marks, Owed, Persisted, Record, Sha256,
};
use hub::problem::Code;
use hub::protocol::{ResolvedGroup, Why};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use tenant::secret::Secret;
use tenant::wire::{
    CloudEvent, DeviceRegistration, HostRegistration, UpdateStatus, UserRegistration, Verdict,
};

fn event(id: &str) -> Record {
    Record::Owed(Owed {
        id: id.to_owned(),
        unix_s: 1_700_000_000,
        delivery: Delivery::Event(CloudEvent {
            specversion: "1.0".to_owned(),
            id: id.to_owned(),
            source: "/hosts/S".to_owned(),
            kind: "dev.hookswitch.test".to_owned(),
            time: "2026-01-01T00:00:00Z".to_owned(),
            subject: None,
            datacontenttype: None,
            data: None,
            extensions: BTreeMap::from([("seq".to_owned(), serde_json::json!(1))]),
        }),
    })
}

fn update(id: &str) -> Record {
    let status = UpdateStatus {
        event_id: id.to_owned(),
        device_id: "1395-00a2-1".to_owned(),
        policy_id: "fw".to_owned(),
        from_version: Some("1.0".to_owned()),
        target_version: "1.2".to_owned(),
        verdict: Verdict::Succeeded,
        version_read_back: Some("1.2".to_owned()),
        detail: None,
    };
    Record::Owed(Owed { id: id.to_owned(), unix_s: 1, delivery: Delivery::Update(status) })
}

fn host(id: &str) -> Record {
    let host = HostRegistration {
        system_id: "S".to_owned(),
        hostname: "h".to_owned(),
        os: "linux".to_owned(),
        os_version: String::new(),
        agent_version: "0.1.0".to_owned(),
        groups: vec![],
        copied_from: None,
    };
    Record::Owed(Owed { id: id.to_owned(), unix_s: 2, delivery: Delivery::Host(host) })
}

fn groups(user: &str, name: &str) -> Record {
    let group = ResolvedGroup {
        id: "sales".to_owned(),
        name: name.to_owned(),
        priority: 3,
        why: Why::LdapQuery { server: "ldaps://dc".to_owned(), filter: "(uid=$user$)".to_owned() },
    };
    Record::Groups { user: user.to_owned(), groups: vec![group] }
}

fn journal(block: u32) -> JournalEntry {
    JournalEntry {
        offer: "fw:1395-00a2-1".to_owned(),
        policy: "fw".to_owned(),
        tenant: None,
        name: "Impact 1.2".to_owned(),
        device: "1395-00a2-1".to_owned(),
        port: "1-2.3".to_owned(),
        vendor_id: 0x1395,
        product_id: 0x00a2,
        serial: Some("1".to_owned()),
        from_version: "1.0".to_owned(),
        target_version: "1.2".to_owned(),
        target: "impact-1.2.zip".to_owned(),
        package: Some(Fingerprint { length: 4096, sha256: Sha256([0xab; 32]) }),
        component: "main".to_owned(),
        phase: Phase::Downloading { block },
        vendor: "Hookswitch".to_owned(),
        product: "Headset".to_owned(),
        said: None,
        works: false,
    }
}

fn identity(system_id: &str) -> Record {
    let machine = Marks { installation: Some("m".to_owned()), hardware: None };
    let key = Some(Secret::new("k3y-seed"));
    Record::Identities(vec![Identity { machine, system_id: system_id.to_owned(), key, copied_from: None }])
}

fn system_id(persisted: &Persisted) -> Option<&str> {
    persisted.identities.first().map(|identity| identity.system_id.as_str())
}

fn credential() -> Credential {
    Credential { access_token: "at-1".to_owned(), expires_unix_s: 1_700_003_600 }
}

#[test]
fn every_record_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data").join("hookswitch.db");
    let user = UserRegistration { user: "jörg".to_owned(), display: None, groups: vec![] };
    let device = DeviceRegistration {
        device_id: "1395-00a2-1".to_owned(),
        vendor_id: 0x1395,
        product_id: 0x00a2,
        vendor: "EPOS".to_owned(),
        product: "Impact".to_owned(),
        serial: Some("1".to_owned()),
        firmware_version: Some("1.0".to_owned()),
        attached: true,
        port: None,
    };
    let user = Record::Owed(Owed { id: "u".to_owned(), unix_s: 3, delivery: Delivery::User(user) });
    let device = Record::Owed(Owed { id: "d".to_owned(), unix_s: 4, delivery: Delivery::Device(device) });
    let owed = [event("e"), host("h"), user, device, update("s")];
    let mut records = vec![
        identity("S-1"),
        Record::Credential(Some(credential())),
        Record::Journal(journal(0)),
        Record::Journal(journal(1)),
        groups("alice", "Old"),
        groups("bob", "Sales"),
        groups("alice", "Sales"),
        Record::Deferred { offer: "o1".to_owned(), version: "1".to_owned() },
        Record::Deferred { offer: "o1".to_owned(), version: "2".to_owned() },
    ];
    records.extend(owed.iter().cloned());
    {
        let mut store = Store::open(&path).unwrap();
        assert_eq!(store.take_mended(), None);
        let empty = store.load().unwrap();
        assert!(empty.identities.is_empty() && empty.owed.is_empty() && empty.policy.is_none());
        assert!(store.write(&records).unwrap());
        assert!(!store.write(&[]).unwrap());
        let unknown = Record::Delivered(vec!["never owed".to_owned()]);
        assert!(!store.write(&[unknown]).unwrap(), "there was nothing to write");
    }
    let mut store = Store::open(&path).unwrap();
    let back = store.load().unwrap();
    assert_eq!(system_id(&back), Some("S-1"));
    assert_eq!(back.credential, Some(credential()));
    assert_eq!(back.journal, [journal(1)], "one entry for each headset, the last one");
    assert_eq!(back.deferred, [("o1".to_owned(), "2".to_owned())]);
    let names: Vec<(&str, &str)> =
        back.groups.iter().map(|(u, g)| (u.as_str(), g[0].name.as_str())).collect();
    assert_eq!(names, [("bob", "Sales"), ("alice", "Sales")]);
    let written: Vec<&Owed> =
        owed.iter().map(|r| if let Record::Owed(owed) = r { owed } else { unreachable!() }).collect();
    assert_eq!(back.owed.iter().collect::<Vec<_>>(), written, "in the order they were written");

    store
        .write(&[
            Record::Credential(None),
            Record::JournalCleared { device: "1395-00a2-1".to_owned() },
            Record::Delivered(vec!["e".to_owned(), "never-owed".to_owned(), "s".to_owned()]),
        ])
        .unwrap();
    let back = store.load().unwrap();
    assert_eq!((back.credential, back.journal), (None, vec![]));
    assert_eq!(back.owed.iter().map(|o| o.id.as_str()).collect::<Vec<_>>(), ["h", "u", "d"]);
}

#[test]
fn only_the_user_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep").join("hookswitch.db");
    let mut store = Store::open(&path).unwrap();
    store.write(&[Record::Credential(Some(credential()))]).unwrap();
    let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let files: Vec<_> =
        std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(files.len() >= 2, "the database and its write-ahead log: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    drop(store);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    drop(Store::open(&path).unwrap());
    assert_eq!(mode(&path), 0o600, "an older, wider mode is mended");
}

#[test]
fn a_second_agent_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hookswitch.db");
    let _first = Store::open(&path).unwrap();
    let problem = Store::open(&path).unwrap_err();
    assert_eq!(problem.code, Code::StoreInUse);
    assert!(problem.place().ends_with("hookswitch.db"));
}

#[test]
fn a_link_or_a_foreign_or_newer_file_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("target");
    std::fs::write(&target, "precious").unwrap();
    let link = dir.path().join("link.db");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert_eq!(Store::open(&link).unwrap_err().code, Code::StoreForeign);
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "precious");

    let foreign = dir.path().join("foreign.db");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert_eq!(Store::open(&foreign).unwrap_err().code, Code::StoreForeign);

    let newer = dir.path().join("newer.db");
    drop(Store::open(&newer).unwrap());
    rusqlite::Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let problem = Store::open(&newer).unwrap_err();
    assert_eq!(problem.code, Code::StoreNewer);
    assert!(problem.what().contains("99") && problem.what().contains("up to 3"), "{problem}");
    let version: i64 = rusqlite::Connection::open(&newer)
        .unwrap()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, 99, "untouched");
}

#[test]
fn a_damaged_file_is_moved_aside_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hookswitch.db");
    let waits = journal(3);
    for damage in ["no database", "a page overwritten"] {
        let readable = damage != "no database";
        if !readable {
            std::fs::write(&path, vec![0x5a; 8192]).unwrap();
        } else {
            {
                let mut store = Store::open(&path).unwrap();
                store.write(&[Record::Journal(waits.clone()), identity("S")]).unwrap();
                let many: Vec<Record> = (0..400).map(|n| event(&format!("e{n}"))).collect();
                store.write(&many).unwrap();
            }
            let mut bytes = std::fs::read(&path).unwrap();
            let half = bytes.len() / 2;
            // The table of the reports; those before it, small as they are, end in the pages before.
            bytes[half..half + 4096 * 8].fill(0xff);
            std::fs::write(&path, bytes).unwrap();
        }
        let damaged = std::fs::read(&path).unwrap();
        let mut store = Store::open(&path).unwrap();
        let problem = store.take_mended().expect(damage);
        assert_eq!(problem.code, Code::StoreMended, "{damage}");
        assert_eq!(std::fs::read(&problem.args["kept"]).unwrap(), damaged, "{damage}: kept as it was");
        // A headset in DFU mode has nobody else who knows it, and a host no other key.
        let known = store.load().unwrap();
        let expected = (if readable { vec![waits.clone()] } else { vec![] }, readable.then_some("S"));
        assert_eq!((known.journal.clone(), system_id(&known)), expected, "{damage}");
        assert_eq!(problem.args["journal"], if readable { "whole" } else { "lost" });
        std::fs::remove_file(&problem.args["kept"]).unwrap();
        store.write(&[identity("new")]).unwrap();
        assert_eq!(system_id(&store.load().unwrap()), Some("new"));
    }
}

/// The damaged file has lost its name already, the fresh one has not got it yet.
#[test]
fn a_crash_while_a_damaged_file_is_replaced_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hookswitch.db");
    let waits = journal(3);
    let mut store = Store::open(&path).unwrap();
    store.write(&[Record::Journal(waits.clone()), identity("S")]).unwrap();
    drop(store);
    std::fs::rename(&path, dir.path().join("hookswitch.db.fresh")).unwrap();
    let known = Store::open(&path).unwrap().load().unwrap();
    assert_eq!((&known.journal[..], system_id(&known)), (&[waits][..], Some("S")));
}

#[test]
fn headsets_have_their_journals_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hookswitch.db");
    let of = |device: &str| JournalEntry { device: device.to_owned(), ..journal(3) };
    let mut store = Store::open(&path).unwrap();
    store.write(&[Record::Journal(of("a")), Record::Journal(of("b"))]).unwrap();
    assert_eq!(store.load().unwrap().journal, [of("a"), of("b")]);
    store.write(&[Record::JournalCleared { device: "a".to_owned() }]).unwrap();
    drop(store);
    assert_eq!(Store::open(&path).unwrap().load().unwrap().journal, [of("b")]);
}

/// Written by a version that knew one entry: a headset that waits in DFU mode outlives the update of the agent.
#[test]
fn the_one_entry_of_an_older_file_is_kept() {
    for (value, kept) in [
        (serde_json::to_string(&old_entry()).unwrap(), true),
        ("{".to_owned(), false),
        ("[]".to_owned(), false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hookswitch.db");
        drop(Store::open(&path).unwrap());
        let file = rusqlite::Connection::open(&path).unwrap();
        file.execute_batch("DROP TABLE job; PRAGMA user_version = 1;").unwrap();
        file.execute("INSERT INTO single VALUES ('journal', ?1)", [&value]).unwrap();
        drop(file);
        let back = Store::open(&path).unwrap().load().unwrap().journal;
        let expected =
            JournalEntry { vendor: String::new(), product: String::new(), package: None, ..journal(7) };
        assert_eq!(back, if kept { vec![expected] } else { vec![] }, "{value}");
    }
}

/// The name of the tenant stood in its credential alone; where there was none, nobody knows.
#[test]
fn whose_the_policy_and_the_reports_are_is_taken_from_an_older_store() {
    let named =
        r#"{"access_token":"at-1","expires_unix_s":1700003600,"tenant":"https://tenant.example acme"}"#;
    let nameless = r#"{"access_token":"at-1","expires_unix_s":1700003600,"tenant":""}"#;
    let older = r#"{"access_token":"at-1","expires_unix_s":1700003600}"#;
    for (stored, tenant) in [
        (Some(named), Some("https://tenant.example acme")),
        (Some(nameless), None),
        (Some(older), None),
        (Some("{"), None),
        (None, None),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hookswitch.db");
        Store::open(&path).unwrap().write(&[event("a")]).unwrap();
        let file = rusqlite::Connection::open(&path).unwrap();
        file.execute_batch("PRAGMA user_version = 2;").unwrap();
        if let Some(stored) = stored {
            file.execute("INSERT INTO single VALUES ('credential', ?1)", [stored]).unwrap();
        }
        drop(file);
        let back = Store::open(&path).unwrap().load().unwrap();
        assert_eq!(back.tenant.as_deref(), tenant, "{stored:?}");
        let readable = stored.filter(|stored| *stored != "{").map(|_| credential());
        assert_eq!((back.credential, back.owed.len()), (readable, 1), "{stored:?}");
    }
}

#[test]
fn of_a_tenant_that_was_left_nothing_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hookswitch.db");
    let (work, deferred) = (journal(7), Record::Deferred { offer: "o".to_owned(), version: "1".to_owned() });
    let of_tenant = [
        Record::Tenant("https://a acme".to_owned()),
        Record::Credential(Some(credential())),
        groups("jane", "Sales"),
        event("e"),
        update("u"),
    ];
    let of_machine = [identity("S"), Record::Journal(work.clone()), deferred];
    let moved = [Record::TenantLeft, Record::Tenant("https://b bolt".to_owned()), host("h")];
    let mut store = Store::open(&path).unwrap();
    for records in [&of_tenant[..], &of_machine, &moved] {
        store.write(records).unwrap();
    }
    drop(store);
    let back = Store::open(&path).unwrap().load().unwrap();
    assert_eq!(back.tenant.as_deref(), Some("https://b bolt"));
    assert!(
        back.policy.is_none()
            && back.credential.is_none()
            && back.groups.is_empty()
            && back.devices.is_empty()
    );
    assert_eq!(back.owed.iter().map(|owed| owed.id.as_str()).collect::<Vec<_>>(), ["h"]);
    assert_eq!((system_id(&back), &back.journal[..], back.deferred.len()), (Some("S"), &[work][..], 1));
}

/// As version 0.1.0 wrote it.
fn old_entry() -> serde_json::Value {
    serde_json::json!({
        "offer": "fw:1395-00a2-1", "policy": "fw", "name": "Impact 1.2", "device": "1395-00a2-1", "port": "1-2.3",
        "vendor_id": 0x1395, "product_id": 0x00a2, "serial": "1", "from_version": "1.0", "target_version": "1.2",
        "target": "impact-1.2.zip", "component": "main", "phase": "downloading:7",
    })
}

#[test]
fn a_row_that_cannot_be_read_costs_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hookswitch.db");
    Store::open(&path).unwrap().write(&[identity("S"), event("a"), event("b")]).unwrap();
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(
            "UPDATE owed SET body = '{' WHERE id = 'a';
             INSERT INTO single VALUES ('policy', '{\"version\":3,\"document\":{\"schema\":77}}');
             INSERT INTO job VALUES ('d', '[]');
             INSERT INTO user_groups (user, body) VALUES ('u', 'null');",
        )
        .unwrap();
    let back = Store::open(&path).unwrap().load().unwrap();
    assert_eq!(back.owed.iter().map(|o| o.id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(system_id(&back), Some("S"));
    assert!(back.policy.is_none() && back.journal.is_empty() && back.groups.is_empty());
}

#[test]
fn a_full_outbox_drops_old_events_first_and_verdicts_never() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(&dir.path().join("hookswitch.db")).unwrap();
    let mut records = vec![update("verdict"), host("registration")];
    records.extend((0..MAX_OWED + 3).map(|n| event(&format!("e{n}"))));
    store.write(&records).unwrap();
    let back = store.load().unwrap();
    assert_eq!(back.owed.len(), MAX_OWED as usize);
    let ids: Vec<&str> = back.owed.iter().take(3).map(|o| o.id.as_str()).collect();
    assert_eq!(ids, ["verdict", "registration", "e5"]);

    let verdicts: Vec<Record> = (0..MAX_OWED + 1).map(|n| update(&format!("v{n}"))).collect();
    store.write(&verdicts).unwrap();
    let back = store.load().unwrap();
    assert_eq!(back.owed.len(), MAX_OWED as usize + 2, "every verdict and nothing else");

    let users: Vec<Record> = (0..MAX_USERS + 2).map(|n| groups(&format!("u{n}"), "G")).collect();
    store.write(&users).unwrap();
    let back = store.load().unwrap();
    assert_eq!(back.groups.len(), MAX_USERS as usize);
    assert_eq!(back.groups[0].0, "u2", "the ones not seen for longest went");
}

#[test]
fn an_unwritable_folder_is_one_clear_problem() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let problem = Store::open(&file.join("hookswitch.db")).unwrap_err();
    assert_eq!(problem.code, Code::StoreUnwritable);
    assert!(!problem.next().is_empty() && problem.place().contains("a-file"));
}

const CHILD: &str = "HOOKSWITCH_TEST_STORE";

/// What [`kill_at_any_moment`] kills: writes until it is killed.
fn writer(path: &Path) -> ! {
    let mut store = Store::open(path).unwrap();
    let done = system_id(&store.load().unwrap()).map_or(0, |id| id.parse::<u32>().unwrap());
    for n in done + 1.. {
        let text = n.to_string();
        let mut records = vec![event(&text), identity(&text), groups("alice", &text)];
        if n % 3 == 0 {
            records.push(Record::Journal(journal(n)));
        }
        if n > 50 {
            records.push(Record::Delivered(vec![(n - 50).to_string()]));
        }
        store.write(&records).unwrap();
        println!("wrote {n}");
    }
    unreachable!("it is killed long before")
}

#[test]
fn kill_at_any_moment() {
    if let Some(path) = std::env::var_os(CHILD) {
        writer(Path::new(&path));
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hookswitch.db");
    let mut random = seed::random();
    let mut total = 0;
    for round in 0..8_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["kill_at_any_moment", "--exact", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let number = |line: &str| line.strip_prefix("wrote ").and_then(|n| n.parse::<u32>().ok());
        let mut acknowledged =
            lines.by_ref().find_map(|line| number(&line.unwrap())).expect("the child wrote something");
        std::thread::sleep(std::time::Duration::from_micros(7_300 * round + random.u64(0..5_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            acknowledged = number(&line).unwrap_or(acknowledged);
        }

        let mut store = Store::open(&path).unwrap();
        assert_eq!(store.take_mended(), None, "round {round}");
        let back = store.load().unwrap();
        let last: u32 = system_id(&back).unwrap().parse().unwrap();
        assert!(last >= acknowledged, "round {round}: {acknowledged} was acknowledged, {last} is there");
        assert!(last <= acknowledged + 1, "round {round}: at most one write was in flight");
        assert_eq!(back.groups[0].1[0].name, last.to_string(), "round {round}: same transaction");
        let want: Vec<String> = (last.saturating_sub(49).max(1)..=last).map(|n| n.to_string()).collect();
        assert_eq!(back.owed.iter().map(|o| o.id.clone()).collect::<Vec<_>>(), want, "round {round}");
        assert_eq!(
            back.journal.into_iter().next().map(|j| j.phase),
            (last >= 3).then(|| Phase::Downloading { block: last / 3 * 3 })
        );
        total = last;
    }
    println!("8 kills, {total} transactions, every acknowledged one was there");
}

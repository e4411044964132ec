//! What the store keeps: reports, the journal, the credential, and the rows of every record as SQLite holds them.

use super::{folder, samples};
use dfu::usb_dfu::Phase;
use hookswitch::shell::store::Store;
use hub::machine::deployment::Past;
use hub::machine::{Credential, Delivery, Fingerprint, Identity, JournalEntry, Marks, Owed, Record, Sha256};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tenant::secret::Secret;
use tenant::wire::{self, CloudEvent, DeviceRegistration, HostRegistration, UpdateStatus, UserRegistration};

pub(crate) fn journal() -> JournalEntry {
    JournalEntry {
        offer: "fw:1209-0001-HS0001".to_owned(),
        policy: "fw".to_owned(),
        tenant: Some("https://t acme".to_owned()),
        name: "Headset 1.20".to_owned(),
        device: "1209-0001-HS0001".to_owned(),
        port: "1-2.3".to_owned(),
        vendor_id: 0x1209,
        product_id: 1,
        serial: None,
        from_version: "1.10".to_owned(),
        target_version: "1.20".to_owned(),
        target: "headset-1.20.zip".to_owned(),
        package: Some(Fingerprint { length: 262_144, sha256: Sha256([0x0f; 32]) }),
        component: "headset".to_owned(),
        phase: Phase::Downloading { block: 12 },
        vendor: "Hookswitch".to_owned(),
        product: "Headset".to_owned(),
        said: None,
        works: false,
    }
}

pub(crate) fn credential() -> Credential {
    Credential { access_token: "abc".to_owned(), expires_unix_s: 1_700_003_600 }
}

fn device() -> DeviceRegistration {
    DeviceRegistration {
        device_id: "1209-0001-HS0001".to_owned(),
        vendor_id: 0x1209,
        product_id: 1,
        vendor: "Hookswitch".to_owned(),
        product: "Simulated Headset".to_owned(),
        serial: Some("HS0001".to_owned()),
        firmware_version: Some("1.10".to_owned()),
        attached: true,
        port: Some("1-2.3".to_owned()),
    }
}

fn identity() -> Identity {
    let machine = Marks { installation: Some("0f".to_owned()), hardware: None };
    let key = Some(Secret::new("seed"));
    Identity { machine, system_id: "S-1".to_owned(), key, copied_from: Some("S-0".to_owned()) }
}

pub(crate) const DELIVERY: &[&str] = &["host", "user", "device", "update", "event"];

pub(crate) fn delivery_name(owed: &Owed) -> &'static str {
    match owed.delivery {
        Delivery::Host(_) => "host",
        Delivery::User(_) => "user",
        Delivery::Device(_) => "device",
        Delivery::Update(_) => "update",
        Delivery::Event(_) => "event",
    }
}

pub(crate) fn owed() -> Vec<Owed> {
    let group = |id: &str| wire::ResolvedGroup { id: id.to_owned(), why: "everyone".to_owned() };
    let status = |verdict, read_back: Option<&str>, detail: Option<&str>| {
        Delivery::Update(UpdateStatus {
            event_id: "u1".to_owned(),
            device_id: "1209-0001-HS0001".to_owned(),
            policy_id: "fw".to_owned(),
            from_version: Some("1.10".to_owned()),
            target_version: "1.20".to_owned(),
            verdict,
            version_read_back: read_back.map(str::to_owned),
            detail: detail.map(str::to_owned),
        })
    };
    let event = CloudEvent {
        specversion: "1.0".to_owned(),
        id: "e1".to_owned(),
        source: "urn:hookswitch:host:S".to_owned(),
        kind: "com.hookswitch.device.attached".to_owned(),
        time: "2026-01-01T00:00:00Z".to_owned(),
        subject: None,
        datacontenttype: Some("application/json".to_owned()),
        data: Some(json!({ "device_id": "1209-0001-HS0001" })),
        extensions: BTreeMap::from([("seq".to_owned(), json!(1))]),
    };
    let device = device();
    let host = HostRegistration {
        system_id: "S".to_owned(),
        hostname: "h".to_owned(),
        os: "linux".to_owned(),
        os_version: "Debian 12".to_owned(),
        agent_version: "0.1.0".to_owned(),
        groups: vec![group("all-users")],
        copied_from: None,
    };
    let user = UserRegistration { user: "jane".to_owned(), display: None, groups: vec![group("all-users")] };
    let all = [
        Delivery::Host(host),
        Delivery::User(user),
        Delivery::Device(device.clone()),
        Delivery::Device(DeviceRegistration { serial: None, port: None, attached: false, ..device }),
        status(wire::Verdict::Succeeded, Some("1.20"), None),
        status(wire::Verdict::Failed, None, Some("unplugged")),
        status(wire::Verdict::Unknown, None, Some("never came back")),
        Delivery::Event(event),
    ];
    let number = |(n, delivery)| Owed { id: format!("id-{n}"), unix_s: 1_700_000_000, delivery };
    all.into_iter().enumerate().map(number).collect()
}

/// Records that leave a row of their own behind.
pub(crate) const ROWS: &[&str] = &[
    "identities",
    "tenant",
    "policy-seen",
    "credential",
    "journal",
    "owed",
    "groups",
    "homes",
    "devices",
    "deferred",
    "history",
    "deployments",
];

/// Without wildcard: a new record has to say here what it leaves on disk.
fn record_name(record: &Record) -> Option<&'static str> {
    match record {
        Record::Identities(_) => Some("identities"),
        Record::PolicySeen(_) => Some("policy-seen"),
        Record::Tenant(_) => Some("tenant"),
        Record::Credential(Some(_)) => Some("credential"),
        Record::Journal(_) => Some("journal"),
        Record::Owed(_) => Some("owed"),
        Record::Groups { .. } => Some("groups"),
        Record::Homes(_) => Some("homes"),
        Record::Devices(_) => Some("devices"),
        Record::Deferred { .. } => Some("deferred"),
        Record::History(_) => Some("history"),
        Record::Deployments(_) => Some("deployments"),
        // Made by TUF alone.
        Record::Policy(_) => None,
        // Take a row away.
        Record::TenantLeft
        | Record::Credential(None)
        | Record::JournalCleared { .. }
        | Record::Delivered(_) => None,
    }
}

fn past() -> Past {
    Past {
        offer: "fw:d".to_owned(),
        version: "1.20".to_owned(),
        deferrals: 2,
        deferred_s: Some(1_700_000_000),
        asked_s: Some(1_700_000_001),
        failures: 3,
        failed_s: Some(1_700_000_002),
    }
}

fn records() -> Vec<Record> {
    vec![
        Record::Identities(vec![identity()]),
        Record::Tenant("https://tenant.example acme".to_owned()),
        Record::PolicySeen(1_700_000_000),
        Record::Credential(Some(credential())),
        Record::Journal(journal()),
        Record::Owed(owed().remove(0)),
        Record::Groups { user: "jane".to_owned(), groups: samples::groups() },
        Record::Homes(BTreeMap::from([("1209-0001-HS0001".to_owned(), "1-2.3".to_owned())])),
        Record::Devices(vec![device()]),
        Record::Deferred { offer: "fw:d".to_owned(), version: "1.20".to_owned() },
        Record::History(samples::history()),
        Record::Deployments(vec![past()]),
    ]
}

/// Every row of every table but the schema's own, as JSON.
fn rows(path: &std::path::Path) -> BTreeSet<String> {
    let database = rusqlite::Connection::open(path).expect("the store's file");
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut statement = database.prepare(names).expect("a list of tables");
    let tables: Vec<String> =
        statement.query_map([], |row| row.get(0)).expect("tables").map(|t| t.expect("a name")).collect();
    let mut out = BTreeSet::new();
    for table in tables {
        let mut all = database.prepare(&format!("SELECT * FROM {table}")).expect("a table");
        let columns: Vec<String> = all.column_names().map(str::to_owned).collect();
        let mut rows = all.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let mut fields = serde_json::Map::from_iter([("table".to_owned(), json!(table))]);
            for (at, column) in columns.iter().enumerate().filter(|(_, c)| *c != "seq") {
                let value: rusqlite::types::Value = row.get(at).expect("a value");
                let value = match value {
                    rusqlite::types::Value::Integer(number) => json!(number),
                    rusqlite::types::Value::Text(text) => {
                        serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text))
                    }
                    other => panic!("{table}.{column}: {other:?}"),
                };
                fields.insert(column.clone(), value);
            }
            out.insert(serde_json::to_string_pretty(&fields).expect("JSON") + "\n");
        }
    }
    out
}

#[test]
fn every_record_leaves_the_row_it_always_left() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let names: Vec<&str> = records().iter().filter_map(record_name).collect();
    assert_eq!(names, ROWS);
    for record in records() {
        let name = record_name(&record).expect("one of the rows");
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("store.db");
        let empty = {
            drop(Store::open(&file).expect("a store"));
            rows(&file)
        };
        let mut store = Store::open(&file).expect("a store");
        store.write(std::slice::from_ref(&record)).expect("written");
        drop(store);
        let made: Vec<String> = rows(&file).difference(&empty).cloned().collect();
        let [made] = made.as_slice() else { panic!("{name}: one row, not {made:?}") };
        let path = folder().join(format!("record-{name}.json"));
        if update && std::fs::read_to_string(&path).ok().as_ref() != Some(made) {
            std::fs::write(&path, made).expect("a writable folder");
            println!("UPDATE_GOLDEN: {} written anew: look at the difference", path.display());
        }
        let golden = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}. UPDATE_GOLDEN=1", path.display()));
        assert_eq!(made, &golden, "{name}: a store of the last version would be misread");
        let back = Store::open(&file).expect("a store").load().expect("readable");
        let kept = match &record {
            Record::Identities(identities) => &back.identities == identities,
            Record::PolicySeen(unix_s) => back.policy_seen_s == Some(*unix_s),
            Record::Tenant(name) => back.tenant.as_ref() == Some(name),
            Record::Credential(credential) => &back.credential == credential,
            Record::Journal(entry) => back.journal == [entry.clone()],
            Record::Owed(owed) => back.owed == [owed.clone()],
            Record::Groups { user, groups } => back.groups == [(user.clone(), groups.clone())],
            Record::Homes(homes) => &back.homes == homes,
            Record::Devices(devices) => &back.devices == devices,
            Record::Deferred { offer, version } => back.deferred == [(offer.clone(), version.clone())],
            Record::History(history) => &back.history == history,
            Record::Deployments(past) => &back.deployments == past,
            Record::Policy(_) | Record::TenantLeft | Record::JournalCleared { .. } | Record::Delivered(_) => {
                false
            }
        };
        assert!(kept, "{name} does not come back: {back:?}");
    }
}

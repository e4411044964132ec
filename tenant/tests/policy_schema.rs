//! The JSON schema and the Rust reader agree on every document of the corpus, good and bad.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use tenant::policy::{Bind, Deployment, GroupRule, MAX_DOCUMENT_BYTES, PolicyDocument, PolicyError};

fn full() -> Value {
    json!({
        "schema": 1,
        "company": "Contoso — Vertrieb",
        "polling_s": 60,
        "ldap": {
            "servers": ["ldap://dc1.contoso.example:389", "ldap://[2001:db8::1]"],
            "base_dn": "dc=contoso,dc=example",
            "start_tls": true,
            "bind": { "method": "simple", "dn": "cn=reader,dc=contoso,dc=example", "password": "s3cret" },
            "ca_pem": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
        },
        "groups": [
            { "id": "late", "name": "Late", "priority": 20, "rule": { "kind": "manual" } },
            { "id": "sales", "name": "Sales", "priority": 10, "rule": {
                "kind": "ldap-query",
                "filter": "(&(uid=$user$)(memberOf=cn=sales,dc=contoso,dc=example))",
                "base_dn": "ou=people,dc=contoso,dc=example" } },
            { "id": "also-10", "name": "Tie", "priority": 10, "rule": { "kind": "manual" } }
        ],
        "firmware": [
            { "id": "evolve-2-1", "groups": ["sales", "all-users"], "name": "Evolve 2.10",
              "products": [{ "vendor_id": 2830, "product_id": 775 }], "version": "2.10",
              "target": "evolve-2.1.0.zip", "deployment": "optional" }
        ],
        "sdk": { "approved": ["https://phone.contoso.example", "http://localhost:8080", "linphone"] },
        "support": { "name": "Help desk", "email": "help@contoso.example", "phone": "+49 30 1", "url": "https://help.contoso.example/x" }
    })
}

/// `full()` with the value at a JSON pointer replaced (or, for a new key, added).
fn with(pointer: &str, value: Value) -> Value {
    let mut document = full();
    let (parent, key) = pointer.rsplit_once('/').expect("pointers begin with a slash");
    let parent = document.pointer_mut(parent).expect("the parent is in the document");
    match parent {
        Value::Array(list) => list[key.parse::<usize>().expect("an index")] = value,
        _ => parent[key] = value,
    }
    document
}

fn without(pointer: &str) -> Value {
    let mut document = full();
    let (parent, key) = pointer.rsplit_once('/').expect("pointers begin with a slash");
    let parent = document.pointer_mut(parent).expect("the parent is in the document");
    parent.as_object_mut().expect("an object").remove(key).expect("the key is there");
    document
}

fn group(id: &str) -> Value {
    json!({ "id": id, "name": "G", "priority": 1, "rule": { "kind": "manual" } })
}

/// The first firmware policy with these fields in place of its own.
fn deployed(fields: Value) -> Value {
    let mut document = full();
    let policy = document["firmware"][0].as_object_mut().expect("an object");
    policy.extend(fields.as_object().expect("an object").clone());
    document
}

fn good() -> Vec<Value> {
    vec![
        full(),
        json!({ "schema": 1, "company": "C" }),
        serde_json::to_value(PolicyDocument::empty("New")).expect("serialises"),
        with("/company", json!("ü".repeat(200))),
        with("/polling_s", json!(604_800)),
        with("/ldap/servers/0", json!("ldap://localhost")),
        with("/ldap/bind", json!({ "method": "anonymous" })),
        without("/ldap/bind"),
        without("/ldap/ca_pem"),
        without("/groups/1/rule/base_dn"),
        with("/groups/1/rule/filter", json!(format!("(cn=$user${})", "x".repeat(4_096 - 11)))),
        with("/firmware/0/deployment", json!("silent")),
        deployed(json!({ "deployment": "silent", "window": { "from": "23:59", "until": "00:00" } })),
        deployed(json!({ "deployment": "persistent", "deadline": "2027-01-31T18:00:00Z" })),
        deployed(
            json!({ "deployment": "persistent", "deadline": "2027-01-31T18:00:00.5+01:00", "deferrals": 20 }),
        ),
        deployed(json!({ "deployment": "automatic", "deferrals": 0 })),
        with("/firmware/0/target", json!("A")),
        with("/firmware/0/version", json!("0.01")),
        with("/firmware/0/version", json!("10.99")),
        with("/firmware/0/version", json!("0x0a12")),
        with("/firmware/0/version", json!("0xfffe")),
        with("/sdk", json!({})),
        with("/sdk/approved/0", json!("https://[::1]:8443")),
        with("/sdk/approved/0", json!("http://[::1]:3000")),
        with("/sdk/approved/0", json!("http://127.0.0.1:3000")),
        with("/sdk/approved/0", json!("chrome-extension://abcdefghijklmnop")),
        with("/sdk/approved/0", json!("/opt/Contoso Phone/phone")),
        with("/sdk/approved/0", json!("C:\\Program Files\\Phone\\phone.exe")),
        with("/support", json!({ "phone": "1" })),
        with(
            "/groups",
            (0..1_000).map(|n| group(&if n == 0 { "sales".to_owned() } else { format!("g{n}") })).collect(),
        ),
    ]
}

fn bad() -> Vec<Value> {
    vec![
        json!([]),
        json!({}),
        json!({ "schema": 1 }),
        with("/schema", json!(2)),
        with("/schema", json!("1")),
        with("/unknown", json!(1)),
        with("/ldap/unknown", json!(1)),
        with("/ldap/bind/unknown", json!(1)),
        with("/ldap/bind", json!({ "method": "anonymous", "dn": "x" })),
        with("/ldap/bind", json!({ "method": "gssapi" })),
        with("/ldap/bind/password", json!("")),
        with("/ldap/bind/dn", json!("a\nb")),
        with("/ldap", json!(null)),
        with("/ldap/ca_pem", json!(null)),
        with("/ldap/ca_pem", json!("not a certificate")),
        with("/ldap/servers", json!([])),
        with("/ldap/servers", json!(vec!["ldap://h"; 17])),
        with("/ldap/base_dn", json!("")),
        with("/ldap/base_dn", json!("contoso.example")),
        with("/company", json!("")),
        with("/company", json!("a\u{7}b")),
        with("/company", json!("x".repeat(201))),
        with("/polling_s", json!(59)),
        with("/polling_s", json!(604_801)),
        with("/polling_s", json!(-1)),
        with("/groups/0/id", json!("All_Users")),
        with("/groups/0/id", json!("all-users")),
        with("/groups/0/id", json!("-x")),
        with("/groups/0/id", json!("x".repeat(65))),
        with("/groups/0/name", json!("")),
        with("/groups/0/priority", json!(-1)),
        with("/groups/0/priority", json!(4_294_967_296_u64)),
        with("/groups/0/rule", json!({ "kind": "manual", "filter": "(a=$user$)" })),
        with("/groups/0/rule", json!({ "kind": "attribute" })),
        with("/groups/0/rule", json!({ "kind": "ldap-query" })),
        with("/groups/0/extra", json!(1)),
        with("/groups/1/rule/filter", json!("uid=$user$")),
        with("/groups/1/rule/filter", json!("(uid=jane)")),
        with("/groups/1/rule/filter", json!("(uid=$user$)\n(a=b)")),
        with("/groups/1/rule/filter", json!(format!("(cn=$user${})", "x".repeat(4_096 - 10)))),
        with("/groups/1/rule/base_dn", json!(null)),
        with("/groups", (0..1_001).map(|n| group(&format!("g{n}"))).collect()),
        with("/firmware/0/id", json!("A")),
        with("/firmware/0/groups", json!([])),
        with("/firmware/0/version", json!("01.00")),
        with("/firmware/0/version", json!("1.2")),
        with("/firmware/0/version", json!("ff.ff")),
        with("/firmware/0/version", json!("0xffff")),
        with("/firmware/0/version", json!("0x0120")),
        with("/firmware/0/version", json!("0x0A12")),
        with("/firmware/0/products", json!([])),
        with("/firmware/0/products/0/vendor_id", json!(65_536)),
        with("/firmware/0/products/0/serial", json!("x")),
        with("/firmware/0/name", json!("")),
        with("/firmware/0/target", json!("../x")),
        with("/firmware/0/target", json!(".x")),
        with("/firmware/0/target", json!("a/b")),
        with("/firmware/0/target", json!("tenant.json")),
        with("/firmware/0/target", json!("x".repeat(129))),
        with("/firmware/0/deployment", json!("Optional")),
        with("/firmware/0/deployment", json!("forced")),
        deployed(json!({ "deployment": "silent", "window": { "from": "24:00", "until": "05:00" } })),
        deployed(json!({ "deployment": "silent", "window": { "from": "22:00", "until": "5:00" } })),
        deployed(json!({ "deployment": "silent", "window": { "from": "22:00" } })),
        deployed(json!({ "deployment": "silent", "window": null })),
        deployed(json!({ "deployment": "persistent", "deadline": "2027-01-31" })),
        deployed(json!({ "deployment": "persistent", "deadline": "2027-01-31 18:00:00Z" })),
        deployed(json!({ "deployment": "persistent", "deadline": "2027-01-31T18:00:00" })),
        deployed(json!({ "deployment": "automatic", "deferrals": 21 })),
        deployed(json!({ "deployment": "automatic", "deferrals": -1 })),
        with("/sdk/approved/0", json!("https://phone.contoso.example/")),
        with("/sdk/approved/0", json!("https://Phone.contoso.example")),
        with("/sdk/approved/0", json!("https://user@phone.example")),
        with("/sdk/approved/0", json!("http://evil.example")),
        with("/sdk/approved/0", json!("http://localhost.evil.example")),
        with("/sdk/approved/0", json!("*")),
        with("/sdk/approved/0", json!("./phone")),
        with("/sdk/approved/0", json!("/opt//phone")),
        with("/sdk/approved/0", json!("/opt/phone,/opt/other")),
        with("/sdk/approved/0", json!("")),
        with("/sdk/denied", json!([])),
        with("/support", json!({})),
        with("/support", json!(null)),
        with("/support/email", json!("help")),
        with("/support/email", json!("a@b@c")),
        with("/support/email", json!("a b@c")),
        with("/support/url", json!("http://help.example")),
        with("/support/url", json!("https://help.example/a b")),
        with("/support/phone", json!("")),
        with("/ldap/servers/0", json!("http://dc1")),
        with("/ldap/servers/0", json!("ldap://")),
        with("/ldap/servers/0", json!("ldap://user@dc1")),
        with("/ldap/servers/0", json!("ldap://dc1/dc=x??sub")),
        with("/ldap/servers/0", json!("LDAP://dc1")),
    ]
}

/// Refused by the reader alone: a schema cannot look from one part of a document to another. With the path that the
/// error has to begin with.
fn beyond_schema() -> Vec<(Value, &'static str)> {
    vec![
        (with("/groups/0/id", json!("sales")), "groups[1].id"),
        (with("/groups", json!([group("sales"), group("sales")])), "groups[1].id"),
        (with("/firmware/0/groups/0", json!("nobody")), "firmware[0].groups[0]"),
        (with("/firmware", json!(vec![full()["firmware"][0].clone(); 2])), "firmware[1].id"),
        (without("/ldap"), "groups[1].rule"),
        (with("/groups/1/rule/filter", json!("(uid=$user$))(a=b)")), "groups[1].rule.filter"),
        (with("/groups/1/rule/filter", json!("(uid=$user$)(a=b)")), "groups[1].rule.filter"),
        (with("/groups/1/rule/filter", json!("(&(uid=$user$)")), "groups[1].rule.filter"),
        (with("/ldap/servers/1", json!("ldaps://dc2")), "ldap.servers[1]"),
        (with("/ldap/start_tls", json!(false)), "ldap.servers[0]"),
        (with("/ldap/servers/0", json!("ldap://dc1:0")), "ldap.servers[0]"),
        (with("/ldap/servers/0", json!("ldap://dc1:65536")), "ldap.servers[0]"),
        (with("/ldap/servers/0", json!("ldap://[:::1]")), "ldap.servers[0]"),
        (
            deployed(json!({ "deployment": "silent", "window": { "from": "22:00", "until": "22:00" } })),
            "firmware[0].window.until",
        ),
        (
            deployed(json!({ "deployment": "automatic", "window": { "from": "22:00", "until": "05:00" } })),
            "firmware[0].window: only with deployment \"silent\", and this one is \"automatic\"",
        ),
        (
            deployed(json!({ "deployment": "automatic", "deadline": "2027-01-31T18:00:00Z" })),
            "firmware[0].deadline: only with deployment \"persistent\"",
        ),
        (
            deployed(json!({ "deployment": "persistent", "deadline": "2027-02-30T18:00:00Z" })),
            "firmware[0].deadline: expected a point in time",
        ),
        (deployed(json!({ "deployment": "persistent", "deferrals": 3 })), "firmware[0].deferrals: only with"),
        (deployed(json!({ "deployment": "optional", "deferrals": 3 })), "firmware[0].deferrals: only with"),
        (with("/sdk/approved/1", json!("https://phone.example:443")), "sdk.approved[1]"),
        (with("/sdk/approved/1", json!("/opt/../phone")), "sdk.approved[1]"),
    ]
}

struct Judge {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Judge {
    fn new() -> Self {
        let schema: Value = serde_json::from_str(tenant::POLICY_SCHEMA).expect("the schema is JSON");
        let mut compiler = Compiler::new();
        compiler.add_resource("policy.schema.json", schema).expect("the schema is a resource");
        let mut schemas = Schemas::new();
        let index = compiler.compile("policy.schema.json", &mut schemas).expect("the schema compiles");
        Self { schemas, index }
    }

    fn schema_accepts(&self, document: &Value) -> bool {
        self.schemas.validate(document, self.index).is_ok()
    }
}

fn read(document: &Value) -> Result<PolicyDocument, PolicyError> {
    PolicyDocument::from_json(document.to_string().as_bytes())
}

#[test]
fn schema_and_reader_agree_on_the_corpus() {
    let judge = Judge::new();
    for document in good() {
        assert!(judge.schema_accepts(&document), "schema refuses {document:#}");
        if let Err(error) = read(&document) {
            panic!("reader refuses: {error}\n{document:#}");
        }
    }
    for document in bad() {
        assert!(!judge.schema_accepts(&document), "schema accepts {document:#}");
        assert!(read(&document).is_err(), "reader accepts {document:#}");
    }
}

#[test]
fn references_are_checked_by_the_reader_and_errors_name_the_path() {
    let judge = Judge::new();
    for (document, path) in beyond_schema() {
        assert!(judge.schema_accepts(&document), "no longer beyond the schema: {document:#}");
        let error = read(&document).expect_err("the reader refuses").to_string();
        assert!(error.starts_with(path), "expected {path}, got {error}");
    }
}

#[test]
fn what_is_written_reads_back_the_same() {
    let document = read(&full()).expect("good");
    let again = PolicyDocument::from_json(&serde_json::to_vec(&document).expect("serialises")).expect("good");
    assert_eq!(document, again);
    assert_eq!(document.firmware[0].deployment, Deployment::Optional);
    assert!(matches!(document.groups[0].rule, GroupRule::Manual {}));
    let order: Vec<&str> = document.groups_by_priority().iter().map(|group| group.id.as_str()).collect();
    assert_eq!(order, ["sales", "also-10", "late"]);
}

#[test]
fn an_oversize_document_is_refused_before_it_is_parsed() {
    let bytes = vec![b'['; MAX_DOCUMENT_BYTES + 1];
    assert!(matches!(PolicyDocument::from_json(&bytes), Err(PolicyError::TooLarge { .. })));
}

#[test]
fn a_password_does_not_show_in_debug_output() {
    let document = read(&full()).expect("good");
    let ldap = document.ldap.as_ref().expect("an ldap section");
    assert!(matches!(&ldap.bind, Bind::Simple { password, .. } if password.expose() == "s3cret"));
    assert!(!format!("{document:?}").contains("s3cret"));
}

#[test]
fn a_clear_text_password_may_only_go_to_this_machine() {
    let mut document = with("/ldap/start_tls", json!(false));
    document["ldap"]["servers"] =
        json!(["ldap://127.0.0.1:3890", "ldap://localhost", "ldap://[::1]", "ldaps://dc1"]);
    read(&document).expect("loopback and TLS are fine");
}

#[test]
fn the_example_in_the_readme_is_a_policy() {
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("```json\n").expect("a JSON block");
    let (example, _) = rest.split_once("```").expect("its end");
    let document = PolicyDocument::from_json(example.as_bytes()).expect("a policy");
    assert!(document.ldap.is_some() && !document.groups.is_empty() && !document.firmware.is_empty());
}

/// Whoever writes a document sees all that is wrong with it; whoever reads one needs only the first.
#[test]
fn every_fault_of_a_document_is_told() {
    let mut document = full();
    document["company"] = json!("");
    document["polling_s"] = json!(1);
    document["ldap"]["servers"] = json!(["http://dc1", "ldaps://dc2"]);
    document["groups"][1]["id"] = json!("late");
    document["groups"][1]["rule"]["filter"] = json!("(uid=jane");
    document["firmware"][0]["version"] = json!("1");
    document["firmware"][0]["target"] = json!("../x");
    document["sdk"]["approved"] = json!(["*", "linphone", "http://evil.example"]);
    document["support"]["url"] = json!("http://help.example");
    let document = PolicyDocument::unvalidated(document.to_string().as_bytes()).expect("of the right shape");
    let faults: Vec<String> = document.faults().iter().map(ToString::to_string).collect();
    let paths: Vec<&str> = faults.iter().filter_map(|fault| fault.split(": ").next()).collect();
    let expected = [
        "company",
        "polling_s",
        "ldap.servers[0]",
        "ldap.servers[1]",
        "groups[1].id",
        "groups[1].rule.filter",
        "firmware[0].groups[0]",
        "firmware[0].version",
        "firmware[0].target",
        "sdk.approved[0]",
        "sdk.approved[2]",
        "support.url",
    ];
    assert_eq!(paths, expected, "{faults:#?}");
    assert_eq!(document.validate().expect_err("faulty").to_string(), faults[0]);
}

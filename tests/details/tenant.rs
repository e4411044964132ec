//! What the tenant's policy, its directory and the files of the agent are refused for.

use crate::{GERMAN, german};
use directory::filter::Template;
use hookswitch::shell::certificate::{self, Origin};
use hookswitch::shell::ldap::ask;
use hookswitch::shell::store::Store;
use hub::machine::people::rules::{Directory, GroupRule, GroupRules};
use hub::protocol::{Detail, Problem};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::SystemTime;
use tenant::policy::{MAX_DOCUMENT_BYTES, PolicyDocument};

fn policy() -> Value {
    json!({
        "schema": 1,
        "company": "Contoso",
        "polling_s": 3600,
        "ldap": {
            "servers": ["ldaps://dc1.contoso.example"],
            "base_dn": "dc=contoso",
            "bind": { "method": "simple", "dn": "cn=reader", "password": "s3cret" },
        },
        "groups": [
            { "id": "sales", "name": "Sales", "priority": 1, "rule": { "kind": "ldap-query", "filter": "(uid=$user$)" } },
        ],
        "firmware": [{
            "id": "fw", "groups": ["sales"], "name": "Headset 1.20",
            "products": [{ "vendor_id": 4617, "product_id": 1 }],
            "version": "1.20", "target": "fw.zip", "deployment": "optional",
        }],
        "sdk": { "approved": ["https://phone.example"] },
        "support": { "name": "Help desk", "email": "help@contoso.example" },
    })
}

fn refused(pointer: &str, value: Value) -> Detail {
    let mut document = policy();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    match document.pointer_mut(parent).expect("the parent is there") {
        Value::Array(list) => list.insert(key.parse().expect("an index"), value),
        Value::Object(members) if value.is_null() => drop(members.remove(key)),
        parent => parent[key] = value,
    }
    let error = PolicyDocument::from_json(document.to_string().as_bytes());
    Detail::from(&error.expect_err(&format!("{pointer} is wrong")))
}

/// Where, what stands there instead (`null` = nothing), and what is said of it.
type Fault = (&'static str, Value, &'static str);

fn faults_of_the_directory() -> Vec<Fault> {
    vec![
        (
            "/schema",
            json!(9),
            "schema: Erwartet wird 1, gefunden wurde 9; dieses Programm ist zu alt oder zu neu für das Dokument",
        ),
        (
            "/company",
            json!(""),
            "company: Erwartet wird ein Text von 1 bis 200 Zeichen ohne Steuerzeichen und unsichtbare Zeichen",
        ),
        ("/polling_s", json!(5), "polling_s: Erwartet wird 60 bis 604800, gefunden wurde 5"),
        ("/ldap/servers", json!([]), "ldap.servers: Erwartet werden 1 bis 16 Einträge, es sind 0"),
        (
            "/ldap/servers/0",
            json!("http://x"),
            "ldap.servers[0]: Erwartet wird ldap://Host[:Port] oder ldaps://Host[:Port], höchstens 300 Zeichen",
        ),
        (
            "/ldap/servers/0",
            json!("ldap://dc2.contoso.example"),
            "ldap.servers[0]: Eine einfache Anmeldung würde ihr Kennwort unverschlüsselt senden; verwenden Sie \
             ldaps:// oder start_tls",
        ),
        (
            "/ldap/start_tls",
            json!(true),
            "ldap.servers[0]: start_tls ist für Server mit ldap://, dieser hat schon ldaps://",
        ),
        (
            "/ldap/base_dn",
            json!(""),
            "ldap.base_dn: Erwartet wird ein Distinguished Name von 1 bis 1024 Zeichen ohne Steuerzeichen und unsichtbare Zeichen",
        ),
        (
            "/ldap/bind/password",
            json!(""),
            "ldap.bind.password: Erwartet wird ein Text von 1 bis 1024 Zeichen",
        ),
        (
            "/ldap/ca_pem",
            json!("x"),
            "ldap.ca_pem: Erwartet wird PEM mit wenigstens einem Block CERTIFICATE, höchstens 65536 Zeichen",
        ),
        (
            "/ldap",
            Value::Null,
            "groups[0].rule: Die Regel fragt ein Verzeichnis, das Dokument hat aber keinen Abschnitt ldap",
        ),
    ]
}

fn faults_of_the_lists() -> Vec<Fault> {
    vec![
        (
            "/groups/0/id",
            json!("all-users"),
            "groups[0].id: Erwartet wird ein Text von 1 bis 64 Zeichen aus a-z, 0-9 und Bindestrichen im Inneren, \
             nicht „all-users“",
        ),
        (
            "/groups/1",
            json!({ "id": "sales", "name": "S", "priority": 2, "rule": { "kind": "manual" } }),
            "groups[1].id: „sales“ ist schon die Kennung von Eintrag 0",
        ),
        (
            "/groups/0/rule/filter",
            json!("uid=$user$"),
            "groups[0].rule.filter: Erwartet wird ein LDAP-Filter in Klammern (RFC 4515), höchstens 4096 Zeichen in \
             einer Zeile",
        ),
        (
            "/groups/0/rule/filter",
            json!("(uid=x)"),
            "groups[0].rule.filter: Erwartet wird $user$ irgendwo im Filter; ohne es bekäme jeder dieselbe Antwort",
        ),
        (
            "/groups/0/rule/filter",
            json!("(uid=$user$))"),
            "groups[0].rule.filter: Die Klammern passen nicht zusammen (RFC 4515; schreiben Sie \\28 und \\29 für \
             Klammern in einem Wert)",
        ),
        (
            "/firmware/0/id",
            json!("A"),
            "firmware[0].id: Erwartet wird ein Text von 1 bis 64 Zeichen aus a-z, 0-9 und Bindestrichen im Inneren",
        ),
        (
            "/firmware/0/groups",
            json!(["buyers"]),
            "firmware[0].groups[0]: Eine Gruppe „buyers“ gibt es in diesem Dokument nicht (führen Sie sie unter groups \
             auf, oder verwenden Sie „all-users“)",
        ),
        (
            "/firmware/0/version",
            json!("v2"),
            "firmware[0].version: Erwartet wird eine Version wie in bcdDevice, etwa 1.20 (1 oder 2 Ziffern, \
             ein Punkt, 2 Ziffern) oder 0x0a12, wo eine Ziffer größer als 9 ist",
        ),
        (
            "/firmware/0/target",
            json!("tenant.json"),
            "firmware[0].target: Erwartet wird der Name eines veröffentlichten Pakets: 1 bis 128 Zeichen aus A-Z a-z \
             0-9 . _ -, nicht tenant.json",
        ),
        (
            "/sdk/approved",
            json!(["https://X.example/"]),
            "sdk.approved[0]: Erwartet wird ein Origin, wie Browser ihn senden (https://host, http nur auf dem eigenen Rechner, klein geschrieben, ohne \
             Pfad, ohne Standardport), oder eine Programmkennung",
        ),
        ("/support", json!({}), "support: Erwartet wird wenigstens eines von name, email, phone, url"),
        (
            "/support/email",
            json!("nobody"),
            "support.email: Erwartet wird benutzer@host, höchstens 254 Zeichen",
        ),
        (
            "/support/url",
            json!("http://x"),
            "support.url: Erwartet wird eine Adresse mit https://, höchstens 2048 Zeichen",
        ),
    ]
}

#[test]
fn broken_policies() {
    assert!(PolicyDocument::from_json(policy().to_string().as_bytes()).is_ok());
    for (pointer, value, text) in faults_of_the_directory().into_iter().chain(faults_of_the_lists()) {
        assert_eq!(german(refused(pointer, value)), text, "{pointer}");
    }
    let large = PolicyDocument::from_json(&vec![b' '; MAX_DOCUMENT_BYTES + 1]).expect_err("too large");
    assert!(german(Detail::from(&large)).starts_with("tenant.json hat "));
    // The parser's own words stay as they are.
    let none = PolicyDocument::from_json(b"{").expect_err("no JSON");
    assert!(GERMAN.detail(&Detail::from(&none)).starts_with("tenant.json Zeile 1, Spalte 1: EOF"));
}

#[test]
fn broken_queries() {
    let text = |query: &str| german(Detail::from(&Template::parse(query).expect_err(query).fault));
    for (query, fault) in [
        ("(uid=x", "Erwartet wird `)`, gefunden wurde das Ende"),
        ("(&(a=b)c)", "Erwartet wird `(` eines weiteren Teils oder `)`, gefunden wurde `c`"),
        ("(=x)", "Erwartet wird der Name eines Attributs, `&`, `|` oder `!`, gefunden wurde `=`"),
        (
            "(a=b))",
            "Das steht hinter dem Ende der Abfrage (eine öffnende Klammer fehlt, oder eine schließende ist zu viel)",
        ),
        ("(a=\\2)", "Auf `\\` müssen zwei hexadezimale Ziffern folgen"),
        ("(a=b(c)", "`(` in einem Wert; schreiben Sie `\\28`, oder schließen Sie vorher die Klammer"),
        ("(01=x)", "Erwartet wird eine Zahl ohne führende Nullen, gefunden wurde `0`"),
    ] {
        assert_eq!(text(query), fault, "{query}");
    }
    assert_eq!(text(&"(!".repeat(70)), "tiefer als 64 verschachtelt");
    let mut random = crate::seed::random();
    let mut codes = BTreeSet::new();
    let bits = [
        "(", ")", "&", "|", "!", "a", "1", "0", ".", ";", ":", ":dn", ":=", "=", ">", "~", "*", "\\", "\\2a",
        "\0", " ",
    ];
    for _ in 0..20_000 {
        let query: String = (0..random.usize(1..9)).map(|_| bits[random.usize(..bits.len())]).collect();
        if let Err(fault) = Template::parse(&query) {
            let detail = Detail::from(&fault.fault);
            codes.extend(detail.details.get("expected").map(|expected| expected.code.clone()));
            codes.insert(detail.code.clone());
            german(detail);
        }
    }
    assert!(codes.len() >= 18, "few kinds of faults: {codes:?}");
}

fn rules(server: String, start_tls: bool) -> GroupRules {
    let directory =
        Directory { servers: vec![server], base_dn: "dc=x".into(), start_tls, bind: None, ca_pem: None };
    let group = |id: &str, filter: &str| GroupRule {
        id: id.into(),
        name: "Vertrieb".into(),
        priority: 1,
        filter: Some(filter.into()),
        base_dn: None,
    };
    GroupRules {
        policy_version: 1,
        directory: Some(Arc::new(directory)),
        groups: Arc::new([group("sales", "(uid=$user$)"), group("broken", "(uid=$user$")]),
        assigned: Vec::new(),
    }
}

/// A directory that answers StartTLS with `answer`.
async fn asked(answer: &'static [u8]) -> (Problem, Problem) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        let (mut tcp, _) = listener.accept().expect("the agent");
        let _ = tcp.read(&mut [0; 64]);
        let _ = tcp.write_all(answer);
    });
    let answer = ask("kim", &rules(format!("ldap://localhost:{port}"), true)).await;
    (answer.found.expect_err("no good directory"), answer.refused[0].1.clone())
}

#[tokio::test]
async fn broken_directories() {
    let (garbage, refused) = asked(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let text = GERMAN.problem(&garbage);
    assert!(text.what.ends_with(": keine LDAP-Nachricht: Sie beginnt nicht mit einer SEQUENCE"), "{text}");
    let text = GERMAN.problem(&refused);
    assert_eq!(text.place, "tenant.json, Gruppe Vertrieb, Zeichen 12");
    assert!(text.what.ends_with(": Erwartet wird `)`, gefunden wurde das Ende"), "{text}");
    let (closed, _) = asked(b"").await;
    assert!(GERMAN.problem(&closed).what.ends_with(": Er hat die Verbindung geschlossen"));
    let refusal = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x35\x04\x00\x04\x00";
    let (unwilling, _) = asked(refusal).await;
    assert!(GERMAN.problem(&unwilling).what.ends_with(": Ergebniscode 53"));
}

#[test]
fn files_of_the_agent_that_are_not_its_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let elsewhere = folder.path().join("elsewhere");
    std::fs::write(&elsewhere, "").expect("a file");
    let store = folder.path().join("agent.db");
    std::os::unix::fs::symlink(&elsewhere, &store).expect("a link");
    let problem = Store::open(&store).expect_err("a link is not the agent's");
    assert!(GERMAN.problem(&problem).what.ends_with(": Sie ist eine Verknüpfung"), "{problem}");

    let certificates = folder.path().join("certificate");
    certificate::load_or_make(&certificates, SystemTime::now()).expect("a first certificate");
    std::fs::write(certificates.join("leaf.pem"), "no PEM").expect("a spoilt file");
    let renewed = certificate::load_or_make(&certificates, SystemTime::now()).expect("another one");
    let Origin::Renewed(why) = &renewed.origin else { panic!("it was spoilt") };
    let leaf = certificates.join("leaf.pem");
    assert_eq!(
        german(Detail::from(why)),
        format!("{} ist kein PEM mit einem Zertifikat oder Schlüssel", leaf.display())
    );
}

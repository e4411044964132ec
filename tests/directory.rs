//! Group queries against a real OpenLDAP server. Tier `directory`: `cargo xtask test --tier directory` starts the
//! server of `tests/directory/slapd.sh` and passes its addresses in the environment; without it these tests fail.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests: sockets, environment, clock")]

use hookswitch::shell::ldap::{DEADLINE, OPERATION_TIMEOUT, ask};
use hub::machine::DirectoryAnswer;
use hub::machine::people::rules::{Directory, GroupRule, GroupRules};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `cargo xtask test --tier directory`, which starts a server")
    })
}

fn ca() -> String {
    std::fs::read_to_string(env("SLAPD_CA")).unwrap()
}

/// Anonymous over plain LDAP.
fn directory() -> Directory {
    Directory {
        servers: vec![env("SLAPD_URI")],
        base_dn: env("SLAPD_BASE"),
        start_tls: false,
        bind: None,
        ca_pem: None,
    }
}

fn at(server: &str) -> Directory {
    Directory {
        servers: vec![server.to_owned()],
        base_dn: String::new(),
        start_tls: false,
        bind: None,
        ca_pem: None,
    }
}

fn rules(directory: Directory, filters: &[&str]) -> GroupRules {
    let groups = filters.iter().enumerate().map(|(n, filter)| GroupRule {
        id: format!("g{n}"),
        name: format!("Group {n}"),
        priority: u32::try_from(n).unwrap(),
        filter: Some((*filter).to_owned()),
        base_dn: None,
    });
    GroupRules {
        policy_version: 7,
        directory: Some(Arc::new(directory)),
        groups: groups.collect(),
        assigned: vec![],
    }
}

fn found(answer: &DirectoryAnswer) -> &[String] {
    assert_eq!(answer.policy_version, 7);
    &answer.found.as_ref().unwrap_or_else(|problem| panic!("{problem:?}")).1
}

fn code(answer: &DirectoryAnswer) -> &str {
    let problem = answer.found.as_ref().expect_err("this cannot be answered");
    assert!(!problem.what().is_empty() && !problem.next().is_empty() && !problem.place().is_empty());
    problem.code.as_str()
}

#[tokio::test]
async fn groups_by_attribute_and_membership() {
    let base = env("SLAPD_BASE");
    let member = |group: &str| {
        format!("(&(objectClass=inetOrgPerson)(uid=$user$)(memberOf=cn={group},ou=Groups,{base}))")
    };
    let (sales, night, comma, none) =
        (member("Sales"), member("Night Shift"), member("Sales\\5c, Austin"), member("Engineering"));
    let filters = [
        "(&(uid=$user$)(department=Sales))",
        &sales,
        &night,
        &comma,
        &none,
        "(&(uid=$user$)(l=Swindon))",
        "(&(objectClass=person) (sAMAccountName=$user$) (l=Austin))",
        "(memberOf=*)",
    ];
    let answer = ask("alice", &rules(directory(), &filters)).await;
    assert_eq!(
        found(&answer),
        ["g0", "g1", "g2", "g3", "g6", "g7"],
        "in the order of the rules; blanks taken out"
    );
    assert_eq!(answer.refused, []);
    assert_eq!(answer.found.unwrap().0, env("SLAPD_URI"));
    for name in ["CORP\\alice", "alice@corp.example"] {
        let answer = ask(name, &rules(directory(), &filters)).await;
        assert_eq!(found(&answer), ["g0", "g1", "g2", "g3", "g6", "g7"], "{name}");
    }
    let answer = ask("nobody", &rules(directory(), &["(uid=$user$)"])).await;
    assert_eq!(found(&answer), [] as [&str; 0]);
}

#[tokio::test]
async fn difficult_names_find_themselves_alone() {
    for (user, name) in [
        ("*", "Star"),
        ("a)(uid=*", "Injection"),
        ("josé.müller", "Umlaut"),
        ("o'brien", "Apostrophe"),
        ("pa(ren)", "Parens"),
    ] {
        let own = format!("(&(uid=$user$)(cn={name}))");
        let others = format!("(&(uid=$user$)(!(cn={name})))");
        let answer = ask(user, &rules(directory(), &[&own, &others, "(uid=x$user$)"])).await;
        assert_eq!(found(&answer), ["g0"], "{user}");
    }
    for empty in ["", "CORP\\", "@corp.example", &"x".repeat(257)] {
        assert_eq!(
            code(&ask(empty, &rules(directory(), &["(cn=Alice)"])).await),
            "directory-user",
            "{empty}"
        );
    }
}

#[tokio::test]
async fn a_bad_query_costs_only_itself() {
    let mut rules = rules(
        directory(),
        &[
            "(uid=$user$)",
            "(&(uid=$user$)(cn=Alice)",
            &"(!".repeat(20_000),
            "(my_attr=1)",
            "(uid=$user$)",
            "(uid=a)",
        ],
    );
    let groups = Arc::make_mut(&mut rules.groups);
    groups[4].base_dn = Some("ou=Nowhere,dc=example,dc=invalid".to_owned());
    groups[5].filter = None;
    let answer = ask("alice", &rules).await;
    assert_eq!(found(&answer), ["g0"]);
    let mut refused: Vec<(&str, &str, String)> =
        answer.refused.iter().map(|(id, p)| (id.as_str(), p.code.as_str(), p.what())).collect();
    refused.sort_unstable();
    let ids: Vec<(&str, &str)> = refused.iter().map(|(id, code, _)| (*id, *code)).collect();
    let filter = "directory-filter";
    assert_eq!(ids, [("g1", filter), ("g2", filter), ("g3", filter), ("g4", "directory-query")]);
    assert!(refused[0].2.contains("at character 25") && refused[0].2.contains("the end"), "{}", refused[0].2);
    assert!(refused[2].2.contains("at character 4"), "{}", refused[2].2);
    assert!(refused[3].2.contains("result code 32"), "{}", refused[3].2);
}

#[tokio::test]
async fn encrypted_and_bound() {
    let bind = Some((env("SLAPD_BIND_DN"), env("SLAPD_BIND_PASSWORD")));
    let query = ["(&(uid=$user$)(department=Sales))"];
    let ldaps = Directory {
        servers: vec![env("SLAPD_TLS_URI")],
        ca_pem: Some(ca()),
        bind: bind.clone(),
        ..directory()
    };
    let start_tls = Directory { start_tls: true, ca_pem: Some(ca()), bind: bind.clone(), ..directory() };
    let plain_on_loopback = Directory { bind, ..directory() };
    for directory in [ldaps, start_tls, plain_on_loopback] {
        let server = directory.servers[0].clone();
        let started = Instant::now();
        let answer = ask("alice", &rules(directory, &query)).await;
        assert_eq!(found(&answer), ["g0"], "{server}");
        println!("{server}: connect, bind and one query in {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_stranger_gets_no_password() {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut other = rcgen::CertificateParams::new(vec![]).unwrap();
    other.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let other = other.self_signed(&key).unwrap().pem();
    let bind = Some((env("SLAPD_BIND_DN"), "not the password".to_owned()));
    let ldaps = Directory { servers: vec![env("SLAPD_TLS_URI")], ..directory() };
    let query = ["(uid=$user$)"];
    for (name, want, directory) in [
        (
            "another authority",
            "directory-certificate",
            Directory { ca_pem: Some(other.clone()), ..ldaps.clone() },
        ),
        (
            "StartTLS",
            "directory-certificate",
            Directory { start_tls: true, ca_pem: Some(other), ..directory() },
        ),
        (
            "no certificate",
            "directory-authority",
            Directory { ca_pem: Some("none".to_owned()), ..ldaps.clone() },
        ),
        (
            "wrong password",
            "directory-credentials",
            Directory { bind: bind.clone(), ca_pem: Some(ca()), ..ldaps.clone() },
        ),
        (
            "empty password",
            "directory-empty-bind",
            Directory { bind: Some(("cn=a".to_owned(), String::new())), ..directory() },
        ),
        ("plain port", "directory-tls", at(&env("SLAPD_URI").replace("ldap:", "ldaps:"))),
        ("TLS port", "directory-protocol", at(&env("SLAPD_TLS_URI").replace("ldaps:", "ldap:"))),
    ] {
        let answer = ask("alice", &rules(directory, &query)).await;
        assert_eq!(code(&answer), want, "{name}: {:?}", answer.found);
        assert!(!format!("{answer:?}").contains("not the password"), "{name}");
    }
    // A machine without any authority (a bare container) cannot even ask.
    let answer = ask("alice", &rules(ldaps.clone(), &query)).await;
    assert!(["directory-certificate", "directory-authority"].contains(&code(&answer)), "{:?}", answer.found);
    // A refused password is not tried at the next server: accounts get locked that way.
    let twice = Directory {
        servers: vec![env("SLAPD_TLS_URI"), env("SLAPD_URI")],
        bind,
        ca_pem: Some(ca()),
        ..directory()
    };
    assert_eq!(code(&ask("alice", &rules(twice, &query)).await), "directory-credentials");
}

#[tokio::test]
async fn the_next_server_answers() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let servers = vec!["ldap:foo".to_owned(), format!("ldap://{closed}"), env("SLAPD_URI")];
    let answer = ask("alice", &rules(Directory { servers, ..directory() }, &["(uid=$user$)"])).await;
    assert_eq!(found(&answer), ["g0"]);
    assert_eq!(answer.found.unwrap().0, env("SLAPD_URI"));
    for bad in ["ldap:foo", "ldap:///", "ldap://", "http://x", "ldap://u:p@x", ""] {
        assert_eq!(
            code(&ask("alice", &rules(at(bad), &["(uid=$user$)"])).await),
            "directory-address",
            "{bad}"
        );
    }
    assert_eq!(
        code(&ask("a", &rules(at(&format!("ldap://{closed}")), &["(uid=$user$)"])).await),
        "directory-unreachable"
    );
    let no_directory = GroupRules { directory: None, ..rules(directory(), &["(uid=$user$)"]) };
    assert_eq!(code(&ask("alice", &no_directory).await), "directory-missing");
}

#[tokio::test]
async fn a_silent_server_costs_bounded_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let bind = Some(("cn=a".to_owned(), "pw".to_owned()));
    let (plain, tls) = (at(&format!("ldap://{address}")), at(&format!("ldaps://{address}")));
    let bound = rules(Directory { bind, ..plain.clone() }, &["(uid=$user$)"]);
    let start_tls = rules(Directory { start_tls: true, ..plain.clone() }, &["(uid=$user$)"]);
    let (plain, tls) = (rules(plain, &["(uid=$user$)"]), rules(tls, &["(uid=$user$)"]));
    let asked =
        async { tokio::join!(ask("a", &plain), ask("a", &tls), ask("a", &bound), ask("a", &start_tls)) };
    let answers = tokio::time::timeout(DEADLINE, asked).await.expect("an end");
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        assert_eq!(code(&answer), "directory-timeout", "{answer:?}");
    }
    assert!(OPERATION_TIMEOUT * 2 < DEADLINE, "two steps of a question fit into it");
}

/// Answers every connection with `bytes`.
fn hostile(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(&bytes);
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    format!("ldap://{address}")
}

#[tokio::test]
async fn a_hostile_server_ends_nothing() {
    let mut deep = vec![0x30, 0];
    for _ in 0..20_000 {
        let length = u32::try_from(deep.len()).unwrap().to_be_bytes();
        deep = [&[0x30, 0x84][..], &length, &deep].concat();
    }
    let inner =
        [&[0x02, 1, 1, 0x64, 0x84][..], &u32::try_from(deep.len()).unwrap().to_be_bytes(), &deep].concat();
    let deep = [&[0x30, 0x84][..], &u32::try_from(inner.len()).unwrap().to_be_bytes(), &inner].concat();
    for (name, bytes) in [
        ("deep nesting", deep),
        ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("a huge length", vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]),
        ("an empty message", vec![0x30, 0]),
        ("an operation of its own", vec![0x30, 5, 2, 1, 1, 0x42, 0]),
        ("a bind response to a search", vec![0x30, 0x0c, 2, 1, 1, 0x61, 7, 10, 1, 0, 4, 0, 4, 0]),
        (
            "a control that is no control",
            vec![0x30, 0x10, 2, 1, 1, 0x65, 7, 10, 1, 0, 4, 0, 4, 0, 0xa0, 2, 4, 0],
        ),
        ("nothing", vec![]),
    ] {
        let answer = ask("alice", &rules(at(&hostile(bytes)), &["(uid=$user$)"])).await;
        // Not that it did not answer in time.
        assert_eq!(code(&answer), "directory-protocol", "{name}: {answer:?}");
    }
    // The task that asked is the same as before.
    assert_eq!(found(&ask("alice", &rules(directory(), &["(uid=$user$)"])).await), ["g0"]);
}

#[tokio::test]
async fn a_thousand_queries() {
    let filters: Vec<String> = (0..1_000).map(|n| format!("(&(uid=$user$)(!(cn=x{n})))")).collect();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    let directory = Directory { servers: vec![env("SLAPD_TLS_URI")], ca_pem: Some(ca()), ..directory() };
    let rules = rules(directory, &filters);
    let started = Instant::now();
    let answer = ask("alice", &rules).await;
    println!("1,000 queries over TLS in {:?}", started.elapsed());
    assert_eq!(found(&answer).len(), 1_000);
}

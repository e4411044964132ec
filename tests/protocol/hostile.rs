//! Frames that no honest peer sends: whatever comes is a message or an error, never a panic, and what is a message
//! can be said again.

use super::{samples, stored};
use hub::machine::GroupRules;
use hub::machine::people::rules::Directory;
use hub::machine::{JournalEntry, Owed};
use hub::protocol::local::{LocalAnswer, LocalRequest};
use hub::protocol::{ToMachine, ToUser};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// Reads `frame` as a `T`; what is understood is understood the same way again.
fn read<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(frame: &[u8]) -> bool {
    fn again<T: Serialize + DeserializeOwned>(message: &T) -> T {
        let said = serde_json::to_vec(message).expect("what was read can be said");
        serde_json::from_slice(&said).expect("understood again")
    }
    let Ok(message) = serde_json::from_slice::<T>(frame) else { return false };
    fn has_fraction(value: &Value) -> bool {
        match value {
            Value::Number(number) => number.is_f64(),
            Value::Array(all) => all.iter().any(has_fraction),
            Value::Object(all) => all.values().any(has_fraction),
            Value::Null | Value::Bool(_) | Value::String(_) => false,
        }
    }
    // The reader may miss a fraction with many digits by its last bit. Nothing of ours has one, a foreign extension of an
    // event may.
    if !has_fraction(&serde_json::to_value(&message).expect("JSON")) {
        assert_eq!(again(&message), message);
    }
    true
}

fn read_all(frame: &[u8]) -> usize {
    [
        read::<ToUser>(frame),
        read::<ToMachine>(frame),
        read::<LocalRequest>(frame),
        read::<LocalAnswer>(frame),
        read::<Owed>(frame),
        read::<JournalEntry>(frame),
    ]
    .into_iter()
    .filter(|understood| *understood)
    .count()
}

fn frames() -> Vec<Vec<u8>> {
    fn say<T: Serialize>(all: Vec<T>) -> Vec<Vec<u8>> {
        all.iter().map(|message| serde_json::to_vec(message).expect("JSON")).collect()
    }
    [
        say(samples::to_user()),
        say(samples::to_machine()),
        say(samples::local_request()),
        say(samples::local_answer()),
        say(stored::owed()),
        say(vec![stored::journal()]),
    ]
    .concat()
}

#[test]
fn mutated_frames_are_understood_or_refused() {
    let mut random = crate::seed::random();
    let frames = frames();
    let bits: [&[u8]; 12] = [
        b"null",
        b"-1",
        b"1e999",
        b"18446744073709551616",
        b"\"\\ud800\"",
        b"[[[[",
        b"{}",
        b"\"type\":\"hello\",",
        b"\0",
        b"\xff\xfe",
        b"\"",
        b",",
    ];
    let (mut understood, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut frame = frames[random.usize(..frames.len())].clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..=frame.len());
            match random.u8(..5) {
                0 => frame.truncate(at),
                1 => frame.splice(at..at, bits[random.usize(..bits.len())].iter().copied()).for_each(drop),
                2 if at < frame.len() => frame[at] ^= 1 << random.u8(..8),
                3 => {
                    let other = &frames[random.usize(..frames.len())];
                    frame.truncate(at);
                    frame.extend(&other[random.usize(..other.len())..]);
                }
                _ => frame.drain(at..(at + random.usize(..9)).min(frame.len())).for_each(drop),
            }
        }
        match read_all(&frame) {
            0 => refused += 1,
            _ => understood += 1,
        }
    }
    println!("{understood} understood, {refused} refused");
    assert!(understood > 100 && refused > 1000, "the mutations do not try both: {understood}/{refused}");
}

#[test]
fn a_newer_peer_may_say_more_but_the_command_line_may_not() {
    let more = br#"{"type":"device-removed","id":"d","since":12}"#;
    assert_eq!(
        serde_json::from_slice::<ToUser>(more).expect("what is new is passed over"),
        ToUser::DeviceRemoved { id: "d".to_owned() }
    );
    assert!(serde_json::from_slice::<ToUser>(br#"{"type":"tea"}"#).is_err());
    assert!(serde_json::from_slice::<LocalRequest>(br#"{"do":"install","offer":"a","force":true}"#).is_err());
    assert!(serde_json::from_slice::<LocalRequest>(br#"{"do":"stop"} {"do":"stop"}"#).is_err());
}

#[test]
fn deep_and_long_frames_do_not_break_the_stack() {
    let deep = [b"{\"type\":\"hello\",\"x\":".as_slice(), &b"[".repeat(200_000)].concat();
    assert_eq!(read_all(&deep), 0);
    let long = format!("{{\"type\":\"device-removed\",\"id\":\"{}\"}}", "x".repeat(4 << 20));
    assert_eq!(read_all(long.as_bytes()), 1);
}

#[test]
fn secrets_do_not_reach_the_log_by_debug() {
    let directory = Directory {
        servers: vec!["ldaps://dc.example.com".to_owned()],
        base_dn: "dc=example,dc=com".to_owned(),
        start_tls: false,
        bind: Some(("cn=reader".to_owned(), "word".to_owned())),
        ca_pem: None,
    };
    let rules = GroupRules {
        policy_version: 7,
        directory: Some(Arc::new(directory)),
        groups: Arc::new([]),
        assigned: vec![],
    };
    let said = format!("{rules:?} {:?} {:?}", rules.directory, stored::credential());
    assert!(!said.contains("word") && !said.contains("abc"), "{said}");
}

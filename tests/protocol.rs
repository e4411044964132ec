//! The spelling of every word between the roles, the command line and the store, frozen in `tests/golden/protocol/`.
//! `UPDATE_GOLDEN=1 cargo test --test protocol` writes the files anew; look at the difference before you commit it.
#![expect(clippy::disallowed_methods, reason = "reads golden files and the environment")]

#[path = "protocol/hostile.rs"]
mod hostile;
#[path = "protocol/samples.rs"]
mod samples;
#[path = "support/seed.rs"]
mod seed;
#[path = "protocol/stored.rs"]
mod stored;

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::PathBuf;

#[test]
fn everybodys_group_is_called_as_the_tenant_calls_it() {
    assert_eq!(hub::protocol::ALL_USERS, tenant::policy::ALL_USERS);
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/protocol")
}

/// A message by the name of its golden file.
type Named<T> = (String, T);

fn named<T>(kind: &str, samples: Vec<T>, name: fn(&T) -> &'static str) -> Vec<Named<T>> {
    let mut seen = BTreeSet::new();
    let mut file = |sample: &T| {
        let name = (1..).map(|n| match n {
            1 => format!("{kind}-{}", name(sample)),
            n => format!("{kind}-{}-{n}", name(sample)),
        });
        name.into_iter().find(|name| seen.insert(name.clone())).expect("numbers do not end")
    };
    samples.into_iter().map(|sample| (file(&sample), sample)).collect()
}

/// Holds `samples` against their golden files, both ways.
fn frozen<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(samples: &[Named<T>]) {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for (name, sample) in samples {
        let path = folder().join(format!("{name}.json"));
        let now = serde_json::to_value(sample).expect("JSON");
        let pretty = serde_json::to_string_pretty(&now).expect("JSON") + "\n";
        if update && std::fs::read_to_string(&path).ok().as_ref() != Some(&pretty) {
            std::fs::write(&path, &pretty).expect("a writable folder");
            println!("UPDATE_GOLDEN: {} written anew: look at the difference", path.display());
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}. A new word needs a golden file: UPDATE_GOLDEN=1", path.display())
        });
        assert_eq!(pretty, golden, "{name}: the spelling changed; an older peer or store would misread it");
        let back: T = serde_json::from_str(&golden).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(&back, sample, "{name} does not come back as it was");
        let frame = serde_json::to_string(sample).expect("JSON");
        assert!(!frame.contains('\n'), "{name}: a frame is one line");
    }
}

/// Every variant is among the samples: as many names as the `match` without wildcard in `samples` knows.
fn complete<T>(samples: &[Named<T>], name: fn(&T) -> &'static str, all: &[&str]) {
    let have: BTreeSet<&str> = samples.iter().map(|(_, sample)| name(sample)).collect();
    let want: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(have, want);
    assert_eq!(all.len(), want.len(), "a name stands twice");
}

#[test]
fn to_user() {
    let all = named("to-user", samples::to_user(), samples::to_user_name);
    complete(&all, samples::to_user_name, samples::TO_USER);
    frozen(&all);
}

#[test]
fn to_machine() {
    let all = named("to-machine", samples::to_machine(), samples::to_machine_name);
    complete(&all, samples::to_machine_name, samples::TO_MACHINE);
    frozen(&all);
}

#[test]
fn local_request() {
    let all = named("local-request", samples::local_request(), samples::local_request_name);
    complete(&all, samples::local_request_name, samples::LOCAL_REQUEST);
    frozen(&all);
}

#[test]
fn local_answer() {
    let all = named("local-answer", samples::local_answer(), samples::local_answer_name);
    complete(&all, samples::local_answer_name, samples::LOCAL_ANSWER);
    frozen(&all);
}

#[test]
fn owed() {
    let all = named("owed", stored::owed(), stored::delivery_name);
    complete(&all, stored::delivery_name, stored::DELIVERY);
    frozen(&all);
}

#[test]
fn journal_and_credential() {
    frozen(&named("journal", vec![stored::journal()], |_| "entry"));
    frozen(&named("credential", vec![stored::credential()], |_| "token"));
    frozen(&named("groups", vec![samples::groups()], |_| "of-a-user"));
}

#[test]
fn no_golden_file_is_left_over() {
    let mut known: BTreeSet<String> = ["journal-entry", "credential-token", "groups-of-a-user"]
        .map(str::to_owned)
        .into_iter()
        .chain(stored::ROWS.iter().map(|row| format!("record-{row}")))
        .collect();
    known.extend(named("to-user", samples::to_user(), samples::to_user_name).into_iter().map(|n| n.0));
    known.extend(
        named("to-machine", samples::to_machine(), samples::to_machine_name).into_iter().map(|n| n.0),
    );
    let requests = named("local-request", samples::local_request(), samples::local_request_name);
    known.extend(requests.into_iter().map(|n| n.0));
    let answers = named("local-answer", samples::local_answer(), samples::local_answer_name);
    known.extend(answers.into_iter().map(|n| n.0));
    known.extend(named("owed", stored::owed(), stored::delivery_name).into_iter().map(|n| n.0));
    let found: BTreeSet<String> = std::fs::read_dir(folder())
        .expect("the golden files")
        .map(|e| e.expect("an entry").file_name().to_string_lossy().trim_end_matches(".json").to_owned())
        .collect();
    let over: Vec<_> = found.difference(&known).collect();
    assert!(over.is_empty(), "golden files of words that no longer exist: {over:?}");
}

//! Problems for tests: of each code one that is whole.
#![allow(dead_code, reason = "each test uses what it needs")]

use super::{Code, Problem};
use std::collections::BTreeMap;

/// As a peer would send it. Every argument is its own name.
pub(crate) fn sample(code: Code, place: &str) -> Problem {
    let (mut args, mut details) = (BTreeMap::new(), BTreeMap::new());
    for (name, is_detail) in code.arguments() {
        match is_detail {
            false => drop(args.insert(*name, *name)),
            true => drop(details.insert(
                *name,
                serde_json::json!({"code": "verbatim", "text": name, "args": {"words": name}}),
            )),
        }
    }
    let written = serde_json::json!({
        "code": code.as_str(), "what": "", "where": place, "next": "", "args": args, "details": details,
    });
    serde_json::from_value(written).expect("the form of a problem")
}

/// By the name of its code.
pub(crate) fn problem(code: &str) -> Problem {
    let code = Code::ALL.iter().find(|known| known.as_str() == code);
    sample(*code.expect("a code of the table"), "place")
}

//! What the command line prints with `--json`, where that is not a word of its own: `schemas/` is made of these.

use super::local::Softphone;
use super::{Device, Job, Offer, PastUpdate, Problem, ResolvedGroup};
use serde::Serialize;

/// `devices --json`; with `--watch` one a line.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Devices<'a> {
    /// Whether the answer is the running agent's.
    pub agent_running: bool,
    /// Id of the one that carries the calls; null = none can, or no agent runs.
    pub headset: Option<&'a str>,
    pub devices: &'a [Device],
}

/// `update list --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Updates<'a> {
    pub offers: &'a [Offer],
    /// The one that runs, or the last one that ended.
    pub job: Option<&'a Job>,
    /// Updates that wait for their turn, the next one first.
    pub queue: &'a [Job],
}

/// `update history --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct History<'a> {
    /// The last first; at most 20.
    pub updates: &'a [PastUpdate],
}

/// `groups --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Groups<'a> {
    /// What `$user$` stands for.
    pub user: &'a str,
    /// By priority; the first one is in force.
    pub groups: &'a [ResolvedGroup],
    pub problem: Option<&'a Problem>,
}

/// `softphones list --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Softphones<'a> {
    pub softphones: &'a [Softphone],
}

/// Any command with `--json` that ends with another exit status than 0.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Refused<'a> {
    pub error: &'a Problem,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{document, hold};
    use crate::protocol::local::View;

    #[test]
    fn what_is_printed_is_made_of_the_types() {
        for (name, schema) in [
            ("devices", document::<Devices<'_>>("hookswitch devices --json; with --watch one a line")),
            (
                "error",
                document::<Refused<'_>>(
                    "any hookswitch command with --json that ends with another exit status than 0",
                ),
            ),
            ("groups", document::<Groups<'_>>("hookswitch groups --json")),
            ("softphones", document::<Softphones<'_>>("hookswitch softphones list --json")),
            ("status", document::<View>("hookswitch status --json")),
            ("update-history", document::<History<'_>>("hookswitch update history --json")),
            ("update-list", document::<Updates<'_>>("hookswitch update list --json")),
        ] {
            hold(env!("CARGO_MANIFEST_DIR"), &format!("../schemas/{name}.schema.json"), &schema);
        }
    }
}

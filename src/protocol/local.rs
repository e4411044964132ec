//! What the command line asks of the running agent over its local socket, one JSON object a line, and the answers.
//! The same [`View`] is what the REST door, the window and the tray are drawn from.

use super::{Device, Job, Offer, Problem, ResolvedGroup, TenantState};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LocalRequest {
    /// One [`LocalAnswer::View`].
    View,
    /// A [`LocalAnswer::View`] now and after every change, until the caller closes.
    Watch,
    Install {
        offer: String,
    },
    /// Stops the running update.
    Cancel,
    Defer {
        offer: String,
    },
    /// A one-time address of the window.
    Window,
    /// One [`SettingsAnswer`].
    Settings,
    Stop,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum LocalAnswer {
    View { view: Box<View> },
    Done,
    Window { url: String },
    Problem { problem: Problem },
}

/// What [`LocalRequest::Settings`] is answered with, in the spelling of [`LocalAnswer`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum SettingsAnswer {
    /// As `hookswitch settings list --json` prints them, of the agent's process. Secrets are `"(set)"`.
    Settings {
        settings: serde_json::Value,
    },
    Problem {
        problem: Problem,
    },
}

/// The agent as a value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    pub version: String,
    pub user: String,
    pub rest: Endpoint,
    pub tenant: TenantState,
    pub devices: Vec<Device>,
    pub calls: Vec<Call>,
    pub offers: Vec<Offer>,
    pub job: Option<Job>,
    /// By priority; the first one is in force. Ends with `all-users`.
    pub groups: Vec<ResolvedGroup>,
    pub groups_problem: Option<Problem>,
    /// Functions that are not running and why, one each.
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// `https://127.0.0.1:32018`; `None` while the door is closed.
    pub url: Option<String>,
    /// PEM file with the certificate to trust.
    pub ca_path: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Counted from 1 in each run of the agent.
    pub id: u64,
    /// The softphone that owns it.
    pub client: String,
    pub direction: Direction,
    pub state: CallState,
    pub muted: bool,
    /// Shown to the person; at most 256 characters.
    pub contact: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    Incoming,
    Outgoing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallState {
    Ringing,
    Answered,
    Held,
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_spelling_of_the_settings_answer() {
        let settings = json!([{ "key": "user", "value": "jane", "from": "user", "locked": false }]);
        let problem = Problem::new("code", "what", "place", "next");
        for (answer, spelt) in [
            (
                SettingsAnswer::Settings { settings: settings.clone() },
                json!({ "answer": "settings", "settings": settings }),
            ),
            (
                SettingsAnswer::Problem { problem: problem.clone() },
                json!({ "answer": "problem", "problem": problem }),
            ),
        ] {
            assert_eq!(serde_json::to_value(&answer).expect("JSON"), spelt);
            assert_eq!(serde_json::from_value::<SettingsAnswer>(spelt).expect("understood"), answer);
        }
        // What an agent says that does not know the question.
        let other = serde_json::to_value(LocalAnswer::Problem { problem: problem.clone() }).expect("JSON");
        let read: SettingsAnswer = serde_json::from_value(other).expect("understood");
        assert_eq!(read, SettingsAnswer::Problem { problem });
    }
}

//! The user and the groups, each with its *why*.

use crate::protocol::Problem;

/// What the directory said to [`crate::agent::Output::AskDirectory`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryAnswer {
    /// The rules that were asked.
    pub policy_version: u64,
    /// The server that answered and the ids of the groups whose query found the user.
    pub found: Result<(String, Vec<String>), Problem>,
    /// Queries that could not be asked or failed on their own, by group id.
    pub refused: Vec<(String, Problem)>,
}

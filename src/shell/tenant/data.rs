//! Files and folders of the agent's own that cannot be used.

use super::http;
use hub::machine::{FailureKind, TenantFailure};
use hub::protocol::Problem;
use std::path::Path;

pub(super) fn failure(path: &Path, error: &std::io::Error) -> TenantFailure {
    http::failure(FailureKind::Rejected, problem(path, error))
}

pub fn problem(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(
        "tenant-data",
        format!("The agent cannot keep what it gets from the tenant: {error}"),
        path.display().to_string(),
        "Free some space and give the agent's user the right to write there.",
    )
    .with("detail", error.to_string())
}

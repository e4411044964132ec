//! Why the tenant's repository is not trusted, or not understood.

use super::http;
use hub::machine::{FailureKind, TenantFailure};
use hub::protocol::{Detail, Problem};

/// The last good policy stays in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Expired,
    RolledBack,
    Signature,
    Oversize,
    /// Not what was signed, or not what was asked for.
    Mismatch,
    NotFound,
    Clock,
    /// The agent cannot keep what it knows of it.
    Data,
    PolicyInvalid,
    TargetUnknown,
    Metadata,
}

impl Refusal {
    fn code(self) -> &'static str {
        match self {
            Self::Expired => "tenant-expired",
            Self::RolledBack => "tenant-rolled-back",
            Self::Signature => "tenant-signature",
            Self::Oversize => "tenant-oversize",
            Self::Mismatch => "tenant-mismatch",
            Self::NotFound => "tenant-not-found",
            Self::Clock => "tenant-clock",
            Self::Data => "tenant-data",
            Self::PolicyInvalid => "tenant-policy-invalid",
            Self::TargetUnknown => "tenant-target-unknown",
            Self::Metadata => "tenant-metadata",
        }
    }

    /// What, and what next.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Expired => (
                "The tenant's policy was not renewed in time",
                "Publish it again (hookswitch-tenant publish), and check this machine's clock.",
            ),
            Self::RolledBack => (
                "The tenant offers an older policy than the one in force",
                "Check the server or the folder: a backup was restored, or somebody replays old files. Publish again.",
            ),
            Self::Signature => (
                "The tenant's policy is not signed by the tenant",
                "Check the server or the folder: its files were changed, or signed with other keys.",
            ),
            Self::Oversize => {
                ("The tenant's repository holds a file that is too large", "Check the tenant's files.")
            }
            Self::Mismatch => (
                "The tenant's files do not fit together",
                "Publish again; if it stays, check what lies between agent and server.",
            ),
            Self::NotFound => ("A file is missing in the tenant's repository", "Publish again."),
            Self::Clock => (
                "This machine's clock went back: the policy's age cannot be judged",
                "Set the clock. If it was wrong before, remove latest_known_time.json from the agent's tuf folder.",
            ),
            Self::Data => (
                "The agent cannot keep what it knows of the tenant's repository",
                "Free some space and give the agent's user the right to write there.",
            ),
            Self::PolicyInvalid => (
                "The tenant's policy document is not valid",
                "Correct tenant.json and publish again; the last good policy stays in force.",
            ),
            Self::TargetUnknown => (
                "The tenant's repository does not offer this package",
                "Publish the package, or correct its name in the policy.",
            ),
            Self::Metadata => (
                "The tenant's repository cannot be understood",
                "Check the tenant's files and publish again.",
            ),
        }
    }
}

pub(super) fn refused(refusal: Refusal, why: Detail, place: &str) -> TenantFailure {
    let (what, next) = refusal.words();
    let kind = match refusal {
        Refusal::Mismatch => FailureKind::Mismatch,
        _ => FailureKind::Refused,
    };
    let problem = Problem::new(refusal.code(), format!("{what}: {why}"), place, next).detail("detail", why);
    http::failure(kind, problem)
}

//! Why the tenant's repository is not trusted, or not understood.

use super::http;
use hub::machine::{FailureKind, TenantFailure};
use hub::problem::{Detail, Reason};

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
    fn reason(self, detail: Detail) -> Reason {
        match self {
            Self::Expired => Reason::TenantExpired { detail },
            Self::RolledBack => Reason::TenantRolledBack { detail },
            Self::Signature => Reason::TenantSignature { detail },
            Self::Oversize => Reason::TenantOversize { detail },
            Self::Mismatch => Reason::TenantMismatch { detail },
            Self::NotFound => Reason::TenantNotFound,
            Self::Clock => Reason::TenantClock { detail },
            Self::Data => Reason::TenantData { detail },
            Self::PolicyInvalid => Reason::TenantPolicyInvalid { detail },
            Self::TargetUnknown => Reason::TenantTargetUnknown { detail },
            Self::Metadata => Reason::TenantMetadata { detail },
        }
    }
}

pub(super) fn refused(refusal: Refusal, why: Detail, place: &str) -> TenantFailure {
    let kind = match refusal {
        Refusal::Mismatch => FailureKind::Mismatch,
        _ => FailureKind::Refused,
    };
    http::failure(kind, refusal.reason(why).at(place))
}

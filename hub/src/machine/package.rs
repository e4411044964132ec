//! A package on its way to a job: which bytes it is, and where they are to be had.

use super::Verified;
use crate::protocol::Detail;
use dfu::package::Package;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// One firmware job of this run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// Which bytes a package is, as the tenant's signed list said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    pub length: u64,
    pub sha256: Sha256,
}

/// Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sha256(pub [u8; 32]);

/// Where the package of a job is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// On this computer since it was fetched for the same job: no tenant and no network are needed.
    Kept(Fingerprint),
    /// From the tenant, as what its signed list calls so. A kept file that is what the list says is as good.
    Tenant { target: String },
}

/// A whole package on disk, which was looked through. The shell keeps it open for the job that it is for, until
/// [`super::Output::JobEnded`]: blocks of its images are read from that very file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    pub fingerprint: Fingerprint,
    /// What is in it, or why it is no firmware package.
    pub contents: Result<Package, Detail>,
}

/// What a fetch ends with.
pub type Fetched = Result<Verified<Archive>, super::TenantFailure>;

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for Sha256 {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
        let mut out = [0; 32];
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(NoDigest) };
        if pairs.len() != out.len() {
            return Err(NoDigest);
        }
        for (byte, [high, low]) in out.iter_mut().zip(pairs) {
            let (high, low) = (digit(*high).ok_or(NoDigest)?, digit(*low).ok_or(NoDigest)?);
            *byte = (high << 4 | low) as u8;
        }
        Ok(Self(out))
    }
}

/// Not 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 lower-case hexadecimal digits")]
pub struct NoDigest;

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written_and_nothing_else() {
        let digest = Sha256(std::array::from_fn(|n| (n * 9) as u8));
        let text = digest.to_string();
        assert_eq!(text.parse(), Ok(digest));
        assert!(text.starts_with("0009121b"), "{text}");
        for broken in ["", &text[1..], &format!("{text}0"), &format!("{text}00"), &text.to_uppercase()] {
            assert_eq!(broken.parse::<Sha256>(), Err(NoDigest), "{broken}");
        }
        assert_eq!(text.replace("00", "+0").parse::<Sha256>(), Err(NoDigest));
        assert_eq!(format!("{}/../x", &text[..59]).parse::<Sha256>(), Err(NoDigest), "never a path");
    }
}

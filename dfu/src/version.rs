//! `bcdDevice`: the only version DFU itself offers (USB 2.0 §9.6.1, four binary coded decimal digits).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A firmware version as `bcdDevice` carries it: `0xJJMN` is version JJ.MN, so `0x0120` is "1.20". A device whose
/// maker counts otherwise, so that a digit is above 9, has a version too: it is written as it is, "0x0a12".
///
/// Decimal versions are ordered among themselves, and so are the others. Between the two there is no order: nobody can
/// say whether 0x0a12 is later than 1.20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FirmwareVersion(u16);

/// A version as a schema says it; `0xffff` is none all the same.
pub const PATTERN: &str = concat!(
    r"^(?:(?:[0-9]|[1-9][0-9])\.[0-9]{2}|0x(?:[a-f][0-9a-f]{3}|[0-9][a-f][0-9a-f]{2}",
    r"|[0-9]{2}[a-f][0-9a-f]|[0-9]{3}[a-f]))$",
);
/// What a device reports whose firmware is erased or cannot be read.
const ERASED: u16 = 0xffff;

/// Why something is not a firmware version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// `0xffff` is what a device with erased or unreadable firmware reports.
    #[error("bcdDevice 0xffff is no version: the firmware is erased, or cannot be read")]
    Erased,
    /// Text of neither form.
    #[error(
        "{text:?} is not a firmware version: expected one or two digits, a point and two digits, such as \"1.20\" or \
         \"12.05\", or four hexadecimal digits where one of them is above 9, such as \"0x0a12\""
    )]
    Text {
        /// The text as it came, cut to 16 characters.
        text: String,
    },
}

impl FirmwareVersion {
    /// Reads a `bcdDevice` value.
    ///
    /// Errors: [`VersionError::Erased`].
    pub fn from_bcd(bcd: u16) -> Result<FirmwareVersion, VersionError> {
        if bcd == ERASED { Err(VersionError::Erased) } else { Ok(FirmwareVersion(bcd)) }
    }

    /// The value as `bcdDevice` carries it.
    #[must_use]
    pub fn bcd(self) -> u16 {
        self.0
    }

    /// Whether each of the four digits is 0 to 9.
    fn is_decimal(self) -> bool {
        (0..4).all(|digit| (self.0 >> (4 * digit)) & 0xf <= 9)
    }
}

impl PartialOrd for FirmwareVersion {
    fn partial_cmp(&self, other: &FirmwareVersion) -> Option<Ordering> {
        (self.is_decimal() == other.is_decimal()).then(|| self.0.cmp(&other.0))
    }
}

impl TryFrom<u16> for FirmwareVersion {
    type Error = VersionError;

    fn try_from(bcd: u16) -> Result<FirmwareVersion, VersionError> {
        FirmwareVersion::from_bcd(bcd)
    }
}

impl TryFrom<String> for FirmwareVersion {
    type Error = VersionError;

    fn try_from(text: String) -> Result<FirmwareVersion, VersionError> {
        text.parse()
    }
}

impl From<FirmwareVersion> for String {
    fn from(version: FirmwareVersion) -> String {
        version.to_string()
    }
}

impl fmt::Display for FirmwareVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_decimal() {
            write!(f, "{:x}.{:02x}", self.0 >> 8, self.0 & 0xff)
        } else {
            write!(f, "0x{:04x}", self.0)
        }
    }
}

impl FromStr for FirmwareVersion {
    type Err = VersionError;

    /// Reads what [`fmt::Display`] writes and nothing else: one version has one name.
    fn from_str(text: &str) -> Result<FirmwareVersion, VersionError> {
        let wrong = || VersionError::Text { text: text.chars().take(16).collect() };
        let digits = match text.strip_prefix("0x") {
            Some(digits) => digits.to_owned(),
            None => text.replacen('.', "", 1),
        };
        let bcd = u16::from_str_radix(&digits, 16).map_err(|_| wrong())?;
        let version = FirmwareVersion::from_bcd(bcd)?;
        if version.to_string() == text { Ok(version) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> FirmwareVersion {
        text.parse().expect("well formed")
    }

    #[test]
    fn every_value_of_bcd_device_has_a_name_of_its_own_but_ffff() {
        let mut names = std::collections::BTreeSet::new();
        let mut decimal = 0;
        for bcd in 0..u16::MAX {
            let version = FirmwareVersion::from_bcd(bcd).expect("a version");
            assert_eq!((version.to_string().parse(), version.bcd()), (Ok(version), bcd));
            assert!(names.insert(version.to_string()));
            decimal += u32::from(!version.to_string().starts_with("0x"));
        }
        assert_eq!(decimal, 10_000);
        assert_eq!(FirmwareVersion::from_bcd(0xffff), Err(VersionError::Erased));
        assert_eq!("0xffff".parse::<FirmwareVersion>(), Err(VersionError::Erased));
    }

    #[test]
    fn reads_as_people_write_it() {
        assert_eq!(version("1.20").bcd(), 0x0120);
        assert_eq!(version("0.03").bcd(), 0x0003);
        assert_eq!(version("12.34").bcd(), 0x1234);
        assert_eq!(version("0x0a12").bcd(), 0x0a12);
    }

    #[test]
    fn versions_of_one_scheme_are_ordered_and_of_two_are_not() {
        assert!(version("9.99") < version("10.00") && version("1.20") > version("1.19"));
        assert!(version("0x0a12") < version("0x0a13") && version("0x0a12") > version("0x000f"));
        assert_eq!(version("0x0a12").partial_cmp(&version("1.20")), None);
        assert_eq!(version("1.20").partial_cmp(&version("0x000a")), None);
        assert_eq!(version("0x0a12").partial_cmp(&version("0x0a12")), Some(Ordering::Equal));
    }

    #[test]
    fn refuses_ambiguous_and_hostile_text() {
        for text in [
            "", ".", "1", "1.2", "1.200", "01.20", "001.20", "a.bc", "1.2f", "ff.ff", "-1.20", "1.+2",
            "+1.20", "١.٢٠", "1.20 ", "120", "1.2.0", "0x0120", "0x120", "0x0A12", "0xa12", "0X0a12",
            "0x00a12", "0x", "0x+a12", "a12",
        ] {
            let refused = text.parse::<FirmwareVersion>();
            let cut = text.chars().take(16).collect();
            if text != "ff.ff" {
                assert_eq!(refused, Err(VersionError::Text { text: cut }), "{text:?} was taken");
            } else {
                assert!(refused.is_err());
            }
        }
    }
}

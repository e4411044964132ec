//! `bcdDevice`: the only version DFU itself offers (USB 2.0 §9.6.1, four binary coded decimal digits).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A firmware version as `bcdDevice` carries it: `0xJJMN` is version JJ.MN, so `0x0120` is "1.20".
///
/// The only constructors check the digits, so a value of this type is always valid BCD and the order of the
/// numbers is the order of the versions (0.00 to 99.99).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FirmwareVersion(u16);

/// Why something is not a firmware version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// A nibble above 9. `0xffff` is what a device with erased or unreadable firmware reports.
    #[error("bcdDevice 0x{bcd:04x} is not a version: each of its four digits must be 0 to 9")]
    NotBcd {
        /// The value as it came.
        bcd: u16,
    },
    /// Text not of the form `1.20`.
    #[error(
        "{text:?} is not a firmware version: expected major.minor with one or two digits, a point and exactly \
         two digits, such as \"1.20\" or \"12.05\""
    )]
    NotMajorMinor {
        /// The text as it came, cut to 16 characters.
        text: String,
    },
}

impl FirmwareVersion {
    /// Reads a `bcdDevice` value.
    ///
    /// Errors: [`VersionError::NotBcd`] if a digit is above 9 (a device that reports `0xffff` has no version).
    pub fn from_bcd(bcd: u16) -> Result<FirmwareVersion, VersionError> {
        let decimal = (0..4).all(|digit| (bcd >> (4 * digit)) & 0xf <= 9);
        if decimal { Ok(FirmwareVersion(bcd)) } else { Err(VersionError::NotBcd { bcd }) }
    }

    /// The value as `bcdDevice` carries it.
    #[must_use]
    pub fn bcd(self) -> u16 {
        self.0
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
        write!(f, "{:x}.{:02x}", self.0 >> 8, self.0 & 0xff)
    }
}

impl FromStr for FirmwareVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<FirmwareVersion, VersionError> {
        let wrong = || VersionError::NotMajorMinor { text: text.chars().take(16).collect() };
        let (major, minor) = text.split_once('.').ok_or_else(wrong)?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let canonical = major.len() == 1 || (major.len() == 2 && !major.starts_with('0'));
        if !canonical || minor.len() != 2 || !digits(major) || !digits(minor) {
            return Err(wrong());
        }
        let bcd =
            major.bytes().chain(minor.bytes()).fold(0u16, |bcd, digit| (bcd << 4) | u16::from(digit - b'0'));
        Ok(FirmwareVersion(bcd))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bcd_value_round_trips_and_every_other_is_refused() {
        let mut valid = 0;
        for bcd in 0..=u16::MAX {
            match FirmwareVersion::from_bcd(bcd) {
                Ok(version) => {
                    valid += 1;
                    assert_eq!(version.to_string().parse(), Ok(version));
                    assert_eq!(version.bcd(), bcd);
                }
                Err(VersionError::NotBcd { bcd: shown }) => assert_eq!(shown, bcd),
                Err(other) => panic!("0x{bcd:04x}: {other}"),
            }
        }
        assert_eq!(valid, 10_000);
    }

    #[test]
    fn reads_as_people_write_it() {
        let version = FirmwareVersion::from_bcd(0x0120).expect("valid BCD");
        assert_eq!(version.to_string(), "1.20");
        assert_eq!("0.03".parse(), FirmwareVersion::from_bcd(0x0003));
        assert_eq!("12.34".parse(), FirmwareVersion::from_bcd(0x1234));
        let version = |text: &str| text.parse::<FirmwareVersion>().expect("well formed");
        assert!(version("9.99") < version("10.00") && version("1.20") > version("1.19"));
        assert_eq!(FirmwareVersion::from_bcd(0xffff), Err(VersionError::NotBcd { bcd: 0xffff }));
    }

    #[test]
    fn refuses_ambiguous_and_hostile_text() {
        for text in [
            "", ".", "1", "1.2", "1.200", "01.20", "001.20", "a.bc", "1.2f", "-1.20", "1.+2", "١.٢٠", "1.20 ",
        ] {
            assert!(
                matches!(text.parse::<FirmwareVersion>(), Err(VersionError::NotMajorMinor { .. })),
                "{text:?} was taken"
            );
        }
    }
}

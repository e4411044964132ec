//! Bounds of the requests.

use thiserror::Error;

use super::{
    DeviceRegistration, EnrolRequest, EventBatch, HostRegistration, MAX_EVENTS, ResolvedGroup, UpdateStatus,
    UserRegistration, Verdict,
};
use crate::grammar::{is_host_key, is_line, is_slug, is_user_name, is_wire_id};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    /// An identifier with characters it may not have.
    #[error("{field}: expected 1 to 128 of A-Z a-z 0-9 . _ : ~ -, beginning with a letter or digit")]
    Id {
        /// Which.
        field: String,
    },
    /// A host key that is none.
    #[error("host_key: expected an Ed25519 public key as 43 characters of base64url")]
    HostKey,
    /// A user name that cannot be one.
    #[error("{field}: expected a user name of 1 to 256 characters, no control or invisible characters")]
    User {
        /// Which.
        field: String,
    },
    /// A group id that is no slug.
    #[error("{field}: expected a group id (1 to 64 of a-z 0-9 and inner hyphens)")]
    Group {
        /// Which.
        field: String,
    },
    /// A text too short, too long, or of more than one line.
    #[error("{field}: expected {min} to {max} characters, no control or text direction characters")]
    Line {
        /// Which.
        field: String,
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
    },
    /// A list too short or too long.
    #[error("{field}: expected {min} to {max} entries, got {got}")]
    Count {
        /// Which.
        field: String,
        /// Fewest.
        min: usize,
        /// Most.
        max: usize,
        /// Found.
        got: usize,
    },
    /// A success without its proof.
    #[error("version_read_back: a succeeded update carries the version read back, equal to target_version")]
    Unproven,
    /// An event of another CloudEvents version.
    #[error("[{at}].specversion: expected \"1.0\"")]
    SpecVersion {
        /// Index in the batch.
        at: usize,
    },
    /// A time stamp that is none.
    #[error("[{at}].time: expected an RFC 3339 time stamp such as 2026-11-24T09:30:00Z")]
    Time {
        /// Index in the batch.
        at: usize,
    },
    /// White space in a URI reference.
    #[error("[{at}].source: expected a URI reference without white space")]
    Source {
        /// Index in the batch.
        at: usize,
    },
}

type Checked = Result<(), WireError>;

impl EnrolRequest {
    /// # Errors
    /// The first field out of bounds.
    pub fn validate(&self) -> Result<(), WireError> {
        id("tenant_id", &self.tenant_id)?;
        id("system_id", &self.system_id)?;
        if !is_host_key(&self.host_key) {
            return Err(WireError::HostKey);
        }
        line("tenant_token", self.tenant_token.expose(), 1, 256)
    }
}

impl HostRegistration {
    /// # Errors
    /// The first field out of bounds.
    pub fn validate(&self) -> Result<(), WireError> {
        id("system_id", &self.system_id)?;
        line("hostname", &self.hostname, 1, 255)?;
        line("os", &self.os, 1, 64)?;
        line("os_version", &self.os_version, 0, 200)?;
        line("agent_version", &self.agent_version, 1, 64)?;
        if let Some(copied_from) = &self.copied_from {
            id("copied_from", copied_from)?;
        }
        groups(&self.groups)
    }
}

impl UserRegistration {
    /// # Errors
    /// The first field out of bounds.
    pub fn validate(&self) -> Result<(), WireError> {
        if !is_user_name(&self.user) {
            return Err(WireError::User { field: "user".to_owned() });
        }
        optional("display", self.display.as_deref(), 200)?;
        groups(&self.groups)
    }
}

impl DeviceRegistration {
    /// # Errors
    /// The first field out of bounds.
    pub fn validate(&self) -> Result<(), WireError> {
        id("device_id", &self.device_id)?;
        line("vendor", &self.vendor, 0, 200)?;
        line("product", &self.product, 0, 200)?;
        optional("serial", self.serial.as_deref(), 200)?;
        optional("firmware_version", self.firmware_version.as_deref(), 64)?;
        optional("port", self.port.as_deref(), 200)
    }
}

impl UpdateStatus {
    /// # Errors
    /// The first field out of bounds, or [`WireError::Unproven`].
    pub fn validate(&self) -> Result<(), WireError> {
        id("event_id", &self.event_id)?;
        id("device_id", &self.device_id)?;
        id("policy_id", &self.policy_id)?;
        optional("from_version", self.from_version.as_deref(), 64)?;
        line("target_version", &self.target_version, 1, 64)?;
        optional("version_read_back", self.version_read_back.as_deref(), 64)?;
        optional("detail", self.detail.as_deref(), 1_000)?;
        let proven = self.version_read_back.as_deref() == Some(self.target_version.as_str());
        if self.verdict == Verdict::Succeeded && !proven { Err(WireError::Unproven) } else { Ok(()) }
    }
}

impl EventBatch {
    /// # Errors
    /// The first event out of bounds, with its index.
    pub fn validate(&self) -> Result<(), WireError> {
        let got = self.0.len();
        if !(1..=MAX_EVENTS).contains(&got) {
            return Err(WireError::Count { field: "events".to_owned(), min: 1, max: MAX_EVENTS, got });
        }
        for (at, event) in self.0.iter().enumerate() {
            if event.specversion != "1.0" {
                return Err(WireError::SpecVersion { at });
            }
            id(&format!("[{at}].id"), &event.id)?;
            line(&format!("[{at}].source"), &event.source, 1, 300)?;
            if event.source.chars().any(char::is_whitespace) {
                return Err(WireError::Source { at });
            }
            line(&format!("[{at}].type"), &event.kind, 1, 200)?;
            optional(&format!("[{at}].subject"), event.subject.as_deref(), 300)?;
            optional(&format!("[{at}].datacontenttype"), event.datacontenttype.as_deref(), 200)?;
            if !is_rfc3339(&event.time) {
                return Err(WireError::Time { at });
            }
        }
        Ok(())
    }
}

/// The layout of RFC 3339 §5.6; days are not counted per month.
fn is_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !(20..=40).contains(&bytes.len()) || !text.is_ascii() {
        return false;
    }
    let number = |from: usize, to: usize, max: u32| {
        bytes[from..to].iter().all(u8::is_ascii_digit)
            && text[from..to].parse::<u32>().is_ok_and(|n| n <= max)
    };
    let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    let date =
        number(0, 4, 9_999) && number(5, 7, 12) && number(8, 10, 31) && matches!(bytes[10], b'T' | b't');
    let time = number(11, 13, 23) && number(14, 16, 59) && number(17, 19, 60);
    if !date || !time || !marks.iter().all(|(at, mark)| bytes[*at] == *mark) {
        return false;
    }
    let rest = &text[19..];
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return false;
            }
            &fraction[digits..]
        }
        None => rest,
    };
    match zone.as_bytes() {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()),
        _ => false,
    }
}

fn groups(groups: &[ResolvedGroup]) -> Checked {
    if groups.len() > 1_000 {
        let field = "groups".to_owned();
        return Err(WireError::Count { field, min: 0, max: 1_000, got: groups.len() });
    }
    for (at, group) in groups.iter().enumerate() {
        if !is_slug(&group.id) {
            return Err(WireError::Group { field: format!("groups[{at}].id") });
        }
        line(&format!("groups[{at}].why"), &group.why, 1, 500)?;
    }
    Ok(())
}

fn id(field: &str, value: &str) -> Checked {
    if is_wire_id(value) { Ok(()) } else { Err(WireError::Id { field: field.to_owned() }) }
}

fn line(field: &str, value: &str, min: usize, max: usize) -> Checked {
    if is_line(value, min, max) { Ok(()) } else { Err(WireError::Line { field: field.to_owned(), min, max }) }
}

fn optional(field: &str, value: Option<&str>, max: usize) -> Checked {
    value.map_or(Ok(()), |value| line(field, value, 1, max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_are_rfc_3339() {
        for good in ["2026-11-24T09:30:00Z", "2026-11-24t09:30:60.123456z", "2026-11-24T09:30:00.1+01:00"] {
            assert!(is_rfc3339(good), "{good}");
        }
        for bad in [
            "",
            "2026-11-24",
            "2026-11-24T09:30:00",
            "2026-11-24T09:30:00.Z",
            "2026-13-24T09:30:00Z",
            "2026-11-24T24:30:00Z",
            "2026-11-24T09:30:00+0100",
            "2026-11-24T09:30:00Zé",
            "+026-11-24T09:30:00Z",
        ] {
            assert!(!is_rfc3339(bad), "{bad}");
        }
    }

    #[test]
    fn success_needs_the_version_read_back() {
        let mut status = UpdateStatus {
            event_id: "e1".to_owned(),
            device_id: "d1".to_owned(),
            policy_id: "p1".to_owned(),
            from_version: None,
            target_version: "2.0".to_owned(),
            verdict: Verdict::Succeeded,
            version_read_back: None,
            detail: None,
        };
        assert_eq!(status.validate(), Err(WireError::Unproven));
        status.version_read_back = Some("1.0".to_owned());
        assert_eq!(status.validate(), Err(WireError::Unproven));
        status.version_read_back = Some("2.0".to_owned());
        assert_eq!(status.validate(), Ok(()));
        status.verdict = Verdict::Failed;
        status.version_read_back = None;
        assert_eq!(status.validate(), Ok(()));
    }
}

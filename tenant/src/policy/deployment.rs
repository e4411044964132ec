//! Who begins a firmware update, when, and what the person may do about it.

use serde::{Deserialize, Serialize};

use super::FirmwarePolicy;

/// How often an automatic update can be put off where the policy does not say.
pub const DEFERRALS: u8 = 3;
/// Largest [`FirmwarePolicy::deferrals`].
pub const MOST_DEFERRALS: u8 = 20;

/// Who starts an update, and what the user may do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Deployment {
    /// The user starts it, and may dismiss this version.
    Optional,
    /// The user starts it, and is asked again until it is done; after the deadline, if there is one, it is `automatic`.
    Persistent,
    /// The agent starts it outside calls, after a notice, with visible progress; the user may put it off a few times.
    Automatic,
    /// The agent starts it in the window, day after day until it is done, whether or not somebody is logged in.
    Silent,
}

impl Deployment {
    /// As it is written in the document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Persistent => "persistent",
            Self::Automatic => "automatic",
            Self::Silent => "silent",
        }
    }
}

/// Hours of each day, by the clock on the wall where the computer is. It may pass midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Its first minute, `22:00`.
    #[cfg_attr(test, schemars(with = "crate::shape::TimeOfDay"))]
    pub from: String,
    /// The minute after its last, `05:00`; another one than `from`.
    #[cfg_attr(test, schemars(with = "crate::shape::TimeOfDay"))]
    pub until: String,
}

impl Default for Window {
    /// After hours.
    fn default() -> Self {
        Self { from: "22:00".to_owned(), until: "05:00".to_owned() }
    }
}

impl Window {
    /// Both ends in minutes after midnight; `None` if one is no time of day, or they are the same.
    #[must_use]
    pub fn minutes(&self) -> Option<(u16, u16)> {
        let (from, until) = (minute_of_day(&self.from)?, minute_of_day(&self.until)?);
        (from != until).then_some((from, until))
    }
}

/// `22:00`, two digits each.
pub(super) fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |part: &str, below: u16| {
        let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u16>().ok().filter(|number| digits && *number < below)
    };
    let (hours, minutes) = (number(hours, 24)?, number(minutes, 60)?);
    Some(hours * 60 + minutes)
}

/// RFC 3339, in Unix seconds; none of before 1970.
pub(super) fn unix_s(text: &str) -> Option<u64> {
    // What is read here may be written in more ways.
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !marks.iter().all(|(at, mark)| text.as_bytes().get(*at) == Some(mark)) {
        return None;
    }
    let seconds = text.parse::<jiff::Timestamp>().ok()?.as_second();
    u64::try_from(seconds).ok()
}

impl FirmwarePolicy {
    /// When a persistent update becomes automatic, in Unix seconds.
    #[must_use]
    pub fn deadline_s(&self) -> Option<u64> {
        self.deadline.as_deref().and_then(unix_s)
    }

    /// How often the person can put it off once it begins by itself.
    #[must_use]
    pub fn deferrals(&self) -> u8 {
        self.deferrals.unwrap_or(DEFERRALS)
    }

    /// Of a silent update, in minutes after midnight.
    #[must_use]
    pub fn window_minutes(&self) -> (u16, u16) {
        // A validated document has no other.
        self.window.as_ref().and_then(Window::minutes).unwrap_or((22 * 60, 5 * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_has_two_digits_twice() {
        for (text, minutes) in [("00:00", Some(0)), ("05:30", Some(330)), ("23:59", Some(1439))] {
            assert_eq!(minute_of_day(text), minutes, "{text}");
        }
        for text in
            ["24:00", "12:60", "1:00", "01:0", "+1:00", "01:+1", "0100", "", ":", "01:00:00", " 01:00"]
        {
            assert_eq!(minute_of_day(text), None, "{text}");
        }
        let (from, until) = Window::default().minutes().expect("two times");
        assert_eq!((from, until), (1320, 300));
        let empty = Window { from: "10:00".to_owned(), until: "10:00".to_owned() };
        assert_eq!(empty.minutes(), None);
    }

    #[test]
    fn a_deadline_is_a_point_in_time() {
        assert_eq!(unix_s("2027-01-31T18:00:00Z"), Some(1_801_418_400));
        assert_eq!(unix_s("2027-01-31T18:00:00+01:00"), Some(1_801_414_800));
        for text in [
            "2027-01-31",
            "2027-02-30T18:00:00Z",
            "2027-01-31T18:00:00",
            "1969-01-01T00:00:00Z",
            "2027-01-31 18:00:00Z",
            "soon",
        ] {
            assert_eq!(unix_s(text), None, "{text}");
        }
    }
}

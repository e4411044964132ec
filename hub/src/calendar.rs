//! Points in time as text, in UTC. Pure: the time is an argument. One later than jiff's calendar, which ends with the
//! year 9999, is shown as its last.

use jiff::Timestamp;
use jiff::tz::Offset;
use std::time::Duration;

fn at(since_1970: Duration) -> Timestamp {
    let whole = i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX);
    let nanoseconds = i32::try_from(since_1970.subsec_nanos()).unwrap_or(0);
    Timestamp::new(whole, nanoseconds).unwrap_or(Timestamp::MAX)
}

/// RFC 3339, to the second.
pub fn rfc3339(unix_s: u64) -> String {
    format!("{:.0}", at(Duration::from_secs(unix_s)))
}

/// RFC 3339, to the millisecond.
pub fn rfc3339_ms(since_1970: Duration) -> String {
    format!("{:.3}", at(since_1970))
}

/// For a person who is shown no zone of their own: `2025-10-09 08:53 UTC`.
pub fn minute(unix_s: u64) -> String {
    let time = Offset::UTC.to_datetime(at(Duration::from_secs(unix_s)));
    format!("{} {:02}:{:02} UTC", time.date(), time.hour(), time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference values: `date -u -d @SECONDS`.
    #[test]
    fn times_are_rfc_3339_at_the_edges_of_the_gregorian_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_078_012_799, "2004-02-28T23:59:59"),
            (1_709_251_199, "2024-02-29T23:59:59"),
            (1_760_000_000, "2025-10-09T08:53:20"),
            (1_795_500_535, "2026-11-24T06:08:55"),
            (4_107_542_399, "2100-02-28T23:59:59"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (253_402_207_200, "9999-12-30T22:00:00"),
        ] {
            assert_eq!(rfc3339(seconds), format!("{text}Z"));
            assert_eq!(rfc3339_ms(Duration::from_millis(seconds * 1000 + 7)), format!("{text}.007Z"));
        }
        assert_eq!(rfc3339_ms(Duration::from_nanos(7_999_999)), "1970-01-01T00:00:00.007Z");
        assert_eq!(minute(1_760_000_000), "2025-10-09 08:53 UTC");
    }

    #[test]
    fn a_time_after_the_calendars_end_is_its_last() {
        for beyond in [253_402_300_800, u64::MAX] {
            assert_eq!(rfc3339(beyond), "9999-12-30T22:00:00Z");
            assert_eq!(minute(beyond), "9999-12-30 22:00 UTC");
        }
    }
}

//! Why an input report cannot be read.

use crate::protocol::Detail;
use device_handlers::headset::ReportError;

impl From<&ReportError> for Detail {
    fn from(error: &ReportError) -> Self {
        match error {
            ReportError::Empty => Detail::new("report-empty", error),
            ReportError::UnknownReport { report_id } => {
                Detail::new("report-unknown", error).with("report", report_id)
            }
            ReportError::TooShort { report_id, expected, came } => Detail::new("report-too-short", error)
                .with("report", report_id)
                .with("expected", expected)
                .with("came", came),
        }
    }
}

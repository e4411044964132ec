//! Why a report descriptor is not understood (HID 1.11 §6.2.2).

use crate::protocol::Detail;
use device_handlers::report::DescriptorError;

impl From<&DescriptorError> for Detail {
    fn from(error: &DescriptorError) -> Self {
        match error {
            DescriptorError::TooLong { came, limit } => {
                Detail::new("descriptor-too-long", error).with("bytes", came).with("most", limit)
            }
            DescriptorError::Truncated { offset, expected, came } => {
                Detail::new("descriptor-truncated", error)
                    .with("offset", offset)
                    .with("expected", expected)
                    .with("came", came)
            }
            DescriptorError::ReportId { offset, came } => {
                Detail::new("descriptor-report-id", error).with("offset", offset).with("came", came)
            }
            DescriptorError::TooManyBits { offset, came, limit } => {
                Detail::new("descriptor-too-many-bits", error)
                    .with("offset", offset)
                    .with("bits", came)
                    .with("most", limit)
            }
            DescriptorError::TooManyUsages { offset, limit } => {
                Detail::new("descriptor-too-many-usages", error).with("offset", offset).with("most", limit)
            }
            DescriptorError::TooManyFields { offset, limit } => {
                Detail::new("descriptor-too-many-fields", error).with("offset", offset).with("most", limit)
            }
            DescriptorError::TooDeep { offset, limit } => {
                Detail::new("descriptor-too-deep", error).with("offset", offset).with("most", limit)
            }
            DescriptorError::UnopenedCollection { offset } => {
                Detail::new("descriptor-unopened-collection", error).with("offset", offset)
            }
            DescriptorError::UnclosedCollection { offset, open } => {
                Detail::new("descriptor-unclosed-collection", error).with("offset", offset).with("open", open)
            }
            DescriptorError::PushTooDeep { offset, limit } => {
                Detail::new("descriptor-push-too-deep", error).with("offset", offset).with("most", limit)
            }
            DescriptorError::PopWithoutPush { offset } => {
                Detail::new("descriptor-pop-without-push", error).with("offset", offset)
            }
        }
    }
}

//! The one clock of this program.
#![expect(clippy::disallowed_methods, reason = "the one clock of this program")]

use std::time::SystemTime;

pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

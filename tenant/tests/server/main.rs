//! The real binary: its commands, and its server over HTTPS.
#![cfg(feature = "server")]
#![expect(clippy::disallowed_methods, reason = "tests start processes and look at files")]

mod hosts;
mod http;
mod limits;
mod publishing;
mod repository_over_http;
mod rig;

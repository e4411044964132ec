//! What the agent decides. Nothing here knows a clock, thread, file, socket, environment or process: the manifest has no
//! crate that could reach one. `ARCHITECTURE.md` has the map.

pub mod calendar;
mod detail;
pub mod locale;
pub mod machine;
pub mod problem;
pub mod protocol;
pub mod settings;
pub mod tenancy;
pub mod user;
pub mod world;

#[cfg(test)]
#[path = "../../tests/support/contract.rs"]
mod contract;
#[cfg(test)]
#[path = "../../tests/support/seed.rs"]
mod seed;

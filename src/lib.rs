//! Hookswitch: the agent that looks after USB headsets of any vendor. `ARCHITECTURE.md` has the map.

pub mod agent;
pub mod calendar;
pub mod locale;
pub mod protocol;
pub mod service;
pub mod settings;
pub mod shell;
pub mod world;

#[cfg(test)]
#[path = "../tests/support/seed.rs"]
mod seed;

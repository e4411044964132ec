//! Hookswitch: the agent that looks after USB headsets of any vendor. `ARCHITECTURE.md` has the map.

pub mod shell;

#[cfg(test)]
#[path = "../tests/support/contract.rs"]
mod contract;
#[cfg(test)]
#[path = "../tests/support/seed.rs"]
mod seed;

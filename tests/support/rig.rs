//! The programs as people run them, for the story and for tests: a world of folders, a company with its tenant, a
//! softphone, and how each is asked.
#![allow(dead_code, reason = "each of the programs that share this uses its part of it")]

pub(crate) mod company;
pub(crate) mod softphone;
pub(crate) mod told;
pub(crate) mod world;

//! `UsbDfu` against a simulated device: control transfers in, bytes out, with a clock of its own.

#![expect(clippy::unwrap_used, reason = "tests")]

mod arrivals;
mod cases;
mod deviations;
mod device;
mod edges;
mod hand;
mod moods;
mod random;
#[path = "../../../tests/support/seed.rs"]
mod seed;
mod words;
mod world;

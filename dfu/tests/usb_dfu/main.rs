//! `UsbDfu` against a simulated device: control transfers in, bytes out, with a clock of its own.

#![expect(clippy::unwrap_used, reason = "tests")]

mod arrivals;
mod cases;
mod device;
mod edges;
mod hand;
mod random;
#[path = "../../../tests/support/seed.rs"]
mod seed;
mod words;
mod world;

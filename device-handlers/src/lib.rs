//! Headsets without the world: what a USB HID telephony headset says and how it wants to be answered.
//!
//! * [`report`] decodes report descriptors and reports (HID 1.11 §5, §6.2.2); every length and count in them is
//!   hostile until it has passed a limit.
//! * [`headset`] is the call-control state machine: reports and target indicators in, full-length output reports
//!   and [`headset::Event`]s out. Time is an argument.
//! * [`description`], [`registry`], [`quirk`] and [`deviations`] hold what a descriptor cannot say: names, firmware
//!   method, deviations. The data lies in `devices/<vendor>/*.toml` and is embedded at build time.
//!
//! This crate opens no device, reads no clock and knows nothing of firmware transfer.

pub mod description;
pub mod deviations;
pub mod headset;
pub mod quirk;
pub mod registry;
pub mod report;

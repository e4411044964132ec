//! Firmware updates and the tenant when something is wrong: the real programs, a simulated headset. Nothing is lost,
//! nothing is half-applied, and each case is one clear line.
#![expect(clippy::disallowed_methods, reason = "starts programs and spoils files")]

#[path = "support/rig.rs"]
mod rig;
#[path = "support/scene.rs"]
mod scene;

#[path = "updates/by_itself.rs"]
mod by_itself;
#[path = "updates/devices.rs"]
mod devices;
#[path = "updates/disk.rs"]
mod disk;
#[path = "updates/folder.rs"]
mod folder;
#[path = "updates/memory.rs"]
mod memory;
#[path = "updates/offline.rs"]
mod offline;
#[path = "updates/packages.rs"]
mod packages;
#[path = "updates/queue.rs"]
mod queue;
#[path = "updates/tenant.rs"]
mod tenant;

//! The only module that touches the world: clocks, threads, files, sockets, devices. It decides nothing.

pub mod bundle;
pub mod certificate;
pub mod folders;
pub mod handle;
pub mod hardware;
pub mod hid;
pub mod hotplug;
pub mod ldap;
pub mod log;
pub mod notify;
pub mod os;
pub mod private_file;
pub mod rest;
pub mod secret;
pub mod store;
pub mod tenant;
pub mod tray;
pub mod usb;
pub mod window;

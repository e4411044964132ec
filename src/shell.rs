//! The only module that touches the world: clocks, threads, files, sockets, devices. It decides nothing.

pub mod agent;
pub mod bundle;
pub mod bus;
pub mod certificate;
pub mod cli;
pub mod folders;
pub mod handle;
pub mod hardware;
pub mod hid;
pub mod hotplug;
pub mod ipc;
pub mod ldap;
pub mod log;
mod loopback;
mod markup;
pub mod notify;
pub mod os;
pub mod private_file;
pub mod rest;
pub mod run;
pub mod secret;
pub mod service;
pub mod store;
pub mod tenant;
pub mod tray;
pub mod usb;
pub mod window;

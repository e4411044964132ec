//! The only module that touches the world: clocks, threads, files, sockets, devices. It decides nothing.

pub mod certificate;
pub mod handle;
pub mod private_file;
pub mod rest;
pub mod secret;
pub mod window;

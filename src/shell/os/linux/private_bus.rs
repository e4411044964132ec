//! A message bus of a test's own.
#![expect(clippy::disallowed_methods, reason = "starts the bus")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use zbus::connection::Builder;

#[derive(Debug)]
pub(super) struct Bus(Child, String);

impl Bus {
    pub(super) fn start() -> Self {
        let daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address"])
            .stdout(Stdio::piped())
            .spawn();
        let mut daemon = daemon.expect("the package dbus is installed");
        let mut address = String::new();
        let out = daemon.stdout.take().expect("a pipe");
        BufReader::new(out).read_line(&mut address).expect("its address");
        Self(daemon, address.trim().to_owned())
    }

    pub(super) fn builder(&self) -> Builder<'static> {
        Builder::address(self.1.as_str()).expect("an address")
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

//! Who is at the screen: a message bus of its own, and on it what logind says of the seat.
#![allow(dead_code, reason = "each of the programs that share this uses its part of it")]

use crate::rig::told::{Context, Told};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use zbus::Connection;
use zbus::zvariant::{ObjectPath, OwnedObjectPath};

const SEAT: &str = "/org/freedesktop/login1/seat/seat0";

/// Ends with the test.
pub(crate) struct Screen {
    daemon: Child,
    address: String,
    logind: Connection,
}

struct Seat(Option<String>);

#[zbus::interface(name = "org.freedesktop.login1.Seat")]
impl Seat {
    #[zbus(property)]
    fn active_session(&self) -> (String, OwnedObjectPath) {
        let path = self.0.as_deref().map_or_else(|| "/".to_owned(), session);
        (self.0.clone().unwrap_or_default(), ObjectPath::from_string_unchecked(path).into())
    }
}

struct Session(u32);

#[zbus::interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property)]
    fn user(&self) -> (u32, OwnedObjectPath) {
        let path = format!("/org/freedesktop/login1/user/_{}", self.0);
        (self.0, ObjectPath::from_string_unchecked(path).into())
    }
}

fn session(user: &str) -> String {
    format!("/org/freedesktop/login1/session/{user}")
}

impl Screen {
    /// Nobody is there yet; `users` have sessions.
    pub(crate) async fn start(users: &[&str]) -> Told<Self> {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address"])
            .stdout(Stdio::piped())
            .spawn()
            .at("dbus-daemon")?;
        let mut address = String::new();
        let out = daemon.stdout.take().ok_or("its address")?;
        BufReader::new(out).read_line(&mut address).at("its address")?;
        let address = address.trim().to_owned();
        let mut builder = zbus::connection::Builder::address(address.as_str())
            .and_then(|b| b.name("org.freedesktop.login1"))
            .and_then(|b| b.serve_at(SEAT, Seat(None)))
            .at("the bus")?;
        for user in users {
            builder = builder.serve_at(session(user), Session(uid(user)?)).at("a session")?;
        }
        let logind = builder.build().await.at("logind")?;
        Ok(Self { daemon, address, logind })
    }

    /// For `DBUS_SYSTEM_BUS_ADDRESS`.
    pub(crate) fn bus(&self) -> &str {
        &self.address
    }

    /// Their session is the one that is seen and heard; `None` = nobody's.
    pub(crate) async fn shows(&self, user: Option<&str>) -> Told<()> {
        let seat = self.logind.object_server().interface::<_, Seat>(SEAT).await.at("the seat")?;
        let mut seat_now = seat.get_mut().await;
        seat_now.0 = user.map(str::to_owned);
        seat_now.active_session_changed(seat.signal_emitter()).await.at("the seat")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

pub(crate) fn uid(user: &str) -> Told<u32> {
    let output = Command::new("id").args(["-u", user]).output().at("id")?;
    String::from_utf8_lossy(&output.stdout).trim().parse().at("id")
}

//! Simulated headsets at the kernel's virtual ports, and the hand at each.

use crate::people::{control, hand_at, scratch};
use crate::rig::told::{Context, Told};
use crate::rig::world::Program;
use simulator::control::Client;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Unplugged when they are dropped.
pub(crate) struct Headsets {
    programs: Vec<Program>,
    doors: Vec<PathBuf>,
}

impl Headsets {
    /// One, and more with these serial numbers.
    pub(crate) fn plug(bin_dir: &Path, more: &[&str]) -> Told<Self> {
        let mut doors = vec![control()?];
        for n in 0..more.len() {
            doors.push(scratch()?.join(format!("headset-{n}.sock")));
        }
        let mut programs = Vec::new();
        for ((n, door), serial) in doors.iter().enumerate().zip(["SIM0001"].iter().chain(more)) {
            let _ = std::fs::remove_file(door);
            let mut command = Command::new(bin_dir.join("hookswitch-sim"));
            // Each at a port of its own: the first free one is found by two at a time.
            let port = n.to_string();
            command
                .args(["run", "--door", "usbip", "--port", &port, "--serial", serial, "--control"])
                .arg(door);
            let log = scratch()?.join(format!("headset-{n}.log"));
            programs.push(Program::start("hookswitch-sim", &mut command, &log)?);
        }
        Ok(Self { programs, doors })
    }

    pub(crate) async fn hands(&self) -> Told<Vec<Client>> {
        let mut hands = Vec::new();
        for door in &self.doors {
            let mut hand = hand_at(door).await?;
            hand.wait("present=true", crate::rig::world::PATIENCE).at("a headset on the bus")?;
            hands.push(hand);
        }
        Ok(hands)
    }

    /// In order: a port that is not given back is taken for the next one.
    pub(crate) async fn unplug(self) -> Told<()> {
        for program in self.programs {
            program.end().await?;
        }
        Ok(())
    }
}

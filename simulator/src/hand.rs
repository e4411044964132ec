//! How fast a hand is. A script that presses faster meets what hosts do against echoes, as no person does.
#![expect(clippy::disallowed_methods, reason = "hands live in real time")]

use std::time::{Duration, Instant};

use crate::bus::HeadsetHandle;
use crate::headset::Button;

/// From what is seen to the hand at the button.
const REACTION: Duration = Duration::from_millis(100);
/// Lights that changed so lately are still looked at. Hosts wait half a second for the echo of a light.
const CALM: Duration = Duration::from_millis(700);
/// A host that lights this and that for longer is not waited for.
const MOST: Duration = Duration::from_secs(5);
/// A host that has not written a light by then has nothing to write.
const ANSWER: Duration = Duration::from_millis(400);
/// What a host does beside the lights is done so long after them.
const SETTLING: Duration = Duration::from_millis(50);

impl HeadsetHandle {
    /// Presses a button as a hand does: after what the lights say was seen for a while (hosts take a report right after their
    /// own write for the headset's echo of it), and takes until the host has followed. Blocks for some seconds at most.
    pub fn press_by_hand(&self, button: Button) -> bool {
        wait_for_calm(self);
        let before = self.state().lights;
        let reacted = self.press(button);
        if reacted {
            let _ = self.wait_for(ANSWER, |state| state.lights != before);
            std::thread::sleep(SETTLING);
        }
        reacted
    }

    /// Pulls the cable, and takes until the host has seen it.
    pub fn unplug_by_hand(&self) {
        self.unplug();
        std::thread::sleep(ANSWER);
    }

    /// Plugs it in again, and takes until a host reads its reports and has found out in which state it is.
    pub fn plug_by_hand(&self) {
        self.plug();
        wait_until_read(self);
        std::thread::sleep(ANSWER);
    }
}

fn wait_for_calm(headset: &HeadsetHandle) {
    std::thread::sleep(REACTION);
    let until = Instant::now() + MOST;
    loop {
        let now = Instant::now();
        let calm_at = headset.lights_at().map(|at| at + CALM).filter(|at| *at > now);
        match calm_at {
            Some(at) if now < until => std::thread::sleep(at - now),
            _ => return,
        }
    }
}

fn wait_until_read(headset: &HeadsetHandle) {
    let until = Instant::now() + MOST;
    while !headset.is_read() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
}

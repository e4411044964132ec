//! `hookswitch` with a simulated headset on a simulated USB bus in place of the machine's own: the same command line,
//! the same roles, the same doors. What stands behind the byte border is told by the environment:
//!
//! * `SIM_CONTROL`: path of the control socket (`hookswitch-sim --control`), needed by `run`
//! * `SIM_LAYOUT`: `shared` (default) or `split`
//! * `SIM_SECOND`: `shared` or `split` = a second headset of that layout, with the serial number of the first
//! * `SIM_SECOND_CONTROL`: path of its control socket
//! * `SIM_FIRMWARE`: `none` = without, as an update leaves the headset that was cut short
#![expect(clippy::disallowed_methods, reason = "a program of its own")]

#[path = "../tests/support/simulated_bus.rs"]
mod simulated_bus;

use hookswitch::shell::cli;
use simulator::{Bus, Layout, Setup};
use std::process::ExitCode;

const PORT: &str = "1-1";
const SECOND_PORT: &str = "1-2";

fn main() -> ExitCode {
    let bus = Bus::new();
    let layout = |name: &str| match std::env::var(name).as_deref() {
        Ok("split") => Some(Layout::Split),
        Ok("shared") => Some(Layout::Shared),
        _ => None,
    };
    let mut setup = Setup::of(layout("SIM_LAYOUT").unwrap_or(Layout::Shared));
    if std::env::var("SIM_FIRMWARE").as_deref() == Ok("none") {
        setup.image_bytes = 0;
    }
    bus.plug(PORT, setup);
    if let Some(layout) = layout("SIM_SECOND") {
        bus.plug(SECOND_PORT, Setup::of(layout));
    }
    let doors = [("SIM_CONTROL", PORT), ("SIM_SECOND_CONTROL", SECOND_PORT)].map(|(name, port)| {
        std::env::var_os(name).map(|path| simulator::control::serve(bus.headset(port), path.as_ref()))
    });
    for door in doors.iter().flatten() {
        if let Err(error) = door {
            eprintln!("simulated: the control socket cannot be made: {error}");
            return ExitCode::FAILURE;
        }
    }
    cli::main(std::env::args_os(), || simulated_bus::hardware(&bus))
}

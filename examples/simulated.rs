//! `hookswitch` with a simulated headset on a simulated USB bus in place of the machine's own: the same command line,
//! the same roles, the same doors. What stands behind the byte border is told by the environment:
//!
//! * `SIM_CONTROL`: path of the control socket (`hookswitch-sim --control`), needed by `run`
//! * `SIM_LAYOUT`: `shared` (default) or `split`
//! * `SIM_FIRMWARE`: `none` = without, as an update leaves the headset that was cut short
#![expect(clippy::disallowed_methods, reason = "a program of its own")]

#[path = "../tests/support/simulated_bus.rs"]
mod simulated_bus;

use hookswitch::shell::cli;
use simulator::{Bus, Layout, Setup};
use std::process::ExitCode;

const PORT: &str = "1-1";

fn main() -> ExitCode {
    let bus = Bus::new();
    let layout = match std::env::var("SIM_LAYOUT").as_deref() {
        Ok("split") => Layout::Split,
        _ => Layout::Shared,
    };
    let mut setup = Setup::of(layout);
    if std::env::var("SIM_FIRMWARE").as_deref() == Ok("none") {
        setup.image_bytes = 0;
    }
    bus.plug(PORT, setup);
    let control = std::env::var_os("SIM_CONTROL")
        .map(|path| simulator::control::serve(bus.headset(PORT), path.as_ref()));
    if let Some(Err(error)) = &control {
        eprintln!("simulated: the control socket cannot be made: {error}");
        return ExitCode::FAILURE;
    }
    cli::main(std::env::args_os(), || simulated_bus::hardware(&bus))
}

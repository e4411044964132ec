//! `hookswitch-sim`: a simulated headset as a program, and the hand that presses its buttons.
#![expect(clippy::disallowed_methods, reason = "main reads arguments and environment and ends the process")]

#[cfg(target_os = "linux")]
#[path = "hookswitch-sim/cli.rs"]
mod cli;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    cli::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("hookswitch-sim: this program needs Linux; use the library's Bus here");
    std::process::ExitCode::FAILURE
}

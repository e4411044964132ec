//! argv -> role.
#![expect(clippy::disallowed_methods, reason = "arguments are read once, here")]

use hookswitch::shell::{cli, hardware::Hardware};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(std::env::args_os(), Hardware::system)
}

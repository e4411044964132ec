//! Arguments, and what each subcommand does.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use simulator::control::{self, Client};
use simulator::{
    Bus, Button, Fault, How, Layout, LogEntry, Setup, State, firmware, format_bcd, parse_bcd, usbip,
};

/// Port of the in-process bus; the kernel never sees it.
const PORT: &str = "1-1";

/// A simulated USB headset.
///
/// `run` brings the headset up, at the kernel's virtual USB controller (door usbip: needs root and the module
/// vhci_hcd) or for its control socket only (door none). All other commands talk to a running one.
#[derive(Debug, Parser)]
#[command(name = "hookswitch-sim", version, arg_required_else_help = true)]
struct Cli {
    /// Control socket; default: hookswitch-sim.sock in $XDG_RUNTIME_DIR, or in /run for root
    #[arg(long, global = true, value_name = "SOCKET")]
    control: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a headset until killed; one line says when it is attached
    Run(Box<Run>),
    /// Write a firmware image this headset accepts, without DFU suffix
    Firmware(FirmwareArgs),
    #[command(flatten)]
    Ask(Ask),
}

/// What a running simulator is asked.
#[derive(Debug, Subcommand)]
enum Ask {
    /// Press a button, or pull the cable, as fast as a hand: not within 0.7 s of a change of the lights. Ends when the
    /// host has followed; exit status 1 if the headset does not react to it now
    Press {
        /// accept: only if a call rings or the hook is down; terminate: only if it is up; unmute, resume: only if its
        /// light is on; dial: only if nothing goes on; hold: the same as flash
        button: ButtonArg,
    },
    /// Pull the cable
    Unplug,
    /// Plug the cable in again
    Plug,
    /// Show the headset's own view of itself
    State(StateArgs),
    /// Arm a mishap for the next firmware download; it happens once
    Fail(FailArgs),
    /// Show what the headset noticed: lights, buttons, broken rules
    Log {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct Run {
    /// Where the headset appears
    #[arg(long, value_enum, default_value = "usbip")]
    door: Door,
    /// Report layout: one output report for all lights, or one per light
    #[arg(long, value_enum, default_value = "shared")]
    layout: LayoutArg,
    /// bitWillDetach: leaves and returns by itself instead of waiting for a USB reset
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    will_detach: bool,
    /// bitManifestationTolerant: speaks DFU after manifestation
    #[arg(long)]
    manifestation_tolerant: bool,
    /// Keeps the old firmware until a new image is complete
    #[arg(long)]
    dual_bank: bool,
    /// bwPollTimeout after each block, in ms
    #[arg(long, value_name = "N", default_value_t = 10)]
    poll_ms: u32,
    /// Time of manifestation and its bwPollTimeout, in ms
    #[arg(long, value_name = "N", default_value_t = 300)]
    manifest_ms: u32,
    /// wTransferSize in bytes
    #[arg(long, value_name = "N", default_value_t = 1024)]
    transfer_size: u16,
    /// Version of the installed firmware
    #[arg(long, default_value = "1.00", value_parser = version_argument)]
    version: u16,
    /// Bytes of the installed firmware image
    #[arg(long, value_name = "N", default_value_t = 65536)]
    image_bytes: usize,
    /// iSerialNumber
    #[arg(long, default_value = "SIM0001")]
    serial: String,
    /// Port of vhci_hcd.0; default: the first free one
    #[arg(long, value_name = "N")]
    port: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Door {
    /// The kernel's vhci_hcd
    Usbip,
    /// No bus: the control socket only
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LayoutArg {
    Shared,
    Split,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ButtonArg {
    Hook,
    Accept,
    Terminate,
    Dial,
    Mute,
    Unmute,
    #[value(alias = "hold")]
    Flash,
    Resume,
    Reject,
    Redial,
    SpeedDial,
    VolumeUp,
    VolumeDown,
    Unplug,
    Plug,
}

#[derive(Debug, Args)]
struct StateArgs {
    /// As JSON (schema/state.schema.json)
    #[arg(long)]
    json: bool,
    /// Wait until all of name=value[,name=value...] hold, for example ring=true or firmware.version=1.20
    #[arg(long, value_name = "EXPR")]
    wait: Option<String>,
    /// Seconds to wait at most; exit status 1 when they are over
    #[arg(long, value_name = "N", default_value_t = 10.0, requires = "wait")]
    timeout_s: f64,
}

#[derive(Debug, Args)]
struct FailArgs {
    /// DNLOAD it strikes at, from 0; the number after the last block's is the zero-length one
    #[arg(long, value_name = "N", required_unless_present = "clear")]
    at_block: Option<u32>,
    /// What happens
    #[arg(long, value_enum, required_unless_present = "clear")]
    how: Option<HowArg>,
    /// Disarm everything instead
    #[arg(long, conflicts_with_all = ["at_block", "how"])]
    clear: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HowArg {
    /// The cable is pulled after the block was answered
    Unplug,
    /// The cable is pulled instead of an answer
    UnplugUnanswered,
    /// GETSTATUS says errVERIFY
    ErrVerify,
    /// GETSTATUS says errPROG
    ErrProg,
    /// The block is stalled
    Stall,
    /// The block is never answered
    NoAnswer,
}

#[derive(Debug, Args)]
struct FirmwareArgs {
    /// Version the headset reports afterwards
    #[arg(long, value_parser = version_argument)]
    version: u16,
    /// Bytes in all
    #[arg(long, value_name = "N", default_value_t = 65536)]
    bytes: usize,
    /// File to write
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

fn version_argument(text: &str) -> Result<u16, String> {
    parse_bcd(text).map_err(|error| error.to_string())
}

/// Why a command failed: one line for stderr.
type Failure = String;

pub(crate) fn main() -> ExitCode {
    let Cli { control, command } = Cli::parse();
    let outcome = match command {
        Command::Firmware(arguments) => write_firmware(&arguments),
        Command::Run(arguments) => socket_path(control).and_then(|socket| run(&arguments, &socket)),
        Command::Ask(question) => socket_path(control).and_then(|socket| {
            let mut client = Client::connect(&socket).map_err(|error| {
                format!(
                    "no simulator answers at {}: {error}; start one with `hookswitch-sim run`",
                    socket.display()
                )
            })?;
            ask(&mut client, question)
        }),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("hookswitch-sim: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn socket_path(control: Option<PathBuf>) -> Result<PathBuf, Failure> {
    const NAME: &str = "hookswitch-sim.sock";
    if let Some(path) = control {
        return Ok(path);
    }
    if let Some(runtime) = std::env::var_os("XDG_RUNTIME_DIR").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(runtime).join(NAME));
    }
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/run").join(NAME));
    }
    Err("$XDG_RUNTIME_DIR is not set: say where the control socket is with --control SOCKET".to_owned())
}

fn run(arguments: &Run, socket: &std::path::Path) -> Result<(), Failure> {
    // Before any thread exists, so that all of them inherit it and only `wait_for_end` hears of the end.
    let signals = block_end_signals().map_err(|error| format!("blocking signals: {error}"))?;
    let bus = Bus::new();
    bus.plug(PORT, setup(arguments));
    let headset = bus.headset(PORT);
    let server = control::serve(headset.clone(), socket)
        .map_err(|error| format!("control socket {}: {error}", socket.display()))?;
    let identity = {
        let state = headset.state();
        format!(
            "{:04x}:{:04x} {} firmware {}",
            state.vendor_id, state.product_id, state.serial, state.firmware.version
        )
    };
    let attachment = match arguments.door {
        Door::Usbip => Some(usbip::attach(&headset, arguments.port).map_err(|error| error.to_string())?),
        Door::None => None,
    };
    let place = attachment
        .as_ref()
        .map_or_else(|| "no bus".to_owned(), |attachment| format!("vhci port {}", attachment.vhci_port()));
    println!("attached {identity} to {place}, control socket {}", server.path().display());
    wait_for_end(&signals).map_err(|error| format!("waiting for a signal: {error}"))
}

fn setup(arguments: &Run) -> Setup {
    let layout = match arguments.layout {
        LayoutArg::Shared => Layout::Shared,
        LayoutArg::Split => Layout::Split,
    };
    Setup {
        will_detach: arguments.will_detach,
        manifestation_tolerant: arguments.manifestation_tolerant,
        dual_bank: arguments.dual_bank,
        poll_timeout_ms: arguments.poll_ms,
        manifest_ms: arguments.manifest_ms,
        transfer_size: arguments.transfer_size,
        version_bcd: arguments.version,
        image_bytes: arguments.image_bytes,
        serial: arguments.serial.clone(),
        ..Setup::of(layout)
    }
}

fn block_end_signals() -> io::Result<libc::sigset_t> {
    // SAFETY: sigset_t is plain data for which zero is a valid value; sigemptyset then initialises it.
    let mut signals: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `signals` is a valid set for all four calls, and a null pointer means "do not return the old mask".
    let failed = unsafe {
        libc::sigemptyset(&raw mut signals);
        libc::sigaddset(&raw mut signals, libc::SIGINT);
        libc::sigaddset(&raw mut signals, libc::SIGTERM);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut())
    };
    if failed == 0 { Ok(signals) } else { Err(io::Error::from_raw_os_error(failed)) }
}

fn wait_for_end(signals: &libc::sigset_t) -> io::Result<()> {
    let mut signal = 0;
    // SAFETY: both pointers are valid for the call, the set is initialised.
    let failed = unsafe { libc::sigwait(signals, &raw mut signal) };
    if failed == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(failed)) }
}

fn ask(client: &mut Client, question: Ask) -> Result<(), Failure> {
    let told = |error: io::Error| error.to_string();
    match question {
        Ask::Press { button } => {
            let reacted = match pressed(button) {
                Pressed::Button(button) => client.press_by_hand(button).map_err(told)?,
                Pressed::Unplug => return client.plug_by_hand(false).map_err(told),
                Pressed::Plug => return client.plug_by_hand(true).map_err(told),
            };
            if reacted {
                Ok(())
            } else {
                let reason =
                    client.log().ok().and_then(|entries| entries.last().map(|entry| entry.text.clone()));
                Err(reason.unwrap_or_else(|| "the headset did not react".to_owned()))
            }
        }
        Ask::Unplug => client.unplug().map_err(told),
        Ask::Plug => client.plug().map_err(told),
        Ask::State(arguments) => show_state(client, &arguments),
        Ask::Fail(arguments) => arm(client, &arguments),
        Ask::Log { json } => {
            for entry in client.log().map_err(told)? {
                println!("{}", if json { log_json(&entry)? } else { log_text(&entry) });
            }
            Ok(())
        }
    }
}

/// What a hand does.
enum Pressed {
    Button(Button),
    Unplug,
    Plug,
}

fn pressed(button: ButtonArg) -> Pressed {
    Pressed::Button(match button {
        ButtonArg::Unplug => return Pressed::Unplug,
        ButtonArg::Plug => return Pressed::Plug,
        ButtonArg::Hook => Button::Hook,
        ButtonArg::Accept => Button::Accept,
        ButtonArg::Terminate => Button::Terminate,
        ButtonArg::Mute => Button::Mute,
        ButtonArg::Flash => Button::Flash,
        ButtonArg::Reject => Button::Reject,
        ButtonArg::Redial => Button::Redial,
        ButtonArg::SpeedDial => Button::SpeedDial,
        ButtonArg::VolumeUp => Button::VolumeUp,
        ButtonArg::VolumeDown => Button::VolumeDown,
        ButtonArg::Dial => Button::Dial,
        ButtonArg::Unmute => Button::Unmute,
        ButtonArg::Resume => Button::Resume,
    })
}

fn arm(client: &mut Client, arguments: &FailArgs) -> Result<(), Failure> {
    let outcome = match (arguments.at_block, arguments.how) {
        (Some(at_block), Some(how)) => client.fail(Fault {
            at_block,
            how: match how {
                HowArg::Unplug => How::Unplug,
                HowArg::UnplugUnanswered => How::UnplugUnanswered,
                HowArg::ErrVerify => How::ErrVerify,
                HowArg::ErrProg => How::ErrProg,
                HowArg::Stall => How::Stall,
                HowArg::NoAnswer => How::NoAnswer,
            },
        }),
        _ => client.clear_faults(),
    };
    outcome.map_err(|error| error.to_string())
}

fn show_state(client: &mut Client, arguments: &StateArgs) -> Result<(), Failure> {
    let state = match &arguments.wait {
        None => client.state(),
        Some(condition) => {
            let timeout = Duration::try_from_secs_f64(arguments.timeout_s)
                .map_err(|error| format!("--timeout-s {}: {error}", arguments.timeout_s))?;
            client.wait(condition, timeout)
        }
    }
    .map_err(|error| error.to_string())?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&state).map_err(|error| error.to_string())?);
    } else {
        print!("{}", state_text(&state));
    }
    Ok(())
}

fn state_text(state: &State) -> String {
    let on = |set: bool| if set { "on" } else { "off" };
    let lights = state.lights;
    let place = match (state.plugged, state.present) {
        (false, _) => "unplugged",
        (true, false) => "plugged in, re-enumerating",
        (true, true) => "on the bus",
    };
    format!(
        "{:04x}:{:04x} {} {place}, {:?} mode, {:?} layout\n\
         hook {}, mute {}, radio link {}\n\
         lights: off-hook {}, ring {}, mute {}, hold {}, microphone {}, on-line {}, ringer {}\n\
         firmware {} ({} bytes{}), updates: {} completed, {} broken\n\
         dfu: {:?} {:?}, {} blocks, {} bytes received\n",
        state.vendor_id,
        state.product_id,
        state.serial,
        state.mode,
        state.layout,
        if state.hook { "up" } else { "down" },
        on(state.mute),
        if state.radio_link { "open" } else { "closed" },
        on(lights.off_hook),
        on(lights.ring),
        on(lights.mute),
        on(lights.hold),
        on(lights.microphone),
        on(lights.on_line),
        on(lights.ringer),
        state.firmware.version,
        state.firmware.image_bytes,
        if state.firmware.valid { "" } else { ", NOT USABLE" },
        state.firmware.updates_completed,
        state.firmware.updates_broken,
        state.dfu.state,
        state.dfu.status,
        state.dfu.blocks_received,
        state.dfu.bytes_received,
    )
}

fn log_text(entry: &LogEntry) -> String {
    format!("{:>9.3} {:<9} {}", entry.at_ms as f64 / 1000.0, format!("{:?}", entry.severity), entry.text)
}

fn log_json(entry: &LogEntry) -> Result<String, Failure> {
    serde_json::to_string(entry).map_err(|error| error.to_string())
}

fn write_firmware(arguments: &FirmwareArgs) -> Result<(), Failure> {
    if arguments.bytes < firmware::HEADER_BYTES {
        return Err(format!("--bytes {}: a header alone has {}", arguments.bytes, firmware::HEADER_BYTES));
    }
    let image = firmware::build(arguments.version, arguments.bytes);
    in_place(&arguments.output, &image)
        .map_err(|error| format!("writing {}: {error}", arguments.output.display()))?;
    println!(
        "{}: firmware {}, {} bytes",
        arguments.output.display(),
        format_bcd(arguments.version),
        image.len()
    );
    Ok(())
}

/// A new file takes the place: a link that somebody put there is not written through.
fn in_place(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let mut file = std::fs::File::options().write(true).create_new(true).open(&fresh)?;
    let placed = file.write_all(bytes).and_then(|()| std::fs::rename(&fresh, path));
    if placed.is_err() {
        let _ = std::fs::remove_file(&fresh);
    }
    placed
}

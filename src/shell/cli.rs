//! argv -> role. Exit status: 0 done, 1 failed, 2 wrong usage, 75 try later.
#![expect(clippy::disallowed_methods, reason = "the command line reads its arguments and environment here")]

use super::folders::Folders;
use super::hardware::Hardware;
use super::ipc::LocalClient;
use super::os;
use super::run::{self, RunOptions};
use crate::locale::Locale;
use crate::protocol::Problem;
use crate::settings::{Layers, Settings, SettingsFile};
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod bundle;
mod descriptor;
mod devices;
mod firmware;
mod input;
mod output;
mod settings;
mod status;
mod update;

/// sysexits.h EX_TEMPFAIL: the same command may succeed later.
const TRY_LATER: u8 = 75;

/// The open headset hub: call control, firmware and policy for USB headsets of any vendor.
///
/// Without a command the agent runs.
#[derive(Parser, Debug)]
#[command(name = "hookswitch", version)]
#[command(after_help = "Exit status: 0 done, 1 failed, 2 wrong usage, 75 try later.")]
struct Cli {
    /// Keep everything (settings, data, logs, sockets) below DIR [env: HOOKSWITCH_HOME]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Language of everything shown, such as de-DE [default: the system's]
    #[arg(long, global = true, value_name = "TAG")]
    language: Option<String>,
    #[command(flatten)]
    run: RunArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args, Debug, Default, PartialEq)]
struct RunArgs {
    /// No tray, no notices: for servers, tests and systems without a desktop
    #[arg(long)]
    headless: bool,
    /// Start without opening anything (what autostart uses)
    #[arg(short, long)]
    minimized: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the agent
    Run(RunArgs),
    /// List headsets
    Devices(devices::Options),
    /// Explain a HID report descriptor and the call control it offers
    Descriptor(descriptor::Options),
    /// List, install or put off firmware updates
    #[command(subcommand)]
    Update(update::Command),
    /// Look into firmware packages and make them
    #[command(subcommand)]
    Firmware(firmware::Command),
    /// List the user's groups, each with the reason
    Groups(status::JsonOnly),
    /// Everything the agent knows about itself
    Status(status::JsonOnly),
    /// Collect logs, status, descriptors and settings (without secrets) in a zip for support
    Bundle(bundle::Options),
    /// Read and change settings
    #[command(subcommand)]
    Settings(settings::Command),
    /// The certificate of the softphone door
    #[command(subcommand)]
    Certificate(status::CertificateCommand),
    /// Open the window in the browser
    Open(status::OpenOptions),
    /// Print a completion script
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: clap_complete::Shell,
    },
}

/// What every command needs.
struct Context {
    folders: Folders,
    settings: Settings,
    settings_problems: Vec<Problem>,
    locale: Locale,
}

/// How a command can end without success.
enum Failure {
    Problem(Problem),
    /// The same command may succeed later.
    Later(Problem),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

type Done = Result<(), Failure>;

/// `hardware` is only called when a command touches devices itself.
pub fn main(arguments: impl Iterator<Item = OsString>, hardware: impl FnOnce() -> Hardware) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments.map(hub_spelling)) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    if cli.command.is_some() && cli.run != RunArgs::default() {
        let _ = Cli::command()
            .error(clap::error::ErrorKind::ArgumentConflict, "--headless and --minimized belong to `run`")
            .print();
        return ExitCode::from(2);
    }
    let home = cli
        .home
        .clone()
        .or_else(|| std::env::var_os("HOOKSWITCH_HOME").filter(|h| !h.is_empty()).map(PathBuf::from));
    let command = cli.command.unwrap_or(Command::Run(cli.run));
    let (failure, locale) = match Context::new(home.as_deref(), cli.language, &command) {
        Ok(context) => match execute(command, &context, hardware).and_then(|()| Ok(output::arrived()?)) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(failure) => (failure, context.locale),
        },
        Err(problem) => (Failure::Problem(problem), Locale::new(&os::language())),
    };
    let (problem, status) = match failure {
        Failure::Problem(problem) => (problem, 1),
        Failure::Later(problem) => (problem, TRY_LATER),
    };
    let text = locale.problem(&problem);
    output::aside(&format!(
        "hookswitch: {} ({}). {}",
        text.what.trim_end_matches('.'),
        text.place,
        text.next
    ));
    ExitCode::from(status)
}

fn execute(command: Command, context: &Context, hardware: impl FnOnce() -> Hardware) -> Done {
    match command {
        Command::Run(arguments) => {
            let options = RunOptions {
                headless: arguments.headless,
                folders: context.folders.clone(),
                settings: context.settings.clone(),
                settings_problems: context.settings_problems.clone(),
                language: context.locale.tag().to_owned(),
            };
            Ok(run::run(options, hardware())?)
        }
        Command::Devices(options) => devices::list(&options, context, hardware),
        Command::Descriptor(options) => descriptor::explain(&options),
        Command::Update(command) => update::execute(&command, context),
        Command::Firmware(command) => firmware::execute(&command),
        Command::Groups(options) => status::groups(&options, context),
        Command::Status(options) => status::status(&options, context),
        Command::Bundle(options) => bundle::execute(&options, context, hardware),
        Command::Settings(command) => settings::execute(&command, context),
        Command::Certificate(command) => status::certificate(&command, context),
        Command::Open(options) => status::open(&options, context),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "hookswitch", &mut script);
            output::line(String::from_utf8_lossy(&script).trim_end());
            Ok(())
        }
    }
}

impl Context {
    fn new(home: Option<&Path>, language: Option<String>, command: &Command) -> Result<Self, Problem> {
        let runs = matches!(command, Command::Run(_));
        let folders = if runs { Folders::new(home)? } else { Folders::places(home)? };
        let file = |path: &Path| SettingsFile {
            path: path.display().to_string(),
            text: std::fs::read_to_string(path).ok(),
        };
        let layers = Layers {
            user: file(&folders.user_settings()),
            environment: os::environment(),
            machine: file(folders.machine_settings()),
        };
        let (settings, settings_problems) = Settings::resolve(&layers);
        let language = language.or_else(|| settings.language.value.clone()).unwrap_or_else(os::language);
        Ok(Self { folders, settings, settings_problems, locale: Locale::new(&language) })
    }

    /// The running agent, if there is one.
    fn agent(&self) -> Option<LocalClient> {
        LocalClient::connect(&self.folders.runtime.join(run::SOCKET))
    }

    fn need_agent(&self) -> Result<LocalClient, Failure> {
        self.agent().ok_or_else(|| {
            Failure::Later(Problem::new(
                "agent-not-running",
                "Hookswitch is not running",
                self.folders.runtime.join(run::SOCKET).display().to_string(),
                "Start it with `hookswitch run`, then try again.",
            ))
        })
    }
}

/// The Hub's `-language=fr-FR` is what IT's scripts pass.
fn hub_spelling(argument: OsString) -> OsString {
    match argument.to_str().and_then(|a| a.strip_prefix("-language=")) {
        Some(tag) => format!("--language={tag}").into(),
        None => argument,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_hubs_spelling_is_understood() {
        let arguments = ["hookswitch", "run", "-m", "-language=fr-FR"].map(|a| hub_spelling(a.into()));
        let cli = Cli::try_parse_from(arguments).expect("valid arguments");
        let Some(Command::Run(run)) = cli.command else { panic!("expected run") };
        assert!(run.minimized);
        assert_eq!(cli.language.as_deref(), Some("fr-FR"));
    }

    #[test]
    fn options_of_run_work_without_the_word() {
        let cli = Cli::try_parse_from(["hookswitch", "--headless", "--home", "/x"]).expect("valid arguments");
        assert!(cli.run.headless && cli.command.is_none());
        assert!(Cli::try_parse_from(["hookswitch", "no-such-command"]).is_err());
    }
}

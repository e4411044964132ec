//! argv -> role. Exit status: 0 done, 1 failed, 2 wrong usage, 75 try later.
#![expect(clippy::disallowed_methods, reason = "the command line reads its arguments and environment here")]

use super::folders::Folders;
use super::hardware::Hardware;
use super::ipc::LocalClient;
use super::run::{self, RunOptions};
use super::{os, settings_files};
use clap::{Args, Parser, Subcommand};
use hub::locale::Locale;
use hub::problem::Reason;
use hub::protocol::Problem;
use hub::protocol::printed::Refused;
use hub::settings::{Settings, not_spoken};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod agent;
mod bundle;
mod descriptor;
mod devices;
mod firmware;
mod help;
mod input;
mod job;
mod output;
mod service;
mod settings;
mod softphones;
mod status;
mod update;
mod usage;

/// sysexits.h EX_TEMPFAIL: the same command may succeed later.
const TRY_LATER: u8 = 75;
/// As clap and most of the shell's own commands have it.
const WRONG_USAGE: u8 = 2;

// What each command and argument is for is said in `locales/*/help.ftl`, never here.
#[derive(Parser, Debug)]
#[command(name = "hookswitch", version, args = help::flags())]
#[command(disable_help_flag = true, disable_version_flag = true, disable_help_subcommand = true)]
struct Cli {
    #[arg(long, global = true, value_name = "DIR", display_order = 100)]
    home: Option<PathBuf>,
    #[arg(long, global = true, value_name = "TAG", display_order = 101)]
    language: Option<String>,
    #[command(flatten)]
    run: RunArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args, Debug, Default, PartialEq)]
struct RunArgs {
    #[arg(long)]
    headless: bool,
    #[arg(short, long)]
    minimized: bool,
    #[arg(long, value_name = "N")]
    rest_port: Option<u16>,
}

#[derive(Subcommand, Debug)]
enum Command {
    Run(RunArgs),
    Devices(devices::Options),
    Descriptor(descriptor::Options),
    #[command(subcommand)]
    Update(update::Command),
    #[command(subcommand)]
    Firmware(firmware::Command),
    #[command(subcommand)]
    Softphones(softphones::Command),
    Groups(status::JsonOnly),
    Status(status::JsonOnly),
    Poll,
    Bundle(bundle::Options),
    #[command(subcommand)]
    Settings(settings::Command),
    #[command(subcommand)]
    Service(service::Command),
    #[command(subcommand)]
    Certificate(status::CertificateCommand),
    Open(status::OpenOptions),
    Completions {
        shell: clap_complete::Shell,
    },
    Help {
        command: Vec<String>,
    },
}

/// What every command needs.
struct Context {
    /// As it was asked for.
    home: Option<PathBuf>,
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
    Usage(Problem),
    /// A command that wants another one: what there is was printed.
    UsageShown,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

type Done = Result<(), Failure>;

/// `hardware` is only called when a command touches devices itself.
pub fn main(arguments: impl Iterator<Item = OsString>, hardware: impl FnOnce() -> Hardware) -> ExitCode {
    let arguments: Vec<OsString> = arguments.map(hub_spelling).collect();
    let (ended, locale) = match Cli::try_parse_from(&arguments) {
        Ok(cli) => {
            let wrong = |failure: Failure| (Err(failure), usage::locale(&arguments));
            match wish(cli.command, cli.run) {
                None => wrong(Failure::Usage(usage::options_of_run(&arguments))),
                Some(command) => {
                    match Context::new(home(cli.home).as_deref(), cli.language.clone(), &command) {
                        Ok(context) => {
                            if let Some(tag) = cli.language.filter(|tag| !Locale::speaks(tag)) {
                                let notice = context.locale.problem(&not_spoken(&tag, "--language"));
                                output::aside(&format!("hookswitch: {notice}"));
                            }
                            (execute(command, &context, hardware), context.locale)
                        }
                        Err(problem) => wrong(problem.into()),
                    }
                }
            }
        }
        Err(error) => {
            let locale = usage::locale(&arguments);
            (usage::answer(&error, &arguments, &locale), locale)
        }
    };
    let (problem, status) = match ended.and_then(|()| Ok(output::arrived()?)) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Problem(problem)) => (problem, 1),
        Err(Failure::Later(problem)) => (problem, TRY_LATER),
        Err(Failure::Usage(problem)) => (problem, WRONG_USAGE),
        Err(Failure::UsageShown) => return ExitCode::from(WRONG_USAGE),
    };
    if arguments.iter().any(|argument| argument == "--json") {
        // A program that reads one document finds one.
        output::json_line(&Refused { error: &problem });
    }
    output::aside(&format!("hookswitch: {}", locale.problem(&problem)));
    ExitCode::from(status)
}

/// Options of `run` may stand on both sides of the word, and without it. `None` = with the word of another command.
fn wish(command: Option<Command>, before: RunArgs) -> Option<Command> {
    match command {
        None => Some(Command::Run(before)),
        Some(Command::Run(behind)) => Some(Command::Run(RunArgs {
            headless: before.headless || behind.headless,
            minimized: before.minimized || behind.minimized,
            rest_port: behind.rest_port.or(before.rest_port),
        })),
        Some(other) => (before == RunArgs::default()).then_some(other),
    }
}

fn home(asked: Option<PathBuf>) -> Option<PathBuf> {
    asked.or_else(|| std::env::var_os("HOOKSWITCH_HOME").filter(|h| !h.is_empty()).map(PathBuf::from))
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
        Command::Descriptor(options) => descriptor::explain(&options, &context.locale),
        Command::Update(command) => update::execute(&command, context),
        Command::Firmware(command) => firmware::execute(&command, &context.locale),
        Command::Softphones(command) => softphones::execute(&command, context),
        Command::Groups(options) => status::groups(&options, context),
        Command::Status(options) => status::status(&options, context),
        Command::Poll => status::poll(context),
        Command::Bundle(options) => bundle::execute(&options, context, hardware),
        Command::Settings(command) => settings::execute(&command, context),
        Command::Service(command) => service::execute(&command, context, hardware),
        Command::Certificate(command) => status::certificate(&command, context),
        Command::Open(options) => status::open(&options, context),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut help::completed(&context.locale), "hookswitch", &mut script);
            output::line(String::from_utf8_lossy(&script).trim_end());
            Ok(())
        }
        Command::Help { command } => usage::explain(&command, &context.locale),
    }
}

fn locale(asked: Option<String>, settings: &Settings) -> Locale {
    let language = asked.or_else(|| settings.language.value.clone());
    Locale::new(&language.unwrap_or_else(os::language))
}

impl Context {
    fn new(home: Option<&Path>, language: Option<String>, command: &Command) -> Result<Self, Problem> {
        let folders = match command {
            Command::Run(_) => Folders::new(home)?,
            Command::Service(service::Command::Run) => Folders::of_service(home)?,
            _ => Folders::places(home)?,
        };
        if let Command::Run(RunArgs { rest_port: Some(port), .. }) = command {
            settings_files::ask_for_port(*port);
        }
        let (settings, settings_problems) = Settings::resolve(&settings_files::layers(&folders));
        let locale = locale(language, &settings);
        let home = home.map(Path::to_owned);
        Ok(Self { home, folders, settings, settings_problems, locale })
    }

    /// The running agent, if there is one.
    fn agent(&self) -> Result<Option<LocalClient>, Problem> {
        LocalClient::connect(&self.folders.runtime.join(run::SOCKET))
    }

    fn need_agent(&self) -> Result<LocalClient, Failure> {
        self.agent()?.ok_or_else(|| {
            Failure::Later(Reason::AgentNotRunning.at(self.folders.runtime.join(run::SOCKET).display()))
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
    use clap::CommandFactory as _;

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
        let both = RunArgs { headless: true, minimized: true, rest_port: None };
        for arguments in
            [["--headless", "-m", "run"], ["-m", "run", "--headless"], ["run", "-m", "--headless"]]
        {
            let cli = Cli::try_parse_from(["hookswitch"].iter().chain(&arguments)).expect("valid arguments");
            let wish = wish(cli.command, cli.run);
            assert!(matches!(&wish, Some(Command::Run(run)) if *run == both), "{arguments:?}: {wish:?}");
        }
        for arguments in [["--rest-port", "1", "run"], ["run", "--rest-port", "1"]] {
            let cli = Cli::try_parse_from(["hookswitch"].iter().chain(&arguments)).expect("valid arguments");
            let wish = wish(cli.command, cli.run);
            assert!(matches!(&wish, Some(Command::Run(run)) if run.rest_port == Some(1)), "{arguments:?}");
        }
        let cli = Cli::try_parse_from(["hookswitch", "-m", "poll"]).expect("an option of run");
        assert!(wish(cli.command, cli.run).is_none());
        assert!(Cli::try_parse_from(["hookswitch", "no-such-command"]).is_err());
    }
}

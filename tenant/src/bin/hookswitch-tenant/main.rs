//! `hookswitch-tenant`: a tenant for a company that runs its own.
//!
//! `init` makes it, `publish` signs what agents shall do, `serve` answers them, `inventory` shows what they said,
//! `hosts` shows whose keys they have, `assign` puts people in groups by hand. Exit codes: 0 done, 1 failed, 2 wrong usage, 75 try later.

mod certificate;
mod clock;
#[cfg(test)]
#[path = "../../../../tests/support/contract.rs"]
mod contract;
mod digest;
mod home;
mod init;
mod repository;
mod review;
mod serve;
mod store;

use clock::now;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};
use tenant::grammar::is_user_name;
use tenant::policy::GroupRule;
use thiserror::Error;

use home::{Home, HomeError};
use init::InitError;
use repository::{Order, Published, RepositoryError};
use serve::{Mood, ServeError};
use store::{Store, StoreError};

#[derive(Parser)]
#[command(name = "hookswitch-tenant", version, about = "A Hookswitch tenant: policy, inventory, updates")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a new tenant: keys, certificate, empty policy, store
    Init {
        /// New folder for everything
        #[arg(long)]
        dir: PathBuf,
        /// TENANT_ID that agents are installed with
        #[arg(long)]
        tenant_id: String,
        /// Company name shown to users (default: the tenant id)
        #[arg(long)]
        company: Option<String>,
        /// Host name or address agents reach the server by, beside localhost; may be repeated
        #[arg(long)]
        host: Vec<String>,
        /// Print the installer properties as JSON
        #[arg(long)]
        json: bool,
    },
    /// Check, sign and publish a policy and files
    Publish {
        /// The tenant's folder
        #[arg(long)]
        dir: PathBuf,
        /// Policy document; without it the published one stays
        #[arg(long)]
        policy: Option<PathBuf>,
        /// File to add or replace, e.g. a firmware package; may be repeated
        #[arg(long)]
        target: Vec<PathBuf>,
        /// Let this publication end in N days (0: at once, for exercising agents) instead of renewing it
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=3650))]
        expires_days: Option<u32>,
    },
    /// Serve the tenant over HTTPS
    Serve {
        /// The tenant's folder
        #[arg(long)]
        dir: PathBuf,
        /// Address and port; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Misbehave on every /v2 call, for exercising agents
        #[arg(long, hide = true)]
        mood: Option<Mood>,
        #[command(flatten)]
        limits: serve::Limits,
    },
    /// Show hosts, users, devices and updates
    Inventory {
        /// The tenant's folder
        #[arg(long)]
        dir: PathBuf,
        /// Print JSON (schema/inventory.schema.json)
        #[arg(long)]
        json: bool,
    },
    /// Show hosts, their keys, and enrolments that were refused; forget the key of one
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Hosts {
        /// The tenant's folder
        #[arg(long, required = true)]
        dir: Option<PathBuf>,
        /// Print JSON (schema/hosts.schema.json)
        #[arg(long)]
        json: bool,
        #[command(subcommand)]
        action: Option<HostsAction>,
    },
    /// Put a user in a manual group, or take them out
    Assign {
        /// The tenant's folder
        #[arg(long)]
        dir: PathBuf,
        /// The user's name as their agent reports it (`inventory` lists them)
        #[arg(long)]
        user: String,
        /// Id of a group of the published policy whose rule is manual
        #[arg(long)]
        group: String,
        /// Take the user out
        #[arg(long)]
        remove: bool,
    },
}

#[derive(Subcommand)]
enum HostsAction {
    /// Forget the key of a host that lost it: its next enrolment brings a new one
    Reset {
        /// The tenant's folder
        #[arg(long)]
        dir: PathBuf,
        /// The host's system_id (`hosts` lists them)
        id: String,
    },
}

#[derive(Debug, Error)]
enum Failure {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("cannot start: {0}")]
    Runtime(std::io::Error),
    #[error("the words cannot be written: {0}")]
    Output(std::io::Error),
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("--user: expected 1 to 256 characters, no control or invisible characters")]
    User,
    #[error("no host {0:?}; `hookswitch-tenant hosts` lists them")]
    Host(String),
    #[error("--group: the published policy has no manual group {group:?}; it has: {known}")]
    Group { group: String, known: String },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("hookswitch-tenant: {failure}");
            ExitCode::from(match failure {
                Failure::Repository(RepositoryError::Busy) => 75,
                Failure::User
                | Failure::Init(InitError::TenantId | InitError::Company(_) | InitError::Host(_)) => 2,
                _ => 1,
            })
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    match command {
        Command::Init { dir, tenant_id, company, host, json } => {
            let made = runtime.block_on(init::init(&dir, &tenant_id, company.as_deref(), &host, now()))?;
            if json {
                say(format_args!("{}\n", serde_json::to_string_pretty(&made)?))?;
            } else {
                say(made)?;
            }
        }
        Command::Publish { dir, policy, target, expires_days } => {
            let home = Home::open(&dir)?;
            let order = Order { policy, targets: target, expires_days };
            say_published(&runtime.block_on(repository::publish(&home, &order, now()))?)?;
        }
        Command::Serve { dir, listen, mood, limits } => {
            runtime.block_on(serve::serve(&Home::open(&dir)?, listen, mood, limits))?;
        }
        Command::Inventory { dir, json } => {
            let inventory = Store::open(&Home::open(&dir)?.database())?.inventory()?;
            if json {
                say(format_args!("{}\n", serde_json::to_string_pretty(&inventory)?))?;
            } else {
                say(inventory)?;
            }
        }
        Command::Hosts { action: Some(HostsAction::Reset { dir, id }), .. } => {
            if !Store::open(&Home::open(&dir)?.database())?.reset_host(&id)? {
                return Err(Failure::Host(id));
            }
            println!("{id}: its key is forgotten, the next enrolment brings a new one");
        }
        Command::Hosts { dir, json, action: None } => {
            let dir = dir.unwrap_or_default();
            let hosts = Store::open(&Home::open(&dir)?.database())?.hosts(seconds(now()))?;
            if json {
                println!("{}", serde_json::to_string_pretty(&hosts)?);
            } else {
                print!("{hosts}");
            }
        }
        Command::Assign { dir, user, group, remove } => {
            runtime.block_on(assign(&dir, &user, &group, remove))?
        }
    }
    Ok(())
}

/// To whoever asked. A reader that has seen enough, as `head` has, is no fault: what was to be done is done.
fn say(words: impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    match write!(out, "{words}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        said => said.map_err(Failure::Output),
    }
}

fn say_published(published: &Published) -> Result<(), Failure> {
    let Published { root, targets, snapshot, timestamp, expires_s, files, warnings } = published;
    say(format_args!(
        "published: root {root}, targets {targets}, snapshot {snapshot}, timestamp {timestamp}\n"
    ))?;
    let days = (expires_s - seconds(now())).div_euclid(24 * 60 * 60);
    say(format_args!("good for {days} days without `serve` or another publication\n"))?;
    for (name, (length, digest)) in files {
        say(format_args!("  {name}  {length} bytes  sha256 {digest}\n"))?;
    }
    for warning in warnings {
        eprintln!("hookswitch-tenant: warning: {warning}");
    }
    Ok(())
}

async fn assign(dir: &Path, user: &str, group: &str, remove: bool) -> Result<(), Failure> {
    let home = Home::open(dir)?;
    if !is_user_name(user) {
        return Err(Failure::User);
    }
    if !remove {
        let policy = repository::current_policy(&home).await?;
        let manual = policy.groups.iter().filter(|group| matches!(group.rule, GroupRule::Manual {}));
        let ids: Vec<&str> = manual.map(|group| group.id.as_str()).collect();
        if !ids.contains(&group) {
            let known = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
            return Err(Failure::Group { group: group.to_owned(), known });
        }
    }
    let changed = Store::open(&home.database())?.assign(user, group, !remove)?;
    let (done, already) = if remove { ("no longer in", "was not in") } else { ("now in", "was already in") };
    say(format_args!("{user} {} {group}\n", if changed { done } else { already }))
}

/// Seconds since 1970; 0 for a clock before that.
fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or_default()
}

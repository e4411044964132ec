//! `hookswitch status|poll|groups|open|certificate`.
#![expect(clippy::disallowed_methods, reason = "the certificate is a file, and an agent is waited for")]

use super::agent::{expect_done, heard, view};
use super::{Context, Done, job, output};
use crate::shell::ipc::{LocalClient, other_answer};
use crate::shell::os;
use clap::{Args, Subcommand};
use hub::calendar;
use hub::locale::Message;
use hub::problem::Reason;
use hub::protocol::local::{LocalAnswer, LocalRequest};
use hub::protocol::printed::Groups;
use hub::protocol::{Detail, Problem, TenantMode, Why};
use hub::user::words;
use std::ffi::OsString;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// An agent that takes longer to answer is not coming.
const START_LIMIT: Duration = Duration::from_secs(20);

#[derive(Args, Debug)]
pub(super) struct JsonOnly {
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(super) struct OpenOptions {
    #[arg(long)]
    print: bool,
}

#[derive(Subcommand, Debug)]
pub(super) enum CertificateCommand {
    Show,
}

pub(super) fn status(options: &JsonOnly, context: &Context) -> Done {
    let view = view(&mut context.need_agent()?)?;
    if options.json {
        output::json(&view);
        return Ok(());
    }
    let say = |id: &'static str| context.locale.format(&Message::new(id));
    let tenant = match (view.tenant.mode, &view.tenant.server) {
        _ if view.unheard => say("tenant-unheard"),
        (TenantMode::Server | TenantMode::Folder, Some(server)) => server.clone(),
        (TenantMode::Locked, _) => say("cli-locked"),
        _ => say("cli-consumer"),
    };
    let mut rows = vec![
        vec![say("cli-version"), view.version.clone()],
        vec![say("cli-rest"), view.rest.url.clone().unwrap_or_else(|| say("cli-off"))],
        vec![say("cli-tenant"), tenant],
    ];
    if let Some(ends_s) = view.rest.certificate_ends_s {
        rows.insert(2, vec![say("cli-certificate-ends"), calendar::minute(ends_s)]);
    }
    let reports = view.tenant.mode == TenantMode::Server;
    if reports || view.tenant.mode == TenantMode::Folder {
        let version = view.tenant.policy_version.map_or_else(|| say("cli-none"), |v| v.to_string());
        rows.push(vec![say("cli-company"), view.tenant.company.clone().unwrap_or_else(|| say("cli-none"))]);
        if reports {
            rows.push(vec![
                say("cli-enrolled"),
                say(if view.tenant.enrolled { "cli-yes" } else { "cli-no" }),
            ]);
        }
        rows.push(vec![say("cli-policy"), version]);
        let time = |unix_s: Option<u64>| unix_s.map_or_else(|| say("cli-none"), calendar::minute);
        if reports {
            rows.push(vec![say("cli-last-poll"), time(view.tenant.last_poll_s)]);
        } else {
            rows.push(vec![say("cli-policy-seen"), seen(view.tenant.policy_seen_s, context)]);
        }
        rows.push(vec![say("cli-next-poll"), time(view.tenant.next_poll_s)]);
        let outbox = if reports { view.tenant.outbox.to_string() } else { say("cli-outbox-folder") };
        rows.push(vec![say("cli-outbox"), outbox]);
    }
    let headsets = if view.unheard { say("headsets-unheard") } else { view.devices.len().to_string() };
    rows.push(vec![say("cli-headsets"), headsets]);
    rows.push(vec![say("cli-calls"), view.calls.len().to_string()]);
    rows.push(vec![say("cli-updates"), view.offers.len().to_string()]);
    output::table(&rows);
    job::print(context, &view);
    for problem in view.problems.iter().chain(&view.tenant.problem).chain(&view.groups_problem) {
        let text = context.locale.problem(problem);
        output::line(&format!("! {text}"));
    }
    Ok(())
}

/// When the policy was last the newest, and how long ago that is: without the folder it is all there is to go by.
fn seen(unix_s: Option<u64>, context: &Context) -> String {
    let say = |message: &Message| context.locale.format(message);
    let Some(unix_s) = unix_s else { return say(&Message::new("cli-none")) };
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let minutes = now_s.saturating_sub(unix_s) / 60;
    let (id, number) = match minutes {
        0..60 => ("cli-age-minutes", minutes),
        60..2880 => ("cli-age-hours", minutes / 60),
        _ => ("cli-age-days", minutes / 1440),
    };
    let age = Message::new(id).number("number", i64::try_from(number).unwrap_or(i64::MAX));
    say(&Message::new("cli-seen").text("time", calendar::minute(unix_s)).text("age", say(&age)))
}

/// Asks the tenant and waits for its answer.
pub(super) fn poll(context: &Context) -> Done {
    let mut agent = context.need_agent()?;
    expect_done(agent.ask(&LocalRequest::Poll)?)?;
    let tenant = view(&mut agent)?.tenant;
    let version = tenant.policy_version.map_or(0, |version| i64::try_from(version).unwrap_or(i64::MAX));
    output::line(&context.locale.format(&Message::new("cli-polled").number("version", version)));
    Ok(())
}

pub(super) fn groups(options: &JsonOnly, context: &Context) -> Done {
    let view = heard(view(&mut context.need_agent()?)?)?;
    if options.json {
        let problem = view.groups_problem.as_ref();
        output::json(&Groups { user: &view.user, groups: &view.groups, problem });
        return Ok(());
    }
    let say = |message: Message| context.locale.format(&message);
    if view.groups.is_empty() {
        output::line(&say(Message::new(match view.tenant.mode {
            TenantMode::Consumer => "cli-groups-consumer",
            TenantMode::Locked => "cli-groups-locked",
            TenantMode::Server | TenantMode::Folder => "cli-no-groups",
        })));
    }
    let rows: Vec<Vec<String>> = view
        .groups
        .iter()
        .map(|group| {
            let why = match &group.why {
                Why::LdapQuery { server, filter } => {
                    Message::new("cli-why-ldap").text("server", server).text("filter", filter)
                }
                Why::Assigned => Message::new("cli-why-assigned"),
                Why::LastKnown { problem } => {
                    Message::new("cli-why-last-known").text("what", context.locale.problem(problem).what)
                }
                Why::Everyone => Message::new("cli-why-everyone"),
            };
            vec![group.id.clone(), words::group(&view, &group.id, &context.locale), say(why)]
        })
        .collect();
    output::table(&rows);
    Ok(())
}

pub(super) fn open(options: &OpenOptions, context: &Context) -> Done {
    let mut agent = match context.agent()? {
        Some(agent) => agent,
        // From the list of programs: nobody reads there that none is running.
        None if !options.print && os::has_display() => started(context)?,
        None => context.need_agent()?,
    };
    match agent.ask(&LocalRequest::Window)? {
        LocalAnswer::Window { url } if options.print => {
            output::line(&url);
            Ok(())
        }
        LocalAnswer::Window { url } => Ok(os::open_url(&url).inspect_err(|_| output::line(&url))?),
        LocalAnswer::Problem { problem } => Err(problem.into()),
        _ => Err(other_answer().into()),
    }
}

/// The agent that was not running.
fn started(context: &Context) -> Result<LocalClient, Problem> {
    let not_started = |reason: Detail| Reason::AgentNotStarted { reason }.at(context.folders.state.display());
    let by_itself = context.home.is_some() || !os::start_unit();
    let mut arguments: Vec<OsString> = vec!["run".into(), "--minimized".into()];
    if let Some(home) = &context.home {
        arguments.extend(["--home".into(), home.into()]);
    }
    let mut child = by_itself.then(|| os::start_beside(&arguments)).transpose();
    let child = child.as_mut().map_err(|error| not_started(Detail::verbatim(error)))?;
    let begun = Instant::now();
    loop {
        if let Some(agent) = context.agent()? {
            return Ok(agent);
        }
        if let Some(Ok(Some(status))) = child.as_mut().map(std::process::Child::try_wait) {
            return Err(not_started(Detail::new("agent-ended", "it ended at once").with("status", status)));
        }
        if begun.elapsed() > START_LIMIT {
            return Err(not_started(Detail::new("bus-silent", "it does not answer")));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub(super) fn certificate(command: &CertificateCommand, context: &Context) -> Done {
    let CertificateCommand::Show = command;
    let path = context.folders.data.join("certificate/ca.pem");
    let pem = std::fs::read_to_string(&path).map_err(|error| {
        // An agent that runs has tried to: what keeps the door closed keeps the certificate from being made.
        let agent = if let Ok(Some(_)) = context.agent() { "running" } else { "ended" };
        Reason::NoCertificate { error: error.to_string(), agent: agent.to_owned() }.at(path.display())
    })?;
    output::line(pem.trim_end());
    output::line(&format!("# {}", path.display()));
    Ok(())
}

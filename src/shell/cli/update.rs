//! `hookswitch update list|install|recover|defer|cancel|history`.

use super::agent::{expect_done, now_or_later};
use super::{Context, Done, agent, job, output};
use clap::{Args, Subcommand};
use hub::calendar;
use hub::locale::Message;
use hub::problem::Reason;
use hub::protocol::local::{LocalAnswer, LocalRequest, View};
use hub::protocol::printed::{History, Updates};
use hub::protocol::{Deployment, Job, JobPhase, Offer, Outcome, Problem};
use hub::user::words;
use std::io::{IsTerminal as _, Write as _};

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    List {
        #[arg(long)]
        json: bool,
    },
    Install(Which),
    Recover(Which),
    Defer(Which),
    Cancel {
        #[command(flatten)]
        which: Which,
        #[arg(long)]
        force: bool,
    },
    History {
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
pub(super) struct Which {
    offer: Option<String>,
}

pub(super) fn execute(command: &Command, context: &Context) -> Done {
    let mut client = context.need_agent()?;
    let view = agent::heard(agent::view(&mut client)?)?;
    match command {
        Command::List { json: true } => {
            output::json(&Updates { offers: &view.offers, job: view.job.as_ref(), queue: &view.queue });
            Ok(())
        }
        Command::List { json: false } => {
            print(context, &view);
            Ok(())
        }
        Command::History { json: true } => {
            output::json(&History { updates: &view.history });
            Ok(())
        }
        Command::History { json: false } => {
            print_history(context, &view);
            Ok(())
        }
        Command::Install(which) => {
            let offer = choose(&view, which).map_err(now_or_later)?;
            expect_done(client.ask(&LocalRequest::Install { offer: offer.clone() })?)?;
            wait(context, &offer)
        }
        Command::Recover(which) => {
            let offer = choose_lost(&view, which).map_err(now_or_later)?;
            expect_done(client.ask(&LocalRequest::Install { offer: offer.clone() })?)?;
            wait(context, &offer)
        }
        Command::Cancel { which, force } => {
            let offer = which.offer.clone();
            let waited = offer.as_ref().is_some_and(|offer| view.queue.iter().any(|j| j.offer == *offer));
            expect_done(client.ask(&LocalRequest::Cancel { offer, anyway: *force })?)?;
            let said = if waited { "cli-cancelled-waiting" } else { "cli-cancelled" };
            output::line(&context.locale.format(&Message::new(said)));
            Ok(())
        }
        Command::Defer(which) => {
            let offer = choose(&view, which)?;
            let dismissed = view.offers.iter().any(|o| o.id == offer && o.deployment == Deployment::Optional);
            expect_done(client.ask(&LocalRequest::Defer { offer })?)?;
            let said = if dismissed { "cli-deferred" } else { "cli-put-off" };
            output::line(&context.locale.format(&Message::new(said)));
            Ok(())
        }
    }
}

fn choose(view: &View, which: &Which) -> Result<String, Problem> {
    if let Some(offer) = &which.offer {
        return Ok(offer.clone());
    }
    match view.offers.as_slice() {
        [only] => Ok(only.id.clone()),
        [] if view.job.as_ref().is_some_and(|job| job.outcome.is_none()) => {
            Err(Reason::UpdateRunning.at("hookswitch update list"))
        }
        [] => Err(Reason::NoUpdates.at("hookswitch update list")),
        several => Err(Reason::WhichUpdate { count: several.len().to_string() }.at("hookswitch update list")),
    }
}

/// Of a headset that has no working firmware.
fn choose_lost(view: &View, which: &Which) -> Result<String, Problem> {
    let lost: Vec<&Offer> =
        view.offers.iter().filter(|offer| offer.deployment == Deployment::Recovery).collect();
    let named = which.offer.as_ref().filter(|id| lost.iter().any(|offer| offer.id == **id));
    let why = match (named, &which.offer, lost.as_slice()) {
        (Some(id), _, _) => return Ok(id.clone()),
        (None, None, [only]) => return Ok(only.id.clone()),
        (None, None, [_, _, ..]) => Reason::WhichUpdate { count: lost.len().to_string() },
        (None, Some(id), [_, ..]) => return Err(Reason::NoSuchOffer.at(id)),
        _ if view.job.as_ref().is_some_and(|job| job.outcome.is_none()) => Reason::UpdateRunning,
        _ => Reason::NothingToRecover,
    };
    Err(why.at("hookswitch update list"))
}

/// Follows the job on a connection of its own until it has a verdict.
fn wait(context: &Context, offer: &str) -> Done {
    let mut agent = context.need_agent()?;
    let mut answer = agent.ask(&LocalRequest::Watch)?;
    let terminal = std::io::stderr().is_terminal();
    let mut told = None;
    loop {
        // While the service is away, what is known is what was.
        if let LocalAnswer::View { view } = answer
            && !view.unheard
        {
            let known = view.job.iter().chain(&view.queue).chain(&view.ended);
            let Some(job) = known.into_iter().find(|j| j.offer == offer).cloned() else {
                if terminal && told.is_some() {
                    output::aside("");
                }
                return Err(forgotten(offer).into());
            };
            if let Some(outcome) = job.outcome {
                if terminal {
                    output::aside("");
                }
                return verdict(context, outcome);
            }
            let percent = (job.done_bytes * 100).checked_div(job.total_bytes).unwrap_or(0);
            if told.as_ref() != Some(&(job.phase, percent)) {
                let new_phase = told.as_ref().is_none_or(|(phase, _)| *phase != job.phase);
                match job.phase {
                    JobPhase::Queued => output::aside(&context.locale.format(&words::queued(&view, &job))),
                    _ => progress(context, terminal, new_phase, &job, percent),
                }
                told = Some((job.phase, percent));
            }
        }
        answer = agent.next_answer()?;
    }
}

/// Taken back, forgotten with the person at the seat or with the program: never begun in any case.
fn forgotten(offer: &str) -> Problem {
    Reason::UpdateForgotten.at(offer)
}

fn progress(context: &Context, terminal: bool, new_phase: bool, job: &Job, percent: u64) {
    const WIDTH: u64 = 40;
    let done = (percent.min(100) * WIDTH / 100) as usize;
    let bar = format!("[{}{}]", "#".repeat(done), ".".repeat(WIDTH as usize - done));
    let bytes = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let message = Message::new("cli-progress")
        .text("percent", format!("{percent:>3}"))
        .number("done", bytes(job.done_bytes))
        .number("total", bytes(job.total_bytes))
        .text("phase", context.locale.format(&words::phase(job)));
    let text = format!("{bar} {}", context.locale.format(&message));
    let mut err = std::io::stderr();
    // One line that changes for a person, a line every tenth and every phase for a log.
    let _ = match terminal {
        true => write!(err, "\r{text}\x1b[K").and_then(|()| err.flush()),
        false if new_phase || percent.is_multiple_of(10) => writeln!(err, "{text}"),
        false => Ok(()),
    };
}

fn verdict(context: &Context, outcome: Outcome) -> Done {
    match outcome {
        Outcome::Succeeded { version } => {
            output::line(
                &context.locale.format(&Message::new("cli-update-succeeded").text("version", version)),
            );
            Ok(())
        }
        Outcome::Failed { problem } | Outcome::Unknown { problem } => Err(problem.into()),
    }
}

fn print_history(context: &Context, view: &View) {
    let say = |id: &'static str| context.locale.format(&Message::new(id));
    if view.history.is_empty() {
        return output::line(&say("cli-no-history"));
    }
    let head = ["cli-when", "cli-headset", "cli-from", "cli-to", "cli-verdict"];
    let mut rows = vec![head.map(say).to_vec()];
    for past in view.history.iter() {
        rows.push(vec![
            calendar::minute(past.ended_s),
            past.product.clone(),
            past.from_version.clone(),
            past.to_version.clone(),
            context.locale.format(&words::verdict(&past.outcome)),
        ]);
        if let Outcome::Failed { problem } | Outcome::Unknown { problem } = &past.outcome {
            rows.push(vec![format!("  {}", context.locale.problem(problem).what)]);
        }
    }
    output::table(&rows);
}

fn print(context: &Context, view: &View) {
    let say = |id: &'static str| context.locale.format(&Message::new(id));
    let runs = view.job.as_ref().is_some_and(|job| job.outcome.is_none());
    if view.offers.is_empty() && !runs {
        output::line(&context.locale.format(&words::no_updates(view)));
    } else if !view.offers.is_empty() {
        let head = ["cli-update", "cli-from", "cli-to", "cli-deployment", "cli-group", "cli-offer"];
        let mut rows = vec![head.map(say).to_vec()];
        for offer in &view.offers {
            rows.push(vec![
                offer.name.clone(),
                offer.from_version.clone(),
                offer.to_version.clone(),
                context.locale.format(&words::deployment(offer.deployment)),
                words::group(view, &offer.group, &context.locale),
                offer.id.clone(),
            ]);
            if offer.deferred {
                rows.push(vec![format!("  {}", say("cli-offer-deferred"))]);
            }
            let said = [words::next(offer, calendar::minute), words::deferrals_left(offer)];
            rows.extend(said.iter().flatten().map(|m| vec![format!("  {}", context.locale.format(m))]));
            if let Some(problem) = &offer.blocked {
                let text = context.locale.problem(problem);
                rows.push(vec![format!("  {text}")]);
            }
        }
        output::table(&rows);
    }
    job::print(context, view);
}

//! `hookswitch softphones list|approve|revoke`.

use super::agent::view;
use super::{Context, Done, output};
use clap::Subcommand;
use hub::locale::Message;
use hub::protocol::local::{LocalAnswer, LocalRequest, Softphone};
use hub::user::words;
use serde::Serialize;

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    List {
        #[arg(long)]
        json: bool,
    },
    Approve {
        origin: String,
    },
    Revoke {
        origin: String,
    },
}

#[derive(Serialize)]
struct List<'a> {
    softphones: &'a [Softphone],
}

pub(super) fn execute(command: &Command, context: &Context) -> Done {
    let mut agent = context.need_agent()?;
    let (request, done) = match command {
        Command::List { json } => {
            let view = view(&mut agent)?;
            match json {
                true => output::json(&List { softphones: &view.softphones }),
                false => print(context, &view.softphones),
            }
            return Ok(());
        }
        Command::Approve { origin } => {
            let done = Message::new("cli-softphone-approved").text("origin", origin);
            (LocalRequest::ApproveSoftphone { origin: origin.clone() }, done)
        }
        Command::Revoke { origin } => {
            let done = Message::new("cli-softphone-revoked").text("origin", origin);
            (LocalRequest::RevokeSoftphone { origin: origin.clone() }, done)
        }
    };
    if let LocalAnswer::Problem { problem } = agent.ask(&request)? {
        return Err(problem.into());
    }
    output::line(&context.locale.format(&done));
    Ok(())
}

fn print(context: &Context, softphones: &[Softphone]) {
    let say = |message: &Message| context.locale.format(message);
    if softphones.is_empty() {
        output::line(&say(&Message::new("cli-no-softphones")));
        return;
    }
    let head = ["cli-softphone", "cli-state", "cli-decided-by", "cli-softphone-connected"];
    let mut rows = vec![head.map(|id| say(&Message::new(id))).to_vec()];
    for softphone in softphones {
        let connected = if softphone.connected { "cli-yes" } else { "cli-no" };
        rows.push(vec![
            softphone.origin.clone(),
            say(&words::standing(softphone.standing)),
            softphone.by.map(|by| say(&words::decider(by))).unwrap_or_default(),
            say(&Message::new(connected)),
        ]);
    }
    output::table(&rows);
}

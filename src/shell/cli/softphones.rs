//! `hookswitch softphones list|approve|revoke`.

use super::agent::view;
use super::{Context, Done, input, output};
use clap::Subcommand;
use hub::locale::Message;
use hub::protocol::client::ClientId;
use hub::protocol::local::{LocalAnswer, LocalRequest, Softphone};
use hub::protocol::printed::Softphones;
use hub::user::words;

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    List {
        #[arg(long)]
        json: bool,
    },
    Approve {
        softphone: String,
    },
    Revoke {
        softphone: String,
    },
}

pub(super) fn execute(command: &Command, context: &Context) -> Done {
    let mut agent = context.need_agent()?;
    let mut means = None;
    let (request, done) = match command {
        Command::List { json } => {
            let view = view(&mut agent)?;
            match json {
                true => output::json(&Softphones { softphones: &view.softphones }),
                false => print(context, &view.softphones),
            }
            return Ok(());
        }
        Command::Approve { softphone } => {
            let softphone = input::program(softphone).unwrap_or_else(|| softphone.clone());
            let runs_scripts = ClientId::named(&softphone).is_some_and(|client| client.runs_scripts());
            means = runs_scripts.then(|| Message::new("softphone-runs-scripts"));
            let done = Message::new("cli-softphone-approved").text("softphone", &softphone);
            (LocalRequest::ApproveSoftphone { softphone }, done)
        }
        Command::Revoke { softphone } => {
            let done = Message::new("cli-softphone-revoked").text("softphone", softphone);
            (LocalRequest::RevokeSoftphone { softphone: softphone.clone() }, done)
        }
    };
    if let LocalAnswer::Problem { problem } = agent.ask(&request)? {
        return Err(problem.into());
    }
    for message in [Some(done), means].into_iter().flatten() {
        output::line(&context.locale.format(&message));
    }
    Ok(())
}

fn print(context: &Context, softphones: &[Softphone]) {
    let say = |message: &Message| context.locale.format(message);
    if softphones.is_empty() {
        output::line(&say(&Message::new("cli-no-softphones")));
        return;
    }
    let head =
        ["cli-softphone", "cli-softphone-label", "cli-state", "cli-decided-by", "cli-softphone-connected"];
    let mut rows = vec![head.map(|id| say(&Message::new(id))).to_vec()];
    for softphone in softphones {
        let connected = if softphone.connected { "cli-yes" } else { "cli-no" };
        rows.push(vec![
            softphone.client.to_string(),
            softphone.label.clone().unwrap_or_default(),
            say(&words::standing(softphone.standing)),
            softphone.by.map(|by| say(&words::decider(by))).unwrap_or_default(),
            say(&Message::new(connected)),
        ]);
    }
    output::table(&rows);
}

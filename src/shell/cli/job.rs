//! The firmware job as commands show it.

use super::{Context, output};
use hub::locale::Message;
use hub::protocol::Outcome;
use hub::protocol::local::View;
use hub::user::words;

/// The update that runs, or how the last one ended, and those that wait.
pub(super) fn print(context: &Context, view: &View) {
    if let Some(job) = &view.job {
        let line = match &job.outcome {
            None => words::running(job),
            Some(Outcome::Succeeded { version }) => {
                Message::new("cli-job-succeeded").text("name", &job.name).text("version", version)
            }
            Some(Outcome::Failed { problem } | Outcome::Unknown { problem }) => {
                let text = context.locale.problem(problem);
                let message = Message::new("cli-job-ended").text("name", &job.name);
                let next = context.locale.problem(words::advice(view, job, problem)).next;
                message.text("what", text.what).text("next", next)
            }
        };
        output::line(&context.locale.format(&line));
    }
    for job in &view.queue {
        output::line(&context.locale.format(&words::queued(view, job)));
    }
}

//! What commands ask of the running agent.

use super::{Done, Failure};
use crate::shell::ipc::{LocalClient, other_answer};
use hub::problem::Code;
use hub::protocol::Problem;
use hub::protocol::local::{LocalAnswer, LocalRequest, View};
use hub::user::link::away;

pub(super) fn view(agent: &mut LocalClient) -> Result<View, Problem> {
    match agent.ask(&LocalRequest::View)? {
        LocalAnswer::View { view } => Ok(*view),
        LocalAnswer::Problem { problem } => Err(problem),
        _ => Err(other_answer()),
    }
}

/// Where the service has not said anything yet, nothing is listed: it would read as if nothing was there.
pub(super) fn heard(view: View) -> Result<View, Failure> {
    if view.unheard { Err(Failure::Later(away())) } else { Ok(view) }
}

pub(super) fn expect_done(answer: LocalAnswer) -> Done {
    match answer {
        LocalAnswer::Problem { problem } => Err(now_or_later(problem)),
        _ => Ok(()),
    }
}

/// A call and another update end by themselves.
pub(super) fn now_or_later(problem: Problem) -> Failure {
    match problem.code {
        Code::InCall | Code::UpdateRunning | Code::UpdateQueued | Code::QueueFull | Code::MachineAway => {
            Failure::Later(problem)
        }
        _ => Failure::Problem(problem),
    }
}

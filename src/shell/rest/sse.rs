//! The event stream: the whole state first, then numbered changes; a client that comes back gets what it missed.
//!
//! Numbers count from 1 in each run of the agent. On the wire they carry the run (`5f3a9c01-57`), so that a number
//! of an earlier run is not mistaken for one of this run: who brings it gets the whole state again.

use super::caller::Caller;
use super::door::Door;
use super::refusal::Refusal;
use super::wire;
use crate::shell::handle::{Stopping, Subscription};
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use hub::user::SdkEvent;
use hub::user::sdk::Backlog;
use serde::Deserialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Comments keep middle-men and the idle limit of the connection away.
const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// What an EventSource waits before it comes back.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resume {
    after: Option<String>,
}

struct Open {
    /// Its end tells the agent.
    _open: oneshot::Receiver<()>,
    door: Arc<Door>,
    caller: Caller,
    first: VecDeque<Event>,
    events: mpsc::Receiver<SdkEvent>,
    stopping: watch::Receiver<bool>,
}

pub(super) async fn events(
    State(door): State<Arc<Door>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    query: Result<Query<Resume>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Resume { after }) = query.map_err(|e| Refusal::invalid(e.body_text(), "the query"))?;
    // An EventSource keeps its first address when it comes back: the header is the newer of the two.
    let last_seen = headers.get("last-event-id").and_then(|v| v.to_str().ok()).or(after.as_deref());
    let after = last_seen.and_then(|id| door.number_of(id));
    let (client, _) = caller.softphone()?;
    let subscribed = door.handle.subscribe(client, after).await;
    let Subscription { backlog, events, open } = subscribed.map_err(|Stopping| Refusal::stopping())?;
    let mut first = VecDeque::new();
    match backlog {
        Backlog::State { view, last } => {
            let state = wire::Event::State(wire::State::seen_by(&view, caller.reads(&door)));
            first.push_back(sent(&door, last, &state).retry(RETRY));
        }
        Backlog::Missed(missed) => {
            first.extend(missed.iter().filter_map(|event| render(&door, &caller, event)));
        }
    }
    let open = Open { _open: open, stopping: door.stopping.clone(), door, caller, first, events };
    let stream = stream::unfold(open, |mut open| async move {
        let event = next(&mut open).await?;
        Some((Ok::<_, Infallible>(event), open))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// `None` ends the stream: the agent stops, the reader was too slow, or its approval was taken back.
async fn next(open: &mut Open) -> Option<Event> {
    if let Some(event) = open.first.pop_front() {
        return Some(event);
    }
    loop {
        let event = tokio::select! {
            biased;
            _ = open.stopping.wait_for(|stopping| *stopping) => None,
            event = open.events.recv() => event,
        }?;
        let rendered = render(&open.door, &open.caller, &event);
        if rendered.is_some() {
            return rendered;
        }
    }
}

fn render(door: &Door, caller: &Caller, event: &SdkEvent) -> Option<Event> {
    wire::event(&event.change, caller.reads(door)).map(|change| sent(door, event.id, &change))
}

fn sent(door: &Door, number: u64, event: &wire::Event) -> Event {
    Event::default().event(event.name()).id(door.event_id(number)).data(event.data().unwrap_or_default())
}

impl Door {
    fn event_id(&self, number: u64) -> String {
        format!("{}-{number}", self.run)
    }

    /// The number in an id of this run.
    fn number_of(&self, id: &str) -> Option<u64> {
        let (run, number) = id.split_once('-')?;
        (run == self.run).then(|| number.parse().ok()).flatten()
    }
}

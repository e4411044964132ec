//! What keeps an open page up to date: those of its regions that changed, drawn anew.

use super::page::{self, Region};
use super::{Window, answer};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use hub::protocol::local::View;
use hub::user::menu::Page;
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// A firmware update changes the view many times a second; eyes need no more than this.
const PAUSE: Duration = Duration::from_millis(100);

struct Open {
    window: Arc<Window>,
    page: Page,
    views: watch::Receiver<Arc<View>>,
    stopping: watch::Receiver<bool>,
    shown: Vec<Region>,
    waiting: VecDeque<Event>,
}

#[derive(Serialize)]
struct Drawn<'a> {
    name: &'static str,
    html: &'a str,
}

pub(super) async fn live(
    State(window): State<Arc<Window>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if window.reader(&headers).await.is_none() {
        // Ends an EventSource for good.
        return StatusCode::FORBIDDEN.into_response();
    }
    let page = match query.as_deref() {
        Some("page=devices") => Page::Devices,
        Some("page=updates") => Page::Updates,
        Some("page=softphones") => Page::Softphones,
        Some("page=quit") => Page::Quit,
        _ => return answer::nothing().await,
    };
    let mut views = window.handle.views();
    // The page may have been drawn before something changed: everything is compared once at the start.
    views.mark_changed();
    let stopping = window.stopping.clone();
    let open = Open { window, page, views, stopping, shown: Vec::new(), waiting: VecDeque::new() };
    let stream = stream::unfold(open, |mut open| async move {
        let event = next(&mut open).await?;
        Some((Ok::<_, Infallible>(event), open))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

async fn next(open: &mut Open) -> Option<Event> {
    loop {
        if let Some(event) = open.waiting.pop_front() {
            return Some(event);
        }
        if !open.shown.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
        tokio::select! {
            biased;
            _ = open.stopping.wait_for(|stopping| *stopping) => return None,
            changed = open.views.changed() => changed.ok()?,
        }
        let view = open.views.borrow_and_update().clone();
        let regions = page::regions(open.page, &view, &open.window.locale);
        open.waiting.extend(regions.iter().filter(|r| !open.shown.contains(r)).map(event));
        open.shown = regions;
    }
}

fn event(region: &Region) -> Event {
    let data = serde_json::to_string(&Drawn { name: region.name, html: &region.html });
    Event::default().event("region").data(data.unwrap_or_default())
}

//! Each request of the window and its answer.

use super::{Window, page};
use crate::shell::handle::Stopping;
use crate::shell::os;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use hub::problem::Reason;
use hub::protocol::Problem;
use hub::user::menu::Page;
use hub::user::{Command, Reply};
use serde::Serialize;
use std::sync::Arc;

type Shared = State<Arc<Window>>;

/// Uses the one-time token up; hands out the cookie and, in the fragment, the page's secret.
pub(super) async fn enter(
    State(window): Shared,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let token = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token");
    // A HEAD looks, it does not use the token up.
    let Some((_, token)) = token.filter(|_| method == Method::GET) else { return expired(&window) };
    let redeemed = window.sessions.lock().await.redeem(&token, os::instant());
    match redeemed {
        Ok(Some((page, session))) => {
            let to = format!("/{}#{}", page::name(page), session.page_secret);
            let cookie =
                format!("{}={}; SameSite=Strict; HttpOnly; Path=/", window.cookie_name(), session.cookie);
            (StatusCode::SEE_OTHER, [(header::LOCATION, to), (header::SET_COOKIE, cookie)]).into_response()
        }
        // The address was opened again in the same browser: that one is in already.
        Ok(None) if window.reader(&headers).await.is_some() => redirect("/devices"),
        Ok(None) => expired(&window),
        Err(error) => {
            tracing::error!(%error, "no randomness for a session of the window");
            expired(&window)
        }
    }
}

pub(super) async fn home(State(window): Shared, headers: HeaderMap) -> Response {
    if window.reader(&headers).await.is_none() {
        return expired(&window);
    }
    redirect("/devices")
}

pub(super) async fn devices(window: Shared, headers: HeaderMap) -> Response {
    show(Page::Devices, window, headers).await
}

pub(super) async fn updates(window: Shared, headers: HeaderMap) -> Response {
    show(Page::Updates, window, headers).await
}

pub(super) async fn softphones(window: Shared, headers: HeaderMap) -> Response {
    show(Page::Softphones, window, headers).await
}

pub(super) async fn quit(window: Shared, headers: HeaderMap) -> Response {
    show(Page::Quit, window, headers).await
}

async fn show(page: Page, State(window): Shared, headers: HeaderMap) -> Response {
    if window.reader(&headers).await.is_none() {
        return expired(&window);
    }
    Html(page::frame(page, &window.handle.view(), &window.locale)).into_response()
}

/// `install`, `defer`, or `cancel` for the update that runs or waits.
pub(super) async fn act_on_update(
    State(window): Shared,
    Path((offer, action)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let command = match action.as_str() {
        "install" => Some(Command::Install { offer }),
        "defer" => Some(Command::Defer { offer }),
        "cancel" => Some(Command::Cancel { offer: Some(offer), anyway: false }),
        // The person was told what that means.
        "cancel-anyway" => Some(Command::Cancel { offer: Some(offer), anyway: true }),
        _ => None,
    };
    act(&window, &headers, &action, command).await
}

/// `quit-anyway`: the person was told what that means.
pub(super) async fn act_on_program(
    State(window): Shared,
    Path((_, action)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let quit = action == "quit-anyway" && window.stop.is_some();
    act(&window, &headers, &action, quit.then_some(Command::Quit { anyway: true })).await
}

/// `use`: the headset that carries the calls.
pub(super) async fn act_on_device(
    State(window): Shared,
    Path((device, action)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let command = (action == "use").then_some(Command::UseHeadset { device });
    act(&window, &headers, &action, command).await
}

/// `approve`, `revoke`.
pub(super) async fn act_on_softphone(
    State(window): Shared,
    Path((softphone, action)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let command = match action.as_str() {
        "approve" => Some(Command::Approve { softphone }),
        "revoke" => Some(Command::Revoke { softphone }),
        _ => None,
    };
    act(&window, &headers, &action, command).await
}

/// Asks the tenant now.
pub(super) async fn poll(State(window): Shared, headers: HeaderMap) -> Response {
    act(&window, &headers, "poll", Some(Command::Poll)).await
}

async fn act(window: &Window, headers: &HeaderMap, action: &str, command: Option<Command>) -> Response {
    if !window.may_change(headers).await {
        let problem = Reason::WindowExpired.here();
        return refused(window, StatusCode::FORBIDDEN, &problem);
    }
    let Some(command) = command else {
        let problem = Reason::WindowRequest.at(action);
        return refused(window, StatusCode::NOT_FOUND, &problem);
    };
    let ends = matches!(command, Command::Quit { .. });
    match window.handle.command(command).await {
        Ok(Reply::Done | Reply::Call(_) | Reply::Stranger(_) | Reply::Spokes(_)) => {
            if let Some(stop) = window.stop.as_ref().filter(|_| ends) {
                let _ = stop.send(()).await;
            }
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(Reply::Refused(refusal)) => refused(window, StatusCode::CONFLICT, &refusal.problem),
        Err(Stopping) => {
            let problem = Reason::WindowStopping.at("hookswitch");
            refused(window, StatusCode::SERVICE_UNAVAILABLE, &problem)
        }
    }
}

/// In the person's language: the page shows it as it is.
#[derive(Serialize)]
struct Refused {
    what: String,
    #[serde(rename = "where")]
    place: String,
    next: String,
}

fn refused(window: &Window, status: StatusCode, problem: &Problem) -> Response {
    let text = window.locale.problem_isolated(problem);
    let body = serde_json::to_string(&Refused { what: text.what, place: text.place, next: text.next });
    let kind = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, kind)], body.unwrap_or_default()).into_response()
}

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let (kind, text) = match name.as_str() {
        "window.css" => ("text/css; charset=utf-8", include_str!("../../../assets/window.css")),
        "window.js" => ("text/javascript; charset=utf-8", include_str!("../../../assets/window.js")),
        "icon.svg" => ("image/svg+xml", include_str!("../../../assets/icons/hookswitch.svg")),
        _ => return nothing().await,
    };
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

pub(super) async fn nothing() -> Response {
    StatusCode::NOT_FOUND.into_response()
}

fn redirect(to: &'static str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, HeaderValue::from_static(to))]).into_response()
}

fn expired(window: &Window) -> Response {
    (StatusCode::FORBIDDEN, Html(page::expired(&window.locale))).into_response()
}

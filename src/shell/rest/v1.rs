//! `/v1`: devices, calls, updates, events. The contract is `openapi.json`, served and committed.

use super::access::Caller;
use super::refusal::Refusal;
use super::{Door, sse, wire};
use crate::agent::{CallAction, Command, Reply};
use crate::shell::handle::Stopping;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Json};
use serde::de::DeserializeOwned;
use std::sync::Arc;

pub const OPENAPI: &str = include_str!("openapi.json");

type Shared = State<Arc<Door>>;

/// Every route of `/v1`, once: the router and the test of the contract are made of it.
pub(super) fn routes() -> Vec<(Method, &'static str, MethodRouter<Arc<Door>>)> {
    vec![
        (Method::GET, "/v1/health", get(health)),
        (Method::GET, "/v1/openapi.json", get(openapi)),
        (Method::GET, "/v1/status", get(status)),
        (Method::GET, "/v1/devices", get(devices)),
        (Method::GET, "/v1/calls", get(calls)),
        (Method::POST, "/v1/calls", post(create_call)),
        (Method::GET, "/v1/calls/{id}", get(call)),
        (Method::POST, "/v1/calls/{id}/{action}", post(act)),
        (Method::GET, "/v1/updates", get(updates)),
        (Method::POST, "/v1/updates/{offer}/install", post(install)),
        (Method::GET, "/v1/events", get(sse::events)),
    ]
}

async fn health(State(door): Shared) -> Json<wire::Health> {
    Json(wire::Health { product: "hookswitch", version: door.handle.view().version.clone(), api: 1 })
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], OPENAPI).into_response()
}

async fn status(State(door): Shared) -> Json<wire::Status> {
    Json(wire::Status::from(&*door.handle.view()))
}

async fn devices(State(door): Shared) -> Json<wire::Devices> {
    Json(wire::Devices { devices: door.handle.view().devices.iter().map(wire::Device::from).collect() })
}

async fn calls(State(door): Shared, Extension(caller): Extension<Caller>) -> Json<wire::Calls> {
    let view = door.handle.view();
    Json(wire::Calls { calls: view.calls.iter().map(|c| wire::Call::seen_by(c, caller.client())).collect() })
}

async fn call(
    State(door): Shared,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<wire::Call>, Refusal> {
    let Path(id) = id?;
    let number = call_number(&id)?;
    let view = door.handle.view();
    let call = view.calls.iter().find(|c| c.id == number).ok_or_else(|| Refusal::no_such_call(&id))?;
    Ok(Json(wire::Call::seen_by(call, caller.client())))
}

async fn create_call(
    State(door): Shared,
    Extension(caller): Extension<Caller>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let wire::CreateCall { direction, contact } = parse(body)?;
    if contact.as_ref().is_some_and(|c| c.chars().count() > wire::MAX_CONTACT_CHARS) {
        return Err(Refusal::invalid("A contact has at most 256 characters", "contact"));
    }
    let client = caller.client().to_owned();
    let command = Command::CreateCall { client, direction: direction.into(), contact };
    let call = answered_call(ask(&door, command).await?)?;
    let call = wire::Call::seen_by(&call, caller.client());
    let location = format!("/v1/calls/{}", call.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(call)).into_response())
}

async fn act(
    State(door): Shared,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, String)>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<wire::Call>, Refusal> {
    let Path((id, action)) = path?;
    let action = match action.as_str() {
        "answer" => CallAction::Answer,
        "hold" => CallAction::Hold,
        "resume" => CallAction::Resume,
        "mute" => CallAction::Mute,
        "unmute" => CallAction::Unmute,
        "end" => CallAction::End,
        _ => return Err(Refusal::not_found(&format!("/v1/calls/{id}/{action}"))),
    };
    let number = call_number(&id)?;
    no_body(body)?;
    // The agent refuses this too; here it is said before anything is queued.
    if let Some(call) = door.handle.view().calls.iter().find(|c| c.id == number)
        && call.client != caller.client()
    {
        return Err(not_yours(number));
    }
    let command = Command::Call { client: caller.client().to_owned(), id: number, action };
    let call = answered_call(ask(&door, command).await?)?;
    Ok(Json(wire::Call::seen_by(&call, caller.client())))
}

async fn updates(State(door): Shared) -> Json<wire::Updates> {
    let view = door.handle.view();
    Json(wire::Updates::new(&view.offers, view.job.as_ref()))
}

async fn install(
    State(door): Shared,
    offer: Result<Path<String>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let Path(offer) = offer?;
    no_body(body)?;
    if !door.handle.view().offers.iter().any(|o| o.id == offer) {
        let next = "GET /v1/updates lists the offers there are.";
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "no-such-offer",
            "There is no such offer",
            offer,
            next,
        ));
    }
    ask(&door, Command::Install { offer: offer.clone() }).await?;
    Ok((StatusCode::ACCEPTED, Json(wire::Accepted { offer })).into_response())
}

async fn ask(door: &Door, command: Command) -> Result<Reply, Refusal> {
    match door.handle.command(command).await {
        Ok(Reply::Refused(problem)) => Err(Refusal::by_agent(&problem)),
        Ok(reply) => Ok(reply),
        Err(Stopping) => Err(Refusal::stopping()),
    }
}

fn answered_call(reply: Reply) -> Result<crate::protocol::local::Call, Refusal> {
    match reply {
        Reply::Call(call) => Ok(call),
        Reply::Done | Reply::Refused(_) => Err(Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "no-call-in-answer",
            "The agent did not say which call",
            "the agent",
            "GET /v1/calls shows what there is; please report this.",
        )),
    }
}

fn call_number(id: &str) -> Result<u64, Refusal> {
    id.parse().map_err(|_| Refusal::no_such_call(id))
}

fn not_yours(id: u64) -> Refusal {
    let next = "Only the softphone that made a call may act on it.";
    Refusal::new(
        StatusCode::FORBIDDEN,
        "not-your-call",
        "This call belongs to another softphone",
        id.to_string(),
        next,
    )
}

fn parse<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Refusal> {
    serde_json::from_slice(&bytes(body)?).map_err(|e| Refusal::invalid(e.to_string(), "the body"))
}

fn no_body(body: Result<Bytes, BytesRejection>) -> Result<(), Refusal> {
    let body = bytes(body)?;
    if body.is_empty() {
        return Ok(());
    }
    let wire::Empty {} =
        serde_json::from_slice(&body).map_err(|e| Refusal::invalid(e.to_string(), "the body"))?;
    Ok(())
}

fn bytes(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Refusal> {
    body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let what = format!("A request has at most {} bytes", super::MAX_BODY_BYTES);
            return Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                what,
                "the body",
                "Send less.",
            );
        }
        Refusal::invalid(rejection.body_text(), "the body")
    })
}

//! `/v1`: devices, calls, updates, events. The contract is `openapi.json`, made of the table of routes and of the types of
//! the wire, committed and served.

use super::caller::{Caller, Power};
use super::door::Door;
use super::refusal::{Code, Refusal};
use super::{sse, wire};
use crate::shell::handle::Stopping;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{self, MethodRouter};
use axum::{Extension, Json};
use hub::user::{Command, Reply};
use serde::de::DeserializeOwned;
use std::sync::Arc;

pub const OPENAPI: &str = include_str!("openapi.json");

type Shared = State<Arc<Door>>;

pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) power: Power,
    pub(super) handler: MethodRouter<Arc<Door>>,
    /// What the contract says of it.
    #[cfg(test)]
    pub(super) operation: super::described::Operation,
}

/// `METHOD PATH POWER HANDLER`, and its description in `described`: no route goes without.
macro_rules! route {
    (get $($rest:tt)+) => { route!(@ GET get $($rest)+) };
    (post $($rest:tt)+) => { route!(@ POST post $($rest)+) };
    (@ $method:ident $verb:ident $path:literal $power:ident $handler:path => $operation:ident) => {
        Route {
            method: Method::$method,
            path: $path,
            power: Power::$power,
            handler: routing::$verb($handler),
            #[cfg(test)]
            operation: super::described::$operation(),
        }
    };
}

/// Every route of `/v1`, once: the router, what it takes to come in and the contract are made of it.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(get "/v1/health" Open health => health),
        route!(get "/v1/openapi.json" Open openapi => openapi),
        route!(get "/v1/status" Calls status => status),
        route!(get "/v1/devices" Calls devices => devices),
        route!(get "/v1/calls" Calls calls => calls),
        route!(post "/v1/calls" Calls create_call => create_call),
        route!(get "/v1/calls/{id}" Calls call => call),
        route!(post "/v1/calls/{id}/{action}" Calls act => act),
        route!(get "/v1/updates" Calls updates => updates),
        route!(post "/v1/updates/{offer}/install" Updates install => install),
        route!(get "/v1/events" Calls sse::events => events),
    ]
}

/// What it takes to use a route; `None` = there is none.
pub(super) fn power(method: &Method, path: &str) -> Option<Power> {
    routes().iter().find(|r| r.method == *method && r.path == path).map(|r| r.power)
}

async fn health(State(door): Shared) -> Json<wire::Health> {
    Json(wire::Health { product: wire::PRODUCT, version: door.handle.view().version.clone(), api: 1 })
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], OPENAPI).into_response()
}

async fn status(State(door): Shared, Extension(caller): Extension<Caller>) -> Json<wire::Status> {
    Json(wire::Status::seen_by(&door.handle.view(), caller.reads(&door)))
}

async fn devices(State(door): Shared, Extension(caller): Extension<Caller>) -> Json<wire::Devices> {
    let (view, reader) = (door.handle.view(), caller.reads(&door));
    Json(wire::Devices { devices: view.devices.iter().map(|d| wire::Device::seen_by(d, reader)).collect() })
}

async fn calls(State(door): Shared, Extension(caller): Extension<Caller>) -> Json<wire::Calls> {
    let view = door.handle.view();
    Json(wire::Calls {
        calls: view.calls.iter().map(|c| wire::Call::seen_by(c, caller.reads(&door))).collect(),
    })
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
    Ok(Json(wire::Call::seen_by(call, caller.reads(&door))))
}

async fn create_call(
    State(door): Shared,
    Extension(caller): Extension<Caller>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let wire::CreateCall { direction, contact, muted } = parse(body)?;
    if contact.as_ref().is_some_and(|c| c.chars().count() > wire::MAX_CONTACT) {
        let what = format!("A contact has at most {} characters", wire::MAX_CONTACT);
        return Err(Refusal::invalid(what, "contact"));
    }
    let (client, label) = caller.softphone()?;
    let command = Command::CreateCall { client, label, direction: direction.into(), contact, muted };
    let call = answered_call(ask(&door, command).await?)?;
    let call = wire::Call::seen_by(&call, caller.reads(&door));
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
    let known = wire::ACTIONS.into_iter().find(|(word, _)| *word == action);
    let (_, action) = known.ok_or_else(|| Refusal::not_found(&format!("/v1/calls/{id}/{action}")))?;
    let number = call_number(&id)?;
    no_body(body)?;
    let (client, _) = caller.softphone()?;
    let command = Command::Call { client, id: number, action };
    let call = answered_call(ask(&door, command).await?)?;
    Ok(Json(wire::Call::seen_by(&call, caller.reads(&door))))
}

async fn updates(State(door): Shared, Extension(caller): Extension<Caller>) -> Json<wire::Updates> {
    Json(wire::Updates::seen_by(&door.handle.view(), caller.reads(&door)))
}

async fn install(
    State(door): Shared,
    offer: Result<Path<String>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let Path(offer) = offer?;
    no_body(body)?;
    ask(&door, Command::Install { offer: offer.clone() }).await?;
    Ok((StatusCode::ACCEPTED, Json(wire::Accepted { offer })).into_response())
}

async fn ask(door: &Door, command: Command) -> Result<Reply, Refusal> {
    match door.handle.command(command).await {
        Ok(Reply::Refused(refusal)) => Err(Refusal::by_agent(&refusal)),
        Ok(reply) => Ok(reply),
        Err(Stopping) => Err(Refusal::stopping()),
    }
}

fn answered_call(reply: Reply) -> Result<hub::protocol::local::Call, Refusal> {
    match reply {
        Reply::Call(call) => Ok(call),
        Reply::Done | Reply::Stranger(_) | Reply::Spokes(_) | Reply::Refused(_) => Err(Refusal::new(
            Code::NoCallInAnswer,
            "The agent did not say which call",
            "the agent",
            "GET /v1/calls shows what there is; please report this.",
        )),
    }
}

fn call_number(id: &str) -> Result<u64, Refusal> {
    id.parse().map_err(|_| Refusal::no_such_call(id))
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
            return Refusal::new(Code::BodyTooLarge, what, "the body", "Send less.");
        }
        Refusal::invalid(rejection.body_text(), "the body")
    })
}

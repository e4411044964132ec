//! What hosts say about themselves.

use std::io::Read as _;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;
use tenant::paths::EVENTS_MEDIA_TYPE;
use tenant::wire::{
    DeviceRegistration, EventBatch, EventsAnswer, HostRegistration, MAX_BODY_BYTES, ManualGroups,
    UpdateStatus, UserRegistration,
};

use super::Site;
use super::access::Caller;
use super::answer::{Refusal, tagged_json};
use crate::store::Recorded;

pub(super) const JSON: &str = "application/json";

type Body = Result<Bytes, BytesRejection>;
type OnePart = Result<Path<String>, PathRejection>;
type TwoParts = Result<Path<(String, String)>, PathRejection>;

/// Reads a body of the given media type, unpacking gzip. Never holds more than [`MAX_BODY_BYTES`] of either form.
pub(super) fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    expected: &'static str,
) -> Result<T, Refusal> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let media_type = text(CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(expected) {
        return Err(Refusal::MediaType { expected });
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
        _ => Refusal::Body,
    })?;
    match text(CONTENT_ENCODING) {
        None | Some("identity") => Ok(serde_json::from_slice(&body)?),
        Some(encoding) if encoding.eq_ignore_ascii_case("gzip") => {
            Ok(serde_json::from_slice(&unpack(&body)?)?)
        }
        Some(_) => Err(Refusal::MediaType { expected }),
    }
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut plain = Vec::new();
    let cap = u64::try_from(MAX_BODY_BYTES).unwrap_or(u64::MAX) + 1;
    MultiGzDecoder::new(packed).take(cap).read_to_end(&mut plain).map_err(|_| Refusal::Gzip)?;
    if plain.len() > MAX_BODY_BYTES { Err(Refusal::TooLarge) } else { Ok(plain) }
}

fn part<T>(path: Result<Path<T>, PathRejection>) -> Result<T, Refusal> {
    path.map(|Path(part)| part).map_err(|_| Refusal::PathEncoding)
}

fn equal(in_path: &str, in_body: &str, field: &'static str) -> Result<(), Refusal> {
    if in_path == in_body { Ok(()) } else { Err(Refusal::Mismatch { field }) }
}

pub(super) async fn put_host(
    State(site): State<Arc<Site>>,
    caller: Caller,
    path: OnePart,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refusal> {
    let system_id = part(path)?;
    caller.owns(&system_id)?;
    let host: HostRegistration = read(&headers, body, JSON)?;
    host.validate()?;
    equal(&system_id, &host.system_id, "system_id")?;
    site.with_store(move |store, now_s| store.put_host(&host, now_s)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn put_user(
    State(site): State<Arc<Site>>,
    caller: Caller,
    path: TwoParts,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refusal> {
    let (system_id, name) = part(path)?;
    caller.owns(&system_id)?;
    let user: UserRegistration = read(&headers, body, JSON)?;
    user.validate()?;
    equal(&name, &user.user, "user")?;
    site.with_store(move |store, now_s| store.put_user(&system_id, &user, now_s)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn get_groups(
    State(site): State<Arc<Site>>,
    caller: Caller,
    path: TwoParts,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (system_id, user) = part(path)?;
    caller.owns(&system_id)?;
    let groups = site.with_store(move |store, _| store.manual_groups(&user)).await?;
    tagged_json(&headers, &ManualGroups { groups })
}

pub(super) async fn put_device(
    State(site): State<Arc<Site>>,
    caller: Caller,
    path: TwoParts,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refusal> {
    let (system_id, device_id) = part(path)?;
    caller.owns(&system_id)?;
    let device: DeviceRegistration = read(&headers, body, JSON)?;
    device.validate()?;
    equal(&device_id, &device.device_id, "device_id")?;
    site.with_store(move |store, now_s| store.put_device(&system_id, &device, now_s)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn put_update(
    State(site): State<Arc<Site>>,
    caller: Caller,
    path: TwoParts,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refusal> {
    let (system_id, event_id) = part(path)?;
    caller.owns(&system_id)?;
    let status: UpdateStatus = read(&headers, body, JSON)?;
    status.validate()?;
    equal(&event_id, &status.event_id, "event_id")?;
    match site.with_store(move |store, now_s| store.put_update(&system_id, &status, now_s)).await? {
        Recorded::Done => Ok(StatusCode::NO_CONTENT),
        Recorded::Conflict => Err(Refusal::Conflict),
    }
}

pub(super) async fn post_events(
    State(site): State<Arc<Site>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<EventsAnswer>, Refusal> {
    let batch: EventBatch = read(&headers, body, EVENTS_MEDIA_TYPE)?;
    batch.validate()?;
    let system_id = caller.into_system_id();
    site.with_store(move |store, now_s| store.put_events(&system_id, &batch, now_s)).await.map(Json)
}

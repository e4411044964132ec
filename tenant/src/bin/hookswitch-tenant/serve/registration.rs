//! What hosts say about themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use tenant::paths::EVENTS_MEDIA_TYPE;
use tenant::wire::{
    DeviceRegistration, EventBatch, EventsAnswer, HostRegistration, ManualGroups, UpdateStatus,
    UserRegistration,
};

use super::Site;
use super::access::Caller;
use super::answer::{Refusal, tagged_json};
use super::body::JSON;
use crate::store::{MOST_DEVICES, MOST_USERS, Recorded};

type OnePart = Result<Path<String>, PathRejection>;
type TwoParts = Result<Path<(String, String)>, PathRejection>;

fn part<T>(path: Result<Path<T>, PathRejection>) -> Result<T, Refusal> {
    path.map(|Path(part)| part).map_err(|_| Refusal::PathEncoding)
}

fn equal(in_path: &str, in_body: &str, field: &'static str) -> Result<(), Refusal> {
    if in_path == in_body { Ok(()) } else { Err(Refusal::Mismatch { field }) }
}

pub(super) async fn put_host(
    State(site): State<Arc<Site>>,
    path: OnePart,
    caller: Caller,
) -> Result<StatusCode, Refusal> {
    let system_id = part(path)?;
    caller.owns(&system_id)?;
    let host: HostRegistration = caller.read(JSON)?;
    host.validate()?;
    equal(&system_id, &host.system_id, "system_id")?;
    site.with_store(move |store, now_s| store.put_host(&host, now_s)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn put_user(
    State(site): State<Arc<Site>>,
    path: TwoParts,
    caller: Caller,
) -> Result<StatusCode, Refusal> {
    let (system_id, name) = part(path)?;
    caller.owns(&system_id)?;
    let user: UserRegistration = caller.read(JSON)?;
    user.validate()?;
    equal(&name, &user.user, "user")?;
    match site.with_store(move |store, now_s| store.put_user(&system_id, &user, now_s)).await? {
        Recorded::Full => Err(Refusal::Quota { what: "users of one host", most: MOST_USERS }),
        Recorded::Done | Recorded::Conflict => Ok(StatusCode::NO_CONTENT),
    }
}

pub(super) async fn get_groups(
    State(site): State<Arc<Site>>,
    path: TwoParts,
    caller: Caller,
) -> Result<Response, Refusal> {
    let (system_id, user) = part(path)?;
    caller.owns(&system_id)?;
    let groups = site.with_store(move |store, _| store.manual_groups(&system_id, &user)).await?;
    let groups = groups.ok_or(Refusal::NoUser)?;
    tagged_json(caller.headers(), &ManualGroups { groups })
}

pub(super) async fn put_device(
    State(site): State<Arc<Site>>,
    path: TwoParts,
    caller: Caller,
) -> Result<StatusCode, Refusal> {
    let (system_id, device_id) = part(path)?;
    caller.owns(&system_id)?;
    let device: DeviceRegistration = caller.read(JSON)?;
    device.validate()?;
    equal(&device_id, &device.device_id, "device_id")?;
    match site.with_store(move |store, now_s| store.put_device(&system_id, &device, now_s)).await? {
        Recorded::Full => Err(Refusal::Quota { what: "devices of one host", most: MOST_DEVICES }),
        Recorded::Done | Recorded::Conflict => Ok(StatusCode::NO_CONTENT),
    }
}

pub(super) async fn put_update(
    State(site): State<Arc<Site>>,
    path: TwoParts,
    caller: Caller,
) -> Result<StatusCode, Refusal> {
    let (system_id, event_id) = part(path)?;
    caller.owns(&system_id)?;
    let status: UpdateStatus = caller.read(JSON)?;
    status.validate()?;
    equal(&event_id, &status.event_id, "event_id")?;
    match site.with_store(move |store, now_s| store.put_update(&system_id, &status, now_s)).await? {
        Recorded::Done | Recorded::Full => Ok(StatusCode::NO_CONTENT),
        Recorded::Conflict => Err(Refusal::Conflict),
    }
}

pub(super) async fn post_events(
    State(site): State<Arc<Site>>,
    caller: Caller,
) -> Result<Json<EventsAnswer>, Refusal> {
    let plain = caller.plain(EVENTS_MEDIA_TYPE)?;
    if let Some(wait) = site.quotas.bytes(caller.system_id(), plain.len()) {
        return Err(Refusal::TooMany { wait, what: "bytes in events of this host" });
    }
    let batch: EventBatch = serde_json::from_slice(&plain)?;
    drop(plain);
    batch.validate()?;
    let system_id = caller.into_system_id();
    if let Some(wait) = site.quotas.events(&system_id, batch.0.len()) {
        return Err(Refusal::TooMany { wait, what: "events of this host" });
    }
    site.with_store(move |store, now_s| store.put_events(&system_id, &batch, now_s)).await.map(Json)
}

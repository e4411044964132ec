//! Bodies of requests: their media type, their packing, their size, their time.

use std::borrow::Cow;
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;
use tenant::wire::MAX_BODY_BYTES;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Site;
use super::answer::Refusal;

pub(super) const JSON: &str = "application/json";

/// A request's place among those that are worked on. Given up while its body comes: who sends it slowly, from however
/// many addresses, holds a connection and nothing else.
#[derive(Clone)]
pub(super) struct Turn {
    slots: Arc<Semaphore>,
    held: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Turn {
    pub(super) fn take(slots: &Arc<Semaphore>) -> Result<Self, Refusal> {
        let held = Arc::clone(slots).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        Ok(Self { slots: Arc::clone(slots), held: Arc::new(Mutex::new(Some(held))) })
    }

    fn held(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_up(&self) {
        self.held().take();
    }

    fn take_again(&self) -> Result<(), Refusal> {
        let held = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        *self.held() = Some(held);
        Ok(())
    }
}

/// A body of the given media type, unpacked. Never holds more than [`MAX_BODY_BYTES`] of either form.
pub(super) fn plain<'a>(
    headers: &HeaderMap,
    body: &'a Bytes,
    expected: &'static str,
) -> Result<Cow<'a, [u8]>, Refusal> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let media_type = text(CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(expected) {
        return Err(Refusal::MediaType { expected });
    }
    match text(CONTENT_ENCODING) {
        None | Some("identity") => Ok(Cow::Borrowed(body)),
        Some(encoding) if encoding.eq_ignore_ascii_case("gzip") => Ok(Cow::Owned(unpack(body)?)),
        Some(_) => Err(Refusal::MediaType { expected }),
    }
}

/// Reads a body of the given media type.
pub(super) fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &Bytes,
    expected: &'static str,
) -> Result<T, Refusal> {
    Ok(serde_json::from_slice(&plain(headers, body, expected)?)?)
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut plain = Vec::new();
    let cap = u64::try_from(MAX_BODY_BYTES).unwrap_or(u64::MAX) + 1;
    MultiGzDecoder::new(packed).take(cap).read_to_end(&mut plain).map_err(|_| Refusal::Gzip)?;
    if plain.len() > MAX_BODY_BYTES { Err(Refusal::TooLarge) } else { Ok(plain) }
}

/// All of a body, within its bound.
pub(super) async fn whole(request: Request, site: &Arc<Site>) -> Result<Bytes, Refusal> {
    let turn = request.extensions().get::<Turn>().cloned();
    if let Some(turn) = &turn {
        turn.give_up();
    }
    let body = Bytes::from_request(request, site).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
        _ => Refusal::Body,
    })?;
    turn.map_or(Ok(()), |turn| turn.take_again())?;
    Ok(body)
}

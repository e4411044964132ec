//! Bodies of requests: their media type, their packing, their size.

use std::io::Read as _;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;
use tenant::wire::MAX_BODY_BYTES;

use super::Site;
use super::answer::Refusal;

pub(super) const JSON: &str = "application/json";

/// Reads a body of the given media type, unpacking gzip. Never holds more than [`MAX_BODY_BYTES`] of either form.
pub(super) fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &Bytes,
    expected: &'static str,
) -> Result<T, Refusal> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let media_type = text(CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(expected) {
        return Err(Refusal::MediaType { expected });
    }
    match text(CONTENT_ENCODING) {
        None | Some("identity") => Ok(serde_json::from_slice(body)?),
        Some(encoding) if encoding.eq_ignore_ascii_case("gzip") => {
            Ok(serde_json::from_slice(&unpack(body)?)?)
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

/// All of a body, within its bound.
pub(super) async fn whole(request: Request, site: &Arc<Site>) -> Result<Bytes, Refusal> {
    Bytes::from_request(request, site).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
        _ => Refusal::Body,
    })
}

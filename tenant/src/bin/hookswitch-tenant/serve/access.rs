//! Who calls: enrolment and access tokens.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequestParts, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use tenant::secret::Secret;
use tenant::wire::{ACCESS_TOKEN_LIFE_S, EnrolRequest, EnrolResponse};

use super::Site;
use super::answer::Refusal;
use super::registration::{JSON, read};
use crate::digest::{random_token, same, sha256};

/// The host whose good access token came with the request.
pub(super) struct Caller {
    system_id: String,
}

impl Caller {
    /// The host itself.
    pub(super) fn into_system_id(self) -> String {
        self.system_id
    }

    /// Refuses a path that is another host's.
    pub(super) fn owns(&self, system_id: &str) -> Result<(), Refusal> {
        if self.system_id == system_id { Ok(()) } else { Err(Refusal::OtherHost) }
    }
}

impl FromRequestParts<Arc<Site>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Refusal> {
        let token = bearer(&parts.headers).ok_or(Refusal::Token)?;
        let system_id = site.with_store(move |store, now_s| store.host_of_token(&token, now_s)).await?;
        system_id.map(|system_id| Self { system_id }).ok_or(Refusal::Token)
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1); the scheme is case-insensitive (RFC 9110 §11.1).
fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && (1..=512).contains(&token.len())).then(|| token.to_owned())
}

pub(super) async fn enrol(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let request: EnrolRequest = read(&headers, body, JSON)?;
    request.validate()?;
    let token = sha256(request.tenant_token.expose().as_bytes());
    // Both are compared whatever the first says, so that the answer's timing does not tell which was wrong.
    let known = same(request.tenant_id.as_bytes(), site.tenant.id.as_bytes());
    let trusted = same(&token, &site.tenant.token_sha256);
    if !(known & trusted) {
        return Err(Refusal::Enrolment);
    }
    let access_token = random_token().map_err(|_| Refusal::Internal)?;
    let issued = access_token.clone();
    site.with_store(move |store, now_s| store.enrol(&request.system_id, &issued, now_s)).await?;
    let answer = EnrolResponse {
        access_token: Secret::new(access_token),
        expires_in_s: ACCESS_TOKEN_LIFE_S,
        root_sha256: site.tenant.root_sha256.clone(),
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

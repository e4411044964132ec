//! Who calls: enrolment, access tokens, and the proof that either is the host's own.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use tenant::secret::Secret;
use tenant::wire::{ACCESS_TOKEN_LIFE_S, EnrolRequest, EnrolResponse};

use super::Site;
use super::answer::Refusal;
use super::body::{self, JSON};
use super::listener::Peer;
use super::proof::Head;
use crate::digest::{random_token, same, sha256};
use crate::store::{Enrolled, Enrolment, TokenHost};

/// The host whose good access token came with a request that its key has signed, and the body of that request.
pub(super) struct Caller {
    system_id: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Caller {
    /// The host itself.
    pub(super) fn into_system_id(self) -> String {
        self.system_id
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What was sent, as [`body::read`].
    pub(super) fn read<T: DeserializeOwned>(&self, expected: &'static str) -> Result<T, Refusal> {
        body::read(&self.headers, &self.body, expected)
    }

    /// Refuses a path that is another host's.
    pub(super) fn owns(&self, system_id: &str) -> Result<(), Refusal> {
        if self.system_id == system_id { Ok(()) } else { Err(Refusal::OtherHost) }
    }
}

impl FromRequest<Arc<Site>> for Caller {
    type Rejection = Refusal;

    /// The body is read when the rest was found good.
    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Refusal> {
        let head = Head::from(&request);
        let token = bearer(&head.headers).ok_or(Refusal::Token)?;
        let host = site.with_store(move |store, now_s| store.host_of_token(&token, now_s)).await?;
        let TokenHost { system_id, host_key, is_due } = host.ok_or(Refusal::Token)?;
        let signed = site.nonces.check(&head, &host_key)?;
        // After the proof: nobody uses up what is another host's.
        if let Some(wait) = site.quotas.request(&system_id) {
            return Err(Refusal::TooMany { wait, what: "requests of this host" });
        }
        let body = body::whole(request, site).await?;
        signed.is_of(&body)?;
        if is_due {
            let id = system_id.clone();
            site.with_store(move |store, now_s| store.saw_host(&id, now_s)).await?;
        }
        Ok(Self { system_id, headers: head.headers, body })
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1); the scheme is case-insensitive (RFC 9110 §11.1).
fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && (1..=512).contains(&token.len())).then(|| token.to_owned())
}

pub(super) async fn enrol(State(site): State<Arc<Site>>, request: Request) -> Result<Response, Refusal> {
    let head = Head::from(&request);
    let peer = request.extensions().get::<Peer>().copied();
    let body = body::whole(request, &site).await?;
    let request: EnrolRequest = body::read(&head.headers, &body, JSON)?;
    request.validate()?;
    let token = sha256(request.tenant_token.expose().as_bytes());
    // Both are compared whatever the first says, so that the answer's timing does not tell which was wrong.
    let known = same(request.tenant_id.as_bytes(), site.tenant.id.as_bytes());
    let trusted = same(&token, &site.tenant.token_sha256);
    if !(known & trusted) {
        return Err(Refusal::Enrolment);
    }
    site.nonces.check(&head, &request.host_key)?.is_of(&body)?;
    let access_token = random_token().map_err(|_| Refusal::Internal)?;
    let enrolment = Enrolment {
        system_id: request.system_id,
        host_key: request.host_key,
        token: access_token.clone(),
        peer: peer.map_or_else(String::new, |peer| peer.0.ip().to_string()),
    };
    let at = Arc::clone(&site);
    let enrolled = site.with_store(move |store, now_s| {
        let known = store.knows(&enrolment.system_id)?;
        let wait = peer.filter(|_| !known).and_then(|peer| at.quotas.new_host(peer.network()));
        match wait {
            Some(wait) => Ok(Err(Refusal::TooMany { wait, what: "new hosts from this address" })),
            None => store.enrol(&enrolment, at.most_hosts, now_s).map(Ok),
        }
    });
    match enrolled.await?? {
        Enrolled::Done => {}
        Enrolled::OtherKey => return Err(Refusal::HostKey),
        Enrolled::Full => return Err(Refusal::Quota { what: "hosts", most: site.most_hosts }),
    }
    let answer = EnrolResponse {
        access_token: Secret::new(access_token),
        expires_in_s: ACCESS_TOKEN_LIFE_S,
        root_sha256: site.tenant.root_sha256.clone(),
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

//! Answers that are not the happy ones, and the headers all answers share.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{
    CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::response::{IntoResponse, Response};
use rusqlite::ErrorCode;
use serde::Serialize;
use tenant::paths::CONTRACT;
use tenant::paths::PROBLEM_MEDIA_TYPE;
use tenant::refusal::Code;
use tenant::wire::{MAX_BODY_BYTES, PROBLEM_PREFIX, Problem, WireError};
use thiserror::Error;

use super::guard::Wrong;
use crate::digest::sha256;
use crate::store::StoreError;

/// Why a request was refused. The text is the problem's `detail`.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    #[error("tenant id or tenant token is not the one of this tenant; check TENANT_ID and TENANT_TOKEN")]
    Enrolment,
    #[error("no good access token; enrol again")]
    Token,
    #[error("{0}")]
    Proof(&'static str),
    #[error("the proof was used before or its nonce is too old; sign again with the nonce of this answer")]
    ProofStale,
    #[error(
        "this system_id is enrolled with another key; if the host lost its key: hookswitch-tenant hosts reset, if not: \
         somebody else has the tenant token"
    )]
    HostKey,
    #[error("this server speaks version {CONTRACT} of the contract: upgrade the agent")]
    Contract,
    #[error("the access token is another host's")]
    OtherHost,
    #[error("body: {0}")]
    Json(#[from] serde_json::Error),
    #[error("body: {0}")]
    Wire(#[from] WireError),
    #[error("body: {field} is not the one in the path")]
    Mismatch { field: &'static str },
    #[error("path: a segment is not UTF-8")]
    PathEncoding,
    #[error("body: could not be read to its end")]
    Body,
    #[error("body: not gzip data, though Content-Encoding says so")]
    Gzip,
    #[error("body: more than {MAX_BODY_BYTES} bytes, counted after decompression")]
    TooLarge,
    #[error("expected Content-Type {expected}, and Content-Encoding gzip or none")]
    MediaType { expected: &'static str },
    #[error("a different final verdict is recorded under this event_id; a new update needs a new one")]
    Conflict,
    #[error("range: the file has {length} bytes")]
    Range { length: u64 },
    #[error("nothing here")]
    NotFound,
    #[error("another method is meant; see /openapi.json")]
    Method,
    #[error("too much to do at the moment")]
    Busy,
    #[error("too many {what} in a short time; come back in {} s", .wait.as_secs() + 1)]
    TooMany { what: &'static str, wait: Duration },
    #[error("this tenant keeps no more than {most} {what}; its operator can remove some")]
    Quota { what: &'static str, most: u32 },
    #[error("no such user at this host; register the user first")]
    NoUser,
    #[error("the server failed; its operator finds the cause in its log")]
    Internal,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        eprintln!("hookswitch-tenant: {error}");
        let StoreError::Sqlite(sqlite) = error else { return Self::Internal };
        match sqlite.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull) => Self::Busy,
            _ => Self::Internal,
        }
    }
}

impl Refusal {
    /// What programs go by.
    fn code(&self) -> Code {
        match self {
            Self::Enrolment => Code::Enrolment,
            Self::Token => Code::Token,
            Self::Proof(_) => Code::Proof,
            Self::ProofStale => Code::ProofStale,
            Self::HostKey => Code::HostKey,
            Self::Contract => Code::Contract,
            Self::OtherHost => Code::OtherHost,
            Self::Json(_) | Self::Wire(_) | Self::Mismatch { .. } => Code::Field,
            Self::PathEncoding => Code::Path,
            Self::Body | Self::Gzip => Code::Body,
            Self::TooLarge => Code::TooLarge,
            Self::MediaType { .. } => Code::MediaType,
            Self::Conflict => Code::Verdict,
            Self::Range { .. } => Code::Range,
            Self::NotFound => Code::NotFound,
            Self::Method => Code::Method,
            Self::TooMany { .. } => Code::TooMany,
            Self::Quota { .. } => Code::Quota,
            Self::NoUser => Code::User,
            Self::Busy => Code::Busy,
            Self::Internal => Code::Internal,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let code = self.code();
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let problem = Problem {
            kind: format!("{PROBLEM_PREFIX}{}", code.word()),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: Some(self.to_string()),
        };
        let mut response = (status, Json(problem)).into_response();
        if matches!(self, Self::Enrolment | Self::Token | Self::Proof(_)) {
            response.extensions_mut().insert(Wrong);
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        match self {
            Self::Enrolment => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"enrol\""));
            }
            Self::Token => {
                let challenge = "Bearer realm=\"hookswitch\", error=\"invalid_token\"";
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            Self::Proof(_) | Self::ProofStale => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Signature realm=\"hookswitch\""));
            }
            Self::Busy => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::TooMany { wait, .. } => {
                headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
            }
            Self::Range { length } => {
                if let Ok(value) = HeaderValue::from_str(&format!("bytes */{length}")) {
                    headers.insert(CONTENT_RANGE, value);
                }
            }
            _ => {}
        }
        response
    }
}

/// A JSON answer with an `ETag`, or 304 when the caller has it.
pub(super) fn tagged_json<T: Serialize>(headers: &HeaderMap, value: &T) -> Result<Response, Refusal> {
    let body = serde_json::to_vec(value).map_err(|_| Refusal::Internal)?;
    Ok(tagged(headers, "application/json", body))
}

/// An answer with the hash of its body as `ETag`, or 304 when the caller has it.
pub(super) fn tagged(headers: &HeaderMap, media_type: &'static str, body: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", hex::encode(sha256(&body)));
    if has(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    ([(ETAG, tag), (CONTENT_TYPE, media_type.to_owned())], body).into_response()
}

/// Whether `If-None-Match` (RFC 9110 §13.1.2, weak comparison) names the tag.
pub(super) fn has(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
    })
}

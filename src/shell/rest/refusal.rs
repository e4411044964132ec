//! Errors as RFC 9457 problem documents.

use super::wire;
use crate::protocol::Problem;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A request that is not carried out, and why.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    // Boxed: handlers return it in a Result.
    pub(super) problem: Box<Problem>,
}

#[derive(Serialize)]
struct Document {
    status: u16,
    title: &'static str,
    #[serde(flatten)]
    problem: wire::Problem,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, problem: Problem) -> Self {
        Self { status, problem: Box::new(problem) }
    }

    /// The agent's own refusal: its code decides the status.
    pub(super) fn by_agent(problem: Problem) -> Self {
        let status = match problem.code.as_str() {
            "no-such-call" | "no-such-offer" | "no-such-device" => StatusCode::NOT_FOUND,
            "not-your-call" => StatusCode::FORBIDDEN,
            "invalid-request" => StatusCode::BAD_REQUEST,
            "too-many-calls" => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::CONFLICT,
        };
        Self::new(status, problem)
    }

    pub(super) fn stopping() -> Self {
        let problem =
            Problem::new("agent-stopping", "The agent is stopping", "hookswitch", "Start it again.");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, problem)
    }

    pub(super) fn invalid(what: impl Into<String>, place: impl Into<String>) -> Self {
        let next = "Compare the request with /v1/openapi.json.";
        Self::new(StatusCode::BAD_REQUEST, Problem::new("invalid-request", what, place, next))
    }

    pub(super) fn no_such_call(id: &str) -> Self {
        let next = "GET /v1/calls lists the calls there are.";
        let problem = Problem::new("no-such-call", "There is no such call", id, next);
        Self::new(StatusCode::NOT_FOUND, problem)
    }

    pub(super) fn not_found(path: &str) -> Self {
        let next = "/v1/openapi.json lists what there is.";
        Self::new(StatusCode::NOT_FOUND, Problem::new("not-found", "There is nothing here", path, next))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let document = Document {
            status: self.status.as_u16(),
            title: self.status.canonical_reason().unwrap_or("Error"),
            problem: self.problem.as_ref().into(),
        };
        let body = serde_json::to_string(&document).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        (self.status, [(header::CONTENT_TYPE, kind)], body).into_response()
    }
}

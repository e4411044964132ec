//! Errors as RFC 9457 problem documents.

use super::wire;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub::user::{self, WhyNot};
use serde::Serialize;

/// A request that is not carried out, and why. For the softphone's developer: English, unlike the problems of a view.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    // Boxed: handlers return it in a Result.
    pub(super) problem: Box<wire::Problem>,
}

#[derive(Serialize)]
struct Document {
    status: u16,
    title: &'static str,
    #[serde(flatten)]
    problem: wire::Problem,
}

/// `%` without two hexadecimal digits behind it, or bytes that are not UTF-8.
impl From<PathRejection> for Refusal {
    fn from(_: PathRejection) -> Self {
        Self::invalid("The path is not UTF-8 in percent-encoding (RFC 3986 section 2.1)", "path")
    }
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        code: &str,
        what: impl Into<String>,
        place: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        let (what, place, next) = (what.into(), place.into(), next.into());
        Self { status, problem: Box::new(wire::Problem { code: code.to_owned(), what, place, next }) }
    }

    /// The agent's own refusal.
    pub(super) fn by_agent(refusal: &user::Refusal) -> Self {
        let status = match refusal.why {
            WhyNot::NoSuchCall | WhyNot::NoSuchOffer | WhyNot::NoSuchDevice | WhyNot::NoSuchSoftphone => {
                StatusCode::NOT_FOUND
            }
            WhyNot::NotYourCall | WhyNot::Locked => StatusCode::FORBIDDEN,
            WhyNot::NoName => StatusCode::BAD_REQUEST,
            WhyNot::NoAnswer | WhyNot::MachineAway => StatusCode::SERVICE_UNAVAILABLE,
            WhyNot::TooManyCalls => StatusCode::TOO_MANY_REQUESTS,
            WhyNot::WrongCallState | WhyNot::Machine | WhyNot::NotKept | WhyNot::AtWork => {
                StatusCode::CONFLICT
            }
        };
        Self { status, problem: Box::new((&refusal.problem).into()) }
    }

    pub(super) fn stopping() -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, "agent-stopping", "The agent is stopping", "hookswitch", "Start it again.")
    }

    pub(super) fn invalid(what: impl Into<String>, place: impl Into<String>) -> Self {
        let next = "Compare the request with /v1/openapi.json.";
        Self::new(StatusCode::BAD_REQUEST, "invalid-request", what, place, next)
    }

    pub(super) fn unauthorized(what: &str) -> Self {
        let next =
            "Read `token` from endpoint.json in the agent's folder and send it as Authorization: Bearer.";
        Self::new(StatusCode::UNAUTHORIZED, "token-needed", what, "the header Authorization", next)
    }

    /// There is another way in than the token.
    pub(super) fn unauthorized_or(what: &str, way: &str) -> Self {
        let mut refusal = Self::unauthorized(what);
        refusal.problem.next = format!("{} {way}", refusal.problem.next);
        refusal
    }

    pub(super) fn no_such_call(id: &str) -> Self {
        let next = "GET /v1/calls lists the calls there are.";
        Self::new(StatusCode::NOT_FOUND, "no-such-call", "There is no such call", id, next)
    }

    pub(super) fn not_found(path: &str) -> Self {
        let next = "/v1/openapi.json lists what there is.";
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here", path, next)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status;
        let document = Document {
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or("Error"),
            problem: *self.problem,
        };
        let body = serde_json::to_string(&document).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        (status, [(header::CONTENT_TYPE, kind)], body).into_response()
    }
}

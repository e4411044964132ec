//! Errors as RFC 9457 problem documents.

use super::wire;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub::user::{self, WhyNot};
use serde::Serialize;

/// Why a request is not carried out, where it is the door that says so. Each has its word and its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    AgentStopping,
    BodyTooLarge,
    BodyTooSlow,
    ContentType,
    HostNotLocal,
    InvalidRequest,
    MethodNotAllowed,
    NoCallInAnswer,
    NoSuchCall,
    NotForPages,
    NotFound,
    OriginDenied,
    OriginNotApprovable,
    OriginNotApproved,
    ProgramDenied,
    TokenNeeded,
    TooManyWrongTokens,
}

impl Code {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::AgentStopping => "agent-stopping",
            Self::BodyTooLarge => "body-too-large",
            Self::BodyTooSlow => "body-too-slow",
            Self::ContentType => "content-type",
            Self::HostNotLocal => "host-not-local",
            Self::InvalidRequest => "invalid-request",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::NoCallInAnswer => "no-call-in-answer",
            Self::NoSuchCall => "no-such-call",
            Self::NotForPages => "not-for-pages",
            Self::NotFound => "not-found",
            Self::OriginDenied => "origin-denied",
            Self::OriginNotApprovable => "origin-not-approvable",
            Self::OriginNotApproved => "origin-not-approved",
            Self::ProgramDenied => "program-denied",
            Self::TokenNeeded => "token-needed",
            Self::TooManyWrongTokens => "too-many-wrong-tokens",
        }
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::TokenNeeded => StatusCode::UNAUTHORIZED,
            Self::NotForPages
            | Self::OriginDenied
            | Self::OriginNotApprovable
            | Self::OriginNotApproved
            | Self::ProgramDenied => StatusCode::FORBIDDEN,
            Self::NoSuchCall | Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::HostNotLocal => StatusCode::MISDIRECTED_REQUEST,
            Self::TooManyWrongTokens => StatusCode::TOO_MANY_REQUESTS,
            Self::NoCallInAnswer => StatusCode::INTERNAL_SERVER_ERROR,
            Self::AgentStopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Status of what the agent itself refuses.
pub(super) fn status(why: WhyNot) -> StatusCode {
    match why {
        WhyNot::NoSuchCall | WhyNot::NoSuchOffer | WhyNot::NoSuchDevice | WhyNot::NoSuchSoftphone => {
            StatusCode::NOT_FOUND
        }
        WhyNot::NotYourCall | WhyNot::Locked => StatusCode::FORBIDDEN,
        WhyNot::NoName => StatusCode::BAD_REQUEST,
        WhyNot::NoAnswer | WhyNot::MachineAway => StatusCode::SERVICE_UNAVAILABLE,
        WhyNot::TooManyCalls => StatusCode::TOO_MANY_REQUESTS,
        WhyNot::WrongCallState | WhyNot::Machine | WhyNot::NotKept | WhyNot::AtWork => StatusCode::CONFLICT,
    }
}

/// A request that is not carried out, and why. For the softphone's developer: English, unlike the problems of a view.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    // Boxed: handlers return it in a Result.
    pub(super) problem: Box<wire::Problem>,
}

/// RFC 9457.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ProblemDocument"))]
pub(super) struct Document {
    #[cfg_attr(test, schemars(range(min = 400, max = 599)))]
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
        code: Code,
        what: impl Into<String>,
        place: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        let (what, place, next) = (what.into(), place.into(), next.into());
        let problem = wire::Problem { code: code.word().to_owned(), what, place, next };
        Self { status: code.status(), problem: Box::new(problem) }
    }

    /// The agent's own refusal.
    pub(super) fn by_agent(refusal: &user::Refusal) -> Self {
        Self { status: status(refusal.why), problem: Box::new((&refusal.problem).into()) }
    }

    /// Not of the name that this computer was called by.
    pub(super) fn is_of_request(&self) -> bool {
        self.status != Code::HostNotLocal.status()
    }

    pub(super) fn stopping() -> Self {
        Self::new(Code::AgentStopping, "The agent is stopping", "hookswitch", "Start it again.")
    }

    pub(super) fn invalid(what: impl Into<String>, place: impl Into<String>) -> Self {
        let next = "Compare the request with /v1/openapi.json.";
        Self::new(Code::InvalidRequest, what, place, next)
    }

    pub(super) fn unauthorized(what: &str) -> Self {
        let next =
            "Read `token` from endpoint.json in the agent's folder and send it as Authorization: Bearer.";
        Self::new(Code::TokenNeeded, what, "the header Authorization", next)
    }

    /// There is another way in than the token.
    pub(super) fn unauthorized_or(what: &str, way: &str) -> Self {
        let mut refusal = Self::unauthorized(what);
        refusal.problem.next = format!("{} {way}", refusal.problem.next);
        refusal
    }

    pub(super) fn no_such_call(id: &str) -> Self {
        let next = "GET /v1/calls lists the calls there are.";
        Self::new(Code::NoSuchCall, "There is no such call", id, next)
    }

    pub(super) fn not_found(path: &str) -> Self {
        let next = "/v1/openapi.json lists what there is.";
        Self::new(Code::NotFound, "There is nothing here", path, next)
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

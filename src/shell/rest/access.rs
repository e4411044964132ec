//! Who may come in: Host, Origin, token, content type; and what every answer says about itself.
//!
//! Browsers are told apart by their Origin, which pages cannot choose, and must be on the list of approved ones.
//! Programs have no Origin: they show the token of `endpoint.json`, which only this user's programs can read.

use super::Door;
use super::refusal::Refusal;
use crate::shell::handle::Event;
use crate::shell::secret;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Longest name of a native client, in characters.
const MAX_CLIENT_CHARS: usize = 64;
/// Longest origin that is shown to the person, in bytes.
const MAX_ORIGIN_BYTES: usize = 255;
/// Origins whose wish to be approved was shown once in this run.
const MAX_ASKED: usize = 16;
/// Name of the function whose problem is "somebody waits for approval".
const APPROVAL: &str = "sdk-approval";

/// Whom the door deals with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A page of an approved origin.
    Page { origin: String },
    /// A program that showed the token.
    Program { name: String },
    /// Nobody yet: may ask for health and the contract, and be told how to be approved.
    Stranger { origin: Option<String> },
}

impl Caller {
    /// The name calls are owned under.
    pub(super) fn client(&self) -> &str {
        match self {
            Self::Page { origin } => origin,
            Self::Program { name } => name,
            Self::Stranger { .. } => "",
        }
    }

    /// Approvals can be taken back while a stream is open.
    pub(super) fn still_welcome(&self, door: &Door) -> bool {
        match self {
            Self::Page { origin } => parse(origin).is_some_and(|o| door.approves(&o)),
            Self::Program { .. } => true,
            Self::Stranger { .. } => false,
        }
    }
}

/// Which rules a path has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Area {
    /// Read by anybody on this computer.
    Open,
    /// The legacy door answers in its own envelope.
    Spokes,
    Guarded,
}

fn area(path: &str) -> Area {
    match path {
        "/v1/health" | "/v1/openapi.json" => Area::Open,
        _ if super::spokes::is_spokes(path) => Area::Spokes,
        _ => Area::Guarded,
    }
}

/// Origins that asked in vain, so that each is shown once.
#[derive(Debug, Default)]
pub(super) struct Asked {
    seen: Vec<String>,
    shown: Option<String>,
}

/// First and last hand on every request.
pub(super) async fn guard(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let admitted = admit(&door, &request);
    let mut allowed_origin = None;
    let mut response = match admitted {
        Ok(caller) => {
            match &caller {
                Caller::Page { origin } => {
                    allowed_origin = HeaderValue::from_str(origin).ok();
                    door.no_longer_asks(origin).await;
                }
                Caller::Stranger { origin: Some(origin) } => door.asks(origin).await,
                Caller::Program { .. } | Caller::Stranger { origin: None } => {}
            }
            if request.method() == Method::OPTIONS && allowed_origin.is_some() {
                preflight(request.headers())
            } else {
                request.extensions_mut().insert(caller);
                next.run(request).await
            }
        }
        Err(refusal) => {
            if refusal.problem.code == "origin-not-approved" {
                door.asks(&refusal.problem.place).await;
            }
            refusal.into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed_origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("location"));
    }
    response
}

fn admit(door: &Door, request: &Request) -> Result<Caller, Refusal> {
    check_host(door.port, request)?;
    let headers = request.headers();
    let area = area(request.uri().path());
    let caller = identify(door, headers, area)?;
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) && !is_json(headers) {
        let what = "A request that changes something must be application/json";
        let place = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or("no content type");
        let next = "Send the header Content-Type: application/json.";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", what, place, next));
    }
    Ok(caller)
}

/// A foreign Host is a foreign name that was made to resolve to this computer (DNS rebinding).
fn check_host(port: u16, request: &Request) -> Result<(), Refusal> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().unwrap_or("not text"),
        _ => "no single Host header",
    };
    let ours = |host: &str| {
        ["127.0.0.1", "[::1]", "localhost"]
            .iter()
            .any(|name| host.eq_ignore_ascii_case(&format!("{name}:{port}")))
    };
    if ours(host) && request.uri().authority().is_none_or(|a| ours(a.as_str())) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::MISDIRECTED_REQUEST,
        "host-not-local",
        "This door answers to this computer's own names only",
        host.chars().take(MAX_ORIGIN_BYTES).collect::<String>(),
        format!("Use https://127.0.0.1:{port}, https://[::1]:{port} or https://localhost:{port}."),
    ))
}

fn identify(door: &Door, headers: &HeaderMap, area: Area) -> Result<Caller, Refusal> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    if let Some(value) = origins.next() {
        let given = value.to_str().unwrap_or("not text");
        let origin = parse(given).filter(|_| origins.next().is_none());
        return match origin {
            Some(origin) if door.approves(&origin) => {
                Ok(Caller::Page { origin: origin.ascii_serialization() })
            }
            origin if area == Area::Spokes => {
                Ok(Caller::Stranger { origin: origin.map(|o| o.ascii_serialization()) })
            }
            _ => Err(not_approved(given)),
        };
    }
    if let Some(token) = text(headers, header::AUTHORIZATION.as_str()).and_then(bearer) {
        if secret::same(&door.token, token) {
            return Ok(Caller::Program { name: program_name(headers)? });
        }
        return Err(unauthorized("The token is not the one of this run"));
    }
    match area {
        Area::Open => Ok(Caller::Stranger { origin: None }),
        Area::Spokes => Ok(by_referer(door, headers)),
        Area::Guarded => Err(unauthorized("A program must show the token of this run")),
    }
}

/// Script elements send no Origin, but a Referer that their page cannot point elsewhere.
fn by_referer(door: &Door, headers: &HeaderMap) -> Caller {
    let origin = text(headers, header::REFERER.as_str())
        .and_then(|referer| url::Url::parse(referer).ok())
        .map(|url| url.origin())
        .filter(url::Origin::is_tuple);
    match origin {
        Some(origin) if door.approves(&origin) => Caller::Page { origin: origin.ascii_serialization() },
        origin => Caller::Stranger { origin: origin.map(|o| o.ascii_serialization()) },
    }
}

/// An origin in the one spelling browsers send: scheme, host, port, nothing else.
pub(super) fn parse(text: &str) -> Option<url::Origin> {
    let origin = url::Url::parse(text).ok()?.origin();
    (origin.is_tuple() && origin.ascii_serialization() == text).then_some(origin)
}

fn not_approved(origin: &str) -> Refusal {
    let origin: String = origin.chars().take(MAX_ORIGIN_BYTES).collect();
    Refusal::new(
        StatusCode::FORBIDDEN,
        "origin-not-approved",
        "This web page may not use the headset yet",
        origin.clone(),
        format!(
            "Add \"{origin}\" to sdk_approved in hookswitch.toml, or ask the company's IT to approve it for everybody."
        ),
    )
}

fn unauthorized(what: &str) -> Refusal {
    let next = "Read `token` from endpoint.json in the agent's folder and send it as Authorization: Bearer.";
    Refusal::new(StatusCode::UNAUTHORIZED, "token-needed", what, "the header Authorization", next)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// `X-Hookswitch-Client`, else the product of the User-Agent.
fn program_name(headers: &HeaderMap) -> Result<String, Refusal> {
    let place = "the header X-Hookswitch-Client";
    let name = match headers.get("x-hookswitch-client") {
        Some(value) => {
            value.to_str().map_err(|_| Refusal::invalid("A client name is ASCII text", place))?.trim()
        }
        None => {
            let agent = text(headers, header::USER_AGENT.as_str()).unwrap_or_default();
            agent.split([' ', '/']).next().filter(|n| !n.is_empty()).unwrap_or("program")
        }
    };
    if name.is_empty() || name.len() > MAX_CLIENT_CHARS {
        return Err(Refusal::invalid("A client name has 1 to 64 characters", place));
    }
    if name.contains("://") {
        return Err(Refusal::invalid("Names with :// belong to web pages", place));
    }
    Ok(name.to_owned())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    kind.split(';').next().is_some_and(|k| k.trim().eq_ignore_ascii_case("application/json"))
}

fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    let allowed = HeaderValue::from_static("content-type, last-event-id");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if asked.contains_key("access-control-request-private-network") {
        headers.insert("access-control-allow-private-network", HeaderValue::from_static("true"));
    }
    response
}

impl Door {
    /// Exactly on the person's or the company's list. Read anew each time: both change while we run.
    pub(super) fn approves(&self, origin: &url::Origin) -> bool {
        let on = |list: &[String]| list.iter().filter_map(|text| parse(text)).any(|o| o == *origin);
        on(&self.approved.borrow()) || on(&self.handle.view().tenant.sdk_approved)
    }

    /// Shows the person, once, that a page waits for approval.
    async fn asks(&self, origin: &str) {
        if origin.len() > MAX_ORIGIN_BYTES || parse(origin).is_none() {
            return;
        }
        {
            let mut asked = self.asked.lock().await;
            if asked.seen.len() == MAX_ASKED || asked.seen.iter().any(|seen| seen == origin) {
                return;
            }
            asked.seen.push(origin.to_owned());
            asked.shown = Some(origin.to_owned());
        }
        let problem = super::asks_for_approval(origin);
        let _ = self.handle.send(Event::Function { name: APPROVAL, problem: Some(problem) }).await;
    }

    async fn no_longer_asks(&self, origin: &str) {
        {
            let mut asked = self.asked.lock().await;
            if asked.shown.as_deref() != Some(origin) {
                return;
            }
            asked.shown = None;
            asked.seen.retain(|seen| seen != origin);
        }
        let _ = self.handle.send(Event::Function { name: APPROVAL, problem: None }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_whole() {
        let ours = parse("https://phone.example").expect("an origin");
        for (text, same) in [
            ("https://phone.example", true),
            ("https://phone.example:443", false),
            ("http://phone.example", false),
            ("https://phone.example:8443", false),
            ("https://phone.example.evil.example", false),
            ("https://phone.example/", false),
            ("https://user@phone.example", false),
            ("https://PHONE.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(parse(text).is_some_and(|o| o == ours), same, "{text}");
        }
    }

    #[test]
    fn bearer_tokens() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer abc"), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("abc"), None);
    }
}

//! Who may come in: Host, Origin, token, content type; and what every answer says about itself.
//!
//! Browsers are told apart by their Origin, which pages cannot choose. Programs have no Origin: the system says which one
//! is behind the connection, and they show the token of `endpoint.json`, which only this user's programs can read. Who
//! may come in, the agent says.
//!
//! Any page may read what is refused and why: without that it could not tell its user what to do.

use super::caller::{Caller, Power};
use super::door::Door;
use super::refusal::{Code, Refusal};
use super::{MAX_BODY_BYTES, v1};
use crate::shell::handle::Stopping;
use crate::shell::loopback::Standing;
use crate::shell::secret;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hub::protocol::client::ClientId;
use hub::protocol::local::{MAX_LABEL, Standing as Consent};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A body comes at once, or not at all.
const BODY_LIMIT: Duration = Duration::from_secs(10);
/// What is repeated of a foreign name, in characters.
const MAX_SHOWN: usize = 255;

/// First and last hand on every request.
pub(super) async fn guard(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let (mut asked, body) = request.into_parts();
    let origin = one(&asked.headers, &header::ORIGIN).cloned();
    let mut response = match admit(&door, &asked).await {
        Ok(Admitted::Preflight) => preflight(&asked.headers),
        Ok(Admitted::As(caller)) => {
            // Nothing that a stranger may ask for has a body: what drips is not waited for.
            let body = if matches!(caller, Caller::Stranger) { Body::empty() } else { body };
            match tokio::time::timeout(BODY_LIMIT, to_bytes(body, MAX_BODY_BYTES)).await {
                Ok(Ok(body)) => {
                    asked.extensions.insert(caller);
                    next.run(Request::from_parts(asked, Body::from(body))).await
                }
                Ok(Err(_)) => too_large().into_response(),
                Err(_) => too_slow().into_response(),
            }
        }
        Err(refusal) if super::spokes::is_readable(&asked, &refusal) => {
            super::spokes::refused(&asked.uri, &refusal)
        }
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    // Whoever is not approved gets nothing here but health, the contract and refusals.
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("location"));
    }
    response
}

fn too_large() -> Refusal {
    let what = format!("A request has at most {MAX_BODY_BYTES} bytes");
    Refusal::new(Code::BodyTooLarge, what, "the body", "Send less.")
}

fn too_slow() -> Refusal {
    let what = format!("The body did not come within {} seconds", BODY_LIMIT.as_secs());
    Refusal::new(Code::BodyTooSlow, what, "the body", "Send it at once.")
}

enum Admitted {
    As(Caller),
    /// A browser asks before it sends what it was told to. The answer says nothing about approval: the request itself
    /// is refused, readably.
    Preflight,
}

async fn admit(door: &Door, asked: &Parts) -> Result<Admitted, Refusal> {
    check_host(door, asked)?;
    let headers = &asked.headers;
    if asked.method == Method::OPTIONS && headers.contains_key(header::ORIGIN) {
        return Ok(Admitted::Preflight);
    }
    let route = asked.extensions.get::<MatchedPath>().and_then(|path| {
        // HEAD is answered by GET.
        let method = if asked.method == Method::HEAD { &Method::GET } else { &asked.method };
        v1::power(method, path.as_str())
    });
    let power = match route {
        Some(power) => power,
        None if super::spokes::is_spokes(asked.uri.path()) => Power::Spokes,
        None => Power::Calls,
    };
    let standing = asked.extensions.get::<Standing>();
    let caller = identify(door, headers, power, standing).await?;
    if let (Some(standing), Caller::Softphone { .. }) = (standing, &caller) {
        standing.let_in();
    }
    caller.may(power)?;
    // What does not exist is said to be so, whatever it carries.
    if route.is_some() && has_body(headers) && !is_json(headers) {
        let what = "A body must be application/json";
        let place = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or("no content type");
        let next = "Send the header Content-Type: application/json.";
        return Err(Refusal::new(Code::ContentType, what, place, next));
    }
    Ok(Admitted::As(caller))
}

/// A foreign Host is a foreign name that was made to resolve to this computer (DNS rebinding).
fn check_host(door: &Door, asked: &Parts) -> Result<(), Refusal> {
    let port = door.port;
    let mut hosts = asked.headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().unwrap_or("not text"),
        _ => "no single Host header",
    };
    let ours = |host: &str| {
        let ports = || [Some(port), door.plain.get().copied()].into_iter().flatten();
        ["127.0.0.1", "[::1]", "localhost"]
            .iter()
            .any(|name| ports().any(|port| host.eq_ignore_ascii_case(&format!("{name}:{port}"))))
    };
    if ours(host) && asked.uri.authority().is_none_or(|a| ours(a.as_str())) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::HostNotLocal,
        "This door answers to this computer's own names only",
        host.chars().take(MAX_SHOWN).collect::<String>(),
        format!("Use https://127.0.0.1:{port}, https://[::1]:{port} or https://localhost:{port}."),
    ))
}

async fn identify(
    door: &Door,
    headers: &HeaderMap,
    power: Power,
    standing: Option<&Standing>,
) -> Result<Caller, Refusal> {
    if headers.contains_key(header::ORIGIN) {
        if power == Power::Open {
            return Ok(Caller::Stranger);
        }
        // A picture with `crossorigin` has one, too.
        if power == Power::Spokes && !is_of_script(headers) {
            return Ok(Caller::Stranger);
        }
        let given = one(headers, &header::ORIGIN).and_then(|o| o.to_str().ok()).unwrap_or("not one text");
        return page(door, given, standing).await;
    }
    if let Some(token) = text(headers, header::AUTHORIZATION.as_str()).and_then(bearer) {
        // A guess more, and the right one among them would be as good as any.
        let guesses = standing.is_some_and(|standing| standing.has_mistaken() && !standing.is_let_in());
        if guesses && door.wrong_tokens.wait() {
            return Err(door.wrong_tokens.not_compared());
        }
        if secret::same(&door.token, token) {
            let label = label(headers)?;
            return knock(door, program(standing).await, true, Some(label)).await;
        }
        if let Some(standing) = standing {
            standing.mistook();
        }
        return Err(door.wrong_tokens.refused().await);
    }
    match by_referer(headers) {
        Some(origin) if power == Power::Spokes && is_of_script(headers) => {
            page(door, &origin, standing).await
        }
        // A page that hides what it is would come in as the browser that shows it.
        _ if power == Power::Open || is_browsers(headers) => Ok(Caller::Stranger),
        _ => {
            let label = match power {
                // These never heard of a name that could be wrong.
                Power::Spokes => label(headers).ok(),
                _ => Some(label(headers)?),
            };
            knock(door, program(standing).await, false, label).await
        }
    }
}

/// A program that the person said no to does not come in by calling itself a page.
async fn page(door: &Door, origin: &str, standing: Option<&Standing>) -> Result<Caller, Refusal> {
    let denied = |client: &ClientId| {
        let view = door.handle.view();
        view.softphones.iter().any(|known| known.client == *client && known.standing == Consent::Denied)
    };
    let of_programs = |client: &ClientId| !client.is_page() && denied(client);
    if door.handle.view().softphones.iter().any(|known| of_programs(&known.client)) {
        let program = program(standing).await;
        if denied(&program) {
            return knock(door, program, false, None).await;
        }
    }
    let origin = origin.chars().take(MAX_SHOWN).collect();
    knock(door, ClientId::Page(origin), false, None).await
}

async fn knock(door: &Door, client: ClientId, token: bool, label: Option<String>) -> Result<Caller, Refusal> {
    match door.handle.knock(client.clone(), token, label.clone()).await {
        Ok(Ok(())) => Ok(Caller::Softphone { client, label, token }),
        Ok(Err(why)) => Ok(Caller::Unwelcome { client, why }),
        Err(Stopping) => Err(Refusal::stopping()),
    }
}

/// By the system's word for who is behind the connection.
async fn program(standing: Option<&Standing>) -> ClientId {
    let Some(standing) = standing else { return ClientId::Unnamed };
    let path = standing.program().await;
    path.as_deref().and_then(Path::to_str).map_or(ClientId::Unnamed, ClientId::of_program)
}

/// Sent without an Origin, as for a script element or an address that was typed. No page can leave all of these out.
fn is_browsers(headers: &HeaderMap) -> bool {
    let told = ["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "referer", "cookie"];
    let agent = text(headers, header::USER_AGENT.as_str()).unwrap_or_default();
    told.iter().any(|name| headers.contains_key(*name)) || agent.starts_with("Mozilla/")
}

/// A page's script asked, as far as the browser says: not a picture, a frame, a link in a foreign text that the page
/// shows, or a browser that guesses what may be asked for next.
fn is_of_script(headers: &HeaderMap) -> bool {
    let said = |name: &str, allowed: &[&str]| {
        headers.get(name).is_none_or(|said| allowed.iter().any(|word| said.as_bytes() == word.as_bytes()))
    };
    said("sec-fetch-dest", &["script", "empty"])
        && said("sec-fetch-mode", &["no-cors", "cors"])
        && !headers.contains_key("sec-purpose")
        && !headers.contains_key("purpose")
}

/// Script elements send no Origin, but a Referer that their page cannot point elsewhere.
fn by_referer(headers: &HeaderMap) -> Option<String> {
    let origin = url::Url::parse(text(headers, header::REFERER.as_str())?).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// What a program calls itself: `X-Hookswitch-Client`, else the product of the User-Agent.
fn label(headers: &HeaderMap) -> Result<String, Refusal> {
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
    if name.is_empty() || name.len() > MAX_LABEL {
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

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0");
    length || headers.contains_key(header::TRANSFER_ENCODING)
}

/// The value of a header that is there once.
fn one<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    let allowed = HeaderValue::from_static("content-type, last-event-id");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    // Browsers that ask whether a page of the internet may reach this computer's network at all.
    for (question, answer) in [
        ("access-control-request-private-network", "access-control-allow-private-network"),
        ("access-control-request-local-network", "access-control-allow-local-network"),
    ] {
        if asked.contains_key(question) {
            headers.insert(answer, HeaderValue::from_static("true"));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_tokens() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer abc"), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("abc"), None);
    }
}

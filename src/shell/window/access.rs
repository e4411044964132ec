//! Host check and headers for every answer of the window; the session behind a request.

use super::Window;
use super::session::Session;
use crate::shell::loopback::Standing;
use crate::shell::os;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hub::locale::Message;
use std::sync::Arc;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn guard(State(window): State<Arc<Window>>, request: Request, next: Next) -> Response {
    let mut response = if host_is_ours(&window, &request) {
        if let Some(standing) = request.extensions().get::<Standing>()
            && window.reader(request.headers()).await.is_some()
        {
            standing.let_in();
        }
        next.run(request).await
    } else {
        let words = window.locale.format(&Message::new("window-misdirected"));
        (StatusCode::MISDIRECTED_REQUEST, words).into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        // An address with a token goes nowhere else.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A foreign Host is a foreign name that was made to resolve to this computer (DNS rebinding).
fn host_is_ours(window: &Window, request: &Request) -> bool {
    let ours = format!("127.0.0.1:{}", window.port);
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let one = hosts.next().is_some_and(|h| h.as_bytes() == ours.as_bytes()) && hosts.next().is_none();
    one && request.uri().authority().is_none_or(|a| a.as_str() == ours)
}

impl Window {
    /// Its own for each port, because browsers keep one jar for all of them.
    pub(super) fn cookie_name(&self) -> String {
        format!("hookswitch_{}", self.port)
    }

    /// The session of the request's cookie: it may read.
    pub(super) async fn reader(&self, headers: &HeaderMap) -> Option<Session> {
        let name = self.cookie_name();
        let cookie = headers.get_all(header::COOKIE).iter().find_map(|header| {
            header
                .to_str()
                .ok()?
                .split(';')
                .find_map(|pair| pair.trim().strip_prefix(&name)?.strip_prefix('='))
        })?;
        self.sessions.lock().await.of_cookie(cookie, os::instant()).cloned()
    }

    /// Whether the request may also change something: the page's secret, from our own origin, as JSON.
    pub(super) async fn may_change(&self, headers: &HeaderMap) -> bool {
        let Some(session) = self.reader(headers).await else { return false };
        let one = |name: &str| {
            let mut values = headers.get_all(name).iter();
            values
                .next()
                .filter(|_| values.next().is_none())
                .and_then(|v| v.to_str().ok())
                .unwrap_or_default()
        };
        let origin = format!("http://127.0.0.1:{}", self.port);
        crate::shell::secret::same(&session.page_secret, one("x-hookswitch-page"))
            && one("origin") == origin
            && one("content-type") == "application/json"
    }
}

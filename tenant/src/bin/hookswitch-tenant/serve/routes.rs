//! The routes, as a table that a test holds against `openapi.yaml`.
#![expect(clippy::disallowed_methods, reason = "the slow mood waits")]

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};
use axum::{Json, Router};
use tenant::paths;
use tenant::proof::NONCE_HEADER;
use tenant::wire::{Health, MAX_BODY_BYTES};

use super::answer::Refusal;
use super::body::Turn;
use super::guard::Wrong;
use super::listener::Peer;
use super::{Mood, Site, access, files, registration};

/// How long a request may take to arrive and be answered.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const SLOW: Duration = Duration::from_secs(120);

struct Route {
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the test that compares with openapi.yaml"))]
    method: &'static str,
    path: &'static str,
    handler: MethodRouter<Arc<Site>>,
}

fn table() -> Vec<Route> {
    let route = |method, path, handler| Route { method, path, handler };
    vec![
        route("post", paths::ENROL, post(access::enrol)),
        route("get", paths::HEALTH, get(health)),
        route("put", paths::HOST, put(registration::put_host)),
        route("put", paths::USER, put(registration::put_user)),
        route("get", paths::USER_GROUPS, get(registration::get_groups)),
        route("put", paths::DEVICE, put(registration::put_device)),
        route("put", paths::UPDATE, put(registration::put_update)),
        route("post", paths::EVENTS, post(registration::post_events)),
        route("get", paths::METADATA, get(files::metadata)),
        route("get", paths::TARGETS, get(files::target)),
        route("get", paths::OPENAPI, get(openapi)),
    ]
}

pub(super) fn router(site: Arc<Site>) -> Router {
    let mut router = Router::new();
    for Route { path, handler, .. } in table() {
        router = router.route(path, handler);
    }
    router
        .fallback(elsewhere)
        .method_not_allowed_fallback(async || Refusal::Method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(&site), around))
        .with_state(site)
}

async fn health() -> Json<Health> {
    Json(Health { status: "ok".to_owned(), contract: paths::CONTRACT })
}

/// Agents of the first contract hear why nothing is there.
async fn elsewhere(request: Request) -> Refusal {
    if request.uri().path().starts_with("/v1/") { Refusal::Contract } else { Refusal::NotFound }
}

async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/yaml")], tenant::OPENAPI_YAML)
}

/// Around every request: late answers to wrong tokens, mood, a cap on how many run, a deadline, and the headers all answers carry.
async fn around(State(site): State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.network());
    let mut response = match site.mood.filter(|_| request.uri().path().starts_with("/v2/")) {
        Some(Mood::Unauthorized) => Refusal::Token.into_response(),
        Some(Mood::InternalError) => Refusal::Internal.into_response(),
        Some(Mood::Slow) => {
            tokio::time::sleep(SLOW).await;
            next.run(request).await
        }
        None => match Turn::take(&site.slots) {
            Ok(turn) => {
                request.extensions_mut().insert(turn.clone());
                let answered = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
                drop(turn);
                answered.unwrap_or_else(|_| Refusal::Busy.into_response())
            }
            Err(busy) => busy.into_response(),
        },
    };
    if response.extensions().get::<Wrong>().is_some() {
        // It holds a connection of its peer and nothing else.
        site.guard.wrong(peer).await;
    }
    if let Ok(nonce) = HeaderValue::from_str(&site.nonces.issue()) {
        response.headers_mut().insert(NONCE_HEADER, nonce);
    }
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// `(path, method)` pairs of the `paths` section. The file is ours: two spaces per level.
    fn described() -> BTreeSet<(String, String)> {
        let mut pairs = BTreeSet::new();
        let mut path = None;
        let section = tenant::OPENAPI_YAML.lines().skip_while(|line| *line != "paths:").skip(1);
        for line in section.take_while(|line| line.starts_with(' ')) {
            let Some(key) = line.trim().strip_suffix(':') else { continue };
            match line.len() - line.trim_start().len() {
                2 => path = Some(key.to_owned()),
                4 if ["get", "put", "post", "delete", "patch", "head", "options"].contains(&key) => {
                    let path = path.clone().expect("a method stands below a path");
                    assert!(pairs.insert((path, key.to_owned())), "{line} is described twice");
                }
                _ => {}
            }
        }
        pairs
    }

    #[test]
    fn every_route_is_described_and_every_description_is_a_route() {
        let served: BTreeSet<(String, String)> = super::table()
            .into_iter()
            .map(|route| (route.path.to_owned(), route.method.to_owned()))
            .collect();
        assert_eq!(served.len(), super::table().len(), "a route is listed twice");
        assert_eq!(described(), served);
    }
}

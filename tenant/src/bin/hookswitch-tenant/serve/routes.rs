//! A handler for each route of the contract.
#![expect(clippy::disallowed_methods, reason = "the slow mood waits")]

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Json, Router};
use tenant::paths::{self, Method, Route};
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

fn handler(route: Route) -> MethodRouter<Arc<Site>> {
    let method = match route.method() {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
    };
    match route {
        Route::Enrol => on(method, access::enrol),
        Route::Health => on(method, health),
        Route::PutHost => on(method, registration::put_host),
        Route::PutUser => on(method, registration::put_user),
        Route::GetGroups => on(method, registration::get_groups),
        Route::PutDevice => on(method, registration::put_device),
        Route::PutUpdate => on(method, registration::put_update),
        Route::PostEvents => on(method, registration::post_events),
        Route::Metadata => on(method, files::metadata),
        Route::Target => on(method, files::target),
        Route::OpenApi => on(method, openapi),
    }
}

pub(super) fn router(site: Arc<Site>) -> Router {
    let mut router = Router::new();
    for route in Route::ALL {
        router = router.route(route.path(), handler(*route));
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
    ([(CONTENT_TYPE, "application/json")], tenant::OPENAPI)
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

//! Requests that show whose they are: [`tenant::proof`] by the host's key, over what is sent.

use super::http::{self, Attempt, Base};
use super::key::{self, HostKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hub::machine::{FailureKind, TenantFailure};
use hub::problem::Reason;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Request, RequestBuilder, Response};
use std::sync::{Arc, Mutex, PoisonError};
use tenant::proof::{self, NONCE_HEADER, Proof};
use tenant::secret::Secret;

/// Signs what goes to one tenant. Clones share the nonce.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    base: Base,
    key: Option<Arc<HostKey>>,
    /// The host's id, as the last request named it.
    system_id: Option<String>,
    /// The last one the server gave.
    nonce: Arc<Mutex<Option<String>>>,
}

impl Signer {
    pub(super) fn new(base: Base) -> Self {
        Self { base, key: None, system_id: None, nonce: Arc::default() }
    }

    /// Takes the host's key. What is no key is left out, and found missing when something is to be signed.
    pub(super) fn use_key(&mut self, seed: &Secret) {
        self.key = HostKey::of(seed).map(Arc::new);
    }

    /// A server that knows the host by another key is asked about this id.
    pub(super) fn speak_as(&mut self, system_id: &str) {
        self.system_id = Some(system_id.to_owned());
    }

    pub(super) fn can_sign(&self) -> bool {
        self.key.is_some()
    }

    /// The public half.
    pub(super) fn public(&self) -> Result<String, TenantFailure> {
        Ok(self.key()?.public.clone())
    }

    fn key(&self) -> Result<&HostKey, TenantFailure> {
        self.key.as_deref().ok_or_else(|| {
            let problem = Reason::TenantKey.here();
            http::failure(FailureKind::Rejected, problem)
        })
    }

    fn nonce(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.nonce.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs one request and reads its answer whole, see [`http::call`].
    pub(super) async fn call(
        &self,
        request: RequestBuilder,
        secrets: &[&Secret],
    ) -> Result<Vec<u8>, TenantFailure> {
        http::whole(self.send(request.timeout(http::REQUEST_TIMEOUT), secrets).await?).await
    }

    /// Signs one request and sends it. The first one of a conversation is asked for again, with the nonce of its
    /// answer; so is one that came after the nonce had aged.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        secrets: &[&Secret],
    ) -> Result<Response, TenantFailure> {
        let key = self.key()?;
        let (client, request) = request.build_split();
        let mut request = request.map_err(|error| http::transport_failure(&error))?;
        let again = request.try_clone();
        self.sign(key, &mut request);
        let first = self.attempt(&client, request, secrets).await;
        let (Err(Attempt::Stale(_)), Some(mut again)) = (&first, again) else {
            return first.map_err(Attempt::into_failure);
        };
        self.sign(key, &mut again);
        self.attempt(&client, again, secrets).await.map_err(Attempt::into_failure)
    }

    async fn attempt(
        &self,
        client: &reqwest::Client,
        request: Request,
        secrets: &[&Secret],
    ) -> Result<Response, Attempt> {
        let response = client
            .execute(request)
            .await
            .map_err(|error| Attempt::Failed(http::transport_failure(&error)))?;
        if let Some(nonce) = response.headers().get(NONCE_HEADER).and_then(|nonce| nonce.to_str().ok())
            && nonce.len() < proof::MAX_NONCE / 2
        {
            *self.nonce() = Some(nonce.to_owned());
        }
        http::accepted(response, secrets, self.system_id.as_deref()).await
    }

    fn sign(&self, key: &HostKey, request: &mut Request) {
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let content_digest = proof::content_digest(&STANDARD.encode(digest(&SHA256, body)));
        let nonce = format!("{}.{}", self.nonce().as_deref().unwrap_or_default(), key::random());
        let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let proof = Proof {
            method: request.method().as_str(),
            path: self.base.below(request.url()),
            content_digest: &content_digest,
            authorization,
            nonce: &nonce,
            key: &key.public,
        };
        let signature = proof::signature(&key.sign(&proof.base()));
        let headers = [("signature-input", proof.input()), ("signature", signature)];
        for (name, value) in headers.into_iter().chain([("content-digest", content_digest)]) {
            // A nonce with a character that no header can have is one the server never gave.
            if let Ok(value) = HeaderValue::try_from(value) {
                request.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
    }
}

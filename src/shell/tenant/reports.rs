//! What the tenant is told: immediate reports one by one, events in compressed batches.

use super::http::{self, Base};
use super::proof::Signer;
use flate2::{Compression, write::GzEncoder};
use hub::machine::{Delivery, FailureKind, Owed, TenantFailure};
use reqwest::{Client, RequestBuilder, header};
use serde::Serialize;
use std::collections::VecDeque;
use std::io::Write;
use tenant::secret::Secret;
use tenant::wire::{CloudEvent, EventBatch, EventsAnswer, MAX_BODY_BYTES, MAX_EVENTS};

/// One conversation: the host that reports, and its token.
pub(super) struct Reporter<'a> {
    pub client: &'a Client,
    pub signer: &'a Signer,
    pub base: &'a Base,
    pub system_id: &'a str,
    pub token: &'a Secret,
}

impl Reporter<'_> {
    /// Ids of what the tenant took. A report it refuses for its own sake does not hold up the others; anything else
    /// ends the delivery. A failure only if nothing was taken.
    pub(super) async fn deliver(&self, owed: &[Owed]) -> Result<Vec<String>, TenantFailure> {
        let mut taken = Vec::new();
        let mut failed = None;
        let mut events = Vec::new();
        for report in owed {
            let sent = match &report.delivery {
                Delivery::Event(event) => {
                    events.push((report.id.as_str(), event));
                    continue;
                }
                Delivery::Host(body) => {
                    self.put(&tenant::paths::host(self.system_id), body, &[self.token]).await
                }
                Delivery::User(body) => {
                    let user = Secret::new(body.user.clone());
                    self.put(&tenant::paths::user(self.system_id, &body.user), body, &[self.token, &user])
                        .await
                        .map_err(|failure| http::at_route(failure, self.base, tenant::paths::USER))
                }
                Delivery::Device(body) => {
                    self.put(&tenant::paths::device(self.system_id, &body.device_id), body, &[self.token])
                        .await
                }
                Delivery::Update(body) => {
                    self.put(&tenant::paths::update(self.system_id, &body.event_id), body, &[self.token])
                        .await
                }
            };
            match sent {
                Ok(()) => taken.push(report.id.clone()),
                Err(failure) => {
                    let ends = !failure.kind.is_rejection();
                    tracing::warn!(id = report.id, problem = %failure.problem, "a report was not taken");
                    failed.get_or_insert(failure);
                    if ends {
                        return outcome(taken, failed);
                    }
                }
            }
        }
        self.events(&events, &mut taken, &mut failed).await;
        outcome(taken, failed)
    }

    /// A batch is taken whole or not at all, so a refused one is halved until the event that is at fault stands alone.
    async fn events(
        &self,
        events: &[(&str, &CloudEvent)],
        taken: &mut Vec<String>,
        failed: &mut Option<TenantFailure>,
    ) {
        let mut batches: VecDeque<&[(&str, &CloudEvent)]> = events.chunks(MAX_EVENTS).collect();
        while let Some(batch) = batches.pop_front() {
            let split = || batch.split_at(batch.len() / 2);
            match self.post(batch).await {
                Ok(Some(answer)) => {
                    tracing::debug!(answer.accepted, answer.duplicates, "events were taken");
                    taken.extend(batch.iter().map(|(id, _)| (*id).to_owned()));
                }
                Ok(None) => {
                    let (first, second) = split();
                    batches.push_front(second);
                    batches.push_front(first);
                }
                Err(failure) if failure.kind.is_rejection() && batch.len() > 1 => {
                    let (first, second) = split();
                    batches.push_front(second);
                    batches.push_front(first);
                }
                Err(failure) => {
                    let ends = !failure.kind.is_rejection();
                    tracing::warn!(problem = %failure.problem, "events were not taken");
                    failed.get_or_insert(failure);
                    if ends {
                        return;
                    }
                }
            }
        }
    }

    /// `private` is cut out of the server's words.
    async fn put(&self, path: &str, body: &impl Serialize, private: &[&Secret]) -> Result<(), TenantFailure> {
        let body = to_json(body)?;
        let request = self.authorized(self.client.put(self.base.join(path)));
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        self.signer.call(request, private).await.map(drop)
    }

    /// `None` if the batch is too large to be sent in one.
    async fn post(&self, events: &[(&str, &CloudEvent)]) -> Result<Option<EventsAnswer>, TenantFailure> {
        let batch = EventBatch(events.iter().map(|(_, event)| (*event).clone()).collect());
        let body = to_json(&batch)?;
        if body.len() > MAX_BODY_BYTES && events.len() > 1 {
            return Ok(None);
        }
        let url = self.base.join(tenant::paths::EVENTS);
        let request = self
            .authorized(self.client.post(&url))
            .header(header::CONTENT_TYPE, tenant::paths::EVENTS_MEDIA_TYPE)
            .header(header::CONTENT_ENCODING, "gzip")
            .body(gzip(&body));
        let answer = self.signer.call(request, &[self.token]).await?;
        http::json(&answer, &url).map(Some)
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.token.expose())
    }
}

fn outcome(taken: Vec<String>, failed: Option<TenantFailure>) -> Result<Vec<String>, TenantFailure> {
    match failed {
        Some(failure) if taken.is_empty() => Err(failure),
        _ => Ok(taken),
    }
}

pub(super) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, TenantFailure> {
    serde_json::to_vec(value).map_err(|error| {
        let problem = hub::problem::Reason::TenantReport { detail: error.to_string() }.here();
        http::failure(FailureKind::Rejected, problem)
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("invariant: writing to a Vec cannot fail")
}

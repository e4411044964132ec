//! A softphone: HTTPS with the agent's own certificate, the token from `endpoint.json`, pushed events.

use super::told::{Context, Told, fail};
use futures_util::StreamExt as _;
use reqwest::{Certificate, Client, Method};
use serde_json::Value;
use std::path::Path;
use tokio::sync::mpsc;

pub(crate) struct Softphone {
    client: Client,
    url: String,
    token: String,
    events: mpsc::UnboundedReceiver<Event>,
}

#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Softphone {
    /// Reads `endpoint.json` and opens the event stream.
    pub(crate) async fn connect(endpoint: &Path) -> Told<Self> {
        let file: Value =
            serde_json::from_slice(&std::fs::read(endpoint).at("endpoint.json")?).at("endpoint.json")?;
        let text =
            |key: &str| file[key].as_str().map(str::to_owned).ok_or(format!("endpoint.json has no {key}"));
        let (url, token) = (text("url")?, text("token")?);
        let ca = std::fs::read(text("ca")?).at("the agent's certificate")?;
        let client = Client::builder()
            .tls_certs_only([Certificate::from_pem(&ca).at("the agent's certificate")?])
            .user_agent("story-softphone")
            .build()
            .at("softphone")?;
        let answer =
            client.get(format!("{url}/v1/events")).bearer_auth(&token).send().await.at("/v1/events")?;
        if !answer.status().is_success() {
            return fail(format!("/v1/events answers {}", answer.status()));
        }
        let (sender, events) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut stream = answer.bytes_stream();
            let mut text = String::new();
            while let Some(Ok(bytes)) = stream.next().await {
                text.push_str(&String::from_utf8_lossy(&bytes));
                while let Some(end) = text.find("\n\n") {
                    let frame: String = text.drain(..end + 2).collect();
                    if let Some(event) = parse(&frame) {
                        let _ = sender.send(event);
                    }
                }
            }
        });
        Ok(Self { client, url, token, events })
    }

    pub(crate) async fn get(&self, path: &str) -> Told<Value> {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Told<Value> {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Told<Value> {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.at(path)?;
        let status = answer.status();
        let text = answer.text().await.at(path)?;
        if !status.is_success() {
            return fail(format!("{path} answers {status}: {text}"));
        }
        if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text).at(path) }
    }

    /// The next event that fits; others pass.
    pub(crate) async fn event(&mut self, what: &str, fits: impl Fn(&Event) -> bool) -> Told<Event> {
        let next = async {
            loop {
                match self.events.recv().await {
                    Some(event) if fits(&event) => return Ok(event),
                    Some(_) => {}
                    None => return fail(format!("the event stream ended before: {what}")),
                }
            }
        };
        match tokio::time::timeout(super::world::PATIENCE, next).await {
            Ok(event) => event,
            Err(_) => fail(format!("no event came: {what}")),
        }
    }

    pub(crate) async fn call_event(&mut self, what: &str, cause: &str) -> Told<Event> {
        self.event(&format!("call {what} by {cause}"), |e| {
            e.name == "call" && e.data["what"] == what && e.data["cause"] == cause
        })
        .await
    }
}

/// One frame of an event stream (HTML standard, §9.2.6).
fn parse(frame: &str) -> Option<Event> {
    let field =
        |name: &str| frame.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':')).map(str::trim_start);
    let data: String = frame.lines().filter_map(|l| l.strip_prefix("data:")).map(str::trim_start).collect();
    Some(Event { name: field("event")?.to_owned(), data: serde_json::from_str(&data).ok()? })
}

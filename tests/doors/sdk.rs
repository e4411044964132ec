//! A softphone's side of the HTTPS door, and the door itself in a home of its own.

use super::machine::{self, PlayedMachine};
use hookswitch::shell::certificate::Terms;
use hookswitch::shell::handle::UserHandle;
use hookswitch::shell::rest::{self, RestConfig, RestServer};
use hub::protocol::State;
use hub::settings::DoorPlace;
use hub::user::{Command, Reply};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

/// An event comes at once or not at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Sdk {
    pub(crate) home: tempfile::TempDir,
    pub(crate) server: RestServer,
    pub(crate) handle: UserHandle,
    /// What is behind the agent.
    pub(crate) service: PlayedMachine,
    pub(crate) token: String,
    pub(crate) http: reqwest::Client,
}

impl Sdk {
    pub(crate) async fn open() -> Self {
        Self::open_with(machine::state()).await
    }

    pub(crate) async fn open_with(state: State) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let service = PlayedMachine::start_with(state, "sdk_approved = [\"https://own.example\"]\n").await;
        let handle = service.handle.clone();
        let config = RestConfig {
            place: DoorPlace { port: 0, plain: Some(0) },
            certificate_folder: home.path().join("certificate"),
            certificate: Terms::default(),
            endpoint_path: home.path().join("endpoint.json"),
        };
        let server = rest::start(config, handle.clone()).await.expect("the door opens");
        let endpoint: Value =
            serde_json::from_slice(&std::fs::read(home.path().join("endpoint.json")).expect("file"))
                .expect("JSON");
        let token = endpoint["token"].as_str().expect("a token").to_owned();
        assert_eq!(endpoint["url"], server.url());
        let pem = std::fs::read(endpoint["ca"].as_str().expect("a path")).expect("ca.pem");
        let ca = reqwest::Certificate::from_pem(&pem).expect("a certificate");
        let http = reqwest::Client::builder()
            .tls_certs_only([ca])
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { home, server, handle, service, token, http }
    }

    /// What the person does with a softphone.
    pub(crate) async fn decide(&self, softphone: &str, approve: bool) {
        let softphone = softphone.to_owned();
        let command = if approve { Command::Approve { softphone } } else { Command::Revoke { softphone } };
        assert_eq!(self.handle.command(command).await.expect("the agent runs"), Reply::Done);
    }

    pub(crate) fn endpoint_path(&self) -> PathBuf {
        self.home.path().join("endpoint.json")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    /// Without token or Origin.
    pub(crate) fn stranger(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path))
    }

    pub(crate) fn page(&self, method: Method, path: &str, origin: &str) -> reqwest::RequestBuilder {
        self.stranger(method, path).header("origin", origin)
    }

    pub(crate) fn program(&self, method: Method, path: &str, name: &str) -> reqwest::RequestBuilder {
        self.stranger(method, path).bearer_auth(&self.token).header("x-hookswitch-client", name)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self.program(Method::GET, path, "desk").send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        json_of(response).await
    }

    /// POST as the program `desk`.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.program(Method::POST, path, "desk")
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .expect("an answer")
    }

    /// Another program than this: curl, under a path of its own.
    pub(crate) fn another_program(&self, file: &str) -> Program {
        let path = self.home.path().join(file);
        std::fs::copy("/usr/bin/curl", &path).expect("curl");
        let ca = self.home.path().join("certificate/ca.pem");
        Program { path, ca, url: self.server.url().to_owned(), token: Some(self.token.clone()) }
    }

    /// An event stream of `desk`; `query` as in `?after=…`.
    pub(crate) async fn events(&self, query: &str) -> Events {
        let request = self.program(Method::GET, &format!("/v1/events{query}"), "desk");
        Events::of(request.send().await.expect("a stream"))
    }
}

/// A program of this account that is not this one.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    ca: PathBuf,
    url: String,
    token: Option<String>,
}

impl Program {
    pub(crate) fn without_token(&self) -> Self {
        Self { path: self.path.clone(), ca: self.ca.clone(), url: self.url.clone(), token: None }
    }

    /// As the system names it, and the person.
    pub(crate) fn name(&self) -> &str {
        self.path.to_str().expect("UTF-8")
    }

    /// It calls itself `label`.
    fn curl(&self, label: &str, path: &str) -> tokio::process::Command {
        let mut curl = tokio::process::Command::new(&self.path);
        curl.args(["--silent", "--no-buffer", "--cacert"]).arg(&self.ca);
        curl.args(["--header", &format!("x-hookswitch-client: {label}")]);
        if let Some(token) = &self.token {
            curl.args(["--header", &format!("authorization: Bearer {token}")]);
        }
        curl.arg(format!("{}{path}", self.url)).kill_on_drop(true);
        curl
    }

    /// Status and answer of a GET, or of a POST where there is a body.
    pub(crate) async fn asks(&self, label: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut curl = self.curl(label, path);
        curl.args(["--write-out", "\n%{http_code}"]);
        if let Some(body) = body {
            curl.args(["--header", "content-type: application/json", "--data", &body.to_string()]);
        }
        let told = curl.output().await.expect("curl runs").stdout;
        let told = String::from_utf8(told).expect("UTF-8");
        let (body, status) = told.rsplit_once('\n').expect("a status");
        (status.parse().expect("a status"), serde_json::from_str(body).unwrap_or_default())
    }

    /// Listens, and hears the state.
    pub(crate) async fn listens(&self, label: &str) -> tokio::process::Child {
        let mut curl = self.curl(label, "/v1/events").stdout(Stdio::piped()).spawn().expect("curl runs");
        let mut first = [0; 6];
        let heard = curl.stdout.as_mut().expect("piped").read_exact(&mut first);
        tokio::time::timeout(PATIENCE, heard).await.expect("in time").expect("the stream");
        curl
    }
}

pub(crate) async fn json_of(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON")
}

#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) data: Value,
}

/// Server-sent events as they come.
pub(crate) struct Events {
    pub(crate) response: Response,
    text: String,
}

impl Events {
    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// `None` when the stream ended.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = parse(block);
                self.text = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk())
                .await
                .expect("an event in time")
                .ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }
}

fn parse(block: &str) -> Option<Event> {
    let field =
        |name: &str| block.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned);
    Some(Event {
        name: field("event")?,
        id: field("id").unwrap_or_default(),
        data: serde_json::from_str(&field("data")?).expect("JSON"),
    })
}

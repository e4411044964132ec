//! A tenant in a temporary folder, its server, and a client that trusts it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Method, Request, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenant::paths;
use tenant::proof::{self, NONCE_HEADER, Proof};

/// A tenant that was initialised.
pub(crate) struct Tenant {
    _folder: TempDir,
    pub(crate) dir: PathBuf,
    /// What `init --json` printed.
    pub(crate) made: Value,
}

pub(crate) fn command(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hookswitch-tenant")).args(arguments).output().expect("the binary starts")
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

impl Tenant {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = folder.path().join("tenant");
        let out = command(&[
            "init",
            "--dir",
            text(&dir),
            "--tenant-id",
            "contoso",
            "--company",
            "Contoso",
            "--json",
        ]);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let made = serde_json::from_slice(&out.stdout).expect("init --json prints JSON");
        Self { _folder: folder, dir, made }
    }

    /// A command of this tenant, to be run.
    pub(crate) fn program(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookswitch-tenant"));
        command.args([name, "--dir", text(&self.dir)]).args(arguments);
        command
    }

    /// Runs a command of this tenant.
    pub(crate) fn run(&self, name: &str, arguments: &[&str]) -> Output {
        command(&[&[name, "--dir", text(&self.dir)], arguments].concat())
    }

    /// Runs a command that has to work, and returns what it printed.
    pub(crate) fn done(&self, name: &str, arguments: &[&str]) -> String {
        let out = self.run(name, arguments);
        assert!(out.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("UTF-8")
    }

    /// Runs a command that has to fail, and returns its message.
    pub(crate) fn refused(&self, name: &str, arguments: &[&str], code: i32) -> String {
        let out = self.run(name, arguments);
        assert_eq!(out.status.code(), Some(code), "{}", String::from_utf8_lossy(&out.stdout));
        String::from_utf8(out.stderr).expect("UTF-8")
    }

    /// Puts a file beside the tenant's folder.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.with_file_name(name);
        std::fs::write(&path, bytes).expect("writes");
        path
    }

    pub(crate) fn publish_policy(&self, policy: &Value) -> String {
        let path = self.file("policy.json", policy.to_string());
        self.done("publish", &["--policy", text(&path)])
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        self.made[name].as_str().expect("a string")
    }

    /// What the last server said on stderr.
    pub(crate) fn log(&self) -> PathBuf {
        self.dir.with_file_name("serve.log")
    }

    pub(crate) fn serve(&self, arguments: &[&str]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hookswitch-tenant"))
            .args(["serve", "--dir", text(&self.dir)])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(self.log()).expect("a log"))
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("serving ").expect("says where it serves").to_owned();
        let ca = std::fs::read(self.value("ca_pem")).expect("ca.pem");
        let ca = reqwest::Certificate::from_pem(&ca).expect("a certificate");
        let client = Client::builder().tls_certs_only([ca]).no_proxy().build().expect("a client");
        Server { child, url, client }
    }
}

/// A running server. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) url: String,
    pub(crate) client: Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub(crate) async fn enrol_as(&self, tenant: &Tenant, system_id: &str) -> Host {
        let mut host = Host::new(tenant, system_id);
        let answer = self.enrol(&host).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let answer = json_of(answer).await;
        assert_eq!(answer["expires_in_s"], 3600);
        assert_eq!(answer["root_sha256"], tenant.made["TENANT_ROOT"]);
        host.token = answer["access_token"].as_str().expect("a token").to_owned();
        host
    }

    pub(crate) async fn enrol(&self, host: &Host) -> Response {
        self.sign(host, self.json(Method::POST, paths::ENROL, &host.enrolment)).await
    }

    /// A nonce for the next request.
    pub(crate) async fn nonce(&self) -> String {
        let answer = self.get(paths::HEALTH).send().await.expect("an answer");
        answer.headers()[NONCE_HEADER].to_str().expect("ASCII").to_owned()
    }

    /// Sends a request with the host's proof, and its access token if it has one.
    pub(crate) async fn sign(&self, host: &Host, request: RequestBuilder) -> Response {
        let nonce = format!("{}.{}", self.nonce().await, random());
        self.sign_with(host, request, &nonce).await
    }

    pub(crate) async fn sign_with(&self, host: &Host, request: RequestBuilder, nonce: &str) -> Response {
        let request = host.signed(request, nonce);
        self.client.execute(request).await.expect("an answer")
    }

    pub(crate) fn json(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        request.header(CONTENT_TYPE, "application/json").body(body.to_string())
    }

    /// Without any proof.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.json(Method::POST, path, body).send().await.expect("an answer")
    }

    pub(crate) async fn put(&self, host: &Host, path: &str, body: &Value) -> Response {
        self.sign(host, self.json(Method::PUT, path, body)).await
    }

    pub(crate) async fn send_events(&self, host: &Host, gzip: bool, body: Vec<u8>) -> Response {
        let mut request = self
            .client
            .post(format!("{}{}", self.url, paths::EVENTS))
            .header(CONTENT_TYPE, paths::EVENTS_MEDIA_TYPE);
        if gzip {
            request = request.header("content-encoding", "gzip");
        }
        self.sign(host, request.body(body)).await
    }
}

/// A machine with a key of its own.
#[derive(Debug)]
pub(crate) struct Host {
    key: Ed25519KeyPair,
    /// Empty before the enrolment.
    pub(crate) token: String,
    /// What it enrols with.
    pub(crate) enrolment: Value,
}

impl Host {
    pub(crate) fn new(tenant: &Tenant, system_id: &str) -> Self {
        let key = Ed25519KeyPair::generate().expect("a key");
        let enrolment = json!({
            "tenant_id": tenant.value("TENANT_ID"),
            "tenant_token": tenant.value("TENANT_TOKEN"),
            "system_id": system_id,
            "host_key": URL_SAFE_NO_PAD.encode(key.public_key()),
        });
        Self { key, token: String::new(), enrolment }
    }

    pub(crate) fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.public_key())
    }

    /// Another machine that got hold of this one's access token.
    pub(crate) fn thief(&self, tenant: &Tenant) -> Self {
        Self { token: self.token.clone(), ..Self::new(tenant, "THIEF") }
    }

    pub(crate) fn signed(&self, request: RequestBuilder, nonce: &str) -> Request {
        let mut request = request.build().expect("a request");
        if !self.token.is_empty() {
            let value = format!("Bearer {}", self.token).parse().expect("a header");
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        let digest = digest(&SHA256, body);
        let content_digest = proof::content_digest(&STANDARD.encode(digest.as_ref()));
        let key = self.public();
        let proof = Proof {
            method: request.method().as_str(),
            path: request.url().path(),
            content_digest: &content_digest,
            authorization: request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()),
            nonce,
            key: &key,
        };
        let signature = proof::signature(&STANDARD.encode(self.key.sign(proof.base().as_bytes())));
        let input = proof.input();
        for (name, value) in
            [("content-digest", content_digest), ("signature-input", input), ("signature", signature)]
        {
            request.headers_mut().insert(name, value.parse().expect("a header"));
        }
        request
    }
}

/// The host's half of a nonce.
pub(crate) fn random() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) async fn json_of(response: Response) -> Value {
    let bytes = response.bytes().await.expect("a body");
    serde_json::from_slice(&bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes)))
}

/// Checks status and form of a refusal, and returns its detail.
pub(crate) async fn problem(response: Response, status: u16) -> String {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()[CONTENT_TYPE], paths::PROBLEM_MEDIA_TYPE);
    let problem = json_of(response).await;
    assert_eq!(problem["status"], status);
    problem["detail"].as_str().expect("a detail").to_owned()
}

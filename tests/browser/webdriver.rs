//! A small W3C WebDriver client for the browser tests: one headless Chromium per [`Session`].
//!
//! Names follow the [WebDriver] recommendation; [`Session::cdp`] and [`Session::log`] are ChromeDriver's additions.
//! The driver's address comes from the rig (`HOOKSWITCH_WEBDRIVER`). Included with `#[path]`.
//!
//! [WebDriver]: https://www.w3.org/TR/webdriver2/
#![expect(clippy::disallowed_methods, reason = "test code: writes screenshots")]
#![allow(dead_code, reason = "a client is whole; each test uses the part it needs")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

/// How long the driver itself waits: for an element to appear, a page to load, a script to answer.
const ELEMENT_WAIT: Duration = Duration::from_secs(10);
const PAGE_WAIT: Duration = Duration::from_secs(30);
const SCRIPT_WAIT: Duration = Duration::from_secs(30);
/// Longer than each of them, so that the driver's own account of a timeout arrives.
const REQUEST_WAIT: Duration = Duration::from_secs(60);

/// The key under which the protocol hands out elements (WebDriver §11).
const ELEMENT_KEY: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Starts without a first-run dialogue, and asks the network for nothing but what a page asks for.
const CHROMIUM_ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{command}: no answer from the driver at {driver}")]
    Driver { command: String, driver: String, source: reqwest::Error },
    #[error("{command}: the browser says \"{error}\": {message}")]
    Refused { command: String, error: String, message: String },
    #[error("{command}: expected {expected}, got {got}")]
    Answer { command: String, expected: &'static str, got: Value },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

/// What one browser is to be like.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Accept any certificate. A test of certificates leaves this off and has the rig trust a CA.
    pub(crate) accept_insecure_certs: bool,
    /// Width and height of the window in CSS pixels.
    pub(crate) window: (u32, u32),
    /// The user's language, as in `de-DE`.
    pub(crate) language: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self { accept_insecure_certs: false, window: (1100, 800), language: "en-US" }
    }
}

/// One browser with one window; ends with [`Session::delete`], or at the latest with the rig.
#[derive(Debug)]
pub(crate) struct Session {
    http: reqwest::Client,
    /// The driver's address, then the session's path.
    endpoint: String,
}

impl Session {
    /// New Session (WebDriver §8.1) at the driver's address.
    pub(crate) async fn new(driver: &str, options: &Options) -> Result<Self, Error> {
        let http = reqwest::Client::builder().no_proxy().timeout(REQUEST_WAIT).build().map_err(|source| {
            Error::Driver { command: "New Session".into(), driver: driver.into(), source }
        })?;
        let mut arguments: Vec<String> = CHROMIUM_ARGUMENTS.map(String::from).into();
        arguments.push(format!("--window-size={},{}", options.window.0, options.window.1));
        arguments.push(format!("--lang={}", options.language));
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "acceptInsecureCerts": options.accept_insecure_certs,
            "timeouts": {
                "implicit": millis(ELEMENT_WAIT),
                "pageLoad": millis(PAGE_WAIT),
                "script": millis(SCRIPT_WAIT),
            },
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": {"intl.accept_languages": options.language},
            },
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let mut session = Self { http, endpoint: driver.trim_end_matches('/').to_owned() };
        let answer = session.post("/session", &capabilities).await?;
        let id = answer["sessionId"].as_str().ok_or_else(|| wrong("New Session", "a session id", &answer))?;
        session.endpoint = format!("{}/session/{id}", session.endpoint);
        Ok(session)
    }

    /// Navigate To: returns when the page has loaded. An untrusted certificate is no error here: the page that has
    /// then loaded is Chromium's own, titled "Privacy error".
    pub(crate) async fn goto(&self, url: &str) -> Result<(), Error> {
        self.post("/url", &json!({"url": url})).await.map(drop)
    }

    pub(crate) async fn url(&self) -> Result<String, Error> {
        self.get_text("/url").await
    }

    pub(crate) async fn title(&self) -> Result<String, Error> {
        self.get_text("/title").await
    }

    pub(crate) async fn source(&self) -> Result<String, Error> {
        self.get_text("/source").await
    }

    /// Find Element by CSS selector; waits up to 10 s for it to appear.
    pub(crate) async fn find(&self, css: &str) -> Result<Element<'_>, Error> {
        let answer = self.post("/element", &json!({"using": "css selector", "value": css})).await?;
        self.element(&answer)
    }

    /// Find Elements by CSS selector; waits for the first, and is empty after 10 s without one.
    pub(crate) async fn find_all(&self, css: &str) -> Result<Vec<Element<'_>>, Error> {
        let answer = self.post("/elements", &json!({"using": "css selector", "value": css})).await?;
        let list = answer.as_array().ok_or_else(|| wrong("/elements", "a list", &answer))?;
        list.iter().map(|one| self.element(one)).collect()
    }

    /// Execute Script: the body of a function; `arguments[n]` are its arguments, `return` gives the answer. A
    /// promise is awaited.
    pub(crate) async fn script(&self, body: &str, arguments: &[Value]) -> Result<Value, Error> {
        self.post("/execute/sync", &json!({"script": body, "args": arguments})).await
    }

    /// Execute Async Script: the last of `arguments` is the function to call with the answer, within 30 s.
    pub(crate) async fn script_async(&self, body: &str, arguments: &[Value]) -> Result<Value, Error> {
        self.post("/execute/async", &json!({"script": body, "args": arguments})).await
    }

    /// Take Screenshot of the visible page, as PNG into `path`.
    pub(crate) async fn screenshot(&self, path: &Path) -> Result<(), Error> {
        let text = self.get_text("/screenshot").await?;
        let png =
            base64_decode(&text).ok_or_else(|| wrong("/screenshot", "base64", &Value::from(text.len())))?;
        std::fs::write(path, png).map_err(|source| Error::Write { path: path.to_owned(), source })
    }

    /// A command of the Chrome DevTools Protocol, e.g. `Emulation.setEmulatedMedia`.
    pub(crate) async fn cdp(&self, command: &str, parameters: Value) -> Result<Value, Error> {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters})).await
    }

    /// The page as assistive technology is told of it: the nodes of the accessibility tree that are not ignored,
    /// in document order.
    pub(crate) async fn accessibility_tree(&self) -> Result<Vec<AccessibleNode>, Error> {
        let command = "Accessibility.getFullAXTree";
        let answer = self.cdp(command, json!({})).await?;
        let nodes = answer["nodes"].as_array().ok_or_else(|| wrong(command, "a list of nodes", &answer))?;
        let said = |node: &Value, key: &str| node[key]["value"].as_str().unwrap_or_default().to_owned();
        Ok(nodes
            .iter()
            .filter(|node| node["ignored"] != true)
            .map(|node| AccessibleNode {
                role: said(node, "role"),
                name: said(node, "name"),
                description: said(node, "description"),
                properties: node["properties"].clone(),
            })
            .collect())
    }

    /// What the browser's console got since the last call: `level: text`, oldest first. Violations of the content
    /// security policy and failed requests are among them.
    pub(crate) async fn log(&self) -> Result<Vec<String>, Error> {
        let answer = self.post("/se/log", &json!({"type": "browser"})).await?;
        let entries = answer.as_array().ok_or_else(|| wrong("/se/log", "a list", &answer))?;
        let said = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        Ok(entries
            .iter()
            .map(|entry| format!("{}: {}", said(entry, "level"), said(entry, "message")))
            .collect())
    }

    /// Delete Session: ends this browser.
    pub(crate) async fn delete(self) -> Result<(), Error> {
        self.ask(reqwest::Method::DELETE, "", None).await.map(drop)
    }

    fn element(&self, answer: &Value) -> Result<Element<'_>, Error> {
        let id = answer[ELEMENT_KEY].as_str().ok_or_else(|| wrong("Find Element", "an element", answer))?;
        Ok(Element { session: self, path: format!("/element/{id}") })
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.ask(reqwest::Method::POST, path, Some(body)).await
    }

    async fn get_text(&self, path: &str) -> Result<String, Error> {
        let answer = self.ask(reqwest::Method::GET, path, None).await?;
        answer.as_str().map(str::to_owned).ok_or_else(|| wrong(path, "text", &answer))
    }

    /// One command; gives the answer's `value`, or what the driver refused it with.
    async fn ask(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let command = format!("{method} {path}");
        let failed =
            |source| Error::Driver { command: command.clone(), driver: self.endpoint.clone(), source };
        let mut request = self.http.request(method, format!("{}{path}", self.endpoint));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.map_err(failed)?;
        let refused = !response.status().is_success();
        let text = response.text().await.map_err(failed)?;
        let mut answer: Value = serde_json::from_str(&text)
            .map_err(|_| wrong(&command, "a JSON answer", &Value::from(text.as_str())))?;
        let value = answer["value"].take();
        if refused {
            let said = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            return Err(Error::Refused { command, error: said("error"), message: said("message") });
        }
        Ok(value)
    }
}

/// An element of the page that was loaded when it was found; later it is refused as stale.
#[derive(Debug)]
pub(crate) struct Element<'s> {
    session: &'s Session,
    path: String,
}

impl Element<'_> {
    /// Its text as rendered.
    pub(crate) async fn text(&self) -> Result<String, Error> {
        self.session.get_text(&format!("{}/text", self.path)).await
    }

    /// An attribute, if it has that one.
    pub(crate) async fn attribute(&self, name: &str) -> Result<Option<String>, Error> {
        let path = format!("{}/attribute/{name}", self.path);
        let answer = self.session.ask(reqwest::Method::GET, &path, None).await?;
        Ok(answer.as_str().map(str::to_owned))
    }

    /// Scrolls it into view and clicks its middle; refused when something covers it.
    pub(crate) async fn click(&self) -> Result<(), Error> {
        self.session.post(&format!("{}/click", self.path), &json!({})).await.map(drop)
    }

    /// Types into it.
    pub(crate) async fn send_keys(&self, text: &str) -> Result<(), Error> {
        self.session.post(&format!("{}/value", self.path), &json!({"text": text})).await.map(drop)
    }
}

/// One node of the accessibility tree, with its computed role, name and description.
#[derive(Debug, Clone)]
pub(crate) struct AccessibleNode {
    pub(crate) role: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// `AXProperty` list of the DevTools Protocol: focusable, level, live, …
    pub(crate) properties: Value,
}

fn wrong(command: &str, expected: &'static str, got: &Value) -> Error {
    Error::Answer { command: command.to_owned(), expected, got: got.clone() }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// RFC 4648 §4 with its padding; `None` at the first other character.
fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut pending, mut bits) = (0_u32, 0);
    for character in text.trim_end_matches('=').bytes() {
        let sextet = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        pending = pending << 6 | u32::from(sextet);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((pending >> bits & 0xff) as u8);
        }
    }
    Some(bytes)
}

//! The window as a browser's requests meet it: one-time addresses, sessions, what a page may change.
#![expect(clippy::disallowed_methods, reason = "test code: sockets and tasks")]

#[path = "doors/service.rs"]
mod service;

use hookswitch::agent::menu::Page;
use hookswitch::locale::Locale;
use hookswitch::protocol::{Problem, State, ToAgent, ToService};
use hookswitch::shell::window::WindowHandle;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use service::Service;
use std::sync::Arc;

const HEADSET: &str = "1209-0001-A1B2";
const OFFER: &str = "spring:1209-0001-A1B2";

struct Browser {
    http: reqwest::Client,
    /// `http://127.0.0.1:<port>`
    origin: String,
    cookie: String,
    secret: String,
    window: WindowHandle,
    /// What is behind the agent.
    service: Service,
}

fn client() -> reqwest::Client {
    let none = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(none).build().expect("a client")
}

impl Browser {
    /// A browser that opened the window's one-time address.
    async fn open(state: State, language: &str) -> Self {
        let service = Service::start(state).await;
        let window = WindowHandle::new(service.handle.clone(), Arc::new(Locale::new(language)));
        let http = client();
        let url = window.open_url(Page::Updates).await.expect("an address");
        let origin = url.split("/enter").next().expect("an origin").to_owned();
        let entered = http.get(url).send().await.expect("an answer");
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
        let (cookie, secret) = let_in(&entered);
        Self { http, origin, cookie, secret, window, service }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.origin)).header("cookie", &self.cookie)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.origin)).body("{}");
        request.header("content-type", "application/json")
    }

    /// All that the page's own script sends.
    fn press(&self, path: &str) -> RequestBuilder {
        self.post(path)
            .header("cookie", &self.cookie)
            .header("origin", &self.origin)
            .header("x-hookswitch-page", &self.secret)
    }
}

/// Cookie pair and page secret of the answer to a one-time address.
fn let_in(entered: &Response) -> (String, String) {
    let cookie = entered.headers()["set-cookie"].to_str().expect("text").to_owned();
    let attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
    assert_eq!(attributes, ["SameSite=Strict", "HttpOnly", "Path=/"]);
    let (path, secret) =
        entered.headers()["location"].to_str().expect("text").split_once('#').expect("a secret");
    assert_eq!((path, secret.len()), ("/updates", 32));
    let pair = cookie.split(';').next().expect("a pair");
    assert!(!pair.contains(secret));
    (pair.to_owned(), secret.to_owned())
}

async fn text(request: RequestBuilder, status: StatusCode) -> String {
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), status);
    response.text().await.expect("text")
}

#[tokio::test]
async fn an_address_works_once() {
    let browser = Browser::open(service::state(), "en-US").await;
    let url = browser.window.open_url(Page::Updates).await.expect("an address");
    let token = url.split("token=").nth(1).expect("a token");
    assert!(token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
    // Looking is not opening.
    let looked = browser.http.head(&url).send().await.expect("an answer");
    assert_eq!(looked.status(), StatusCode::FORBIDDEN);
    let first = browser.http.get(&url).send().await.expect("an answer");
    let (cookie, _) = let_in(&first);
    assert_ne!(cookie, browser.cookie);
    let again = browser.http.get(&url).send().await.expect("an answer");
    assert_eq!(again.status(), StatusCode::FORBIDDEN);
    assert!(!again.headers().contains_key("set-cookie"));
    assert!(again.text().await.expect("text").contains("no longer valid"));
    // In the browser that has a session already it leads to the window.
    let again = browser.http.get(&url).header("cookie", &cookie).send().await.expect("an answer");
    assert_eq!(
        (again.status(), &again.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/devices".parse().expect("a value"))
    );
}

#[tokio::test]
async fn without_a_session_there_is_nothing_to_see() {
    let browser = Browser::open(service::state(), "en-US").await;
    for path in ["/", "/devices", "/updates", "/live?page=devices", "/enter", "/enter?token=0"] {
        for cookie in ["", "hookswitch_1=0", &format!("{}0", browser.cookie)] {
            let url = format!("{}{path}", browser.origin);
            let text = text(browser.http.get(url).header("cookie", cookie), StatusCode::FORBIDDEN).await;
            assert!(!text.contains("Desk One") && !text.contains("Example Ltd"), "{path}");
        }
    }
    let page = text(browser.get("/devices"), StatusCode::OK).await;
    assert!(page.contains("Desk One"));
    assert!(!page.contains(&browser.secret), "a stolen cookie must not lead to the page's secret");
}

#[tokio::test]
async fn a_change_needs_cookie_secret_and_origin() {
    let browser = Browser::open(service::state(), "en-US").await;
    let path = format!("/updates/{OFFER}/install");
    let (cookie, origin, secret) = (&browser.cookie, &browser.origin, &browser.secret);
    let evil = "http://127.0.0.1:1";
    let wrong = "0".repeat(32);
    let cases = [
        ("no cookie", browser.post(&path).header("origin", origin).header("x-hookswitch-page", secret)),
        ("no secret", browser.post(&path).header("cookie", cookie).header("origin", origin)),
        ("no origin", browser.post(&path).header("cookie", cookie).header("x-hookswitch-page", secret)),
        (
            "wrong secret",
            browser
                .post(&path)
                .header("cookie", cookie)
                .header("origin", origin)
                .header("x-hookswitch-page", &wrong),
        ),
        (
            "another origin",
            browser
                .post(&path)
                .header("cookie", cookie)
                .header("origin", evil)
                .header("x-hookswitch-page", secret),
        ),
        ("two origins", browser.press(&path).header("origin", evil)),
        ("a form", browser.press(&path).header("content-type", "text/plain")),
    ];
    for (name, request) in cases {
        let answer = text(request, StatusCode::FORBIDDEN).await;
        assert!(answer.contains("too old to change anything"), "{name}: {answer}");
    }
    browser.service.nothing_asked().await;
    for method in [Method::GET, Method::PUT] {
        let request = browser.http.request(method, format!("{origin}{path}")).header("cookie", cookie);
        text(
            request.header("x-hookswitch-page", secret).header("origin", origin),
            StatusCode::METHOD_NOT_ALLOWED,
        )
        .await;
    }
    let mut offer = service::offer(OFFER, HEADSET);
    let pressed = text(browser.press(&path), StatusCode::NO_CONTENT);
    tokio::join!(pressed, browser.service.begin_update(&offer));
    let page = text(browser.get("/updates"), StatusCode::OK).await;
    assert!(page.contains("<progress"), "{page}");

    let defer = async {
        let ToService::DeferUpdate { request, offer: asked } = browser.service.asked().await else {
            panic!("not asked to defer");
        };
        assert_eq!(asked, OFFER);
        offer.deferred = true;
        browser.service.say(ToAgent::OffersChanged { offers: vec![offer] }).await;
        browser.service.answer(request, None).await;
    };
    tokio::join!(text(browser.press(&format!("/updates/{OFFER}/defer")), StatusCode::NO_CONTENT), defer);
    assert!(browser.service.handle.view().offers[0].deferred);
}

#[tokio::test]
async fn refusals_speak_the_persons_language() {
    let browser = Browser::open(service::state(), "de-DE").await;
    let page = text(browser.get("/updates"), StatusCode::OK).await;
    assert!(page.contains("<html lang=\"de-DE\" dir=\"ltr\">") && page.contains(">Installieren<"), "{page}");
    let answer = text(browser.press(&format!("/updates/{OFFER}/explode")), StatusCode::NOT_FOUND).await;
    assert!(answer.contains("Laden Sie die Seite neu."), "{answer}");
    browser.service.nothing_asked().await;
    let next = "Wait until it is done; one headset is updated at a time.";
    let running = Problem::new("update-running", "Another update is running", "Desk One", next);
    let refused = refused_install(&browser, running).await;
    assert_eq!(refused["what"], "Es läuft eine andere Aktualisierung");
    assert_eq!(refused["where"], "Desk One");
    // A word that no text is known for is better than none.
    let unknown = Problem::new("no-such-code", "It broke", "Desk One", "Mend it.");
    let refused = refused_install(&browser, unknown).await;
    assert_eq!(refused, serde_json::json!({"what": "It broke", "where": "Desk One", "next": "Mend it."}));
}

/// What the page is told when the machine role does not want to install.
async fn refused_install(browser: &Browser, problem: Problem) -> serde_json::Value {
    let refuse = async {
        let request = browser.service.asked_to_install(OFFER).await;
        browser.service.answer(request, Some(problem)).await;
    };
    let pressed = text(browser.press(&format!("/updates/{OFFER}/install")), StatusCode::CONFLICT);
    let (answer, ()) = tokio::join!(pressed, refuse);
    serde_json::from_str(&answer).expect("JSON")
}

#[tokio::test]
async fn every_answer_is_fenced_in() {
    let browser = Browser::open(service::state(), "en-US").await;
    for path in [
        "/devices",
        "/updates",
        "/enter",
        "/assets/window.js",
        "/assets/window.css",
        "/nothing",
        "/live?page=x",
    ] {
        let response = browser.get(path).send().await.expect("an answer");
        let headers = response.headers();
        let policy = headers["content-security-policy"].to_str().expect("text");
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split("; ").any(|r| r == rule), "{path}: {rule} in {policy}");
        }
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin", "{path}");
        assert!(!headers.contains_key("access-control-allow-origin"), "{path}");
    }
    for host in ["evil.example", "localhost", "127.0.0.1:1"] {
        let answer =
            text(browser.get("/devices").header("host", host), StatusCode::MISDIRECTED_REQUEST).await;
        assert!(!answer.contains("Desk One"), "{host}");
    }
}

#[tokio::test]
async fn hostile_names_stay_names() {
    let mut state = service::state();
    state.devices[0].product = "<script>alert(1)</script>".to_owned();
    state.offers[0].name = "\"><img src=x onerror=alert(1)>".to_owned();
    state.offers[0].id = "\"><script>:/../\u{2028}".to_owned();
    let browser = Browser::open(state, "en-US").await;
    for path in ["/devices", "/updates"] {
        let page = text(browser.get(path), StatusCode::OK).await;
        assert!(!page.contains("<script>") && !page.contains("<img src=x"), "{page}");
        assert!(page.contains("&#60;script&#62;"), "{page}");
    }
}

#[tokio::test]
async fn an_open_page_is_told_of_what_changed_and_of_the_end() {
    let browser = Browser::open(service::state(), "en-US").await;
    let mut live = browser.get("/live?page=devices").send().await.expect("a stream");
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    let mut names = Vec::new();
    while names.len() < 4 {
        names.extend(regions(&mut live).await);
    }
    assert_eq!(names, ["problems", "main", "tenant", "spoken"]);
    browser.service.say(ToAgent::DeviceChanged { device: service::device("2", "Second") }).await;
    assert_eq!(regions(&mut live).await, ["main"]);
    browser.window.stop().await;
    assert_eq!(live.chunk().await.expect("the end"), None);
    let gone = browser.get("/devices").send().await;
    assert!(gone.is_err(), "nothing listens any more");
    // And it can be opened again, for which the old session is nothing.
    let url = browser.window.open_url(Page::Devices).await.expect("an address");
    assert_eq!(client().get(url).send().await.expect("an answer").status(), StatusCode::SEE_OTHER);
}

async fn regions(live: &mut Response) -> Vec<String> {
    let chunk = live.chunk().await.expect("a chunk").expect("no end yet");
    let text = String::from_utf8(chunk.to_vec()).expect("UTF-8");
    let data = text.lines().filter_map(|l| l.strip_prefix("data: "));
    data.map(|d| {
        let data: serde_json::Value = serde_json::from_str(d).expect("JSON");
        data["name"].as_str().expect("a name").to_owned()
    })
    .collect()
}

/// Connections that are still open after a moment.
async fn kept_open(connections: Vec<std::net::TcpStream>) -> usize {
    use std::io::{ErrorKind, Read};
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let open = connections.into_iter().filter(|connection| {
        connection.set_nonblocking(true).expect("set");
        let mut connection = connection;
        connection.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    });
    open.count()
}

#[tokio::test]
async fn programs_of_other_users_do_not_get_in() {
    use std::os::unix::process::CommandExt;
    let browser = Browser::open(State::default(), "en").await;
    let address = browser.origin.trim_start_matches("http://").to_owned();
    let own = std::net::TcpStream::connect(&address).expect("it listens");
    assert_eq!(kept_open(vec![own]).await, 1);
    let port = address.rsplit(':').next().expect("a port");
    // Says whether the other side hung up within two seconds.
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; IFS= read -r -t 2 -u 3 _; test $? -le 128");
    let mut bash = tokio::process::Command::new("bash");
    bash.args(["-c", &script]).as_std_mut().uid(65534).gid(65534);
    match bash.status().await {
        Ok(status) => assert!(status.success(), "another user's connection was kept"),
        Err(error) => println!("SKIPPED: only root can become another user ({error})"),
    }
}

#[tokio::test]
async fn idle_connections_do_not_use_up_the_descriptors() {
    let browser = Browser::open(State::default(), "en").await;
    let address = browser.origin.trim_start_matches("http://").to_owned();
    let before = std::fs::read_dir("/proc/self/fd").expect("readable").count();
    let connections: Vec<_> = (0..120).filter_map(|_| std::net::TcpStream::connect(&address).ok()).collect();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let accepted = std::fs::read_dir("/proc/self/fd").expect("readable").count() - before - connections.len();
    assert!(accepted <= 100, "{accepted} connections are held");
}

//! The window as a browser's requests meet it: one-time addresses, sessions, what a page may change.
#![expect(clippy::disallowed_methods, reason = "test code: sockets and tasks")]

#[path = "doors/machine.rs"]
mod machine;

use hookswitch::shell::window::WindowHandle;
use hub::locale::Locale;
use hub::problem::Reason;
use hub::protocol::{Problem, State, ToMachine, ToUser};
use hub::user::menu::Page;
use machine::PlayedMachine;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use std::sync::Arc;

const HEADSET: &str = "1209-0001-A1B2";
const OFFER: &str = "spring:1209-0001-A1B2";

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

struct Browser {
    http: reqwest::Client,
    /// `http://127.0.0.1:<port>`
    origin: String,
    cookie: String,
    secret: String,
    window: WindowHandle,
    /// What is behind the agent.
    service: PlayedMachine,
}

fn client() -> reqwest::Client {
    let none = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(none).build().expect("a client")
}

impl Browser {
    /// A browser that opened the window's one-time address.
    async fn open(state: State, language: &str) -> Self {
        let service = PlayedMachine::start(state).await;
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
    let browser = Browser::open(machine::state(), "en-US").await;
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
    let browser = Browser::open(machine::state(), "en-US").await;
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
    let browser = Browser::open(machine::state(), "en-US").await;
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
    let mut offer = machine::offer(OFFER, HEADSET);
    let pressed = text(browser.press(&path), StatusCode::NO_CONTENT);
    tokio::join!(pressed, browser.service.begin_update(&offer));
    let page = text(browser.get("/updates"), StatusCode::OK).await;
    assert!(page.contains("<progress"), "{page}");

    let defer = async {
        let ToMachine::DeferUpdate { request, offer: asked } = browser.service.asked().await else {
            panic!("not asked to defer");
        };
        assert_eq!(asked, OFFER);
        offer.deferred = true;
        browser.service.say(ToUser::OffersChanged { offers: vec![offer] }).await;
        browser.service.answer(request, None).await;
    };
    tokio::join!(text(browser.press(&format!("/updates/{OFFER}/defer")), StatusCode::NO_CONTENT), defer);
    assert!(browser.service.handle.view().offers[0].deferred);
}

#[tokio::test]
async fn a_page_that_asks_is_allowed_and_denied_by_a_button() {
    let browser = Browser::open(machine::state(), "en-US").await;
    let waiting = "https://new.example";
    let page = hub::protocol::client::ClientId::Page(waiting.to_owned());
    let knock = async || {
        browser.service.handle.knock(page.clone(), false, None).await.expect("the agent runs").is_ok()
    };
    assert!(!knock().await);
    let elsewhere = text(browser.get("/devices"), StatusCode::OK).await;
    assert!(elsewhere.contains("href=\"/softphones\">"), "{elsewhere}");
    assert!(elsewhere.contains("https://new.example") && elsewhere.contains("asks to use the headset"));
    let page = text(browser.get("/softphones"), StatusCode::OK).await;
    assert!(page.contains(">Allow</button>") && page.contains(">Deny</button>"), "{page}");
    assert!(page.contains("https://phone.example") && page.contains("Your company allowed it."), "{page}");
    let path = |action: &str| format!("/softphones/https%3A%2F%2Fnew.example/{action}");
    text(browser.post(&path("approve")), StatusCode::FORBIDDEN).await;
    assert!(!knock().await, "a change needs the page's secret");
    text(browser.press(&path("approve")), StatusCode::NO_CONTENT).await;
    assert!(knock().await);
    assert!(browser.service.settings().contains(waiting));
    let page = text(browser.get("/softphones"), StatusCode::OK).await;
    assert!(page.contains(">Take back</button>") && !page.contains(">Allow</button>"), "{page}");
    text(browser.press(&path("revoke")), StatusCode::NO_CONTENT).await;
    assert!(!knock().await);
    let answer = text(browser.press(&path("explode")), StatusCode::NOT_FOUND).await;
    assert!(answer.contains("does not exist"), "{answer}");
    let company = browser.press("/softphones/https%3A%2F%2Fphone.example/revoke");
    let answer = text(company, StatusCode::CONFLICT).await;
    assert!(answer.contains("Your company approved"), "{answer}");
}

#[tokio::test]
async fn of_several_headsets_the_person_chooses_and_it_is_kept() {
    let mut state = machine::state();
    state.devices.push(machine::device("1209-0001-TWO", "Desk Two"));
    let browser = Browser::open(state, "en-US").await;
    let page = text(browser.get("/devices"), StatusCode::OK).await;
    assert_eq!(page.matches(">Use for calls</button>").count(), 1, "{page}");
    assert_eq!(page.matches(">Used for calls</span>").count(), 1, "{page}");
    text(browser.post("/devices/1209-0001-TWO/use"), StatusCode::FORBIDDEN).await;
    text(browser.press("/devices/1209-0001-TWO/use"), StatusCode::NO_CONTENT).await;
    assert_eq!(browser.service.handle.view().headset.as_deref(), Some("1209-0001-TWO"));
    assert!(browser.service.settings().contains("headset = \"1209-0001-TWO\""));
    let page = text(browser.get("/devices"), StatusCode::OK).await;
    assert!(!page.contains("data-id=\"1209-0001-TWO\" data-action=\"use\""), "{page}");
    let answer = text(browser.press("/devices/gone/use"), StatusCode::CONFLICT).await;
    assert!(answer.contains("no such headset"), "{answer}");
    text(browser.press("/devices/1209-0001-TWO/explode"), StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn refusals_speak_the_persons_language() {
    let browser = Browser::open(machine::state(), "de-DE").await;
    let page = text(browser.get("/updates"), StatusCode::OK).await;
    assert!(page.contains("<html lang=\"de-DE\" dir=\"ltr\">") && page.contains(">Installieren<"), "{page}");
    let answer = text(browser.press(&format!("/updates/{OFFER}/explode")), StatusCode::NOT_FOUND).await;
    assert!(answer.contains("Laden Sie die Seite neu."), "{answer}");
    browser.service.nothing_asked().await;
    let running = Reason::UpdateRunning.at("Desk One");
    let refused = refused_install(&browser, running).await;
    assert_eq!(refused["what"], "Die Aktualisierung dieses Headsets läuft");
    assert_eq!(refused["where"], "Desk One");
    // A word that no text is known for is better than none.
    let unknown = serde_json::from_value(serde_json::json!({
        "code": "no-such-code", "what": "It broke", "where": "Desk One", "next": "Mend it.",
    }))
    .expect("a problem of another version");
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
    let browser = Browser::open(machine::state(), "en-US").await;
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
    let mut state = machine::state();
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
    let browser = Browser::open(machine::state(), "en-US").await;
    let mut live = browser.get("/live?page=devices").send().await.expect("a stream");
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    let mut names = Vec::new();
    while names.len() < 5 {
        names.extend(regions(&mut live).await);
    }
    assert_eq!(names, ["problems", "main", "tenant", "spoken", "present"]);
    browser.service.say(ToUser::DeviceChanged { device: machine::device("2", "Second") }).await;
    let mut names = Vec::new();
    while names.len() < 2 {
        names.extend(regions(&mut live).await);
    }
    assert_eq!(names, ["main", "present"], "what is seen, and what a screen reader says");
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

async fn connect(browser: &Browser) -> tokio::net::TcpStream {
    let address = browser.origin.trim_start_matches("http://");
    tokio::net::TcpStream::connect(address).await.expect("it listens")
}

/// Whether the other side hangs up within [`PATIENCE`].
async fn is_cut(connection: &mut (impl tokio::io::AsyncRead + Unpin)) -> bool {
    use tokio::io::AsyncReadExt as _;
    let mut read = Vec::new();
    // A reset is an end too.
    tokio::time::timeout(PATIENCE, connection.read_to_end(&mut read)).await.is_ok()
}

#[tokio::test]
async fn programs_of_other_users_do_not_get_in() {
    use std::os::unix::process::CommandExt;
    let browser = Browser::open(State::default(), "en").await;
    let port = browser.origin.rsplit(':').next().expect("a port").to_owned();
    // Its own answer shows that the script can tell.
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'GET / HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n' >&3; IFS= read -r -u 3 line; echo \"$line\""
    );
    let ask = async |uid: Option<u32>| {
        let mut bash = tokio::process::Command::new("bash");
        bash.args(["-c", &script]);
        if let Some(uid) = uid {
            bash.as_std_mut().uid(uid).gid(uid);
        }
        bash.output().await.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let own = ask(None).await.expect("bash runs");
    assert!(own.starts_with("HTTP/1."), "{own}");
    // Whoever may not become another user has nobody to test with: the tier that is run as root does.
    if rustix::process::geteuid().is_root() {
        let foreign = ask(Some(65534)).await.expect("root may become anybody");
        assert_eq!(foreign.trim(), "", "another user's connection was kept");
    }
}

/// Whoever says nothing has no right to a place that others need.
#[tokio::test]
async fn connections_that_say_nothing_give_way() {
    const PLACES: usize = 64;
    let browser = Browser::open(State::default(), "en").await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(connect(&browser).await);
    }
    let answer = tokio::time::timeout(PATIENCE, browser.get("/devices").send()).await;
    assert_eq!(answer.expect("in time").expect("an answer").status(), StatusCode::OK);
    // Those that came first.
    let too_many = silent.len() - PLACES;
    for (at, connection) in silent.iter_mut().take(too_many).enumerate() {
        assert!(is_cut(connection).await, "{at}");
    }
}

/// There is a deadline for the whole head, not for the next byte.
#[tokio::test]
async fn a_request_that_drips_is_cut() {
    use tokio::io::AsyncWriteExt as _;
    let browser = Browser::open(State::default(), "en").await;
    let (mut reads, mut writes) = connect(&browser).await.into_split();
    writes.write_all(b"GET / HTTP/1.1\r\nX: ").await.expect("a beginning");
    let drips = tokio::spawn(async move {
        while writes.write_all(b"x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    });
    assert!(is_cut(&mut reads).await, "it was kept");
    drips.await.expect("no panic");
}

//! `/Spokes` as shipped clients of the Plantronics Hub use it: their requests in their order and spelling, and every byte
//! of the answers, in `tests/golden/spokes/`. `UPDATE_GOLDEN=1` writes those anew.

use crate::sdk::{self, Sdk, json_of};
use crate::{APPROVED, HEADSET, machine};
use hub::protocol::local::Standing;
use hub::protocol::{DeviceEvent, ToUser};
use reqwest::{Method, StatusCode};
use std::fmt::Write as _;

fn this_program() -> String {
    std::env::current_exe().expect("a path").display().to_string()
}

/// A client of the old hub, and what it said and heard.
struct Client {
    sdk: Sdk,
    /// It is a page, and asks by script elements; else a program that nobody gave a token.
    page: bool,
    session: String,
    told: String,
    callbacks: u32,
}

impl Client {
    async fn of_page() -> Self {
        Self { sdk: Sdk::open().await, page: true, session: String::new(), told: String::new(), callbacks: 0 }
    }

    async fn program() -> Self {
        let client = Self { page: false, ..Self::of_page().await };
        client.sdk.decide(&this_program(), true).await;
        client
    }

    /// `SESSION` in it is the session that it attached to.
    async fn ask(&mut self, path: &str) {
        let _ = writeln!(self.told, "> {path}");
        let path = format!("/Spokes/{}", path.replace("SESSION", &self.session));
        let request = if self.page {
            self.callbacks += 1;
            let joint = if path.contains('?') { '&' } else { '?' };
            let path = format!("{path}{joint}callback=jsonp_17_{}", self.callbacks);
            let request =
                self.sdk.stranger(Method::GET, &path).header("referer", "https://phone.example/desk");
            let request = request.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "no-cors");
            request.header("sec-fetch-dest", "script").header("user-agent", "Mozilla/5.0")
        } else {
            self.sdk.stranger(Method::GET, &path)
        };
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let kind = if self.page { "application/javascript; charset=utf-8" } else { "application/json" };
        assert_eq!(answer.headers()["content-type"], kind);
        let text = answer.text().await.expect("text");
        if let Some((_, rest)) = text.split_once(r#""Attach","Result":""#) {
            self.session = rest[..32].to_owned();
        }
        let _ = writeln!(self.told, "< {}", masked(&text));
    }

    async fn press(&mut self, event: DeviceEvent) {
        let _ = writeln!(self.told, "! {event:?}");
        self.sdk.service.say(ToUser::DeviceEvent { id: HEADSET.to_owned(), event }).await;
    }

    async fn unplug(&mut self) {
        self.told.push_str("! unplugged\n");
        self.sdk.service.say(ToUser::DeviceRemoved { id: HEADSET.to_owned() }).await;
    }

    async fn plug(&mut self) {
        self.told.push_str("! plugged in\n");
        let device = machine::device(HEADSET, "Desk One");
        self.sdk.service.say(ToUser::DeviceChanged { device }).await;
    }

    fn is_as(&self, name: &str) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/spokes");
        let path = folder.join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &self.told).expect("written");
            println!("UPDATE_GOLDEN: {} written anew: look at the difference", path.display());
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == self.told, "{} differs; it should be\n{}", path.display(), self.told);
    }
}

/// What chance and time made of it: ids of 32 hex digits, UUIDs but for the empty one, ages.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', ':']) {
        let (before, from) = rest.split_at(at + 1);
        masked.push_str(before);
        let word: &str =
            &from[..from.find(|c: char| !(c.is_ascii_hexdigit() || c == '-')).unwrap_or(from.len())];
        let by_chance = word.len() == 32 || (word.len() == 36 && word.contains('-'));
        if by_chance {
            masked.push_str(if word.len() == 32 { "<32 hex digits>" } else { "<uuid>" });
        } else if masked.ends_with("\"Age\":") {
            masked.push_str("<ms>");
        } else {
            masked.push_str(word);
        }
        rest = &from[word.len()..];
    }
    masked + rest
}

/// A library for web pages: never attaches, polls events from the start, sends half-encoded ids, suppresses its own
/// commands for what the headset did, and says three things of every call that ended.
#[tokio::test]
async fn a_jsonp_library_starts_calls_and_stops() {
    let mut it = Client::of_page().await;
    for path in [
        "SessionManager/UnRegister?name=headset-library",
        "SessionManager/Register?name=headset-library",
        "SessionManager/IsActive?name=headset-library&active=true",
        "UserPreference/SetDefaultSoftPhone?name=headset-library",
        "DeviceServices/Info",
        "CallServices/CallManagerState?",
        "CallServices/CallEvents?name=headset-library",
        "CallServices/IncomingCall?name=headset-library&tones=Unknown&route=ToHeadset&callID={%22Id%22:%2248151623%22}&contact={%22Name%22:%22Tom%20&%20Jerry%22}",
        "CallServices/CallManagerState?",
    ] {
        it.ask(path).await;
    }
    it.press(DeviceEvent::Answer).await;
    it.ask("CallServices/CallEvents?name=headset-library").await;
    it.press(DeviceEvent::MuteToggle).await;
    it.press(DeviceEvent::HoldToggle).await;
    it.press(DeviceEvent::HoldToggle).await;
    it.ask("CallServices/CallEvents?name=headset-library").await;
    it.press(DeviceEvent::HangUp).await;
    for path in [
        "CallServices/CallEvents?name=headset-library",
        "CallServices/TerminateCall?name=headset-library&callID={%22Id%22:%2248151623%22}",
        "CallServices/MuteCall?name=headset-library&muted=false",
        "CallServices/ResumeCall?name=headset-library&callID={%22Id%22:%22undefined%22}",
        "CallServices/CallEvents?name=headset-library",
        "CallServices/CallManagerState?",
        "CallServices/IncomingCall?name=headset-library&tones=Unknown&route=ToHeadset&callID={%22Id%22:%227%22}",
    ] {
        it.ask(path).await;
    }
    it.press(DeviceEvent::Reject).await;
    for path in [
        "CallServices/CallEvents?name=headset-library",
        "CallServices/TerminateCall?name=headset-library&callID={%22Id%22:%227%22}",
        "SessionManager/UnRegister?name=headset-library",
    ] {
        it.ask(path).await;
    }
    it.is_as("jsonp-library");
}

/// The vendor's own script and the pages around it: attach, confirm what the headset did, learn of unplugging by the
/// text of an error, and leave by two requests.
#[tokio::test]
async fn a_sample_page_starts_is_unplugged_and_stops() {
    let mut it = Client::of_page().await;
    for path in [
        "DeviceServices/Info?_=1701",
        "DeviceServices/Attach?uid=0123456789&_=1702",
        "SessionManager/Register?name=Sample Page &_=1703",
        "SessionManager/IsActive?name=Sample Page &active=true&_=1704",
        "DeviceServices/Events?sess=SESSION&queue=0&_=1705",
        "CallServices/CallEvents?name=Sample Page &_=1706",
        "CallServices/IncomingCall?name=Sample Page &callID={\"Id\":\"1\"}&contact={\"Id\":\"1\",\"Name\":\"Kim\",\"Phone\":\"555\"}&tones=Unknown&route=ToHeadset&_=1707",
    ] {
        it.ask(path).await;
    }
    it.press(DeviceEvent::Answer).await;
    it.press(DeviceEvent::MuteOn).await;
    for path in [
        "DeviceServices/Events?sess=SESSION&queue=0&_=1708",
        "CallServices/CallEvents?name=Sample Page &_=1709",
        "CallServices/AnswerCall?name=Sample Page &callID={\"Id\":\"1\"}&_=1710",
        "CallServices/CallManagerState?_=1711",
    ] {
        it.ask(path).await;
    }
    it.unplug().await;
    for path in [
        "DeviceServices/Events?sess=SESSION&queue=0&_=1712",
        "SessionManager/UnRegister?name=Sample Page &_=1713",
        "DeviceServices/Info?_=1714",
        "DeviceServices/Attach?uid=0123456789&_=1715",
    ] {
        it.ask(path).await;
    }
    it.plug().await;
    for path in [
        "DeviceServices/Info?_=1716",
        "DeviceServices/Attach?uid=0123456789&_=1717",
        "SessionManager/Register?name=Sample Page &_=1718",
        "SessionManager/UnRegister?name=Sample Page &_=1719",
        "DeviceServices/Release?sess=SESSION&_=1720",
        "DeviceServices/Events?sess=SESSION&queue=0&_=1721",
    ] {
        it.ask(path).await;
    }
    it.is_as("sample-page");
}

/// Registers, asks for the headset beside it, and for numbers that were dialled at it.
#[tokio::test]
async fn a_web_phone_starts_and_dials() {
    let mut it = Client::of_page().await;
    for path in [
        "SessionManager/Register?name=Web Phone",
        "DeviceServices/Info",
        "SessionManager/IsActive?name=Web Phone&active=true",
        "UserPreference/SetDefaultSoftPhone?name=Web Phone",
        "CallServices/CallEvents?name=Web Phone",
        "CallServices/CallRequests?name=Web Phone",
        "CallServices/OutgoingCall?name=Web Phone&callID={\"Id\":\"99\"}&contact={\"Name\":\"Kim\"}&route=ToHeadset",
    ] {
        it.ask(path).await;
    }
    it.press(DeviceEvent::HangUp).await;
    for path in [
        "CallServices/CallEvents?name=Web Phone",
        "CallServices/TerminateCall?name=Web Phone&callID={\"Id\":\"99\"}",
        "CallServices/CallEvents?name=Web Phone",
    ] {
        it.ask(path).await;
    }
    it.is_as("web-phone");
}

/// Programs that search answers by text: never active, everything of an id encoded.
#[tokio::test]
async fn a_program_that_reads_text_starts_calls_and_stops() {
    let mut it = Client::program().await;
    for path in [
        "DeviceServices/Attach?uid=0123456789",
        "SessionManager/Register?name=Native+Phone",
        "DeviceServices/Info",
        "DeviceServices/Events?sess=SESSION&queue=0",
        "CallServices/CallEvents?name=Native+Phone",
        "CallServices/IncomingCall?name=Native+Phone&callID=%7B%22Id%22%3A%225%22%7D&contact=%7B%22Name%22%3A%22Kim%22%7D&tones=Unknown&route=ToHeadset",
        "CallServices/AnswerCall?name=Native+Phone&callID=%7B%22Id%22%3A%225%22%7D",
        "CallServices/MuteCall?name=Native+Phone&muted=true",
        "CallServices/HoldCall?name=Native+Phone&callID=%7B%22Id%22%3A%225%22%7D",
        "CallServices/ResumeCall?name=Native+Phone&callID=%7B%22Id%22%3A%225%22%7D",
        "DeviceServices/Events?sess=SESSION&queue=0",
        "CallServices/CallEvents?name=Native+Phone",
        "CallServices/TerminateCall?name=Native+Phone&callID=%7B%22Id%22%3A%225%22%7D",
        "CallServices/CallEvents?name=Native+Phone",
        "SessionManager/UnRegister?name=Native+Phone",
        "DeviceServices/Release?sess=SESSION",
    ] {
        it.ask(path).await;
    }
    it.is_as("program-by-text");
}

/// A typed reader, a listener and a home automation: some register and never leave, some never register.
#[tokio::test]
async fn programs_that_only_listen_are_answered() {
    let mut it = Client::program().await;
    for path in [
        "SessionManager/Register?name=typed",
        "DeviceServices/Attach?uid=7d444840-9dc0-11d1-b245-5ffdce74fad2",
        "DeviceServices/Events?sess=SESSION&queue=0",
    ] {
        it.ask(path).await;
    }
    it.press(DeviceEvent::MuteOn).await;
    it.press(DeviceEvent::MuteOff).await;
    for path in [
        "DeviceServices/Events?sess=SESSION&queue=0",
        "DeviceServices/Attach?uid=999",
        "DeviceServices/Events?sess=SESSION&queue=0",
        "DeviceServices/Info",
        "CallServices/CallManagerState/",
        "DeviceServices/Attach?uid=1",
        "DeviceServices/Events?sess=SESSION",
        "DeviceServices/Release?sess=SESSION",
    ] {
        it.ask(path).await;
    }
    it.is_as("listeners");
}

#[tokio::test]
async fn spokes_info_speaks_the_old_envelope() {
    let sdk = Sdk::open().await;
    let ask =
        |path: &'static str| sdk.stranger(Method::GET, path).header("referer", "https://phone.example/desk");
    let script = ask("/Spokes/DeviceServices/Info?&callback=jsonp_1&_=17").send().await.expect("an answer");
    assert_eq!(script.headers()["content-type"], "application/javascript; charset=utf-8");
    let text = script.text().await.expect("text");
    let json = text.strip_prefix("jsonp_1(").and_then(|t| t.strip_suffix(");")).expect("a call");
    let envelope: serde_json::Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(envelope["Result"]["ProductName"], "Desk One");
    assert_eq!(envelope["Result"]["USBVersionNumber"], "120");
    assert_eq!(envelope["Type"], 4);
    assert!(json.starts_with(r#"{"Description":"Active Device Info","Result":{"#), "{json}");
    assert!(json.ends_with(r#","Type":4,"Type_Name":"DeviceInfo","isError":false}"#), "{json}");
    for path in ["/spokes/deviceservices/info/", "/SPOKES/DeviceServices/INFO"] {
        let same = json_of(ask(path).send().await.expect("an answer")).await;
        assert_eq!(same, envelope);
    }
    // Nothing that is more than a name is put before the answer, which is no script then.
    let hostile = ask("/Spokes/DeviceServices/Info?callback=alert(1)//").send().await.expect("an answer");
    assert_eq!(
        (hostile.status(), &hostile.headers()["content-type"]),
        (StatusCode::OK, &"application/json".parse().expect("text"))
    );
    let hostile = hostile.text().await.expect("text");
    assert!(hostile.starts_with(r#"{"Description":"","Err":{"Description":"A callback is"#), "{hostile}");
    sdk.service.say(ToUser::DeviceRemoved { id: HEADSET.to_owned() }).await;
    let none =
        ask("/Spokes/DeviceServices/Info").send().await.expect("an answer").text().await.expect("text");
    assert_eq!(
        none,
        r#"{"Description":"","Err":{"Description":"There are no supported devices","Error_Code":0,"Type":5},"Type":1,"Type_Name":"Error","isError":true}"#
    );
}

#[tokio::test]
async fn spokes_tells_strangers_that_approval_was_asked_for() {
    let sdk = Sdk::open().await;
    let ask = |referer: Option<&'static str>| {
        let request = sdk.stranger(Method::GET, "/Spokes/DeviceServices/Info");
        referer.into_iter().fold(request, |r, referer| r.header("referer", referer)).send()
    };
    for referer in
        [None, Some("https://new.example/a"), Some("https://phone.example.new.example/"), Some("x")]
    {
        let envelope = json_of(ask(referer).await.expect("an answer")).await;
        assert_eq!(envelope["isError"], true, "{referer:?}");
        assert!(envelope.get("Result").is_none(), "{referer:?}");
        let is_nobody = referer == Some("x");
        let words = if is_nobody { "is not approved" } else { "may not use the headset yet" };
        assert!(envelope["Err"]["Description"].as_str().expect("text").contains(words), "{envelope}");
    }
    sdk.service.settled().await;
    let view = sdk.handle.view();
    let asks = |name: &str| {
        view.softphones.iter().any(|s| s.client.name() == name && s.standing == Standing::Asking)
    };
    assert!(
        asks("https://new.example") && asks("https://phone.example.new.example") && asks(&this_program()),
        "{:?}",
        view.softphones
    );
}

/// A GET that changes something is one that a page not allowed, a picture, a link or a browser's guess could make.
#[tokio::test]
async fn calls_are_begun_by_scripts_of_approved_pages_alone() {
    const INCOMING: &str = "/Spokes/CallServices/IncomingCall?name=P&callID=1&callback=f";
    let sdk = Sdk::open().await;
    let calls = async || {
        sdk.service.settled().await;
        sdk.handle.view().calls.len()
    };
    let ask = |path: &str, headers: &[(&str, &str)]| {
        let request = sdk.stranger(Method::GET, path);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    let by_page = ("referer", "https://phone.example/desk");
    for headers in [
        vec![("referer", "https://evil.example/")],
        vec![("referer", "https://phone.example.evil.example/")],
        vec![("referer", "http://phone.example/")],
        vec![("origin", "https://evil.example"), by_page],
        vec![("origin", "null"), by_page],
        vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
        vec![by_page, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        vec![by_page, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
        vec![by_page, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
        vec![by_page, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "style")],
        vec![by_page, ("sec-purpose", "prefetch")],
        vec![("origin", APPROVED), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "image")],
        vec![("origin", APPROVED), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "style")],
        vec![("origin", APPROVED), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        vec![("origin", APPROVED), ("sec-fetch-mode", "cors"), ("sec-purpose", "prefetch")],
        vec![("authorization", "Bearer of-somebody-else")],
        vec![by_page, ("purpose", "prefetch")],
    ] {
        let answer = ask(INCOMING, &headers).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{headers:?}");
        let text = answer.text().await.expect("text");
        assert!(text.starts_with("f({") && text.ends_with(r#""isError":true});"#), "{headers:?}: {text}");
        assert_eq!(calls().await, 0, "{headers:?}");
    }
    for method in [Method::HEAD, Method::POST, Method::PUT, Method::DELETE] {
        let request = sdk.stranger(method.clone(), INCOMING).header(by_page.0, by_page.1);
        let refused = request.send().await.expect("an answer");
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(calls().await, 0, "{method}");
    }
    let script = [by_page, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "script")];
    let made = ask(INCOMING, &script).send().await.expect("an answer").text().await.expect("text");
    assert!(made.contains(r#""Result":true"#), "{made}");
    assert_eq!(calls().await, 1);
    // Pages that ask by fetch say who they are by their Origin.
    let fetched = ask("/Spokes/CallServices/TerminateCall?name=P&callID=1", &[("origin", APPROVED)]);
    assert_eq!(json_of(fetched.send().await.expect("an answer")).await["Result"], true);
    assert_eq!(calls().await, 0);
    // Revoked, its calls end and it is refused.
    ask(INCOMING, &script).send().await.expect("an answer");
    assert_eq!(calls().await, 1);
    let own = [("referer", "https://own.example/"), ("sec-fetch-dest", "script")];
    ask(INCOMING, &own).send().await.expect("an answer");
    assert_eq!(calls().await, 2);
    sdk.decide("https://own.example", false).await;
    assert_eq!(calls().await, 1);
    let refused = ask(INCOMING, &own).send().await.expect("an answer").text().await.expect("text");
    assert!(refused.contains("said no"), "{refused}");
    let long = format!("{INCOMING}&x={}", "a".repeat(9000));
    let refused = ask(&long, &script).send().await.expect("an answer").text().await.expect("text");
    assert!(refused.starts_with("f({") && refused.contains("A query has at most"), "{refused}");
}

/// Whatever their headers are like, as script elements and programs of that time cannot read anything else.
#[tokio::test]
async fn every_answer_is_an_envelope() {
    let sdk = Sdk::open().await;
    sdk.decide(&this_program(), true).await;
    let info = "/Spokes/DeviceServices/Info?callback=f";
    let odd = "x".repeat(70);
    for (name, value, welcome) in [
        ("user-agent", odd.as_str(), true),
        ("x-hookswitch-client", "caf\u{e9}", true),
        ("x-hookswitch-client", "https://evil.example", true),
        ("authorization", "Bearer x", false),
        ("origin", "null", false),
    ] {
        let value = reqwest::header::HeaderValue::from_bytes(value.as_bytes()).expect("a value");
        let answer = sdk.stranger(Method::GET, info).header(name, value).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
        let text = answer.text().await.expect("text");
        assert!(kind.starts_with("application/javascript") && text.starts_with("f({"), "{name}: {text}");
        assert_eq!(text.contains("\"isError\":false"), welcome, "{name}: {text}");
    }
}

/// What a program says of itself does not undo what the person said of it.
#[tokio::test]
async fn a_program_that_was_refused_is_no_page() {
    let sdk = Sdk::open().await;
    sdk.decide(&this_program(), false).await;
    for headers in [("origin", APPROVED), ("referer", "https://phone.example/desk")] {
        for path in ["/Spokes/CallServices/IncomingCall?name=P&callID=1", "/v1/devices"] {
            let request = sdk.stranger(Method::GET, path).header(headers.0, headers.1);
            let refused = request.send().await.expect("an answer").text().await.expect("text");
            assert!(!refused.contains("Result\":true") && !refused.contains("Desk One"), "{path}: {refused}");
        }
    }
    sdk.service.settled().await;
    assert_eq!(sdk.handle.view().calls, []);
}

/// Programs that know the old hub by plain HTTP are answered there, by the same rules; nothing else is.
#[tokio::test]
async fn plain_http_answers_spokes_and_nothing_else() {
    let sdk = Sdk::open().await;
    let url = sdk.server.plain_url().expect("it is asked for");
    let ask = async |path: &str, name: &str, value: &str| {
        let request = sdk.http.get(format!("{url}{path}")).header(name, value);
        request.send().await.expect("an answer")
    };
    let info = "/Spokes/DeviceServices/Info";
    let refused = json_of(ask(info, "x", "y").await).await;
    assert!(refused.to_string().contains("may not use the headset yet"), "{refused}");
    sdk.decide(&this_program(), true).await;
    assert_eq!(json_of(ask(info, "x", "y").await).await["Result"]["ProductName"], "Desk One");
    let port = url.rsplit(':').next().expect("a port");
    let local = json_of(ask(info, "host", &format!("localhost:{port}")).await).await;
    assert_eq!(local["isError"], false);
    let foreign = ask(info, "host", &format!("evil.example:{port}")).await;
    assert_eq!(foreign.status(), StatusCode::MISDIRECTED_REQUEST);
    let evil = json_of(ask(info, "referer", "https://evil.example/").await).await;
    assert_eq!(evil["isError"], true);
    for path in ["/v1/health", "/v1/devices", "/v1/events", "/v1/openapi.json", "/"] {
        let bearer = format!("Bearer {}", sdk.token);
        assert_eq!(ask(path, "authorization", &bearer).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

/// A page hears of its own calls by pushed events too, whichever door they came by.
#[tokio::test]
async fn a_call_of_the_old_hub_is_a_call_like_all_others() {
    let sdk = Sdk::open().await;
    let mut events = sdk.events("").await;
    events.next().await.expect("the state");
    sdk.decide(&this_program(), true).await;
    let path = "/Spokes/CallServices/IncomingCall?name=Native Phone&callID=5&contact={\"Name\":\"Kim\"}";
    sdk.stranger(Method::GET, path).send().await.expect("an answer");
    let sdk::Event { name, data, .. } = events.next().await.expect("an event");
    assert_eq!((name.as_str(), &data["call"]["state"]), ("call", &"ringing".into()));
    assert_eq!((&data["call"]["client"], &data["call"]["contact"]), (&"Native Phone".into(), &"Kim".into()));
}

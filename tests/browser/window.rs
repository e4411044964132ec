//! The window's pages in a real browser.

use crate::machine::{self, PlayedMachine};
use crate::webdriver::{AccessibleNode, Error, Options, Session};
use crate::{artifacts, driver, until};
use hookswitch::shell::handle::Event;
use hookswitch::shell::window::WindowHandle;
use hub::locale::Locale;
use hub::problem::{Detail, Reason};
use hub::protocol::{DeviceStatus, Job, JobPhase, Outcome, Problem, State, ToUser};
use hub::user::Function;
use hub::user::menu::Page;
use serde_json::json;
use std::sync::Arc;

/// Enter, as WebDriver spells it.
const ENTER: &str = "\u{e007}";

/// A browser that shows one page of the window.
async fn show(state: State, page: Page, language: &'static str) -> (Session, PlayedMachine, WindowHandle) {
    let service = PlayedMachine::start(state).await;
    let window = WindowHandle::new(service.handle.clone(), Arc::new(Locale::new(language)));
    let url = window.open_url(page).await.expect("an address");
    let session =
        Session::new(&driver(), &Options { language, ..Options::default() }).await.expect("a browser");
    session.goto(&url).await.expect("a page");
    (session, service, window)
}

/// Errors of scripts, of requests and violations of the content security policy all land in the console.
async fn assert_quiet(session: &Session) {
    let log = session.log().await.expect("a log");
    assert!(log.is_empty(), "the console says {log:#?}");
}

async fn text_of(session: &Session, css: &str) -> Result<String, Error> {
    session.find(css).await?.text().await
}

async fn shows(session: &Session, wanted: &str) {
    until(&format!("the page shows {wanted:?}"), async || {
        text_of(session, "main").await.is_ok_and(|text| plain(&text).contains(wanted))
    })
    .await;
}

fn plain(text: &str) -> String {
    text.replace(['\u{2068}', '\u{2069}'], "")
}

fn named<'a>(tree: &'a [AccessibleNode], role: &str) -> Vec<&'a str> {
    tree.iter().filter(|n| n.role == role).map(|n| n.name.as_str()).collect()
}

#[tokio::test]
async fn devices_are_shown_as_they_come_and_go() {
    let (session, service, _window) = show(State::default(), Page::Devices, "en-US").await;
    assert_eq!(session.title().await.expect("a title"), "Devices – Hookswitch");
    assert!(
        session.url().await.expect("a url").ends_with("/devices"),
        "no token and no secret in the address"
    );
    shows(&session, "No headset found").await;
    session.screenshot(&artifacts("devices-empty.png")).await.expect("a picture");

    let State { tenant, mut devices, offers, .. } = machine::state();
    service.say(ToUser::TenantChanged { tenant }).await;
    devices.push(machine::device("2", "<script>alert(1)</script>"));
    let problem =
        Reason::HidAccessDenied { error: "Permission denied (os error 13)".to_owned() }.at("/dev/hidraw3");
    devices[1].status = DeviceStatus::Unavailable { problem };
    devices[0].line_busy = true;
    for device in devices {
        service.say(ToUser::DeviceChanged { device }).await;
    }
    service.say(ToUser::OffersChanged { offers }).await;
    let problem =
        Reason::RestPortTaken { port: "32018".to_owned(), holder: Detail::verbatim("spokesd (812)") }
            .at("127.0.0.1:32018");
    broken(&service, problem).await;
    shows(&session, "Desk One").await;
    shows(&session, "<script>alert(1)</script>").await;
    shows(&session, "udev rule").await;
    session.screenshot(&artifacts("devices.png")).await.expect("a picture");

    let tree = session.accessibility_tree().await.expect("a tree");
    assert_eq!(named(&tree, "main").len(), 1);
    assert_eq!(named(&tree, "navigation"), ["Pages"]);
    let headings = named(&tree, "heading");
    assert_eq!(headings[0], "Devices");
    assert!(headings.contains(&"Desk One"), "{headings:?}");
    assert!(named(&tree, "article").contains(&"Desk One"));
    let links = named(&tree, "link");
    assert_eq!(links, ["Skip to the content", "Quit Hookswitch", "Devices", "Updates", "Softphones"]);

    service.say(ToUser::DeviceRemoved { id: "1209-0001-A1B2".to_owned() }).await;
    until("the headset went", async || {
        text_of(&session, "main").await.is_ok_and(|text| !text.contains("Desk One"))
    })
    .await;
    assert_quiet(&session).await;
    session.delete().await.expect("the end");
}

#[tokio::test]
async fn an_update_is_installed_by_keyboard_and_watched_to_its_end() {
    let mut offered = machine::state();
    // Entered at another page: the page's secret is still known on the next one.
    let (session, service, _window) = show(offered.clone(), Page::Devices, "en-US").await;
    session.find("nav a[href='/updates']").await.expect("a link").click().await.expect("a click");
    shows(&session, "1.20 → 1.30").await;
    shows(&session, "Optional, you decide").await;
    session.screenshot(&artifacts("updates-offer.png")).await.expect("a picture");
    let tree = session.accessibility_tree().await.expect("a tree");
    assert_eq!(named(&tree, "button"), ["Ask now", "Install Clearer voice", "Not now Clearer voice"]);

    let install = session.find("button[data-action=install]").await.expect("a button");
    session.script("document.querySelector('[data-action=install]').focus()", &[]).await.expect("focus");
    install.send_keys(ENTER).await.expect("a key");
    let mut job = service.begin_update(&offered.offers[0]).await;
    shows(&session, "It is being installed.").await;
    // The button is gone; the focus stays with its card.
    let focus = session.script("return document.activeElement.textContent", &[]).await.expect("an answer");
    assert_eq!(focus, json!("Clearer voice"));

    // The bar that is on the page now stays the same one to the end.
    session.script("window.bar = document.querySelector('progress')", &[]).await.expect("a mark");
    step(&service, &mut job, JobPhase::Downloading, 65_536).await;
    shows(&session, "25 % – 64 of 256 KiB").await;
    step(&service, &mut job, JobPhase::Downloading, 163_840).await;
    shows(&session, "62 % – 160 of 256 KiB").await;
    let same = session
        .script("const b = document.querySelector('progress'); return [b === window.bar, b.value]", &[])
        .await
        .expect("an answer");
    assert_eq!(same, json!([true, 62]));
    session.screenshot(&artifacts("updates-progress.png")).await.expect("a picture");
    let media = json!({"features": [{"name": "forced-colors", "value": "active"}]});
    session.cdp("Emulation.setEmulatedMedia", media).await.expect("forced colours");
    session.screenshot(&artifacts("updates-progress-forced.png")).await.expect("a picture");
    session.cdp("Emulation.setEmulatedMedia", json!({"features": []})).await.expect("own colours");
    let tree = session.accessibility_tree().await.expect("a tree");
    let bars: Vec<String> = named(&tree, "progressbar").into_iter().map(plain).collect();
    assert_eq!(bars, ["Clearer voice for Desk One"]);
    let spoken = session.script("return document.querySelector('[role=status]').textContent", &[]).await;
    let spoken = plain(spoken.expect("an answer").as_str().expect("text"));
    assert_eq!(spoken, "Clearer voice for Desk One: Writing the firmware …");

    let mut device = offered.devices.remove(0);
    device.firmware_version = "1.30".to_owned();
    service.say(ToUser::DeviceChanged { device }).await;
    service.say(ToUser::OffersChanged { offers: Vec::new() }).await;
    job.outcome = Some(Outcome::Succeeded { version: "1.30".to_owned() });
    service.say(ToUser::JobChanged { job: Some(job) }).await;
    shows(&session, "Done: Desk One now reports version 1.30.").await;
    session.screenshot(&artifacts("updates-done.png")).await.expect("a picture");
    assert_quiet(&session).await;
    session.delete().await.expect("the end");
}

#[tokio::test]
async fn a_softphone_that_asks_is_allowed_by_keyboard() {
    for (language, asks, allow) in
        [("en-US", "asks to use the headset", "Allow"), ("de-DE", "möchte das Headset nutzen", "Erlauben")]
    {
        let (session, service, _window) = show(machine::state(), Page::Devices, language).await;
        let knock = async |origin: &str| {
            service
                .handle
                .knock(hub::protocol::client::ClientId::Page(origin.to_owned()), false, None)
                .await
                .expect("the agent runs")
                .is_ok()
        };
        assert!(!knock("https://calls.example").await);
        shows(&session, asks).await;
        session.screenshot(&artifacts(&format!("softphone-asks-{language}.png"))).await.expect("a picture");
        session.find(".note a").await.expect("a link").click().await.expect("a click");
        shows(&session, "https://calls.example").await;
        assert!(!knock("https://unwanted.example").await);
        shows(&session, "https://unwanted.example").await;
        session.screenshot(&artifacts(&format!("softphones-{language}.png"))).await.expect("a picture");
        let tree = session.accessibility_tree().await.expect("a tree");
        let buttons = named(&tree, "button");
        assert!(buttons.contains(&format!("{allow} https://calls.example").as_str()), "{buttons:?}");
        let button = "button[data-id='https://calls.example'][data-action=approve]";
        session.find(button).await.expect("a button").send_keys(ENTER).await.expect("a key");
        until("the page is allowed", async || knock("https://calls.example").await).await;
        let deny = "button[data-id='https://unwanted.example'][data-action=revoke]";
        session.find(deny).await.expect("a button").click().await.expect("a click");
        shows(&session, if language == "de-DE" { "abgelehnt" } else { "denied" }).await;
        session
            .screenshot(&artifacts(&format!("softphones-decided-{language}.png")))
            .await
            .expect("a picture");
        assert_quiet(&session).await;
        session.delete().await.expect("the end");
    }
}

async fn step(service: &PlayedMachine, job: &mut Job, phase: JobPhase, done_bytes: u64) {
    (job.phase, job.done_bytes) = (phase, done_bytes);
    service.say(ToUser::JobChanged { job: Some(job.clone()) }).await;
}

/// A function of the agent that does not run.
async fn broken(service: &PlayedMachine, problem: Problem) {
    let function = Event::Function { function: Function::Rest, problems: vec![problem] };
    service.handle.send(function).await.expect("the agent runs");
    service.settled().await;
}

#[tokio::test]
async fn it_speaks_german_in_the_dark_and_at_twice_the_size() {
    let mut state = machine::state();
    let blocked = Reason::InCall.at("Desk One");
    state.offers.push(machine::offer("autumn:1", "1209-0001-A1B2"));
    state.offers[1].blocked = Some(blocked);
    let (session, _service, _window) = show(state, Page::Updates, "de-DE").await;
    let media = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
    session.cdp("Emulation.setEmulatedMedia", media).await.expect("dark");
    shows(&session, "Freiwillig, Sie entscheiden").await;
    session.screenshot(&artifacts("updates-dark-de.png")).await.expect("a picture");
    // 200 % zoom of an 1100 pixels wide window is 550 CSS pixels; 320 is what WCAG 1.4.10 asks for.
    for width in [550, 320] {
        let size = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        session.cdp("Emulation.setDeviceMetricsOverride", size).await.expect("a size");
        let wide = session.script("return document.documentElement.scrollWidth", &[]).await.expect("a width");
        assert!(wide.as_u64().is_some_and(|w| w <= width), "{wide} > {width}: scrolls sideways");
    }
    session.screenshot(&artifacts("updates-narrow-de.png")).await.expect("a picture");
    assert_quiet(&session).await;
    session.delete().await.expect("the end");
}

/// Contrast of every text with what is behind it, in both colour schemes.
#[tokio::test]
async fn texts_stand_out_from_their_ground() {
    let mut state = machine::state();
    state.devices[0].line_busy = true;
    for page in [Page::Devices, Page::Updates, Page::Softphones] {
        let (session, service, _window) = show(state.clone(), page, "en-US").await;
        broken(&service, Reason::OutputLost.here()).await;
        until("the problem is shown", async || {
            text_of(&session, "body").await.is_ok_and(|text| text.contains("Not all of the output"))
        })
        .await;
        for scheme in ["light", "dark"] {
            let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            session.cdp("Emulation.setEmulatedMedia", media).await.expect("a scheme");
            let poor = session.script(include_str!("contrast.js"), &[]).await.expect("an answer");
            assert_eq!(poor, json!([]), "{page:?}, {scheme}: less than 4.5:1");
        }
        session.delete().await.expect("the end");
    }
}

#[tokio::test]
async fn what_a_button_could_not_do_is_said_at_once() {
    let (session, service, _window) = show(machine::state(), Page::Updates, "en-US").await;
    shows(&session, "1.20 → 1.30").await;
    // Without the secret of this page, as after a restart of the agent.
    session.script("localStorage.clear()", &[]).await.expect("an answer");
    session.find("[data-action=install]").await.expect("a button").click().await.expect("a click");
    shows(&session, "This page is too old to change anything").await;
    let tree = session.accessibility_tree().await.expect("a tree");
    assert_eq!(tree.iter().filter(|n| n.role == "alert").count(), 1);
    service.nothing_asked().await;
    session.delete().await.expect("the end");
}

#[tokio::test]
async fn a_page_says_when_the_agent_is_gone() {
    let (session, _service, window) = show(machine::state(), Page::Devices, "en-US").await;
    shows(&session, "Desk One").await;
    window.stop().await;
    until("the page says so", async || {
        text_of(&session, "#offline").await.is_ok_and(|t| t.contains("does not answer"))
    })
    .await;
    session.delete().await.expect("the end");
}

//! The event stream: state first, then every change once.

use crate::sdk::{self, PATIENCE, Sdk};
use crate::{Contract, HEADSET, OFFER, machine};
use hub::protocol::local::View;
use hub::protocol::{DeviceEvent, ToUser};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn a_stream_begins_with_the_state_and_misses_nothing() {
    let sdk = Sdk::open().await;
    let contract = Contract::read();
    let mut stream = sdk.events("").await;
    let first = stream.next().await.expect("the state");
    assert_eq!(first.name, "state");
    contract.check_event(&first);
    assert_eq!(first.data["devices"][0]["product"], "Desk One");

    every_change(&sdk).await;
    let mut seen = Vec::new();
    for _ in 0..8 {
        seen.push(stream.next().await.expect("an event"));
    }
    let names: Vec<_> = seen.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["device", "wish", "call", "call", "call", "call", "updates", "device-removed"]);
    for event in &seen {
        contract.check_event(event);
    }
    assert_eq!((&seen[2].data["what"], &seen[2].data["cause"]), (&json!("ringing"), &json!("softphone")));
    assert_eq!((&seen[3].data["what"], &seen[3].data["cause"]), (&json!("answered"), &json!("device")));
    assert_eq!(seen[3].data["call"]["contact"], "Kim", "our own call");
    assert_eq!(seen[4].data["call"]["contact"], Value::Null, "somebody else's call");
    assert_eq!(seen[5].data["call"]["id"], 1, "the answered call is muted, not the ringing one");
    golden("events.json", &seen.iter().map(|e| json!({"event": e.name, "data": e.data})).collect());
    golden("state.json", &first.data);

    // From each number on: exactly the rest, by query as by header.
    for at in 0..seen.len() {
        let id = seen[at].id.clone();
        let by_query = sdk.events(&format!("?after={id}")).await;
        let request = sdk.program(Method::GET, "/v1/events?after=0", "desk").header("last-event-id", &id);
        let by_header = sdk::Events::of(request.send().await.expect("a stream"));
        for mut resumed in [by_query, by_header] {
            for expected in &seen[at + 1..] {
                assert_eq!(resumed.next().await.as_ref(), Some(expected));
            }
            // It is now where the living stream is: the next event comes once, to both.
            sdk.service.say(ToUser::OffersChanged { offers: Vec::new() }).await;
            let next = stream.next().await.expect("the new one");
            assert_eq!(resumed.next().await.as_ref(), Some(&next));
            seen.push(next);
        }
    }
}

#[tokio::test]
async fn an_unknown_number_gets_the_state_again() {
    let sdk = Sdk::open().await;
    every_change(&sdk).await;
    let id = sdk.events("").await.next().await.expect("the state").id;
    let (run, number) = id.split_once('-').expect("run and number");
    let other_run = if run == "00000000" { "11111111" } else { "00000000" };
    for after in [
        format!("{other_run}-{number}"),
        format!("{run}-999"),
        format!("{run}-x"),
        number.to_owned(),
        "x".to_owned(),
    ] {
        let first = sdk.events(&format!("?after={after}")).await.next().await.expect("an event");
        assert_eq!((first.name.as_str(), &first.id), ("state", &id), "after {after}");
    }
}

#[tokio::test]
async fn a_stream_ends_when_the_approval_does_or_the_agent_stops() {
    let sdk = Sdk::open().await;
    let own = "https://own.example";
    let connected = || sdk.handle.view().softphones.iter().any(|s| s.client.name() == own && s.connected);
    let page = async || {
        let page = sdk.page(Method::GET, "/v1/events", own).send().await.expect("a stream");
        let mut page = sdk::Events::of(page);
        assert_eq!(page.next().await.expect("the state").name, "state");
        page
    };
    let first = page().await;
    sdk.service.settled().await;
    assert!(connected());
    // A stream that was dropped is told.
    drop(first);
    let mut views = sdk.handle.views();
    let gone = |view: &Arc<View>| !view.softphones.iter().any(|s| s.connected);
    tokio::time::timeout(PATIENCE, views.wait_for(gone)).await.expect("in time").expect("the agent runs");

    // Nothing happens but this: the stream does not wait for an event to end.
    let mut page = page().await;
    sdk.decide(own, false).await;
    assert_eq!(page.next().await, None);

    let mut program = sdk.events("").await;
    assert_eq!(program.next().await.expect("the state").name, "state");
    let endpoint = sdk.endpoint_path();
    let url = sdk.url("/v1/health");
    sdk.server.stop().await;
    assert_eq!(program.next().await, None);
    assert!(!endpoint.exists());
    assert!(sdk.http.get(url).send().await.is_err(), "the port is free again");
}

/// One of each event, and calls of two softphones.
async fn every_change(sdk: &Sdk) {
    let press = |event| sdk.service.say(ToUser::DeviceEvent { id: HEADSET.to_owned(), event });
    let mut device = machine::device(HEADSET, "Desk One");
    device.line_busy = true;
    sdk.service.say(ToUser::DeviceChanged { device }).await;
    press(DeviceEvent::DialTone).await;
    let incoming = json!({"direction": "incoming", "contact": "Kim"});
    assert_eq!(sdk.post("/v1/calls", &incoming).await.status(), StatusCode::CREATED);
    press(DeviceEvent::Answer).await;
    let (status, _) = sdk.another_program("other").asks("other", "/v1/calls", Some(&incoming)).await;
    assert_eq!(status, 201);
    press(DeviceEvent::MuteToggle).await;
    let mut offer = machine::offer(OFFER, HEADSET);
    offer.deferred = true;
    sdk.service.say(ToUser::OffersChanged { offers: vec![offer] }).await;
    sdk.service.say(ToUser::DeviceRemoved { id: HEADSET.to_owned() }).await;
}

/// Compares with a committed file; after a wanted change the new text is printed to be committed.
fn golden(name: &str, now: &Value) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rest").join(name);
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let kept: Value = serde_json::from_str(&kept).unwrap_or_default();
    assert!(kept == *now, "{} differs; it should be\n{now:#}", path.display());
}

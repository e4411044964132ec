//! `/Spokes` from pages that ask by script elements, as softphones of the Plantronics Hub do.

use crate::driver;
use crate::events::{page, trust};
use crate::machine;
use crate::sdk::Sdk;
use crate::webdriver::{Options, Session};
use hub::protocol::{DeviceEvent, ToUser};
use serde_json::{Value, json};

/// Loads a script from an address, with a policy for its Referer; gives what the script calls its callback with.
const JSONP: &str = r#"
const [address, policy] = arguments;
return await new Promise((done) => {
  const name = `jsonp_${Date.now()}_${Math.floor(Math.random() * 1e6)}`;
  window[name] = done;
  const script = document.createElement("script");
  script.referrerPolicy = policy;
  script.onerror = () => done("no script");
  script.src = `${address}${address.includes("?") ? "&" : "?"}callback=${name}`;
  document.head.append(script);
});
"#;

/// Loads an address by an element that is no script; ends when the browser is done with it.
const LOAD: &str = r#"
const [kind, address] = arguments;
await new Promise((done) => {
  const element = document.createElement(kind);
  if (kind === "link") { element.rel = "prefetch"; element.href = address; } else { element.src = address; }
  element.onload = element.onerror = done;
  (kind === "link" ? document.head : document.body).append(element);
});
"#;

#[tokio::test]
async fn a_page_of_the_old_hub_has_its_call_answered_at_the_headset_and_no_other_element_makes_one() {
    let sdk = Sdk::open_with(machine::state()).await;
    trust(&sdk.home.path().join("certificate/ca.pem"));
    let (softphone, stranger) = (page().await, page().await);
    sdk.decide(&softphone, true).await;
    let session = Session::new(&driver(), &Options::default()).await.expect("a browser");
    let spokes = |path: &str| json!(format!("{}/Spokes/{path}", sdk.server.url()));
    let ask = async |path: &str| -> Value {
        session.script(JSONP, &[spokes(path), json!("")]).await.expect("an answer")
    };
    session.goto(&softphone).await.expect("a page");
    let info = ask("DeviceServices/Info").await;
    assert_eq!(info["Result"]["ProductName"], "Desk One", "{info}");
    for path in [
        "SessionManager/Register?name=Web Phone",
        "SessionManager/IsActive?name=Web Phone&active=true",
        r#"CallServices/IncomingCall?name=Web Phone&callID={"Id":"7"}&contact={"Name":"Tom & Jerry"}&tones=Unknown"#,
    ] {
        let answer = ask(path).await;
        assert_eq!(answer["Result"], true, "{path}: {answer}");
    }
    let headset = sdk.handle.view().devices[0].id.clone();
    sdk.service.say(ToUser::DeviceEvent { id: headset, event: DeviceEvent::Answer }).await;
    let events = ask("CallServices/CallEvents?name=Web Phone").await;
    let events = events["Result"].as_array().expect("events");
    let actions: Vec<u64> = events.iter().filter_map(|event| event["Action"].as_u64()).collect();
    assert_eq!(actions, [18, 7, 1, 6]);
    assert_eq!(events[3]["CallId"]["Id"], 7);

    let another = spokes("CallServices/IncomingCall?name=Web Phone&callID=8");
    for kind in ["img", "iframe", "link"] {
        session.script(LOAD, &[json!(kind), another.clone()]).await.expect("it is loaded, or not");
        sdk.service.settled().await;
        assert_eq!(sdk.handle.view().calls.len(), 1, "{kind}");
    }
    let hidden = session.script(JSONP, &[another.clone(), json!("no-referrer")]).await.expect("an answer");
    let said = hidden["Err"]["Description"].as_str().expect("words").to_owned();
    assert!(said.contains("Referrer-Policy"), "{hidden}");

    session.goto(&stranger).await.expect("a page");
    let refused = ask("CallServices/IncomingCall?name=Web Phone&callID=8").await;
    let said = refused["Err"]["Description"].as_str().expect("words");
    assert!(said.contains("may not use the headset yet"), "{refused}");
    assert_eq!(sdk.handle.view().calls.len(), 1);
    session.delete().await.expect("the end");
}

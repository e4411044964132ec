//! A program that was written for the Plantronics Hub, the real agent, and a hand at the headset.

use crate::rig::company;
use crate::rig::told::{Context, Told, wait_for};
use crate::scene::Scene;
use serde_json::{Value, json};
use simulator::Button;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// curl, which sends an address byte for byte: braces bare and quotes encoded, as browsers send them.
struct Phone {
    program: PathBuf,
    endpoint: Value,
}

impl Phone {
    fn asks(&self, path: &str) -> Told<Value> {
        let mut ask = Command::new(&self.program);
        ask.args(["--silent", "--globoff", "--cacert"]);
        ask.arg(self.endpoint["ca"].as_str().unwrap_or_default());
        ask.arg(format!("{}/Spokes/{path}", self.endpoint["url"].as_str().unwrap_or_default()));
        let answer = ask.output().at("curl")?.stdout;
        serde_json::from_slice(&answer).at(&format!("{path}: {}", String::from_utf8_lossy(&answer)))
    }

    fn says(&self, path: &str) -> Told<()> {
        let answer = self.asks(path)?;
        assert_eq!(
            (&answer["Result"], &answer["isError"]),
            (&json!(true), &json!(false)),
            "{path}: {answer}"
        );
        Ok(())
    }

    /// Polls until an event of this number came; gives all that came.
    async fn hears(&self, action: u64) -> Told<Vec<u64>> {
        let mut heard = Vec::new();
        wait_for(&format!("the event {action}"), SOON, async || {
            let events = self.asks("CallServices/CallEvents?name=My%20Phone")?;
            let events = events["Result"].as_array().cloned().unwrap_or_default();
            for event in &events {
                assert_eq!(event["CallSource"], "My Phone", "{event}");
            }
            heard.extend(events.iter().filter_map(|event| event["Action"].as_u64()));
            Ok(heard.contains(&action).then_some(()))
        })
        .await?;
        Ok(heard)
    }
}

async fn press(hand: &mut simulator::control::Client, button: Button) -> Told<()> {
    assert!(hand.press_by_hand(button).at("a press")?, "{button:?}");
    Ok(())
}

/// Whoever tests a softphone by a script waits for nothing: what was pressed has happened when the press is over.
#[tokio::test]
async fn a_script_that_presses_and_asks_as_fast_as_it_can_loses_no_press() -> Told<()> {
    let mut scene = Scene::founded(company::USER)?;
    scene.start_alone()?;
    scene.status("the headset", |s| s["devices"][0]["status"]["state"] == "ready").await?;
    let endpoint = std::fs::read(scene.world.path("agent/endpoint.json")).at("endpoint.json")?;
    let phone = Phone {
        program: "/usr/bin/curl".into(),
        endpoint: serde_json::from_slice(&endpoint).at("endpoint.json")?,
    };
    assert_eq!(scene.run(&["softphones", "approve", "/usr/bin/curl"])?.code, Some(0));
    let mut hand = scene.hand().await?;
    let heard = |phone: &Phone| -> Told<Vec<u64>> {
        let events = phone.asks("CallServices/CallEvents?name=P")?;
        let events = events["Result"].as_array().cloned().unwrap_or_default();
        Ok(events.iter().filter_map(|event| event["Action"].as_u64()).collect())
    };
    phone.says("SessionManager/Register?name=P")?;
    heard(&phone)?;
    for call in 1..=3 {
        phone.says(&format!("CallServices/IncomingCall?name=P&callID={call}"))?;
        press(&mut hand, Button::Accept).await?;
        assert_eq!(heard(&phone)?, [7, 1, 6], "call {call}");
        press(&mut hand, Button::Mute).await?;
        assert_eq!(heard(&phone)?, [11], "call {call}");
        press(&mut hand, Button::Unmute).await?;
        press(&mut hand, Button::Flash).await?;
        press(&mut hand, Button::Resume).await?;
        assert_eq!(heard(&phone)?, [12, 3, 4, 6], "call {call}");
        // A second one, taken by the same button.
        phone.says(&format!("CallServices/IncomingCall?name=P&callID={}", call + 10))?;
        press(&mut hand, Button::Accept).await?;
        assert_eq!(heard(&phone)?, [7, 3, 1, 6], "call {call}");
        press(&mut hand, Button::Terminate).await?;
        assert_eq!(heard(&phone)?, [2, 8], "call {call}");
        // The hook is down, and the first one on hold.
        press(&mut hand, Button::Accept).await?;
        assert_eq!(heard(&phone)?, [4, 6], "call {call}");
        press(&mut hand, Button::Terminate).await?;
        assert_eq!(heard(&phone)?, [2, 8, 18], "call {call}");
        phone.says(&format!("CallServices/IncomingCall?name=P&callID={call}"))?;
        press(&mut hand, Button::Reject).await?;
        assert_eq!(heard(&phone)?, [7, 23, 8, 18], "call {call}");
        phone.says(&format!("CallServices/OutgoingCall?name=P&callID={call}"))?;
        press(&mut hand, Button::Terminate).await?;
        assert_eq!(heard(&phone)?, [6, 2, 8, 18], "call {call}");
        hand.plug_by_hand(false).at("unplug")?;
        let gone = phone.asks("DeviceServices/Info")?;
        assert_eq!(gone["Err"]["Description"], "There are no supported devices");
        hand.plug_by_hand(true).at("plug")?;
        assert_eq!(phone.asks("DeviceServices/Info")?["Result"]["IsAttached"], true);
    }
    Ok(())
}

#[tokio::test]
async fn a_program_of_the_old_hub_is_allowed_rings_is_answered_muted_and_hung_up_at_the_headset() -> Told<()>
{
    let mut scene = Scene::founded(company::USER)?;
    scene.start_alone()?;
    scene.status("the headset", |s| s["devices"][0]["status"]["state"] == "ready").await?;
    let endpoint = std::fs::read(scene.world.path("agent/endpoint.json")).at("endpoint.json")?;
    let endpoint: Value = serde_json::from_slice(&endpoint).at("endpoint.json")?;
    let program = scene.world.path("old-phone");
    std::fs::copy("/usr/bin/curl", &program).at("curl")?;
    let phone = Phone { program, endpoint };
    let mut hand = scene.hand().await?;
    let lit = async |hand: &mut simulator::control::Client, condition: &str| {
        hand.wait(condition, SOON).map(|_| ()).at(condition)
    };

    let incoming = r#"CallServices/IncomingCall?name=My%20Phone&callID={%22Id%22:%2248151623%22}&contact={%22Name%22:%22Kim%22}&tones=Unknown&route=ToHeadset"#;
    for path in ["DeviceServices/Info", incoming] {
        let refused = phone.asks(path)?;
        let text = refused["Err"]["Description"].as_str().unwrap_or_default();
        assert!(text.contains("may not use the headset yet"), "{refused}");
    }
    assert_eq!(scene.json(&["status", "--json"])?["calls"], json!([]), "nothing was begun unasked");
    let name = phone.program.display().to_string();
    assert_eq!(scene.run(&["softphones", "approve", &name])?.code, Some(0));

    // As programs of the old hub start up.
    let info = phone.asks("DeviceServices/Info")?;
    assert_eq!(
        (&info["Type_Name"], &info["Result"]["IsAttached"]),
        (&json!("DeviceInfo"), &json!(true)),
        "{info}"
    );
    let session = phone.asks("DeviceServices/Attach?uid=0123456789")?["Result"].clone();
    let events = format!("DeviceServices/Events?sess={}&queue=0", session.as_str().unwrap_or_default());
    phone.says("SessionManager/Register?name=My%20Phone")?;
    phone.says("SessionManager/IsActive?name=My%20Phone&active=true")?;

    phone.says(incoming)?;
    lit(&mut hand, "ring=true,off_hook=false").await?;
    press(&mut hand, Button::Accept).await?;
    let heard = phone.hears(6).await?;
    assert_eq!(heard, [18, 7, 1, 6]);
    lit(&mut hand, "ring=false,off_hook=true").await?;
    phone.says(r#"CallServices/AnswerCall?name=My%20Phone&callID={%22Id%22:%2248151623%22}"#)?;
    let status = scene.json(&["status", "--json"])?;
    let call = &status["calls"][0];
    assert_eq!((&call["state"], &call["label"]), (&json!("answered"), &json!("My Phone")), "{status}");

    press(&mut hand, Button::Mute).await?;
    assert_eq!(phone.hears(11).await?, [11]);
    lit(&mut hand, "lights.mute=true").await?;
    assert!(phone.asks(&events)?.to_string().contains("\"MuteOn\""));
    phone.says("CallServices/MuteCall?name=My%20Phone&muted=false")?;
    assert_eq!(phone.hears(12).await?, [12]);
    lit(&mut hand, "lights.mute=false").await?;

    press(&mut hand, Button::Terminate).await?;
    assert_eq!(phone.hears(18).await?, [2, 8, 18]);
    lit(&mut hand, "ring=false,off_hook=false").await?;
    phone.says(r#"CallServices/TerminateCall?name=My%20Phone&callID={%22Id%22:%2248151623%22}"#)?;
    let state = phone.asks("CallServices/CallManagerState")?;
    assert_eq!(state["Result"], json!({"CallOnHold": 0, "Calls": [], "HasActiveCall": false}));

    hand.plug_by_hand(false).at("unplug")?;
    assert_eq!(phone.asks(&events)?["Err"]["Description"], "Invalid session id");
    let none = phone.asks("DeviceServices/Info")?;
    assert_eq!(none["Err"]["Description"], "There are no supported devices");
    hand.plug_by_hand(true).at("plug")?;
    assert_eq!(phone.asks("DeviceServices/Attach?uid=0123456789")?["isError"], false);
    phone.says("SessionManager/UnRegister?name=My%20Phone")
}

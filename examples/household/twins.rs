//! Two headsets of one model and one serial number.

use crate::headsets::Headsets;
use crate::people::{A_WHILE, DARK, Person, Place, Service, hookswitch, press, sees, well};
use crate::rig::told::{Told, fail, wait_for};
use crate::rig::world::PATIENCE;
use crate::screen::Screen;
use serde_json::json;
use simulator::control::Client;
use std::collections::BTreeSet;

/// Both are listed under names of their own, each is lit when it is the chosen one, and a press is the press of the one
/// that was pressed.
pub(crate) async fn tell(headsets: Headsets) -> Told<()> {
    let screen = Screen::start(&["anna"]).await?;
    screen.shows(Some("anna")).await?;
    let service = Service::start(Place::OnTheBus, Some(&screen)).await?;
    let mut anna = Person::come("anna").await?;
    let mut hands = headsets.hands().await?;
    let both = |status: &serde_json::Value| {
        let devices = status["devices"].as_array().map_or(&[][..], Vec::as_slice);
        devices.len() == 2 && devices.iter().all(|device| device["status"]["state"] == "ready")
    };
    let status = anna.status("both headsets", both).await?;
    let text = |n: usize, name: &str| status["devices"][n][name].as_str().unwrap_or_default().to_owned();
    assert_eq!((text(0, "serial"), text(1, "serial")), ("SIM0001".to_owned(), "SIM0001".to_owned()));
    assert_ne!(text(0, "id"), text(1, "id"), "one name for two");
    assert_ne!(text(0, "port"), text(1, "port"));

    let mut lit = BTreeSet::new();
    for id in [text(0, "id"), text(1, "id"), text(0, "id")] {
        well(hookswitch("anna", &["devices", "use", &id])?)?;
        anna.status("the chosen one", |status| status["headset"] == id.as_str()).await?;
        let call = anna.rings().await?;
        let which = rings(&mut hands).await?;
        println!("            {id} is chosen: headset {which} rings");
        lit.insert((id, which));
        let other = 1 - which;
        sees(&mut hands[other], DARK)?;
        // The other one's hook does not answer it.
        press(&mut hands[other]).await?;
        tokio::time::sleep(A_WHILE).await;
        sees(&mut hands[other], DARK)?;
        assert_eq!(anna.call(call).await?, json!("ringing"), "answered at the wrong headset");
        press(&mut hands[which]).await?;
        anna.phone.call_event("answered", "device").await?;
        sees(&mut hands[which], "lights.off_hook=true,lights.ring=false")?;
        sees(&mut hands[other], DARK)?;
        press(&mut hands[which]).await?;
        anna.phone.call_event("ended", "device").await?;
        sees(&mut hands[which], DARK)?;
    }
    let headsets_lit: BTreeSet<usize> = lit.iter().map(|(_, which)| *which).collect();
    assert_eq!((lit.len(), headsets_lit.len()), (2, 2), "each name is always the same headset: {lit:?}");
    anna.agent.end().await?;
    service.0.end().await?;
    headsets.unplug().await
}

/// Which one rings, of two.
async fn rings(hands: &mut [Client]) -> Told<usize> {
    let found = wait_for("a light", PATIENCE, async || {
        let mut ringing = Vec::new();
        for (n, hand) in hands.iter_mut().enumerate() {
            if hand.state().map_err(|e| e.to_string())?.lights.ring {
                ringing.push(n);
            }
        }
        Ok((!ringing.is_empty()).then_some(ringing))
    })
    .await?;
    match found[..] {
        [one] => Ok(one),
        _ => fail("both ring"),
    }
}

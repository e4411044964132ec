//! One headset, one machine role, two people: whose it is, and what the death of each of the three costs.

use crate::people::{A_WHILE, DARK, Person, Place, Service, hand, hookswitch, press, problems, sees};
use crate::rig::told::Told;
use crate::screen::Screen;
use serde_json::json;
use simulator::control::Client;

/// Only the person at the seat lights it and hears it, also when the seat changes in a call.
pub(crate) async fn moves_with_the_person(place: Place) -> Told<()> {
    let screen = Screen::start(&["anna", "eve"]).await?;
    screen.shows(Some("anna")).await?;
    let service = Service::start(place, Some(&screen)).await?;
    let (mut anna, mut eve) = (Person::come("anna").await?, Person::come("eve").await?);
    anna.is_at_the_headset(true).await?;
    eve.is_at_the_headset(false).await?;
    let mut hand = hand().await?;

    // Eve's call does not ring anna's headset, and anna's press does not answer it.
    let of_eve = eve.rings().await?;
    tokio::time::sleep(A_WHILE).await;
    sees(&mut hand, DARK)?;
    let of_anna = anna.rings().await?;
    sees(&mut hand, "lights.ring=true")?;
    press(&mut hand).await?;
    anna.phone.call_event("answered", "device").await?;
    sees(&mut hand, "lights.off_hook=true,lights.ring=false")?;
    assert_eq!((anna.call(of_anna).await?, eve.call(of_eve).await?), (json!("answered"), json!("ringing")));

    // In her call the screen becomes eve's: the light of hers, the press hers.
    screen.shows(Some("eve")).await?;
    sees(&mut hand, "lights.off_hook=false,lights.ring=true")?;
    anna.is_at_the_headset(false).await?;
    press(&mut hand).await?;
    eve.phone.call_event("answered", "device").await?;
    sees(&mut hand, "lights.off_hook=true,lights.ring=false")?;
    assert_eq!((anna.call(of_anna).await?, eve.call(of_eve).await?), (json!("answered"), json!("answered")));

    // Nobody at the screen: nobody's.
    screen.shows(None).await?;
    sees(&mut hand, DARK)?;
    // Back to anna, whose call went on.
    screen.shows(Some("anna")).await?;
    sees(&mut hand, "lights.off_hook=true")?;
    press(&mut hand).await?;
    anna.phone.call_event("ended", "device").await?;
    sees(&mut hand, DARK)?;
    assert_eq!(eve.call(of_eve).await?, json!("answered"), "not hers to end");

    anna.agent.end().await?;
    eve.agent.end().await?;
    service.0.end().await
}

/// `kill -9` of each of the three in turn loses nothing.
pub(crate) async fn outlives_each_of_the_three(place: Place) -> Told<()> {
    let screen = Screen::start(&["anna", "eve"]).await?;
    screen.shows(Some("anna")).await?;
    let mut service = Service::start(place, Some(&screen)).await?;
    let (mut anna, eve) = (Person::come("anna").await?, Person::come("eve").await?);
    anna.is_at_the_headset(true).await?;
    let lit = async |person: &mut Person, hand: &mut Client| -> Told<u64> {
        let call = person.rings().await?;
        sees(hand, "lights.ring=true")?;
        press(hand).await?;
        person.phone.call_event("answered", "device").await?;
        sees(hand, "lights.off_hook=true")?;
        Ok(call)
    };
    let mut at_hand = hand().await?;
    lit(&mut anna, &mut at_hand).await?;
    let of_eve = eve.rings().await?;

    // The user role in the call: the headset is dark, the next one begins as ever.
    anna.agent.kill()?;
    sees(&mut at_hand, DARK)?;
    let mut anna = Person::come("anna").await?;
    let of_anna = lit(&mut anna, &mut at_hand).await?;

    // The one that is not at the seat: nothing at all.
    let state = eve.call(of_eve).await?;
    assert_eq!(state, "ringing");
    eve.agent.kill()?;
    tokio::time::sleep(A_WHILE).await;
    sees(&mut at_hand, "lights.off_hook=true")?;
    let eve = Person::come("eve").await?;

    // The machine role: calls and streams live on, everybody is told, and the light comes back with it.
    service.0.kill()?;
    let told =
        anna.status("the loss", |status| problems(status).contains(&"machine-away".to_owned())).await?;
    assert_eq!(told["service"], true);
    let poll = hookswitch("anna", &["poll"])?;
    assert_eq!(poll.code, Some(75), "{poll:?}");
    assert!(poll.stderr.contains("speaks to the headsets is not running"), "{poll:?}");
    assert_eq!(anna.call(of_anna).await?, "answered");
    service = Service::start(place, Some(&screen)).await?;
    let mut at_hand = hand().await?;
    sees(&mut at_hand, "lights.off_hook=true")?;
    for person in [&anna, &eve] {
        person.status("its return", |status| problems(status).is_empty()).await?;
    }
    anna.is_at_the_headset(true).await?;
    // The headset was off-hook all the time and has said nothing since: the first that it says is this press. What it
    // said in its first quarter of a second would be how it was found, and a busy computer is late with that.
    tokio::time::sleep(4 * A_WHILE).await;
    press(&mut at_hand).await?;
    anna.phone.call_event("ended", "device").await?;
    sees(&mut at_hand, DARK)?;
    anna.agent.end().await?;
    eve.agent.end().await?;
    service.0.end().await
}

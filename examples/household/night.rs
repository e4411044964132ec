//! At night, with nobody logged in, the service alone updates both headsets as the policy says; in the morning somebody
//! comes, is asked nothing, and finds what was done.

use crate::Options;
use crate::headsets::Headsets;
use crate::people::{Person, Place, Service, scratch};
use crate::rig::company::{self, Company, NEW, Served, USER, window_of_now};
use crate::rig::told::{Context, Told, fail, wait_for};
use crate::rig::world::{Door, PATIENCE, World};
use crate::screen::Screen;
use serde_json::json;
use std::time::Instant;

const IMAGE_BYTES: usize = 48 * 1024;

pub(crate) async fn tell(options: &Options) -> Told<()> {
    let begun = Instant::now();
    let mut world = World::new(&scratch()?.join("company"), &options.bin_dir, Door::Usbip, "shared")?;
    world.shipped = Some(options.agent.clone());
    let company = Company::found(&world)?;
    let (image, rules) = company::image_and_rules(IMAGE_BYTES)?;
    let package = company::pack(&world, &image, &rules)?;
    let mut policy = company::policy(&json!({ "kind": "manual" }));
    let firmware = &mut policy["firmware"][0];
    firmware["groups"] = json!(["all-users"]);
    (firmware["deployment"], firmware["window"]) = (json!("silent"), window_of_now());
    Company::publish(&world, &policy, &package)?;
    let Served { program, url } = Company::serve(&world, &[]).await?;
    let screen = Screen::start(&["anna"]).await?;
    screen.shows(None).await?;

    let headsets = Headsets::plug(&options.bin_dir, &["SIM0002"])?;
    let mut hands = headsets.hands().await?;
    let mut settings = company.settings(&url, USER).to_vec();
    settings.retain(|(name, _)| *name != "HOOKSWITCH_USER");
    settings.push(("TZ", "UTC".to_owned()));
    let service = Service::start_with(Place::OnTheBus, Some(&screen), &settings).await?;
    for hand in &mut hands {
        let is = format!("firmware.version={NEW},mode=runtime");
        hand.wait(&is, PATIENCE).at("a headset that nobody is at")?;
        let state = hand.state().at("a headset")?;
        if !state.firmware.valid || state.firmware.updates_broken > 0 {
            return fail(format!("{state:?}"));
        }
    }
    println!("            both headsets have {NEW} after {:.1?}, and nobody was there", begun.elapsed());

    let anna = Person::come("anna").await?;
    screen.shows(Some("anna")).await?;
    let offers = wait_for("what anna finds", PATIENCE, async || {
        let updates = anna.phone.get("/v1/updates").await?;
        Ok((updates["job"].is_null() || updates["job"]["outcome"]["verdict"] == "succeeded")
            .then_some(updates))
    })
    .await?["offers"]
        .clone();
    if offers != json!([]) {
        return fail(format!("anna is offered {offers:#}"));
    }
    anna.agent.end().await?;
    headsets.unplug().await?;
    service.0.end().await?;
    program.end().await
}

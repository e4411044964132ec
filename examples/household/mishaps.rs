//! Updates of two headsets, and all that can come between: the cable is pulled, the agent dies, the package is refused, the
//! network is cut, the other headset's update is started. In the end the network is gone, and every headset has the old
//! firmware, the new one, or is recovered without it.

use crate::Options;
use crate::headsets::Headsets;
use crate::people::{Person, Place, Service, scratch, sh};
use crate::rig::company::{self, Company, NEW, OLD, PACKAGE, Served, USER};
use crate::rig::told::{Context, Told, fail, wait_for};
use crate::rig::world::{Door, PATIENCE, Program, World};
use crate::screen::Screen;
use crate::seed;
use serde_json::{Value, json};
use simulator::control::Client;
use simulator::{Fault, How};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const IMAGE_BYTES: usize = 48 * 1024;
const BLOCKS: u32 = (IMAGE_BYTES / 1024) as u32;
const ROUNDS: u64 = 5;

/// What comes between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    Cable,
    Kill,
    Refuse,
    Cut,
    /// The update of the other headset is started.
    Another,
}

struct House {
    world: World,
    company: Company,
    screen: Screen,
    url: String,
    tenant: Option<Program>,
    service: Option<Service>,
    anna: Person,
    /// As the tenant serves it.
    package: PathBuf,
}

pub(crate) async fn tell(options: &Options) -> Told<()> {
    let begun = Instant::now();
    let mut world = World::new(&scratch()?.join("company"), &options.bin_dir, Door::Usbip, "shared")?;
    world.shipped = Some(options.agent.clone());
    let company = Company::found(&world)?;
    let (image, rules) = company::image_and_rules(IMAGE_BYTES)?;
    let package = company::pack(&world, &image, &rules)?;
    let mut policy = company::policy(&json!({ "kind": "manual" }));
    policy["firmware"][0]["groups"] = json!(["all-users"]);
    Company::publish(&world, &policy, &package)?;
    let package = served(&world)?;
    let Served { program, url } = Company::serve(&world, &[]).await?;
    let screen = Screen::start(&["anna"]).await?;
    screen.shows(Some("anna")).await?;

    let headsets = Headsets::plug(&options.bin_dir, &["SIM0002"])?;
    let service = start(&screen, &company, &url).await?;
    let anna = Person::come("anna").await?;
    let (tenant, service) = (Some(program), Some(service));
    let mut house = House { world, company, screen, url, tenant, service, anna, package };
    println!("            the house stands after {:.1?}", begun.elapsed());
    house.killed_while_writing(&headsets).await?;
    headsets.unplug().await?;

    for seed in seed::runs(ROUNDS) {
        let headsets = Headsets::plug(&options.bin_dir, &["SIM0002"])?;
        let told = house.round(seed, &headsets).await;
        told.map_err(|error| format!("SEED={seed} repeats this round: {error}"))?;
        headsets.unplug().await?;
    }
    house.anna.agent.end().await?;
    house.service.take().ok_or("no service")?.0.end().await
}

/// The file that the tenant gives out under the package's name.
fn served(world: &World) -> Told<PathBuf> {
    let found = world.output(std::process::Command::new("find").arg(world.path("tenant")).args([
        "-type",
        "f",
        "-name",
        &format!("*.{PACKAGE}"),
    ]))?;
    found.lines().next().map(PathBuf::from).ok_or_else(|| "no package at the tenant".into())
}

async fn start(screen: &Screen, company: &Company, url: &str) -> Told<Service> {
    let mut settings = company.settings(url, USER).to_vec();
    // People are named by the system.
    settings.retain(|(name, _)| *name != "HOOKSWITCH_USER");
    Service::start_with(Place::OnTheBus, Some(screen), &settings).await
}

impl House {
    /// Offers, job and queue, as a softphone is told of them.
    async fn updates(&self) -> Told<Value> {
        self.anna.phone.get("/v1/updates").await
    }

    /// Both headsets are offered the new version.
    async fn offered(&self) -> Told<Vec<String>> {
        let mut last = Value::Null;
        let offered = wait_for("both offers", PATIENCE, async || {
            last = self.updates().await?;
            let offers = last["offers"].as_array().cloned().unwrap_or_default();
            let open = offers.iter().filter(|o| o["to_version"] == NEW && o["blocked"].is_null());
            let ids: Vec<String> = open.filter_map(|o| o["id"].as_str().map(str::to_owned)).collect();
            Ok((ids.len() == 2).then_some(ids))
        });
        match offered.await {
            Ok(ids) => Ok(ids),
            Err(error) => {
                let devices = self.anna.phone.get("/v1/devices").await?;
                fail(format!("{error}: {last:#}, {devices:#}"))
            }
        }
    }

    /// Whether it is begun, or waits for its turn.
    async fn install(&self, offer: &str) -> bool {
        self.anna.phone.post(&format!("/v1/updates/{offer}/install"), &json!({})).await.is_ok()
    }

    async fn kill(&mut self) -> Told<()> {
        self.service.take().ok_or("no service")?.0.kill()?;
        self.service = Some(start(&self.screen, &self.company, &self.url).await?);
        Ok(())
    }

    fn cut(&mut self) -> Told<()> {
        self.tenant.take().map_or(Ok(()), Program::kill)
    }

    async fn serve(&mut self) -> Told<()> {
        let listen = self.url.strip_prefix("https://").unwrap_or_default().to_owned();
        self.tenant = Some(Company::serve(&self.world, &["--listen", &listen]).await?.program);
        Ok(())
    }

    /// One byte in the middle: not what was signed, or what was signed again.
    fn spoil(&self) -> Told<()> {
        let mut bytes = std::fs::read(&self.package).at("the package")?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&self.package, bytes).at("the package")
    }

    /// `kill -9` of the service while firmware is written, and the network goes with it.
    async fn killed_while_writing(&mut self, headsets: &Headsets) -> Told<()> {
        let mut hands = headsets.hands().await?;
        let offers = self.offered().await?;
        if !self.install(&offers[0]).await {
            return fail("the update is not begun");
        }
        let at = wait_for("blocks at a headset", PATIENCE, async || {
            for (n, hand) in hands.iter_mut().enumerate() {
                if hand.state().at("a headset")?.dfu.blocks_received >= 10 {
                    return Ok(Some(n));
                }
            }
            Ok(None)
        })
        .await?;
        self.service.take().ok_or("no service")?.0.kill()?;
        self.cut()?;
        let firmware = hands[at].state().at("the headset")?.firmware;
        if firmware.valid || firmware.version == NEW {
            return fail(format!("it was not cut in the middle: {firmware:?}"));
        }
        self.service = Some(start(&self.screen, &self.company, &self.url).await?);
        let recovered = self.settle(&mut hands).await?;
        let version = hands[at].state().at("the headset")?.firmware.version;
        if version != NEW {
            return fail(format!("the headset has {version} after its recovery"));
        }
        println!("            killed while writing: recovered without network, {recovered} by hand");
        self.serve().await
    }

    /// An update is started, then all five come in random order with random pauses; what was cut or pulled is mended
    /// soon, or in the end.
    async fn round(&mut self, seed: u64, headsets: &Headsets) -> Told<()> {
        let mut random = fastrand::Rng::with_seed(seed);
        let begun = Instant::now();
        let mut hands = headsets.hands().await?;
        let mut offers = self.offered().await?;
        // Nothing that an earlier round has fetched helps.
        sh("rm -rf /var/cache/hookswitch/*")?;
        random.shuffle(&mut offers);
        let mut mishaps = [Mishap::Cable, Mishap::Kill, Mishap::Refuse, Mishap::Cut, Mishap::Another];
        random.shuffle(&mut mishaps);
        let mut log = vec![format!("{:.1} s offered", begun.elapsed().as_secs_f32())];
        let mut spoilt = false;
        // With nothing on the disk yet, a package that is spoilt first is refused to this one.
        if mishaps[0] != Mishap::Refuse {
            self.install(&offers[0]).await;
            written(random.u32(0..BLOCKS), Duration::from_secs(20), &mut hands).await?;
        }
        for mishap in mishaps {
            log.push(format!("{:.1} s {mishap:?}", begun.elapsed().as_secs_f32()));
            match mishap {
                Mishap::Cable => {
                    // In the middle of a block, or of nothing.
                    let hand = &mut hands[random.usize(0..2)];
                    match random.bool() {
                        true => {
                            hand.fail(Fault { at_block: random.u32(1..BLOCKS), how: How::UnplugUnanswered })
                        }
                        false => hand.unplug(),
                    }
                    .at("a cable")?;
                    if random.bool() {
                        pause(&mut random, &mut hands).await?;
                        for hand in &mut hands {
                            hand.plug().at("a cable")?;
                        }
                        log.push("plugged in".to_owned());
                    }
                }
                Mishap::Kill => self.kill().await?,
                Mishap::Refuse => {
                    self.spoil()?;
                    spoilt = true;
                    self.install(&offers[0]).await;
                }
                Mishap::Cut => {
                    self.cut()?;
                    if random.bool() {
                        pause(&mut random, &mut hands).await?;
                        self.serve().await?;
                        log.push("the network is back".to_owned());
                    }
                }
                Mishap::Another => _ = self.install(&offers[1]).await,
            }
            pause(&mut random, &mut hands).await?;
            if spoilt && random.bool() {
                self.spoil()?;
                spoilt = false;
            }
        }
        if spoilt {
            self.spoil()?;
        }
        log.push(format!("{:.1} s the network is cut", begun.elapsed().as_secs_f32()));
        self.cut()?;
        for hand in &mut hands {
            hand.clear_faults().at("a cable")?;
        }
        let lost = stranded(&mut hands)?;
        let recovered = self.settle(&mut hands).await?;
        let mut versions = Vec::new();
        for hand in &mut hands {
            versions.push(hand.state().at("a headset")?.firmware.version);
        }
        log.push(format!("{:.1} s all is well", begun.elapsed().as_secs_f32()));
        println!("            {seed}: {}", log.join(", "));
        println!(
            "            {versions:?}; {lost} without firmware when the network went, {recovered} recovered by hand"
        );
        self.serve().await
    }

    /// Every cable is plugged in; what runs comes to its end, what is offered for recovery is recovered. How many that
    /// were. Every headset works then, with one of the two versions.
    async fn settle(&mut self, hands: &mut [Client]) -> Told<usize> {
        for hand in hands.iter_mut() {
            if !hand.state().at("a headset")?.plugged {
                hand.plug().at("a cable")?;
            }
        }
        let (mut recovered, mut last) = (0, Value::Null);
        let settled = wait_for("the end of all updates", PATIENCE, async || {
            last = self.updates().await?;
            let runs = last["job"].is_object() && last["job"]["outcome"].is_null();
            if runs || last["queue"] != json!([]) {
                return Ok(None);
            }
            let offers = last["offers"].as_array().cloned().unwrap_or_default();
            let lost = offers.iter().find(|o| o["deployment"] == "recovery");
            if let Some(id) = lost.and_then(|o| o["id"].as_str()) {
                recovered += usize::from(self.install(id).await);
                return Ok(None);
            }
            for hand in hands.iter_mut() {
                let state = hand.state().at("a headset")?;
                let known = [OLD, NEW].contains(&state.firmware.version.as_str());
                if !(state.present && state.firmware.valid && known) {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        });
        if let Err(error) = settled.await {
            let states: Vec<_> =
                hands.iter_mut().map(|hand| hand.state().map(|state| state.firmware)).collect();
            return fail(format!("{error}: {last:#}, {states:?}"));
        }
        Ok(recovered)
    }
}

/// Some time, or until a headset has taken some more blocks: an emulated machine has its own idea of time.
async fn pause(random: &mut fastrand::Rng, hands: &mut [Client]) -> Told<()> {
    match random.u8(..3) {
        0 => {}
        1 => tokio::time::sleep(Duration::from_millis(random.u64(50..600))).await,
        _ => written(random.u32(0..BLOCKS), Duration::from_secs(2), hands).await?,
    }
    Ok(())
}

/// Waits until a headset is taking firmware and has so many blocks, for a while.
async fn written(blocks: u32, longest: Duration, hands: &mut [Client]) -> Told<()> {
    let wait = async {
        loop {
            for hand in hands.iter_mut() {
                let state = hand.state().at("a headset")?;
                if !state.firmware.valid && state.dfu.blocks_received >= blocks {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // One that takes none is not waited for longer: that is a round, too.
    tokio::time::timeout(longest, wait).await.unwrap_or(Ok(()))
}

/// Headsets that have neither firmware.
fn stranded(hands: &mut [Client]) -> Told<usize> {
    let mut lost = 0;
    for hand in hands {
        lost += usize::from(!hand.state().at("a headset")?.firmware.valid);
    }
    Ok(lost)
}

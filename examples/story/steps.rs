//! The story itself.

use crate::Options;
use crate::rig::company::{self, Company, NEW, OLD, POLICY_ID, Served, USER};
use crate::rig::softphone::Softphone;
use crate::rig::told::{Context, Story, Told, fail, wait_for};
use crate::rig::world::{Door, PATIENCE, Program, World};
use serde_json::{Value, json};
use simulator::control::Client;
use simulator::{Button, Fault, How};
use std::io::Read as _;
use std::process::Command;
use std::time::{Duration, Instant};

const IMAGE_BYTES: usize = 96 * 1024;
/// Presses closer to a write of the agent than its echo window (500 ms) are taken for the echo.
const SETTLE: Duration = Duration::from_millis(700);

pub(crate) async fn tell(options: &Options) -> Told<()> {
    let mut world = World::new(&options.home, &options.bin_dir, options.door, &options.layout)?;
    world.shipped.clone_from(&options.agent);
    let mut story = Story::new();
    let begun = Instant::now();

    let (company, tenant) = tenant(&world, &mut story).await?;
    let (headset, mut agent) = enrol(&world, &mut story, &company, &tenant.url).await?;
    groups(&world, &mut story).await?;
    let mut hand = world.headset().await?;
    let mut softphone = Softphone::connect(&world.path("agent/endpoint.json")).await?;
    if !options.once {
        return stand(&world, &tenant.url).await;
    }
    call(&mut story, &mut hand, &mut softphone).await?;
    if options.crash {
        agent = crashed_update(&world, &mut story, &mut hand, agent, &company.settings(&tenant.url, USER))
            .await?;
    } else if options.interrupt {
        interrupted_update(&world, &mut story, &mut hand).await?;
    } else {
        update(&world, &mut story, &mut hand, &mut softphone, agent.id()).await?;
    }
    bundle(&world, &mut story, &company)?;

    story.chapter("Everything ends as it should");
    agent.end().await?;
    let lights = hand_after(&mut hand, world.door)?;
    story.seen(&format!("the agent ended in order{lights}"));
    drop(headset);
    tenant.program.end().await?;
    story.seen("the tenant server ended in order");
    println!("The whole story took {:.1?}.", begun.elapsed());
    Ok(())
}

async fn tenant(world: &World, story: &mut Story) -> Told<(Company, Served)> {
    story.chapter("A tenant is created, signed and served");
    let company = Company::found(world)?;
    story.seen(&format!("keys, certificate and an empty policy; root {}…", &company.root[..16]));

    let (image, rules) = company::image_and_rules(IMAGE_BYTES)?;
    let package = company::pack(world, &image, &rules)?;
    let printed = Company::publish(world, &policy(world), &package)?;
    story.seen(printed.lines().next().unwrap_or("published"));
    if world.directory.is_none() {
        world.output(&mut world.tenant(&["assign", "--user", USER, "--group", "sales"]))?;
    }
    let served = Company::serve(world, &[]).await?;
    story.seen(&format!("served at {}", served.url));
    Ok((company, served))
}

fn policy(world: &World) -> Value {
    let Some(directory) = &world.directory else { return company::policy(&json!({ "kind": "manual" })) };
    let filter = format!("(&(uid=$user$)(memberOf=cn=Sales,ou=Groups,{}))", directory.base);
    let mut policy = company::policy(&json!({ "kind": "ldap-query", "filter": filter }));
    policy["ldap"] = json!({
        "servers": [directory.uri], "base_dn": directory.base,
        "bind": { "method": "simple", "dn": directory.bind.0, "password": directory.bind.1 },
    });
    policy
}

async fn enrol(
    world: &World,
    story: &mut Story,
    company: &Company,
    url: &str,
) -> Told<(Option<Program>, Program)> {
    story.chapter("A headset appears, the agent enrols and registers");
    let headset = world.start_headset()?;
    let agent = world.start_agent(&company.settings(url, USER))?;
    let host = wait_for("host, user and device at the tenant", PATIENCE, async || {
        let inventory = world.inventory()?;
        let host = inventory["hosts"].get(0).cloned().unwrap_or_default();
        let complete = host["hostname"].is_string() && !empty(&host["users"]) && !empty(&host["devices"]);
        Ok(complete.then_some(host))
    })
    .await
    .map_err(|e| format!("{e}; the agent says: {}", tail(world)))?;
    let device = &host["devices"][0];
    story.seen(&format!(
        "the tenant has host {}, user {} and device {} {} ({})",
        host["hostname"],
        host["users"][0]["user"],
        device["product"],
        device["firmware_version"],
        device["device_id"]
    ));
    expect(&device["firmware_version"], OLD, "the registered version")?;
    let devices = world.json(&mut world.agent(&["devices", "--json"]))?;
    let found = &devices["devices"][0];
    expect(&found["capabilities"]["call_control"], true, "call control found by the report descriptor")?;
    expect(&devices["agent_running"], true, "the answer comes from the agent")?;
    story.seen(&format!("`hookswitch devices` lists {}", found["id"]));
    Ok((headset, agent))
}

async fn groups(world: &World, story: &mut Story) -> Told<()> {
    story.chapter(match world.directory {
        Some(_) => "The user's groups are resolved by an LDAP query with $user$",
        None => "The user's group is a manual one (no directory is installed)",
    });
    let by = if world.directory.is_some() { "ldap-query" } else { "assigned" };
    let group = wait_for("the group", PATIENCE, async || {
        let groups = world.json(&mut world.agent(&["groups", "--json"]))?;
        let first = groups["groups"].get(0).cloned().unwrap_or_default();
        Ok((first["id"] == "sales").then_some(first))
    })
    .await?;
    expect(&group["why"]["by"], by, "why the user is in the group")?;
    story.seen(&format!("alice is in {}: {}", group["name"], group["why"]));
    wait_for("the group at the tenant", PATIENCE, async || {
        let inventory = world.inventory()?;
        Ok((inventory["hosts"][0]["users"][0]["groups"][0]["id"] == "sales").then_some(()))
    })
    .await?;
    story.seen("the tenant has it");
    Ok(())
}

async fn call(story: &mut Story, hand: &mut Client, softphone: &mut Softphone) -> Told<()> {
    story.chapter("A softphone rings the headset, the person answers, mutes and hangs up at it");
    let call = softphone.post("/v1/calls", &json!({ "direction": "incoming", "contact": "Kim" })).await?;
    let id = &call["id"];
    hand.wait("lights.ring=true", PATIENCE).at("the ring light")?;
    story.seen("the ring light is on at the device");

    tokio::time::sleep(SETTLE).await;
    press(hand, Button::Hook)?;
    let pressed = Instant::now();
    softphone.call_event("answered", "device").await?;
    story.seen(&format!(
        "hook pressed at the device; `answered` pushed to the softphone after {:.1?}",
        pressed.elapsed()
    ));
    let state = hand
        .wait("lights.ring=false,lights.off_hook=true,radio_link=true", PATIENCE)
        .at("the off-hook light")?;
    if !state.hook {
        return fail("the headset gave up its hook although it was acknowledged");
    }
    story.seen("ring light off, off-hook light on, radio link open");

    tokio::time::sleep(SETTLE).await;
    press(hand, Button::Mute)?;
    softphone.call_event("muted", "device").await?;
    hand.wait("lights.mute=true", PATIENCE).at("the mute light")?;
    story.seen("mute pressed at the device; `muted` pushed, mute light on");
    softphone.post(&format!("/v1/calls/{id}/unmute"), &json!({})).await?;
    hand.wait("lights.mute=false", PATIENCE).at("the mute light")?;
    story.seen("unmuted by the softphone; mute light off");

    tokio::time::sleep(SETTLE).await;
    press(hand, Button::Hook)?;
    softphone.call_event("ended", "device").await?;
    hand.wait("lights.off_hook=false,radio_link=false", PATIENCE).at("the off-hook light")?;
    story.seen("hook pressed again; `ended` pushed, lights out, radio link closed");
    let calls = softphone.get("/v1/calls").await?;
    if !empty(&calls["calls"]) {
        return fail(format!("calls are left over: {calls}"));
    }
    Ok(())
}

async fn update(
    world: &World,
    story: &mut Story,
    hand: &mut Client,
    softphone: &mut Softphone,
    pid: u32,
) -> Told<()> {
    story.chapter("The policy offers an optional update; the person installs it");
    let offer = offer(world).await?;
    story.seen(&format!(
        "`hookswitch update list` shows {} {} -> {}",
        offer["name"], offer["from_version"], offer["to_version"]
    ));
    let page = Page::open(world).await?;
    if !page.read().await?.contains("Simulated Headset 1.20") {
        return fail("the window's Updates page does not show the update");
    }
    story.seen("the window's Updates page shows it");
    if world.tray {
        tray_shows(pid, "1.20").await?;
        story.seen("the tray menu shows it");
    } else {
        println!("            (no session bus: the tray is off and says so in `hookswitch status`)");
    }

    let begun = Instant::now();
    let install = install(world)?;
    let mut progress = 0;
    let mut last = Value::Null;
    while last["verdict"].is_null() {
        let event =
            softphone.event("update progress", |e| e.name == "updates" && !e.data["job"].is_null()).await?;
        let job = &event.data["job"];
        let writing = job["phase"] == "downloading" && job["outcome"].is_null();
        if writing && progress == 0 {
            progress_everywhere(world, story, &page, pid).await?;
        }
        progress += u32::from(writing);
        last = job["outcome"].clone();
    }
    expect(&last["verdict"], "succeeded", &format!("the verdict {last}"))?;
    expect(&last["version"], NEW, "the version read back")?;
    if progress < 3 {
        return fail(format!("only {progress} steps of progress were pushed"));
    }
    let printed = ended(install, world).await?;
    story.seen(&format!(
        "installed in {:.1?}; {progress} steps of progress pushed; {}",
        begun.elapsed(),
        printed.trim()
    ));
    let state = hand.state().at("the headset")?;
    if state.firmware.version != NEW || state.firmware.updates_broken != 0 {
        return fail(format!("the device says {:?}", state.firmware));
    }
    story.seen(&format!(
        "the device itself says {} ({} bytes, nothing broken)",
        state.firmware.version, state.firmware.image_bytes
    ));
    tenant_has_verdict(world, story, "succeeded").await
}

/// The cable is pulled in the middle; the update goes on when the headset comes back.
async fn interrupted_update(world: &World, story: &mut Story, hand: &mut Client) -> Told<()> {
    story.chapter("The cable is pulled in the middle of the update");
    offer(world).await?;
    hand.fail(Fault { at_block: 20, how: How::UnplugUnanswered }).at("arming the mishap")?;
    let install = install(world)?;
    let state = hand.wait("plugged=false", PATIENCE).at("the pulled cable")?;
    if state.firmware.version == NEW {
        return fail("the update was complete before the cable was pulled");
    }
    story.seen("the cable was pulled at block 20, without an answer");
    tokio::time::sleep(Duration::from_secs(2)).await;
    hand.plug().at("plugging in")?;
    let printed = ended(install, world).await?;
    let state = hand.state().at("the headset")?;
    // The pulled cable itself counts as one broken update at the device.
    let firmware = &state.firmware;
    if firmware.version != NEW
        || !firmware.valid
        || (firmware.updates_completed, firmware.updates_broken) != (1, 1)
    {
        return fail(format!("the device says {firmware:?}"));
    }
    story.seen(&format!("plugged in again, recovered: {}", printed.trim()));
    tenant_has_verdict(world, story, "succeeded").await
}

/// `kill -9` of the agent while blocks are written; its journal is enough for the next one, without anybody's help.
async fn crashed_update(
    world: &World,
    story: &mut Story,
    hand: &mut Client,
    agent: Program,
    settings: &[(&str, String)],
) -> Told<Program> {
    story.chapter("The agent is killed in the middle of the update");
    offer(world).await?;
    let mut install = install(world)?;
    let before = wait_for("blocks at the device", PATIENCE, async || {
        let state = hand.state().at("the headset")?;
        Ok((state.dfu.blocks_received >= 20).then_some(state))
    })
    .await?;
    agent.kill()?;
    if before.firmware.version == NEW {
        return fail("the update was complete before the agent was killed");
    }
    let status =
        wait_for("the end of `update install`", PATIENCE, async || install.try_wait().at("install")).await?;
    if status.code() != Some(1) {
        return fail(format!("`update install` ended with {status} although the agent is gone"));
    }
    let state = hand.state().at("the headset")?;
    if state.firmware.valid {
        return fail("the headset still has its firmware: nothing to recover");
    }
    story.seen(&format!("killed after {} blocks; the headset has no firmware", state.dfu.blocks_received));

    let agent = world.start_agent(settings)?;
    let state = hand
        .wait(&format!("firmware.version={NEW},mode=runtime"), PATIENCE * 3)
        .at("the recovered headset")?;
    if !state.firmware.valid {
        return fail(format!("the device says {:?}", state.firmware));
    }
    story.seen("started again, the agent recovered it from its journal");
    tenant_has_verdict(world, story, "succeeded").await?;
    Ok(agent)
}

async fn offer(world: &World) -> Told<Value> {
    wait_for("the offered update", PATIENCE, async || {
        let list = world.json(&mut world.agent(&["update", "list", "--json"]))?;
        let offer = list["offers"].get(0).cloned().unwrap_or_default();
        Ok((offer["to_version"] == NEW && offer["blocked"].is_null()).then_some(offer))
    })
    .await
}

fn install(world: &World) -> Told<std::process::Child> {
    let mut command = world.agent(&["update", "install"]);
    let out = std::fs::File::create(world.path("install.log")).at("install.log")?;
    let err = out.try_clone().at("install.log")?;
    command.stdout(out).stderr(err).spawn().at("update install")
}

/// What `update install` printed, once it ended with success.
async fn ended(mut install: std::process::Child, world: &World) -> Told<String> {
    let patience = PATIENCE * 3;
    let status =
        wait_for("the end of `update install`", patience, async || install.try_wait().at("update install"))
            .await?;
    let printed = std::fs::read_to_string(world.path("install.log")).at("install.log")?;
    let last = printed.lines().last().unwrap_or_default().to_owned();
    if status.success() { Ok(last) } else { fail(format!("`update install` ended with {status}: {printed}")) }
}

async fn tenant_has_verdict(world: &World, story: &Story, verdict: &str) -> Told<()> {
    let update = wait_for("the verdict at the tenant", PATIENCE, async || {
        let inventory = world.inventory()?;
        let host = &inventory["hosts"][0];
        let update =
            host["updates"].as_array().and_then(|u| u.iter().find(|u| u["policy_id"] == POLICY_ID)).cloned();
        let registered = host["devices"]
            .as_array()
            .is_some_and(|d| d.iter().any(|d| d["firmware_version"] == NEW && d["attached"] == true));
        Ok(update.filter(|u| u["verdict"] != "in-progress" && registered))
    })
    .await?;
    expect(&update["verdict"], verdict, "the tenant's verdict")?;
    expect(&update["version_read_back"], NEW, "the tenant's version")?;
    story.seen(&format!(
        "the tenant has it: {} with version {} read back",
        update["verdict"], update["version_read_back"]
    ));
    Ok(())
}

/// While blocks are written, the command line, the window and the tray say so.
async fn progress_everywhere(world: &World, story: &Story, page: &Page, pid: u32) -> Told<()> {
    let list = world.json(&mut world.agent(&["update", "list", "--json"]))?;
    expect(&list["job"]["phase"], "downloading", "the phase in `update list`")?;
    if !page.read().await?.contains("<progress") {
        return fail("the window shows no progress");
    }
    if world.tray {
        tray_shows(pid, "%").await?;
    }
    let tray = if world.tray { ", in the tray menu" } else { "" };
    story.seen(&format!("progress in `update list`{tray} and in the window"));
    Ok(())
}

/// The window as a browser has it: opened by a one-time address, kept by a cookie.
struct Page {
    client: reqwest::Client,
    origin: String,
    cookie: String,
}

impl Page {
    async fn open(world: &World) -> Told<Self> {
        let url = world.output(&mut world.agent(&["open", "--print"]))?;
        let client =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().at("window")?;
        let answer = client.get(url.trim()).send().await.at("window")?;
        let cookie = answer.headers().get("set-cookie").and_then(|c| c.to_str().ok()).unwrap_or_default();
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let origin = answer.url().origin().ascii_serialization();
        Ok(Self { client, origin, cookie })
    }

    async fn read(&self) -> Told<String> {
        let page = self.client.get(format!("{}/updates", self.origin)).header("cookie", &self.cookie).send();
        let page = page.await.at("/updates")?;
        if !page.status().is_success() {
            return fail(format!("/updates answers {}", page.status()));
        }
        page.text().await.at("/updates")
    }
}

/// The menu as any desktop reads it: com.canonical.dbusmenu of the item's process.
async fn tray_shows(pid: u32, text: &str) -> Told<()> {
    wait_for("the update in the tray menu", PATIENCE, async || {
        let names = gdbus(&[
            "--dest",
            "org.freedesktop.DBus",
            "--object-path",
            "/org/freedesktop/DBus",
            "--method",
            "org.freedesktop.DBus.ListNames",
        ])?;
        let mine = format!("StatusNotifierItem-{pid}-");
        let Some(name) = names.split('\'').find(|n| n.contains(&mine)) else { return Ok(None) };
        let layout = gdbus(&[
            "--dest",
            name,
            "--object-path",
            "/MenuBar",
            "--method",
            "com.canonical.dbusmenu.GetLayout",
            "--",
            "0",
            "-1",
            "[]",
        ])?;
        Ok(layout.contains(text).then_some(()))
    })
    .await
}

fn gdbus(arguments: &[&str]) -> Told<String> {
    let output = Command::new("gdbus").args(["call", "--session"]).args(arguments).output().at("gdbus")?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    fail(format!("gdbus: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

fn bundle(world: &World, story: &mut Story, company: &Company) -> Told<()> {
    story.chapter("`hookswitch bundle` collects what support needs");
    let path = world.path("bundle.zip");
    world.output(world.agent(&["bundle", "--output"]).arg(&path))?;
    let file = std::fs::File::open(&path).at("bundle.zip")?;
    let mut archive = zip::ZipArchive::new(file).at("bundle.zip")?;
    let names: Vec<String> = archive.file_names().filter_map(|n| Some(n.ok()?.into_owned())).collect();
    let logs = ["CloudConnector.log", "DeviceManager.log", "DFUManager.log", "SessionManager.log"];
    for wanted in logs.iter().copied().chain(["status.json", "settings.json", "descriptors/"]) {
        if !names.iter().any(|n| n.contains(wanted)) {
            return fail(format!("the bundle has no {wanted}, only {names:?}"));
        }
    }
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).at("bundle.zip")?;
        let (mut bytes, name) = (Vec::new(), entry.name().at("bundle.zip")?.into_owned());
        entry.read_to_end(&mut bytes).at(&name)?;
        let text = String::from_utf8_lossy(&bytes);
        if text.contains(&company.token) {
            return fail(format!("{name} holds the tenant's token"));
        }
        if name.ends_with(".log") && text.contains(USER) {
            return fail(format!("{name} holds the user's name"));
        }
    }
    let size = std::fs::metadata(&path).at("bundle.zip")?.len();
    story.seen(&format!("{} entries, {size} bytes, no token and no user name in the logs", names.len()));
    Ok(())
}

/// The world stands until the person ends it.
async fn stand(world: &World, url: &str) -> Told<()> {
    let command = |arguments: &[&str]| {
        let command = world.agent(arguments);
        let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
        words.iter().map(|w| w.to_string_lossy()).collect::<Vec<_>>().join(" ")
    };
    let sim = world.program("hookswitch-sim").get_program().to_string_lossy().into_owned();
    let socket = world.path("headset.sock");
    println!("\nThe tenant ({url}), the headset and the agent are running. In another terminal:\n");
    println!("  {}", command(&["open"]));
    println!("  {}", command(&["status"]));
    println!("  {}", command(&["update", "install"]));
    println!("  {sim} press hook --control {}", socket.display());
    println!("  {sim} state --control {}", socket.display());
    println!("\nThe tray has an icon if the desktop has a place for it. Ctrl-C ends everything.");
    tokio::signal::ctrl_c().await.at("Ctrl-C")
}

/// Whether the lights went out; in process the headset is gone with the agent.
fn hand_after(hand: &mut Client, door: Door) -> Told<&'static str> {
    if door == Door::InProcess {
        return Ok("");
    }
    let lights = hand.state().at("the headset")?.lights;
    if lights.off_hook || lights.ring || lights.mute {
        return fail(format!("lights are left on: {lights:?}"));
    }
    Ok(", lights out")
}

fn press(hand: &mut Client, button: Button) -> Told<()> {
    match hand.press(button).at("the headset")? {
        true => Ok(()),
        false => fail(format!("the headset did not react to {button:?}")),
    }
}

fn expect(found: &Value, expected: impl Into<Value>, what: &str) -> Told<()> {
    let expected = expected.into();
    if *found == expected { Ok(()) } else { fail(format!("{what}: expected {expected}, found {found}")) }
}

fn empty(list: &Value) -> bool {
    list.as_array().is_none_or(Vec::is_empty)
}

/// The last lines the agent printed.
fn tail(world: &World) -> String {
    let text = std::fs::read_to_string(world.path("agent.log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}

//! The story itself.

use crate::softphone::Softphone;
use crate::told::{Context, Story, Told, fail, wait_for};
use crate::world::{PATIENCE, Program, World};
use crate::{Door, Options};
use serde_json::{Value, json};
use simulator::control::Client;
use simulator::{Button, Fault, How};
use std::io::Read as _;
use std::process::Command;
use std::time::{Duration, Instant};

const TENANT_ID: &str = "example";
const POLICY_ID: &str = "headset-1-20";
const OLD: &str = "1.00";
const NEW: &str = "1.20";
const IMAGE_BYTES: usize = 96 * 1024;
/// Presses closer to a write of the agent than its echo window (500 ms) are taken for the echo.
const SETTLE: Duration = Duration::from_millis(700);

pub(crate) async fn tell(options: &Options) -> Told<()> {
    let world = World::new(options)?;
    let mut story = Story::new();
    let begun = Instant::now();

    let (tenant, made) = tenant(&world, &mut story).await?;
    let (headset, agent) = enrol(&world, &mut story, &made).await?;
    groups(&world, &mut story).await?;
    let mut hand = world.headset().await?;
    let mut softphone = Softphone::connect(&world.path("agent/endpoint.json")).await?;
    if !options.once {
        return stand(&world, &made).await;
    }
    call(&mut story, &mut hand, &mut softphone).await?;
    if options.interrupt {
        interrupted_update(&world, &mut story, &mut hand).await?;
    } else {
        update(&world, &mut story, &mut hand, &mut softphone, agent.id()).await?;
    }
    bundle(&world, &mut story, &made)?;

    story.chapter("Everything ends as it should");
    agent.end().await?;
    let lights = hand_after(&mut hand, world.door)?;
    story.seen(&format!("the agent ended in order{lights}"));
    drop(headset);
    tenant.end().await?;
    story.seen("the tenant server ended in order");
    println!("The whole story took {:.1?}.", begun.elapsed());
    Ok(())
}

struct Made {
    token: String,
    root: String,
    ca: String,
    url: String,
}

async fn tenant(world: &World, story: &mut Story) -> Told<(Program, Made)> {
    story.chapter("A tenant is created, signed and served");
    let made = world.json(&mut world.tenant(&[
        "init",
        "--tenant-id",
        TENANT_ID,
        "--company",
        "Example GmbH",
        "--json",
    ]))?;
    let text =
        |key: &str| made[key].as_str().map(str::to_owned).ok_or(format!("init printed no {key}: {made}"));
    let (token, root, ca) = (text("TENANT_TOKEN")?, text("TENANT_ROOT")?, text("ca_pem")?);
    story.seen(&format!("keys, certificate and an empty policy; root {}…", &root[..16]));

    let package = firmware_package(world)?;
    std::fs::write(world.path("policy.json"), policy(world).to_string()).at("policy.json")?;
    let policy_path = world.path("policy.json").display().to_string();
    let printed =
        world.output(&mut world.tenant(&["publish", "--policy", &policy_path, "--target", &package]))?;
    story.seen(printed.lines().next().unwrap_or("published"));
    if world.directory.is_none() {
        world.output(&mut world.tenant(&["assign", "--user", "alice", "--group", "sales"]))?;
    }
    let mut serve = world.tenant(&["serve", "--listen", "127.0.0.1:0"]);
    let server = Program::start("hookswitch-tenant", &mut serve, &world.path("tenant.log"))?;
    let endpoint = world.path("tenant/endpoint.json");
    let url = wait_for("the tenant's address", PATIENCE, async || {
        let Ok(bytes) = std::fs::read(&endpoint) else { return Ok(None) };
        Ok(serde_json::from_slice::<Value>(&bytes).ok().and_then(|e| e["url"].as_str().map(str::to_owned)))
    })
    .await?;
    story.seen(&format!("served at {url}"));
    Ok((server, Made { token, root, ca, url }))
}

/// Built by the headset's maker (the simulator), packed and inspected by the product.
fn firmware_package(world: &World) -> Told<String> {
    let folder = world.path("firmware");
    std::fs::create_dir_all(&folder).at("firmware")?;
    let bcd = simulator::parse_bcd(NEW).at("version")?;
    let image = simulator::firmware::build(bcd, IMAGE_BYTES);
    std::fs::write(folder.join("headset.bin"), &image).at("headset.bin")?;
    let rules = json!({
        "schema": 1, "name": "Simulated Headset", "vendor": "Hookswitch", "version": NEW,
        "targets": [{ "vid": "1209", "pid": "0001" }],
        "components": [{ "id": "main", "file": "headset.bin", "method": "usb-dfu", "version": NEW, "size": image.len() }],
        "expected_minutes": 1,
    });
    std::fs::write(folder.join("rules.json"), rules.to_string()).at("rules.json")?;
    let package = world.path("firmware/headset-1.20.zip");
    let mut pack = world.agent(&["firmware", "pack"]);
    world.output(pack.arg(folder.join("rules.json")).arg("--output").arg(&package))?;
    Ok(package.display().to_string())
}

fn policy(world: &World) -> Value {
    let (ldap, rule) = match &world.directory {
        Some(directory) => (
            Some(json!({
                "servers": [directory.uri], "base_dn": directory.base,
                "bind": { "method": "simple", "dn": directory.bind.0, "password": directory.bind.1 },
            })),
            json!({ "kind": "ldap-query", "filter":
                format!("(&(uid=$user$)(memberOf=cn=Sales,ou=Groups,{}))", directory.base) }),
        ),
        None => (None, json!({ "kind": "manual" })),
    };
    let mut policy = json!({
        "schema": 1, "company": "Example GmbH", "polling_s": 60,
        "groups": [{ "id": "sales", "name": "Sales", "priority": 10, "rule": rule }],
        "firmware": [{
            "id": POLICY_ID, "groups": ["sales"], "name": "Simulated Headset 1.20",
            "products": [{ "vendor_id": 0x1209, "product_id": 1 }], "version": NEW,
            "target": "headset-1.20.zip", "deployment": "optional",
        }],
        "support": { "name": "Help desk", "email": "help@example.com" },
    });
    if let Some(ldap) = ldap {
        policy["ldap"] = ldap;
    }
    policy
}

async fn enrol(world: &World, story: &mut Story, made: &Made) -> Told<(Option<Program>, Program)> {
    story.chapter("A headset appears, the agent enrols and registers");
    let headset = world.start_headset()?;
    let environment = [
        ("TENANT_ID", TENANT_ID.to_owned()),
        ("SERVER_URL", made.url.clone()),
        ("TENANT_TOKEN", made.token.clone()),
        ("TENANT_ROOT", made.root.clone()),
        ("HOOKSWITCH_TENANT_CA", made.ca.clone()),
        ("HOOKSWITCH_USER", "alice".to_owned()),
    ];
    let agent = world.start_agent(&environment)?;
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

fn bundle(world: &World, story: &mut Story, made: &Made) -> Told<()> {
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
        if text.contains(&made.token) {
            return fail(format!("{name} holds the tenant's token"));
        }
        if name.ends_with(".log") && text.contains("alice") {
            return fail(format!("{name} holds the user's name"));
        }
    }
    let size = std::fs::metadata(&path).at("bundle.zip")?.len();
    story.seen(&format!("{} entries, {size} bytes, no token and no user name in the logs", names.len()));
    Ok(())
}

/// The world stands until the person ends it.
async fn stand(world: &World, made: &Made) -> Told<()> {
    let command = |arguments: &[&str]| {
        let command = world.agent(arguments);
        let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
        words.iter().map(|w| w.to_string_lossy()).collect::<Vec<_>>().join(" ")
    };
    let sim = world.program("hookswitch-sim").get_program().to_string_lossy().into_owned();
    let socket = world.path("headset.sock");
    println!("\nThe tenant ({}), the headset and the agent are running. In another terminal:\n", made.url);
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

//! The tray on a real desktop: an X server, a D-Bus session and a panel with a StatusNotifier host, all from
//! `tests/desktop/rig.sh`. Fails elsewhere.
#![expect(clippy::disallowed_methods, reason = "asks the desktop through its own tools")]

use hookswitch::shell::{notify, tray, tray::icon};
use hub::locale::{Locale, Message};
use hub::protocol::local::{Call, CallState, Direction, View};
use hub::protocol::{
    Capabilities, Deployment, Device, DeviceStatus, Job, JobPhase, Offer, Outcome, TenantMode, TenantState,
};
use hub::user::menu::{Action, Badge, Menu, Page};
use hub::user::notice::{Body, Notice};
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(15);
const BUS_NAME: &str = "org.kde.StatusNotifierWatcher";

/// One answer of `item.sh`.
fn item(arguments: &[&str]) -> String {
    let script = std::env::var_os("HOOKSWITCH_DESKTOP_ITEM")
        .expect("this test needs a desktop of its own: run `cargo xtask test --tier desktop`");
    let output = Command::new(script).args(arguments).output().expect("item.sh runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "item.sh {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    text
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output =
        Command::new(program).args(arguments).output().expect("the rig checked that the tool is there");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Asks again until the answer is there.
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not happen within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn host_is_there() -> bool {
    let bus =
        ["call", "--session", "--dest", "org.freedesktop.DBus", "--object-path", "/org/freedesktop/DBus"];
    let question = ["--method", "org.freedesktop.DBus.NameHasOwner", BUS_NAME];
    run("gdbus", &[&bus[..], &question[..]].concat()).contains("true")
}

/// What the agent would draw with one headset, one job and one update more.
fn menu(done_bytes: u64, call: Option<bool>) -> Menu {
    let device = Device {
        id: "1234-0001-a".to_owned(),
        vendor: "Example".to_owned(),
        product: "Alpha & Beta_1".to_owned(),
        vendor_id: 0x1234,
        product_id: 1,
        serial: None,
        firmware_version: "1.20".to_owned(),
        port: None,
        capabilities: Capabilities::default(),
        status: DeviceStatus::Ready,
        line_busy: false,
        problem: None,
    };
    let offer = Offer {
        id: "p:1234-0001-a".to_owned(),
        device: device.id.clone(),
        policy: "p".to_owned(),
        name: device.product.clone(),
        from_version: "1.20".to_owned(),
        to_version: "1.30".to_owned(),
        deployment: Deployment::Optional,
        group: "all-users".to_owned(),
        deferred: false,
        deferrable: true,
        deferrals_left: None,
        next: None,
        blocked: None,
    };
    let job = Job {
        offer: "p:other".to_owned(),
        device: "other".to_owned(),
        name: "Gamma".to_owned(),
        from_version: "1.00".to_owned(),
        to_version: "2.00".to_owned(),
        phase: JobPhase::Downloading,
        done_bytes,
        total_bytes: 100,
        outcome: (done_bytes == 100).then(|| Outcome::Succeeded { version: "2.00".to_owned() }),
        ..Job::default()
    };
    let call = call.map(|muted| Call {
        id: 1,
        client: hub::protocol::client::ClientId::Unnamed,
        label: None,
        direction: Direction::Incoming,
        state: CallState::Answered,
        muted,
        contact: None,
    });
    let tenant = TenantState {
        mode: TenantMode::Server,
        company: Some("Example Ltd".to_owned()),
        ..TenantState::default()
    };
    hub::user::menu::menu(&View {
        devices: vec![device],
        offers: vec![offer],
        job: Some(job),
        calls: call.into_iter().collect(),
        tenant,
        ..View::default()
    })
}

/// The icon at the left end of the panel, and where its menu opens.
const ICON: &str = "32x32+0+0";
const BELOW: &str = "400x400+0+40";

/// What the item offers is the picture with this badge, pixel by pixel, and the panel shows its colours.
fn badge_is(found: &str, badge: Badge) {
    let colour = match badge {
        Badge::None => "177782",
        Badge::Update => "F59E0B",
        Badge::Call => "15803D",
        Badge::Muted => "C81E1E",
    };
    // On the bus a pixel is alpha, red, green, blue.
    let argb: Vec<u8> = icon::rgba(64, badge).chunks(4).flat_map(|p| [p[3], p[0], p[1], p[2]]).collect();
    wait_for(&format!("the picture of {badge:?}"), || {
        let text = item(&["icon", found]);
        let bytes = text.split("0x").skip(1).filter_map(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok());
        (text.contains("(64, 64,") && bytes.eq(argb.iter().copied())).then_some(())
    });
    wait_for(&format!("the badge of {badge:?} on the panel"), || {
        let colours = item(&["colours", ICON]);
        (colours.contains("177782") && colours.contains(colour)).then_some(())
    });
}

/// Waits for the menu and gives its look.
fn open_menu() -> String {
    wait_for("the menu on the screen", || {
        let look = item(&["look", BELOW]);
        let is_painted = item(&["colours", BELOW]).lines().count() > 2;
        (is_painted && look == item(&["look", BELOW])).then_some(look)
    })
}

/// Times all threads but this one went to sleep since they began: each is one wakeup.
fn wakeups() -> u64 {
    let mine = std::fs::read_link("/proc/thread-self").expect("Linux");
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
    tasks
        .filter(|task| !mine.ends_with(task.file_name()))
        .filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok())
        .filter_map(|status| {
            let line = status.lines().find_map(|l| l.strip_prefix("voluntary_ctxt_switches:"))?;
            line.trim().parse::<u64>().ok()
        })
        .sum()
}

#[test]
fn the_tray_is_drawn_and_answers() {
    item(&["list"]);
    // The agent starts before the panel does.
    run("xfce4-panel", &["--quit"]);
    wait_for("the panel's end", || (!host_is_there()).then_some(()));
    let (actions, mut clicks) = tokio::sync::mpsc::channel(8);
    let (began, begins) = channel();
    // Here any thread will do.
    let icon = std::thread::spawn(move || {
        let (tray, icon) = tray::on_this_thread(Arc::new(Locale::new("de-DE"))).expect("a loop");
        began.send(tray).expect("somebody waits");
        icon.run();
    });
    let tray = begins.recv().expect("the loop begins");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(tray.show(actions)).expect("there is a session bus");
    tray.draw(&menu(7, None));
    let mut panel = Command::new("xfce4-panel").arg("--disable-wm-check").spawn().expect("the panel starts");
    let found = wait_for("the icon's registration", || {
        host_is_there().then(|| item(&["list"]).lines().next().map(str::to_owned)).flatten()
    });

    assert!(item(&["property", &found, "Title"]).contains("Hookswitch"));
    let tooltip = wait_for("the tooltip", || {
        Some(item(&["property", &found, "ToolTip"]))
            .filter(|tooltip| tooltip.contains("1 Aktualisierung wartet"))
    });
    assert!(!tooltip.contains('\u{2068}'), "{tooltip}");
    let text = item(&["menu", &found]);
    for line in [
        "Gamma wird aktualisiert: 7 %",
        "Geräte",
        "Verwaltet von Example Ltd",
        "auf 1.30 aktualisieren",
        "Beenden",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(text.contains("Alpha & Beta__1, Version 1.20"), "a name marks no shortcut: {text}");
    // The headset, the running update, the company; an update that would wait for its turn can be chosen.
    assert_eq!(text.matches("'enabled': <false>").count(), 3, "labels cannot be chosen: {text}");

    badge_is(&found, Badge::Update);
    item(&["picture", "tray-update"]);
    item(&["click", "3", "16", "16"]);
    let before = open_menu();
    item(&["picture", "tray-menu"]);
    // While the menu is open its words change under the pointer.
    tray.draw(&menu(50, None));
    wait_for("the new words", || {
        item(&["menu", &found]).contains("Gamma wird aktualisiert: 50 %").then_some(())
    });
    wait_for("the new words on the screen", || (item(&["look", BELOW]) != before).then_some(()));
    item(&["picture", "tray-menu-progress"]);
    run("xdotool", &["key", "Escape"]);
    wait_for("the menu's end", || (item(&["colours", BELOW]).lines().count() == 1).then_some(()));

    // The job is done, the waiting update can be chosen: with the keyboard, the first line that is not grey.
    tray.draw(&menu(100, None));
    wait_for("the next menu", || (!item(&["menu", &found]).contains("Gamma")).then_some(()));
    item(&["click", "3", "16", "16"]);
    open_menu();
    run("xdotool", &["key", "Down"]);
    run("xdotool", &["key", "Return"]);
    let action = wait_for("the chosen line", || clicks.try_recv().ok());
    assert_eq!(action, Action::OpenWindow(Page::Updates), "the page asks, the menu begins nothing");

    item(&["click", "1", "16", "16"]);
    let action = wait_for("the left click", || clicks.try_recv().ok());
    assert_eq!(action, Action::OpenWindow(Page::Devices));

    for (muted, badge, name) in [(false, Badge::Call, "tray-call"), (true, Badge::Muted, "tray-muted")] {
        tray.draw(&menu(100, Some(muted)));
        badge_is(&found, badge);
        item(&["picture", name]);
    }

    let resting = |span| {
        let before = wakeups();
        std::thread::sleep(span);
        wakeups() == before
    };
    wait_for("rest", || resting(Duration::from_millis(500)).then_some(()));
    assert!(resting(Duration::from_secs(3)), "an idle tray sleeps");

    drop(tray);
    icon.join().expect("its loop ends");
    wait_for("the icon's end", || item(&["list"]).is_empty().then_some(()));
    run("xfce4-panel", &["--quit"]);
    panel.wait().expect("the panel ends");
}

/// Plays the desktop's notification service, whose bus interface is all there is of it.
struct Service {
    notices: Mutex<Sender<(String, String)>>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    fn get_capabilities(&self) -> Vec<&str> {
        vec!["body", "body-markup"]
    }

    #[zbus(name = "Notify")]
    #[expect(clippy::too_many_arguments, reason = "as the specification has it")]
    fn notify(
        &self,
        _program: &str,
        _replaces: u32,
        _icon: &str,
        title: &str,
        body: &str,
        _actions: Vec<&str>,
        _hints: std::collections::HashMap<&str, zbus::zvariant::Value<'_>>,
        _expires_ms: i32,
    ) -> u32 {
        let notices = self.notices.lock().expect("no panic while locked");
        let _ = notices.send((title.to_owned(), body.to_owned()));
        1
    }
}

#[test]
fn a_notice_reaches_the_desktop() {
    item(&["list"]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (notices, shown) = channel();
    let service = Service { notices: Mutex::new(notices) };
    let _bus = runtime.block_on(async {
        zbus::connection::Builder::session()
            .expect("a session bus")
            .serve_at("/org/freedesktop/Notifications", service)
            .expect("a valid path")
            .name("org.freedesktop.Notifications")
            .expect("a valid name")
            .build()
            .await
            .expect("the name is free")
    });
    let notice = Notice {
        title: Message::new("notice-update-succeeded").text("name", "Alpha"),
        body: Body::Message(Message::new("notice-update-succeeded-body").text("version", "<b>A & B</b>")),
    };
    notify::show(&Locale::new("en-US"), &notice);
    let (title, body) = shown.recv_timeout(PATIENCE).expect("the notice arrives");
    assert_eq!(title, "Update done: Alpha");
    assert_eq!(body, "The headset says it has version &#60;b&#62;A &#38; B&#60;/b&#62; now.");
}

/// Ended with its test, however that ends.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The agent as it is shipped, in the panel: icon registered under its own process, the menu of an agent without headset
/// and tenant, and both on a picture.
#[test]
fn the_shipped_agent_shows_its_tray() {
    let agent = std::env::var_os("HOOKSWITCH_SHIPPED")
        .expect("HOOKSWITCH_SHIPPED is not set: run `cargo xtask test --tier desktop`");
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut running = Ended(
        Command::new(agent)
            .arg("--home")
            .arg(home.path())
            .args(["run", "--language", "en-US"])
            .env("HOOKSWITCH_REST_PORT", "0")
            .spawn()
            .expect("the agent starts"),
    );
    let mine = format!("StatusNotifierItem-{}-", running.0.id());
    let own = wait_for("the registration of the agent's icon", || {
        item(&["list"]).lines().find(|line| line.contains(&mine)).map(str::to_owned)
    });
    let menu = wait_for("the agent's menu", || {
        let menu = item(&["menu", &own]);
        menu.contains("No headset connected").then_some(menu)
    });
    for text in ["No company offers updates for this computer", "Not managed", "Quit"] {
        assert!(menu.contains(text), "the menu lacks {text}: {menu}");
    }
    item(&["picture", "tray-shipped-agent"]);
    let stopped = Command::new("sh")
        .args(["-c", "kill \"$0\""])
        .arg(running.0.id().to_string())
        .status()
        .expect("sh runs");
    assert!(stopped.success());
    let status = running.0.wait().expect("the agent is our child");
    assert!(status.success(), "the agent ended with {status}");
    wait_for("the icon's leaving", || (!item(&["list"]).contains(&mine)).then_some(()));
}

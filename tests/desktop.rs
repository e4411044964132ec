//! The tray on a real desktop: an X server, a D-Bus session and a panel with a StatusNotifier host, all from
//! `tests/desktop/rig.sh`. Fails elsewhere.
#![expect(clippy::disallowed_methods, reason = "asks the desktop through its own tools")]

use hookswitch::agent::menu::{Action, Badge, Item, Menu, Page};
use hookswitch::agent::notice::Notice;
use hookswitch::locale::{Locale, Message};
use hookswitch::shell::{notify, tray};
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

fn menu(percent: i64, badge: Badge) -> Menu {
    let action = |id, action| Item::Action { label: Message::new(id), action };
    Menu {
        tooltip: match badge {
            Badge::None => Message::new("tray-tooltip").number("count", 1),
            Badge::Update => Message::new("tray-tooltip-updates").number("count", 1),
            Badge::Call => Message::new("tray-tooltip-call"),
            Badge::Muted => Message::new("tray-tooltip-muted"),
        },
        badge,
        items: vec![
            Item::Label(Message::new("tray-device").text("name", "Alpha & Beta_1").text("version", "1.20")),
            Item::Separator,
            Item::Label(Message::new("tray-progress").text("name", "Gamma").number("percent", percent)),
            Item::Action {
                label: Message::new("tray-install").text("name", "Alpha & Beta_1").text("version", "1.30"),
                action: Action::Install { offer: "p:d".to_owned() },
            },
            Item::Separator,
            action("tray-open-devices", Action::OpenWindow(Page::Devices)),
            action("tray-open-updates", Action::OpenWindow(Page::Updates)),
            Item::Separator,
            Item::Label(Message::new("tray-managed").text("company", "Example Ltd")),
            action("tray-quit", Action::Quit),
        ],
    }
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
    let tray = tray::start(Arc::new(Locale::new("de-DE")), actions).expect("there is a session bus");
    tray.draw(&menu(7, Badge::Update));
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
    assert_eq!(text.matches("'enabled': <false>").count(), 3, "labels cannot be chosen: {text}");

    std::thread::sleep(Duration::from_millis(700)); // the panel paints
    item(&["picture", "tray-update"]);
    item(&["click", "3", "16", "16"]);
    std::thread::sleep(Duration::from_millis(700));
    item(&["picture", "tray-menu"]);
    // While the menu is open its words change under the pointer; then a line is chosen with the keyboard.
    tray.draw(&menu(50, Badge::Update));
    wait_for("the new words", || {
        item(&["menu", &found]).contains("Gamma wird aktualisiert: 50 %").then_some(())
    });
    std::thread::sleep(Duration::from_millis(300));
    item(&["picture", "tray-menu-progress"]);
    run("xdotool", &["key", "Down"]);
    run("xdotool", &["key", "Return"]);
    let action = wait_for("the chosen line", || clicks.try_recv().ok());
    assert_eq!(action, Action::Install { offer: "p:d".to_owned() });

    item(&["click", "1", "16", "16"]);
    let action = wait_for("the left click", || clicks.try_recv().ok());
    assert_eq!(action, Action::OpenWindow(Page::Devices));

    for (badge, name) in
        [(Badge::Call, "tray-call"), (Badge::Muted, "tray-muted"), (Badge::None, "tray-none")]
    {
        tray.draw(&menu(50, badge));
        std::thread::sleep(Duration::from_millis(500));
        item(&["picture", name]);
    }

    std::thread::sleep(Duration::from_secs(2));
    let before = wakeups();
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(wakeups() - before, 0, "an idle tray sleeps");

    drop(tray);
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
        title: Message::new("tray-tooltip-call"),
        body: Message::new("tray-managed").text("company", "<b>A & B</b>"),
    };
    notify::show(&Locale::new("en-US"), &notice);
    let (title, body) = shown.recv_timeout(PATIENCE).expect("the notice arrives");
    assert_eq!(title, "Hookswitch: in a call");
    assert_eq!(body, "Managed by &lt;b&gt;A &amp; B&lt;/b&gt;");
}

//! The tray where there is no desktop.
#![expect(clippy::disallowed_methods, reason = "runs itself again with another environment")]

use hookswitch::shell::tray;
use hub::locale::Locale;
use hub::problem::Code;
use std::process::Command;
use std::sync::Arc;

const CHILD: &str = "HOOKSWITCH_TEST_WITHOUT_BUS";

#[test]
fn no_session_bus_is_one_clear_problem() {
    if std::env::var_os(CHILD).is_some() {
        let (actions, _clicks) = tokio::sync::mpsc::channel(1);
        let (tray, icon) = tray::on_this_thread(Arc::new(Locale::new("en"))).expect("a loop");
        let shown = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            runtime.expect("a runtime").block_on(tray.show(actions))
        });
        icon.run();
        let problem = shown.join().expect("it ends").expect_err("no bus");
        assert_eq!(problem.code, Code::TrayNotShown);
        assert!(problem.next().contains("hookswitch open"), "{problem}");
        let notice = hub::user::Notice {
            title: Default::default(),
            body: hub::user::notice::Body::Message(Default::default()),
        };
        hookswitch::shell::notify::show(&Locale::new("en"), &notice);
        return;
    }
    for address in [Some("unix:path=/nonexistent/bus"), Some("nonsense"), None] {
        let mut child = Command::new(std::env::current_exe().expect("this program has a path"));
        child.args(["--exact", "no_session_bus_is_one_clear_problem", "--nocapture"]).env(CHILD, "1");
        child.env_remove("DBUS_SESSION_BUS_ADDRESS").env("XDG_RUNTIME_DIR", "/nonexistent");
        child.envs(address.map(|address| ("DBUS_SESSION_BUS_ADDRESS", address)));
        let output = child.output().expect("this program can run itself");
        assert!(output.status.success(), "{address:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

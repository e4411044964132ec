//! The four logs as a support person finds them: who writes where, and what is never in them.
#![expect(clippy::disallowed_methods, reason = "reads the logs back")]

use hookswitch::shell::log;
use hub::problem::Code;
use std::os::unix::fs::PermissionsExt;

/// One test, because a process logs to one folder.
#[test]
fn secrets_and_names_never_reach_the_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    log::mask("tenant-token-123456");
    log::mask("b\"nd pass");
    log::mask_user("Anna.Muster");
    let guard = log::start(folder.path(), "debug").expect("the folder is writable");
    assert_eq!(log::start(folder.path(), "debug").expect_err("twice").code, Code::LogNotStarted);

    tracing::info!(target: "hookswitch::shell::tenant", token = "tenant-token-123456", "enrols anna.muster");
    tracing::debug!(target: "hookswitch::shell::tenant", "token tenant-token-123456 of anna.muster");
    tracing::error!(target: "hookswitch::shell::ipc", password = ?"b\"nd pass", "bind as ANNA.MUSTER\nfailed");
    tracing::warn!(target: "hub::machine::fleet", path = %"/home/anna.muster/x", "odd report");
    tracing::info!(target: "dfu::usb_dfu", block = 7, "downloading");
    tracing::trace!(target: "dfu::usb_dfu", "too fine");
    tracing::info!(target: "reqwest::connect", "a library at info with the product at debug");
    tracing::debug!(target: "reqwest::connect", "a library at debug");
    drop(guard);

    let read = |name: &str| {
        let path = folder.path().join(name);
        let mode = std::fs::metadata(&path).expect("the log is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        std::fs::read_to_string(path).expect("the log is text")
    };
    let cloud = read("CloudConnector.log");
    let (device, dfu, session) =
        (read("DeviceManager.log"), read("DFUManager.log"), read("SessionManager.log"));
    for text in [&cloud, &device, &dfu, &session] {
        for secret in ["tenant-token", "nd pass"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
        for line in text.lines().filter(|line| !line.contains(" DEBUG ")) {
            assert!(!line.to_lowercase().contains("anna"), "a name above debug: {line}");
        }
    }
    assert!(
        cloud.contains(" INFO  hookswitch::shell::tenant: enrols (user) token=\"(secret)\"\n"),
        "{cloud}"
    );
    assert!(cloud.contains(" DEBUG hookswitch::shell::tenant: token (secret) of anna.muster\n"), "{cloud}");
    assert!(cloud.contains("a library at info") && !cloud.contains("a library at debug"), "{cloud}");
    assert!(device.contains(" WARN  hub::machine::fleet: odd report path=/home/(user)/x\n"), "{device}");
    assert!(dfu.contains("downloading block=7\n") && !dfu.contains("too fine"), "{dfu}");
    assert_eq!(session.lines().count(), 1, "a line break in a message is not one in the log: {session}");
    let stamp = cloud.split(' ').next().expect("a line has a time");
    assert!(stamp.len() == 24 && stamp.ends_with('Z') && stamp.contains('T'), "{stamp}");
}

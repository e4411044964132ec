//! The person's desktop, and the service manager of the session (freedesktop conventions, systemd).
#![expect(clippy::disallowed_methods, reason = "programs of the desktop are started here")]

use super::super::is_web_address;
use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use std::process::{Command, Stdio};

/// Shows an `http(s)` address in the person's browser. Returns as soon as the opener runs.
///
/// # Errors
/// The address is none, or there is no opener.
pub fn open_url(url: &str) -> Result<(), Problem> {
    if !is_web_address(url) {
        return Err(no_browser(Detail::new("no-page", "not an address of a page")));
    }
    // Without a display xdg-open would look for a browser in the terminal, or say nothing at all.
    if !has_display() {
        return Err(no_browser(Detail::new("no-display", "there is no display")));
    }
    // Started by systemd we live in a sandbox, which the browser must not inherit: systemd starts it beside us.
    let beside = ["systemd-run", "--user", "--collect", "--quiet", "--", "xdg-open"];
    let opener = if std::env::var_os("INVOCATION_ID").is_some() { &beside[..] } else { &beside[5..] };
    let mut child = Command::new(opener[0])
        .args(&opener[1..])
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| no_browser(Detail::verbatim(error)))?;
    // The opener may live as long as the browser; somebody must take its exit status.
    let waiter = std::thread::Builder::new().name("browser".to_owned()).stack_size(64 * 1024);
    let waited = waiter.spawn(move || match child.wait() {
        Ok(status) if status.success() => {}
        Ok(status) => tracing::warn!(%status, "xdg-open could not show the window"),
        Err(error) => tracing::warn!(%error, "xdg-open is lost"),
    });
    waited.map(drop).map_err(|error| no_browser(Detail::verbatim(error)))
}

fn no_browser(reason: Detail) -> Problem {
    Reason::BrowserNotOpened { reason }.at("xdg-open")
}

/// Whether there is a screen that a person looks at.
pub fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Lets the session's service manager start the agent's unit. `false` = there is none, or it did not.
pub fn start_unit() -> bool {
    let mut systemctl = Command::new("systemctl");
    systemctl.args(["--user", "--quiet", "start", "hookswitch.service"]);
    systemctl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    systemctl.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub::problem::Code;

    #[test]
    fn only_pages_are_opened() {
        for url in ["file:///etc/passwd", "javascript:alert(1)", "-h", "", "https://", "ssh://x"] {
            assert_eq!(open_url(url).expect_err("refused").code, Code::BrowserNotOpened, "{url}");
        }
    }
}

//! What the systems with POSIX calls have in common.
#![expect(clippy::disallowed_methods, reason = "this is where the system is asked")]

use hub::protocol::Problem;
use std::collections::BTreeMap;
use std::io;
use std::process::{Command, Stdio};

pub(super) mod files;
pub(super) mod local;

/// Bytes that are no UTF-8 become U+FFFD: a variable that is set wrongly is set all the same.
pub fn environment() -> BTreeMap<String, String> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

/// The language the session asks for, as a POSIX locale name; empty if none.
pub(super) fn session_language() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    variable("LC_ALL").or_else(|| variable("LC_MESSAGES")).or_else(|| variable("LANG")).unwrap_or_default()
}

/// Name of the user this process runs as; the number where no name is known.
pub fn user_name() -> String {
    user_named(rustix::process::getuid().as_raw())
}

pub(super) fn name_of(uid: u32) -> Option<String> {
    let user = nix::unistd::User::from_uid(uid.into()).ok().flatten()?;
    Some(user.name).filter(|name| !name.is_empty())
}

/// A user as people know them.
pub(super) fn user_named(uid: u32) -> String {
    name_of(uid).unwrap_or_else(|| uid.to_string())
}

/// Starts this program with `arguments`, to outlive the caller and its terminal. The child tells when it ends early.
///
/// # Errors
/// As [`Command::spawn`].
pub fn start_beside(arguments: &[std::ffi::OsString]) -> io::Result<std::process::Child> {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C in the terminal is for whoever is there, not for the agent.
    command.process_group(0).spawn()
}

/// SIGTERM (service managers, log-out), SIGINT (Ctrl-C) or SIGHUP (the terminal went).
pub async fn termination() {
    use tokio::signal::unix::{SignalKind, signal};
    let on = |kind| signal(kind).ok();
    let mut signals = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(on);
    std::future::poll_fn(|cx| {
        let mut came = std::task::Poll::Pending;
        for signal in signals.iter_mut().flatten() {
            if signal.poll_recv(cx).is_ready() {
                came = std::task::Poll::Ready(());
            }
        }
        came
    })
    .await;
}

/// Runs `body` as it is: service managers ask by signals here.
///
/// # Errors
/// Those of `body`.
pub fn serve(body: impl FnOnce() -> Result<(), Problem> + Send + 'static) -> Result<(), Problem> {
    body()
}

/// Writing past a limit for the size of files (`ulimit -f`) is an error like a full disk, and does not end the agent.
pub fn survive_file_limits() {
    // SAFETY: ignoring a signal has no preconditions.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

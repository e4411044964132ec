//! Linux: `/proc`, `/etc/os-release`, freedesktop conventions.
#![expect(clippy::disallowed_methods, reason = "this is where the system is asked")]

use super::{Holder, System, is_web_address, no_browser};
use hub::protocol::{Detail, Problem};
use hub::world::WorldChange;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

mod clock;
mod logind;
#[cfg(test)]
mod private_bus;
mod routes;

pub use clock::{Alarm, instant, slept};

/// Tells, until the program ends, when something around it may have changed. Each source that the system lacks is one
/// less.
pub async fn watch_world(changed: impl Fn(WorldChange)) {
    let steps = async {
        let asleep = std::cell::Cell::new(slept());
        let stepped = || {
            let total = slept();
            let woke = total > asleep.replace(total);
            changed(if woke { WorldChange::Resumed } else { WorldChange::ClockStepped });
        };
        if let Err(error) = clock::watch_steps(stepped).await {
            tracing::warn!(%error, "the system does not tell when its clock is set");
        }
    };
    let routes = async {
        if let Err(error) = routes::watch(|| changed(WorldChange::Network)).await {
            tracing::warn!(%error, "the system does not tell when the network changes");
        }
    };
    let sleep = async {
        if let Err(error) = logind::watch_sleep(|| changed(WorldChange::Resumed)).await {
            tracing::info!(%error, "nobody tells when the machine wakes: the clocks have to");
        }
    };
    tokio::join!(steps, routes, sleep);
}

mod awake;
mod files;

pub use awake::{AwakeLock, keep_awake};
pub use files::{
    Folder, Found, Opened, Owner, Pending, is_mine_or_roots, is_socket, make_private, open_of, open_own,
    open_to_others, private_folder, private_options, split, trusted,
};

/// State LISTEN in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// Bytes that are no UTF-8 become U+FFFD: a variable that is set wrongly is set all the same.
pub fn environment() -> BTreeMap<String, String> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

/// The language the session asks for, as a POSIX locale name; empty if none.
pub fn language() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    variable("LC_ALL").or_else(|| variable("LC_MESSAGES")).or_else(|| variable("LANG")).unwrap_or_default()
}

/// The folder of the machine's settings, which only root may write.
pub fn machine_settings() -> PathBuf {
    PathBuf::from("/etc/hookswitch")
}

/// Name of the user this process runs as; the number where no name is known.
pub fn user_name() -> String {
    user_named(rustix::process::getuid().as_raw())
}

fn name_of(uid: u32) -> Option<String> {
    let user = nix::unistd::User::from_uid(uid.into()).ok().flatten()?;
    Some(user.name).filter(|name| !name.is_empty())
}

/// A user as people know them.
fn user_named(uid: u32) -> String {
    name_of(uid).unwrap_or_else(|| uid.to_string())
}

pub fn host_name() -> String {
    first_line(Path::new("/proc/sys/kernel/hostname")).unwrap_or_else(|| "localhost".to_owned())
}

pub fn system() -> System {
    let release = fs::read_to_string("/etc/os-release")
        .or_else(|_| fs::read_to_string("/usr/lib/os-release"))
        .unwrap_or_default();
    System {
        name: os_release(&release, "NAME").unwrap_or_else(|| "Linux".to_owned()),
        version: os_release(&release, "VERSION_ID").unwrap_or_default(),
        kernel: first_line(Path::new("/proc/sys/kernel/osrelease")).unwrap_or_default(),
        architecture: std::env::consts::ARCH,
    }
}

/// A value of os-release(5), without its quotation marks.
fn os_release(text: &str, key: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

fn first_line(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
}

/// 64 hexadecimal digits that stand for this machine and nothing else: the machine id itself never leaves it.
/// As machine-id(5) asks: HMAC-SHA256 keyed by the id over the application's name. `None` where there is no id yet.
pub fn machine_seed(application: &str) -> Option<String> {
    ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .iter()
        .find_map(|path| first_line(Path::new(path)).and_then(|id| seed(&id, application)))
}

/// The same from the id of the hardware (SMBIOS 3.7 §7.2.1). `None` where this account may not read it (the kernel gives
/// it to root alone) or the board has none.
pub fn hardware_seed(application: &str) -> Option<String> {
    let uuid = first_line(Path::new("/sys/class/dmi/id/product_uuid"))?.replace('-', "").to_ascii_lowercase();
    // All ones: not set.
    seed(&uuid, application).filter(|_| uuid.chars().any(|c| c != 'f'))
}

fn seed(machine_id: &str, application: &str) -> Option<String> {
    let is_id = machine_id.len() == 32 && machine_id.chars().all(|c| c.is_ascii_hexdigit());
    if !is_id || machine_id.chars().all(|c| c == '0') {
        return None;
    }
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, machine_id.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, application.as_bytes());
    Some(tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Device descriptor and all configurations of the USB device at a port (`1-4.2`), byte for byte, and the
/// bConfigurationValue in force, if any is. The kernel read them when the device came; nothing is asked of it.
pub fn usb_descriptors(port: &str) -> io::Result<(Vec<u8>, Option<u8>)> {
    let device = Path::new("/sys/bus/usb/devices").join(port);
    let active = first_line(&device.join("bConfigurationValue")).and_then(|value| value.parse().ok());
    Ok((fs::read(device.join("descriptors"))?, active))
}

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

/// Whether there is a screen that a person looks at.
pub fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
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

/// Lets the session's service manager start the agent's unit. `false` = there is none, or it did not.
pub fn start_unit() -> bool {
    let mut systemctl = Command::new("systemctl");
    systemctl.args(["--user", "--quiet", "start", "hookswitch.service"]);
    systemctl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    systemctl.status().is_ok_and(|status| status.success())
}

/// Who listens at this address, be it among others. `None` = nobody, or the system does not tell.
pub fn port_holder(address: SocketAddr) -> Option<Holder> {
    let any = |ip: IpAddr| SocketAddr::new(ip, address.port());
    let (v4, v6) = (Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into());
    let tables: &[(&str, &[SocketAddr])] = match address {
        SocketAddr::V4(_) => {
            &[("/proc/net/tcp", &[address, any(v4)]), ("/proc/net/tcp6", &[mapped(address), any(v6)])]
        }
        SocketAddr::V6(_) => &[("/proc/net/tcp6", &[address, any(v6)])],
    };
    let (inode, uid) =
        tables.iter().find_map(|(table, addresses)| listener(&fs::read_to_string(table).ok()?, addresses))?;
    let program = owner_of_socket(&inode);
    Some(Holder { program, user: user_named(uid) })
}

/// Inode and uid of the socket that listens at one of `addresses`, from a table of proc_pid_net(5).
fn listener(table: &str, addresses: &[SocketAddr]) -> Option<(String, u32)> {
    let wanted: Vec<String> = addresses.iter().map(|address| in_table(*address)).collect();
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (local, state) = (fields.get(1)?, fields.get(3)?);
        let (uid, inode) = (fields.get(7)?, fields.get(9)?);
        let listens = *state == LISTEN && wanted.iter().any(|address| address == local);
        if listens { Some(((*inode).to_owned(), uid.parse().ok()?)) } else { None }
    })
}

/// Waits for something to read without a thread. Must be called inside a runtime.
fn readable(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open and always the same, and nobody takes it out while it is watched.
    let watched = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
    Ok(watched?)
}

/// Waits until that process has ended; for good where the system does not tell.
pub async fn ended(process: u32) {
    let watch = || -> io::Result<AsyncFd<OwnedFd>> {
        let process = i32::try_from(process).ok().and_then(Pid::from_raw);
        let process = process.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        readable(pidfd_open(process, PidfdFlags::NONBLOCK)?)
    };
    match watch() {
        // Readable once it has ended.
        Ok(process) if process.readable().await.is_ok() => {}
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
        _ => std::future::pending().await,
    }
}

fn owner_of_socket(inode: &str) -> Option<(String, u32)> {
    let wanted = PathBuf::from(format!("socket:[{inode}]"));
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(handles) = fs::read_dir(process.path().join("fd")) else { continue };
        if handles.flatten().any(|handle| fs::read_link(handle.path()).is_ok_and(|link| link == wanted)) {
            return Some((first_line(&process.path().join("comm"))?, pid));
        }
    }
    None
}

/// Whether a loopback connection from `peer` to `local`, which is ours, is neither this user's nor root's. A peer that
/// the system does not know (any more) is foreign too; where the system does not tell of anybody, nobody is.
pub fn is_foreign(peer: SocketAddr, local: SocketAddr) -> bool {
    let me = files::me();
    // A table that changes while it is read may leave a line out.
    for _ in 0..3 {
        match peer_uid(peer, local) {
            Ok(Some(uid)) => return uid != me && uid != 0,
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "the system does not tell whose connections are");
                return false;
            }
        }
    }
    true
}

fn peer_uid(peer: SocketAddr, local: SocketAddr) -> io::Result<Option<u32>> {
    if peer.is_ipv4()
        && let Some(uid) = connected(&fs::read_to_string("/proc/net/tcp")?, peer, local)
    {
        return Ok(Some(uid));
    }
    match fs::read_to_string("/proc/net/tcp6") {
        Ok(table) => Ok(connected(&table, mapped(peer), mapped(local))),
        // A system without IPv6.
        Err(error) if error.kind() == io::ErrorKind::NotFound && peer.is_ipv4() => Ok(None),
        Err(error) => Err(error),
    }
}

/// As an IPv6 socket has it, which can also be bound and connected to an IPv4 address.
fn mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) => SocketAddr::new(IpAddr::V6(ip.to_ipv6_mapped()), address.port()),
        IpAddr::V6(_) => address,
    }
}

/// uid of the socket at `from` that is connected `to`, from a table of proc_pid_net(5).
fn connected(table: &str, from: SocketAddr, to: SocketAddr) -> Option<u32> {
    let (from, to) = (in_table(from), in_table(to));
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let is_it = fields.next()? == from && fields.next()? == to;
        if is_it { fields.nth(4)?.parse().ok() } else { None }
    })
}

/// An address as the tables have it: words of four bytes in the machine's order.
fn in_table(address: SocketAddr) -> String {
    let octets = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let (words, _) = octets.as_chunks::<4>();
    let words: String = words.iter().map(|w| format!("{:08X}", u32::from_ne_bytes(*w))).collect();
    format!("{words}:{:04X}", address.port())
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

/// Writing past a limit for the size of files (`ulimit -f`) is an error like a full disk, and does not end the agent.
pub fn survive_file_limits() {
    // SAFETY: ignoring a signal has no preconditions.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// One allocation arena for all threads: the agent's threads sleep nearly always, and an arena each costs memory that
/// is never given back.
pub fn frugal_memory() {
    // SAFETY: mallopt only changes parameters of the allocator; called before any other thread runs.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Returns what the allocator keeps for later to the system; worth it after the start, which needs more than all that
/// comes after it.
pub fn give_back_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes the allocator's own locks and has no preconditions.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_file_is_read_with_and_without_quotation_marks() {
        let text = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=12\nEMPTY=\n";
        assert_eq!(os_release(text, "NAME").as_deref(), Some("Debian GNU/Linux"));
        assert_eq!(os_release(text, "VERSION_ID").as_deref(), Some("12"));
        assert_eq!(os_release(text, "EMPTY"), None);
        assert_eq!(os_release("", "NAME"), None);
    }

    /// Reference value: `printf %s NAME | openssl dgst -sha256 -hmac MACHINE-ID`.
    #[test]
    fn the_seed_is_an_hmac_of_a_real_id_only() {
        let id = "0123456789abcdef0123456789abcdef";
        let expected = "7004bc63ef2c0deda0e60b6334d4d467498656c76a443a9dc0686a555cf3c311";
        assert_eq!(seed(id, "hookswitch").as_deref(), Some(expected));
        assert_ne!(seed(id, "other"), seed(id, "hookswitch"));
        for no_id in ["", "uninitialized", "00000000000000000000000000000000", &id[1..]] {
            assert_eq!(seed(no_id, "hookswitch"), None);
        }
    }

    #[test]
    fn finds_itself_behind_a_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let holder = port_holder(address).expect("somebody listens");
        assert_eq!(holder.program.as_ref().map(|p| p.1), Some(std::process::id()));
        assert!(holder.to_string().contains("process"), "{holder}");
        let other = |ip: &str| SocketAddr::new(ip.parse().expect("an address"), address.port());
        for not_held in [other("::1"), other("127.0.0.2")] {
            assert_eq!(port_holder(not_held), None, "{not_held}");
        }
        drop(listener);
        assert_eq!(port_holder(address), None);
        let any = std::net::TcpListener::bind("0.0.0.0:0").expect("a free port");
        let port = any.local_addr().expect("bound").port();
        assert!(port_holder(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)).is_some(), "one of all");
    }

    #[tokio::test]
    async fn the_end_of_a_process_is_told() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        let wait = |pid| tokio::time::timeout(std::time::Duration::from_millis(20), ended(pid));
        assert!(wait(child.id()).await.is_err(), "it runs");
        child.kill().expect("killed");
        child.wait().expect("ended");
        ended(child.id()).await;
    }

    /// Lines as a little-endian Linux 6.1 writes them.
    #[test]
    #[cfg(target_endian = "little")]
    fn a_connection_is_found_by_both_its_ends() {
        let table = "h\n 0: 0100007F:9C40 0100007F:7D12 01 00000000:00000000 00:00000000 00000000  1001  0 42 1 x\n \
                     1: 0100007F:7D12 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000  0 43 1 x\n \
                     2: 00000000000000000000000001000000:9C40 00000000000000000000000001000000:7D12 01 0:0 0:0 0 7 0 44";
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let (peer, local) = (at("127.0.0.1:40000"), at("127.0.0.1:32018"));
        assert_eq!(connected(table, peer, local), Some(1001));
        assert_eq!(connected(table, local, peer), Some(1000));
        assert_eq!(connected(table, at("[::1]:40000"), at("[::1]:32018")), Some(7));
        assert_eq!(connected(table, at("127.0.0.1:40001"), local), None);
        for hostile in
            ["", "h\n", "h\n0: 0100007F:9C40 0100007F:7D12", "h\n0: 0100007F:9C40 0100007F:7D12 1 2 3 4 x"]
        {
            assert_eq!(connected(hostile, peer, local), None, "{hostile:?}");
        }
    }

    #[test]
    fn our_own_connections_are_ours_and_one_that_is_not_there_is_not() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let caller = std::net::TcpStream::connect(address).expect("it listens");
        let (taken, peer) = listener.accept().expect("it called");
        assert!(!is_foreign(peer, taken.local_addr().expect("bound")));
        assert!(is_foreign("127.0.0.1:1".parse().expect("an address"), address));
        drop(caller);
    }

    #[test]
    fn a_hostile_table_is_no_listener() {
        let at = ["127.0.0.1:32018".parse().expect("an address")];
        for table in ["", "x\n", "h\n0: 0100007F:7D12", "h\n0: :7D12 0 0A 0 0 0 x 0 9", "h\n\u{0}\u{0}"] {
            assert_eq!(listener(table, &at), None, "{table:?}");
        }
        let line =
            "h\n 0: 0100007F:7D12 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 4242 1 x";
        assert_eq!(listener(line, &at), Some(("4242".to_owned(), 1000)));
    }

    #[test]
    fn only_pages_are_opened() {
        for url in ["file:///etc/passwd", "javascript:alert(1)", "-h", "", "https://", "ssh://x"] {
            assert_eq!(open_url(url).expect_err("refused").code, "browser-not-opened", "{url}");
        }
    }

    #[test]
    fn this_machine_has_a_name_and_a_user() {
        assert!(!user_name().is_empty() && !host_name().is_empty());
        assert!(!system().kernel.is_empty());
    }
}

//! Whose a TCP port or connection is (proc_pid_net(5)).
#![expect(clippy::disallowed_methods, reason = "the kernel tells it in files")]

use super::super::Holder;
use super::super::unix::{files, user_named};
use super::first_line;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// State LISTEN in `/proc/net/tcp`.
const LISTEN: &str = "0A";

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

fn owner_of_socket(inode: &str) -> Option<(String, u32)> {
    let (pid, process) = processes().ok()?.find(|(_, process)| holds(process, inode))?;
    Some((first_line(&process.join("comm"))?, pid))
}

fn processes() -> io::Result<impl Iterator<Item = (u32, PathBuf)>> {
    let entry = |entry: fs::DirEntry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path()));
    Ok(fs::read_dir("/proc")?.flatten().filter_map(entry))
}

/// Programs of other accounts, and those that may not be looked into, hold nothing that is told.
fn holds(process: &Path, inode: &str) -> bool {
    let wanted = PathBuf::from(format!("socket:[{inode}]"));
    let Ok(handles) = fs::read_dir(process.join("fd")) else { return false };
    handles.flatten().any(|handle| fs::read_link(handle.path()).is_ok_and(|link| link == wanted))
}

/// The executable of the program of this account at the other end of a loopback connection from `peer` to `local`, which
/// is ours and open while this is asked.
///
/// # Errors
/// The system does not tell, or not of one program alone.
pub fn peer_program(peer: SocketAddr, local: SocketAddr) -> io::Result<PathBuf> {
    let socket = peer_socket(peer, local)?.ok_or(io::ErrorKind::NotFound)?;
    if socket.uid != files::me() || socket.inode == "0" {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let mut found: Option<PathBuf> = None;
    for (_, process) in processes()?.filter(|(_, process)| holds(process, &socket.inode)) {
        let program = executable(&process)?;
        // Its number could have gone to another one meanwhile.
        if !holds(&process, &socket.inode) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if found.replace(program.clone()).is_some_and(|other| other != program) {
            return Err(io::Error::other("several programs hold the connection"));
        }
    }
    // Nor did the connection end and its port go to another one.
    if peer_socket(peer, local)?.as_ref() != Some(&socket) {
        return Err(io::ErrorKind::NotFound.into());
    }
    found.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// The path of what a process runs, if it leads there for us too: a process may live in a world of mounts of its own, and
/// have any file at any path of that.
fn executable(process: &Path) -> io::Result<PathBuf> {
    let link = process.join("exe");
    let (path, runs) = (fs::read_link(&link)?, fs::metadata(&link)?);
    let is_it = |there: fs::Metadata| (there.dev(), there.ino()) == (runs.dev(), runs.ino());
    if fs::metadata(&path).is_ok_and(is_it) {
        return Ok(path);
    }
    // An update has put another file in its place, which the kernel says behind the path.
    let mounts = |process: &Path| fs::read_link(process.join("ns/mnt"));
    let replaced = path.to_str().and_then(|path| path.strip_suffix(" (deleted)"));
    match replaced {
        Some(path)
            if runs.nlink() == 0
                && !path.starts_with("/memfd:")
                && mounts(process)? == mounts(Path::new("/proc/self"))? =>
        {
            Ok(path.into())
        }
        _ => Err(io::Error::other("what it runs has no path here")),
    }
}

/// Whether a loopback connection from `peer` to `local`, which is ours, is neither this user's nor root's. A peer that
/// the system does not know (any more) is foreign too; where the system does not tell of anybody, nobody is.
pub fn is_foreign(peer: SocketAddr, local: SocketAddr) -> bool {
    let me = files::me();
    // A table that changes while it is read may leave a line out.
    for _ in 0..3 {
        match peer_socket(peer, local) {
            Ok(Some(Socket { uid, .. })) => return uid != me && uid != 0,
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "the system does not tell whose connections are");
                return false;
            }
        }
    }
    true
}

#[derive(Debug, PartialEq, Eq)]
struct Socket {
    uid: u32,
    /// `0` = no process has it any more.
    inode: String,
}

fn peer_socket(peer: SocketAddr, local: SocketAddr) -> io::Result<Option<Socket>> {
    if peer.is_ipv4()
        && let Some(socket) = connected(&fs::read_to_string("/proc/net/tcp")?, peer, local)
    {
        return Ok(Some(socket));
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

/// The socket at `from` that is connected `to`, from a table of proc_pid_net(5).
fn connected(table: &str, from: SocketAddr, to: SocketAddr) -> Option<Socket> {
    let (from, to) = (in_table(from), in_table(to));
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let is_it = fields.next()? == from && fields.next()? == to;
        let uid = fields.nth(4).filter(|_| is_it)?.parse().ok()?;
        Some(Socket { uid, inode: fields.nth(1)?.to_owned() })
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

#[cfg(test)]
mod tests {
    use super::*;

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

    /// Lines as a little-endian Linux 6.1 writes them.
    #[test]
    #[cfg(target_endian = "little")]
    fn a_connection_is_found_by_both_its_ends() {
        let table = "h\n 0: 0100007F:9C40 0100007F:7D12 01 00000000:00000000 00:00000000 00000000  1001  0 42 1 x\n \
                     1: 0100007F:7D12 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000  0 43 1 x\n \
                     2: 00000000000000000000000001000000:9C40 00000000000000000000000001000000:7D12 01 0:0 0:0 0 7 0 44";
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let (peer, local) = (at("127.0.0.1:40000"), at("127.0.0.1:32018"));
        let socket = |uid, inode: &str| Some(Socket { uid, inode: inode.to_owned() });
        assert_eq!(connected(table, peer, local), socket(1001, "42"));
        assert_eq!(connected(table, local, peer), socket(1000, "43"));
        assert_eq!(connected(table, at("[::1]:40000"), at("[::1]:32018")), socket(7, "44"));
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

    /// A copy of a small program, which connects and stays.
    fn connects(program: &Path, address: SocketAddr) -> std::process::Child {
        let word = format!("exec 3<>/dev/tcp/{}/{}; read -r <&3", address.ip(), address.port());
        std::process::Command::new(program).args(["-c", &word]).spawn().expect("it starts")
    }

    #[test]
    fn the_program_behind_a_connection_is_the_one_that_made_it() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let folder = tempfile::tempdir().expect("a folder");
        let paths = ["desk", "other"].map(|name| folder.path().join(name));
        for path in &paths {
            fs::copy("/bin/bash", path).expect("copied");
            let mut child = connects(path, address);
            let (taken, peer) = listener.accept().expect("it called");
            assert_eq!(peer_program(peer, address).expect("told"), *path);
            // Updated while it runs: it is the program that it was.
            fs::copy("/bin/true", folder.path().join("new")).expect("copied");
            fs::rename(folder.path().join("new"), path).expect("replaced");
            assert_eq!(peer_program(peer, address).expect("told"), *path);
            drop(taken);
            child.wait().expect("it ends");
            assert!(peer_program(peer, address).is_err(), "the connection has ended");
        }
        let caller = std::net::TcpStream::connect(address).expect("it listens");
        let (_taken, peer) = listener.accept().expect("it called");
        assert_eq!(peer_program(peer, address).expect("told"), std::env::current_exe().expect("a path"));
        drop(caller);
    }

    /// A socket that a program gave on is neither's alone.
    #[test]
    fn a_connection_of_two_programs_is_nobody_s() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let word =
            format!("exec 3<>/dev/tcp/{}/{}; sleep 60 & read -r <&3; kill $!", address.ip(), address.port());
        let mut child = std::process::Command::new("bash").args(["-c", &word]).spawn().expect("it starts");
        let (taken, peer) = listener.accept().expect("it called");
        // Until the second one runs the first is the only one.
        let told = (0..1000).find_map(|_| {
            std::thread::yield_now();
            peer_program(peer, address).err()
        });
        assert!(told.is_some_and(|error| error.to_string().contains("several")));
        drop(taken);
        child.wait().expect("it ends");
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
}

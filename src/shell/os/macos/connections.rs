//! Which program is behind a connection, by libproc(3), whose structures are in `sys/proc_info.h`.

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

/// `PROC_UID_ONLY`: the processes of one account.
const OF_ACCOUNT: u32 = 4;
/// `PROC_PIDFDSOCKETINFO`.
const SOCKET: libc::c_int = 3;
/// `struct socket_fdinfo`, in words of eight bytes, and where in it lies what is read.
const SOCKET_WORDS: usize = 99;
const KIND: usize = 256;
const FOREIGN_PORT: usize = 264;
const LOCAL_PORT: usize = 268;
const VERSIONS: usize = 288;
const FOREIGN_ADDRESS: usize = 296;
const LOCAL_ADDRESS: usize = 312;
/// `SOCKINFO_TCP`.
const TCP: u32 = 2;
/// `INI_IPV4`: the address is in the last four of the sixteen bytes.
const IPV4: u8 = 1;

/// The executable of the program of this account at the other end of a loopback connection from `peer` to `local`, which
/// is ours and open while this is asked.
///
/// # Errors
/// The system does not tell, or not of one program alone.
pub fn peer_program(peer: SocketAddr, local: SocketAddr) -> io::Result<PathBuf> {
    let mut found: Option<PathBuf> = None;
    for process in processes()?.into_iter().filter(|process| holds(*process, peer, local)) {
        let program = executable(process)?;
        // The connection could have ended, and the number gone to another process.
        if !holds(process, peer, local) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if found.replace(program.clone()).is_some_and(|other| other != program) {
            return Err(io::Error::other("several programs hold the connection"));
        }
    }
    found.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// A list of which the system says how many bytes it has, and then gives what there is room for.
fn list<T: Clone>(
    empty: T,
    ask: impl Fn(*mut libc::c_void, libc::c_int) -> libc::c_int,
) -> io::Result<Vec<T>> {
    let bytes = ask(std::ptr::null_mut(), 0);
    // It may grow between the two questions.
    let room = usize::try_from(bytes).unwrap_or_default() / size_of::<T>() + 64;
    let mut list = vec![empty; room];
    let bytes = ask(list.as_mut_ptr().cast(), (room * size_of::<T>()) as libc::c_int);
    if bytes <= 0 {
        return Err(io::Error::last_os_error());
    }
    list.truncate(bytes.cast_unsigned() as usize / size_of::<T>());
    Ok(list)
}

fn processes() -> io::Result<Vec<libc::pid_t>> {
    // SAFETY: it cannot fail.
    let me = unsafe { libc::getuid() };
    // SAFETY: the buffer is as long as said.
    list(0, |into, length| unsafe { libc::proc_listpids(OF_ACCOUNT, me, into, length) })
}

fn holds(process: libc::pid_t, peer: SocketAddr, local: SocketAddr) -> bool {
    let empty = libc::proc_fdinfo { proc_fd: 0, proc_fdtype: 0 };
    let handles = list(empty, |into, length| {
        // SAFETY: the buffer is as long as said.
        unsafe { libc::proc_pidinfo(process, libc::PROC_PIDLISTFDS, 0, into, length) }
    });
    let is_socket =
        |handle: &libc::proc_fdinfo| handle.proc_fdtype == libc::PROX_FDTYPE_SOCKET.cast_unsigned();
    let ends = |handle: libc::proc_fdinfo| ends(process, handle.proc_fd);
    handles
        .unwrap_or_default()
        .into_iter()
        .filter(is_socket)
        .filter_map(ends)
        .any(|ends| ends == (peer, local))
}

/// Both addresses of a TCP socket, its own first.
fn ends(process: libc::pid_t, handle: libc::c_int) -> Option<(SocketAddr, SocketAddr)> {
    let mut info = [0_u64; SOCKET_WORDS];
    let length = size_of_val(&info) as libc::c_int;
    // SAFETY: the buffer is as long as said.
    let told = unsafe { libc::proc_pidfdinfo(process, handle, SOCKET, info.as_mut_ptr().cast(), length) };
    if told != length {
        return None;
    }
    let info: Vec<u8> = info.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let word = |at: usize| info.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    let is_v4 = info.get(VERSIONS)? & IPV4 != 0;
    let end = |address: usize, port: usize| {
        let bytes: [u8; 16] = info.get(address..address + 16)?.try_into().ok()?;
        let v4 = || Ipv4Addr::new(bytes[12], bytes[13], bytes[14], bytes[15]);
        let ip = if is_v4 { IpAddr::V4(v4()) } else { IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical() };
        // In network order, in the lower half.
        Some(SocketAddr::new(ip, u16::from_be(word(port)? as u16)))
    };
    let both = (end(LOCAL_ADDRESS, LOCAL_PORT)?, end(FOREIGN_ADDRESS, FOREIGN_PORT)?);
    (word(KIND)? == TCP).then_some(both)
}

fn executable(process: libc::pid_t) -> io::Result<PathBuf> {
    let mut path = vec![0_u8; libc::PROC_PIDPATHINFO_MAXSIZE as usize];
    // SAFETY: the buffer is as long as said.
    let length = unsafe { libc::proc_pidpath(process, path.as_mut_ptr().cast(), path.len() as u32) };
    if length <= 0 {
        return Err(io::Error::last_os_error());
    }
    path.truncate(length.cast_unsigned() as usize);
    Ok(OsString::from_vec(path).into())
}

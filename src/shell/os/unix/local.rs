//! Connections inside this machine: sockets that have a place among the files.
#![expect(clippy::disallowed_methods, reason = "the sockets of the local door are made here")]

use super::super::{Callers, Owner, Peer, Unreached};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

/// One caller, from the side of who is called.
pub type LocalStream = UnixStream;

/// Where callers come in.
#[derive(Debug)]
pub struct LocalListener(UnixListener);

/// The name that callers find the listener by; it goes when this is dropped.
#[derive(Debug)]
pub struct LocalPlace(PathBuf);

impl Drop for LocalPlace {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl LocalListener {
    /// Listens at `path`. Must be called inside a runtime, by who holds the lock of `path`: two
    /// who start at the same moment would both find it silent.
    ///
    /// # Errors
    /// `AddrInUse`: somebody listens there. Else the socket cannot be made.
    pub fn bind(path: &Path, callers: Callers) -> io::Result<(Self, LocalPlace)> {
        match BlockingStream::connect(path) {
            Ok(_) => return Err(io::ErrorKind::AddrInUse.into()),
            // Nobody answers: what is there was left by a crash.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(path)?;
        let place = LocalPlace(path.to_owned());
        // What the umask left meanwhile is less than everybody, and the folder of one user lets nobody else in.
        let mode = if callers == Callers::Mine { 0o600 } else { 0o666 };
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        Ok((Self(listener), place))
    }

    /// # Errors
    /// As accept(2). Who is refused once may come again.
    pub async fn accept(&mut self) -> io::Result<LocalStream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }
}

impl Peer {
    /// Who calls. Some systems know it only after something was read from the caller.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn of(stream: &LocalStream) -> io::Result<Self> {
        let uid = stream.peer_cred()?.uid();
        let name = super::user_named(uid);
        Ok(Self { account: uid.to_string(), name, is_mine_or_roots: Owner::Me.may_be(uid) })
    }
}

/// The caller's end, which waits for answers with its thread.
#[derive(Debug)]
pub struct LocalCaller(BlockingStream);

impl LocalCaller {
    /// # Errors
    /// `NotFound` or `ConnectionRefused`: nobody listens there.
    pub fn connect(path: &Path) -> io::Result<Self> {
        BlockingStream::connect(path).map(Self)
    }

    /// Whether the program that answers is this user's or root's.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn reaches_mine_or_roots(&self) -> io::Result<bool> {
        Ok(Owner::Me.may_be(peer_uid(&self.0)?))
    }

    /// How long to wait for the other end; `None` = for ever.
    ///
    /// # Errors
    /// The system does not keep time.
    pub fn give_up_after(&self, limit: Option<std::time::Duration>) -> io::Result<()> {
        self.0.set_read_timeout(limit)?;
        self.0.set_write_timeout(limit)
    }
}

#[cfg(target_os = "linux")]
fn peer_uid(stream: &BlockingStream) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw())
}

#[cfg(not(target_os = "linux"))]
fn peer_uid(stream: &BlockingStream) -> io::Result<u32> {
    use std::os::fd::AsRawFd as _;
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: the socket is open, and there is room for both numbers.
    match unsafe { libc::getpeereid(stream.as_raw_fd(), &raw mut uid, &raw mut gid) } {
        0 => Ok(uid),
        _ => Err(io::Error::last_os_error()),
    }
}

impl Read for LocalCaller {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Write for LocalCaller {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A user role's end of the way to a machine role in another process.
pub type MachineStream = UnixStream;

/// Connects to the machine role that listens at `path`, if it is `owner`'s: it would be believed. Must be called inside
/// a runtime.
///
/// # Errors
/// It is another user's; else as connect(2).
pub async fn reach_machine(path: &Path, owner: Owner) -> Result<MachineStream, Unreached> {
    let stream = UnixStream::connect(path).await?;
    // Whose it was when it began to listen.
    match owner.may_be(stream.peer_cred()?.uid()) {
        true => Ok(stream),
        false => Err(Unreached::Foreign),
    }
}

/// Whether somebody listens at `path`. A socket that a program has left behind as it died is nobody's.
pub fn is_listened_at(path: &Path) -> bool {
    use rustix::io::Errno;
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, socket};
    let reach = || {
        let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
        // One that is busy is there, too, and is not waited for.
        rustix::io::ioctl_fionbio(&socket, true)?;
        connect(&socket, &SocketAddrUnix::new(path)?)
    };
    // What cannot be told may be somebody.
    !matches!(reach(), Err(Errno::NOENT | Errno::NOTDIR | Errno::CONNREFUSED))
}

/// One end of a connection of this process with itself.
pub type PairEnd = UnixStream;

/// A connection between this process and the LDAP library, which takes its end and the address that goes with it.
///
/// # Errors
/// As socketpair(2).
pub async fn ldap_pair() -> io::Result<(PairEnd, ldap3::StdStream, &'static str)> {
    let (ours, theirs) = UnixStream::pair()?;
    Ok((ours, ldap3::StdStream::Unix(theirs.into_std()?), "ldapi:///"))
}

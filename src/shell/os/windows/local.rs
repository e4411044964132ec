//! Connections inside this machine: named pipes, each for one account alone.
#![expect(clippy::disallowed_methods, reason = "the pipes of the local door are opened here")]

use super::super::{Callers, Owner, Peer, Unreached};
use super::account::{Descriptor, Guard, is_mine_or_rulers, me, name_of, of_token, rules};
use super::checked;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::mem;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr::null_mut;
use tokio::net::TcpStream;
use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, PipeMode, ServerOptions,
};
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_PIPE_BUSY, ERROR_SEM_TIMEOUT, HANDLE};
use windows_sys::Win32::Security::Authorization::SE_KERNEL_OBJECT;
use windows_sys::Win32::Security::{RevertToSelf, SECURITY_ATTRIBUTES, TOKEN_QUERY};
use windows_sys::Win32::Storage::FileSystem::SECURITY_IDENTIFICATION;
use windows_sys::Win32::System::Pipes::{ImpersonateNamedPipeClient, WaitNamedPipeW};
use windows_sys::Win32::System::Threading::{GetCurrentThread, OpenThreadToken};

/// Every instance of the pipe is somebody's for the moment: one is made anew as soon as a caller has come.
const BUSY_MS: u32 = 2000;

/// One caller, from the side of who is called.
pub type LocalStream = NamedPipeServer;

/// Where callers come in.
#[derive(Debug)]
pub struct LocalListener {
    name: String,
    callers: Callers,
    /// Waits for the next caller.
    next: NamedPipeServer,
}

/// The name goes with the last instance of the pipe.
#[derive(Debug)]
pub struct LocalPlace(());

impl LocalListener {
    /// Listens under a name made from `path`, for the system's own account and `callers`. Must be called inside a runtime.
    ///
    /// # Errors
    /// `AddrInUse`: somebody has the name. Else the pipe cannot be made.
    pub fn bind(path: &Path, callers: Callers) -> io::Result<(Self, LocalPlace)> {
        let name = pipe_name(path);
        let next = instance(&name, callers, true).map_err(|error| match error.raw_os_error() {
            // What Windows says to the second who wants to be the first.
            Some(code) if code.cast_unsigned() == ERROR_ACCESS_DENIED => io::ErrorKind::AddrInUse.into(),
            _ => error,
        })?;
        Ok((Self { name, callers, next }, LocalPlace(())))
    }

    /// # Errors
    /// As ConnectNamedPipe and CreateNamedPipeW. Who is refused once may come again.
    pub async fn accept(&mut self) -> io::Result<LocalStream> {
        self.next.connect().await?;
        let next = instance(&self.name, self.callers, false)?;
        Ok(mem::replace(&mut self.next, next))
    }
}

/// FILE_GENERIC_READ and FILE_GENERIC_WRITE without FILE_CREATE_PIPE_INSTANCE: who may speak may not listen in its place.
const SPEAK: &str = "0x0012019b";

/// Protected (nothing handed down from elsewhere): this user and the system's own account, and if everybody may come
/// whoever is logged in at this computer, by however they came.
fn instance(name: &str, callers: Callers, first: bool) -> io::Result<NamedPipeServer> {
    let others = match callers {
        Callers::Mine => String::new(),
        Callers::Everyone => format!("(A;;{SPEAK};;;AU)"),
    };
    let descriptor = Descriptor::new(&format!("D:P(A;;GA;;;{})(A;;GA;;;SY){others}", me()?))?;
    let mut attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.as_ptr(),
        bInheritHandle: 0,
    };
    let mut options = ServerOptions::new();
    options.first_pipe_instance(first).reject_remote_clients(true).pipe_mode(PipeMode::Byte);
    // SAFETY: `attributes` and the descriptor it points to live until the call returns, which copies them.
    unsafe { options.create_with_security_attributes_raw(name, (&raw mut attributes).cast()) }
}

/// Pipes have one flat list of names for all users; the path tells whose it is.
fn pipe_name(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = path.to_string_lossy().to_lowercase();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    format!(r"\\.\pipe\hookswitch-{}", hex::encode(&digest.as_ref()[..16]))
}

impl Peer {
    /// Who calls, from the token that the caller lent. It is lent with the first thing the caller says, so something
    /// must have been read before.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn of(stream: &LocalStream) -> io::Result<Self> {
        // SAFETY: the handle is an open pipe server.
        checked(unsafe { ImpersonateNamedPipeClient(stream.as_raw_handle() as HANDLE) })?;
        let mut token = null_mut();
        // SAFETY: a pseudo handle, and room for one handle.
        let opened = checked(unsafe { OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, 1, &raw mut token) });
        // SAFETY: takes nothing. If it failed the thread would stay somebody else.
        if checked(unsafe { RevertToSelf() }).is_err() {
            std::process::abort();
        }
        opened?;
        // SAFETY: it was just opened, and nobody else has it.
        let account = of_token(unsafe { OwnedHandle::from_raw_handle(token.cast()) })?;
        Ok(Self { is_mine_or_roots: is_mine_or_rulers(&account), name: name_of(&account), account })
    }
}

/// The caller's end, which waits for answers with its thread.
#[derive(Debug)]
pub struct LocalCaller(File);

impl LocalCaller {
    /// # Errors
    /// `NotFound`: nobody listens there.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let name = pipe_name(path);
        let open = || {
            let mut options = OpenOptions::new();
            // Who we are may be asked, and nothing be done in our name.
            options.read(true).write(true).security_qos_flags(SECURITY_IDENTIFICATION).open(&name)
        };
        match open() {
            Err(error) if error.raw_os_error().map(i32::cast_unsigned) == Some(ERROR_PIPE_BUSY) => {
                let wide = super::wide(&name);
                // SAFETY: the name ends with 0.
                checked(unsafe { WaitNamedPipeW(wide.as_ptr(), BUSY_MS) })?;
                open().map(Self)
            }
            other => other.map(Self),
        }
    }

    /// Whether the program that answers is this user's or the system's: the pipe belongs to who made it.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn reaches_mine_or_roots(&self) -> io::Result<bool> {
        Ok(is_mine_or_rulers(&Guard::of(&self.0, SE_KERNEL_OBJECT)?.owner))
    }

    /// Has no meaning here: a pipe that is read by a thread knows no deadline.
    ///
    /// # Errors
    /// None.
    pub fn give_up_after(&self, _limit: Option<std::time::Duration>) -> io::Result<()> {
        Ok(())
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
        // To flush a pipe is to wait until the other end has read everything.
        Ok(())
    }
}

/// A user role's end of the way to a machine role in another process.
pub type MachineStream = NamedPipeClient;

/// Connects to the machine role that listens at `path`, if it is `owner`'s: it would be believed. Must be called inside
/// a runtime.
///
/// # Errors
/// It is another user's; else as CreateFileW.
pub async fn reach_machine(path: &Path, owner: Owner) -> Result<MachineStream, Unreached> {
    let stream = ClientOptions::new().security_qos_flags(SECURITY_IDENTIFICATION).open(pipe_name(path))?;
    let theirs = Guard::of(&stream, SE_KERNEL_OBJECT)?.owner;
    let believed = if owner == Owner::Root { rules(&theirs) } else { is_mine_or_rulers(&theirs) };
    if believed { Ok(stream) } else { Err(Unreached::Foreign) }
}

/// Whether somebody listens at `path`.
pub fn is_listened_at(path: &Path) -> bool {
    let name = super::wide(pipe_name(path));
    // SAFETY: the name ends with 0. A pipe whose instances are all busy is there, too.
    match checked(unsafe { WaitNamedPipeW(name.as_ptr(), 1) }) {
        Ok(()) => true,
        Err(error) => error.raw_os_error() == Some(ERROR_SEM_TIMEOUT.cast_signed()),
    }
}

/// One end of a connection of this process with itself.
pub type PairEnd = TcpStream;

/// A connection between this process and the LDAP library, which takes its end and the address that goes with it. There
/// are no socket pairs here: it is a loopback connection whose two ends are checked to be each other.
///
/// # Errors
/// As those of loopback sockets.
pub async fn ldap_pair() -> io::Result<(PairEnd, ldap3::StdStream, &'static str)> {
    let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let theirs = TcpStream::connect(listener.local_addr()?).await?;
    theirs.set_nodelay(true)?;
    loop {
        let (ours, peer) = listener.accept().await?;
        if peer == theirs.local_addr()? {
            ours.set_nodelay(true)?;
            return Ok((ours, ldap3::StdStream::Tcp(theirs.into_std()?), "ldap://127.0.0.1"));
        }
    }
}

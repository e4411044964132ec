//! Whose a TCP port or connection is, from the system's table of them.

use super::super::Holder;
use super::account::{is_mine_or_rulers, name_of, of_process, open_process};
use super::checked;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::windows::io::AsRawHandle;
use std::path::{Path, PathBuf};
use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, HANDLE};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GetExtendedTcpTable, MIB_TCP_STATE_LISTEN, MIB_TCP6ROW_OWNER_PID, MIB_TCPROW_OWNER_PID,
    TCP_TABLE_OWNER_PID_ALL,
};
use windows_sys::Win32::Networking::WinSock::{AF_INET, AF_INET6};
use windows_sys::Win32::System::Threading::{PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW};

/// One line of the table.
struct Row {
    local: SocketAddr,
    remote: SocketAddr,
    listens: bool,
    process: u32,
}

/// Who listens at this address, be it among others. `None` = nobody, or the system does not tell.
pub fn port_holder(address: SocketAddr) -> Option<Holder> {
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let both: IpAddr = Ipv6Addr::UNSPECIFIED.into();
    let holds = |row: &Row| {
        row.listens
            && row.local.port() == address.port()
            && [address.ip(), any, both].contains(&row.local.ip())
    };
    let rows = table(AF_INET).into_iter().chain(table(AF_INET6)).flatten();
    let row = rows.into_iter().find(holds)?;
    let user = of_process(row.process).map_or_else(|_| "another account".to_owned(), |sid| name_of(&sid));
    Some(Holder { program: program(row.process).ok().map(|name| (name, row.process)), user })
}

/// Whether a loopback connection from `peer` to `local`, which is ours, is neither this user's nor the system's. A peer
/// that the system does not know (any more), or hides, is foreign too; where the system does not tell of anybody, nobody
/// is.
pub fn is_foreign(peer: SocketAddr, local: SocketAddr) -> bool {
    // A table that changes while it is read may leave a line out.
    for _ in 0..3 {
        match table(if peer.is_ipv4() { AF_INET } else { AF_INET6 }) {
            Ok(rows) => {
                if let Some(row) = rows.iter().find(|row| row.local == peer && row.remote == local) {
                    return !of_process(row.process).is_ok_and(|sid| is_mine_or_rulers(&sid));
                }
            }
            Err(error) => {
                tracing::debug!(%error, "the system does not tell whose connections are");
                return false;
            }
        }
    }
    true
}

/// The executable of the program of this account at the other end of a loopback connection from `peer` to `local`, which
/// is ours and open while this is asked.
///
/// # Errors
/// The system does not tell.
pub fn peer_program(peer: SocketAddr, local: SocketAddr) -> io::Result<PathBuf> {
    let process = || -> io::Result<u32> {
        let rows = table(if peer.is_ipv4() { AF_INET } else { AF_INET6 })?;
        let row = rows.iter().find(|row| row.local == peer && row.remote == local);
        Ok(row.ok_or(io::ErrorKind::NotFound)?.process)
    };
    let asked = process()?;
    if !is_mine_or_rulers(&of_process(asked)?) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let path = image(asked)?;
    // Neither did the connection end and its port go to another program, nor the number of the process.
    if process()? != asked || image(asked)? != path {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(path.into())
}

fn program(process: u32) -> io::Result<String> {
    let path = image(process)?;
    let name = Path::new(&path).file_name().map(|name| name.to_string_lossy().into_owned());
    name.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

/// The path of what it runs.
fn image(process: u32) -> io::Result<String> {
    let handle = open_process(process, PROCESS_QUERY_LIMITED_INFORMATION)?;
    let mut path = [0_u16; 1024];
    let mut length = path.len() as u32;
    let handle = handle.as_raw_handle() as HANDLE;
    // SAFETY: the process is open, and the buffer as long as said.
    checked(unsafe { QueryFullProcessImageNameW(handle, 0, path.as_mut_ptr(), &raw mut length) })?;
    String::from_utf16(&path[..(length as usize).min(path.len())]).map_err(io::Error::other)
}

fn table(family: u16) -> io::Result<Vec<Row>> {
    let mut length = 0_u32;
    // It may grow between the question for its length and the one for itself.
    for _ in 0..8 {
        // u64 for the alignment of the rows.
        let mut buffer = vec![0_u64; (length as usize).div_ceil(8)];
        let into = buffer.as_mut_ptr().cast();
        let family32 = u32::from(family);
        // SAFETY: the buffer is as long as said.
        let code =
            unsafe { GetExtendedTcpTable(into, &raw mut length, 0, family32, TCP_TABLE_OWNER_PID_ALL, 0) };
        match code {
            // SAFETY: the call filled the buffer with a table of this family.
            0 => return Ok(unsafe { rows(&buffer, family) }),
            ERROR_INSUFFICIENT_BUFFER => {}
            code => return Err(io::Error::from_raw_os_error(code.cast_signed())),
        }
    }
    Err(io::Error::from(io::ErrorKind::WouldBlock))
}

/// # Safety
/// `buffer` holds a table of the family with owners, as the system fills it: a count, then as many rows.
unsafe fn rows(buffer: &[u64], family: u16) -> Vec<Row> {
    let start = buffer.as_ptr().cast::<u8>();
    // SAFETY: the count comes first.
    let count = unsafe { *start.cast::<u32>() } as usize;
    // A port is in network order in the lower half.
    let port = |port: u32| u16::from_be(port as u16);
    let room = size_of_val(buffer) - size_of::<u32>();
    // SAFETY: the rows lie behind the count, and no more are read than the buffer has room for.
    let at = unsafe { start.add(size_of::<u32>()) };
    if family == AF_INET {
        let v4 = |address: u32| IpAddr::from(Ipv4Addr::from(address.to_ne_bytes()));
        let count = count.min(room / size_of::<MIB_TCPROW_OWNER_PID>());
        // SAFETY: as above; the rows consist of words of four bytes, and so lie as they must.
        let rows = unsafe { std::slice::from_raw_parts(at.cast::<MIB_TCPROW_OWNER_PID>(), count) };
        let row = |row: &MIB_TCPROW_OWNER_PID| Row {
            local: SocketAddr::new(v4(row.dwLocalAddr), port(row.dwLocalPort)),
            remote: SocketAddr::new(v4(row.dwRemoteAddr), port(row.dwRemotePort)),
            listens: row.dwState == MIB_TCP_STATE_LISTEN.cast_unsigned(),
            process: row.dwOwningPid,
        };
        rows.iter().map(row).collect()
    } else {
        let v6 = |address: [u8; 16]| IpAddr::from(Ipv6Addr::from(address));
        let count = count.min(room / size_of::<MIB_TCP6ROW_OWNER_PID>());
        // SAFETY: as above.
        let rows = unsafe { std::slice::from_raw_parts(at.cast::<MIB_TCP6ROW_OWNER_PID>(), count) };
        let row = |row: &MIB_TCP6ROW_OWNER_PID| Row {
            local: SocketAddr::new(v6(row.ucLocalAddr), port(row.dwLocalPort)),
            remote: SocketAddr::new(v6(row.ucRemoteAddr), port(row.dwRemotePort)),
            listens: row.dwState == MIB_TCP_STATE_LISTEN.cast_unsigned(),
            process: row.dwOwningPid,
        };
        rows.iter().map(row).collect()
    }
}

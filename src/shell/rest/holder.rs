//! Who holds a port: for the one message that says so. Linux tells through /proc; elsewhere nobody is named.

use std::path::Path;

/// Tables of sockets are read up to this size.
const MAX_TABLE_BYTES: u64 = 4 * 1024 * 1024;

/// Name and number of the process that listens on `port` of the loopback, if it is ours to see.
pub(super) fn of_port(port: u16) -> Option<(String, u32)> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].into_iter().find_map(|table| {
        let text = read(Path::new(table))?;
        text.lines().skip(1).find_map(|line| listener_inode(line, port)).map(str::to_owned)
    })?;
    let wanted = format!("socket:[{inode}]");
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let mut handles = std::fs::read_dir(process.path().join("fd")).ok()?.flatten();
        handles.find(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == wanted.as_str()))?;
        let name = read(&process.path().join("comm"))?;
        Some((name.trim().to_owned(), pid))
    })
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    std::io::Read::read_to_string(&mut std::io::Read::take(file, MAX_TABLE_BYTES), &mut text).ok()?;
    Some(text)
}

/// `proc_net_tcp`: `sl local_address rem_address st tx_queue:rx_queue tr:when retrnsmt uid timeout inode`, hex
/// address and port, state 0A = LISTEN.
fn listener_inode(line: &str, port: u16) -> Option<&str> {
    let mut fields = line.split_ascii_whitespace();
    let (_, local_port) = fields.nth(1)?.rsplit_once(':')?;
    let listens = fields.nth(1)? == "0A";
    let inode = fields.nth(5)?;
    (listens && u16::from_str_radix(local_port, 16) == Ok(port)).then_some(inode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_line_of_the_socket_table() {
        let line = "   0: 0100007F:7D12 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 34567 1 0";
        assert_eq!(listener_inode(line, 32018), Some("34567"));
        assert_eq!(listener_inode(line, 32017), None);
        let connected = line.replace(" 0A ", " 01 ");
        assert_eq!(listener_inode(&connected, 32018), None);
        assert_eq!(listener_inode("x", 1), None);
    }
}

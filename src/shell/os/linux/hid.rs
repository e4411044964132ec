//! What the kernel tells of a HID node in sysfs, without permission to open it.
#![expect(clippy::disallowed_methods, reason = "the kernel tells it in files")]

use hub::problem::Reason;
use hub::protocol::Problem;
use std::fs;
use std::path::Path;

/// The report descriptor of `/dev/hidraw3`. `None` = the node has to be opened for it.
pub fn hid_descriptor(path: &str) -> Option<Vec<u8>> {
    fs::read(Path::new(&sysfs(path)?).join("report_descriptor")).ok()
}

/// The USB port that the node hangs at, as `bus-port.port`.
pub fn hid_port(path: &str) -> Option<String> {
    let device = fs::canonicalize(sysfs(path)?).ok()?;
    let parts: Vec<&str> = device.iter().filter_map(|p| p.to_str()).collect();
    parts.into_iter().rev().find(|p| is_port(p)).map(str::to_owned)
}

/// `/sys/class/hidraw/hidraw3/device` of `/dev/hidraw3`.
fn sysfs(path: &str) -> Option<String> {
    let node = path.strip_prefix("/dev/").filter(|n| n.starts_with("hidraw") && !n.contains('/'))?;
    Some(format!("/sys/class/hidraw/{node}/device"))
}

/// The last path component of the device that reads `bus-port.port`.
fn is_port(part: &str) -> bool {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    part.split_once('-').is_some_and(|(bus, ports)| digits(bus) && ports.split('.').all(digits))
}

/// A node that does not open.
pub fn hid_closed(path: &str, error: &dyn std::fmt::Display) -> Problem {
    Reason::HidAccessDenied { error: error.to_string() }.at(path)
}

#[cfg(test)]
mod tests {
    use super::is_port;

    #[test]
    fn port_paths() {
        assert!(is_port("1-1") && is_port("12-3.4.1"));
        assert!(!is_port("1-1:1.0") && !is_port("usb1") && !is_port("0003:1209:0001.0001") && !is_port("1-"));
    }
}

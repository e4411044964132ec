//! The kernel's side: sysfs files of `vhci_hcd`, the USB/IP client in the kernel.
#![expect(clippy::disallowed_methods, reason = "sysfs is the interface of vhci_hcd")]

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

const CONTROLLER: &str = "/sys/devices/platform/vhci_hcd.0";
/// A port is free again some 40 ms after its connection was dropped, much later on a loaded machine.
const PORT_PATIENCE: Duration = Duration::from_secs(10);
/// `sta` column of a free port (VDEV_ST_NULL).
const FREE: &str = "004";
/// Bus and device number this end claims; the kernel only hands it back.
const DEVICE_ID: u32 = 1 << 16 | 2;
/// USB_SPEED_FULL: 12 Mbit/s, as telephony headsets are.
const SPEED: u32 = 2;

/// Why a headset could not be attached to the kernel.
#[derive(Debug)]
pub enum AttachError {
    /// The kernel module is not loaded.
    NoVhci,
    /// Only root may attach.
    Permission,
    /// All high-speed ports of the first controller are taken.
    NoFreePort,
    /// The wanted port does not exist.
    NoSuchPort {
        /// Its number.
        port: u32,
    },
    /// The wanted port is taken.
    PortBusy {
        /// Its number.
        port: u32,
    },
    /// Anything the kernel or the system answers.
    Io {
        /// What was tried.
        what: &'static str,
        /// What came.
        source: io::Error,
    },
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVhci => write!(
                f,
                "{CONTROLLER} is missing: the kernel module vhci_hcd is not loaded. Load it as root with \
                 `modprobe vhci-hcd` (a container uses its host's kernel and cannot); without it, `--door none` \
                 runs the headset for its control socket only"
            ),
            Self::Permission => {
                write!(
                    f,
                    "{CONTROLLER}/attach may only be written by root: run as root, or use `--door none`"
                )
            }
            Self::NoFreePort => write!(
                f,
                "no free high-speed port at {CONTROLLER}: see its `status`, end other simulators or write a port \
                 number to its `detach`"
            ),
            Self::NoSuchPort { port } => {
                write!(f, "{CONTROLLER} has no high-speed port {port}: see its `status`, or leave --port out")
            }
            Self::PortBusy { port } => {
                write!(f, "port {port} of {CONTROLLER} is taken: choose another, or leave --port out")
            }
            Self::Io { what, source } => write!(f, "{what}: {source}"),
        }
    }
}

impl std::error::Error for AttachError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The wanted port if it is free, else the first free one.
pub(super) fn choose_port(wanted: Option<u32>) -> Result<u32, AttachError> {
    let ports = high_speed_ports(&read_status(Path::new(CONTROLLER))?);
    match wanted {
        None => ports.iter().find(|(_, free)| *free).map(|(port, _)| *port).ok_or(AttachError::NoFreePort),
        Some(wanted) => match ports.iter().find(|(port, _)| *port == wanted) {
            None => Err(AttachError::NoSuchPort { port: wanted }),
            Some((port, false)) => Err(AttachError::PortBusy { port: *port }),
            Some((port, true)) => Ok(*port),
        },
    }
}

/// Waits for the port to be free, gives one end of a socket pair to the kernel and returns the other.
pub(super) fn attach(port: u32) -> Result<UnixStream, AttachError> {
    let until = Instant::now() + PORT_PATIENCE;
    while !high_speed_ports(&read_status(Path::new(CONTROLLER))?).contains(&(port, true)) {
        if Instant::now() >= until {
            return Err(AttachError::PortBusy { port });
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let io = |what| move |source| AttachError::Io { what, source };
    let (ours, theirs) = UnixStream::pair().map_err(io("socket pair for the kernel"))?;
    let line = format!("{port} {} {DEVICE_ID} {SPEED}", theirs.as_raw_fd());
    // The kernel takes a reference of its own during the write; our copy of its end closes with `theirs`.
    std::fs::write(Path::new(CONTROLLER).join("attach"), line).map_err(|source| match source.kind() {
        io::ErrorKind::PermissionDenied => AttachError::Permission,
        io::ErrorKind::NotFound => AttachError::NoVhci,
        _ => AttachError::Io { what: "the kernel refused the attach", source },
    })?;
    Ok(ours)
}

fn read_status(controller: &Path) -> Result<String, AttachError> {
    std::fs::read_to_string(controller.join("status")).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => AttachError::NoVhci,
        io::ErrorKind::PermissionDenied => AttachError::Permission,
        _ => AttachError::Io { what: "reading the port status of vhci_hcd", source },
    })
}

/// Number and freedom of the ports for full and high speed. Lines look like `hs  0000 004 000 00000000 000000 0-0`.
fn high_speed_ports(status: &str) -> Vec<(u32, bool)> {
    status
        .lines()
        .filter_map(|line| {
            let mut columns = line.split_whitespace();
            if columns.next()? != "hs" {
                return None;
            }
            Some((columns.next()?.parse().ok()?, columns.next()? == FREE))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_module_one_is_told_to_load_it() {
        let refused = read_status(Path::new("/nowhere/vhci_hcd.0")).expect_err("there is none");
        let text = refused.to_string();
        assert!(text.contains("vhci_hcd is not loaded") && text.contains("modprobe vhci-hcd"), "{text}");
    }

    #[test]
    fn only_high_speed_ports_count() {
        let status = "hub port sta spd dev      sockfd local_busid\n\
                      hs  0000 006 002 00010002 000003 1-1\n\
                      hs  0001 004 000 00000000 000000 0-0\n\
                      ss  0008 004 000 00000000 000000 0-0\n";
        assert_eq!(high_speed_ports(status), [(0, false), (1, true)]);
        assert_eq!(high_speed_ports(""), []);
    }
}

//! What the installed rule gives the person at the screen, asked of udev itself over devices made of files.

use crate::rig::told::{Context, Told};
use crate::scene::ended;
use crate::{Machine, scratch, sh, well};
use std::path::Path;
use std::process::Command;

/// Interfaces as class, subclass, protocol.
type Interfaces<'a> = &'a [[u8; 3]];

const AUDIO: [u8; 3] = [1, 1, 0];
const HID: [u8; 3] = [3, 0, 0];
const KEYBOARD: [u8; 3] = [3, 1, 1];
const DFU_RUNTIME: [u8; 3] = [0xfe, 1, 1];
const DFU_MODE: [u8; 3] = [0xfe, 1, 2];
const STORAGE: [u8; 3] = [8, 6, 0x50];

/// USB 2.0 §9.6.1, §9.6.3, §9.6.5 and §9.6.6.
fn descriptors(vid: u16, pid: u16, interfaces: Interfaces<'_>) -> Vec<u8> {
    let ([v0, v1], [p0, p1]) = (vid.to_le_bytes(), pid.to_le_bytes());
    let mut bytes = vec![18, 1, 0, 2, 0, 0, 0, 64, v0, v1, p0, p1, 0, 1, 1, 2, 3, 1];
    let count = u8::try_from(interfaces.len()).unwrap_or_default();
    let [l0, l1] = (9 + 16 * u16::from(count)).to_le_bytes();
    bytes.extend([9, 2, l0, l1, count, 1, 0, 0x80, 50]);
    for (number, [class, subclass, protocol]) in (0..).zip(interfaces) {
        bytes.extend([9, 4, number, 0, 1, *class, *subclass, *protocol, 0]);
        bytes.extend([7, 5, 0x81, 3, 64, 0, 10]);
    }
    bytes
}

/// A /sys with one device at `port`, and what udev makes of it.
fn is_given(port: &str, vid: u16, pid: u16, interfaces: Interfaces<'_>) -> Told<bool> {
    let sys = scratch()?.join("sys");
    let device = sys.join("devices/usb1").join(port);
    sh(&format!(
        "rm -rf {0}; mkdir -p {1} {0}/bus/usb {0}/class {0}/subsystem; ln -s ../../../bus/usb {1}/subsystem",
        sys.display(),
        device.display()
    ))?;
    // What udev remembers of the device before.
    sh("rm -rf /run/udev/data /run/udev/tags")?;
    let write = |name: &str, text: &[u8]| std::fs::write(device.join(name), text).at(name);
    write("descriptors", &descriptors(vid, pid, interfaces))?;
    write("uevent", b"MAJOR=189\nMINOR=9\nDEVNAME=bus/usb/001/010\nDEVTYPE=usb_device\n")?;
    for (name, text) in [
        ("idVendor", format!("{vid:04x}\n")),
        ("idProduct", format!("{pid:04x}\n")),
        ("bDeviceClass", "00\n".to_owned()),
        ("bcdDevice", "0100\n".to_owned()),
    ] {
        write(name, text.as_bytes())?;
    }
    let script = "mount --bind \"$1\" /sys && mkdir -p /dev/char && mount -t tmpfs tmpfs /dev/char && exec env SYSTEMD_DEVICE_VERIFY_SYSFS=0 udevadm test --action=add \"/sys/devices/usb1/$2\"";
    let mut test = Command::new("unshare");
    test.args(["--mount", "--propagation", "private", "--", "sh", "-c", script, "sh"]).arg(&sys).arg(port);
    let told = well(ended(&mut test)?)?;
    let told = told.stdout + &told.stderr;
    assert!(told.contains("ID_USB_INTERFACES="), "udev did not look at it: {told}");
    // What udev itself would do: `test` only names the programs.
    for line in told
        .lines()
        .filter_map(|line| line.split_once("run: '"))
        .map(|(_, program)| program.trim_end_matches('\''))
    {
        if line.contains("/run/hookswitch/") {
            sh(line)?;
        }
    }
    Ok(told.lines().any(|line| line.starts_with("CURRENT_TAGS=") && line.contains(":uaccess:")))
}

#[test]
fn the_rule_gives_headsets_and_nothing_else() -> Told<()> {
    let _machine = Machine::take()?;
    let rule = Path::new(env!("CARGO_MANIFEST_DIR")).join("installer/linux/70-hookswitch.rules");
    sh(&format!("install -m644 {} /usr/lib/udev/rules.d/; rm -rf /run/hookswitch", rule.display()))?;
    for (what, port, (vid, pid), interfaces, given) in [
        ("a board that waits for its program", "1-1", (0x0483, 0xdf11), &[DFU_MODE][..], false),
        ("a printer with firmware to write", "1-1", (0x03f0, 1), &[[7, 1, 2], DFU_RUNTIME], false),
        ("a keyboard with firmware to write", "1-1", (0x3434, 1), &[KEYBOARD, HID, DFU_RUNTIME], false),
        ("a headset with a keyboard", "1-1", (0x3434, 2), &[AUDIO, HID, KEYBOARD, DFU_RUNTIME], false),
        ("a microphone without buttons", "1-1", (0x3434, 3), &[AUDIO, DFU_RUNTIME], false),
        ("a headset without firmware to write", "1-1", (0x3434, 4), &[AUDIO, HID], false),
        ("the simulator as it takes firmware", "1-1", (0x1209, 2), &[DFU_MODE], true),
        ("another identity of that vendor", "1-1", (0x1209, 3), &[DFU_MODE], false),
        ("a disk that claims the simulator's identity", "1-1", (0x1209, 2), &[DFU_MODE, STORAGE], false),
        ("a headset of whatever vendor", "1-2", (0x3434, 5), &[AUDIO, AUDIO, HID, DFU_RUNTIME], true),
        ("the same as it takes firmware", "1-2", (0x3434, 0x5555), &[DFU_MODE], true),
        ("a board at the headset's port", "1-2", (0x0483, 0xdf11), &[DFU_MODE], false),
        ("that headset's firmware at another port", "1-3", (0x3434, 0x5555), &[DFU_MODE], false),
    ] {
        assert_eq!(is_given(port, vid, pid, interfaces)?, given, "{what}");
    }
    Ok(())
}

/// Figures of systemd itself: 0 is closed, 10 is open. Without the sandbox it is 9.6.
#[test]
fn the_units_are_good_and_sandboxed() -> Told<()> {
    let _machine = Machine::take()?;
    sh("install -m755 /bin/true /usr/bin/hookswitch")?;
    for (unit, manager, most) in
        [("hookswitch.service", "user", "63"), ("hookswitch-machine.service", "system", "30")]
    {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("installer/linux").join(unit);
        let path = format!("/etc/systemd/{manager}/{unit}");
        sh(&format!("install -m644 {} {path}", source.display()))?;
        let good = well(ended(
            Command::new("systemd-analyze")
                .args([&format!("--{manager}"), "verify", &path])
                .env("XDG_RUNTIME_DIR", "/run"),
        )?)?;
        assert_eq!(good.stderr, "", "{unit}");
        let judged = ended(Command::new("systemd-analyze").args([
            "security",
            "--offline=true",
            &format!("--threshold={most}"),
            "--no-pager",
            &path,
        ]))?;
        let last = judged.stdout.lines().rfind(|line| line.contains("exposure level")).unwrap_or_default();
        println!("{last}");
        assert_eq!(judged.code, Some(0), "{last}");
        sh(&format!("rm {path}"))?;
    }
    sh("rm /usr/bin/hookswitch")
}

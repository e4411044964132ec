//! The USB/IP server at the message level, over a plain socket pair: the part of the kernel is played by bytes.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "a server thread on one side, real time on the other")]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::Duration;

use simulator::usbip::{Ended, serve};
use simulator::{Bus, Button, Fault, HeadsetHandle, How, Mode, Setup, firmware};

const PORT: &str = "1-1";
const SUBMIT: u32 = 1;
const UNLINK: u32 = 2;
const OUT: u32 = 0;
const IN: u32 = 1;
const EPIPE: i32 = -32;
const ECONNRESET: i32 = -104;
const DEVICE_64: [u8; 8] = [0x80, 6, 0, 1, 0, 0, 64, 0];
const DEVICE_18: [u8; 8] = [0x80, 6, 0, 1, 0, 0, 18, 0];
const SET_CONFIGURATION: [u8; 8] = [0, 9, 1, 0, 0, 0, 0, 0];
const GETSTATUS: [u8; 8] = [0xA1, 3, 0, 0, 0, 0, 6, 0];

struct Kernel {
    stream: UnixStream,
    sequence: u32,
    server: JoinHandle<Ended>,
}

#[derive(Debug, PartialEq, Eq)]
struct Ret {
    command: u32,
    sequence: u32,
    status: i32,
    data: Vec<u8>,
}

impl Kernel {
    fn attach(headset: &HeadsetHandle) -> Self {
        let (stream, theirs) = UnixStream::pair().expect("socket pair");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("timeout");
        let headset = headset.clone();
        let server = std::thread::spawn(move || serve(&headset, &theirs).expect("a clean end"));
        let mut kernel = Self { stream, sequence: 0, server };
        // As the kernel enumerates: also makes sure that the server has its place on the bus.
        kernel.control(DEVICE_64, &[]);
        kernel.control(SET_CONFIGURATION, &[]);
        kernel
    }

    fn message(command: u32, sequence: u32, direction: u32, endpoint: u32, tail: &[(usize, u32)]) -> Vec<u8> {
        let mut bytes = vec![0; 48];
        let words = [(0, command), (4, sequence), (8, 0x0001_0002), (12, direction), (16, endpoint)];
        for (at, word) in words.iter().chain(tail) {
            bytes[*at..*at + 4].copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    fn next(&mut self) -> u32 {
        self.sequence += 1;
        self.sequence
    }

    fn submit(&mut self, direction: u32, endpoint: u32, setup: [u8; 8], length: usize, data: &[u8]) -> u32 {
        let sequence = self.next();
        let length = u32::try_from(length).expect("short");
        let mut bytes = Self::message(SUBMIT, sequence, direction, endpoint, &[(24, length)]);
        bytes[40..].copy_from_slice(&setup);
        bytes.extend_from_slice(data);
        self.stream.write_all(&bytes).expect("written");
        sequence
    }

    fn unlink(&mut self, victim: u32) -> Ret {
        let sequence = self.next();
        self.stream.write_all(&Self::message(UNLINK, sequence, OUT, 0, &[(20, victim)])).expect("written");
        let ret = self.ret(false);
        assert_eq!((ret.command, ret.sequence), (4, sequence));
        ret
    }

    /// One message from the device; whether data follow is known from the request, as in the kernel.
    fn ret(&mut self, to_host: bool) -> Ret {
        let mut header = [0; 48];
        self.stream.read_exact(&mut header).expect("an answer within 5 s");
        let word =
            |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let mut data = vec![0; if to_host && word(0) == 3 { word(24) as usize } else { 0 }];
        self.stream.read_exact(&mut data).expect("the data announced");
        Ret { command: word(0), sequence: word(4), status: word(20).cast_signed(), data }
    }

    fn control(&mut self, setup: [u8; 8], data: &[u8]) -> Ret {
        let to_host = setup[0] & 0x80 != 0;
        let length = usize::from(u16::from_le_bytes([setup[6], setup[7]]));
        let sequence = self.submit(u32::from(to_host), 0, setup, length, data);
        let ret = self.ret(to_host);
        assert_eq!((ret.command, ret.sequence), (3, sequence));
        ret
    }

    fn dnload(&mut self, block: u16, data: &[u8]) -> Ret {
        let ([low, high], [bytes_low, bytes_high]) =
            (block.to_le_bytes(), u16::try_from(data.len()).expect("short").to_le_bytes());
        self.control([0x21, 1, low, high, 0, 0, bytes_low, bytes_high], data)
    }

    fn product(&mut self) -> u16 {
        let device = self.control(DEVICE_18, &[]).data;
        u16::from_le_bytes([device[10], device[11]])
    }

    fn nothing_comes(&mut self) {
        self.stream.set_read_timeout(Some(Duration::from_millis(60))).expect("timeout");
        let error = self.stream.read(&mut [0; 48]).expect_err("nothing is due");
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
        self.stream.set_read_timeout(Some(Duration::from_secs(5))).expect("timeout");
    }

    fn ended(mut self) -> Ended {
        let mut rest = Vec::new();
        // A socket that was closed over an unread request ends in ECONNRESET instead of a plain end.
        if let Err(error) = self.stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
        assert!(rest.is_empty(), "{rest:02X?}");
        self.server.join().expect("no panic")
    }
}

fn headset(setup: Setup) -> HeadsetHandle {
    let bus = Bus::new();
    bus.plug(PORT, setup);
    bus.headset(PORT)
}

#[test]
fn control_transfers_are_answered_cut_and_stalled() {
    let mut kernel = Kernel::attach(&headset(Setup::default()));
    assert_eq!(kernel.control([0x80, 6, 0, 2, 0, 0, 9, 0], &[]).data.len(), 9);
    assert_eq!(kernel.control(DEVICE_64, &[]).data.len(), 18, "a short answer has the shorter length");
    assert_eq!(kernel.control([0x80, 6, 0, 6, 0, 0, 10, 0], &[]).status, EPIPE, "no device qualifier");
    assert_eq!(kernel.control([0x21, 0x0A, 0, 0, 0, 0, 0, 0], &[]).status, 0, "SET_IDLE");
    assert_eq!(kernel.control([0x81, 6, 0, 0x22, 0, 0, 0, 4], &[]).data[..4], [0x05, 0x0B, 0x09, 0x05]);
    let sequence = kernel.submit(IN, 5, [0; 8], 64, &[]);
    assert_eq!(
        kernel.ret(true),
        Ret { command: 3, sequence, status: EPIPE, data: vec![] },
        "no such endpoint"
    );
}

#[test]
fn interrupt_in_waits_for_reports_and_unlink_takes_it_back() {
    let headset = headset(Setup { button_ms: 20, ..Setup::default() });
    let mut kernel = Kernel::attach(&headset);
    // Nobody polls: the report is lost, as on the wire.
    headset.press(Button::VolumeUp);
    assert!(headset.wait_for(Duration::from_millis(60), |_| false).is_none());
    let first = kernel.submit(IN, 1, [0; 8], 64, &[]);
    kernel.nothing_comes();

    headset.press(Button::Hook);
    let report = Ret { command: 3, sequence: first, status: 0, data: vec![2, 0b11, 0] };
    assert_eq!(kernel.ret(true), report);
    // Reports that come before the next IN wait in the endpoint: the host is polling.
    headset.press(Button::Hook);
    let second = kernel.submit(IN, 1, [0; 8], 64, &[]);
    assert_eq!(kernel.ret(true), Ret { command: 3, sequence: second, status: 0, data: vec![2, 0, 0] });

    let third = kernel.submit(IN, 1, [0; 8], 64, &[]);
    assert_eq!(kernel.unlink(third).status, ECONNRESET, "still pending");
    assert_eq!(kernel.unlink(first).status, 0, "answered long ago");
    headset.press(Button::Hook);
    kernel.nothing_comes();
    assert!(headset.log().iter().any(|entry| entry.text.contains("report lost")));
}

#[test]
fn interrupt_out_sets_lights() {
    let headset = headset(Setup::default());
    let mut kernel = Kernel::attach(&headset);
    let sequence = kernel.submit(OUT, 1, [0; 8], 3, &[2, 4, 0]);
    assert_eq!(kernel.ret(false), Ret { command: 3, sequence, status: 0, data: vec![] });
    assert!(headset.state().lights.ring);
}

#[test]
fn messages_may_arrive_in_pieces_or_together() {
    let headset = headset(Setup::default());
    let mut kernel = Kernel::attach(&headset);
    let mut bytes = Vec::new();
    for (sequence, ring) in [(100, 4), (101, 0)] {
        bytes.extend(Kernel::message(SUBMIT, sequence, OUT, 1, &[(24, 3)]));
        bytes.extend([2, ring, 0]);
    }
    for piece in [&bytes[..20], &bytes[20..49], &bytes[49..]] {
        kernel.stream.write_all(piece).expect("written");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!((kernel.ret(false).sequence, kernel.ret(false).sequence), (100, 101));
    assert!(!headset.state().lights.ring);
}

#[test]
fn an_unplugged_headset_drops_the_connection() {
    let headset = headset(Setup::default());
    let mut kernel = Kernel::attach(&headset);
    kernel.submit(IN, 1, [0; 8], 64, &[]);
    headset.unplug();
    assert_eq!(kernel.ended(), Ended::DeviceLeft);
}

#[test]
fn a_host_that_detaches_ends_it_too() {
    let kernel = Kernel::attach(&headset(Setup::default()));
    kernel.stream.shutdown(std::net::Shutdown::Both).expect("open");
    assert_eq!(kernel.server.join().expect("no panic"), Ended::HostClosed);
}

#[test]
fn nonsense_ends_the_connection_with_an_error() {
    let headset = headset(Setup::default());
    for bad in [Kernel::message(9, 1, 0, 0, &[]), Kernel::message(SUBMIT, 1, OUT, 1, &[(24, u32::MAX)])] {
        let (mut stream, theirs) = UnixStream::pair().expect("socket pair");
        stream.write_all(&bad).expect("written");
        let error = serve(&headset, &theirs).expect_err("refused");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    }
}

#[test]
fn a_will_detach_device_answers_leaves_and_comes_back_updated() {
    let headset =
        headset(Setup { reenumeration_ms: 20, poll_timeout_ms: 0, manifest_ms: 100, ..Setup::default() });
    let patience = Duration::from_secs(5);
    let mut kernel = Kernel::attach(&headset);
    assert_eq!(kernel.control([0x21, 0, 0xE8, 3, 1, 0, 0, 0], &[]).status, 0, "DETACH is answered first");
    assert_eq!(kernel.ended(), Ended::DeviceLeft);
    assert!(headset.wait_for(patience, |state| state.present && state.mode == Mode::Dfu).is_some());

    let mut kernel = Kernel::attach(&headset);
    assert_eq!(kernel.product(), 2);
    let image = firmware::build(0x0120, 1500);
    for (block, data) in [&image[..1024], &image[1024..]].into_iter().enumerate() {
        assert_eq!(kernel.dnload(u16::try_from(block).expect("two"), data).status, 0);
        assert_eq!(kernel.control(GETSTATUS, &[]).data, [0, 0, 0, 0, 5, 0]);
    }
    assert_eq!(kernel.dnload(3, &[]).status, EPIPE, "wrong block number");
    assert_eq!(kernel.control([0x21, 4, 0, 0, 0, 0, 0, 0], &[]).status, 0);
    for (block, data) in [&image[..1024], &image[1024..], &[]].into_iter().enumerate() {
        assert_eq!(kernel.dnload(u16::try_from(block).expect("three"), data).status, 0);
        kernel.control(GETSTATUS, &[]);
    }
    assert_eq!(kernel.ended(), Ended::DeviceLeft);
    let back = headset.wait_for(patience, |state| state.present && state.mode == Mode::Runtime);
    assert_eq!(back.expect("comes back").firmware.version, "1.20");
    let mut kernel = Kernel::attach(&headset);
    assert_eq!(kernel.control(DEVICE_18, &[]).data[12..14], [0x20, 0x01]);
}

#[test]
fn a_reset_is_known_by_its_trace_and_switches_in_place() {
    let headset = headset(Setup { will_detach: false, ..Setup::default() });
    let mut kernel = Kernel::attach(&headset);
    kernel.control(DEVICE_64, &[]);
    assert_eq!(kernel.product(), 1, "a reset without DETACH changes nothing");
    kernel.control(SET_CONFIGURATION, &[]);
    assert_eq!(kernel.control([0x21, 0, 0xE8, 3, 1, 0, 0, 0], &[]).status, 0);
    assert_eq!(kernel.product(), 1);
    let after_reset = kernel.control(DEVICE_64, &[]).data;
    assert_eq!(after_reset[10], 2, "DFU mode, same connection");
    // The kernel enumerates anew: the same request is no second reset before SET_CONFIGURATION.
    kernel.control(DEVICE_64, &[]);
    assert_eq!(kernel.product(), 2);
    kernel.control(SET_CONFIGURATION, &[]);
    assert_eq!(kernel.control(GETSTATUS, &[]).data, [0, 0, 0, 0, 2, 0]);
    kernel.control(DEVICE_64, &[]);
    assert_eq!(kernel.product(), 1, "a reset in dfuIDLE goes back to the firmware");
}

#[test]
fn faults_reach_the_wire() {
    let headset = headset(Setup { will_detach: false, poll_timeout_ms: 0, ..Setup::default() });
    let mut kernel = Kernel::attach(&headset);
    kernel.control([0x21, 0, 0xE8, 3, 1, 0, 0, 0], &[]);
    kernel.control(DEVICE_64, &[]);
    kernel.control(SET_CONFIGURATION, &[]);

    headset.fail(Fault { at_block: 0, how: How::NoAnswer });
    let unanswered = kernel.submit(OUT, 0, [0x21, 1, 0, 0, 0, 0, 4, 0], 4, &[1; 4]);
    kernel.nothing_comes();
    assert_eq!(kernel.unlink(unanswered).status, ECONNRESET);

    headset.fail(Fault { at_block: 1, how: How::UnplugUnanswered });
    assert_eq!(kernel.dnload(0, &[1; 64]).status, 0);
    kernel.control(GETSTATUS, &[]);
    kernel.submit(OUT, 0, [0x21, 1, 1, 0, 0, 0, 4, 0], 4, &[1; 4]);
    assert_eq!(kernel.ended(), Ended::DeviceLeft);
    assert!(!headset.state().firmware.valid);

    headset.fail(Fault { at_block: 0, how: How::Unplug });
    headset.plug();
    let mut kernel = Kernel::attach(&headset);
    assert_eq!(kernel.control([0x21, 4, 0, 0, 0, 0, 0, 0], &[]).status, 0, "CLRSTATUS");
    assert_eq!(kernel.dnload(0, &[1; 64]).status, 0, "answered, then pulled");
    assert_eq!(kernel.ended(), Ended::DeviceLeft);
}

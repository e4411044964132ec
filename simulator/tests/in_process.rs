//! The in-process door, spoken to in bytes as a host would.
#![expect(clippy::disallowed_methods, reason = "the headset lives in real time")]

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use simulator::{
    Bus, Button, Change, DfuState, DfuStatus, Fault, HidPipe, How, Layout, Mode, Setup, Severity, UsbError,
    firmware,
};

const PORT: &str = "1-1";
const PATIENCE: Duration = Duration::from_secs(5);

fn quick() -> Setup {
    Setup { reenumeration_ms: 30, manifest_ms: 300, poll_timeout_ms: 2, button_ms: 10, ..Setup::default() }
}

fn bus_with(setup: Setup) -> Bus {
    let bus = Bus::new();
    bus.plug(PORT, setup);
    bus
}

fn open(bus: &Bus) -> HidPipe {
    let path = bus.devices()[0].hid.as_ref().expect("runtime mode has a HID interface").path.clone();
    bus.open_hid(&path).expect("the path was just listed")
}

fn read(pipe: &HidPipe) -> Vec<u8> {
    let mut buffer = [0; 64];
    let bytes =
        pipe.read_timeout(&mut buffer, PATIENCE).expect("device is there").expect("a report within 5 s");
    buffer[..bytes].to_vec()
}

fn assert_silent(pipe: &HidPipe) {
    let mut buffer = [0; 64];
    let read = pipe.read_timeout(&mut buffer, Duration::from_millis(60)).expect("device is there");
    assert_eq!(read, None, "unexpected report {buffer:02X?}");
}

fn next(changes: &Receiver<Change>) -> Change {
    changes.recv_timeout(PATIENCE).expect("a change within 5 s")
}

// The host's half of DFU 1.1, as naked transfers.

fn out(bus: &Bus, interface: u8, code: u8, value: u16, data: &[u8]) -> Result<(), UsbError> {
    let [value_low, value_high] = value.to_le_bytes();
    let [length_low, length_high] = u16::try_from(data.len()).expect("short").to_le_bytes();
    let setup = [0x21, code, value_low, value_high, interface, 0, length_low, length_high];
    bus.control(PORT, setup, data).map(|answer| assert!(answer.is_empty()))
}

fn get_status(bus: &Bus) -> Result<(u8, u32, u8), UsbError> {
    let answer = bus.control(PORT, [0xA1, 3, 0, 0, 0, 0, 6, 0], &[])?;
    assert_eq!(answer.len(), 6);
    Ok((answer[0], u32::from_le_bytes([answer[1], answer[2], answer[3], 0]), answer[4]))
}

fn wait(ms: u32) {
    std::thread::sleep(Duration::from_millis(ms.into()));
}

/// Detaches and waits for DFU mode.
fn to_dfu_mode(bus: &Bus, changes: &Receiver<Change>) {
    out(bus, 1, 0, 1000, &[]).expect("DETACH in appIDLE");
    assert_eq!(next(changes), Change::Left(PORT.into()));
    assert_eq!(next(changes), Change::Arrived(PORT.into()));
    let device = &bus.devices()[0];
    assert_eq!((device.pid, device.hid.is_some()), (0x0002, false));
}

/// All blocks, each polled; then the zero-length one.
fn download(bus: &Bus, image: &[u8]) {
    let mut number = 0;
    for block in image.chunks(1024) {
        out(bus, 0, 1, number, block).expect("block is taken");
        loop {
            match get_status(bus).expect("polled in time") {
                (0, poll_ms, 4) => wait(poll_ms),
                (0, 0, 5) => break,
                other => panic!("block {number}: {other:?}"),
            }
        }
        number += 1;
    }
    out(bus, 0, 1, number, &[]).expect("the zero-length block is taken");
}

#[test]
fn settings_of_the_dfu_interface_come_before_what_describes_them() {
    let bus = bus_with(Setup { dfu_settings: 2, ..quick() });
    to_dfu_mode(&bus, &bus.changes());
    let configuration = &bus.devices()[0].configuration_descriptor;
    let settings = [9, 4, 0, 0, 0, 0xFE, 1, 2, 4, 9, 4, 0, 1, 0, 0xFE, 1, 2, 4, 9, 0x21];
    assert_eq!(configuration[..9], [9, 2, 36, 0, 1, 1, 0, 0x80, 50]);
    assert_eq!(configuration[9..29], settings);
    for (setting, taken) in [(0, true), (1, true), (2, false)] {
        let answer = bus.control(PORT, [0x01, 11, setting, 0, 0, 0, 0, 0], &[]);
        assert_eq!(answer.is_ok(), taken, "SET_INTERFACE {setting}");
    }
}

#[test]
fn enumeration_is_made_of_consistent_descriptors() {
    for layout in [Layout::Shared, Layout::Split] {
        let bus = bus_with(Setup { layout, version_bcd: 0x0234, ..quick() });
        let device = &bus.devices()[0];
        assert_eq!((device.vid, device.pid, device.bcd_device), (0x1209, 0x0001, 0x0234));
        assert_eq!(device.device_descriptor[8..14], [0x09, 0x12, 0x01, 0x00, 0x34, 0x02]);

        let ask = |setup: [u8; 8]| bus.control(PORT, setup, &[]).expect("a descriptor");
        assert_eq!(ask([0x80, 6, 0, 1, 0, 0, 64, 0]), device.device_descriptor);
        assert_eq!(ask([0x80, 6, 0, 2, 0, 0, 0xFF, 0]), device.configuration_descriptor);
        assert_eq!(ask([0x80, 6, 0, 2, 0, 0, 9, 0]), device.configuration_descriptor[..9], "cut to wLength");
        assert_eq!(ask([0x80, 6, 0, 3, 0, 0, 0xFF, 0]), [4, 3, 9, 4]);
        let serial = ask([0x80, 6, 3, 3, 9, 4, 0xFF, 0]);
        assert_eq!(serial, [16, 3, b'S', 0, b'I', 0, b'M', 0, b'0', 0, b'0', 0, b'0', 0, b'1', 0]);
        assert_eq!(bus.control(PORT, [0x80, 6, 9, 3, 9, 4, 0xFF, 0], &[]), Err(UsbError::Stall));
        assert_eq!(
            bus.control(PORT, [0x80, 6, 0, 6, 0, 0, 10, 0], &[]),
            Err(UsbError::Stall),
            "no qualifier"
        );

        // Lengths inside the configuration add up, and the DFU interface says runtime with its functional descriptor.
        let configuration = &device.configuration_descriptor;
        assert_eq!(
            usize::from(u16::from_le_bytes([configuration[2], configuration[3]])),
            configuration.len()
        );
        let (mut at, mut kinds) = (0, Vec::new());
        while at < configuration.len() {
            kinds.push(configuration[at + 1]);
            at += usize::from(configuration[at]);
        }
        assert_eq!(at, configuration.len());
        assert_eq!(kinds, [2, 4, 0x21, 5, 5, 4, 0x21]);
        assert_eq!(
            configuration[configuration.len() - 9..],
            [9, 0x21, 0b1001, 0xE8, 0x03, 0x00, 0x04, 0x10, 0x01]
        );

        let hid = device.hid.as_ref().expect("HID in runtime mode");
        let report = ask([0x81, 6, 0, 0x22, hid.interface, 0, 0xFF, 0x0F]);
        assert_eq!(report, hid.report_descriptor);
        assert_eq!(usize::from(u16::from_le_bytes([configuration[25], configuration[26]])), report.len());
        assert_collections_closed(&report);
    }
}

/// Walks short items (the layouts have no long ones) to the end.
fn assert_collections_closed(descriptor: &[u8]) {
    let (mut at, mut depth) = (0, 0);
    while at < descriptor.len() {
        match descriptor[at] {
            0xA1 => depth += 1,
            0xC0 => depth -= 1,
            _ => {}
        }
        at += 1 + [0, 1, 2, 4][usize::from(descriptor[at] & 3)];
    }
    assert_eq!((at, depth), (descriptor.len(), 0));
}

#[test]
fn a_call_is_answered_muted_and_ended_in_the_shared_layout() {
    let bus = bus_with(quick());
    let (pipe, headset) = (open(&bus), bus.headset(PORT));
    pipe.write(&[2, 0x04, 0]).expect("written");
    assert!(headset.state().lights.ring);
    assert!(headset.press(Button::Accept));
    assert_eq!(read(&pipe), [2, 0b11, 0], "hook and line busy");
    pipe.write(&[2, 0x01, 0]).expect("written");
    let state = headset.state();
    assert!(state.hook && state.radio_link && state.lights.off_hook && !state.lights.ring);
    assert_silent(&pipe);

    assert!(headset.press(Button::Mute));
    assert_eq!(read(&pipe), [2, 0b111, 0], "down");
    assert_eq!(read(&pipe), [2, 0b011, 0], "up");
    pipe.write(&[2, 0x03, 0]).expect("written");
    assert!(headset.state().mute);

    assert!(headset.press(Button::Hook));
    assert_eq!(read(&pipe), [2, 0b10, 0], "hook down, line busy while Off-Hook is lit");
    assert!(headset.state().radio_link);
    pipe.write(&[2, 0, 0]).expect("written");
    assert!(!headset.state().radio_link && !headset.state().mute);
    assert!(headset.log().iter().any(|entry| entry.text == "Ring light on"));
}

#[test]
fn the_split_layout_takes_one_light_per_report_and_rejects_by_drop() {
    let bus = bus_with(Setup { layout: Layout::Split, ..quick() });
    let (pipe, headset) = (open(&bus), bus.headset(PORT));
    pipe.write(&[0x21, 1]).expect("written");
    assert!(headset.press(Button::Reject));
    assert_eq!((read(&pipe), read(&pipe)), (vec![4, 0b1000], vec![4, 0]));
    pipe.write(&[0x21, 0]).expect("written");
    pipe.write(&[0x22, 1]).expect("written");
    assert_eq!(read(&pipe), [4, 0b1_0000], "the host's Off-Hook is confirmed by the hook");
    pipe.write(&[0x24, 1]).expect("written");
    let lights = headset.state().lights;
    assert!(lights.off_hook && lights.hold && !lights.ring);
    assert!(headset.press(Button::VolumeUp));
    assert_eq!((read(&pipe), read(&pipe)), (vec![1, 1], vec![1, 0]));
    // GET_REPORT: inputs can be read, lights cannot.
    assert_eq!(bus.control(PORT, [0xA1, 1, 4, 1, 0, 0, 64, 0], &[]), Ok(vec![4, 0b1_0000]));
    assert_eq!(bus.control(PORT, [0xA1, 1, 0x22, 2, 0, 0, 64, 0], &[]), Err(UsbError::Stall));
    // SET_REPORT does what the interrupt endpoint does.
    assert_eq!(bus.control(PORT, [0x21, 9, 0x22, 2, 0, 0, 2, 0], &[0x22, 0]), Ok(Vec::new()));
    assert_eq!(read(&pipe), [4, 0]);
}

/// A hand that knows what it wants: the key is pressed only where it does that.
#[test]
fn buttons_with_a_purpose_are_pressed_only_where_they_serve_it() {
    let bus = bus_with(Setup { layout: Layout::Split, ..quick() });
    let (pipe, headset) = (open(&bus), bus.headset(PORT));
    pipe.write(&[0x21, 1]).expect("written");
    for idle in [Button::Dial, Button::Unmute, Button::Resume] {
        assert!(!headset.press(idle), "{idle:?}: it rings, the microphone is on, nothing is held");
    }
    assert_silent(&pipe);
    pipe.write(&[0x21, 0]).expect("written");
    assert!(headset.press(Button::Dial));
    assert_eq!(read(&pipe), [4, 0b1_0000], "hook up");
    assert!(!headset.press(Button::Dial), "the hook is up");
    pipe.write(&[0x22, 1]).expect("written");
    for (light, button, key) in [(0x23, Button::Unmute, Button::Mute), (0x24, Button::Resume, Button::Flash)]
    {
        pipe.write(&[light, 1]).expect("written");
        assert!(headset.press(button), "{button:?}");
        let told = (read(&pipe), read(&pipe));
        assert!(headset.press(key), "{key:?}");
        assert_eq!(told, (read(&pipe), read(&pipe)), "the same key");
    }
}

#[test]
fn wrong_reports_and_idle_buttons_do_nothing() {
    let bus = bus_with(quick());
    let (pipe, headset) = (open(&bus), bus.headset(PORT));
    for wrong in [&[2, 1][..], &[2, 1, 0, 0], &[9, 1, 0]] {
        assert_eq!(pipe.write(wrong).expect("the bus carries it"), wrong.len());
    }
    assert!(!headset.state().lights.off_hook);
    assert_eq!(headset.log().iter().filter(|entry| entry.severity == Severity::Violation).count(), 3);
    assert!(!headset.press(Button::Mute), "outside a call");
    assert!(!headset.press(Button::Terminate), "hook is down");
    assert_silent(&pipe);
}

#[test]
fn a_hook_press_nobody_acknowledges_is_taken_back() {
    let bus = bus_with(Setup { hook_revert_ms: 300, ..quick() });
    let (pipe, headset) = (open(&bus), bus.headset(PORT));
    assert!(headset.press(Button::Hook));
    assert_eq!((read(&pipe), read(&pipe)), (vec![2, 0b11, 0], vec![2, 0, 0]));
    assert!(!headset.state().hook);

    assert!(headset.press(Button::Hook));
    assert_eq!(read(&pipe), [2, 0b11, 0]);
    pipe.write(&[2, 1, 0]).expect("written");
    wait(400);
    assert!(headset.state().hook, "acknowledged in time");
    assert_silent(&pipe);
}

#[test]
fn unplug_wakes_a_blocked_reader_and_close_does_too() {
    let bus = bus_with(quick());
    let changes = bus.changes();
    let pipe = open(&bus);
    let blocked = std::thread::spawn({
        let pipe = pipe.clone();
        move || pipe.read(&mut [0; 8])
    });
    wait(30);
    bus.unplug(PORT);
    let error = blocked.join().expect("no panic").expect_err("the device is gone");
    assert_eq!(error.raw_os_error(), Some(5));
    assert_eq!(next(&changes), Change::Left(PORT.into()));
    assert!(bus.devices().is_empty());
    assert_eq!(bus.control(PORT, [0x80, 6, 0, 1, 0, 0, 18, 0], &[]), Err(UsbError::NoDevice));
    bus.replug(PORT);
    assert_eq!(next(&changes), Change::Arrived(PORT.into()));
    assert!(pipe.write(&[2, 0, 0]).is_err(), "the old opening stays dead");

    let pipe = open(&bus);
    let blocked = std::thread::spawn({
        let pipe = pipe.clone();
        move || pipe.read(&mut [0; 8])
    });
    wait(30);
    pipe.close();
    let error = blocked.join().expect("no panic").expect_err("closed");
    assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
}

#[test]
fn a_complete_download_comes_back_with_the_new_version() {
    let bus = bus_with(quick());
    let changes = bus.changes();
    to_dfu_mode(&bus, &changes);
    assert_eq!(get_status(&bus), Ok((0, 0, 2)));
    download(&bus, &firmware::build(0x0120, 10_000));
    let (status, poll_ms, state) = get_status(&bus).expect("dfuMANIFEST-SYNC answers");
    assert_eq!((status, poll_ms, state), (0, 300, 7));
    assert_eq!(next(&changes), Change::Left(PORT.into()));
    assert_eq!(next(&changes), Change::Arrived(PORT.into()));
    let device = &bus.devices()[0];
    assert_eq!((device.pid, device.bcd_device), (0x0001, 0x0120));
    let firmware = bus.headset(PORT).state().firmware;
    assert_eq!((firmware.version.as_str(), firmware.image_bytes), ("1.20", 10_000));
    assert_eq!((firmware.valid, firmware.updates_completed, firmware.updates_broken), (true, 1, 0));
}

#[test]
fn without_will_detach_resets_change_the_mode_and_the_wait_is_honoured() {
    let bus = bus_with(Setup { will_detach: false, ..quick() });
    let changes = bus.changes();
    out(&bus, 1, 0, 1000, &[]).expect("DETACH");
    assert!(changes.recv_timeout(Duration::from_millis(100)).is_err(), "waits for the reset");
    bus.reset(PORT).expect("present");
    assert_eq!((next(&changes), next(&changes)), (Change::Left(PORT.into()), Change::Arrived(PORT.into())));
    download(&bus, &firmware::build(0x0120, 3000));
    let (_, poll_ms, _) = get_status(&bus).expect("dfuMANIFEST-SYNC answers");
    wait(poll_ms + 20);
    assert_eq!(get_status(&bus), Ok((0, 0, 8)));
    bus.reset(PORT).expect("present");
    assert_eq!((next(&changes), next(&changes)), (Change::Left(PORT.into()), Change::Arrived(PORT.into())));
    assert_eq!(bus.devices()[0].bcd_device, 0x0120);

    // The DETACH timeout passes without a reset.
    out(&bus, 1, 0, 20, &[]).expect("DETACH");
    let back = bus.headset(PORT).wait_for(PATIENCE, |state| state.dfu.state == DfuState::AppIdle);
    assert!(back.is_some());
}

#[test]
fn a_manifestation_tolerant_device_returns_to_idle_and_uploads_what_it_got() {
    let setup = Setup { manifestation_tolerant: true, can_upload: true, poll_timeout_ms: 0, ..quick() };
    let bus = bus_with(setup);
    to_dfu_mode(&bus, &bus.changes());
    let image = firmware::build(0x0300, 2500);
    download(&bus, &image);
    assert_eq!(get_status(&bus), Ok((0, 300, 7)));
    wait(320);
    assert_eq!(get_status(&bus), Ok((0, 0, 2)));
    let mut uploaded = Vec::new();
    for block in 0..3 {
        let part = bus.control(PORT, [0xA1, 2, block, 0, 0, 0, 0, 4], &[]).expect("UPLOAD");
        uploaded.extend(part);
    }
    assert_eq!(uploaded, image);
    assert_eq!(get_status(&bus), Ok((0, 0, 2)), "the short block ended it");
    bus.reset(PORT).expect("present");
    let back = bus.headset(PORT).wait_for(PATIENCE, |state| state.present && state.mode == Mode::Runtime);
    assert_eq!(back.expect("comes back").firmware.version, "3.00");
}

#[test]
fn a_host_that_does_not_wait_is_stalled() {
    let bus = bus_with(Setup { poll_timeout_ms: 2000, ..quick() });
    to_dfu_mode(&bus, &bus.changes());
    out(&bus, 0, 1, 0, &[1; 64]).expect("first block");
    assert_eq!(get_status(&bus), Ok((0, 2000, 4)));
    assert_eq!(get_status(&bus), Err(UsbError::Stall));
    assert_eq!(get_status(&bus), Ok((15, 0, 10)), "errSTALLEDPKT, dfuERROR");
    assert_eq!(out(&bus, 0, 1, 1, &[1; 64]), Err(UsbError::Stall), "dfuERROR takes no blocks");
    out(&bus, 0, 4, 0, &[]).expect("CLRSTATUS");
    assert_eq!(get_status(&bus), Ok((0, 0, 2)));
    assert!(bus.headset(PORT).log().iter().any(|entry| entry.text.contains("before bwPollTimeout")));
}

#[test]
fn wrong_blocks_are_refused() {
    let bus = bus_with(Setup { poll_timeout_ms: 0, flash_bytes: 2048, ..quick() });
    to_dfu_mode(&bus, &bus.changes());
    let restart = || {
        let (status, _, state) = get_status(&bus).expect("answers");
        assert_eq!(state, 10);
        out(&bus, 0, 4, 0, &[]).expect("CLRSTATUS");
        status
    };
    assert_eq!(out(&bus, 0, 1, 0, &[]), Err(UsbError::Stall), "zero length first");
    assert_eq!(restart(), 15);
    assert_eq!(out(&bus, 0, 1, 5, &[1; 64]), Err(UsbError::Stall), "starts with block 5");
    assert_eq!(restart(), 8);
    out(&bus, 0, 1, 0, &[1; 1024]).expect("block 0");
    assert_eq!(out(&bus, 0, 1, 1, &[1; 64]), Err(UsbError::Stall), "GETSTATUS was due");
    assert_eq!(restart(), 15);
    out(&bus, 0, 1, 0, &[1; 1024]).expect("block 0");
    assert_eq!(get_status(&bus), Ok((0, 0, 5)));
    assert_eq!(out(&bus, 0, 1, 0, &[1; 1024]), Err(UsbError::Stall), "block 0 again");
    assert_eq!(restart(), 8);
    assert_eq!(out(&bus, 0, 1, 0, &[1; 1025]), Err(UsbError::Stall), "larger than wTransferSize");
    assert_eq!(restart(), 15);
    for block in 0..2 {
        out(&bus, 0, 1, block, &[1; 1024]).expect("fits");
        assert_eq!(get_status(&bus), Ok((0, 0, 5)));
    }
    assert_eq!(out(&bus, 0, 1, 2, &[1]), Err(UsbError::Stall), "flash is full");
    assert_eq!(restart(), 8);
    // A data stage that is not as long as wLength says never reaches the state machine.
    assert_eq!(bus.control(PORT, [0x21, 1, 0, 0, 0, 0, 9, 0], &[1; 8]), Err(UsbError::Stall));
    assert_eq!(get_status(&bus), Ok((0, 0, 2)));
}

#[test]
fn incomplete_and_corrupt_images_leave_a_device_that_can_be_saved() {
    let bus = bus_with(quick());
    let changes = bus.changes();
    to_dfu_mode(&bus, &changes);
    let whole = firmware::build(0x0120, 5000);
    let mut corrupt = whole.clone();
    corrupt[3000] ^= 0x40;
    for (image, expected) in [(&whole[..4000], 10), (&corrupt[..], 7), (&[0x55; 3000][..], 10)] {
        download(&bus, image);
        let (_, poll_ms, _) = get_status(&bus).expect("dfuMANIFEST");
        wait(poll_ms + 20);
        assert_eq!(get_status(&bus), Ok((expected, 0, 10)));
        assert_eq!(bus.headset(PORT).state().firmware.version, "1.00", "no new version");
        bus.reset(PORT).expect("present");
        assert_eq!(get_status(&bus), Ok((10, 0, 10)), "errFIRMWARE: stays in DFU mode");
        out(&bus, 0, 4, 0, &[]).expect("CLRSTATUS");
    }
    download(&bus, &whole);
    assert_eq!((next(&changes), next(&changes)), (Change::Left(PORT.into()), Change::Arrived(PORT.into())));
    assert_eq!(bus.devices()[0].bcd_device, 0x0120);
}

#[test]
fn a_reset_during_manifestation_breaks_the_device_and_is_logged() {
    let bus = bus_with(Setup { will_detach: false, manifest_ms: 5000, ..quick() });
    out(&bus, 1, 0, 1000, &[]).expect("DETACH");
    bus.reset(PORT).expect("present");
    let headset = bus.headset(PORT);
    assert!(headset.wait_for(PATIENCE, |state| state.present).is_some());
    download(&bus, &firmware::build(0x0120, 2000));
    assert_eq!(get_status(&bus), Ok((0, 5000, 7)));
    bus.reset(PORT).expect("present");
    let state = headset.state();
    assert_eq!((state.firmware.updates_broken, state.firmware.valid), (1, false));
    assert_eq!(
        (state.mode, state.dfu.state, state.dfu.status),
        (Mode::Dfu, DfuState::Error, DfuStatus::ErrFirmware)
    );
    let broken: Vec<_> =
        headset.log().into_iter().filter(|entry| entry.severity == Severity::Broken).collect();
    assert_eq!(broken.len(), 1);
    assert!(broken[0].text.contains("USB reset during manifestation"), "{}", broken[0].text);
}

#[test]
fn armed_faults_strike_once_where_they_were_armed() {
    let bus = bus_with(Setup { poll_timeout_ms: 0, ..quick() });
    let changes = bus.changes();
    let headset = bus.headset(PORT);
    to_dfu_mode(&bus, &changes);
    for (how, expected) in [(How::ErrVerify, 7), (How::ErrProg, 6)] {
        headset.fail(Fault { at_block: 1, how });
        out(&bus, 0, 1, 0, &[1; 64]).expect("block 0 is untouched");
        assert_eq!(get_status(&bus), Ok((0, 0, 5)));
        out(&bus, 0, 1, 1, &[1; 64]).expect("the DNLOAD itself is taken");
        assert_eq!(get_status(&bus), Ok((expected, 0, 10)));
        out(&bus, 0, 4, 0, &[]).expect("CLRSTATUS");
    }
    headset.fail(Fault { at_block: 0, how: How::Stall });
    assert_eq!(out(&bus, 0, 1, 0, &[1; 64]), Err(UsbError::Stall));
    out(&bus, 0, 4, 0, &[]).expect("CLRSTATUS");
    headset.fail(Fault { at_block: 0, how: How::NoAnswer });
    let before = Instant::now();
    assert_eq!(out(&bus, 0, 1, 0, &[1; 64]), Err(UsbError::Timeout));
    assert!(before.elapsed() >= Duration::from_millis(200));

    for (how, answer) in [(How::Unplug, Ok(())), (How::UnplugUnanswered, Err(UsbError::NoDevice))] {
        headset.fail(Fault { at_block: 1, how });
        out(&bus, 0, 1, 0, &[1; 64]).expect("block 0");
        assert_eq!(get_status(&bus), Ok((0, 0, 5)));
        assert_eq!(out(&bus, 0, 1, 1, &[1; 64]), answer);
        assert_eq!(next(&changes), Change::Left(PORT.into()));
        assert!(!headset.state().plugged);
        assert_eq!(get_status(&bus), Err(UsbError::NoDevice));
        headset.plug();
        assert_eq!(next(&changes), Change::Arrived(PORT.into()));
        assert_eq!(bus.devices()[0].pid, 0x0002, "the erased device comes back in DFU mode");
        assert_eq!(get_status(&bus), Ok((10, 0, 10)));
        out(&bus, 0, 4, 0, &[]).expect("CLRSTATUS");
    }
}

#[test]
fn a_dual_bank_device_survives_an_interrupted_download() {
    let bus = bus_with(Setup { dual_bank: true, ..quick() });
    let changes = bus.changes();
    to_dfu_mode(&bus, &changes);
    out(&bus, 0, 1, 0, &[1; 1024]).expect("block 0");
    bus.unplug(PORT);
    bus.replug(PORT);
    let device = &bus.devices()[0];
    assert_eq!((device.pid, device.bcd_device), (0x0001, 0x0100));
}

#[test]
fn runtime_mode_refuses_what_belongs_to_dfu_mode() {
    let bus = bus_with(quick());
    assert_eq!(out(&bus, 1, 1, 0, &[1; 64]), Err(UsbError::Stall));
    assert_eq!(out(&bus, 0, 0, 1000, &[]), Err(UsbError::Stall), "DETACH to the HID interface");
    let state = bus.control(PORT, [0xA1, 5, 0, 0, 1, 0, 1, 0], &[]);
    assert_eq!(state, Ok(vec![0]), "appIDLE");
}

//! A device's descriptors as bytes: which DFU interface it has. Generated ones are judged by what was put in.

use dfu::usb_dfu::{DfuInterface, FunctionalDescriptor, Mode, UsbIdentity};

#[path = "../../tests/support/seed.rs"]
mod seed;

const FUNCTIONAL: [u8; 9] = [9, 0x21, 9, 0xe8, 3, 0, 4, 0x10, 1];

fn configuration(value: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let [low, high] = (content.len() as u16 + 9).to_le_bytes();
    [&[9, 2, low, high, 1, value, 0, 0x80, 50][..], &content].concat()
}

fn dfu_setting(number: u8, alternate: u8, protocol: u8) -> [u8; 9] {
    [9, 4, number, alternate, 0, 0xfe, 1, protocol, 4]
}

fn found(descriptors: &[u8]) -> Option<(u8, Mode, u16)> {
    DfuInterface::find(descriptors, None).map(|d| (d.interface, d.mode, d.functional.transfer_size))
}

/// The functional descriptor belongs to the interface, not to one of its settings (DFU 1.1 §4.2).
#[test]
fn the_functional_descriptor_belongs_to_all_alternate_settings() {
    let after_the_last = [
        9, 2, 0x24, 0, 1, 1, 0, 0x80, 0x32, 9, 4, 0, 0, 0, 0xfe, 1, 2, 4, 9, 4, 0, 1, 0, 0xfe, 1, 2, 4, 9,
        0x21, 9, 0xe8, 3, 0, 4, 0x10, 1,
    ];
    assert_eq!(found(&after_the_last), Some((0, Mode::Dfu, 1024)));
    let settings = [dfu_setting(0, 0, 2), dfu_setting(0, 1, 2), dfu_setting(0, 2, 2)];
    let small = [9, 0x21, 9, 0xe8, 3, 64, 0, 0x10, 1];
    let [a, b, c] = &settings;
    for content in [[a, &FUNCTIONAL, b, c], [a, b, &FUNCTIONAL, c], [a, b, c, &FUNCTIONAL]] {
        assert_eq!(found(&configuration(1, &content.map(|d| &d[..]))), Some((0, Mode::Dfu, 1024)));
    }
    // Of several the first: the setting that is active after enumeration is the first.
    assert_eq!(found(&configuration(1, &[a, &small, b, &FUNCTIONAL])), Some((0, Mode::Dfu, 64)));
    // One that is no functional descriptor hides none.
    let broken = [8, 0x21, 9, 0xe8, 3, 64, 0, 0x10];
    assert_eq!(found(&configuration(1, &[a, &broken, b, &FUNCTIONAL])), Some((0, Mode::Dfu, 1024)));
    // Settings of one interface need not stand side by side.
    let vendor = [9, 4, 7, 0, 0, 0xff, 0, 0, 0];
    assert_eq!(found(&configuration(1, &[a, &vendor, b, &FUNCTIONAL])), Some((0, Mode::Dfu, 1024)));
}

#[test]
fn the_functional_descriptor_may_stand_elsewhere_in_the_configuration() {
    let hid: &[u8] =
        &[9, 4, 3, 0, 1, 3, 0, 0, 0, 9, 0x21, 0x11, 1, 0, 1, 0x22, 0x00, 0x01, 7, 5, 0x81, 3, 64, 0, 4];
    let association: &[u8] = &[8, 0x0b, 3, 2, 0xfe, 1, 1, 0];
    let card: &[u8] = &[9, 4, 5, 0, 0, 0x0b, 0, 0, 0, 54, 0x21, 0x10, 1];
    let card = [card, &[0; 50]].concat();
    let dfu: &[u8] = &dfu_setting(9, 0, 1);
    let runtime = Some((9, Mode::Runtime, 1024));
    // On the configuration, or just before the interface, behind another one.
    assert_eq!(found(&configuration(1, &[&FUNCTIONAL, hid, dfu])), runtime);
    assert_eq!(found(&configuration(1, &[&FUNCTIONAL, dfu])), runtime);
    assert_eq!(found(&configuration(1, &[hid, association, &FUNCTIONAL, dfu])), runtime);
    assert_eq!(found(&configuration(1, &[hid, &card, dfu, &[7, 5, 1, 2, 64, 0, 0], &FUNCTIONAL])), runtime);
    // The HID and the smart card descriptor have its type number and are none: a wrong transfer size would be sent.
    assert_eq!(found(&configuration(1, &[hid, dfu])), None);
    assert_eq!(found(&configuration(1, &[hid, &card, dfu])), None);
    assert_eq!(
        found(&configuration(1, &[hid, &[7, 0x21, 1, 0, 0, 64, 0], dfu])),
        None,
        "certain by its version only"
    );
    let odd_version = [9, 0x21, 1, 0, 0, 64, 0, 0x20, 2];
    assert_eq!(found(&configuration(1, &[&[9, 4, 7, 0, 0, 0xff, 0, 0, 0], &odd_version, dfu])), None);
    assert_eq!(found(&configuration(1, &[hid, &FUNCTIONAL])), None, "no DFU interface");
}

#[test]
fn a_device_says_who_it_is() {
    let with = |vid: u16, pid: u16, bcd_device: u16| {
        let words = [vid, pid, bcd_device].map(u16::to_le_bytes).concat();
        let device = [&[18, 1, 0, 2, 0, 0, 0, 64], &words[..], &[1, 2, 3, 1]].concat();
        [device, configuration(4, &[&dfu_setting(3, 0, 1), &FUNCTIONAL])].concat()
    };
    for (vid, pid, bcd_device) in [(0x1209, 1, 0x0120), (0xffff, 0xfffe, 0xffff), (0, 0x100, 0x0a12)] {
        let identity = UsbIdentity::read("1-2.3", &with(vid, pid, bcd_device), Some(4)).expect("a device");
        assert_eq!((identity.vid, identity.pid, identity.bcd_device), (vid, pid, bcd_device));
        assert_eq!((identity.port.as_str(), identity.dfu.map(|dfu| dfu.interface)), ("1-2.3", Some(3)));
    }
    let good = with(1, 2, 3);
    assert_eq!(UsbIdentity::read("1-1", &good[..18], None).map(|identity| identity.dfu), Some(None));
    for none in [&good[..17], &good[18..], &[17, 1, 0, 2, 0, 0, 0, 64, 9, 0x12, 1, 0, 0, 1, 1, 2, 3, 1]] {
        assert_eq!(UsbIdentity::read("1-1", none, None), None);
    }
}

#[test]
fn the_configuration_in_force_has_the_interface() {
    // The caller may leave what stands before the first configuration.
    let device: &[u8] = &[18, 1, 0, 2, 0, 0, 0, 64, 9, 0x12, 1, 0, 0, 1, 1, 2, 3, 2];
    let vendor: &[u8] = &[9, 4, 0, 0, 0, 0xff, 0, 0, 0];
    let bare = configuration(1, &[vendor]);
    let able = configuration(2, &[vendor, &dfu_setting(3, 0, 1), &FUNCTIONAL]);
    let both = [device, &bare, &able].concat();
    let find = |bytes: &[u8], active| DfuInterface::find(bytes, active).map(|dfu| dfu.interface);
    assert_eq!(find(&both, Some(2)), Some(3));
    assert_eq!(find(&both, Some(1)), None, "an interface of another configuration cannot be spoken to");
    assert_eq!(find(&both, None), None);
    assert_eq!(find(&both, Some(9)), None, "the first, if none has this value");
    assert_eq!(find(&[device, &able, &bare].concat(), Some(9)), Some(3));
    // Some devices describe it in one configuration only.
    let without = configuration(1, &[&dfu_setting(3, 0, 1)]);
    assert_eq!(find(&[device, &without, &able].concat(), Some(1)), Some(3));
    assert_eq!(find(&without, Some(1)), None);
    assert_eq!(find(&[], Some(1)), None);
    assert_eq!(find(device, Some(1)), None);
}

#[test]
fn of_several_dfu_interfaces_the_one_that_takes_firmware() {
    let reader = [9, 0x21, 2, 0xe8, 3, 64, 0, 0x10, 1];
    let (log, firmware) = (dfu_setting(2, 0, 1), dfu_setting(6, 0, 1));
    assert_eq!(
        found(&configuration(1, &[&log, &reader, &firmware, &FUNCTIONAL])),
        Some((6, Mode::Runtime, 1024))
    );
    assert_eq!(found(&configuration(1, &[&log, &firmware, &FUNCTIONAL])), Some((6, Mode::Runtime, 1024)));
    assert_eq!(found(&configuration(1, &[&log, &reader])), Some((2, Mode::Runtime, 64)), "it says why not");
    // The mode is that of the setting in force after enumeration; a protocol of its own makes no DFU interface.
    let settings = [dfu_setting(4, 1, 2), dfu_setting(4, 0, 1), dfu_setting(4, 2, 2)];
    assert_eq!(
        found(&configuration(1, &[&settings[0], &settings[1], &settings[2], &FUNCTIONAL])),
        Some((4, Mode::Runtime, 1024))
    );
    assert_eq!(found(&configuration(1, &[&dfu_setting(4, 0, 3), &FUNCTIONAL])), None);
    // Of two that claim to be the same setting the first.
    let twice = [dfu_setting(4, 0, 2), dfu_setting(4, 0, 1)];
    assert_eq!(found(&configuration(1, &[&twice[0], &twice[1], &FUNCTIONAL])), Some((4, Mode::Dfu, 1024)));
}

/// What is DFU of some models alone: class FE/01 with protocol 00, and the vendor's class.
#[test]
fn an_irregular_interface_is_found_where_there_is_no_other() {
    let zero = dfu_setting(4, 0, 0);
    let irregular = |of_class, protocol| Some((4, Mode::Irregular { of_class, protocol }, 1024));
    assert_eq!(found(&configuration(1, &[&zero, &FUNCTIONAL])), irregular(true, 0));
    assert_eq!(found(&configuration(1, &[&zero])), None);
    let vendor = |protocol| [9, 4, 4, 0, 0, 0xff, 7, protocol, 0];
    for protocol in 0..=2 {
        assert_eq!(found(&configuration(1, &[&vendor(protocol), &FUNCTIONAL])), irregular(false, protocol));
    }
    assert_eq!(found(&configuration(1, &[&vendor(3), &FUNCTIONAL])), None);
    // A vendor puts much into its own interfaces, also under the type number 0x21.
    let odd = [9, 0x21, 1, 0, 0, 64, 0, 0x20, 2];
    assert_eq!(found(&configuration(1, &[&vendor(2), &odd])), None);
    assert_eq!(found(&configuration(1, &[&FUNCTIONAL, &vendor(2)])), None, "not its own");
    assert!(found(&configuration(1, &[&zero, &odd])).is_some(), "of its class it can be nothing else");
    // One that is DFU by the specification comes first, wherever it stands.
    let regular = dfu_setting(5, 0, 1);
    for settings in [[&zero, &regular], [&regular, &zero]] {
        let all = configuration(1, &[settings[0], &FUNCTIONAL, settings[1], &FUNCTIONAL]);
        assert_eq!(found(&all), Some((5, Mode::Runtime, 1024)));
    }
    let both = [dfu_setting(4, 0, 0), dfu_setting(4, 1, 2)];
    assert_eq!(found(&configuration(1, &[&both[0], &both[1], &FUNCTIONAL])), Some((4, Mode::Dfu, 1024)));
}

#[test]
fn lengths_that_lie_end_nothing_early() {
    let good = configuration(1, &[&dfu_setting(0, 0, 2), &dfu_setting(0, 1, 2), &FUNCTIONAL]);
    for total in [0u16, 9, 18, 35, 37, 0xffff] {
        let mut lying = good.clone();
        lying[2..4].copy_from_slice(&total.to_le_bytes());
        lying[4] = total as u8;
        assert_eq!(found(&lying), Some((0, Mode::Dfu, 1024)), "wTotalLength {total}");
    }
    for length in [0, 1, 200] {
        let spoilt = [&good[..], &[length, 0x24, 0]].concat();
        assert_eq!(found(&spoilt), Some((0, Mode::Dfu, 1024)), "then a descriptor of length {length}");
        let hidden = [&good[..18], &[length, 0x24, 0], &good[18..]].concat();
        assert_eq!(found(&hidden), None, "what follows it cannot be read");
    }
    for cut in 0..good.len() {
        assert_eq!(found(&good[..cut]), None, "cut to {cut} bytes");
    }
    // An interface descriptor cut short by its own length owns nothing and hides nothing.
    let short: &[u8] = &[5, 4, 7, 0, 0];
    assert_eq!(
        found(&configuration(1, &[&dfu_setting(0, 0, 2), short, &FUNCTIONAL])),
        Some((0, Mode::Dfu, 1024))
    );
}

/// What a generated device was given, in the order of its bytes.
struct Put {
    /// First byte behind it.
    end: usize,
    configuration: usize,
    what: What,
}

#[derive(Clone)]
enum What {
    Configuration(u8),
    Setting {
        number: u8,
        alternate: u8,
        mode: Mode,
    },
    /// For the interface, wherever the settings of that stand.
    Functional {
        of: Of,
        content: FunctionalDescriptor,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Interface(u8),
    Configuration,
    Orphan,
}

#[derive(Default)]
struct Generator {
    bytes: Vec<u8>,
    puts: Vec<Put>,
    configuration: usize,
}

impl Generator {
    fn put(&mut self, bytes: &[u8], what: What) {
        self.bytes.extend_from_slice(bytes);
        self.puts.push(Put { end: self.bytes.len(), configuration: self.configuration, what });
    }

    fn functional(&mut self, rng: &mut fastrand::Rng, of: Of) {
        let content = FunctionalDescriptor {
            can_download: rng.u8(..4) > 0,
            can_upload: rng.bool(),
            manifestation_tolerant: rng.bool(),
            will_detach: rng.bool(),
            detach_timeout_ms: rng.u16(..),
            transfer_size: rng.u16(1..0xffff),
            bcd_dfu: [0x0100, 0x0101, 0x0110, 0x011a][rng.usize(..4)],
        };
        let bit = |set: bool, at: u8| u8::from(set) << at;
        let attributes = bit(content.can_download, 0)
            | bit(content.can_upload, 1)
            | bit(content.manifestation_tolerant, 2)
            | bit(content.will_detach, 3)
            | rng.u8(..) << 4;
        let mut bytes = vec![0, 0x21, attributes];
        for word in [content.detach_timeout_ms, content.transfer_size, content.bcd_dfu] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        // Away from its interface only the plain form is known from others.
        match if of == Of::Orphan { 0 } else { rng.u8(..4) } {
            1 if content.bcd_dfu == 0x0100 => bytes.truncate(7),
            2 => bytes.extend((0..rng.u8(1..5)).map(|_| rng.u8(..))),
            _ => {}
        }
        bytes[0] = bytes.len() as u8;
        self.put(&bytes, What::Functional { of, content });
    }

    /// What means nothing to DFU.
    fn noise(&mut self, rng: &mut fastrand::Rng) {
        for _ in 0..rng.u8(..3) {
            let kind = [0x05, 0x0b, 0x22, 0x24, 0x25, 0x30, 0x40, 0xff][rng.usize(..8)];
            let length = rng.u8(2..20);
            self.bytes.extend([length, kind]);
            self.bytes.extend((2..length).map(|_| rng.u8(..)));
        }
        if rng.u8(..6) == 0 {
            // Of the right type, but of no length that says anything.
            let length = [2, 5, 6, 8][rng.usize(..4)];
            self.bytes.extend([length, 0x21]);
            self.bytes.extend((2..length).map(|_| rng.u8(..)));
        }
    }

    fn other_interface(&mut self, rng: &mut fastrand::Rng, number: u8) {
        let class = [0x01, 0x03, 0x0b, 0xff, 0xfe][rng.usize(..5)];
        for alternate in 0..rng.u8(1..4) {
            self.bytes.extend([9, 4, number, alternate, 0, class, rng.u8(2..), rng.u8(..), 0]);
            if class == 0x03 {
                self.bytes.extend([9, 0x21, 0x11, 1, 0, 1, 0x22, rng.u8(..), rng.u8(..4)]);
            }
            if class == 0x0b {
                self.bytes.extend([54, 0x21]);
                self.bytes.extend((2..54).map(|_| rng.u8(..)));
            }
            self.noise(rng);
        }
    }

    fn dfu_interface(&mut self, rng: &mut fastrand::Rng, number: u8) {
        let mut alternates: Vec<u8> = (0..rng.u8(1..5)).collect();
        if rng.u8(..4) == 0 {
            rng.shuffle(&mut alternates);
        }
        let mode = if rng.bool() { Mode::Runtime } else { Mode::Dfu };
        for alternate in alternates {
            let mode = match mode {
                Mode::Dfu if rng.u8(..8) == 0 => Mode::Runtime,
                mode => mode,
            };
            let setting = dfu_setting(number, alternate, if mode == Mode::Dfu { 2 } else { 1 });
            self.put(&setting, What::Setting { number, alternate, mode });
            self.noise(rng);
            if rng.u8(..3) == 0 {
                self.functional(rng, Of::Interface(number));
                self.noise(rng);
            }
        }
    }

    fn configuration(&mut self, rng: &mut fastrand::Rng, value: u8) {
        let total = rng.u16(..).to_le_bytes();
        let header = [9, 2, total[0], total[1], rng.u8(..), value, 0, 0x80, 50];
        self.put(&header, What::Configuration(value));
        self.noise(rng);
        if rng.u8(..8) == 0 {
            self.functional(rng, Of::Configuration);
        }
        let mut numbers: Vec<u8> = (0..=255).collect();
        rng.shuffle(&mut numbers);
        for number in numbers.into_iter().take(rng.usize(..5)) {
            if rng.u8(..5) < 2 {
                self.dfu_interface(rng, number);
            } else {
                self.other_interface(rng, number);
                if rng.u8(..6) == 0 {
                    self.functional(rng, Of::Orphan);
                }
            }
        }
        self.configuration += 1;
    }
}

/// The interface by the records alone: by what was put before `end`.
fn truth(puts: &[Put], end: usize, active: Option<u8>) -> Option<DfuInterface> {
    let read: Vec<&Put> = puts.iter().filter(|put| put.end <= end).collect();
    let value = |put: &&&Put| matches!(put.what, What::Configuration(value) if Some(value) == active);
    let chosen = read.iter().find(value).or(read.first())?.configuration;
    let mut order: Vec<usize> = read.iter().map(|put| put.configuration).collect();
    order.dedup();
    order.retain(|configuration| *configuration != chosen);
    order.insert(0, chosen);
    let settings = |configuration: usize| {
        read.iter().filter(move |put| put.configuration == configuration).filter_map(|put| match put.what {
            What::Setting { number, alternate, mode } => Some((number, alternate, mode)),
            _ => None,
        })
    };
    let functional = |number: u8| {
        order.iter().find_map(|configuration| {
            let is_dfu = settings(*configuration).any(|(other, ..)| other == number);
            let of = |wanted: Of| {
                read.iter().filter(|put| put.configuration == *configuration).find_map(|put| {
                    match &put.what {
                        What::Functional { of, content } if *of == wanted => Some(content.clone()),
                        _ => None,
                    }
                })
            };
            let own = if is_dfu { of(Of::Interface(number)) } else { None };
            own.or_else(|| of(Of::Configuration)).or_else(|| of(Of::Orphan))
        })
    };
    let mut numbers: Vec<u8> = Vec::new();
    for (number, ..) in settings(chosen) {
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    let all: Vec<DfuInterface> = numbers
        .into_iter()
        .filter_map(|number| {
            let lowest = settings(chosen).filter(|(other, ..)| *other == number).min_by_key(|s| s.1);
            let (_, _, mode) = lowest.expect("it has a setting");
            Some(DfuInterface { interface: number, mode, functional: functional(number)? })
        })
        .collect();
    all.iter().find(|dfu| dfu.functional.can_download).or(all.first()).cloned()
}

#[test]
fn what_was_put_into_a_device_is_found_in_its_bytes() {
    let (mut with, mut without) = (0, 0);
    for seed in seed::runs(20_000) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut device = Generator::default();
        if rng.bool() {
            device.bytes.extend([18, 1, 0, 2, 0, 0, 0, 64, 9, 0x12, 1, 0, 0, 1, 1, 2, 3, 1]);
        }
        for value in 1..=[1, 1, 2, 3][rng.usize(..4)] {
            device.configuration(&mut rng, value);
        }
        let active = [None, Some(1), Some(2), Some(0)][rng.usize(..4)];
        let mut bytes = device.bytes;
        let mut end = bytes.len();
        match rng.u8(..8) {
            0 => {
                end = rng.usize(..=end);
                bytes.truncate(end);
            }
            // At the end of something, a descriptor that says no length, and what nobody can read behind it.
            1 => {
                end = device.puts[rng.usize(..device.puts.len())].end;
                bytes.splice(end..end, [rng.u8(..2), 0x24]);
            }
            _ => {}
        }
        let expected = truth(&device.puts, end, active);
        match &expected {
            Some(_) => with += 1,
            None => without += 1,
        }
        // What stands for DFU in some models is in another test.
        let regular = |dfu: &DfuInterface| !matches!(dfu.mode, Mode::Irregular { .. });
        let found = DfuInterface::find(&bytes, active).filter(regular);
        assert_eq!(found, expected, "SEED={seed} repeats this run: active {active:?}, {bytes:02x?}");
    }
    println!("{with} with a DFU interface, {without} without");
}

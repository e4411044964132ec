//! Mutated good input must be refused or read, never panic, and never make the reader hold more than its bounds; and
//! what is read means the same when it is written again.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../tests/support/seed.rs"]
mod seed;

use std::collections::BTreeMap;

use dfu::FirmwareVersion;
use dfu::image::{Image, MAX_IMAGE_BYTES, Suffix};
use dfu::package::{Component, Method, Package, Rules, Target, pack};
use dfu::unpack::Unpacker;
use dfu::usb_dfu::{DfuInterface, FunctionalDescriptor, Mode};

const ROUNDS: usize = 20_000;

fn mutate(rng: &mut fastrand::Rng, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..rng.usize(1..6) {
        if bytes.is_empty() {
            bytes.push(rng.u8(..));
        }
        let at = rng.usize(..bytes.len());
        match rng.u8(..7) {
            0 => bytes[at] = rng.u8(..),
            1 => bytes[at] ^= 1 << rng.u8(..8),
            2 => bytes[at] = [0, 0xff, 0x7f, 0x80][rng.usize(..4)],
            3 => bytes.truncate(at),
            4 => bytes.insert(at, rng.u8(..)),
            5 => {
                let to = rng.usize(at..bytes.len());
                let piece = bytes[at..to].to_vec();
                let place = rng.usize(..=bytes.len());
                bytes.splice(place..place, piece);
            }
            _ => {
                let width = rng.usize(1..=4).min(bytes.len() - at);
                bytes[at..at + width].fill(0xff);
            }
        }
    }
    bytes
}

fn hammer(name: &str, good: &[u8], read: impl Fn(&[u8]) -> bool) {
    assert!(read(good), "{name}: the good input is not read");
    let mut rng = seed::random();
    let mut accepted = 0;
    for round in 0..ROUNDS {
        let bytes = mutate(&mut rng, good);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(&bytes)));
        match result {
            Ok(taken) => accepted += usize::from(taken),
            Err(_) => panic!("{name}: round {round}, bytes {bytes:02x?}"),
        }
    }
    println!("{name}: {accepted} of {ROUNDS} mutations were read");
    assert!(accepted < ROUNDS, "{name}: everything is accepted");
}

/// What is sent to a device of an image that was found in `source`.
fn sent_of(image: &Image, source: &[u8]) -> Vec<u8> {
    let mut payload = vec![0; image.payload_bytes.try_into().unwrap()];
    Unpacker::new(source, image.place).read(0, &mut payload).unwrap();
    payload
}

/// The bytes of a file that is read as `image`.
fn file(image: &Image, source: &[u8]) -> Vec<u8> {
    let payload = sent_of(image, source);
    match image.suffix {
        Some(suffix) => Image::with_suffix(&payload, suffix),
        None => payload,
    }
}

/// Packs what was read once more, and reads that.
fn packed_again(package: &Package, source: &[u8]) -> (Rules, Package, Vec<u8>) {
    let mut rules = package.rules.clone();
    let mut files = BTreeMap::new();
    for component in &mut rules.components {
        let bytes = file(package.component_image(&component.id).unwrap(), source);
        (component.size, component.crc32) = (bytes.len() as u64, None);
        files.insert(component.file.clone(), bytes);
    }
    let again = pack(&rules, &files).unwrap();
    (rules, Package::open(&again).unwrap(), again)
}

#[test]
fn packages() {
    let payload: Vec<u8> = (0..300u16).map(|at| at as u8).collect();
    let version = FirmwareVersion::from_bcd(0x0120).unwrap();
    let component = Component {
        id: "a".to_owned(),
        file: "a.dfu".to_owned(),
        method: Method::UsbDfu,
        version,
        size: 300,
        crc32: None,
    };
    let rules = Rules {
        schema: 1,
        name: "n".to_owned(),
        vendor: "v".to_owned(),
        version,
        targets: vec![Target { vid: 1, pid: 2 }],
        components: vec![component],
        expected_minutes: None,
        release_notes: None,
        battery_percent_minimum: None,
    };
    let good = pack(&rules, &BTreeMap::from([("a.dfu".to_owned(), payload)])).unwrap();
    hammer("package", &good, |bytes| match Package::open(bytes) {
        Ok(package) => {
            for component in &package.rules.components {
                let image = package.component_image(&component.id).unwrap();
                assert!(image.payload_bytes <= component.size);
            }
            let (rules, again, zip) = packed_again(&package, bytes);
            assert_eq!(again.rules, rules);
            for component in &rules.components {
                let (one, other) =
                    (package.component_image(&component.id), again.component_image(&component.id));
                let (one, other) = (one.unwrap(), other.unwrap());
                assert_eq!((sent_of(one, bytes), one.suffix), (sent_of(other, &zip), other.suffix));
            }
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    });
    hammer("rules", &rules.to_json(), |bytes| match Rules::parse(bytes) {
        Ok(rules) => {
            assert_eq!(Rules::parse(&rules.to_json()).unwrap(), rules);
            true
        }
        Err(_) => false,
    });
}

#[test]
fn images() {
    let suffix = Suffix { bcd_device: 0xffff, vid: 1, pid: 2, bcd_dfu: 0x0100 };
    hammer("image", &Image::with_suffix(&[3; 40], suffix), |bytes| match Image::parse(bytes) {
        Ok(image) => {
            assert!((1..=MAX_IMAGE_BYTES.min(bytes.len() as u64)).contains(&image.payload_bytes));
            assert!(bytes.starts_with(&sent_of(&image, bytes)));
            let again = Image::parse(&file(&image, bytes)).unwrap();
            assert_eq!((again.payload_bytes, again.suffix), (image.payload_bytes, image.suffix));
            true
        }
        Err(_) => false,
    });
}

/// The shortest configuration with this interface.
fn described(dfu: &DfuInterface) -> Vec<u8> {
    let FunctionalDescriptor { can_download, can_upload, manifestation_tolerant, will_detach, .. } =
        dfu.functional;
    let bits = [can_download, can_upload, manifestation_tolerant, will_detach];
    let attributes = bits.iter().enumerate().map(|(at, set)| u8::from(*set) << at).sum();
    let (class, protocol) = match dfu.mode {
        Mode::Runtime => (0xfe, 1),
        Mode::Dfu => (0xfe, 2),
        Mode::Irregular { of_class, protocol } => (if of_class { 0xfe } else { 0xff }, protocol),
    };
    let mut bytes = vec![9, 2, 27, 0, 1, 1, 0, 0x80, 50, 9, 4, dfu.interface, 0, 0, class, 1, protocol, 0];
    bytes.extend([9, 0x21, attributes]);
    for word in [dfu.functional.detach_timeout_ms, dfu.functional.transfer_size, dfu.functional.bcd_dfu] {
        bytes.extend(word.to_le_bytes());
    }
    bytes
}

#[test]
fn configuration_descriptors() {
    let good = [
        9, 2, 36, 0, 1, 1, 0, 0x80, 50, 9, 4, 3, 0, 0, 0xfe, 1, 1, 0, 9, 4, 3, 1, 0, 0xfe, 1, 1, 0, 9, 0x21,
        0x0d, 0xe8, 0x03, 0x00, 0x04, 0x10, 0x01,
    ];
    hammer("descriptors", &good, |bytes| match DfuInterface::find(bytes, Some(1)) {
        Some(dfu) => {
            assert!(dfu.functional.transfer_size > 0);
            assert_eq!(DfuInterface::find(&described(&dfu), Some(1)), Some(dfu));
            true
        }
        None => false,
    });
}

//! Mutated good input must be refused or read, never panic, and never make the reader hold more than its bounds.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../tests/support/seed.rs"]
mod seed;

use std::collections::BTreeMap;

use dfu::FirmwareVersion;
use dfu::image::{Image, MAX_IMAGE_BYTES, Suffix};
use dfu::package::{Component, Method, Package, Rules, Target, pack};
use dfu::usb_dfu::DfuInterface;

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
            let image = package.component_image("a");
            assert!(image.is_none_or(|image| image.payload.len() as u64 <= package.rules.components[0].size));
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    });
    hammer("rules", &rules.to_json(), |bytes| Rules::parse(bytes).is_ok());
}

#[test]
fn images() {
    let suffix = Suffix { bcd_device: 0xffff, vid: 1, pid: 2, bcd_dfu: 0x0100 };
    hammer("image", &Image::with_suffix(&[3; 40], suffix), |bytes| match Image::parse(bytes) {
        Ok(image) => {
            assert!(!image.payload.is_empty() && image.payload.len() <= bytes.len().min(MAX_IMAGE_BYTES));
            assert!(bytes.starts_with(&image.payload));
            true
        }
        Err(_) => false,
    });
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
            true
        }
        None => false,
    });
}

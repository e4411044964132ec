//! Packages are files that are read by ranges: never whole, never the wrong bytes, and a file that cannot be read is
//! not a damaged one.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../tests/support/seed.rs"]
mod seed;

use std::cell::Cell;
use std::collections::BTreeMap;

use dfu::FirmwareVersion;
use dfu::image::{Image, Suffix};
use dfu::package::{ArchiveError, Component, Crc32, Method, Package, PackageError, Rules, Target, pack};
use dfu::ranges::{Ranges, Unread};
use dfu::unpack::{Place, UnpackError, Unpacker};

/// No larger range is asked for, however large the package is.
const MOST_AT_ONCE: usize = 16 << 10;

/// A file that keeps count, and whose disk fails at one of its reads.
struct Disk<'a> {
    bytes: &'a [u8],
    reads: Cell<usize>,
    largest: Cell<usize>,
    fails_at: Option<usize>,
}

impl<'a> Disk<'a> {
    fn of(bytes: &'a [u8], fails_at: Option<usize>) -> Disk<'a> {
        Disk { bytes, reads: Cell::default(), largest: Cell::default(), fails_at }
    }
}

impl Ranges for Disk<'_> {
    fn len(&self) -> u64 {
        Ranges::len(self.bytes)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), Unread> {
        let read = self.reads.replace(self.reads.get() + 1);
        self.largest.set(self.largest.get().max(into.len()));
        if self.fails_at == Some(read) {
            return Err(Unread { at, why: "input/output error".to_owned() });
        }
        self.bytes.read_at(at, into)
    }
}

/// Firmware that deflates a little.
fn payload(bytes: u32) -> Vec<u8> {
    (0..bytes).map(|at| ((at.wrapping_mul(2_654_435_761)) >> 28) as u8).collect()
}

/// Packages of up to 1 MiB are deflated, larger ones stored.
fn package(payload: &[u8]) -> Vec<u8> {
    let version = FirmwareVersion::from_bcd(0x0120).unwrap();
    let suffix = Suffix { bcd_device: 0x0120, vid: 0x1209, pid: 1, bcd_dfu: 0x0100 };
    let file = Image::with_suffix(payload, suffix);
    let rules = Rules {
        schema: 1,
        name: "n".to_owned(),
        vendor: "v".to_owned(),
        version,
        targets: vec![Target { vid: 0x1209, pid: 1 }],
        components: vec![Component {
            id: "a".to_owned(),
            file: "a.dfu".to_owned(),
            method: Method::UsbDfu,
            version,
            size: file.len() as u64,
            crc32: Some(Crc32(crc32fast::hash(&file))),
        }],
        expected_minutes: None,
        release_notes: None,
        battery_percent_minimum: None,
    };
    pack(&rules, &BTreeMap::from([("a.dfu".to_owned(), file)])).unwrap()
}

fn image(zip: impl Ranges) -> Image {
    *Package::open(zip).unwrap().component_image("a").unwrap()
}

#[test]
fn a_package_is_never_read_whole() {
    for bytes in [300, 1_000_000, 3_000_000] {
        let (payload, mut block) = (payload(bytes), [0; 4096]);
        let zip = package(&payload);
        let disk = Disk::of(&zip, None);
        let image = image(&disk);
        assert_eq!(image.payload_bytes, u64::from(bytes));
        let mut unpacker = Unpacker::new(&disk, image.place);
        for (at, expected) in payload.chunks(block.len()).enumerate() {
            let from = (at * block.len()) as u64;
            unpacker.read(from, &mut block[..expected.len()]).unwrap();
            assert_eq!(&block[..expected.len()], expected, "{bytes} bytes, from {from}");
        }
        assert!(disk.largest.get() <= MOST_AT_ONCE, "{bytes} bytes: {} at once", disk.largest.get());
        // Once to check, once to send, in pieces; not once for each block.
        let most = 4 * (zip.len() / 4096 + 8);
        assert!(disk.reads.get() <= most, "{bytes} bytes: {} reads", disk.reads.get());
    }
}

#[test]
fn any_range_is_what_it_is_forwards_and_backwards() {
    let mut random = seed::random();
    for bytes in [70_000, 1_200_000] {
        let payload = payload(bytes);
        let zip = package(&payload);
        let mut unpacker = Unpacker::new(zip.as_slice(), image(&zip).place);
        for _ in 0..60 {
            let from = random.usize(..payload.len());
            let mut range = vec![0; random.usize(..=(payload.len() - from).min(9000))];
            unpacker.read(from as u64, &mut range).unwrap();
            assert!(range == payload[from..from + range.len()], "{} bytes from {from}", range.len());
        }
    }
}

#[test]
fn beyond_the_end_of_an_entry_there_is_nothing() {
    for bytes in [500, 1_200_000] {
        let zip = package(&payload(bytes));
        let image = image(&zip);
        let mut unpacker = Unpacker::new(zip.as_slice(), image.place);
        let end = image.place.bytes();
        assert_eq!(end, u64::from(bytes) + 16, "the suffix is a part of the file");
        assert_eq!(unpacker.read(end - 1, &mut [0]), Ok(()));
        assert_eq!(unpacker.read(end, &mut []), Ok(()));
        for (from, len) in [(end - 1, 2), (end, 1), (u64::MAX, 1), (u64::MAX, 0)] {
            assert_eq!(unpacker.read(from, &mut vec![0; len]), Err(UnpackError::Ends), "{len} from {from}");
        }
        assert_eq!(unpacker.read(0, &mut [0]), Ok(()), "and it goes on all the same");
    }
    let bytes = [1u8, 2, 3];
    let mut whole = Unpacker::new(&bytes[..], Place::whole(4));
    assert!(matches!(whole.read(0, &mut [0; 4]), Err(UnpackError::Unread(Unread { at: 0, .. }))));
    assert_eq!(bytes[..].read_at(3, &mut []), Ok(()));
    assert!(bytes[..].read_at(4, &mut []).is_err() && bytes[..].read_at(u64::MAX, &mut [0]).is_err());
    assert!(!Ranges::is_empty(&bytes[..]) && Ranges::is_empty(&bytes[..0]));
}

#[test]
fn a_disk_that_fails_is_not_a_damaged_package() {
    for bytes in [100_000, 1_200_000] {
        let zip = package(&payload(bytes));
        let disk = Disk::of(&zip, None);
        let place = image(&disk).place;
        for read in 0..disk.reads.get() {
            let error = Package::open(Disk::of(&zip, Some(read))).unwrap_err();
            assert!(matches!(error, PackageError::Archive(ArchiveError::Unread(_))), "read {read}: {error}");
        }
        let disk = Disk::of(&zip, Some(0));
        let mut unpacker = Unpacker::new(&disk, place);
        let mut block = [0; 4096];
        let failed = unpacker.read(0, &mut block);
        assert!(matches!(failed, Err(UnpackError::Unread(_))), "{bytes} bytes: {failed:?}");
        assert_eq!(unpacker.read(0, &mut block), Ok(()), "the disk works again");
        assert!(block[..] == payload(bytes)[..block.len()]);
    }
}

#[test]
fn a_shared_file_is_the_same_file() {
    let shared = std::sync::Arc::new(b"0123456789".to_vec());
    assert_eq!(Ranges::len(&shared), 10);
    let mut into = [0; 3];
    Ranges::read_at(&shared, 7, &mut into).unwrap();
    assert_eq!(&into, b"789");
    assert!(Ranges::read_at(&shared, 8, &mut into).is_err(), "beyond its end");
}

//! Packages, good and bad, and what of them is kept on disk.

use dfu::image::{Image, Suffix};
use dfu::package::{Component, Crc32, Method, Package, Rules, Target, pack};
use dfu::unpack::Unpacker;
use dfu::usb_dfu::{Block, TransferError};
use hub::machine::{Archive, Fingerprint, Sha256, Verified};
use hub::protocol::Detail;
use simulator::Setup;
use std::collections::BTreeMap;

pub(crate) const OLD: &str = "1.10";
pub(crate) const NEW: &str = "1.20";
/// What is in the image that does not say what its package says.
pub(crate) const OTHER: &str = "1.30";
const IMAGE_BYTES: usize = 2000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Making {
    Good,
    Truncated,
    Tampered,
    OtherVersion,
}

pub(crate) fn setup() -> Setup {
    Setup {
        version_bcd: 0x0110,
        image_bytes: IMAGE_BYTES,
        transfer_size: 256,
        poll_timeout_ms: 5,
        ..Setup::default()
    }
}

/// The packages on disk, by digest, and the one that is open.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    made: BTreeMap<[u8; 32], (Vec<u8>, Verified<Archive>)>,
    here: BTreeMap<[u8; 32], Verified<Archive>>,
    open: Option<Vec<u8>>,
}

impl Kept {
    /// As the tenant has it.
    pub(crate) fn make(&mut self, making: Making) -> Verified<Archive> {
        let bytes = package(making);
        // It only has to tell packages apart.
        let mut sha256 = Sha256([0; 32]);
        for (at, byte) in bytes.iter().enumerate() {
            let cell = &mut sha256.0[at % 32];
            *cell = cell.rotate_left(3) ^ byte;
        }
        let fingerprint = Fingerprint { length: bytes.len() as u64, sha256 };
        let contents = Package::open(bytes.as_slice()).map_err(|error| Detail::from(&error));
        let archive = Verified::vouched(Archive { fingerprint, contents }, 1);
        self.made.insert(sha256.0, (bytes, archive.clone()));
        archive
    }

    pub(crate) fn keep(&mut self, package: &Verified<Archive>) -> Verified<Archive> {
        self.here.insert(package.get().fingerprint.sha256.0, package.clone());
        package.clone()
    }

    pub(crate) fn get(&self, sha256: Sha256) -> Option<Verified<Archive>> {
        self.here.get(&sha256.0).cloned()
    }

    pub(crate) fn open(&mut self, package: &Verified<Archive>) {
        let made = self.made.get(&package.get().fingerprint.sha256.0);
        self.open = made.map(|(bytes, _)| bytes.clone());
    }

    pub(crate) fn block(&self, block: Block) -> Result<Vec<u8>, TransferError> {
        let package = self.open.as_deref().ok_or(TransferError::PackageUnread)?;
        let mut bytes = vec![0; block.bytes.into()];
        let read = Unpacker::new(package, block.place).read(block.from, &mut bytes);
        read.map(|()| bytes).map_err(|_| TransferError::PackageUnread)
    }
}

fn package(making: Making) -> Vec<u8> {
    let bcd = |version: &str| simulator::parse_bcd(version).expect("a version");
    let holds = if making == Making::OtherVersion { OTHER } else { NEW };
    let mut payload = simulator::firmware::build(bcd(holds), IMAGE_BYTES);
    match making {
        Making::Truncated => payload.truncate(IMAGE_BYTES / 2),
        Making::Tampered => payload[IMAGE_BYTES / 2] ^= 1,
        Making::Good | Making::OtherVersion => {}
    }
    let suffix = Suffix { bcd_device: bcd(NEW), vid: 0x1209, pid: 1, bcd_dfu: 0x0100 };
    let file = Image::with_suffix(&payload, suffix);
    let version = NEW.parse().expect("a version");
    let component = Component {
        id: "headset".to_owned(),
        file: "headset.dfu".to_owned(),
        method: Method::UsbDfu,
        version,
        size: file.len() as u64,
        crc32: None::<Crc32>,
    };
    let rules = Rules {
        schema: 1,
        name: "Headset".to_owned(),
        vendor: "Example".to_owned(),
        version,
        targets: vec![Target { vid: 0x1209, pid: 1 }],
        components: vec![component],
        expected_minutes: None,
        release_notes: None,
        battery_percent_minimum: None,
    };
    pack(&rules, &BTreeMap::from([("headset.dfu".to_owned(), file)])).expect("a package")
}

//! A headset as the buses show it, with just enough firmware to be updated: DFU 1.1, will detach, is reset by the
//! host after manifestation.

use super::*;
use dfu::image::{Image, Suffix};
use dfu::package::{Component, Crc32, Method, Package, Rules, pack};
use dfu::usb_dfu::{ControlTransfer, Data, DfuInterface, FunctionalDescriptor, Mode, TransferError};

/// Input 1: hook b0, line busy b1, mute b2 (relative), flash b3 (relative), redial b4 (relative). Output 2: off-hook
/// b0, mute b1, ring b2, hold b3.
#[rustfmt::skip]
const DESCRIPTOR: &[u8] = &[
    0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01,
    0x85, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
    0x95, 0x02, 0x09, 0x20, 0x09, 0x97, 0x81, 0x22,
    0x95, 0x03, 0x09, 0x2F, 0x09, 0x21, 0x09, 0x24, 0x81, 0x06,
    0x95, 0x03, 0x81, 0x01,
    0x85, 0x02, 0x05, 0x08,
    0x95, 0x04, 0x09, 0x17, 0x09, 0x09, 0x09, 0x18, 0x09, 0x20, 0x91, 0x22,
    0x91, 0x01,
    0xC0,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Unplugged,
    Runtime,
    Dfu { state: u8 },
}

#[derive(Clone, Debug)]
pub(super) struct Headset {
    pub(super) path: String,
    pub(super) serial: Option<&'static str>,
    /// Another one with this serial number had it first.
    pub(super) twin: bool,
    pub(super) port: Option<String>,
    pub(super) version: u16,
    pub(super) life: Life,
    pub(super) descriptor: Vec<u8>,
    /// Whether its USB side has a DFU interface.
    pub(super) updatable: bool,
    /// The HID node is there (it may come some time after the USB device).
    pub(super) hid: bool,
    pub(super) address: u8,
    pub(super) taken: Vec<u8>,
    /// It has firmware that runs: no download was begun, or the last one came to its end.
    pub(super) whole: bool,
}

pub(super) fn port_of(n: u8) -> String {
    format!("1-{n}")
}

impl Headset {
    /// `1209:0001`, version 1.10, serial number `HS<n>`, at port `1-<n>`.
    pub(super) fn new(n: u8) -> Self {
        let serial = ["HS0", "HS1", "HS2", "HS3", "HS4"][usize::from(n)];
        Self {
            path: format!("/dev/hidraw{n}"),
            serial: Some(serial),
            twin: false,
            port: Some(port_of(n)),
            version: 0x0110,
            life: Life::Runtime,
            descriptor: DESCRIPTOR.to_vec(),
            updatable: true,
            hid: true,
            address: n * 10,
            taken: Vec::new(),
            whole: true,
        }
    }

    pub(super) fn id(&self) -> String {
        let port = self.port.as_deref();
        let apart = port.filter(|_| self.twin).map(|port| format!("~{port}")).unwrap_or_default();
        format!("1209-0001-{}{apart}", self.serial.or(port).unwrap_or("0"))
    }

    pub(super) fn node(&self) -> Option<HidNode> {
        (self.life == Life::Runtime && self.hid).then(|| HidNode {
            path: self.path.clone(),
            interface: Some(2),
            vendor_id: 0x1209,
            product_id: 1,
            bcd_device: self.version,
            manufacturer: "Example".to_owned(),
            product: "Headset".to_owned(),
            serial: self.serial.map(str::to_owned),
            port: self.port.clone(),
            descriptor: Some(self.descriptor.clone()),
        })
    }

    pub(super) fn device(&self) -> Option<UsbDevice> {
        let (pid, mode) = match self.life {
            Life::Unplugged => return None,
            Life::Runtime => (1, Mode::Runtime),
            Life::Dfu { .. } => (2, Mode::Dfu),
        };
        let functional = FunctionalDescriptor {
            can_download: true,
            can_upload: false,
            manifestation_tolerant: false,
            will_detach: true,
            detach_timeout_ms: 1000,
            transfer_size: 256,
            bcd_dfu: 0x0110,
        };
        let identity = UsbIdentity {
            port: self.port.clone()?,
            vid: 0x1209,
            pid,
            bcd_device: self.version,
            serial: self.serial.map(str::to_owned),
            dfu: self.updatable.then_some(DfuInterface { interface: 3, mode, functional }),
        };
        Some(UsbDevice { address: self.address, identity })
    }

    pub(super) fn becomes(&mut self, life: Life) {
        self.life = life;
        self.address = self.address.wrapping_add(1);
    }

    /// How it comes back when it is plugged in or reset: without firmware in DFU mode.
    pub(super) fn boots(&self) -> Life {
        if self.whole { Life::Runtime } else { Life::Dfu { state: 2 } }
    }

    /// Answers one request and lives on.
    pub(super) fn answer(&mut self, request: &UsbRequest, new: u16) -> Result<Vec<u8>, TransferError> {
        if self.life == Life::Unplugged {
            return Err(TransferError::NoDevice);
        }
        match request {
            UsbRequest::Open { .. } | UsbRequest::Close => Ok(vec![]),
            UsbRequest::Reset => {
                if self.life == (Life::Dfu { state: 8 }) {
                    self.version = new;
                    self.whole = true;
                }
                self.becomes(self.boots());
                Ok(vec![])
            }
            UsbRequest::Control(ControlTransfer { request, data, .. }) => self.control(*request, data),
        }
    }

    fn control(&mut self, request: u8, data: &Data) -> Result<Vec<u8>, TransferError> {
        match (request, data, self.life) {
            (0, _, Life::Runtime) => {
                self.becomes(Life::Dfu { state: 2 });
                self.taken.clear();
                Ok(vec![])
            }
            (1, Data::Empty, Life::Dfu { state: 2 | 5 }) => {
                self.whole = false;
                self.life = Life::Dfu { state: 6 };
                Ok(vec![])
            }
            (1, Data::Block(block), Life::Dfu { state: 2 | 5 }) => {
                if self.life == (Life::Dfu { state: 2 }) {
                    self.taken.clear();
                }
                // All packages hold the same firmware.
                let from = usize::try_from(block.from).expect("small firmware");
                self.taken.extend(&payload()[from..from + usize::from(block.bytes)]);
                self.whole = false;
                self.life = Life::Dfu { state: 3 };
                Ok(vec![])
            }
            (3, _, Life::Dfu { state }) => {
                let state = match state {
                    3 => 5,
                    6 => 8,
                    other => other,
                };
                self.life = Life::Dfu { state };
                Ok(vec![0, 5, 0, 0, state, 0])
            }
            (4 | 6, _, Life::Dfu { .. }) => {
                self.life = Life::Dfu { state: 2 };
                Ok(vec![])
            }
            _ => Err(TransferError::Stall),
        }
    }
}

fn payload() -> Vec<u8> {
    (0..1000u32).map(|n| (n * 7) as u8).collect()
}

pub(super) fn is_whole(headset: &Headset) -> bool {
    headset.taken == payload()
}

/// A package for `1209:<pid>` of one component.
pub(super) fn package(pid: u16, version: &str) -> Verified<Archive> {
    let version: FirmwareVersion = version.parse().expect("a version");
    let suffix = Suffix { bcd_device: version.bcd(), vid: 0x1209, pid, bcd_dfu: 0x0100 };
    let file = Image::with_suffix(&payload(), suffix);
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
        targets: vec![dfu::package::Target { vid: 0x1209, pid }],
        components: vec![component],
        expected_minutes: None,
        release_notes: None,
        battery_percent_minimum: None,
    };
    let files = BTreeMap::from([("headset.dfu".to_owned(), file)]);
    archive(pack(&rules, &files).expect("a package"))
}

/// What came with the tenant's word for it. The digest only has to tell packages apart.
pub(super) fn archive(bytes: Vec<u8>) -> Verified<Archive> {
    let mut sha256 = Sha256([0; 32]);
    for (at, byte) in bytes.iter().enumerate() {
        let cell = &mut sha256.0[at % 32];
        *cell = cell.rotate_left(3) ^ byte;
    }
    let fingerprint = Fingerprint { length: bytes.len() as u64, sha256 };
    let contents = Package::open(bytes.as_slice()).map_err(|error| Detail::from(&error));
    Verified::vouched(Archive { fingerprint, contents }, 1)
}

/// A policy that offers `version` to everybody's `1209:0001`.
pub(super) fn offer(version: &str) -> String {
    let firmware = format!(
        r#"{{"id":"fw","groups":["all-users"],"name":"Headset {version}","version":"{version}",
        "products":[{{"vendor_id":4617,"product_id":1}}],"target":"headset-{version}.zip","deployment":"optional"}}"#
    );
    format!(r#"{{"schema":1,"company":"Example","firmware":[{firmware}]}}"#)
}

impl Rig {
    fn at_port(&mut self, port: &str) -> &mut Headset {
        self.headsets.iter_mut().find(|h| h.port.as_deref() == Some(port)).expect("a headset at the port")
    }

    /// The headset answers until `done`, or until nothing is asked any more; time passes where it has to.
    pub(super) fn update_until(&mut self, new: u16, done: impl Fn(&Rig) -> bool) {
        for _ in 0..10_000 {
            if done(self) || self.left == 0 || self.service.update.device().is_none() {
                return;
            }
            match self.usb.clone() {
                Some((_, request)) => {
                    let port = self.service.update.port().expect("a job").to_owned();
                    let headset = self.at_port(&port);
                    let before = headset.life;
                    let result = headset.answer(&request, new);
                    let moved = matches!(before, Life::Runtime) != matches!(headset.life, Life::Runtime);
                    self.answer_usb(result);
                    if moved {
                        self.feed(Input::WorldChanged(WorldChange::HotPlug));
                    }
                }
                None => match self.service.poll_timeout() {
                    Some((at, _)) => self.pass(at.saturating_duration_since(self.now.instant)),
                    None => return,
                },
            }
        }
        panic!("the update does not end: {:?}", self.job());
    }

    /// The headset at work is asked this.
    pub(super) fn asks(&self, request: &UsbRequest) -> bool {
        self.usb.as_ref().is_some_and(|(_, asked)| asked == request)
    }

    /// What became of the request that is with the shell.
    pub(super) fn answer_usb(&mut self, result: Result<Vec<u8>, TransferError>) {
        let (job, _) = self.usb.clone().expect("a request");
        self.feed(Input::UsbCompleted { job, result });
    }

    pub(super) fn fetched(&mut self, package: Verified<Archive>) {
        let Some((job, Source::Tenant { .. })) = self.fetch else { panic!("{:?}", self.fetch) };
        if let Some(packages) = &mut self.packages {
            packages.insert(package.get().fingerprint.sha256, package.clone());
        }
        self.feed(Input::Fetched { job, result: Ok(package) });
    }
}

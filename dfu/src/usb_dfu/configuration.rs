//! What a device's descriptors say: who it is, and where its DFU interface stands (USB 2.0 §9.6, DFU 1.1 §4.1 and §4.2).

use super::descriptor::{DFU_FUNCTIONAL, FunctionalDescriptor};
use super::identity::{DfuInterface, Mode, UsbIdentity};

const DEVICE: u8 = 0x01;
const CONFIGURATION: u8 = 0x02;
const INTERFACE: u8 = 0x04;
const CLASS_HID: u8 = 0x03;
const CLASS_VENDOR: u8 = 0xff;
/// DFU 1.1 §4.1.2: application-specific class, subclass DFU.
const CLASS_APPLICATION: u8 = 0xfe;
const SUBCLASS_DFU: u8 = 0x01;

/// What one configuration says of DFU.
#[derive(Default)]
struct Configuration {
    /// bConfigurationValue.
    value: u8,
    interfaces: Vec<Interface>,
    /// Before the first interface.
    own: Option<FunctionalDescriptor>,
}

struct Interface {
    /// bInterfaceNumber.
    number: u8,
    /// bAlternateSetting and mode of its lowest DFU setting: the one that is active after enumeration.
    dfu: Option<(u8, Mode)>,
    /// See [`Mode::Irregular`]; of its first such setting.
    irregular: Option<Mode>,
    /// The first that stands after any of its settings.
    functional: Option<FunctionalDescriptor>,
    /// The first that can be nothing else, even after an interface of another class.
    certain: Option<FunctionalDescriptor>,
}

impl UsbIdentity {
    /// Reads the descriptors of the device at `port`: the device descriptor, then its configurations as
    /// [`DfuInterface::find`] takes them. `None` if they do not begin with a device descriptor.
    #[must_use]
    pub fn read(port: &str, descriptors: &[u8], active: Option<u8>) -> Option<UsbIdentity> {
        let (device, configurations) = descriptors.split_at_checked(18)?;
        if device[..2] != [18, DEVICE] {
            return None;
        }
        let word = |at: usize| u16::from_le_bytes([device[at], device[at + 1]]);
        Some(UsbIdentity {
            port: port.to_owned(),
            vid: word(8),
            pid: word(10),
            bcd_device: word(12),
            serial: None,
            dfu: DfuInterface::find(configurations, active),
        })
    }
}

impl DfuInterface {
    /// Finds the DFU interface in one configuration descriptor or several in a row, each with all that follows it.
    /// `active` is the bConfigurationValue in force; without it, or if it names none, the first configuration counts.
    ///
    /// The functional descriptor belongs to the interface (DFU 1.1 §4.2 puts it after the last alternate setting, many
    /// devices after the first), so all its settings are looked through; then what stands before the first interface,
    /// then what stands at other interfaces and can be no HID or other descriptor of the same type number, then the
    /// other configurations. Among several DFU interfaces the first that takes firmware is meant. Where there is none,
    /// the first [`Mode::Irregular`] one: of class FE/01 with protocol 00, or of the vendor's class with a functional
    /// descriptor that can be nothing else.
    ///
    /// Lengths that lie do no harm: wTotalLength and bNumInterfaces are not believed, and a descriptor without a
    /// sensible length ends what can be read, not what was read before it.
    #[must_use]
    pub fn find(descriptors: &[u8], active: Option<u8>) -> Option<DfuInterface> {
        let mut configurations = read(descriptors);
        let named = |value| configurations.iter().position(|configuration| configuration.value == value);
        let at = active.and_then(named).unwrap_or(0);
        configurations.get_mut(..=at)?.rotate_right(1);
        let (in_force, others) = configurations.split_first()?;
        let found = in_force.interfaces.iter().filter_map(|interface| {
            let (_, mode) = interface.dfu?;
            let elsewhere = || others.iter().find_map(|other| other.functional(interface.number));
            let functional = in_force.functional(interface.number).or_else(elsewhere)?.clone();
            Some(DfuInterface { interface: interface.number, mode, functional })
        });
        let found: Vec<DfuInterface> = found.collect();
        let able = found.iter().find(|dfu| dfu.functional.can_download).or(found.first());
        able.cloned().or_else(|| in_force.interfaces.iter().find_map(Interface::irregular))
    }
}

impl Interface {
    fn irregular(&self) -> Option<DfuInterface> {
        let mode = self.irregular.filter(|_| self.dfu.is_none())?;
        let of_class = matches!(mode, Mode::Irregular { of_class: true, .. });
        let functional = if of_class { &self.functional } else { &self.certain }.clone()?;
        Some(DfuInterface { interface: self.number, mode, functional })
    }
}

impl Configuration {
    /// What this configuration says of the DFU interface `number`.
    fn functional(&self, number: u8) -> Option<&FunctionalDescriptor> {
        let is_it = |interface: &&Interface| interface.number == number && interface.dfu.is_some();
        let own = self.interfaces.iter().find(is_it).and_then(|interface| interface.functional.as_ref());
        let certain = || {
            let others = self.interfaces.iter().filter(|interface| interface.dfu.is_none());
            others.filter_map(|interface| interface.certain.as_ref()).next()
        };
        own.or(self.own.as_ref()).or_else(certain)
    }

    /// The interface of a setting, new or known.
    fn interface(&mut self, number: u8) -> usize {
        let known = self.interfaces.iter().position(|interface| interface.number == number);
        known.unwrap_or_else(|| {
            self.interfaces.push(Interface {
                number,
                dfu: None,
                irregular: None,
                functional: None,
                certain: None,
            });
            self.interfaces.len() - 1
        })
    }
}

fn read(descriptors: &[u8]) -> Vec<Configuration> {
    let mut configurations: Vec<Configuration> = Vec::new();
    // The interface that what follows belongs to, and whether a HID descriptor is due there: it has the same type.
    let mut place: Option<(usize, bool)> = None;
    for descriptor in Walk(descriptors) {
        if descriptor[1] == CONFIGURATION {
            let value = descriptor.get(5).copied().unwrap_or_default();
            configurations.push(Configuration { value, ..Configuration::default() });
            place = None;
            continue;
        }
        let Some(configuration) = configurations.last_mut() else { continue };
        match (descriptor, place) {
            ([_, INTERFACE, number, alternate, _, class, subclass, protocol, ..], _) => {
                let at = configuration.interface(*number);
                let mode = mode(*class, *subclass, *protocol);
                let interface = &mut configuration.interfaces[at];
                interface.irregular = interface.irregular.or(irregular(*class, *subclass, *protocol));
                if let Some(mode) = mode
                    && interface.dfu.is_none_or(|(lowest, _)| *alternate < lowest)
                {
                    interface.dfu = Some((*alternate, mode));
                }
                place = Some((at, *class == CLASS_HID));
            }
            ([_, DFU_FUNCTIONAL, ..], Some((at, true))) => place = Some((at, false)),
            ([_, DFU_FUNCTIONAL, ..], _) => {
                let Some(functional) = FunctionalDescriptor::read(descriptor) else { continue };
                let Some((at, _)) = place else {
                    configuration.own.get_or_insert(functional);
                    continue;
                };
                let interface = &mut configuration.interfaces[at];
                if functional.is_certain(descriptor) {
                    interface.certain.get_or_insert(functional.clone());
                }
                interface.functional.get_or_insert(functional);
            }
            _ => {}
        }
    }
    configurations
}

fn mode(class: u8, subclass: u8, protocol: u8) -> Option<Mode> {
    match (class, subclass, protocol) {
        (CLASS_APPLICATION, SUBCLASS_DFU, 0x01) => Some(Mode::Runtime),
        (CLASS_APPLICATION, SUBCLASS_DFU, 0x02) => Some(Mode::Dfu),
        _ => None,
    }
}

fn irregular(class: u8, subclass: u8, protocol: u8) -> Option<Mode> {
    match (class, subclass, protocol) {
        (CLASS_APPLICATION, SUBCLASS_DFU, 0x00) => Some(Mode::Irregular { of_class: true, protocol }),
        (CLASS_VENDOR, _, 0x00..=0x02) => Some(Mode::Irregular { of_class: false, protocol }),
        _ => None,
    }
}

/// Descriptor after descriptor (length, type, content), up to one without a sensible length.
struct Walk<'a>(&'a [u8]);

impl<'a> Iterator for Walk<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(*self.0.first()?);
        let (descriptor, rest) = self.0.split_at_checked(length).filter(|_| length >= 2)?;
        self.0 = rest;
        Some(descriptor)
    }
}

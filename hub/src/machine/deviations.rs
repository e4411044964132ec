//! What the description of a model says of USB DFU, as the engine takes it.

use device_handlers::deviations::UsbDfuDeviations;
use device_handlers::registry;
use dfu::usb_dfu::{Deviations, UsbIdentity};
use std::time::Duration;

/// The device as it is, where its descriptors say something else. All that the role knows of the bus comes through here.
pub(super) fn corrected(device: UsbIdentity) -> UsbIdentity {
    let firmware = registry::firmware(device.vid, device.pid);
    deviations(&firmware.usb_dfu).correct(device, &firmware.dfu_pids)
}

/// Every field by its name: one that is added there is missed here.
pub(super) fn deviations(table: &UsbDfuDeviations) -> Deviations {
    let UsbDfuDeviations {
        can_download,
        manifest_tol,
        will_detach,
        manifest_poll,
        force_version,
        force_transfer_size,
        force_timeout_ms,
        ignore_polltimeout,
        allow_zero_polltimeout,
        no_pid_change,
        force_dfu_mode,
        ignore_runtime,
        no_dfu_runtime,
        use_any_interface,
        use_protocol_zero,
        index_force_detach,
        detach_for_attach,
        no_bus_reset_attach,
        attach_extra_reset,
        attach_upload_download,
    } = *table;
    Deviations {
        can_download,
        manifest_tolerant: manifest_tol,
        will_detach,
        bcd_dfu: force_version,
        transfer_size: force_transfer_size,
        transfer_timeout: force_timeout_ms.map(|ms| Duration::from_millis(ms.into())),
        ignore_poll_timeout: ignore_polltimeout,
        allow_zero_poll_timeout: allow_zero_polltimeout,
        no_pid_change,
        force_dfu_mode,
        ignore_runtime,
        no_dfu_runtime,
        use_any_interface,
        use_protocol_zero,
        index_force_detach,
        detach_for_attach,
        no_bus_reset_attach,
        attach_extra_reset,
        attach_upload_download,
        no_manifest_poll: !manifest_poll,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dfu::usb_dfu::{DfuInterface, FunctionalDescriptor, Mode};

    #[test]
    fn an_interface_that_is_dfu_of_no_known_model_is_none() {
        let functional = FunctionalDescriptor::read(&[9, 0x21, 1, 0, 0, 64, 0, 0x10, 1]).expect("nine bytes");
        let device = |mode| UsbIdentity {
            port: "1-2".to_owned(),
            vid: 0x1209,
            pid: 0x0001,
            bcd_device: 0x0110,
            serial: None,
            dfu: Some(DfuInterface { interface: 3, mode, functional: functional.clone() }),
        };
        assert_eq!(corrected(device(Mode::Irregular { of_class: true, protocol: 0 })).dfu, None);
        for mode in [Mode::Runtime, Mode::Dfu] {
            assert_eq!(corrected(device(mode)), device(mode));
        }
    }

    /// A field alone, and what it is to the engine alone.
    #[test]
    fn every_field_reaches_the_engine_as_itself() {
        let t = UsbDfuDeviations::default;
        let d = Deviations::default;
        assert_eq!(deviations(&t()), d());
        let second = Some(Duration::from_secs(1));
        let cases = [
            (
                UsbDfuDeviations { can_download: Some(true), ..t() },
                Deviations { can_download: Some(true), ..d() },
            ),
            (
                UsbDfuDeviations { manifest_tol: Some(true), ..t() },
                Deviations { manifest_tolerant: Some(true), ..d() },
            ),
            (
                UsbDfuDeviations { will_detach: Some(false), ..t() },
                Deviations { will_detach: Some(false), ..d() },
            ),
            (UsbDfuDeviations { manifest_poll: false, ..t() }, Deviations { no_manifest_poll: true, ..d() }),
            (UsbDfuDeviations { force_version: Some(7), ..t() }, Deviations { bcd_dfu: Some(7), ..d() }),
            (
                UsbDfuDeviations { force_transfer_size: Some(9), ..t() },
                Deviations { transfer_size: Some(9), ..d() },
            ),
            (
                UsbDfuDeviations { force_timeout_ms: Some(1000), ..t() },
                Deviations { transfer_timeout: second, ..d() },
            ),
            (
                UsbDfuDeviations { ignore_polltimeout: true, ..t() },
                Deviations { ignore_poll_timeout: true, ..d() },
            ),
            (
                UsbDfuDeviations { allow_zero_polltimeout: true, ..t() },
                Deviations { allow_zero_poll_timeout: true, ..d() },
            ),
            (UsbDfuDeviations { no_pid_change: true, ..t() }, Deviations { no_pid_change: true, ..d() }),
            (UsbDfuDeviations { force_dfu_mode: true, ..t() }, Deviations { force_dfu_mode: true, ..d() }),
            (UsbDfuDeviations { ignore_runtime: true, ..t() }, Deviations { ignore_runtime: true, ..d() }),
            (UsbDfuDeviations { no_dfu_runtime: true, ..t() }, Deviations { no_dfu_runtime: true, ..d() }),
            (
                UsbDfuDeviations { use_any_interface: true, ..t() },
                Deviations { use_any_interface: true, ..d() },
            ),
            (
                UsbDfuDeviations { use_protocol_zero: true, ..t() },
                Deviations { use_protocol_zero: true, ..d() },
            ),
            (
                UsbDfuDeviations { index_force_detach: true, ..t() },
                Deviations { index_force_detach: true, ..d() },
            ),
            (
                UsbDfuDeviations { detach_for_attach: true, ..t() },
                Deviations { detach_for_attach: true, ..d() },
            ),
            (
                UsbDfuDeviations { no_bus_reset_attach: true, ..t() },
                Deviations { no_bus_reset_attach: true, ..d() },
            ),
            (
                UsbDfuDeviations { attach_extra_reset: true, ..t() },
                Deviations { attach_extra_reset: true, ..d() },
            ),
            (
                UsbDfuDeviations { attach_upload_download: true, ..t() },
                Deviations { attach_upload_download: true, ..d() },
            ),
        ];
        for (table, expected) in cases {
            assert_eq!(deviations(&table), expected);
        }
    }
}

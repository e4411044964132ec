//! The section `firmware.usb_dfu`: every field is read, and each check fails on its fault.

use device_handlers::description::{DescriptionError, Family, FirmwareSupport};
use device_handlers::deviations::{DeviationError, UsbDfuDeviations};
use device_handlers::registry;

fn family(firmware: &str) -> Result<Family, DescriptionError> {
    Family::parse(&format!(
        "vendor = 'V'\nvid = 1\n[[model]]\nproduct = 'P'\npids = [1]\nsource = 'S'\nfirmware = {{ {firmware} }}\n"
    ))
}

fn read(fields: &str) -> UsbDfuDeviations {
    let family =
        family(&format!("method = 'usb-dfu', dfu_pids = [2], usb_dfu = {{ {fields} }}")).expect(fields);
    let section = family.model[0].firmware.as_ref().expect("it has one");
    let support = FirmwareSupport::from(section);
    assert_eq!(support.usb_dfu, section.usb_dfu);
    support.usb_dfu
}

#[test]
fn every_field_is_read_into_its_own_place() {
    let none = UsbDfuDeviations::default;
    assert_eq!(read(""), none());
    let cases = [
        ("can_download = true", UsbDfuDeviations { can_download: Some(true), ..none() }),
        ("manifest_tol = false", UsbDfuDeviations { manifest_tol: Some(false), ..none() }),
        ("will_detach = true", UsbDfuDeviations { will_detach: Some(true), ..none() }),
        ("manifest_poll = false", UsbDfuDeviations { manifest_poll: false, ..none() }),
        ("force_version = 0x0100", UsbDfuDeviations { force_version: Some(0x0100), ..none() }),
        ("force_transfer_size = 8", UsbDfuDeviations { force_transfer_size: Some(8), ..none() }),
        ("force_transfer_size = 4096", UsbDfuDeviations { force_transfer_size: Some(4096), ..none() }),
        ("force_timeout_ms = 500", UsbDfuDeviations { force_timeout_ms: Some(500), ..none() }),
        ("force_timeout_ms = 60000", UsbDfuDeviations { force_timeout_ms: Some(60_000), ..none() }),
        ("ignore_polltimeout = true", UsbDfuDeviations { ignore_polltimeout: true, ..none() }),
        ("allow_zero_polltimeout = true", UsbDfuDeviations { allow_zero_polltimeout: true, ..none() }),
        ("force_dfu_mode = true", UsbDfuDeviations { force_dfu_mode: true, ..none() }),
        ("ignore_runtime = true", UsbDfuDeviations { ignore_runtime: true, ..none() }),
        ("no_dfu_runtime = true", UsbDfuDeviations { no_dfu_runtime: true, ..none() }),
        ("use_any_interface = true", UsbDfuDeviations { use_any_interface: true, ..none() }),
        ("use_protocol_zero = true", UsbDfuDeviations { use_protocol_zero: true, ..none() }),
        ("index_force_detach = true", UsbDfuDeviations { index_force_detach: true, ..none() }),
        ("detach_for_attach = true", UsbDfuDeviations { detach_for_attach: true, ..none() }),
        ("no_bus_reset_attach = true", UsbDfuDeviations { no_bus_reset_attach: true, ..none() }),
        ("attach_extra_reset = true", UsbDfuDeviations { attach_extra_reset: true, ..none() }),
        ("attach_upload_download = true", UsbDfuDeviations { attach_upload_download: true, ..none() }),
    ];
    for (fields, expected) in cases {
        assert_ne!(expected, none());
        assert_eq!(read(fields), expected, "{fields}");
    }
    family("method = 'usb-dfu', usb_dfu = { no_pid_change = true }").expect("without dfu_pids");
}

fn refused(firmware: &str) -> DeviationError {
    match family(firmware) {
        Err(DescriptionError::UsbDfu(error)) => error,
        other => panic!("{firmware}: {other:?}"),
    }
}

#[test]
fn each_check_fails_on_its_fault() {
    let fields =
        |fields: &str| refused(&format!("method = 'usb-dfu', dfu_pids = [2], usb_dfu = {{ {fields} }}"));
    for unknown in ["sings = true", "ignore-polltimeout = true", "can_download = 1", "force_version = 65536"]
    {
        let text = format!("method = 'usb-dfu', usb_dfu = {{ {unknown} }}");
        assert!(matches!(family(&text), Err(DescriptionError::Toml(_))), "{unknown}");
    }
    for (method, came) in [("", None), ("method = 'jabra-dfu', ", Some("jabra-dfu".to_owned()))] {
        let text = format!("{method}usb_dfu = {{ will_detach = true }}");
        assert_eq!(refused(&text), DeviationError::OtherMethod { method: came });
    }
    for came in [0, 0x0111, 0x011a, 0x0200] {
        assert_eq!(fields(&format!("force_version = {came}")), DeviationError::Version { came });
    }
    for came in [0, 7, 4097] {
        assert_eq!(fields(&format!("force_transfer_size = {came}")), DeviationError::TransferSize { came });
    }
    for came_ms in [0, 499, 60_001] {
        assert_eq!(fields(&format!("force_timeout_ms = {came_ms}")), DeviationError::Timeout { came_ms });
    }
    assert_eq!(refused("method = 'usb-dfu', usb_dfu = { force_dfu_mode = true }"), DeviationError::NoDfuPid);
    let pairs = [
        ("ignore_polltimeout = true, allow_zero_polltimeout = true", "allow_zero_polltimeout"),
        ("ignore_polltimeout = true, manifest_poll = false", "manifest_poll = false"),
        ("no_pid_change = true", "dfu_pids"),
        ("ignore_runtime = true, no_dfu_runtime = true", "no_dfu_runtime"),
        ("detach_for_attach = true, no_bus_reset_attach = true", "no_bus_reset_attach"),
    ];
    for (both, named) in pairs {
        assert!(matches!(fields(both), DeviationError::Both { other, .. } if other == named), "{both}");
    }
}

#[test]
fn a_bootloader_is_known_by_the_product_it_belongs_to() {
    let running = registry::firmware(0x1209, 0x0001);
    assert_eq!(running.dfu_pids, [0x0002]);
    assert_eq!(registry::firmware(0x1209, 0x0002), running);
    assert_eq!(registry::firmware(0x0B0E, 0x0971).method.as_deref(), Some("jabra-dfu"));
    for (vid, pid) in [(0x1209, 0x0003), (0x0B0E, 0x0002), (0xFFFF, 0x0002)] {
        assert_eq!(registry::firmware(vid, pid), FirmwareSupport::default());
    }
}

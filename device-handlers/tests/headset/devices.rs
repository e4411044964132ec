//! The parser's rules, and the embedded descriptions.

use std::time::Duration;

use device_handlers::description::{DescriptionError, Family};
use device_handlers::quirk::Quirk;
use device_handlers::registry;
use device_handlers::report::{
    Capabilities, DescriptorError, MAX_DEPTH, NoCallControl, ReportDescriptor, ReportType, Role, Usage,
};

use crate::layouts::{ARRAYS, MIRRORED, RELATIVE, SEPARATE, SHARED, UNNUMBERED};

fn parse(bytes: &[u8]) -> ReportDescriptor {
    ReportDescriptor::parse(bytes).expect("a valid descriptor")
}

#[test]
fn capabilities_follow_the_descriptor() {
    let all = Capabilities {
        call_control: true,
        mute_sync: true,
        ring: true,
        hold: true,
        reject: true,
        redial: true,
        line_busy: true,
        teams: false,
    };
    assert_eq!(parse(SHARED).capabilities(), all);
    assert_eq!(parse(SEPARATE).capabilities(), Capabilities { line_busy: false, ..all });
    let plain = Capabilities { call_control: true, mute_sync: true, ring: true, ..Capabilities::default() };
    assert_eq!(parse(UNNUMBERED).capabilities(), plain, "constant fields with usages count");
    assert_eq!(parse(RELATIVE).capabilities(), plain, "nested collections count");
    assert!(parse(ARRAYS).capabilities().call_control);
    assert!(parse(MIRRORED).capabilities().teams);
}

#[test]
fn the_usage_page_is_the_one_at_the_main_item() {
    let descriptor = parse(SHARED);
    let layout = descriptor.layout();
    let reject = layout.control(Role::Reject).expect("a reject button");
    assert_eq!(reject.usage.to_string(), "0009:0007");
    assert_eq!(reject.usage.name(), Some("Button 7"));
    assert_eq!((reject.report_id, reject.bit_offset), (1, 5));
}

#[test]
fn telephony_usages_in_a_foreign_collection_are_no_call_control() {
    let mut foreign = SHARED.to_vec();
    foreign[1] = 0x0C;
    foreign[3] = 0x01;
    // The telephony page is set again for the fields.
    foreign.splice(6..6, [0x05, 0x0B]);
    let descriptor = parse(&foreign);
    assert!(!descriptor.has_telephony());
    assert_eq!(descriptor.capabilities(), Capabilities::default());
    assert_eq!(descriptor.explain().no_call_control, Some(NoCallControl::NoTelephonyCollection));
}

#[test]
fn an_explanation_names_the_reason() {
    let no_led = [0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x75, 0x01, 0x95, 0x01, 0x09, 0x20, 0x81, 0x23, 0xC0];
    let explanation = parse(&no_led).explain();
    assert_eq!(explanation.no_call_control, Some(NoCallControl::NoOffHookLed));
    assert_eq!(explanation.controls.len(), 1);
    let empty = [0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0xC0];
    let descriptor = parse(&empty);
    assert!(descriptor.has_telephony());
    let explanation = descriptor.explain();
    assert_eq!(explanation.no_call_control, Some(NoCallControl::NoHookSwitchNorOffHookLed));
    assert_eq!(explanation.top_level[0].name, Some("Headset"));
    let vendor = [0x06, 0xA0, 0xFF, 0x09, 0x01, 0xA1, 0x01, 0xC0];
    assert_eq!(parse(&vendor).explain().no_call_control, Some(NoCallControl::VendorPageOnly));
    assert_eq!(parse(SHARED).explain().no_call_control, None);
}

#[test]
fn a_bomb_of_22_bytes_is_an_error() {
    let bomb = [
        0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x09, 0x20, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x97, 0xFF, 0xFF,
        0xFF, 0x0F, 0x81, 0x02, 0xC0,
    ];
    assert_eq!(bomb.len(), 22);
    assert!(matches!(
        ReportDescriptor::parse(&bomb),
        Err(DescriptorError::TooManyBits { offset: 19, came: 0x0FFF_FFFF, .. })
    ));
}

#[test]
fn what_does_not_balance_or_ends_early_is_an_error() {
    let cases: [(&[u8], DescriptorError); 7] = [
        (&[0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01], DescriptorError::UnclosedCollection { offset: 6, open: 1 }),
        (&[0xC0], DescriptorError::UnopenedCollection { offset: 0 }),
        (&[0x05], DescriptorError::Truncated { offset: 0, expected: 2, came: 1 }),
        (&[0xFE, 0x05, 0x00, 0x01], DescriptorError::Truncated { offset: 0, expected: 8, came: 4 }),
        (&[0x85, 0x00], DescriptorError::ReportId { offset: 0, came: 0 }),
        (&[0x86, 0x00, 0x01], DescriptorError::ReportId { offset: 0, came: 256 }),
        (&[0xB4], DescriptorError::PopWithoutPush { offset: 0 }),
    ];
    for (bytes, expected) in cases {
        assert_eq!(ReportDescriptor::parse(bytes), Err(expected), "{bytes:02X?}");
    }
}

#[test]
fn nesting_usages_fields_and_length_have_limits() {
    let deep = [0xA1, 0x01].repeat(MAX_DEPTH + 1);
    assert!(matches!(ReportDescriptor::parse(&deep), Err(DescriptorError::TooDeep { offset: 32, .. })));
    let pushes = [0xA4].repeat(MAX_DEPTH + 1);
    assert!(matches!(ReportDescriptor::parse(&pushes), Err(DescriptorError::PushTooDeep { offset: 16, .. })));
    let usages = [0x09, 0x01].repeat(1025);
    assert!(matches!(ReportDescriptor::parse(&usages), Err(DescriptorError::TooManyUsages { .. })));
    let fields = [0x75, 0x01, 0x96, 0xFF, 0xFF, 0x19, 0x00, 0x2A, 0xFF, 0xFF, 0x81, 0x02];
    assert!(matches!(ReportDescriptor::parse(&fields), Err(DescriptorError::TooManyFields { .. })));
    assert!(matches!(ReportDescriptor::parse(&[0; 16 * 1024 + 1]), Err(DescriptorError::TooLong { .. })));
    let huge = [0x77, 0xFF, 0xFF, 0xFF, 0xFF, 0x97, 0xFF, 0xFF, 0xFF, 0xFF, 0x81, 0x02];
    assert!(matches!(ReportDescriptor::parse(&huge), Err(DescriptorError::TooManyBits { .. })));
}

#[test]
fn wide_fields_take_their_room_and_long_runs_are_one_field() {
    let descriptor = parse(&[
        0x06, 0x00, 0xFF, 0x85, 0x05, 0x75, 0x40, 0x95, 0x01, 0x09, 0x01, 0x81, 0x02, 0x75, 0x08, 0x95, 0x3E,
        0x09, 0x02, 0x81, 0x02,
    ]);
    let [field] = descriptor.fields() else { panic!("one field, got {:?}", descriptor.fields()) };
    assert_eq!((field.bit_offset, field.bit_size, field.count), (64, 8, 62));
    assert_eq!(descriptor.payload_len(ReportType::Input, 5), Some(70));
    assert_eq!(descriptor.payload_len(ReportType::Output, 5), None);
}

#[test]
fn a_usage_without_a_page_and_an_extended_usage_are_read() {
    let descriptor = parse(&[0x75, 0x01, 0x95, 0x02, 0x09, 0x20, 0x0B, 0x2F, 0x00, 0x0B, 0x00, 0x81, 0x02]);
    let usages: Vec<String> = descriptor.fields().iter().map(|field| field.usage.to_string()).collect();
    assert_eq!(usages, ["0000:0020", "000B:002F"]);
    assert_eq!(Usage::new(0x0B, 0x20).name(), Some("Hook Switch"));
}

#[test]
fn push_and_pop_restore_the_globals() {
    let descriptor = parse(&[
        0x05, 0x0B, 0x75, 0x01, 0x95, 0x01, 0xA4, 0x05, 0x08, 0x09, 0x17, 0x91, 0x02, 0xB4, 0x09, 0x20, 0x81,
        0x02,
    ]);
    let usages: Vec<String> = descriptor.fields().iter().map(|field| field.usage.to_string()).collect();
    assert_eq!(usages, ["0008:0017", "000B:0020"]);
}

#[test]
fn validate_builtin() {
    // Each file went through Family::parse when the registry was built; what is left is what spans files.
    let products: Vec<_> = registry::all().collect();
    assert!(products.len() > 60, "{} products", products.len());
    for ((vid, pid), description) in &products {
        assert_eq!(registry::describe(*vid, *pid), **description);
        for dfu_pid in &description.firmware.dfu_pids {
            assert!(
                products.iter().all(|((other_vid, other), _)| (other_vid, other) != (vid, dfu_pid)),
                "{vid:04x}:{dfu_pid:04x} is a bootloader and a product"
            );
        }
    }
}

#[test]
fn every_description_file_is_embedded_and_no_product_is_in_two() {
    let devices = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("devices");
    let mut pids = 0;
    for vendor in std::fs::read_dir(devices).expect("the devices folder") {
        let vendor = vendor.expect("a vendor folder").path();
        let readme = std::fs::read_to_string(vendor.join("README.md")).expect("a README per vendor");
        let headings: Vec<&str> = readme.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(
            headings,
            ["## Introduction", "## Call control", "## Firmware", "## Quirks", "## Not known"],
            "{}",
            vendor.display()
        );
        for file in std::fs::read_dir(&vendor).expect("a vendor folder") {
            let path = file.expect("a file").path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let text = std::fs::read_to_string(&path).expect("a description");
                let family =
                    Family::parse(&text).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
                for model in &family.model {
                    pids += model.pids.len();
                    for pid in &model.pids {
                        let description = registry::describe(family.vid, *pid);
                        assert_eq!(description.product.as_ref(), Some(&model.product), "{}", path.display());
                    }
                }
            }
        }
    }
    assert_eq!(pids, registry::all().count());
}

#[test]
fn every_product_has_an_answer() {
    let boya = registry::describe(0x2F05, 0x003B);
    assert!(boya.denied);
    let unknown = registry::describe(0x0B0E, 0xFFFF);
    assert_eq!((unknown.vendor.as_str(), unknown.product), ("Jabra", None));
    let stranger = registry::describe(0xFFFF, 0xFFFF);
    assert_eq!(stranger.vendor, "");
    assert_eq!(stranger.firmware.reenumerate_timeout, Duration::from_secs(10));
    assert_eq!(stranger.firmware.method, None);
    assert!(registry::describe(0x095D, 0x9201).has(Quirk::OffHookLedIsMessageWaiting));
    assert_eq!(registry::describe(0x0B0E, 0x0420).firmware.reenumerate_timeout, Duration::from_secs(20));
    assert_eq!(registry::describe(0x1209, 0x0001).firmware.method.as_deref(), Some("usb-dfu"));
    assert_eq!(registry::describe(0x0B0E, 0x0420).firmware.method.as_deref(), Some("jabra-dfu"));
}

#[test]
fn each_check_of_a_description_fails_on_its_fault() {
    let good = "vendor = 'V'\nvid = 1\n[[model]]\nproduct = 'P'\npids = [1]\nsource = 'S'\n";
    Family::parse(good).expect("the template is valid");
    let refused = |from: &str, to: &str| {
        let text = good.replace(from, to);
        assert_ne!(text, good);
        Family::parse(&text).expect_err(to)
    };
    assert!(matches!(refused("vid = 1", "vid = 1\nspeed = 3"), DescriptionError::Toml(_)), "unknown key");
    assert!(matches!(refused("vid = 1", "vid = 1\nquirks = ['sings']"), DescriptionError::Toml(_)));
    assert!(matches!(refused("vid = 1", "vid = 65536"), DescriptionError::Toml(_)));
    assert!(matches!(refused("'V'", "' '"), DescriptionError::NoVendor));
    assert!(matches!(refused("'P'", "''"), DescriptionError::NoProductName { .. }));
    assert!(matches!(refused("'S'", "''"), DescriptionError::NoSource { .. }));
    assert!(matches!(refused("[1]", "[]"), DescriptionError::NoProductId { .. }));
    assert!(matches!(refused("[1]", "[1, 1]"), DescriptionError::ProductIdTwice { pid: 1 }));
    assert!(matches!(
        refused("[1]", "[1]\nfirmware = { dfu_pids = [1] }"),
        DescriptionError::BootloaderIsModel { pid: 1 }
    ));
    assert!(matches!(
        refused("[1]", "[1]\nfirmware = { reenumerate_timeout_ms = 10 }"),
        DescriptionError::ReenumerateTimeout { came_ms: 10 }
    ));
    for name in ["", "USB DFU", "usb_dfu", "a23456789012345678901234567890123"] {
        let named = refused("[1]", &format!("[1]\nfirmware = {{ method = '{name}' }}"));
        assert!(matches!(named, DescriptionError::Method { came } if came == name));
    }
    for key in ["automatic = true", "silent = true", "expected_minutes = 1"] {
        let unknown = refused("[1]", &format!("[1]\nfirmware = {{ {key} }}"));
        assert!(
            matches!(unknown, DescriptionError::Toml(_)),
            "{key} changes nothing, so nobody may state it"
        );
    }
    assert!(matches!(
        refused("[1]", "[1]\nquirks = ['mute-is-toggle', 'mute-is-state']"),
        DescriptionError::MuteBothWays { .. }
    ));
    for quirk in ["mute-is-toggle", "mute-is-state"] {
        let alone = good.replace("[1]", &format!("[1]\nquirks = ['{quirk}']"));
        Family::parse(&alone).expect(quirk);
    }
    assert!(matches!(Family::parse("vendor = 'V'\nvid = 1\nmodel = []"), Err(DescriptionError::NoModel)));
}

//! What a descriptor is explained with, word for word: `hookswitch descriptor --json` and the bundle show it.

use device_handlers::report::{
    CollectionSummary, ControlSummary, NoCallControl, ReportDescriptor, ReportType, Role, Usage,
};

use crate::layouts::{ARRAYS, SEPARATE, SHARED, UNNUMBERED};

#[test]
fn every_role_has_its_label() {
    let labels = Role::ALL.map(Role::label);
    let expected = [
        "Line Busy",
        "Drop",
        "Reject (Button 7)",
        "Hook Switch",
        "Flash",
        "Hold button",
        "Redial",
        "Phone Mute",
        "Teams button",
        "Reject (vendor page)",
        "Ring LED",
        "Ringer",
        "Off-Hook LED",
        "On-Line LED",
        "Mute LED",
        "Microphone LED",
        "Hold LED",
    ];
    assert_eq!(labels, expected);
}

#[test]
fn every_reason_against_call_control_has_its_words() {
    for (reason, words) in [
        (NoCallControl::NoTelephonyCollection, "no application collection on the Telephony page (000B)"),
        (
            NoCallControl::VendorPageOnly,
            "no application collection on the Telephony page (000B); telephony goes over the vendor page FFA0",
        ),
        (
            NoCallControl::NoHookSwitchNorOffHookLed,
            "the telephony collection has no Hook Switch (000B:0020) and no Off-Hook LED (0008:0017)",
        ),
        (NoCallControl::NoHookSwitch, "the telephony collection has no Hook Switch (000B:0020) input"),
        (NoCallControl::NoOffHookLed, "the telephony collection has no Off-Hook LED (0008:0017) output"),
    ] {
        assert_eq!(reason.to_string(), words);
    }
}

#[test]
fn an_explanation_names_every_control_with_its_place() {
    let explanation = ReportDescriptor::parse(SEPARATE).expect("valid").explain();
    assert!(explanation.numbered_reports);
    let headset = Usage::new(0x0B, 0x05);
    assert_eq!(explanation.top_level, [CollectionSummary { usage: headset, name: Some("Headset") }]);
    assert_eq!(explanation.no_call_control, None);
    let controls =
        explanation.controls.iter().map(|c| (c.role, c.report_type, c.report_id, c.bit, c.relative));
    let (input, output) = (ReportType::Input, ReportType::Output);
    let expected = [
        (Role::Reject, input, 0x08, 4, false),
        (Role::HookSwitch, input, 0x08, 1, false),
        (Role::Flash, input, 0x08, 2, false),
        (Role::Redial, input, 0x08, 3, true),
        (Role::PhoneMute, input, 0x08, 0, true),
        (Role::Ring, output, 0x18, 0, false),
        (Role::OffHook, output, 0x17, 0, false),
        (Role::OnLine, output, 0x2A, 0, false),
        (Role::Mute, output, 0x09, 0, false),
        (Role::Hold, output, 0x20, 0, false),
    ];
    assert_eq!(controls.collect::<Vec<_>>(), expected);
    let explanation = ReportDescriptor::parse(ARRAYS).expect("valid").explain();
    let flash = ControlSummary {
        role: Role::Flash,
        usage: Usage::new(0x0B, 0x21),
        report_type: input,
        report_id: 1,
        bit: 1,
        size: 3,
        relative: false,
        array: true,
    };
    assert!(explanation.controls.contains(&flash), "{:?}", explanation.controls);
    assert!(!ReportDescriptor::parse(UNNUMBERED).expect("valid").explain().numbered_reports);
}

#[test]
fn the_sign_of_a_logical_minimum_has_the_width_of_its_item() {
    // Logical Minimum with 1, 2, 4 and no bytes of data, in front of the hook.
    let items: [(&[u8], i32); 6] = [
        (&[0x15, 0xFF], -1),
        (&[0x16, 0xFF, 0xFF], -1),
        (&[0x16, 0x00, 0x80], -32768),
        (&[0x16, 0xFF, 0x00], 255),
        (&[0x17, 0xFE, 0xFF, 0xFF, 0xFF], -2),
        (&[0x15, 0xFF, 0x14], 0),
    ];
    for (item, expected) in items {
        let at = SHARED.windows(2).position(|w| w == [0x15, 0x00]).expect("a logical minimum");
        let bytes = [&SHARED[..at], item, &SHARED[at + 2..]].concat();
        let descriptor = ReportDescriptor::parse(&bytes).expect("valid");
        let hook = descriptor.fields().iter().find(|field| field.usage == Usage::new(0x0B, 0x20));
        assert_eq!(hook.expect("a hook").logical_min, expected, "{item:02x?}");
    }
}

//! Descriptor bytes in, fields out: where the items' own rules decide.

use device_handlers::report::{
    ArrayField, Control, MAX_DESCRIPTOR_BYTES, ReportDescriptor, ReportType, Role, Usage, UsageRange,
};

use crate::layouts::{MIRRORED, SHARED};

fn parse(bytes: &[u8]) -> ReportDescriptor {
    ReportDescriptor::parse(bytes).expect("a valid descriptor")
}

/// `bytes` with the first `from` replaced.
fn with(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).expect("what is replaced");
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

/// `name` in the words of the HID Usage Tables 1.5, for every usage that has one here.
#[test]
fn usages_are_named_as_in_the_usage_tables() {
    let named = |page: u16| {
        (0..=u16::MAX).filter_map(move |id| {
            let usage = Usage::new(page, id);
            Some(format!("{usage} {}", usage.name()?))
        })
    };
    let pages = [0x01, 0x08, 0x09, 0x0B, 0x0C, 0x85];
    let came: Vec<String> = pages.into_iter().flat_map(named).collect();
    let expected: Vec<&str> = include_str!("usages.txt").lines().collect();
    assert_eq!(came, expected);
    let others = (0..=u16::MAX).filter(|page| !pages.contains(page));
    for page in others {
        assert_eq!(Usage::new(page, 0x01).name(), None, "page {page:#06x}");
    }
}

#[test]
fn vendor_pages_begin_at_ff00() {
    assert!(!Usage::new(0xFEFF, 0).is_vendor_defined());
    assert!(Usage::new(0xFF00, 0).is_vendor_defined() && Usage::new(0xFFFF, 0).is_vendor_defined());
}

#[test]
fn report_types_have_their_words() {
    let words = [ReportType::Input, ReportType::Output, ReportType::Feature].map(|kind| kind.to_string());
    assert_eq!(words, ["input", "output", "feature"]);
}

#[test]
fn an_array_counts_its_usages_over_all_its_ranges() {
    let ranges = [
        UsageRange { page: 0x0B, first: 0x20, last: 0x21 },
        UsageRange { page: 0x09, first: 0x07, last: 0x07 },
        UsageRange { page: 0x0B, first: 0x24, last: 0x26 },
    ];
    let array = ArrayField { usages: ranges.to_vec() };
    let listed = [(0x0B, 0x20), (0x0B, 0x21), (0x09, 0x07), (0x0B, 0x24), (0x0B, 0x25), (0x0B, 0x26)];
    for (index, (page, id)) in (0..).zip(listed) {
        let usage = Usage::new(page, id);
        assert_eq!((array.usage_at(index), array.index_of(usage)), (Some(usage), Some(index)));
    }
    assert_eq!(array.usage_at(6), None);
    assert_eq!(array.index_of(Usage::new(0x0B, 0x07)), None, "of another page");
    assert_eq!(array.index_of(Usage::new(0x0B, 0x23)), None, "between two ranges");
}

#[test]
fn a_long_item_anywhere_is_passed_over_with_its_data() {
    let with_long = with(SHARED, &[0x15, 0x00], &[0xFE, 0x03, 0x77, 0x85, 0x00, 0xC0, 0x15, 0x00]);
    assert_eq!(parse(&with_long), parse(SHARED));
}

#[test]
fn a_descriptor_of_the_longest_length_is_read() {
    // Reserved Main items say nothing.
    assert_eq!(parse(&[0; MAX_DESCRIPTOR_BYTES]), ReportDescriptor::default());
}

#[test]
fn a_maximum_below_a_minimum_that_is_not_negative_is_meant_unsigned() {
    let items: [(&[u8], i32); 6] = [
        (&[0x15, 0x00, 0x25, 0xFF], 255),
        (&[0x15, 0x01, 0x26, 0xFE, 0xFF], 65_534),
        (&[0x15, 0x00, 0x27, 0xFF, 0xFF, 0xFF, 0xFF], i32::MAX),
        (&[0x15, 0x00, 0x25, 0x7F], 127),
        (&[0x15, 0xFE, 0x25, 0xFF], -1),
        (&[0x15, 0x00, 0x25, 0x00], 0),
    ];
    for (item, expected) in items {
        let descriptor = parse(&with(SHARED, &[0x15, 0x00, 0x25, 0x01], item));
        assert_eq!(descriptor.fields()[0].logical_max, expected, "{item:02x?}");
    }
}

/// One array field of `count` slots of `size` bits that selects Hook Switch, Flash and Feature from `minimum` on.
fn array(minimum: u8, size: u8, count: u8) -> Option<Control> {
    let bytes = [
        0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x15, minimum, 0x75, size, 0x95, count, 0x19, 0x20, 0x29, 0x22,
        0x81, 0x00, 0xC0,
    ];
    parse(&bytes).layout().control(Role::Flash).cloned()
}

#[test]
fn an_arrays_minimum_is_the_value_of_its_first_usage() {
    let flash = array(5, 8, 2).expect("a Flash");
    assert_eq!(flash.read(&[6, 0]), Some(1));
    assert_eq!(flash.read(&[0, 6]), Some(1));
    assert_eq!(flash.read(&[2, 5]), Some(0));
    assert_eq!(flash.read(&[6]), None, "cut short");
}

#[test]
fn the_teams_button_is_the_first_bit_of_report_9b_in_a_teams_collection() {
    assert!(parse(MIRRORED).layout().has(Role::TeamsButton));
    let elsewhere: [(&[u8], &[u8], &str); 4] = [
        (&[0x85, 0x9B], &[0x85, 0x9A], "another report"),
        (&[0x06, 0x99, 0xFF], &[0x06, 0x98, 0xFF], "another collection"),
        (&[0x85, 0x9B, 0x95, 0x01], &[0x85, 0x9B, 0x95, 0x01, 0x81, 0x01], "the second bit"),
        (&[0x09, 0x04, 0x81, 0x06], &[0x09, 0x04, 0x81, 0x04], "an array"),
    ];
    for (from, to, what) in elsewhere {
        assert!(!parse(&with(MIRRORED, from, to)).layout().has(Role::TeamsButton), "{what}");
    }
}

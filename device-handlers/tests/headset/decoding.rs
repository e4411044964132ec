//! Descriptor bytes in, fields out: where the items' own rules decide.

use device_handlers::report::{
    ArrayField, Capabilities, Control, DescriptorError, Field, ReportDescriptor, ReportType, Role, Usage,
    UsageRange,
};

use crate::layouts::{ARRAYS, MIRRORED, SHARED};

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
fn the_usage_of_an_array_is_its_first() {
    let descriptor = parse(ARRAYS);
    let arrays = descriptor.fields().iter().filter(|field| field.array.is_some());
    let usages: Vec<String> = arrays.map(|field| field.usage.to_string()).collect();
    assert_eq!(usages, ["000B:0021", "0009:0007", "0008:0017"]);
}

#[test]
fn a_long_item_anywhere_is_passed_over_with_its_data() {
    let with_long = with(SHARED, &[0x15, 0x00], &[0xFE, 0x03, 0x77, 0x85, 0x00, 0xC0, 0x15, 0x00]);
    assert_eq!(parse(&with_long), parse(SHARED));
}

#[test]
fn a_descriptor_of_the_longest_length_is_read() {
    // Reserved Main items say nothing.
    assert_eq!(parse(&[0; 16 * 1024]), ReportDescriptor::default());
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
    assert_eq!(flash.read(&[6, 6]), Some(1));
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

#[test]
fn an_array_selects_what_its_slots_have_room_for() {
    assert!(array(1, 2, 1).is_some(), "2 of 0 to 3");
    assert_eq!(array(1, 1, 1), None, "2 of 0 to 1");
    assert_eq!(array(3, 2, 1), None, "4 of 0 to 3");
    assert_eq!(array(1, 32, 1).expect("a Flash").read(&[2, 0, 0, 0]), Some(1));
    // With a minimum of 0 no value is left for nothing: then 0 is nothing and 1 the first.
    assert_eq!(array(0, 8, 2).expect("a Flash").read(&[0, 2]), Some(1));
    let hook = |size, count| {
        let bytes = with(&ONE_HOOK_ARRAY, &[0x75, 1, 0x95, 1], &[0x75, size, 0x95, count]);
        parse(&bytes).layout().has(Role::HookSwitch)
    };
    assert!(hook(1, 1) && hook(2, 2) && !hook(1, 2), "several slots of one bit say nothing sensible");
}

/// One array field, minimum 0, that selects the Hook Switch alone.
const ONE_HOOK_ARRAY: [u8; 17] =
    [0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x15, 0x00, 0x75, 1, 0x95, 1, 0x09, 0x20, 0x81, 0x00, 0xC0];

#[test]
fn a_value_is_read_in_its_own_width_and_sign() {
    let hook = |minimum: &[u8], size: u8, payload: &[u8]| {
        let bytes = [
            &[0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01][..],
            minimum,
            &[0x75, size, 0x95, 1, 0x09, 0x20, 0x81, 0x02, 0xC0],
        ]
        .concat();
        parse(&bytes).layout().control(Role::HookSwitch)?.read(payload)
    };
    assert_eq!(hook(&[0x15, 0x00], 8, &[0xFF]), Some(255));
    assert_eq!(hook(&[0x15, 0x01], 8, &[0xFF]), Some(255));
    assert_eq!(hook(&[0x15, 0xFF], 8, &[0xFF]), Some(-1));
    assert_eq!(hook(&[0x15, 0xFF], 8, &[0x7F]), Some(127));
    assert_eq!(hook(&[0x15, 0x00], 32, &[0xFF; 4]), Some(i32::MAX), "more than is told apart");
    assert_eq!(hook(&[0x15, 0x00], 33, &[0xFF; 5]), None, "wider than any control");
}

#[test]
fn elements_of_no_width_and_no_number_are_no_fields() {
    for (size, count) in [(0, 1), (1, 0), (0, 0)] {
        for flags in [0x00, 0x02] {
            let bytes = [0x05, 0x0B, 0x75, size, 0x95, count, 0x09, 0x20, 0x81, flags];
            assert_eq!(parse(&bytes).fields(), [], "{count} of {size} bits");
        }
    }
}

#[test]
fn all_reports_together_have_at_most_64_kib() {
    let fits = [0x85, 0x01, 0x75, 0x08, 0x97, 0x00, 0x00, 0x01, 0x00, 0x81, 0x01];
    assert_eq!(parse(&fits).payload_len(ReportType::Input, 1), Some(64 * 1024));
    let one_more = [&fits[..], &[0x75, 0x01, 0x95, 0x01, 0x91, 0x01]].concat();
    let (offset, limit) = (15, 64 * 1024 * 8);
    let expected = DescriptorError::TooManyBits { offset, came: limit + 1, limit };
    assert_eq!(ReportDescriptor::parse(&one_more), Err(expected));
}

/// Usage, first bit and number of elements of each field.
fn places(bytes: &[u8]) -> Vec<(u16, u32, u32)> {
    parse(bytes).fields().iter().map(|field| (field.usage.id, field.bit_offset, field.count)).collect()
}

#[test]
fn elements_take_the_usages_one_by_one_and_the_last_for_all_that_are_left() {
    let one_by_one = [0x05, 0x0B, 0x75, 0x02, 0x95, 0x03, 0x09, 0x20, 0x09, 0x21, 0x09, 0x2F, 0x81, 0x02];
    assert_eq!(places(&one_by_one), [(0x20, 0, 1), (0x21, 2, 1), (0x2F, 4, 1)]);
    let left_over = with(&one_by_one, &[0x95, 0x03], &[0x95, 0x05]);
    assert_eq!(places(&left_over), [(0x20, 0, 1), (0x21, 2, 1), (0x2F, 4, 3)]);
    let too_many = with(&one_by_one, &[0x95, 0x03], &[0x95, 0x02]);
    assert_eq!(places(&too_many), [(0x20, 0, 1), (0x21, 2, 1)]);
}

#[test]
fn of_a_set_of_alternatives_the_first_usage_counts() {
    let bytes = [
        0x05, 0x0B, 0x75, 0x01, 0x95, 0x02, 0xA9, 0x01, 0x09, 0x20, 0x09, 0x21, 0xA9, 0x00, 0x09, 0x2F, 0x81,
        0x02,
    ];
    assert_eq!(places(&bytes), [(0x20, 0, 1), (0x2F, 1, 1)]);
    let two_sets = with(&bytes, &[0x09, 0x2F], &[0xA9, 0x01, 0x09, 0x2F, 0x09, 0x24, 0xA9, 0x00]);
    assert_eq!(places(&two_sets), [(0x20, 0, 1), (0x2F, 1, 1)]);
}

#[test]
fn a_range_of_usages_that_ends_before_it_begins_is_none() {
    let range = |first, last| {
        let bytes = [0x05, 0x0B, 0x75, 0x01, 0x95, 0x02, 0x19, first, 0x29, last, 0x81, 0x02];
        places(&bytes)
    };
    assert_eq!(range(0x20, 0x21), [(0x20, 0, 1), (0x21, 1, 1)]);
    assert_eq!(range(0x20, 0x20), [(0x20, 0, 2)]);
    assert_eq!(range(0x21, 0x20), []);
}

#[test]
fn each_flag_of_a_main_item_is_told_apart() {
    for flags in [0x00, 0x01, 0x02, 0x04, 0x20, 0x40, 0x67] {
        let bytes = [0x05, 0x0B, 0x75, 0x01, 0x95, 0x01, 0x09, 0x20, 0x81, flags];
        let descriptor = parse(&bytes);
        let [field] = descriptor.fields() else { panic!("{:?}", descriptor.fields()) };
        let Field { constant, array, relative, no_preferred_state, null_state, .. } = field;
        let came = (*constant, array.is_none(), *relative, *no_preferred_state, *null_state);
        let bit = |bit: u8| flags & bit != 0;
        assert_eq!(came, (bit(0x01), bit(0x02), bit(0x04), bit(0x20), bit(0x40)), "flags {flags:#04x}");
    }
}

#[test]
fn application_collections_are_listed_once_and_others_not() {
    let (headset, keypad) = ([0x05, 0x0B, 0x09, 0x05, 0xA1], [0x09, 0x06, 0xA1]);
    let bytes = [&headset[..], &[0x01], &keypad, &[0x02, 0xC0, 0xC0], &headset, &[0x01, 0xC0]].concat();
    let descriptor = parse(&bytes);
    let usage = Usage::new(0x0B, 0x05);
    assert_eq!((descriptor.applications(), descriptor.top_level()), (&[usage][..], &[usage, usage][..]));
}

#[test]
fn where_reports_have_ids_a_field_without_one_is_never_reported() {
    let bytes = [
        0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x75, 0x01, 0x95, 0x01, 0x09, 0x20, 0x81, 0x02, 0x85, 0x01, 0x09,
        0x2F, 0x81, 0x02, 0xC0,
    ];
    let layout = parse(&bytes).layout();
    assert!(layout.has(Role::PhoneMute) && !layout.has(Role::HookSwitch));
    let layout = parse(&with(&bytes, &[0x85, 0x01], &[])).layout();
    assert!(layout.has(Role::PhoneMute) && layout.has(Role::HookSwitch));
}

/// A telephony collection with these inputs and outputs, one bit each.
fn capabilities(inputs: &[(u8, u8)], outputs: &[(u8, u8)]) -> Capabilities {
    let mut bytes = vec![0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x75, 0x01, 0x95, 0x01];
    for (usages, main) in [(inputs, 0x81), (outputs, 0x91)] {
        for (page, id) in usages {
            bytes.extend([0x05, *page, 0x09, *id, main, 0x02]);
        }
    }
    bytes.push(0xC0);
    parse(&bytes).capabilities()
}

#[test]
fn what_a_headset_can_do_needs_all_of_it() {
    let none = Capabilities::default();
    let (hook, mute) = ((0x0B, 0x20), (0x0B, 0x2F));
    let (off_hook, mute_led, microphone) = ((0x08, 0x17), (0x08, 0x09), (0x08, 0x21));
    assert_eq!(capabilities(&[hook], &[off_hook]), Capabilities { call_control: true, ..none });
    assert_eq!(capabilities(&[mute], &[mute_led]), Capabilities { mute_sync: true, ..none });
    assert_eq!(capabilities(&[mute], &[microphone]), Capabilities { mute_sync: true, ..none });
    for input in [hook, mute] {
        assert_eq!(capabilities(&[input], &[]), none);
    }
    for output in [off_hook, mute_led, microphone] {
        assert_eq!(capabilities(&[], &[output]), none);
    }
    for ring in [(0x08, 0x18), (0x0B, 0x9E)] {
        assert_eq!(capabilities(&[], &[ring]), Capabilities { ring: true, ..none });
    }
    for hold in [(0x0B, 0x21), (0x0B, 0x23)] {
        assert_eq!(capabilities(&[hold], &[]), Capabilities { hold: true, ..none });
    }
    for reject in [(0x09, 0x07), (0x0B, 0x07), (0x0B, 0x26)] {
        assert_eq!(capabilities(&[reject], &[]), Capabilities { reject: true, ..none });
    }
    assert_eq!(capabilities(&[(0x0B, 0x24)], &[]), Capabilities { redial: true, ..none });
    assert_eq!(capabilities(&[(0x0B, 0x97)], &[]), Capabilities { line_busy: true, ..none });
    let vendor = [
        0x06, 0x30, 0xFF, 0x09, 0x05, 0xA1, 0x01, 0x75, 0x01, 0x95, 0x01, 0x0A, 0xFD, 0xFF, 0x81, 0x06, 0xC0,
    ];
    assert_eq!(parse(&vendor).capabilities(), Capabilities { reject: true, ..none });
}

//! Mutated descriptors and reports: whatever the bytes say, nothing panics and memory stays bounded.

use std::time::{Duration, Instant};

use device_handlers::description::Description;
use device_handlers::headset::{Headset, Indicators, Output};
use device_handlers::report::{MAX_DEPTH, MAX_FIELDS, MAX_SLOTS, ReportDescriptor, ReportType, Role};

use crate::layouts;

const DESCRIPTORS: usize = 4000;

fn mutate(random: &mut fastrand::Rng, bytes: &mut Vec<u8>) {
    for _ in 0..random.usize(1..6) {
        let at = random.usize(0..=bytes.len());
        match random.u8(0..6) {
            0 => bytes.insert(at, random.u8(..)),
            1 if at < bytes.len() => {
                bytes.remove(at);
            }
            2 => bytes.truncate(at),
            3 => {
                let piece = *random.choice(&layouts::ALL).expect("layouts");
                let from = random.usize(0..piece.len());
                let to = random.usize(from..piece.len());
                bytes.splice(at..at, piece[from..to].iter().copied());
            }
            // Counts and sizes of four bytes: the classic bombs.
            4 => {
                let item = *random.choice(&[0x97, 0x77, 0x17, 0x27, 0x0B, 0x1B, 0x2B]).expect("items");
                let data = random.u32(..) >> random.u32(0..32);
                let [a, b, c, d] = data.to_le_bytes();
                bytes.splice(at..at, [item, a, b, c, d]);
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << random.u8(0..8),
            _ => {}
        }
    }
}

/// Fields are the only memory that grows with the content: at most [`MAX_FIELDS`], each with bounded lists.
fn assert_bounded(descriptor: &ReportDescriptor, bytes: &[u8]) {
    assert!(descriptor.fields().len() <= MAX_FIELDS);
    assert!(descriptor.fields().iter().all(|field| field.collections.len() <= MAX_DEPTH));
    let ranges: usize = descriptor
        .fields()
        .iter()
        .filter_map(|field| field.array.as_ref())
        .map(|array| array.usages.len())
        .sum();
    assert!(ranges <= bytes.len(), "{ranges} ranges from {} bytes", bytes.len());
    let payload: usize = descriptor.reports().map(|(_, _, len)| len).sum();
    assert!(payload <= 64 * 1024 + 3 * 256);
}

fn drive(random: &mut fastrand::Rng, descriptor: &ReportDescriptor, mut now: Instant) {
    let mut headset = Headset::new(descriptor.clone(), &Description::default());
    let ids: Vec<u8> = descriptor.reports().map(|(_, id, _)| id).collect();
    for _ in 0..8 {
        let mut report = vec![0; random.usize(0..12)];
        random.fill(&mut report);
        if let (Some(first), Some(id)) = (report.first_mut(), random.choice(&ids)) {
            *first = *id;
        }
        if random.bool() {
            report.resize(random.usize(0..200), 0xFF);
        }
        // Errors are what most of these must give; that it returns is what is tested.
        let _refused = headset.handle_report(&report, now).is_err();
        now += Duration::from_millis(random.u64(0..400));
        let target = Indicators {
            off_hook: random.bool(),
            ring: random.bool(),
            mute: random.bool(),
            hold: random.bool(),
        };
        headset.set_indicators(target, now);
        headset.handle_timeout(now);
        if random.u8(0..8) == 0 {
            headset.rewrite_indicators(now);
        }
        while let Some(output) = headset.poll_output() {
            if let Output::Write(report) = output {
                let len = descriptor.payload_len(ReportType::Output, report[0]);
                assert_eq!(Some(report.len() - 1), len, "full length");
                headset.written(random.u8(0..4) != 0, now);
            }
        }
    }
}

#[test]
fn mutated_descriptors_and_reports_never_panic() {
    let mut random = crate::seed::random();
    let start = Instant::now();
    let mut accepted = 0;
    for _ in 0..DESCRIPTORS {
        let mut bytes = random.choice(&layouts::ALL).expect("layouts").to_vec();
        mutate(&mut random, &mut bytes);
        if let Ok(descriptor) = ReportDescriptor::parse(&bytes) {
            accepted += 1;
            assert_bounded(&descriptor, &bytes);
            let _explanation = descriptor.explain();
            drive(&mut random, &descriptor, start);
        }
    }
    println!("{accepted} of {DESCRIPTORS} descriptors accepted");
    assert!(accepted > 100, "the mutations leave nothing to test");
}

/// One array of `slots` slots that can say every key of the telephony page, as input 1 and output 2.
fn array_of(slots: u16) -> Vec<u8> {
    let [low, high] = slots.to_le_bytes();
    let mut bytes =
        vec![0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x15, 0x01, 0x26, 0xFF, 0x00, 0x75, 0x08, 0x96, low, high];
    bytes.extend([0x85, 0x01, 0x19, 0x20, 0x29, 0x9E, 0x81, 0x00]);
    bytes.extend([0x85, 0x02, 0x05, 0x08, 0x19, 0x09, 0x29, 0x2A, 0x91, 0x00, 0xC0]);
    bytes
}

/// Found by its number of slots, not by a clock: what a report costs is slots times controls.
#[test]
fn arrays_longer_than_any_device_has_are_not_looked_through() {
    let short = ReportDescriptor::parse(&array_of(u16::try_from(MAX_SLOTS).expect("few"))).expect("valid");
    assert!(short.layout().has(Role::HookSwitch) && short.layout().has(Role::OffHook));
    for slots in [MAX_SLOTS + 1, 16_384] {
        let long = ReportDescriptor::parse(&array_of(u16::try_from(slots).expect("short"))).expect("valid");
        assert_eq!(long.layout().controls(), [], "{slots} slots");
        assert_eq!(long.payload_len(ReportType::Input, 1), Some(slots as usize), "it keeps its room");
    }
}

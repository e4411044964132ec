//! A descriptor from the first bytes, then steps of device and host from the rest: nothing may panic, every write
//! has its declared length, deadlines stay near and memory stays within the parser's limits.
#![no_main]
#![expect(clippy::disallowed_methods, reason = "a hand-moved clock needs an origin")]

use std::time::{Duration, Instant};

use device_handlers::description::Description;
use device_handlers::headset::{Headset, Indicators, Output};
use device_handlers::quirk::Quirk;
use device_handlers::report::{MAX_DEPTH, MAX_FIELDS, ReportDescriptor, ReportType};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| run(data));

/// Layout of an input: quirk bits, descriptor length (two bytes, little endian), descriptor, steps.
/// A step is one byte what, one byte how long to wait (in 4 ms), and for a report one byte length and the bytes.
fn run(data: &[u8]) {
    let [quirks, low, high, rest @ ..] = data else { return };
    let len = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
    let (bytes, mut steps) = rest.split_at(len);
    let Ok(descriptor) = ReportDescriptor::parse(bytes) else { return };
    assert!(descriptor.fields().len() <= MAX_FIELDS);
    assert!(descriptor.fields().iter().all(|field| field.collections.len() <= MAX_DEPTH));
    let _explanation = descriptor.explain();

    let mut headset = Headset::new(descriptor.clone(), &description(*quirks));
    let mut now = Instant::now();
    while let [what, wait, rest @ ..] = steps {
        steps = rest;
        now += Duration::from_millis(4 * u64::from(*wait));
        match what >> 6 {
            0 => headset.rewrite_indicators(now),
            1 => headset.handle_timeout(now),
            2 => headset.set_indicators(indicators(*what), now),
            _ => {
                let [len, rest @ ..] = steps else { return };
                let (report, rest) = rest.split_at(usize::from(*len).min(rest.len()));
                steps = rest;
                // Refusals are expected; that it returns is what is tested.
                let _refused = headset.handle_report(report, now).is_err();
            }
        }
        drain(&mut headset, &descriptor, now);
        if let Some((due, _)) = headset.poll_timeout() {
            assert!(due <= now + Duration::from_secs(1), "a deadline is further away than any rule says");
        }
    }
    headset.handle_timeout(now + Duration::from_secs(1));
    drain(&mut headset, &descriptor, now);
    assert_eq!(headset.poll_timeout(), None, "after a second of silence nothing is pending");
}

fn indicators(bits: u8) -> Indicators {
    Indicators { off_hook: bits & 1 != 0, ring: bits & 2 != 0, mute: bits & 4 != 0, hold: bits & 8 != 0 }
}

fn description(bits: u8) -> Description {
    let all = [
        Quirk::HoldClearsOffHook,
        Quirk::MicrophoneLedIsMute,
        Quirk::MuteIsToggle,
        Quirk::MuteIsState,
        Quirk::MuteEcho,
        Quirk::RepeatedOnHookIsPress,
        Quirk::OffHookLedIsMessageWaiting,
    ];
    let chosen = all.into_iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    Description { quirks: chosen.map(|(_, quirk)| quirk).collect(), ..Description::default() }
}

/// The device takes what is written.
fn drain(headset: &mut Headset, descriptor: &ReportDescriptor, now: Instant) {
    while let Some(output) = headset.poll_output() {
        if let Output::Write(report) = output {
            let declared = descriptor.payload_len(ReportType::Output, report[0]);
            assert_eq!(Some(report.len() - 1), declared, "a write is not of full length");
            headset.written(true, now);
        }
    }
}

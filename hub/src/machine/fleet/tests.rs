#![expect(clippy::disallowed_methods, reason = "a test starts at some instant")]
//! Which nodes are one headset, what it is called, and which of its nodes speaks for it.

use super::*;
use crate::protocol::DeviceEvent;

/// Input 1: hook. Output 2: off-hook b0, ring b1.
#[rustfmt::skip]
const CALLS: &[u8] = &[
    0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
    0x85, 0x01, 0x95, 0x01, 0x09, 0x20, 0x81, 0x22, 0x95, 0x07, 0x81, 0x01,
    0x85, 0x02, 0x05, 0x08, 0x95, 0x02, 0x09, 0x17, 0x09, 0x18, 0x91, 0x22, 0x95, 0x06, 0x91, 0x01,
    0xC0,
];
/// Input 5: mute (relative). Output 6: mute.
#[rustfmt::skip]
const MUTE: &[u8] = &[
    0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
    0x85, 0x05, 0x95, 0x01, 0x09, 0x2F, 0x81, 0x06, 0x95, 0x07, 0x81, 0x01,
    0x85, 0x06, 0x05, 0x08, 0x95, 0x01, 0x09, 0x09, 0x91, 0x22, 0x95, 0x07, 0x91, 0x01,
    0xC0,
];
const KEYBOARD: &[u8] = &[0x05, 0x01, 0x09, 0x06, 0xA1, 0x01, 0xC0];
const BOGUS: &str = "00000000010C";

fn node(path: &str, port: Option<&str>, serial: Option<&str>, descriptor: &[u8]) -> HidNode {
    HidNode {
        path: path.to_owned(),
        interface: None,
        vendor_id: 0x1395,
        product_id: 1,
        bcd_device: 0x0100,
        manufacturer: "M".to_owned(),
        product: "P".to_owned(),
        serial: serial.map(str::to_owned),
        port: port.map(str::to_owned),
        descriptor: Some(descriptor.to_vec()),
    }
}

struct Rig {
    fleet: Fleet,
    out: Vec<Output>,
    now: Instant,
}

impl Rig {
    fn new() -> Self {
        Self { fleet: Fleet::default(), out: Vec::new(), now: Instant::now() }
    }

    fn with_all(nodes: &[HidNode]) -> Self {
        let mut rig = Self::new();
        rig.scan(nodes);
        rig
    }

    /// As after a restart.
    fn restart(self) -> Self {
        Self { fleet: Fleet::new(self.fleet.homes), ..Self::new() }
    }

    fn act(&mut self, act: impl FnOnce(&mut Fleet, Instant, &mut VecDeque<Output>)) {
        let mut out = VecDeque::new();
        act(&mut self.fleet, self.now, &mut out);
        while let Some(output) = out.pop_front() {
            match &output {
                Output::OpenHid { path } => self.fleet.opened(path, Ok(()), self.now, &mut out),
                Output::WriteHid { path, ticket, .. } => {
                    self.fleet.written(path, *ticket, Ok(()), self.now, &mut out);
                }
                _ => {}
            }
            self.out.push(output);
        }
    }

    fn scan(&mut self, nodes: &[HidNode]) {
        let scan = Scan { hid: nodes.to_vec(), usb: Some(Vec::new()) };
        self.act(|fleet, _, out| _ = fleet.scanned(scan, out));
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.act(|fleet, now, out| fleet.handle_timeout(now, out));
    }

    fn report(&mut self, path: &str, bytes: &[u8]) -> Vec<DeviceEvent> {
        let from = self.out.len();
        self.act(|fleet, now, out| fleet.report_received(path, bytes, now, out));
        let event = |output: &Output| match output {
            Output::ToUser { message: ToUser::DeviceEvent { event, .. }, .. } => Some(*event),
            _ => None,
        };
        self.out[from..].iter().filter_map(event).collect()
    }

    fn ids(&self) -> Vec<&str> {
        self.fleet.devices().map(|device| device.id.as_str()).collect()
    }

    fn opened(&mut self) -> Vec<String> {
        let opened = self.out.drain(..).filter_map(|output| match output {
            Output::OpenHid { path } => Some(path),
            _ => None,
        });
        opened.collect()
    }

    fn is(&self) -> &Device {
        let mut devices = self.fleet.devices();
        let (Some(device), None) = (devices.next(), devices.next()) else { panic!("one device") };
        device
    }
}

#[test]
fn nodes_of_one_headset_are_one_headset_in_any_order() {
    let mute = node("/dev/hidraw2", Some("1-1"), Some("A"), MUTE);
    let calls = node("/dev/hidraw10", Some("1-1"), Some("A"), CALLS);
    let keys = node("/dev/hidraw1", Some("1-1"), Some("A"), KEYBOARD);
    for nodes in [[&mute, &calls, &keys], [&calls, &keys, &mute], [&keys, &mute, &calls]] {
        let mut rig = Rig::with_all(&nodes.map(HidNode::clone));
        let device = rig.is();
        assert_eq!(device.id, "1395-0001-A");
        assert!(device.capabilities.call_control && device.capabilities.mute_sync, "{device:?}");
        assert_eq!(rig.opened(), ["/dev/hidraw10", "/dev/hidraw2"], "the one with call control first");
        rig.pass(Duration::from_secs(1));
        rig.out.clear();
        let on = protocol::Indicators { off_hook: true, mute: true, ..Default::default() };
        rig.act(|fleet, now, out| fleet.set_indicators("1395-0001-A", on, now, out));
        let written = rig.out.iter().filter_map(|output| match output {
            Output::WriteHid { path, bytes, .. } => Some((path.as_str(), bytes.as_slice())),
            _ => None,
        });
        let written: Vec<_> = written.collect();
        assert_eq!(written, [("/dev/hidraw10", &[2, 1][..]), ("/dev/hidraw2", &[6, 1][..])]);
        rig.pass(Duration::from_secs(2));
        assert_eq!(rig.report("/dev/hidraw2", &[5, 1]), [DeviceEvent::MuteToggle]);
        rig.report("/dev/hidraw10", &[1, 1]);
        assert_eq!(rig.report("/dev/hidraw10", &[1, 0]), [DeviceEvent::HangUp]);
        rig.out.clear();
        rig.scan(&[keys.clone(), mute.clone(), calls.clone()]);
        assert_eq!(rig.out, [], "the same bus is no news");
    }
}

#[test]
fn a_node_that_can_do_nothing_new_is_not_opened() {
    let twice =
        [node("/dev/hidraw10", Some("1-1"), None, CALLS), node("/dev/hidraw2", Some("1-1"), None, CALLS)];
    let mut rig = Rig::with_all(&twice);
    assert_eq!(rig.opened(), ["/dev/hidraw2"], "numbers in paths are numbers");
}

#[test]
fn a_node_with_call_control_that_comes_late_takes_the_calls() {
    let mute = node("/dev/hidraw2", Some("1-1"), None, MUTE);
    let calls = node("/dev/hidraw3", Some("1-1"), None, CALLS);
    let mut rig = Rig::with_all(std::slice::from_ref(&mute));
    assert!(!rig.is().capabilities.call_control);
    rig.scan(&[mute.clone(), calls.clone()]);
    assert!(rig.is().capabilities.call_control && rig.is().capabilities.mute_sync);
    assert_eq!(rig.opened(), ["/dev/hidraw2", "/dev/hidraw3"]);
    rig.scan(&[mute]);
    assert!(!rig.is().capabilities.call_control && rig.is().capabilities.mute_sync);
    assert!(
        !rig.out.iter().any(|o| matches!(o, Output::ToUser { message: ToUser::DeviceRemoved { .. }, .. }))
    );
    rig.scan(&[calls]);
    assert!(rig.is().capabilities.call_control, "all nodes gone and another there: it was away");
}

#[test]
fn a_headset_whose_nodes_end_one_after_the_other_is_removed_once() {
    let nodes =
        [node("/dev/hidraw1", Some("1-1"), None, CALLS), node("/dev/hidraw2", Some("1-1"), None, MUTE)];
    let mut rig = Rig::with_all(&nodes);
    rig.out.clear();
    rig.act(|fleet, now, out| fleet.reader_ended("/dev/hidraw1", now, out));
    rig.act(|fleet, now, out| fleet.reader_ended("/dev/hidraw2", now, out));
    let told: Vec<_> = rig.out.iter().filter(|o| matches!(o, Output::ToUser { .. })).collect();
    let id = "1395-0001-1-1".to_owned();
    assert_eq!(told, [&Output::news(ToUser::DeviceRemoved { id })]);
    assert_eq!(rig.out.iter().filter(|o| matches!(o, Output::Scan { .. })).count(), 1);
}

#[test]
fn a_descriptor_that_cannot_be_read_just_now_is_the_one_that_was_read() {
    let whole = node("/dev/hidraw1", Some("1-1"), None, CALLS);
    let mut rig = Rig::with_all(std::slice::from_ref(&whole));
    rig.out.clear();
    rig.scan(&[HidNode { descriptor: None, ..whole }]);
    assert_eq!(rig.out, []);
}

#[test]
fn twins_with_one_serial_number_are_two_headsets_and_keep_their_ids() {
    let a = node("/dev/hidraw0", Some("1-1"), Some(BOGUS), CALLS);
    let b = node("/dev/hidraw1", Some("1-2"), Some(BOGUS), CALLS);
    let (id_a, id_b) = ("1395-0001-00000000010C", "1395-0001-00000000010C~1-2");
    let mut rig = Rig::with_all(&[b.clone(), a.clone()]);
    assert_eq!(rig.ids(), [id_a, id_b]);
    assert_eq!(rig.opened(), ["/dev/hidraw0", "/dev/hidraw1"]);
    let homes = Homes::from([(id_a.to_owned(), "1-1".to_owned())]);
    rig.scan(std::slice::from_ref(&b));
    assert_eq!(rig.ids(), [id_b], "the one that stays does not become the other");
    rig.scan(&[]);
    rig.scan(std::slice::from_ref(&b));
    assert_eq!(rig.ids(), [id_b], "nor does it after it was away");
    assert_eq!(rig.fleet.homes, homes);
    let mut rig = rig.restart();
    rig.scan(std::slice::from_ref(&b));
    assert_eq!(rig.ids(), [id_b], "nor after a restart");
    rig.scan(&[a.clone(), b]);
    assert_eq!(rig.ids(), [id_a, id_b]);
    let elsewhere = HidNode { port: Some("1-3".to_owned()), ..a };
    rig.scan(&[elsewhere]);
    assert_eq!(rig.ids(), ["1395-0001-00000000010C~1-3"]);
}

#[test]
fn the_ids_of_twins_are_written_down_when_the_second_comes() {
    let a = node("/dev/hidraw5", Some("1-5"), Some(BOGUS), CALLS);
    let b = node("/dev/hidraw1", Some("1-2"), Some(BOGUS), CALLS);
    let mut rig = Rig::with_all(std::slice::from_ref(&a));
    assert!(!rig.out.iter().any(|o| matches!(o, Output::Persist(_))));
    rig.scan(&[b, a]);
    assert_eq!(rig.ids(), ["1395-0001-00000000010C", "1395-0001-00000000010C~1-2"], "the first keeps it");
    let homes = Homes::from([("1395-0001-00000000010C".to_owned(), "1-5".to_owned())]);
    assert!(rig.out.contains(&Output::Persist(Record::Homes(homes))));
}

#[test]
fn twins_nobody_can_tell_apart_are_both_listed() {
    let twin = |path| node(path, None, None, CALLS);
    let mut rig = Rig::with_all(&[twin("/dev/hidraw1"), twin("/dev/hidraw2")]);
    assert_eq!(rig.ids(), ["1395-0001-0", "1395-0001-0~2"]);
    rig.scan(&[twin("/dev/hidraw2")]);
    assert_eq!(rig.ids(), ["1395-0001-0~2"], "while it is there");
}

#[test]
fn a_serial_number_that_reads_as_a_port_is_none() {
    let by_port = node("/dev/hidraw1", Some("1-2"), None, CALLS);
    let by_serial = node("/dev/hidraw2", Some("1-1"), Some("1-2"), CALLS);
    let none = node("/dev/hidraw3", None, Some("0"), CALLS);
    let nothing = node("/dev/hidraw4", None, Some(" \u{200b}"), CALLS);
    let rig = Rig::with_all(&[by_port, by_serial, none, nothing]);
    assert_eq!(rig.ids(), ["1395-0001-0", "1395-0001-0~s", "1395-0001-1-2", "1395-0001-1-2~s"]);
}

#[test]
fn serial_numbers_are_cleaned_and_stay_apart() {
    let serials = ["A B", "A_B", "A/B", "A\u{1b}B", "A\u{202e}B", &"9".repeat(64), &"9".repeat(65)];
    let nodes = serials
        .iter()
        .enumerate()
        .map(|(n, serial)| node(&format!("/dev/hidraw{n}"), Some(&format!("1-{n}")), Some(serial), CALLS));
    let rig = Rig::with_all(&nodes.collect::<Vec<_>>());
    assert_eq!(rig.ids().len(), serials.len());
    assert!(rig.ids().contains(&"1395-0001-A_B"), "what needs no cleaning is as it was: {:?}", rig.ids());
    assert_eq!(rig.fleet.homes, Homes::new(), "nobody is anybody's twin");
    for device in rig.fleet.devices() {
        let clean = |text: &str| text.chars().all(|c| !c.is_control() && c != '\u{202e}');
        assert!(clean(&device.id) && device.id.len() < 100);
        assert!(device.serial.as_deref().is_some_and(|s| clean(s) && !s.is_empty()), "{device:?}");
    }
}

#[test]
fn a_headset_on_the_move_takes_its_id_along() {
    let here = node("/dev/hidraw1", Some("1-1"), Some("A"), CALLS);
    let there = node("/dev/hidraw2", Some("1-4"), Some("A"), CALLS);
    let mut rig = Rig::with_all(&[here]);
    rig.scan(&[there]);
    assert_eq!(rig.ids(), ["1395-0001-A"]);
    assert_eq!(rig.is().port.as_deref(), Some("1-4"));
    assert_eq!(rig.fleet.homes, Homes::new());
}

/// A look at the bus that began before the headset left, and was answered after its end was heard, takes what comes
/// next at the same path for it.
#[test]
fn what_a_look_shows_otherwise_at_the_same_path_is_not_what_was_there() {
    let was = node("/dev/hidraw1", Some("1-1"), Some("A"), CALLS);
    let mut rig = Rig::with_all(std::slice::from_ref(&was));
    rig.out.clear();
    rig.scan(&[HidNode { bcd_device: 0x0120, ..was.clone() }]);
    assert_eq!((rig.is().id.as_str(), rig.is().firmware_version.as_str()), ("1395-0001-A", "1.20"));
    assert_eq!(rig.opened(), ["/dev/hidraw1"], "and what was opened is opened again");
    rig.scan(&[HidNode { serial: Some("B".to_owned()), ..was.clone() }]);
    assert_eq!((rig.is().id.as_str(), rig.is().serial.as_deref()), ("1395-0001-B", Some("B")));
    // While it is updated, too: the cable was pulled, and another one is there.
    rig.scan(std::slice::from_ref(&was));
    rig.act(|fleet, _, out| fleet.begin_update("1395-0001-A", out));
    rig.scan(&[HidNode { bcd_device: 0x0120, ..was.clone() }]);
    assert_eq!((rig.is().firmware_version.as_str(), &rig.is().status), ("1.20", &DeviceStatus::Updating));
    rig.scan(&[HidNode { serial: Some("B".to_owned()), ..was }]);
    assert!(rig.ids().contains(&"1395-0001-B"), "{:?}", rig.ids());
}

#[test]
fn a_storm_of_notices_is_one_scan_and_one_after_it() {
    let mut rig = Rig::new();
    let scans = |rig: &mut Rig| rig.out.drain(..).filter(|o| matches!(o, Output::Scan { .. })).count();
    for _ in 0..1000 {
        rig.act(|fleet, now, out| fleet.hotplug(now, out));
    }
    assert_eq!(scans(&mut rig), 1);
    rig.act(|fleet, _, out| fleet.scan_ended(out));
    assert_eq!(scans(&mut rig), 1, "what came meanwhile is looked at");
    rig.scan(&[]);
    assert_eq!(scans(&mut rig), 0);
    rig.pass(Duration::from_secs(5));
    assert_eq!(scans(&mut rig), 1);
}

#[test]
fn reports_that_cannot_be_read_are_a_problem_until_one_can() {
    let mut rig = Rig::with_all(&[node("/dev/hidraw1", Some("1-1"), None, CALLS)]);
    rig.pass(Duration::from_secs(1));
    let code = |rig: &Rig| rig.is().problem.as_ref().map(|p| p.code.as_str().to_owned());
    let told = |rig: &mut Rig| {
        rig.out
            .drain(..)
            .filter(|o| matches!(o, Output::ToUser { message: ToUser::DeviceChanged { .. }, .. }))
            .count()
    };
    told(&mut rig);
    for bytes in [&[][..], &[9, 9], &[1]] {
        rig.report("/dev/hidraw1", bytes);
    }
    assert_eq!((code(&rig).as_deref(), told(&mut rig)), (Some("reports-unreadable"), 1));
    assert_eq!(rig.is().problem.as_ref().expect("a problem").place(), "P");
    rig.report("/dev/hidraw1", &[1, 0]);
    assert_eq!((code(&rig), told(&mut rig)), (None, 1));
    for _ in 0..100 {
        rig.report("/dev/hidraw1", &[1]);
        rig.report("/dev/hidraw1", &[1, 0]);
    }
    assert_eq!(told(&mut rig), 0, "not again at once");
    rig.pass(Duration::from_secs(60));
    for bytes in [&[][..], &[9, 9]] {
        rig.report("/dev/hidraw1", bytes);
    }
    assert_eq!(code(&rig), None, "a report of its own, of one that is understood");
    rig.report("/dev/hidraw1", &[1]);
    assert_eq!(code(&rig).as_deref(), Some("reports-unreadable"));
}

/// A headset of the world: which one it truly is, and where.
#[derive(Clone)]
struct Thing {
    nodes: Vec<HidNode>,
    plugged: bool,
}

fn things(random: &mut fastrand::Rng) -> Vec<Thing> {
    let serials = [Some("A"), Some("A"), Some("A"), Some("1-1"), Some("B"), None, None];
    let thing = |(n, serial): (usize, &Option<&str>)| {
        let (port, first) = (format!("1-{n}"), random.usize(0..20) * 10 + n);
        let at = |path: usize, bytes: &[u8]| node(&format!("/dev/hidraw{path}"), Some(&port), *serial, bytes);
        let mut nodes = vec![at(first, CALLS)];
        if n % 2 == 0 {
            nodes.push(at(first + 1000, MUTE));
        }
        Thing { nodes, plugged: true }
    };
    serials.iter().enumerate().map(thing).collect()
}

#[test]
fn an_id_never_changes_hands_and_the_order_of_nodes_is_nothing() {
    let mut random = crate::seed::random();
    for _ in 0..100 {
        let mut things = things(&mut random);
        let mut rig = Rig::new();
        let mut owners: BTreeMap<DeviceId, String> = BTreeMap::new();
        for step in 0..40 {
            // All at once first: before twins were seen together nobody can know of them.
            if step > 0 {
                let at = random.usize(..things.len());
                things[at].plugged = !things[at].plugged;
            }
            let mut nodes: Vec<HidNode> =
                things.iter().filter(|t| t.plugged).flat_map(|t| t.nodes.clone()).collect();
            let sorted = nodes.clone();
            random.shuffle(&mut nodes);
            let present = rig.fleet.present(&nodes, None);
            let (mut one, mut other) = (rig.fleet.homes.clone(), rig.fleet.homes.clone());
            assert_eq!(assemble(nodes.clone(), &present, &mut one), assemble(sorted, &present, &mut other));
            assert_eq!(one, other);
            if random.u8(..8) == 0 {
                rig = rig.restart();
            }
            rig.scan(&nodes);
            let plugged = things.iter().filter(|t| t.plugged).count();
            assert_eq!(rig.ids().len(), plugged, "each is listed: {:?}", rig.ids());
            for device in rig.fleet.devices() {
                let port = device.port.clone().expect("a port");
                let owner = owners.entry(device.id.clone()).or_insert_with(|| port.clone());
                assert_eq!(*owner, port, "{} is another headset now", device.id);
            }
        }
        assert!(owners.len() <= things.len(), "one id each: {owners:?}");
    }
}

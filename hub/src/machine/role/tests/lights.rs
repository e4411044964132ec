//! Output reports that a headset refuses, answers late or not at all: what it has taken is what counts.

use super::headset::Life;
use super::*;
use crate::protocol::DeviceEvent;

/// Input 1: hook. Outputs 2 to 5: off-hook, mute, ring and hold, a report each.
#[rustfmt::skip]
const A_REPORT_PER_LIGHT: &[u8] = &[
    0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
    0x85, 0x01, 0x95, 0x01, 0x09, 0x20, 0x81, 0x22, 0x95, 0x07, 0x81, 0x01,
    0x05, 0x08,
    0x85, 0x02, 0x95, 0x01, 0x09, 0x17, 0x91, 0x22, 0x95, 0x07, 0x91, 0x01,
    0x85, 0x03, 0x95, 0x01, 0x09, 0x09, 0x91, 0x22, 0x95, 0x07, 0x91, 0x01,
    0x85, 0x04, 0x95, 0x01, 0x09, 0x18, 0x91, 0x22, 0x95, 0x07, 0x91, 0x01,
    0x85, 0x05, 0x95, 0x01, 0x09, 0x20, 0x91, 0x22, 0x95, 0x07, 0x91, 0x01,
    0xC0,
];
const ID: &str = "1209-0001-HS1";
const DARK: Indicators = Indicators { off_hook: false, ring: false, mute: false, hold: false };
const RINGING: Indicators = Indicators { ring: true, ..DARK };
const IN_CALL: Indicators = Indicators { off_hook: true, ..DARK };

fn ringing() -> Rig {
    let headset = Headset { descriptor: A_REPORT_PER_LIGHT.to_vec(), ..Headset::new(1) };
    let mut rig = Rig::start(None, Disk::default(), vec![headset], Instant::now());
    rig.hello();
    rig.pass(Duration::from_secs(5));
    rig.lights(ID, RINGING);
    rig.take();
    rig.auto = false;
    rig
}

fn problem(rig: &Rig) -> Option<&str> {
    let device = &rig.told[ID];
    assert_eq!(device.status, DeviceStatus::Ready, "it can be used all the same");
    device.problem.as_ref().map(|p| p.code.as_str())
}

#[test]
fn a_ring_refused_while_answering_is_put_out_as_soon_as_the_headset_takes_it() {
    let mut rig = ringing();
    rig.feed(Input::HidReport { path: "/dev/hidraw1".to_owned(), bytes: vec![1, 1] });
    let id = ID.to_owned();
    assert!(rig.out.contains(&told(ToUser::DeviceEvent { id, event: DeviceEvent::Answer })));
    rig.take();
    rig.lights(ID, IN_CALL);
    assert!(rig.answer_write(false));
    assert!(rig.answer_write(true));
    assert_eq!(rig.written(), [[4, 0], [2, 1]], "the call opens although the ring was refused");
    rig.take();
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.written(), [[4, 0]]);
    assert!(rig.answer_write(true));
    rig.pass(HOUR);
    assert_eq!((rig.written().len(), rig.writes.len(), problem(&rig)), (1, 0, None));
}

#[test]
fn lights_refused_again_and_again_are_a_problem_that_names_the_headset_until_one_is_taken() {
    let mut rig = ringing();
    rig.lights(ID, DARK);
    for _ in 0..20 {
        rig.answer_write(false);
        rig.pass(Duration::from_secs(70));
    }
    assert_eq!(problem(&rig), Some("lights-not-taken"));
    let changes = |rig: &Rig| {
        rig.out
            .iter()
            .filter(|o| matches!(o, Output::ToUser { message: ToUser::DeviceChanged { .. }, .. }))
            .count()
    };
    assert_eq!(changes(&rig), 1, "told once");
    let shown = rig.told[ID].problem.clone().expect("a problem");
    assert_eq!(shown.place(), "Simulated Headset");
    assert_eq!(shown.details["error"].text, "stalled");
    assert!(rig.answer_write(true));
    assert_eq!((problem(&rig), changes(&rig)), (None, 2));
}

#[test]
fn a_headset_that_does_not_answer_is_a_problem_until_it_does() {
    let mut rig = ringing();
    rig.lights(ID, DARK);
    rig.pass(HOUR);
    assert_eq!((problem(&rig), rig.writes.len()), (Some("lights-not-taken"), 1), "nothing piles up");
    assert_eq!(rig.told[ID].problem.as_ref().expect("a problem").details["error"].code, "device-unanswering");
    rig.answer_write(true);
    assert_eq!(problem(&rig), None);
}

#[test]
fn an_answer_to_what_was_written_before_the_headset_went_away_says_nothing() {
    let mut rig = ringing();
    rig.lights(ID, IN_CALL);
    let before = rig.writes.pop_front().expect("under way");
    rig.auto = true;
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.headsets[0].becomes(Life::Runtime);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(1));
    rig.auto = false;
    rig.take();
    rig.lights(ID, RINGING);
    let (path, ticket, _) = before;
    rig.feed(Input::HidWritten { path, ticket, result: Err(Detail::verbatim("gone")) });
    assert_eq!(rig.written(), [[4, 1]]);
    rig.answer_write(true);
    rig.pass(HOUR);
    assert_eq!(rig.written(), [[4, 1]], "the old answer refused nothing of this one");
}

#[test]
fn a_headset_that_slept_in_a_call_is_lit_again_and_a_dark_one_left_alone() {
    let mut rig = ringing();
    rig.auto = true;
    rig.feed(Input::WorldChanged(WorldChange::Resumed));
    assert_eq!(rig.written(), [[4, 1], [2, 0], [3, 0], [5, 0]]);
    rig.lights(ID, DARK);
    rig.pass(Duration::from_secs(5));
    rig.take();
    rig.feed(Input::WorldChanged(WorldChange::Resumed));
    assert_eq!(rig.written().len(), 0);
}

#[test]
fn a_stop_waits_until_the_lights_are_out_but_not_for_ever() {
    let mut rig = ringing();
    rig.lights(ID, Indicators { mute: true, hold: true, ..IN_CALL });
    while rig.answer_write(true) {}
    rig.take();
    rig.feed(Input::Stop);
    rig.lights(ID, IN_CALL);
    let mut n = 0;
    while rig.answer_write(n > 0) {
        n += 1;
        assert!(!rig.service.has_stopped());
    }
    rig.pass(MS * 50);
    rig.answer_write(true);
    assert!(rig.service.has_stopped());
    assert_eq!(rig.written(), [[2, 0], [3, 0], [5, 0], [2, 0]]);

    let mut rig = ringing();
    rig.feed(Input::Stop);
    rig.pass(MS * 999);
    assert!(!rig.service.has_stopped());
    rig.pass(MS);
    assert!(rig.service.has_stopped());
}

/// The device's lights by report id; all off without power.
#[derive(Default)]
struct Device {
    lights: BTreeMap<u8, u8>,
}

struct Walk {
    rig: Rig,
    device: Device,
    wish: Indicators,
    random: fastrand::Rng,
    /// Answers of writers whose opening is over.
    stale: Vec<(String, u64)>,
}

impl Walk {
    fn answer(&mut self, refuse: bool) {
        while let Some((path, ticket, bytes)) = self.rig.writes.pop_front() {
            let there = self.rig.open.contains(&path) && self.rig.headsets[0].life == Life::Runtime;
            let taken = there && !(refuse && self.random.bool());
            // A refused one may have got through all the same.
            if there && (taken || self.random.bool()) {
                self.device.lights.insert(bytes[0], bytes[1]);
            }
            let result = if taken { Ok(()) } else { Err(Detail::verbatim("refused")) };
            self.rig.feed(Input::HidWritten { path, ticket, result });
            self.ask();
            if self.random.u8(..4) == 0 {
                return;
            }
        }
    }

    /// What was written to a node that is gone comes back late.
    fn becomes(&mut self, life: Life) {
        self.rig.headsets[0].becomes(life);
        self.device.lights.clear();
        for (path, ticket, _) in std::mem::take(&mut self.rig.writes) {
            self.stale.push((path, ticket));
        }
        self.bus();
    }

    /// Scans and opens are answered as they are.
    fn bus(&mut self) {
        self.rig.feed(Input::Scanned(self.rig.bus(true)));
        while let Some(path) = self.rig.opens.pop() {
            let result = match self.rig.denied.contains(&path) {
                true => Err(Reason::HidAccessDenied { error: "denied".to_owned() }.at(&path)),
                false => {
                    self.rig.open.insert(path.clone());
                    Ok(())
                }
            };
            self.rig.feed(Input::HidOpened { path, result });
        }
        self.ask();
    }

    /// As the user role does: what is wanted is said when the headset is ready, and again after it was not.
    fn ask(&mut self) {
        if self.rig.told.get(ID).is_some_and(|d| d.status == DeviceStatus::Ready) {
            self.rig.lights(ID, self.wish);
        }
    }

    fn step(&mut self) {
        match self.random.u8(..10) {
            0..=2 => {
                let mut on = || self.random.bool();
                self.wish = Indicators { off_hook: on(), ring: on(), mute: on(), hold: on() };
                self.ask();
            }
            3..=5 => self.answer(true),
            6 => {
                let life = match self.rig.headsets[0].life {
                    Life::Unplugged => Life::Runtime,
                    _ => Life::Unplugged,
                };
                self.becomes(life);
            }
            7 => {
                let path = self.rig.headsets[0].path.clone();
                if !self.rig.denied.remove(&path) {
                    self.rig.denied.insert(path);
                }
                self.bus();
            }
            8 => {
                if let Some((path, ticket)) = self.stale.pop() {
                    let result = if self.random.bool() { Ok(()) } else { Err(Detail::verbatim("gone")) };
                    self.rig.feed(Input::HidWritten { path, ticket, result });
                }
            }
            _ => self.rig.pass(MS * self.random.u32(..4000)),
        }
    }
}

#[test]
fn once_the_headset_takes_reports_again_its_lights_are_what_is_wanted() {
    let mut random = crate::seed::random();
    for _ in 0..150 {
        let random = random.fork();
        let device = Device::default();
        let mut walk = Walk { rig: ringing(), device, wish: RINGING, random, stale: Vec::new() };
        walk.device.lights.insert(4, 1);
        for _ in 0..60 {
            walk.step();
        }
        walk.rig.denied.clear();
        if walk.rig.headsets[0].life == Life::Unplugged {
            walk.becomes(Life::Runtime);
        }
        walk.bus();
        for _ in 0..40 {
            walk.answer(false);
            walk.rig.pass(Duration::from_secs(10));
        }
        let lit = |id| walk.device.lights.get(&id).copied().unwrap_or(0) == 1;
        let shows = Indicators { off_hook: lit(2), mute: lit(3), ring: lit(4), hold: lit(5) };
        assert_eq!(shows, walk.wish, "after everything was taken");
        assert_eq!(problem(&walk.rig), None);
    }
}

/// While a headset is not ready nobody says what it should show, so what it was to show before is not shown after.
#[test]
fn what_was_wanted_before_a_headset_went_is_not_shown_when_it_is_back() {
    #[rustfmt::skip]
    let hook: Vec<u8> = vec![
        0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x85, 0x01, 0x15, 0, 0x25, 1, 0x75, 1, 0x95, 1, 0x09, 0x20, 0x81, 0x22,
        0x95, 7, 0x81, 1, 0x85, 2, 0x05, 8, 0x95, 2, 0x09, 0x17, 0x09, 0x18, 0x91, 0x22, 0x95, 6, 0x91, 1, 0xC0,
    ];
    #[rustfmt::skip]
    let mute: Vec<u8> = vec![
        0x05, 0x0B, 0x09, 0x05, 0xA1, 0x01, 0x85, 0x01, 0x15, 0, 0x25, 1, 0x75, 1, 0x95, 1, 0x09, 0x2F, 0x81, 0x06,
        0x95, 7, 0x81, 1, 0x85, 2, 0x05, 8, 0x95, 1, 0x09, 0x09, 0x91, 0x22, 0x95, 7, 0x91, 1, 0xC0,
    ];
    let node = |path: &str, descriptor| Headset { path: path.to_owned(), descriptor, ..Headset::new(1) };
    let headsets = vec![node("/dev/hidraw1", hook), node("/dev/hidraw9", mute)];
    let mut rig = Rig::ready(headsets, &super::headset::offer("1.20"), &["all-users"]);
    let id = rig.headsets[0].id();
    let taken = |rig: &mut Rig| while rig.answer_write(true) {};
    let lights = Indicators { ring: true, ..Indicators::default() };
    rig.pass(Duration::from_secs(1));
    taken(&mut rig);
    rig.lights(&id, lights);
    assert_eq!(rig.written(), [vec![2, 2]]);
    taken(&mut rig);
    rig.denied.insert("/dev/hidraw1".to_owned());
    rig.feed(Input::HidLost { path: "/dev/hidraw1".to_owned() });
    rig.pass(Duration::from_millis(10));
    taken(&mut rig);
    assert!(matches!(rig.told[&id].status, DeviceStatus::Unavailable { .. }));
    // The call ends meanwhile.
    rig.denied.clear();
    rig.out.clear();
    for _ in 0..3 {
        rig.pass(Duration::from_secs(5));
        taken(&mut rig);
    }
    assert_eq!(rig.told[&id].status, DeviceStatus::Ready);
    let rings = rig.written().into_iter().filter(|report| report[0] == 2 && report[1] & 2 != 0);
    assert_eq!(rings.count(), 0, "the ring of a call that is over");
}

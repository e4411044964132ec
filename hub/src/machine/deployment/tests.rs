use super::*;

/// Central Europe: summer from the last Sunday of March, 02:00, to that of October, 03:00.
fn zone() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a rule of POSIX")
}

fn at(text: &str) -> u64 {
    let time = text.parse::<jiff::civil::DateTime>().expect("a date and a time");
    let stamp = zone().to_timestamp(time).expect("a time of the calendar");
    u64::try_from(stamp.as_second()).expect("after 1970")
}

fn rule(deployment: Deployment) -> Rule {
    Rule { deployment, deadline_s: None, deferrals: 3, window: (22 * 60, 5 * 60) }
}

struct Cell {
    now: &'static str,
    place: u16,
    somebody: bool,
    call: bool,
    kept: Option<WaitsFor>,
    announced: Option<&'static str>,
    held: Option<&'static str>,
    occasion: bool,
    calm_since: Option<&'static str>,
    past: Past,
}

/// Noon, somebody is there and idle, and nothing was done yet.
fn noon() -> Cell {
    Cell {
        now: "2027-01-12T12:00",
        place: 0,
        somebody: true,
        call: false,
        kept: None,
        announced: None,
        held: None,
        occasion: false,
        calm_since: None,
        past: Past::default(),
    }
}

fn night() -> Cell {
    Cell { now: "2027-01-12T23:00", ..noon() }
}

fn failed(failures: u8, when: &str) -> Past {
    Past { failures, failed_s: Some(at(when)), ..Past::default() }
}

fn deferred(deferrals: u8, when: &str) -> Past {
    Past { deferrals, deferred_s: Some(at(when)), ..Past::default() }
}

fn asked(when: &str) -> Past {
    Past { asked_s: Some(at(when)), ..Past::default() }
}

fn decided(rule: &Rule, cell: &Cell) -> Decision {
    let zone = zone();
    let is = Situation {
        now_s: at(cell.now),
        zone: &zone,
        place: cell.place,
        somebody: cell.somebody,
        call: cell.call,
        kept: cell.kept,
        announced_s: cell.announced.map(at),
        held_until_s: cell.held.map(at),
        occasion_s: cell.occasion.then(|| at(cell.now)),
        calm_since_s: cell.calm_since.map(at),
    };
    decide(rule, &cell.past, &is)
}

fn until(when: &str, waits_for: WaitsFor) -> Decision {
    Decision::Wait(Next { at_s: Some(at(when)), waits_for })
}

fn after(waits_for: WaitsFor) -> Decision {
    Decision::Wait(Next { at_s: None, waits_for })
}

fn after_the_call() -> Decision {
    after(WaitsFor::Call)
}

/// It cannot begin just now.
fn kept(by: WaitsFor, cell: Cell) -> Cell {
    Cell { kept: Some(by), ..cell }
}

fn holds(rule: &Rule, table: Vec<(&str, Cell, Decision)>) {
    for (what, cell, expected) in table {
        assert_eq!(decided(rule, &cell), expected, "{what}");
    }
}

#[test]
fn optional_is_the_persons() {
    let optional = rule(Deployment::Optional);
    let nothing = || Decision::Leave(None);
    holds(
        &optional,
        vec![
            ("somebody is there", noon(), nothing()),
            ("somebody has just come", Cell { occasion: true, ..noon() }, nothing()),
            ("in a call", Cell { call: true, ..noon() }, nothing()),
            ("nobody is there", Cell { somebody: false, ..night() }, nothing()),
            ("it failed before", Cell { past: failed(3, "2027-01-12T11:00"), ..noon() }, nothing()),
        ],
    );
}

#[test]
fn persistent_asks_until_it_is_done() {
    let persistent = rule(Deployment::Persistent);
    let nothing = || Decision::Leave(None);
    let put_off = |when| Decision::Leave(Some(Next { at_s: Some(at(when)), waits_for: WaitsFor::Deferral }));
    holds(
        &persistent,
        vec![
            ("for the first time", noon(), Decision::Ask),
            ("for the first time, in a call", Cell { call: true, ..noon() }, nothing()),
            ("for the first time, nobody is there", Cell { somebody: false, ..noon() }, nothing()),
            (
                "asked, and nothing has happened",
                Cell { past: asked("2027-01-12T07:00"), ..noon() },
                nothing(),
            ),
            (
                "asked four hours ago, and somebody comes",
                Cell { past: asked("2027-01-12T08:00"), occasion: true, ..noon() },
                Decision::Ask,
            ),
            (
                "asked less than four hours ago, and somebody comes",
                Cell { past: asked("2027-01-12T08:01"), occasion: true, ..noon() },
                nothing(),
            ),
            (
                "asked long ago, and somebody comes, in a call",
                Cell { past: asked("2027-01-10T08:00"), occasion: true, call: true, ..noon() },
                nothing(),
            ),
            (
                "put off",
                Cell { past: deferred(0, "2027-01-12T11:00"), occasion: true, ..noon() },
                put_off("2027-01-12T15:00"),
            ),
            (
                "put off four hours ago",
                Cell { past: deferred(0, "2027-01-12T08:00"), ..noon() },
                Decision::Ask,
            ),
        ],
    );
}

#[test]
fn persistent_is_automatic_after_its_deadline() {
    let by = |when| Rule { deadline_s: Some(at(when)), ..rule(Deployment::Persistent) };
    let deadline = Next { at_s: Some(at("2027-01-12T12:01")), waits_for: WaitsFor::Deadline };
    let before = Cell { past: asked("2027-01-12T11:00"), ..noon() };
    assert_eq!(decided(&by("2027-01-12T12:01"), &before), Decision::Leave(Some(deadline)));
    assert_eq!(decided(&by("2027-01-12T12:00"), &before), Decision::Announce, "that minute is after it");
    let put_off = Cell { past: deferred(1, "2027-01-12T11:00"), ..noon() };
    assert_eq!(decided(&by("2027-01-12T12:00"), &put_off), until("2027-01-12T15:00", WaitsFor::Deferral));
}

#[test]
fn automatic_begins_after_a_notice_outside_calls() {
    let told = |when| Cell { announced: Some(when), ..noon() };
    holds(
        &rule(Deployment::Automatic),
        vec![
            ("somebody is there", noon(), Decision::Announce),
            ("they were told", told("2027-01-12T11:59:30"), until("2027-01-12T12:00:30", WaitsFor::Notice)),
            ("they were told a minute ago", told("2027-01-12T11:59"), Decision::Begin),
            ("nobody is there", Cell { somebody: false, ..noon() }, Decision::Announce),
            ("in a call", Cell { call: true, ..noon() }, after_the_call()),
            ("in a call, told", Cell { call: true, ..told("2027-01-12T11:00") }, after_the_call()),
            ("behind another one", kept(WaitsFor::Turn, noon()), after(WaitsFor::Turn)),
            (
                "behind another one, told",
                kept(WaitsFor::Turn, told("2027-01-12T11:00")),
                after(WaitsFor::Turn),
            ),
            ("no company", kept(WaitsFor::Company, noon()), after(WaitsFor::Company)),
            (
                "no company, in a call",
                kept(WaitsFor::Company, Cell { call: true, ..noon() }),
                after_the_call(),
            ),
            (
                "in a call, nobody at the seat",
                Cell { call: true, somebody: false, ..noon() },
                after_the_call(),
            ),
            (
                "put off",
                Cell { past: deferred(1, "2027-01-12T11:00"), ..noon() },
                until("2027-01-12T15:00", WaitsFor::Deferral),
            ),
            (
                "put off for the last time, four hours ago",
                Cell { past: deferred(3, "2027-01-12T08:00"), ..noon() },
                Decision::Announce,
            ),
            (
                "it failed",
                Cell { past: failed(1, "2027-01-12T11:00"), ..noon() },
                until("2027-01-13T11:00", WaitsFor::Retry),
            ),
            (
                "it failed a day ago",
                Cell { past: failed(2, "2027-01-11T12:00"), ..noon() },
                Decision::Announce,
            ),
            (
                "it failed three times",
                Cell { past: failed(3, "2027-01-11T12:00"), ..noon() },
                until("2027-01-18T12:00", WaitsFor::Retry),
            ),
            (
                "it could not be begun",
                Cell { held: Some("2027-01-12T12:15"), ..noon() },
                until("2027-01-12T12:15", WaitsFor::Retry),
            ),
        ],
    );
}

#[test]
fn silent_begins_in_its_window_whoever_is_there() {
    holds(
        &rule(Deployment::Silent),
        vec![
            ("by day", noon(), until("2027-01-12T22:00", WaitsFor::Window)),
            (
                "by day, nobody",
                Cell { somebody: false, ..noon() },
                until("2027-01-12T22:00", WaitsFor::Window),
            ),
            ("in the window", night(), Decision::Begin),
            ("in the window, nobody", Cell { somebody: false, ..night() }, Decision::Begin),
            ("its first second", Cell { now: "2027-01-12T22:00", ..noon() }, Decision::Begin),
            ("after midnight", Cell { now: "2027-01-13T04:59:59", ..noon() }, Decision::Begin),
            (
                "its end",
                Cell { now: "2027-01-13T05:00", ..noon() },
                until("2027-01-13T22:00", WaitsFor::Window),
            ),
            ("in the window, in a call", Cell { call: true, ..night() }, after_the_call()),
            ("in the window, behind another one", kept(WaitsFor::Turn, night()), after(WaitsFor::Turn)),
            ("in the window, no company", kept(WaitsFor::Company, night()), after(WaitsFor::Company)),
            (
                "it failed in this window",
                Cell { past: failed(1, "2027-01-12T22:10"), ..night() },
                until("2027-01-13T22:00", WaitsFor::Retry),
            ),
            (
                "it failed in the last one",
                Cell { past: failed(2, "2027-01-12T04:10"), ..night() },
                Decision::Begin,
            ),
            (
                "it failed three times",
                Cell { past: failed(3, "2027-01-12T22:10"), ..night() },
                until("2027-01-19T22:00", WaitsFor::Retry),
            ),
            (
                "somebody has just left, perhaps in a call",
                Cell { calm_since: Some("2027-01-12T22:59:30"), ..night() },
                until("2027-01-12T23:00:30", WaitsFor::Window),
            ),
            (
                "it was cancelled in this window",
                Cell { past: deferred(0, "2027-01-12T22:30"), ..night() },
                until("2027-01-13T02:30", WaitsFor::Window),
            ),
            (
                "it could not be begun",
                Cell { held: Some("2027-01-12T23:15"), ..night() },
                until("2027-01-12T23:15", WaitsFor::Window),
            ),
        ],
    );
}

/// One headset, one rule, and all that time does in a year: when it was begun.
fn year(rule: &Rule, place: u16, mut ended: impl FnMut(&mut Past, u64)) -> Vec<u64> {
    let zone = zone();
    let (mut now_s, end) = (at("2027-01-01T12:00"), at("2028-01-01T12:00"));
    let (mut past, mut begun, mut announced_s) = (Past::default(), Vec::new(), None);
    while now_s < end {
        let is = Situation {
            now_s,
            zone: &zone,
            place,
            somebody: false,
            call: false,
            kept: None,
            announced_s,
            held_until_s: None,
            occasion_s: None,
            calm_since_s: None,
        };
        match decide(rule, &past, &is) {
            Decision::Announce => announced_s = Some(now_s),
            Decision::Begin => {
                announced_s = None;
                begun.push(now_s);
                now_s += 240;
                ended(&mut past, now_s);
            }
            Decision::Wait(Next { at_s: Some(at), .. }) => {
                assert!(at > now_s, "the clock stands still at {now_s}");
                now_s = at;
            }
            other => panic!("{other:?} at {now_s}"),
        }
    }
    begun
}

/// Whether the clock on the wall shows a minute of the window, or the hour beside it that a change of the clock takes.
fn is_in(rule: &Rule, at_s: u64) -> bool {
    let zone = zone();
    let stamp = |s: u64| Timestamp::from_second(i64::try_from(s).expect("a time")).expect("of the calendar");
    let minute = |s: u64| {
        let time = zone.to_datetime(stamp(s)).time();
        u16::try_from(time.hour()).expect("hours") * 60 + u16::try_from(time.minute()).expect("minutes")
    };
    let (from, until) = rule.window;
    let inside = |m: u16| if from < until { (from..until).contains(&m) } else { m >= from || m < until };
    let changes = zone.to_offset(stamp(at_s - 3 * 3600)) != zone.to_offset(stamp(at_s + 3 * 3600));
    let minute = minute(at_s);
    inside(minute) || changes && (inside((minute + 60) % 1440) || inside((minute + 1380) % 1440))
}

#[test]
fn no_window_of_a_year_is_missed_and_none_is_used_twice() {
    let windows = [
        (22 * 60, 5 * 60),
        (0, 60),
        (2 * 60, 3 * 60),
        (2 * 60 + 15, 2 * 60 + 45),
        (3 * 60, 2 * 60),
        (23 * 60, 0),
    ];
    for (window, place) in
        windows.into_iter().flat_map(|window| [0, 40_000, u16::MAX].map(|place| (window, place)))
    {
        let silent = Rule { window, ..rule(Deployment::Silent) };
        let every = year(&silent, place, |past, now_s| {
            // Each day it fails for the first time.
            *past = Past { failures: 1, failed_s: Some(now_s), ..Past::default() };
        });
        // The year begins at noon, for some in the middle of one.
        let windows = 365 + usize::from(is_in(&silent, at("2027-01-01T12:00")));
        assert_eq!(every.len(), windows, "{window:?}: once in each of the windows");
        assert!(every.iter().all(|at| is_in(&silent, *at)), "{window:?}");
        for pair in every[windows - 365..].windows(2) {
            let apart = pair[1] - pair[0];
            assert!((22 * 3600..=26 * 3600).contains(&apart), "{window:?}: {apart} s between two tries");
        }
    }
}

#[test]
fn what_fails_for_a_year_is_tried_three_times_and_then_once_a_week() {
    for deployment in [Deployment::Silent, Deployment::Automatic] {
        let rule = rule(deployment);
        let begun = year(&rule, 12_345, |past, now_s| {
            past.failures = past.failures.saturating_add(1);
            past.failed_s = Some(now_s);
        });
        let days: Vec<u64> = begun.windows(2).map(|pair| (pair[1] - pair[0] + DAY_S / 2) / DAY_S).collect();
        assert_eq!(days[..2], [1, 1], "{deployment:?}");
        assert!(days[2..].iter().all(|days| (6..=7).contains(days)), "{deployment:?}: {days:?}");
        assert!((52..=62).contains(&begun.len()), "{deployment:?}: {}", begun.len());
    }
}

/// The first half hour of a window, or half of a short one.
#[test]
fn the_computers_of_a_company_do_not_begin_all_at_once() {
    let long = rule(Deployment::Silent);
    let short = Rule { window: (22 * 60, 22 * 60 + 20), ..long };
    for (rule, place, begins) in [
        (long, 0, "2027-01-12T22:00"),
        (long, 1 << 15, "2027-01-12T22:15"),
        (long, u16::MAX, "2027-01-12T22:29:59"),
        (short, 1 << 15, "2027-01-12T22:05"),
        (short, u16::MAX, "2027-01-12T22:09:59"),
    ] {
        let cell = |now| Cell { now, place, ..noon() };
        for before in ["2027-01-12T12:00", "2027-01-12T21:59:59"] {
            assert_eq!(decided(&rule, &cell(before)), until(begins, WaitsFor::Window), "{place} {before}");
        }
        assert_eq!(decided(&rule, &cell(begins)), Decision::Begin, "{place}");
        // Who comes later has not missed its time.
        assert_eq!(
            decided(&rule, &cell("2027-01-12T22:12")) == Decision::Begin,
            at(begins) <= at("2027-01-12T22:12")
        );
    }
    assert_eq!(decided(&long, &Cell { place: u16::MAX, ..night() }), Decision::Begin);

    let mut tenths = [0; 10];
    for n in 0..10_000_u64 {
        let id = format!("{:08x}-0000-4000-8000-{:012x}", n.wrapping_mul(0x9e37_79b9) as u32, n);
        assert_eq!(place(&id), place(&id));
        tenths[usize::from(place(&id)) * 10 / 65_536] += 1;
    }
    assert!(tenths.iter().all(|n| (800..1200).contains(n)), "{tenths:?}");
}

/// Eight to five on each day, a poll each hour: the person is asked twice a day and never twice in four hours.
#[test]
fn nobody_is_asked_twice_in_four_hours_of_a_year() {
    let persistent = rule(Deployment::Persistent);
    let zone = zone();
    let mut past = Past::default();
    let mut asked = Vec::new();
    for hour in 0..365 * 24 {
        let now_s = at("2027-01-01T00:00") + hour * 3600;
        let stamp = Timestamp::from_second(i64::try_from(now_s).expect("a time")).expect("of the calendar");
        let somebody = (8..17).contains(&zone.to_datetime(stamp).hour());
        let is = Situation {
            now_s,
            zone: &zone,
            place: 0,
            somebody,
            call: hour % 7 == 0,
            kept: None,
            announced_s: None,
            held_until_s: None,
            occasion_s: Some(now_s),
            calm_since_s: None,
        };
        if decide(&persistent, &past, &is) == Decision::Ask {
            assert!(somebody && !is.call);
            past.asked_s = Some(now_s);
            asked.push(now_s);
        }
    }
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= PAUSE_S));
    assert!((365 * 2..=365 * 3).contains(&asked.len()), "{}", asked.len());
}

/// Nothing waits for what a clock that went wrong has written down.
#[test]
fn what_lies_in_the_future_was_never() {
    let never = Past {
        deferrals: 1,
        deferred_s: Some(at("2099-01-01T00:00")),
        asked_s: Some(at("2099-01-01T00:00")),
        failures: 1,
        failed_s: Some(at("2099-01-01T00:00")),
        ..Past::default()
    };
    let cell = |cell: Cell| Cell { past: never.clone(), ..cell };
    assert_eq!(decided(&rule(Deployment::Persistent), &cell(noon())), Decision::Ask);
    assert_eq!(decided(&rule(Deployment::Automatic), &cell(noon())), Decision::Announce);
    assert_eq!(decided(&rule(Deployment::Silent), &cell(night())), Decision::Begin);
    let never = Cell {
        announced: Some("2099-01-01T00:00"),
        held: Some("2099-01-01T00:00"),
        calm_since: Some("2099-01-01T00:00"),
        ..night()
    };
    assert_eq!(decided(&rule(Deployment::Automatic), &never), Decision::Announce);
    assert_eq!(decided(&rule(Deployment::Silent), &never), Decision::Begin);
}

#[test]
fn the_calendar_has_an_end() {
    let zone = zone();
    let last = u64::try_from(Timestamp::MAX.as_second()).expect("after 1970");
    for now_s in [last, last + 1, u64::MAX] {
        assert_eq!(window_from((22 * 60, 5 * 60), now_s, &zone), None);
    }
    assert!(window_from((22 * 60, 5 * 60), 0, &zone).is_some());
}

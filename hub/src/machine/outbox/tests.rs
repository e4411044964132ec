//! The outbox by itself: what is due when, to the second.
#![expect(clippy::disallowed_methods, reason = "a hand-moved clock needs an origin")]

use super::*;
use crate::machine::FailureKind;
use crate::problem::Code;
use std::collections::BTreeMap;
use tenant::wire::{CloudEvent, DeviceRegistration};

const SECOND: Duration = Duration::from_secs(1);

fn event(id: &str) -> Owed {
    let event = CloudEvent {
        specversion: "1.0".to_owned(),
        id: id.to_owned(),
        source: "s".to_owned(),
        kind: "t".to_owned(),
        time: "2026-01-01T00:00:00Z".to_owned(),
        subject: None,
        datacontenttype: None,
        data: None,
        extensions: BTreeMap::new(),
    };
    Owed { id: id.to_owned(), unix_s: 1, delivery: Delivery::Event(event) }
}

fn device(id: &str) -> Owed {
    let device = DeviceRegistration {
        device_id: id.to_owned(),
        vendor_id: 1,
        product_id: 2,
        vendor: String::new(),
        product: "Headset".to_owned(),
        serial: None,
        firmware_version: None,
        attached: true,
        port: None,
    };
    Owed { id: id.to_owned(), unix_s: 1, delivery: Delivery::Device(device) }
}

fn failure(kind: FailureKind) -> TenantFailure {
    let said = Detail::new("server-said", "400: no, Jane").with("status", "400").with("words", "no, Jane");
    let problem = Reason::TenantRejected { detail: said }.at("https://t");
    TenantFailure { kind, problem, retry_after: None }
}

struct Rig {
    outbox: Outbox,
    out: VecDeque<Output>,
    start: Instant,
}

impl Rig {
    fn new(owed: impl IntoIterator<Item = Owed>) -> Self {
        let mut rig = Self { outbox: Outbox::default(), out: VecDeque::new(), start: Instant::now() };
        for owed in owed {
            rig.outbox.owe(owed, rig.start, &mut rig.out);
        }
        rig
    }

    /// Ids of what is sent at that second.
    fn next(&mut self, second: u32) -> Vec<String> {
        let batch = self.outbox.next(self.start + SECOND * second);
        batch.into_iter().flatten().map(|owed| owed.id).collect()
    }

    /// Seconds until something is due.
    fn due(&self) -> Option<u64> {
        self.outbox.poll_timeout().map(|(at, _)| (at - self.start).as_secs())
    }

    fn delivered(&mut self, ids: &[String], second: u32) {
        self.outbox.delivered(ids, self.start + SECOND * second, &mut self.out);
    }

    fn failed(&mut self, kind: FailureKind, second: u32) {
        self.outbox.failed(&failure(kind), self.start + SECOND * second, &mut self.out);
    }
}

#[test]
fn events_that_are_left_are_due_two_minutes_after_a_delivery() {
    let mut rig = Rig::new([]);
    rig.outbox.restore(vec![device("d"), event("e")]);
    let sent = rig.next(7);
    assert_eq!(sent, ["d"]);
    rig.delivered(&sent, 10);
    assert_eq!(rig.due(), Some(130));
    assert!(rig.next(129).is_empty());
    assert_eq!(rig.next(130), ["e"]);
}

#[test]
fn a_failed_report_does_not_hurry_events_that_were_not_sent() {
    let mut rig = Rig::new([event("e"), device("d")]);
    assert_eq!(rig.next(0), ["d"]);
    rig.failed(FailureKind::ServerError, 1);
    let again = rig.next(6);
    assert_eq!(again, ["d"]);
    rig.delivered(&again, 7);
    assert_eq!(rig.due(), Some(120), "when they were due before");
    // Events that were sent are sent again as soon as that may be.
    assert_eq!(rig.next(120), ["e"]);
    rig.failed(FailureKind::ServerError, 121);
    assert_eq!(rig.due(), Some(126));
}

#[test]
fn a_refused_batch_is_halved() {
    let ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut rig = Rig::new(ids.map(device));
    assert_eq!(rig.next(0).len(), 8);
    rig.failed(FailureKind::Rejected, 0);
    assert_eq!(rig.next(5), ids[..4]);
    rig.failed(FailureKind::Rejected, 5);
    assert_eq!(rig.next(15), ids[..2]);
    rig.failed(FailureKind::Rejected, 15);
    assert_eq!(rig.next(35), ids[..1]);
}

#[test]
fn nothing_is_due_while_something_is_on_its_way_or_nothing_is_owed() {
    let mut rig = Rig::new([event("e"), device("d")]);
    let sent = rig.next(0);
    assert_eq!((sent.len(), rig.due()), (1, None), "on its way");
    rig.delivered(&sent, 0);
    let sent = rig.next(120);
    assert_eq!((sent.len(), rig.due()), (1, None));
    rig.delivered(&sent, 120);
    rig.outbox.flush_events(rig.start + SECOND * 121);
    assert_eq!(rig.due(), None, "nothing is owed, whatever the clock for events says");
}

#[test]
fn a_report_that_was_given_up_stays_a_problem_until_a_later_one_is_taken() {
    let mut rig = Rig::new([device("d")]);
    for n in 0..MOST_REFUSALS {
        let second = u32::from(n) * 1_000;
        assert_eq!(rig.next(second), ["d"]);
        assert_eq!(rig.outbox.refused(), None);
        rig.failed(FailureKind::Rejected, second);
    }
    assert!(rig.outbox.is_empty());
    let problem = rig.outbox.refused().expect("said");
    assert_eq!(problem.code, Code::TenantReportRefused);
    assert!(problem.what().contains("Headset") && problem.what().contains("400: no, Jane"), "{problem}");
    let logged = problem.to_string();
    assert!(logged.contains("400: …") && !logged.contains("Jane"), "{logged}");
    let now = rig.start + SECOND * 9_000;
    for (id, cleared) in [("another", false), ("d", true)] {
        rig.outbox.owe(Owed { id: format!("new-{id}"), ..device(id) }, now, &mut rig.out);
        let sent = rig.next(9_001);
        rig.delivered(&sent, 9_001);
        assert_eq!(rig.outbox.refused().is_none(), cleared, "{id}");
    }
}

//! Updates that run, wait and ended, as faces and softphones are told of them.

use super::lights::offer;
use super::*;
use hub::locale::Message;
use hub::protocol::{Job, JobPhase, Offer, Outcome};
use hub::user::{WhyNot, words};

fn job(device: &str, phase: JobPhase) -> Job {
    let (offer, name) = (format!("fw:{device}"), format!("Firmware {device}"));
    Job { offer, device: device.to_owned(), name, phase, ..Job::default() }
}

fn done(device: &str) -> Job {
    let outcome = Some(Outcome::Succeeded { version: "1.20".to_owned() });
    Job { outcome, ..job(device, JobPhase::WaitingForRuntime) }
}

fn is(rig: &mut Rig, job: Job) {
    rig.service(ToUser::JobChanged { job: Some(job) });
}

fn ended(rig: &Rig) -> Vec<&str> {
    rig.agent.view().ended.iter().map(|job| job.device.as_str()).collect()
}

#[test]
fn updates_that_wait_are_told_in_their_order_and_say_for_what() {
    let mut rig = Rig::with(&["a", "b", "c"]);
    is(&mut rig, job("a", JobPhase::Downloading));
    let queue = ["b", "c"].map(|device| job(device, JobPhase::Queued));
    rig.service(ToUser::QueueChanged { queue: queue.to_vec() });
    let [Change::Updates { queue: told, .. }] = &rig.changes()[..] else { panic!("one event") };
    assert_eq!(told, &queue);
    let said = |rig: &Rig, n: usize| words::queued(rig.agent.view(), &queue[n]);
    let waits =
        |name: &str, headset: &str| Message::new("job-queued").text("name", name).text("headset", headset);
    assert_eq!(said(&rig, 0), waits("Firmware b", "Headset b").text("before", "Headset a"));
    assert_eq!(said(&rig, 1), waits("Firmware c", "Headset c").text("before", "Headset b"));
    is(&mut rig, done("a"));
    let next = Message::new("job-queued-next").text("name", "Firmware b").text("headset", "Headset b");
    assert_eq!(said(&rig, 0), next, "the one before has ended, nothing runs yet");
}

/// Whoever waits for its end may look a moment too late.
#[test]
fn how_an_update_ended_is_known_while_the_next_one_runs() {
    let mut rig = Rig::with(&["a", "b", "c"]);
    is(&mut rig, done("a"));
    assert_eq!(ended(&rig), [""; 0], "that is the last job itself");
    is(&mut rig, job("b", JobPhase::Fetching));
    assert_eq!(ended(&rig), ["a"]);
    is(&mut rig, done("b"));
    is(&mut rig, done("c"));
    assert_eq!(ended(&rig), ["b", "a"]);
    rig.service(ToUser::QueueChanged { queue: vec![job("a", JobPhase::Queued)] });
    assert_eq!(ended(&rig), ["b"], "what is to come counts");
    is(&mut rig, job("b", JobPhase::Fetching));
    assert_eq!(ended(&rig), ["c"]);
    for n in 0..40 {
        is(&mut rig, done(&format!("d{n}")));
    }
    assert_eq!(ended(&rig).len(), 8, "not all for ever");
}

#[test]
fn a_hello_says_what_waits() {
    let mut rig = Rig::with(&["a", "b"]);
    let queue = vec![job("b", JobPhase::Queued)];
    let state = State { devices: rig.agent.view().devices.clone(), queue: queue.clone(), ..State::default() };
    rig.service(ToUser::Hello(Box::new(state.clone())));
    assert_eq!(rig.changes(), [Change::Updates { offers: vec![], job: None, queue: queue.clone() }]);
    assert_eq!(rig.agent.view().queue, queue);
    rig.service(ToUser::Hello(Box::new(state)));
    assert_eq!(rig.changes(), [], "the same state is no news");
}

/// The machine role knows whether it has to wait; what nobody offers is refused here, whatever runs.
#[test]
fn an_update_is_asked_for_while_another_one_runs() {
    let mut rig = Rig::with(&["a", "d"]);
    is(&mut rig, job("a", JobPhase::Downloading));
    let ask = |rig: &mut Rig, offer: &str| {
        let command = Command::Install { offer: offer.to_owned() };
        rig.feed(Input::Command { request: 9, command });
        let asked = |o: &Output| matches!(o, Output::Machine(ToMachine::InstallUpdate { .. }));
        let asked = rig.outputs.iter().any(asked);
        let why = rig.replies().pop().map(|(_, reply)| match reply {
            Reply::Refused(refusal) => refusal.why,
            other => panic!("{other:?}"),
        });
        (asked, why)
    };
    assert_eq!(ask(&mut rig, "fw:d"), (false, Some(WhyNot::NoSuchOffer)));
    let offers: Vec<Offer> = vec![offer()];
    rig.service(ToUser::OffersChanged { offers });
    assert_eq!(ask(&mut rig, "fw:d"), (true, None));
    assert_eq!(ask(&mut rig, "fw:a"), (true, None), "which says that it runs");
}

//! Lights follow the state, whatever happens to the headset meanwhile.

use super::*;
use hub::protocol::{Job, JobPhase, Offer, Outcome, Stop};
use hub::user::asked::ANSWER_LIMIT;
use hub::user::{Refusal, WhyNot};

fn changed(id: &str, status: DeviceStatus) -> ToUser {
    ToUser::DeviceChanged { device: Device { status, ..device(id) } }
}

fn removed(id: &str) -> ToUser {
    ToUser::DeviceRemoved { id: id.to_owned() }
}

#[test]
fn every_state_of_calls_has_its_lights() {
    let mut rig = Rig::with(&["d"]);
    let on = |lights: Indicators| vec![("d".to_owned(), lights)];
    let first = rig.incoming();
    assert_eq!(rig.lights(), on(RING));
    rig.press(DeviceEvent::Answer);
    assert_eq!(rig.lights(), on(IN_CALL));
    rig.press(DeviceEvent::MuteToggle);
    assert_eq!(rig.lights(), on(Indicators { mute: true, ..IN_CALL }));
    let second = rig.incoming();
    assert_eq!(rig.lights(), on(Indicators { mute: true, ring: true, ..IN_CALL }));
    rig.press(DeviceEvent::HoldToggle);
    assert_eq!(rig.lights(), on(IN_CALL), "the second call is not muted");
    rig.act(second, CallAction::Hold);
    let held = Indicators { hold: true, mute: true, ..IN_CALL };
    assert_eq!(rig.lights(), on(held), "both are held, the radio stays open, the first one is still muted");
    rig.act(second, CallAction::End);
    assert_eq!(rig.lights(), [], "nothing to change");
    rig.act(first, CallAction::End);
    assert_eq!(rig.lights(), on(DARK));
    rig.create("phone", Direction::Outgoing);
    assert_eq!(rig.lights(), on(IN_CALL), "dialling opens the radio");
}

#[test]
fn what_is_off_hook_can_be_muted() {
    let muted = Indicators { mute: true, ..IN_CALL };
    let create = |rig: &mut Rig, direction| {
        let command = Command::CreateCall {
            client: rig.comes("phone"),
            label: None,
            direction,
            contact: None,
            muted: true,
        };
        match rig.command(command) {
            Reply::Call(call) => call,
            other => panic!("{other:?}"),
        }
    };
    // From the first write on.
    let mut rig = Rig::with(&["d"]);
    let call = create(&mut rig, Direction::Outgoing);
    assert!(call.muted);
    assert_eq!(rig.lights(), [("d".to_owned(), muted)]);
    // While dialling, by softphone and by headset.
    assert!(matches!(rig.act(call.id, CallAction::Unmute), Reply::Call(call) if !call.muted));
    assert_eq!(rig.lights(), [("d".to_owned(), IN_CALL)]);
    rig.press(DeviceEvent::MuteToggle);
    assert_eq!(rig.heard(), [(call.id, CallChange::Muted, Cause::Device)]);
    assert_eq!(rig.lights(), [("d".to_owned(), muted)]);
    rig.act(call.id, CallAction::Answer);
    assert_eq!(rig.lights(), [], "it stays muted");
    // On hold.
    rig.act(call.id, CallAction::Hold);
    rig.press(DeviceEvent::MuteOff);
    assert_eq!(rig.heard(), [(call.id, CallChange::Unmuted, Cause::Device)]);
    rig.act(call.id, CallAction::End);
    // A call that only rings is not off-hook: its light comes with the answer.
    let call = create(&mut rig, Direction::Incoming);
    assert_eq!(rig.lights(), [("d".to_owned(), RING)]);
    rig.press(DeviceEvent::MuteOff);
    assert_eq!(rig.heard(), []);
    rig.press(DeviceEvent::Answer);
    assert_eq!(rig.lights(), [("d".to_owned(), muted)]);
    assert!(rig.call(call.id).is_some_and(|c| c.muted));
}

#[test]
fn a_refused_or_repeated_command_writes_no_light() {
    let mut rig = Rig::with(&["d"]);
    let id = rig.answered();
    rig.act(id, CallAction::Answer);
    assert_eq!((rig.lights(), rig.heard()), (vec![], vec![]));
    rig.act(99, CallAction::Answer);
    assert_eq!(rig.lights(), []);
}

#[test]
fn a_second_headset_stays_dark_until_the_first_is_gone() {
    let mut rig = Rig::with(&["d", "e"]);
    let id = rig.answered();
    assert_eq!(rig.lights(), [("d".to_owned(), IN_CALL)]);
    rig.service(removed("d"));
    assert_eq!(rig.lights(), [("e".to_owned(), IN_CALL)], "the call goes on at the other headset");
    rig.service(changed("d", DeviceStatus::Ready));
    assert_eq!(rig.lights(), [], "it keeps the headset it has");
    rig.act(id, CallAction::End);
    assert_eq!(rig.lights(), [("e".to_owned(), DARK)]);
}

#[test]
fn a_headset_lost_in_a_call_is_lit_again_when_it_is_back() {
    let mut rig = Rig::with(&["d"]);
    let id = rig.answered();
    rig.service(removed("d"));
    assert_eq!((rig.lights(), rig.state(id)), (vec![], CallState::Answered), "the call survives the cable");
    rig.act(id, CallAction::Mute);
    assert_eq!(rig.lights(), []);
    rig.service(changed("d", DeviceStatus::Ready));
    assert_eq!(rig.lights(), [("d".to_owned(), Indicators { mute: true, ..IN_CALL })]);
}

#[test]
fn an_updating_or_unavailable_headset_gets_nothing() {
    for status in
        [DeviceStatus::Updating, DeviceStatus::Unavailable { problem: problem("hid-access-denied") }]
    {
        let mut rig = Rig::with(&["d"]);
        rig.service(changed("d", status.clone()));
        let id = rig.incoming();
        assert_eq!(rig.lights(), []);
        rig.act(id, CallAction::Answer);
        assert_eq!(rig.lights(), []);
        rig.service(changed("d", DeviceStatus::Ready));
        assert_eq!(rig.lights(), [("d".to_owned(), IN_CALL)]);
    }
}

#[test]
fn a_headset_without_call_control_is_not_chosen() {
    let mut rig = Rig::with(&[]);
    let plain = Device { capabilities: Capabilities::default(), ..device("p") };
    rig.service(ToUser::DeviceChanged { device: plain });
    rig.service(changed("d", DeviceStatus::Ready));
    rig.incoming();
    assert_eq!(rig.lights(), [("d".to_owned(), RING)]);
}

#[test]
fn a_headset_that_only_mutes_serves_where_there_is_no_other() {
    let mut rig = Rig::with(&[]);
    let only_mutes = Capabilities { mute_sync: true, ..Capabilities::default() };
    let device = Device { capabilities: only_mutes, ..device("m") };
    rig.service(ToUser::DeviceChanged { device });
    let id = rig.answered();
    rig.service(changed("d", DeviceStatus::Ready));
    assert_eq!(rig.agent.view().headset.as_deref(), Some("m"), "the call stays where it is");
    rig.service(ToUser::DeviceEvent { id: "m".to_owned(), event: DeviceEvent::MuteToggle });
    assert_eq!(rig.heard(), [(id, CallChange::Muted, Cause::Device)]);
    rig.act(id, CallAction::End);
    assert_eq!(rig.agent.view().headset.as_deref(), Some("d"));
}

#[test]
fn a_service_that_starts_again_is_told_all_lights() {
    let mut rig = Rig::with(&["d"]);
    rig.answered();
    let state = State { devices: vec![device("d")], ..State::default() };
    rig.service(ToUser::Hello(Box::new(state)));
    assert_eq!(rig.lights(), [("d".to_owned(), IN_CALL)]);
}

/// A softphone that subscribed before the machine role said hello must not be left with the old state.
#[test]
fn a_hello_tells_subscribers_what_changed() {
    let mut rig = Rig::with(&["d", "gone"]);
    let now = Device { firmware_version: "1.20".to_owned(), ..device("d") };
    let state = State { devices: vec![now.clone(), device("new")], ..State::default() };
    rig.service(ToUser::Hello(Box::new(state.clone())));
    let expected = [
        Change::DeviceRemoved("gone".to_owned()),
        Change::DeviceChanged(now),
        Change::DeviceChanged(device("new")),
    ];
    assert_eq!(rig.changes(), expected);
    rig.service(ToUser::Hello(Box::new(state.clone())));
    assert_eq!(rig.changes(), [], "the same state is no news");
    let offers = State { offers: vec![offer()], ..state };
    rig.service(ToUser::Hello(Box::new(offers)));
    assert_eq!(rig.changes(), [Change::Updates { offers: vec![offer()], job: None, queue: vec![] }]);
}

pub(super) fn offer() -> Offer {
    Offer {
        id: "fw:d".to_owned(),
        device: "d".to_owned(),
        policy: "fw".to_owned(),
        name: "Headset 1.20".to_owned(),
        from_version: "1.10".to_owned(),
        to_version: "1.20".to_owned(),
        deployment: hub::protocol::Deployment::Optional,
        group: "all-users".to_owned(),
        deferred: false,
        deferrable: true,
        deferrals_left: None,
        next: None,
        blocked: None,
    }
}

fn job(outcome: Option<Outcome>) -> ToUser {
    let job = Job {
        offer: "fw:d".to_owned(),
        device: "d".to_owned(),
        name: "Headset 1.20".to_owned(),
        from_version: "1.10".to_owned(),
        to_version: "1.20".to_owned(),
        phase: JobPhase::Downloading,
        done_bytes: 0,
        total_bytes: 0,
        outcome,
        ..Job::default()
    };
    ToUser::JobChanged { job: Some(job) }
}

#[test]
fn notices_wait_for_the_end_of_the_call_and_come_once() {
    let mut rig = Rig::with(&["d", "e"]);
    let id = rig.answered();
    rig.service(job(None));
    let done = Some(Outcome::Succeeded { version: "1.20".to_owned() });
    rig.service(job(done.clone()));
    rig.service(changed("e", DeviceStatus::Unavailable { problem: problem("hid-access-denied") }));
    rig.service(changed("e", DeviceStatus::Unavailable { problem: problem("hid-access-denied") }));
    assert_eq!(rig.notices(), 0);
    rig.act(id, CallAction::Hold);
    assert_eq!(rig.notices(), 0, "a held call is a call");
    rig.act(id, CallAction::End);
    assert_eq!(rig.notices(), 2, "the update, and the headset in trouble once");
    rig.service(job(done));
    assert_eq!(rig.notices(), 0, "said before");
    rig.service(job(None));
    rig.service(job(Some(Outcome::Unknown { problem: problem("update-unknown") })));
    assert_eq!(rig.notices(), 1, "a second try is news");
}

#[test]
fn requests_to_the_service_are_answered_by_its_answer() {
    let mut rig = Rig::with(&["d"]);
    let nothing = rig.command(Command::Install { offer: "fw:d".to_owned() });
    assert_eq!(refused(nothing), "no-such-offer", "nothing is offered");
    rig.service(ToUser::OffersChanged { offers: vec![offer()] });
    let install = Command::Install { offer: "fw:d".to_owned() };
    let defer = Command::Defer { offer: "fw:d".to_owned() };
    rig.feed(Input::Command { request: 40, command: install });
    let Some(Output::Machine(ToMachine::InstallUpdate { request: first, offer })) =
        rig.outputs.first().cloned()
    else {
        panic!("{:?}", rig.outputs)
    };
    assert_eq!((offer.as_str(), rig.replies()), ("fw:d", vec![]));
    rig.feed(Input::Command { request: 41, command: defer });
    let Some(Output::Machine(ToMachine::DeferUpdate { request: second, .. })) = rig.outputs.first().cloned()
    else {
        panic!("{:?}", rig.outputs)
    };
    assert_ne!(first, second);
    rig.service(ToUser::Answer { request: second, problem: None });
    assert_eq!(rig.replies(), [(41, Reply::Done)]);
    rig.service(ToUser::Answer { request: second, problem: None });
    assert_eq!(rig.replies(), [], "an answer is given once");
    rig.service(ToUser::Answer { request: first, problem: Some(problem("in-call")) });
    let refusal = Refusal::new(WhyNot::Machine, problem("in-call"));
    assert_eq!(rig.replies(), [(40, Reply::Refused(refusal))]);
}

/// Whoever asked hears something in the end, also from a machine role that hangs; what it says later is nobody's.
#[test]
fn a_request_that_the_machine_never_answers_is_answered_in_the_end() {
    let mut rig = Rig::with(&["d"]);
    rig.service(ToUser::OffersChanged { offers: vec![offer()] });
    let asked = |rig: &mut Rig, request, command| -> u64 {
        rig.feed(Input::Command { request, command });
        let number = rig.outputs.iter().find_map(|output| match output {
            Output::Machine(ToMachine::InstallUpdate { request, .. } | ToMachine::Poll { request }) => {
                Some(*request)
            }
            _ => None,
        });
        number.expect("a number")
    };
    let first = asked(&mut rig, 40, Command::Install { offer: "fw:d".to_owned() });
    rig.pass(ANSWER_LIMIT / 2);
    let second = asked(&mut rig, 41, Command::Poll);
    rig.pass(ANSWER_LIMIT / 2 - Duration::from_millis(1));
    assert_eq!(rig.replies(), []);
    rig.pass(Duration::from_millis(1));
    let codes = |rig: &mut Rig| -> Vec<_> {
        rig.replies().into_iter().map(|(request, reply)| (request, refused(reply))).collect()
    };
    assert_eq!(codes(&mut rig), [(40, "no-answer".to_owned())], "the first that was asked, alone");
    rig.service(ToUser::Answer { request: first, problem: None });
    assert_eq!(rig.replies(), [], "too late");
    rig.service(ToUser::Answer { request: second, problem: None });
    assert_eq!(rig.replies(), [(41, Reply::Done)]);
    rig.pass(ANSWER_LIMIT * 2);
    assert_eq!(rig.replies(), []);
}

fn at_work(phase: JobPhase) -> Job {
    Job { offer: "fw:d".to_owned(), name: "Headset".to_owned(), phase, stop: Stop::Strands, ..Job::default() }
}

fn told(rig: &mut Rig, job: Job) -> usize {
    rig.service(ToUser::JobChanged { job: Some(job) });
    rig.notices()
}

#[test]
fn a_headset_pulled_out_of_its_update_is_asked_for_at_once() {
    let mut rig = Rig::with(&["d"]);
    rig.answered();
    assert_eq!(told(&mut rig, at_work(JobPhase::Downloading)), 0);
    assert_eq!(told(&mut rig, at_work(JobPhase::WaitingForReplug)), 1, "also while a call goes on");
    assert_eq!(told(&mut rig, at_work(JobPhase::WaitingForReplug)), 0, "once");
    assert_eq!(told(&mut rig, at_work(JobPhase::Downloading)), 0);
    assert_eq!(told(&mut rig, at_work(JobPhase::WaitingForReplug)), 1, "and again when it is pulled again");
}

#[test]
fn a_corrected_verdict_is_told_again() {
    let mut rig = Rig::with(&["d"]);
    let ended =
        |outcome| Job { outcome: Some(outcome), stop: Stop::Harmless, ..at_work(JobPhase::Manifesting) };
    let failed = Outcome::Failed { problem: problem("update-failed") };
    assert_eq!(told(&mut rig, at_work(JobPhase::Manifesting)), 0);
    assert_eq!(told(&mut rig, ended(failed.clone())), 1);
    assert_eq!(told(&mut rig, ended(failed)), 0, "once");
    assert_eq!(told(&mut rig, ended(Outcome::Succeeded { version: "1.20".to_owned() })), 1);
}

#[test]
fn quitting_asks_where_it_would_leave_a_headset_without_firmware() {
    let mut rig = Rig::with(&["d"]);
    let quit = |rig: &mut Rig, anyway| {
        rig.feed(Input::Command { request: 1, command: Command::Quit { anyway } });
        rig.replies().pop().map(|(_, reply)| match reply {
            Reply::Refused(refusal) => refusal.problem.code.as_str().to_owned(),
            other => format!("{other:?}"),
        })
    };
    assert_eq!(quit(&mut rig, false).as_deref(), Some("Done"));
    told(&mut rig, Job { stop: Stop::Harmless, ..at_work(JobPhase::Fetching) });
    assert_eq!(quit(&mut rig, false).as_deref(), Some("Done"), "a package that is fetched can wait");
    for (stop, phase) in [(Stop::Strands, JobPhase::Downloading), (Stop::TooLate, JobPhase::Manifesting)] {
        told(&mut rig, Job { stop, ..at_work(phase) });
        assert_eq!(quit(&mut rig, false).as_deref(), Some("quit-strands"));
        assert_eq!(quit(&mut rig, true).as_deref(), Some("Done"), "who was told may");
    }
    let ended = Outcome::Succeeded { version: "1.20".to_owned() };
    told(&mut rig, Job { outcome: Some(ended), stop: Stop::Harmless, ..at_work(JobPhase::Manifesting) });
    assert_eq!(quit(&mut rig, false).as_deref(), Some("Done"));
}

/// What is not known yet is not shown as "no headset, no tenant".
#[test]
fn nothing_is_drawn_before_the_services_hello() {
    let now = Instant::now();
    let mut agent = UserRole::new("0.1.0");
    let draws = |agent: &mut UserRole, input| {
        agent.handle(input, now);
        std::iter::from_fn(|| agent.poll_output()).filter(|o| *o == Output::ViewChanged).count()
    };
    let trouble = Input::Function { function: Function::Rest, problems: vec![problem("rest-port-taken")] };
    assert_eq!(draws(&mut agent, trouble), 0);
    assert_eq!(draws(&mut agent, Input::Machine(ToUser::Hello(Box::default()))), 1);
    assert_eq!(agent.view().problems.len(), 1, "it was kept");
}

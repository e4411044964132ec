//! A machine role in another process: it ends, comes back, or speaks another version.

use super::*;
use hub::protocol::{Job, JobPhase, Stop};
use hub::user::Loss;

fn hello() -> Output {
    Output::Machine(ToMachine::Hello { protocol: PROTOCOL_VERSION })
}

fn state(ids: &[&str]) -> ToUser {
    let devices = ids.iter().map(|id| device(id)).collect();
    ToUser::Hello(Box::new(State { devices, ..State::default() }))
}

/// Looking for it, as at the start.
fn apart() -> Rig {
    apart_of(false)
}

fn apart_of(watched: bool) -> Rig {
    let agent = UserRole::new("0.1.0").apart(watched);
    let mut rig = Rig { agent, now: Instant::now(), requests: 0, last_event: 0, outputs: Vec::new() };
    rig.drain();
    assert_eq!(rig.outputs, [Output::FindMachine], "nothing is said to nobody");
    rig
}

/// With a machine role that was found, and these headsets.
fn found(ids: &[&str]) -> Rig {
    let mut rig = apart();
    rig.feed(Input::MachineFound);
    assert_eq!(rig.outputs, [hello()]);
    rig.service(state(ids));
    rig
}

fn problems(rig: &Rig) -> Vec<&str> {
    rig.agent.view().problems.iter().map(|problem| problem.code.as_str()).collect()
}

/// How long until it is looked for again.
fn wait(rig: &mut Rig) -> Duration {
    let (at, why) = rig.agent.poll_timeout().expect("a deadline");
    assert_eq!(why, "look for the machine role again");
    let wait = at - rig.now;
    rig.pass(wait);
    assert_eq!(rig.outputs, [Output::FindMachine]);
    wait
}

#[test]
fn faces_say_that_the_machine_role_is_not_there() {
    let mut rig = apart();
    rig.feed(Input::MachineLost(Loss::Gone));
    assert!(rig.outputs.contains(&Output::ViewChanged), "who looks is told, not kept waiting");
    assert_eq!(problems(&rig), ["machine-away"]);
    let refusal = rig.command(Command::Poll);
    assert_eq!(refused(refusal), "machine-away");
    wait(&mut rig);
    rig.feed(Input::MachineFound);
    assert_eq!(rig.outputs, [hello()]);
    rig.service(state(&["d"]));
    assert_eq!(problems(&rig), [""; 0]);
}

#[test]
fn a_call_lives_on_while_the_machine_role_restarts() {
    let mut rig = found(&["d"]);
    rig.answered();
    assert_eq!(rig.agent.view().headset.as_deref(), Some("d"));
    let calls = rig.agent.view().calls.clone();
    rig.feed(Input::MachineLost(Loss::Gone));
    assert!(!rig.outputs.iter().any(|o| matches!(o, Output::Event(_))), "softphones hear nothing of it");
    assert_eq!(rig.agent.view().calls, calls);
    assert_eq!(rig.agent.view().headset, None, "no press of a headset is anybody's");
    wait(&mut rig);
    rig.feed(Input::MachineFound);
    rig.service(state(&["d"]));
    assert!(!rig.outputs.iter().any(|o| matches!(o, Output::Event(_))), "nothing is new");
    assert_eq!(rig.agent.view().calls, calls);
    assert_eq!(rig.lights(), [("d".to_owned(), IN_CALL)], "asked for again");
}

#[test]
fn what_a_lost_machine_role_was_asked_is_answered() {
    let mut rig = found(&["d"]);
    rig.feed(Input::Command { request: 40, command: Command::Poll });
    assert_eq!(rig.replies(), []);
    rig.feed(Input::MachineLost(Loss::Gone));
    let replies: Vec<_> =
        rig.replies().into_iter().map(|(request, reply)| (request, refused(reply))).collect();
    assert_eq!(replies, [(40, "no-answer".to_owned())]);
}

#[test]
fn waits_grow_and_are_short_again_after_a_connection_that_lasted() {
    let mut rig = apart();
    let mut waits = Vec::new();
    for _ in 0..10 {
        rig.feed(Input::MachineLost(Loss::Gone));
        waits.push(wait(&mut rig));
    }
    assert_eq!(waits[0], Duration::from_millis(250));
    assert!(waits.is_sorted(), "{waits:?}");
    assert_eq!(waits[9], Duration::from_secs(30));
    // One that says hello and ends at once is no reason to hurry.
    let mut again = |lasted: Duration| {
        rig.feed(Input::MachineFound);
        rig.service(state(&[]));
        rig.pass(lasted);
        rig.feed(Input::MachineLost(Loss::Gone));
        wait(&mut rig)
    };
    assert_eq!(again(Duration::from_secs(1)), Duration::from_secs(30));
    assert_eq!(again(Duration::from_secs(60)), Duration::from_millis(250));
}

/// The machine role tells it, and ends the connection.
#[test]
fn a_machine_role_of_another_version_is_not_asked_again_at_once() {
    let mut rig = apart();
    for _ in 0..3 {
        rig.feed(Input::MachineFound);
        rig.service(ToUser::Refused { protocol: PROTOCOL_VERSION + 1 });
        rig.feed(Input::MachineLost(Loss::Gone));
        assert_eq!(problems(&rig), ["other-version"]);
        assert!(wait(&mut rig) >= Duration::from_secs(300));
    }
    // It was installed anew meanwhile.
    rig.feed(Input::MachineFound);
    rig.service(state(&["d"]));
    assert_eq!(problems(&rig), [""; 0]);
}

#[test]
fn an_update_of_the_service_does_not_keep_the_user_role_from_ending() {
    let job = Job { phase: JobPhase::Downloading, stop: Stop::Strands, ..Job::default() };
    let mut rig = found(&["d"]);
    rig.service(ToUser::JobChanged { job: Some(job) });
    assert_eq!(rig.command(Command::Quit { anyway: false }), Reply::Done);
}

/// That nothing is there is something else than that nobody has said what is.
#[test]
fn before_the_first_word_nothing_is_said_to_be_absent() {
    use hub::locale::Message;
    use hub::user::menu::{Item, menu};
    use hub::user::terminal::{Line, Terminal};
    let shown = |rig: &Rig| {
        let view = rig.agent.view();
        let mut ids: Vec<&str> = Vec::new();
        let mut add = |message: &Message| ids.push(message.id);
        for item in &menu(view).items {
            if let Item::Label(label) = item {
                add(label);
            }
        }
        for line in Terminal::default().start(view, false) {
            if let Line::Message(message) = line {
                add(&message);
            }
        }
        add(&hub::user::words::no_updates(view));
        ids
    };
    let absent =
        ["tray-no-device", "tray-consumer", "cli-no-headset", "cli-run-consumer", "no-updates-consumer"];
    let mut rig = apart();
    rig.feed(Input::MachineLost(Loss::Gone));
    assert_eq!(problems(&rig), ["machine-away"]);
    let ids = shown(&rig);
    assert!(!ids.iter().any(|id| absent.contains(id)), "{ids:?}");
    assert!(ids.contains(&"headsets-unheard") && ids.contains(&"tenant-unheard"), "{ids:?}");
    rig.feed(Input::MachineFound);
    rig.service(state(&[]));
    let ids = shown(&rig);
    assert!(absent.iter().all(|id| ids.contains(id)), "{ids:?}");
}

/// It takes the connection and hangs: that is said, the way ends, and it is looked for again.
#[test]
fn a_machine_role_that_says_no_hello_is_not_waited_for() {
    let mut rig = apart();
    rig.feed(Input::MachineFound);
    assert_eq!(rig.outputs, [hello()]);
    let (at, why) = rig.agent.poll_timeout().expect("a deadline");
    assert_eq!(why, "the machine role says no hello");
    rig.pass(at - rig.now);
    assert!(rig.outputs.contains(&Output::LeaveMachine) && rig.outputs.contains(&Output::ViewChanged));
    assert_eq!(problems(&rig), ["machine-silent"]);
    assert_eq!(refused(rig.command(Command::Poll)), "machine-away");
    rig.feed(Input::MachineLost(Loss::Gone));
    assert_eq!(problems(&rig), ["machine-silent"], "not that it does not run");
    wait(&mut rig);
    rig.feed(Input::MachineFound);
    rig.service(state(&["d"]));
    assert_eq!(problems(&rig), [""; 0]);
    assert_eq!(rig.agent.poll_timeout(), None, "nothing is waited for any more");
}

/// An error is not absence: who cannot be reached, or is not believed, is not said to be away.
#[test]
fn what_keeps_a_machine_role_from_being_reached_is_said() {
    let mut rig = apart();
    for (loss, said) in [
        (Loss::Gone, "machine-away"),
        (Loss::Foreign, "machine-foreign"),
        (Loss::Unreachable("no right".to_owned()), "machine-unreachable"),
        (Loss::Gone, "machine-away"),
    ] {
        rig.feed(Input::MachineLost(loss));
        assert_eq!(problems(&rig), [said]);
        wait(&mut rig);
    }
}

/// One of another version, or that only says so, does not stand in the way of who comes next.
#[test]
fn one_of_another_version_is_left() {
    let mut rig = apart_of(true);
    rig.feed(Input::MachineFound);
    rig.service(ToUser::Refused { protocol: PROTOCOL_VERSION + 1 });
    assert!(rig.outputs.contains(&Output::LeaveMachine), "{:?}", rig.outputs);
    rig.feed(Input::MachineLost(Loss::Gone));
    assert_eq!(problems(&rig), ["other-version"]);
    rig.feed(Input::MachineCame);
    rig.feed(Input::MachineFound);
    rig.service(state(&["d"]));
    assert_eq!(problems(&rig), [""; 0]);
}

/// Who reads the words never sees a restart that took no time.
#[test]
fn a_machine_role_that_is_back_at_once_is_not_said_to_be_away() {
    let mut rig = found(&["d"]);
    rig.feed(Input::MachineLost(Loss::Gone));
    assert_eq!(problems(&rig), [""; 0]);
    wait(&mut rig);
    rig.feed(Input::MachineLost(Loss::Gone));
    assert_eq!(problems(&rig), ["machine-away"], "it is not back");
}

#[test]
fn one_whose_coming_is_told_is_not_looked_for_all_the_time() {
    let mut rig = apart_of(true);
    let mut waits = Vec::new();
    for _ in 0..6 {
        rig.feed(Input::MachineLost(Loss::Gone));
        waits.push(wait(&mut rig));
    }
    assert!(waits[..4].iter().all(|wait| *wait <= Duration::from_secs(2)), "{waits:?}");
    assert_eq!(waits[4..], [Duration::from_secs(300); 2], "what was not told is found in the end");
    rig.feed(Input::MachineLost(Loss::Gone));
    rig.feed(Input::MachineCame);
    assert_eq!(rig.outputs, [Output::FindMachine], "at once");
    rig.feed(Input::MachineCame);
    assert_eq!(rig.outputs, [], "it is looked for already");
    rig.feed(Input::MachineLost(Loss::Gone));
    assert_eq!(wait(&mut rig), Duration::from_millis(250), "it may only not listen yet");
    rig.feed(Input::MachineFound);
    rig.service(ToUser::Refused { protocol: PROTOCOL_VERSION + 1 });
    rig.feed(Input::MachineLost(Loss::Gone));
    rig.feed(Input::MachineCame);
    assert_eq!(rig.outputs, [Output::FindMachine], "another may have been installed");
}

/// It crashed again and again; the last time nobody was there when it was looked for, and nobody told.
#[test]
fn one_that_was_there_is_looked_for_once_more_before_it_is_waited_for() {
    let mut rig = apart_of(true);
    for _ in 0..8 {
        rig.feed(Input::MachineFound);
        rig.service(state(&["d"]));
        rig.feed(Input::MachineLost(Loss::Gone));
        assert!(wait(&mut rig) <= Duration::from_secs(30));
    }
    rig.feed(Input::MachineLost(Loss::Gone));
    assert_eq!(problems(&rig), ["machine-away"], "that it is gone is said");
}

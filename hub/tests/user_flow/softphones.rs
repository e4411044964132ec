//! Which softphones may, who asks and how often that is said; and what happens when one goes.

use super::*;
use hub::protocol::TenantState;
use hub::protocol::local::{Decider, Softphone, Standing};
use hub::user::sdk::consent::{Approvals, MOST_ASKING, MOST_DENIED, MOST_HOLDERS, NOTICE_PAUSE, Stranger};
use hub::user::sdk::session::GRACE;
use std::time::Duration;

const PAGE: &str = "https://phone.example";
const SECOND: Duration = Duration::from_secs(1);

/// Without the token.
fn knocks(name: &str) -> Command {
    let client = ClientId::named(name).unwrap_or_else(|| ClientId::Page(name.to_owned()));
    Command::Knock { client, token: false, label: None }
}

fn knock(rig: &mut Rig, name: &str) -> bool {
    rig.command(knocks(name)) == Reply::Done
}

/// With the token, as this calls itself.
fn shows_token(rig: &mut Rig, client: &ClientId, label: &str) -> Reply {
    rig.command(Command::Knock { client: client.clone(), token: true, label: Some(label.to_owned()) })
}

/// The agent's end of keeping it: the settings do what is asked.
fn decide(rig: &mut Rig, origin: &str, approve: bool) -> Result<(), String> {
    rig.requests += 1;
    let (request, softphone) = (rig.requests, origin.to_owned());
    let command = if approve { Command::Approve { softphone } } else { Command::Revoke { softphone } };
    rig.feed(Input::Command { request, command });
    let mut kept: Vec<String> = approved(rig, Decider::Person);
    let list = rig.agent.view().softphones.iter().filter(|s| s.standing == Standing::Denied);
    let mut denied: Vec<String> = list.map(|s| s.client.to_string()).collect();
    for output in rig.outputs.clone() {
        if let Output::KeepApproval { request, client, approved } = output {
            kept.retain(|on| *on != client.name());
            denied.retain(|on| *on != client.name());
            if approved { &mut kept } else { &mut denied }.push(client.to_string());
            let settings =
                Ok(Approvals { approved: kept.clone(), denied: denied.clone(), ..Approvals::default() });
            rig.feed(Input::ApprovalKept { request, settings });
        }
    }
    match rig.replies().as_slice() {
        [(_, Reply::Done)] => Ok(()),
        [(_, Reply::Refused(refusal))] => Err(refusal.problem.code.as_str().to_owned()),
        other => panic!("{other:?}"),
    }
}

fn approved(rig: &Rig, by: Decider) -> Vec<String> {
    let list = &rig.agent.view().softphones;
    let own = list.iter().filter(|s| s.standing == Standing::Approved && s.by == Some(by));
    own.map(|s| s.client.to_string()).collect()
}

fn settings(rig: &mut Rig, origins: &[&str], by: Decider) {
    let approved = origins.iter().map(|o| (*o).to_owned()).collect();
    rig.feed(Input::Approvals(Approvals {
        approved,
        by,
        place: "hookswitch.toml".to_owned(),
        ..Approvals::default()
    }));
}

fn company(rig: &mut Rig, origins: &[&str]) {
    let sdk_approved = origins.iter().map(|o| (*o).to_owned()).collect();
    rig.service(ToUser::TenantChanged { tenant: TenantState { sdk_approved, ..TenantState::default() } });
}

fn asking(rig: &Rig) -> Vec<&str> {
    let list = rig.agent.view().softphones.iter();
    list.filter(|s| s.standing == Standing::Asking).map(|s| s.client.name()).collect()
}

fn standing(rig: &Rig, origin: &str) -> Option<Softphone> {
    rig.agent.view().softphones.iter().find(|s| s.client.name() == origin).cloned()
}

/// The one deadline there is, and what comes of it.
fn wait(rig: &mut Rig) -> Duration {
    let (at, _) = rig.agent.poll_timeout().expect("a deadline");
    let waited = at - rig.now;
    rig.now = at;
    rig.agent.handle_timeout(at);
    rig.drain();
    waited
}

fn open(rig: &mut Rig, session: u64, client: ClientId) {
    rig.feed(Input::StreamOpened { session, client });
}

fn phone() -> ClientId {
    client("phone")
}

#[test]
fn approval_is_not_starved_by_throw_away_origins() {
    for names in [16, 1000] {
        let mut rig = Rig::with(&["d"]);
        settings(&mut rig, &["https://used.example"], Decider::Person);
        for n in 0..names {
            assert!(!knock(&mut rig, &format!("https://throwaway-{n}.example")));
        }
        assert!(!knock(&mut rig, PAGE));
        assert_eq!(asking(&rig)[0], PAGE, "the most recent first");
        assert!(asking(&rig).len() <= MOST_ASKING);
        assert!(knock(&mut rig, "https://used.example"), "an approved page works on");
        // It goes on, and so does the softphone that a person waits for.
        for n in 0..names {
            knock(&mut rig, &format!("https://another-{n}.example"));
            if n % 10 == 0 {
                knock(&mut rig, PAGE);
            }
        }
        assert!(asking(&rig).contains(&PAGE), "who asks again stays: {:?}", asking(&rig));
        assert_eq!(decide(&mut rig, PAGE, true), Ok(()));
        assert!(knock(&mut rig, PAGE) && !asking(&rig).contains(&PAGE));
    }
}

#[test]
fn one_site_does_not_fill_the_list() {
    let mut rig = Rig::with(&["d"]);
    for n in 0..10 {
        knock(&mut rig, &format!("https://phone-{n}.example"));
    }
    for n in 0..1000 {
        for port in ["", ":8443"] {
            knock(&mut rig, &format!("https://{n}.a.evil.example{port}"));
        }
    }
    let left = asking(&rig).iter().filter(|o| o.starts_with("https://phone-")).count();
    assert_eq!(left, 10, "{:?}", asking(&rig));
}

#[test]
fn what_is_no_page_is_neither_listed_nor_approved() {
    let mut rig = Rig::with(&["d"]);
    let hostile =
        ["null", "", "http://evil.example", "https://Phone.example", "https://phone.example/", "\u{202e}x"];
    settings(&mut rig, &hostile, Decider::Person);
    company(&mut rig, &hostile);
    for origin in hostile {
        let no = Reply::Stranger(Stranger::NoPage);
        assert_eq!(rig.command(knocks(origin)), no, "{origin}");
        let refused = decide(&mut rig, origin, true);
        assert_eq!(refused.expect_err(origin), "softphone-no-origin");
    }
    assert_eq!(rig.agent.view().softphones, []);
}

#[test]
fn a_notice_is_rare_in_time_and_names_the_newest() {
    let mut rig = Rig::with(&["d"]);
    let told = |rig: &Rig| {
        let title = |output: &Output| match output {
            Output::Notice(notice) => Some(format!("{:?}", notice.title)),
            _ => None,
        };
        rig.outputs.iter().find_map(title)
    };
    knock(&mut rig, PAGE);
    assert!(told(&rig).is_some_and(|t| t.contains(PAGE)));
    for n in 0..20 {
        knock(&mut rig, &format!("https://throwaway-{n}.example"));
        assert_eq!(told(&rig), None);
    }
    knock(&mut rig, "https://late.example");
    assert_eq!(wait(&mut rig), NOTICE_PAUSE);
    assert!(told(&rig).is_some_and(|t| t.contains("late.example")), "{:?}", told(&rig));
    assert_eq!(rig.agent.poll_timeout(), None, "nobody else asks");
    rig.now += 2 * NOTICE_PAUSE;
    knock(&mut rig, PAGE);
    assert_eq!(told(&rig), None, "once for each");
}

#[test]
fn a_no_lasts_and_can_be_taken_back() {
    let mut rig = Rig::with(&["d"]);
    knock(&mut rig, PAGE);
    assert_eq!(decide(&mut rig, PAGE, false), Ok(()));
    assert!(!knock(&mut rig, PAGE));
    assert_eq!(standing(&rig, PAGE).map(|s| s.standing), Some(Standing::Denied), "it does not ask again");
    assert_eq!(rig.notices(), 0);
    assert_eq!(decide(&mut rig, PAGE, true), Ok(()));
    assert!(knock(&mut rig, PAGE));
    assert_eq!(decide(&mut rig, "https://nobody.example", false), Err("no-such-softphone".to_owned()));
    assert_eq!(decide(&mut rig, "https://typed.example", true), Ok(()), "also before it asked");
    assert_eq!(approved(&rig, Decider::Person), [PAGE, "https://typed.example"]);
}

/// As an approval is: in the person's settings.
#[test]
fn a_no_is_kept_for_the_next_start() {
    let mut rig = Rig::with(&["d"]);
    let told = |rig: &mut Rig| rig.command(knocks(PAGE));
    assert_eq!(told(&mut rig), Reply::Stranger(Stranger::Asks(Decider::Person)));
    rig.feed(Input::Command { request: 99, command: Command::Revoke { softphone: PAGE.to_owned() } });
    let keep = Output::KeepApproval { request: 99, client: client(PAGE), approved: false };
    assert!(rig.outputs.contains(&keep), "{:?}", rig.outputs);
    rig.feed(Input::ApprovalKept { request: 99, settings: Err(problem("softphone-not-kept")) });
    settings(&mut rig, &["https://other.example"], Decider::Person);
    assert_eq!(told(&mut rig), Reply::Stranger(Stranger::Denied), "what could not be kept counts on");

    let mut rig = Rig::with(&["d"]);
    told(&mut rig);
    let said_no =
        |origins: &[String]| Input::Approvals(Approvals { denied: origins.to_vec(), ..Approvals::default() });
    rig.feed(said_no(&[PAGE.to_owned(), "null".to_owned()]));
    assert_eq!(told(&mut rig), Reply::Stranger(Stranger::Denied));
    let entry = standing(&rig, PAGE).expect("listed");
    assert_eq!((entry.standing, entry.by, entry.locked), (Standing::Denied, Some(Decider::Person), false));
    assert_eq!(rig.agent.view().softphones.len(), 1, "no page, no entry");
    rig.feed(said_no(&[]));
    assert_eq!(told(&mut rig), Reply::Stranger(Stranger::Asks(Decider::Person)), "taken back in the file");
    let many: Vec<String> = (0..2 * MOST_DENIED).map(|n| format!("https://{n}.example")).collect();
    rig.feed(said_no(&many));
    let denied = rig.agent.view().softphones.iter().filter(|s| s.standing == Standing::Denied);
    assert_eq!(denied.count(), MOST_DENIED);
}

#[test]
fn what_others_decide_says_who() {
    let mut rig = Rig::with(&["d"]);
    company(&mut rig, &[PAGE]);
    assert!(knock(&mut rig, PAGE));
    let entry = standing(&rig, PAGE).expect("listed");
    assert_eq!((entry.by, entry.locked), (Some(Decider::Company), true));
    assert_eq!(decide(&mut rig, PAGE, false), Err("softphone-locked".to_owned()));
    for by in [Decider::Machine, Decider::Environment] {
        settings(&mut rig, &["https://it.example"], by);
        knock(&mut rig, "https://new.example");
        let asks = standing(&rig, "https://new.example").expect("it asks");
        assert_eq!((asks.standing, asks.by, asks.locked), (Standing::Asking, Some(by), true));
        assert_eq!(decide(&mut rig, "https://new.example", true), Err("softphone-locked".to_owned()));
        assert_eq!(decide(&mut rig, "https://it.example", false), Err("softphone-locked".to_owned()));
        assert_eq!(rig.command(knocks("https://new.example")), Reply::Stranger(Stranger::Asks(by)));
        assert!(knock(&mut rig, "https://it.example") && !knock(&mut rig, "https://new.example"));
    }
}

#[test]
fn a_revoked_page_has_neither_stream_nor_call() {
    // By the person, by the company, by the settings.
    for by in 0..3 {
        let mut rig = Rig::with(&["d"]);
        if by == 1 {
            company(&mut rig, &[PAGE]);
        } else {
            settings(&mut rig, &[PAGE], Decider::Person);
        }
        open(&mut rig, 1, client(PAGE));
        open(&mut rig, 2, phone());
        let (of_page, of_phone) = (rig.create(PAGE, Direction::Incoming), rig.incoming());
        assert!(standing(&rig, PAGE).is_some_and(|s| s.connected));
        let mut outputs = Vec::new();
        match by {
            0 => {
                rig.feed(Input::Command {
                    request: 99,
                    command: Command::Revoke { softphone: PAGE.to_owned() },
                });
            }
            1 => company(&mut rig, &[]),
            _ => settings(&mut rig, &[], Decider::Person),
        }
        outputs.append(&mut rig.outputs);
        assert!(outputs.contains(&Output::EndStream { session: 1 }), "at once: {outputs:?}");
        assert!(!outputs.contains(&Output::EndStream { session: 2 }));
        assert_eq!((rig.state(of_page), rig.state(of_phone)), (CallState::Ended, CallState::Ringing));
    }
}

#[test]
fn what_cannot_be_remembered_counts_and_is_said() {
    let mut rig = Rig::with(&["d"]);
    knock(&mut rig, PAGE);
    rig.feed(Input::Command { request: 99, command: Command::Approve { softphone: PAGE.to_owned() } });
    assert_eq!(rig.replies(), [], "not before it is kept");
    assert!(knock(&mut rig, PAGE), "in force at once");
    rig.feed(Input::ApprovalKept { request: 99, settings: Err(problem("softphone-not-kept")) });
    let replies = rig.replies();
    assert!(matches!(&replies[..], [(99, Reply::Refused(r))] if r.problem.code == Code::SoftphoneNotKept));
    assert!(knock(&mut rig, PAGE));
    assert_eq!(rig.agent.view().problems[0].code, Code::SoftphoneNotKept);
    assert_eq!(decide(&mut rig, "https://other.example", true), Ok(()));
    assert_eq!(rig.agent.view().problems, [], "the disk is back");
}

/// There is no deadline but the one of a call that rings.
fn nobody_is_missed(rig: &Rig) -> bool {
    rig.agent.poll_timeout().is_none_or(|(_, why)| why == "a call that rings for too long")
}

#[test]
fn calls_end_when_their_softphone_went_and_did_not_come_back() {
    let mut rig = Rig::with(&["d"]);
    let silent = rig.create("silent", Direction::Incoming);
    open(&mut rig, 1, phone());
    open(&mut rig, 2, phone());
    let mine = rig.answered();
    rig.feed(Input::StreamClosed { session: 1 });
    assert!(nobody_is_missed(&rig), "one is open still");
    rig.feed(Input::StreamClosed { session: 2 });
    rig.now += GRACE - SECOND;
    rig.agent.handle_timeout(rig.now);
    rig.drain();
    assert_eq!(rig.state(mine), CallState::Answered);
    open(&mut rig, 3, phone());
    assert!(nobody_is_missed(&rig), "it came back");
    rig.feed(Input::StreamClosed { session: 3 });
    assert_eq!(wait(&mut rig), GRACE);
    assert_eq!(rig.heard(), [(mine, CallChange::Ended, Cause::Agent)]);
    assert_eq!(rig.state(silent), CallState::Ringing, "it never listened: nothing tells that it went");
    rig.feed(Input::StreamClosed { session: 3 });
    assert!(nobody_is_missed(&rig));
}

const PROGRAM: &str = "/opt/phone/phone";

/// What a program calls itself decides nothing: neither whose a call is, nor who may come in.
#[test]
fn a_name_that_a_program_gives_itself_is_a_label() {
    let mut rig = Rig::with(&["d"]);
    let (phone, other) = (client(PROGRAM), client("/opt/other/other"));
    for client in [&phone, &other] {
        assert_eq!(shows_token(&mut rig, client, "desk"), Reply::Done);
    }
    let create = Command::CreateCall {
        client: phone.clone(),
        label: Some("desk".to_owned()),
        direction: Direction::Incoming,
        contact: None,
        muted: false,
    };
    let Reply::Call(call) = rig.command(create) else { panic!("a call") };
    assert_eq!((&call.client, call.label.as_deref()), (&phone, Some("desk")));
    let reply = rig.command(Command::Call { client: other, id: call.id, action: CallAction::End });
    assert!(matches!(&reply, Reply::Refused(r) if r.problem.code == Code::NotYourCall), "{reply:?}");
    assert_eq!(decide(&mut rig, "desk", false), Err("softphone-no-origin".to_owned()), "a label is no name");
    let listed = standing(&rig, PROGRAM).expect("listed");
    assert_eq!((listed.label.as_deref(), listed.by), (Some("desk"), Some(Decider::Token)));
}

/// As a page is, without the token; with it, until the person says no.
#[test]
fn a_program_is_asked_about_remembered_and_revoked() {
    let mut rig = Rig::with(&["d"]);
    assert_eq!(rig.command(knocks(PROGRAM)), Reply::Stranger(Stranger::Asks(Decider::Person)));
    let title =
        |output: &Output| matches!(output, Output::Notice(n) if format!("{:?}", n.title).contains(PROGRAM));
    assert!(rig.outputs.iter().any(title), "{:?}", rig.outputs);
    assert_eq!(standing(&rig, PROGRAM).map(|s| s.standing), Some(Standing::Asking));
    assert_eq!(decide(&mut rig, PROGRAM, true), Ok(()));
    assert!(knock(&mut rig, PROGRAM), "at once, and without the token");
    assert_eq!(approved(&rig, Decider::Person), [PROGRAM]);

    let (mut rig, id) = (Rig::with(&["d"]), client(PROGRAM));
    assert_eq!(shows_token(&mut rig, &id, "desk"), Reply::Done, "the token is enough");
    assert_eq!(rig.notices(), 0, "nobody is asked");
    open(&mut rig, 1, id.clone());
    let mine = rig.create(PROGRAM, Direction::Incoming);
    let listed = standing(&rig, PROGRAM).expect("listed");
    assert_eq!((listed.standing, listed.locked, listed.connected), (Standing::Approved, false, true));
    rig.feed(Input::Command { request: 99, command: Command::Revoke { softphone: PROGRAM.to_owned() } });
    assert!(rig.outputs.contains(&Output::EndStream { session: 1 }), "at once: {:?}", rig.outputs);
    assert_eq!(rig.state(mine), CallState::Ended);
    assert_eq!(
        shows_token(&mut rig, &id, "desk"),
        Reply::Stranger(Stranger::Denied),
        "in spite of the token"
    );
    assert_eq!(standing(&rig, PROGRAM).map(|s| s.standing), Some(Standing::Denied));
    assert_eq!(decide(&mut rig, PROGRAM, true), Ok(()));
    assert_eq!(shows_token(&mut rig, &id, "desk"), Reply::Done);
    assert_eq!(decide(&mut rig, "/never/seen", false), Ok(()), "also before it came: it may have the token");
}

/// The system does not say which one it is: then it is a program with the token, and nothing more.
#[test]
fn a_program_without_a_name_needs_the_token() {
    let mut rig = Rig::with(&["d"]);
    let none = ClientId::of_program("(deleted)");
    assert_eq!(none, ClientId::Unnamed);
    let without = Command::Knock { client: none.clone(), token: false, label: None };
    assert_eq!(rig.command(without), Reply::Stranger(Stranger::Unnamed));
    assert_eq!(shows_token(&mut rig, &none, "desk"), Reply::Done);
    open(&mut rig, 1, none);
    settings(&mut rig, &["program"], Decider::Person);
    assert_eq!(rig.agent.view().softphones, [], "there is nothing to decide about");
    assert!(!rig.outputs.contains(&Output::EndStream { session: 1 }));
}

/// Many programs with the token do not push out one that is there.
#[test]
fn programs_that_come_and_go_end_nobody_s_calls() {
    let mut rig = Rig::with(&["d"]);
    open(&mut rig, 1, client("listens"));
    rig.comes("listens");
    let call = rig.create("calls", Direction::Incoming);
    for n in 0..3 * MOST_HOLDERS {
        rig.comes(&format!("n{n}"));
        assert!(!rig.outputs.contains(&Output::EndStream { session: 1 }), "{n}");
    }
    assert_eq!(rig.state(call), CallState::Ringing);
    assert_eq!(rig.agent.view().softphones.len(), MOST_HOLDERS);
}

/// A full disk must not give a page back what the person took from it, whenever the file is looked at again.
#[test]
fn a_decision_that_cannot_be_kept_counts_until_the_file_says_otherwise() {
    let mut rig = Rig::new();
    let other = "https://other.example";
    settings(&mut rig, &[PAGE], Decider::Person);
    assert!(knock(&mut rig, PAGE));
    let full = |rig: &mut Rig, command: Command| {
        rig.requests += 1;
        let request = rig.requests;
        rig.feed(Input::Command { request, command });
        rig.feed(Input::ApprovalKept { request, settings: Err(problem("softphone-not-kept")) });
    };
    full(&mut rig, Command::Revoke { softphone: PAGE.to_owned() });
    assert!(!knock(&mut rig, PAGE));
    assert!(!knock(&mut rig, other), "it asks");
    full(&mut rig, Command::Approve { softphone: other.to_owned() });
    assert!(knock(&mut rig, other));
    for _ in 0..2 {
        settings(&mut rig, &[PAGE], Decider::Person);
        assert!(!knock(&mut rig, PAGE) && knock(&mut rig, other));
    }
    // Somebody wrote something else: that is newer.
    settings(&mut rig, &[], Decider::Person);
    settings(&mut rig, &[PAGE], Decider::Person);
    assert!(knock(&mut rig, PAGE));
}

//! Parts of the machine role that do not work, in the words of the protocol; and who speaks other words.

use super::*;
use crate::machine::Dismissal;
use crate::problem::sample::problem;

/// What the user role was told last.
fn told_troubles(rig: &Rig) -> Option<Vec<Trouble>> {
    rig.out.iter().rev().find_map(|output| match output {
        Output::ToUser { message: ToUser::TroublesChanged { troubles }, .. } => Some(troubles.clone()),
        Output::ToUser { message: ToUser::Hello(state), .. } => Some(state.troubles.clone()),
        _ => None,
    })
}

fn consumer() -> Rig {
    let mut rig = Rig::start(None, Disk::default(), vec![], Instant::now());
    rig.hello();
    rig
}

#[test]
fn troubles_of_the_machine_are_words_of_the_protocol() {
    let mut rig = Rig::start(None, Disk::default(), vec![], Instant::now());
    let trouble = |function, problem| Input::Trouble { function, problem };
    rig.feed(trouble(Function::Tenant, Some(problem("tenant-incomplete"))));
    rig.hello();
    let tenant = Trouble { function: Function::Tenant, problem: problem("tenant-incomplete") };
    assert_eq!(told_troubles(&rig), Some(vec![tenant.clone()]), "one that was there before the agent");
    rig.feed(trouble(Function::Hid, Some(problem("hid-unavailable"))));
    let hid = Trouble { function: Function::Hid, problem: problem("hid-unavailable") };
    assert_eq!(told_troubles(&rig), Some(vec![hid, tenant.clone()]));
    rig.out.clear();
    rig.feed(trouble(Function::Hid, Some(problem("hid-unavailable"))));
    assert_eq!(told_troubles(&rig), None, "no news");
    rig.feed(trouble(Function::Hid, None));
    assert_eq!(told_troubles(&rig), Some(vec![tenant]));
}

#[test]
fn a_store_that_fails_is_told_until_it_works_again() {
    let mut rig = consumer();
    rig.feed(Input::StoreFailed { problem: problem("store-full"), withheld: false });
    let store = Trouble { function: Function::Store, problem: problem("store-full") };
    assert_eq!(told_troubles(&rig), Some(vec![store]));
    rig.feed(Input::Trouble { function: Function::Store, problem: None });
    assert_eq!(told_troubles(&rig), Some(vec![]));
}

#[test]
fn an_agent_of_another_version_is_refused_and_told() {
    let mut rig = Rig::start(None, Disk::default(), vec![Headset::new(1)], Instant::now());
    rig.out.clear();
    rig.came(JANE, "jane");
    rig.feed(said(ToMachine::Hello { protocol: PROTOCOL_VERSION + 1 }));
    let heard: Vec<&Output> = rig.out.iter().filter(|o| matches!(o, Output::ToUser { .. })).collect();
    assert_eq!(heard, [&told(ToUser::Refused { protocol: PROTOCOL_VERSION })]);
    let dismissed = Output::Dismiss { session: JANE, why: Dismissal::OtherVersion };
    assert_eq!(rig.out.last(), Some(&dismissed), "after it was told why");
    rig.out.clear();
    rig.lights("1209-0001-HS1", Indicators { off_hook: true, ..Indicators::default() });
    assert_eq!(rig.out, [], "nothing it says is done");
    rig.hello();
    assert!(rig.out.iter().any(|o| matches!(o, Output::ToUser { message: ToUser::Hello(_), .. })));
}

//! What is kept between inputs is what would be made of the rooms now, and is made of changes alone.

use super::headset::offer;
use super::*;
use crate::machine::session::Told;

impl MachineRole {
    fn told_afresh(&self, session: SessionId) -> Told {
        let everybody = Told {
            offers: Arc::new(self.offers_now()),
            tenant: Arc::new(self.tenant_now()),
            troubles: self.parts_out_of_order(),
            ..Told::default()
        };
        self.told(session, everybody)
    }

    pub(super) fn state_afresh(&self, session: SessionId) -> State {
        self.state_of(session, self.told_afresh(session)).1
    }
}

impl Rig {
    /// After any input: a change that moved no revision would leave something here that was.
    pub(super) fn check_work(&self) {
        let role = &self.service;
        assert_eq!(**role.work.plan.get(), role.offers_now(), "planned from what was");
        assert_eq!(**role.work.tenant.get(), role.tenant_now(), "the tenant as it was");
        assert_eq!(role.stranded_told, role.stranded(), "without firmware as they were");
        for session in role.sessions.ids() {
            let told = role.sessions.get(session).and_then(|known| known.told.as_ref());
            assert_eq!(told, Some(&role.told_afresh(session)), "{session:?} was told what was");
        }
        let policy = role.policy.as_ref();
        assert!(
            !policy.is_some_and(|policy| role.people.is_new_to_anybody(policy, role.tenancy.can_report())),
            "rules that nobody looked at"
        );
        if role.tenancy.can_report() {
            assert!(role.is_registered(), "the tenant is told of headsets as they were");
        }
    }

    fn plans(&self) -> u64 {
        self.service.work.plan.made
    }
}

#[test]
fn a_press_and_a_firmware_transfer_plan_nothing() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    let (path, before) = (rig.headsets[0].path.clone(), rig.plans());
    for _ in 0..20 {
        for bytes in [vec![1, 4], vec![1, 0]] {
            rig.feed(Input::HidReport { path: path.clone(), bytes });
            rig.pass(Duration::from_secs(1));
        }
    }
    let presses =
        rig.out.iter().filter(|o| matches!(o, Output::ToUser { message: ToUser::DeviceEvent { .. }, .. }));
    assert_eq!((presses.count(), rig.plans()), (20, before));
    assert_eq!(rig.install(), None);
    rig.fetched(headset::package(1, "1.20"));
    let (before, asked) = (rig.plans(), rig.service.work.asked);
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    assert!(rig.service.work.asked > asked + 5, "there were transfers");
    assert!(
        rig.plans() <= before + 3,
        "{} plans: the headset left, came as another, and is written",
        rig.plans() - before
    );
}

#[test]
fn what_a_press_changes_for_the_plan_is_planned() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    let (path, before) = (rig.headsets[0].path.clone(), rig.plans());
    let blocked =
        |rig: &Rig| rig.offers()[0].blocked.as_ref().map(|problem| problem.code.as_str().to_owned());
    assert_eq!(blocked(&rig), None);
    // Off-hook without a light: the headset says itself that it is in a call.
    rig.feed(Input::HidReport { path: path.clone(), bytes: vec![1, 2] });
    assert_eq!(blocked(&rig).as_deref(), Some("in-call"));
    rig.feed(Input::HidReport { path, bytes: vec![1, 0] });
    assert_eq!(blocked(&rig), None);
    assert_eq!(rig.plans(), before + 2);
}

//! Settings that change while the user role runs.

use super::*;

fn read(headset: Option<&str>, problems: Vec<Problem>) -> Input {
    Input::Settings { headset: headset.map(str::to_owned), problems }
}

#[test]
fn the_headset_that_the_settings_name_anew_carries_the_calls() {
    let mut rig = Rig::with(&["a", "b"]);
    assert_eq!(rig.agent.view().headset.as_deref(), Some("a"));
    rig.feed(read(Some("b"), vec![]));
    assert_eq!(rig.agent.view().headset.as_deref(), Some("b"));
    // One that was chosen here and could be written down is what the file says, too.
    rig.feed(Input::HeadsetKept { request: 1, kept: Ok("a".to_owned()) });
    rig.feed(read(Some("a"), vec![]));
    assert_eq!(rig.agent.view().headset.as_deref(), Some("a"));
    rig.feed(read(None, vec![]));
    assert_eq!(rig.agent.view().headset.as_deref(), Some("a"), "nobody wants another");
}

/// A look at the file for another reason does not take back what a person chose.
#[test]
fn a_choice_that_could_not_be_written_down_stays() {
    let mut rig = Rig::with(&["a", "b"]);
    rig.feed(read(Some("a"), vec![]));
    rig.feed(Input::HeadsetKept { request: 1, kept: Ok("b".to_owned()) });
    rig.feed(read(Some("a"), vec![]));
    assert_eq!(rig.agent.view().headset.as_deref(), Some("b"));
}

#[test]
fn what_is_wrong_with_the_settings_is_said_until_it_is_mended() {
    let mut rig = Rig::with(&["a"]);
    let problem = problem("setting-invalid");
    rig.feed(read(None, vec![problem.clone()]));
    assert_eq!(rig.agent.view().problems, [problem]);
    rig.feed(read(None, vec![]));
    assert_eq!(rig.agent.view().problems, []);
}

#[test]
fn a_setting_is_in_force_when_it_is_answered() {
    let mut rig = Rig::with(&["a", "b"]);
    let set = Command::Set { key: "headset".to_owned(), value: Some("b".to_owned()) };
    rig.feed(Input::Command { request: 50, command: set });
    assert!(matches!(
        &rig.outputs[..],
        [Output::KeepSetting { request: 50, key, value: Some(value) }] if key == "headset" && value == "b"
    ));
    rig.feed(read(Some("b"), vec![]));
    rig.feed(Input::SettingKept { request: 50, kept: Ok(()) });
    assert_eq!(rig.agent.view().headset.as_deref(), Some("b"));
    assert_eq!(rig.replies(), [(50, Reply::Done)]);
    let problem = problem("setting-managed");
    rig.feed(Input::SettingKept { request: 51, kept: Err(problem) });
    let replies: Vec<_> = rig.replies().into_iter().map(|(n, reply)| (n, refused(reply))).collect();
    assert_eq!(replies, [(51, "setting-managed".to_owned())]);
}

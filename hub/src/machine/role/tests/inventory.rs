//! The headsets as the tenant has them, over restarts.

use super::headset::{Life, offer};
use super::*;

/// Reports and events of devices on disk: what, and which.
fn said(rig: &Rig) -> BTreeSet<String> {
    let one = |owed: &Owed| match &owed.delivery {
        Delivery::Device(d) => Some(format!("{} {}", if d.attached { "there" } else { "gone" }, d.device_id)),
        Delivery::Event(e) => {
            let kind = e.kind.strip_prefix("com.hookswitch.device.")?;
            Some(format!("{kind} {}", e.data.as_ref()?["device_id"].as_str()?))
        }
        _ => None,
    };
    rig.disk.owed.iter().filter_map(one).collect()
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn unplugged_while_the_agent_was_off_is_not_attached_for_ever() {
    let mut rig = Rig::ready(vec![Headset::new(1), Headset::new(2)], &offer("1.20"), &["all-users"]);
    rig.pass(Duration::from_secs(130));
    rig.deliver_all();
    assert!(rig.disk.owed.is_empty(), "{:?}", rig.owes());
    rig.headsets[0].becomes(Life::Unplugged);

    // The headset that is still there is registered again, but nothing happened to it.
    let mut rig = rig.crash();
    assert_eq!(said(&rig), set(&["there 1209-0001-HS2"]));
    rig.pass(Duration::from_secs(9));
    assert_eq!(said(&rig), set(&["there 1209-0001-HS2"]), "it may only be slow");
    rig.pass(Duration::from_secs(2));
    let gone = ["there 1209-0001-HS2", "gone 1209-0001-HS1", "removed 1209-0001-HS1"];
    assert_eq!(said(&rig), set(&gone));
    rig.headsets[0].becomes(Life::Runtime);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert!(said(&rig).contains("attached 1209-0001-HS1") && said(&rig).contains("there 1209-0001-HS1"));

    // Said once: the next run knows.
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    let mut disk = rig.disk.clone();
    disk.owed.clear();
    rig.disk = disk;
    let mut rig = rig.crash();
    rig.pass(Duration::from_secs(30));
    assert_eq!(said(&rig), set(&["there 1209-0001-HS2"]));
}

#[test]
fn what_a_device_says_of_itself_cannot_keep_it_out_of_the_inventory() {
    let mut headset = Headset::new(1);
    headset.serial = Some("\u{1b}[2J\u{202e}HS1\n");
    let mut rig = Rig::managed(vec![headset]);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    let registered = rig.disk.owed.iter().find_map(|owed| match &owed.delivery {
        Delivery::Device(device) => Some(device.clone()),
        _ => None,
    });
    let registered = registered.expect("it is registered");
    assert_eq!(registered.serial.as_deref(), Some("[2JHS1"));
    assert_eq!(registered.validate(), Ok(()), "the tenant takes it");
}

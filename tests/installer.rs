//! What the packages install, as far as it is made from other files.
#![expect(clippy::disallowed_methods, reason = "reads the installer's files")]

use device_handlers::registry;
use std::collections::BTreeSet;
use std::path::Path;

const BEGIN: &str = "# BEGIN known\n";
const END: &str = "# END known\n";

/// A line for each identity under which a headset takes firmware and nothing else.
fn known() -> String {
    let firmware =
        registry::all().filter(|(_, description)| description.firmware.method.as_deref() == Some("usb-dfu"));
    let identities: BTreeSet<(u16, u16)> = firmware
        .flat_map(|((vid, pid), description)| {
            let own = description.firmware.dfu_pids.is_empty().then_some(pid);
            own.into_iter().chain(description.firmware.dfu_pids.iter().copied()).map(move |pid| (vid, pid))
        })
        .collect();
    let line = |(vid, pid): &(u16, u16)| {
        format!("ATTR{{idVendor}}==\"{vid:04x}\", ATTR{{idProduct}}==\"{pid:04x}\", TAG+=\"uaccess\"\n")
    };
    identities.iter().map(line).collect()
}

#[test]
fn the_rule_knows_the_headsets_of_the_device_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("installer/linux/70-hookswitch.rules");
    let text = std::fs::read_to_string(&path).expect("the rule is committed");
    let (before, rest) = text.split_once(BEGIN).expect("a part that is made");
    let (listed, after) = rest.split_once(END).expect("its end");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", known())).expect("writable");
    } else {
        assert_eq!(listed, known(), "UPDATE_GOLDEN=1 cargo test --test installer makes it anew");
    }
    assert!(!text.contains("MODE"), "access is a matter of who sits there, never of everybody");
}

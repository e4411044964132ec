//! The main job on a stock Debian kernel: the shipped agent, real hidraw and USB core, headsets behind USB/IP, two
//! accounts. One boot for all parts (see `tests/kernel/suite.sh`); dfu-util writes the same headset as a control.
#![expect(clippy::disallowed_methods, reason = "boots an emulated machine")]

use std::path::PathBuf;
use std::process::Command;

fn variable(name: &str) -> PathBuf {
    let value = std::env::var_os(name);
    value.unwrap_or_else(|| panic!("{name} is not set: run `cargo xtask test --tier kernel`")).into()
}

#[test]
fn the_main_job_several_people_and_several_headsets_on_a_real_kernel() {
    let (vm, bin_dir, agent) =
        (variable("HOOKSWITCH_VM"), variable("HOOKSWITCH_BIN_DIR"), variable("HOOKSWITCH_SHIPPED"));
    let suite = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/kernel/suite.sh");
    let mut boot = Command::new(vm);
    boot.args(["--udev", "--systemd", "--timeout", "1080", "--env", "SEED", "--"])
        .arg(suite)
        .arg(bin_dir)
        .arg(agent);
    let output = boot.output().expect("the rig starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    for part in [
        "story",
        "interrupted",
        "crashed",
        "dfu-util",
        "people",
        "deaths",
        "twins",
        "night",
        "mishaps",
        "unit",
    ] {
        assert!(
            said.contains(&format!("part {part} passed")),
            "{part} did not pass; the guest's words are above"
        );
    }
    assert!(output.status.success(), "the guest ended with {}", output.status);
}

//! The code that an idle agent runs lies together in the shipped program: of the rest little is ever in memory.
#![expect(clippy::disallowed_methods, reason = "cargo tells a build script by its environment what is built")]

/// Written by `cargo xtask layout`. GNU ld and LLD read it alike.
const SCRIPT: &str = "linker/idle.ld";

fn main() {
    println!("cargo::rerun-if-changed={SCRIPT}");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|is| is == value);
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    if is("CARGO_CFG_TARGET_OS", "linux") && is("PROFILE", "release") {
        println!("cargo::rustc-link-arg-bin=hookswitch=-Wl,--script={root}/{SCRIPT}");
    }
}

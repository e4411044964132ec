//! The code that an idle agent runs lies together in the shipped program: of the rest little is ever in memory.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script is told by its environment what is built, and makes files"
)]

/// Written by `cargo xtask layout`. GNU ld and LLD read it alike.
const SCRIPT: &str = "linker/idle.ld";

fn main() {
    println!("cargo::rerun-if-changed={SCRIPT}");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|is| is == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("PROFILE", "release") {
        // Of the paths that are printed here, cargo follows this folder's when it moves, and no other one's.
        let out = std::env::var("OUT_DIR").expect("cargo gives each build script a folder");
        std::fs::copy(SCRIPT, format!("{out}/idle.ld")).expect("the script is in the tree");
        println!("cargo::rustc-link-arg-bin=hookswitch=-Wl,--script={out}/idle.ld");
    }
}

//! Where random tests begin: at another place in each run, which is printed and can be given back as `SEED=n`.
#![allow(dead_code, reason = "each crate of tests takes what it needs")]
#![expect(clippy::disallowed_methods, reason = "a failed run gives its seed back through the environment")]

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

fn given() -> Option<u64> {
    number("SEED")
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

/// The random numbers of one test.
pub(crate) fn random() -> fastrand::Rng {
    let seed = given().unwrap_or_else(|| fastrand::u64(..));
    println!("SEED={seed} repeats this run");
    fastrand::Rng::with_seed(seed)
}

/// The seeds of `count` runs; of the one that is asked for alone.
pub(crate) fn runs(count: u64) -> Range<u64> {
    if let Some(seed) = given() {
        return seed..seed + 1;
    }
    let start = fastrand::u64(..1 << 40);
    println!("SEED={start} and the {} after it", count - 1);
    start..start + count
}

/// Runs `known` seeds that are the same each time and as many that never were; `ROUNDS=n` adds n more of those,
/// `SEED=n` runs that one alone.
pub(crate) fn each(known: u64, mut run: impl FnMut(u64)) {
    let mut fresh = fastrand::Rng::new();
    let seeds: Vec<u64> = match given() {
        Some(seed) => vec![seed],
        None => {
            let new = known + number("ROUNDS").unwrap_or(0);
            (0..known).chain((0..new).map(|_| fresh.u64(known..))).collect()
        }
    };
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed))) {
            println!("SEED={seed} repeats this run");
            resume_unwind(panic);
        }
    }
}

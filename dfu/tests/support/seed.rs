//! Seeds of random tests: printed when a run fails, and taken back with `SEED=n`.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs `known` seeds that are the same each time and as many that never were; `ROUNDS=n` adds n more of those,
/// `SEED=n` runs that one alone.
pub(crate) fn each(known: u64, mut run: impl FnMut(u64)) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let mut fresh = fastrand::Rng::new();
    let seeds: Vec<u64> = match number("SEED") {
        Some(seed) => vec![seed],
        None => {
            let new = known + number("ROUNDS").unwrap_or(0);
            (0..known).chain((0..new).map(|_| fresh.u64(known..))).collect()
        }
    };
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed))) {
            eprintln!("SEED={seed} repeats this run");
            resume_unwind(panic);
        }
    }
}

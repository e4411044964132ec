//! Where random tests begin: at another place in each run, which is printed and can be given back as `SEED=n`.
#![allow(dead_code, reason = "each crate of tests takes what it needs")]
#![expect(clippy::disallowed_methods, reason = "a failed run gives its seed back through the environment")]

use std::ops::Range;

fn given() -> Option<u64> {
    std::env::var("SEED").ok().map(|text| text.parse().expect("SEED is a number"))
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

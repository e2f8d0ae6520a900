//! Seeded runs for tests: each is told its seed, which is printed where it fails, and `ESIKIT_SEED` replays one.

use std::hash::{BuildHasher, Hasher, RandomState};

/// How many runs each random test has.
pub(super) const RUNS: u64 = 1000;

/// Numbers that look random, and are the same for the same seed (SplitMix64).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `range`.
    pub(super) fn among(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, of_a_hundred: u64) -> bool {
        self.among(0..100) < of_a_hundred
    }

    /// Some order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.among(0..last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}

/// The seeds of a test's runs; only the one of `ESIKIT_SEED` where that is set.
pub(super) fn seeds() -> impl Iterator<Item = u64> {
    let given = std::env::var("ESIKIT_SEED").ok();
    let given = given.map(|seed| seed.parse::<u64>().expect("ESIKIT_SEED is a number"));
    let (first, runs) = match given {
        Some(seed) => (seed, 1),
        None => (RandomState::new().build_hasher().finish() >> 1, RUNS),
    };
    first..first + runs
}

/// Prints the seed where the run that it stands in panics.
pub(super) struct Printed(pub(super) u64);

impl Drop for Printed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this run again: ESIKIT_SEED={}", self.0);
        }
    }
}

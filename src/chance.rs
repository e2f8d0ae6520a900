//! Random numbers for tests: the same for the same seed, which is printed where a run fails and which `ESIKIT_SEED` sets.

/// How many runs a random test has that costs little.
pub(crate) const RUNS: u64 = 1000;

/// A sequence of numbers.
pub(crate) struct Chance(fastrand::Rng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// For one thing of many: its numbers do not depend on when they are asked for.
    pub(crate) fn of(seed: u64, things: [u64; 2]) -> Self {
        things.iter().fold(Self::new(seed), |mut chance, thing| {
            Self::new(chance.next() ^ thing.wrapping_mul(0x2545_f491_4f6c_dd1d))
        })
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// A number from `low` up to but not `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.u64(low..high)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, of_a_hundred: u64) -> bool {
        self.between(0, 100) < of_a_hundred
    }

    /// Some order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }
}

/// `ESIKIT_SEED`, where it is set.
fn given() -> Option<u64> {
    let seed = std::env::var("ESIKIT_SEED").ok()?;
    Some(seed.parse().expect("ESIKIT_SEED is a number"))
}

/// The seeds of a test that costs much: the same ones each time.
pub(crate) fn seeds(count: u64) -> Vec<u64> {
    given().map_or_else(|| (1..=count).collect(), |seed| vec![seed])
}

/// The seeds of a test that costs little: other ones each time.
pub(crate) fn new_seeds() -> impl Iterator<Item = u64> {
    let (first, runs) = match given() {
        Some(seed) => (seed, 1),
        None => (fastrand::u64(..u64::MAX / 2), RUNS),
    };
    first..first + runs
}

/// Prints the seed where the run that it stands in panics.
pub(crate) struct Printed(pub(crate) u64);

impl Drop for Printed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this run again: ESIKIT_SEED={}", self.0);
        }
    }
}

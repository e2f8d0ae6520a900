//! Numbers by chance, the same for the same seed.

/// A sequence of numbers (SplitMix64).
pub(in crate::limit) struct Chance(u64);

impl Chance {
    pub(in crate::limit) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// For one thing of many: its numbers do not depend on when they are asked for.
    pub(in crate::limit) fn of(seed: u64, things: [u64; 2]) -> Self {
        let mut chance = Self(seed);
        for thing in things {
            chance.0 = chance.next() ^ thing.wrapping_mul(0x2545_f491_4f6c_dd1d);
        }
        chance
    }

    pub(in crate::limit) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` up to but not `high`.
    pub(in crate::limit) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low)
    }

    pub(in crate::limit) fn percent(&mut self, percent: u64) -> bool {
        self.between(0, 100) < percent
    }
}

/// The seeds to run: `ESIKIT_SEED`, or so many.
pub(in crate::limit) fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("ESIKIT_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        Some(seed) => vec![seed],
        None => (1..=count).collect(),
    }
}

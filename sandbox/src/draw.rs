//! Numbers from a seed and a place: the same place always draws the same, whatever is drawn elsewhere.

/// What is drawn at one place. Drawing changes nothing: a place below draws something else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn of(seed: u64) -> Self {
        Self(mixed(seed))
    }

    /// The place of this name below.
    pub(crate) fn under(self, name: &str) -> Self {
        // FNV-1a: simple, and the same on every machine and in every version.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(mixed(self.0 ^ hash))
    }

    /// The place of this number below.
    pub(crate) fn at(self, index: usize) -> Self {
        Self(mixed(self.0.wrapping_add(index as u64 + 1)))
    }

    /// From 0 to `end`, without `end`; 0 when `end` is 0.
    pub(crate) fn below(self, end: u64) -> u64 {
        // The upper half of the product spreads evenly, and always fits.
        ((u128::from(self.0) * u128::from(end)) >> 64) as u64
    }

    /// One of these; none when there are none.
    pub(crate) fn one_of<T>(self, these: &[T]) -> Option<&T> {
        these.get(self.below(these.len() as u64) as usize)
    }

    /// All 64 bits.
    pub(crate) fn bits(self) -> u64 {
        self.0
    }
}

/// The last step of SplitMix64.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of a seed are part of what users' tests rely on: this must not change.
    #[test]
    fn a_place_draws_the_same_in_every_version() {
        let draw = Draw::of(1).under("GetStatus").at(3);
        assert_eq!(draw.bits(), 5_356_071_912_729_407_546);
        assert_ne!(draw.bits(), Draw::of(2).under("GetStatus").at(3).bits());
        assert_ne!(draw.bits(), Draw::of(1).under("GetStatus").at(4).bits());
        assert!((0..1000).all(|index| Draw::of(7).at(index).below(10) < 10));
        assert_eq!(draw.below(0), 0);
    }
}

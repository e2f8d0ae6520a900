//! What the headers of a page say about the state of the data it shows, and about when it may be asked for again.

use std::cmp::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::operation::Operation;
use crate::response::Response;

/// A first page that expires sooner than this is not built upon: the others would be of the next state.
const SOON: Duration = Duration::from_secs(5);

/// What `Date` leaves out.
const TICK: Duration = Duration::from_secs(1);

/// Which state of the data a page shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stamp {
    pub(super) last_modified: Option<DateTime<Utc>>,
    pub(super) expires: Option<DateTime<Utc>>,
    /// When the server answered, by its own clock.
    pub(super) date: Option<DateTime<Utc>>,
    /// How many pages there are.
    pub(super) pages: Option<u32>,
    /// When the answer came, by ours.
    pub(super) came: Instant,
}

impl Stamp {
    pub(super) fn of<T>(answer: &Response<T>) -> Self {
        Self {
            last_modified: answer.last_modified(),
            expires: answer.expires(),
            date: answer.date(),
            pages: answer.pages(),
            came: answer.came(),
        }
    }

    /// Whether both pages show one state of the data, as far as their headers can tell.
    pub(super) fn fits(&self, other: &Self) -> bool {
        let same_count = match (self.pages, other.pages) {
            (Some(one), Some(another)) => one == another,
            _ => true,
        };
        same_count
            && match (self.last_modified, other.last_modified) {
                (Some(one), Some(another)) => one == another,
                _ => self.lives_with(other),
            }
    }

    /// What stands in for `Last-Modified`: both end together, or each lives equally long from when it was given out
    /// and neither had ended before the other began.
    fn lives_with(&self, other: &Self) -> bool {
        let (Some(one), Some(another)) = (self.expires, other.expires) else {
            return true;
        };
        if one == another {
            return true;
        }
        let (Some(begin), Some(other_begin)) = (self.date, other.date) else {
            return false;
        };
        one - begin == another - other_begin && begin <= another && other_begin <= one
    }

    /// Whether this is of a later state than the other; of one state, whether it was given out later.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        let by = |of: fn(&Self) -> Option<DateTime<Utc>>| match (of(self), of(other)) {
            (Some(one), Some(another)) => one.cmp(&another),
            _ => Ordering::Equal,
        };
        by(|stamp| stamp.last_modified)
            .then_with(|| by(|stamp| stamp.expires))
            .then_with(|| by(|stamp| stamp.date))
            .then_with(|| self.came.cmp(&other.came))
            .is_gt()
    }
}

/// The server's clock, as its answers showed it. Ours may be off, and is not asked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ServerTime {
    /// The latest `Date`, and when it came.
    shown: Option<(DateTime<Utc>, Instant)>,
}

impl ServerTime {
    /// Takes in the `Date` of an answer. An answer from a cache has an old one, which changes nothing.
    pub(super) fn hear(&mut self, stamp: &Stamp) {
        let Some(date) = stamp.date else { return };
        let is_later = match self.shown {
            None => true,
            Some((shown, came)) => {
                let passed = stamp.came.saturating_duration_since(came);
                (date - shown).to_std().is_ok_and(|ahead| ahead >= passed)
            }
        };
        if is_later {
            self.shown = Some((date, stamp.came));
        }
    }

    /// How long until ESI's rules allow to ask for a page again. A server that shows no clock is given the time that
    /// the spec states.
    ///
    /// A page without an end, or that came when its end was over, counts as fresh for a few seconds, as it does in the
    /// cache: no request loop.
    pub(super) fn until_expired(&self, stamp: &Stamp, operation: &Operation, now: Instant) -> Duration {
        let is_over = match (stamp.expires, stamp.date) {
            (Some(expires), Some(date)) => expires <= date,
            (expires, _) => expires.is_none(),
        };
        if is_over {
            return SOON.saturating_sub(now.saturating_duration_since(stamp.came));
        }
        self.left(stamp, operation, now)
    }

    /// What is left of a page by its headers. Its own `Date` says it best, since that is from when it came.
    fn left(&self, stamp: &Stamp, operation: &Operation, now: Instant) -> Duration {
        let Some(expires) = stamp.expires else {
            return Duration::ZERO;
        };
        let since = |(date, came): (DateTime<Utc>, Instant)| {
            let whole = (expires - date).to_std().unwrap_or_default();
            whole.saturating_sub(now.saturating_duration_since(came))
        };
        let by_own = stamp.date.map(|date| since((date, stamp.came)));
        let by_latest = self.shown.map(|shown| since(shown).saturating_add(TICK));
        by_own.or(by_latest).unwrap_or_else(|| {
            let stated = Duration::from_secs(operation.cache_ttl.unwrap_or_default().into());
            stated.saturating_sub(now.saturating_duration_since(stamp.came))
        })
    }

    /// How long to wait for the successor of a first page that is about to expire; none where there is time enough
    /// for the others, or no others, or where it has expired already and asking again would bring the same.
    pub(super) fn until_successor(
        &self,
        first: &Stamp,
        operation: &Operation,
        now: Instant,
    ) -> Option<Duration> {
        let left = self.left(first, operation, now);
        let has_others = first.pages.is_some_and(|pages| pages > 1);
        (has_others && !left.is_zero() && left <= SOON).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{CacheMode, Method};

    static OPERATION: Operation = Operation::new("GetThings", Method::Get, "/things", "Things");

    fn at(second: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(1_800_000_000 + second, 0)
    }

    /// A page that comes now.
    fn stamp(last_modified: Option<i64>, date: i64, expires: i64, pages: u32) -> Stamp {
        Stamp {
            last_modified: last_modified.and_then(at),
            expires: at(expires),
            date: at(date),
            pages: Some(pages),
            came: Instant::now(),
        }
    }

    #[tokio::test]
    async fn pages_of_one_state_fit() {
        let one = stamp(Some(0), 10, 300, 3);
        for (other, fits, why) in [
            (
                stamp(Some(0), 20, 300, 3),
                true,
                "the same state, given out later",
            ),
            (stamp(Some(0), 20, 310, 3), true, "the same state, kept longer"),
            (stamp(Some(1), 10, 300, 3), false, "another Last-Modified"),
            (stamp(Some(0), 10, 300, 4), false, "another number of pages"),
            (stamp(None, 10, 300, 3), true, "no Last-Modified, ends together"),
            (
                stamp(None, 310, 600, 3),
                false,
                "no Last-Modified, begins after the end",
            ),
            (stamp(None, 10, 600, 3), false, "no Last-Modified, lives longer"),
            (
                stamp(None, 20, 310, 3),
                true,
                "no Last-Modified, counted from each answer",
            ),
        ] {
            assert_eq!(one.fits(&other), fits, "{why}");
            assert_eq!(other.fits(&one), fits, "{why}");
        }
        let silent = Stamp {
            expires: None,
            pages: None,
            last_modified: None,
            ..one
        };
        assert!(one.fits(&silent) && silent.fits(&one));
    }

    #[tokio::test]
    async fn the_newest_is_told_by_its_state_before_its_age() {
        assert!(stamp(Some(1), 0, 0, 1).is_newer_than(&stamp(Some(0), 9, 9, 1)));
        assert!(!stamp(Some(0), 9, 9, 1).is_newer_than(&stamp(Some(1), 0, 0, 1)));
        assert!(stamp(None, 0, 2, 1).is_newer_than(&stamp(Some(0), 9, 1, 1)));
        let one = stamp(Some(0), 0, 0, 1);
        assert!(!one.is_newer_than(&one));
    }

    #[tokio::test(start_paused = true)]
    async fn time_is_the_servers() {
        let mut time = ServerTime::default();
        let fresh = stamp(Some(0), 10, 40, 2);
        time.hear(&fresh);
        let left = |time: &ServerTime, stamp: &Stamp| {
            time.until_expired(stamp, &OPERATION, Instant::now()).as_secs()
        };
        assert_eq!(left(&time, &fresh), 30);
        tokio::time::advance(Duration::from_secs(12)).await;
        assert_eq!(left(&time, &fresh), 18);
        // Kept for a while: what is left counts from when it came.
        let kept = Stamp {
            came: Instant::now() - Duration::from_secs(10),
            ..stamp(Some(0), 0, 40, 2)
        };
        time.hear(&kept);
        assert_eq!((left(&time, &kept), left(&time, &fresh)), (30, 18));
        // One that does not say when it was given out goes by the latest that does.
        let undated = Stamp { date: None, ..fresh };
        time.hear(&stamp(Some(0), 30, 40, 2));
        assert_eq!(left(&time, &undated), 10 + 1);
        // One whose time was over as it came counts for a few seconds.
        assert_eq!(left(&time, &stamp(Some(0), 50, 40, 2)), 5);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(left(&time, &kept), 0);
        let silent = Stamp { date: None, ..fresh };
        static KEPT: Operation =
            Operation::new("GetThings", Method::Get, "/things", "Things").cache(100, CacheMode::Ttl);
        let by_spec = ServerTime::default().until_expired(&silent, &KEPT, Instant::now());
        assert_eq!(by_spec.as_secs(), 100 - 72);
        let endless = Stamp {
            expires: Some(DateTime::<Utc>::MAX_UTC),
            ..kept
        };
        assert!(left(&time, &endless) > 1_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_page_that_ends_soon_is_not_built_upon() {
        let until = |stamp: Stamp| {
            let mut time = ServerTime::default();
            time.hear(&stamp);
            time.until_successor(&stamp, &OPERATION, Instant::now())
        };
        assert_eq!(until(stamp(Some(0), 10, 13, 2)), Some(Duration::from_secs(3)));
        assert_eq!(until(stamp(Some(0), 10, 16, 2)), None, "time enough");
        assert_eq!(until(stamp(Some(0), 10, 13, 1)), None, "no other page");
        assert_eq!(until(stamp(Some(0), 10, 10, 2)), None, "expired as it came");
    }
}

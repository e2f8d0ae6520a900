//! The error limit: so many failures a minute for each address, then nothing is answered any more.
//!
//! The server counts in fixed windows, and tells how far it is with each answer to an operation without a bucket. What
//! is in flight counts as a failure until it is answered, so that a downtime cannot spend more than is left.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// How many failures a window allows.
const FAILURES: u32 = 100;
/// The window's length; also for how long a failure counts that the server has not told of: it lies in one window, and
/// we do not know which.
const WINDOW: Duration = Duration::from_secs(60);
/// For how long a request whose answer never came may still become a failure.
const LATE: Duration = Duration::from_secs(10);
/// The server tells whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);
/// When less is known of when a window ends, windows cannot be told apart.
const VAGUE: Duration = Duration::from_secs(30);

/// The error limit of this address.
#[derive(Debug)]
pub(super) struct ErrorLimit {
    reserve: u32,
    in_flight: u32,
    told: Option<Told>,
    /// Failures that no answer has told of, by when they are counted from.
    unheard: VecDeque<Instant>,
}

/// What the server said of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    /// The window ends between these two.
    earliest: Instant,
    latest: Instant,
    remain: u32,
}

impl Told {
    fn new(sent: Instant, now: Instant, remain: u32, reset: Duration) -> Self {
        Self {
            earliest: sent + reset.saturating_sub(ROUNDING),
            latest: now + reset + ROUNDING,
            remain,
        }
    }

    fn is_vague(&self) -> bool {
        self.latest - self.earliest > VAGUE
    }
}

impl ErrorLimit {
    /// Never lets the failures of a window come nearer to the limit than `reserve`.
    pub(super) fn new(reserve: u32) -> Self {
        Self {
            reserve: reserve.min(FAILURES - 1),
            in_flight: 0,
            told: None,
            unheard: VecDeque::new(),
        }
    }

    /// Whether a request may be sent now.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        while self.unheard.front().is_some_and(|&from| from + WINDOW <= now) {
            self.unheard.pop_front();
        }
        self.in_flight < self.allowance(now)
    }

    /// When a request may be sent, with that many others still in flight; none when their answers must come first.
    pub(super) fn opens_at(&self, now: Instant, in_flight: u32) -> Option<Instant> {
        let changes = self.unheard.iter().map(|&from| from + WINDOW);
        let ends = self.told.map(|told| told.latest);
        std::iter::once(now)
            .chain(changes)
            .chain(ends)
            .filter(|&at| at >= now && in_flight < self.allowance(at))
            .min()
    }

    /// A request is sent.
    pub(super) fn send(&mut self) {
        self.in_flight += 1;
    }

    /// A request is no longer in flight.
    pub(super) fn land(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// An answer failed that does not say how many failures are left.
    pub(super) fn failed(&mut self, now: Instant) {
        self.count_from(now);
    }

    /// A request was sent, and no answer came. It may fail yet.
    pub(super) fn unanswered(&mut self, now: Instant) {
        self.count_from(now + LATE);
    }

    /// An answer says how many failures are left and when the window ends. Its own failure is in that number, and so
    /// is every one that the server counted before, heard of or not.
    pub(super) fn hear(&mut self, sent: Instant, now: Instant, remain: u32, reset: Duration) {
        let heard = Told::new(sent, now, remain.min(FAILURES), reset);
        self.told = match self.told {
            Some(known) if heard.latest < known.earliest => return,
            Some(known) if heard.earliest <= known.latest => Some(same_window(known, heard)),
            _ => Some(heard),
        };
        self.unheard.retain(|&from| from > sent);
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// How many may be in flight at `at`, by what is known now.
    fn allowance(&self, at: Instant) -> u32 {
        let told = self.told.filter(|told| at < told.latest);
        let remain = told.map_or(FAILURES, |told| told.remain);
        let over = self.unheard.partition_point(|&from| from + WINDOW <= at);
        let unheard = u32::try_from(self.unheard.len() - over).unwrap_or(u32::MAX);
        remain.saturating_sub(unheard).saturating_sub(self.reserve)
    }

    fn count_from(&mut self, from: Instant) {
        let place = self.unheard.partition_point(|&known| known <= from);
        self.unheard.insert(place, from);
    }
}

/// Two answers of one window, in whatever order they came: the later one, by the server, has less remaining.
fn same_window(known: Told, heard: Told) -> Told {
    let remain = known.remain.min(heard.remain);
    if heard.is_vague() {
        // It may be of the next window: then that one lasts longer.
        let latest = known.latest.max(heard.latest);
        return Told {
            latest,
            remain,
            ..known
        };
    }
    Told {
        earliest: known.earliest.max(heard.earliest),
        latest: known.latest.min(heard.latest),
        remain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error limit with its time, in milliseconds.
    struct Bench {
        errors: ErrorLimit,
        start: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                errors: ErrorLimit::new(10),
                start: Instant::now() + Duration::from_secs(100),
            }
        }

        fn at(&self, milliseconds: u64) -> Instant {
            self.start + Duration::from_millis(milliseconds)
        }

        fn hear(&mut self, sent: u64, now: u64, remain: u32, reset: u64) {
            let (sent, now) = (self.at(sent), self.at(now));
            self.errors.hear(sent, now, remain, Duration::from_secs(reset));
        }

        fn allows(&mut self, now: u64) -> u32 {
            let now = self.at(now);
            self.errors.admits(now);
            self.errors.allowance(now)
        }

        fn opens_at(&self, now: u64) -> Option<u64> {
            let opens = self.errors.opens_at(self.at(now), self.errors.in_flight);
            opens.map(|opens| u64::try_from((opens - self.start).as_millis()).expect("soon"))
        }
    }

    #[test]
    fn in_flight_is_never_more_than_remains_above_the_reserve() {
        for (remain, allowed) in [
            (100, 90),
            (4_000_000, 90),
            (30, 20),
            (11, 1),
            (10, 0),
            (3, 0),
            (0, 0),
        ] {
            let mut bench = Bench::new();
            bench.hear(0, 0, remain, 30);
            let now = bench.at(0);
            let mut sent = 0;
            while bench.errors.admits(now) {
                bench.errors.send();
                sent += 1;
            }
            assert_eq!(sent, allowed, "{remain} remain");
        }
    }

    #[test]
    fn what_is_told_of_one_window_or_another() {
        // Sent, received, remain, reset: what is allowed after each. Windows end at 30 s and 90 s.
        for (name, heard) in [
            (
                "one after the other",
                &[(0, 100, 99, 29, 89), (100, 200, 98, 29, 88)][..],
            ),
            (
                "overtaken",
                &[(0, 300, 97, 29, 87), (0, 400, 99, 29, 87), (0, 500, 98, 29, 87)],
            ),
            (
                "rounded down and up",
                &[
                    (0, 100, 90, 29, 80),
                    (100, 200, 95, 30, 80),
                    (900, 1_200, 85, 28, 75),
                ],
            ),
            (
                "the next window",
                &[(0, 100, 20, 29, 10), (30_500, 30_600, 100, 59, 90)],
            ),
            (
                "an old answer in the next window",
                &[
                    (0, 100, 20, 29, 10),
                    (30_500, 30_600, 99, 59, 89),
                    (29_000, 30_900, 5, 0, 89),
                ],
            ),
            (
                "an old answer after the window",
                &[(0, 100, 20, 29, 10), (29_900, 31_200, 15, 0, 90)],
            ),
            (
                "a slow answer, of either window",
                &[(0, 100, 20, 29, 10), (0, 50_000, 70, 25, 10)],
            ),
            (
                "a slow answer, of the next window",
                &[(0, 100, 20, 29, 10), (0, 50_000, 70, 40, 60)],
            ),
        ] {
            let mut bench = Bench::new();
            for &(sent, now, remain, reset, allowed) in heard {
                bench.hear(sent, now, remain, reset);
                assert_eq!(bench.allows(now), allowed, "{name}, after {remain} at {now}");
            }
        }
    }

    #[test]
    fn a_window_ends_a_second_after_it_says() {
        let mut bench = Bench::new();
        bench.hear(0, 0, 10, 30);
        assert_eq!((bench.allows(30_999), bench.allows(31_000)), (0, 90));
        assert_eq!(bench.opens_at(5_000), Some(31_000));
    }

    #[test]
    fn failures_that_nobody_told_of_count_for_a_minute_or_until_a_later_answer() {
        let mut bench = Bench::new();
        for now in [0, 1_000, 2_000] {
            let now = bench.at(now);
            bench.errors.failed(now);
        }
        assert_eq!(
            [2_000, 59_999, 60_000, 61_000, 62_000].map(|now| bench.errors.allowance(bench.at(now))),
            [87, 87, 88, 89, 90]
        );
        bench.hear(1_500, 3_000, 95, 50);
        assert_eq!(
            bench.allows(3_000),
            84,
            "of the third, the server may not have told"
        );
        bench.hear(3_000, 3_500, 94, 50);
        assert_eq!(bench.allows(3_500), 84);
    }

    #[test]
    fn a_request_without_an_answer_may_fail_late() {
        let mut bench = Bench::new();
        let now = bench.at(0);
        bench.errors.send();
        bench.errors.land();
        bench.errors.unanswered(now);
        bench.hear(5_000, 5_100, 100, 50);
        assert_eq!(bench.allows(5_100), 89, "it may still be under way");
        bench.hear(10_000, 10_100, 100, 45);
        assert_eq!(bench.allows(10_100), 90, "it did not fail");
    }

    #[test]
    fn it_opens_when_it_says() {
        let mut bench = Bench::new();
        for now in 0..90 {
            let now = bench.at(now * 100);
            bench.errors.failed(now);
        }
        assert_eq!(bench.opens_at(9_000), Some(60_000));
        bench.errors.send();
        assert_eq!(
            bench.opens_at(9_000),
            Some(60_100),
            "with one in flight, two must come back"
        );
        bench.errors.land();
        bench.hear(0, 9_000, 5, 70);
        assert_eq!(
            bench.opens_at(9_000),
            Some(80_000),
            "the window is told to end later"
        );
        (0..95).for_each(|_| bench.errors.send());
        assert_eq!(bench.opens_at(9_000), None, "too many in flight, at any time");
    }

    #[test]
    fn a_reserve_beyond_the_limit_leaves_one_at_a_time() {
        let mut errors = ErrorLimit::new(u32::MAX);
        let now = Instant::now();
        assert!(errors.admits(now));
        errors.send();
        assert!(!errors.admits(now));
    }
}

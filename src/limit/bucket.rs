//! What a principal has spent of a group's tokens.
//!
//! The count here never falls below the server's. A charge counts from when its answer arrived, which is later than
//! when the server made it; a request that is not answered counts as the most that it can cost. So a request that is
//! admitted here finds tokens left when it arrives there, in whatever order requests and answers travel.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The most that a request costs: a 4xx.
pub(super) const WORST_COST: u32 = 5;

/// What a bucket holds, and for how long each token that was spent stays out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    pub(super) tokens: u32,
    pub(super) window: Duration,
}

impl Quota {
    /// For how long a request whose answer never came may still be charged: a minute of a window of 15.
    fn grace(self) -> Duration {
        self.window / 15
    }
}

/// What an answer costs, where the server does not say.
pub(super) fn cost(status: u16) -> u32 {
    match status {
        200..=299 => 2,
        300..=399 => 1,
        429 | 500..=599 => 0,
        _ => WORST_COST,
    }
}

/// The bucket of one group and principal.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    /// By when they count from, oldest first.
    charges: VecDeque<Charge>,
    /// The sum of the charges.
    spent: u64,
    /// Every token that was ever charged, and ever given back: their difference is `spent`.
    charged: u64,
    given_back: u64,
    in_flight: u32,
    /// Requests whose answers never came, by when they become charges.
    unanswered: VecDeque<Instant>,
    closed_until: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Charge {
    from: Instant,
    tokens: u32,
}

/// How far a bucket's books were when a request was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    charged: u64,
    given_back: u64,
}

impl Bucket {
    /// Whether a request may be sent now: the server refuses it when the tokens are used up as it arrives.
    pub(super) fn admits(&mut self, quota: Quota, now: Instant) -> bool {
        self.bring_up_to(quota, now);
        let closed = self.closed_until.is_some_and(|until| now < until);
        !closed && self.spent + self.held(self.in_flight) < u64::from(quota.tokens)
    }

    /// When a request may be sent, with that many others still in flight; none when their answers must come first.
    pub(super) fn opens_at(&self, quota: Quota, now: Instant, in_flight: u32) -> Option<Instant> {
        let closed = self.closed_until.unwrap_or(now).max(now);
        let taken = self.spent + self.held(in_flight);
        let Some(mut excess) = (taken + 1)
            .checked_sub(u64::from(quota.tokens))
            .filter(|&n| n > 0)
        else {
            return Some(closed);
        };
        let charges = self.charges.iter().map(|charge| (charge.from, charge.tokens));
        let later = self.unanswered.iter().map(|&from| (from, WORST_COST));
        for (from, tokens) in charges.chain(later) {
            excess = excess.saturating_sub(u64::from(tokens));
            if excess == 0 {
                return Some(closed.max(from + quota.window));
            }
        }
        None
    }

    /// A request is sent.
    pub(super) fn send(&mut self, quota: Quota, now: Instant) -> Page {
        self.bring_up_to(quota, now);
        self.in_flight += 1;
        Page {
            charged: self.charged,
            given_back: self.given_back,
        }
    }

    /// A request turns out to draw from this bucket when its answer comes: nothing is known of before.
    pub(super) fn sent_unknown(&mut self, quota: Quota, now: Instant) -> Page {
        Page {
            charged: 0,
            ..self.send(quota, now)
        }
    }

    /// A request was not sent after all, or drew from another bucket.
    pub(super) fn release(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// A request was sent, and no answer came. The server may still be at it.
    pub(super) fn unanswered(&mut self, quota: Quota, now: Instant) {
        self.bring_up_to(quota, now);
        self.release();
        self.unanswered.push_back(now + quota.grace());
    }

    /// An answer came.
    pub(super) fn settle(
        &mut self,
        quota: Quota,
        now: Instant,
        sent: Page,
        cost: u32,
        remaining: Option<u32>,
    ) {
        self.bring_up_to(quota, now);
        self.release();
        self.charge(now, cost.min(quota.tokens));
        if let Some(remaining) = remaining {
            self.compare(now, sent, u64::from(quota.tokens.saturating_sub(remaining)));
        }
    }

    /// A request was refused: the bucket is empty, and has tokens for another request only after `wait`.
    pub(super) fn refuse(&mut self, quota: Quota, now: Instant, sent: Page, remaining: u32, wait: Duration) {
        self.settle(quota, now, sent, 0, Some(remaining));
        let open = now + wait;
        self.closed_until = self.closed_until.max(Some(open));
        self.give_one_back_at(quota, open);
    }

    /// Whether nothing is left to remember.
    pub(super) fn is_idle(&mut self, quota: Quota, now: Instant) -> bool {
        self.bring_up_to(quota, now);
        let closed = self.closed_until.is_some_and(|until| now < until);
        !closed && self.spent == 0 && self.in_flight == 0 && self.unanswered.is_empty()
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// What the server has used, by its answer, against what our own books say it may and must have.
    ///
    /// Between the server's answer and now, our books went on: charges ended, and answers that the server gave later
    /// arrived before. So the most that it can have counted of ours is everything on the books now, everything that
    /// was given back since the request was sent, and the worst of what is in flight. What is above that is somebody
    /// else's.
    ///
    /// The least that it must have counted is what was on the books when the request was sent and still is. Where it
    /// has less, it gave tokens back earlier than we did. This request's own cost is left out on that side: an
    /// answer may be written before its cost is, and an overdrawn bucket shows zero remaining, not less. With it, each of
    /// these would take a charge off the books that the server still has.
    fn compare(&mut self, now: Instant, sent: Page, used: u64) {
        let given_back_since = self.given_back - sent.given_back;
        let most = self.spent + given_back_since + self.held(self.in_flight);
        let least = sent.charged.saturating_sub(self.given_back);
        if used > most {
            self.charge(now, u32::try_from(used - most).unwrap_or(u32::MAX));
        } else if used < least {
            self.give_back(least - used);
        }
    }

    /// What requests may cost that are not answered: those in flight, and those that never will be.
    fn held(&self, in_flight: u32) -> u64 {
        u64::from(WORST_COST) * (u64::from(in_flight) + self.unanswered.len() as u64)
    }

    fn charge(&mut self, from: Instant, tokens: u32) {
        if tokens == 0 {
            return;
        }
        let later = self
            .charges
            .iter()
            .rev()
            .take_while(|charge| charge.from > from)
            .count();
        let place = self.charges.len() - later;
        self.charges.insert(place, Charge { from, tokens });
        self.spent += u64::from(tokens);
        self.charged += u64::from(tokens);
    }

    /// Turns requests that nobody will answer any more into charges, and gives back what a window has passed over.
    fn bring_up_to(&mut self, quota: Quota, now: Instant) {
        while let Some(from) = self.unanswered.front().copied().filter(|&from| from <= now) {
            self.unanswered.pop_front();
            self.charge(from, WORST_COST);
        }
        while let Some(oldest) = self
            .charges
            .front()
            .filter(|oldest| oldest.from + quota.window <= now)
        {
            let tokens = u64::from(oldest.tokens);
            self.give_back(tokens);
        }
    }

    /// Gives back this many of the oldest tokens.
    fn give_back(&mut self, tokens: u64) {
        let mut left = tokens;
        while let Some(oldest) = self.charges.front_mut().filter(|_| left > 0) {
            let part = u64::from(oldest.tokens).min(left);
            left -= part;
            self.spent -= part;
            self.given_back += part;
            // It is at most the charge's own tokens, which are a `u32`.
            oldest.tokens -= part as u32;
            if oldest.tokens == 0 {
                self.charges.pop_front();
            }
        }
    }

    /// Moves as many of the oldest tokens to end at `at` as one request needs, since the server says that it has room
    /// for one then. The rest stays a full window: what the next answer says decides.
    fn give_one_back_at(&mut self, quota: Quota, at: Instant) {
        let Some(from) = at.checked_sub(quota.window) else {
            return;
        };
        let place = self.charges.partition_point(|charge| charge.from <= from);
        let ending: u64 = self
            .charges
            .iter()
            .take(place)
            .map(|charge| u64::from(charge.tokens))
            .sum();
        let excess = (self.spent + 1).saturating_sub(u64::from(quota.tokens));
        let moved = u32::try_from(excess.saturating_sub(ending)).unwrap_or(u32::MAX);
        let mut left = moved;
        while let Some(charge) = self.charges.get_mut(place).filter(|_| left > 0) {
            let part = charge.tokens.min(left);
            left -= part;
            charge.tokens -= part;
            if charge.tokens == 0 {
                self.charges.remove(place);
            }
        }
        if moved > left {
            let tokens = moved - left;
            self.charges.insert(place, Charge { from, tokens });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::simulation::{Chance, seeds};

    const QUOTA: Quota = Quota {
        tokens: 30,
        window: Duration::from_secs(900),
    };

    /// A bucket with its time, in milliseconds.
    struct Bench {
        bucket: Bucket,
        start: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                bucket: Bucket::default(),
                start: Instant::now(),
            }
        }

        fn at(&self, milliseconds: u64) -> Instant {
            self.start + Duration::from_millis(milliseconds)
        }

        fn admits(&mut self, now: u64) -> bool {
            let now = self.at(now);
            self.bucket.admits(QUOTA, now)
        }

        fn send(&mut self, now: u64) -> Page {
            let now = self.at(now);
            self.bucket.send(QUOTA, now)
        }

        fn settle(&mut self, now: u64, sent: Page, cost: u32, remaining: impl Into<Option<u32>>) {
            let now = self.at(now);
            self.bucket.settle(QUOTA, now, sent, cost, remaining.into());
        }

        /// A request that nobody sends another beside.
        fn once(&mut self, now: u64, cost: u32, remaining: impl Into<Option<u32>>) {
            let sent = self.send(now);
            self.settle(now, sent, cost, remaining);
        }

        fn opens_at(&self, now: u64) -> Option<u64> {
            let opens = self.bucket.opens_at(QUOTA, self.at(now), self.bucket.in_flight);
            opens.map(|opens| u64::try_from((opens - self.start).as_millis()).expect("soon"))
        }

        fn spent(&mut self, now: u64) -> u64 {
            let now = self.at(now);
            self.bucket.bring_up_to(QUOTA, now);
            self.bucket.spent
        }
    }

    #[test]
    fn costs_are_those_of_the_table() {
        let costs = [
            (200, 2),
            (204, 2),
            (299, 2),
            (301, 1),
            (304, 1),
            (400, 5),
            (403, 5),
            (404, 5),
            (420, 5),
            (428, 5),
            (429, 0),
            (430, 5),
            (499, 5),
            (500, 0),
            (502, 0),
            (520, 0),
            (599, 0),
            (100, 5),
            (0, 5),
            (999, 5),
        ];
        for (status, expected) in costs {
            assert_eq!(cost(status), expected, "{status}");
        }
    }

    #[test]
    fn a_request_goes_when_the_worst_of_those_in_flight_leaves_a_token() {
        for (spent, in_flight, expected) in [
            (0, 0, true),
            (0, 5, true),
            (0, 6, false),
            (29, 0, true),
            (30, 0, false),
            (24, 1, true),
            (25, 1, false),
            (34, 0, false),
            (4, 5, true),
            (5, 5, false),
        ] {
            let mut bench = Bench::new();
            (0..spent).for_each(|_| bench.once(0, 1, None));
            for _ in 0..in_flight {
                bench.send(0);
            }
            assert_eq!(bench.admits(0), expected, "{spent} spent, {in_flight} in flight");
        }
    }

    #[test]
    fn tokens_come_back_a_window_after_the_answer_came() {
        let mut bench = Bench::new();
        let sent = bench.send(0);
        bench.settle(400, sent, 5, 25);
        (0..5).for_each(|_| bench.once(10_000, 5, None));
        assert!(!bench.admits(900_399));
        assert_eq!(bench.opens_at(20_000), Some(900_400));
        assert!(bench.admits(900_400));
        assert_eq!(bench.spent(910_000), 0);
    }

    #[test]
    fn answers_in_flight_must_come_before_anything_opens() {
        let mut bench = Bench::new();
        let sent: Vec<_> = (0..6).map(|_| bench.send(0)).collect();
        assert_eq!(bench.opens_at(0), None);
        assert_eq!(
            bench.bucket.opens_at(QUOTA, bench.at(0), 0),
            Some(bench.at(0)),
            "they may cost nothing"
        );
        for page in sent {
            bench.settle(100, page, 0, 30);
        }
        assert_eq!(bench.opens_at(100), Some(100));
    }

    #[test]
    fn what_others_spend_is_charged_and_given_back_when_the_server_does() {
        let mut bench = Bench::new();
        bench.once(0, 2, 20);
        assert_eq!(bench.spent(0), 10, "8 are somebody else's");
        bench.once(1_000, 2, 18);
        assert_eq!(bench.spent(1_000), 12, "and are not charged twice");
        bench.once(60_000, 2, 24);
        assert_eq!(
            bench.spent(60_000),
            8,
            "they came back; this one's own cost may be missing from its answer"
        );
        bench.once(61_000, 2, 22);
        assert_eq!(bench.spent(61_000), 10);
    }

    /// Of two requests under way at once, whichever answer comes first, nothing is charged or given back wrongly.
    #[test]
    fn answers_may_overtake_each_other() {
        for (name, first_remaining, second_remaining) in [
            ("charged as they are answered", 28, 23),
            ("charged as they arrive", 23, 23),
            ("charged after they are answered", 30, 28),
        ] {
            for overtakes in [false, true] {
                let mut bench = Bench::new();
                let (first, second) = (bench.send(0), bench.send(10));
                if overtakes {
                    bench.settle(300, second, 5, second_remaining);
                    bench.settle(400, first, 2, first_remaining);
                } else {
                    bench.settle(300, first, 2, first_remaining);
                    bench.settle(400, second, 5, second_remaining);
                }
                assert_eq!(bench.spent(400), 7, "{name}, overtaken: {overtakes}");
                bench.once(500, 2, 21);
                assert_eq!(
                    bench.spent(500),
                    9,
                    "{name}, overtaken: {overtakes}, and the next"
                );
            }
        }
    }

    #[test]
    fn an_answer_that_is_older_than_what_ended_meanwhile_charges_nothing() {
        let mut bench = Bench::new();
        (0..4).for_each(|_| bench.once(0, 5, None));
        let sent = bench.send(899_900);
        // The server answered at 899,950 and still had 20 tokens on its books, and 2 of this one.
        bench.settle(900_100, sent, 2, 8);
        assert_eq!(bench.spent(900_100), 2);
    }

    #[test]
    fn an_answer_that_is_older_than_what_was_given_back_meanwhile_charges_nothing() {
        let mut bench = Bench::new();
        (0..4).for_each(|_| bench.once(0, 5, None));
        let (late, early) = (bench.send(100_000), bench.send(100_000));
        bench.settle(100_200, early, 2, 26);
        let after = bench.spent(100_200);
        bench.settle(100_400, late, 2, 8);
        assert_eq!(bench.spent(100_400), after + 2);
    }

    #[test]
    fn an_overdrawn_bucket_shows_zero_and_gives_nothing_back() {
        let mut bench = Bench::new();
        (0..29).for_each(|_| bench.once(0, 1, None));
        let sent = bench.send(1_000);
        bench.settle(1_100, sent, 5, 0);
        assert_eq!(bench.spent(1_100), 34);
    }

    #[test]
    fn what_is_not_answered_costs_the_worst_and_may_be_charged_late() {
        let mut bench = Bench::new();
        bench.once(0, 5, 25);
        bench.send(0);
        let now = bench.at(1_000);
        bench.bucket.unanswered(QUOTA, now);
        assert_eq!((bench.bucket.held(0), bench.spent(1_000)), (5, 5));
        bench.once(2_000, 2, 23);
        assert_eq!(
            bench.spent(2_000),
            7,
            "the server has not charged it yet: nothing was given back"
        );
        bench.once(3_000, 2, 16);
        assert_eq!(
            (bench.bucket.held(0), bench.spent(3_000)),
            (5, 9),
            "now it has: that is nobody else's"
        );
        assert_eq!(
            (bench.spent(61_000), bench.bucket.held(0)),
            (14, 0),
            "after a minute it is a charge"
        );
        assert_eq!(
            (bench.spent(960_999), bench.spent(961_000)),
            (5, 0),
            "for a window"
        );
    }

    #[test]
    fn a_bucket_full_of_unanswered_requests_opens_some_time() {
        let mut bench = Bench::new();
        for _ in 0..6 {
            bench.send(0);
            let now = bench.at(0);
            bench.bucket.unanswered(QUOTA, now);
        }
        assert_eq!(bench.opens_at(0), Some(960_000));
        assert!(!bench.admits(959_999) && bench.admits(960_000));
    }

    #[test]
    fn a_refusal_closes_for_as_long_as_it_says_and_then_lets_one_try() {
        let mut bench = Bench::new();
        bench.once(0, 2, None);
        let sent = bench.send(100_000);
        let now = bench.at(100_000);
        bench.bucket.refuse(QUOTA, now, sent, 0, Duration::from_secs(40));
        assert_eq!(bench.opens_at(100_000), Some(140_000));
        assert!(!bench.admits(139_999) && bench.admits(140_000));
        let sent = bench.send(140_000);
        assert!(!bench.admits(140_000), "one");
        bench.settle(140_100, sent, 2, 18);
        assert_eq!(bench.spent(140_100), 14, "its answer says what there is");
    }

    #[test]
    fn another_quota_holds_for_what_was_charged_before() {
        let mut bench = Bench::new();
        (0..6).for_each(|_| bench.once(0, 5, None));
        let (more, longer) = (
            Quota { tokens: 40, ..QUOTA },
            Quota {
                window: QUOTA.window * 4,
                ..QUOTA
            },
        );
        let now = bench.at(1_000);
        assert!(!bench.bucket.admits(QUOTA, now) && bench.bucket.admits(more, now));
        let later = bench.at(900_000);
        assert!(!bench.bucket.admits(longer, later));
    }

    #[test]
    fn a_bucket_is_idle_when_nothing_is_left_to_remember() {
        let mut bench = Bench::new();
        let is_idle = |bench: &mut Bench, now| {
            let now = bench.at(now);
            bench.bucket.is_idle(QUOTA, now)
        };
        assert!(is_idle(&mut bench, 0));
        let sent = bench.send(0);
        assert!(!is_idle(&mut bench, 0));
        bench.settle(100, sent, 2, None);
        assert!(!is_idle(&mut bench, 900_000) && is_idle(&mut bench, 900_100));
    }

    /// Whatever happened, the bucket opens exactly when it says.
    #[test]
    fn it_opens_when_it_says() {
        for seed in seeds(300) {
            let (mut chance, mut bench, mut now) = (Chance::new(seed), Bench::new(), 0);
            let mut under_way = Vec::new();
            for _ in 0..40 {
                now += chance.between(0, 60_000);
                match chance.between(0, 6) {
                    0 | 1 if bench.admits(now) => under_way.push(bench.send(now)),
                    2 | 3 if !under_way.is_empty() => {
                        let sent = under_way.swap_remove(chance.between(0, under_way.len() as u64) as usize);
                        let remaining = chance.percent(50).then(|| chance.between(0, 31) as u32);
                        bench.settle(now, sent, chance.between(0, 6) as u32, remaining);
                    }
                    4 if under_way.pop().is_some() => {
                        let now = bench.at(now);
                        bench.bucket.unanswered(QUOTA, now);
                    }
                    5 if !under_way.is_empty() => {
                        let (sent, at) = (under_way.remove(0), bench.at(now));
                        bench
                            .bucket
                            .refuse(QUOTA, at, sent, 0, Duration::from_secs(chance.between(0, 100)));
                    }
                    _ => {}
                }
                let sum: u64 = bench
                    .bucket
                    .charges
                    .iter()
                    .map(|charge| u64::from(charge.tokens))
                    .sum();
                assert_eq!(sum, bench.bucket.spent, "ESIKIT_SEED={seed}");
                assert!(
                    bench.bucket.charges.iter().is_sorted_by_key(|charge| charge.from),
                    "ESIKIT_SEED={seed}"
                );
                let opens = bench.opens_at(now);
                assert_eq!(bench.admits(now), opens == Some(now), "ESIKIT_SEED={seed}");
                if let Some(opens) = opens.filter(|&opens| opens > now) {
                    assert!(
                        !bench.admits(opens - 1),
                        "ESIKIT_SEED={seed}: it was open before {opens}"
                    );
                    assert!(
                        bench.admits(opens),
                        "ESIKIT_SEED={seed}: it was not open at {opens}"
                    );
                    now = opens;
                }
            }
        }
    }
}

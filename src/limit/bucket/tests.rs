//! Tables of what a bucket does.

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

//! The limits as the client uses them.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::time::{Instant, advance, sleep, timeout};

use super::simulation::{Chance, seeds};
use super::*;
use crate::operation::Method;

const fn operation(id: &'static str) -> Operation {
    Operation::new(id, Method::Get, "/somewhere", "tag")
}

static WIDE: Operation = operation("Wide").rate_limit("wide", 12_000, 900);
static SMALL: Operation = operation("Small").rate_limit("small", 15, 900);
static ALSO_SMALL: Operation = operation("AlsoSmall").rate_limit("small", 15, 900);
static PLAIN: Operation = operation("Plain");

fn limits(concurrency: usize) -> Arc<Limits> {
    Arc::new(Limits::new(Settings {
        concurrency,
        reserve: 10,
    }))
}

fn anonymous() -> Arc<str> {
    "".into()
}

fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

fn headers(lines: &[(&'static str, &str)]) -> Headers {
    let lines = lines.iter().map(|(name, value)| {
        let value = http::HeaderValue::from_str(value).expect("a value");
        (http::HeaderName::from_static(name), value)
    });
    Headers::new(lines.collect())
}

fn answer(permit: Permit, status: u16, lines: &[(&'static str, &str)]) {
    let headers = &headers(lines);
    permit.settle(Outcome::Answered {
        status,
        headers,
        body: b"",
    });
}

/// A call that must be let through or refused without any time passing.
async fn at_once(
    limits: &Arc<Limits>,
    operation: &'static Operation,
    who: &Arc<str>,
) -> Result<Permit, Closed> {
    limits.admit(operation, who, Instant::now(), &|_| {}).await
}

/// A call that waits as long as it takes; the seconds that it waited.
async fn waited(limits: &Arc<Limits>, operation: &'static Operation, who: &Arc<str>) -> (Permit, f64) {
    let start = Instant::now();
    let permit = limits.admit(operation, who, in_seconds(1_000_000), &|_| {}).await;
    (permit.expect("in the end"), start.elapsed().as_secs_f64())
}

fn is_quiet(limits: &Limits) -> bool {
    limits.with(|gate| gate.is_quiet())
}

#[tokio::test(start_paused = true)]
async fn a_closed_bucket_is_waited_for_or_refused_at_once() {
    let (limits, who) = (limits(20), anonymous());
    for _ in 0..3 {
        let permit = at_once(&limits, &SMALL, &who).await.expect("open");
        answer(permit, 404, &[]);
    }
    advance(Duration::from_secs(100)).await;
    let start = Instant::now();
    let refused = limits
        .admit(&SMALL, &who, in_seconds(60), &|_| panic!("it does not wait"))
        .await;
    let group = "small".to_owned();
    let wait = Duration::from_secs(800);
    assert_eq!(
        refused.err(),
        Some(Closed {
            limit: Limit::Bucket { group },
            wait
        })
    );
    assert_eq!(start.elapsed(), Duration::ZERO);
    let other: Arc<str> = "app:1".into();
    at_once(&limits, &SMALL, &other)
        .await
        .expect("another bucket")
        .settle(Outcome::NotSent);
    at_once(&limits, &WIDE, &who)
        .await
        .expect("another group")
        .settle(Outcome::NotSent);
    let told = Mutex::new(Vec::new());
    let tell = |closed: &Closed| told.lock().expect("a list").push(closed.wait.as_secs());
    let permit = limits
        .admit(&ALSO_SMALL, &who, in_seconds(900), &tell)
        .await
        .expect("after a window");
    assert_eq!(start.elapsed(), Duration::from_secs(800));
    assert_eq!(*told.lock().expect("a list"), [800]);
    permit.settle(Outcome::NotSent);
    assert!(is_quiet(&limits));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_answers_gives_up_at_its_deadline() {
    let (limits, who) = (limits(2), anonymous());
    let permits = [
        at_once(&limits, &WIDE, &who).await,
        at_once(&limits, &WIDE, &who).await,
    ];
    let start = Instant::now();
    let refused = limits
        .admit(&PLAIN, &who, in_seconds(7), &|_| panic!("nobody knows how long"))
        .await;
    let closed = Closed {
        limit: Limit::Concurrency,
        wait: Duration::ZERO,
    };
    assert_eq!(
        (refused.err(), start.elapsed()),
        (Some(closed), Duration::from_secs(7))
    );
    drop(permits);
    assert!(is_quiet(&limits));
}

#[tokio::test(start_paused = true)]
async fn an_answer_lets_the_next_one_through() {
    let (limits, who) = (limits(1), anonymous());
    let permit = at_once(&limits, &WIDE, &who).await.expect("open");
    let next = tokio::spawn({
        let (limits, who) = (Arc::clone(&limits), Arc::clone(&who));
        async move { waited(&limits, &PLAIN, &who).await.1 }
    });
    sleep(Duration::from_secs(3)).await;
    answer(permit, 200, &[]);
    assert_eq!(next.await.expect("a task"), 3.0);
}

#[tokio::test(start_paused = true)]
async fn after_a_420_nothing_is_sent_until_the_window_is_over() {
    let (limits, other) = (limits(20), Arc::<str>::from("app:1"));
    for (lines, wait) in [
        (
            &[
                ("x-esi-error-limit-remain", "0"),
                ("x-esi-error-limit-reset", "17"),
            ][..],
            18.0,
        ),
        (&[("x-esi-error-limit-reset", "3")], 4.0),
        (&[], 60.0),
    ] {
        let storm: Vec<_> = [&PLAIN, &WIDE, &SMALL]
            .map(|operation| waited(&limits, operation, &other))
            .into();
        let mut permits = Vec::new();
        for call in storm {
            permits.push(call.await.0);
        }
        // Many wait already when it comes, for a bucket and for nothing but their turn.
        let waiting: Vec<_> = [&PLAIN, &WIDE, &SMALL, &ALSO_SMALL]
            .into_iter()
            .cycle()
            .take(200)
            .map(|operation| {
                let (limits, who) = (Arc::clone(&limits), Arc::from(format!("app:{}", operation.id)));
                tokio::spawn(async move {
                    let (permit, waited) = waited(&limits, operation, &who).await;
                    sleep(Duration::from_millis(100)).await;
                    permit.settle(Outcome::NotSent);
                    waited
                })
            })
            .collect();
        for permit in permits {
            answer(permit, 420, lines);
        }
        let refused = at_once(&limits, &WIDE, &anonymous()).await.err();
        let closed = Closed {
            limit: Limit::ErrorLimit,
            wait: Duration::from_secs_f64(wait),
        };
        assert_eq!(refused, Some(closed));
        for call in waiting {
            let waited = call.await.expect("a task");
            assert!(
                (wait..wait + 2.0).contains(&waited),
                "it waited {waited} s, not {wait}"
            );
        }
        assert!(is_quiet(&limits));
        sleep(Duration::from_secs(1_000)).await;
    }
}

/// Whatever closes while somebody waits for an answer only, they go on when it opens, though nobody calls any more.
#[tokio::test(start_paused = true)]
async fn a_420_while_others_wait_for_a_slot_leaves_nobody_asleep() {
    let limits = limits(1);
    let permit = at_once(&limits, &WIDE, &anonymous()).await.expect("open");
    let waiting = tokio::spawn({
        let limits = Arc::clone(&limits);
        async move { waited(&limits, &WIDE, &"app:1".into()).await.1 }
    });
    sleep(Duration::from_secs(1)).await;
    answer(permit, 420, &[]);
    assert_eq!(
        timeout(Duration::from_secs(100), waiting)
            .await
            .expect("awake")
            .expect("a task"),
        61.0
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_window_that_is_spent_is_waited_for() {
    let (limits, who) = (limits(20), anonymous());
    let permit = at_once(&limits, &PLAIN, &who).await.expect("open");
    let second = at_once(&limits, &PLAIN, &who).await.expect("open");
    let waiting: Vec<_> = (0..5)
        .map(|number| {
            let limits = Arc::clone(&limits);
            tokio::spawn(async move {
                sleep(Duration::from_millis(number)).await;
                waited(&limits, &PLAIN, &format!("app:{number}").into()).await.1
            })
        })
        .collect();
    answer(
        permit,
        500,
        &[
            ("x-esi-error-limit-remain", "11"),
            ("x-esi-error-limit-reset", "29"),
        ],
    );
    sleep(Duration::from_secs(10)).await;
    at_once(&limits, &WIDE, &who)
        .await
        .expect("it concerns operations without a bucket only");
    answer(
        second,
        500,
        &[
            ("x-esi-error-limit-remain", "10"),
            ("x-esi-error-limit-reset", "19"),
        ],
    );
    for call in waiting {
        let waited = call.await.expect("a task");
        assert!((29.9..=30.0).contains(&waited), "{waited}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_closes_what_it_is_about() {
    let who: Arc<str> = "app:1".into();
    let bucket = || Limit::Bucket {
        group: "small".to_owned(),
    };
    for (operation, lines, limit, wait) in [
        (&SMALL, &[("retry-after", "30")][..], bucket(), 30),
        (&SMALL, &[("x-ratelimit-remaining", "0")], bucket(), 60),
        (
            &SMALL,
            &[
                ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"),
                ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ],
            bucket(),
            30,
        ),
        (&SMALL, &[], Limit::Operation, 5),
        (&PLAIN, &[], Limit::Operation, 5),
        (&PLAIN, &[("retry-after", "30")], Limit::Operation, 30),
        (
            &PLAIN,
            &[
                ("retry-after", "30"),
                ("x-ratelimit-group", "small"),
                ("x-ratelimit-limit", "15/15m"),
            ],
            bucket(),
            30,
        ),
    ] {
        let limits = limits(20);
        answer(at_once(&limits, operation, &who).await.expect("open"), 429, lines);
        let closed = Closed {
            limit: limit.clone(),
            wait: Duration::from_secs(wait),
        };
        assert_eq!(
            at_once(&limits, operation, &who).await.err(),
            Some(closed),
            "{operation:?} {lines:?}"
        );
        let other = at_once(&limits, &ALSO_SMALL, &who).await;
        assert_eq!(other.is_err(), limit == bucket(), "{operation:?} {lines:?}");
        drop(
            at_once(&limits, operation, &"app:2".into())
                .await
                .expect("another principal"),
        );
        assert_eq!(waited(&limits, operation, &who).await.1, wait as f64);
    }
}

#[tokio::test(start_paused = true)]
async fn a_520_pauses_one_operation_for_as_long_as_it_says() {
    let (limits, who) = (limits(20), Arc::<str>::from("app:1"));
    let given = headers(&[]);
    let settle = |permit: Permit, body: &[u8]| {
        permit.settle(Outcome::Answered {
            status: 520,
            headers: &given,
            body,
        })
    };
    settle(
        at_once(&limits, &PLAIN, &who).await.expect("open"),
        b"{\"error\":\"Undefined 520 response\"}",
    );
    let body = br#"{"error":"MailStopSpamming, details: {\"remainingTime\": 12000000}"}"#;
    settle(
        at_once(&limits, &PLAIN, &who)
            .await
            .expect("an ordinary failure closes nothing"),
        body,
    );
    let closed = Closed {
        limit: Limit::Operation,
        wait: Duration::from_secs(12),
    };
    assert_eq!(at_once(&limits, &PLAIN, &who).await.err(), Some(closed));
    assert_eq!(waited(&limits, &PLAIN, &who).await.1, 12.0);
}

#[tokio::test(start_paused = true)]
async fn a_group_is_learned_from_the_first_answer() {
    let (limits, who) = (limits(20), anonymous());
    let told = |remaining: &'static str| {
        [
            ("x-ratelimit-group", "new"),
            ("x-ratelimit-limit", "10/15m"),
            ("x-ratelimit-remaining", remaining),
        ]
    };
    let waiting = tokio::spawn({
        let (limits, who) = (Arc::clone(&limits), Arc::clone(&who));
        async move {
            // The error limit is what these know of.
            let permits = [
                waited(&limits, &PLAIN, &who).await.0,
                waited(&limits, &PLAIN, &who).await.0,
            ];
            sleep(Duration::from_secs(1)).await;
            permits
                .into_iter()
                .for_each(|permit| answer(permit, 404, &told("0")));
        }
    });
    waiting.await.expect("a task");
    let refused = at_once(&limits, &PLAIN, &who).await.err().expect("it is empty");
    assert_eq!(
        refused.limit,
        Limit::Bucket {
            group: "new".to_owned()
        }
    );
    assert_eq!(refused.wait, Duration::from_secs(900));
    assert!(is_quiet(&limits));
}

#[tokio::test(start_paused = true)]
async fn one_greedy_identity_delays_anothers_call_by_one_turn() {
    for operation in [&WIDE, &PLAIN] {
        let limits = limits(20);
        let order = Arc::new(Mutex::new(Vec::new()));
        let call = |who: &str, number: u64| {
            let (limits, order, who) = (Arc::clone(&limits), Arc::clone(&order), Arc::<str>::from(who));
            tokio::spawn(async move {
                let (permit, _) = waited(&limits, operation, &who).await;
                order.lock().expect("a list").push(who);
                sleep(Duration::from_millis(100 + number % 20)).await;
                answer(
                    permit,
                    503,
                    &[
                        ("x-esi-error-limit-remain", "100"),
                        ("x-esi-error-limit-reset", "30"),
                    ],
                );
            })
        };
        let mut calls: Vec<_> = (0..10_000).map(|number| call("greedy", number)).collect();
        sleep(Duration::from_millis(1)).await;
        calls.push(call("other", 0));
        for call in calls {
            call.await.expect("a task");
        }
        let order = order.lock().expect("a list");
        assert_eq!(order.len(), 10_001);
        // 20 were under way when it came; the first or second slot that is free is its.
        let place = order.iter().position(|who| &**who == "other").expect("it went");
        assert!((20..=21).contains(&place), "{operation:?}: its place was {place}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_operation_holds_up_no_other_of_its_principal() {
    let (limits, who) = (limits(1), Arc::<str>::from("app:1"));
    for _ in 0..3 {
        answer(at_once(&limits, &SMALL, &who).await.expect("open"), 404, &[]);
    }
    let parked: Vec<_> = (0..1_000)
        .map(|_| {
            let (limits, who) = (Arc::clone(&limits), Arc::clone(&who));
            tokio::spawn(async move { drop(waited(&limits, &SMALL, &who).await) })
        })
        .collect();
    sleep(Duration::from_secs(1)).await;
    assert!(
        limits.with(|gate| gate.none_ready()),
        "what waits for time is parked"
    );
    for _ in 0..10 {
        answer(at_once(&limits, &WIDE, &who).await.expect("open"), 200, &[]);
    }
    parked.iter().for_each(|task| task.abort());
    sleep(Duration::from_millis(1)).await;
    assert!(is_quiet(&limits));
}

/// Lanes of one bucket each get their turn, though it opens for one request at a time.
#[tokio::test(start_paused = true)]
async fn operations_of_one_bucket_share_it() {
    let (limits, who) = (limits(20), anonymous());
    let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    for index in [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1] {
        let (limits, who, counts) = (Arc::clone(&limits), Arc::clone(&who), Arc::clone(&counts));
        tokio::spawn(async move {
            loop {
                let (permit, _) = waited(&limits, [&SMALL, &ALSO_SMALL][index], &who).await;
                counts[index].fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(100)).await;
                answer(permit, 404, &[]);
            }
        });
    }
    sleep(Duration::from_secs(90_000)).await;
    let [one, other] = [0, 1].map(|index| counts[index].load(Ordering::Relaxed));
    // At times all of the fewer are under way.
    assert!(
        one + other >= 300 && one.abs_diff(other) <= 10,
        "{one} and {other}"
    );
}

#[tokio::test(start_paused = true)]
async fn principals_that_are_gone_are_forgotten() {
    let limits = limits(20);
    for number in 0..100_000_u64 {
        let who = format!("app:{number}").into();
        answer(at_once(&limits, &WIDE, &who).await.expect("open"), 200, &[]);
        if number % 10 == 0 {
            advance(Duration::from_secs(17)).await;
        }
    }
    let entries = limits.with(|gate| gate.ledger().entries());
    assert!(entries <= 2_048, "{entries} are remembered");
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ten thousand that wait for time cost nothing while others come and go.
#[tokio::test(start_paused = true)]
async fn who_waits_for_time_is_not_woken_by_others() {
    let limits = limits(20);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut waiting = Vec::new();
    for number in 0..2_000 {
        let who: Arc<str> = format!("app:{number}").into();
        for _ in 0..3 {
            answer(at_once(&limits, &SMALL, &who).await.expect("open"), 404, &[]);
        }
        for _ in 0..5 {
            let (limits, who) = (Arc::clone(&limits), Arc::clone(&who));
            let mut call = Box::pin(async move { waited(&limits, &SMALL, &who).await.1 });
            assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            waiting.push(call);
        }
    }
    let before = bell.0.load(Ordering::Relaxed);
    for _ in 0..1_000 {
        let first = at_once(&limits, &WIDE, &anonymous()).await.expect("open");
        let second = at_once(&limits, &PLAIN, &anonymous()).await.expect("open");
        answer(first, 200, &[]);
        answer(
            second,
            500,
            &[
                ("x-esi-error-limit-remain", "99"),
                ("x-esi-error-limit-reset", "30"),
            ],
        );
    }
    assert_eq!(bell.0.load(Ordering::Relaxed), before);
    drop(waiting);
    assert!(is_quiet(&limits));
}

/// What a call of the next test does, or has done to it.
async fn fickle(limits: Arc<Limits>, mut chance: Chance) {
    let operation = [&WIDE, &SMALL, &ALSO_SMALL, &PLAIN][chance.between(0, 4) as usize];
    let who: Arc<str> = ["", "app:1", "app:2"][chance.between(0, 3) as usize].into();
    let patience = chance.between(0, 400_000);
    let deadline = Instant::now() + Duration::from_millis(chance.between(0, 400_000));
    let call = async {
        let Ok(permit) = limits.admit(operation, &who, deadline, &|_| {}).await else {
            return;
        };
        sleep(Duration::from_millis(chance.between(0, 2_000))).await;
        match chance.between(0, 8) {
            0 => drop(permit),
            1 => permit.settle(Outcome::NotSent),
            2 => permit.settle(Outcome::NoAnswer),
            3 => answer(permit, 429, &[]),
            4 if chance.percent(5) => answer(permit, 420, &[]),
            5 => answer(
                permit,
                502,
                &[
                    ("x-esi-error-limit-remain", "13"),
                    ("x-esi-error-limit-reset", "20"),
                ],
            ),
            _ => answer(permit, 200, &[]),
        }
    };
    // Dropped after a while, wherever it is: waiting, let through and not told yet, or with a permit.
    let _ = timeout(Duration::from_millis(patience), call).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_is_dropped_leaves_nothing_behind() {
    for seed in seeds(20) {
        let mut chance = Chance::new(seed);
        let limits = limits(4);
        let mut tasks = Vec::new();
        for round in 0..2_000 {
            tasks.push(tokio::spawn(fickle(
                Arc::clone(&limits),
                Chance::of(seed, [round, 0]),
            )));
            if chance.percent(10) {
                tasks
                    .swap_remove(chance.between(0, tasks.len() as u64) as usize)
                    .abort();
            }
            if chance.percent(20) {
                sleep(Duration::from_millis(chance.between(0, 3_000))).await;
            }
        }
        sleep(Duration::from_secs(500)).await;
        assert!(is_quiet(&limits), "ESIKIT_SEED={seed}");
        sleep(Duration::from_secs(4_000)).await;
        for operation in [&WIDE, &SMALL, &PLAIN] {
            let next = at_once(&limits, operation, &anonymous()).await;
            assert!(next.is_ok(), "ESIKIT_SEED={seed}: {:?}", next.err());
        }
    }
}

/// A call that is dropped when it was let through, and before it knew.
#[tokio::test(start_paused = true)]
async fn a_grant_that_nobody_takes_goes_to_the_next() {
    let (limits, who) = (limits(1), anonymous());
    let permit = at_once(&limits, &WIDE, &who).await.expect("open");
    let waker = Waker::from(Arc::new(Bell::default()));
    let mut calls: Vec<Pin<Box<dyn Future<Output = (Permit, f64)>>>> = Vec::new();
    for _ in 0..2 {
        let (limits, who) = (Arc::clone(&limits), Arc::clone(&who));
        let mut call = Box::pin(async move { waited(&limits, &WIDE, &who).await });
        assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        calls.push(call);
    }
    answer(permit, 200, &[]);
    drop(calls.remove(0));
    assert!(matches!(
        calls[0].as_mut().poll(&mut Context::from_waker(&waker)),
        Poll::Ready(_)
    ));
}

/// Each waiter wakes itself, on whichever runtime it is: another runtime that stands still holds up nobody else.
#[test]
fn waiters_of_several_runtimes_depend_on_their_own_only() {
    let limits = limits(1);
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime")
    };
    let (running, standing_still) = (runtime(), runtime());
    let done = Arc::new(AtomicBool::new(false));
    running.block_on(async {
        answer(
            at_once(&limits, &PLAIN, &anonymous()).await.expect("open"),
            429,
            &[],
        );
    });
    let asleep = Arc::clone(&limits);
    standing_still.block_on(async {
        let asleep = tokio::spawn(async move { drop(waited(&asleep, &PLAIN, &"app:1".into()).await) });
        tokio::task::yield_now().await;
        drop(asleep);
    });
    running.block_on(async {
        let (permit, _) = waited(&limits, &PLAIN, &anonymous()).await;
        permit.settle(Outcome::NotSent);
        done.store(true, Ordering::Relaxed);
    });
    assert!(done.load(Ordering::Relaxed));
}

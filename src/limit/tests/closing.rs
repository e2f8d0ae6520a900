//! What closes a limit, and when it opens.

use proptest::prelude::*;

use super::*;

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
        (&SMALL, &[("retry-after", "30")][..], bucket(), 31),
        (&SMALL, &[("x-ratelimit-remaining", "0")], bucket(), 60),
        (
            &SMALL,
            &[
                ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"),
                ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ],
            bucket(),
            31,
        ),
        (&SMALL, &[], Limit::Operation, 5),
        (&PLAIN, &[], Limit::Operation, 5),
        (&PLAIN, &[("retry-after", "30")], Limit::Operation, 31),
        (
            &PLAIN,
            &[
                ("retry-after", "30"),
                ("x-ratelimit-group", "small"),
                ("x-ratelimit-limit", "15/15m"),
            ],
            bucket(),
            31,
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
async fn a_success_ends_the_doubling_of_pauses() {
    let (limits, who) = (limits(20), anonymous());
    let mut pauses = Vec::new();
    for status in [429, 429, 429, 200, 429, 429] {
        let (permit, seconds) = waited(&limits, &PLAIN, &who).await;
        pauses.push(seconds);
        sleep(Duration::from_millis(1)).await;
        answer(permit, status, &[]);
    }
    assert_eq!(pauses, [0.0, 5.0, 10.0, 20.0, 0.0, 5.0]);
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
    let refused = at_once(&limits, &PLAIN, &who).await.expect_err("it is empty");
    assert_eq!(
        refused.limit,
        Limit::Bucket {
            group: "new".to_owned()
        }
    );
    assert_eq!(refused.wait, Duration::from_secs(900));
    assert!(is_quiet(&limits));
}

/// It waits for time and for answers: when the time is over, it looks again.
#[tokio::test(start_paused = true)]
async fn a_420_while_others_wait_for_answers_leaves_nobody_asleep() {
    let (limits, who) = (limits(20), anonymous());
    let mut permits = Vec::new();
    for _ in 0..3 {
        permits.push(at_once(&limits, &SMALL, &who).await.expect("open"));
    }
    let waiting = tokio::spawn({
        let (limits, who) = (Arc::clone(&limits), Arc::clone(&who));
        async move { waited(&limits, &SMALL, &who).await.1 }
    });
    sleep(Duration::from_secs(1)).await;
    answer(at_once(&limits, &WIDE, &who).await.expect("open"), 420, &[]);
    for (permit, status) in permits.into_iter().zip([404, 404, 200]) {
        answer(permit, status, &[]);
        sleep(Duration::from_secs(1)).await;
    }
    let waited = timeout(Duration::from_secs(1_000), waiting).await;
    assert_eq!(waited.expect("awake").expect("a task"), 61.0);
}

/// Whatever is answered: whoever waits goes on in the end, though nobody else calls who might wake it.
#[tokio::test(start_paused = true)]
async fn nobody_sleeps_for_ever() {
    for seed in seeds(300) {
        let mut chance = Chance::new(seed);
        let limits = Arc::new(Limits::new(Settings {
            concurrency: chance.between(1, 6) as usize,
            reserve: chance.between(0, 99) as u32,
        }));
        let calls: Vec<_> = (0..chance.between(2, 30))
            .map(|call| {
                let (limits, mut chance) = (Arc::clone(&limits), Chance::of(seed, [call, 0]));
                tokio::spawn(async move {
                    sleep(Duration::from_millis(chance.between(0, 3_000))).await;
                    let operation = [&WIDE, &SMALL, &ALSO_SMALL, &PLAIN][chance.between(0, 4) as usize];
                    let who = ["", "app:1", "app:2"][chance.between(0, 3) as usize].into();
                    let (permit, _) = waited(&limits, operation, &who).await;
                    sleep(Duration::from_millis(chance.between(0, 2_000))).await;
                    let [remain, reset] = [100, 60].map(|most| chance.between(0, most).to_string());
                    let errors = [
                        ("x-esi-error-limit-remain", &*remain),
                        ("x-esi-error-limit-reset", &*reset),
                    ];
                    match chance.between(0, 10) {
                        0 => answer(permit, 420, &errors),
                        1 => answer(permit, 429, &[("retry-after", &reset)]),
                        2 => answer(permit, 429, &[]),
                        3 => answer(permit, 200, &[("x-ratelimit-remaining", &remain)]),
                        4 | 5 => answer(permit, 502, &errors),
                        6 => drop(permit),
                        7 => answer(permit, 404, &[("x-ratelimit-group", "small")]),
                        _ => answer(permit, 404, &[]),
                    }
                })
            })
            .collect();
        for call in calls {
            let ended = timeout(Duration::from_secs(100_000), call).await;
            ended
                .unwrap_or_else(|_| panic!("ESIKIT_SEED={seed}: it sleeps"))
                .expect("a task");
        }
        assert!(is_quiet(&limits), "ESIKIT_SEED={seed}");
    }
}

const NAMES: [&str; 8] = [
    "x-ratelimit-group",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-used",
    "retry-after",
    "date",
    "x-esi-error-limit-remain",
    "x-esi-error-limit-reset",
];

proptest! {
    /// Only a window that is told to be longer closes a bucket for more than an hour.
    #[test]
    fn whatever_an_answer_says_the_next_call_is_open_within_an_hour(
        status in prop::sample::select(vec![0, 100, 200, 304, 404, 420, 429, 500, 502, 520, 999]),
        values in prop::collection::vec("[ -~]{0,24}|small|[0-9]{1,12}(/[0-9]{0,4}[smhd]?)?", NAMES.len()),
        given in prop::collection::vec(any::<bool>(), NAMES.len()),
        body in "[ -~]{0,20}(remainingTime[\\\\\": ]{0,4}[0-9]{0,24})?",
        operation in prop::sample::select(vec![&SMALL, &PLAIN]),
    ) {
        let lines = NAMES.into_iter().zip(&values).zip(&given).filter(|(_, given)| **given);
        let lines: Vec<_> = lines.map(|((name, value), _)| (name, value.as_str())).collect();
        let headers = &headers(&lines);
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
        let closed = runtime.block_on(async {
            let (limits, who) = (limits(20), anonymous());
            for _ in 0..3 {
                if let Ok(permit) = at_once(&limits, operation, &who).await {
                    permit.settle(Outcome::Answered { status, headers, body: body.as_bytes() });
                }
            }
            at_once(&limits, operation, &who).await.err()
        });
        let longer = headers.get("x-ratelimit-limit").is_some_and(|limit| limit.trim_end().ends_with(['h', 'm', 's']));
        let most = Duration::from_secs(if longer { 86_400 } else { 3_601 });
        prop_assert!(closed.as_ref().is_none_or(|closed| closed.wait <= most), "{closed:?}");
    }
}

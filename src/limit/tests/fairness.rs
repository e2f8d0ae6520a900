//! Nobody holds up anybody else.

use super::*;

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

/// Nor does a newcomer, in the moment in which it opens.
#[tokio::test(start_paused = true)]
async fn who_waits_goes_before_who_comes_when_it_opens() {
    let (limits, who) = (limits(20), anonymous());
    for second in 0..3 {
        sleep(Duration::from_secs(second)).await;
        answer(at_once(&limits, &SMALL, &who).await.expect("open"), 404, &[]);
    }
    let mut waiting = Box::pin(waited(&limits, &SMALL, &who));
    let waker = Waker::from(Arc::new(Bell::default()));
    assert!(
        waiting
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    advance(Duration::from_secs(897)).await;
    let newcomer = at_once(&limits, &ALSO_SMALL, &who).await;
    assert!(newcomer.is_err(), "there is room for one, who waits");
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
}

/// Each lane is woken by its own first waiter, on whichever runtime that is: a runtime that stands still holds up its
/// own calls, and no others.
#[test]
fn who_waits_on_a_runtime_that_stands_still_holds_up_nobody_else() {
    let limits = limits(2);
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime")
    };
    let (running, still) = (runtime(), runtime());
    running.block_on(async {
        answer(
            at_once(&limits, &PLAIN, &anonymous()).await.expect("open"),
            420,
            &[],
        );
    });
    let waiting = still.spawn({
        let limits = Arc::clone(&limits);
        async move { waited(&limits, &PLAIN, &"app:1".into()).await }
    });
    still.block_on(tokio::task::yield_now());
    let seconds = running.block_on(async {
        let who = anonymous();
        let waited = waited(&limits, &PLAIN, &who);
        timeout(Duration::from_secs(1_000), waited)
            .await
            .expect("it wakes by itself")
            .1
    });
    assert_eq!(seconds, 60.0);
    assert!(!waiting.is_finished());
}

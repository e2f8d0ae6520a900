//! Calls that are dropped leave nothing behind.

use std::task::Poll;

use super::*;

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

/// What a call of the next test does, or has done to it.
async fn fickle(limits: Arc<Limits>, mut chance: Chance) {
    let operation = [&WIDE, &SMALL, &ALSO_SMALL, &PLAIN][chance.between(0, 4) as usize];
    let who: Arc<str> = ["", "app:1", "app:2"][chance.between(0, 3) as usize].into();
    let patience = chance.between(0, 400_000);
    let deadline = Instant::now() + Duration::from_millis(chance.between(0, 400_000));
    let call = async {
        let Ok(permit) = limits.admit(operation, &who, deadline, deadline, &|_| {}).await else {
            return;
        };
        sleep(Duration::from_millis(chance.between(0, 2_000))).await;
        match chance.between(0, 8) {
            0 => {
                let mut permit = permit;
                if chance.percent(50) {
                    permit.sending();
                }
                drop(permit);
            }
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
    for seed in seeds(8) {
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
    let mut calls = Vec::new();
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

/// Who was second is first then, and wakes itself.
#[tokio::test(start_paused = true)]
async fn when_the_first_gives_up_the_next_wakes_in_time() {
    let (limits, who) = (limits(20), anonymous());
    for _ in 0..3 {
        answer(at_once(&limits, &SMALL, &who).await.expect("open"), 404, &[]);
    }
    let call = || {
        let (limits, who) = (Arc::clone(&limits), Arc::clone(&who));
        tokio::spawn(async move { waited(&limits, &SMALL, &who).await.1 })
    };
    let (first, second) = (call(), call());
    sleep(Duration::from_secs(10)).await;
    first.abort();
    let waited = timeout(Duration::from_secs(10_000), second).await;
    assert_eq!(waited.expect("it wakes").expect("a task"), 900.0);
}

#[tokio::test(start_paused = true)]
async fn permits_that_are_dropped_count_as_the_worst_once_they_were_sent() {
    let (limits, who) = (limits(20), anonymous());
    let sent = async |operation| {
        let mut permit = at_once(&limits, operation, &who).await.expect("open");
        permit.sending();
    };
    for _ in 0..1_000 {
        drop(at_once(&limits, &PLAIN, &who).await.expect("nothing was sent"));
        drop(at_once(&limits, &SMALL, &who).await.expect("nothing was sent"));
    }
    for _ in 0..90 {
        sent(&PLAIN).await;
    }
    let closed = at_once(&limits, &PLAIN, &who).await.expect_err("90 failures");
    assert_eq!(
        (closed.limit, closed.wait),
        (Limit::ErrorLimit, Duration::from_secs(70))
    );
    for _ in 0..3 {
        sent(&SMALL).await;
    }
    let closed = at_once(&limits, &SMALL, &who).await.expect_err("15 tokens");
    assert_eq!(closed.wait, Duration::from_secs(960));
}

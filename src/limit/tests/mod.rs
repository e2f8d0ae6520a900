//! The limits as the client uses them.

mod closing;
mod dropping;
mod fairness;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
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
    limits
        .admit(operation, who, Instant::now(), Instant::now(), &|_| {})
        .await
}

/// A call that waits as long as it takes; the seconds that it waited.
async fn waited(limits: &Arc<Limits>, operation: &'static Operation, who: &Arc<str>) -> (Permit, f64) {
    let start = Instant::now();
    let late = in_seconds(1_000_000);
    let permit = limits.admit(operation, who, late, late, &|_| {}).await;
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
        .admit(&SMALL, &who, in_seconds(100), in_seconds(60), &|_| {
            panic!("it does not wait")
        })
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
        .admit(&ALSO_SMALL, &who, in_seconds(900), in_seconds(900), &tell)
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
        .admit(&PLAIN, &who, in_seconds(7), in_seconds(1), &|_| {
            panic!("nobody knows how long")
        })
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

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

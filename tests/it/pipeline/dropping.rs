//! A call may be dropped wherever it waits: nothing is left behind that holds others up.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::TimeDelta;
use esikit::Esi;

use super::{clock, http_date, server_time};
use crate::server::{Reply, Seen, Server, answer};

/// Drops a call after it was polled so many times.
struct Impatient<F> {
    call: Option<Pin<Box<F>>>,
    polls: usize,
}

impl<F: Future> Future for Impatient<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            self.call = None;
        }
        self.polls = self.polls.saturating_sub(1);
        match self.call.as_mut().map(|call| call.as_mut().poll(context)) {
            None => Poll::Ready(None),
            Some(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Some(Poll::Pending) => {
                // Asked again at once, so that every place where it waits is reached by some number of polls.
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

/// The seed of the random numbers: `ESIKIT_SEED`, or another each time.
fn seed() -> u64 {
    let given = std::env::var("ESIKIT_SEED").ok();
    given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a number"))
}

fn fresh_orders(_: &Seen) -> Reply {
    let now = server_time();
    let headers = [
        ("Date", &*http_date(now)),
        ("Expires", &*http_date(now + TimeDelta::seconds(1))),
        ("Content-Type", "application/json"),
    ];
    Reply::Close(answer(200, &headers, b"[]"))
}

#[tokio::test]
async fn calls_dropped_anywhere_hold_nobody_up() {
    let seed = seed();
    println!("ESIKIT_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let server = Server::scripted(fresh_orders).await;
    let clock = clock();
    let esi: Esi = server
        .builder()
        .clock(clock.clone())
        .concurrency(2)
        .timeout(Duration::from_secs(20))
        .build()
        .expect("a client");
    let (mut dropped, mut answered) = (0, 0);
    for _ in 0..300 {
        let calls: Vec<_> = (0..random.usize(1..5))
            .map(|_| {
                let (region, most) = (random.i64(1..4), if random.bool() { 6 } else { 200 });
                let call = Impatient {
                    call: Some(Box::pin(esi.get_markets_region_id_orders(region).send())),
                    polls: random.usize(0..most),
                };
                tokio::spawn(call)
            })
            .collect();
        for call in calls {
            match call.await.expect("no panic") {
                Some(outcome) => {
                    outcome.expect("an answer");
                    answered += 1;
                }
                None => dropped += 1,
            }
        }
        clock.advance(TimeDelta::milliseconds(random.i64(0..1500)));
    }
    println!(
        "{dropped} dropped, {answered} answered, {} requests",
        server.seen().len()
    );
    assert!(dropped > 100 && answered > 20, "both must happen");
    // Both seats are free, and no flight is stuck; what the limits count is tested beside them.
    clock.advance(TimeDelta::minutes(1));
    let calls = (1..4).map(|region| esi.get_markets_region_id_orders(region));
    for outcome in esi.join(calls).await {
        outcome.expect("an answer");
    }
}

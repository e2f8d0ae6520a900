//! How much gets through, against a scheduler that knows everything in advance.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::server::cost;
use super::{Chance, Charges, Legs, OPERATIONS, Server, World, operation, seeds, status};
use crate::operation::Operation;

/// For how long: two windows and a part of the third.
const MILLISECONDS: u64 = 2_000_000;
/// How many calls of each operation are wanted at any time.
const WANTED: usize = 25;
const AT_ONCE: usize = 20;

/// What the n-th request of an operation meets, whoever sends it and when.
fn fate(seed: u64, operation: usize, number: u64) -> (u16, Legs) {
    let mut chance = Chance::of(seed, [operation as u64, number]);
    (status(&mut chance), Legs::by(&mut chance))
}

/// Those whose buckets bind: all anonymous, one bucket for each group.
fn operations() -> Vec<usize> {
    (0..OPERATIONS.len())
        .filter(|&index| index != 3 && OPERATIONS[index].rate_limit.is_some())
        .collect()
}

/// How many requests of each operation the limits let through.
async fn ours(seed: u64, charges: Charges) -> Vec<u64> {
    let world = World::new(Server::new(charges, seed));
    let end = world.start + Duration::from_millis(MILLISECONDS);
    let mut tasks = Vec::new();
    let numbers = Arc::new(OPERATIONS.each_ref().map(|_| AtomicU64::new(0)));
    for index in operations() {
        for _ in 0..WANTED {
            let (world, numbers) = (Arc::clone(&world), Arc::clone(&numbers));
            tasks.push(tokio::spawn(timeout_at(end, async move {
                let who: Arc<str> = "".into();
                loop {
                    let permit = world.admit(&OPERATIONS[index], &who).await;
                    let number = numbers[index].fetch_add(1, Ordering::Relaxed);
                    let (status, legs) = fate(seed, index, number);
                    world.send(permit, &OPERATIONS[index], &who, status, legs).await;
                }
            })));
        }
    }
    for task in tasks {
        task.await
            .expect("no task fails")
            .expect_err("they go on to the end");
    }
    assert_eq!(world.refused(), [""; 0], "ESIKIT_SEED={seed}");
    numbers
        .iter()
        .map(|number| number.load(Ordering::Relaxed))
        .collect()
}

/// A scheduler that knows what each request will cost and when it will arrive, and sends each operation's in the same
/// order. It keeps to what a server refuses that charges at arrival.
struct Omniscient {
    seed: u64,
    /// Of each operation: what arrives when, with its cost, for requests sent so far.
    arrivals: Vec<Vec<(u64, u64)>>,
    /// Of each operation: before when its bucket cannot have room.
    closed_until: Vec<u64>,
    /// When each request under way is back.
    under_way: Vec<u64>,
    last: usize,
}

impl Omniscient {
    fn run(seed: u64) -> Vec<u64> {
        let mut this = Self {
            seed,
            arrivals: vec![Vec::new(); OPERATIONS.len()],
            closed_until: vec![0; OPERATIONS.len()],
            under_way: Vec::new(),
            last: 0,
        };
        let operations = operations();
        for now in (0..MILLISECONDS).step_by(10) {
            this.under_way.retain(|&back| back > now);
            let mut idle = 0;
            while this.under_way.len() < AT_ONCE && idle < operations.len() {
                this.last = (this.last + 1) % operations.len();
                idle = if this.send(operations[this.last], now) {
                    0
                } else {
                    idle + 1
                };
            }
        }
        this.arrivals
            .iter()
            .map(|arrivals| arrivals.len() as u64)
            .collect()
    }

    /// Sends the next request of an operation, if it and all that arrive after it are let in.
    fn send(&mut self, index: usize, now: u64) -> bool {
        let Some(limit) = OPERATIONS[index]
            .rate_limit
            .filter(|_| now >= self.closed_until[index])
        else {
            return false;
        };
        let (tokens, window) = (u64::from(limit.tokens), u64::from(limit.window) * 1000);
        let sent = &mut self.arrivals[index];
        let (status, legs) = fate(self.seed, index, sent.len() as u64);
        let cost = cost(status);
        let arrival = now + legs.out;
        let place = sent.partition_point(|&(other, _)| other <= arrival);
        let first = |sent: &[(u64, u64)], at: u64| sent.partition_point(|&(other, _)| other + window <= at);
        let used = |sent: &[(u64, u64)], at: u64, place: usize| {
            sent[first(sent, at)..place]
                .iter()
                .map(|&(_, cost)| cost)
                .sum::<u64>()
        };
        if used(sent, arrival, place) >= tokens {
            self.closed_until[index] = sent[first(sent, arrival)].0 + window - legs.out;
            return false;
        }
        let fits = (place..sent.len()).all(|later| used(sent, sent[later].0, later) + cost < tokens);
        if fits {
            sent.insert(place, (arrival, cost));
            self.under_way.push(arrival + legs.work + legs.back);
        }
        fits
    }
}

#[tokio::test(start_paused = true)]
async fn nearly_as_much_gets_through_as_could() {
    for seed in seeds(1) {
        let best = Omniscient::run(seed);
        for charges in [Charges::AtArrival, Charges::AtAnswer] {
            let ours = ours(seed, charges).await;
            for index in operations() {
                let limit = OPERATIONS[index].rate_limit.expect("a bucket");
                let ratio = ours[index] as f64 / best[index] as f64;
                let words = format!(
                    "ESIKIT_SEED={seed}, {charges:?}, group of {}: {} of {}, {:.1} %",
                    limit.tokens,
                    ours[index],
                    best[index],
                    ratio * 100.0
                );
                println!("{words}");
                assert!(ratio >= 0.9 || limit.tokens < 150, "{words}");
                let spent: u64 = (0..ours[index])
                    .map(|number| cost(fate(seed, index, number).0))
                    .sum();
                // Two whole windows, each of its tokens less one request of the worst cost.
                assert!(
                    spent >= 2 * u64::from(limit.tokens - 5),
                    "{words}: {spent} tokens"
                );
            }
        }
    }
}

/// A bucket that another program uses too is left alone as far as it is empty, and used again when it fills.
#[tokio::test(start_paused = true)]
async fn what_others_spend_is_counted_and_given_back() {
    static SHARED: Operation = operation("Shared").rate_limit("shared", 30, 900);
    let world = World::new(Server::new(Charges::AtArrival, 0));
    let who: Arc<str> = "".into();
    let legs = Legs {
        out: 50,
        work: 0,
        back: 50,
    };
    let spend = |now: u64, count: u64| {
        let mut server = world.server.lock().expect("a server");
        for _ in 0..count {
            let arrived = server.arrive(now, &SHARED, "", 200);
            server.answer(now, arrived, "");
        }
    };
    spend(world.now(), 10);
    let mut sent = Vec::new();
    let end = Instant::now() + Duration::from_secs(1_000);
    while let Ok(permit) = timeout_at(end, world.admit(&SHARED, &who)).await {
        sent.push(world.now());
        world.send(permit, &SHARED, &who, 200, legs).await;
    }
    assert_eq!(world.refused(), [""; 0]);
    let early = sent.iter().filter(|&&at| at < 960_000).count();
    assert_eq!(early, 5, "10 tokens were left: {sent:?}");
}

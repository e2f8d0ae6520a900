//! The limits against a server that keeps the true rules, in simulated time.

mod server;
mod throughput;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use self::server::{Charges, Server};
use super::{Limits, Outcome, Permit, Settings};
pub(super) use crate::chance::{Chance, seeds};
use crate::operation::{Method, Operation};

const fn operation(id: &'static str) -> Operation {
    Operation::new(id, Method::Get, "/somewhere", "tag")
}

/// Eight groups, of which one has two operations, and two operations without a bucket.
static OPERATIONS: [Operation; 11] = [
    operation("Of15").rate_limit("fifteen", 15, 900),
    operation("Of30").rate_limit("thirty", 30, 900),
    operation("Of150").rate_limit("150", 150, 900),
    operation("AlsoOf150").rate_limit("150", 150, 900),
    operation("Of300").rate_limit("300", 300, 900),
    operation("Of600").rate_limit("600", 600, 900),
    operation("Of1200").rate_limit("1200", 1200, 900),
    operation("Of3600").rate_limit("3600", 3600, 900),
    operation("Of12000").rate_limit("12000", 12_000, 900),
    operation("Plain"),
    operation("AlsoPlain"),
];

/// A client's limits and a server, with the time between them.
struct World {
    limits: Arc<Limits>,
    server: Mutex<Server>,
    start: Instant,
}

impl World {
    fn new(server: Server) -> Arc<Self> {
        Arc::new(Self {
            limits: Arc::new(Limits::new(Settings::default())),
            server: Mutex::new(server),
            start: Instant::now(),
        })
    }

    /// The server's time in milliseconds: it has been running for a minute.
    fn now(&self) -> u64 {
        60_000 + u64::try_from(self.start.elapsed().as_millis()).expect("not that long")
    }

    async fn admit(&self, operation: &'static Operation, who: &Arc<str>) -> Permit {
        let never = Instant::now() + Duration::from_secs(1_000_000);
        let permit = self.limits.admit(operation, who, never, never, &|_| {}).await;
        permit.expect("it waits as long as it takes")
    }

    /// Sends one request, which arrives, is worked on and travels back.
    async fn send(
        &self,
        mut permit: Permit,
        operation: &'static Operation,
        who: &str,
        status: u16,
        legs: Legs,
    ) -> u16 {
        permit.sending();
        sleep(Duration::from_millis(legs.out)).await;
        let arrived = self
            .server
            .lock()
            .expect("a server")
            .arrive(self.now(), operation, who, status);
        sleep(Duration::from_millis(legs.work)).await;
        let (status, headers) = self
            .server
            .lock()
            .expect("a server")
            .answer(self.now(), arrived, who);
        sleep(Duration::from_millis(legs.back)).await;
        let headers = &headers;
        permit.settle(Outcome::Answered {
            status,
            headers,
            body: b"",
        });
        status
    }

    /// Sends one request, and gives up waiting for its answer before it even arrives.
    async fn abandon(
        self: &Arc<Self>,
        mut permit: Permit,
        operation: &'static Operation,
        who: &Arc<str>,
        legs: Legs,
    ) {
        permit.sending();
        let (world, who) = (Arc::clone(self), Arc::clone(who));
        tokio::spawn(async move {
            sleep(Duration::from_millis(legs.out)).await;
            let arrived = world
                .server
                .lock()
                .expect("a server")
                .arrive(world.now(), operation, &who, 404);
            sleep(Duration::from_millis(legs.work * 50)).await;
            world
                .server
                .lock()
                .expect("a server")
                .answer(world.now(), arrived, &who);
        });
        sleep(Duration::from_millis(legs.out / 2)).await;
        drop(permit);
    }

    fn refused(&self) -> Vec<String> {
        self.server.lock().expect("a server").refused.clone()
    }
}

/// How long a request takes on its three ways, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Legs {
    out: u64,
    work: u64,
    back: u64,
}

impl Legs {
    fn by(chance: &mut Chance) -> Self {
        Self {
            out: chance.between(20, 400),
            work: chance.between(0, 100),
            back: chance.between(20, 400),
        }
    }
}

/// 10 % failures of the caller, some unchanged, some of the server.
fn status(chance: &mut Chance) -> u16 {
    match chance.between(0, 100) {
        0..10 => 404,
        10..18 => 304,
        18..20 => 503,
        _ => 200,
    }
}

/// 5,000 requests over 200 tasks and 50 identities, of which so many percent are given up.
async fn market_day(seed: u64, charges: Charges, abandoned: u64) -> Arc<World> {
    let mut chance = Chance::new(seed);
    let world = World::new(Server::new(charges, chance.next()));
    let tasks: Vec<_> = (0..200)
        .map(|task| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                for round in 0..25 {
                    let mut chance = Chance::of(seed, [task, round]);
                    let operation = &OPERATIONS[chance.between(0, OPERATIONS.len() as u64) as usize];
                    // Some identities are busier than others; 0 is anonymous.
                    let who = chance.between(0, 50) * chance.between(0, 50) / 50;
                    let who: Arc<str> = if who == 0 {
                        "".into()
                    } else {
                        format!("app:{who}").into()
                    };
                    let permit = world.admit(operation, &who).await;
                    let (status, legs) = (status(&mut chance), Legs::by(&mut chance));
                    if chance.percent(abandoned) {
                        world.abandon(permit, operation, &who, legs).await;
                    } else {
                        world.send(permit, operation, &who, status, legs).await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no task fails");
    }
    world
}

#[tokio::test(start_paused = true)]
async fn no_request_is_refused_in_whatever_order_answers_come() {
    for seed in seeds(5) {
        for charges in [Charges::AtArrival, Charges::AtAnswer] {
            let world = market_day(seed, charges, 0).await;
            let (refused, answered) = (world.refused(), world.server.lock().expect("a server").answered);
            assert_eq!(refused, [""; 0], "ESIKIT_SEED={seed}, {charges:?}");
            assert_eq!(answered, 5_000, "ESIKIT_SEED={seed}, {charges:?}");
            assert!(
                world.limits.with(|gate| gate.is_quiet()),
                "ESIKIT_SEED={seed}: something is left"
            );
            println!(
                "ESIKIT_SEED={seed}, {charges:?}: {answered} answered in {} s, none refused",
                world.now() / 1000
            );
        }
    }
}

/// What is given up is charged all the same, up to seconds later.
#[tokio::test(start_paused = true)]
async fn no_request_is_refused_when_others_are_given_up() {
    for seed in seeds(3) {
        for charges in [Charges::AtArrival, Charges::AtAnswer] {
            let world = market_day(seed, charges, 15).await;
            assert_eq!(world.refused(), [""; 0], "ESIKIT_SEED={seed}, {charges:?}");
            assert!(
                world.limits.with(|gate| gate.is_quiet()),
                "ESIKIT_SEED={seed}: something is left"
            );
        }
    }
}

/// Everything answers 502, and every call is tried five times more.
async fn downtime(seed: u64, server: Server) -> Arc<World> {
    let world = World::new(server);
    let tasks: Vec<_> = (0..100)
        .map(|call| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let who: Arc<str> = format!("app:{}", call % 7).into();
                for attempt in 0..6 {
                    let mut chance = Chance::of(seed, [call, attempt]);
                    let operation = &OPERATIONS[9 + chance.between(0, 2) as usize];
                    let permit = world.admit(operation, &who).await;
                    world
                        .send(permit, operation, &who, 502, Legs::by(&mut chance))
                        .await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no task fails");
    }
    world
}

#[tokio::test(start_paused = true)]
async fn a_downtime_never_spends_the_reserve() {
    for seed in seeds(10) {
        let phase = Chance::new(seed).next();
        for (name, server) in [
            ("with headers", Server::new(Charges::AtAnswer, phase)),
            ("without headers", Server::new(Charges::AtAnswer, phase).silent()),
        ] {
            let world = downtime(seed, server).await;
            let least = world.server.lock().expect("a server").least_remain;
            assert_eq!(world.refused(), [""; 0], "ESIKIT_SEED={seed}, {name}");
            assert!(
                least >= 10,
                "ESIKIT_SEED={seed}, {name}: {least} failures were left"
            );
            println!(
                "ESIKIT_SEED={seed}, {name}: 600 failures in {} s, {least} were left at least",
                world.now() / 1000
            );
        }
    }
}

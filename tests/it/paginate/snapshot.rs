//! `all` of numbered pages.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use esikit::Error;
use esikit::ids::TypeId;
use esikit::paginate::{Fetching, Progress, Snapshot};
use tokio::time::Instant;

use super::server::{Clock, Given, Server, page};
use crate::server::Seen;

/// Records on pages of ten, in states of which each begins at a request.
struct States {
    clock: Clock,
    /// From which request on there are which records.
    states: Vec<(usize, Vec<i64>)>,
    asked: usize,
    /// For how many seconds a page is fresh.
    ttl: i64,
}

impl States {
    fn new(ttl: i64, states: Vec<(usize, Vec<i64>)>) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            clock: Clock::new(),
            states,
            asked: 0,
            ttl,
        }))
    }

    fn answer(&mut self, seen: &Seen) -> Given {
        let state = self
            .states
            .iter()
            .rposition(|(since, _)| *since <= self.asked)
            .expect("a first state");
        self.asked += 1;
        let records = &self.states[state].1;
        let chunks: Vec<&[i64]> = records.chunks(10).collect();
        let pages = chunks.len().max(1);
        let number = page(seen);
        if number > pages {
            return Given::refusal(404, "Requested page does not exist!");
        }
        let records = chunks.get(number - 1).copied().unwrap_or_default();
        Given::json(serde_json::to_string(records).expect("JSON"))
            .with("X-Pages", pages)
            .with("Date", self.clock.header(0))
            .with("Last-Modified", self.clock_of(state))
            .with("Expires", self.clock.header(self.ttl))
    }

    /// Each state has a second of its own.
    fn clock_of(&self, state: usize) -> String {
        super::server::http_date(
            chrono::DateTime::from_timestamp(1_800_000_000 + state as i64, 0).expect("a time"),
        )
    }
}

async fn server(states: &Arc<Mutex<States>>) -> Server {
    let states = Arc::clone(states);
    Server::new(move |seen| states.lock().expect("no panic").answer(seen)).await
}

fn numbers(snapshot: &Snapshot<TypeId>) -> Vec<i64> {
    snapshot.iter().map(|id| id.0).collect()
}

#[tokio::test]
async fn every_page_is_asked_for_once_and_read_as_one_sequence() {
    let states = States::new(300, vec![(0, (0..95).collect())]);
    let server = server(&states).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let all: Fetching<Snapshot<TypeId>> = server
        .esi()
        .get_universe_types()
        .page(7)
        .all_with(move |progress: Progress| log.lock().expect("no panic").push((progress.done, progress.of)));
    // It goes to another task, as every request does.
    let all = tokio::spawn(all).await.expect("no panic").expect("a snapshot");
    assert_eq!(numbers(&all), (0..95).collect::<Vec<_>>());
    assert_eq!(
        (all.len(), all[94], all.pages().len(), all.snapshot_checked()),
        (95, TypeId(94), 10, true)
    );
    assert_eq!(
        all.last_modified().map(|date| date.timestamp()),
        Some(1_800_000_000)
    );
    assert!(all.expires().is_some());
    let told = told.lock().expect("no panic").clone();
    assert_eq!(told, (1..=10).map(|done| (done, 10)).collect::<Vec<_>>());
    let mut seen = server.seen();
    seen.sort_by_key(|target| target.len());
    seen[..9].sort();
    let expected: Vec<String> = (1..=10)
        .map(|page| format!("/universe/types?page={page}"))
        .collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn without_x_pages_there_is_one_page() {
    for (body, headers, len) in [
        ("[1,2]", None, 2),
        ("[]", Some("0"), 0),
        ("[]", Some("1"), 0),
        ("[3]", Some("many"), 1),
    ] {
        let server = Server::new(move |_| {
            let given = Given::json(body);
            match headers {
                Some(pages) => given.with("X-Pages", pages),
                None => given,
            }
        })
        .await;
        let all = server.esi().get_universe_types().all().await.expect("a snapshot");
        assert_eq!(
            (all.len(), all.snapshot_checked(), server.seen().len()),
            (len, false, 1)
        );
    }
}

/// What changed between two pages is taken again: all is of one state.
#[tokio::test]
async fn data_that_changes_in_between_gives_one_state_all_the_same() {
    let first: u64 = match std::env::var("ESIKIT_SEED") {
        Ok(seed) => seed.parse().expect("a number"),
        Err(_) => 1,
    };
    let runs = (first..first + 48).map(|seed| {
        tokio::spawn(async move {
            // From growing to shrinking, at the first request to the last.
            let (before, after) = (20 + seed * 37 % 260, 20 + seed * 71 % 260);
            let change = 1 + seed * 13 % (before / 10 + 2);
            let states = States::new(
                1,
                vec![
                    (0, (0..before as i64).collect()),
                    (change as usize, (1000..1000 + after as i64).collect()),
                ],
            );
            let server = server(&states).await;
            let all = server.esi().get_universe_types().all().await;
            let all = all.unwrap_or_else(|error| panic!("ESIKIT_SEED={seed}: {error}"));
            let state = all.last_modified().expect("a date").timestamp() - 1_800_000_000;
            let states = states.lock().expect("no panic");
            assert_eq!(
                numbers(&all),
                states.states[state as usize].1,
                "ESIKIT_SEED={seed}"
            );
            usize::from(states.asked > all.pages().len() + 1)
        })
    });
    let mut again = 0;
    for run in runs.collect::<Vec<_>>() {
        again += run.await.expect("no panic");
    }
    assert!(again > 12, "pages were taken again in {again} of 48 runs");
}

#[tokio::test]
async fn a_first_page_that_ends_soon_is_waited_out_by_the_servers_clock() {
    let states = States::new(1, vec![(0, (0..30).collect()), (1, (100..130).collect())]);
    let served = Arc::clone(&states);
    let times = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&times);
    let server = Server::new(move |seen| {
        log.lock().expect("no panic").push(Instant::now());
        served.lock().expect("no panic").answer(seen)
    })
    .await;
    let all = server.esi().get_universe_types().all().await.expect("a snapshot");
    assert_eq!(numbers(&all), (100..130).collect::<Vec<_>>());
    assert_eq!(
        server.seen()[..2],
        ["/universe/types?page=1", "/universe/types?page=1"]
    );
    let times = times.lock().expect("no panic").clone();
    assert!(times[1] - times[0] >= Duration::from_secs(1));
    assert_eq!(times.len(), 4);
}

#[tokio::test]
async fn pages_that_may_not_be_asked_for_again_are_a_changed_snapshot() {
    let states = States::new(3600, vec![(0, (0..100).collect()), (5, (1000..1090).collect())]);
    let server = server(&states).await;
    match server.esi().get_universe_types().all().await {
        Err(Error::SnapshotChanged(error)) => {
            assert_eq!((error.pages_yielded, error.operation.id), (0, "GetUniverseTypes"));
            assert!(error.reason.contains("may be asked for again in 3"), "{error}");
        }
        other => panic!("{:?}", other.map(|all| all.len())),
    }
    let mut seen = server.seen();
    seen.sort();
    seen.dedup();
    assert_eq!(
        seen.len(),
        server.seen().len(),
        "a page was asked for again before it expired"
    );
}

#[tokio::test]
async fn failures_are_what_send_would_say() {
    let server = Server::new(|_| Given::refusal(404, "no such thing")).await;
    let failure = server
        .esi()
        .get_wars_war_id_killmails(1)
        .all()
        .await
        .expect_err("no war");
    assert_eq!(
        failure.to_string(),
        "GetWarsWarIdKillmails: ESI answered 404: no such thing"
    );
    let server = Server::new(|seen| match page(seen) {
        3 => Given::json("[\"x\"]"),
        _ => Given::json("[1]").with("X-Pages", 5),
    })
    .await;
    let failure = server
        .esi()
        .get_universe_types()
        .all()
        .await
        .expect_err("a page that does not decode");
    assert!(matches!(failure, Error::Decode(_)), "{failure}");
}

#[tokio::test]
async fn without_last_modified_the_number_of_pages_tells() {
    let clock = Clock::new();
    let asked = Mutex::new(0);
    let server = Server::new(move |seen| {
        let mut asked = asked.lock().expect("no panic");
        *asked += 1;
        let pages = if *asked == 1 { 3 } else { 2 };
        let given = Given::json(format!("[{}]", page(seen) * 10 + pages));
        given
            .with("X-Pages", pages)
            .with("Date", clock.header(0))
            .with("Expires", clock.header(600))
    })
    .await;
    match server.esi().get_universe_types().all().await {
        Err(Error::SnapshotChanged(error)) => assert!(error.reason.contains("page 1 of 2"), "{error}"),
        other => panic!("{:?}", other.map(|all| all.len())),
    }
}

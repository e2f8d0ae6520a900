//! Whole walks against a server that changes its data while they go on, in a time of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};

use super::super::pages::Pages;
use super::*;
use crate::chance::{Chance, Printed, RUNS, new_seeds};
use crate::error::ApiError;
use crate::headers::Headers;
use crate::operation::Method;
use crate::response::{Response, Source};

const MAX_WAIT: Duration = Duration::from_secs(60);

static OPERATION: Operation = Operation::new("GetThings", Method::Get, "/things", "Things");

/// When the server answers with which state.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Keeps {
    /// Every page changes at the same moment, which is when they expire.
    Together,
    /// A page is kept until it expires, which depends on when it was asked for.
    Apart,
}

/// A server whose data changes at certain seconds.
struct Server {
    begin: Instant,
    keeps: Keeps,
    size: usize,
    ttl: u64,
    has_last_modified: bool,
    /// From which second on there are which records.
    states: Vec<(u64, Vec<u64>)>,
    /// The answer that each page gives until a second.
    kept: HashMap<u32, (u64, Result<Answer, ()>)>,
    /// Until when the client may not ask for a page again.
    given: HashMap<u32, u64>,
    under_way: usize,
    most_under_way: usize,
    asked: usize,
    too_early: usize,
    chance: Chance,
}

#[derive(Debug, Clone)]
struct Answer {
    records: Vec<u64>,
    pages: u32,
    last_modified: u64,
    date: u64,
    expires: u64,
}

fn at(second: u64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(1_700_000_000 + second as i64)
}

impl Server {
    fn random(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let keeps = if chance.percent(70) {
            Keeps::Together
        } else {
            Keeps::Apart
        };
        let ttl = chance.between(10, 60);
        let mut records: Vec<u64> = (0..chance.between(0, 300)).collect();
        let mut states = vec![(0, records.clone())];
        let mut second = chance.between(1, 30);
        for state in 1..40 {
            for _ in 0..chance.between(0, 40) {
                match chance.percent(50) && !records.is_empty() {
                    true => drop(records.remove(chance.between(0, records.len() as u64) as usize)),
                    false => {
                        let place = chance.between(0, records.len() as u64 + 1) as usize;
                        records.insert(place, state * 1_000 + chance.between(0, 1_000_000) * 100_000);
                    }
                }
            }
            states.push((second, records.clone()));
            second += match keeps {
                Keeps::Together => ttl,
                Keeps::Apart => chance.between(1, 200),
            };
        }
        Self {
            begin: Instant::now(),
            keeps,
            size: chance.between(1, 20) as usize,
            ttl,
            has_last_modified: true,
            states,
            kept: HashMap::new(),
            given: HashMap::new(),
            under_way: 0,
            most_under_way: 0,
            asked: 0,
            too_early: 0,
            chance,
        }
    }

    fn now(&self) -> u64 {
        self.begin.elapsed().as_secs()
    }

    fn state(&self, second: u64) -> &(u64, Vec<u64>) {
        self.states
            .iter()
            .rev()
            .find(|(since, _)| *since <= second)
            .expect("a first state")
    }

    /// An answer to the client whose walk is looked at.
    fn answer(&mut self, page: u32) -> Result<Answer, ()> {
        self.asked += 1;
        let until = self.given.get(&page).copied().unwrap_or_default();
        self.too_early += usize::from(until > self.now());
        let answer = self.answer_to_anybody(page);
        self.given
            .extend(answer.iter().map(|answer| (page, answer.expires)));
        answer
    }

    fn answer_to_anybody(&mut self, page: u32) -> Result<Answer, ()> {
        let now = self.now();
        if let Some((until, answer)) = self.kept.get(&page)
            && *until > now
        {
            return answer.clone().map(|answer| Answer { date: now, ..answer });
        }
        let (since, records) = self.state(now).clone();
        let next = self
            .states
            .iter()
            .map(|(since, _)| *since)
            .find(|since| *since > now);
        let expires = match self.keeps {
            Keeps::Together => next.unwrap_or(now + 300),
            Keeps::Apart => now + self.ttl,
        };
        let chunks: Vec<&[u64]> = records.chunks(self.size).collect();
        let pages = chunks.len().max(1) as u32;
        let answer = if page <= pages {
            Ok(Answer {
                records: chunks
                    .get(page as usize - 1)
                    .map(|chunk| chunk.to_vec())
                    .unwrap_or_default(),
                pages,
                last_modified: since,
                date: now,
                expires,
            })
        } else {
            Err(())
        };
        self.kept.insert(page, (expires, answer.clone()));
        answer
    }
}

fn headers(answer: &Answer, has_last_modified: bool) -> Headers {
    let mut map = http::HeaderMap::new();
    let mut put = |name: &'static str, text: String| {
        map.insert(name, text.parse().expect("a header"));
    };
    put("x-pages", answer.pages.to_string());
    put("date", at(answer.date).to_rfc2822());
    put("expires", at(answer.expires).to_rfc2822());
    if has_last_modified {
        put("last-modified", at(answer.last_modified).to_rfc2822());
    }
    Headers::new(map)
}

fn refusal() -> Error {
    Error::Api(Box::new(ApiError {
        operation: &OPERATION,
        status: 404,
        message: "Requested page does not exist!".to_owned(),
        body: String::new(),
        headers: Arc::default(),
    }))
}

/// Asks the server for a page; the way there and back takes time.
fn ask(server: &Arc<Mutex<Server>>, page: u32) -> Boxed<Response<Vec<u64>>> {
    let server = Arc::clone(server);
    Box::pin(async move {
        let (there, back) = {
            let mut server = server.lock().expect("no panic");
            server.under_way += 1;
            server.most_under_way = server.most_under_way.max(server.under_way);
            let slowest = if server.chance.percent(10) { 4000 } else { 300 };
            (
                server.chance.between(1, slowest),
                server.chance.between(1, slowest),
            )
        };
        tokio::time::sleep(Duration::from_millis(there)).await;
        let answer = {
            let mut server = server.lock().expect("no panic");
            server.answer(page).map(|answer| {
                let headers = headers(&answer, server.has_last_modified);
                Response::new(
                    Arc::new(answer.records),
                    200,
                    Arc::new(headers),
                    Source::Network,
                    Instant::now(),
                )
            })
        };
        tokio::time::sleep(Duration::from_millis(back)).await;
        server.lock().expect("no panic").under_way -= 1;
        answer.map_err(|()| refusal())
    })
}

fn asking(server: &Arc<Mutex<Server>>) -> Ask<Page> {
    let server = Arc::clone(server);
    Box::new(move |page, _| {
        let answer = ask(&server, page);
        Box::pin(async move {
            let answer = answer.await?;
            let stamp = Stamp::of(&answer);
            let records = answer.into_arc();
            Ok(Page { records, stamp })
        })
    })
}

async fn snapshot(server: &Arc<Mutex<Server>>) -> Result<Snapshot<u64>, Error> {
    let told = Arc::new(Mutex::new(Progress { done: 0, of: 0 }));
    let last_told = Arc::clone(&told);
    let report = Box::new(move |progress| *told.lock().expect("no panic") = progress);
    let taken = take(&OPERATION, MAX_WAIT, asking(server), report).await?;
    let told = *last_told.lock().expect("no panic");
    let pages = u32::try_from(taken.pages.len()).expect("few");
    assert_eq!(
        told,
        Progress {
            done: pages,
            of: pages
        }
    );
    Snapshot::of(&OPERATION, taken)
}

/// Others have asked for some pages already, so that these are kept for longer or shorter.
async fn others_ask(server: &Arc<Mutex<Server>>) {
    let asks = server.lock().expect("no panic").chance.between(0, 6);
    for _ in 0..asks {
        let pause = {
            let mut server = server.lock().expect("no panic");
            let page = server.chance.between(1, 20) as u32;
            drop(server.answer_to_anybody(page));
            server.chance.between(0, 20)
        };
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}

/// Everything of one state, nothing twice, nothing missing; or the error that says that this could not be had.
#[tokio::test(start_paused = true)]
async fn a_snapshot_is_one_state_whatever_changes_meanwhile() {
    let (mut together, mut apart, mut changed) = ([0, 0], [0, 0], 0);
    for seed in new_seeds() {
        let _printed = Printed(seed);
        let server = Arc::new(Mutex::new(Server::random(seed)));
        others_ask(&server).await;
        let outcome = snapshot(&server).await;
        let server = server.lock().expect("no panic");
        assert_eq!(server.too_early, 0, "asked for a page again before it expired");
        assert!(server.most_under_way <= 32);
        let counts = if server.keeps == Keeps::Together {
            &mut together
        } else {
            &mut apart
        };
        counts[1] += 1;
        match outcome {
            Ok(snapshot) => {
                counts[0] += 1;
                let second = snapshot.last_modified().expect("a date") - at(0);
                let (since, state) = server.state(second.num_seconds() as u64);
                assert_eq!(*since as i64, second.num_seconds());
                assert!(snapshot.iter().eq(state), "not as it was at {since}");
                assert!(snapshot.snapshot_checked());
                changed += usize::from(server.asked > snapshot.pages().len());
            }
            Err(Error::SnapshotChanged(error)) => assert_eq!(error.pages_yielded, 0),
            Err(other) => panic!("{other}"),
        }
    }
    println!("together {together:?}, apart {apart:?}; {changed} of the snapshots took pages again");
    if together[1] + apart[1] == RUNS as usize {
        assert!(
            together[0] * 100 >= together[1] * 95,
            "too many were given up: {together:?}"
        );
        assert!(changed > 50, "the data hardly ever changed: {changed}");
    }
}

/// What the stream yields is of one state; it is all of it, or the end says that the data changed.
#[tokio::test(start_paused = true)]
async fn a_stream_yields_one_state_and_is_never_far_ahead() {
    let (mut whole, mut broken) = (0, 0);
    for seed in new_seeds() {
        let _printed = Printed(seed);
        let server = Arc::new(Mutex::new(Server::random(seed)));
        let asked = Arc::clone(&server);
        let mut pages = Pages::new(
            &OPERATION,
            Arc::new(move |page, kept: bool, _| {
                assert!(!kept);
                ask(&asked, page)
            }),
        );
        let (mut records, mut state, mut taken) = (Vec::new(), None, 0);
        let ended = loop {
            match pages.next().await {
                None => break None,
                Some(Err(error)) => break Some(error),
                Some(Ok(page)) => {
                    taken += 1;
                    let last_modified = page.last_modified().expect("a date");
                    assert_eq!(*state.get_or_insert(last_modified), last_modified);
                    records.extend(page.into_inner());
                }
            }
            let pause = {
                let mut server = server.lock().expect("no panic");
                assert!(
                    server.asked <= taken + 1 + 6,
                    "{} asked for, {taken} taken",
                    server.asked
                );
                if server.chance.percent(20) {
                    server.chance.between(0, 3000)
                } else {
                    0
                }
            };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        };
        assert!(pages.next().await.is_none(), "there is nothing after the end");
        let server = server.lock().expect("no panic");
        assert_eq!(server.too_early, 0);
        assert!(server.most_under_way <= 6);
        let (_, all) = server.state((state.expect("a page") - at(0)).num_seconds() as u64);
        match ended {
            None => {
                whole += 1;
                assert_eq!(&records, all);
            }
            Some(Error::SnapshotChanged(error)) => {
                broken += 1;
                assert_eq!(error.pages_yielded as usize, taken);
                assert!(all.starts_with(&records));
            }
            Some(other) => panic!("{other}"),
        }
    }
    println!("{whole} whole, {broken} ended by a change");
    if whole + broken == RUNS {
        assert!(whole > 100 && broken > 100);
    }
}

/// Dropping a stream ends its requests.
#[tokio::test(start_paused = true)]
async fn a_dropped_stream_leaves_nothing_under_way() {
    struct Ends(Arc<Mutex<usize>>);
    impl Drop for Ends {
        fn drop(&mut self) {
            *self.0.lock().expect("no panic") -= 1;
        }
    }
    let alive = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&alive);
    let mut pages = Pages::<u64>::new(
        &OPERATION,
        Arc::new(move |page, _, _| {
            let counted = Arc::clone(&counted);
            Box::pin(async move {
                *counted.lock().expect("no panic") += 1;
                let _ends = Ends(counted);
                if page > 1 {
                    std::future::pending::<()>().await;
                }
                let answer = Answer {
                    records: vec![1],
                    pages: 100,
                    last_modified: 0,
                    date: 0,
                    expires: 100,
                };
                Ok(Response::new(
                    Arc::new(answer.records.clone()),
                    200,
                    Arc::new(headers(&answer, true)),
                    Source::Network,
                    Instant::now(),
                ))
            })
        }),
    );
    assert!(pages.next().await.is_some_and(|page| page.is_ok()));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(*alive.lock().expect("no panic"), 6);
    drop(pages);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(*alive.lock().expect("no panic"), 0);
}

fn fixed(keeps: Keeps, ttl: u64, states: Vec<(u64, Vec<u64>)>) -> Arc<Mutex<Server>> {
    Arc::new(Mutex::new(Server {
        keeps,
        ttl,
        size: 10,
        states,
        ..Server::random(1)
    }))
}

/// Without Last-Modified nothing can be sure; what expires together and counts the same is taken for one state.
#[tokio::test(start_paused = true)]
async fn without_last_modified_the_snapshot_says_that_it_is_not_checked() {
    let server = fixed(
        Keeps::Together,
        60,
        vec![(0, (0..95).collect()), (50, (100..295).collect())],
    );
    server.lock().expect("no panic").has_last_modified = false;
    let taken = snapshot(&server).await.expect("a snapshot");
    assert!(!taken.snapshot_checked());
    assert_eq!(
        (taken.len(), taken.last_modified(), taken.expires()),
        (95, None, Some(at(50)))
    );
    // It changes under the walk: page 1 is of the first state, and too near its end to be built upon.
    let begin = server.lock().expect("no panic").begin;
    tokio::time::sleep_until(begin + Duration::from_secs(46)).await;
    let taken = snapshot(&server).await.expect("a snapshot");
    assert!(taken.iter().copied().eq(100..295));
}

/// A first page that is about to expire is not built upon.
#[tokio::test(start_paused = true)]
async fn the_rest_waits_for_the_successor_of_a_first_page_that_ends_soon() {
    let server = fixed(
        Keeps::Together,
        60,
        vec![(0, (0..95).collect()), (4, (100..195).collect())],
    );
    let taken = snapshot(&server).await.expect("a snapshot");
    assert_eq!(taken.last_modified(), Some(at(4)));
    assert_eq!(server.lock().expect("no panic").asked, 1 + 10);
}

/// A page that may not be asked for again within a minute is not waited for.
#[tokio::test(start_paused = true)]
async fn waiting_for_pages_that_differ_is_bounded() {
    let server = fixed(
        Keeps::Apart,
        600,
        vec![(0, (0..95).collect()), (100, (100..195).collect())],
    );
    // One page is from before the change.
    drop(server.lock().expect("no panic").answer_to_anybody(7));
    tokio::time::sleep(Duration::from_secs(100)).await;
    let begun = Instant::now();
    let Err(Error::SnapshotChanged(error)) = snapshot(&server).await else {
        panic!("page 7 is of another state");
    };
    assert!(
        error.reason.contains("page 7 of 10") && error.reason.contains("again in "),
        "{error}"
    );
    assert!(begun.elapsed() < MAX_WAIT);
}

//! A server that keeps ESI's rules, with windows scaled down, and counts each request that breaks them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use esikit::{Error, Esi};

/// Two seconds stand for fifteen minutes.
const WINDOW: Duration = Duration::from_secs(2);

/// The error limit's window, and how many failures it allows.
const ERRORS: (Duration, u32) = (Duration::from_secs(3), 30);

#[derive(Default)]
struct Books {
    /// Tokens that were used, by group and token of the caller, with the moment.
    used: HashMap<(String, String), VecDeque<(u64, u32)>>,
    failures: u32,
    failures_since: u64,
    requests: usize,
    violations: Vec<String>,
}

#[derive(Clone)]
struct World {
    books: Arc<Mutex<Books>>,
    begun: Instant,
    random: Arc<Mutex<fastrand::Rng>>,
}

/// The groups of this server: a path's beginning, the group's name, its tokens.
const GROUPS: [(&str, &str, u32); 4] = [
    ("/status", "status", 15),
    ("/markets", "market-order", 30),
    ("/characters", "char-asset", 150),
    ("/incursions", "incursion", 300),
];

impl World {
    #[allow(clippy::disallowed_methods, reason = "the server has a clock of its own")]
    fn new(seed: u64) -> Self {
        Self {
            books: Arc::default(),
            begun: Instant::now(),
            random: Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).expect("not that long")
    }

    /// The status that the books, or chance, demand of a request that arrives now.
    fn arrive(&self, path: &str, who: &str) -> StatusCode {
        let (now, mut books) = (self.now(), self.books.lock().expect("no panic"));
        books.requests += 1;
        if now - books.failures_since >= u64::try_from(ERRORS.0.as_millis()).expect("small") {
            (books.failures, books.failures_since) = (0, now);
        }
        if books.failures >= ERRORS.1 {
            books.violations.push(format!("{now} ms: 420 on {path}"));
            return StatusCode::from_u16(420).expect("a status");
        }
        let status = match self.random.lock().expect("no panic").u32(0..100) {
            0..10 => StatusCode::NOT_FOUND,
            10..12 => StatusCode::BAD_GATEWAY,
            _ => StatusCode::OK,
        };
        let Some((_, group, tokens)) = GROUPS.iter().find(|(begin, ..)| path.starts_with(begin)) else {
            books.failures += u32::from(status != StatusCode::OK);
            return status;
        };
        let window = u64::try_from(WINDOW.as_millis()).expect("small");
        let key = ((*group).to_owned(), who.to_owned());
        let used = books.used.entry(key).or_default();
        used.retain(|(at, _)| at + window > now);
        if used.iter().map(|(_, tokens)| tokens).sum::<u32>() >= *tokens {
            books
                .violations
                .push(format!("{now} ms: 429 on {path} by {who:?}"));
            return StatusCode::TOO_MANY_REQUESTS;
        }
        let cost = match status.as_u16() {
            200..=299 => 2,
            400..=499 => 5,
            _ => 0,
        };
        used.push_back((now, cost));
        status
    }

    /// The headers that tell the state of the books.
    fn headers(&self, path: &str, who: &str, status: StatusCode) -> HeaderMap {
        let (now, books) = (self.now(), self.books.lock().expect("no panic"));
        let mut headers = HeaderMap::new();
        let mut add = |name: &'static str, value: String| {
            headers.insert(name, value.parse().expect("a value"));
        };
        match GROUPS.iter().find(|(begin, ..)| path.starts_with(begin)) {
            None => {
                let over = books.failures_since + u64::try_from(ERRORS.0.as_millis()).expect("small");
                add(
                    "x-esi-error-limit-remain",
                    ERRORS.1.saturating_sub(books.failures).to_string(),
                );
                add(
                    "x-esi-error-limit-reset",
                    (over.saturating_sub(now) / 1000).to_string(),
                );
            }
            Some((_, group, tokens)) => {
                let used = books.used.get(&((*group).to_owned(), who.to_owned()));
                let used: u32 = used.into_iter().flatten().map(|(_, tokens)| tokens).sum();
                add("x-ratelimit-group", (*group).to_owned());
                add("x-ratelimit-limit", format!("{tokens}/{}s", WINDOW.as_secs()));
                add("x-ratelimit-remaining", tokens.saturating_sub(used).to_string());
                if status == StatusCode::TOO_MANY_REQUESTS {
                    add("retry-after", "1".to_owned());
                }
            }
        }
        headers
    }
}

async fn reply(State(world): State<World>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let who = request.headers().get("authorization");
    let who = who.map_or(String::new(), |who| {
        String::from_utf8_lossy(who.as_bytes()).into_owned()
    });
    let (out, back) = {
        let mut random = world.random.lock().expect("no panic");
        (random.u64(1..25), random.u64(1..25))
    };
    tokio::time::sleep(Duration::from_millis(out)).await;
    let status = world.arrive(&path, &who);
    let headers = world.headers(&path, &who, status);
    tokio::time::sleep(Duration::from_millis(back)).await;
    (status, headers, "[]").into_response()
}

/// A call by one of the identities; the path decides on the group.
async fn call(esi: &Esi, which: usize, who: usize) -> Result<(), Error> {
    let own = format!("Bearer {who}");
    let raw = match which {
        0 => esi.get_status().send_raw().await,
        1 => esi.get_markets_region_id_orders(1).send_raw().await,
        2 => {
            let call = esi.get_characters_character_id_assets(i64::try_from(who).expect("small"));
            call.header("Authorization", &own).send_raw().await
        }
        3 => esi.get_incursions().send_raw().await,
        _ => esi.get_universe_regions().send_raw().await,
    };
    raw.map(|_| ())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_breaks_the_rules_of_the_server() {
    let seed = std::env::var("ESIKIT_SEED").ok();
    let seed = seed.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a number"));
    println!("ESIKIT_SEED={seed}");
    let world = World::new(seed);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let app = Router::new().fallback(reply).with_state(world.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let esi = Esi::builder()
        .user_agent("esikit-tests/1.0 (tests@example.com)")
        .base_url(url)
        // Every call is to be a request.
        .cache_bytes(0)
        .backoff(Duration::from_millis(1), Duration::from_millis(5))
        .build()
        .expect("a client");
    // What the specification says of a window is not what this server keeps: it is heard first.
    for which in 0..5 {
        for who in 0..5 {
            let _ = call(&esi, which, who).await;
        }
    }
    let mut tasks = Vec::new();
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..60 {
        let (esi, mut random) = (esi.clone(), random.fork());
        tasks.push(tokio::spawn(async move {
            for _ in 0..8 {
                // The small ones are asked rarely: their budget is a few calls a window.
                let which = [0, 1, 2, 2, 2, 2, 3, 3, 4, 4][random.usize(0..10)];
                let outcome = call(&esi, which, random.usize(0..5)).await;
                if let Err(error) = outcome {
                    assert!(matches!(error.status(), Some(404 | 502)), "{error}");
                }
            }
        }));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    let books = world.books.lock().expect("no panic");
    println!("{} requests in {} ms, none refused", books.requests, world.now());
    assert!(
        books.violations.is_empty(),
        "ESIKIT_SEED={seed}: {:#?}",
        books.violations
    );
}

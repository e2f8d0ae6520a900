//! A server that a test decides for, answer by answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use esikit::Esi;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::server::{Seen, answer, read_request};

/// What to answer: status, headers, body.
pub struct Given {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Given {
    /// A success.
    pub fn json(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub fn refusal(status: u16, message: &str) -> Self {
        Self {
            status,
            ..Self::json(format!("{{\"error\":{message:?}}}"))
        }
    }

    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// Answers each request as it is told to.
pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub async fn new(decide: impl Fn(&Seen) -> Given + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, decide) = (Arc::clone(&seen), Arc::new(decide));
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let (log, decide) = (Arc::clone(&log), Arc::clone(&decide));
                tokio::spawn(async move {
                    let Some(request) = read_request(&mut connection).await else {
                        return;
                    };
                    let given = decide(&request);
                    log.lock().expect("no test panicked in it").push(request);
                    let headers: Vec<(&str, &str)> = given
                        .headers
                        .iter()
                        .map(|(name, value)| (*name, value.as_str()))
                        .collect();
                    let bytes = answer(given.status, &headers, given.body.as_bytes());
                    // A client that has heard enough hangs up.
                    let _ = connection.write_all(&bytes).await;
                    let _ = connection.shutdown().await;
                });
            }
        });
        Self { url, seen }
    }

    pub fn esi(&self) -> Esi {
        let builder = Esi::builder()
            .no_proxy()
            .user_agent("esikit-tests/1.0 (tests@example.com)")
            .base_url(&self.url);
        builder.build().expect("a client")
    }

    /// Every request so far, as method and target.
    pub fn seen(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("no test panicked in it");
        seen.iter().map(|seen| seen.target().to_owned()).collect()
    }

    /// The bodies of all requests so far, as JSON.
    pub fn bodies(&self) -> Vec<serde_json::Value> {
        let seen = self.seen.lock().expect("no test panicked in it");
        seen.iter()
            .map(|seen| serde_json::from_slice(&seen.body).expect("JSON"))
            .collect()
    }
}

/// The query of a request.
pub fn query(seen: &Seen) -> BTreeMap<String, String> {
    let query = seen.target().split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The page that a request asks for.
pub fn page(seen: &Seen) -> usize {
    query(seen)
        .get("page")
        .map_or(1, |page| page.parse().expect("a number"))
}

/// A server's own time: it goes on as ours does, from a moment of its own.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    pub fn new() -> Self {
        Self(Instant::now())
    }

    /// So many seconds from now, as a header has it.
    pub fn header(&self, seconds: i64) -> String {
        let begin = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(1_900_000_000 + seconds);
        http_date(begin + TimeDelta::from_std(self.0.elapsed()).expect("a short time"))
    }
}

pub fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

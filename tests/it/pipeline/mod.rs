//! The way of a call, over real sockets.

mod cache;
mod dropping;
mod events;
mod faults;
mod figures;
mod isolation;
mod retry;
mod shared;
mod violations;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use esikit::clock::ManualClock;

use crate::server::{Reply, Seen, Server, answer};

/// The server's time; the tests' own clocks begin ten minutes before it.
pub fn server_time() -> DateTime<Utc> {
    "2026-11-01T10:10:00Z".parse().expect("a time")
}

pub fn clock() -> ManualClock {
    ManualClock::new(server_time() - TimeDelta::minutes(10))
}

/// A moment as HTTP writes it.
pub fn http_date(moment: DateTime<Utc>) -> String {
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The status of the server, fresh for so many seconds.
pub fn status(players: u32, seconds: i64) -> Vec<u8> {
    let now = server_time();
    let headers = [
        ("Date", &*http_date(now)),
        ("Expires", &*http_date(now + TimeDelta::seconds(seconds))),
        ("ETag", "\"a\""),
        ("Last-Modified", &*http_date(now - TimeDelta::hours(1))),
    ];
    answer(200, &headers, &status_body(players))
}

pub fn status_body(players: u32) -> Vec<u8> {
    format!(r#"{{"players":{players},"server_version":"1","start_time":"2026-11-01T00:00:00Z","vip":false}}"#)
        .into_bytes()
}

/// A server whose reply depends on how many requests came before.
pub async fn counting(script: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> Server {
    let count = Arc::new(AtomicUsize::new(0));
    Server::scripted(move |seen| script(count.fetch_add(1, Ordering::SeqCst), seen)).await
}

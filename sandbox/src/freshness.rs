//! How long an answer is fresh, and when it has not changed.

use crate::clock::{from_http_date, http_date};
use crate::draw::Draw;
use crate::http::{Answer, Incoming};
use chrono::{DateTime, TimeDelta, Utc};

/// The window in which an answer stays what it is. All pages of one list have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Freshness {
    pub(crate) last_modified: DateTime<Utc>,
    pub(crate) expires: DateTime<Utc>,
}

impl Freshness {
    /// The window of `ttl` seconds that `now` is in. `place` moves the windows of one path against those of another, so
    /// that not everything expires at once.
    pub(crate) fn at(now: DateTime<Utc>, ttl: u32, place: Draw) -> Self {
        let ttl = i64::from(ttl.max(1));
        let phase = place.under("phase").below(ttl.unsigned_abs()) as i64;
        let age = (now.timestamp() + phase).rem_euclid(ttl);
        let last_modified = now - TimeDelta::seconds(age);
        Self {
            last_modified,
            expires: last_modified + TimeDelta::seconds(ttl),
        }
    }
}

/// Adds what a cache needs to know, and leaves the body away when the client has it already.
pub(crate) fn dressed(answer: Answer, freshness: Option<Freshness>, incoming: &Incoming) -> Answer {
    let etag = etag(&answer.body);
    let is_known = has_not_changed(incoming, &etag, freshness);
    let mut answer = answer.with("etag", etag);
    if let Some(freshness) = freshness {
        answer = answer
            .with("last-modified", http_date(freshness.last_modified))
            .with("expires", http_date(freshness.expires));
    }
    if is_known {
        answer.status = 304;
        answer.body.clear();
        answer.headers.retain(|(name, _)| *name != "content-type");
    }
    answer
}

/// As RFC 9110: `If-Modified-Since` counts only where there is no `If-None-Match`.
fn has_not_changed(incoming: &Incoming, etag: &str, freshness: Option<Freshness>) -> bool {
    if let Some(known) = incoming.header("if-none-match") {
        let mut tags = known.split(',').map(str::trim);
        return tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag);
    }
    let since = incoming.header("if-modified-since").and_then(from_http_date);
    match (since, freshness) {
        (Some(since), Some(freshness)) => freshness.last_modified <= since,
        _ => false,
    }
}

fn etag(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let draw = Draw::of(0).under(&text);
    format!("\"{:016x}{:016x}\"", draw.bits(), draw.at(0).bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_the_moment_and_the_next_follows_at_once() {
        for second in [1_800_000_000, 1_800_000_001, 1_800_000_299] {
            let now = DateTime::from_timestamp(second, 0).unwrap();
            let window = Freshness::at(now, 300, Draw::of(3));
            assert!(window.last_modified <= now && now < window.expires);
            assert_eq!(window.expires - window.last_modified, TimeDelta::seconds(300));
            let next = Freshness::at(window.expires, 300, Draw::of(3));
            assert_eq!(next.last_modified, window.expires);
        }
    }
}

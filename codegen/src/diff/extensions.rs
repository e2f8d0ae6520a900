//! What the runtime lives by: limits, cache times, dates. None of it breaks a call; slower or staler is no error.

use super::Comparison;
use super::change::{Change, Kind, Place};
use super::pair::{fact, members, pairs, text};
use serde_json::Value;

/// Compared elsewhere, each by its own rule.
const ELSEWHERE: &[&str] = &["x-empty-list", "x-pagination", "x-required-roles"];

impl<'a> Comparison<'a> {
    pub(super) fn extensions(&mut self, place: &Place, old: &'a Value, new: &'a Value) {
        self.rate_limit(place, old, new);
        let extensions = |facts| members(facts, "").filter(|(key, _)| is_plain(key));
        for (key, (old, new)) in pairs(extensions(old), extensions(new)) {
            let (kind, name) = meaning_of(key);
            let change = Change::between(kind, place, old.cloned(), new.cloned());
            self.report(change.map(|change| change.about(name)));
        }
    }

    fn rate_limit(&mut self, place: &Place, old: &Value, new: &Value) {
        let limit = |facts| fact(facts, "x-rate-limit");
        let (from, to) = (limit(old), limit(new));
        let message = match (&from, &to) {
            (Some(from), Some(to)) => format!("rate limit: {} -> {}", sentence(from), sentence(to)),
            (None, Some(to)) => format!("rate limit: {}, from now on a bucket of its own", sentence(to)),
            _ => "no rate limit of its own any more; errors count as everywhere".to_owned(),
        };
        self.report(Change::between(Kind::Limit, place, from, to).map(|change| change.saying(message)));
    }
}

fn is_plain(key: &str) -> bool {
    key.starts_with("x-") && key != "x-rate-limit" && !ELSEWHERE.contains(&key)
}

fn meaning_of(key: &str) -> (Kind, &str) {
    match key {
        "x-client-cache-ttl" => (Kind::Cache, "seconds that clients may keep the answer"),
        "x-server-cache-ttl" => (Kind::Cache, "seconds that ESI keeps the answer"),
        "x-server-cache-mode" => (Kind::Cache, "how ESI keeps the answer"),
        "x-tombstone-ttl" => (Kind::Pagination, "seconds that a removed record is still listed"),
        "x-compatibility-date" => (Kind::CompatibilityDate, "holds since"),
        other => (Kind::Extension, other),
    }
}

fn sentence(limit: &Value) -> String {
    let group = text(limit, "group").unwrap_or("no group");
    let tokens = limit
        .get("max-tokens")
        .map_or_else(|| "?".to_owned(), Value::to_string);
    let window = text(limit, "window-size").unwrap_or("?");
    format!("`{group}`, {tokens} tokens in {window}")
}

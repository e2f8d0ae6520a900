//! The store behind the memory layer. It holds bytes, and its failures are no caller's: the network is there.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::{Entry, Key, Lifetime, lifetime};
use crate::clock;
use crate::decode::Decoder;
use crate::headers::Headers;
use crate::operation::Operation;
use crate::response::RawResponse;
use crate::store::{CacheStore, CachedAnswer, StoreFuture};

/// How long a store may take. Asking ESI takes less than waiting longer.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn get(
    store: &dyn CacheStore,
    operation: &'static Operation,
    key: &Key,
    decoder: Decoder,
    now: DateTime<Utc>,
) -> Option<Entry> {
    let stored = heard("get", store.get(key.as_str())).await.flatten()?;
    if stored.keep_until <= now {
        return None;
    }
    let bytes = stored.body.len();
    let answer = RawResponse::new(stored.status, Headers::from_lines(&stored.headers), stored.body);
    // What no longer decodes, after an update of this crate perhaps, is not there.
    let value = decoder(operation, &answer).ok()?;
    Some(Entry {
        status: answer.status(),
        headers: Arc::clone(answer.shared_headers()),
        value,
        came: came(&answer, stored.fresh_until, now),
        fresh_until: stored.fresh_until,
        keep_until: stored.keep_until,
        bytes,
    })
}

/// When an answer came that is fresh until then.
fn came(answer: &RawResponse, fresh_until: DateTime<Utc>, now: DateTime<Utc>) -> Instant {
    let Lifetime::Fresh(lasts) = lifetime(answer.headers(), now) else {
        return clock::instant();
    };
    let age = (now - (fresh_until - lasts)).to_std().unwrap_or_default();
    clock::instant().checked_sub(age).unwrap_or_else(clock::instant)
}

pub(super) async fn put(store: &dyn CacheStore, key: &Key, entry: &Entry, body: Bytes) {
    let answer = CachedAnswer {
        status: entry.status,
        headers: entry.headers.to_lines(),
        body,
        fresh_until: entry.fresh_until,
        keep_until: entry.keep_until,
    };
    heard("put", store.put(key.as_str(), answer)).await;
}

pub(super) async fn remove(store: &dyn CacheStore, key: &Key) {
    heard("remove", store.remove(key.as_str())).await;
}

/// Writes new headers and moments beside the bytes that are there: a value that was decoded has lost what its type does
/// not know, and is no substitute for them. Where another process has put another version by now, that stays.
pub(super) async fn prolong(store: &dyn CacheStore, key: &Key, stale: &Entry, entry: &Entry) {
    let Some(stored) = heard("get", store.get(key.as_str())).await.flatten() else {
        return;
    };
    let theirs = Headers::from_lines(&stored.headers);
    let is_ours = ["etag", "last-modified"]
        .iter()
        .all(|name| theirs.get(name) == stale.headers.get(name));
    if is_ours {
        put(store, key, entry, stored.body).await;
    }
}

/// What the store says, if it says anything in time.
async fn heard<T>(what: &str, asked: StoreFuture<'_, T>) -> Option<T> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(said)) => Some(said),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the cache store failed at `{what}`; going on without it");
            None
        }
        Err(_) => {
            tracing::warn!(
                "the cache store did not answer to `{what}` within {PATIENCE:?}; going on without it"
            );
            None
        }
    }
}

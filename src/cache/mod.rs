//! Answers that are kept, so that nobody asks twice for what has not changed.
//!
//! In memory stand decoded values, shared and never copied; behind it there may be a [`CacheStore`] of bytes. Equal
//! requests that are under way share one [flight](flight).

mod flight;
mod freshness;
mod key;
mod memory;
mod outer;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

pub(crate) use flight::Flights;
pub(crate) use freshness::{Lifetime, lifetime, lifetime_of_304};
pub(crate) use key::Key;

use crate::clock::{self, Clock};
use crate::decode::{Decoded, Decoder};
use crate::error::Error;
use crate::headers::Headers;
use crate::operation::{CacheMode, Operation};
use crate::response::RawResponse;
use crate::store::CacheStore;
use memory::Memory;

/// For how long an answer is kept after it went stale, so that a 304 or a failing server can still be met with it.
pub(crate) const KEPT_AFTER: TimeDelta = TimeDelta::hours(24);

/// No refusal is taken as said for longer.
const LONGEST_REFUSAL: TimeDelta = TimeDelta::days(30);

/// An answer that is kept. Fresh until one moment, of use until another.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) status: u16,
    pub(crate) headers: Arc<Headers>,
    pub(crate) value: Arc<dyn Decoded>,
    /// When ESI's last word on it came.
    pub(crate) came: Instant,
    pub(crate) fresh_until: DateTime<Utc>,
    pub(crate) keep_until: DateTime<Utc>,
    /// The body's length, for which its value is taken to weigh.
    pub(crate) bytes: usize,
}

/// What the cache has for a request.
pub(crate) enum Found {
    /// An answer that ESI still stands by: it must not be asked again.
    Fresh(Arc<Entry>),
    /// An answer whose time is over.
    Stale(Arc<Entry>),
    /// A refusal, and its time is not over.
    Refused(Error),
    Nothing,
}

pub(crate) struct Cache {
    memory: Memory,
    bytes: u64,
    store: Option<Arc<dyn CacheStore>>,
    clock: Arc<dyn Clock>,
    /// For how long a 403 or a 404 is taken as said.
    refusals: Option<Duration>,
}

impl Cache {
    pub(crate) fn new(
        bytes: u64,
        refusals: Option<Duration>,
        store: Option<Arc<dyn CacheStore>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            memory: Memory::new(bytes),
            bytes,
            store,
            clock,
            refusals,
        }
    }

    /// Looks where whatever a flight has brought would be by now.
    pub(crate) async fn look_again(
        &self,
        operation: &'static Operation,
        key: &Key,
        decoder: Decoder,
    ) -> Found {
        if self.bytes > 0 {
            return self.in_memory(key);
        }
        self.look(operation, key, decoder).await
    }

    /// Whether anything can be kept.
    pub(crate) fn is_on(&self) -> bool {
        self.bytes > 0 || self.store.is_some()
    }

    /// Looks in memory only.
    pub(crate) fn in_memory(&self, key: &Key) -> Found {
        let now = self.clock.now();
        let kept = self.memory.get(key);
        if let Some(entry) = kept.as_ref().filter(|entry| now < entry.fresh_until) {
            return Found::Fresh(Arc::clone(entry));
        }
        if let Some(error) = self.memory.refusal(key, now) {
            return Found::Refused(error);
        }
        match kept {
            Some(entry) if now < entry.keep_until => Found::Stale(entry),
            _ => Found::Nothing,
        }
    }

    /// Looks in memory, then in the store behind it; what is found there is decoded and put in front.
    pub(crate) async fn look(&self, operation: &'static Operation, key: &Key, decoder: Decoder) -> Found {
        let found = self.in_memory(key);
        let Some(store) = self.store.as_deref() else {
            return found;
        };
        if matches!(found, Found::Fresh(_) | Found::Refused(_)) {
            return found;
        }
        let Some(entry) = outer::get(store, operation, key, decoder, self.clock.now()).await else {
            return found;
        };
        // What another process put there counts if it is later than what is here now: the store took its time.
        match self.in_memory(key) {
            Found::Fresh(ours) => return Found::Fresh(ours),
            Found::Stale(ours) if ours.fresh_until >= entry.fresh_until => return Found::Stale(ours),
            _ => {}
        }
        let entry = Arc::new(entry);
        self.memory.put(key, Arc::clone(&entry));
        if self.clock.now() < entry.fresh_until {
            Found::Fresh(entry)
        } else {
            Found::Stale(entry)
        }
    }

    /// Keeps a success, if it may be kept.
    pub(crate) async fn keep(
        &self,
        operation: &'static Operation,
        key: &Key,
        answer: &RawResponse,
        value: &Arc<dyn Decoded>,
    ) {
        if operation.cache_mode == Some(CacheMode::NotCached) || !matches!(answer.status(), 200 | 203 | 204) {
            return;
        }
        let now = self.clock.now();
        let Lifetime::Fresh(lasts) = lifetime(answer.headers(), now) else {
            self.memory.remove(key);
            if let Some(store) = self.store.as_deref() {
                outer::remove(store, key).await;
            }
            return;
        };
        let entry = Arc::new(Entry {
            status: answer.status(),
            headers: Arc::clone(answer.shared_headers()),
            value: Arc::clone(value),
            came: clock::instant(),
            fresh_until: now + lasts,
            keep_until: now + lasts + KEPT_AFTER,
            bytes: answer.body().len(),
        });
        self.memory.put(key, Arc::clone(&entry));
        if let Some(store) = self.store.as_deref() {
            outer::put(store, key, &entry, answer.body().clone()).await;
        }
    }

    /// Prolongs a kept answer, which ESI said has not changed: the value stays, the headers are the new ones.
    pub(crate) async fn prolong(
        &self,
        operation: &'static Operation,
        key: &Key,
        stale: &Entry,
        answer: &RawResponse,
    ) -> Arc<Entry> {
        let now = self.clock.now();
        let lasts = lifetime_of_304(answer.headers(), now);
        let entry = Arc::new(Entry {
            status: stale.status,
            headers: Arc::new(stale.headers.updated_by(answer.headers())),
            value: Arc::clone(&stale.value),
            came: clock::instant(),
            fresh_until: now + lasts,
            keep_until: now + lasts + KEPT_AFTER,
            bytes: stale.bytes,
        });
        if operation.cache_mode != Some(CacheMode::NotCached) {
            self.memory.put(key, Arc::clone(&entry));
            if let Some(store) = self.store.as_deref() {
                outer::prolong(store, key, stale, &entry).await;
            }
        }
        entry
    }

    /// Notes a refusal, where the user wants refusals to be taken as said.
    pub(crate) fn refuse(&self, key: &Key, error: &Error) {
        if let (Some(lasts), Some(403 | 404)) = (self.refusals, error.status())
            && !matches!(error, Error::Decode(_) | Error::BodyTooLarge(_))
        {
            let lasts = TimeDelta::from_std(lasts).unwrap_or(LONGEST_REFUSAL);
            let until = self.clock.now() + lasts.min(LONGEST_REFUSAL);
            self.memory.put_refusal(key, error.clone(), until);
        }
    }

    /// The headers that make a request conditional on what is kept.
    pub(crate) fn conditions(stale: &Entry) -> Vec<(http::HeaderName, http::HeaderValue)> {
        let pairs = [
            (http::header::IF_NONE_MATCH, stale.headers.etag()),
            (
                http::header::IF_MODIFIED_SINCE,
                stale.headers.get("last-modified"),
            ),
        ];
        let given = pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name, http::HeaderValue::from_str(value?).ok()?)));
        given.collect()
    }
}

//! The memory layer: bounded by the bytes of the bodies that its values were decoded from.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::{Entry, Key};
use crate::error::Error;

/// What an entry weighs beside its body: key, headers, and the map's own part.
const OVERHEAD: usize = 1024;

/// How many refusals are remembered.
const REFUSALS: u64 = 2_000;

pub(super) struct Memory {
    answers: Cache<Key, Arc<Entry>>,
    refusals: Cache<Key, Arc<(Error, DateTime<Utc>)>>,
}

impl Memory {
    pub(super) fn new(bytes: u64) -> Self {
        let answers = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_: &Key, entry: &Arc<Entry>| u32::try_from(entry.bytes + OVERHEAD).unwrap_or(u32::MAX))
            // The latest answer is the one that must not be asked for again: it always finds a place.
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self {
            answers,
            refusals: Cache::new(REFUSALS),
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.answers.get(key)
    }

    pub(super) fn put(&self, key: &Key, entry: Arc<Entry>) {
        self.answers.insert(key.clone(), entry);
        self.refusals.invalidate(key);
    }

    pub(super) fn remove(&self, key: &Key) {
        self.answers.invalidate(key);
    }

    pub(super) fn refusal(&self, key: &Key, now: DateTime<Utc>) -> Option<Error> {
        let refusal = self.refusals.get(key)?;
        let (error, until) = refusal.as_ref();
        (now < *until).then(|| error.clone())
    }

    pub(super) fn put_refusal(&self, key: &Key, error: Error, until: DateTime<Utc>) {
        self.refusals.insert(key.clone(), Arc::new((error, until)));
    }
}

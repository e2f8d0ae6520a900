//! Where answers are kept beyond the memory of one process.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::StoreFuture;

/// Keeps answers as bytes, behind the client's memory.
///
/// Several processes may share what is behind it. Nothing in it is precious: a failure costs a request to ESI, and is
/// told through `tracing`. It bounds itself: what is past its `keep_until` may go, and anything else when room is short.
pub trait CacheStore: Send + Sync + 'static {
    /// The answer under this key; none where there is none.
    fn get<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<CachedAnswer>>;

    /// Puts an answer under this key, in place of the one that is there.
    fn put<'a>(&'a self, key: &'a str, answer: CachedAnswer) -> StoreFuture<'a, ()>;

    /// Forgets what is under this key; it is no error when nothing is.
    fn remove<'a>(&'a self, key: &'a str) -> StoreFuture<'a, ()>;
}

/// An answer as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Bytes,
    /// Until when ESI stands by it, by the clock of whoever put it.
    pub fresh_until: DateTime<Utc>,
    /// Until when it is of use: for a request that asks whether it changed, or while ESI is down.
    pub keep_until: DateTime<Utc>,
}

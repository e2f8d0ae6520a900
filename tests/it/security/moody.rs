//! A store that fails, or takes its time, while it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use esikit::store::{MemoryTokenStore, Put, StoreError, StoreFuture, Stored, TokenStore};
use esikit::token::TokenSet;
use tokio::sync::Semaphore;

#[derive(Clone)]
pub struct Moody {
    pub inner: MemoryTokenStore,
    pub fails_to_read: Arc<AtomicBool>,
    pub fails_to_write: Arc<AtomicBool>,
    /// How many reads have been done, though not all of them answered.
    pub gets: Arc<AtomicUsize>,
    /// How many writes have begun.
    pub puts: Arc<AtomicUsize>,
    /// How many writes have been done, though not all of them answered.
    pub written: Arc<AtomicUsize>,
    /// Closed by a test: reads are done, and not answered.
    pub reads: Arc<Semaphore>,
    /// Closed by a test: writes are not done.
    pub writes: Arc<Semaphore>,
    /// Closed by a test: writes are done, and not answered.
    pub answers: Arc<Semaphore>,
}

impl Default for Moody {
    fn default() -> Self {
        let open = || Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self {
            inner: MemoryTokenStore::new(),
            fails_to_read: Arc::default(),
            fails_to_write: Arc::default(),
            gets: Arc::default(),
            puts: Arc::default(),
            written: Arc::default(),
            reads: open(),
            writes: open(),
            answers: open(),
        }
    }
}

impl Moody {
    pub fn written(&self) -> usize {
        self.written.load(Ordering::SeqCst)
    }

    /// The access and refresh token that it has of an identity.
    pub async fn tokens(&self, identity: &str) -> Option<(String, Option<String>)> {
        let stored = self.inner.get(identity).await.expect("it is in memory");
        stored.map(|stored| tokens(&stored.token))
    }
}

/// A token set's access and refresh token.
pub fn tokens(token: &TokenSet) -> (String, Option<String>) {
    let refresh = token.refresh_token().map(str::to_owned);
    (token.access_token().to_owned(), refresh)
}

impl TokenStore for Moody {
    fn get<'a>(&'a self, identity: &'a str) -> StoreFuture<'a, Option<Stored>> {
        Box::pin(async move {
            let got = self.inner.get(identity).await;
            self.gets.fetch_add(1, Ordering::SeqCst);
            drop(self.reads.acquire().await.map_err(StoreError::new)?);
            if self.fails_to_read.load(Ordering::SeqCst) {
                return Err(StoreError::new("the disk is gone"));
            }
            got
        })
    }

    fn put<'a>(&'a self, identity: &'a str, token: Arc<TokenSet>, expected: u64) -> StoreFuture<'a, Put> {
        Box::pin(async move {
            self.puts.fetch_add(1, Ordering::SeqCst);
            drop(self.writes.acquire().await.map_err(StoreError::new)?);
            if self.fails_to_write.load(Ordering::SeqCst) {
                return Err(StoreError::new("the disk is full"));
            }
            let put = self.inner.put(identity, token, expected).await;
            self.written.fetch_add(1, Ordering::SeqCst);
            drop(self.answers.acquire().await.map_err(StoreError::new)?);
            put
        })
    }

    fn remove<'a>(&'a self, identity: &'a str) -> StoreFuture<'a, ()> {
        self.inner.remove(identity)
    }

    fn list(&self) -> StoreFuture<'_, Vec<String>> {
        self.inner.list()
    }
}

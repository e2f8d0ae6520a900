//! What survives a process: logins, and answers.
//!
//! A lost refresh token is a login that its user must do again. So what the single sign-on hands out is written here
//! *before* anybody uses it, and a write that fails is the caller's error, not a line in a log.

#[cfg(feature = "cache")]
mod cache;
#[cfg(feature = "security")]
mod memory;
#[cfg(feature = "security")]
mod token;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

#[cfg(feature = "cache")]
pub use cache::{CacheStore, CachedAnswer};
#[cfg(feature = "security")]
pub use memory::MemoryTokenStore;
#[cfg(feature = "security")]
pub use token::{Put, Stored, TokenStore};

/// What a store's methods return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store could not do what was asked.
#[derive(Debug, Clone)]
pub struct StoreError(Arc<dyn StdError + Send + Sync>);

impl StoreError {
    /// Wraps the cause; a text will do. It must not hold a token: errors end in logs.
    pub fn new(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(cause.into().into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

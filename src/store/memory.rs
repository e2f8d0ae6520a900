//! Tokens in this process's memory: the default. They end with the process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Put, StoreFuture, Stored, TokenStore};
use crate::token::TokenSet;

/// Keeps tokens in memory. Clones share them.
#[derive(Clone, Default)]
pub struct MemoryTokenStore {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    identities: HashMap<Box<str>, Stored>,
    last_version: u64,
}

impl MemoryTokenStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TokenStore for MemoryTokenStore {
    fn get<'a>(&'a self, identity: &'a str) -> StoreFuture<'a, Option<Stored>> {
        let found = self.with(|kept| kept.identities.get(identity).cloned());
        Box::pin(std::future::ready(Ok(found)))
    }

    fn put<'a>(&'a self, identity: &'a str, token: Arc<TokenSet>, expected: u64) -> StoreFuture<'a, Put> {
        let outcome = self.with(|kept| {
            let current = kept.identities.get(identity);
            if current.map_or(0, |stored| stored.version) != expected {
                return Put::Conflict(current.cloned());
            }
            // One counter for all: an identity that is removed and comes back does not repeat a version.
            kept.last_version += 1;
            let version = kept.last_version;
            kept.identities.insert(identity.into(), Stored { token, version });
            Put::Written(version)
        });
        Box::pin(std::future::ready(Ok(outcome)))
    }

    fn remove<'a>(&'a self, identity: &'a str) -> StoreFuture<'a, ()> {
        self.with(|kept| kept.identities.remove(identity));
        Box::pin(std::future::ready(Ok(())))
    }

    fn list(&self) -> StoreFuture<'_, Vec<String>> {
        let names = self.with(|kept| kept.identities.keys().map(ToString::to_string).collect());
        Box::pin(std::future::ready(Ok(names)))
    }
}

impl fmt::Debug for MemoryTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.with(|kept| kept.identities.len());
        f.debug_struct("MemoryTokenStore")
            .field("identities", &count)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Arc<TokenSet> {
        Arc::new(TokenSet {
            access: "a".to_owned().into(),
            refresh: None,
            expires_at: None,
            claims: None,
            verified: false,
        })
    }

    #[tokio::test]
    async fn a_write_against_another_version_changes_nothing() {
        let store = MemoryTokenStore::new();
        let Ok(Put::Written(first)) = store.put("x", token(), 0).await else {
            panic!("an empty store takes it");
        };
        assert!(matches!(
            store.put("x", token(), 0).await,
            Ok(Put::Conflict(Some(Stored { version, .. }))) if version == first
        ));
        store.remove("x").await.expect("removed");
        assert!(matches!(
            store.put("x", token(), first).await,
            Ok(Put::Conflict(None))
        ));
        assert!(matches!(store.put("x", token(), 0).await, Ok(Put::Written(next)) if next > first));
        assert_eq!(store.list().await.expect("a list"), ["x"]);
    }
}

//! Where logins are kept.

use std::sync::Arc;

use super::StoreFuture;
use crate::token::TokenSet;

/// Keeps the tokens of identities, each with a version that grows by every write.
///
/// Several processes may share what is behind it. Identities are texts of the application's choice, such as
/// `character:2112625428`; keep several applications apart by a prefix of your own.
pub trait TokenStore: Send + Sync + 'static {
    /// The tokens of an identity; none where it has no login.
    fn get<'a>(&'a self, identity: &'a str) -> StoreFuture<'a, Option<Stored>>;

    /// Writes an identity's tokens, if its version is still `expected`; 0 stands for "not there".
    ///
    /// It returns only when the tokens are as safe as this store can make them.
    fn put<'a>(&'a self, identity: &'a str, token: Arc<TokenSet>, expected: u64) -> StoreFuture<'a, Put>;

    /// Forgets an identity; it is no error when it is not there.
    fn remove<'a>(&'a self, identity: &'a str) -> StoreFuture<'a, ()>;

    /// Every identity that has a login, in any order.
    fn list(&self) -> StoreFuture<'_, Vec<String>>;
}

/// An identity's tokens, as a store has them.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The tokens.
    pub token: Arc<TokenSet>,
    /// Grows by every write; never 0.
    pub version: u64,
}

/// How a [`put`](TokenStore::put) ended.
#[derive(Debug, Clone)]
pub enum Put {
    /// The tokens are kept, under this version.
    Written(u64),
    /// Somebody wrote, or removed, in between; this is there now, and nothing was changed.
    Conflict(Option<Stored>),
}

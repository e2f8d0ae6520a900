//! What happens to logins, told to whoever wants to know.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::error::Error;
use crate::token::TokenSet;

/// Something happened to a login.
#[derive(Debug)]
#[non_exhaustive]
pub enum SecurityEvent<'a> {
    /// A character logged in; its tokens are stored.
    LoggedIn {
        /// Whose tokens.
        identity: &'a str,
        /// The new tokens.
        token: &'a TokenSet,
    },
    /// A token was refreshed, and the new one is stored. Its refresh token is the one that counts from now on; its
    /// access token is empty where it was refused by the check that follows, of which another event tells.
    TokenUpdated {
        /// Whose token.
        identity: &'a str,
        /// The new tokens.
        token: &'a TokenSet,
    },
    /// A refresh failed, and the login is as good as before: it is tried again, after a pause where the single sign-on
    /// is down.
    RefreshFailed {
        /// Whose token.
        identity: &'a str,
        /// What happened.
        error: &'a Error,
    },
    /// The single sign-on refuses the refresh token: only a new login helps.
    LoginDead {
        /// Whose login.
        identity: &'a str,
    },
    /// The character has another owner than before.
    OwnerChanged {
        /// Whose login.
        identity: &'a str,
        /// The character.
        character_id: i64,
    },
}

type Callback = Arc<dyn Fn(&SecurityEvent<'_>) + Send + Sync>;

/// Everybody who wants to know.
#[derive(Default)]
pub(super) struct Subscribers {
    list: Arc<RwLock<Vec<(u64, Callback)>>>,
    next: AtomicU64,
}

impl Subscribers {
    pub(super) fn add(&self, callback: impl Fn(&SecurityEvent<'_>) + Send + Sync + 'static) -> Subscription {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        list.push((id, Arc::new(callback)));
        Subscription {
            id,
            list: Arc::downgrade(&self.list),
        }
    }

    /// Tells everybody. One that panics is none of the others' business, nor of the call that is under way.
    pub(super) fn tell(&self, event: &SecurityEvent<'_>) {
        // Called without the lock: a subscriber may subscribe, or end its own subscription.
        let everybody: Vec<Callback> = {
            let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
            list.iter().map(|(_, callback)| Arc::clone(callback)).collect()
        };
        for callback in everybody {
            if catch_unwind(AssertUnwindSafe(|| callback(event))).is_err() {
                tracing::error!("a subscriber to security events panicked");
            }
        }
    }
}

/// A subscription to events. It lasts until [`unsubscribe`](Self::unsubscribe), not until it is dropped.
#[derive(Debug)]
pub struct Subscription {
    id: u64,
    list: Weak<RwLock<Vec<(u64, Callback)>>>,
}

impl Subscription {
    /// Ends it: the subscriber is not called again, except for an event that is being told already.
    pub fn unsubscribe(self) {
        if let Some(list) = self.list.upgrade() {
            let mut list = list.write().unwrap_or_else(PoisonError::into_inner);
            list.retain(|(id, _)| *id != self.id);
        }
    }
}

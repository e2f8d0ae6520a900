//! Every identity's tokens, in memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use super::hold::Hold;
use crate::error::Error;
use crate::spec::Scope;
use crate::token::TokenSet;

/// Locks are held for a look-up; more of them than processors is enough.
const SHARDS: usize = 32;

/// What a refresh ended with, for all who waited for it.
pub(super) type Outcome = Result<Arc<TokenSet>, Error>;

/// What is known of one identity.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) token: Option<Arc<TokenSet>>,
    /// The store's version of the token; 0 where it has none.
    pub(super) version: u64,
    /// Whether the store failed to take the token.
    pub(super) unsaved: bool,
    /// Why only a new login helps.
    pub(super) dead: Option<Death>,
    /// The refresh under way.
    pub(super) flight: Option<Flight>,
    /// The refresh token that the flight is using up: what the single sign-on answers takes its place.
    pub(super) asking: Option<SecretString>,
    /// The pause after refreshes that failed.
    pub(super) hold: Option<Hold>,
    /// Another one by each login, and never one that any slot had: what began before must not replace its tokens.
    pub(super) epoch: u64,
}

impl Slot {
    /// Puts the tokens of another login in place of these: whoever is at work for these has no say any more.
    pub(super) fn replace(&mut self, token: Arc<TokenSet>, version: u64, epoch: u64) {
        self.epoch = epoch;
        self.token = Some(token);
        self.version = version;
        self.unsaved = false;
        self.dead = None;
        self.flight = None;
        self.asking = None;
    }

    /// Whether a flight is using this refresh token up.
    pub(super) fn uses_up(&self, token: &TokenSet) -> bool {
        let asking = self.asking.as_ref().map(ExposeSecret::expose_secret);
        asking.is_some() && asking == token.refresh_token()
    }
}

/// A task that is at work for an identity.
#[derive(Clone)]
pub(super) struct Flight {
    pub(super) outcome: watch::Receiver<Option<Outcome>>,
    /// The scopes of the access token that it brings, which are all where there are none; none where it brings none.
    pub(super) brings: Option<Arc<[Scope]>>,
}

/// Why a login is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// The single sign-on refuses the refresh token.
    Refused,
    /// The character has another owner.
    OwnerChanged(i64),
}

/// Identities by name.
pub(super) struct Identities {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    last_epoch: AtomicU64,
}

#[derive(Default)]
struct Shard {
    slots: HashMap<Box<str>, Slot>,
    /// How often something was to be forgotten, whether it was there or not.
    removals: u64,
}

impl Identities {
    pub(super) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            last_epoch: AtomicU64::new(0),
        }
    }

    /// Works on an identity's slot; none where it has none.
    pub(super) fn with<T>(&self, identity: &str, work: impl FnOnce(&mut Slot) -> T) -> Option<T> {
        self.in_shard(identity, |shard| shard.slots.get_mut(identity).map(work))
    }

    /// Works on an identity's slot, and makes it where it is missing.
    pub(super) fn enter<T>(&self, identity: &str, work: impl FnOnce(&mut Slot) -> T) -> T {
        self.in_shard(identity, |shard| work(self.slot(shard, identity)))
    }

    /// As `enter`, where nothing of the kind was forgotten since `removals` told this number.
    pub(super) fn enter_unless_removed(
        &self,
        identity: &str,
        removals: u64,
        work: impl FnOnce(&mut Slot),
    ) -> bool {
        self.in_shard(identity, |shard| {
            let is_same = shard.removals == removals;
            if is_same {
                work(self.slot(shard, identity));
            }
            is_same
        })
    }

    /// Changes whenever this identity, or one beside it, is removed.
    pub(super) fn removals(&self, identity: &str) -> u64 {
        self.in_shard(identity, |shard| shard.removals)
    }

    pub(super) fn remove(&self, identity: &str) {
        self.in_shard(identity, |shard| {
            shard.removals += 1;
            shard.slots.remove(identity);
        });
    }

    /// Removes an identity, unless a login came since this epoch.
    pub(super) fn remove_of(&self, identity: &str, epoch: u64) {
        self.in_shard(identity, |shard| {
            if shard.slots.get(identity).is_some_and(|slot| slot.epoch == epoch) {
                shard.removals += 1;
                shard.slots.remove(identity);
            }
        });
    }

    /// An epoch that nobody had before.
    pub(super) fn next_epoch(&self) -> u64 {
        self.last_epoch.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A number between 0 and 1 that differs from identity to identity, and from process to process.
    pub(super) fn spread(&self, identity: &str, now: i64) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "any number will do")]
        let parts = (self.hasher.hash_one((identity, now)) % 1000) as f64;
        parts / 1000.0
    }

    fn slot<'a>(&self, shard: &'a mut Shard, identity: &str) -> &'a mut Slot {
        shard.slots.entry(identity.into()).or_insert_with(|| Slot {
            epoch: self.next_epoch(),
            ..Slot::default()
        })
    }

    /// The names of those that have tokens.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let known = shard.slots.iter().filter(|(_, slot)| slot.token.is_some());
            names.extend(known.map(|(name, _)| name.to_string()));
        }
        names
    }

    fn in_shard<T>(&self, identity: &str, work: impl FnOnce(&mut Shard) -> T) -> T {
        #[allow(clippy::cast_possible_truncation, reason = "the remainder is below 32")]
        let index = (self.hasher.hash_one(identity) % SHARDS as u64) as usize;
        work(&mut self.shards[index].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

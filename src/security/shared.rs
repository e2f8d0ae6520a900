//! What all views of one single sign-on have in common.

use std::panic::resume_unwind;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::endpoints::{Directory, SsoEndpoints};
use super::event::{SecurityEvent, Subscribers};
use super::http::Http;
use super::identities::{Death, Identities};
use super::jwks::Keys;
use super::jwt::{Expected, Jwt};
use super::token_endpoint::Application;
use super::turns::Turns;
use crate::clock::Clock;
use crate::error::{Error, LoginNeeded, OwnerChanged, StoreFailed};
use crate::store::{Put, StoreError, Stored, TokenStore};
use crate::token::{Claims, TokenSet};

/// How often a write is tried again when somebody else wrote in between.
const WRITES: usize = 5;

pub(super) struct Shared {
    pub(super) application: Application,
    /// The verifier of `get_auth_uri` and `auth`; none with a secret.
    pub(super) verifier: Option<SecretString>,
    pub(super) directory: Directory,
    pub(super) http: Arc<Http>,
    pub(super) keys: Keys,
    pub(super) issuer: Option<String>,
    pub(super) esi_url: String,
    pub(super) esi_datasource: String,
    pub(super) security_name: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) identities: Identities,
    pub(super) turns: Turns,
    pub(super) subscribers: Subscribers,
    /// The single sign-on fails under more refreshes at once.
    pub(super) refreshes: Semaphore,
}

impl Shared {
    pub(super) async fn endpoints(&self) -> Arc<SsoEndpoints> {
        self.directory.settled(&self.http, self.clock.as_ref()).await
    }

    /// Checks an access token: signature, then claims.
    pub(super) async fn check(&self, access_token: &str) -> Result<Claims, Error> {
        let jwt = Jwt::parse(access_token).map_err(Error::token_invalid)?;
        let fetch = Box::pin(async {
            let endpoints = self.endpoints().await;
            self.http.get_json("signing keys", &endpoints.jwks, None).await
        });
        let clock = self.clock.as_ref();
        let key = self.keys.find(&jwt.key_id, clock, fetch).await?;
        let issuers = self.directory.issuers(self.issuer.as_deref());
        let expected = Expected {
            issuers: &issuers,
            client_id: &self.application.client_id,
            now: clock.now(),
        };
        jwt.verify(&key, &expected).map_err(Error::token_invalid)
    }

    /// Whether `check` would have to ask the single sign-on for keys.
    pub(super) fn can_check_now(&self, access_token: &str) -> bool {
        match Jwt::parse(access_token) {
            Ok(jwt) => self.keys.knows(&jwt.key_id, self.clock.as_ref()),
            Err(_) => true,
        }
    }

    pub(super) async fn identities(&self) -> Result<Vec<String>, Error> {
        let listed = self.store.list().await;
        let mut names = listed.map_err(|error| failed("*", "list", error))?;
        names.extend(self.identities.names());
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// What the store has of an identity.
    pub(super) async fn stored(&self, identity: &str) -> Result<Option<Stored>, Error> {
        let got = self.store.get(identity).await;
        got.map_err(|error| failed(identity, "read", error))
    }

    /// Brings an identity from the store into memory; false where the store has none.
    pub(super) async fn load(&self, identity: &str) -> Result<bool, Error> {
        loop {
            let removals = self.identities.removals(identity);
            let Some(stored) = self.stored(identity).await? else {
                return Ok(false);
            };
            // What was forgotten since it was read must not come back: it is read again.
            let is_in = self.identities.enter_unless_removed(identity, removals, |slot| {
                if slot.token.is_none() {
                    slot.token = Some(stored.token);
                    slot.version = stored.version;
                }
            });
            if is_in {
                return Ok(true);
            }
        }
    }

    /// Takes the login that another process has stored in place of one that is over; false where there is none.
    pub(super) async fn revive(&self, identity: &str) -> Result<bool, Error> {
        let epoch = self.identities.with(identity, |slot| slot.epoch);
        let Some(stored) = self.stored(identity).await? else {
            return Ok(false);
        };
        let is_back = self.identities.with(identity, |slot| {
            if Some(slot.epoch) == epoch && slot.dead.is_some() && slot.version != stored.version {
                slot.replace(stored.token, stored.version, self.identities.next_epoch());
            }
            slot.dead.is_none()
        });
        // Where it was forgotten in between, there is no dead one any more: look again.
        Ok(is_back.unwrap_or(true))
    }

    /// Makes the tokens that `make` returns an identity's own: first in the store, then here. It is given the newest
    /// that there are. When the store fails they are kept here all the same, to be stored by the next call.
    ///
    /// In a task of its own, so that nobody who stops waiting leaves store and memory apart.
    pub(super) async fn adopt(
        self: &Arc<Self>,
        identity: &str,
        make: impl FnOnce(&Newest) -> Result<TokenSet, Error> + Send + 'static,
    ) -> Result<Arc<TokenSet>, Error> {
        let (shared, identity) = (Arc::clone(self), Box::<str>::from(identity));
        detached(async move {
            let _turn = shared.turns.take(&identity).await;
            let newest = shared.newest(&identity).await;
            let token = Arc::new(make(&newest)?);
            let written = shared.overwrite(&identity, &token, newest.version).await;
            shared.take_over(&identity, &token, written.as_ref().ok().copied());
            written.map(|_| token)
        })
        .await
    }

    /// Puts the tokens of a login into memory, with the version that the store has them under; none where it failed.
    fn take_over(&self, identity: &str, token: &Arc<TokenSet>, written: Option<u64>) {
        self.identities.enter(identity, |slot| {
            let version = written.unwrap_or(slot.version);
            // A flight that is using this very refresh token up works for this login too, and must not be lost: what
            // the single sign-on answers is its next refresh token, and the only good one.
            if slot.uses_up(token) {
                slot.token = Some(Arc::clone(token));
                slot.version = version;
                slot.dead = None;
            } else {
                slot.replace(Arc::clone(token), version, self.identities.next_epoch());
            }
            slot.unsaved = written.is_none();
            if token.verified {
                // The single sign-on has just given it out: it is up.
                slot.hold = None;
            }
        });
    }

    /// The newest tokens of an identity, be they in the store or here.
    pub(super) async fn newest(&self, identity: &str) -> Newest {
        let stored = self.stored(identity).await;
        let here = self
            .identities
            .with(identity, |slot| (slot.token.clone(), slot.version, slot.unsaved));
        let (here, known, unsaved) = here.unwrap_or_default();
        let (stored, trouble) = match stored {
            Ok(stored) => (stored, None),
            Err(error) => (None, Some(error)),
        };
        let Some(stored) = stored else {
            let version = trouble.as_ref().map_or(0, |_| known);
            return Newest {
                token: here,
                version,
                trouble,
            };
        };
        let is_here = |token: &Arc<TokenSet>| {
            stored.version == known || (unsaved && !lasts_longer(&stored.token, token))
        };
        Newest {
            token: here.filter(is_here).or(Some(stored.token)),
            version: stored.version,
            trouble,
        }
    }

    /// Writes whatever is there: a new login stands above it.
    async fn overwrite(&self, identity: &str, token: &Arc<TokenSet>, known: u64) -> Result<u64, Error> {
        let mut version = known;
        for _ in 0..WRITES {
            let put = self.store.put(identity, Arc::clone(token), version).await;
            match put.map_err(|error| failed(identity, "write", error))? {
                Put::Written(version) => return Ok(version),
                Put::Conflict(current) => version = current.map_or(0, |stored| stored.version),
            }
        }
        Err(failed(
            identity,
            "write",
            StoreError::new("others keep writing in between"),
        ))
    }

    pub(super) fn tell(&self, event: &SecurityEvent<'_>) {
        self.subscribers.tell(event);
    }
}

/// What there is of an identity's tokens.
pub(super) struct Newest {
    pub(super) token: Option<Arc<TokenSet>>,
    /// The store's version of its tokens; 0 where it has none.
    pub(super) version: u64,
    /// Why the store could not be asked.
    pub(super) trouble: Option<Error>,
}

/// Runs in a task of its own what must not end half-way when whoever waits for it is dropped.
pub(super) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let Ok(runtime) = Handle::try_current() else {
        // Without tokio there is no network either: all that is left is memory and a store.
        return work.await;
    };
    match runtime.spawn(work).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(Error::config("runtime", "it was shut down in the middle of it")),
        },
    }
}

/// Whether tokens that somebody else has written are better than these.
pub(super) fn lasts_longer(theirs: &TokenSet, ours: &TokenSet) -> bool {
    theirs.verified && theirs.expires_at >= ours.expires_at
}

/// Whether the character has another owner than before. A token that names none says nothing new of it: the owner is
/// the one that was known.
pub(super) fn is_sold(before: &Claims, now: &mut Claims) -> bool {
    if now.owner.is_none() {
        now.owner.clone_from(&before.owner);
    }
    before.owner.is_some() && before.owner != now.owner
}

pub(super) fn failed(identity: &str, action: &'static str, error: StoreError) -> Error {
    Error::Store(Box::new(StoreFailed {
        identity: identity.to_owned(),
        action,
        source: Arc::new(error),
    }))
}

pub(super) fn login_needed(identity: &str, reason: &'static str) -> Error {
    Error::LoginNeeded(Box::new(LoginNeeded {
        operation: None,
        identity: identity.to_owned(),
        scopes: Vec::new(),
        reason,
    }))
}

pub(super) fn death(identity: &str, death: Death) -> Error {
    match death {
        Death::Refused => login_needed(identity, "the single sign-on refuses its refresh token"),
        Death::OwnerChanged(character_id) => Error::OwnerChanged(Box::new(OwnerChanged {
            identity: identity.to_owned(),
            character_id,
        })),
    }
}

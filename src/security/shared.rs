//! What all views of one single sign-on have in common.

use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::Semaphore;

use super::endpoints::{Directory, SsoEndpoints};
use super::event::{SecurityEvent, Subscribers};
use super::http::Http;
use super::identities::{Death, Identities};
use super::jwks::Keys;
use super::jwt::{Expected, Jwt};
use super::token_endpoint::Application;
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

    pub(super) async fn forget(&self, identity: &str) -> Result<(), Error> {
        self.identities.remove(identity);
        let removed = self.store.remove(identity).await;
        // A refresh that ended in between finds no slot any more and changes nothing, but a load may have.
        self.identities.remove(identity);
        removed.map_err(|error| failed(identity, "remove", error))
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
                slot.epoch = self.identities.next_epoch();
                slot.token = Some(stored.token);
                slot.version = stored.version;
                slot.unsaved = false;
                slot.dead = None;
            }
            slot.dead.is_none()
        });
        // Where it was forgotten in between, there is no dead one any more: look again.
        Ok(is_back.unwrap_or(true))
    }

    /// Makes the tokens of a login an identity's own: first in the store, then here. When the store fails they are
    /// kept here all the same, to be stored by the next call.
    pub(super) async fn adopt(&self, identity: &str, token: TokenSet) -> Result<Arc<TokenSet>, Error> {
        let token = Arc::new(token);
        // From here on, a refresh of the old tokens has no say any more.
        let known = self.identities.enter(identity, |slot| {
            slot.epoch = self.identities.next_epoch();
            slot.version
        });
        let outcome = self.overwrite(identity, &token, known).await;
        self.identities.enter(identity, |slot| {
            slot.epoch = self.identities.next_epoch();
            slot.token = Some(Arc::clone(&token));
            slot.dead = None;
            slot.flight = None;
            slot.unsaved = outcome.is_err();
            slot.version = *outcome.as_ref().unwrap_or(&slot.version);
        });
        outcome.map(|_| token)
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

//! The end of a login: revoking and forgetting.

use std::sync::Arc;

use super::flight::Landing;
use super::shared::{Shared, detached, failed};
use crate::error::Error;
use crate::token::TokenSet;

impl Shared {
    /// Revokes the newest tokens of an identity, and forgets them. In a task of its own: a login that is revoked must
    /// not stay in the store because somebody stopped waiting.
    pub(super) async fn revoke(self: &Arc<Self>, identity: &str) -> Result<u16, Error> {
        let (shared, identity) = (Arc::clone(self), Box::<str>::from(identity));
        detached(async move {
            // Until it is dropped nobody begins a refresh, whose answer would outlive the revocation.
            let (_alone, epoch) = shared.alone(&identity).await?;
            let outcome = shared.revoke_newest(&identity).await;
            if matches!(outcome, Err(Error::Argument(_))) {
                return outcome;
            }
            let forgotten = shared.forget_login(&identity, epoch).await;
            let status = outcome?;
            forgotten.map(|()| status)
        })
        .await
    }

    /// Waits for whoever is at work for an identity, and takes the place; beside it, which login that is.
    async fn alone(self: &Arc<Self>, identity: &str) -> Result<(Landing, u64), Error> {
        loop {
            let found = self.identities.with(identity, |slot| match &slot.flight {
                Some(flight) => Err(flight.outcome.clone()),
                None => Ok((Landing::new(Arc::clone(self), identity, slot, None), slot.epoch)),
            });
            match found {
                Some(Ok(place)) => return Ok(place),
                Some(Err(mut flight)) => drop(flight.wait_for(Option::is_some).await),
                None if self.load(identity).await? => {}
                None => return Err(no_tokens(identity)),
            }
        }
    }

    async fn revoke_newest(&self, identity: &str) -> Result<u16, Error> {
        let newest = self.newest(identity).await;
        let token = match (newest.token, &newest.trouble) {
            (Some(token), _) => token,
            (None, Some(error)) => return Err(error.clone()),
            (None, None) => return Err(no_tokens(identity)),
        };
        let (text, hint) = revocable(&token).ok_or_else(|| no_tokens(identity))?;
        let endpoints = self.endpoints().await;
        let revoked = self
            .application
            .revoke(&self.http, &endpoints, text, hint)
            .await?;
        // A store that could not be read may have had a newer one.
        newest.trouble.map_or(Ok(revoked), Err)
    }

    /// Forgets an identity, whatever it is at.
    pub(super) async fn forget(self: &Arc<Self>, identity: &str) -> Result<(), Error> {
        self.identities.remove(identity);
        let (shared, identity) = (Arc::clone(self), Box::<str>::from(identity));
        detached(async move {
            let _turn = shared.turns.take(&identity).await;
            shared.remove(&identity).await
        })
        .await
    }

    /// Forgets this login, and not one that came since.
    async fn forget_login(&self, identity: &str, epoch: u64) -> Result<(), Error> {
        let _turn = self.turns.take(identity).await;
        match self.identities.with(identity, |slot| slot.epoch) {
            Some(other) if other != epoch => Ok(()),
            _ => self.remove(identity).await,
        }
    }

    /// In the identity's turn, which the caller has.
    async fn remove(&self, identity: &str) -> Result<(), Error> {
        self.identities.remove(identity);
        let removed = self.store.remove(identity).await;
        // Somebody may have read it from the store in between.
        self.identities.remove(identity);
        removed.map_err(|error| failed(identity, "remove", error))
    }
}

/// What to revoke, and of which kind it is: with the refresh token all that came of it ends.
fn revocable(token: &TokenSet) -> Option<(&str, &'static str)> {
    let access = token.access_token();
    match token.refresh_token() {
        Some(refresh) => Some((refresh, "refresh_token")),
        None if access.is_empty() => None,
        None => Some((access, "access_token")),
    }
}

fn no_tokens(identity: &str) -> Error {
    Error::argument("revoke", "identity", format!("{identity:?} has no tokens"))
}

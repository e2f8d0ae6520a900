//! One task's work for one identity: refresh, save or verify.
//!
//! It is a task of its own, so that whoever waits for it may be dropped without harm. Its order is fixed: ask the
//! single sign-on, write to the store, publish in memory, wake everybody. Nothing that may fail or take long stands
//! between the answer and the write.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::watch;

use super::event::SecurityEvent;
use super::hold::Hold;
use super::identities::{Death, Flight, Outcome, Slot};
use super::refresh::MARGIN;
use super::shared::{Shared, death, failed, is_sold, lasts_longer, login_needed};
use crate::error::{Error, TokenFault};
use crate::spec::Scope;
use crate::store::{Put, Stored};
use crate::token::{Claims, TokenSet};

/// What a task does.
pub(super) enum Work {
    /// Takes a new access token, for these scopes; for all where there are none.
    Refresh(Arc<[Scope]>),
    /// Writes a token that the store failed to take.
    Save,
    /// Checks a token that came back from a store, or came when the keys were not to be had.
    Verify,
}

impl Work {
    /// The scopes of the new access token; none where it brings none.
    pub(super) fn brings(&self) -> Option<Arc<[Scope]>> {
        match self {
            Self::Refresh(scopes) => Some(Arc::clone(scopes)),
            Self::Save | Self::Verify => None,
        }
    }
}

/// Where a task begins.
pub(super) struct Begin {
    token: Arc<TokenSet>,
    version: u64,
    epoch: u64,
}

impl Begin {
    pub(super) fn new(slot: &Slot) -> Option<Self> {
        Some(Self {
            token: slot.token.clone()?,
            version: slot.version,
            epoch: slot.epoch,
        })
    }
}

/// The end of a task: whatever happens, its flight is over and everybody is woken.
pub(super) struct Landing {
    shared: Arc<Shared>,
    identity: Box<str>,
    sender: watch::Sender<Option<Outcome>>,
    flight: Flight,
}

impl Landing {
    /// The end of a flight that begins here, and is noted in its slot so that nobody begins another.
    pub(super) fn new(
        shared: Arc<Shared>,
        identity: &str,
        slot: &mut Slot,
        brings: Option<Arc<[Scope]>>,
    ) -> Self {
        let (sender, outcome) = watch::channel(None);
        let flight = Flight { outcome, brings };
        slot.flight = Some(flight.clone());
        Self {
            shared,
            identity: identity.into(),
            sender,
            flight,
        }
    }

    pub(super) fn flight(&self) -> Flight {
        self.flight.clone()
    }

    /// An outcome that a newer login made void is nobody's: whoever waits for it is woken, and looks again.
    pub(super) async fn fly(self, begin: Begin, work: Work) {
        let epoch = begin.epoch;
        let outcome = match work {
            Work::Refresh(scopes) => self.shared.renew(&self.identity, begin, &scopes).await,
            Work::Save => self.shared.save(&self.identity, begin).await,
            Work::Verify => self.shared.prove(&self.identity, begin).await,
        };
        if self.end() == Some(epoch) {
            self.sender.send_replace(Some(outcome));
        }
    }

    /// Ends the flight; the identity's epoch at that moment.
    fn end(&self) -> Option<u64> {
        self.shared.identities.with(&self.identity, |slot| {
            let is_this = |flight: &Flight| flight.outcome.same_channel(&self.flight.outcome);
            if slot.flight.as_ref().is_some_and(is_this) {
                slot.flight = None;
                slot.asking = None;
            }
            slot.epoch
        })
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.end();
    }
}

/// How the store took a token.
enum Written {
    /// It has it.
    Ours,
    /// It has a newer one, from another process.
    Theirs(Arc<TokenSet>),
}

impl Shared {
    async fn renew(&self, identity: &str, mut begin: Begin, scopes: &[Scope]) -> Outcome {
        let _permit = self.refreshes.acquire().await;
        let newer = self.newer(identity, &mut begin).await?;
        if let Some(newer) = newer.filter(|newer| newer.verified && scopes.is_empty()) {
            return self.publish(identity, &begin, newer, false);
        }
        let next = self.ask(identity, &mut begin, scopes).await?;
        self.settle(identity, begin, next).await
    }

    /// What another process has refreshed in the meantime, where it lasts; where it does not, its refresh token is
    /// the one to go on with.
    async fn newer(&self, identity: &str, begin: &mut Begin) -> Result<Option<Arc<TokenSet>>, Error> {
        let stored = self.stored(identity).await?;
        if self.identities.with(identity, |slot| slot.epoch) != Some(begin.epoch) {
            // What is stored is the newer login's: not this one's to use up.
            return Err(replaced(identity));
        }
        match stored {
            Some(stored) if stored.version == begin.version => Ok(None),
            Some(stored) => {
                let is_other = stored.token.access_token() != begin.token.access_token();
                begin.version = stored.version;
                begin.token = stored.token;
                let lasts = !begin.token.is_expired(self.clock.now(), MARGIN);
                Ok((is_other && lasts).then(|| Arc::clone(&begin.token)))
            }
            None if begin.version == 0 => Ok(None),
            None => Err(self.forgotten(identity, begin)),
        }
    }

    /// Asks the single sign-on. What it answers has this login's claims, but is not verified.
    async fn ask(&self, identity: &str, begin: &mut Begin, scopes: &[Scope]) -> Result<TokenSet, Error> {
        let endpoints = self.endpoints().await;
        let mut was_replaced = false;
        loop {
            let Some(refresh_token) = begin.token.refresh_token() else {
                return Err(login_needed(identity, "it has no refresh token"));
            };
            self.begin_asking(identity, begin)?;
            let now = self.clock.now();
            let answer = self
                .application
                .refresh(&self.http, &endpoints, refresh_token, scopes, now)
                .await;
            match answer {
                Ok(mut next) => {
                    self.hold_back(identity, begin, None);
                    next.refresh = next.refresh.or_else(|| begin.token.refresh.clone());
                    next.claims.clone_from(&begin.token.claims);
                    return Ok(next);
                }
                Err(Error::Sso(refusal)) if refusal.code == "invalid_grant" => {
                    // Another process may have used this refresh token a moment ago, and have the next one.
                    let refused = begin.token.refresh_token().map(str::to_owned);
                    let _ = self.newer(identity, begin).await?;
                    if was_replaced || begin.token.refresh_token() == refused.as_deref() {
                        return Err(self.bury(identity, begin, Death::Refused));
                    }
                    was_replaced = true;
                }
                Err(error) => {
                    self.hold_back(identity, begin, Some(&error));
                    return Err(self.report(identity, error));
                }
            }
        }
    }

    /// Notes which refresh token is being used up, unless a login has replaced it in the meantime. It may be that of a
    /// login that is stored, and not published yet: that one finds the note, and lets this flight go on.
    fn begin_asking(&self, identity: &str, begin: &Begin) -> Result<(), Error> {
        let is_begun = self.identities.with(identity, |slot| {
            let is_same = slot.epoch == begin.epoch;
            if is_same {
                slot.asking.clone_from(&begin.token.refresh);
            }
            is_same
        });
        if is_begun == Some(true) {
            return Ok(());
        }
        Err(replaced(identity))
    }

    /// Begins a pause after an error that waiting may help; ends it where there was none.
    fn hold_back(&self, identity: &str, begin: &Begin, error: Option<&Error>) {
        let now = self.clock.now();
        let spread = self.identities.spread(identity, now.timestamp_millis());
        self.identities.with(identity, |slot| {
            if slot.epoch == begin.epoch {
                slot.hold = error.and_then(|error| Hold::after(slot.hold.as_ref(), error, now, spread));
            }
        });
    }

    /// A refresh that nobody asked for: not during a pause.
    async fn renew_unless_held(&self, identity: &str, begin: Begin) -> Outcome {
        let now = self.clock.now();
        let held = self
            .identities
            .with(identity, |slot| slot.hold.as_ref()?.error_at(now).cloned());
        match held.flatten() {
            Some(error) => Err(error),
            None => self.renew(identity, begin, &[]).await,
        }
    }

    /// Saves what came, verifies it, and publishes it.
    async fn settle(&self, identity: &str, mut begin: Begin, mut next: TokenSet) -> Outcome {
        if !self.can_check_now(next.access_token()) {
            // The keys must be asked for first: until then, what came is safe.
            let unverified = Arc::new(next.clone());
            let _turn = self.turns.take(identity).await;
            match self.write(identity, &mut begin, &unverified).await {
                Ok(Written::Ours) => {}
                Ok(Written::Theirs(theirs)) => return self.publish(identity, &begin, theirs, false),
                Err(error) => {
                    self.publish(identity, &begin, unverified, true)?;
                    return Err(error);
                }
            }
        }
        let checked = self.check(next.access_token()).await;
        match checked.and_then(|claims| same_login(next.claims(), claims)) {
            Ok(claims) => {
                next.claims = Some(Box::new(claims));
                next.verified = true;
                self.rotate(identity, &mut begin, next).await
            }
            Err(Error::OwnerChanged(changed)) => {
                self.rotate(identity, &mut begin, next.without_access()).await?;
                Err(self.bury(identity, &begin, Death::OwnerChanged(changed.character_id)))
            }
            Err(error @ Error::TokenInvalid(_)) => {
                // The access token is of no use; the refresh token that came with it may be the only good one.
                self.rotate(identity, &mut begin, next.without_access()).await?;
                Err(self.report(identity, error))
            }
            Err(error) => {
                self.rotate(identity, &mut begin, next).await?;
                Err(self.report(identity, error))
            }
        }
    }

    /// Checks a token whose claims are not verified; where it does not hold, a refresh may help.
    async fn prove(&self, identity: &str, mut begin: Begin) -> Outcome {
        let mut token = TokenSet::clone(&begin.token);
        let checked = self.check(token.access_token()).await;
        match checked.and_then(|claims| same_login(token.claims(), claims)) {
            Ok(claims) => {
                token.claims = Some(Box::new(claims));
                token.verified = true;
                self.keep(identity, &mut begin, Arc::new(token)).await
            }
            Err(Error::OwnerChanged(changed)) => {
                Err(self.bury(identity, &begin, Death::OwnerChanged(changed.character_id)))
            }
            Err(Error::TokenInvalid(_)) if token.refresh.is_some() => {
                self.renew_unless_held(identity, begin).await
            }
            Err(error) => Err(error),
        }
    }

    /// Writes what the store failed to take before.
    async fn save(&self, identity: &str, mut begin: Begin) -> Outcome {
        let token = TokenSet::clone(&begin.token);
        let token = self.rotate(identity, &mut begin, token).await?;
        if token.verified && !token.is_expired(self.clock.now(), TimeDelta::zero()) {
            return Ok(token);
        }
        let begin = Begin { token, ..begin };
        if begin.token.access_token().is_empty() || begin.token.is_expired(self.clock.now(), MARGIN) {
            return self.renew_unless_held(identity, begin).await;
        }
        self.prove(identity, begin).await
    }

    /// Keeps what the single sign-on gave, and tells of it, unless another process had something newer.
    async fn rotate(&self, identity: &str, begin: &mut Begin, token: TokenSet) -> Outcome {
        let token = Arc::new(token);
        let kept = self.keep(identity, begin, Arc::clone(&token)).await?;
        if Arc::ptr_eq(&kept, &token) {
            self.tell(&SecurityEvent::TokenUpdated {
                identity,
                token: &kept,
            });
        }
        Ok(kept)
    }

    /// Writes, then publishes. Where the write fails, the token is published as one that nobody may use before it is
    /// written.
    async fn keep(&self, identity: &str, begin: &mut Begin, token: Arc<TokenSet>) -> Outcome {
        let _turn = self.turns.take(identity).await;
        match self.write(identity, begin, &token).await {
            Ok(Written::Ours) => self.publish(identity, begin, token, false),
            Ok(Written::Theirs(theirs)) => self.publish(identity, begin, theirs, false),
            Err(error) => {
                self.publish(identity, begin, token, true)?;
                Err(error)
            }
        }
    }

    /// In the identity's turn, which the caller has.
    async fn write(
        &self,
        identity: &str,
        begin: &mut Begin,
        token: &Arc<TokenSet>,
    ) -> Result<Written, Error> {
        loop {
            if !self.catch_up(identity, begin) {
                return Err(replaced(identity));
            }
            let put = self.store.put(identity, Arc::clone(token), begin.version).await;
            match put.map_err(|error| failed(identity, "write", error))? {
                Put::Written(version) => {
                    begin.version = version;
                    return Ok(Written::Ours);
                }
                Put::Conflict(None) => return Err(self.forgotten(identity, begin)),
                Put::Conflict(Some(Stored {
                    token: theirs,
                    version,
                })) => {
                    begin.version = version;
                    if lasts_longer(&theirs, token) {
                        return Ok(Written::Theirs(theirs));
                    }
                }
            }
        }
    }

    /// Makes a token the identity's, unless a login has replaced it in the meantime.
    fn publish(&self, identity: &str, begin: &Begin, token: Arc<TokenSet>, unsaved: bool) -> Outcome {
        let published = self.identities.with(identity, |slot| {
            (slot.epoch == begin.epoch).then(|| {
                slot.version = begin.version;
                slot.unsaved = unsaved;
                slot.token = Some(Arc::clone(&token));
                token
            })
        });
        published.flatten().ok_or_else(|| replaced(identity))
    }

    /// Takes over the version of what was written for the same login since; false where another login has come.
    fn catch_up(&self, identity: &str, begin: &mut Begin) -> bool {
        let is_same = self.identities.with(identity, |slot| {
            begin.version = begin.version.max(slot.version);
            slot.epoch == begin.epoch
        });
        is_same == Some(true)
    }

    /// The store has the identity no more: another process has forgotten it.
    fn forgotten(&self, identity: &str, begin: &Begin) -> Error {
        self.identities.remove_of(identity, begin.epoch);
        login_needed(identity, "it was forgotten")
    }

    /// Marks a login that only a new one can replace.
    fn bury(&self, identity: &str, begin: &Begin, why: Death) -> Error {
        let is_buried = self.identities.with(identity, |slot| {
            let is_same = slot.epoch == begin.epoch;
            if is_same {
                slot.dead = Some(why);
                // Whatever the store has beside this one may be a new login, by another process.
                slot.version = begin.version;
            }
            is_same
        });
        if is_buried == Some(true) {
            self.tell(&match why {
                Death::Refused => SecurityEvent::LoginDead { identity },
                Death::OwnerChanged(character_id) => SecurityEvent::OwnerChanged {
                    identity,
                    character_id,
                },
            });
        }
        death(identity, why)
    }

    fn report(&self, identity: &str, error: Error) -> Error {
        self.tell(&SecurityEvent::RefreshFailed {
            identity,
            error: &error,
        });
        error
    }
}

/// The end of a task whose outcome nobody is told.
fn replaced(identity: &str) -> Error {
    login_needed(identity, "it was forgotten, or logged in again, in the meantime")
}

/// A token's claims, where they are the same login's as before.
fn same_login(before: Option<&Claims>, mut now: Claims) -> Result<Claims, Error> {
    let Some(before) = before else { return Ok(now) };
    if before.character_id != now.character_id {
        return Err(Error::token_invalid(TokenFault::OtherCharacter));
    }
    if is_sold(before, &mut now) {
        return Err(death("", Death::OwnerChanged(now.character_id)));
    }
    Ok(now)
}

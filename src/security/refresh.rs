//! Getting a token that can be used: from memory, from the store, or by a refresh, one per identity at a time.

use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::flight::{Begin, Landing, Work};
use super::hold::is_transient;
use super::http::unavailable;
use super::identities::{Death, Flight, Outcome, Slot};
use super::shared::{Shared, death, login_needed};
use crate::error::{Error, Phase};
use crate::spec::Scope;

/// An access token that ends sooner is refreshed before it is used.
pub(super) const MARGIN: TimeDelta = TimeDelta::seconds(60);

/// What somebody wants of an identity.
#[derive(Clone)]
pub(super) enum Want {
    /// To know who it is; the access token may be expired.
    Claims,
    /// A verified access token that lasts a minute.
    Fresh,
    /// Another access token than this one, which was refused.
    Another(SecretString),
    /// A new access token that allows only this; all that the login allows where nothing is said.
    New(Arc<[Scope]>),
}

impl Want {
    /// Whether the outcome of this flight is what is wanted, and not only something to wait for.
    fn is_met_by(&self, flight: &Flight) -> bool {
        let brings = flight.brings.as_deref();
        match self {
            Self::Claims | Self::Fresh => true,
            Self::Another(_) => brings.is_some(),
            Self::New(scopes) => brings.is_some_and(|brings| is_same_set(brings, scopes)),
        }
    }
}

/// What to do about it.
enum Step {
    Ready(Outcome),
    /// Nothing is in memory.
    Load,
    /// The login that is in memory is over.
    Dead(Death),
    /// A task is at it; whether its outcome is what is wanted.
    Wait(watch::Receiver<Option<Outcome>>, bool),
}

/// A task, and where it will run.
type Task = (Handle, Pin<Box<dyn Future<Output = ()> + Send>>);

enum Choice {
    Ready(Outcome),
    Load,
    Dead(Death),
    Join(Flight),
    Start(Work),
}

impl Shared {
    /// The identity's token as `want` asks for it.
    ///
    /// Whoever waits for a flight that was begun for something else looks again when it has landed, and that as often
    /// as others are faster: each time, somebody got what they wanted.
    pub(super) async fn token(self: &Arc<Self>, identity: &str, want: Want) -> Outcome {
        const TRIES: usize = 8;
        let mut cut_short = 0;
        while cut_short < TRIES {
            match self.step(identity, &want) {
                Step::Ready(outcome) => return outcome,
                Step::Load if self.load(identity).await? => {}
                Step::Load => return Err(login_needed(identity, "it has none")),
                Step::Dead(_) if self.revive(identity).await? => {}
                Step::Dead(why) => return Err(death(identity, why)),
                Step::Wait(mut flight, is_met) => {
                    let landed = flight.wait_for(Option::is_some).await;
                    match landed.ok().and_then(|outcome| outcome.clone()) {
                        Some(outcome) if is_met && self.answers(identity, &want, &outcome) => {
                            return self.or_still_good(identity, &want, outcome);
                        }
                        // The new token is in memory only: nobody goes on before it is safe.
                        Some(Err(error @ Error::Store(_))) => return Err(error),
                        Some(_) => {}
                        // It ended early, with its runtime, or a newer login made it void.
                        None => cut_short += 1,
                    }
                }
            }
        }
        let reason = "it was cut short again and again".to_owned();
        let error = unavailable("refresh", reason, None, Phase::Token);
        Err(Error::SsoUnavailable(Box::new(error)))
    }

    fn step(self: &Arc<Self>, identity: &str, want: &Want) -> Step {
        let now = self.clock.now();
        let mut begun = None;
        let step = self
            .identities
            .with(identity, |slot| match choose(identity, slot, now, want) {
                Choice::Ready(outcome) => Step::Ready(outcome),
                Choice::Load => Step::Load,
                Choice::Dead(why) => Step::Dead(why),
                Choice::Join(flight) => {
                    let is_met = want.is_met_by(&flight);
                    Step::Wait(flight.outcome, is_met)
                }
                Choice::Start(work) => match self.prepare(identity, slot, work) {
                    Ok((task, flight)) => {
                        begun = Some(task);
                        let is_met = want.is_met_by(&flight);
                        Step::Wait(flight.outcome, is_met)
                    }
                    Err(error) => Step::Ready(Err(error)),
                },
            });
        // Not under the lock: a runtime that is shutting down drops the task here and now, and dropping it locks.
        if let Some((runtime, task)) = begun {
            runtime.spawn(task);
        }
        step.unwrap_or(Step::Load)
    }

    /// A task for an identity, noted in its slot so that nobody begins another, but not running yet.
    fn prepare(
        self: &Arc<Self>,
        identity: &str,
        slot: &mut Slot,
        work: Work,
    ) -> Result<(Task, Flight), Error> {
        let runtime = Handle::try_current().map_err(|_| {
            let reason = "a token can be refreshed inside of a tokio runtime only";
            Error::config("runtime", reason)
        })?;
        let begin = Begin::new(slot).ok_or_else(|| login_needed(identity, "it has none"))?;
        let landing = Landing::new(Arc::clone(self), identity, slot, work.brings());
        let flight = landing.flight();
        let task: Task = (runtime, Box::pin(landing.fly(begin, work)));
        Ok((task, flight))
    }

    /// Whether what a task ended with is what `want` asks for: nobody uses a token that was not checked, nor one that
    /// is over where there is a newer one.
    fn answers(&self, identity: &str, want: &Want, outcome: &Outcome) -> bool {
        let Ok(token) = outcome else { return true };
        if !matches!(want, Want::Fresh | Want::Another(_)) {
            return true;
        }
        let is_newest = || {
            let is_this = |slot: &mut Slot| slot.token.as_ref().is_some_and(|now| Arc::ptr_eq(now, token));
            self.identities.with(identity, is_this) == Some(true)
        };
        token.verified && (!token.is_expired(self.clock.now(), TimeDelta::zero()) || is_newest())
    }

    /// When the single sign-on is down in a token's last minute, that minute still counts.
    fn or_still_good(&self, identity: &str, want: &Want, outcome: Outcome) -> Outcome {
        if !matches!(want, Want::Fresh) || !outcome.as_ref().is_err_and(is_transient) {
            return outcome;
        }
        let now = self.clock.now();
        let is_good = |slot: &&mut Slot| {
            let token = slot.token.as_ref();
            !slot.unsaved
                && token.is_some_and(|token| token.verified && !token.is_expired(now, TimeDelta::zero()))
        };
        let good = self.identities.with(identity, |slot| {
            Some(slot).filter(is_good).and_then(|slot| slot.token.clone())
        });
        good.flatten().map_or(outcome, Ok)
    }
}

/// The decision, by what is in memory.
fn choose(identity: &str, slot: &Slot, now: DateTime<Utc>, want: &Want) -> Choice {
    if let Some(why) = slot.dead {
        return Choice::Dead(why);
    }
    let Some(token) = &slot.token else {
        return Choice::Load;
    };
    let lasts = !token.is_expired(now, MARGIN);
    let is_wanted = match want {
        Want::Claims => token.claims.is_some(),
        Want::Fresh => lasts && token.verified && !slot.unsaved,
        Want::Another(refused) => {
            lasts && token.verified && !slot.unsaved && token.access_token() != refused.expose_secret()
        }
        Want::New(_) => false,
    };
    if is_wanted {
        return Choice::Ready(Ok(Arc::clone(token)));
    }
    if let Some(flight) = &slot.flight {
        return Choice::Join(flight.clone());
    }
    if slot.unsaved {
        return Choice::Start(Work::Save);
    }
    let is_good = !token.is_expired(now, TimeDelta::zero());
    match want {
        Want::Claims | Want::Fresh if is_good && !token.verified && (lasts || token.refresh.is_none()) => {
            Choice::Start(Work::Verify)
        }
        // Without a refresh token, the last minute is used too.
        Want::Fresh if is_good && token.refresh.is_none() => Choice::Ready(Ok(Arc::clone(token))),
        _ if token.refresh.is_none() => {
            let reason = "its access token is over, and it has no refresh token";
            Choice::Ready(Err(login_needed(identity, reason)))
        }
        Want::New(scopes) => Choice::Start(Work::Refresh(Arc::clone(scopes))),
        Want::Claims | Want::Fresh | Want::Another(_) => {
            match slot.hold.as_ref().and_then(|hold| hold.error_at(now)) {
                Some(_) if matches!(want, Want::Fresh) && is_good && token.verified => {
                    Choice::Ready(Ok(Arc::clone(token)))
                }
                Some(error) => Choice::Ready(Err(error.clone())),
                None => Choice::Start(Work::Refresh(Arc::default())),
            }
        }
    }
}

/// Whether two lists name the same scopes, in whatever order.
fn is_same_set(some: &[Scope], others: &[Scope]) -> bool {
    some.iter().all(|scope| others.contains(scope)) && others.iter().all(|scope| some.contains(scope))
}

//! Getting a token that can be used: from memory, from the store, or by a refresh, one per identity at a time.

use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::flight::{Begin, Landing, Work};
use super::identities::{Death, Flight, Outcome, Slot};
use super::shared::{Shared, death, login_needed};
use crate::error::Error;
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
    /// A new access token; not this one, which was refused.
    Another(Option<SecretString>),
    /// A new access token that allows only this.
    Scopes(Box<[Scope]>),
}

/// What to do about it.
enum Step {
    Ready(Outcome),
    /// Nothing is in memory.
    Load,
    /// The login that is in memory is over.
    Dead(Death),
    /// A task is at it; whether it was begun for this very wish.
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
    pub(super) async fn token(self: &Arc<Self>, identity: &str, want: Want) -> Outcome {
        const ROUNDS: usize = 8;
        for _ in 0..ROUNDS {
            match self.step(identity, &want) {
                Step::Ready(outcome) => return outcome,
                Step::Load if self.load(identity).await? => {}
                Step::Load => return Err(login_needed(identity, "it has none")),
                Step::Dead(_) if self.revive(identity).await? => {}
                Step::Dead(why) => return Err(death(identity, why)),
                Step::Wait(mut flight, answers) => {
                    let landed = flight.wait_for(Option::is_some).await;
                    let landed = landed.ok().and_then(|outcome| outcome.clone());
                    match landed.filter(|_| answers) {
                        Some(outcome) if self.answers(identity, &want, &outcome) => {
                            return self.or_still_good(identity, &want, outcome);
                        }
                        // It was for something else, ended early with its runtime, or is out of date: look again.
                        _ => continue,
                    }
                }
            }
        }
        Err(login_needed(
            identity,
            "its refresh was cut short again and again",
        ))
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
                    let answers = match want {
                        Want::Claims | Want::Fresh => true,
                        Want::Another(_) => flight.renews,
                        Want::Scopes(_) => false,
                    };
                    Step::Wait(flight.outcome, answers)
                }
                Choice::Start(work) => {
                    let answers = work.renews() || matches!(want, Want::Claims | Want::Fresh);
                    match self.prepare(identity, slot, work) {
                        Ok((task, outcome)) => {
                            begun = Some(task);
                            Step::Wait(outcome, answers)
                        }
                        Err(error) => Step::Ready(Err(error)),
                    }
                }
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
    ) -> Result<(Task, watch::Receiver<Option<Outcome>>), Error> {
        let runtime = Handle::try_current().map_err(|_| {
            let reason = "a token can be refreshed inside of a tokio runtime only";
            Error::config("runtime", reason)
        })?;
        let begin = Begin::new(slot).ok_or_else(|| login_needed(identity, "it has none"))?;
        let (sender, outcome) = watch::channel(None);
        slot.flight = Some(Flight {
            outcome: outcome.clone(),
            renews: work.renews(),
        });
        let landing = Landing::new(Arc::clone(self), identity, sender, outcome.clone());
        let task: Task = (runtime, Box::pin(landing.fly(begin, work)));
        Ok((task, outcome))
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
        let Err(Error::SsoUnavailable(_)) = &outcome else {
            return outcome;
        };
        let now = self.clock.now();
        let current = self
            .identities
            .with(identity, |slot| slot.token.clone())
            .flatten();
        let good = current.filter(|token| token.verified && !token.is_expired(now, TimeDelta::zero()));
        match (want, good) {
            (Want::Fresh, Some(token)) => Ok(token),
            _ => outcome,
        }
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
        Want::Another(Some(refused)) => {
            lasts && token.verified && !slot.unsaved && token.access_token() != refused.expose_secret()
        }
        Want::Another(None) | Want::Scopes(_) => false,
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
        Want::Scopes(scopes) => Choice::Start(Work::Refresh(scopes.clone())),
        _ => Choice::Start(Work::Refresh(Box::default())),
    }
}

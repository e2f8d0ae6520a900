//! ESI's two rate limits, and the pauses that it asks for: when a request may be sent.
//!
//! - *Buckets*: one for each group of operations and principal; tokens come back a window after they were spent.
//! - *Error limit*: for operations without a bucket, so many failures a minute from one address. Beyond it, everything is
//!   closed.
//! - *Pauses* of one operation and principal, which the game server asks for.
//!
//! Every attempt takes a [`Permit`], which reserves the worst that it can cost, and settles it with what came. What is
//! reserved is never more than what is left, so that no answer can bring a surprise.
//!
//! [`bucket`], [`error_limit`] and [`closure`] each know one rule and are handed the time; [`ledger`] keeps the books of all
//! three, [`turns`] says whose turn it is, and [`gate`] lets requests through.

mod answer;
mod bucket;
mod closure;
mod error_limit;
mod gate;
mod ledger;
mod routes;
mod turns;

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use self::gate::{Entry, Gate, Look, Standing};
use self::ledger::Reservation;
use self::turns::LaneKey;
pub(crate) use crate::error::Limit;
use crate::headers::Headers;
use crate::operation::Operation;

/// What a user may set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// How many requests are under way at once, at most.
    pub(crate) concurrency: usize,
    /// How many failures a window of the error limit must have left, always.
    pub(crate) reserve: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 20,
            reserve: 10,
        }
    }
}

/// The limits of one client.
#[derive(Debug)]
pub(crate) struct Limits {
    gate: Mutex<Gate>,
}

/// What is closed, and for how long: at least that, and zero when it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) limit: Limit,
    pub(crate) wait: Duration,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome<'a> {
    /// It never left: no connection, for one. It costs nothing.
    NotSent,
    /// It was sent, or may have been, and nothing came. It costs the worst.
    NoAnswer,
    /// ESI answered.
    Answered {
        status: u16,
        headers: &'a Headers,
        body: &'a [u8],
    },
}

impl Limits {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            gate: Mutex::new(Gate::new(settings)),
        }
    }

    /// Waits until a request may be sent. The principal is empty for an anonymous call.
    ///
    /// `tell` is called whenever a wait begins whose end is known. The future may be dropped at any point.
    ///
    /// # Errors
    ///
    /// What is closed, when it is known to stay closed beyond `patience` (at once), or when no turn has come at the
    /// `deadline`.
    pub(crate) async fn admit(
        self: &Arc<Self>,
        operation: &'static Operation,
        principal: &Arc<str>,
        deadline: Instant,
        patience: Instant,
        tell: &(dyn Fn(&Closed) + Send + Sync),
    ) -> Result<Permit, Closed> {
        let key = LaneKey {
            principal: Arc::clone(principal),
            operation,
        };
        match self.with(|gate| gate.enter(&key, Instant::now())) {
            Entry::Granted(reservation) => Ok(Permit::new(self, reservation)),
            Entry::Queued(ticket) => {
                let limits = self;
                Place { limits, key, ticket }.wait(deadline, patience, tell).await
            }
        }
    }

    /// Works on the state, and wakes whom that concerns when the lock is released.
    fn with<R>(&self, work: impl FnOnce(&mut Gate) -> R) -> R {
        let (result, (wakers, _retired)) = {
            let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
            let result = work(&mut gate);
            (result, gate.take_wakers())
        };
        for waker in wakers {
            waker.wake();
        }
        result
    }
}

/// A place in the queue, left when it is dropped.
struct Place<'a> {
    limits: &'a Arc<Limits>,
    key: LaneKey,
    ticket: u64,
}

impl Place<'_> {
    async fn wait(
        self,
        deadline: Instant,
        patience: Instant,
        tell: &(dyn Fn(&Closed) + Send + Sync),
    ) -> Result<Permit, Closed> {
        let mut told = None;
        loop {
            let now = Instant::now();
            let standing = match self.limits.with(|gate| gate.look(&self.key, self.ticket, now)) {
                Look::Granted(reservation) => return Ok(Permit::new(self.limits, reservation)),
                Look::Waits(standing) => standing,
            };
            let Standing { limit, until, again } = standing;
            let closed = Closed {
                limit,
                wait: until.map_or(Duration::ZERO, |until| until - now),
            };
            if now >= deadline || until.is_some_and(|until| until > patience.min(deadline)) {
                return Err(closed);
            }
            if until.is_some() && until != told {
                tell(&closed);
                told = until;
            }
            let again = again.map_or(deadline, |again| again.min(deadline));
            let roused = poll_fn(|context| {
                self.limits
                    .with(|gate| gate.poll_roused(&self.key, self.ticket, context))
            });
            // Either way it looks again.
            timeout_at(again, roused).await.unwrap_or_default();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.limits
            .with(|gate| gate.leave(&self.key, self.ticket, Instant::now()));
    }
}

/// One attempt. Dropped without [`settle`](Self::settle), it counts as never answered once it was
/// [sent](Self::sending), and as never sent before.
#[derive(Debug)]
pub(crate) struct Permit {
    limits: Arc<Limits>,
    reservation: Reservation,
    sent: bool,
    settled: bool,
}

impl Permit {
    fn new(limits: &Arc<Limits>, reservation: Reservation) -> Self {
        Self {
            limits: Arc::clone(limits),
            reservation,
            sent: false,
            settled: false,
        }
    }

    /// From now on the request may reach ESI.
    pub(crate) fn sending(&mut self) {
        self.sent = true;
    }

    /// Says what became of it.
    pub(crate) fn settle(mut self, outcome: Outcome<'_>) {
        self.book(&outcome);
    }

    fn book(&mut self, outcome: &Outcome<'_>) {
        if !std::mem::replace(&mut self.settled, true) {
            self.limits
                .with(|gate| gate.settle(&self.reservation, outcome, Instant::now()));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.book(if self.sent {
            &Outcome::NoAnswer
        } else {
            &Outcome::NotSent
        });
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

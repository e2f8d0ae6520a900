//! Where requests wait for their turn, and are let through.
//!
//! Nothing here runs by itself: the first waiter of each lane sleeps until its lane may go and then *pumps*, and so does
//! everybody who settles a request. A pump lets through whoever may go, in turn, and parks the lanes that may not.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

use super::ledger::{Ledger, Obstacle, Reservation};
use super::routes::GroupId;
use super::turns::{LaneKey, Track, Turns};
use super::{Outcome, Settings};
use crate::error::Limit;
use crate::operation::Operation;

/// The state behind the lock.
#[derive(Debug)]
pub(super) struct Gate {
    ledger: Ledger,
    concurrency: usize,
    in_flight: usize,
    turns: Turns<Waiter>,
    /// Let through, and not told yet.
    granted: HashMap<u64, Reservation>,
    /// Until when each track is closed by time, where every first waiter in it sleeps no longer than that.
    armed: [Option<Instant>; 2],
    /// To be woken when the lock is released.
    wakers: Vec<Waker>,
    /// To be dropped when the lock is released: with its last waker, an executor may drop a task that holds a permit.
    retired: Vec<Waker>,
}

/// Somebody who waits.
#[derive(Debug, Default)]
pub(super) struct Waiter {
    waker: Option<Waker>,
    /// Whether it shall look again.
    roused: bool,
    /// When it looks again by itself.
    armed: Option<Instant>,
}

impl Waiter {
    fn rouse(&mut self, wakers: &mut Vec<Waker>) {
        self.roused = true;
        wakers.extend(self.waker.take());
    }

    fn sleeps_beyond(&self, instant: Instant) -> bool {
        self.armed.is_none_or(|armed| instant < armed)
    }
}

/// How a request enters.
pub(super) enum Entry {
    /// It may go.
    Granted(Reservation),
    /// It waits, by this ticket.
    Queued(u64),
}

/// What a waiter finds when it looks.
pub(super) enum Look {
    /// It may go.
    Granted(Reservation),
    Waits(Standing),
}

/// Why somebody waits.
pub(super) struct Standing {
    pub(super) limit: Limit,
    /// Until when at least; none when that is not known.
    pub(super) until: Option<Instant>,
    /// When to look again; none when somebody else's answer decides, who will wake it.
    pub(super) again: Option<Instant>,
}

impl Gate {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            ledger: Ledger::new(settings.reserve),
            concurrency: settings.concurrency.max(1),
            in_flight: 0,
            turns: Turns::default(),
            granted: HashMap::new(),
            armed: [None; 2],
            wakers: Vec::new(),
            retired: Vec::new(),
        }
    }

    /// Lets a request through that nobody stands before; else it queues.
    pub(super) fn enter(&mut self, key: &LaneKey, now: Instant) -> Entry {
        let is_first = self.turns.none_ready() && self.turns.has_none_of(&key.principal);
        if is_first && self.in_flight < self.concurrency && self.ledger.obstacles(key, now).is_empty() {
            return Entry::Granted(self.reserve(key.clone(), now));
        }
        let track = self.ledger.route(key.operation).track();
        Entry::Queued(self.turns.push(key, track, Waiter::default()))
    }

    /// A waiter looks whether it may go. The first of a lane looks for all.
    pub(super) fn look(&mut self, key: &LaneKey, ticket: u64, now: Instant) -> Look {
        let is_first = match self.turns.head(key) {
            Some((first, waiter)) if first == ticket => {
                // It is awake: nobody needs to rouse it.
                waiter.armed = Some(now);
                true
            }
            _ => false,
        };
        if is_first && self.ledger.shut(now).is_none() {
            self.unpark(key);
            self.pump(now);
        }
        if let Some(reservation) = self.granted.remove(&ticket) {
            return Look::Granted(reservation);
        }
        let mut standing = self.standing(key, now);
        if !is_first {
            standing.again = None;
        }
        if let Some(waiter) = self.turns.waiter(key, ticket) {
            waiter.armed = standing.again;
            waiter.roused = false;
        }
        Look::Waits(standing)
    }

    /// Ready when a waiter shall look again.
    pub(super) fn poll_roused(&mut self, key: &LaneKey, ticket: u64, context: &Context<'_>) -> Poll<()> {
        match self.turns.waiter(key, ticket) {
            Some(waiter) if !waiter.roused => {
                self.retired.extend(waiter.waker.replace(context.waker().clone()));
                Poll::Pending
            }
            // Roused, or let through.
            _ => Poll::Ready(()),
        }
    }

    /// A waiter gives up, or is told already.
    pub(super) fn leave(&mut self, key: &LaneKey, ticket: u64, now: Instant) {
        if let Some(reservation) = self.granted.remove(&ticket) {
            self.settle(&reservation, &Outcome::NotSent, now);
        } else if let Some(waiter) = self.turns.remove(key, ticket) {
            self.retired.extend(waiter.waker);
            self.rouse_first(key);
        }
    }

    /// Books what became of a request, and lets through whom that makes way for.
    pub(super) fn settle(&mut self, reservation: &Reservation, outcome: &Outcome<'_>, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let operation = reservation.key.operation;
        let route = self.ledger.route(operation);
        let charged = self.ledger.settle(reservation, outcome, now);
        if self.ledger.route(operation) != route {
            self.reroute(operation);
        }
        let reserved = reservation.group();
        self.unpark_group(&reservation.key, charged);
        if reserved != charged {
            self.unpark_group(&reservation.key, reserved);
        }
        self.pump(now);
    }

    /// The wakers of all who are to look again, and those to be dropped: both without the lock.
    pub(super) fn take_wakers(&mut self) -> (Vec<Waker>, Vec<Waker>) {
        (
            std::mem::take(&mut self.wakers),
            std::mem::take(&mut self.retired),
        )
    }

    /// Lets through whoever may go, in turn.
    fn pump(&mut self, now: Instant) {
        if let Some(shut) = self.ledger.shut(now) {
            for track in Track::ALL {
                self.arm(track, shut.at_least);
            }
            return;
        }
        self.armed[Track::Buckets as usize] = None;
        while self.in_flight < self.concurrency {
            let errors_open = self.ledger.errors_closed(now).is_none();
            let Some(key) = self.turns.next(|track| track == Track::Buckets || errors_open) else {
                break;
            };
            self.offer(&key, now);
        }
        match self.ledger.errors_closed(now).and_then(|closed| closed.at_most) {
            Some(until) => self.arm(Track::Errors, until),
            None => self.armed[Track::Errors as usize] = None,
        }
    }

    /// Lets the first of a lane through, or parks the lane: the one place where requests are let through.
    fn offer(&mut self, key: &LaneKey, now: Instant) {
        let obstacles = self.ledger.obstacles(key, now);
        if !obstacles.is_empty() {
            self.park(key, &obstacles);
            return;
        }
        if let Some((ticket, mut waiter)) = self.turns.take(key) {
            let reservation = self.reserve(key.clone(), now);
            self.granted.insert(ticket, reservation);
            waiter.rouse(&mut self.wakers);
            self.rouse_first(key);
        }
    }

    fn reserve(&mut self, key: LaneKey, now: Instant) -> Reservation {
        self.in_flight += 1;
        self.ledger.reserve(key, now)
    }

    /// An answer has moved an operation under other limits: whoever waits to call it waits for those now.
    fn reroute(&mut self, operation: &'static Operation) {
        let track = self.ledger.route(operation).track();
        for key in self.turns.lanes_of(operation) {
            self.turns.switch(&key, track);
            self.turns.ready(&key);
        }
        self.armed[track as usize] = None;
    }

    /// Parks a lane; its first waiter looks again when it may go.
    fn park(&mut self, key: &LaneKey, obstacles: &[Obstacle]) {
        self.turns.park(key);
        let Some(until) = again_at(obstacles) else {
            return;
        };
        if let Some((_, waiter)) = self
            .turns
            .head(key)
            .filter(|(_, waiter)| waiter.sleeps_beyond(until))
        {
            waiter.rouse(&mut self.wakers);
        }
    }

    /// Lets a lane take part again, and before it whoever waits for the same bucket.
    fn unpark(&mut self, key: &LaneKey) {
        let group = self.ledger.route(key.operation).group;
        self.unpark_group(key, group);
        self.unpark_lane(key);
    }

    /// Lets the lanes of this principal that draw from this group's bucket take part again.
    fn unpark_group(&mut self, key: &LaneKey, group: Option<GroupId>) {
        if group.is_none() {
            return;
        }
        let parked: Vec<_> = self.turns.parked(&key.principal).collect();
        for operation in parked {
            if self.ledger.route(operation).group == group {
                let principal = Arc::clone(&key.principal);
                self.unpark_lane(&LaneKey { principal, operation });
            }
        }
    }

    fn unpark_lane(&mut self, key: &LaneKey) {
        if !self.turns.ready(key) {
            return;
        }
        let Some(until) = self.turns.track(key).and_then(|track| self.armed[track as usize]) else {
            return;
        };
        // Its track is closed, and it was not there when the others were armed.
        if let Some((_, waiter)) = self
            .turns
            .head(key)
            .filter(|(_, waiter)| waiter.sleeps_beyond(until))
        {
            waiter.rouse(&mut self.wakers);
        }
    }

    /// A whole track is closed until then: somebody must look when it opens. That is the first of each lane, so that
    /// no lane depends on another's waiter; this looks at each of them once, and not again while it stays closed.
    fn arm(&mut self, track: Track, until: Instant) {
        if self.armed[track as usize].is_some_and(|armed| armed <= until) {
            return;
        }
        self.armed[track as usize] = Some(until);
        for key in self.turns.lanes_ready(track) {
            if let Some((_, waiter)) = self
                .turns
                .head(&key)
                .filter(|(_, waiter)| waiter.sleeps_beyond(until))
            {
                waiter.rouse(&mut self.wakers);
            }
        }
    }

    /// Somebody else is the first of a lane now.
    fn rouse_first(&mut self, key: &LaneKey) {
        if let Some((_, waiter)) = self.turns.head(key) {
            waiter.rouse(&mut self.wakers);
        }
    }

    /// Why a lane waits: what stays closed longest, else what only answers open, else that others are before it.
    fn standing(&mut self, key: &LaneKey, now: Instant) -> Standing {
        let obstacles = self.ledger.obstacles(key, now);
        let longest = obstacles.iter().max_by_key(|obstacle| obstacle.at_least);
        Standing {
            limit: longest.map_or(Limit::Concurrency, |obstacle| self.ledger.limit(obstacle)),
            until: longest
                .map(|obstacle| obstacle.at_least)
                .filter(|&until| until > now),
            again: again_at(&obstacles),
        }
    }
}

/// When to look again: as soon as time removes one of these. Not later, when it removes the last: answers may have
/// removed the others by then, which wake nobody while everything is shut.
fn again_at(obstacles: &[Obstacle]) -> Option<Instant> {
    obstacles.iter().filter_map(|obstacle| obstacle.at_most).min()
}

#[cfg(test)]
impl Gate {
    /// Whether nobody waits and nothing is in flight.
    pub(super) fn is_quiet(&self) -> bool {
        self.turns.is_empty() && self.granted.is_empty() && self.in_flight == 0 && self.ledger.is_quiet()
    }

    pub(super) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    pub(super) fn none_ready(&self) -> bool {
        self.turns.none_ready()
    }
}

//! The books of all limits: may this request go, what it may cost, what it did cost.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::Outcome;
use super::answer::Answer;
use super::bucket::{self, Bucket, Page};
use super::closure::Closures;
use super::error_limit::ErrorLimit;
use super::routes::{GroupId, Route, Routes};
use super::turns::LaneKey;
use crate::error::Limit;
use crate::operation::Operation;

/// Below so many entries nothing is looked through for what may be forgotten.
const FEW: usize = 1024;

/// The books of all limits.
#[derive(Debug)]
pub(super) struct Ledger {
    routes: Routes,
    buckets: HashMap<(GroupId, Arc<str>), Bucket>,
    errors: ErrorLimit,
    closures: Closures,
    shut_until: Option<Instant>,
    /// With so many entries, idle ones are forgotten.
    forget_at: usize,
}

/// What one request may cost until it is answered.
#[derive(Debug)]
pub(super) struct Reservation {
    pub(super) key: LaneKey,
    sent: Instant,
    bucket: Option<(GroupId, Page)>,
    errors: bool,
}

impl Reservation {
    /// The group of whose bucket it draws.
    pub(super) fn group(&self) -> Option<GroupId> {
        self.bucket.map(|(group, _)| group)
    }
}

/// What keeps a request from going.
#[derive(Debug, Clone, Copy)]
pub(super) struct Obstacle {
    cause: Cause,
    /// It is there until then, whatever the answers under way say.
    pub(super) at_least: Instant,
    /// It is gone then, when no answer comes; none when only an answer removes it.
    pub(super) at_most: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum Cause {
    Everything,
    Operation,
    Bucket(GroupId),
    Errors,
}

impl Ledger {
    pub(super) fn new(reserve: u32) -> Self {
        Self {
            routes: Routes::default(),
            buckets: HashMap::new(),
            errors: ErrorLimit::new(reserve),
            closures: Closures::default(),
            shut_until: None,
            forget_at: FEW,
        }
    }

    /// What keeps a request of this lane from going now; nothing when it may go.
    pub(super) fn obstacles(&mut self, key: &LaneKey, now: Instant) -> Vec<Obstacle> {
        let route = self.routes.of(key.operation);
        let found = [
            self.shut(now),
            self.paused(key, now),
            route
                .group
                .and_then(|group| self.bucket_closed(group, &key.principal, now)),
            route.errors.then(|| self.errors_closed(now)).flatten(),
        ];
        found.into_iter().flatten().collect()
    }

    /// Everything is closed after a 420.
    pub(super) fn shut(&self, now: Instant) -> Option<Obstacle> {
        let until = self.shut_until.filter(|&until| now < until)?;
        Some(Obstacle::until(Cause::Everything, until))
    }

    fn paused(&self, key: &LaneKey, now: Instant) -> Option<Obstacle> {
        let until = self.closures.until(key.operation.id, &key.principal, now)?;
        Some(Obstacle::until(Cause::Operation, until))
    }

    fn bucket_closed(&mut self, group: GroupId, principal: &Arc<str>, now: Instant) -> Option<Obstacle> {
        let quota = self.routes.quota(group);
        let bucket = self.buckets.get_mut(&(group, Arc::clone(principal)))?;
        if bucket.admits(quota, now) {
            return None;
        }
        Some(Obstacle {
            cause: Cause::Bucket(group),
            at_least: bucket.opens_at(quota, now, 0).unwrap_or(now),
            at_most: bucket.opens_at(quota, now, bucket.in_flight()),
        })
    }

    /// The error limit allows no further request.
    pub(super) fn errors_closed(&mut self, now: Instant) -> Option<Obstacle> {
        if self.errors.admits(now) {
            return None;
        }
        Some(Obstacle {
            cause: Cause::Errors,
            at_least: self.errors.opens_at(now, 0).unwrap_or(now),
            at_most: self.errors.opens_at(now, self.errors.in_flight()),
        })
    }

    /// The words for what keeps a request from going.
    pub(super) fn limit(&self, obstacle: &Obstacle) -> Limit {
        match obstacle.cause {
            Cause::Everything | Cause::Errors => Limit::ErrorLimit,
            Cause::Operation => Limit::Operation,
            Cause::Bucket(group) => Limit::Bucket {
                group: self.routes.name(group).to_owned(),
            },
        }
    }

    /// The limits that an operation is under, by what is known now.
    pub(super) fn route(&mut self, operation: &'static Operation) -> Route {
        self.routes.of(operation)
    }

    /// Sends a request: it may cost the worst until it is settled.
    pub(super) fn reserve(&mut self, key: LaneKey, now: Instant) -> Reservation {
        self.forget_idle(now);
        let Route { group, errors } = self.routes.of(key.operation);
        let bucket = group.map(|group| {
            let quota = self.routes.quota(group);
            (group, self.bucket(group, &key.principal).send(quota, now))
        });
        if errors {
            self.errors.send();
        }
        Reservation {
            key,
            sent: now,
            bucket,
            errors,
        }
    }

    /// Books what became of a request. Returns the group whose bucket it was charged to.
    pub(super) fn settle(
        &mut self,
        reservation: &Reservation,
        outcome: &Outcome<'_>,
        now: Instant,
    ) -> Option<GroupId> {
        if reservation.errors {
            self.errors.land();
        }
        match *outcome {
            Outcome::NotSent => self.not_sent(reservation),
            Outcome::NoAnswer => self.unanswered(reservation, now),
            Outcome::Answered {
                status,
                headers,
                body,
            } => {
                return self.answered(reservation, &Answer::read(status, headers, body), now);
            }
        }
        reservation.group()
    }

    fn not_sent(&mut self, reservation: &Reservation) {
        if let Some((group, _)) = reservation.bucket {
            self.bucket(group, &reservation.key.principal).release();
        }
    }

    fn unanswered(&mut self, reservation: &Reservation, now: Instant) {
        if let Some((group, _)) = reservation.bucket {
            let quota = self.routes.quota(group);
            self.bucket(group, &reservation.key.principal)
                .unanswered(quota, now);
        }
        if reservation.errors {
            self.errors.unanswered(now);
        }
    }

    fn answered(&mut self, reservation: &Reservation, answer: &Answer<'_>, now: Instant) -> Option<GroupId> {
        let told = self.routes.learn(reservation.key.operation, answer);
        self.book_failure(reservation, answer, told.is_some(), now);
        self.book_pause(reservation, answer, told, now);
        if let Some(until) = answer.everything_closed_until(now) {
            self.shut_until = self.shut_until.max(Some(until));
        }
        self.book_charge(reservation, answer, told, now)
    }

    /// The error limit: what the answer says of it, else one failure, unless the call drew from a bucket.
    fn book_failure(
        &mut self,
        reservation: &Reservation,
        answer: &Answer<'_>,
        in_bucket: bool,
        now: Instant,
    ) {
        if let Some((remain, reset)) = answer.error_limit {
            self.errors.hear(reservation.sent, now, remain, reset);
        } else if reservation.errors && !in_bucket && !answer.is_success() {
            self.errors.failed(now);
        }
    }

    /// The pauses that the game server asks for.
    fn book_pause(
        &mut self,
        reservation: &Reservation,
        answer: &Answer<'_>,
        told: Option<GroupId>,
        now: Instant,
    ) {
        let LaneKey { principal, operation } = &reservation.key;
        let in_bucket = told.or(reservation.group()).is_some();
        match answer.status {
            429 if in_bucket && answer.bucket_closed().is_some() => {}
            429 => match answer.retry_after {
                Some(pause) => self.closures.pause(operation.id, principal, now, pause),
                None => self
                    .closures
                    .refused(operation.id, principal, reservation.sent, now),
            },
            520 => {
                if let Some(pause) = answer.remaining_time {
                    self.closures.pause(operation.id, principal, now, pause);
                }
            }
            _ if answer.is_success() => self.closures.succeeded(operation.id, principal, reservation.sent),
            _ => {}
        }
    }

    /// The bucket that the answer names, else the one that was reserved in.
    fn book_charge(
        &mut self,
        reservation: &Reservation,
        answer: &Answer<'_>,
        told: Option<GroupId>,
        now: Instant,
    ) -> Option<GroupId> {
        let principal = &reservation.key.principal;
        let group = told.or(reservation.group())?;
        let quota = self.routes.quota(group);
        let sent = match reservation.bucket {
            Some((reserved, page)) if reserved == group => page,
            other => {
                if let Some((reserved, _)) = other {
                    self.bucket(reserved, principal).release();
                }
                self.bucket(group, principal).sent_unknown(quota, now)
            }
        };
        let (remaining, cost) = (answer.bucket.remaining, cost(answer));
        let bucket = self.bucket(group, principal);
        match answer.bucket_closed() {
            Some(wait) => bucket.refuse(quota, now, sent, remaining.unwrap_or(0), wait),
            None => bucket.settle(quota, now, sent, cost, remaining),
        }
        Some(group)
    }

    fn bucket(&mut self, group: GroupId, principal: &Arc<str>) -> &mut Bucket {
        self.buckets.entry((group, Arc::clone(principal))).or_default()
    }

    /// Drops buckets and pauses that nothing depends on any more, whenever there are twice as many as were left last
    /// time: that costs each entry a constant.
    fn forget_idle(&mut self, now: Instant) {
        if self.buckets.len() + self.closures.len() < self.forget_at {
            return;
        }
        let routes = &self.routes;
        self.buckets
            .retain(|(group, _), bucket| !bucket.is_idle(routes.quota(*group), now));
        self.closures.forget(now);
        self.forget_at = FEW.max(2 * (self.buckets.len() + self.closures.len()));
    }
}

impl Obstacle {
    fn until(cause: Cause, until: Instant) -> Self {
        Self {
            cause,
            at_least: until,
            at_most: Some(until),
        }
    }
}

/// What an answer costs: by its own words, else by the table.
fn cost(answer: &Answer<'_>) -> u32 {
    answer.bucket.used.unwrap_or_else(|| bucket::cost(answer.status))
}

#[cfg(test)]
impl Ledger {
    /// Whether nothing is in flight.
    pub(super) fn is_quiet(&self) -> bool {
        self.errors.in_flight() == 0 && self.buckets.values().all(|bucket| bucket.in_flight() == 0)
    }

    pub(super) fn entries(&self) -> usize {
        self.buckets.len() + self.closures.len()
    }
}

//! Who is next: principals take turns, and the operations of each take turns.
//!
//! Calls of one principal and operation form a *lane*, first come, first served. A lane that must wait is parked: it
//! stands in nobody's way, and costs nothing until it is ready again. Turns are numbers that only grow; whoever has the
//! smallest is next, and gets a new one. A lane or principal keeps its number while it is parked.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::operation::Operation;

/// The two queues that open and close apart from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Track {
    /// Operations with a bucket only.
    Buckets,
    /// Operations whose failures count against the error limit.
    Errors,
}

impl Track {
    pub(super) const ALL: [Self; 2] = [Self::Buckets, Self::Errors];
}

/// Which lane.
#[derive(Debug, Clone)]
pub(super) struct LaneKey {
    pub(super) principal: Arc<str>,
    pub(super) operation: &'static Operation,
}

/// Everybody who waits, each with a `W`.
#[derive(Debug)]
pub(super) struct Turns<W> {
    principals: HashMap<Arc<str>, Principal<W>>,
    /// For each track, the principals that have a lane ready in it, by their turns.
    rings: [BTreeMap<u64, Arc<str>>; 2],
    last: u64,
}

#[derive(Debug)]
struct Principal<W> {
    lanes: HashMap<&'static str, Lane<W>>,
    sides: [Side; 2],
}

/// A principal's part in one track.
#[derive(Debug)]
struct Side {
    turn: u64,
    /// Lanes that are ready, by their turns.
    ready: BTreeMap<u64, &'static Operation>,
}

#[derive(Debug)]
struct Lane<W> {
    operation: &'static Operation,
    track: Track,
    turn: u64,
    ready: bool,
    /// By their tickets, first come first.
    waiters: BTreeMap<u64, W>,
}

impl<W> Default for Turns<W> {
    fn default() -> Self {
        Self {
            principals: HashMap::new(),
            rings: [BTreeMap::new(), BTreeMap::new()],
            last: 0,
        }
    }
}

impl<W> Turns<W> {
    /// Queues a waiter in its lane, and returns its ticket. A new lane is parked.
    pub(super) fn push(&mut self, key: &LaneKey, track: Track, waiter: W) -> u64 {
        let ticket = self.number();
        let (first, second, third) = (self.number(), self.number(), self.number());
        let principal = self
            .principals
            .entry(Arc::clone(&key.principal))
            .or_insert_with(|| Principal {
                lanes: HashMap::new(),
                sides: [first, second].map(|turn| Side {
                    turn,
                    ready: BTreeMap::new(),
                }),
            });
        let lane = principal.lanes.entry(key.operation.id).or_insert_with(|| Lane {
            operation: key.operation,
            track,
            turn: third,
            ready: false,
            waiters: BTreeMap::new(),
        });
        lane.waiters.insert(ticket, waiter);
        ticket
    }

    /// The lane whose turn it is, among the tracks that are open.
    pub(super) fn next(&self, is_open: impl Fn(Track) -> bool) -> Option<LaneKey> {
        let first = |track: Track| {
            self.rings[track as usize]
                .first_key_value()
                .map(|(turn, who)| (*turn, who, track))
        };
        let open = Track::ALL.into_iter().filter(|&track| is_open(track));
        let (_, principal, track) = open.filter_map(first).min_by_key(|&(turn, ..)| turn)?;
        let side = &self.principals.get(principal)?.sides[track as usize];
        let (_, operation) = side.ready.first_key_value()?;
        Some(LaneKey {
            principal: Arc::clone(principal),
            operation,
        })
    }

    /// Takes the first waiter out of a lane, whose turn and principal's turn are over with that.
    pub(super) fn take(&mut self, key: &LaneKey) -> Option<(u64, W)> {
        let ready = self.is_ready(key);
        self.park(key);
        let (turn_of_lane, turn_of_principal) = (self.number(), self.number());
        let principal = self.principals.get_mut(&key.principal)?;
        let lane = principal.lanes.get_mut(key.operation.id)?;
        let (ticket, waiter) = lane.waiters.pop_first()?;
        lane.turn = turn_of_lane;
        let (track, is_empty) = (lane.track, lane.waiters.is_empty());
        self.move_to_turn(&key.principal, track, turn_of_principal);
        if is_empty {
            self.close(key);
        } else if ready {
            self.ready(key);
        }
        Some((ticket, waiter))
    }

    /// Takes a waiter out that no longer waits.
    pub(super) fn remove(&mut self, key: &LaneKey, ticket: u64) -> Option<W> {
        let lane = self.lane_mut(key)?;
        let waiter = lane.waiters.remove(&ticket);
        if lane.waiters.is_empty() {
            self.park(key);
            self.close(key);
        }
        waiter
    }

    /// Lets a lane take part again, with the turn that it had. Returns whether it was parked.
    pub(super) fn ready(&mut self, key: &LaneKey) -> bool {
        let Some(principal) = self.principals.get_mut(&key.principal) else {
            return false;
        };
        let Some(lane) = principal
            .lanes
            .get_mut(key.operation.id)
            .filter(|lane| !lane.ready)
        else {
            return false;
        };
        lane.ready = true;
        let side = &mut principal.sides[lane.track as usize];
        side.ready.insert(lane.turn, lane.operation);
        self.rings[lane.track as usize].insert(side.turn, Arc::clone(&key.principal));
        true
    }

    /// Lets a lane take no part until it is ready again.
    pub(super) fn park(&mut self, key: &LaneKey) {
        let Some(principal) = self.principals.get_mut(&key.principal) else {
            return;
        };
        let Some(lane) = principal
            .lanes
            .get_mut(key.operation.id)
            .filter(|lane| lane.ready)
        else {
            return;
        };
        lane.ready = false;
        let side = &mut principal.sides[lane.track as usize];
        side.ready.remove(&lane.turn);
        if side.ready.is_empty() {
            self.rings[lane.track as usize].remove(&side.turn);
        }
    }

    /// The track of a lane; none where nobody waits in it.
    pub(super) fn track(&self, key: &LaneKey) -> Option<Track> {
        let principal = self.principals.get(&key.principal)?;
        Some(principal.lanes.get(key.operation.id)?.track)
    }

    /// Moves a lane to another track.
    pub(super) fn switch(&mut self, key: &LaneKey, track: Track) {
        let ready = self.is_ready(key);
        self.park(key);
        if let Some(lane) = self.lane_mut(key) {
            lane.track = track;
        }
        if ready {
            self.ready(key);
        }
    }

    /// The operations of this principal whose lanes are parked.
    pub(super) fn parked(&self, principal: &Arc<str>) -> impl Iterator<Item = &'static Operation> {
        let lanes = self
            .principals
            .get(principal)
            .into_iter()
            .flat_map(|principal| principal.lanes.values());
        lanes.filter(|lane| !lane.ready).map(|lane| lane.operation)
    }

    /// Every principal's lane of this operation.
    pub(super) fn lanes_of(&self, operation: &'static Operation) -> Vec<LaneKey> {
        let waiting = self
            .principals
            .iter()
            .filter(|(_, principal)| principal.lanes.contains_key(operation.id));
        let key = |(principal, _): (&Arc<str>, _)| LaneKey {
            principal: Arc::clone(principal),
            operation,
        };
        waiting.map(key).collect()
    }

    /// The first waiter of a lane, with its ticket.
    pub(super) fn head(&mut self, key: &LaneKey) -> Option<(u64, &mut W)> {
        let (ticket, waiter) = self.lane_mut(key)?.waiters.iter_mut().next()?;
        Some((*ticket, waiter))
    }

    pub(super) fn waiter(&mut self, key: &LaneKey, ticket: u64) -> Option<&mut W> {
        self.lane_mut(key)?.waiters.get_mut(&ticket)
    }

    /// The lanes that are ready in a track.
    pub(super) fn lanes_ready(&self, track: Track) -> Vec<LaneKey> {
        let operations = |principal: &Arc<str>| {
            let sides = self.principals.get(principal).map(|principal| &principal.sides);
            let ready = sides
                .into_iter()
                .flat_map(move |sides| sides[track as usize].ready.values());
            ready.copied().collect::<Vec<_>>()
        };
        let of = |principal: &Arc<str>| {
            let principal = Arc::clone(principal);
            operations(&principal).into_iter().map(move |operation| LaneKey {
                principal: Arc::clone(&principal),
                operation,
            })
        };
        self.rings[track as usize].values().flat_map(of).collect()
    }

    /// Whether no lane is ready.
    pub(super) fn none_ready(&self) -> bool {
        self.rings.iter().all(BTreeMap::is_empty)
    }

    /// Whether nobody waits.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.principals.is_empty()
    }

    /// Whether this principal waits for nothing.
    pub(super) fn has_none_of(&self, principal: &Arc<str>) -> bool {
        !self.principals.contains_key(principal)
    }

    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn lane_mut(&mut self, key: &LaneKey) -> Option<&mut Lane<W>> {
        self.principals
            .get_mut(&key.principal)?
            .lanes
            .get_mut(key.operation.id)
    }

    fn is_ready(&self, key: &LaneKey) -> bool {
        let principal = self.principals.get(&key.principal);
        principal
            .and_then(|principal| principal.lanes.get(key.operation.id))
            .is_some_and(|lane| lane.ready)
    }

    fn move_to_turn(&mut self, principal: &Arc<str>, track: Track, turn: u64) {
        if let Some(known) = self.principals.get_mut(principal) {
            let side = &mut known.sides[track as usize];
            let before = std::mem::replace(&mut side.turn, turn);
            if let Some(name) = self.rings[track as usize].remove(&before) {
                self.rings[track as usize].insert(turn, name);
            }
        }
    }

    /// Drops an empty lane, and a principal without lanes.
    fn close(&mut self, key: &LaneKey) {
        if let Some(principal) = self.principals.get_mut(&key.principal) {
            principal.lanes.remove(key.operation.id);
            if principal.lanes.is_empty() {
                self.principals.remove(&key.principal);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::simulation::{Chance, seeds};
    use crate::operation::Method;

    static A: Operation = Operation::new("A", Method::Get, "/a", "t");
    static B: Operation = Operation::new("B", Method::Get, "/b", "t");
    static C: Operation = Operation::new("C", Method::Get, "/c", "t");

    fn key(principal: &str, operation: &'static Operation) -> LaneKey {
        LaneKey {
            principal: principal.into(),
            operation,
        }
    }

    fn push(turns: &mut Turns<u32>, key: &LaneKey, track: Track, waiters: impl IntoIterator<Item = u32>) {
        for waiter in waiters {
            turns.push(key, track, waiter);
            turns.ready(key);
        }
    }

    /// Everybody, in turn.
    fn drain(turns: &mut Turns<u32>, is_open: impl Fn(Track) -> bool) -> Vec<u32> {
        std::iter::from_fn(|| {
            let key = turns.next(&is_open)?;
            turns.take(&key).map(|(_, waiter)| waiter)
        })
        .collect()
    }

    #[test]
    fn principals_take_turns_and_so_do_their_operations() {
        let mut turns = Turns::default();
        push(&mut turns, &key("greedy", &A), Track::Buckets, 100..104);
        push(&mut turns, &key("greedy", &B), Track::Buckets, 110..112);
        push(&mut turns, &key("other", &A), Track::Buckets, 200..202);
        push(&mut turns, &key("third", &A), Track::Buckets, [300]);
        assert_eq!(
            drain(&mut turns, |_| true),
            [100, 200, 300, 110, 201, 101, 111, 102, 103]
        );
        assert!(turns.is_empty() && turns.none_ready());
    }

    #[test]
    fn a_newcomer_waits_for_one_turn_of_each_other() {
        let mut turns = Turns::default();
        push(&mut turns, &key("greedy", &A), Track::Buckets, 0..10_000);
        push(&mut turns, &key("other", &A), Track::Buckets, [77_777]);
        let order = drain(&mut turns, |_| true);
        assert_eq!(order.iter().position(|&waiter| waiter == 77_777), Some(1));
        assert_eq!(order.len(), 10_001);
    }

    #[test]
    fn a_parked_lane_stands_in_nobodys_way_and_keeps_its_turn() {
        let mut turns = Turns::default();
        push(&mut turns, &key("one", &A), Track::Buckets, [1]);
        push(&mut turns, &key("one", &B), Track::Buckets, [2]);
        push(&mut turns, &key("two", &A), Track::Buckets, [3, 4]);
        turns.park(&key("one", &A));
        turns.park(&key("one", &B));
        assert_eq!(turns.parked(&"one".into()).count(), 2);
        assert_eq!(drain(&mut turns, |_| true), [3, 4]);
        push(&mut turns, &key("two", &A), Track::Buckets, [5]);
        assert!(
            turns.ready(&key("one", &B)) && turns.ready(&key("one", &A)) && !turns.ready(&key("one", &A))
        );
        assert_eq!(drain(&mut turns, |_| true), [1, 5, 2], "it has waited longest");
    }

    #[test]
    fn a_closed_track_is_passed_over_and_keeps_its_turns() {
        let mut turns = Turns::default();
        push(&mut turns, &key("one", &A), Track::Errors, [1]);
        push(&mut turns, &key("one", &B), Track::Buckets, [2]);
        push(&mut turns, &key("two", &B), Track::Buckets, [3]);
        assert_eq!(drain(&mut turns, |track| track == Track::Buckets), [2, 3]);
        push(&mut turns, &key("three", &B), Track::Buckets, [4]);
        assert_eq!(drain(&mut turns, |_| true), [1, 4]);
    }

    #[test]
    fn whoever_leaves_leaves_nothing_behind() {
        let mut turns = Turns::default();
        let (a, b) = (key("one", &A), key("one", &B));
        let first = turns.push(&a, Track::Buckets, 1);
        let second = turns.push(&a, Track::Buckets, 2);
        let other = turns.push(&b, Track::Errors, 3);
        turns.ready(&a);
        turns.ready(&b);
        assert_eq!(turns.remove(&a, first), Some(1));
        assert_eq!(turns.head(&a).map(|(ticket, _)| ticket), Some(second));
        assert_eq!(
            (
                turns.remove(&a, first),
                turns.remove(&a, second),
                turns.remove(&b, other)
            ),
            (None, Some(2), Some(3))
        );
        assert!(turns.is_empty() && turns.none_ready() && turns.next(|_| true).is_none());
    }

    #[test]
    fn an_operation_may_come_under_another_limit() {
        let mut turns = Turns::default();
        push(&mut turns, &key("one", &A), Track::Errors, [1]);
        turns.switch(&key("one", &A), Track::Buckets);
        assert_eq!(turns.track(&key("one", &A)), Some(Track::Buckets));
        assert_eq!(drain(&mut turns, |track| track == Track::Buckets), [1]);
    }

    /// Whatever is done: who is next is ready and waits; and in the end everybody has had a turn or has left.
    #[test]
    fn nobody_is_lost() {
        for seed in seeds(200) {
            let (mut chance, mut turns, mut waiting) = (Chance::new(seed), Turns::default(), Vec::new());
            for number in 0..200 {
                let lane = key(
                    ["one", "two", "three"][chance.between(0, 3) as usize],
                    [&A, &B, &C][chance.between(0, 3) as usize],
                );
                let track = Track::ALL[chance.between(0, 2) as usize];
                match chance.between(0, 7) {
                    0 | 1 => waiting.push((turns.push(&lane, track, number), lane)),
                    2 => drop(turns.ready(&lane)),
                    3 => turns.park(&lane),
                    4 => turns.switch(&lane, track),
                    5 if !waiting.is_empty() => {
                        let (ticket, lane) =
                            waiting.swap_remove(chance.between(0, waiting.len() as u64) as usize);
                        assert!(turns.remove(&lane, ticket).is_some(), "ESIKIT_SEED={seed}");
                    }
                    _ => {
                        if let Some(next) = turns.next(|open| open == track) {
                            assert!(
                                turns.is_ready(&next) && turns.track(&next) == Some(track),
                                "ESIKIT_SEED={seed}"
                            );
                            let (taken, _) = turns.take(&next).expect("somebody waits in it");
                            let oldest = waiting.iter().filter(|(_, lane)| {
                                lane.operation == next.operation && lane.principal == next.principal
                            });
                            assert_eq!(
                                oldest.map(|(ticket, _)| *ticket).min(),
                                Some(taken),
                                "ESIKIT_SEED={seed}"
                            );
                            waiting.retain(|(ticket, _)| *ticket != taken);
                        }
                    }
                }
            }
            for (_, lane) in &waiting {
                turns.ready(lane);
            }
            assert_eq!(
                turns.lanes_ready(Track::Buckets).len() + turns.lanes_ready(Track::Errors).len(),
                {
                    waiting
                        .iter()
                        .map(|(_, lane)| (&lane.principal, lane.operation.id))
                        .collect::<std::collections::HashSet<_>>()
                        .len()
                }
            );
            assert_eq!(
                drain(&mut turns, |_| true).len(),
                waiting.len(),
                "ESIKIT_SEED={seed}"
            );
            assert!(turns.is_empty() && turns.none_ready(), "ESIKIT_SEED={seed}");
        }
    }
}

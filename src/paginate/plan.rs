//! Which page to ask for next, until all are of one state of the data. Decides, and asks nobody.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::stamp::{ServerTime, Stamp};
use crate::error::{Error, SnapshotChanged};
use crate::operation::Operation;

/// How many pages are under way at once at most. The client has a bound of its own, which is mostly lower: this one
/// keeps three thousand pages from being three thousand tasks.
const WINDOW: usize = 32;

/// How often pages that differ are taken again.
const ROUNDS: u32 = 5;

/// How long to wait at least before a page that was taken again, and came as it was, is asked for once more.
const PAUSE: Duration = Duration::from_secs(1);

/// What to do when nothing is under way and nothing is to be asked for.
#[derive(Debug, PartialEq)]
pub(super) enum Settled {
    /// The pages are of one state.
    Done,
    /// Go on with [`Plan::next`] after this time.
    After(Duration),
}

/// The pages of one answer: which were asked for, which came, and what they say of each other.
pub(super) struct Plan {
    operation: &'static Operation,
    /// How long all waiting together may take.
    max_wait: Duration,
    /// How many pages there are, by the newest page.
    last: u32,
    /// The first page that was never asked for.
    next: u32,
    /// Pages to be taken again.
    again: VecDeque<u32>,
    in_flight: usize,
    held: BTreeMap<u32, Stamp>,
    /// Pages that were said to exist and that the server does not know.
    gone: BTreeSet<u32>,
    newest: Option<Stamp>,
    time: ServerTime,
    /// The first page is about to be replaced: wait so long, and take the new one.
    successor: Option<Duration>,
    waited_for_successor: bool,
    looked_for_gone: bool,
    rounds: u32,
    waited: Duration,
}

impl Plan {
    pub(super) fn new(operation: &'static Operation, max_wait: Duration) -> Self {
        Self {
            operation,
            max_wait,
            last: 1,
            next: 1,
            again: VecDeque::new(),
            in_flight: 0,
            held: BTreeMap::new(),
            gone: BTreeSet::new(),
            newest: None,
            time: ServerTime::default(),
            successor: None,
            waited_for_successor: false,
            looked_for_gone: false,
            rounds: 0,
            waited: Duration::ZERO,
        }
    }

    /// The next page to ask for; none while enough are under way, or until it is [settled](Self::settle) how to go on.
    pub(super) fn next(&mut self) -> Option<u32> {
        if self.in_flight >= WINDOW {
            return None;
        }
        let page = self.again.pop_front().or_else(|| self.next_unasked())?;
        self.in_flight += 1;
        Some(page)
    }

    /// Where one page is gone, those behind it are too, and each failure costs.
    fn next_unasked(&mut self) -> Option<u32> {
        let page = self.next;
        if page > self.last || !self.gone.is_empty() || self.successor.is_some() {
            return None;
        }
        self.next = page.saturating_add(1);
        Some(page)
    }

    /// A page came.
    pub(super) fn came(&mut self, page: u32, stamp: Stamp, now: Instant) {
        self.in_flight -= 1;
        self.time.hear(&stamp);
        self.held.insert(page, stamp);
        self.gone.remove(&page);
        if self.newest.is_none_or(|newest| stamp.is_newer_than(&newest)) {
            self.newest = Some(stamp);
            self.last = stamp.pages.unwrap_or(self.last).max(1);
        }
        if page == 1 {
            // What it says of how many there are is news, and the others may be asked for.
            self.gone.clear();
            if !self.waited_for_successor {
                let successor = self.time.until_successor(&stamp, self.operation, now);
                self.successor = successor.filter(|wait| self.waited.saturating_add(*wait) <= self.max_wait);
            }
        }
    }

    /// The server does not know the page.
    pub(super) fn is_gone(&mut self, page: u32) {
        self.in_flight -= 1;
        self.held.remove(&page);
        self.gone.insert(page);
    }

    /// How to go on when nothing is under way any more.
    pub(super) fn settle(&mut self, now: Instant) -> Result<Settled, Error> {
        let last = self.last;
        self.held.retain(|page, _| *page <= last);
        self.gone.retain(|page| *page <= last);
        if let Some(wait) = self.successor.take() {
            self.waited_for_successor = true;
            self.again.push_back(1);
            return self.wait(wait, 1);
        }
        if !self.gone.is_empty() {
            return self.look_for_gone(now);
        }
        if self.next <= self.last {
            return Ok(Settled::After(Duration::ZERO));
        }
        let differing = self.differing();
        if differing.is_empty() {
            return Ok(Settled::Done);
        }
        self.take_again(differing, now)
    }

    /// Pages up to the last that are not of the newest state, or that are not there.
    fn differing(&self) -> Vec<u32> {
        let fits = |page: &u32| {
            let (held, newest) = (self.held.get(page), self.newest.as_ref());
            held.zip(newest).is_some_and(|(held, newest)| held.fits(newest))
        };
        (1..=self.last).filter(|page| !fits(page)).collect()
    }

    /// A page is gone, and no other page says that there are fewer now: the first one, taken again, will.
    fn look_for_gone(&mut self, now: Instant) -> Result<Settled, Error> {
        if std::mem::replace(&mut self.looked_for_gone, true) {
            let page = self.gone.first().copied().unwrap_or_default();
            return Err(self.changed(format!("page {page} of {} is gone", self.last)));
        }
        self.take_again(vec![1], now)
    }

    fn take_again(&mut self, pages: Vec<u32>, now: Instant) -> Result<Settled, Error> {
        self.rounds += 1;
        if self.rounds > ROUNDS {
            let (few, last) = (pages.len(), self.last);
            return Err(self.changed(format!(
                "{few} of {last} pages were of another state still after {ROUNDS} more tries"
            )));
        }
        let until = |page: &u32| {
            let held = self.held.get(page);
            held.map_or(Duration::ZERO, |held| {
                self.time.until_expired(held, self.operation, now)
            })
        };
        let longest = pages.iter().map(|page| (until(page), *page)).max();
        let (wait, page) = longest.unwrap_or((Duration::ZERO, 1));
        let pause = if self.rounds > 1 {
            PAUSE * self.rounds
        } else {
            Duration::ZERO
        };
        self.again.extend(pages);
        self.wait(wait.max(pause), page)
    }

    fn wait(&mut self, wait: Duration, page: u32) -> Result<Settled, Error> {
        if self.waited.saturating_add(wait) > self.max_wait {
            let (seconds, last) = (wait.as_secs(), self.last);
            return Err(self.changed(format!(
                "page {page} of {last} is of another state, and may be asked for again in {seconds} s only"
            )));
        }
        self.waited += wait;
        Ok(Settled::After(wait))
    }

    /// What a failed page means for the whole: where pages were being taken again, a closed limit means that the
    /// change cannot be caught up with.
    pub(super) fn failed(&self, error: Error) -> Error {
        match error {
            Error::RateLimited(limited) if self.is_again() => self.changed(limited.to_string()),
            other => other,
        }
    }

    /// Whether pages were taken again already.
    fn is_again(&self) -> bool {
        self.rounds > 0 || self.waited_for_successor
    }

    pub(super) fn changed(&self, reason: impl Into<String>) -> Error {
        changed(self.operation, 0, reason)
    }

    /// How many pages came, and of how many.
    pub(super) fn progress(&self) -> (u32, u32) {
        let held = self.held.range(..=self.last).count();
        (u32::try_from(held).unwrap_or(u32::MAX), self.last)
    }

    /// What the newest page says.
    pub(super) fn newest(&self) -> Option<Stamp> {
        self.newest
    }
}

/// The error of pages that do not fit together.
pub(super) fn changed(operation: &'static Operation, pages_yielded: u32, reason: impl Into<String>) -> Error {
    Error::SnapshotChanged(Box::new(SnapshotChanged {
        operation,
        pages_yielded,
        reason: reason.into(),
    }))
}

#[cfg(test)]
mod tests;

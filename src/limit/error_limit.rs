//! The error limit: so many failures a minute for each address, then nothing is answered any more.
//!
//! The server counts in fixed windows, and tells how far it is with each answer to an operation without a bucket. What
//! is in flight counts as a failure until it is answered, so that a downtime cannot spend more than is left.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// How many failures a window allows.
const FAILURES: u32 = 100;
/// The window's length; also for how long a failure counts that the server has not told of: it lies in one window, and
/// we do not know which.
const WINDOW: Duration = Duration::from_secs(60);
/// For how long a request whose answer never came may still become a failure.
const LATE: Duration = Duration::from_secs(10);
/// The server tells whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);
/// When less is known of when a window ends, windows cannot be told apart.
const VAGUE: Duration = Duration::from_secs(30);

/// The error limit of this address.
#[derive(Debug)]
pub(super) struct ErrorLimit {
    reserve: u32,
    in_flight: u32,
    told: Option<Told>,
    /// Failures that no answer has told of, by when they are counted from.
    unheard: VecDeque<Instant>,
}

/// What the server said of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    /// The window ends between these two.
    earliest: Instant,
    latest: Instant,
    remain: u32,
}

impl Told {
    fn new(sent: Instant, now: Instant, remain: u32, reset: Duration) -> Self {
        Self {
            earliest: sent + reset.saturating_sub(ROUNDING),
            latest: now + reset + ROUNDING,
            remain,
        }
    }

    fn is_vague(&self) -> bool {
        self.latest - self.earliest > VAGUE
    }
}

impl ErrorLimit {
    /// Never lets the failures of a window come nearer to the limit than `reserve`.
    pub(super) fn new(reserve: u32) -> Self {
        Self {
            reserve: reserve.min(FAILURES - 1),
            in_flight: 0,
            told: None,
            unheard: VecDeque::new(),
        }
    }

    /// Whether a request may be sent now.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        while self.unheard.front().is_some_and(|&from| from + WINDOW <= now) {
            self.unheard.pop_front();
        }
        self.in_flight < self.allowance(now)
    }

    /// When a request may be sent, with that many others still in flight; none when their answers must come first.
    pub(super) fn opens_at(&self, now: Instant, in_flight: u32) -> Option<Instant> {
        let changes = self.unheard.iter().map(|&from| from + WINDOW);
        let ends = self.told.map(|told| told.latest);
        std::iter::once(now)
            .chain(changes)
            .chain(ends)
            .filter(|&at| at >= now && in_flight < self.allowance(at))
            .min()
    }

    /// A request is sent.
    pub(super) fn send(&mut self) {
        self.in_flight += 1;
    }

    /// A request is no longer in flight.
    pub(super) fn land(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// An answer failed that does not say how many failures are left.
    pub(super) fn failed(&mut self, now: Instant) {
        self.count_from(now);
    }

    /// A request was sent, and no answer came. It may fail yet.
    pub(super) fn unanswered(&mut self, now: Instant) {
        self.count_from(now + LATE);
    }

    /// An answer says how many failures are left and when the window ends. Its own failure is in that number, and so
    /// is every one that the server counted before, heard of or not.
    pub(super) fn hear(&mut self, sent: Instant, now: Instant, remain: u32, reset: Duration) {
        let heard = Told::new(sent, now, remain.min(FAILURES), reset);
        self.told = match self.told {
            Some(known) if heard.latest < known.earliest => return,
            Some(known) if heard.earliest <= known.latest => Some(same_window(known, heard)),
            _ => Some(heard),
        };
        self.unheard.retain(|&from| from > sent);
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// How many may be in flight at `at`, by what is known now.
    fn allowance(&self, at: Instant) -> u32 {
        let told = self.told.filter(|told| at < told.latest);
        let remain = told.map_or(FAILURES, |told| told.remain);
        let over = self.unheard.partition_point(|&from| from + WINDOW <= at);
        let unheard = u32::try_from(self.unheard.len() - over).unwrap_or(u32::MAX);
        remain.saturating_sub(unheard).saturating_sub(self.reserve)
    }

    fn count_from(&mut self, from: Instant) {
        let place = self.unheard.partition_point(|&known| known <= from);
        self.unheard.insert(place, from);
    }
}

/// Two answers of one window, in whatever order they came: the later one, by the server, has less remaining.
fn same_window(known: Told, heard: Told) -> Told {
    let remain = known.remain.min(heard.remain);
    if heard.is_vague() {
        // It may be of the next window: then that one lasts longer.
        let latest = known.latest.max(heard.latest);
        return Told { latest, remain, ..known };
    }
    Told {
        earliest: known.earliest.max(heard.earliest),
        latest: known.latest.min(heard.latest),
        remain,
    }
}


//! What a principal has spent of a group's tokens.
//!
//! The count here never falls below the server's. A charge counts from when its answer arrived, which is later than
//! when the server made it; a request that is not answered counts as the most that it can cost. So a request that is
//! admitted here finds tokens left when it arrives there, in whatever order requests and answers travel.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The most that a request costs: a 4xx.
pub(super) const WORST_COST: u32 = 5;

/// What a bucket holds, and for how long each token that was spent stays out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    pub(super) tokens: u32,
    pub(super) window: Duration,
}

impl Quota {
    /// For how long a request whose answer never came may still be charged: a minute of a window of 15.
    fn grace(self) -> Duration {
        self.window / 15
    }
}

/// What an answer costs, where the server does not say.
pub(super) fn cost(status: u16) -> u32 {
    match status {
        200..=299 => 2,
        300..=399 => 1,
        429 | 500..=599 => 0,
        _ => WORST_COST,
    }
}

/// The bucket of one group and principal.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    /// By when they count from, oldest first.
    charges: VecDeque<Charge>,
    /// The sum of the charges.
    spent: u64,
    /// Every token that was ever charged, and ever given back: their difference is `spent`.
    charged: u64,
    given_back: u64,
    in_flight: u32,
    /// Requests whose answers never came, by when they become charges.
    unanswered: VecDeque<Instant>,
    closed_until: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Charge {
    from: Instant,
    tokens: u32,
}

/// How far a bucket's books were when a request was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    charged: u64,
    given_back: u64,
}

impl Bucket {
    /// Whether a request may be sent now: the server refuses it when the tokens are used up as it arrives.
    pub(super) fn admits(&mut self, quota: Quota, now: Instant) -> bool {
        self.bring_up_to(quota, now);
        let closed = self.closed_until.is_some_and(|until| now < until);
        !closed && self.spent + self.held(self.in_flight) < u64::from(quota.tokens)
    }

    /// When a request may be sent, with that many others still in flight; none when their answers must come first.
    pub(super) fn opens_at(&self, quota: Quota, now: Instant, in_flight: u32) -> Option<Instant> {
        let closed = self.closed_until.unwrap_or(now).max(now);
        let taken = self.spent + self.held(in_flight);
        let Some(mut excess) = (taken + 1)
            .checked_sub(u64::from(quota.tokens))
            .filter(|&n| n > 0)
        else {
            return Some(closed);
        };
        let charges = self.charges.iter().map(|charge| (charge.from, charge.tokens));
        let later = self.unanswered.iter().map(|&from| (from, WORST_COST));
        for (from, tokens) in charges.chain(later) {
            excess = excess.saturating_sub(u64::from(tokens));
            if excess == 0 {
                return Some(closed.max(from + quota.window));
            }
        }
        None
    }

    /// A request is sent.
    pub(super) fn send(&mut self, quota: Quota, now: Instant) -> Page {
        self.bring_up_to(quota, now);
        self.in_flight += 1;
        Page {
            charged: self.charged,
            given_back: self.given_back,
        }
    }

    /// A request turns out to draw from this bucket when its answer comes: nothing is known of before.
    pub(super) fn sent_unknown(&mut self, quota: Quota, now: Instant) -> Page {
        Page {
            charged: 0,
            ..self.send(quota, now)
        }
    }

    /// A request was not sent after all, or drew from another bucket.
    pub(super) fn release(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// A request was sent, and no answer came. The server may still be at it.
    pub(super) fn unanswered(&mut self, quota: Quota, now: Instant) {
        self.bring_up_to(quota, now);
        self.release();
        self.unanswered.push_back(now + quota.grace());
    }

    /// An answer came.
    pub(super) fn settle(
        &mut self,
        quota: Quota,
        now: Instant,
        sent: Page,
        cost: u32,
        remaining: Option<u32>,
    ) {
        self.bring_up_to(quota, now);
        self.release();
        self.charge(now, cost.min(quota.tokens));
        if let Some(remaining) = remaining {
            self.compare(now, sent, u64::from(quota.tokens.saturating_sub(remaining)));
        }
    }

    /// A request was refused: the bucket is empty, and has tokens for another request only after `wait`.
    pub(super) fn refuse(&mut self, quota: Quota, now: Instant, sent: Page, remaining: u32, wait: Duration) {
        self.settle(quota, now, sent, 0, Some(remaining));
        let open = now + wait;
        self.closed_until = self.closed_until.max(Some(open));
        self.give_one_back_at(quota, open);
    }

    /// Whether nothing is left to remember.
    pub(super) fn is_idle(&mut self, quota: Quota, now: Instant) -> bool {
        self.bring_up_to(quota, now);
        let closed = self.closed_until.is_some_and(|until| now < until);
        !closed && self.spent == 0 && self.in_flight == 0 && self.unanswered.is_empty()
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// What the server has used, by its answer, against what our own books say it may and must have.
    ///
    /// Between the server's answer and now, our books went on: charges ended, and answers that the server gave later
    /// arrived before. So the most that it can have counted of ours is everything on the books now, everything that
    /// was given back since the request was sent, and the worst of what is in flight. What is above that is somebody
    /// else's.
    ///
    /// The least that it must have counted is what was on the books when the request was sent and still is. Where it
    /// has less, it gave tokens back earlier than we did. This request's own cost is left out on that side: an
    /// answer may be written before its cost is, and an overdrawn bucket shows zero remaining, not less. With it, each of
    /// these would take a charge off the books that the server still has.
    fn compare(&mut self, now: Instant, sent: Page, used: u64) {
        let given_back_since = self.given_back - sent.given_back;
        let most = self.spent + given_back_since + self.held(self.in_flight);
        let least = sent.charged.saturating_sub(self.given_back);
        if used > most {
            self.charge(now, u32::try_from(used - most).unwrap_or(u32::MAX));
        } else if used < least {
            self.give_back(least - used);
        }
    }

    /// What requests may cost that are not answered: those in flight, and those that never will be.
    fn held(&self, in_flight: u32) -> u64 {
        u64::from(WORST_COST) * (u64::from(in_flight) + self.unanswered.len() as u64)
    }

    fn charge(&mut self, from: Instant, tokens: u32) {
        if tokens == 0 {
            return;
        }
        let later = self
            .charges
            .iter()
            .rev()
            .take_while(|charge| charge.from > from)
            .count();
        let place = self.charges.len() - later;
        self.charges.insert(place, Charge { from, tokens });
        self.spent += u64::from(tokens);
        self.charged += u64::from(tokens);
    }

    /// Turns requests that nobody will answer any more into charges, and gives back what a window has passed over.
    fn bring_up_to(&mut self, quota: Quota, now: Instant) {
        while let Some(from) = self.unanswered.front().copied().filter(|&from| from <= now) {
            self.unanswered.pop_front();
            self.charge(from, WORST_COST);
        }
        while let Some(oldest) = self
            .charges
            .front()
            .filter(|oldest| oldest.from + quota.window <= now)
        {
            let tokens = u64::from(oldest.tokens);
            self.give_back(tokens);
        }
    }

    /// Gives back this many of the oldest tokens.
    fn give_back(&mut self, tokens: u64) {
        let mut left = tokens;
        while let Some(oldest) = self.charges.front_mut().filter(|_| left > 0) {
            let part = u64::from(oldest.tokens).min(left);
            left -= part;
            self.spent -= part;
            self.given_back += part;
            // It is at most the charge's own tokens, which are a `u32`.
            oldest.tokens -= part as u32;
            if oldest.tokens == 0 {
                self.charges.pop_front();
            }
        }
    }

    /// Moves as many of the oldest tokens to end at `at` as one request needs, since the server says that it has room
    /// for one then. The rest stays a full window: what the next answer says decides.
    fn give_one_back_at(&mut self, quota: Quota, at: Instant) {
        let Some(from) = at.checked_sub(quota.window) else {
            return;
        };
        let place = self.charges.partition_point(|charge| charge.from <= from);
        let ending: u64 = self
            .charges
            .iter()
            .take(place)
            .map(|charge| u64::from(charge.tokens))
            .sum();
        let excess = (self.spent + 1).saturating_sub(u64::from(quota.tokens));
        let moved = u32::try_from(excess.saturating_sub(ending)).unwrap_or(u32::MAX);
        let mut left = moved;
        while let Some(charge) = self.charges.get_mut(place).filter(|_| left > 0) {
            let part = charge.tokens.min(left);
            left -= part;
            charge.tokens -= part;
            if charge.tokens == 0 {
                self.charges.remove(place);
            }
        }
        if moved > left {
            let tokens = moved - left;
            self.charges.insert(place, Charge { from, tokens });
        }
    }
}

#[cfg(test)]
mod tests;

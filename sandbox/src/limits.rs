//! Both rate limits, as ESI keeps them.

use crate::contract::Bucket;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// Failures that one address may have in one window.
pub(crate) const ERRORS: u32 = 100;

/// Seconds of a window of the error limit.
const ERROR_WINDOW: i64 = 60;

/// Who a bucket belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Principal {
    /// Somebody without a token.
    Address(IpAddr),
    /// A character that is logged in with an application.
    Character { application: String, character: i64 },
}

/// What has been used of each limit.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    errors: HashMap<IpAddr, Errors>,
    /// By group and principal.
    spent: HashMap<(String, Principal), Spent>,
}

/// Moment and cost of each request in the window, the oldest first.
type Spent = VecDeque<(DateTime<Utc>, u32)>;

#[derive(Debug, Clone, Copy)]
struct Errors {
    window: i64,
    failures: u32,
}

/// What is left of the error limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ErrorsLeft {
    pub(crate) remain: u32,
    /// Seconds until the window ends.
    pub(crate) reset: i64,
}

/// What is left of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokensLeft {
    pub(crate) remaining: u32,
    /// Seconds until there is something again; 0 while there is.
    pub(crate) wait: i64,
}

impl Limits {
    /// What `address` has left. The windows are fixed: each begins with a minute of the clock.
    pub(crate) fn errors_left(&self, address: IpAddr, now: DateTime<Utc>) -> ErrorsLeft {
        let window = now.timestamp().div_euclid(ERROR_WINDOW);
        let failures = self
            .errors
            .get(&address)
            .filter(|errors| errors.window == window)
            .map_or(0, |errors| errors.failures);
        ErrorsLeft {
            remain: ERRORS.saturating_sub(failures),
            reset: ERROR_WINDOW - now.timestamp().rem_euclid(ERROR_WINDOW),
        }
    }

    /// One failure more.
    pub(crate) fn count_error(&mut self, address: IpAddr, now: DateTime<Utc>) {
        let window = now.timestamp().div_euclid(ERROR_WINDOW);
        let errors = self
            .errors
            .entry(address)
            .or_insert(Errors { window, failures: 0 });
        if errors.window != window {
            *errors = Errors { window, failures: 0 };
        }
        errors.failures = errors.failures.saturating_add(1);
    }

    /// What a principal has left of a bucket. The window floats: each cost comes back when it has passed.
    pub(crate) fn tokens_left(
        &mut self,
        bucket: &Bucket,
        principal: &Principal,
        now: DateTime<Utc>,
    ) -> TokensLeft {
        let window = TimeDelta::seconds(i64::from(bucket.window_seconds));
        let key = (bucket.group.clone(), principal.clone());
        let spent = self.spent.entry(key).or_default();
        while spent.front().is_some_and(|(moment, _)| *moment + window <= now) {
            spent.pop_front();
        }
        let used = spent.iter().map(|(_, cost)| *cost).fold(0, u32::saturating_add);
        TokensLeft {
            remaining: bucket.tokens.saturating_sub(used),
            wait: wait(spent, used, bucket.tokens, |moment| {
                (moment + window - now).num_milliseconds()
            }),
        }
    }

    /// Takes what a request cost.
    pub(crate) fn spend(&mut self, bucket: &Bucket, principal: &Principal, now: DateTime<Utc>, cost: u32) {
        if cost > 0 {
            let key = (bucket.group.clone(), principal.clone());
            self.spent.entry(key).or_default().push_back((now, cost));
        }
    }
}

/// Seconds until so many costs have come back that one token is there.
fn wait(spent: &Spent, mut used: u32, tokens: u32, milliseconds_until: impl Fn(DateTime<Utc>) -> i64) -> i64 {
    let mut wait = 0;
    for (moment, cost) in spent {
        if used < tokens {
            break;
        }
        used = used.saturating_sub(*cost);
        wait = (milliseconds_until(*moment) + 999).div_euclid(1000);
    }
    wait
}

/// What an answer costs.
pub(crate) fn cost(status: u16) -> u32 {
    match status {
        200..=299 => 2,
        300..=399 => 1,
        429 => 0,
        400..=499 => 5,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    #[test]
    fn errors_come_back_all_at_once_with_the_minute() {
        let mut limits = Limits::default();
        for _ in 0..ERRORS + 5 {
            limits.count_error(HERE, at(10));
        }
        assert_eq!(
            limits.errors_left(HERE, at(59)),
            ErrorsLeft { remain: 0, reset: 1 }
        );
        assert_eq!(
            limits.errors_left(HERE, at(60)),
            ErrorsLeft {
                remain: 100,
                reset: 60
            }
        );
        limits.count_error(HERE, at(61));
        assert_eq!(limits.errors_left(HERE, at(61)).remain, 99);
        assert_eq!(
            limits.errors_left(IpAddr::from([10, 0, 0, 1]), at(61)).remain,
            100
        );
    }

    #[test]
    fn tokens_come_back_one_cost_after_the_other() {
        let bucket = Bucket {
            group: "group".to_owned(),
            tokens: 7,
            window_seconds: 900,
            window: "15m".to_owned(),
        };
        let me = Principal::Address(HERE);
        let other = Principal::Character {
            application: "app".to_owned(),
            character: 1,
        };
        let mut limits = Limits::default();
        limits.spend(&bucket, &me, at(0), 5);
        assert_eq!(
            limits.tokens_left(&bucket, &me, at(10)),
            TokensLeft {
                remaining: 2,
                wait: 0
            }
        );
        limits.spend(&bucket, &me, at(10), 5);
        assert_eq!(
            limits.tokens_left(&bucket, &me, at(20)),
            TokensLeft {
                remaining: 0,
                wait: 880
            }
        );
        assert_eq!(limits.tokens_left(&bucket, &other, at(20)).remaining, 7);
        assert_eq!(
            limits.tokens_left(&bucket, &me, at(900)),
            TokensLeft {
                remaining: 2,
                wait: 0
            }
        );
        assert_eq!(limits.tokens_left(&bucket, &me, at(910)).remaining, 7);
    }

    #[test]
    fn each_class_of_answers_has_its_cost() {
        let costs = [200, 204, 304, 400, 403, 404, 420, 429, 500, 503].map(cost);
        assert_eq!(costs, [2, 2, 1, 5, 5, 5, 5, 0, 0, 0]);
    }
}

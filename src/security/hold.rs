//! How long the single sign-on is left alone after it failed: it fails under many requests, and gets more of them
//! while it is down.

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::Error;

/// The first pause; each further one is twice as long.
const FIRST: TimeDelta = TimeDelta::seconds(1);

/// How often it doubles: 16 seconds.
const DOUBLINGS: u32 = 4;

/// Where doubling ends; what is added against everybody coming back at once makes 30 seconds of it.
const LAST: TimeDelta = TimeDelta::seconds(24);

/// What a `Retry-After` may say at most.
const LONGEST_WISH: TimeDelta = TimeDelta::hours(1);

/// A pause in the refreshes of one identity.
pub(super) struct Hold {
    error: Error,
    begun: DateTime<Utc>,
    until: DateTime<Utc>,
    failures: u32,
}

impl Hold {
    /// The pause after `error`; none where waiting does not help. `spread` is between 0 and 1, and another for each
    /// identity.
    pub(super) fn after(
        before: Option<&Self>,
        error: &Error,
        now: DateTime<Utc>,
        spread: f64,
    ) -> Option<Self> {
        if !is_transient(error) {
            return None;
        }
        let wish = match error {
            Error::SsoUnavailable(error) => error.retry_after,
            _ => None,
        };
        let failures = before.map_or(1, |before| before.failures.saturating_add(1));
        let wish = wish.map_or(TimeDelta::zero(), |wish| {
            TimeDelta::from_std(wish)
                .unwrap_or(LONGEST_WISH)
                .min(LONGEST_WISH)
        });
        Some(Self {
            error: error.clone(),
            begun: now,
            until: now + pause(failures, spread).max(wish),
            failures,
        })
    }

    /// What there is to say while it lasts. A clock that was set back ends it.
    pub(super) fn error_at(&self, now: DateTime<Utc>) -> Option<&Error> {
        (self.begun <= now && now < self.until).then_some(&self.error)
    }
}

/// Whether it is the single sign-on's trouble, and not the login's.
pub(super) fn is_transient(error: &Error) -> bool {
    match error {
        Error::SsoUnavailable(_) => true,
        Error::Sso(error) => matches!(error.code.as_str(), "server_error" | "temporarily_unavailable"),
        _ => false,
    }
}

fn pause(failures: u32, spread: f64) -> TimeDelta {
    let doublings = failures.saturating_sub(1);
    let whole = if doublings > DOUBLINGS {
        LAST
    } else {
        FIRST * (1 << doublings)
    };
    #[allow(clippy::cast_possible_truncation, reason = "between 0 and 1000")]
    let permille = (spread.clamp(0.0, 1.0) * 1000.0) as i32;
    whole + whole * permille / 4000
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::{Phase, SsoError, SsoUnavailable};

    fn unavailable(retry_after: Option<u64>) -> Error {
        Error::SsoUnavailable(Box::new(SsoUnavailable {
            step: "refresh",
            reason: "it answered 503".to_owned(),
            status: Some(503),
            phase: Phase::Body,
            retry_after: retry_after.map(Duration::from_secs),
            source: None,
        }))
    }

    fn sso(code: &str) -> Error {
        Error::Sso(Box::new(SsoError {
            step: "refresh",
            code: code.to_owned(),
            description: None,
            status: Some(400),
        }))
    }

    #[test]
    fn pauses_grow_from_one_second_to_thirty() {
        let now = DateTime::from_timestamp(1_000, 0).expect("a time");
        for (spread, lengths) in [
            (0.0, [1_000, 2_000, 4_000, 8_000, 16_000, 24_000, 24_000]),
            (1.0, [1_250, 2_500, 5_000, 10_000, 20_000, 30_000, 30_000]),
        ] {
            let mut hold = None;
            for length in lengths {
                let next = Hold::after(hold.as_ref(), &unavailable(None), now, spread).expect("a pause");
                let at = |milliseconds| now + TimeDelta::milliseconds(milliseconds);
                assert!(next.error_at(at(length - 1)).is_some(), "{length}");
                assert!(next.error_at(at(length)).is_none(), "{length}");
                assert!(next.error_at(at(-1)).is_none(), "the clock was set back");
                hold = Some(next);
            }
        }
    }

    #[test]
    fn the_single_sign_on_may_ask_for_more_and_not_for_less_nor_for_ever() {
        let now = DateTime::from_timestamp(1_000, 0).expect("a time");
        for (wish, seconds) in [(0, 1), (10, 10), (u64::MAX, 3600)] {
            let hold = Hold::after(None, &unavailable(Some(wish)), now, 0.0).expect("a pause");
            assert!(hold.error_at(now + TimeDelta::seconds(seconds - 1)).is_some());
            assert!(hold.error_at(now + TimeDelta::seconds(seconds)).is_none());
        }
    }

    #[test]
    fn a_refusal_is_no_reason_to_wait() {
        let now = DateTime::from_timestamp(1_000, 0).expect("a time");
        for (code, waits) in [
            ("temporarily_unavailable", true),
            ("server_error", true),
            ("invalid_scope", false),
            ("invalid_grant", false),
        ] {
            let hold = Hold::after(None, &sso(code), now, 0.5);
            assert_eq!(hold.is_some(), waits, "{code}");
        }
    }
}

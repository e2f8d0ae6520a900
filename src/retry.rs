//! Whether a request is sent again, and after how long: pure decisions.
//!
//! A read may be repeated. A write is repeated only when it is certain that ESI did not act on it: it was refused
//! unprocessed, or there was no connection to send it over.
//!
//! The wait grows exponentially, and is drawn evenly from zero to its bound ("full jitter"), so that clients which failed
//! together do not come back together.

use std::time::Duration;

use crate::error::{Error, Phase};
use crate::operation::{Effect, Method, Operation};
use crate::response::RawResponse;

/// How often, and how patiently.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// Requests for one call at most, the first included.
    pub(crate) attempts: u32,
    /// The bound of the first wait; it doubles with each attempt.
    pub(crate) first: Duration,
    /// The bound that it does not grow over.
    pub(crate) longest: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: 5,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(20),
        }
    }
}

/// How an attempt ended, as far as repeating it is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// ESI refused it unprocessed, and its limits say when it may come again.
    Refused,
    /// Nothing was sent.
    NotSent,
    /// Lost, timed out, or a gateway answered: ESI may have acted on it.
    Unclear {
        /// The pause that the answer asks for.
        pause: Option<Duration>,
    },
    /// An answer that another attempt would not change.
    Final,
}

impl Ending {
    pub(crate) fn of(outcome: &Result<RawResponse, Error>) -> Self {
        match outcome {
            Ok(answer) => match answer.status() {
                420 | 429 => Self::Refused,
                502..=504 => Self::Unclear {
                    pause: answer
                        .headers()
                        .retry_after()
                        .map(|seconds| Duration::from_secs(seconds.into())),
                },
                _ => Self::Final,
            },
            Err(Error::Transport(error)) if error.phase == Phase::Connect => Self::NotSent,
            Err(Error::Timeout(error)) if error.phase == Phase::Connect => Self::NotSent,
            Err(Error::Transport(_) | Error::Timeout(_)) => Self::Unclear { pause: None },
            Err(_) => Self::Final,
        }
    }
}

/// Whether to send again after `attempt` requests ended like this, and after which wait; `chance` is even in 0..1.
pub(crate) fn again(
    policy: &Policy,
    operation: &Operation,
    retry_writes: bool,
    ending: Ending,
    attempt: u32,
    chance: f64,
) -> Option<Duration> {
    if attempt >= policy.attempts {
        return None;
    }
    let is_idempotent = matches!(operation.method, Method::Put | Method::Delete);
    let is_harmless = operation.effect == Effect::Read || (retry_writes && is_idempotent);
    let bound = policy
        .first
        .saturating_mul(1 << attempt.saturating_sub(1).min(16))
        .min(policy.longest);
    let jittered = bound.mul_f64(chance.clamp(0.0, 1.0));
    match ending {
        // The limits hold the next attempt back for as long as ESI says.
        Ending::Refused => Some(Duration::ZERO),
        Ending::NotSent => Some(jittered),
        Ending::Unclear { pause } if is_harmless => Some(pause.unwrap_or_default().max(jittered)),
        Ending::Unclear { .. } | Ending::Final => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static GET: Operation = Operation::new("Get", Method::Get, "/", "T");
    static POST: Operation = Operation::new("Post", Method::Post, "/", "T");
    static PUT: Operation = Operation::new("Put", Method::Put, "/", "T");
    static ASK: Operation = Operation::new("Ask", Method::Post, "/", "T").effect(Effect::Read);

    const LOST: Ending = Ending::Unclear { pause: None };

    #[test]
    fn who_is_sent_again() {
        let cases = [
            (&GET, false, LOST, true),
            (&ASK, false, LOST, true),
            (&POST, false, LOST, false),
            (&POST, true, LOST, false),
            (&PUT, false, LOST, false),
            (&PUT, true, LOST, true),
            (&POST, false, Ending::Refused, true),
            (&POST, false, Ending::NotSent, true),
            (&GET, true, Ending::Final, false),
        ];
        for (operation, retry_writes, ending, expected) in cases {
            let policy = Policy::default();
            let answer = again(&policy, operation, retry_writes, ending, 1, 0.5);
            assert_eq!(
                answer.is_some(),
                expected,
                "{operation:?} {retry_writes} {ending:?}"
            );
            assert_eq!(again(&policy, operation, retry_writes, ending, 5, 0.5), None);
        }
    }

    #[test]
    fn waits_double_up_to_a_bound_and_never_undercut_what_is_asked() {
        let wait = |attempt, chance, ending| {
            let policy = Policy {
                attempts: 100,
                ..Policy::default()
            };
            again(&policy, &GET, false, ending, attempt, chance).expect("another")
        };
        let bounds: Vec<u128> = (1..9)
            .map(|attempt| wait(attempt, 1.0, LOST).as_millis())
            .collect();
        assert_eq!(bounds, [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
        assert_eq!(wait(90, 1.0, LOST), Duration::from_secs(20));
        assert_eq!(wait(3, 0.0, LOST), Duration::ZERO);
        assert_eq!(wait(3, 0.25, LOST), Duration::from_millis(500));
        let pause = Ending::Unclear {
            pause: Some(Duration::from_secs(7)),
        };
        assert_eq!(wait(1, 1.0, pause), Duration::from_secs(7));
        assert_eq!(wait(1, 1.0, Ending::Refused), Duration::ZERO);
    }

    #[test]
    fn endings() {
        let answer = |status, headers: http::HeaderMap| {
            let headers = crate::headers::Headers::new(headers);
            Ok(RawResponse::new(status, headers, bytes::Bytes::new()))
        };
        let plain = |status| Ending::of(&answer(status, http::HeaderMap::new()));
        for status in [200, 204, 301, 304, 400, 401, 403, 404, 422, 500, 501, 505, 520] {
            assert_eq!(plain(status), Ending::Final, "{status}");
        }
        for status in [420, 429] {
            assert_eq!(plain(status), Ending::Refused);
        }
        for status in [502, 503, 504] {
            assert_eq!(plain(status), LOST);
        }
        let mut headers = http::HeaderMap::new();
        headers.insert("retry-after", "3".parse().expect("a value"));
        let paused = Ending::Unclear {
            pause: Some(Duration::from_secs(3)),
        };
        assert_eq!(Ending::of(&answer(503, headers)), paused);
    }
}

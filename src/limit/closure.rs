//! Pauses of one operation for one principal.
//!
//! Some limits are not ESI's but those of the game server behind it: a 429 without headers, and a 520 that says how long
//! to wait. They concern this operation and principal, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// The first pause after a refusal that says nothing; each further one doubles it.
const FIRST: Duration = Duration::from_secs(5);
/// The longest such pause.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest pause that a game server's answer is believed.
const LONGEST_TOLD: Duration = Duration::from_secs(15 * 60);
/// For how long after a pause refusals are remembered.
const MEMORY: Duration = Duration::from_secs(10 * 60);
/// How much of a body is searched: such bodies are short.
const SEARCHED: usize = 4096;

/// The pauses of a client.
#[derive(Debug, Default)]
pub(super) struct Closures(HashMap<(&'static str, Arc<str>), Closure>);

#[derive(Debug)]
struct Closure {
    since: Instant,
    until: Instant,
    /// How many refusals came without a success in between.
    refusals: u32,
}

impl Closures {
    /// Until when this operation must not be called.
    pub(super) fn until(
        &self,
        operation: &'static str,
        principal: &Arc<str>,
        now: Instant,
    ) -> Option<Instant> {
        if self.0.is_empty() {
            return None;
        }
        let closure = self.0.get(&(operation, Arc::clone(principal)))?;
        Some(closure.until).filter(|&until| now < until)
    }

    /// A request was refused and nobody says for how long.
    pub(super) fn refused(
        &mut self,
        operation: &'static str,
        principal: &Arc<str>,
        sent: Instant,
        now: Instant,
    ) {
        let closure = self.entry(operation, principal, now);
        if closure.refusals > 0 && sent <= closure.since {
            // It was under way when another one's refusal began this pause.
            return;
        }
        closure.refusals += 1;
        closure.since = now;
        closure.until = closure.until.max(now + backoff(closure.refusals));
    }

    /// The server asks for a pause of this length.
    pub(super) fn pause(
        &mut self,
        operation: &'static str,
        principal: &Arc<str>,
        now: Instant,
        pause: Duration,
    ) {
        let closure = self.entry(operation, principal, now);
        closure.since = now;
        closure.until = closure.until.max(now + pause);
    }

    /// A request succeeded: one that was sent after the pause began ends it.
    pub(super) fn succeeded(&mut self, operation: &'static str, principal: &Arc<str>, sent: Instant) {
        if self.0.is_empty() {
            return;
        }
        let key = (operation, Arc::clone(principal));
        if self.0.get(&key).is_some_and(|closure| sent > closure.since) {
            self.0.remove(&key);
        }
    }

    /// Drops what no longer matters.
    pub(super) fn forget(&mut self, now: Instant) {
        self.0.retain(|_, closure| now < closure.until + MEMORY);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn entry(&mut self, operation: &'static str, principal: &Arc<str>, now: Instant) -> &mut Closure {
        let key = (operation, Arc::clone(principal));
        self.0.entry(key).or_insert(Closure {
            since: now,
            until: now,
            refusals: 0,
        })
    }
}

/// The pause after so many refusals in a row.
fn backoff(refusals: u32) -> Duration {
    let doublings = refusals.saturating_sub(1).min(8);
    (FIRST * (1 << doublings)).min(LONGEST)
}

/// `remainingTime` of the game server's words in the body of a 520, in microseconds: a JSON member, or part of a text
/// that is JSON itself, with its quotes escaped.
pub(super) fn remaining_time(body: &[u8]) -> Option<Duration> {
    const WORD: &[u8] = b"remainingTime";
    let body = &body[..body.len().min(SEARCHED)];
    let place = body.windows(WORD.len()).position(|window| window == WORD)?;
    let mut rest = body[place + WORD.len()..]
        .iter()
        .skip_while(|byte| matches!(byte, b'\\' | b'"' | b':' | b' '))
        .peekable();
    rest.peek().filter(|byte| byte.is_ascii_digit())?;
    let microseconds = rest
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0_u64, |number, digit| {
            number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        });
    Some(Duration::from_micros(microseconds).min(LONGEST_TOLD))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATION: &str = "PostMail";

    fn principal() -> Arc<str> {
        "app:1".into()
    }

    #[test]
    fn the_remaining_time_is_read_from_both_forms() {
        let seconds = |text: &str| remaining_time(text.as_bytes()).map(|time| time.as_secs_f64());
        for (body, expected) in [
            (
                r#"{"error":"MailStopSpamming, details: {\"remainingTime\": 12000000}"}"#,
                Some(12.0),
            ),
            (
                r#"{"error":"ConStopSpamming, details: {\"remainingTime\":500000}"}"#,
                Some(0.5),
            ),
            (
                r#"{"error":"ConStopSpamming","details":{"remainingTime":3000000}}"#,
                Some(3.0),
            ),
            (r#"{"remainingTime": 1500000.75}"#, Some(1.5)),
            (r#"{"remainingTime": 99999999999999999999999999}"#, Some(900.0)),
            (r#"{"remainingTime": 0}"#, Some(0.0)),
            (r#"{"remainingTime": -5}"#, None),
            (r#"{"remainingTime": null}"#, None),
            (r#"{"remainingTime""#, None),
            (r#"{"error":"Undefined 520 response"}"#, None),
            ("<html>520</html>", None),
            ("", None),
        ] {
            assert_eq!(seconds(body), expected, "{body}");
        }
    }

    #[test]
    fn pauses_double_up_to_a_minute() {
        let pauses = [1, 2, 3, 4, 5, 6, 40, u32::MAX].map(|refusals| backoff(refusals).as_secs());
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60, 60, 60]);
    }

    #[test]
    fn refusals_of_one_burst_count_once_and_the_next_success_ends_them() {
        let (mut closures, start, principal) = (Closures::default(), Instant::now(), principal());
        let at = |milliseconds: u64| start + Duration::from_millis(milliseconds);
        let until = |closures: &Closures, now| {
            closures
                .until(OPERATION, &principal, at(now))
                .map(|until| (until - start).as_millis())
        };
        closures.refused(OPERATION, &principal, at(0), at(100));
        closures.refused(OPERATION, &principal, at(50), at(200));
        assert_eq!(until(&closures, 200), Some(5_100), "one burst");
        assert_eq!(until(&closures, 5_100), None, "it is over");
        closures.succeeded(OPERATION, &principal, at(60));
        closures.refused(OPERATION, &principal, at(5_100), at(5_200));
        assert_eq!(
            until(&closures, 5_200),
            Some(15_200),
            "a success that was under way before ends nothing"
        );
        closures.succeeded(OPERATION, &principal, at(15_300));
        assert_eq!(closures.len(), 0);
        closures.refused(OPERATION, &principal, at(16_000), at(16_000));
        assert_eq!(until(&closures, 16_000), Some(21_000), "from the beginning");
    }

    #[test]
    fn a_pause_concerns_one_operation_and_one_principal_and_is_forgotten() {
        let (mut closures, now, principal) = (Closures::default(), Instant::now(), principal());
        closures.pause(OPERATION, &principal, now, Duration::from_secs(12));
        assert_eq!(
            closures.until(OPERATION, &principal, now),
            Some(now + Duration::from_secs(12))
        );
        assert_eq!(closures.until("GetMail", &principal, now), None);
        assert_eq!(closures.until(OPERATION, &"app:2".into(), now), None);
        closures.pause(OPERATION, &principal, now, Duration::from_secs(3));
        assert_eq!(
            closures.until(OPERATION, &principal, now),
            Some(now + Duration::from_secs(12)),
            "never shorter"
        );
        closures.forget(now + Duration::from_secs(12) + MEMORY);
        assert_eq!(closures.len(), 0);
    }
}

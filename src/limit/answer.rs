//! What an answer says of the limits.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::bucket::Quota;
use super::closure;
use crate::headers::Headers;

/// The longest that a header closes anything.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// The longest window that a header is believed.
const LONGEST_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a refusal lasts that does not say, or not in words that can be read.
const UNSAID: Duration = Duration::from_secs(60);

/// What an answer says of the limits, as far as it can be read.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) bucket: BucketWords<'a>,
    /// Failures left, and the time until all are back.
    pub(super) error_limit: Option<(u32, Duration)>,
    /// For how long it wants nothing more, where it has the header.
    pub(super) retry_after: Option<Duration>,
    /// For how long the game server wants nothing more.
    pub(super) remaining_time: Option<Duration>,
    /// For how long everything is closed.
    pub(super) everything: Option<Duration>,
}

/// `X-Ratelimit-*`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BucketWords<'a> {
    pub(super) group: Option<&'a str>,
    pub(super) quota: Option<Quota>,
    pub(super) remaining: Option<u32>,
    pub(super) used: Option<u32>,
}

impl BucketWords<'_> {
    /// Whether it says nothing of a bucket.
    pub(super) fn is_empty(&self) -> bool {
        self.group.is_none() && self.quota.is_none() && self.remaining.is_none() && self.used.is_none()
    }
}

impl<'a> Answer<'a> {
    /// Reads an answer. What it does not say, or not in words that can be read, is none.
    pub(super) fn read(status: u16, headers: &'a Headers, body: &[u8]) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds)).min(LONGEST);
        let reset = number(headers, "x-esi-error-limit-reset").map(seconds);
        Self {
            status,
            bucket: BucketWords {
                group: headers
                    .get("x-ratelimit-group")
                    .map(str::trim)
                    .filter(|group| !group.is_empty()),
                quota: headers.get("x-ratelimit-limit").and_then(quota),
                remaining: number(headers, "x-ratelimit-remaining"),
                used: number(headers, "x-ratelimit-used"),
            },
            error_limit: number(headers, "x-esi-error-limit-remain").zip(reset),
            retry_after: retry_after(headers),
            remaining_time: (status == 520).then(|| closure::remaining_time(body)).flatten(),
            // The reset has whole seconds: a second more is sure to be after it.
            everything: (status == 420).then(|| reset.map_or(UNSAID, |reset| reset + Duration::from_secs(1))),
        }
    }

    /// Whether it is a success: 2xx and 3xx, for both limits.
    pub(super) fn is_success(&self) -> bool {
        (200..400).contains(&self.status)
    }

    /// For how long the bucket is closed, when it says so.
    pub(super) fn bucket_closed(&self) -> Option<Duration> {
        let told = self.retry_after.is_some() || !self.bucket.is_empty();
        (self.status == 429 && told).then(|| self.retry_after.unwrap_or(UNSAID))
    }

    /// When everything opens again, when it says that everything is closed.
    pub(super) fn everything_closed_until(&self, now: Instant) -> Option<Instant> {
        self.everything.map(|wait| now + wait)
    }
}

fn number(headers: &Headers, name: &str) -> Option<u32> {
    headers.get(name)?.trim().parse().ok()
}

const SECOND: Duration = Duration::from_secs(1);

/// `150/15m`: so many tokens in a window of so many seconds, minutes or hours.
fn quota(text: &str) -> Option<Quota> {
    let (tokens, window) = text.trim().split_once('/')?;
    let tokens = tokens.trim_end().parse().ok().filter(|&tokens| tokens > 0)?;
    let window = window.trim();
    let unit = window.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        _ => return None,
    };
    let count: u32 = window
        .strip_suffix(unit)?
        .trim_end()
        .parse()
        .ok()
        .filter(|&count| count > 0)?;
    let window = Duration::from_secs(u64::from(count) * seconds);
    (window <= LONGEST_WINDOW).then_some(Quota { tokens, window })
}

/// `Retry-After` in seconds, or as a date, which is meant by the server's own clock. Both leave out parts of a second:
/// one more, to be sure.
fn retry_after(headers: &Headers) -> Option<Duration> {
    let text = headers.get("retry-after")?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => date(text).zip(headers.date()).map(|(then, now)| {
            // A date that is past asks for no wait.
            (then - now).to_std().unwrap_or_default()
        }),
    };
    let wait = wait.unwrap_or(UNSAID).saturating_add(SECOND);
    Some(wait.min(LONGEST))
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> Headers {
        let lines = lines.iter().filter_map(|(name, value)| {
            Some((
                http::HeaderName::from_static(name),
                http::HeaderValue::from_str(value).ok()?,
            ))
        });
        Headers::new(lines.collect())
    }

    #[test]
    fn quotas_have_a_unit_and_are_not_zero() {
        for (text, expected) in [
            ("150/15m", Some((150, 900))),
            (" 12000/1h ", Some((12_000, 3_600))),
            ("15/30s", Some((15, 30))),
            ("15 / 15 m", Some((15, 900))),
            ("600/24h", Some((600, 86_400))),
            ("600/25h", None),
            ("0/15m", None),
            ("15/0m", None),
            ("-15/15m", None),
            ("15/15", None),
            ("15/15d", None),
            ("15/m", None),
            ("15/", None),
            ("/15m", None),
            ("15", None),
            ("15/15µ", None),
            ("15/99999999999999999999h", None),
            ("99999999999/15m", None),
            ("", None),
        ] {
            let read = quota(text).map(|quota| (quota.tokens, quota.window.as_secs()));
            assert_eq!(read, expected, "{text:?}");
        }
    }

    #[test]
    fn a_retry_comes_after_seconds_or_at_a_date_of_the_servers_clock() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, with_date, without) in [
            ("30", Some(30), Some(30)),
            (" 0 ", Some(0), Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30), Some(60)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0), Some(60)),
            ("Sat, 06 Nov 2094 08:49:07 GMT", Some(3_600), Some(60)),
            ("99999999", Some(3_600), Some(3_600)),
            ("99999999999999999999999", Some(60), Some(60)),
            ("soon", Some(60), Some(60)),
            ("-1", Some(60), Some(60)),
            ("", Some(60), Some(60)),
        ] {
            // Less the one that is added to be sure.
            let seconds = |given: &[(&'static str, &str)]| {
                let wait = retry_after(&headers(given))?;
                Some(if wait == LONGEST {
                    3_600
                } else {
                    wait.as_secs() - 1
                })
            };
            assert_eq!(
                seconds(&[("retry-after", value), date]),
                with_date,
                "{value:?} with a date"
            );
            assert_eq!(
                seconds(&[("retry-after", value)]),
                without,
                "{value:?} without a date"
            );
        }
        assert_eq!(retry_after(&headers(&[date])), None);
    }

    #[test]
    fn only_a_420_closes_everything_and_for_a_second_longer_than_it_says() {
        let closed = |status, lines: &[(&'static str, &str)]| {
            let given = headers(lines);
            Answer::read(status, &given, b"")
                .everything
                .map(|wait| wait.as_secs())
        };
        let reset = ("x-esi-error-limit-reset", "17");
        assert_eq!(closed(420, &[reset]), Some(18));
        assert_eq!(closed(420, &[]), Some(60));
        assert_eq!(closed(420, &[("x-esi-error-limit-reset", "soon")]), Some(60));
        assert_eq!(
            closed(420, &[("x-esi-error-limit-reset", "4000000000")]),
            Some(3_601)
        );
        assert_eq!(closed(429, &[reset]), None);
        assert_eq!(closed(200, &[reset]), None);
    }

    #[test]
    fn a_429_closes_the_bucket_only_when_it_speaks_of_one() {
        let closed = |status, lines: &[(&'static str, &str)]| {
            let given = headers(lines);
            Answer::read(status, &given, b"")
                .bucket_closed()
                .map(|wait| wait.as_secs())
        };
        assert_eq!(closed(429, &[("retry-after", "7")]), Some(7 + 1));
        assert_eq!(closed(429, &[("x-ratelimit-remaining", "0")]), Some(60));
        assert_eq!(closed(429, &[("x-ratelimit-group", " ")]), None);
        assert_eq!(closed(429, &[]), None);
        assert_eq!(closed(503, &[("retry-after", "7")]), None);
    }

    proptest! {
        #[test]
        fn whatever_headers_hold_no_wait_is_longer_than_an_hour(
            status in 0_u16..=999,
            values in prop::collection::vec("[ -~]{0,24}|[0-9]{1,22}(/[0-9]{0,12}[smhd]?)?", 7),
            body in prop::collection::vec(any::<u8>(), 0..64),
            word in any::<bool>(),
        ) {
            let names = [
                "x-ratelimit-group", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-used", "retry-after",
                "x-esi-error-limit-remain", "x-esi-error-limit-reset",
            ];
            let lines: Vec<_> = names.into_iter().zip(values.iter().map(String::as_str)).collect();
            let given = headers(&lines);
            let body = if word { [b"{\"remainingTime\": ", &body[..]].concat() } else { body };
            let answer = Answer::read(status, &given, &body);
            let hour = LONGEST + Duration::from_secs(1);
            prop_assert!(answer.retry_after.is_none_or(|wait| wait <= hour));
            prop_assert!(answer.remaining_time.is_none_or(|wait| wait <= hour));
            prop_assert!(answer.everything.is_none_or(|wait| wait <= hour));
            prop_assert!(answer.error_limit.is_none_or(|(_, reset)| reset <= hour));
            prop_assert!(answer.bucket.quota.is_none_or(|quota| quota.tokens > 0 && quota.window <= LONGEST_WINDOW));
        }
    }
}

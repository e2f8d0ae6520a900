//! The headers of an answer.

use std::fmt;

use chrono::{DateTime, Utc};
use http::HeaderMap;

/// The headers of an answer, as they came, and those that ESI gives a meaning as typed values.
///
/// A header that is absent or does not read as its type is `None`.
#[derive(Clone, Default)]
pub struct Headers(HeaderMap);

impl Headers {
    pub(crate) fn new(map: HeaderMap) -> Self {
        Self(map)
    }

    /// The first value of this header; its name in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    /// Every value of this header that is text.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.get_all(name).into_iter();
        values.filter_map(|value| value.to_str().ok())
    }

    /// Every header whose value is text, names in lower case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// `Expires`: ESI asks not to be asked again before.
    pub fn expires(&self) -> Option<DateTime<Utc>> {
        self.date_in("expires")
    }

    /// `Last-Modified`.
    pub fn last_modified(&self) -> Option<DateTime<Utc>> {
        self.date_in("last-modified")
    }

    /// `Date`: when the server answered, by its own clock.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        self.date_in("date")
    }

    /// `ETag`, with its quotes.
    pub fn etag(&self) -> Option<&str> {
        self.get("etag")
    }

    /// `X-Pages`: how many pages there are.
    pub fn pages(&self) -> Option<u32> {
        self.number_in("x-pages")
    }

    /// `X-Esi-Request-Id`: what to quote when asking CCP about a request.
    pub fn request_id(&self) -> Option<&str> {
        self.get("x-esi-request-id")
    }

    /// `Retry-After` in seconds, in either form (RFC 9110 section 10.2.3): a date counts from the server's own `Date`.
    pub fn retry_after(&self) -> Option<u32> {
        self.number_in("retry-after").or_else(|| {
            let wait = self.date_in("retry-after")? - self.date()?;
            Some(u32::try_from(wait.num_seconds()).unwrap_or(0))
        })
    }

    /// The bucket this call drew from: `X-Ratelimit-*`.
    pub fn rate_limit(&self) -> Option<RateLimitStatus> {
        Some(RateLimitStatus {
            group: self.get("x-ratelimit-group")?.to_owned(),
            limit: self.get("x-ratelimit-limit").map(str::to_owned),
            remaining: self.number_in("x-ratelimit-remaining"),
            used: self.number_in("x-ratelimit-used"),
        })
    }

    /// The error limit of this address: `X-ESI-Error-Limit-*`.
    pub fn error_limit(&self) -> Option<ErrorLimitStatus> {
        Some(ErrorLimitStatus {
            remain: self.number_in("x-esi-error-limit-remain")?,
            reset: self.number_in("x-esi-error-limit-reset")?,
        })
    }

    /// These headers, with those of a later answer in place of the ones of the same name: what a 304 does.
    #[cfg(feature = "cache")]
    pub(crate) fn updated_by(&self, later: &Self) -> Self {
        let mut map = self.0.clone();
        for name in later.0.keys() {
            map.remove(name);
        }
        for (name, value) in &later.0 {
            map.append(name, value.clone());
        }
        Self(map)
    }

    #[cfg(feature = "cache")]
    pub(crate) fn to_lines(&self) -> Vec<(String, String)> {
        let lines = self.iter();
        lines
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// What [`to_lines`](Self::to_lines) gave; what is no header is left out.
    #[cfg(feature = "cache")]
    pub(crate) fn from_lines(lines: &[(String, String)]) -> Self {
        let each = lines.iter().filter_map(|(name, value)| {
            let name = http::HeaderName::try_from(name.as_str()).ok()?;
            Some((name, http::HeaderValue::from_str(value).ok()?))
        });
        let mut map = HeaderMap::new();
        for (name, value) in each {
            map.append(name, value);
        }
        Self(map)
    }

    fn date_in(&self, name: &str) -> Option<DateTime<Utc>> {
        http_date(self.get(name)?)
    }

    fn number_in(&self, name: &str) -> Option<u32> {
        self.get(name)?.trim().parse().ok()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The state of a bucket, as an answer told it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimitStatus {
    /// The bucket's group.
    pub group: String,
    /// What it holds, in the server's words: `150/15m`.
    pub limit: Option<String>,
    /// Tokens left.
    pub remaining: Option<u32>,
    /// Tokens this call cost.
    pub used: Option<u32>,
}

/// The state of the error limit, as an answer told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorLimitStatus {
    /// Failures left in this window.
    pub remain: u32,
    /// Seconds until the next window.
    pub reset: u32,
}

/// Reads the date of an HTTP header, `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text.trim())
        .ok()
        .map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> Headers {
        let lines = lines.iter().map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                http::HeaderValue::from_str(value).expect("a value"),
            )
        });
        Headers::new(lines.collect())
    }

    #[test]
    fn dates_are_read_and_what_is_no_date_is_none() {
        let given = headers(&[("expires", "Sun, 06 Nov 1994 08:49:37 GMT"), ("date", "0")]);
        assert_eq!(given.expires().map(|date| date.timestamp()), Some(784_111_777));
        assert_eq!(given.date(), None);
        assert_eq!(given.last_modified(), None);
    }

    #[test]
    fn limits_need_the_headers_that_name_them() {
        let given = headers(&[
            ("x-ratelimit-group", "market-order"),
            ("x-ratelimit-limit", "12000/15m"),
            ("x-ratelimit-remaining", "11998"),
            ("x-esi-error-limit-remain", "99"),
            ("x-esi-error-limit-reset", "31"),
        ]);
        let bucket = given.rate_limit().expect("a bucket");
        assert_eq!(
            (bucket.group.as_str(), bucket.remaining, bucket.used),
            ("market-order", Some(11_998), None)
        );
        assert_eq!(
            given.error_limit(),
            Some(ErrorLimitStatus {
                remain: 99,
                reset: 31
            })
        );
        assert_eq!(headers(&[("x-ratelimit-limit", "1/15m")]).rate_limit(), None);
        assert_eq!(headers(&[("x-pages", "-1")]).pages(), None);
    }

    #[test]
    fn a_pause_is_given_in_seconds_or_until_a_date() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let cases = [
            (vec![("retry-after", "17")], Some(17)),
            (
                vec![("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"), date],
                Some(60),
            ),
            (
                vec![("retry-after", "Sun, 06 Nov 1994 08:48:37 GMT"), date],
                Some(0),
            ),
            (vec![("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")], None),
            (vec![("retry-after", "soon"), date], None),
        ];
        for (lines, expected) in cases {
            assert_eq!(headers(&lines).retry_after(), expected, "{lines:?}");
        }
    }
}

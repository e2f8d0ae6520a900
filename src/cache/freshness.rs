//! For how long an answer is fresh: pure, from its headers.
//!
//! RFC 9111 section 4.2 gives the rules: `max-age` before `Expires`, both less `Age`. ESI adds two. Lifetimes are
//! counted from the server's own `Date`, so that a local clock may be wrong by any amount. And ESI bans clients that ask
//! in a loop: where it forgets to say until when an answer lasts, or says a moment that is over, [`AT_LEAST`] counts.

use chrono::{DateTime, TimeDelta, Utc};

use crate::headers::Headers;

/// What a moment that is over, or a 304 without one, counts for.
pub(crate) const AT_LEAST: TimeDelta = TimeDelta::seconds(5);

/// No answer is fresh for longer: a header that says more is a mistake.
const AT_MOST: TimeDelta = TimeDelta::days(30);

/// Whether an answer may be kept, and for how long it is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Fresh from now on for so long; not at all when it is zero.
    Fresh(TimeDelta),
    /// The server forbids keeping it.
    NotKept,
}

/// The lifetime of a success that came at `now` by the local clock.
pub(crate) fn lifetime(headers: &Headers, now: DateTime<Utc>) -> Lifetime {
    if directives(headers).any(|(name, _)| name == "no-store") {
        return Lifetime::NotKept;
    }
    Lifetime::Fresh(stated(headers, now).unwrap_or_default())
}

/// The lifetime that a 304 gives to what is kept.
pub(crate) fn lifetime_of_304(headers: &Headers, now: DateTime<Utc>) -> TimeDelta {
    stated(headers, now).unwrap_or(AT_LEAST).max(AT_LEAST)
}

/// What the headers say; none where they say nothing.
fn stated(headers: &Headers, now: DateTime<Utc>) -> Option<TimeDelta> {
    let seconds = |value: &str| value.trim_matches('"').parse::<i64>().ok().filter(|n| *n >= 0);
    let mut max_age = None;
    for (name, value) in directives(headers) {
        match name.as_str() {
            "no-cache" => return Some(TimeDelta::zero()),
            "max-age" => max_age = seconds(value),
            _ => {}
        }
    }
    let total = match max_age {
        Some(seconds) => TimeDelta::try_seconds(seconds).unwrap_or(AT_MOST),
        // A date that does not read means "over already" (RFC 9111 section 5.3).
        None if headers.get("expires").is_some() => headers
            .expires()
            .map_or(TimeDelta::zero(), |end| end - headers.date().unwrap_or(now)),
        None => return None,
    };
    let age = headers
        .get("age")
        .and_then(|age| seconds(age.trim()))
        .unwrap_or(0);
    let left = total - TimeDelta::try_seconds(age).unwrap_or(AT_MOST);
    let left = if left > TimeDelta::zero() { left } else { AT_LEAST };
    Some(left.min(AT_MOST))
}

/// The directives of `Cache-Control`, names in lower case.
fn directives(headers: &Headers) -> impl Iterator<Item = (String, &str)> {
    let lines = headers.all("cache-control");
    let each = lines.flat_map(|line| line.split(','));
    each.map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.trim().to_ascii_lowercase(), value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn headers(lines: &str) -> Headers {
        let mut map = HeaderMap::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").expect("a header");
            map.append(
                HeaderName::try_from(name).expect("a name"),
                HeaderValue::from_str(value).expect("a value"),
            );
        }
        Headers::new(map)
    }

    /// The local clock, ten minutes behind the server's.
    fn now() -> DateTime<Utc> {
        "1994-11-06T08:39:37Z".parse().expect("a time")
    }

    const DATE: &str = "Date: Sun, 06 Nov 1994 08:49:37 GMT\n";

    #[test]
    fn lifetimes() {
        let seconds = |n| Lifetime::Fresh(TimeDelta::seconds(n));
        let cases = [
            ("", Lifetime::Fresh(TimeDelta::zero())),
            ("Expires: Sun, 06 Nov 1994 08:54:37 GMT", seconds(300)),
            ("Expires: Sun, 06 Nov 1994 08:54:37 GMT\nAge: 100", seconds(200)),
            (
                "Expires: Sun, 06 Nov 1994 08:54:37 GMT\nCache-Control: public",
                seconds(300),
            ),
            (
                "Expires: Sun, 06 Nov 1994 08:54:37 GMT\nCache-Control: max-age=60",
                seconds(60),
            ),
            ("Cache-Control: Public, MAX-AGE=\"60\"\nAge: 10", seconds(50)),
            ("Cache-Control: max-age=60\nAge: 600", Lifetime::Fresh(AT_LEAST)),
            ("Cache-Control: max-age=-1", Lifetime::Fresh(TimeDelta::zero())),
            ("Cache-Control: max-age=99999999999999", Lifetime::Fresh(AT_MOST)),
            (
                "Expires: Sun, 06 Nov 1994 08:00:00 GMT",
                Lifetime::Fresh(AT_LEAST),
            ),
            ("Expires: 0", Lifetime::Fresh(AT_LEAST)),
            ("Expires: Sat, 06 Nov 2094 08:00:00 GMT", Lifetime::Fresh(AT_MOST)),
            (
                "Cache-Control: no-cache\nExpires: Sun, 06 Nov 1994 08:54:37 GMT",
                seconds(0),
            ),
            (
                "Cache-Control: private\nCache-Control: no-store",
                Lifetime::NotKept,
            ),
        ];
        for (lines, expected) in cases {
            assert_eq!(
                lifetime(&headers(&format!("{DATE}{lines}")), now()),
                expected,
                "{lines}"
            );
        }
    }

    #[test]
    fn without_a_date_the_local_clock_must_do() {
        let given = headers("Expires: Sun, 06 Nov 1994 08:40:37 GMT");
        assert_eq!(lifetime(&given, now()), Lifetime::Fresh(TimeDelta::seconds(60)));
    }

    #[test]
    fn a_304_never_invites_a_loop() {
        for (lines, expected) in [
            ("", AT_LEAST),
            ("Expires: Sun, 06 Nov 1994 08:00:00 GMT", AT_LEAST),
            ("Cache-Control: no-cache", AT_LEAST),
            ("Expires: Sun, 06 Nov 1994 08:50:37 GMT", TimeDelta::seconds(60)),
        ] {
            assert_eq!(
                lifetime_of_304(&headers(&format!("{DATE}{lines}")), now()),
                expected,
                "{lines}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_a_server_sends_panics(
            cache_control in "[ -~]{0,40}", expires in "[ -~]{0,40}", date in "[ -~]{0,40}", age in "[ -~]{0,20}",
        ) {
            let given = headers(&format!(
                "Cache-Control: x{cache_control}\nExpires: x{expires}\nDate: x{date}\nAge: 1{age}"
            ));
            if let Lifetime::Fresh(lasts) = lifetime(&given, now()) {
                assert!(lasts >= TimeDelta::zero() && lasts <= AT_MOST);
            }
        }
    }
}

//! Settings as they were given, made into what they must be.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::error::Error;
use crate::spec;

pub(super) fn user_agent(given: Option<&str>) -> Result<HeaderValue, Error> {
    const FORM: &str = "say who asks, as in `my-app/1.0 (me@example.com)`";
    let Some(given) = given.map(str::trim).filter(|given| !given.is_empty()) else {
        let why = "ESI asks every application to name itself and a contact, to be told of trouble before it is blocked";
        return Err(Error::config("user_agent", format!("is missing: {why}; {FORM}")));
    };
    HeaderValue::from_str(given).map_err(|_| {
        Error::config(
            "user_agent",
            format!("has characters that a header cannot carry; {FORM}"),
        )
    })
}

pub(super) fn header_value(setting: &'static str, value: &str) -> Result<HeaderValue, Error> {
    if value.trim().is_empty() {
        return Err(Error::config(setting, "is empty: leave it out for ESI's default"));
    }
    HeaderValue::from_str(value).map_err(|_| {
        Error::config(
            setting,
            format!("{value:?} has characters that a header cannot carry"),
        )
    })
}

pub(super) fn base_url(given: &str) -> Result<Url, Error> {
    let url = http_url("base_url", given, spec::DEFAULT_BASE_URL)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Error::config(
            "base_url",
            "has a query or a fragment: end it before the `?` or `#`",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::config(
            "base_url",
            "has a user name or password: give them as a header",
        ));
    }
    Ok(url)
}

/// A URL that this build of the crate can connect to.
pub(super) fn http_url(setting: &'static str, given: &str, example: &str) -> Result<Url, Error> {
    let fail = |reason: String| Err(Error::config(setting, reason));
    match Url::parse(given) {
        Err(error) => fail(format!("not a URL: {error}; an example: {example}")),
        Ok(url) => match url.scheme() {
            "https" if cfg!(not(feature = "tls")) => {
                fail("https needs esikit's feature `tls`: add it, or give an http URL".to_owned())
            }
            "http" | "https" => Ok(url),
            other => fail(format!("the scheme is {other}, but it must be http or https")),
        },
    }
}

pub(super) fn checked_date(date: &str) -> Result<String, Error> {
    match chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d") {
        Ok(parsed) if parsed.to_string() == date => Ok(date.to_owned()),
        _ => Err(Error::config(
            "compatibility_date",
            format!("{date:?} is not a date of the form 2026-08-18"),
        )),
    }
}

pub(super) fn with_compatibility_date(
    mut headers: HeaderMap,
    date: Option<&str>,
) -> Result<HeaderMap, Error> {
    if let Some(date) = date {
        let value = header_value("compatibility_date", date)?;
        headers.insert(HeaderName::from_static("x-compatibility-date"), value);
    }
    Ok(headers)
}

//! A call and how a request is made of it: pure, no I/O.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::bounds;
use crate::error::{CompatibilityDateError, Error};
use crate::operation::{Operation, Place};
use crate::percent::push_encoded;
use crate::spec;

/// What is set once per client, and goes into every request.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Without a slash at its end.
    pub(crate) base_url: String,
    pub(crate) headers: HeaderNames,
    /// The compatibility date that is sent.
    pub(crate) compatibility_date: Option<String>,
    pub(crate) timeout: Duration,
}

/// Headers whose values `Debug` leaves out.
#[derive(Clone, Default)]
pub(crate) struct HeaderNames(pub(crate) HeaderMap);

impl fmt::Debug for HeaderNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// Headers that have a setting of their own or belong to the connection.
const OURS: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "content-length",
    "content-type",
    "host",
    "if-modified-since",
    "if-none-match",
    "transfer-encoding",
    "user-agent",
    "x-compatibility-date",
    "x-tenant",
];

/// One header somebody adds; the error is what is wrong with it, and never has its value.
pub(crate) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let shown = name.escape_debug();
    let parsed = HeaderName::try_from(name).map_err(|_| format!("\"{shown}\" is not a header name"))?;
    if OURS.contains(&parsed.as_str()) {
        return Err(format!(
            "`{parsed}` is set by the client: use the builder's setting where there is one"
        ));
    }
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| format!("the value of `{parsed}` has characters that a header cannot carry"))?;
    // It may be a token: no `Debug` shows it.
    value.set_sensitive(true);
    Ok((parsed, value))
}

/// A call: the operation, and what was set for it so far.
#[derive(Clone)]
pub(crate) struct Call {
    operation: &'static Operation,
    is_typed: bool,
    given: Vec<Given>,
    body: Option<Bytes>,
    headers: HeaderMap,
    timeout: Option<Duration>,
    options: Options,
    /// The first thing that was set wrongly; sending returns it.
    problem: Option<Error>,
}

/// How a call treats kept answers and failures.
#[cfg_attr(
    not(feature = "cache"),
    allow(dead_code, reason = "only kept answers have use for it")
)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) asks: Asks,
    /// For how long after it went stale a kept answer stands in for a failure.
    pub(crate) stale_if_error: Option<Duration>,
    pub(crate) not_kept: bool,
    pub(crate) retry_writes: bool,
}

/// Whether a call may be answered from what is kept.
#[cfg_attr(
    not(feature = "cache"),
    allow(dead_code, reason = "only kept answers have use for it")
)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Kept answers while they are fresh, then ESI.
    #[default]
    WhenStale,
    /// Never ESI.
    Never,
    /// ESI, though a fresh answer be there.
    Always,
    /// Kept answers that came later than this, else ESI: for whoever knows that the earlier one has expired.
    After(Instant),
}

/// A parameter that was set.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) place: Place,
    pub(crate) name: &'static str,
    pub(crate) value: Value,
}

/// A parameter's value as text.
#[derive(Clone)]
pub(crate) enum Value {
    One(String),
    /// Joined by commas.
    List(Vec<String>),
    /// The parameter repeated.
    Each(Vec<String>),
}

impl Value {
    pub(crate) fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::List(texts) | Self::Each(texts) => texts,
        }
    }
}

/// A request that is ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) method: http::Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    pub(crate) timeout: Duration,
}

impl Call {
    #[allow(dead_code, reason = "a build without operations has no use for it")]
    pub(crate) fn typed(operation: &'static Operation) -> Self {
        Self {
            is_typed: true,
            ..Self::untyped(operation)
        }
    }

    pub(crate) fn untyped(operation: &'static Operation) -> Self {
        Self {
            operation,
            is_typed: false,
            given: Vec::new(),
            body: None,
            headers: HeaderMap::new(),
            timeout: None,
            options: Options::default(),
            problem: None,
        }
    }

    pub(crate) fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Sets a parameter; setting it again replaces it.
    pub(crate) fn set(&mut self, place: Place, name: &'static str, value: Value) {
        self.unset(place, name);
        self.given.push(Given { place, name, value });
    }

    #[allow(dead_code, reason = "a build of few operations needs few of them")]
    pub(crate) fn has(&self, place: Place, name: &str) -> bool {
        self.given
            .iter()
            .any(|given| given.place == place && given.name == name)
    }

    pub(crate) fn unset(&mut self, place: Place, name: &str) {
        self.given
            .retain(|given| given.name != name || given.place != place);
    }

    #[allow(dead_code, reason = "a build of few operations needs few of them")]
    pub(crate) fn body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }

    /// Sets the operation's parameter of this name, in the place and style the spec gives it.
    pub(crate) fn set_by_name(&mut self, name: &str, value: Value) {
        let known = self.operation.parameters;
        match known.iter().find(|parameter| parameter.name == name) {
            Some(parameter) => {
                let value = match value {
                    Value::List(texts) if parameter.exploded => Value::Each(texts),
                    other => other,
                };
                self.set(parameter.place, parameter.name, value);
            }
            None => {
                let names: Vec<_> = known.iter().map(|parameter| parameter.name).collect();
                let has = if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                };
                self.fail(Error::request(
                    self.operation,
                    name,
                    format!("no such parameter; there is: {has}"),
                ));
            }
        }
    }

    pub(crate) fn set_body(&mut self, body: Result<Vec<u8>, serde_json::Error>) {
        match body {
            Ok(_) if self.operation.body.is_none() => {
                self.fail(Error::request(
                    self.operation,
                    "body",
                    "the operation takes no body",
                ));
            }
            Ok(bytes) => self.body = Some(bytes.into()),
            Err(error) => self.fail(Error::request(
                self.operation,
                "body",
                format!("not JSON: {error}"),
            )),
        }
    }

    pub(crate) fn options(&self) -> Options {
        self.options
    }

    pub(crate) fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    pub(crate) fn set_timeout(&mut self, limit: Duration) {
        self.timeout = Some(limit);
    }

    pub(crate) fn add_header(&mut self, name: &str, value: &str) {
        match header(name, value) {
            Ok((name, value)) => {
                self.headers.append(name, value);
            }
            Err(reason) => self.fail(Error::request(self.operation, "header", reason)),
        }
    }

    fn fail(&mut self, error: Error) {
        self.problem.get_or_insert(error);
    }

    /// Makes the request, or says what is wrong with the call.
    pub(crate) fn prepare(&self, settings: &Settings) -> Result<Prepared, Error> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        self.check_compatibility(settings)?;
        if self.body.is_none() && self.operation.body.is_some_and(|body| body.required) {
            return Err(Error::request(self.operation, "body", "is missing"));
        }
        self.check_required()?;
        bounds::check(self.operation, &self.given, self.body.as_deref())?;
        let method = http::Method::from_bytes(self.operation.method.as_str().as_bytes())
            .map_err(|error| Error::request(self.operation, "method", error.to_string()))?;
        Ok(Prepared {
            method,
            url: self.url(settings)?,
            headers: self.request_headers(settings),
            body: self.body.clone(),
            timeout: self.timeout.unwrap_or(settings.timeout),
        })
    }

    /// ESI would refuse a call without what it requires, and a refusal costs the error limit.
    fn check_required(&self) -> Result<(), Error> {
        let is_given = |name: &str| self.given.iter().any(|given| given.name == name);
        let required = self
            .operation
            .parameters
            .iter()
            .filter(|parameter| parameter.required);
        match required
            .map(|parameter| parameter.name)
            .find(|name| !is_given(name))
        {
            Some(name) => Err(Error::request(self.operation, name, "is missing")),
            None => Ok(()),
        }
    }

    fn check_compatibility(&self, settings: &Settings) -> Result<(), Error> {
        let Some(client) = settings.compatibility_date.as_deref() else {
            return Ok(());
        };
        if !self.is_typed || Some(client) == spec::COMPATIBILITY_DATE {
            return Ok(());
        }
        Err(Error::CompatibilityDate(Box::new(CompatibilityDateError {
            operation: self.operation,
            generated: spec::COMPATIBILITY_DATE,
            client: client.to_owned(),
        })))
    }

    fn request_headers(&self, settings: &Settings) -> HeaderMap {
        let mut headers = settings.headers.0.clone();
        // What is said for one call stands above what is said for all.
        for name in self.headers.keys() {
            headers.remove(name);
        }
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        if self.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers
    }

    fn url(&self, settings: &Settings) -> Result<String, Error> {
        let mut url = settings.base_url.clone();
        self.push_path(&mut url)?;
        self.push_query(&mut url);
        Ok(url)
    }

    fn push_path(&self, url: &mut String) -> Result<(), Error> {
        let mut rest = self.operation.path;
        while let Some((before, (name, after))) = rest
            .split_once('{')
            .and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
        {
            url.push_str(before);
            push_encoded(url, self.path_value(name)?);
            rest = after;
        }
        url.push_str(rest);
        Ok(())
    }

    /// A path parameter's value; never one that would change the path's shape.
    fn path_value(&self, name: &str) -> Result<&str, Error> {
        let given = self
            .given
            .iter()
            .find(|given| given.place == Place::Path && given.name == name);
        let fail = |reason: &str| Err(Error::request(self.operation, name, reason));
        match given.map(|given| given.value.texts()) {
            Some([text]) if text.is_empty() => fail("is empty"),
            // Encoding does not help here: URL parsers take `%2e%2e` for `..`.
            Some([text]) if text == "." || text == ".." => fail("is a relative path"),
            Some([text]) => Ok(text),
            Some(_) => fail("is a list, which a path cannot hold"),
            None => fail("is missing"),
        }
    }

    /// The query in the order of the operation's parameters, whatever order they were set in.
    fn push_query(&self, url: &mut String) {
        let mut separator = '?';
        for parameter in self.operation.parameters {
            let is_it = |given: &&Given| given.place == Place::Query && given.name == parameter.name;
            let Some(given) = self.given.iter().find(is_it) else {
                continue;
            };
            let groups: Vec<&[String]> = match &given.value {
                Value::Each(texts) => texts.chunks(1).collect(),
                Value::One(_) | Value::List(_) => vec![given.value.texts()],
            };
            for texts in groups {
                url.push(separator);
                separator = '&';
                push_encoded(url, given.name);
                url.push('=');
                for (index, text) in texts.iter().enumerate() {
                    url.push_str(if index > 0 { "," } else { "" });
                    push_encoded(url, text);
                }
            }
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.given.iter().map(|given| given.name).collect();
        f.debug_struct("Call")
            .field("operation", &self.operation.id)
            .field("parameters", &names)
            .field("has_body", &self.body.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! Token, limit, send with retry, record: from a request to what ESI answered, whatever that is.

use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use tokio::time::Instant;
use tracing::Instrument;

use super::pipeline::Way;
use super::principal;
use crate::clock;
use crate::decode;
use crate::error::{Error, RateLimited};
use crate::event::Event;
use crate::limit::{Closed, Outcome, Permit};
use crate::response::{RawResponse, Source};
use crate::retry::{self, Ending};

/// Sends the request until it is answered in a way that another attempt would not change, or none is left.
pub(super) async fn exchange(
    way: &Way,
    conditions: &[(HeaderName, HeaderValue)],
) -> Result<RawResponse, Error> {
    let mut failures = Failures::default();
    let mut token_was_replaced = false;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let (token, permit) = match ready(way).await {
            Ok(ready) => ready,
            Err(error) => return Err(failures.or(error)),
        };
        let mut headers = way.request.headers.clone();
        headers.extend(conditions.iter().cloned());
        principal::put(&token, &mut headers)?;
        let outcome = send(way, headers, permit, attempt).await;
        if let (Ok(answer), Some(token)) = (&outcome, &token)
            && !token_was_replaced
            && principal::is_refused(answer)
        {
            token_was_replaced = true;
            way.progress.waits_for_token();
            match way.principal.replace(way.operation, token).await {
                Ok(Some(_)) => continue,
                Ok(None) => return failures.before(outcome),
                Err(error) => return Err(failures.or(error)),
            }
        }
        let ending = Ending::of(&outcome);
        let shared = &way.esi.shared;
        let Some(wait) = retry::again(
            &shared.retry,
            way.operation,
            way.options.retry_writes,
            ending,
            attempt,
            fastrand::f64(),
        ) else {
            return failures.before(outcome);
        };
        if clock::after(wait) >= way.deadline {
            return failures.before(outcome);
        }
        failures.note(way, outcome, ending);
        way.progress.waits_for_limit();
        tokio::time::sleep(wait).await;
    }
}

/// A token that lasts, and leave to send: in this order, and the token once more when it was long until then.
async fn ready(way: &Way) -> Result<(principal::Token, Permit), Error> {
    way.progress.waits_for_token();
    let token = way.principal.token(way.operation).await?;
    way.progress.waits_for_limit();
    let began = clock::instant();
    let permit = turn(way).await?;
    if clock::instant() - began < Duration::from_secs(1) {
        return Ok((token, permit));
    }
    way.progress.waits_for_token();
    Ok((way.principal.token(way.operation).await?, permit))
}

/// Waits until ESI's limits, and the number of requests at once, let this one pass.
async fn turn(way: &Way) -> Result<Permit, Error> {
    let shared = &way.esi.shared;
    let patience = clock::after(shared.max_wait);
    let tell = |closed: &Closed| {
        way.tell(&Event::Waiting {
            operation: way.operation,
            limit: &closed.limit,
            wait: closed.wait,
        });
    };
    let admitted = shared
        .limits
        .admit(way.operation, way.principal.key(), way.deadline, patience, &tell)
        .await;
    admitted.map_err(|closed| {
        Error::RateLimited(Box::new(RateLimited {
            operation: way.operation,
            limit: closed.limit,
            wait: closed.wait,
        }))
    })
}

/// One request, with what is to be learnt from its end.
async fn send(
    way: &Way,
    headers: http::HeaderMap,
    mut permit: Permit,
    attempt: u32,
) -> Result<RawResponse, Error> {
    let (operation, url) = (way.operation, way.request.url.as_str());
    way.tell(&Event::Sent {
        operation,
        url,
        attempt,
    });
    let span = tracing::debug_span!(
        "esi.request",
        otel.name = %format_args!("{} {}", operation.method, operation.path),
        otel.kind = "client",
        http.request.method = operation.method.as_str(),
        http.request.resend_count = attempt - 1,
        url.template = operation.path,
        server.address = way.esi.shared.server.0,
        server.port = way.esi.shared.server.1,
        http.response.status_code = tracing::field::Empty,
        error.type = tracing::field::Empty,
    );
    let mut telling = Telling {
        way,
        attempt,
        began: clock::instant(),
        is_over: false,
    };
    way.progress.sends();
    permit.sending();
    let transport = &way.esi.shared.transport;
    let outcome = transport
        .send(operation, &way.request, headers, &way.progress)
        .instrument(span.clone())
        .await;
    settle(permit, &outcome);
    telling.is_over = true;
    record(way, &outcome, clock::instant() - telling.began, attempt, &span);
    outcome
}

/// Tells the end of a request that nobody waits for any more: its time was over, or its caller has gone.
struct Telling<'a> {
    way: &'a Way,
    attempt: u32,
    began: Instant,
    is_over: bool,
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.way.tell(&Event::Answered {
            operation: self.way.operation,
            url: &self.way.request.url,
            status: None,
            elapsed: clock::instant() - self.began,
            attempt: self.attempt,
            source: Source::Network,
            bytes: 0,
            message: Some("given up"),
        });
    }
}

/// What the limits learn.
fn settle(permit: Permit, outcome: &Result<RawResponse, Error>) {
    permit.settle(match outcome {
        Ok(answer) => Outcome::Answered {
            status: answer.status(),
            headers: answer.headers(),
            body: answer.body(),
        },
        Err(error) if !error.may_have_been_sent() => Outcome::NotSent,
        Err(_) => Outcome::NoAnswer,
    });
}

/// What listeners, traces and metrics learn.
fn record(
    way: &Way,
    outcome: &Result<RawResponse, Error>,
    elapsed: Duration,
    attempt: u32,
    span: &tracing::Span,
) {
    let (operation, shared) = (way.operation, &way.esi.shared);
    let status = match outcome {
        Ok(answer) => Some(answer.status()),
        Err(error) => error.status(),
    };
    let message = match outcome {
        // Nobody would read it.
        _ if shared.listeners.is_empty() => None,
        Ok(answer) => decode::message(answer),
        Err(error) => Some(error.to_string()),
    };
    if let Some(status) = status {
        span.record("http.response.status_code", status);
    }
    if outcome.is_err() || status.is_some_and(|status| status >= 400) {
        let kind = status.map_or_else(|| "transport".to_owned(), |status| status.to_string());
        span.record("error.type", kind);
    }
    let bytes = outcome.as_ref().map_or(0, |answer| answer.body().len());
    tracing::debug!(parent: span, ?elapsed, bytes, "answered");
    way.tell(&Event::Answered {
        operation,
        url: &way.request.url,
        status,
        elapsed,
        attempt,
        source: match status {
            Some(304) => Source::Revalidated,
            _ => Source::Network,
        },
        bytes,
        message: message.as_deref(),
    });
    let warning = outcome
        .as_ref()
        .ok()
        .and_then(|answer| answer.headers().get("warning"));
    if let Some(warning) = warning.filter(|_| shared.warned.first_time(operation)) {
        tracing::warn!(operation = operation.id, warning, "ESI warns of this operation");
        way.tell(&Event::Deprecated { operation, warning });
    }
}

/// How earlier attempts of one call failed.
#[derive(Default)]
struct Failures {
    last: Option<Error>,
    /// The first after which ESI may have acted: later ones cannot take that back.
    unclear: Option<Error>,
}

impl Failures {
    fn note(&mut self, way: &Way, outcome: Result<RawResponse, Error>, ending: Ending) {
        let Err(error) = outcome.and_then(|answer| decode::check(way.operation, answer)) else {
            return;
        };
        if matches!(ending, Ending::Unclear { .. }) {
            self.unclear.get_or_insert_with(|| error.clone());
        }
        way.progress
            .failed(self.unclear.clone().unwrap_or_else(|| error.clone()));
        self.last = Some(error);
    }

    /// What to say when no further attempt could be made: why the last one failed, unless it was the limit all along.
    fn or(self, error: Error) -> Error {
        let refused = |error: &Error| matches!(error.status(), Some(420 | 429));
        let earlier = self.unclear.or(self.last.filter(|last| !refused(last)));
        earlier.unwrap_or(error)
    }

    /// The last outcome, unless an earlier attempt may have been applied: a later failure cannot take that back.
    fn before(self, outcome: Result<RawResponse, Error>) -> Result<RawResponse, Error> {
        let succeeded = outcome
            .as_ref()
            .is_ok_and(|answer| (200..300).contains(&answer.status()));
        match self.unclear {
            Some(unclear) if unclear.may_have_been_applied() && !succeeded => Err(unclear),
            _ => outcome,
        }
    }
}

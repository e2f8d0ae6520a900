//! The way of a read whose answer may be kept.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::Esi;
use super::call::{Asks, Call, Prepared};
use super::exchange;
use super::pipeline::{Answer, Way};
use super::principal::Principal;
use crate::cache::{Cache, Entry, Found, Key};
use crate::clock;
use crate::decode;
use crate::error::{Error, NotCached};
use crate::event::Event;
use crate::operation::Method;
use crate::response::Source;

/// The key of a call whose answer may be kept; none for others.
pub(super) fn key(esi: &Esi, call: &Call, principal: &Principal, request: &Prepared) -> Option<Key> {
    if call.operation().method != Method::Get || !esi.shared.cache.is_on() {
        return None;
    }
    // Whoever brings a header of their own may be anybody.
    let principal = principal.cache_key()?;
    let (variant, method) = (&esi.shared.variant, call.operation().method.as_str());
    Some(Key::new(
        principal,
        variant,
        call.own_headers(),
        method,
        &request.url,
    ))
}

/// A fresh answer from what is kept; else one flight, shared by everybody who asks the same.
pub(super) async fn answer(way: Arc<Way>, key: Key) -> Result<Answer, Error> {
    let found = way.esi.shared.cache.look(way.operation, &key, way.decoder).await;
    let asks_always = way.options.asks == Asks::Always;
    let kept = match found {
        Found::Fresh(entry) if !asks_always => return Ok(given_out(&way, &entry, Source::Cache)),
        Found::Refused(error) if !asks_always => return Err(error),
        Found::Fresh(entry) | Found::Stale(entry) => Some(entry),
        Found::Refused(_) | Found::Nothing => None,
    };
    let outcome = match way.options.asks {
        Asks::Never => Err(Error::NotCached(Box::new(NotCached {
            operation: way.operation,
        }))),
        Asks::WhenStale | Asks::Always => way.in_time(fly(&way, &key, &kept)).await,
    };
    match (outcome, kept) {
        (Err(error), Some(entry)) if may_stand_in(&way, &entry, &error) => {
            Ok(given_out(&way, &entry, Source::Stale))
        }
        (outcome, _) => outcome,
    }
}

/// Joins the flight for this key, or begins it.
async fn fly(way: &Arc<Way>, key: &Key, kept: &Option<Arc<Entry>>) -> Result<Answer, Error> {
    let flights = &way.esi.shared.flights;
    // What somebody else's flight is doing is not known here.
    way.progress.sends();
    // Losing a flight twice, with the runtime it ran in, would be a third kind of trouble.
    for _ in 0..2 {
        let mut began = false;
        let outcome = flights
            .join(key, || {
                began = true;
                fetch(Arc::clone(way), key.clone(), kept.clone())
            })
            .await;
        match outcome {
            // Whoever began it had less time than we have.
            Some(Err(Error::Timeout(_) | Error::RateLimited(_)))
                if !began && way.deadline > clock::instant() => {}
            Some(outcome) => return outcome,
            None => {}
        }
    }
    Box::pin(fetch(Arc::clone(way), key.clone(), kept.clone())).await
}

/// Asks ESI, with the condition that what is kept allows, and keeps the answer.
async fn fetch(way: Arc<Way>, key: Key, kept: Option<Arc<Entry>>) -> Result<Answer, Error> {
    let cache = &way.esi.shared.cache;
    // Another flight may have landed between our look and the beginning of this one.
    if way.options.asks != Asks::Always
        && let Found::Fresh(entry) = cache.in_memory(&key)
    {
        return Ok(given_out(&way, &entry, Source::Cache));
    }
    let conditions = kept.as_deref().map(Cache::conditions).unwrap_or_default();
    let answer = exchange::exchange(&way, &conditions).await?;
    if let (304, Some(entry)) = (answer.status(), &kept) {
        let entry = cache.prolong(way.operation, &key, entry, &answer).await;
        return Ok(of_entry(&entry, Source::Revalidated));
    }
    let answer = decode::check(way.operation, answer).inspect_err(|error| cache.refuse(&key, error))?;
    let value = (way.decoder)(way.operation, &answer)?;
    if !way.options.not_kept {
        cache.keep(way.operation, &key, &answer, &value).await;
    }
    Ok(Answer {
        status: answer.status(),
        headers: Arc::clone(answer.shared_headers()),
        value,
        source: Source::Network,
        came: clock::instant(),
    })
}

/// Whether a kept answer may be given out in place of this failure.
fn may_stand_in(way: &Way, entry: &Entry, error: &Error) -> bool {
    let Some(allowed) = way.options.stale_if_error else {
        return false;
    };
    let is_outage = match error {
        Error::Transport(_) | Error::Timeout(_) | Error::SsoUnavailable(_) => true,
        Error::RateLimited(_) | Error::ErrorLimited(_) | Error::NotCached(_) => true,
        other => other.status().is_some_and(|status| status >= 500),
    };
    let allowed = TimeDelta::from_std(allowed).unwrap_or(TimeDelta::MAX);
    let until = entry.fresh_until.checked_add_signed(allowed);
    is_outage && until.is_none_or(|until| way.esi.shared.clock.now() < until)
}

/// An answer that nobody was asked for, with the event that tells of it.
fn given_out(way: &Way, entry: &Entry, source: Source) -> Answer {
    way.tell(&Event::Answered {
        operation: way.operation,
        url: &way.request.url,
        status: Some(entry.status),
        elapsed: Duration::ZERO,
        attempt: 0,
        source,
        bytes: entry.bytes,
        message: None,
    });
    of_entry(entry, source)
}

fn of_entry(entry: &Entry, source: Source) -> Answer {
    Answer {
        status: entry.status,
        headers: Arc::clone(&entry.headers),
        value: Arc::clone(&entry.value),
        source,
        came: entry.came,
    }
}

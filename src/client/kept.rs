//! The way of a read whose answer may be kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use http::header::AUTHORIZATION;
use tokio::time::Instant;

use super::call::{Asks, Prepared};
use super::pipeline::{Answer, Way};
use super::principal::{self, Principal};
use super::{Esi, exchange};
use crate::cache::{Cache, Entry, Found, Key};
use crate::clock;
use crate::decode;
use crate::error::{Error, NotCached};
use crate::event::Event;
use crate::operation::{Method, Operation};
use crate::response::Source;

/// The key of a call whose answer may be kept; none for others.
pub(super) fn key(
    esi: &Esi,
    operation: &Operation,
    principal: &Principal,
    request: &Prepared,
) -> Option<Key> {
    if operation.method != Method::Get || !esi.shared.cache.is_on() {
        return None;
    }
    // Whoever brings a token of their own may be anybody.
    if request.headers.contains_key(AUTHORIZATION) {
        return None;
    }
    let principal = principal.cache_key()?;
    let (variant, method) = (&esi.shared.variant, operation.method.as_str());
    Some(Key::new(principal, variant, method, &request.url))
}

/// A fresh answer from what is kept; else one flight, shared by everybody who asks the same.
pub(super) async fn answer(way: Arc<Way>, key: Key) -> Result<Answer, Error> {
    let cache = &way.esi.shared.cache;
    let found = cache.look(way.operation, &key, way.decoder).await;
    let kept = match found {
        Found::Fresh(entry) if is_new(&way, entry.came) => return Ok(given_out(&way, &entry, Source::Cache)),
        Found::Refused(error) if way.options.asks != Asks::Always => return Err(error),
        Found::Fresh(entry) | Found::Stale(entry) => Some(entry),
        Found::Refused(_) | Found::Nothing => None,
    };
    let outcome = match way.options.asks {
        Asks::Never => Err(Error::NotCached(Box::new(NotCached {
            operation: way.operation,
        }))),
        Asks::WhenStale | Asks::Always | Asks::After(_) => way.in_time(fly(&way, &key, &kept)).await,
    };
    match (outcome, kept) {
        // It came, and is not of the type that whoever began the flight wanted: it may be of ours.
        (Err(Error::Decode(error)), _) => match cache.in_memory(&key) {
            Found::Fresh(entry) => Ok(of_entry(&entry, Source::Network)),
            _ => Err(Error::Decode(error)),
        },
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
    loop {
        let mut began = false;
        let outcome = flights
            .join(key, !way.options.not_kept, |is_wanted| {
                began = true;
                let (way, key, kept) = (Arc::clone(way), key.clone(), kept.clone());
                async move { way.in_time(fetch(&way, &key, kept.as_deref(), &is_wanted)).await }
            })
            .await;
        match outcome {
            // Whoever began it had less time than we still have.
            Some(Err(error)) if !began && was_short_of_time(&error) && has_time(way) => {}
            // Whoever began it was content with what is kept.
            Some(Ok(answer)) if !began && answer.source == Source::Cache && !is_new(way, answer.came) => {}
            Some(outcome) => return outcome,
            // Its runtime has ended.
            None => {}
        }
    }
}

/// Whether the call takes an answer that was kept since then.
fn is_new(way: &Way, came: Instant) -> bool {
    match way.options.asks {
        Asks::WhenStale | Asks::Never => true,
        Asks::Always => false,
        Asks::After(moment) => came > moment,
    }
}

/// Whether a flight ended because of the call that began it, and not because of ESI.
fn was_short_of_time(error: &Error) -> bool {
    match error {
        Error::Timeout(error) => error.setting == "timeout",
        Error::RateLimited(_) => true,
        _ => false,
    }
}

/// Whether enough is left of a call's time: those that began together must not fly one after the other.
fn has_time(way: &Way) -> bool {
    let left = way.deadline.saturating_duration_since(clock::instant());
    left > way.request.timeout / 4
}

/// Asks ESI, with the condition that what is kept allows, and keeps the answer.
async fn fetch(way: &Way, key: &Key, kept: Option<&Entry>, is_wanted: &AtomicBool) -> Result<Answer, Error> {
    let cache = &way.esi.shared.cache;
    // Another flight may have landed between our look and the beginning of this one.
    if way.options.asks != Asks::Always {
        match cache.look_again(way.operation, key, way.decoder).await {
            Found::Fresh(entry) if is_new(way, entry.came) => {
                return Ok(given_out(way, &entry, Source::Cache));
            }
            Found::Refused(error) => return Err(error),
            Found::Fresh(_) | Found::Stale(_) | Found::Nothing => {}
        }
    }
    let conditions = kept.map(Cache::conditions).unwrap_or_default();
    let answer = exchange::exchange(way, &conditions).await?;
    if let (304, Some(entry)) = (answer.status(), kept) {
        let entry = cache.prolong(way.operation, key, entry, &answer).await;
        return Ok(of_entry(&entry, Source::Revalidated));
    }
    let token_is_refused = principal::is_refused(&answer);
    let answer = decode::check(way.operation, answer).inspect_err(|error| {
        // The next token may be a good one.
        if !token_is_refused {
            cache.refuse(key, error);
        }
    })?;
    let decoded = (way.decoder)(way.operation, &answer);
    if is_wanted.load(Ordering::Relaxed) {
        // What cannot be decoded is kept as it came: it would be asked for again and again before it expires.
        let value = decoded
            .as_ref()
            .map_or_else(|_| decode::as_it_came(&answer), Arc::clone);
        cache.keep(way.operation, key, &answer, &value).await;
    }
    Ok(Answer {
        status: answer.status(),
        headers: Arc::clone(answer.shared_headers()),
        value: decoded?,
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
        other => other
            .status()
            .is_some_and(|status| status == 429 || status >= 500),
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

//! Operations that take a list of bounded length and only read: longer lists are split, asked for in parallel, and
//! the answers joined.
//!
//! Lists are split as JSON, so that this is one piece of code for ids and names; what is joined is typed, so that an
//! answer that does not decode fails like any other.

use std::collections::{HashMap, HashSet, VecDeque};

use serde::Serialize;
use serde_json::Value;

use super::Fetching;
use super::distinct::Keyed;
use super::flight::{Boxed, Flight};
use crate::client::{Endpoint, Request};
use crate::error::Error;
use crate::operation::Operation;

/// How many parts are under way at once.
const AT_ONCE: usize = 8;

/// An operation whose answers to parts of a list make up the answer to the whole.
pub(crate) trait Bulk: Endpoint<Output: Clone> {
    /// The answer to an empty list.
    fn nothing() -> Self::Output;

    /// Adds the answer to another part.
    fn join(into: &mut Self::Output, more: Self::Output);
}

/// A list in an answer, which may be absent.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) trait Joined {
    /// Adds what is in the same list of another answer.
    fn join(&mut self, more: Self);
}

impl<T> Joined for Vec<T> {
    fn join(&mut self, mut more: Self) {
        self.append(&mut more);
    }
}

impl<T> Joined for Option<Vec<T>> {
    fn join(&mut self, more: Self) {
        if let Some(more) = more {
            self.get_or_insert_default().join(more);
        }
    }
}

/// The answers to all entries as one.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) fn all<E: Bulk>(request: Request<E>) -> Fetching<E::Output> {
    Box::pin(async move {
        let entries = Entries::of(&request)?;
        let mut whole = E::nothing();
        for part in gather(entries.parts(), asking(request)).await? {
            E::join(&mut whole, part);
        }
        Ok(whole)
    })
}

/// The records of all entries, in the order of the entries.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) fn list<E>(request: Request<E>) -> Fetching<Vec<E::Record>>
where
    E: Keyed + Endpoint<Output = Vec<E::Record>>,
    E::Record: Clone + Sync,
    E::Key: Serialize,
{
    Box::pin(async move {
        let entries = Entries::of(&request)?;
        let parts = gather(entries.parts(), asking(request)).await?;
        let mut records: Vec<_> = parts.into_iter().flatten().collect();
        entries.sort(&mut records, E::key);
        Ok(records)
    })
}

/// Sends a part of a request's list.
pub(super) struct Asking<T> {
    pub(super) operation: &'static Operation,
    /// Of a JSON list.
    pub(super) ask: Box<dyn Fn(String) -> Boxed<T> + Send>,
}

pub(super) fn asking<E: Endpoint<Output: Clone>>(request: Request<E>) -> Asking<E::Output> {
    let operation = request.operation();
    let ask = Box::new(move |list: String| {
        let request = request.clone().with_body_json(list.into_bytes());
        let answer: Boxed<_> = Box::pin(async move { Ok(request.send().await?.into_inner()) });
        answer
    });
    Asking { operation, ask }
}

/// The answers to all parts, in order.
pub(super) async fn gather<T: Send + 'static>(
    mut parts: impl Iterator<Item = String>,
    asking: Asking<T>,
) -> Result<Vec<T>, Error> {
    let mut under_way = VecDeque::new();
    let mut answers = Vec::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some(part) = parts.next()
        {
            under_way.push_back(Flight::begin(asking.operation, (asking.ask)(part)));
        }
        match under_way.pop_front() {
            Some(first) => answers.push(first.await?),
            None => return Ok(answers),
        }
    }
}

/// The entries of a request's list, each once, as JSON.
pub(super) struct Entries {
    texts: Vec<String>,
    /// How many may be sent at once.
    most: usize,
}

impl Entries {
    pub(super) fn of<E: Endpoint>(request: &Request<E>) -> Result<Self, Error> {
        let operation = request.operation();
        Self::read(operation, request.body_json().unwrap_or_default())
    }

    pub(super) fn read(operation: &'static Operation, body: &[u8]) -> Result<Self, Error> {
        let entries: Vec<Value> = serde_json::from_slice(body)
            .map_err(|error| Error::request(operation, "body", format!("no list: {error}")))?;
        let mut seen = HashSet::new();
        let mut texts: Vec<String> = entries.iter().map(Value::to_string).collect();
        texts.retain(|text| seen.insert(text.clone()));
        let most = operation.body.and_then(|body| body.max_items).unwrap_or(u32::MAX);
        Ok(Self {
            texts,
            most: usize::try_from(most).unwrap_or(usize::MAX).max(1),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// The entries as JSON lists of no more than may be sent at once.
    pub(super) fn parts(&self) -> impl Iterator<Item = String> {
        self.texts.chunks(self.most).map(list_of)
    }

    /// Some of the entries as a JSON list.
    pub(super) fn part(&self, range: std::ops::Range<usize>) -> String {
        list_of(self.texts.get(range).unwrap_or_default())
    }

    /// The entry at this place, where it reads as a number.
    pub(super) fn number(&self, place: usize) -> Option<i64> {
        self.texts.get(place)?.parse().ok()
    }

    /// Brings records into the order of the entries. What nobody asked for comes last.
    pub(super) fn sort<R, K: Serialize>(&self, records: &mut [R], key: fn(&R) -> Option<K>) {
        let places: HashMap<&str, usize> = self
            .texts
            .iter()
            .enumerate()
            .map(|(place, text)| (text.as_str(), place))
            .collect();
        records.sort_by_cached_key(|record| {
            let text = key(record).and_then(|key| serde_json::to_string(&key).ok());
            text.and_then(|text| places.get(text.as_str()).copied())
                .unwrap_or(usize::MAX)
        });
    }
}

fn list_of(texts: &[String]) -> String {
    format!("[{}]", texts.join(","))
}

#[cfg(test)]
mod tests;

//! Operations that go on from an id: `from_id` and `last_mail_id` backwards, `from_event` forwards.
//!
//! Whether the id that is asked from comes again differs, and does not matter: what repeats is dropped.

use std::fmt::Display;
use std::hash::Hash;

use super::Fetching;
use super::distinct::{Distinct, Keyed};
use super::flight::Boxed;
use crate::client::{Endpoint, Request};
use crate::error::Error;
use crate::operation::{Operation, Pagination};

/// Which way a walk goes, and by which parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Direction {
    /// To lower ids: on from the lowest of the page.
    Backwards,
    /// In the order of the answers: on from the last of the page.
    Forwards,
}

/// Every record from where the request stands, each once.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) fn all<E>(request: Request<E>) -> Fetching<Vec<E::Record>>
where
    E: Keyed + Endpoint<Output = Vec<E::Record>>,
    E::Record: Clone + Sync,
    E::Key: Ord + Clone + Display,
{
    let (parameter, direction) = way(request.operation());
    let ask = Box::new(move |from: Option<E::Key>| {
        let request = request.clone();
        let request = match from {
            Some(from) => request.query(parameter, from),
            None => request,
        };
        let page: Boxed<_> = Box::pin(async move { Ok(request.send().await?.into_inner()) });
        page
    });
    Box::pin(walk(ask, E::key, direction))
}

fn way(operation: &Operation) -> (&'static str, Direction) {
    match operation.pagination {
        Pagination::FromEvent => ("from_event", Direction::Forwards),
        Pagination::LastMailId => ("last_mail_id", Direction::Backwards),
        _ => ("from_id", Direction::Backwards),
    }
}

/// Goes on until a page brings no new id.
pub(super) async fn walk<R, K: Eq + Hash + Ord + Clone>(
    ask: Box<dyn Fn(Option<K>) -> Boxed<Vec<R>> + Send>,
    key: fn(&R) -> Option<K>,
    direction: Direction,
) -> Result<Vec<R>, Error> {
    let mut found = Distinct::new(key);
    let mut from = None;
    loop {
        let page = ask(from.take()).await?;
        let keys = page.iter().filter_map(key);
        from = match direction {
            Direction::Backwards => keys.min(),
            Direction::Forwards => keys.last(),
        };
        if found.add(page) == 0 || from.is_none() {
            return Ok(found.into_records());
        }
    }
}

#[cfg(test)]
mod tests;

//! Names of ids of which some may not exist. ESI refuses a whole list for one of those: it is halved until the
//! culprits are found, and each refusal costs the error limit, so there is a bound on them.

use std::ops::Range;

use serde::Serialize;
use tokio::task::JoinSet;

use super::Fetching;
use super::bulk::{Asking, Entries, asking};
use super::distinct::Keyed;
use super::flight::unfinished;
use crate::client::{Endpoint, Request};
use crate::error::Error;

/// How many refusals one call may cost, unless the caller says.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) const FAILURES: u32 = 40;

/// How many lists are under way at once.
const AT_ONCE: usize = 4;

/// What became of ids that were to be resolved, each list in the order they were given in.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Resolved<T> {
    /// What was found.
    pub found: Vec<T>,
    /// Ids that nothing has, as far as refusals tell: where one half of a refused list is good, the other is taken to be
    /// at fault without being asked.
    pub unknown: Vec<i64>,
    /// Ids that are in one list with unknown ones, and could not be told from them within the bound on refusals, or
    /// before a limit closed. Asking for them again goes on where this ended.
    pub undecided: Vec<i64>,
}

/// Resolves what can be resolved, at the cost of so many refusals at most.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) fn resolve<E>(request: Request<E>, failures: u32) -> Fetching<Resolved<E::Record>>
where
    E: Keyed + Endpoint<Output = Vec<E::Record>>,
    E::Record: Clone + Sync,
    E::Key: Serialize + Into<i64>,
{
    Box::pin(async move {
        let entries = Entries::of(&request)?;
        resolved(entries, asking(request), E::key, failures).await
    })
}

pub(super) async fn resolved<R: Send + 'static, K: Serialize + Into<i64>>(
    entries: Entries,
    asking: Asking<Vec<R>>,
    key: fn(&R) -> Option<K>,
    failures: u32,
) -> Result<Resolved<R>, Error> {
    let mut search = Bisection::new(entries.len(), entries.most(), failures);
    let mut found = Vec::new();
    let mut closed = None;
    let mut under_way = JoinSet::new();
    loop {
        while closed.is_none()
            && let Some(test) = search.next()
        {
            let answer = (asking.ask)(entries.part(test.range.clone()));
            under_way.spawn(async move { (test, answer.await) });
        }
        let Some(landed) = under_way.join_next().await else {
            break;
        };
        match landed.map_err(|failure| unfinished(asking.operation, failure))? {
            (test, Ok(records)) => {
                search.answered(test);
                found.extend(records);
            }
            (test, Err(Error::Api(refusal))) if refusal.status == 404 => search.refused(test),
            // What was found, and refused, was paid for.
            (test, Err(error)) if error.is_retryable() => {
                search.put_back(test);
                closed = Some(error);
            }
            (_, Err(error)) => return Err(error),
        }
    }
    match closed {
        Some(error) if found.is_empty() && search.unknown.is_empty() => Err(error),
        _ => Ok(search.outcome(&entries, found, key)),
    }
}

/// A list to be tested, by the places of its entries.
#[derive(Debug, PartialEq)]
struct Test {
    range: Range<usize>,
    /// The other half of a list that was refused: when this half is not at fault, that one is.
    sibling: Option<Range<usize>>,
}

/// The search for what makes ESI refuse lists.
struct Bisection {
    waiting: Vec<Test>,
    in_flight: usize,
    /// How many more refusals there may be.
    failures: usize,
    unknown: Vec<usize>,
}

impl Bisection {
    fn new(entries: usize, most: usize, failures: u32) -> Self {
        let whole = (0..entries).step_by(most).map(|start| Test {
            range: start..entries.min(start.saturating_add(most)),
            sibling: None,
        });
        Self {
            waiting: whole.collect(),
            in_flight: 0,
            failures: usize::try_from(failures).unwrap_or(usize::MAX),
            unknown: Vec::new(),
        }
    }

    /// The next list to send: the longest, which may settle the most. What is under way counts as refused until it
    /// is answered.
    fn next(&mut self) -> Option<Test> {
        if self.in_flight >= self.failures.min(AT_ONCE) {
            return None;
        }
        let longest = self
            .waiting
            .iter()
            .enumerate()
            .max_by_key(|(_, test)| test.range.len())?;
        let test = self.waiting.swap_remove(longest.0);
        self.in_flight += 1;
        Some(test)
    }

    fn answered(&mut self, test: Test) {
        self.in_flight -= 1;
        if let Some(sibling) = test.sibling {
            self.is_at_fault(sibling);
        }
    }

    fn refused(&mut self, test: Test) {
        self.in_flight -= 1;
        self.failures -= 1;
        self.is_at_fault(test.range);
        self.waiting
            .extend(test.sibling.map(|range| Test { range, sibling: None }));
    }

    fn put_back(&mut self, test: Test) {
        self.in_flight -= 1;
        self.waiting.push(test);
    }

    fn is_at_fault(&mut self, range: Range<usize>) {
        let half = range.start + range.len() / 2;
        if range.len() <= 1 {
            self.unknown.extend(range);
        } else {
            self.waiting.push(Test {
                range: range.start..half,
                sibling: Some(half..range.end),
            });
        }
    }

    fn outcome<R, K: Serialize + Into<i64>>(
        self,
        entries: &Entries,
        mut found: Vec<R>,
        key: fn(&R) -> Option<K>,
    ) -> Resolved<R> {
        let ranges = self
            .waiting
            .into_iter()
            .flat_map(|test| [Some(test.range), test.sibling]);
        let mut undecided: Vec<usize> = ranges.flatten().flatten().collect();
        undecided.sort_unstable();
        // What a list was answered without is unknown too.
        let named: std::collections::HashSet<i64> = found.iter().filter_map(key).map(Into::into).collect();
        let is_open = |place: &usize| undecided.binary_search(place).is_ok();
        let unknown = (0..entries.len()).filter(|place| !is_open(place));
        let number = |place: usize| entries.number(place);
        let unknown = unknown
            .filter_map(number)
            .filter(|id| !named.contains(id))
            .collect();
        let undecided = undecided.iter().copied().filter_map(number).collect();
        entries.sort(&mut found, key);
        Resolved {
            found,
            unknown,
            undecided,
        }
    }
}

#[cfg(test)]
mod tests;

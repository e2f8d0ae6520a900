//! Operations with a cursor: the whole listing, and what changed since.
//!
//! A listing is ordered by when its records last changed. The first answer has the latest ones and two tokens:
//! `before` leads to older ones, `after` to what changes from then on.

use std::collections::HashSet;
use std::hash::Hash;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Fetching;
use super::distinct::{Distinct, Keyed};
use super::flight::Boxed;
use crate::client::Request;
use crate::error::{CursorExpired, Error};
use crate::operation::Operation;
use crate::response::Response;

/// How many records to ask for at once, unless the caller says: ESI's own default would empty the bucket.
const LIMIT: u32 = 100;

/// An operation whose answer is a part of a listing.
pub(crate) trait Listed: Keyed<Output: Clone> {
    /// Takes an answer apart.
    fn take(answer: Self::Output) -> Part<Self::Record>;
}

/// A part of a listing.
pub(crate) struct Part<R> {
    pub(crate) records: Vec<R>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// Every record of a listing, or every one that changed, and where to go on from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Listing<T> {
    /// Each record once, as the server last showed it. What was deleted may be among them: its state says so.
    pub records: Vec<T>,
    /// To ask for what changes from now on.
    pub cursor: ListingCursor,
}

/// A place in a listing, to ask later for what changed since. Store it as it serialises.
///
/// ```no_run
/// # #[cfg(feature = "freelance-jobs")]
/// # async fn example(esi: esikit::Esi) -> Result<(), Box<dyn std::error::Error>> {
/// use esikit::paginate::ListingCursor;
///
/// let jobs = esi.get_freelance_jobs_listing().all().await?;
/// std::fs::write("jobs.cursor", esikit::serde_json::to_vec(&jobs.cursor)?)?;
/// // The next day:
/// let cursor: ListingCursor = esikit::serde_json::from_slice(&std::fs::read("jobs.cursor")?)?;
/// let changed = esi.get_freelance_jobs_listing().changes(&cursor).await?;
/// println!("{} jobs are new or not what they were", changed.records.len());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingCursor {
    /// The operation it is for.
    operation: String,
    /// The listing it is of: the path with its values; none where that is not known.
    #[serde(default)]
    path: Option<String>,
    /// The server's token; none where it gave none, and then everything counts as changed.
    after: Option<String>,
    /// When all changes up to it were known, by the server's clock.
    taken_at: DateTime<Utc>,
}

impl ListingCursor {
    /// The operationId of the operation it was taken from, and is good for.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// When all changes up to it were known, by the server's clock.
    pub fn taken_at(&self) -> DateTime<Utc> {
        self.taken_at
    }

    /// Refuses a cursor of another operation, and one that is too old for deletions since to be remembered.
    fn check(
        &self,
        operation: &'static Operation,
        path: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let elsewhere = self.path.as_deref().zip(path).filter(|(its, asked)| its != asked);
        let of = elsewhere.map_or(self.operation.as_str(), |(its, _)| its);
        if self.operation != operation.id || elsewhere.is_some() {
            let reason = format!("is of {of}, and means nothing here");
            return Err(Error::request(operation, "cursor", reason));
        }
        // Without a token everything comes again.
        let remembered = operation.tombstone_ttl.filter(|_| self.after.is_some());
        let remembered = remembered.map(|ttl| Duration::from_secs(ttl.into()));
        match (remembered, (now - self.taken_at).to_std()) {
            (Some(remembered), Ok(age)) if age > remembered => {
                Err(Error::CursorExpired(Box::new(CursorExpired {
                    operation,
                    taken_at: self.taken_at,
                    remembered,
                })))
            }
            _ => Ok(()),
        }
    }
}

/// Which part of a listing to ask for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    Latest,
    Before(String),
    After(String),
}

/// A part, and when the server gave it out.
pub(super) struct Dated<R> {
    pub(super) part: Part<R>,
    pub(super) date: Option<DateTime<Utc>>,
}

/// The whole listing.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) fn all<E: Listed>(request: Request<E>) -> Fetching<Listing<E::Record>> {
    let walk = Walk::of(request);
    Box::pin(walk.all())
}

/// What changed since.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) fn changes<E: Listed>(
    request: Request<E>,
    cursor: &ListingCursor,
) -> Fetching<Listing<E::Record>> {
    let cursor = cursor.clone();
    let walk = Walk::of(request);
    Box::pin(async move {
        cursor.check(walk.operation, walk.path.as_deref(), walk.begun)?;
        walk.changes(cursor).await
    })
}

/// The way through a listing.
pub(super) struct Walk<R, K> {
    operation: &'static Operation,
    ask: Box<dyn Fn(Place) -> Boxed<Dated<R>> + Send>,
    found: Distinct<R, K>,
    begun: DateTime<Utc>,
    path: Option<String>,
}

impl<R: Send + 'static, K: Eq + Hash + Send + 'static> Walk<R, K> {
    fn of<E: Listed<Record = R, Key = K>>(request: Request<E>) -> Self {
        let (operation, begun, path) = (request.operation(), request.now(), request.path_asked());
        let request = if request.has_query("limit") {
            request
        } else {
            request.query("limit", LIMIT)
        };
        let ask = Box::new(move |place: Place| {
            // Never both, whatever the caller set.
            let request = request.clone().without_query("before").without_query("after");
            let request = match place {
                Place::Latest => request,
                Place::Before(token) => request.query("before", token),
                Place::After(token) => request.query("after", token),
            };
            let part: Boxed<_> = Box::pin(async move { Ok(dated::<E>(request.send().await?)) });
            part
        });
        Self {
            path,
            ..Self::new(operation, ask, E::key, begun)
        }
    }

    pub(super) fn new(
        operation: &'static Operation,
        ask: Box<dyn Fn(Place) -> Boxed<Dated<R>> + Send>,
        key: fn(&R) -> Option<K>,
        begun: DateTime<Utc>,
    ) -> Self {
        Self {
            operation,
            ask,
            found: Distinct::new(key),
            begun,
            path: None,
        }
    }

    /// The latest records, then older ones until there are none. What changed meanwhile moved to the front, perhaps
    /// from where the walk had not come yet: the first answer's `after` leads there, at the end.
    async fn all(mut self) -> Result<Listing<R>, Error> {
        let Dated { part, date } = (self.ask)(Place::Latest).await?;
        let mut cursor = self.cursor(part.after, date);
        let mut older = part.before.filter(|_| !part.records.is_empty());
        let walks = older.is_some();
        self.found.add(part.records);
        let mut seen = HashSet::new();
        while let Some(token) = older.take().filter(|token| seen.insert(token.clone())) {
            let Dated { part, .. } = (self.ask)(Place::Before(token)).await?;
            // An older answer's token is of an older place: good enough where the first one had none.
            cursor.after = cursor.after.or(part.after);
            older = part.before.filter(|_| !part.records.is_empty());
            self.found.add(part.records);
        }
        if walks {
            self.follow(&mut cursor).await?;
        }
        Ok(self.listing(cursor))
    }

    async fn changes(mut self, mut cursor: ListingCursor) -> Result<Listing<R>, Error> {
        if cursor.after.is_none() {
            return self.all().await;
        }
        self.follow(&mut cursor).await?;
        Ok(self.listing(cursor))
    }

    /// Goes after the cursor until there is nothing, and moves it there.
    async fn follow(&mut self, cursor: &mut ListingCursor) -> Result<(), Error> {
        let mut seen = HashSet::new();
        while let Some(token) = cursor.after.clone().filter(|token| seen.insert(token.clone())) {
            let Dated { part, date } = (self.ask)(Place::After(token)).await?;
            cursor.after = part.after.or(cursor.after.take());
            if part.records.is_empty() {
                cursor.taken_at = date.unwrap_or(cursor.taken_at);
                break;
            }
            self.found.replace(part.records);
        }
        Ok(())
    }

    fn cursor(&self, after: Option<String>, date: Option<DateTime<Utc>>) -> ListingCursor {
        ListingCursor {
            operation: self.operation.id.to_owned(),
            path: self.path.clone(),
            after,
            taken_at: date.unwrap_or(self.begun),
        }
    }

    fn listing(self, cursor: ListingCursor) -> Listing<R> {
        Listing {
            records: self.found.into_records(),
            cursor,
        }
    }
}

fn dated<E: Listed>(answer: Response<E::Output>) -> Dated<E::Record> {
    let date = answer.date();
    let part = E::take(answer.into_inner());
    // What is empty leads nowhere.
    let given = |token: Option<String>| token.filter(|token| !token.is_empty());
    Dated {
        part: Part {
            records: part.records,
            before: given(part.before),
            after: given(part.after),
        },
        date,
    }
}

#[cfg(test)]
mod tests;

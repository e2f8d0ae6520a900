//! `all` of operations with numbered pages: every page, all of one state of the data.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::flight::{Boxed, unfinished};
use super::plan::{Plan, Settled};
use super::stamp::Stamp;
use super::{Fetching, Progress, Snapshot};
use crate::client::{Endpoint, Request};
use crate::error::Error;
use crate::operation::Operation;

/// A page that came. What its records are is known again where the snapshot is put together: between, one piece of
/// code serves all operations.
pub(super) struct Page {
    pub(super) records: Arc<dyn Any + Send + Sync>,
    pub(super) stamp: Stamp,
}

/// Asks for a page by its number; one that came before must be later than that.
pub(super) type Ask<P> = Box<dyn Fn(u32, Option<Instant>) -> Boxed<P> + Send>;

/// Pages that fit together, in order.
pub(super) struct Taken {
    pub(super) pages: Vec<Page>,
    pub(super) newest: Option<Stamp>,
}

/// Every page as one snapshot.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) fn all<E, T>(request: Request<E>) -> Fetching<Snapshot<T>>
where
    E: Endpoint<Output = Vec<T>>,
    T: Send + Sync + 'static,
{
    all_with(request, |_| {})
}

/// Every page as one snapshot; `progress` is told of each that comes.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) fn all_with<E, T>(
    request: Request<E>,
    progress: impl FnMut(Progress) + Send + 'static,
) -> Fetching<Snapshot<T>>
where
    E: Endpoint<Output = Vec<T>>,
    T: Send + Sync + 'static,
{
    let operation = request.operation();
    // Who asks nobody has nothing to wait for.
    let patience = (!request.asks_nobody()).then(|| request.max_wait());
    let max_wait = patience.unwrap_or_default();
    let ask: Ask<Page> = Box::new(move |page, came| {
        let request = request.clone().query("page", page);
        let request = came.into_iter().fold(request, Request::later_than);
        Box::pin(async move {
            let answer = request.send().await?;
            let stamp = Stamp::of(&answer);
            let records = answer.into_arc();
            Ok(Page { records, stamp })
        })
    });
    let taking = take(operation, max_wait, ask, Box::new(progress));
    Box::pin(async move { Snapshot::of(operation, taking.await?) })
}

/// Asks for pages as the plan says, until they fit together.
pub(super) async fn take(
    operation: &'static Operation,
    max_wait: Duration,
    ask: Ask<Page>,
    mut report: Box<dyn FnMut(Progress) + Send>,
) -> Result<Taken, Error> {
    let mut plan = Plan::new(operation, max_wait);
    let mut pages = BTreeMap::new();
    let mut under_way = JoinSet::new();
    loop {
        while let Some(number) = plan.next() {
            let came = pages.get(&number).map(|page: &Page| page.stamp.came);
            let page = ask(number, came);
            under_way.spawn(async move { (number, page.await) });
        }
        let Some(landed) = under_way.join_next().await else {
            match plan.settle(Instant::now())? {
                Settled::Done => break,
                Settled::After(wait) => tokio::time::sleep(wait).await,
            }
            continue;
        };
        match landed.map_err(|failure| unfinished(operation, failure))? {
            (number, Ok(page)) => {
                plan.came(number, page.stamp, Instant::now());
                pages.insert(number, page);
                let (done, of) = plan.progress();
                report(Progress { done, of });
            }
            (number, Err(Error::Api(refusal))) if number > 1 && refusal.status == 404 => {
                plan.is_gone(number);
            }
            (_, Err(error)) => return Err(plan.failed(error)),
        }
    }
    let ((_, last), newest) = (plan.progress(), plan.newest());
    let pages = pages.into_iter().filter(|(number, _)| *number <= last);
    Ok(Taken {
        pages: pages.map(|(_, page)| page).collect(),
        newest,
    })
}

#[cfg(test)]
mod tests;

//! `pages` of operations with numbered pages: one after the other, a few ahead of whoever reads them.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::time::Instant;

use super::flight::{Boxed, Flight};
use super::plan::changed;
use super::stamp::{ServerTime, Stamp};
use crate::client::{Endpoint, Request};
use crate::error::Error;
use crate::operation::Operation;
use crate::response::Response;

/// How many pages are under way, or wait to be taken, at once.
const WINDOW: usize = 6;

/// Every page of an answer, in order, with bounded memory: a [`Stream`], and [`next`](Self::next) for who has no
/// crate for streams.
///
/// At most six pages are ahead of the one that was taken last; no more are asked for until that is taken. Pages that
/// were taken cannot be taken back: where the data changes in between, the stream ends with
/// [`Error::SnapshotChanged`], which says how many pages of one state there were. After an error there is nothing more.
///
/// Dropping it ends what is under way.
///
/// ```no_run
/// # #[cfg(feature = "market")]
/// # async fn example(esi: esikit::Esi) -> Result<(), esikit::Error> {
/// let mut pages = esi.get_markets_region_id_orders(10000002).pages();
/// while let Some(page) = pages.next().await {
///     println!("{} orders", page?.len());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is asked for until the pages are taken"]
pub struct Pages<T> {
    operation: &'static Operation,
    ask: AskKept<T>,
    /// Whether the pages go into the cache.
    kept: bool,
    /// Whether only the cache is asked.
    asks_nobody: bool,
    state: State<T>,
    ahead: VecDeque<Flight<Response<Vec<T>>>>,
    /// The first page that was not asked for.
    next: u32,
    /// How many there are.
    last: u32,
    yielded: u32,
}

/// Asks for a page by its number; the flag says whether to keep it. One that came before must be later than that.
pub(super) type AskKept<T> = Arc<dyn Fn(u32, bool, Option<Instant>) -> Boxed<Response<Vec<T>>> + Send + Sync>;

enum State<T> {
    /// Nothing was asked for.
    New,
    /// The first page is under way: how many there are is not known.
    First(Boxed<Response<Vec<T>>>),
    /// The first page was taken.
    Rest(Stamp),
    /// There is nothing more.
    Ended,
}

/// Every page in order.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) fn pages<E, T>(request: Request<E>) -> Pages<T>
where
    E: Endpoint<Output = Vec<T>>,
    T: Send + Sync + 'static,
{
    let (operation, asks_nobody) = (request.operation(), request.asks_nobody());
    let ask = move |page, kept, came: Option<Instant>| {
        let request = request.clone().query("page", page);
        let request = if kept { request } else { request.not_kept() };
        let request = came.into_iter().fold(request, Request::later_than);
        let sent: Boxed<_> = Box::pin(request.send());
        sent
    };
    Pages {
        asks_nobody,
        ..Pages::new(operation, Arc::new(ask))
    }
}

impl<T: Send + Sync + 'static> Pages<T> {
    pub(super) fn new(operation: &'static Operation, ask: AskKept<T>) -> Self {
        Self {
            operation,
            ask,
            kept: false,
            asks_nobody: false,
            state: State::New,
            ahead: VecDeque::new(),
            next: 2,
            last: 1,
            yielded: 0,
        }
    }

    /// Keeps the pages in the cache. Without this they are not: so many pages would drive everything else out of it.
    /// Pages that the cache has already are used either way.
    ///
    /// ESI bans for asking again before an answer expires: keep the pages, or do not walk them twice within that time.
    pub fn cached(mut self) -> Self {
        self.kept = true;
        self
    }

    /// The next page; none after the last one, and after an error.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`Error::SnapshotChanged`] where the page is of another state of the data than those before it, and what
    /// [`Request::send`] says.
    pub async fn next(&mut self) -> Option<Result<Response<Vec<T>>, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The first page; its successor where it is about to expire, so that the others are not of the next state.
    fn first(&self) -> Boxed<Response<Vec<T>>> {
        let operation = self.operation;
        let (ask, kept, asks_nobody) = (Arc::clone(&self.ask), self.kept, self.asks_nobody);
        let first = ask(1, kept, None);
        Box::pin(async move {
            let page = Flight::begin(operation, first).await?;
            let stamp = Stamp::of(&page);
            let mut time = ServerTime::default();
            time.hear(&stamp);
            let successor = time.until_successor(&stamp, operation, Instant::now());
            match successor.filter(|_| !asks_nobody) {
                Some(wait) => {
                    tokio::time::sleep(wait).await;
                    Flight::begin(operation, ask(1, kept, Some(stamp.came))).await
                }
                None => Ok(page),
            }
        })
    }

    /// Asks for pages until the window is full.
    fn fill(&mut self) {
        while self.ahead.len() < WINDOW && self.next <= self.last {
            let page = (self.ask)(self.next, self.kept, None);
            self.ahead.push_back(Flight::begin(self.operation, page));
            self.next = self.next.saturating_add(1);
        }
    }

    /// Takes in the first page, and asks for the next ones.
    fn begin(&mut self, page: &Response<Vec<T>>) {
        let stamp = Stamp::of(page);
        self.last = stamp.pages.unwrap_or(1);
        self.state = State::Rest(stamp);
        self.fill();
    }

    /// A page behind the first one must be of its state.
    fn fitting(
        &self,
        first: &Stamp,
        page: Result<Response<Vec<T>>, Error>,
    ) -> Result<Response<Vec<T>>, Error> {
        let number = self.yielded.saturating_add(1);
        let reason = match page {
            Ok(page) if Stamp::of(&page).fits(first) => return Ok(page),
            Ok(_) => format!("page {number} of {} is of another state than page 1", self.last),
            Err(Error::Api(refusal)) if refusal.status == 404 => {
                format!("page {number} of {} is gone", self.last)
            }
            Err(error) => return Err(error),
        };
        Err(changed(self.operation, self.yielded, reason))
    }

    fn end(&mut self) {
        self.state = State::Ended;
        self.ahead.clear();
    }
}

impl<T: Send + Sync + 'static> Stream for Pages<T> {
    type Item = Result<Response<Vec<T>>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if matches!(this.state, State::New) {
            this.state = State::First(this.first());
        }
        let page = match &mut this.state {
            State::New | State::Ended => return Poll::Ready(None),
            State::First(first) => {
                let page = ready!(first.as_mut().poll(context));
                page.inspect(|page| this.begin(page))
            }
            State::Rest(first) => {
                let first = *first;
                let Some(next) = this.ahead.front_mut() else {
                    this.end();
                    return Poll::Ready(None);
                };
                let page = ready!(Pin::new(next).poll(context));
                this.ahead.pop_front();
                this.fitting(&first, page).inspect(|_| this.fill())
            }
        };
        match &page {
            Ok(_) => this.yielded = this.yielded.saturating_add(1),
            Err(_) => this.end(),
        }
        Poll::Ready(Some(page))
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("operation", &self.operation)
            .field("yielded", &self.yielded)
            .finish_non_exhaustive()
    }
}

//! Answers that come in parts, and questions that must be asked in parts.
//!
//! | operations | finishers | what they give |
//! | --- | --- | --- |
//! | with numbered pages | `all`, `all_with`, `pages` | [`Snapshot`]: every page, all of one state of the data; or [`Pages`], one page after the other |
//! | with a cursor | `all`, `changes` | [`Listing`]: every record once, and the [`ListingCursor`] to ask for changes with |
//! | that go on from an id (`from_id`, `last_mail_id`, `from_event`) | `all` | every record once |
//! | that only read, with a list of bounded length as body | `all` | the answers to all entries, however many there are |
//! | names of ids | `resolve` | [`Resolved`]: the names, and the ids that nothing has |
//!
//! `send` asks for one part, as the specification has it.

pub(crate) mod all;
pub(crate) mod bulk;
pub(crate) mod cursor;
pub(crate) mod distinct;
pub(crate) mod finish;
mod flight;
pub(crate) mod pages;
mod plan;
pub(crate) mod resolve;
mod snapshot;
mod stamp;
pub(crate) mod walk;

use std::future::Future;
use std::pin::Pin;

pub use cursor::{Listing, ListingCursor};
pub use pages::Pages;
pub use resolve::Resolved;
pub use snapshot::{IntoIter, Iter, Snapshot};

use crate::error::Error;

/// A call of several requests, to be awaited. Nothing is sent before that; dropping it ends what is under way.
pub type Fetching<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// How far `all_with` has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many pages have come.
    pub done: u32,
    /// How many there are. Where the data changes in between, that may change too.
    pub of: u32,
}

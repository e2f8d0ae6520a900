//! What happens on the way of calls, told to whoever wants to know.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::error::Limit;
use crate::operation::Operation;
use crate::response::Source;

/// Hears what a client does, for logs, metrics, or a progress bar. [`EsiBuilder::listener`](crate::EsiBuilder::listener)
/// takes one.
///
/// Called where it happens, with references to what is at hand: it should not take long, since the call waits for it,
/// though no other does. One that panics breaks nothing. Any `Fn(&Event)` is a listener.
///
/// ```
/// use esikit::event::Event;
///
/// let esi = esikit::Esi::builder()
///     .user_agent("my-app/1.0 (me@example.com)")
///     .listener(|event: &Event<'_>| {
///         if let Event::Answered { operation, elapsed, .. } = event {
///             println!("{} took {elapsed:?}", operation.id);
///         }
///     })
///     .build()?;
/// # Ok::<(), esikit::Error>(())
/// ```
pub trait EventListener: Send + Sync + 'static {
    /// Something happened.
    fn on_event(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> EventListener for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}

/// Something happened on the way of a call.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request goes out.
    Sent {
        /// The operation.
        operation: &'static Operation,
        /// What is asked. Tokens are in headers, never in here.
        url: &'a str,
        /// Counts the requests of one call from 1.
        attempt: u32,
    },
    /// A request ended, or a kept answer was given out (its `source` says so, and its attempt is 0).
    Answered {
        /// The operation.
        operation: &'static Operation,
        /// What was asked.
        url: &'a str,
        /// The HTTP status; none where no answer came.
        status: Option<u16>,
        /// From sending to the end of the body.
        elapsed: Duration,
        /// Counts the requests of one call from 1.
        attempt: u32,
        /// Where the answer is from.
        source: Source,
        /// The body's length after decompression.
        bytes: usize,
        /// What went wrong, where something did.
        message: Option<&'a str>,
    },
    /// A call waits for one of ESI's limits whose end is known. Waiting for a turn is not told.
    Waiting {
        /// The operation.
        operation: &'static Operation,
        /// What is closed.
        limit: &'a Limit,
        /// For how long at least.
        wait: Duration,
    },
    /// A login's token was refreshed.
    TokenRefreshed {
        /// Whose.
        identity: &'a str,
    },
    /// The single sign-on refuses a login's refresh token: only a new login helps.
    TokenDead {
        /// Whose.
        identity: &'a str,
    },
    /// ESI warns of an operation: it will change, or go. Told once for each operation of a client.
    Deprecated {
        /// The operation.
        operation: &'static Operation,
        /// ESI's `Warning` header.
        warning: &'a str,
    },
}

/// Everybody who listens to one client.
#[derive(Clone)]
pub(crate) struct Listeners(Arc<[Arc<dyn EventListener>]>);

impl Listeners {
    pub(crate) fn new(listeners: Vec<Arc<dyn EventListener>>) -> Self {
        Self(listeners.into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty() && cfg!(not(feature = "metrics"))
    }

    /// Tells everybody. No lock is held here, and a panic goes no further.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        #[cfg(feature = "metrics")]
        crate::metrics::count(event);
        for listener in self.0.iter() {
            if catch_unwind(AssertUnwindSafe(|| listener.on_event(event))).is_err() {
                tracing::error!("an event listener panicked");
            }
        }
    }
}

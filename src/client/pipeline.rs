//! A call's way, from top to bottom:
//!
//! `principal -> cache -> token -> limit -> send with retry -> record -> decode -> keep`.
//!
//! What is generic ends above and begins again below: this is compiled once, in this crate, and not for each operation in
//! the crate of whoever calls it. That is also why [`run`] returns a boxed future.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::time::Instant;

use super::Esi;
use super::call::{Asks, Call, Options, Prepared};
#[cfg(feature = "cache")]
use super::kept;
use super::principal::Principal;
use super::progress::Progress;
use super::{exchange, principal};
use crate::clock;
use crate::decode::{self, Decoded, Decoder};
use crate::error::{Error, NotCached};
use crate::event::Event;
use crate::headers::Headers;
use crate::operation::Operation;
use crate::response::Source;

/// A success.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Arc<Headers>,
    pub(crate) value: Arc<dyn Decoded>,
    pub(crate) source: Source,
    pub(crate) came: Instant,
}

/// A call that is on its way.
pub(super) struct Way {
    pub(super) esi: Esi,
    pub(super) operation: &'static Operation,
    pub(super) options: Options,
    pub(super) request: Prepared,
    pub(super) decoder: Decoder,
    pub(super) principal: Principal,
    pub(super) deadline: Instant,
    pub(super) progress: Progress,
}

/// Takes a call from what was set to its decoded answer, within the call's time.
pub(crate) fn run(
    esi: Esi,
    call: Box<Call>,
    decoder: Decoder,
) -> Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>> {
    Box::pin(async move {
        let (operation, options) = (call.operation(), call.options());
        let request = call.prepare(&esi.shared.settings)?;
        let deadline = clock::after(request.timeout);
        let progress = Progress::default();
        let principal = principal::of(&esi, operation, &request.headers, options.asks);
        let principal = progress
            .until(deadline, operation, request.timeout, principal)
            .await?;
        #[cfg(feature = "cache")]
        let key = kept::key(&esi, operation, &principal, &request);
        let way = Arc::new(Way {
            esi,
            operation,
            options,
            request,
            decoder,
            principal,
            deadline,
            progress,
        });
        #[cfg(feature = "cache")]
        if let Some(key) = key {
            return kept::answer(way, key).await;
        }
        if options.asks == Asks::Never {
            return Err(Error::NotCached(Box::new(NotCached { operation })));
        }
        way.in_time(straight(&way)).await
    })
}

/// The way without a cache: a write, or a read that nothing is kept of.
async fn straight(way: &Way) -> Result<Answer, Error> {
    let answer = exchange::exchange(way, &[]).await?;
    let answer = decode::check(way.operation, answer)?;
    Ok(Answer {
        status: answer.status(),
        headers: Arc::clone(answer.shared_headers()),
        value: (way.decoder)(way.operation, &answer)?,
        source: Source::Network,
        came: clock::instant(),
    })
}

impl Way {
    /// The outcome of `work`, or the error that says where the call's time went.
    pub(super) async fn in_time<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let limit = self.request.timeout;
        self.progress
            .until(self.deadline, self.operation, limit, work)
            .await
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        self.esi.shared.listeners.tell(event);
    }
}

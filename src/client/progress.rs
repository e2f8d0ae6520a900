//! How far a call has come, for whoever gives up waiting for it.

use std::future::Future;
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, Phase, TimeoutError};
use crate::operation::Operation;

#[derive(Default)]
pub(crate) struct Progress {
    /// What is waited for; 0 stands for nothing in particular.
    waits_for: AtomicU8,
    /// The status of the answer; 0 until it has begun.
    status: AtomicU16,
    /// How the last request failed, after which another is to follow.
    failed: Mutex<Option<Error>>,
}

const TOKEN: u8 = 1;
const LIMIT: u8 = 2;
const SENDING: u8 = 3;

impl Progress {
    pub(super) fn waits_for_token(&self) {
        self.begin(TOKEN);
    }

    pub(super) fn waits_for_limit(&self) {
        self.begin(LIMIT);
    }

    pub(super) fn sends(&self) {
        self.begin(SENDING);
    }

    pub(super) fn answered(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// Notes how a request failed, before waiting to send another.
    pub(super) fn failed(&self, error: Error) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn begin(&self, what: u8) {
        self.waits_for.store(what, Ordering::Relaxed);
        self.status.store(0, Ordering::Relaxed);
    }

    /// The outcome of `work`, or at the deadline the error that says what the time was spent on.
    pub(super) async fn until<T>(
        &self,
        deadline: Instant,
        operation: &'static Operation,
        limit: Duration,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout_at(deadline, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.out_of_time(operation, limit)),
        }
    }

    pub(super) fn out_of_time(&self, operation: &'static Operation, limit: Duration) -> Error {
        let status = Some(self.status.load(Ordering::Relaxed)).filter(|status| *status != 0);
        let phase = match self.waits_for.load(Ordering::Relaxed) {
            // Until the answer begins nobody can tell whether the request was sent: it is taken to be.
            SENDING => status.map_or(Phase::Send, |_| Phase::Body),
            LIMIT => Phase::Limit,
            _ => Phase::Token,
        };
        // Waiting to try again is not what went wrong.
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        match failed.filter(|_| phase != Phase::Send && phase != Phase::Body) {
            Some(error) => error,
            None => Error::Timeout(Box::new(TimeoutError {
                operation,
                phase,
                status,
                setting: "timeout",
                after: limit,
            })),
        }
    }
}

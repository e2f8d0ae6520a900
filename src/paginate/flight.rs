//! Requests in tasks of their own, which end when nobody waits for them any more.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::{JoinError, JoinHandle};

use crate::error::{Error, Phase, TransportError};
use crate::operation::Operation;

/// A future that can be sent to another task, whatever is in it.
pub(super) type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// A request under way in a task of its own, where its answer is decoded too. Dropping it ends the task.
pub(super) struct Flight<T> {
    operation: &'static Operation,
    task: JoinHandle<Result<T, Error>>,
}

impl<T: Send + 'static> Flight<T> {
    pub(super) fn begin(operation: &'static Operation, request: Boxed<T>) -> Self {
        Self {
            operation,
            task: tokio::spawn(request),
        }
    }
}

impl<T> Future for Flight<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let operation = self.operation;
        Pin::new(&mut self.task)
            .poll(context)
            .map(|outcome| outcome.unwrap_or_else(|failure| Err(unfinished(operation, failure))))
    }
}

impl<T> Drop for Flight<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Of a task that came to no answer: a panic goes on here, and else the runtime was shut down around it.
pub(super) fn unfinished(operation: &'static Operation, failure: JoinError) -> Error {
    match failure.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(cancelled) => Error::Transport(Box::new(TransportError {
            operation,
            phase: Phase::Send,
            status: None,
            source: Arc::new(cancelled),
        })),
    }
}

//! A call's way, from top to bottom.
//!
//! What is generic ends above and begins again below: this is compiled once, in this crate, and not for each
//! operation in the crate of whoever calls it. That is also why [`run`] returns a boxed future.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::Esi;
use super::call::{Call, Prepared};
use super::transport::Progress;
use crate::decode;
use crate::error::{Error, TimeoutError};
use crate::operation::Operation;
use crate::response::RawResponse;

/// Takes a call from what was set to a success whose body is not decoded yet.
pub(crate) fn run(
    esi: Esi,
    call: Box<Call>,
) -> Pin<Box<dyn Future<Output = Result<RawResponse, Error>> + Send>> {
    Box::pin(async move {
        let prepared = call.prepare(&esi.shared.settings)?;
        let answer = send(&esi, call.operation(), prepared).await?;
        decode::check(call.operation(), answer)
    })
}

/// Sends the request, and reads the whole answer, within the call's time.
async fn send(esi: &Esi, operation: &'static Operation, request: Prepared) -> Result<RawResponse, Error> {
    let progress = Progress::default();
    let limit = request.timeout;
    let sending = esi.shared.transport.send(operation, request, &progress);
    match tokio::time::timeout(limit, sending).await {
        Ok(outcome) => outcome,
        Err(_) => Err(out_of_time(operation, limit, &progress)),
    }
}

fn out_of_time(operation: &'static Operation, limit: Duration, progress: &Progress) -> Error {
    let (phase, status) = (progress.phase(), progress.status());
    Error::Timeout(Box::new(TimeoutError {
        operation,
        phase,
        status,
        setting: "timeout",
        after: limit,
    }))
}

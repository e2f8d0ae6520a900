//! A call's way, from top to bottom.
//!
//! What is generic ends above and begins again below: this is compiled once, in this crate, and not for each
//! operation in the crate of whoever calls it. That is also why [`run`] returns a boxed future.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::Esi;
#[cfg(feature = "security")]
use super::authorization::{self, Principal};
use super::call::{Call, Prepared};
use super::transport::Progress;
use crate::decode;
use crate::error::{Error, TimeoutError};
use crate::operation::Operation;
use crate::response::RawResponse;

/// Takes a call from what was set to a success whose body is not decoded yet, within the call's time.
pub(crate) fn run(
    esi: Esi,
    call: Box<Call>,
) -> Pin<Box<dyn Future<Output = Result<RawResponse, Error>> + Send>> {
    Box::pin(async move {
        let prepared = call.prepare(&esi.shared.settings)?;
        let operation = call.operation();
        let (progress, limit) = (Progress::default(), prepared.timeout);
        let exchange = exchange(&esi, operation, prepared, &progress);
        match tokio::time::timeout(limit, exchange).await {
            Ok(answer) => decode::check(operation, answer?),
            Err(_) => Err(out_of_time(operation, limit, &progress)),
        }
    })
}

/// Principal, token, send; once more with another token where ESI refused the first.
#[cfg(feature = "security")]
async fn exchange(
    esi: &Esi,
    operation: &'static Operation,
    request: Prepared,
    progress: &Progress,
) -> Result<RawResponse, Error> {
    progress.waits_for_token();
    let principal = authorization::principal(esi, operation, &request.headers).await?;
    let (answer, refused) = attempt(esi, operation, &principal, request.clone(), progress).await?;
    let Some(refused) = refused.filter(|_| authorization::is_refused(&answer)) else {
        return Ok(answer);
    };
    progress.waits_for_token();
    if principal.replace(operation, &refused).await?.is_none() {
        return Ok(answer);
    }
    let (answer, _) = attempt(esi, operation, &principal, request, progress).await?;
    Ok(answer)
}

/// One request with the token of that moment, which is returned beside the answer.
#[cfg(feature = "security")]
async fn attempt(
    esi: &Esi,
    operation: &'static Operation,
    principal: &Principal,
    mut request: Prepared,
    progress: &Progress,
) -> Result<(RawResponse, Option<std::sync::Arc<crate::token::TokenSet>>), Error> {
    progress.waits_for_token();
    let token = principal.authorize(operation, &mut request.headers).await?;
    let answer = esi.shared.transport.send(operation, request, progress).await?;
    Ok((answer, token))
}

/// Without single sign-on, a secured call goes out with whatever header the caller gave it.
#[cfg(not(feature = "security"))]
async fn exchange(
    esi: &Esi,
    operation: &'static Operation,
    request: Prepared,
    progress: &Progress,
) -> Result<RawResponse, Error> {
    esi.shared.transport.send(operation, request, progress).await
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

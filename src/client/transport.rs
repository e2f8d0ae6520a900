//! ESI's network: one request out, one whole answer in. Beside the builder, the only file of the client that knows
//! the HTTP library.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::call::Prepared;
use super::progress::Progress;
use crate::error::{BodyTooLarge, Error, Phase, TimeoutError, TransportError};
use crate::headers::Headers;
use crate::operation::Operation;
use crate::response::RawResponse;

/// A pool of connections, and the limits of one exchange.
pub(crate) struct Transport {
    pub(crate) client: reqwest::Client,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) max_body: usize,
}

impl Transport {
    /// Sends a request, and reads the answer to its end.
    ///
    /// The body of an answer that is no success may be cut short: the status is worth more than the whole body.
    pub(crate) async fn send(
        &self,
        operation: &'static Operation,
        request: &Prepared,
        headers: HeaderMap,
        progress: &Progress,
    ) -> Result<RawResponse, Error> {
        let mut outgoing = self
            .client
            .request(request.method.clone(), &request.url)
            .headers(headers);
        if let Some(body) = &request.body {
            outgoing = outgoing.body(body.clone());
        }
        let mut answer = outgoing
            .send()
            .await
            .map_err(|error| self.failure(operation, Phase::Send, None, error))?;
        let status = answer.status().as_u16();
        progress.answered(status);
        let headers = Headers::new(std::mem::take(answer.headers_mut()));
        let body = match self.read_body(operation, status, &mut answer).await {
            Ok(body) => body,
            Err((_, read)) if !(200..300).contains(&status) => read.freeze(),
            Err((error, _)) => return Err(error),
        };
        Ok(RawResponse::new(status, headers, body))
    }

    /// Reads the body, and stops where it grows over the limit. A failure comes with what was read until then.
    async fn read_body(
        &self,
        operation: &'static Operation,
        status: u16,
        answer: &mut reqwest::Response,
    ) -> Result<Bytes, (Error, BytesMut)> {
        let mut body = BytesMut::new();
        let mut first = Bytes::new();
        loop {
            let chunk = match answer.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) if body.is_empty() => return Ok(first),
                Ok(None) => return Ok(body.freeze()),
                Err(error) => {
                    let read = if body.is_empty() {
                        BytesMut::from(first)
                    } else {
                        body
                    };
                    return Err((self.failure(operation, Phase::Body, Some(status), error), read));
                }
            };
            if first.len().max(body.len()) + chunk.len() > self.max_body {
                let limit = self.max_body;
                let read = if body.is_empty() {
                    BytesMut::from(first)
                } else {
                    body
                };
                return Err((
                    Error::BodyTooLarge(Box::new(BodyTooLarge {
                        operation,
                        status,
                        limit,
                    })),
                    read,
                ));
            }
            // Most bodies are one chunk: that one is not copied.
            if first.is_empty() && body.is_empty() {
                first = chunk;
                continue;
            }
            if body.is_empty() {
                body.extend_from_slice(&first);
            }
            body.extend_from_slice(&chunk);
        }
    }

    fn failure(
        &self,
        operation: &'static Operation,
        phase: Phase,
        status: Option<u16>,
        error: reqwest::Error,
    ) -> Error {
        let phase = if error.is_connect() { Phase::Connect } else { phase };
        if error.is_timeout() {
            let (setting, after) = match phase {
                Phase::Connect => ("connect_timeout", self.connect_timeout),
                Phase::Token | Phase::Limit | Phase::Send | Phase::Body => {
                    ("read_timeout", self.read_timeout)
                }
            };
            return Error::Timeout(Box::new(TimeoutError {
                operation,
                phase,
                status,
                setting,
                after,
            }));
        }
        // The URL holds the query, which is nobody's business in a log.
        let source = Arc::new(error.without_url());
        Error::Transport(Box::new(TransportError {
            operation,
            phase,
            status,
            source,
        }))
    }
}

//! A call by name, in untyped JSON.

use std::fmt::{self, Display};
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use serde::Serialize;

use super::call::{Call, Value};
use super::{Esi, pipeline};
use crate::decode::decode;
use crate::error::{Error, UnknownOperation};
use crate::operation::{Operation, Success};
use crate::response::{RawResponse, Response};
use crate::spec;

/// A call of an operation by its name. [`Esi::call`] begins one.
///
/// ```no_run
/// # async fn example(esi: esikit::Esi) -> Result<(), esikit::Error> {
/// let orders = esi.call("GetMarketsRegionIdOrders")?.param("region_id", 10000002).param("page", 2).send().await?;
/// println!("{}", orders[0]["price"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct UntypedRequest {
    esi: Esi,
    call: Box<Call>,
}

impl UntypedRequest {
    /// Sets a path or query parameter. A name the operation does not have is an error when the call is sent.
    pub fn param(mut self, name: &str, value: impl Display) -> Self {
        self.call.set_by_name(name, Value::One(value.to_string()));
        self
    }

    /// Sets a parameter that is a list. A name the operation does not have is an error when the call is sent.
    pub fn param_list(mut self, name: &str, values: impl IntoIterator<Item = impl Display>) -> Self {
        self.call.set_by_name(
            name,
            Value::List(values.into_iter().map(|value| value.to_string()).collect()),
        );
        self
    }

    /// Sets the body: a [`serde_json::Value`], or anything else that serialises.
    pub fn body(mut self, body: impl Serialize) -> Self {
        self.call.set_body(serde_json::to_vec(&body));
        self
    }

    /// How long this call may take as a whole, instead of the client's [`timeout`](super::EsiBuilder::timeout).
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.call.set_timeout(limit);
        self
    }

    /// Adds a header to this call. What the client sets itself, such as `User-Agent`, cannot be set here.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.call.add_header(name, value);
        self
    }

    /// Sends the call. An answer that carries nothing is `null`.
    ///
    /// # Errors
    /// As [`Request::send`](super::Request::send), without [`Error::CompatibilityDate`].
    pub async fn send(self) -> Result<Response<serde_json::Value>, Error> {
        let operation = self.operation();
        let answer = pipeline::run(self.esi, self.call).await?;
        if answer.status() == 204 && operation.success == Success::Json {
            return Ok(Response::new(
                serde_json::Value::Null,
                204,
                answer.shared_headers().clone(),
            ));
        }
        decode(operation, &answer)
    }

    /// Sends the call, and returns a success as the bytes that came, decompressed.
    ///
    /// # Errors
    /// As [`send`](Self::send), without [`Error::Decode`].
    pub async fn send_raw(self) -> Result<RawResponse, Error> {
        pipeline::run(self.esi, self.call).await
    }

    /// The URL that would be asked.
    ///
    /// # Errors
    /// [`Error::Request`], as sending would.
    pub fn url(&self) -> Result<String, Error> {
        self.call
            .prepare(&self.esi.shared.settings)
            .map(|prepared| prepared.url)
    }

    /// The facts of the operation.
    pub fn operation(&self) -> &'static Operation {
        self.call.operation()
    }

    pub(crate) fn new(esi: Esi, name: &str) -> Result<Self, Error> {
        let Some(operation) = spec::operation(name) else {
            let suggestions = spec::near(name);
            return Err(Error::UnknownOperation(Box::new(UnknownOperation {
                name: name.to_owned(),
                suggestions,
            })));
        };
        Ok(Self {
            esi,
            call: Box::new(Call::untyped(operation)),
        })
    }
}

impl IntoFuture for UntypedRequest {
    type Output = Result<Response<serde_json::Value>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for UntypedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UntypedRequest").field(&self.call).finish()
    }
}

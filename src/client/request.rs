//! A typed call before it is sent.

use std::fmt::{self, Display};
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::{Call, Value};
use super::{Esi, pipeline};
use crate::decode::decode;
use crate::error::Error;
use crate::operation::{Operation, Place};
use crate::response::{RawResponse, Response};

/// Declares the marker of an operation: what its success decodes to.
#[allow(unused_macros, reason = "a build without operations has no use for it")]
macro_rules! endpoint {
    ($(#[$meta:meta])* pub $name:ident => $output:ty) => {
        $(#[$meta])*
        pub enum $name {}

        impl $crate::client::Endpoint for $name {
            type Output = $output;
        }
    };
}
#[allow(unused_imports, reason = "a build without operations has no use for it")]
pub(crate) use endpoint;

/// An operation as a type. Generated code implements it; there is no value of such a type.
pub trait Endpoint: 'static {
    /// What a success decodes to.
    type Output: DeserializeOwned + Send + Sync + 'static;
}

/// A call of the operation `E`, to be completed by setters and sent.
///
/// Built without any I/O. Errors of what was set, such as a value out of bounds, come when it is sent.
#[must_use = "a request does nothing until it is sent"]
pub struct Request<E: Endpoint> {
    esi: Esi,
    call: Box<Call>,
    /// The body, where it is a list that may be longer than one call can carry.
    entries: Option<Bytes>,
    endpoint: PhantomData<fn() -> E>,
}

impl<E: Endpoint> Request<E> {
    /// Sends the call, and decodes the answer.
    ///
    /// # Errors
    /// Any [`Error`] but [`Error::Config`] and [`Error::UnknownOperation`].
    pub async fn send(self) -> Result<Response<E::Output>, Error> {
        let operation = self.call.operation();
        let answer = pipeline::run(self.esi, self.call).await?;
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
    /// [`Error::Request`] and [`Error::CompatibilityDate`], as sending would.
    pub fn url(&self) -> Result<String, Error> {
        self.call
            .prepare(&self.esi.shared.settings)
            .map(|prepared| prepared.url)
    }

    /// The facts of the operation.
    pub fn operation(&self) -> &'static Operation {
        self.call.operation()
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

    #[allow(dead_code, reason = "a build without operations has no use for it")]
    pub(crate) fn new(esi: Esi, call: Call) -> Self {
        Self {
            esi,
            call: Box::new(call),
            entries: None,
            endpoint: PhantomData,
        }
    }
}

/// The setters that generated code is written in.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
impl<E: Endpoint> Request<E> {
    pub(crate) fn path(mut self, name: &'static str, value: impl Display) -> Self {
        self.call.set(Place::Path, name, Value::One(value.to_string()));
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Display) -> Self {
        self.call.set(Place::Query, name, Value::One(value.to_string()));
        self
    }

    /// A list as `x=1,2`.
    pub(crate) fn query_list(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        let values = values.into_iter().map(|value| value.to_string()).collect();
        self.call.set(Place::Query, name, Value::List(values));
        self
    }

    /// A list as `x=1&x=2`.
    pub(crate) fn query_each(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        let values = values.into_iter().map(|value| value.to_string()).collect();
        self.call.set(Place::Query, name, Value::Each(values));
        self
    }

    pub(crate) fn body<B: Serialize + ?Sized>(mut self, body: &B) -> Self {
        self.call.set_body(serde_json::to_vec(body));
        self
    }

    /// A body that is a list of bounded length, which [`all`](crate::paginate::bulk) splits where it is longer.
    pub(crate) fn body_list<B: Serialize + ?Sized>(mut self, body: &B) -> Self {
        let body = serde_json::to_vec(body);
        self.entries = body.as_ref().ok().map(|body| Bytes::copy_from_slice(body));
        self.call.set_body(body);
        self
    }
}

/// What pagination needs of a request, to make others of it.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
impl<E: Endpoint> Request<E> {
    /// The list that was set as the body.
    pub(crate) fn entries(&self) -> Option<&[u8]> {
        self.entries.as_deref()
    }

    /// A body that is JSON already.
    pub(crate) fn json_body(mut self, body: Vec<u8>) -> Self {
        self.entries = None;
        self.call.set_body(Ok(body));
        self
    }

    /// Whether a query parameter was set. Of a call that cannot be sent as it is, all were: the error is the caller's
    /// to see.
    pub(crate) fn has_query(&self, name: &str) -> bool {
        self.url().map_or(true, |url| {
            let query = url.split_once('?').map_or("", |(_, query)| query);
            query.split('&').any(|pair| pair.split('=').next() == Some(name))
        })
    }

    /// The call without this query parameter: a list of nothing is not written.
    pub(crate) fn without_query(self, name: &'static str) -> Self {
        self.query_each(name, [""; 0])
    }

    /// The answer is not put into the cache.
    pub(crate) fn not_kept(self) -> Self {
        self
    }

    /// The client that the call is sent with.
    pub(crate) fn esi(&self) -> &Esi {
        &self.esi
    }
}

impl<E: Endpoint> IntoFuture for Request<E> {
    type Output = Result<Response<E::Output>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<E: Endpoint> Clone for Request<E> {
    fn clone(&self) -> Self {
        Self {
            esi: self.esi.clone(),
            call: self.call.clone(),
            entries: self.entries.clone(),
            endpoint: PhantomData,
        }
    }
}

impl<E: Endpoint> fmt::Debug for Request<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Request").field(&self.call).finish()
    }
}

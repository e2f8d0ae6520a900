//! A typed call before it is sent.

use std::fmt::{self, Display};
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::call::{Asks, Call, Value};
use super::pipeline::Answer;
use super::untyped::Untyped;
use super::{Esi, pipeline};
use crate::decode;
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
    type Output: DeserializeOwned + Serialize + Send + Sync + 'static;
}

/// A call of the operation `E`, to be completed by setters and sent.
///
/// Built without any I/O. Errors of what was set, such as a value out of bounds, come when it is sent.
#[must_use = "a request does nothing until it is sent"]
pub struct Request<E: Endpoint> {
    esi: Esi,
    call: Box<Call>,
    endpoint: PhantomData<fn() -> E>,
}

impl<E: Endpoint> Request<E> {
    /// Sends the call, and decodes the answer.
    ///
    /// # Errors
    /// Any [`Error`] but [`Error::Config`] and [`Error::UnknownOperation`].
    pub async fn send(self) -> Result<Response<E::Output>, Error> {
        let operation = self.call.operation();
        let answer = pipeline::run(self.esi, self.call, decode::typed::<E::Output>).await?;
        let value = decode::as_type(
            operation,
            answer.status,
            &answer.headers,
            Arc::clone(&answer.value),
        )?;
        let Answer {
            status,
            headers,
            source,
            came,
            ..
        } = answer;
        Ok(Response::new(value, status, headers, source, came))
    }

    /// Sends the call, and returns a success as the bytes that came, decompressed.
    ///
    /// # Errors
    /// As [`send`](Self::send), without [`Error::Decode`].
    pub async fn send_raw(self) -> Result<RawResponse, Error> {
        let answer = pipeline::run(self.esi, self.call, decode::undecoded).await?;
        let body = decode::as_bytes(answer.value);
        Ok(RawResponse::from(
            answer.status,
            answer.headers,
            body,
            answer.source,
        ))
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

    /// Answers from what is kept, or not at all: neither ESI nor the single sign-on is asked.
    ///
    /// Without a fresh answer sending returns [`Error::NotCached`]; a stale one is given out where
    /// [`stale_if_error`](Self::stale_if_error) allows it.
    #[cfg(feature = "cache")]
    pub fn cached_only(mut self) -> Self {
        self.call.options_mut().asks = Asks::Never;
        self
    }

    /// Asks ESI although a fresh answer is kept.
    ///
    /// # ESI bans for this
    /// Asking again before the answer expires is what ESI calls circumventing its cache, and it bans applications and
    /// addresses that do. Leave it alone unless CCP told you otherwise.
    #[cfg(feature = "cache")]
    pub fn ignore_expires(mut self) -> Self {
        self.call.options_mut().asks = Asks::Always;
        self
    }

    /// Gives out a kept answer, up to this long after it expired, when ESI or the single sign-on cannot be reached,
    /// fails (5xx), is too slow, or a limit is closed. [`Response::source`] says so.
    #[cfg(feature = "cache")]
    pub fn stale_if_error(mut self, lasts: Duration) -> Self {
        self.call.options_mut().stale_if_error = Some(lasts);
        self
    }

    /// Allows this write to be sent again after a failure that leaves open whether ESI acted on it, where its method
    /// makes that harmless by HTTP's rules (`PUT` and `DELETE`, RFC 9110 section 9.2.2). A `POST` is never repeated so.
    pub fn retry_writes(mut self, allowed: bool) -> Self {
        self.call.options_mut().retry_writes = allowed;
        self
    }

    /// The same call in untyped JSON, so that calls of several operations are of one type.
    pub fn untyped(self) -> Request<Untyped> {
        Request {
            esi: self.esi,
            call: self.call,
            endpoint: PhantomData,
        }
    }

    /// Adds a header to this call. What the client sets itself, such as `User-Agent`, cannot be set here.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.call.add_header(name, value);
        self
    }

    pub(super) fn call_mut(&mut self) -> &mut Call {
        &mut self.call
    }

    pub(crate) fn new(esi: Esi, call: Call) -> Self {
        Self {
            esi,
            call: Box::new(call),
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

    pub(crate) fn json<B: Serialize + ?Sized>(mut self, body: &B) -> Self {
        self.call.set_body(serde_json::to_vec(body));
        self
    }
}

/// What pagination needs of a request, to make others of it.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
impl<E: Endpoint> Request<E> {
    /// The body that was set, as JSON.
    pub(crate) fn body_json(&self) -> Option<&[u8]> {
        self.call.body()
    }

    /// A body that is JSON already.
    pub(crate) fn with_body_json(mut self, body: Vec<u8>) -> Self {
        self.call.set_body(Ok(body));
        self
    }

    /// Whether a query parameter was set.
    pub(crate) fn has_query(&self, name: &str) -> bool {
        self.call.has(Place::Query, name)
    }

    /// The call without this query parameter.
    pub(crate) fn without_query(mut self, name: &str) -> Self {
        self.call.unset(Place::Query, name);
        self
    }

    /// Does not keep the answer for others.
    pub(crate) fn not_kept(mut self) -> Self {
        self.call.options_mut().not_kept = true;
        self
    }

    /// Is content with an answer that came after this moment only: for whoever knows that the earlier one has expired.
    pub(crate) fn later_than(mut self, came: Instant) -> Self {
        self.call.options_mut().asks = Asks::After(came);
        self
    }

    /// Whether nobody is to be asked.
    pub(crate) fn asks_nobody(&self) -> bool {
        self.call.options().asks == Asks::Never
    }

    /// The path that is asked, with its values.
    pub(crate) fn path_asked(&self) -> Option<String> {
        let url = self.url().ok()?;
        let path = url.strip_prefix(&self.esi.shared.settings.base_url)?;
        Some(path.split('?').next().unwrap_or_default().to_owned())
    }

    /// What time it is, by the client's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.esi.shared.clock.now()
    }

    /// For how long a call of this client may wait for a limit, or for data to settle.
    pub(crate) fn max_wait(&self) -> Duration {
        self.esi.shared.max_wait
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
            endpoint: PhantomData,
        }
    }
}

impl<E: Endpoint> fmt::Debug for Request<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Request").field(&self.call).finish()
    }
}

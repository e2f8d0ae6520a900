//! What a call returns.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::headers::{ErrorLimitStatus, Headers, RateLimitStatus};

/// A decoded answer: the value, its status and headers.
///
/// It dereferences to the value. Value and headers are shared: a clone costs two reference counts.
pub struct Response<T> {
    value: Arc<T>,
    status: u16,
    headers: Arc<Headers>,
    source: Source,
    /// When ESI's answer came.
    came: Instant,
}

/// Where an answer is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// ESI sent it.
    Network,
    /// It was kept, and is fresh: nobody was asked.
    Cache,
    /// It was kept, and ESI said that it has not changed (304).
    Revalidated,
    /// It was kept, and is no longer fresh: asking ESI failed, and `stale_if_error` allows it.
    Stale,
}

impl<T> Response<T> {
    pub(crate) fn new(
        value: Arc<T>,
        status: u16,
        headers: Arc<Headers>,
        source: Source,
        came: Instant,
    ) -> Self {
        Self {
            value,
            status,
            headers,
            source,
            came,
        }
    }

    /// When ESI's answer came: for one that was kept, that is in the past.
    pub(crate) fn came(&self) -> Instant {
        self.came
    }

    /// An answer made up for a test: status 200, no headers.
    #[cfg(feature = "mock")]
    pub fn made_up(value: T) -> Self {
        let headers = Arc::new(Headers::new(http::HeaderMap::new()));
        Self::new(
            Arc::new(value),
            200,
            headers,
            Source::Network,
            crate::clock::instant(),
        )
    }

    /// The value alone: moved out where nobody shares it, else cloned.
    pub fn into_inner(self) -> T
    where
        T: Clone,
    {
        Arc::unwrap_or_clone(self.value)
    }

    /// The value alone, shared.
    pub fn into_arc(self) -> Arc<T> {
        self.value
    }

    /// Another value with the same status and headers.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Response<U>
    where
        T: Clone,
    {
        let Self {
            value,
            status,
            headers,
            source,
            came,
        } = self;
        let value = Arc::new(change(Arc::unwrap_or_clone(value)));
        Response {
            value,
            status,
            headers,
            source,
            came,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Where the answer is from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Every header.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Until when the answer is fresh: ESI asks not to be asked again before.
    pub fn expires(&self) -> Option<DateTime<Utc>> {
        self.headers.expires()
    }

    /// When the data last changed.
    pub fn last_modified(&self) -> Option<DateTime<Utc>> {
        self.headers.last_modified()
    }

    /// When the server answered, by its own clock.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        self.headers.date()
    }

    /// The data's version, with its quotes.
    pub fn etag(&self) -> Option<&str> {
        self.headers.etag()
    }

    /// How many pages there are.
    pub fn pages(&self) -> Option<u32> {
        self.headers.pages()
    }

    /// The bucket this call drew from.
    pub fn rate_limit(&self) -> Option<RateLimitStatus> {
        self.headers.rate_limit()
    }

    /// The error limit of this address.
    pub fn error_limit(&self) -> Option<ErrorLimitStatus> {
        self.headers.error_limit()
    }

    /// What to quote when asking CCP about this request.
    pub fn request_id(&self) -> Option<&str> {
        self.headers.request_id()
    }
}

impl<T> Clone for Response<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            status: self.status,
            headers: Arc::clone(&self.headers),
            source: self.source,
            came: self.came,
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("source", &self.source)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> AsRef<T> for Response<T> {
    fn as_ref(&self) -> &T {
        &self.value
    }
}

impl<T: IntoIterator + Clone> IntoIterator for Response<T> {
    type Item = T::Item;
    type IntoIter = T::IntoIter;

    fn into_iter(self) -> T::IntoIter {
        self.into_inner().into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Response<T>
where
    &'a T: IntoIterator,
{
    type Item = <&'a T as IntoIterator>::Item;
    type IntoIter = <&'a T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.value.as_ref().into_iter()
    }
}

/// An answer that was not decoded: status, headers, and the body's bytes after decompression.
#[derive(Clone)]
pub struct RawResponse {
    status: u16,
    headers: Arc<Headers>,
    body: Bytes,
    source: Source,
}

impl RawResponse {
    pub(crate) fn new(status: u16, headers: Headers, body: Bytes) -> Self {
        Self::from(status, Arc::new(headers), body, Source::Network)
    }

    pub(crate) fn from(status: u16, headers: Arc<Headers>, body: Bytes, source: Source) -> Self {
        Self {
            status,
            headers,
            body,
            source,
        }
    }

    /// Where the answer is from. A kept one that was decoded before comes as its value's JSON: fields that the
    /// specification does not know are not in it.
    pub fn source(&self) -> Source {
        self.source
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Every header.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The body, decompressed.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body alone.
    pub fn into_body(self) -> Bytes {
        self.body
    }

    pub(crate) fn shared_headers(&self) -> &Arc<Headers> {
        &self.headers
    }
}

impl fmt::Debug for RawResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawResponse")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_moves_out_unless_it_is_shared() {
        let response = Response::new(
            Arc::new(vec![1, 2]),
            200,
            Arc::default(),
            Source::Network,
            crate::clock::instant(),
        );
        let place = response.as_ptr();
        let shared = response.clone();
        assert_eq!(shared.as_ptr(), place);
        let copy = shared.into_inner();
        assert_ne!(copy.as_ptr(), place);
        assert_eq!(response.map(|value| value.as_ptr()).into_inner(), place);
        let response = Response::new(
            Arc::new(copy),
            200,
            Arc::default(),
            Source::Network,
            crate::clock::instant(),
        );
        assert_eq!(response.into_iter().sum::<i32>(), 3);
    }
}

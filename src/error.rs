//! What can go wrong, as one enum that callers can match.
//!
//! Errors end in logs: nothing here carries a header that was sent, a query, a token, or a text that was to be sent.

mod limit;
mod sso;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::headers::Headers;
use crate::operation::{Effect, Operation};

pub use limit::{CursorExpired, Limit, NotCached, RateLimited, RoleMissing, SnapshotChanged};
pub use sso::{
    ArgumentError, LoginNeeded, OwnerChanged, ScopesMissing, SsoError, SsoUnavailable, StoreFailed,
    TokenFault, TokenInvalid,
};

/// Why a call, or the building of a client, failed.
///
/// Small, since the details are boxed; a clone copies them.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting of the client cannot be used. Nothing was sent.
    #[error(transparent)]
    Config(Box<ConfigError>),

    /// What was to be sent breaks the spec's rules. Nothing was sent.
    #[error(transparent)]
    Request(Box<RequestError>),

    /// No operation of the spec has this name. Nothing was sent.
    #[error(transparent)]
    UnknownOperation(Box<UnknownOperation>),

    /// The client was set to another compatibility date than its types were generated from. Nothing was sent.
    #[error(transparent)]
    CompatibilityDate(Box<CompatibilityDateError>),

    /// The connection failed.
    #[error(transparent)]
    Transport(Box<TransportError>),

    /// It took longer than the client's settings allow.
    #[error(transparent)]
    Timeout(Box<TimeoutError>),

    /// ESI answered that it did not do what was asked.
    #[error(transparent)]
    Api(Box<ApiError>),

    /// ESI answered with success, but the body is not what the spec says.
    #[error(transparent)]
    Decode(Box<DecodeError>),

    /// The body is larger than the client accepts.
    #[error(transparent)]
    BodyTooLarge(Box<BodyTooLarge>),

    /// The call would be sent into a limit that is known to be closed for longer than it may wait. Nothing was sent.
    #[error(transparent)]
    RateLimited(Box<RateLimited>),

    /// ESI answered 420: this address made too many failing requests, and every route is closed for a while.
    #[error(transparent)]
    ErrorLimited(Box<ApiError>),

    /// The character lacks a role in its corporation.
    #[error(transparent)]
    RoleMissing(Box<RoleMissing>),

    /// Only a kept answer was wanted, and there is none. Nothing was sent.
    #[error(transparent)]
    NotCached(Box<NotCached>),

    /// The data changed while its pages were fetched.
    #[error(transparent)]
    SnapshotChanged(Box<SnapshotChanged>),

    /// The cursor is too old for the changes since it to be known. Nothing was sent.
    #[error(transparent)]
    CursorExpired(Box<CursorExpired>),

    /// A method of the single sign-on cannot use an argument. Nothing was sent.
    #[error(transparent)]
    Argument(Box<ArgumentError>),

    /// The single sign-on refused.
    #[error(transparent)]
    Sso(Box<SsoError>),

    /// The single sign-on could not be asked, or failed. The login is not touched by it.
    #[error(transparent)]
    SsoUnavailable(Box<SsoUnavailable>),

    /// An access token breaks a rule, and is not used.
    #[error(transparent)]
    TokenInvalid(Box<TokenInvalid>),

    /// The identity has no login, or none that is still good. No call was sent.
    #[error(transparent)]
    LoginNeeded(Box<LoginNeeded>),

    /// The login does not allow what the operation needs. Nothing was sent.
    #[error(transparent)]
    ScopesMissing(Box<ScopesMissing>),

    /// The character has another owner than when it logged in. No call was sent.
    #[error(transparent)]
    OwnerChanged(Box<OwnerChanged>),

    /// The token store failed. No call was sent; what was to be written is still in memory.
    #[error(transparent)]
    Store(Box<StoreFailed>),
}

impl Error {
    /// Whether the same call may succeed later, and sending it again does no harm.
    ///
    /// True for
    /// - 420 and 429, where ESI refused the call unprocessed (wait first),
    /// - a connection that was never established,
    /// - a single sign-on or a token store that failed: the call was never sent,
    /// - and, where the operation only reads, a lost connection, a timeout, and 502, 503 and 504.
    pub fn is_retryable(&self) -> bool {
        let harmless = self
            .operation()
            .is_some_and(|operation| operation.effect == Effect::Read);
        match self {
            Self::Transport(_) | Self::Timeout(_) => harmless || !self.may_have_been_sent(),
            Self::Api(error) => match error.status {
                429 => true,
                502..=504 => harmless,
                _ => false,
            },
            Self::ErrorLimited(_) | Self::RateLimited(_) => true,
            Self::SnapshotChanged(_) => true,
            Self::SsoUnavailable(_) | Self::Store(_) => true,
            _ => false,
        }
    }

    /// The HTTP status, where there was an answer, be it ESI's or the single sign-on's.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api(error) | Self::ErrorLimited(error) => Some(error.status),
            Self::RoleMissing(error) => Some(error.status),
            Self::Decode(error) => Some(error.status),
            Self::BodyTooLarge(error) => Some(error.status),
            Self::Transport(error) => error.status,
            Self::Timeout(error) => error.status,
            Self::Sso(error) => error.status,
            Self::SsoUnavailable(error) => error.status,
            _ => None,
        }
    }

    /// The operation that was called.
    pub fn operation(&self) -> Option<&'static Operation> {
        match self {
            Self::Request(error) => Some(error.operation),
            Self::CompatibilityDate(error) => Some(error.operation),
            Self::Transport(error) => Some(error.operation),
            Self::Timeout(error) => Some(error.operation),
            Self::Api(error) | Self::ErrorLimited(error) => Some(error.operation),
            Self::RateLimited(error) => Some(error.operation),
            Self::RoleMissing(error) => Some(error.operation),
            Self::NotCached(error) => Some(error.operation),
            Self::SnapshotChanged(error) => Some(error.operation),
            Self::CursorExpired(error) => Some(error.operation),
            Self::Decode(error) => Some(error.operation),
            Self::BodyTooLarge(error) => Some(error.operation),
            Self::LoginNeeded(error) => error.operation,
            Self::ScopesMissing(error) => Some(error.operation),
            Self::Config(_)
            | Self::UnknownOperation(_)
            | Self::Argument(_)
            | Self::Sso(_)
            | Self::SsoUnavailable(_)
            | Self::TokenInvalid(_)
            | Self::OwnerChanged(_)
            | Self::Store(_) => None,
        }
    }

    /// Whether ESI may have received the request, and acted on it.
    ///
    /// False for everything around single sign-on: that comes before a call, or after ESI refused it for its token.
    pub fn may_have_been_sent(&self) -> bool {
        match self {
            Self::Config(_)
            | Self::Request(_)
            | Self::UnknownOperation(_)
            | Self::CompatibilityDate(_)
            | Self::RateLimited(_)
            | Self::NotCached(_)
            | Self::CursorExpired(_)
            | Self::Argument(_)
            | Self::Sso(_)
            | Self::SsoUnavailable(_)
            | Self::TokenInvalid(_)
            | Self::LoginNeeded(_)
            | Self::ScopesMissing(_)
            | Self::OwnerChanged(_)
            | Self::Store(_) => false,
            Self::Transport(error) => error.phase.may_be_sent(),
            Self::Timeout(error) => error.phase.may_be_sent(),
            Self::Api(_)
            | Self::ErrorLimited(_)
            | Self::RoleMissing(_)
            | Self::SnapshotChanged(_)
            | Self::Decode(_)
            | Self::BodyTooLarge(_) => true,
        }
    }

    /// Whether ESI may have done what was asked although the call failed: the request may have reached it, and no
    /// answer says that it was refused. Look before you call again.
    ///
    /// Always false for operations that only read.
    pub fn may_have_been_applied(&self) -> bool {
        let writes = self
            .operation()
            .is_some_and(|operation| operation.effect == Effect::Write);
        let refused = match self {
            Self::Api(error) => error.status < 500,
            Self::ErrorLimited(_) | Self::RoleMissing(_) => true,
            _ => false,
        };
        writes && !refused && self.may_have_been_sent()
    }
}

/// How far a call had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Waiting for an access token: nothing was sent, or ESI refused what was for its token.
    Token,
    /// Waiting for one of ESI's limits, for a turn, or to try again: nothing is under way.
    Limit,
    /// No connection yet: nothing was sent.
    Connect,
    /// Sending the request, or waiting for the answer to begin.
    Send,
    /// Reading the answer's body.
    Body,
}

impl Phase {
    fn may_be_sent(self) -> bool {
        matches!(self, Self::Send | Self::Body)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Token => "waiting for an access token",
            Self::Limit => "waiting for its turn",
            Self::Connect => "connecting",
            Self::Send => "sending the request and waiting for the answer",
            Self::Body => "reading the answer's body",
        })
    }
}

/// A setting of a builder that cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{setting}: {reason}")]
#[non_exhaustive]
pub struct ConfigError {
    /// The builder's method.
    pub setting: &'static str,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// What was to be sent breaks the spec's rules.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {parameter}: {reason}; nothing was sent", operation.id)]
#[non_exhaustive]
pub struct RequestError {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// The parameter, or the place in the body.
    pub parameter: String,
    /// The rule, and the value that breaks it.
    pub reason: String,
}

/// No operation has the name that was asked for.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no operation is named {name:?}{}", did_you_mean(suggestions))]
#[non_exhaustive]
pub struct UnknownOperation {
    /// What was asked for.
    pub name: String,
    /// Names that look like it.
    pub suggestions: Vec<&'static str>,
}

/// The client's compatibility date is not the one its types were generated from.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "{}: typed calls are generated for compatibility date {}, but the client is set to {client}: use \
     `esi.call({:?})` with untyped JSON, leave `compatibility_date` out, or build with `ESI_SPEC` of that date",
    operation.id, generated.unwrap_or("(none)"), operation.id
)]
#[non_exhaustive]
pub struct CompatibilityDateError {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// The date the types were generated from.
    pub generated: Option<&'static str>,
    /// The date the client is set to.
    pub client: String,
}

/// The connection failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: the connection failed while {phase}: {}", operation.id, causes(source.as_ref()))]
#[non_exhaustive]
pub struct TransportError {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// How far the call had come.
    pub phase: Phase,
    /// The status, where the answer had begun.
    pub status: Option<u16>,
    /// The cause.
    pub source: Arc<dyn std::error::Error + Send + Sync>,
}

/// It took too long.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: timed out while {phase}; the limit is {setting}, {after:?}", operation.id)]
#[non_exhaustive]
pub struct TimeoutError {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// How far the call had come.
    pub phase: Phase,
    /// The status, where the answer had begun.
    pub status: Option<u16>,
    /// The setting that ended it.
    pub setting: &'static str,
    /// How long that allows.
    pub after: Duration,
}

/// ESI's answer was no success.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: ESI answered {status}: {message}", operation.id)]
#[non_exhaustive]
pub struct ApiError {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// The HTTP status.
    pub status: u16,
    /// ESI's own words where the body has some, else the status's.
    pub message: String,
    /// The body's beginning, as text.
    pub body: String,
    /// The answer's headers.
    pub headers: Arc<Headers>,
}

/// The body is not what the spec says.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: the body of a {status} answer is not as the spec says at {path}: {message}{}", operation.id, near(snippet))]
#[non_exhaustive]
pub struct DecodeError {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// The HTTP status.
    pub status: u16,
    /// Where in the JSON, such as `$[3].price`.
    pub path: String,
    /// What is wrong there.
    pub message: String,
    /// The text around that place.
    pub snippet: String,
}

/// The body is larger than the client accepts.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: the body of a {status} answer is larger than {limit} bytes: raise `max_body` to accept it", operation.id)]
#[non_exhaustive]
pub struct BodyTooLarge {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// The HTTP status.
    pub status: u16,
    /// The client's `max_body`, in bytes after decompression.
    pub limit: usize,
}

/// An error and its causes on one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

fn did_you_mean(suggestions: &[&str]) -> String {
    match suggestions {
        [] => ": `esikit::OPERATIONS` lists them".to_owned(),
        some => format!(", did you mean {}?", some.join(" or ")),
    }
}

fn near(snippet: &str) -> String {
    if snippet.is_empty() {
        String::new()
    } else {
        format!(", near `{snippet}`")
    }
}

impl Error {
    pub(crate) fn config(setting: &'static str, reason: impl Into<String>) -> Self {
        Self::Config(Box::new(ConfigError {
            setting,
            reason: reason.into(),
        }))
    }

    #[cfg(feature = "security")]
    pub(crate) fn argument(method: &'static str, parameter: &'static str, reason: impl Into<String>) -> Self {
        Self::Argument(Box::new(ArgumentError {
            method,
            parameter,
            reason: reason.into(),
        }))
    }

    #[cfg(feature = "security")]
    pub(crate) fn token_invalid(why: TokenFault) -> Self {
        Self::TokenInvalid(Box::new(TokenInvalid { why }))
    }

    pub(crate) fn request(
        operation: &'static Operation,
        parameter: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        let (parameter, reason) = (parameter.into(), reason.into());
        Self::Request(Box::new(RequestError {
            operation,
            parameter,
            reason,
        }))
    }
}

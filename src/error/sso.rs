//! What can go wrong around single sign-on, tokens and the places they are kept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Phase, causes};
use crate::operation::Operation;

/// The single sign-on refused, in the words of RFC 6749.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the single sign-on refused the {step}: {code}{}", described(description.as_deref()))]
#[non_exhaustive]
pub struct SsoError {
    /// What was asked: `login`, `code exchange`, `refresh`, `revocation`.
    pub step: &'static str,
    /// The error code, such as `invalid_grant` or `access_denied`.
    pub code: String,
    /// The description, where there is one.
    pub description: Option<String>,
    /// The HTTP status; none where the error came by the callback URL.
    pub status: Option<u16>,
}

/// The single sign-on could not be asked, or its answer is of no use. Trying again later may help.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the single sign-on is of no use for the {step}: {reason}{}", caused(source.as_deref()))]
#[non_exhaustive]
pub struct SsoUnavailable {
    /// What was asked.
    pub step: &'static str,
    /// What happened, without anything of the answer's body.
    pub reason: String,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// How far the exchange had come.
    pub phase: Phase,
    /// How long it asks to be left alone, where it says so.
    pub retry_after: Option<Duration>,
    /// The cause, where there is one.
    pub source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// An access token that must not be trusted.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the access token is refused: {why}")]
#[non_exhaustive]
pub struct TokenInvalid {
    /// The rule it breaks.
    pub why: TokenFault,
}

/// The rule that an access token breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFault {
    /// Longer than any that the single sign-on gives out.
    TooLarge,
    /// Not three parts of base64url with JSON objects in the first two.
    NotAJwt(&'static str),
    /// Signed by an algorithm other than RS256 and ES256; `none` is one of those.
    Algorithm(String),
    /// A header extension that must be understood, and is not.
    CriticalHeader,
    /// No `kid`: nothing says which key signed it.
    NoKeyId,
    /// The single sign-on publishes no key of this `kid`.
    UnknownKey(String),
    /// The single sign-on publishes several keys of this `kid`.
    AmbiguousKey(String),
    /// The key of this `kid` is for something else, or cannot be read.
    UnusableKey(&'static str),
    /// Not signed by the key it names, or changed since.
    Signature,
    /// A claim is missing, or not of its type.
    Claim(&'static str),
    /// From somebody else.
    Issuer(String),
    /// Not meant for this audience.
    Audience(String),
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// `sub` is not `CHARACTER:EVE:<id>`.
    Subject,
    /// `scp` is neither absent, a text nor a list of texts.
    Scopes,
    /// For another character than the one that logged in.
    OtherCharacter,
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("it is too large"),
            Self::NotAJwt(part) => write!(f, "it is not a JWT: {part}"),
            Self::Algorithm(name) => write!(f, "it is signed by {name:?}, not by RS256 or ES256"),
            Self::CriticalHeader => f.write_str("its header has an extension that must be understood"),
            Self::NoKeyId => f.write_str("its header names no key (`kid`)"),
            Self::UnknownKey(id) => write!(f, "no key of the id {id:?} is published"),
            Self::AmbiguousKey(id) => write!(f, "several keys of the id {id:?} are published"),
            Self::UnusableKey(why) => write!(f, "its key cannot be used: {why}"),
            Self::Signature => f.write_str("its signature does not fit"),
            Self::Claim(name) => write!(f, "`{name}` is missing or of another type"),
            Self::Issuer(issuer) => write!(f, "it comes from {issuer:?}"),
            Self::Audience(missing) => write!(f, "{missing:?} is not in its audience"),
            Self::Expired => f.write_str("it is expired"),
            Self::NotYetValid => f.write_str("it is not valid yet"),
            Self::Subject => f.write_str("`sub` is not of the form CHARACTER:EVE:<id>"),
            Self::Scopes => f.write_str("`scp` is neither a text nor a list of texts"),
            Self::OtherCharacter => f.write_str("it is for another character than the login"),
        }
    }
}

/// A login is needed, or needed again.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}{identity}: a login is needed{}: {reason}", of(*operation), with_scopes(scopes))]
#[non_exhaustive]
pub struct LoginNeeded {
    /// The operation that was called; none outside of a call.
    pub operation: Option<&'static Operation>,
    /// The identity that has no login.
    pub identity: String,
    /// The scopes that the operation needs.
    pub scopes: Vec<&'static str>,
    /// Why.
    pub reason: &'static str,
}

/// The login does not allow what the operation needs. Nothing was sent.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {identity}: the login lacks {}: it must be done again, asking for all that is needed", operation.id, missing.join(", "))]
#[non_exhaustive]
pub struct ScopesMissing {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// Whose login it is.
    pub identity: String,
    /// The scopes that are missing.
    pub missing: Vec<&'static str>,
}

/// The character has another owner than when it logged in.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "{identity}: character {character_id} has another owner since it logged in, so this login is over: \
     the new owner must log in"
)]
#[non_exhaustive]
pub struct OwnerChanged {
    /// Whose login it was.
    pub identity: String,
    /// The character.
    pub character_id: i64,
}

/// The store of tokens failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{identity}: the token store failed to {action}: {}", causes(source.as_ref()))]
#[non_exhaustive]
pub struct StoreFailed {
    /// Whose tokens.
    pub identity: String,
    /// What it was asked: `read`, `write`, `remove`, `list`.
    pub action: &'static str,
    /// The cause.
    pub source: Arc<dyn std::error::Error + Send + Sync>,
}

/// An argument that a method cannot use.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{method}: {parameter}: {reason}")]
#[non_exhaustive]
pub struct ArgumentError {
    /// The method.
    pub method: &'static str,
    /// Its parameter.
    pub parameter: &'static str,
    /// What is wrong, and what to do.
    pub reason: String,
}

fn described(description: Option<&str>) -> String {
    description.map_or_else(String::new, |text| format!(" ({text})"))
}

fn caused(source: Option<&(dyn std::error::Error + Send + Sync + 'static)>) -> String {
    source.map_or_else(String::new, |source| format!(": {}", causes(source)))
}

fn of(operation: Option<&'static Operation>) -> String {
    operation.map_or_else(String::new, |operation| format!("{}: ", operation.id))
}

fn with_scopes(scopes: &[&str]) -> String {
    match scopes {
        [] => String::new(),
        some => format!(", with {}", some.join(", ")),
    }
}

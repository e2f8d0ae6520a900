//! Whose call it is.

#[cfg(feature = "security")]
mod login;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, LazyLock};

use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::Esi;
use super::call::Asks;
use crate::error::Error;
use crate::operation::Operation;
use crate::response::RawResponse;
#[cfg(feature = "security")]
use crate::token::TokenSet;

#[cfg(feature = "security")]
pub(super) use login::check_origin;

/// Whose call it is.
pub(super) enum Principal {
    /// Nobody's: the operation needs no login.
    Anonymous,
    /// The caller brings a header of their own, and is taken at their word; whose it is, is not known, but that it is
    /// another's than that of another header.
    Own(Arc<str>),
    /// This login's.
    #[cfg(feature = "security")]
    Login(Box<login::Login>),
}

/// The token that a request carries; none where it needs none.
#[cfg(feature = "security")]
pub(super) type Token = Option<Arc<TokenSet>>;
/// Without single sign-on there are no tokens.
#[cfg(not(feature = "security"))]
pub(super) type Token = Option<Arc<std::convert::Infallible>>;

/// Decides whose call it is.
///
/// Without single sign-on, a secured call goes out with whatever header the caller gave it, or without one.
pub(super) async fn of(
    esi: &Esi,
    operation: &'static Operation,
    headers: &HeaderMap,
    asks: Asks,
) -> Result<Principal, Error> {
    if operation.security.is_empty() {
        return Ok(Principal::Anonymous);
    }
    if let Some(header) = headers.get(AUTHORIZATION) {
        return Ok(Principal::own(header));
    }
    #[cfg(feature = "security")]
    return login::of(esi, operation, asks).await;
    #[cfg(not(feature = "security"))]
    {
        let _ = (esi, asks);
        Ok(Principal::Anonymous)
    }
}

static ANONYMOUS: LazyLock<Arc<str>> = LazyLock::new(|| "".into());
/// Hashes headers with a key of this process: nothing that is made of a token leaves it.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Principal {
    fn own(header: &HeaderValue) -> Self {
        let hash = HASHER.hash_one(header.as_bytes());
        Self::Own(format!("(own {hash:016x})").into())
    }

    /// What limits are counted by.
    pub(super) fn key(&self) -> &Arc<str> {
        match self {
            Self::Anonymous => &ANONYMOUS,
            Self::Own(key) => key,
            #[cfg(feature = "security")]
            Self::Login(login) => login.key(),
        }
    }

    /// Whose data a kept answer is; none where nobody knows.
    #[cfg(feature = "cache")]
    pub(super) fn cache_key(&self) -> Option<&str> {
        match self {
            Self::Anonymous => Some(""),
            Self::Own(_) => None,
            #[cfg(feature = "security")]
            Self::Login(login) => Some(login.key()),
        }
    }

    /// A token that lasts a minute, refreshed first where the present one does not.
    pub(super) async fn token(&self, operation: &'static Operation) -> Result<Token, Error> {
        match self {
            #[cfg(feature = "security")]
            Self::Login(login) => login.token(operation).await.map(Some),
            _ => {
                let _ = operation;
                Ok(None)
            }
        }
    }

    /// Another token in place of one that was refused; none where there is none to be had.
    #[cfg(feature = "security")]
    pub(super) async fn replace(
        &self,
        operation: &'static Operation,
        refused: &TokenSet,
    ) -> Result<Token, Error> {
        match self {
            Self::Login(login) => login.replace(operation, refused).await,
            Self::Anonymous | Self::Own(_) => Ok(None),
        }
    }

    #[cfg(not(feature = "security"))]
    pub(super) async fn replace(
        &self,
        _: &'static Operation,
        _: &std::convert::Infallible,
    ) -> Result<Token, Error> {
        Ok(None)
    }
}

/// Puts the token into a request.
pub(super) fn put(token: &Token, headers: &mut HeaderMap) -> Result<(), Error> {
    #[cfg(feature = "security")]
    if let Some(token) = token {
        login::put(token, headers)?;
    }
    let _ = (token, headers);
    Ok(())
}

/// Whether ESI refused the token: 401, or 403 with the status that it got from the single sign-on. A right that is
/// missing is another 403.
pub(super) fn is_refused(answer: &RawResponse) -> bool {
    match answer.status() {
        401 => true,
        403 => serde_json::from_slice::<serde_json::Value>(answer.body())
            .is_ok_and(|body| body.get("sso_status").is_some()),
        _ => false,
    }
}

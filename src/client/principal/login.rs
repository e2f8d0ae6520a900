//! A call that needs a login, and the token that says whose. The only file that knows both operations and single
//! sign-on.

use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderMap};
use url::Url;

use super::Principal;
use crate::client::Esi;
use crate::client::call::Asks;
use crate::error::{Error, LoginNeeded, NotCached, ScopesMissing};
use crate::operation::{Operation, Security};
use crate::security::{EsiSecurity, bearer};
use crate::token::TokenSet;

/// A login that may make the call.
pub(in crate::client) struct Login {
    security: EsiSecurity,
    character: i64,
    /// Application and character: what ESI's buckets are counted by.
    key: Arc<str>,
}

/// Decides whose call it is, by what is in memory. Without a login that may make the call, this is where it ends.
pub(super) async fn of(esi: &Esi, operation: &'static Operation, asks: Asks) -> Result<Principal, Error> {
    let Some(security) = &esi.security else {
        let any = operation.security.first();
        let reason = "the client has no single sign-on: give it one by `Esi::builder().security(..)`";
        return Err(login_needed(operation, "(none)", any, reason));
    };
    let Some(requirement) = requirement(operation, security) else {
        return Ok(Principal::Anonymous);
    };
    check_origin(&esi.shared.settings.base_url, security)?;
    let token = match asks {
        // Nobody is asked, the single sign-on neither.
        Asks::Never => security
            .token()
            .filter(|token| token.verified)
            .ok_or_else(|| Error::NotCached(Box::new(NotCached { operation })))?,
        Asks::WhenStale | Asks::Always | Asks::After(_) => security
            .verified()
            .await
            .map_err(|error| about(operation, requirement, error))?,
    };
    check_scopes(operation, requirement, security, &token)?;
    let character = token.claims().map_or(0, |claims| claims.character_id);
    Ok(Principal::Login(Box::new(Login {
        security: security.clone(),
        character,
        key: format!("{}:{character}", security.client_id()).into(),
    })))
}

impl Login {
    pub(super) fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// A token that lasts a minute, for the character whose call this is.
    pub(super) async fn token(&self, operation: &'static Operation) -> Result<Arc<TokenSet>, Error> {
        let fresh = self.security.fresh().await;
        let token = fresh.map_err(|error| of_operation(operation, error))?;
        let Some(requirement) = requirement(operation, &self.security) else {
            return Ok(token);
        };
        // A refresh may have brought fewer scopes than the login had a moment ago, and a login another character.
        check_scopes(operation, requirement, &self.security, &token)?;
        if token.claims().map(|claims| claims.character_id) == Some(self.character) {
            return Ok(token);
        }
        let reason =
            "another character logged in under this identity while the call was on its way: call again";
        Err(login_needed(
            operation,
            self.security.token_identifier(),
            Some(requirement),
            reason,
        ))
    }

    /// Another token in place of one that was refused; none where there is none to be had.
    pub(super) async fn replace(
        &self,
        operation: &'static Operation,
        refused: &TokenSet,
    ) -> Result<Option<Arc<TokenSet>>, Error> {
        let other = self.security.instead_of(refused).await;
        other.map_err(|error| of_operation(operation, error))
    }
}

/// Puts a token into a request.
pub(super) fn put(token: &TokenSet, headers: &mut HeaderMap) -> Result<(), Error> {
    headers.insert(AUTHORIZATION, bearer(token)?);
    Ok(())
}

/// A token is sent to the origin that its login is for, and nowhere else.
pub(in crate::client) fn check_origin(base_url: &str, security: &EsiSecurity) -> Result<(), Error> {
    let origin = |url: &str| Url::parse(url).map(|url| url.origin());
    let (base, esi) = (origin(base_url), origin(security.esi_url()));
    if base.is_ok() && base == esi {
        return Ok(());
    }
    let reason = format!(
        "the client asks {base_url}, but tokens may be sent to {} only: give `EsiSecurity::builder().esi_url(..)` and \
         `Esi::builder().base_url(..)` the same origin",
        security.esi_url()
    );
    Err(Error::config("security", reason))
}

/// What the operation asks of this single sign-on.
fn requirement(operation: &'static Operation, security: &EsiSecurity) -> Option<&'static Security> {
    let mut all = operation.security.iter();
    all.find(|requirement| requirement.scheme == security.security_name())
}

fn check_scopes(
    operation: &'static Operation,
    requirement: &Security,
    security: &EsiSecurity,
    token: &TokenSet,
) -> Result<(), Error> {
    let granted = token.claims().map_or(&[][..], |claims| &claims.scopes);
    let has = |scope: &&str| granted.iter().any(|granted| granted.as_str() == *scope);
    let missing: Vec<_> = requirement
        .scopes
        .iter()
        .copied()
        .filter(|scope| !has(scope))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::ScopesMissing(Box::new(ScopesMissing {
        operation,
        identity: security.token_identifier().to_owned(),
        missing,
    })))
}

fn login_needed(
    operation: &'static Operation,
    identity: &str,
    requirement: Option<&Security>,
    reason: &'static str,
) -> Error {
    Error::LoginNeeded(Box::new(LoginNeeded {
        operation: Some(operation),
        identity: identity.to_owned(),
        scopes: requirement.map_or_else(Vec::new, |requirement| requirement.scopes.to_vec()),
        reason,
    }))
}

/// The same error, naming what was called.
fn about(operation: &'static Operation, requirement: &Security, error: Error) -> Error {
    match error {
        Error::LoginNeeded(needed) => {
            login_needed(operation, &needed.identity, Some(requirement), needed.reason)
        }
        other => other,
    }
}

fn of_operation(operation: &'static Operation, error: Error) -> Error {
    match operation.security.first() {
        Some(requirement) => about(operation, requirement, error),
        None => error,
    }
}

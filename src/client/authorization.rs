//! Whose call it is, and the token that says so. The only file that knows both operations and single sign-on.

use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderMap};
use url::Url;

use super::Esi;
use crate::error::{Error, LoginNeeded, ScopesMissing};
use crate::operation::{Operation, Security};
use crate::response::RawResponse;
use crate::security::{EsiSecurity, bearer};
use crate::token::TokenSet;

/// Whose call it is.
pub(super) enum Principal {
    /// Nobody's: the operation needs no login.
    Anonymous,
    /// The caller brings a header of their own, and is taken at their word.
    Own,
    /// This login's.
    Login(Box<EsiSecurity>),
}

/// Decides whose call it is, by what is in memory. Without a login that may make the call, this is where it ends.
pub(super) async fn principal(
    esi: &Esi,
    operation: &'static Operation,
    headers: &HeaderMap,
) -> Result<Principal, Error> {
    if operation.security.is_empty() {
        return Ok(Principal::Anonymous);
    }
    if headers.contains_key(AUTHORIZATION) {
        return Ok(Principal::Own);
    }
    let Some(security) = &esi.security else {
        let any = operation.security.first();
        let reason = "the client has no single sign-on: give it one by `Esi::builder().security(..)`";
        return Err(login_needed(operation, "(none)", any, reason));
    };
    let Some(requirement) = requirement(operation, security) else {
        return Ok(Principal::Anonymous);
    };
    check_origin(&esi.shared.settings.base_url, security)?;
    let token = security
        .verified()
        .await
        .map_err(|error| about(operation, requirement, error))?;
    check_scopes(operation, requirement, security, &token)?;
    Ok(Principal::Login(Box::new(security.clone())))
}

impl Principal {
    /// Puts a fresh token into the request, and returns it.
    pub(super) async fn authorize(
        &self,
        operation: &'static Operation,
        headers: &mut HeaderMap,
    ) -> Result<Option<Arc<TokenSet>>, Error> {
        let Self::Login(security) = self else {
            return Ok(None);
        };
        let fresh = security.fresh().await;
        let token = fresh.map_err(|error| of_operation(operation, error))?;
        // A refresh may have brought fewer scopes than the login had a moment ago.
        if let Some(requirement) = requirement(operation, security) {
            check_scopes(operation, requirement, security, &token)?;
        }
        headers.insert(AUTHORIZATION, bearer(&token)?);
        Ok(Some(token))
    }

    /// Another token in place of one that was refused; none where there is none to be had.
    pub(super) async fn replace(
        &self,
        operation: &'static Operation,
        refused: &TokenSet,
    ) -> Result<Option<Arc<TokenSet>>, Error> {
        let Self::Login(security) = self else {
            return Ok(None);
        };
        let other = security.instead_of(refused).await;
        other.map_err(|error| of_operation(operation, error))
    }
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

/// A token is sent to the origin that its login is for, and nowhere else.
pub(super) fn check_origin(base_url: &str, security: &EsiSecurity) -> Result<(), Error> {
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

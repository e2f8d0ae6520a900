//! Who asks, and whether they may.

use crate::contract::Operation;
use crate::http::Incoming;
use crate::parameters::Given;
use crate::refusal::Refusal;
use crate::sso::{Sso, Who};
use std::collections::BTreeSet;

/// Who sent the request. A token counts only where the operation asks for one.
pub(crate) fn who(operation: &Operation, incoming: &Incoming, sso: &Sso) -> Result<Option<Who>, Refusal> {
    if operation.scopes.is_empty() {
        return Ok(None);
    }
    let refused = |message: &str| Refusal::new(401, message).with("www-authenticate", "Bearer");
    let header = incoming
        .header("authorization")
        .ok_or_else(|| refused("authorization not provided"))?;
    let token = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| refused("authorization must be a bearer token"))?;
    sso.who(token)
        .map(Some)
        .map_err(|reason| refused(&format!("token is not valid: {reason}")))
}

/// Whether they may: scopes, whose data it is, and roles.
pub(crate) fn check(
    operation: &Operation,
    given: &Given,
    who: &Who,
    corporation: i64,
    roles: &BTreeSet<String>,
) -> Result<(), Refusal> {
    let has_all = |scopes: &Vec<String>| scopes.iter().all(|scope| who.scopes.contains(scope));
    if !operation.scopes.iter().any(has_all) {
        let wanted = operation.scopes.first().map(|scopes| scopes.join(", "));
        let message = format!("token is not valid for scope: {}", wanted.unwrap_or_default());
        return Err(Refusal::new(403, message));
    }
    // The first thing that the path names is whose data it is.
    let owner = operation.path.split('/').find(|segment| segment.starts_with('{'));
    let is_of = |name: &str| owner == Some(name);
    if is_of("{character_id}") && given.integer("character_id") != Some(who.character) {
        return Err(Refusal::new(
            403,
            "token belongs to another character than the path",
        ));
    }
    if is_of("{corporation_id}") && given.integer("corporation_id") != Some(corporation) {
        return Err(Refusal::new(403, "character does not belong to the corporation"));
    }
    if !operation.roles.is_empty() && !operation.roles.iter().any(|role| roles.contains(role)) {
        let message = format!(
            "Character does not have required role(s): {}",
            operation.roles.join(", ")
        );
        return Err(Refusal::new(403, message));
    }
    Ok(())
}

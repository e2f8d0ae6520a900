//! Security schemes, and scopes that can be told apart in Rust.

use super::{Context, members_of};
use crate::error::Result;
use crate::node::Node;
use crate::words;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Variant of `Scope` to the scope.
#[derive(Debug, Default)]
pub(super) struct Scopes(BTreeMap<String, String>);

impl Scopes {
    fn claim(&mut self, scope: &str, place: &Node<'_>) -> Result<()> {
        let variant = words::pascal(scope);
        if !variant.starts_with(|letter: char| letter.is_ascii_uppercase())
            || ["Other", "Self"].contains(&&*variant)
        {
            return Err(place.error("scope", format!("`{scope}` gives no name of a variant")));
        }
        match self.0.insert(variant, scope.to_owned()) {
            Some(other) if other != scope => {
                Err(place.error("scope", format!("`{scope}` and `{other}` would be one variant")))
            }
            _ => Ok(()),
        }
    }
}

/// The schemes with their addresses and scopes.
pub(super) fn schemes(components: Option<&Node<'_>>, scopes: &mut Scopes) -> Result<Value> {
    let mut schemes = Map::new();
    for (name, scheme) in members_of(components, "securitySchemes")? {
        let kind = scheme.text_of("type")?;
        if kind != "oauth2" {
            let message = format!("the scheme `{name}` is `{kind}`; only oauth2 is supported");
            return Err(scheme.error("security-scheme", message));
        }
        let mut flows = Map::new();
        for (flow, place) in scheme.members_of("flows")? {
            flows.insert(flow.to_owned(), flow_facts(flow, &place, scopes)?);
        }
        schemes.insert(name.to_owned(), json!({ "type": kind, "flows": flows }));
    }
    Ok(Value::Object(schemes))
}

/// The addresses that each flow needs.
const FLOWS: &[(&str, &[&str])] = &[
    ("authorizationCode", &["authorizationUrl", "tokenUrl"]),
    ("clientCredentials", &["tokenUrl"]),
    ("implicit", &["authorizationUrl"]),
    ("password", &["tokenUrl"]),
];

fn flow_facts(name: &str, flow: &Node<'_>, known: &mut Scopes) -> Result<Value> {
    let Some((_, needed)) = FLOWS.iter().find(|(known, _)| *known == name) else {
        return Err(flow.error("security-scheme", format!("`{name}` is no flow of oauth2")));
    };
    for key in *needed {
        flow.text_of(key)?;
    }
    let mut facts = Map::new();
    for key in ["authorizationUrl", "tokenUrl", "refreshUrl"] {
        if let Some(url) = flow.get(key) {
            facts.insert(key.to_owned(), json!(url.text()?));
        }
    }
    let mut scopes = Map::new();
    for (scope, place) in flow.members_of("scopes")? {
        known.claim(scope, &place)?;
        scopes.insert(scope.to_owned(), json!(""));
    }
    facts.insert("scopes".to_owned(), Value::Object(scopes));
    Ok(Value::Object(facts))
}

impl<'a> Context<'a> {
    /// What an operation requires: one of these, each with its scopes.
    pub(super) fn security(&mut self, operation: &Node<'a>) -> Result<Vec<Value>> {
        let mut requirements = Vec::new();
        for requirement in operation.items_of("security")? {
            let mut facts = Map::new();
            for (scheme, place) in requirement.members()? {
                let declared = self
                    .document
                    .pointer("/components/securitySchemes")
                    .and_then(Value::as_object);
                if !declared.is_some_and(|declared| declared.contains_key(scheme)) {
                    return Err(place.error("security-scheme", format!("no scheme `{scheme}` is declared")));
                }
                facts.insert(scheme.to_owned(), json!(self.scopes_of(&place)?));
            }
            requirements.push(Value::Object(facts));
        }
        Ok(requirements)
    }

    fn scopes_of(&mut self, place: &Node<'a>) -> Result<Vec<&'a str>> {
        let mut names = Vec::new();
        for scope in place.items()? {
            let name = scope.text()?;
            self.scopes.claim(name, &scope)?;
            names.push(name);
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}

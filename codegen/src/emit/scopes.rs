//! The security scheme that marks operations, and its scopes.

use super::{Context, rust};
use crate::document::Document;
use crate::error::{At, Error, Result};
use crate::settings::Settings;
use crate::words;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The scheme whose operations are marked: the first of `security_name` that the document declares.
pub(super) fn marked_scheme(document: &Document, settings: &Settings) -> Result<Option<String>> {
    let declared = document
        .value
        .pointer("/components/securitySchemes")
        .and_then(Value::as_object);
    let declared: Vec<&String> = declared.into_iter().flatten().map(|(name, _)| name).collect();
    let wanted = &settings.security_name;
    if wanted.is_empty() {
        return match declared[..] {
            [] => Ok(None),
            [only] => Ok(Some(only.clone())),
            _ => Err(unclear(
                "say in security_name which of these marks operations",
                &declared,
            )),
        };
    }
    match wanted.iter().find(|name| declared.contains(name)) {
        Some(name) => Ok(Some(name.clone())),
        None => Err(unclear(
            &format!("security_name is {wanted:?}, but the document declares"),
            &declared,
        )),
    }
}

fn unclear(message: &str, declared: &[&String]) -> Error {
    let at = At::root().join("components").join("securitySchemes");
    Error::new("security-name", &at, format!("{message}: {declared:?}"))
}

/// `Scope` and the constant `SECURITY_SCHEME`.
pub(super) fn module(context: &Context<'_>) -> String {
    let scheme = context.scheme.as_deref();
    let facts = scheme.and_then(|name| {
        context
            .document
            .value
            .pointer("/components/securitySchemes")?
            .get(name)
    });
    let flow = facts.and_then(|facts| facts.get("flows")?.as_object()?.values().next());
    scope_enum(&scopes(context, flow)) + &scheme_constant(scheme, flow)
}

/// The scopes that the scheme declares, and those that operations require of it.
fn scopes<'a>(context: &'a Context<'_>, flow: Option<&'a Value>) -> BTreeSet<&'a str> {
    let mut all = BTreeSet::new();
    let declared = flow.and_then(|flow| flow.get("scopes")?.as_object());
    for (scope, _) in declared.into_iter().flatten() {
        all.insert(scope.as_str());
    }
    for (name, scopes) in context
        .operations
        .iter()
        .flat_map(|operation| &operation.security)
    {
        if Some(name) == context.scheme.as_ref() {
            all.extend(scopes.iter().map(String::as_str));
        }
    }
    all
}

fn scope_enum(scopes: &BTreeSet<&str>) -> String {
    let mut out = String::from(
        "crate::open_enum! {\n    /// A permission that a login grants.\n    pub enum Scope {\n",
    );
    for scope in scopes {
        let _ = writeln!(
            out,
            "        /// `{scope}`\n        {} = {},",
            words::pascal(scope),
            rust::literal(scope)
        );
    }
    if out.ends_with(",\n") {
        out.truncate(out.len() - 2);
    }
    out.push_str(";\n        Other\n    }\n}\n\n");
    out.push_str(
        "impl Scope {\n    /// Every scope of the specification.\n    pub const ALL: &[Self] = &[\n",
    );
    for scope in scopes {
        let _ = writeln!(out, "        Self::{},", words::pascal(scope));
    }
    out.push_str("    ];\n}\n\n");
    out
}

fn scheme_constant(scheme: Option<&str>, flow: Option<&Value>) -> String {
    let url = |key: &str| match flow.and_then(|flow| flow.get(key)?.as_str()) {
        Some(url) => format!("Some({})", rust::literal(url)),
        None => "None".to_owned(),
    };
    let mut out = String::from("/// The scheme that secured operations name.\n");
    out.push_str(
        "pub const SECURITY_SCHEME: crate::operation::SecurityScheme = crate::operation::SecurityScheme {\n",
    );
    let _ = writeln!(out, "    name: {},", rust::literal(scheme.unwrap_or_default()));
    let _ = writeln!(out, "    authorization_url: {},", url("authorizationUrl"));
    let _ = writeln!(out, "    token_url: {},", url("tokenUrl"));
    out.push_str("    scopes: Scope::KNOWN,\n};\n");
    out
}

//! One form for all dialects: an OpenAPI 3.0.3 document that holds facts only, sorted.
//!
//! [`canonicalise`] is pure and idempotent: its own output comes back byte for byte. Each rule has a file of its own.

mod arrays;
mod operation;
mod parameters;
mod responses;
mod schema;
mod security;
mod text;

use crate::dialect;
use crate::error::Result;
use crate::node::Node;
use crate::settings::Settings;
use security::Scopes;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A canonical document, and what the settings had no word for.
#[derive(Debug, Clone)]
pub struct Canonical {
    /// OpenAPI 3.0.3, facts only.
    pub document: Value,
    /// What was dropped because no setting covers it, each with the entry to add to `codegen.toml`.
    pub notes: Vec<String>,
}

/// Brings a document of any dialect into the canonical form.
///
/// # Errors
/// The document breaks a rule; the error names pointer, operation and rule.
pub fn canonicalise(raw: &Value, settings: &Settings) -> Result<Canonical> {
    let raw = dialect::to_openapi3(raw)?;
    let root = Node::root(&raw);
    let mut context = Context {
        document: &raw,
        settings,
        operation_names: BTreeMap::new(),
        scopes: Scopes::default(),
        notes: Vec::new(),
    };

    let mut schemas = Map::new();
    let components = root.get("components");
    let security_schemes = security::schemes(components.as_ref(), &mut context.scopes)?;
    for (name, schema) in members_of(components.as_ref(), "schemas")? {
        schema::check_name(name, &schema)?;
        schemas.insert(name.to_owned(), schema::facts(&schema, &raw)?);
    }
    let mut paths = Map::new();
    for (path, item) in root.need("paths")?.members()? {
        paths.insert(path.to_owned(), context.path_item(path, &item)?);
    }
    let mut document = json!({
        "openapi": "3.0.3",
        "info": { "title": "ESI", "version": root.need("info")?.text_of("version")? },
        "servers": servers(&root)?,
        "tags": tags(&paths),
        "components": {
            "schemas": schemas,
            "parameters": lifted(components.as_ref(), &raw, settings)?,
            "securitySchemes": security_schemes,
        },
        "paths": paths,
    });
    arrays::inline(&mut document)?;
    text::check(&document)?;
    context.notes.sort();
    context.notes.dedup();
    Ok(Canonical {
        document,
        notes: context.notes,
    })
}

/// What the rules for operations share.
struct Context<'a> {
    document: &'a Value,
    settings: &'a Settings,
    /// Name in Rust (method, constant or marker) to the `operationId` that has it.
    operation_names: BTreeMap<String, String>,
    scopes: Scopes,
    notes: Vec<String>,
}

fn members_of<'a>(parent: Option<&Node<'a>>, key: &str) -> Result<Vec<(&'a str, Node<'a>)>> {
    parent.map_or_else(|| Ok(Vec::new()), |parent| parent.members_of(key))
}

fn servers(root: &Node<'_>) -> Result<Value> {
    let mut servers = Vec::new();
    for server in root.items_of("servers")? {
        servers.push(json!({ "url": server.text_of("url")? }));
    }
    Ok(Value::Array(servers))
}

/// The tags that operations have, sorted; what the document lists besides has no meaning here.
fn tags(paths: &Map<String, Value>) -> Value {
    let operations = paths.values().filter_map(Value::as_object).flat_map(Map::values);
    let mut names: Vec<&str> = operations
        .filter_map(|operation| operation.pointer("/tags/0")?.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| json!({ "name": name })).collect()
}

/// The parameters that became settings of the client, kept for their facts (languages, tenant, compatibility date).
fn lifted(components: Option<&Node<'_>>, document: &Value, settings: &Settings) -> Result<Value> {
    let mut kept = Map::new();
    for (name, parameter) in members_of(components, "parameters")? {
        if parameters::is_lifted(&parameter, settings)? {
            kept.insert(name.to_owned(), parameters::facts(&parameter, document)?);
        }
    }
    Ok(Value::Object(kept))
}

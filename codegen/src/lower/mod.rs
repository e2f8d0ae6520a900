//! From facts to what `progenitor` is given: every type has a name of its own, and nothing stands in a schema that would
//! make a decoder refuse what ESI sends (bounds, lengths, `uniqueItems`).

mod finite;
mod names;
mod parameters;
mod schemas;
#[cfg(test)]
mod tests;

use crate::document::{Document, Operation};
use crate::error::Result;
use crate::settings::Settings;
pub(crate) use names::Names;
use schemas::Lowering;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The document for `progenitor`, and what it could not carry.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) document: Value,
    /// Type name to the canonical schema that it came from, or came out of.
    pub(crate) origins: BTreeMap<String, String>,
    /// Settings that a new document asks for, each with the entry to add.
    pub(crate) notes: Vec<String>,
}

/// Makes the document that `progenitor` generates from.
pub(crate) fn lower(
    document: &Document,
    operations: &[Operation],
    settings: &Settings,
    names: Names,
) -> Result<Lowered> {
    let mut lowering = Lowering::new(document, settings, names);
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let item = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        item[operation.method.as_str()] = lowering.operation(operation)?;
    }
    lowering.finish_components()?;
    Ok(Lowered {
        document: json!({
            "openapi": "3.0.3",
            "info": { "title": "ESI", "version": "0" },
            "paths": paths,
            "components": { "schemas": lowering.lowered },
        }),
        origins: lowering.origins,
        notes: lowering.notes,
    })
}

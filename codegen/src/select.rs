//! Selection: the operations of the wanted tags, and the schemas that they reach.

use crate::document::Document;
use crate::words;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Which operations are generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All of them.
    Everything,
    /// Those whose tag is one of these features (see [`feature`]).
    Features(BTreeSet<String>),
}

/// The Cargo feature of a tag: `Faction Warfare` gives `faction-warfare`.
///
/// ```
/// assert_eq!(esikit_codegen::select::feature("Faction Warfare"), "faction-warfare");
/// ```
pub fn feature(tag: &str) -> String {
    words::snake(tag).replace('_', "-")
}

/// The document cut down to the selected operations and the schemas they reach.
pub fn select(document: &Document, selection: &Selection) -> Document {
    let mut value = document.value.clone();
    if let (Selection::Features(features), Some(paths)) = (
        selection,
        value.pointer_mut("/paths").and_then(Value::as_object_mut),
    ) {
        for item in paths.values_mut().filter_map(Value::as_object_mut) {
            item.retain(|_, operation| {
                let tag = operation.pointer("/tags/0").and_then(Value::as_str);
                tag.is_some_and(|tag| features.contains(&feature(tag)))
            });
        }
        paths.retain(|_, item| item.as_object().is_some_and(|item| !item.is_empty()));
    }
    let reached = reached(&value);
    if let Some(schemas) = value
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    {
        schemas.retain(|name, _| reached.contains(name));
    }
    Document {
        value,
        notes: document.notes.clone(),
    }
}

/// Names of the schemas that the operations refer to, directly or through others.
fn reached(document: &Value) -> BTreeSet<String> {
    let empty = Map::new();
    let schemas = document
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let mut reached = BTreeSet::new();
    let mut waiting = Vec::new();
    references(&document["paths"], &mut waiting);
    while let Some(name) = waiting.pop() {
        if let Some(schema) = schemas.get(&name)
            && reached.insert(name)
        {
            references(schema, &mut waiting);
        }
    }
    reached
}

/// The component schemas named in `value`, appended to `names`.
pub(crate) fn references(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        Value::Object(members) => {
            let target = members.get("$ref").and_then(Value::as_str);
            names.extend(
                target
                    .and_then(|target| target.rsplit('/').next())
                    .map(str::to_owned),
            );
            members.values().for_each(|member| references(member, names));
        }
        _ => {}
    }
}

//! Which schemas have values that end: a schema that requires itself has none, and no type for it could be built.

use crate::document::Document;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PREFIX: &str = "#/components/schemas/";

/// Each schema that ends, with its rank: a value of it needs only values of lower ranks.
#[derive(Debug)]
pub(super) struct Finite(BTreeMap<String, usize>);

impl Finite {
    pub(super) fn of(document: &Document) -> Self {
        let schemas = document
            .value
            .pointer("/components/schemas")
            .and_then(Value::as_object);
        let mut finite = Self(BTreeMap::new());
        for round in 1.. {
            let unknown = schemas
                .into_iter()
                .flatten()
                .filter(|(name, _)| !finite.has(name));
            let new: Vec<String> = unknown
                .filter(|(_, schema)| finite.rank(schema) != NEVER)
                .map(|(name, _)| name.clone())
                .collect();
            if new.is_empty() {
                break;
            }
            finite.0.extend(new.into_iter().map(|name| (name, round)));
        }
        finite
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The highest rank that every value needs.
    pub(super) fn rank(&self, schema: &Value) -> usize {
        if schema.get("nullable") == Some(&json!(true)) {
            return 0;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return target
                .strip_prefix(PREFIX)
                .and_then(|name| self.0.get(name))
                .copied()
                .unwrap_or(NEVER);
        }
        if let Some(only) = schema.pointer("/allOf/0") {
            return self.rank(only);
        }
        if let Some(alternatives) = schema.get("oneOf").and_then(Value::as_array) {
            return alternatives
                .iter()
                .map(|alternative| self.rank(alternative))
                .min()
                .unwrap_or(NEVER);
        }
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let properties = required.filter_map(|name| schema.get("properties")?.get(name.as_str()?));
        properties.map(|property| self.rank(property)).max().unwrap_or(0)
    }
}

/// The rank of what has no end.
const NEVER: usize = usize::MAX;

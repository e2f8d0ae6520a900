//! Bounds of what a caller sends, checked before sending. Those of answers are ignored: ESI is looser than it says.

use super::rust;
use crate::document::{Document, Operation};
use serde_json::Value;

/// Beyond this depth a recursive body is not walked.
const DEPTH: usize = 8;

/// The bounds of an operation's parameters and body, each as an expression.
pub(super) fn of(document: &Document, operation: &Operation) -> Vec<String> {
    let mut bounds = Vec::new();
    for parameter in &operation.parameters {
        walk(document, &parameter.schema, &parameter.name, 0, &mut bounds);
    }
    if let Some(body) = &operation.body {
        walk(document, &body.schema, "body", 0, &mut bounds);
    }
    bounds
}

fn walk(document: &Document, schema: &Value, place: &str, depth: usize, bounds: &mut Vec<String>) {
    if depth > DEPTH {
        return;
    }
    let target = schema
        .get("$ref")
        .or_else(|| schema.pointer("/allOf/0/$ref"))
        .and_then(Value::as_str);
    if let Some(schema) = target.and_then(|target| document.schema(target.rsplit('/').next()?)) {
        return walk(document, schema, place, depth + 1, bounds);
    }
    let rules = [
        ("minimum", "Minimum"),
        ("maximum", "Maximum"),
        ("minLength", "MinLength"),
        ("maxLength", "MaxLength"),
        ("minItems", "MinItems"),
        ("maxItems", "MaxItems"),
    ];
    for (keyword, rule) in rules {
        let Some(limit) = schema.get(keyword) else {
            continue;
        };
        let limit = if keyword.ends_with("imum") {
            limit.as_f64().map(|limit| format!("{limit:?}"))
        } else {
            limit.as_u64().map(|limit| limit.to_string())
        };
        if let Some(limit) = limit {
            bounds.push(format!(
                "Bound::new({}, Rule::{rule}({limit}))",
                rust::literal(place)
            ));
        }
    }
    if let Some(items) = schema.get("items") {
        walk(document, items, &format!("{place}[]"), depth + 1, bounds);
    }
    for (property, schema) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        walk(
            document,
            schema,
            &format!("{place}.{property}"),
            depth + 1,
            bounds,
        );
    }
}

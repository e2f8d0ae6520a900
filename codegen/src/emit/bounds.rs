//! Bounds of what a caller sends, checked before sending. Those of answers are ignored: ESI is looser than it says.

use super::rust;
use crate::components;
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
    let target = components::target(schema)
        .or_else(|| schema.pointer("/allOf/0").and_then(components::target))
        .and_then(|target| document.schema(target));
    if let Some(schema) = target {
        return walk(document, schema, place, depth + 1, bounds);
    }
    let at = rust::literal(place);
    let own = rules(schema).map(|rule| format!("Bound::new({at}, Rule::{rule})"));
    bounds.extend(own);
    if let Some(items) = schema.get("items") {
        walk(document, items, &format!("{place}[]"), depth + 1, bounds);
    }
    // Each alternative has a property of its own, and what is not sent has no bound to break.
    let alternatives = schema.get("oneOf").and_then(Value::as_array);
    for alternative in alternatives.into_iter().flatten() {
        walk(document, alternative, place, depth + 1, bounds);
    }
    // The keys of a map are not known, so its values are not walked.
    let properties = schema.get("properties").and_then(Value::as_object);
    for (property, schema) in properties.into_iter().flatten() {
        if can_stand_in_path(property) {
            let place = format!("{place}.{property}");
            walk(document, schema, &place, depth + 1, bounds);
        }
    }
}

/// The rules of one schema, each as an expression.
fn rules(schema: &Value) -> impl Iterator<Item = String> {
    let numbers = [
        ("minimum", "exclusiveMinimum", "Minimum", "Above"),
        ("maximum", "exclusiveMaximum", "Maximum", "Below"),
    ];
    let numbers = numbers
        .into_iter()
        .filter_map(|(keyword, flag, inclusive, exclusive)| {
            let limit = schema.get(keyword)?.as_f64()?;
            let is_exclusive = schema.get(flag) == Some(&Value::Bool(true));
            let rule = if is_exclusive { exclusive } else { inclusive };
            Some(format!("{rule}({limit:?})"))
        });
    let counts = [
        ("minLength", "MinLength"),
        ("maxLength", "MaxLength"),
        ("minItems", "MinItems"),
        ("maxItems", "MaxItems"),
    ];
    // Counts that the runtime cannot hold are greatest ones, and nothing that long is ever sent.
    let counts = counts.into_iter().filter_map(|(keyword, rule)| {
        let limit = u32::try_from(schema.get(keyword)?.as_u64()?).ok()?;
        Some(format!("{rule}({limit})"))
    });
    numbers.chain(counts)
}

/// Whether the runtime finds the property by a path: dots and brackets part the steps of one.
fn can_stand_in_path(property: &str) -> bool {
    !property.contains(['.', '['])
}

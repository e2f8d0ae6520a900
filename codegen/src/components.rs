//! Components: schemas that have a name, and how others refer to them.

use crate::error::At;
use serde_json::{Value, json};

const PREFIX: &str = "#/components/schemas/";

/// A reference to a component.
pub(crate) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("{PREFIX}{name}") })
}

/// The component that a schema is only a reference to.
pub(crate) fn target(schema: &Value) -> Option<&str> {
    name_in(schema.get("$ref")?.as_str()?)
}

/// The component that the text of a reference leads to.
pub(crate) fn name_in(reference: &str) -> Option<&str> {
    reference.strip_prefix(PREFIX)
}

/// The place of a component.
pub(crate) fn at(name: &str) -> At {
    At::root().join("components").join("schemas").join(name)
}

/// Objects, choices and enums of strings get types of their own.
pub(crate) fn is_named_thing(schema: &Value) -> bool {
    schema.get("properties").is_some() || schema.get("oneOf").is_some() || string_enum(schema).is_some()
}

/// The values of an enum of strings; dates and numbers with a list of values stay what they are.
pub(crate) fn string_enum(schema: &Value) -> Option<Vec<&str>> {
    if schema.get("format").is_some() || schema.get("type") != Some(&json!("string")) {
        return None;
    }
    schema
        .get("enum")?
        .as_array()?
        .iter()
        .map(Value::as_str)
        .collect()
}

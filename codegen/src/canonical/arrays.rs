//! Array schemas have no name of their own: `Vec<Item>` stands where they were referred to.

use crate::error::{At, Error, Result};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const PREFIX: &str = "#/components/schemas/";

/// Replaces references to array schemas by the arrays, whose object items become schemas named `...Item`.
pub(super) fn inline(document: &mut Value) -> Result<()> {
    let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    else {
        return Ok(());
    };
    let (arrays, kept): (Map<String, Value>, Map<String, Value>) = std::mem::take(schemas)
        .into_iter()
        .partition(|(_, schema)| schema.get("type") == Some(&json!("array")));
    *schemas = kept;
    let mut inlined = BTreeMap::new();
    for (name, mut array) in arrays {
        if is_named_thing(&array["items"]) {
            let item = free_name(schemas, &format!("{name}Item"));
            schemas.insert(item.clone(), array["items"].take());
            array["items"] = json!({ "$ref": format!("{PREFIX}{item}") });
        }
        inlined.insert(name, array);
    }
    take_aliases(schemas, &mut inlined);
    let mut trail = Vec::new();
    substitute(document, &inlined, &mut trail)
}

/// A schema that only refers to an array is that array.
fn take_aliases(schemas: &mut Map<String, Value>, arrays: &mut BTreeMap<String, Value>) {
    loop {
        let aliases: Vec<_> = schemas
            .iter()
            .filter_map(|(name, schema)| Some((name.clone(), array_at(schema, arrays)?.1)))
            .collect();
        if aliases.is_empty() {
            return;
        }
        for (name, array) in aliases {
            schemas.remove(&name);
            arrays.insert(name, array);
        }
    }
}

/// Objects, choices and enums get types of their own.
fn is_named_thing(schema: &Value) -> bool {
    schema.get("properties").is_some() || schema.get("oneOf").is_some() || schema.get("enum").is_some()
}

fn free_name(taken: &Map<String, Value>, wish: &str) -> String {
    let mut name = wish.to_owned();
    let mut number = 2;
    while taken.contains_key(&name) {
        name = format!("{wish}{number}");
        number += 1;
    }
    name
}

/// The name of the array that a reference leads to, and the array as it stands there: null may be allowed beside it.
fn array_at(value: &Value, arrays: &BTreeMap<String, Value>) -> Option<(String, Value)> {
    let reference = value.get("$ref").or_else(|| value.pointer("/allOf/0/$ref"))?;
    let (name, array) = arrays.get_key_value(reference.as_str()?.strip_prefix(PREFIX)?)?;
    let mut array = array.clone();
    if value.get("nullable") == Some(&json!(true)) {
        array["nullable"] = json!(true);
    }
    Some((name.clone(), array))
}

fn substitute(value: &mut Value, arrays: &BTreeMap<String, Value>, trail: &mut Vec<String>) -> Result<()> {
    if let Some((name, array)) = array_at(value, arrays) {
        if trail.contains(&name) {
            let at = At::root().join("components").join("schemas").join(name);
            return Err(Error::new(
                "cycle",
                &at,
                "an array that contains itself has no end",
            ));
        }
        trail.push(name);
        *value = array;
        substitute(value, arrays, trail)?;
        trail.pop();
        return Ok(());
    }
    match value {
        Value::Array(items) => items
            .iter_mut()
            .try_for_each(|item| substitute(item, arrays, trail)),
        Value::Object(members) => members
            .values_mut()
            .try_for_each(|member| substitute(member, arrays, trail)),
        _ => Ok(()),
    }
}

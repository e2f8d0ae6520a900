//! Text that ends up in source, between quotes or behind `///`: no letter in it may break a line or turn its direction.

use crate::error::{At, Error, Result};
use serde_json::Value;

/// Checks every key and every text of a canonical document.
pub(super) fn check(document: &Value) -> Result<()> {
    walk(document, &At::root())
}

fn walk(value: &Value, at: &At) -> Result<()> {
    let id = value.get("operationId").and_then(Value::as_str);
    let at = &id.map_or_else(|| at.clone(), |id| at.clone().in_operation(id));
    match value {
        Value::String(text) => refuse(text, at),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| walk(item, &at.join(index))),
        Value::Object(members) => members.iter().try_for_each(|(key, member)| {
            refuse(key, &at.join(key))?;
            // These two say what a value is, and no source shows them.
            if matches!(key.as_str(), "default" | "pattern") {
                Ok(())
            } else {
                walk(member, &at.join(key))
            }
        }),
        _ => Ok(()),
    }
}

fn refuse(text: &str, at: &At) -> Result<()> {
    let turns = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match text.chars().find(|letter| letter.is_control() || turns(*letter)) {
        Some(letter) => Err(Error::new(
            "text",
            at,
            format!("the letter {letter:?} cannot stand in a name or value"),
        )),
        None => Ok(()),
    }
}

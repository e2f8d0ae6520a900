//! What a URL can carry: texts, numbers, flags and enums, and in the query lists of these.

use crate::document::{Document, Parameter};
use crate::error::{At, Error, Result};
use serde_json::{Value, json};

/// References that are followed before giving up.
const FOLLOWED: usize = 32;

/// Refuses a parameter that cannot be written into a URL.
pub(super) fn check(document: &Document, parameter: &Parameter, at: &At) -> Result<()> {
    let found = Found::of(document, &parameter.schema);
    let fits = match found.schema.get("items") {
        Some(items) if !parameter.in_path => Found::of(document, items).is_plain(),
        _ => found.is_scalar() && !(parameter.in_path && found.nullable),
    };
    if fits {
        return Ok(());
    }
    let message = if parameter.in_path {
        format!(
            "`{}` must be a text, a number, a flag or an enum to stand in a path",
            parameter.name
        )
    } else {
        format!(
            "`{}` must be a text, a number, a flag or an enum, or a list of these",
            parameter.name
        )
    };
    Err(Error::new("parameter", at, message))
}

/// A schema behind all references.
struct Found<'a> {
    schema: &'a Value,
    nullable: bool,
}

impl<'a> Found<'a> {
    fn of(document: &'a Document, schema: &'a Value) -> Self {
        let mut found = Self {
            schema,
            nullable: false,
        };
        for _ in 0..FOLLOWED {
            found.nullable |= found.schema.get("nullable") == Some(&json!(true));
            let target = found
                .schema
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|target| target.rsplit('/').next());
            match (
                found.schema.pointer("/allOf/0"),
                target.and_then(|target| document.schema(target)),
            ) {
                (Some(next), _) | (None, Some(next)) => found.schema = next,
                (None, None) => break,
            }
        }
        found
    }

    fn is_scalar(&self) -> bool {
        let kind = self.schema.get("type").and_then(Value::as_str);
        matches!(kind, Some("boolean" | "integer" | "number" | "string"))
    }

    fn is_plain(&self) -> bool {
        self.is_scalar() && !self.nullable
    }
}

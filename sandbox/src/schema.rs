//! Schemas of the specification: what they refer to, and whether a value satisfies one.

use crate::contract::members;
use crate::error::Error;
use chrono::{DateTime, NaiveDate};
use esikit_codegen::settings::{Ids, Settings};
use serde_json::Value;

/// The named schemas, and which of them are ids of what.
#[derive(Debug)]
pub(crate) struct Schemas {
    components: Value,
    ids: Ids,
}

/// What is wrong at one place of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    /// Like `body.recipients[0].recipient_id`.
    pub(crate) place: String,
    pub(crate) message: String,
    pub(crate) value: Value,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

/// References may lead round in a circle; no schema of ESI is nested nearly as deep.
const DEEPEST: usize = 64;

impl Schemas {
    pub(crate) fn new(root: &Value, settings: &Settings) -> Self {
        let components = root.pointer("/components/schemas").cloned();
        Self {
            components: components.unwrap_or_default(),
            ids: settings.ids.clone(),
        }
    }

    /// The schema itself, where this refers to one, and the name of the last one referred to.
    pub(crate) fn resolved<'a>(&'a self, schema: &'a Value) -> (&'a Value, Option<&'a str>) {
        let (mut schema, mut name) = (schema, None);
        for _ in 0..DEEPEST {
            let reference = schema.get("$ref").and_then(Value::as_str);
            let target = reference
                .and_then(|reference| reference.strip_prefix("#/components/schemas/"))
                .and_then(|name| Some((self.components.get(name)?, name)));
            if let Some((target, target_name)) = target {
                (schema, name) = (target, Some(target_name));
            } else if let Some(only) = schema.pointer("/allOf/0") {
                schema = only;
            } else {
                break;
            }
        }
        (schema, name)
    }

    /// What an integer or a text identifies: `Schema.property` goes first, then the schema referred to, then the name.
    pub(crate) fn id_kind(&self, owner: &str, name: &str, referred: Option<&str>) -> Option<&str> {
        let exact = self.ids.properties.get(&format!("{owner}.{name}"));
        exact
            .or_else(|| self.ids.schemas.get(referred?))
            .or_else(|| self.ids.properties.get(name))
            .map(String::as_str)
    }

    /// Refuses what values cannot be made for.
    pub(crate) fn check_served(&self, schema: &Value, place: &str) -> Result<(), Error> {
        self.check_served_at(schema, place, 0)
    }

    fn check_served_at(&self, schema: &Value, place: &str, depth: usize) -> Result<(), Error> {
        let unserved = |reason: &str| Error::Unserved {
            place: place.to_owned(),
            reason: reason.to_owned(),
        };
        if depth > DEEPEST {
            return Err(unserved("its answer contains itself, so it has no end"));
        }
        let (schema, _) = self.resolved(schema);
        if schema.get("pattern").is_some() {
            return Err(unserved(
                "a text with a `pattern` stands in its answer; no text can be made for it",
            ));
        }
        if schema.get("multipleOf").is_some() {
            return Err(unserved("a number with `multipleOf` stands in its answer"));
        }
        let properties = members(schema.get("properties")).map(|(_, property)| property);
        let rest = ["items", "additionalProperties"]
            .iter()
            .filter_map(|key| schema.get(key));
        let branches = schema.get("oneOf").and_then(Value::as_array);
        properties
            .chain(rest)
            .chain(branches.into_iter().flatten())
            .try_for_each(|below| self.check_served_at(below, place, depth + 1))
    }

    /// What of `value` is not as `schema` says; empty when all is.
    pub(crate) fn faults(&self, schema: &Value, value: &Value, place: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.check(schema, value, place, &mut faults);
        faults
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, faults: &mut Vec<Fault>) {
        let nullable = schema.get("nullable") == Some(&Value::Bool(true));
        let (schema, _) = self.resolved(schema);
        if value.is_null() && (nullable || schema.get("nullable") == Some(&Value::Bool(true))) {
            return;
        }
        let before = faults.len();
        let mut fault = |message: String| {
            faults.push(Fault {
                place: place.to_owned(),
                message,
                value: value.clone(),
            });
        };
        if let Some(branches) = schema.get("oneOf").and_then(Value::as_array) {
            let fitting = branches
                .iter()
                .filter(|branch| self.faults(branch, value, place).is_empty());
            match fitting.count() {
                1 => {}
                count => fault(format!("one alternative must fit, and {count} do")),
            }
            return;
        }
        if let Some(kind) = schema.get("type").and_then(Value::as_str)
            && !is_of_kind(kind, value)
        {
            fault(format!("expected {kind}"));
            return;
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array)
            && !values.contains(value)
        {
            fault(format!("expected one of {}", listed(values)));
        }
        match value {
            Value::String(text) => text_faults(schema, text, &mut fault),
            Value::Number(number) => {
                number_faults(schema, number.as_f64().unwrap_or(f64::NAN), value, &mut fault)
            }
            Value::Array(items) => count_faults(schema, ["minItems", "maxItems"], items.len(), &mut fault),
            Value::Object(object) => {
                count_faults(
                    schema,
                    ["minProperties", "maxProperties"],
                    object.len(),
                    &mut fault,
                );
            }
            _ => {}
        }
        if faults.len() == before {
            self.check_below(schema, value, place, faults);
        }
    }

    /// Items of a list, members of an object.
    fn check_below(&self, schema: &Value, value: &Value, place: &str, faults: &mut Vec<Fault>) {
        if let Value::Array(items) = value {
            for (index, item) in items.iter().enumerate() {
                let place = format!("{place}[{index}]");
                if schema.get("uniqueItems") == Some(&Value::Bool(true)) && items[..index].contains(item) {
                    faults.push(Fault {
                        place: place.clone(),
                        message: "stands in the list twice".to_owned(),
                        value: item.clone(),
                    });
                }
                if let Some(schema) = schema.get("items") {
                    self.check(schema, item, &place, faults);
                }
            }
        }
        let Value::Object(object) = value else { return };
        for name in crate::contract::texts(schema.get("required")) {
            if !object.contains_key(&name) {
                faults.push(Fault {
                    place: format!("{place}.{name}"),
                    message: "expected required property to be present".to_owned(),
                    value: Value::Null,
                });
            }
        }
        for (name, member) in object {
            let place = format!("{place}.{name}");
            let property = schema
                .get("properties")
                .and_then(|properties| properties.get(name));
            match (property, schema.get("additionalProperties")) {
                (Some(property), _) => self.check(property, member, &place, faults),
                (None, Some(Value::Bool(false))) => faults.push(Fault {
                    place,
                    message: "unexpected property".to_owned(),
                    value: member.clone(),
                }),
                (None, Some(additional)) if additional.is_object() => {
                    self.check(additional, member, &place, faults);
                }
                _ => {}
            }
        }
    }
}

fn is_of_kind(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn text_faults(schema: &Value, text: &str, fault: &mut impl FnMut(String)) {
    count_faults(schema, ["minLength", "maxLength"], text.chars().count(), fault);
    let fits = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => DateTime::parse_from_rfc3339(text).is_ok(),
        Some("date") => is_date(text),
        Some("uuid") => is_uuid(text),
        _ => true,
    };
    if !fits {
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        fault(format!("expected the format {format}"));
    }
}

/// Whether the text is a day, as `2026-08-18`.
pub(crate) fn is_date(text: &str) -> bool {
    text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && parts
            .iter()
            .all(|part| part.chars().all(|letter| letter.is_ascii_hexdigit()))
}

fn number_faults(schema: &Value, number: f64, value: &Value, fault: &mut impl FnMut(String)) {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let exclusive = |key: &str| schema.get(key) == Some(&Value::Bool(true));
    if let Some(least) = bound("minimum")
        && (number < least || number == least && exclusive("exclusiveMinimum"))
    {
        fault(format!("expected number >= {least}"));
    }
    if let Some(most) = bound("maximum")
        && (number > most || number == most && exclusive("exclusiveMaximum"))
    {
        fault(format!("expected number <= {most}"));
    }
    let fits = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Some("int64") => value.is_i64(),
        _ => true,
    };
    if !fits {
        fault("expected a number that fits its format".to_owned());
    }
}

fn count_faults(schema: &Value, [least, most]: [&str; 2], count: usize, fault: &mut impl FnMut(String)) {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
    if bound(least).is_some_and(|least| (count as u64) < least) {
        fault(format!(
            "expected {least} {}, and there are {count}",
            bound(least).unwrap_or_default()
        ));
    }
    if bound(most).is_some_and(|most| (count as u64) > most) {
        fault(format!(
            "expected {most} {}, and there are {count}",
            bound(most).unwrap_or_default()
        ));
    }
}

fn listed(values: &[Value]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    values.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn messages(schema: &Value, value: &Value) -> Vec<String> {
        let components = json!({ "components": { "schemas": {
            "Name": { "type": "string", "minLength": 2, "maxLength": 4 },
            "Choice": { "oneOf": [
                { "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"],
                  "additionalProperties": false },
                { "type": "object", "properties": { "b": {} }, "required": ["b"], "additionalProperties": false },
            ] },
        } } });
        let schemas = Schemas::new(&components, &Settings::default());
        let faults = schemas.faults(schema, value, "body");
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_keyword_refuses_what_breaks_it() {
        let object = json!({ "type": "object", "required": ["a"], "additionalProperties": false,
            "properties": { "a": { "type": "integer" } } });
        let name = json!({ "$ref": "#/components/schemas/Name" });
        let choice = json!({ "$ref": "#/components/schemas/Choice" });
        let cases = [
            (json!({ "type": "integer" }), json!("1"), "body: expected integer"),
            (json!({ "type": "integer" }), json!(1.5), "body: expected integer"),
            (
                json!({ "type": "integer", "format": "int32" }),
                json!(1_i64 << 31),
                "fits its format",
            ),
            (
                json!({ "type": "integer", "format": "int64" }),
                json!(u64::MAX),
                "fits its format",
            ),
            (json!({ "type": "number", "minimum": 1 }), json!(0.5), ">= 1"),
            (
                json!({ "type": "number", "maximum": 1, "exclusiveMaximum": true }),
                json!(1),
                "<= 1",
            ),
            (
                json!({ "type": "string", "enum": ["a", "b"] }),
                json!("c"),
                r#"one of "a", "b""#,
            ),
            (
                json!({ "type": "string", "format": "date-time" }),
                json!("2026-01-01"),
                "format date-time",
            ),
            (
                json!({ "type": "string", "format": "date" }),
                json!("2026-02-30"),
                "format date",
            ),
            (
                json!({ "type": "string", "format": "uuid" }),
                json!("1-2-3-4-5"),
                "format uuid",
            ),
            (
                json!({ "type": "array", "items": {}, "maxItems": 1 }),
                json!([1, 2]),
                "maxItems 1",
            ),
            (
                json!({ "type": "array", "items": {}, "minItems": 1 }),
                json!([]),
                "minItems 1",
            ),
            (
                json!({ "type": "array", "items": {}, "uniqueItems": true }),
                json!([1, 1]),
                "body[1]: stands",
            ),
            (
                json!({ "type": "array", "items": { "type": "string" } }),
                json!(["a", 1]),
                "body[1]: expected string",
            ),
            (object.clone(), json!({}), "body.a: expected required"),
            (object, json!({ "a": 1, "b": 2 }), "body.b: unexpected"),
            (name.clone(), json!("a"), "minLength 2"),
            (name, json!("abcde"), "maxLength 4"),
            (choice.clone(), json!({ "a": "x" }), "and 0 do"),
            (choice, json!({ "a": 1, "b": 1 }), "and 0 do"),
            (json!({ "type": "string" }), Value::Null, "expected string"),
        ];
        for (schema, value, expected) in cases {
            let messages = messages(&schema, &value);
            assert_eq!(messages.len(), 1, "{schema} {value}: {messages:?}");
            assert!(messages[0].contains(expected), "{schema} {value}: {messages:?}");
        }
    }

    #[test]
    fn what_fits_has_no_fault() {
        let cases = [
            (
                json!({ "$ref": "#/components/schemas/Choice" }),
                json!({ "a": 1 }),
            ),
            (json!({ "type": "string", "nullable": true }), Value::Null),
            (
                json!({ "allOf": [{ "$ref": "#/components/schemas/Name" }], "nullable": true }),
                Value::Null,
            ),
            (json!({ "type": "string", "format": "date" }), json!("2026-02-28")),
            (
                json!({ "type": "string", "format": "date-time" }),
                json!("2026-02-28T10:00:00Z"),
            ),
            (json!({ "type": "number" }), json!(1)),
            (json!({}), json!({ "anything": [1, "a", null] })),
        ];
        for (schema, value) in cases {
            assert_eq!(
                messages(&schema, &value),
                Vec::<String>::new(),
                "{schema} {value}"
            );
        }
    }

    #[test]
    fn a_schema_that_contains_itself_is_refused() {
        let root = json!({ "components": { "schemas": { "Tree": { "type": "array",
            "items": { "$ref": "#/components/schemas/Tree" } } } } });
        let schemas = Schemas::new(&root, &Settings::default());
        let tree = json!({ "$ref": "#/components/schemas/Tree" });
        let message = schemas.check_served(&tree, "GetTree").unwrap_err().to_string();
        assert!(
            message.contains("GetTree: its answer contains itself"),
            "{message}"
        );
    }

    #[test]
    fn a_text_of_a_pattern_is_refused_wherever_it_stands() {
        let schemas = Schemas::new(&json!({}), &Settings::default());
        let coded = json!({ "type": "string", "pattern": "^a+$" });
        for schema in [
            coded.clone(),
            json!({ "type": "array", "items": coded }),
            json!({ "type": "object", "properties": { "code": coded } }),
            json!({ "type": "object", "additionalProperties": coded }),
            json!({ "oneOf": [{ "type": "object", "properties": { "code": coded } }] }),
        ] {
            let message = schemas.check_served(&schema, "GetCode").unwrap_err().to_string();
            assert!(message.contains("GetCode: a text with a `pattern`"), "{message}");
        }
    }
}

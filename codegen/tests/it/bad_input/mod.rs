//! Input that is wrong, or only odd: it builds, or an error says where and by which rule.

mod cycles;
mod documents;
mod enums;
mod names;
mod operations;
mod parameters;
mod schemas;
mod settings;

use crate::source::{Model, runtime_functions};
use crate::support::{self, LIST, SHIP, harbour, harbour_with, operation, put, ship_with};
use esikit_codegen::document::Document;
use esikit_codegen::settings::Settings;
use serde_json::{Value, json};

use Expected::{Builds, Fails};

/// What is to become of a document.
enum Expected {
    /// Source comes out, and its names hold together.
    Builds,
    /// An error comes out: its rule, a part of its pointer, its operation.
    Fails(&'static str, &'static str, Option<&'static str>),
}

type Case = (&'static str, Value, Expected);

fn check(cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for (name, document, expected) in cases {
        if let Err(problem) = outcome(&document, &expected) {
            wrong.push(format!("{name}: {problem}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn outcome(document: &Value, expected: &Expected) -> Result<(), String> {
    match (support::source(document), expected) {
        (Ok(source), Builds) => match Model::of(&source).faults() {
            [] => Ok(()),
            faults => Err(format!("it builds, but {}", faults.join("; "))),
        },
        (Ok(_), Fails(rule, ..)) => Err(format!("it builds; expected an error of the rule {rule}")),
        (Err(error), Builds) => Err(format!("it does not build: {error}")),
        (Err(error), Fails(rule, pointer, operation)) => {
            let shown = error.to_string();
            let told = error.rule() == *rule
                && error.pointer().contains(pointer)
                && error.operation() == *operation
                && operation.is_none_or(|operation| shown.contains(operation))
                && shown.starts_with(&format!("harbour.json#{}", error.pointer()))
                && shown.contains(rule);
            told.then_some(()).ok_or(format!("the error is another: {shown}"))
        }
    }
}

const NAMED: Option<&str> = Some("GetPortShips");

/// The harbour's operation under another id.
fn with_id(id: &str) -> Value {
    harbour_with(&format!("{LIST}/operationId"), json!(id))
}

fn with_tag(tag: Value) -> Value {
    harbour_with(&format!("{LIST}/tags"), tag)
}

/// The harbour with a second operation.
fn with_second(id: &str) -> Value {
    harbour_with(
        "/paths/~1second",
        json!({ "get": operation(id, "Ships", json!({ "type": "string" })) }),
    )
}

/// The harbour with another parameter.
fn with_parameter(parameter: Value) -> Value {
    harbour_with(&format!("{LIST}/parameters/-"), parameter)
}

fn query(name: &str, schema: Value) -> Value {
    json!({ "in": "query", "name": name, "schema": schema })
}

fn with_query(name: &str, schema: Value) -> Value {
    with_parameter(query(name, schema))
}

/// The harbour with a schema of this name, as part of a ship.
fn with_schema(name: &str, schema: Value) -> Value {
    let mut document = ship_with("part", json!({ "$ref": format!("#/components/schemas/{name}") }));
    put(&mut document, &format!("/components/schemas/{name}"), schema);
    document
}

fn with_values(values: Value) -> Value {
    ship_with("kind", json!({ "type": "string", "enum": values }))
}

fn object(properties: Value) -> Value {
    json!({ "type": "object", "properties": properties })
}

fn text() -> Value {
    json!({ "type": "string" })
}

//! One test per rule of the canonical form and of what is generated from it. Each fails without its rule.

mod documents;
mod finishers;
mod operations;
mod schemas;

use crate::source::Model;
use crate::support::{self, LIST, SHIP, harbour, harbour_with, operation, put, ship_with};
use esikit_codegen::canonical::canonicalise;
use esikit_codegen::docs::Docs;
use esikit_codegen::document::Document;
use esikit_codegen::select::Selection;
use esikit_codegen::{Source, generate};
use serde_json::{Value, json};

fn canonical(document: &Value) -> Value {
    support::canonical(document).unwrap_or_else(|error| panic!("{error}"))
}

fn source(document: &Value) -> Source {
    support::source(document).unwrap_or_else(|error| panic!("{error}"))
}

fn model(document: &Value) -> Model {
    Model::of(&source(document)).sound()
}

/// What stands at a pointer of the canonical form.
fn at(document: &Value, pointer: &str) -> Value {
    canonical(document)
        .pointer(pointer)
        .cloned()
        .unwrap_or(Value::Null)
}

/// The canonical schema of a ship's property.
fn property(schema: Value) -> Value {
    at(&ship_with("it", schema), &format!("{SHIP}/properties/it"))
}

/// The generated field of a ship's property that is required.
fn field(schema: Value) -> String {
    let mut document = ship_with("it", schema);
    put(&mut document, &format!("{SHIP}/required"), json!(["it"]));
    model(&document)
        .members("Ship")
        .into_iter()
        .find(|member| member.ends_with("\"it\""))
        .expect("a field")
}

fn list_of(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

const ONE: &str = "/paths/~1one/get";

/// The harbour with an operation that answers with `schema`.
fn answering(schema: Value) -> Value {
    harbour_with(
        "/paths/~1one",
        json!({ "get": operation("GetOne", "Ships", schema) }),
    )
}

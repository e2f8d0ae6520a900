//! Documents to work on, and the way through the library.

use esikit_codegen::canonical::canonicalise;
use esikit_codegen::docs::Docs;
use esikit_codegen::document::Document;
use esikit_codegen::select::Selection;
use esikit_codegen::settings::Settings;
use esikit_codegen::{Result, Source, generate};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// What ESI serves today.
pub(crate) const OPENAPI_31: &str = "esi-openapi-3.1-2026-08-18.json";
/// What ESI has retired.
pub(crate) const SWAGGER: &str = "esi-swagger-2.0-v1.17.json";

/// The list of ships, the one operation of [`harbour`].
pub(crate) const LIST: &str = "/paths/~1ports~1{port_id}~1ships/get";
/// The schema of one ship.
pub(crate) const SHIP: &str = "/components/schemas/Ship";

fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An upstream document. It cannot be committed, so a test that needs it does without where it is not.
pub(crate) fn upstream(name: &str) -> Option<String> {
    let path = package().join("../../shared/spec").join(name);
    if path.is_file() {
        return Some(read(&path));
    }
    println!("SKIPPED: {name} is not at {}", path.display());
    None
}

/// The committed canonical document.
pub(crate) fn committed() -> String {
    read(&package().join("../spec/esi.json"))
}

/// The settings that the committed document is made with.
pub(crate) fn esi_settings() -> Settings {
    Settings::parse(&read(&package().join("../spec/codegen.toml"))).expect("spec/codegen.toml can be read")
}

/// The docs of the committed document.
pub(crate) fn esi_docs() -> Docs {
    Docs::parse(&read(&package().join("../spec/docs.toml"))).expect("spec/docs.toml can be read")
}

/// Settings without a single decision of ESI's own.
pub(crate) fn plain_settings() -> Settings {
    Settings::parse("").expect("no settings are settings")
}

/// A small OpenAPI 3.1 document: a login, one operation, an enum, a list.
pub(crate) fn harbour() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Harbour", "version": "2026-01-01" },
        "servers": [{ "url": "https://harbour.example" }],
        "paths": { "/ports/{port_id}/ships": { "get": {
            "operationId": "GetPortShips",
            "tags": ["Ships"],
            "security": [{ "Login": ["ships.read"] }],
            "parameters": [
                { "in": "path", "name": "port_id", "required": true, "schema": { "type": "integer" } },
                { "in": "query", "name": "flag", "schema": { "type": "string" } },
            ],
            "responses": {
                "200": { "description": "", "content": { "application/json": { "schema":
                    { "type": "array", "items": { "$ref": "#/components/schemas/Ship" } } } } },
                "default": { "description": "", "content": { "application/json": { "schema":
                    { "$ref": "#/components/schemas/Error" } } } },
            },
        } } },
        "components": {
            "securitySchemes": { "Login": { "type": "oauth2", "flows": { "authorizationCode": {
                "authorizationUrl": "https://login.example/authorize", "tokenUrl": "https://login.example/token",
                "scopes": { "ships.read": "" } } } } },
            "schemas": {
                "Error": { "type": "object", "properties": { "error": { "type": "string" } }, "required": ["error"] },
                "Ship": {
                    "type": "object",
                    "required": ["kind", "name"],
                    "properties": {
                        "kind": { "type": "string", "enum": ["barge", "tug"] },
                        "name": { "type": "string" },
                        "length": { "type": "number", "format": "double" },
                    },
                },
            },
        },
    })
}

/// Puts `value` at `pointer`, whose last step may be new; `-` appends to an array.
pub(crate) fn put(document: &mut Value, pointer: &str, value: Value) {
    let (parent, step) = pointer.rsplit_once('/').expect("a pointer has a slash");
    let step = step.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.insert(step, value)),
        Some(Value::Array(items)) if step == "-" => items.push(value),
        Some(Value::Array(items)) => items[step.parse::<usize>().expect("an index")] = value,
        _ => panic!("{parent} is no place in the document"),
    }
}

/// Takes the member at `pointer` out.
pub(crate) fn take_out(document: &mut Value, pointer: &str) -> Value {
    let (parent, step) = pointer.rsplit_once('/').expect("a pointer has a slash");
    let step = step.replace("~1", "/").replace("~0", "~");
    let members = document.pointer_mut(parent).and_then(Value::as_object_mut);
    members
        .and_then(|members| members.remove(&step))
        .unwrap_or_else(|| panic!("{pointer} is no member"))
}

/// The harbour with one thing put in.
pub(crate) fn harbour_with(pointer: &str, value: Value) -> Value {
    let mut document = harbour();
    put(&mut document, pointer, value);
    document
}

/// The harbour with one more property of a ship.
pub(crate) fn ship_with(property: &str, schema: Value) -> Value {
    let mut document = harbour();
    let properties = document
        .pointer_mut(SHIP)
        .and_then(|ship| ship.get_mut("properties"));
    properties
        .and_then(Value::as_object_mut)
        .expect("a ship has properties")
        .insert(property.to_owned(), schema);
    document
}

/// An operation that answers with `schema`.
pub(crate) fn operation(id: &str, tag: &str, schema: Value) -> Value {
    json!({
        "operationId": id,
        "tags": [tag],
        "responses": { "200": { "content": { "application/json": { "schema": schema } } } },
    })
}

/// The canonical form by plain settings.
pub(crate) fn canonical(document: &Value) -> Result<Value> {
    canonicalise(document, &plain_settings()).map(|canonical| canonical.document)
}

/// All the source by plain settings.
pub(crate) fn source(document: &Value) -> Result<Source> {
    source_by(document, &plain_settings())
}

/// All the source by some settings.
pub(crate) fn source_by(document: &Value, settings: &Settings) -> Result<Source> {
    let document = Document::parse(&document.to_string(), "harbour.json", settings)?;
    generate(&document, &Selection::Everything, settings, &Docs::default())
        .map_err(|error| error.in_file("harbour.json"))
}

/// Every value in a document, with its pointer.
pub(crate) fn walk(value: &Value, pointer: &str, see: &mut impl FnMut(&str, &Value)) {
    see(pointer, value);
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{pointer}/{index}"), see);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                walk(
                    member,
                    &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
                    see,
                );
            }
        }
        _ => {}
    }
}

/// The document with only the operations of some tags, and of the components only the schemas that they reach.
pub(crate) fn cut(document: &Value, tags: &[&str]) -> Value {
    let mut small = document.clone();
    let paths = small["paths"].as_object_mut().expect("paths");
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        item.retain(|_, operation| {
            operation
                .pointer("/tags/0")
                .and_then(Value::as_str)
                .is_some_and(|tag| tags.contains(&tag))
        });
    }
    paths.retain(|_, item| item.as_object().is_some_and(|item| !item.is_empty()));
    let mut waiting = schemas_in(&small["paths"]);
    let mut kept = Map::new();
    while let Some(name) = waiting.pop() {
        let schema = &document["components"]["schemas"][&name];
        if kept.insert(name, schema.clone()).is_none() {
            waiting.extend(schemas_in(schema));
        }
    }
    small["components"]["schemas"] = Value::Object(kept);
    small
}

fn schemas_in(value: &Value) -> Vec<String> {
    let mut names = Vec::new();
    walk(value, "", &mut |pointer, value| {
        if let (true, Some(target)) = (pointer.ends_with("/$ref"), value.as_str()) {
            names.extend(target.strip_prefix("#/components/schemas/").map(str::to_owned));
        }
    });
    names
}

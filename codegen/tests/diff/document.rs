//! A small document, and edits of it.

use serde_json::{Value, json};

/// Pointers into the base document.
pub(crate) const LIST: &str = "/paths/~1ports~1{port_id}~1ships/get";
pub(crate) const SEND: &str = "/paths/~1ports~1{port_id}~1ships/post";
pub(crate) const STATUS: &str = "/paths/~1status/get";
pub(crate) const SHIP: &str = "/components/schemas/Ship";
pub(crate) const ORDER: &str = "/components/schemas/Order";

/// A canonical document with a list, a write and a plain read.
pub(crate) fn base() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Harbour", "version": "2026-01-01" },
        "servers": [{ "url": "https://harbour.example" }],
        "tags": [{ "name": "Ships" }, { "name": "Status" }],
        "components": {
            "parameters": {
                "Language": { "in": "header", "name": "Accept-Language",
                    "schema": { "type": "string", "enum": ["de", "en"] } },
                "Date": { "in": "header", "name": "X-Compatibility-Date", "required": true,
                    "schema": { "type": "string", "enum": ["2026-01-01"] } },
            },
            "securitySchemes": { "Harbour": { "type": "oauth2", "flows": { "authorizationCode": {
                "authorizationUrl": "https://login.example/authorize",
                "tokenUrl": "https://login.example/token",
                "scopes": { "ships.read": "", "ships.write": "" },
            } } } },
            "schemas": {
                "Error": { "type": "object", "required": ["error"], "properties": { "error": { "type": "string" } } },
                "Order": order(),
                "PortID": { "type": "integer", "format": "int64" },
                "Ship": ship(),
            },
        },
        "paths": {
            "/ports/{port_id}/ships": { "get": list(), "post": send() },
            "/status": { "get": {
                "operationId": "GetStatus",
                "tags": ["Status"],
                "parameters": [],
                "responses": { "200": { "description": "", "content": content(json!({
                    "type": "object", "required": ["open"], "properties": { "open": { "type": "boolean" } },
                })) } },
            } },
        },
    })
}

/// What is read.
pub(crate) fn ship() -> Value {
    json!({
        "type": "object",
        "required": ["built", "kind", "name", "price"],
        "properties": {
            "built": { "type": "string", "format": "date-time" },
            "captain": { "type": "string" },
            "cargo": { "type": "object", "additionalProperties": { "type": "integer", "format": "int32" } },
            "escort": component("Ship"),
            "kind": { "type": "string", "enum": ["barge", "tug"] },
            "length": { "type": "number", "format": "double", "minimum": 1 },
            "name": { "type": "string" },
            "port": component("PortID"),
            "price": { "oneOf": [coins("gold"), coins("silver")] },
        },
    })
}

/// What is sent.
pub(crate) fn order() -> Value {
    json!({
        "type": "object",
        "required": ["amount"],
        "properties": {
            "amount": { "type": "integer", "format": "int64", "minimum": 1, "maximum": 10 },
            "crew": { "type": "array", "items": { "type": "integer", "format": "int64" }, "maxItems": 5 },
            "kind": { "type": "string", "enum": ["barge", "tug"], "default": "tug" },
            "note": { "type": "string", "nullable": true, "maxLength": 80 },
            "pay": { "oneOf": [coins("gold"), coins("silver")] },
        },
    })
}

pub(crate) fn list() -> Value {
    let kinds =
        json!({ "type": "array", "maxItems": 9, "items": { "type": "string", "enum": ["barge", "tug"] } });
    let ships = json!({ "type": "array", "maxItems": 100, "items": component("Ship") });
    json!({
        "operationId": "GetPortsShips",
        "tags": ["Ships"],
        "security": [{ "Harbour": ["ships.read"] }],
        "parameters": [
            { "in": "query", "name": "kinds", "explode": false, "schema": kinds },
            { "in": "query", "name": "order", "required": true, "schema": { "type": "string", "default": "name" } },
            { "in": "query", "name": "page", "schema": { "type": "integer", "format": "int32", "minimum": 1 } },
            { "in": "path", "name": "port_id", "required": true, "schema": component("PortID") },
        ],
        "responses": {
            "200": {
                "description": "",
                "headers": { "X-Pages": { "schema": { "type": "integer" } } },
                "content": content(ships),
            },
            "4XX": { "description": "", "content": content(component("Error")) },
            "5XX": { "description": "", "content": content(component("Error")) },
        },
        "x-client-cache-ttl": 60,
        "x-compatibility-date": "2025-01-01",
        "x-rate-limit": { "group": "ships", "max-tokens": 600, "window-size": "15m" },
        "x-required-roles": ["Clerk", "Master"],
        "x-server-cache-mode": "ttl-based",
    })
}

pub(crate) fn send() -> Value {
    json!({
        "operationId": "PostPortsShips",
        "tags": ["Ships"],
        "security": [{ "Harbour": ["ships.write"] }],
        "parameters": [{ "in": "path", "name": "port_id", "required": true, "schema": component("PortID") }],
        "requestBody": { "required": true, "content": content(component("Order")) },
        "responses": {
            "201": { "description": "", "content": content(component("Ship")) },
            "4XX": { "description": "", "content": content(component("Error")) },
            "5XX": { "description": "", "content": content(component("Error")) },
        },
    })
}

pub(crate) fn component(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub(crate) fn content(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

pub(crate) fn coins(metal: &str) -> Value {
    let properties = json!({ metal: { "type": "integer", "format": "int64" } });
    json!({ "type": "object", "additionalProperties": false, "required": [metal], "properties": properties })
}

/// One edit of a document: the value at a pointer, or its absence.
#[derive(Clone)]
pub(crate) struct Edit {
    parent: String,
    key: String,
    value: Option<Value>,
}

pub(crate) fn set(root: &str, below: &str, value: Value) -> Edit {
    let (parent, key) = below.rsplit_once('/').expect("a pointer");
    Edit {
        parent: format!("{root}{parent}"),
        key: key.replace("~1", "/"),
        value: Some(value),
    }
}

pub(crate) fn cut(root: &str, below: &str) -> Edit {
    Edit {
        value: None,
        ..set(root, below, Value::Null)
    }
}

impl Edit {
    /// Whether the document had the place.
    pub(crate) fn apply(&self, document: &mut Value) -> bool {
        match (document.pointer_mut(&self.parent), &self.value) {
            (Some(Value::Object(members)), Some(value)) => {
                drop(members.insert(self.key.clone(), value.clone()))
            }
            (Some(Value::Object(members)), None) => drop(members.remove(&self.key)),
            (Some(Value::Array(items)), Some(value)) if self.key == "-" => items.push(value.clone()),
            (Some(Value::Array(items)), edit) => match self.key.parse::<usize>() {
                Ok(index) if index < items.len() => match edit {
                    Some(value) => items[index] = value.clone(),
                    None => drop(items.remove(index)),
                },
                _ => return false,
            },
            _ => return false,
        }
        true
    }
}

pub(crate) fn edited(edits: &[&Edit]) -> Value {
    let mut document = base();
    for edit in edits {
        edit.apply(&mut document);
    }
    document
}

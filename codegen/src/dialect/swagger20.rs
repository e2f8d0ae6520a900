//! Swagger 2.0: bodies are parameters, schemas are called definitions, one place holds host, path and scheme.

use crate::error::Result;
use crate::node::Node;
use crate::words;
use serde_json::{Map, Value, json};

/// Rewrites a Swagger 2.0 document into the outer shape of OpenAPI 3.
pub(super) fn to_openapi3(document: &Value) -> Result<Value> {
    let root = Node::root(document);
    let mut converter = Converter {
        document,
        schemas: Map::new(),
    };
    converter.schemas.insert("Error".to_owned(), error_schema());
    for (name, definition) in root.members_of("definitions")? {
        let unused_error = definition
            .get("properties")
            .is_some_and(|properties| properties.get("error").is_some());
        if !unused_error {
            converter
                .schemas
                .insert(name.to_owned(), schema(definition.value));
        }
    }
    let mut paths = Map::new();
    for (path, item) in root.need("paths")?.members()? {
        paths.insert(path.to_owned(), converter.path_item(path, &item)?);
    }
    let mut parameters = Map::new();
    for (name, raw) in root.members_of("parameters")? {
        if raw.value.get("in").and_then(Value::as_str) != Some("body") {
            parameters.insert(name.to_owned(), parameter(raw.value));
        }
    }
    Ok(json!({
        "openapi": "3.0.3",
        "info": root.need("info")?.value,
        "servers": servers(&root),
        "paths": paths,
        "components": {
            "schemas": converter.schemas,
            "parameters": parameters,
            "securitySchemes": security_schemes(&root)?,
        },
    }))
}

/// Every error definition of ESI's Swagger document has this one member in common; the others are hints for people.
fn error_schema() -> Value {
    json!({
        "type": "object",
        "properties": { "error": { "type": "string" } },
        "required": ["error"],
    })
}

fn servers(root: &Node<'_>) -> Value {
    let text = |key: &str| root.value.get(key).and_then(Value::as_str);
    let Some(host) = text("host") else {
        return json!([]);
    };
    let scheme = root
        .value
        .pointer("/schemes/0")
        .and_then(Value::as_str)
        .unwrap_or("https");
    let base = text("basePath").unwrap_or_default().trim_end_matches('/');
    json!([{ "url": format!("{scheme}://{host}{base}") }])
}

fn security_schemes(root: &Node<'_>) -> Result<Value> {
    let mut schemes = Map::new();
    for (name, scheme) in root.members_of("securityDefinitions")? {
        let flow = match scheme.value.get("flow").and_then(Value::as_str) {
            Some("implicit") | None => "implicit",
            Some("accessCode") => "authorizationCode",
            Some(other) => {
                let message = format!("the flow `{other}` is none that a person's login can use");
                return Err(scheme.error("security-scheme", message));
            }
        };
        let mut facts = Map::new();
        for key in ["authorizationUrl", "tokenUrl", "scopes"] {
            if let Some(value) = scheme.value.get(key) {
                facts.insert(key.to_owned(), value.clone());
            }
        }
        schemes.insert(
            name.to_owned(),
            json!({ "type": "oauth2", "flows": { flow: facts } }),
        );
    }
    Ok(Value::Object(schemes))
}

struct Converter<'a> {
    document: &'a Value,
    schemas: Map<String, Value>,
}

impl<'a> Converter<'a> {
    fn path_item(&mut self, path: &str, item: &Node<'a>) -> Result<Value> {
        let shared = item.items_of("parameters")?;
        let mut converted = Map::new();
        for (method, operation) in item.members()? {
            if method != "parameters" {
                let id = operation.value.get("operationId").and_then(Value::as_str);
                let operation = id.map_or_else(|| operation.clone(), |id| operation.clone().in_operation(id));
                converted.insert(
                    method.to_owned(),
                    self.operation(path, method, &operation, &shared)?,
                );
            }
        }
        Ok(Value::Object(converted))
    }

    fn operation(&mut self, path: &str, method: &str, raw: &Node<'a>, shared: &[Node<'a>]) -> Result<Value> {
        let mut operation = Map::new();
        for (key, member) in raw.members()? {
            if !matches!(
                key,
                "parameters" | "responses" | "consumes" | "produces" | "schemes"
            ) {
                operation.insert(key.to_owned(), member.value.clone());
            }
        }
        if let Some(seconds) = raw.value.get("x-cached-seconds") {
            operation.remove("x-cached-seconds");
            operation.insert("x-client-cache-ttl".to_owned(), seconds.clone());
        }
        let mut parameters = Vec::new();
        let shared = shared.iter().map(|place| raw.within(place));
        for place in shared.chain(raw.items_of("parameters")?) {
            let found = place.resolved(self.document)?;
            match found.text_of("in")? {
                "body" => {
                    operation.insert("requestBody".to_owned(), self.body(&found)?);
                }
                "formData" => return Err(found.error("body", "a form body is not supported, only JSON")),
                _ => parameters.push(parameter(found.value)),
            }
        }
        operation.insert("parameters".to_owned(), Value::Array(parameters));
        operation.insert(
            "responses".to_owned(),
            self.responses(path, method, &raw.need("responses")?)?,
        );
        Ok(Value::Object(operation))
    }

    fn body(&self, parameter: &Node<'a>) -> Result<Value> {
        let content = schema(parameter.need("schema")?.value);
        Ok(json!({
            "required": parameter.flag("required"),
            "content": { "application/json": { "schema": content } },
        }))
    }

    fn responses(&mut self, path: &str, method: &str, raw: &Node<'a>) -> Result<Value> {
        let mut responses = Map::new();
        for (code, place) in raw.members()? {
            let response = place.resolved(self.document)?;
            if code.starts_with('2') {
                responses.insert(code.to_owned(), self.success(path, method, &response));
            } else if code != "304" {
                let content =
                    json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
                responses.insert("default".to_owned(), json!({ "content": content }));
            }
        }
        Ok(Value::Object(responses))
    }

    fn free_name(&self, wish: String) -> String {
        let mut name = wish.clone();
        let mut number = 2;
        while self.schemas.contains_key(&name) {
            name = format!("{wish}{number}");
            number += 1;
        }
        name
    }

    /// The schema of an answer becomes a component, named as OpenAPI 3 documents of ESI name theirs.
    fn success(&mut self, path: &str, method: &str, response: &Node<'a>) -> Value {
        let mut converted = Map::new();
        if let Some(headers) = response.value.get("headers").and_then(Value::as_object) {
            let mut kept = Map::new();
            for (name, header) in headers {
                kept.insert(name.clone(), json!({ "schema": schema(header) }));
            }
            converted.insert("headers".to_owned(), Value::Object(kept));
        }
        if let Some(content) = response.value.get("schema") {
            let name = self.free_name(words::old_schema_name(path, method));
            self.schemas.insert(name.clone(), schema(content));
            let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
            converted.insert(
                "content".to_owned(),
                json!({ "application/json": { "schema": reference } }),
            );
        }
        Value::Object(converted)
    }
}

/// Moves what Swagger writes on the parameter itself into a schema.
fn parameter(raw: &Value) -> Value {
    let mut outer = Map::new();
    let mut inner = Map::new();
    for (key, value) in raw.as_object().into_iter().flatten() {
        match key.as_str() {
            "name" | "in" | "required" | "description" => drop(outer.insert(key.clone(), value.clone())),
            "collectionFormat" => {}
            _ => drop(inner.insert(key.clone(), value.clone())),
        }
    }
    if raw.get("type").and_then(Value::as_str) == Some("array") {
        let multi = raw.get("collectionFormat").and_then(Value::as_str) == Some("multi");
        outer.insert("explode".to_owned(), json!(multi));
        if raw.pointer("/items/type").and_then(Value::as_str) == Some("array") {
            // A list of lists (`1|2,2|3`) has no counterpart in OpenAPI 3: each inner list is text of the caller's.
            inner.insert("items".to_owned(), json!({ "type": "string" }));
        }
    }
    outer.insert("schema".to_owned(), schema(&Value::Object(inner)));
    Value::Object(outer)
}

/// Points references at the place where OpenAPI 3 keeps schemas.
fn schema(raw: &Value) -> Value {
    match raw {
        Value::Object(members) => {
            let mut moved = Map::new();
            for (key, value) in members {
                let target = value
                    .as_str()
                    .and_then(|text| text.strip_prefix("#/definitions/"));
                let value = match target {
                    Some(name) if key == "$ref" => json!(format!("#/components/schemas/{name}")),
                    _ => schema(value),
                };
                moved.insert(key.clone(), value);
            }
            Value::Object(moved)
        }
        Value::Array(items) => items.iter().map(schema).collect(),
        other => other.clone(),
    }
}

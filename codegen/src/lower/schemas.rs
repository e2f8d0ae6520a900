//! Schemas without anything anonymous in them: objects, choices and enums become components, ids become their newtypes.

use super::finite::Finite;
use super::names::Names;
use crate::components::{self, is_named_thing, string_enum, target};
use crate::document::{Document, Operation};
use crate::error::{At, Error, Result};
use crate::json::sorted;
use crate::settings::Settings;
use crate::words;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Lowering<'a> {
    document: &'a Document,
    settings: &'a Settings,
    names: Names,
    /// Components in the making: type name to schema.
    pub(super) lowered: Map<String, Value>,
    pub(super) origins: BTreeMap<String, String>,
    pub(super) notes: Vec<String>,
    waiting: Vec<String>,
    started: BTreeSet<String>,
    finite: Finite,
}

/// Where a schema stands: the schema or operation around it, and the property or parameter that holds it.
#[derive(Clone, Copy)]
struct Place<'p> {
    /// Canonical schema, or `operationId`.
    origin: &'p str,
    /// Name of the type that holds the property.
    owner: &'p str,
    property: &'p str,
    /// Inside the items of a list: names are singular.
    in_list: bool,
    at: &'p At,
}

impl<'p> Place<'p> {
    /// The place of a parameter, of the answer or of the body.
    fn of(operation: &'p Operation, owner: &'p str, property: &'p str, at: &'p At) -> Self {
        Self {
            origin: &operation.id,
            owner,
            property,
            in_list: false,
            at,
        }
    }

    /// The place of the entries of a list or map.
    fn in_list(self, at: &'p At) -> Self {
        Self {
            in_list: true,
            at,
            ..self
        }
    }

    /// The place of a schema within.
    fn at(self, at: &'p At) -> Self {
        Self { at, ..self }
    }
}

impl<'a> Lowering<'a> {
    pub(super) fn new(document: &'a Document, settings: &'a Settings, names: Names) -> Self {
        Self {
            document,
            settings,
            names,
            lowered: Map::new(),
            origins: BTreeMap::new(),
            notes: Vec::new(),
            waiting: Vec::new(),
            started: BTreeSet::new(),
            finite: Finite::of(document),
        }
    }

    /// An operation with lowered schemas; what the runtime does by itself (errors, headers) is left out.
    pub(super) fn operation(&mut self, operation: &Operation) -> Result<Value> {
        let owner = words::pascal(&operation.id);
        let at = operation.at();
        let parameters = self.parameters(operation, &owner)?;
        let mut success = json!({ "description": "" });
        if let Some(answer) = &operation.answer {
            let at = content(&at.join("responses").join(operation.status));
            let place = Place::of(operation, &owner, "response", &at);
            success["content"] = in_json(self.schema(answer, place)?);
        }
        let mut lowered = json!({
            "operationId": operation.id,
            "parameters": parameters,
            "responses": { operation.status.to_string(): success },
        });
        if let Some(body) = &operation.body {
            let at = content(&at.join("requestBody"));
            let place = Place::of(operation, &owner, "body", &at);
            let content = in_json(self.schema(&body.schema, place)?);
            lowered["requestBody"] = json!({ "required": body.required, "content": content });
        }
        Ok(lowered)
    }

    fn parameters(&mut self, operation: &Operation, owner: &str) -> Result<Vec<Value>> {
        let mut parameters = Vec::new();
        for (index, parameter) in operation.parameters.iter().enumerate() {
            let at = operation.at().join("parameters").join(index).join("schema");
            super::parameters::check(self.document, parameter, &at)?;
            let place = Place::of(operation, owner, &parameter.name, &at);
            parameters.push(json!({
                "name": parameter.name,
                "in": if parameter.in_path { "path" } else { "query" },
                "required": parameter.required,
                "schema": self.schema(&parameter.schema, place)?,
            }));
        }
        Ok(parameters)
    }

    /// Lowers the components that were referred to, and those that they refer to.
    pub(super) fn finish_components(&mut self) -> Result<()> {
        while let Some(schema) = self.waiting.pop() {
            let name = self.names.of_schema[&schema].clone();
            let Some(value) = self.document.schema(&schema) else {
                continue;
            };
            let at = components::at(&schema);
            if !self.finite.has(&schema) {
                return Err(Error::new(
                    "cycle",
                    &at,
                    "every value of this schema would contain another one, without end",
                ));
            }
            let body = self.named(value, &schema, &name, &at)?;
            self.origins.insert(name.clone(), schema);
            self.lowered.insert(name, body);
        }
        Ok(())
    }

    fn schema(&mut self, schema: &Value, place: Place<'_>) -> Result<Value> {
        Ok(or_null(self.bare(schema, place)?, schema))
    }

    /// The schema as it stands at a use, without regard to null.
    fn bare(&mut self, schema: &Value, place: Place<'_>) -> Result<Value> {
        if let Some(only) = schema.pointer("/allOf/0") {
            return self.schema(only, place.at(&place.at.join("allOf").join(0)));
        }
        if let Some(target) = target(schema) {
            return self.reference(target, place);
        }
        if is_named_thing(schema) {
            return self.hoisted(schema, place);
        }
        Ok(match schema.get("type").and_then(Value::as_str) {
            Some("array") => {
                let at = place.at.join("items");
                let items = self.schema(&schema["items"], place.in_list(&at))?;
                json!({ "type": "array", "items": items })
            }
            Some("object") => match schema.get("additionalProperties") {
                Some(values) if values.is_object() => {
                    let at = place.at.join("additionalProperties");
                    let values = self.schema(values, place.in_list(&at))?;
                    json!({ "type": "object", "additionalProperties": values })
                }
                _ => json!({ "type": "object" }),
            },
            Some("integer") => self
                .id(place, true)
                .unwrap_or_else(|| json!({ "type": "integer", "format": "int64" })),
            Some("number") => json!({ "type": "number", "format": "double" }),
            Some("string") => self.string(schema, place),
            Some("boolean") => json!({ "type": "boolean" }),
            _ => json!({}),
        })
    }

    fn string(&mut self, schema: &Value, place: Place<'_>) -> Value {
        match schema.get("format").and_then(Value::as_str) {
            Some(format @ ("date" | "date-time")) => json!({ "type": "string", "format": format }),
            Some("uuid") => self
                .id(place, false)
                .unwrap_or_else(|| json!({ "type": "string" })),
            _ => json!({ "type": "string" }),
        }
    }

    fn reference(&mut self, target: &str, place: Place<'_>) -> Result<Value> {
        let Some(schema) = self.document.schema(target) else {
            return Err(Error::new(
                "reference",
                place.at,
                format!("there is no schema `{target}`"),
            ));
        };
        if let Some(newtype) = self.id_of_schema(target, schema, place) {
            return Ok(self.newtype(&newtype));
        }
        if is_named_thing(schema) {
            let name = self.names.of_schema[target].clone();
            if self.started.insert(target.to_owned()) {
                self.waiting.push(target.to_owned());
            }
            return Ok(or_null(components::reference(&name), schema));
        }
        // A schema that is only a number or a text has no type of its own; one that leads back to itself has no end.
        let key = format!("->{target}");
        if !self.started.insert(key.clone()) {
            return Err(Error::new(
                "cycle",
                &components::at(target),
                "this schema leads back to itself without a name",
            ));
        }
        let lowered = self.schema(schema, place.at(&components::at(target)));
        self.started.remove(&key);
        lowered
    }

    /// The newtype of a schema that the settings call an id.
    fn id_of_schema(&self, target: &str, schema: &Value, place: Place<'_>) -> Option<String> {
        let ids = &self.settings.ids;
        let newtype = ids.schemas.get(target)?;
        // A UUID schema names no kind of thing, so the property's name may say more.
        let general = self.is_uuid(newtype);
        let kind = if general { "string" } else { "integer" };
        if schema.get("type").and_then(Value::as_str) != Some(kind) {
            return None;
        }
        let by_name = ids.of_name(place.property).filter(|_| general);
        let by_name = by_name.filter(|name| self.is_uuid(name));
        let exact = || ids.exact(place.origin, place.property).unwrap_or(newtype);
        Some(by_name.unwrap_or_else(exact).to_owned())
    }

    /// Makes a component of an object, choice or enum that has no name.
    fn hoisted(&mut self, schema: &Value, place: Place<'_>) -> Result<Value> {
        let shared = self.settings.shared_type(place.origin, place.property);
        let is_enum = |name: &str| {
            self.lowered
                .get(name)
                .is_none_or(|known| known.get("enum").is_some())
        };
        if let (Some(values), Some(name)) = (string_enum(schema), shared.filter(|name| is_enum(name))) {
            self.widen(name, values, place.at)?;
            return Ok(components::reference(name));
        }
        if let Some(name) = shared {
            let body = self.named(schema, place.origin, name, place.at)?;
            let known = self.lowered.entry(name).or_insert_with(|| body.clone());
            if *known == body {
                self.origins
                    .entry(name.to_owned())
                    .or_insert_with(|| place.origin.to_owned());
                return Ok(components::reference(name));
            }
        }
        let part = words::pascal(place.property);
        let part = if place.in_list {
            words::singular(&part).unwrap_or_else(|| format!("{part}Item"))
        } else {
            part
        };
        let name = self.names.claim(&format!("{}{part}", place.owner));
        let body = self.named(schema, place.origin, &name, place.at)?;
        self.origins.insert(name.clone(), place.origin.to_owned());
        self.lowered.insert(name.clone(), body);
        Ok(components::reference(&name))
    }

    /// The body of a component.
    fn named(&mut self, schema: &Value, origin: &str, name: &str, at: &At) -> Result<Value> {
        if let Some(values) = string_enum(schema) {
            distinct("values", &values, &words::variant_names(&values), at)?;
            return Ok(json!({ "type": "string", "enum": values }));
        }
        let place = Place {
            origin,
            owner: name,
            property: "",
            in_list: false,
            at,
        };
        if let Some(alternatives) = schema.get("oneOf").and_then(Value::as_array) {
            return self.choice(alternatives, place);
        }
        let wires: Vec<&str> = members(&schema["properties"])
            .into_iter()
            .map(|(property, _)| property)
            .collect();
        let fields: Vec<String> = wires.iter().map(|wire| words::field_name(wire)).collect();
        distinct("properties", &wires, &fields, at)?;
        let properties = self.properties(&schema["properties"], place)?;
        let mut lowered = json!({ "type": "object", "properties": properties });
        if let Some(required) = schema.get("required") {
            lowered["required"] = required.clone();
        }
        Ok(lowered)
    }

    /// The alternatives of a choice. One that ends goes first, so that a sample of the first one ends.
    fn choice(&mut self, alternatives: &[Value], place: Place<'_>) -> Result<Value> {
        let mut alternatives: Vec<(usize, &Value)> = alternatives.iter().enumerate().collect();
        alternatives.sort_by_key(|(_, alternative)| self.finite.rank(alternative));
        let tags: Vec<&str> = alternatives
            .iter()
            .flat_map(|(_, alternative)| members(&alternative["properties"]))
            .map(|(tag, _)| tag)
            .collect();
        distinct("alternatives", &tags, &words::variant_names(&tags), place.at)?;
        let mut lowered = Vec::new();
        for (index, alternative) in alternatives {
            let at = place.at.join("oneOf").join(index);
            lowered.push(json!({
                "type": "object",
                "properties": self.properties(&alternative["properties"], place.at(&at))?,
                "required": alternative["required"],
                "additionalProperties": false,
            }));
        }
        Ok(json!({ "oneOf": lowered }))
    }

    fn properties(&mut self, properties: &Value, place: Place<'_>) -> Result<Map<String, Value>> {
        let mut lowered = Map::new();
        for (property, content) in members(properties) {
            let at = place.at.join("properties").join(property);
            lowered.insert(
                property.to_owned(),
                self.schema(
                    content,
                    Place {
                        property,
                        at: &at,
                        ..place
                    },
                )?,
            );
        }
        Ok(lowered)
    }

    fn widen(&mut self, name: &str, values: Vec<&str>, at: &At) -> Result<()> {
        let shared = self
            .lowered
            .entry(name)
            .or_insert_with(|| json!({ "type": "string", "enum": [] }));
        let mut union: BTreeSet<&str> = values.into_iter().collect();
        let before = shared["enum"].take();
        union.extend(before.as_array().into_iter().flatten().filter_map(Value::as_str));
        let union: Vec<&str> = union.into_iter().collect();
        distinct("values", &union, &words::variant_names(&union), at)?;
        shared["enum"] = json!(union);
        Ok(())
    }

    fn is_uuid(&self, newtype: &str) -> bool {
        self.settings.ids.uuid.contains_key(newtype)
    }

    /// The newtype of a number or UUID that the settings call an id; a name that looks like one is noted.
    fn id(&mut self, place: Place<'_>, number: bool) -> Option<Value> {
        let ids = &self.settings.ids;
        let newtype = ids
            .exact(place.origin, place.property)
            .or_else(|| ids.of_name(place.property));
        if let Some(newtype) = newtype.filter(|newtype| self.is_uuid(newtype) != number) {
            let newtype = newtype.to_owned();
            return Some(self.newtype(&newtype));
        }
        let property = place.property;
        let looks_like_one = property.ends_with("_id") || property.ends_with("_ids");
        if newtype.is_none() && looks_like_one && !ids.plain.contains(property) {
            self.notes.push(format!(
                "`{property}` of {} looks like an id; add `{property} = \"SomeId\"` to [ids.properties], or \"{property}\" to `plain` of [ids]",
                place.origin
            ));
        }
        None
    }

    /// The emitter writes ids by the settings, so `progenitor` only has to see a newtype; a UUID it would not wrap.
    fn newtype(&mut self, name: &str) -> Value {
        self.lowered
            .insert(name.to_owned(), json!({ "type": "integer", "format": "int64" }));
        components::reference(name)
    }
}

/// The place of the schema in a response or a body.
fn content(holder: &At) -> At {
    holder.join("content").join("application/json").join("schema")
}

/// The content of a response or a body.
fn in_json(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// Adds to a lowered schema that null may stand in its place, where the canonical schema says so.
fn or_null(mut lowered: Value, schema: &Value) -> Value {
    if schema.get("nullable") != Some(&json!(true)) {
        return lowered;
    }
    if lowered.get("$ref").is_some() {
        return json!({ "allOf": [lowered], "nullable": true });
    }
    lowered["nullable"] = json!(true);
    lowered
}

/// Two properties, values or alternatives must not become one name in Rust.
fn distinct(what: &str, wires: &[&str], names: &[String], at: &At) -> Result<()> {
    let Some(second) = words::first_repeated(names) else {
        return Ok(());
    };
    let first = names
        .iter()
        .position(|name| *name == names[second])
        .unwrap_or(second);
    let message = format!(
        "the {what} `{}` and `{}` would both be `{}`",
        wires[first], wires[second], names[second]
    );
    Err(Error::new("name", at, message))
}

fn members(value: &Value) -> Vec<(&str, &Value)> {
    value.as_object().map(sorted).unwrap_or_default()
}

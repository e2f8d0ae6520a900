//! What `progenitor` is given, and that it keeps the names it is given.

use super::Names;
use super::{Lowered, lower};
use crate::document::Document;
use crate::openapi::openapi;
use crate::settings::Settings;
use crate::signatures::signatures;
use crate::words;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;

fn spec(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn lowered() -> Lowered {
    let settings = Settings::parse(&spec("codegen.toml")).expect("the settings can be read");
    let document =
        Document::parse(&spec("esi.json"), "esi.json", &settings).expect("the document can be read");
    let operations = document.operations().expect("its operations can be read");
    let names = Names::assign(&document, &settings).expect("it can be named");
    lower(&document, &operations, &settings, names).expect("it can be lowered")
}

fn object<'a>(value: &'a Value, pointer: &str) -> &'a Map<String, Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_object)
        .unwrap_or_else(|| panic!("{pointer} is no object"))
}

fn only(members: &Map<String, Value>, allowed: &[&str], place: &str) {
    let other = members.keys().find(|key| !allowed.contains(&key.as_str()));
    assert_eq!(other, None, "in {place}");
}

/// Fails where a schema holds anything that narrows what a decoder accepts, or that has no name of its own.
fn schema(value: &Value, place: &str, is_component: bool) {
    let members = object(value, "");
    only(
        members,
        &[
            "type",
            "format",
            "nullable",
            "items",
            "additionalProperties",
            "properties",
            "required",
            "enum",
            "oneOf",
            "allOf",
            "$ref",
        ],
        place,
    );
    if !is_component {
        for keyword in ["properties", "oneOf", "enum"] {
            assert!(!members.contains_key(keyword), "{place} has no name");
        }
    }
    let parts = members
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    parts.for_each(|(name, part)| schema(part, &format!("{place}.{name}"), false));
    for keyword in ["items", "additionalProperties"] {
        members
            .get(keyword)
            .filter(|part| part.is_object())
            .into_iter()
            .for_each(|part| schema(part, place, false));
    }
    members
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .for_each(|part| schema(part, place, false));
    members
        .get("oneOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .for_each(|part| schema(part, place, true));
}

#[test]
fn progenitor_is_given_only_what_it_needs() {
    let document = lowered().document;
    only(
        object(&document, ""),
        &["openapi", "info", "paths", "components"],
        "the document",
    );
    only(object(&document, "/components"), &["schemas"], "components");
    for (name, component) in object(&document, "/components/schemas") {
        schema(component, name, true);
    }
    for (path, item) in object(&document, "/paths") {
        for (method, operation) in object(item, "") {
            let place = format!("{method} {path}");
            only(
                object(operation, ""),
                &["operationId", "parameters", "responses", "requestBody"],
                &place,
            );
            for parameter in operation["parameters"].as_array().expect("parameters") {
                only(
                    object(parameter, ""),
                    &["name", "in", "required", "schema"],
                    &place,
                );
                schema(&parameter["schema"], &place, false);
            }
            assert_eq!(object(operation, "/responses").len(), 1, "{place} has one answer");
        }
    }
}

#[test]
fn openapi_reads_it_as_serde_does() {
    let document = lowered().document;
    let by_serde: openapiv3::OpenAPI = serde_json::from_value(document.clone()).expect("serde can read it");
    assert_eq!(openapi(&document).expect("it can be read"), by_serde);
}

#[test]
fn progenitor_keeps_the_names_of_types() {
    let lowered = lowered();
    let given: BTreeSet<&String> = object(&lowered.document, "/components/schemas").keys().collect();
    let signatures = signatures(&lowered.document).expect("progenitor takes it");
    assert_eq!(signatures.types.keys().collect::<BTreeSet<_>>(), given);
    assert_eq!(signatures.methods.len(), 233);
}

#[test]
fn words_are_those_of_progenitor() {
    assert_eq!(
        ["+1", "-1", "a'b"].map(words::type_name),
        ["plus1", "minus1", "Ab"]
    );
    for (text, snake, type_name, field) in [
        (
            "MarketGroupID",
            "market_group_id",
            "MarketGroupId",
            "market_group_id",
        ),
        (
            "Corporation Projects",
            "corporation_projects",
            "CorporationProjects",
            "corporation_projects",
        ),
        ("IDList", "id_list", "IdList", "id_list"),
        ("get1A_2B", "get1_a_2b", "Get1A2b", "get1_a_2b"),
        ("3d", "3d", "X3d", "x3d"),
        ("self", "self", "Self_", "self_"),
        ("type", "type", "Type", "type_"),
        ("", "", "X", "x"),
    ] {
        assert_eq!(words::snake(text), snake, "{text}");
        assert_eq!(words::field_name(text), field, "{text}");
        assert_eq!(words::type_name(text), type_name, "{text}");
    }
}

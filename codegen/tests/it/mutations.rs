//! Documents with random mistakes: code or an error comes out, never a panic, and an error says where.

use crate::source::Model;
use crate::support::{self, cut, harbour, put};
use esikit_codegen::docs::Docs;
use esikit_codegen::document::Document;
use esikit_codegen::select::Selection;
use esikit_codegen::settings::Settings;
use esikit_codegen::{Error, generate};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// What is done to one place of a document. Numbers choose from what there is, modulo its count.
#[derive(Debug, Clone, Copy)]
enum Mutation {
    Delete {
        place: usize,
    },
    /// One of [`odd_values`] stands there.
    Replace {
        place: usize,
        odd: usize,
    },
    /// The value of another place stands there.
    Copy {
        place: usize,
        from: usize,
    },
    /// The member is there a second time, under a name that is nearly the same.
    Double {
        place: usize,
        odd: usize,
    },
    /// The member is called as in [`odd_names`].
    Rename {
        place: usize,
        odd: usize,
    },
    /// A member of an odd name has an odd value.
    Insert {
        place: usize,
        name: usize,
        odd: usize,
    },
    /// A `$ref` leads to another component.
    Redirect {
        place: usize,
        to: usize,
    },
    /// A keyword of schemas is added.
    Keyword {
        place: usize,
        keyword: usize,
    },
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let any = || any::<usize>();
    prop_oneof![
        any().prop_map(|place| Mutation::Delete { place }),
        (any(), any()).prop_map(|(place, odd)| Mutation::Replace { place, odd }),
        (any(), any()).prop_map(|(place, from)| Mutation::Copy { place, from }),
        (any(), any()).prop_map(|(place, odd)| Mutation::Double { place, odd }),
        (any(), any()).prop_map(|(place, odd)| Mutation::Rename { place, odd }),
        (any(), any(), any()).prop_map(|(place, name, odd)| Mutation::Insert { place, name, odd }),
        (any(), any()).prop_map(|(place, to)| Mutation::Redirect { place, to }),
        (any(), any()).prop_map(|(place, keyword)| Mutation::Keyword { place, keyword }),
    ]
}

fn odd_values() -> Vec<Value> {
    let reference = json!({ "$ref": "#/components/schemas/Error" });
    vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("type"),
        json!("Self"),
        json!("Other"),
        json!("call"),
        json!("new"),
        json!("array"),
        json!("object"),
        json!("path"),
        json!("a\nb"),
        json!("été"),
        json!("!"),
        json!([]),
        json!({}),
        json!([[]]),
        json!(["string", "null"]),
        json!(["a", "A"]),
        json!({ "type": "object" }),
        json!({ "type": "array", "items": reference }),
        json!({ "type": ["object", "null"] }),
        json!({ "type": "string", "enum": ["a", "b", null] }),
        json!({ "oneOf": [reference, { "type": "null" }] }),
        json!({ "allOf": [reference], "nullable": true }),
        reference,
    ]
}

fn odd_names() -> Vec<String> {
    let names = [
        "", "type", "self", "Self", "3d", "!", "a b", "a\rb", "body", "send", "Other", "String", "é", "x-a",
        "200", "2XX", "default", "new", "call", "clone", "sample",
    ];
    names.map(str::to_owned).into()
}

fn keywords() -> Vec<(&'static str, Value)> {
    vec![
        ("nullable", json!(true)),
        ("default", json!({})),
        ("enum", json!(["a"])),
        ("enum", json!([1, 2])),
        ("format", json!("uuid")),
        ("format", json!("date-time")),
        ("const", json!("a")),
        ("minimum", json!(1)),
        ("exclusiveMaximum", json!(3)),
        ("exclusiveMinimum", json!(true)),
        ("maxItems", json!(3)),
        ("maxItems", json!(u64::MAX)),
        ("minLength", json!(u64::MAX)),
        ("uniqueItems", json!(true)),
        ("additionalProperties", json!(false)),
        ("additionalProperties", json!({ "type": "integer" })),
        ("properties", json!({ "a": {} })),
        ("items", json!({ "type": "string" })),
        ("required", json!(["a"])),
        ("oneOf", json!([])),
        ("allOf", json!([{}])),
        ("not", json!({})),
        ("pattern", json!("(")),
    ]
}

/// The pointers of a document, without its root.
fn places(document: &Value, wanted: impl Fn(&str, &Value) -> bool) -> Vec<String> {
    let mut places = Vec::new();
    support::walk(document, "", &mut |pointer, value| {
        if !pointer.is_empty() && wanted(pointer, value) {
            places.push(pointer.to_owned());
        }
    });
    places
}

fn pick<T: Clone>(from: &[T], number: usize) -> Option<T> {
    (!from.is_empty()).then(|| from[number % from.len()].clone())
}

/// The object or array around a place, and the step to it.
fn around<'a>(document: &'a mut Value, pointer: &str) -> Option<(&'a mut Value, String)> {
    let (parent, step) = pointer.rsplit_once('/')?;
    Some((
        document.pointer_mut(parent)?,
        step.replace("~1", "/").replace("~0", "~"),
    ))
}

fn members_around<'a>(
    document: &'a mut Value,
    pointer: &str,
) -> Option<(&'a mut Map<String, Value>, String)> {
    let (parent, step) = around(document, pointer)?;
    Some((parent.as_object_mut()?, step))
}

impl Mutation {
    fn apply(self, document: &mut Value) -> Option<()> {
        let anywhere = |document: &Value, number| pick(&places(document, |_, _| true), number);
        match self {
            Self::Delete { place } => {
                let pointer = anywhere(document, place)?;
                match around(document, &pointer)? {
                    (Value::Object(members), step) => drop(members.remove(&step)),
                    (Value::Array(items), step) => drop(items.remove(step.parse().ok()?)),
                    _ => {}
                }
            }
            Self::Replace { place, odd } => {
                let pointer = anywhere(document, place)?;
                *document.pointer_mut(&pointer)? = pick(&odd_values(), odd)?;
            }
            Self::Copy { place, from } => {
                let value = document.pointer(&anywhere(document, from)?)?.clone();
                let pointer = anywhere(document, place)?;
                *document.pointer_mut(&pointer)? = value;
            }
            Self::Double { place, odd } => {
                let pointer = anywhere(document, place)?;
                let (members, step) = members_around(document, &pointer)?;
                let names = [
                    step.to_uppercase(),
                    step.to_lowercase(),
                    format!("{step}2"),
                    format!("{step}_"),
                    step.replace('_', "-"),
                ];
                let value = members.get(&step)?.clone();
                members.insert(pick(&names, odd)?, value);
            }
            Self::Rename { place, odd } => {
                let pointer = anywhere(document, place)?;
                let (members, step) = members_around(document, &pointer)?;
                let value = members.remove(&step)?;
                members.insert(pick(&odd_names(), odd)?, value);
            }
            Self::Insert { place, name, odd } => {
                let pointer = pick(
                    &places(document, |_, value| value.is_object() || value.is_array()),
                    place,
                )?;
                match document.pointer_mut(&pointer)? {
                    Value::Array(items) => items.push(pick(&odd_values(), odd)?),
                    Value::Object(members) => {
                        drop(members.insert(pick(&odd_names(), name)?, pick(&odd_values(), odd)?))
                    }
                    _ => {}
                }
            }
            Self::Redirect { place, to } => {
                let schemas = document
                    .pointer("/components/schemas")
                    .and_then(Value::as_object)?;
                let target = pick(&schemas.keys().cloned().collect::<Vec<_>>(), to)?;
                let pointer = pick(
                    &places(document, |pointer, _| {
                        pointer.ends_with("/$ref") || pointer.ends_with("/type")
                    }),
                    place,
                )?;
                let (members, step) = members_around(document, &pointer)?;
                members.remove(&step);
                members.insert("$ref".to_owned(), json!(format!("#/components/schemas/{target}")));
            }
            Self::Keyword { place, keyword } => {
                let pointer = pick(&places(document, |_, value| value.get("type").is_some()), place)?;
                let (name, value) = pick(&keywords(), keyword)?;
                document
                    .pointer_mut(&pointer)?
                    .as_object_mut()?
                    .insert(name.to_owned(), value);
            }
        }
        Some(())
    }
}

/// What holds for a document whatever is wrong with it.
fn survives(document: &Value, settings: &Settings) -> Result<(), TestCaseError> {
    let canonical = match Document::parse(&document.to_string(), "mutated.json", settings) {
        Ok(canonical) => canonical,
        Err(error) => return says_where(&error, document),
    };
    let text = canonical.to_text();
    match Document::parse(&text, "again.json", settings) {
        Ok(again) => prop_assert_eq!(again.to_text(), &*text, "not a fixed point"),
        Err(error) => prop_assert!(false, "the canonical document is refused: {error}"),
    }
    if let Err(error) = serde_json::from_str::<openapiv3::OpenAPI>(&text) {
        let line = text.lines().nth(error.line().saturating_sub(1));
        prop_assert!(false, "openapiv3 cannot read it: {error}: {line:?}");
    }
    match generate(&canonical, &Selection::Everything, settings, &Docs::default()) {
        Ok(source) => {
            let model = Model::of(&source);
            prop_assert!(model.faults().is_empty(), "{:?}", model.faults());
            Ok(())
        }
        Err(error) => {
            prop_assert_ne!(error.rule(), "progenitor", "progenitor was reached: {}", error);
            prop_assert_ne!(error.rule(), "lowered", "openapi does not know it: {}", error);
            prop_assert_ne!(error.rule(), "emit", "no Rust came out: {}", error);
            says_where(&error, &canonical.value)
        }
    }
}

fn says_where(error: &Error, document: &Value) -> Result<(), TestCaseError> {
    prop_assert!(!error.rule().is_empty() && !error.message().is_empty());
    let mut steps = error.pointer().split('/').skip(1);
    if let (Some("paths"), Some(path), Some(method)) = (steps.next(), steps.next(), steps.next()) {
        let operation = document
            .pointer(&format!("/paths/{path}/{method}/operationId"))
            .and_then(Value::as_str);
        prop_assert_eq!(error.operation(), operation, "{}", error);
    }
    Ok(())
}

fn mutated(document: &Value, mutations: &[Mutation]) -> Value {
    let mut document = document.clone();
    for mutation in mutations {
        let _ = mutation.apply(&mut document);
    }
    document
}

/// The harbour with a body, a choice, a map, a list by name and a schema that holds itself.
fn busy_harbour() -> Value {
    let mut document = harbour();
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    put(
        &mut document,
        "/components/schemas/Fleet",
        json!({ "type": "array", "items": reference("Ship") }),
    );
    put(
        &mut document,
        "/components/schemas/ShipID",
        json!({ "type": "integer", "format": "int64" }),
    );
    put(
        &mut document,
        "/components/schemas/Crew",
        json!({ "type": "object", "required": ["rank"], "properties": {
        "rank": { "type": "string", "enum": ["deck", "engine", "other"] },
        "mates": { "type": "array", "items": reference("Crew") },
        "pay": { "oneOf": [
            { "type": "object", "properties": { "gold": { "type": "integer" } } },
            { "type": "object", "properties": { "goods": { "type": "array", "items": { "type": "string" } } } } ] },
        "papers": { "type": "object", "additionalProperties": { "type": ["string", "null"] } },
        "ship": reference("ShipID"), "hired": { "type": "string", "format": "date" },
    } }),
    );
    let json_of = |schema: Value| json!({ "application/json": { "schema": schema } });
    put(
        &mut document,
        "/paths/~1fleets~1{fleet_id}",
        json!({ "put": {
        "operationId": "PutFleet", "tags": ["Fleets"], "security": [{ "Login": ["ships.read"] }],
        "parameters": [
            { "in": "path", "name": "fleet_id", "required": true, "schema": reference("ShipID") },
            { "in": "query", "name": "ranks", "explode": false, "schema": { "type": "array", "items": { "type": "string", "enum": ["deck", "engine"] } } },
        ],
        "requestBody": { "required": true, "content": json_of(reference("Crew")) },
        "responses": {
            "200": { "content": json_of(reference("Fleet")), "headers": { "X-Pages": { "schema": { "type": "integer" } } } },
            "204": { "description": "" }, "default": { "content": json_of(reference("Error")) } },
        "x-rate-limit": { "group": "fleets", "max-tokens": 15, "window-size": "15m" },
        "x-required-roles": ["Captain"], "x-client-cache-ttl": 60, "x-pagination": "cursor",
    } }),
    );
    document
}

/// Some of ESI, cut small so that a case is quick.
static ESI: LazyLock<Value> = LazyLock::new(|| {
    let text = support::upstream(support::OPENAPI_31).unwrap_or_else(support::committed);
    cut(
        &serde_json::from_str(&text).expect("JSON"),
        &["Status", "Paragon Hub", "Contracts", "User Interface"],
    )
});

static SWAGGER: LazyLock<Option<Value>> = LazyLock::new(|| {
    let text = support::upstream(support::SWAGGER)?;
    let mut document = cut(
        &serde_json::from_str(&text).expect("JSON"),
        &["Status", "Search", "Routes", "Opportunities"],
    );
    support::take_out(&mut document, "/components");
    Some(document)
});

/// A modest number of cases; `PROPTEST_CASES` asks for another. A failure prints what leads to it.
fn config(cases: u32) -> ProptestConfig {
    let by_default = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_some() {
        by_default
    } else {
        ProptestConfig { cases, ..by_default }
    }
}

#[test]
fn the_documents_are_sound_before_they_are_changed() {
    for document in [Some(&busy_harbour()), Some(&*ESI), SWAGGER.as_ref()]
        .into_iter()
        .flatten()
    {
        let source = support::source(document).unwrap_or_else(|error| panic!("{error}"));
        Model::of(&source).sound();
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn of_a_small_document(mutations in prop::collection::vec(mutation(), 1..4)) {
        survives(&mutated(&busy_harbour(), &mutations), &support::plain_settings())?;
    }
}

proptest! {
    #![proptest_config(config(30))]

    #[test]
    fn of_esi(mutations in prop::collection::vec(mutation(), 1..4)) {
        survives(&mutated(&ESI, &mutations), &support::esi_settings())?;
    }

    #[test]
    fn of_swagger(mutations in prop::collection::vec(mutation(), 1..4)) {
        if let Some(document) = &*SWAGGER {
            survives(&mutated(document, &mutations), &support::esi_settings())?;
        }
    }
}

//! The canonical form as a whole: a fixed point, whatever way a document was written.

use crate::support::{self, harbour, ship_with};
use esikit_codegen::document::Document;
use serde_json::{Value, json};

fn text_of(document: &str) -> String {
    Document::parse(document, "test", &support::esi_settings())
        .unwrap_or_else(|error| panic!("{error}"))
        .to_text()
}

/// JSON text with the members of every object turned round, and the order of what has none as well.
fn turned(value: &Value) -> String {
    turned_in(value, "")
}

fn turned_in(value: &Value, key: &str) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .rev()
                .map(|(key, value)| format!("{}: {}", json!(key), turned_in(value, key)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(items) => {
            let mut items: Vec<String> = items.iter().map(|item| turned_in(item, "")).collect();
            if matches!(
                key,
                "enum" | "required" | "parameters" | "x-required-roles" | "OAuth2"
            ) {
                items.reverse();
            }
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

#[test]
fn twice_gives_the_same_bytes() {
    let mut texts = vec![harbour().to_string(), older().to_string()];
    texts.extend(support::upstream(support::OPENAPI_31));
    texts.extend(support::upstream(support::SWAGGER));
    for text in texts {
        let once = text_of(&text);
        assert!(text_of(&once) == once, "the second time gives another document");
    }
}

/// OpenAPI 3.0, with what only it has.
fn older() -> Value {
    let schema = json!({ "allOf": [{ "$ref": "#/components/schemas/Error" }], "nullable": true });
    let mut document = ship_with("last_error", schema);
    document["openapi"] = json!("3.0.2");
    let length = json!({ "type": "number", "nullable": true, "minimum": 0, "exclusiveMinimum": true });
    document["components"]["schemas"]["Ship"]["properties"]["length"] = length;
    document
}

#[test]
fn openapi_3_0_and_3_1_meet() {
    let mut newer = older();
    newer["openapi"] = json!("3.1.0");
    let properties = &mut newer["components"]["schemas"]["Ship"]["properties"];
    properties["length"] = json!({ "type": ["number", "null"], "exclusiveMinimum": 0 });
    properties["last_error"] =
        json!({ "oneOf": [{ "$ref": "#/components/schemas/Error" }, { "type": "null" }] });
    assert_eq!(text_of(&newer.to_string()), text_of(&older().to_string()));
}

#[test]
fn order_says_nothing() {
    let mut texts = vec![harbour().to_string(), older().to_string(), support::committed()];
    texts.extend(support::upstream(support::OPENAPI_31));
    texts.extend(support::upstream(support::SWAGGER));
    for text in texts {
        let turned = turned(&serde_json::from_str(&text).expect("JSON"));
        assert_ne!(turned, text);
        assert!(
            text_of(&turned) == text_of(&text),
            "another order gives another document"
        );
    }
}

#[test]
fn the_committed_document_is_a_fixed_point() {
    let text = support::committed();
    assert!(
        text_of(&text) == text,
        "run `cargo xtask codegen` to write spec/esi.json anew"
    );
}

#[test]
fn the_committed_document_is_made_from_upstream_s() {
    let Some(upstream) = support::upstream(support::OPENAPI_31) else {
        return;
    };
    assert!(
        text_of(&upstream) == support::committed(),
        "spec/esi.json is not what codegen makes of the document"
    );
}

#[test]
fn openapiv3_reads_it() {
    let mut texts = vec![harbour().to_string(), older().to_string(), support::committed()];
    texts.extend(support::upstream(support::SWAGGER));
    for text in texts {
        let canonical = text_of(&text);
        let read: openapiv3::OpenAPI = serde_json::from_str(&canonical).expect("an OpenAPI 3.0.3 document");
        assert_eq!(read.openapi, "3.0.3");
        let again = serde_json::to_value(&read).expect("JSON");
        let first: Value = serde_json::from_str(&canonical).expect("JSON");
        assert_eq!(
            again["paths"].as_object().map(serde_json::Map::len),
            first["paths"].as_object().map(serde_json::Map::len)
        );
    }
}

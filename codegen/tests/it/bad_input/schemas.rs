//! Keywords of schemas.

use super::*;

#[test]
fn schemas() {
    let list = |items: Value| json!({ "type": "array", "items": items });
    check(vec![
        (
            "nested lists",
            ship_with("a", list(list(list(json!({ "type": "integer" }))))),
            Builds,
        ),
        (
            "nested lists of objects",
            ship_with("a", list(list(object(json!({ "b": text() }))))),
            Builds,
        ),
        (
            "a list of anything",
            ship_with("a", json!({ "type": "array" })),
            Builds,
        ),
        (
            "a map",
            ship_with(
                "a",
                json!({ "type": "object", "additionalProperties": { "type": "integer" } }),
            ),
            Builds,
        ),
        (
            "a map of objects",
            ship_with(
                "a",
                json!({ "additionalProperties": object(json!({ "b": text() })) }),
            ),
            Builds,
        ),
        (
            "a map of lists",
            ship_with(
                "a",
                json!({ "type": "object", "additionalProperties": list(text()) }),
            ),
            Builds,
        ),
        (
            "a free-form object",
            ship_with("a", json!({ "type": "object" })),
            Builds,
        ),
        (
            "an object without properties",
            ship_with("a", json!({ "type": "object", "properties": {} })),
            Builds,
        ),
        (
            "properties and a map",
            ship_with(
                "a",
                json!({ "type": "object", "properties": { "b": text() },
            "additionalProperties": text() }),
            ),
            Builds,
        ),
        ("anything", ship_with("a", json!({})), Builds),
        ("true", ship_with("a", json!(true)), Builds),
        ("false", ship_with("a", json!(false)), Builds),
        (
            "a text",
            ship_with("a", json!("text")),
            Fails("type", "/properties/a", None),
        ),
        (
            "null",
            ship_with("a", json!({ "type": "null" })),
            Fails("type", "/properties/a/type", None),
        ),
        (
            "two types",
            ship_with("a", json!({ "type": ["string", "integer"] })),
            Fails("type", "/a/type", None),
        ),
        (
            "no type in a list",
            ship_with("a", json!({ "type": [] })),
            Fails("type", "/a/type", None),
        ),
        (
            "an unknown type",
            ship_with("a", json!({ "type": "file" })),
            Fails("type", "/a/type", None),
        ),
        (
            "a keyword that is not supported",
            ship_with("a", json!({ "not": {} })),
            Fails("keyword", "/a", None),
        ),
        (
            "required but no property",
            ship_with("a", json!({ "type": "object", "required": ["b"] })),
            Fails("required", "/a/required/0", None),
        ),
        (
            "a choice of texts",
            ship_with("a", json!({ "oneOf": [text(), { "type": "integer" }] })),
            Fails("one-of", "/a/oneOf/0", None),
        ),
        (
            "a choice of nothing",
            ship_with("a", json!({ "oneOf": [] })),
            Fails("one-of", "/a/oneOf", None),
        ),
        (
            "a choice of null",
            ship_with("a", json!({ "oneOf": [{ "type": "null" }] })),
            Fails("one-of", "/a/oneOf", None),
        ),
        (
            "a choice with properties beside",
            ship_with(
                "a",
                json!({ "oneOf": [object(json!({ "b": text() })),
            object(json!({ "c": text() }))], "properties": { "d": text() } }),
            ),
            Fails("keyword", "/a", None),
        ),
        (
            "two kinds of choice",
            ship_with("a", json!({ "oneOf": [text()], "anyOf": [text()] })),
            Fails("keyword", "/a", None),
        ),
        (
            "one tag twice",
            ship_with(
                "a",
                json!({ "oneOf": [object(json!({ "b": text() })), object(json!({ "b": text() }))] }),
            ),
            Fails("one-of", "/a/oneOf/1", None),
        ),
        (
            "tags of one name",
            ship_with(
                "a",
                json!({ "oneOf": [object(json!({ "b_c": text() })),
            object(json!({ "b-c": text() }))] }),
            ),
            Fails("name", "/Ship/properties/a", None),
        ),
        (
            "allOf of two",
            ship_with("a", json!({ "allOf": [text(), text()] })),
            Fails("all-of", "/a/allOf", None),
        ),
        (
            "allOf with properties beside",
            ship_with(
                "a",
                json!({ "allOf": [{ "$ref": "#/components/schemas/Error" }],
            "properties": { "d": text() } }),
            ),
            Fails("keyword", "/a", None),
        ),
        (
            "a bound of text",
            ship_with("a", json!({ "type": "integer", "minimum": "1" })),
            Fails("type", "/a/minimum", None),
        ),
        (
            "half a length",
            ship_with("a", json!({ "type": "string", "maxLength": 1.5 })),
            Fails("type", "/a/maxLength", None),
        ),
        (
            "a negative length",
            ship_with("a", json!({ "type": "array", "minItems": -1 })),
            Fails("type", "/a/minItems", None),
        ),
        (
            "a format that is no text",
            ship_with("a", json!({ "type": "string", "format": 1 })),
            Fails("type", "/a/format", None),
        ),
    ]);
}

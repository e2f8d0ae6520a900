//! Parameters, and what a URL can carry.

use super::*;

#[test]
fn parameters() {
    let list = |items: Value| json!({ "type": "array", "items": items });
    let path = |schema: Value| harbour_with(&format!("{LIST}/parameters/0/schema"), schema);
    check(vec![
        (
            "a header that is not lifted",
            with_parameter(json!({ "in": "header", "name": "X-Flag", "schema": text() })),
            Fails("parameter", "/parameters/2", NAMED),
        ),
        (
            "a cookie",
            with_parameter(json!({ "in": "cookie", "name": "a", "schema": text() })),
            Fails("parameter", "/parameters/2", NAMED),
        ),
        (
            "twice",
            with_query("flag", text()),
            Fails("parameter", "/parameters/2", NAMED),
        ),
        (
            "equal in snake case",
            with_query("Flag", text()),
            Fails("parameter", "/parameters/2", NAMED),
        ),
        (
            "an empty name",
            with_query("", text()),
            Fails("parameter", "/parameters/2", NAMED),
        ),
        (
            "symbols",
            with_query("!", text()),
            Fails("parameter", "/parameters/2", NAMED),
        ),
        ("a digit first", with_query("3d", text()), Builds),
        (
            "other letters",
            with_query("été", text()),
            Fails("parameter", "/parameters/2", NAMED),
        ),
        ("brackets", with_query("filter[a]", text()), Builds),
        (
            "a line break",
            with_query("a\nb", text()),
            Fails("text", "/parameters/0/name", NAMED),
        ),
        ("a keyword", with_query("type", text()), Builds),
        ("self", with_query("self", text()), Builds),
        ("a digit inside", with_query("page_2B", text()), Builds),
        ("send", with_query("send", text()), Builds),
        ("timeout", with_query("timeout", text()), Builds),
        ("value", with_query("value", text()), Builds),
        ("body without a body", with_query("body", text()), Builds),
        (
            "body beside a body",
            {
                let mut document = with_query("body", text());
                put(
                    &mut document,
                    &format!("{LIST}/requestBody"),
                    json!({ "content": { "application/json": { "schema": text() } } }),
                );
                document
            },
            Fails("parameter", "/parameters/2", NAMED),
        ),
        (
            "an object",
            with_query("filter", object(json!({ "a": text() }))),
            Fails("parameter", LIST, NAMED),
        ),
        (
            "an object by name",
            with_query("filter", json!({ "$ref": "#/components/schemas/Ship" })),
            Fails("parameter", LIST, NAMED),
        ),
        (
            "a free-form object",
            with_query("filter", json!({ "type": "object" })),
            Fails("parameter", LIST, NAMED),
        ),
        (
            "a map",
            with_query(
                "filter",
                json!({ "type": "object", "additionalProperties": text() }),
            ),
            Fails("parameter", LIST, NAMED),
        ),
        (
            "anything",
            with_query("filter", json!({})),
            Fails("parameter", LIST, NAMED),
        ),
        ("a list", with_query("ids", list(text())), Builds),
        (
            "a list of an enum",
            with_query("ids", list(json!({ "type": "string", "enum": ["a"] }))),
            Builds,
        ),
        (
            "a list of anything",
            with_query("ids", list(json!({}))),
            Fails("parameter", LIST, NAMED),
        ),
        (
            "a list of objects",
            with_query("ids", list(object(json!({ "a": text() })))),
            Fails("parameter", LIST, NAMED),
        ),
        (
            "a list of lists",
            with_query("ids", list(list(text()))),
            Fails("parameter", LIST, NAMED),
        ),
        (
            "a list of what may be null",
            with_query("ids", list(json!({ "type": ["string", "null"] }))),
            Fails("parameter", LIST, NAMED),
        ),
        (
            "what may be null",
            with_query("ids", json!({ "type": ["string", "null"] })),
            Builds,
        ),
        (
            "a list in the path",
            path(list(text())),
            Fails("parameter", LIST, NAMED),
        ),
        (
            "an object in the path",
            path(object(json!({ "a": text() }))),
            Fails("parameter", LIST, NAMED),
        ),
        (
            "null in the path",
            path(json!({ "type": ["integer", "null"] })),
            Fails("parameter", LIST, NAMED),
        ),
        (
            "a default in the path",
            path(json!({ "type": "integer", "default": 1 })),
            Builds,
        ),
        (
            "an enum in the path",
            path(json!({ "type": "string", "enum": ["a"] })),
            Builds,
        ),
        (
            "no schema",
            with_parameter(json!({ "in": "query", "name": "a" })),
            Fails("member", "/parameters/2", NAMED),
        ),
        (
            "no name",
            with_parameter(json!({ "in": "query", "schema": text() })),
            Fails("member", "/parameters/2", NAMED),
        ),
        (
            "a number",
            with_parameter(json!(1)),
            Fails("member", "/parameters/2", NAMED),
        ),
    ]);
}

#[test]
fn a_path_item_s_parameter_gives_way_to_the_operation_s_own() {
    let mut document = harbour();
    let shared =
        json!([{ "in": "query", "name": "flag", "required": true, "schema": { "type": "integer" } }]);
    put(
        &mut document,
        "/paths/~1ports~1{port_id}~1ships/parameters",
        shared,
    );
    let model = Model::of(&support::source(&document).expect("it builds")).sound();
    assert!(
        model.setters.contains_key("GetPortShips::flag"),
        "{:?}",
        model.setters
    );
}

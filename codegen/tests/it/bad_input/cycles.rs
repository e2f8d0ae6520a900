//! Schemas that hold themselves.

use super::*;

#[test]
fn cycles() {
    let part = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let node = |required: Value, child: Value| {
        let mut node = object(json!({ "child": child }));
        node["required"] = required;
        with_schema("Node", node)
    };
    let alias = |schema: Value| with_schema("Loop", schema);
    let nullable = json!({ "oneOf": [part("Node"), { "type": "null" }] });
    check(vec![
        ("optional property", node(json!([]), part("Node")), Builds),
        ("nullable property", node(json!(["child"]), nullable), Builds),
        (
            "list",
            node(
                json!(["child"]),
                json!({ "type": "array", "items": part("Node") }),
            ),
            Builds,
        ),
        (
            "map",
            node(
                json!(["child"]),
                json!({ "type": "object", "additionalProperties": part("Node") }),
            ),
            Builds,
        ),
        (
            "no value is finite",
            node(json!(["child"]), part("Node")),
            Fails("cycle", "/components/schemas/Node", None),
        ),
        (
            "alias of itself",
            alias(part("Loop")),
            Fails("cycle", "/components/schemas/Loop", None),
        ),
        (
            "alias by allOf",
            alias(json!({ "allOf": [part("Loop")], "nullable": true })),
            Fails("cycle", "/components/schemas/Loop", None),
        ),
        (
            "list of itself",
            alias(json!({ "type": "array", "items": part("Loop") })),
            Fails("cycle", "/components/schemas/Loop", None),
        ),
        (
            "map of itself",
            alias(json!({ "type": "object", "additionalProperties": part("Loop") })),
            Fails("cycle", "/components/schemas/Loop", None),
        ),
    ]);
}

#[test]
fn a_cycle_is_boxed() {
    let node = json!({ "type": "object", "properties": { "next": { "$ref": "#/components/schemas/Node" } } });
    let source = support::source(&with_schema("Node", node)).expect("a list of nodes is finite");
    assert_eq!(
        Model::of(&source).sound().members("Node"),
        [r#"next: Option<Box<Node>> = opt "next""#]
    );
}

#[test]
fn two_schemas_may_hold_each_other() {
    let mut document = with_schema(
        "Left",
        object(json!({ "right": { "$ref": "#/components/schemas/Right" } })),
    );
    put(
        &mut document,
        "/components/schemas/Right",
        object(json!({ "left": { "$ref": "#/components/schemas/Left" } })),
    );
    check(vec![("left and right", document.clone(), Builds)]);
    put(
        &mut document,
        "/components/schemas/Left/required",
        json!(["right"]),
    );
    check(vec![("one of them optional", document.clone(), Builds)]);
    put(
        &mut document,
        "/components/schemas/Right/required",
        json!(["left"]),
    );
    check(vec![(
        "none of them finite",
        document,
        Fails("cycle", "/components/schemas/", None),
    )]);
}

#[test]
fn a_choice_that_holds_itself_ends_with_its_first_variant() {
    let choice = json!({ "oneOf": [
        { "type": "object", "properties": { "again": { "$ref": "#/components/schemas/Branch" } } },
        { "type": "object", "properties": { "end": { "type": "string" } } },
    ] });
    let source = support::source(&with_schema("Branch", choice)).expect("it ends with `end`");
    assert_eq!(Model::of(&source).sound().wires("Branch"), ["end", "again"]);
    let endless = json!({ "oneOf": [
        { "type": "object", "properties": { "again": { "$ref": "#/components/schemas/Branch" } } },
        { "type": "object", "properties": { "more": { "$ref": "#/components/schemas/Branch" } } },
    ] });
    check(vec![(
        "endless",
        with_schema("Branch", endless),
        Fails("cycle", "/components/schemas/Branch", None),
    )]);
}

//! Input that is wrong, or only odd: it builds, or an error says where and by which rule.

use crate::source::Model;
use crate::support::{self, LIST, SHIP, harbour, harbour_with, operation, put, ship_with};
use esikit_codegen::document::Document;
use esikit_codegen::settings::Settings;
use serde_json::{Value, json};

use Expected::{Builds, Fails};

/// What is to become of a document.
enum Expected {
    /// Source comes out, and its names hold together.
    Builds,
    /// An error comes out: its rule, a part of its pointer, its operation.
    Fails(&'static str, &'static str, Option<&'static str>),
}

type Case = (&'static str, Value, Expected);

fn check(cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for (name, document, expected) in cases {
        if let Err(problem) = outcome(&document, &expected) {
            wrong.push(format!("{name}: {problem}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn outcome(document: &Value, expected: &Expected) -> Result<(), String> {
    match (support::source(document), expected) {
        (Ok(source), Builds) => match Model::of(&source).faults() {
            [] => Ok(()),
            faults => Err(format!("it builds, but {}", faults.join("; "))),
        },
        (Ok(_), Fails(rule, ..)) => Err(format!("it builds; expected an error of the rule {rule}")),
        (Err(error), Builds) => Err(format!("it does not build: {error}")),
        (Err(error), Fails(rule, pointer, operation)) => {
            let shown = error.to_string();
            let told = error.rule() == *rule
                && error.pointer().contains(pointer)
                && error.operation() == *operation
                && operation.is_none_or(|operation| shown.contains(operation))
                && shown.starts_with(&format!("harbour.json#{}", error.pointer()))
                && shown.contains(rule);
            told.then_some(()).ok_or(format!("the error is another: {shown}"))
        }
    }
}

const NAMED: Option<&str> = Some("GetPortShips");

/// The harbour's operation under another id.
fn with_id(id: &str) -> Value {
    harbour_with(&format!("{LIST}/operationId"), json!(id))
}

fn with_tag(tag: Value) -> Value {
    harbour_with(&format!("{LIST}/tags"), tag)
}

/// The harbour with a second operation.
fn with_second(id: &str) -> Value {
    harbour_with(
        "/paths/~1second",
        json!({ "get": operation(id, "Ships", json!({ "type": "string" })) }),
    )
}

/// The harbour with another parameter.
fn with_parameter(parameter: Value) -> Value {
    harbour_with(&format!("{LIST}/parameters/-"), parameter)
}

fn query(name: &str, schema: Value) -> Value {
    json!({ "in": "query", "name": name, "schema": schema })
}

fn with_query(name: &str, schema: Value) -> Value {
    with_parameter(query(name, schema))
}

/// The harbour with a schema of this name, as part of a ship.
fn with_schema(name: &str, schema: Value) -> Value {
    let mut document = ship_with("part", json!({ "$ref": format!("#/components/schemas/{name}") }));
    put(&mut document, &format!("/components/schemas/{name}"), schema);
    document
}

fn with_values(values: Value) -> Value {
    ship_with("kind", json!({ "type": "string", "enum": values }))
}

fn object(properties: Value) -> Value {
    json!({ "type": "object", "properties": properties })
}

fn text() -> Value {
    json!({ "type": "string" })
}

#[test]
fn text_that_is_no_document() {
    let whole = harbour().to_string();
    let truncated = &whole[..whole.len() / 2];
    for (text, rule) in [
        ("", "json"),
        ("<html>", "json"),
        (truncated, "json"),
        ("[]", "type"),
        ("null", "type"),
        ("{}", "dialect"),
        (r#"{ "openapi": "3.2.0" }"#, "dialect"),
        (r#"{ "openapi": 3.1 }"#, "dialect"),
        (r#"{ "swagger": "1.2" }"#, "dialect"),
        (r#"{ "openapi": "3.1.0" }"#, "member"),
        (r#"{ "swagger": "2.0" }"#, "member"),
        (r#"{ "openapi": "3.1.0", "info": {}, "paths": [] }"#, "type"),
        (r#"{ "openapi": "3.1.0", "info": {}, "paths": {} }"#, "member"),
    ] {
        let error = Document::parse(text, "spec.json", &support::plain_settings()).expect_err(text);
        assert_eq!(error.rule(), rule, "{text}: {error}");
        assert_eq!(error.file(), Some("spec.json"));
        assert!(error.to_string().starts_with("spec.json#"), "{error}");
    }
}

#[test]
fn references() {
    let to = |target: &str| ship_with("part", json!({ "$ref": target }));
    let response = |target: &str| harbour_with(&format!("{LIST}/responses/200"), json!({ "$ref": target }));
    check(vec![
        (
            "schema nowhere",
            to("#/components/schemas/Nowhere"),
            Fails("reference", "/Ship/properties/part/$ref", None),
        ),
        (
            "elsewhere",
            to("other.json#/Ship"),
            Fails("reference", "/Ship/properties/part/$ref", None),
        ),
        (
            "whole document",
            to("#"),
            Fails("reference", "/Ship/properties/part/$ref", None),
        ),
        (
            "part of a schema",
            to("#/components/schemas/Ship/properties/name"),
            Fails("reference", "/part/$ref", None),
        ),
        (
            "no text",
            ship_with("part", json!({ "$ref": 7 })),
            Fails("type", "/part/$ref", None),
        ),
        (
            "response nowhere",
            response("#/components/responses/No"),
            Fails("reference", "/responses/200/$ref", NAMED),
        ),
        (
            "parameter nowhere",
            with_parameter(json!({ "$ref": "#/components/parameters/No" })),
            Fails("reference", "/parameters/2/$ref", NAMED),
        ),
        (
            "body nowhere",
            harbour_with(
                &format!("{LIST}/requestBody"),
                json!({ "$ref": "#/components/requestBodies/No" }),
            ),
            Fails("reference", "/requestBody/$ref", NAMED),
        ),
        (
            "answer nowhere",
            harbour_with(
                &format!("{LIST}/responses/200/content/application~1json/schema"),
                json!({ "$ref": "#/components/schemas/No" }),
            ),
            Fails("reference", "/schema/$ref", NAMED),
        ),
        (
            "schema of an odd name",
            with_schema("a b", object(json!({}))),
            Fails("schema-name", "/schemas/a b", None),
        ),
        (
            "schema without a name",
            with_schema("", object(json!({}))),
            Fails("schema-name", "/schemas/", None),
        ),
    ]);
}

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

#[test]
fn operation_ids() {
    let mut without = harbour();
    support::take_out(&mut without, &format!("{LIST}/operationId"));
    check(vec![
        (
            "twice",
            with_second("GetPortShips"),
            Fails("operation-id", "/paths/~1second/get", NAMED),
        ),
        (
            "equal in snake case",
            with_second("get_port_ships"),
            Fails("operation-id", "/~1second/get", Some("get_port_ships")),
        ),
        (
            "equal but for a digit",
            {
                let mut document = with_second("Get_1A");
                put(
                    &mut document,
                    "/paths/~1third",
                    json!({ "get": operation("Get_1a", "Ships", text()) }),
                );
                document
            },
            Fails("operation-id", "/paths/~1third/get", Some("Get_1a")),
        ),
        (
            "one marker",
            {
                let mut document = with_second("get_1A");
                put(
                    &mut document,
                    "/paths/~1third",
                    json!({ "get": operation("get1A", "Ships", text()) }),
                );
                document
            },
            Fails("operation-id", "/paths/~1third/get", Some("get1A")),
        ),
        ("none", without, Fails("member", LIST, None)),
        (
            "a number",
            harbour_with(&format!("{LIST}/operationId"), json!(5)),
            Fails("type", LIST, None),
        ),
        ("empty", with_id(""), Fails("operation-id", LIST, Some(""))),
        ("symbols", with_id("!?"), Fails("operation-id", LIST, Some("!?"))),
        (
            "a digit first",
            with_id("3Ports"),
            Fails("operation-id", LIST, Some("3Ports")),
        ),
        (
            "a line break",
            with_id("Get\nPort"),
            Fails("text", LIST, Some("Get\nPort")),
        ),
        ("type", with_id("type"), Builds),
        ("match", with_id("Match"), Builds),
        ("self", with_id("self"), Fails("operation-id", LIST, Some("self"))),
        ("Self", with_id("Self"), Fails("operation-id", LIST, Some("Self"))),
        ("crate", with_id("crate"), Builds),
        ("super", with_id("super"), Builds),
        (
            "prelude type",
            with_id("Vec"),
            Fails("operation-id", LIST, Some("Vec")),
        ),
        (
            "runtime type",
            with_id("request"),
            Fails("operation-id", LIST, Some("request")),
        ),
        ("as a schema", with_id("Ship"), Builds),
    ]);
}

#[test]
fn tags() {
    let mut without = harbour();
    support::take_out(&mut without, &format!("{LIST}/tags"));
    check(vec![
        ("no tags", without, Fails("tag", LIST, NAMED)),
        ("an empty list", with_tag(json!([])), Fails("tag", LIST, NAMED)),
        (
            "an empty name",
            with_tag(json!([""])),
            Fails("tag", "/tags/0", NAMED),
        ),
        ("symbols", with_tag(json!(["--"])), Fails("tag", "/tags/0", NAMED)),
        ("a number", with_tag(json!([3])), Fails("type", "/tags/0", NAMED)),
        ("a text", with_tag(json!("Ships")), Fails("type", "/tags", NAMED)),
        (
            "a line break",
            with_tag(json!(["Ships\r"])),
            Fails("text", "/tags/0", NAMED),
        ),
        ("a keyword", with_tag(json!(["type"])), Builds),
        ("Self", with_tag(json!(["Self"])), Builds),
        (
            "the shared module",
            with_tag(json!(["Shared"])),
            Fails("tag", "/tags/0", NAMED),
        ),
        ("several", with_tag(json!(["Ships", "Other"])), Builds),
        (
            "two of one module",
            {
                let mut document = with_tag(json!(["Big Ships"]));
                put(
                    &mut document,
                    "/paths/~1second",
                    json!({ "get": operation("GetSecond", "big-ships", text()) }),
                );
                document
            },
            Builds,
        ),
    ]);
}

#[test]
fn schemas_named_like_what_is_there_already() {
    let names = [
        "Option",
        "Vec",
        "String",
        "Result",
        "Box",
        "Some",
        "None",
        "Ok",
        "Err",
        "Error",
        "Self",
        "i64",
        "str",
        "bool",
        "self",
        "type",
        "Default",
        "Debug",
        "Clone",
        "Send",
        "AsRef",
        "IntoIterator",
        "Iterator",
        "Into",
        "From",
        "BTreeMap",
        "Value",
        "DateTime",
        "Esi",
        "Request",
        "Operation",
        "Scope",
        "Bound",
        "GetPortShips",
        "3D",
        "_",
        "ABCShip",
        "x.y-z",
    ];
    check(
        names
            .map(|name| {
                (
                    name,
                    with_schema(name, object(json!({ "a": { "type": "string" } }))),
                    Builds,
                )
            })
            .into(),
    );
    check(
        names
            .map(|name| {
                (
                    name,
                    with_schema(name, json!({ "type": "string", "enum": ["a"] })),
                    Builds,
                )
            })
            .into(),
    );
}

#[test]
fn schemas_that_would_be_one_type() {
    let mut document = ship_with("type_id", json!({ "type": "string", "enum": ["a"] }));
    for name in ["ShipTypeID", "ShipTypeId", "Ship_Type_id", "SHIPTYPEID"] {
        put(
            &mut document,
            &format!("/components/schemas/{name}"),
            object(json!({ "a": text() })),
        );
        let properties = document
            .pointer_mut(&format!("{SHIP}/properties"))
            .expect("properties");
        properties[name] = json!({ "$ref": format!("#/components/schemas/{name}") });
        properties[name.to_lowercase().as_str()] = json!(null);
        properties
            .as_object_mut()
            .expect("an object")
            .remove(name.to_lowercase().as_str());
    }
    let properties = document
        .pointer_mut(&format!("{SHIP}/properties"))
        .and_then(Value::as_object_mut);
    let renamed: Vec<Value> = properties.expect("properties").values().cloned().collect();
    let properties = renamed
        .into_iter()
        .enumerate()
        .map(|(index, value)| (format!("part_{index}"), value));
    put(
        &mut document,
        &format!("{SHIP}/properties"),
        Value::Object(properties.collect()),
    );
    put(&mut document, &format!("{SHIP}/required"), json!([]));
    check(vec![("four type ids", document, Builds)]);
}

#[test]
fn enum_values() {
    check(vec![
        ("Other", with_values(json!(["Other", "barge"])), Builds),
        (
            "Other and Unlisted",
            with_values(json!(["Other", "Unlisted"])),
            Builds,
        ),
        (
            "every name of the rest",
            with_values(json!(["Other", "Unlisted", "NotInSpecification", "NoneOfThese"])),
            Builds,
        ),
        (
            "unknown",
            with_values(json!(["unknown", "Unknown"])),
            Fails("name", "/Ship/properties/kind", None),
        ),
        ("one unknown", with_values(json!(["unknown"])), Builds),
        ("empty text", with_values(json!(["", "barge"])), Builds),
        ("symbols", with_values(json!(["!?", "barge"])), Builds),
        (
            "several of symbols",
            with_values(json!(["!", "?"])),
            Fails("name", "/Ship/properties/kind", None),
        ),
        ("signs", with_values(json!(["+1", "-1", "<="])), Builds),
        (
            "keywords",
            with_values(json!(["type", "Self", "self", "crate"])),
            Fails("name", "/Ship/properties/kind", None),
        ),
        ("one Self", with_values(json!(["Self", "type"])), Builds),
        ("digits", with_values(json!(["1", "20", "3d"])), Builds),
        (
            "equal after cleaning",
            with_values(json!(["a b", "a-b"])),
            Fails("name", "/Ship/properties/kind", None),
        ),
        (
            "told apart by what is cleaned",
            with_values(json!(["a b", "ab"])),
            Builds,
        ),
        (
            "equal but for case",
            with_values(json!(["tug", "TUG"])),
            Fails("name", "/Ship/properties/kind", None),
        ),
        ("other letters", with_values(json!(["été", "船"])), Builds),
        ("quotes", with_values(json!(["a\"b", "c\\d", "`"])), Builds),
        (
            "a line break",
            with_values(json!(["a\nb"])),
            Fails("text", "/kind/enum/0", None),
        ),
        (
            "a carriage return",
            with_values(json!(["a\rb"])),
            Fails("text", "/kind/enum/0", None),
        ),
        ("none", with_values(json!([])), Fails("enum", "/kind/enum", None)),
        (
            "only null",
            with_values(json!([null])),
            Fails("enum", "/kind/enum", None),
        ),
        ("null among them", with_values(json!(["a", null])), Builds),
        ("twice", with_values(json!(["a", "a"])), Builds),
        (
            "numbers in text",
            with_values(json!(["a", 1])),
            Fails("enum", "/kind/enum", None),
        ),
        (
            "integers",
            ship_with("deck", json!({ "type": "integer", "enum": [1, 2, 3] })),
            Builds,
        ),
        (
            "text among integers",
            ship_with("deck", json!({ "type": "integer", "enum": [1, "a"] })),
            Fails("enum", "/deck/enum", None),
        ),
        (
            "booleans",
            ship_with("open", json!({ "type": "boolean", "enum": [true] })),
            Builds,
        ),
        (
            "no type",
            ship_with("open", json!({ "enum": ["a", "b"] })),
            Builds,
        ),
        (
            "no list",
            ship_with("open", json!({ "type": "string", "enum": "a" })),
            Fails("type", "/open/enum", None),
        ),
    ]);
}

#[test]
fn property_names() {
    let named = |names: &[&str]| {
        let properties = names.iter().map(|name| ((*name).to_owned(), text()));
        with_schema("Part", object(Value::Object(properties.collect())))
    };
    check(vec![
        (
            "keywords",
            named(&["type", "ref", "match", "crate", "super", "self", "Self"]),
            Fails("name", "/components/schemas/Part", None),
        ),
        (
            "keywords apart",
            named(&[
                "type", "ref", "match", "crate", "super", "self", "async", "try", "gen", "_",
            ]),
            Builds,
        ),
        (
            "equal in snake case",
            named(&["type_id", "typeId"]),
            Fails("name", "/components/schemas/Part", None),
        ),
        ("digits first", named(&["3d", "2d"]), Builds),
        ("empty", named(&["", "a"]), Builds),
        ("symbols", named(&["!", "a"]), Builds),
        (
            "two of symbols",
            named(&["!", "?"]),
            Fails("name", "/components/schemas/Part", None),
        ),
        (
            "a line break",
            named(&["a\nb"]),
            Fails("text", "/Part/properties/a\nb", None),
        ),
        (
            "methods of everything",
            named(&["new", "sample", "clone", "default"]),
            Builds,
        ),
        (
            "locals of the macro",
            named(&["map", "from", "into", "depth", "value"]),
            Builds,
        ),
    ]);
}

#[test]
fn paths() {
    let at = |path: &str| {
        let mut document = harbour();
        let item = support::take_out(&mut document["paths"], "/~1ports~1{port_id}~1ships");
        document["paths"][path] = item;
        document
    };
    let mut optional = harbour();
    put(
        &mut optional,
        &format!("{LIST}/parameters/0/required"),
        json!(false),
    );
    check(vec![
        (
            "parameter missing in the path",
            at("/ports/ships"),
            Fails("path", "/paths/~1ports~1ships/get", NAMED),
        ),
        (
            "another parameter in the path",
            at("/ports/{port}/ships"),
            Fails("path", "/get", NAMED),
        ),
        (
            "half a segment",
            at("/ports/a{port_id}/ships"),
            Fails("path", "/get", NAMED),
        ),
        (
            "an open brace",
            at("/ports/{port_id/ships"),
            Fails("path", "/get", NAMED),
        ),
        ("no slash", at("ports/{port_id}"), Fails("path", "/get", NAMED)),
        (
            "twice in the path",
            at("/{port_id}/{port_id}"),
            Fails("path", "/get", NAMED),
        ),
        (
            "a query in the path",
            at("/ports/{port_id}?a=b"),
            Fails("path", "/get", NAMED),
        ),
        (
            "a backtick",
            at("/ports/{port_id}/`"),
            Fails("path", "/get", NAMED),
        ),
        (
            "a space",
            at("/ports/{port_id}/a b"),
            Fails("path", "/get", NAMED),
        ),
        ("optional", optional, Fails("parameter", "/parameters/0", NAMED)),
        (
            "an unknown method",
            harbour_with(
                "/paths/~1second",
                json!({ "head": operation("Head", "Ships", text()) }),
            ),
            Fails("method", "/paths/~1second/head", Some("Head")),
        ),
        (
            "an empty path item",
            harbour_with("/paths/~1second", json!({})),
            Builds,
        ),
    ]);
}

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

#[test]
fn bodies() {
    let with = |body: Value| harbour_with(&format!("{LIST}/requestBody"), body);
    let of = |schema: Value| {
        with(json!({ "required": true, "content": { "application/json": { "schema": schema } } }))
    };
    check(vec![
        (
            "no content",
            with(json!({})),
            Fails("content", "/requestBody", NAMED),
        ),
        (
            "a form",
            with(json!({ "content": { "multipart/form-data": { "schema": {} } } })),
            Fails("content", "/requestBody/content", NAMED),
        ),
        (
            "no schema",
            with(json!({ "content": { "application/json": {} } })),
            Fails("member", "/requestBody", NAMED),
        ),
        ("text", of(text()), Builds),
        ("a number", of(json!({ "type": "integer" })), Builds),
        (
            "a map",
            of(json!({ "type": "object", "additionalProperties": { "type": "integer" } })),
            Builds,
        ),
        ("anything", of(json!({})), Builds),
        (
            "a list",
            of(json!({ "type": "array", "items": { "type": "integer" } })),
            Builds,
        ),
        (
            "a list of objects",
            of(json!({ "type": "array", "items": object(json!({ "a": text() })) })),
            Builds,
        ),
        ("an object", of(object(json!({ "a": text() }))), Builds),
        (
            "what may be null",
            of(json!({ "type": ["object", "null"], "properties": { "a": text() } })),
            Builds,
        ),
    ]);
}

#[test]
fn responses() {
    let with = |responses: Value| harbour_with(&format!("{LIST}/responses"), responses);
    let json = || json!({ "content": { "application/json": { "schema": { "type": "string" } } } });
    check(vec![
        ("none", with(json!({})), Fails("responses", "/responses", NAMED)),
        (
            "only an error",
            with(json!({ "default": json() })),
            Fails("responses", "/responses", NAMED),
        ),
        (
            "two successes",
            with(json!({ "200": json(), "201": json() })),
            Fails("responses", "/responses", NAMED),
        ),
        (
            "a 204 beside what is no list",
            with(json!({ "200": json(), "204": {} })),
            Fails("responses", "/responses", NAMED),
        ),
        (
            "two of nothing",
            with(json!({ "202": {}, "204": {} })),
            Fails("responses", "/responses", NAMED),
        ),
        (
            "any success",
            with(json!({ "2XX": json() })),
            Fails("responses", "/responses", NAMED),
        ),
        (
            "an odd code",
            with(json!({ "2é": json() })),
            Fails("responses", "/responses/2é", NAMED),
        ),
        (
            "no code",
            with(json!({ "200": json(), "ok": json() })),
            Fails("responses", "/responses/ok", NAMED),
        ),
        (
            "a code with a sign",
            with(json!({ "2+0": json() })),
            Fails("responses", "/responses/2+0", NAMED),
        ),
        (
            "text",
            with(json!({ "200": { "content": { "text/plain": {} } } })),
            Fails("content", "/responses/200/content", NAMED),
        ),
        ("nothing", with(json!({ "204": {} })), Builds),
        ("a 200 without content", with(json!({ "200": {} })), Builds),
        (
            "content of nothing",
            with(json!({ "200": { "content": {} } })),
            Fails("content", "/200/content", NAMED),
        ),
    ]);
}

#[test]
fn facts_of_operations() {
    let with = |name: &str, value: Value| harbour_with(&format!("{LIST}/{name}"), value);
    let limit = |window: Value| {
        with(
            "x-rate-limit",
            json!({ "group": "ships", "max-tokens": 15, "window-size": window }),
        )
    };
    check(vec![
        ("a window", limit(json!("15m")), Builds),
        (
            "no window",
            limit(json!("a while")),
            Fails("rate-limit", "/x-rate-limit/window-size", NAMED),
        ),
        (
            "a window of a number",
            limit(json!(15)),
            Fails("type", "/x-rate-limit/window-size", NAMED),
        ),
        (
            "no group",
            with("x-rate-limit", json!({})),
            Fails("member", "/x-rate-limit", NAMED),
        ),
        (
            "half a second",
            with("x-client-cache-ttl", json!(0.5)),
            Fails("type", "/x-client-cache-ttl", NAMED),
        ),
        (
            "a role of a number",
            with("x-required-roles", json!([1])),
            Fails("type", "/x-required-roles/0", NAMED),
        ),
        (
            "one role",
            with("x-required-roles", json!("Director")),
            Fails("type", "/x-required-roles", NAMED),
        ),
        (
            "an unknown pagination",
            with("x-pagination", json!("spiral")),
            Builds,
        ),
        (
            "pagination of a number",
            with("x-pagination", json!(3)),
            Fails("type", "/x-pagination", NAMED),
        ),
        (
            "a date of a number",
            with("x-compatibility-date", json!(3)),
            Fails("type", "/x-compatibility-date", NAMED),
        ),
        (
            "a mode of a number",
            with("x-server-cache-mode", json!(3)),
            Fails("type", "/x-server-cache-mode", NAMED),
        ),
        ("what nobody knows", with("x-surprise", json!(3)), Builds),
    ]);
}

#[test]
fn security() {
    let with = |requirement: Value| harbour_with(&format!("{LIST}/security"), requirement);
    let scopes = |scopes: Value| {
        harbour_with(
            "/components/securitySchemes/Login/flows/authorizationCode/scopes",
            scopes,
        )
    };
    check(vec![
        (
            "an unknown scheme",
            with(json!([{ "Badge": [] }])),
            Fails("security-scheme", "/security/0/Badge", NAMED),
        ),
        (
            "no list",
            with(json!({ "Login": [] })),
            Fails("type", "/security", NAMED),
        ),
        (
            "a scope of a number",
            with(json!([{ "Login": [1] }])),
            Fails("type", "/security/0/Login/0", NAMED),
        ),
        ("nothing required", with(json!([])), Builds),
        (
            "two scopes of one name",
            scopes(json!({ "ships.read": "", "ships-read": "" })),
            Fails("scope", "/scopes/", None),
        ),
        (
            "two scopes of one name, one of them only required",
            with(json!([{ "Login": ["ships-read"] }])),
            Fails("scope", "/security/0/Login/0", NAMED),
        ),
        (
            "a scope without a name",
            scopes(json!({ "": "" })),
            Fails("scope", "/scopes/", None),
        ),
        (
            "a scope of symbols",
            scopes(json!({ "!": "" })),
            Fails("scope", "/scopes/!", None),
        ),
        (
            "a scope with a digit first",
            scopes(json!({ "3d": "" })),
            Fails("scope", "/scopes/3d", None),
        ),
        (
            "a scope with the name of the rest",
            scopes(json!({ "other": "" })),
            Fails("scope", "/scopes/other", None),
        ),
        (
            "a scope self",
            scopes(json!({ "self": "" })),
            Fails("scope", "/scopes/self", None),
        ),
        (
            "an unknown flow",
            harbour_with("/components/securitySchemes/Login/flows/dance", json!({})),
            Fails("security-scheme", "/flows/dance", None),
        ),
        (
            "no address",
            harbour_with(
                "/components/securitySchemes/Login/flows/authorizationCode",
                json!({ "tokenUrl": "a" }),
            ),
            Fails("member", "/flows/authorizationCode", None),
        ),
        (
            "a key in a header",
            harbour_with("/components/securitySchemes/Key", json!({ "type": "apiKey" })),
            Fails("security-scheme", "/securitySchemes/Key", None),
        ),
    ]);
}

#[test]
fn a_security_name_that_is_not_declared() {
    let settings = Settings::parse(r#"security_name = ["Badge", "Ring"]"#).expect("settings");
    let mut document = harbour();
    let error = support::source_by(&document, &settings).expect_err("neither is declared");
    assert_eq!(
        (error.rule(), error.pointer()),
        ("security-name", "/components/securitySchemes")
    );
    for name in ["Badge", "Ring", "Login"] {
        assert!(error.message().contains(name), "{error}");
    }
    let login = document["components"]["securitySchemes"]["Login"].clone();
    put(&mut document, "/components/securitySchemes/Ring", login);
    support::source_by(&document, &settings).expect("the second is declared");
    let error = support::source(&document).expect_err("two are declared, and none is chosen");
    assert!(
        error.message().contains("Login") && error.message().contains("Ring"),
        "{error}"
    );
}

#[test]
fn swagger() {
    let base = || {
        json!({
            "swagger": "2.0",
            "info": { "title": "Harbour", "version": "1" },
            "host": "harbour.example",
            "securityDefinitions": { "login": { "type": "oauth2", "authorizationUrl": "a", "scopes": { "ships.read": "" } } },
            "paths": { "/ships/": { "get": {
                "operationId": "get_ships",
                "tags": ["Ships"],
                "responses": { "200": { "schema": { "type": "array", "items": { "type": "integer" } } } },
            } } },
        })
    };
    let with = |pointer: &str, value: Value| {
        let mut document = base();
        put(&mut document, pointer, value);
        document
    };
    let named = Some("get_ships");
    let object =
        |property: &str| json!({ "type": "object", "properties": { property: { "type": "string" } } });
    let answer = |path: &str, id: &str, property: &str| {
        with(
            path,
            json!({ "get": { "operationId": id, "tags": ["Ships"],
            "responses": { "200": { "schema": object(property) } } } }),
        )
    };
    check(vec![
        ("as it is", base(), Builds),
        (
            "no responses",
            with("/paths/~1ships~1/get/responses", json!([])),
            Fails("type", "/responses", named),
        ),
        (
            "a form",
            with(
                "/paths/~1ships~1/get/parameters",
                json!([{ "in": "formData", "name": "a", "type": "string" }]),
            ),
            Fails("body", "/parameters/0", named),
        ),
        (
            "a parameter nowhere",
            with(
                "/paths/~1ships~1/get/parameters",
                json!([{ "$ref": "#/parameters/a" }]),
            ),
            Fails("reference", "/parameters/0/$ref", named),
        ),
        (
            "a file",
            with(
                "/paths/~1ships~1/get/parameters",
                json!([{ "in": "query", "name": "a", "type": "file" }]),
            ),
            Fails("type", "/parameters/0/schema/type", named),
        ),
        (
            "a password flow",
            with(
                "/securityDefinitions",
                json!({ "a": { "type": "oauth2", "flow": "password" } }),
            ),
            Fails("security-scheme", "/securityDefinitions/a", None),
        ),
        (
            "two answers of one name",
            {
                let mut document = answer("/paths/~1ships~1crew", "get_ships_crew", "one");
                let second = answer("/paths/~1ships_crew", "get_crew", "two");
                put(
                    &mut document,
                    "/paths/~1ships_crew",
                    second["paths"]["/ships_crew"].clone(),
                );
                document
            },
            Builds,
        ),
        (
            "an answer with the name of a definition",
            {
                let mut document = answer("/paths/~1crew", "get_crew", "one");
                put(&mut document, "/definitions", json!({ "CrewGet": object("two") }));
                document
            },
            Builds,
        ),
    ]);
}

#[test]
fn two_answers_of_swagger_stay_two_types() {
    let answer = |id: &str, property: &str| {
        json!({ "get": { "operationId": id, "tags": ["Ships"], "responses": { "200": { "schema":
            { "type": "object", "properties": { property: { "type": "string" } } } } } } })
    };
    let document = json!({
        "swagger": "2.0",
        "info": { "title": "Harbour", "version": "1" },
        "securityDefinitions": { "login": { "type": "oauth2", "authorizationUrl": "a", "scopes": { "ships.read": "" } } },
        "paths": { "/ships/crew": answer("get_ships_crew", "one"), "/ships_crew": answer("get_crew", "two") },
    });
    let model = Model::of(&support::source(&document).expect("it builds")).sound();
    let one = model.markers["GetShipsCrew"].clone();
    let two = model.markers["GetCrew"].clone();
    assert_eq!(model.wires(&one), ["one"]);
    assert_eq!(model.wires(&two), ["two"]);
}

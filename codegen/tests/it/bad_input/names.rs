//! Names that Rust or generated code has another use for.

use super::*;
use std::collections::BTreeSet;

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
fn operation_ids_that_are_methods_of_every_client() {
    let to_be = ["clone", "join", "security_scheme", "with_security"].map(str::to_owned);
    let names = runtime_functions("Esi").iter().cloned().chain(to_be);
    for name in names.chain(["Builder".to_owned(), "CALL".to_owned()]) {
        let outcome = outcome(
            &with_id(&name),
            &Fails("operation-id", LIST, Some(name.clone().leak())),
        );
        assert_eq!(outcome, Ok(()), "add it to ESI_METHODS: {name}");
    }
}

#[test]
fn parameters_that_are_methods_of_every_request() {
    let to_be = [
        "new",
        "clone",
        "fmt",
        "identity",
        "security",
        "all_with",
        "may_have_been_sent",
        "with_body",
    ];
    let names = runtime_functions("Request").iter().map(String::as_str);
    for name in names.chain(to_be) {
        let model = Model::of(&support::source(&with_query(name, text())).expect("it builds")).sound();
        let setter = format!("GetPortShips::{name}_");
        assert!(
            model.setters.contains_key(&setter),
            "add it to REQUEST_METHODS: {name} is among {:?}",
            model.setters
        );
    }
}

#[test]
fn fields_of_a_body_that_are_functions_of_every_record() {
    let names = ["clone", "default", "fmt", "new", "sample", "sample_at"];
    let properties = names.map(|name| (name.to_owned(), text()));
    let mut body = object(Value::Object(properties.into_iter().collect()));
    let with = |body: &Value| {
        let content = json!({ "application/json": { "schema": body } });
        let document = harbour_with(&format!("{LIST}/requestBody"), json!({ "content": content }));
        Model::of(&support::source(&document).expect("it builds")).sound()
    };
    let mut expected: BTreeSet<String> = names
        .map(|name| format!("GetPortShipsBody::{name}_"))
        .into_iter()
        .collect();
    expected.insert("GetPortShipsBody::new".to_owned());
    assert_eq!(with(&body).functions, expected);
    body["required"] = json!(names);
    assert_eq!(with(&body).functions.len(), 1, "what is required is an argument");
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

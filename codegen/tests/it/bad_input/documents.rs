//! Whole documents, and references within them.

use super::*;

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

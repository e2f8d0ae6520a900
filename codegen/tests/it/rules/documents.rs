//! Rules for documents as a whole.

use super::*;
use esikit_codegen::select::select;

#[test]
fn swagger_takes_the_same_form() {
    let document = json!({
        "swagger": "2.0",
        "info": { "title": "Harbour", "version": "1.0" },
        "host": "harbour.example", "basePath": "/latest/", "schemes": ["https"],
        "securityDefinitions": { "login": { "type": "oauth2", "flow": "implicit",
            "authorizationUrl": "https://login.example", "scopes": { "ships.read": "Reads." } } },
        "parameters": { "page": { "in": "query", "name": "page", "type": "integer", "format": "int32", "minimum": 1 } },
        "paths": { "/ports/{port_id}/ships/": { "post": {
            "operationId": "post_ports_port_id_ships",
            "tags": ["Ships"],
            "x-cached-seconds": 60,
            "consumes": ["application/json"],
            "security": [{ "login": ["ships.read"] }],
            "parameters": [
                { "$ref": "#/parameters/page" },
                { "in": "path", "name": "port_id", "required": true, "type": "integer" },
                { "in": "query", "name": "names", "type": "array", "items": { "type": "string" }, "collectionFormat": "multi" },
                { "in": "query", "name": "ids", "type": "array", "items": { "type": "integer" } },
                { "in": "query", "name": "pairs", "type": "array",
                    "items": { "type": "array", "items": { "type": "integer" }, "collectionFormat": "pipes" } },
                { "in": "body", "name": "ships", "required": true, "schema": { "type": "array", "items": { "type": "integer" } } },
            ],
            "responses": {
                "200": { "description": "Prose.", "headers": { "X-Pages": { "type": "integer" } },
                    "schema": { "type": "array", "items": { "type": "object", "properties": { "name": { "type": "string" } } } } },
                "304": { "description": "Not modified" },
                "404": { "schema": { "type": "object", "properties": { "error": { "type": "string" } } } },
            },
        } } },
    });
    let post = "/paths/~1ports~1{port_id}~1ships~1/post";
    let facts = at(&document, post);
    assert_eq!(facts["x-client-cache-ttl"], 60);
    assert_eq!(facts["requestBody"]["required"], true);
    let explode: Vec<(&str, Option<&Value>)> = facts["parameters"]
        .as_array()
        .expect("parameters")
        .iter()
        .map(|parameter| {
            (
                parameter["name"].as_str().expect("a name"),
                parameter.get("explode"),
            )
        })
        .collect();
    let no = json!(false);
    assert_eq!(
        explode,
        [
            ("ids", Some(&no)),
            ("names", None),
            ("page", None),
            ("pairs", Some(&no)),
            ("port_id", None)
        ]
    );
    assert_eq!(
        at(&document, "/servers"),
        json!([{ "url": "https://harbour.example/latest" }])
    );
    let scheme = at(&document, "/components/securitySchemes/login");
    assert_eq!(scheme["flows"]["implicit"]["scopes"], json!({ "ships.read": "" }));
    let codes = facts["responses"]
        .as_object()
        .expect("responses")
        .keys()
        .map(String::as_str)
        .collect::<Vec<_>>();
    assert_eq!(codes, ["200", "4XX", "5XX"]);
    let model = model(&document);
    assert_eq!(model.markers["PostPortsPortIdShips"], "Vec<PortsShip>");
    assert_eq!(
        model.setters["PostPortsPortIdShips::pairs"][0].1,
        "impl IntoIterator<Item = impl Into<String>>"
    );
}

#[test]
fn one_tag_stands_for_an_operation_and_unused_tags_are_dropped() {
    let mut document = harbour_with(&format!("{LIST}/tags"), json!(["Ships", "Ports"]));
    put(
        &mut document,
        "/tags",
        json!([{ "name": "Cranes", "description": "Prose." }]),
    );
    assert_eq!(at(&document, &format!("{LIST}/tags")), json!(["Ships"]));
    assert_eq!(at(&document, "/tags"), json!([{ "name": "Ships" }]));
}

#[test]
fn a_feature_brings_its_tag_and_what_it_reaches() {
    let mut document = answering(json!({ "type": "object", "properties": { "a": { "type": "string" } } }));
    put(&mut document, "/paths/~1one/get/tags", json!(["Big Cranes"]));
    let settings = support::plain_settings();
    let document = Document::parse(&document.to_string(), "harbour.json", &settings).expect("a document");
    let of = |features: &[&str]| {
        let features = Selection::Features(features.iter().map(|feature| (*feature).to_owned()).collect());
        Model::of(&generate(&document, &features, &settings, &Docs::default()).expect("it builds")).sound()
    };
    assert_eq!(of(&["big-cranes"]).markers.keys().collect::<Vec<_>>(), ["GetOne"]);
    assert_eq!(
        of(&["ships"]).markers.keys().collect::<Vec<_>>(),
        ["GetPortShips"]
    );
    assert!(!of(&["big-cranes"]).types.contains_key("Ship"));
    let cranes = Selection::Features(["big-cranes".to_owned()].into());
    let schemas = &select(&document, &cranes).value["components"]["schemas"];
    assert_eq!(
        schemas.as_object().map(serde_json::Map::len),
        Some(0),
        "{schemas}"
    );
    assert_eq!(of(&[]).markers.len(), 0);
    assert_eq!(
        of(&["cranes"]).markers.len(),
        0,
        "a feature whose tag is not there is empty"
    );
}

#[test]
fn no_prose_of_esi_is_left() {
    for text in [
        support::upstream(support::OPENAPI_31),
        support::upstream(support::SWAGGER),
    ]
    .into_iter()
    .flatten()
    {
        let document =
            Document::parse(&text, "upstream", &support::esi_settings()).expect("ESI's own document");
        no_prose(&document.value);
    }
    no_prose(&serde_json::from_str(&support::committed()).expect("JSON"));
}

fn no_prose(document: &Value) {
    let named = ["properties", "schemas", "parameters", "scopes"];
    support::walk(document, "", &mut |pointer, value| {
        let mut steps = pointer.rsplit('/');
        let (key, holder) = (steps.next().unwrap_or_default(), steps.next().unwrap_or_default());
        let is_keyword = !named.contains(&holder);
        if is_keyword
            && matches!(
                key,
                "summary" | "example" | "examples" | "externalDocs" | "$comment"
            )
        {
            panic!("{pointer} is left");
        }
        if is_keyword && key == "description" {
            assert_eq!(value, "", "{pointer}");
        }
        if is_keyword && key == "title" {
            assert_eq!((pointer, value), ("/info/title", &json!("ESI")));
        }
        // What a document says in sentences has spaces; a name or value has at most a few words.
        if let Some(text) = value.as_str() {
            assert!(text.split(' ').count() < 7, "{pointer}: {text}");
        }
    });
}

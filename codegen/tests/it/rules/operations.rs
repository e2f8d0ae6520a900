//! Rules for operations.

use super::*;

#[test]
fn the_default_error_stands_for_both_classes() {
    let responses = at(&harbour(), &format!("{LIST}/responses"));
    let codes: Vec<&String> = responses.as_object().expect("responses").keys().collect();
    assert_eq!(codes, ["200", "4XX", "5XX"]);
    let error = "/content/application~1json/schema/$ref";
    for class in ["4XX", "5XX"] {
        assert_eq!(
            responses[class].pointer(error),
            Some(&json!("#/components/schemas/Error"))
        );
    }
}

#[test]
fn an_empty_answer_beside_a_list_is_an_empty_list() {
    let document = harbour_with(&format!("{LIST}/responses/204"), json!({ "description": "" }));
    let facts = at(&document, LIST);
    assert_eq!(facts["x-empty-list"], json!(true));
    assert_eq!(facts["responses"].get("204"), None);
    let model = model(&document);
    assert!(
        model.statics["GET_PORT_SHIPS"].contains("JsonOrEmptyList"),
        "{:?}",
        model.statics
    );
    assert_eq!(model.markers["GetPortShips"], "Vec<Ship>");
}

#[test]
fn headers_of_the_client_are_lifted() {
    let mut document = harbour();
    let headers = [
        "Accept-Language",
        "If-None-Match",
        "X-Compatibility-Date",
        "X-Tenant",
        "If-Modified-Since",
    ];
    let kept = headers.map(|name| {
        (
            name.replace('-', ""),
            json!({ "in": "header", "name": name, "required": true,
        "schema": { "type": "string", "enum": ["2026-01-01"], "description": "Prose." } }),
        )
    });
    put(
        &mut document,
        "/components/parameters",
        Value::Object(kept.clone().into_iter().collect()),
    );
    for (name, _) in &kept {
        let reference = json!({ "$ref": format!("#/components/parameters/{name}") });
        put(&mut document, &format!("{LIST}/parameters/-"), reference);
    }
    put(
        &mut document,
        &format!("{LIST}/parameters/-"),
        json!({ "in": "header", "name": "x-TENANT", "schema": {} }),
    );
    let names: Vec<Value> = at(&document, &format!("{LIST}/parameters"))
        .as_array()
        .expect("parameters")
        .iter()
        .map(|parameter| parameter["name"].clone())
        .collect();
    assert_eq!(names, ["flag", "port_id"]);
    let facts = at(&document, "/components/parameters");
    assert_eq!(facts.as_object().map(serde_json::Map::len), Some(5));
    let arguments = &model(&document).methods["get_port_ships"];
    assert_eq!(arguments, &[("port_id".to_owned(), "i64".to_owned())]);
}

#[test]
fn the_compatibility_date_is_the_one_of_the_lifted_header() {
    let parameter =
        json!({ "in": "header", "name": "X-Compatibility-Date", "schema": { "enum": ["2026-01-01"] } });
    let source = source(&harbour_with(
        "/components/parameters",
        json!({ "CompatibilityDate": parameter }),
    ));
    let root = &source.files["esi.rs"];
    assert!(
        root.contains(r#"COMPATIBILITY_DATE: Option<&str> = Some("2026-01-01")"#),
        "{root}"
    );
}

#[test]
fn query_parameters_of_the_client_are_lifted() {
    let mut document = harbour();
    for name in ["datasource", "language", "token", "user_agent"] {
        let parameter = json!({ "in": "query", "name": name, "schema": { "type": "string" } });
        put(&mut document, &format!("{LIST}/parameters/-"), parameter);
    }
    let facts = at(&document, &format!("{LIST}/parameters"));
    assert_eq!(facts.as_array().map(Vec::len), Some(2), "{facts}");
}

#[test]
fn bounds_of_requests_are_checked_before_sending() {
    let mut document = harbour_with(
        &format!("{LIST}/parameters/1/schema"),
        json!({ "type": "string", "maxLength": 9 }),
    );
    put(
        &mut document,
        &format!("{LIST}/parameters/0/schema"),
        json!({ "type": "integer", "minimum": 1 }),
    );
    let list = json!({ "type": "array", "minItems": 1, "maxItems": 20, "items": { "type": "integer", "maximum": 5 } });
    let body = json!({ "type": "object", "properties": { "ids": list } });
    put(
        &mut document,
        &format!("{LIST}/requestBody"),
        json!({ "content": { "application/json": { "schema": body } } }),
    );
    let facts = model(&document).statics["GET_PORT_SHIPS"].replace(' ', "");
    for bound in [
        r#"Bound::new("flag",Rule::MaxLength(9))"#,
        r#"Bound::new("port_id",Rule::Minimum(1.0))"#,
        r#"Bound::new("body.ids",Rule::MinItems(1))"#,
        r#"Bound::new("body.ids",Rule::MaxItems(20))"#,
        r#"Bound::new("body.ids[]",Rule::Maximum(5.0))"#,
    ] {
        assert!(facts.contains(bound), "{bound} is not in {facts}");
    }
}

/// The facts of the harbour's operation with this schema as its body.
fn facts_with_body(schema: Value) -> String {
    let body = json!({ "content": { "application/json": { "schema": schema } } });
    let document = harbour_with(&format!("{LIST}/requestBody"), body);
    model(&document).statics["GET_PORT_SHIPS"].replace(' ', "")
}

#[test]
fn exclusive_bounds_exclude() {
    let facts = facts_with_body(json!({ "type": "object", "properties": {
        "above": { "type": "number", "exclusiveMinimum": 0 },
        "below": { "type": "number", "maximum": 1.5, "exclusiveMaximum": true },
        "within": { "type": "number", "minimum": 1, "exclusiveMinimum": false },
    } }));
    for bound in [
        r#"Bound::new("body.above",Rule::Above(0.0))"#,
        r#"Bound::new("body.below",Rule::Below(1.5))"#,
        r#"Bound::new("body.within",Rule::Minimum(1.0))"#,
    ] {
        assert!(facts.contains(bound), "{bound} is not in {facts}");
    }
    assert_eq!(facts.matches("Bound::new").count(), 3, "{facts}");
}

#[test]
fn bounds_are_found_in_alternatives_but_not_in_maps() {
    let number = json!({ "type": "integer", "minimum": 1 });
    let only = |tag: &str| json!({ "type": "object", "properties": { tag: number } });
    let facts = facts_with_body(json!({ "type": "object", "properties": {
        "price": { "oneOf": [only("gold"), only("goods")] },
        "by_port": { "type": "object", "additionalProperties": number },
        "with.dot": number,
        "with[bracket": number,
    } }));
    for bound in [
        r#"Bound::new("body.price.gold",Rule::Minimum(1.0))"#,
        r#"Bound::new("body.price.goods",Rule::Minimum(1.0))"#,
    ] {
        assert!(facts.contains(bound), "{bound} is not in {facts}");
    }
    assert_eq!(facts.matches("Bound::new").count(), 2, "{facts}");
}

#[test]
fn values_of_extensions_that_nobody_knows_are_noted() {
    let with = |key: &str, value: &str| {
        let mut document = harbour_with(&format!("{LIST}/{key}"), json!(value));
        put(&mut document, &format!("{LIST}/x-client-cache-ttl"), json!(60));
        let source = source(&document);
        let facts = Model::of(&source).sound().statics["GET_PORT_SHIPS"].replace(' ', "");
        let of_values = source
            .notes
            .into_iter()
            .filter(|note| note.starts_with("the value"));
        (of_values.collect::<Vec<_>>(), facts)
    };
    for (mode, fact) in [
        ("event-based", "Event"),
        ("ttl-based", "Ttl"),
        ("not-cached", "NotCached"),
    ] {
        let (notes, facts) = with("x-server-cache-mode", mode);
        assert_eq!(notes, Vec::<String>::new());
        assert!(
            facts.contains(&format!(".cache(60,CacheMode::{fact})")),
            "{facts}"
        );
    }
    let (notes, facts) = with("x-server-cache-mode", "lunar");
    assert!(
        notes.len() == 1 && notes[0].contains("the value `lunar` of x-server-cache-mode is not known"),
        "{notes:?}"
    );
    assert!(!facts.contains("cache"), "{facts}");
    let (notes, facts) = with("x-pagination", "cursor");
    assert_eq!(notes, Vec::<String>::new());
    assert!(facts.contains("Pagination::Cursor"), "{facts}");
    let (notes, facts) = with("x-pagination", "spiral");
    assert!(
        notes.len() == 1 && notes[0].contains("the value `spiral` of x-pagination is not known"),
        "{notes:?}"
    );
    assert!(!facts.contains("pagination"), "{facts}");
}

#[test]
fn the_body_s_greatest_length_is_a_fact() {
    let list = json!({ "type": "array", "maxItems": 20, "items": { "type": "integer" } });
    let body = json!({ "required": true, "content": { "application/json": { "schema": list } } });
    let facts =
        model(&harbour_with(&format!("{LIST}/requestBody"), body)).statics["GET_PORT_SHIPS"].replace(' ', "");
    assert!(
        facts.contains("BodyFacts{required:true,max_items:Some(20)"),
        "{facts}"
    );
}

#[test]
fn a_required_parameter_with_a_default_is_optional() {
    let parameter = |schema: Value| {
        let parameter = json!({ "in": "query", "name": "order", "required": true, "schema": schema });
        model(&harbour_with(&format!("{LIST}/parameters/-"), parameter))
    };
    let without = parameter(json!({ "type": "string" }));
    assert_eq!(without.methods["get_port_ships"].len(), 2);
    assert!(!without.setters.contains_key("GetPortShips::order"));
    let with = parameter(json!({ "type": "string", "default": "up" }));
    assert_eq!(with.methods["get_port_ships"].len(), 1);
    assert!(with.setters.contains_key("GetPortShips::order"));
}

#[test]
fn setters_give_way_to_methods_of_every_request() {
    let mut document = harbour();
    for name in ["send", "timeout", "all", "ships"] {
        let parameter = json!({ "in": "query", "name": name, "schema": { "type": "string" } });
        put(&mut document, &format!("{LIST}/parameters/-"), parameter);
    }
    let model = model(&document);
    let setters: Vec<&str> = model.setters.keys().map(String::as_str).collect();
    assert_eq!(
        setters,
        ["all_", "flag", "send_", "ships", "timeout_"].map(|name| format!("GetPortShips::{name}"))
    );
}

#[test]
fn only_the_page_count_is_kept_of_the_headers() {
    let headers =
        json!({ "ETag": { "schema": { "type": "string" } }, "X-Pages": { "schema": { "type": "integer" } } });
    let document = harbour_with(&format!("{LIST}/responses/200/headers"), headers);
    let kept = at(&document, &format!("{LIST}/responses/200/headers"));
    let names: Vec<&String> = kept.as_object().expect("headers").keys().collect();
    assert_eq!(names, ["X-Pages"]);
    assert!(model(&document).statics["GET_PORT_SHIPS"].contains("Pages"));
}

#[test]
fn lists_are_written_as_the_style_says() {
    let list = |name: &str, explode: Value| {
        let schema = list_of(json!({ "type": "integer" }));
        let mut parameter = json!({ "in": "query", "name": name, "schema": schema });
        if explode != Value::Null {
            parameter["explode"] = explode;
        }
        let document = harbour_with(&format!("{LIST}/parameters/-"), parameter);
        model(&document).statics["GET_PORT_SHIPS"].contains("exploded")
    };
    assert!(list("ids", Value::Null));
    assert!(list("ids", json!(true)));
    assert!(!list("ids", json!(false)));
    assert!(
        !list("label_ids", Value::Null),
        "the settings know better than the document"
    );
}

#[test]
fn extensions_are_kept_dropped_or_noted() {
    let mut document = harbour();
    put(&mut document, &format!("{LIST}/x-tombstone-ttl"), json!(60));
    put(&mut document, &format!("{LIST}/x-cache-age"), json!(60));
    put(&mut document, &format!("{LIST}/x-surprise"), json!(60));
    let canonical = canonicalise(&document, &support::plain_settings()).expect("it is canonical");
    let facts = canonical.document.pointer(LIST).expect("the operation");
    assert_eq!(facts["x-tombstone-ttl"], 60);
    assert_eq!((facts.get("x-cache-age"), facts.get("x-surprise")), (None, None));
    assert_eq!(canonical.notes.len(), 1);
    assert!(canonical.notes[0].contains("\"x-surprise\"") && canonical.notes[0].contains("[extensions]"));
}

#[test]
fn operations_of_the_named_scheme_are_marked() {
    let mut document = harbour();
    let login = document["components"]["securitySchemes"]["Login"].clone();
    put(&mut document, "/components/securitySchemes/Ring", login);
    put(
        &mut document,
        &format!("{LIST}/security"),
        json!([{ "Login": ["ships.write", "ships.read", "ships.read"] }]),
    );
    let mut other = operation("GetOne", "Ships", json!({ "type": "string" }));
    other["security"] = json!([{ "Ring": [] }]);
    put(&mut document, "/paths/~1one", json!({ "get": other }));
    let settings =
        esikit_codegen::settings::Settings::parse(r#"security_name = ["Login"]"#).expect("settings");
    let source = support::source_by(&document, &settings).expect("it builds");
    let model = Model::of(&source).sound();
    let marked = model.statics["GET_PORT_SHIPS"].replace(' ', "");
    assert!(
        marked.contains(r#"Security{scheme:"Login",scopes:&["ships.read","ships.write"]"#),
        "{marked}"
    );
    assert!(!model.statics["GET_ONE"].contains("security"));
    assert_eq!(model.wires("Scope"), ["ships.read", "ships.write"]);
    assert!(source.files["scopes.rs"].contains(r#"name: "Login""#));
}

//! One test per rule of the canonical form and of what is generated from it. Each fails without its rule.

use crate::source::Model;
use crate::support::{self, LIST, SHIP, harbour, harbour_with, operation, put, ship_with};
use esikit_codegen::canonical::canonicalise;
use esikit_codegen::docs::Docs;
use esikit_codegen::document::Document;
use esikit_codegen::select::Selection;
use esikit_codegen::{Source, generate};
use serde_json::{Value, json};

fn canonical(document: &Value) -> Value {
    support::canonical(document).unwrap_or_else(|error| panic!("{error}"))
}

fn source(document: &Value) -> Source {
    support::source(document).unwrap_or_else(|error| panic!("{error}"))
}

fn model(document: &Value) -> Model {
    Model::of(&source(document)).sound()
}

/// What stands at a pointer of the canonical form.
fn at(document: &Value, pointer: &str) -> Value {
    canonical(document)
        .pointer(pointer)
        .cloned()
        .unwrap_or(Value::Null)
}

/// The canonical schema of a ship's property.
fn property(schema: Value) -> Value {
    at(&ship_with("it", schema), &format!("{SHIP}/properties/it"))
}

/// The generated field of a ship's property that is required.
fn field(schema: Value) -> String {
    let mut document = ship_with("it", schema);
    put(&mut document, &format!("{SHIP}/required"), json!(["it"]));
    model(&document)
        .members("Ship")
        .into_iter()
        .find(|member| member.ends_with("\"it\""))
        .expect("a field")
}

fn list_of(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

const ONE: &str = "/paths/~1one/get";

/// The harbour with an operation that answers with `schema`.
fn answering(schema: Value) -> Value {
    harbour_with(
        "/paths/~1one",
        json!({ "get": operation("GetOne", "Ships", schema) }),
    )
}

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
fn one_property_objects_are_tagged_by_that_property() {
    for keyword in ["oneOf", "anyOf"] {
        let price = json!({ keyword: [
            { "type": "object", "properties": { "isk": { "type": "number" } } },
            { "type": "object", "properties": { "plex": { "type": "integer" } } },
        ] });
        let facts = property(price.clone());
        for (index, tag) in ["isk", "plex"].iter().enumerate() {
            assert_eq!(facts["oneOf"][index]["required"], json!([tag]), "{facts}");
            assert_eq!(facts["oneOf"][index]["additionalProperties"], json!(false));
        }
        let model = model(&ship_with("price", price));
        assert_eq!(model.types["ShipPrice"].kind, "choice");
        assert_eq!(
            model.members("ShipPrice"),
            [r#"Isk: f64 =  "isk""#, r#"Plex: i64 =  "plex""#]
        );
    }
}

#[test]
fn a_choice_of_one_is_no_choice() {
    assert_eq!(
        property(json!({ "oneOf": [{ "type": "string" }, { "type": "null" }] })),
        json!({ "type": "string", "nullable": true })
    );
}

#[test]
fn enums_are_open() {
    let kind = |values: Value| model(&ship_with("kind", json!({ "type": "string", "enum": values })));
    let tugs = kind(json!(["tug", "barge"]));
    assert_eq!(tugs.types["ShipKind"].kind, "open_enum");
    assert_eq!(
        tugs.members("ShipKind"),
        [r#"Barge:  =  "barge""#, r#"Tug:  =  "tug""#]
    );
    let rest = |values: Value| kind(values).types["ShipKind"].rest.clone().expect("a catch-all");
    assert_eq!(rest(json!(["tug"])), "Other");
    assert_eq!(rest(json!(["tug", "other"])), "Unlisted");
    assert_eq!(rest(json!(["other", "unlisted"])), "NotInSpecification");
    assert_eq!(kind(json!(["other", "tug"])).wires("ShipKind"), ["other", "tug"]);
}

#[test]
fn a_list_without_repeats_keeps_its_order() {
    assert_eq!(
        field(json!({ "type": "array", "uniqueItems": true, "items": { "type": "integer" } })),
        r#"it: Vec<i64> = req "it""#
    );
}

#[test]
fn bounds_of_answers_make_no_types() {
    let number = |keywords: Value| {
        let mut schema = json!({ "type": "integer", "format": "int32" });
        schema
            .as_object_mut()
            .expect("an object")
            .extend(keywords.as_object().cloned().unwrap_or_default());
        field(schema)
    };
    assert_eq!(number(json!({ "minimum": 1 })), r#"it: i64 = req "it""#);
    assert_eq!(
        number(json!({ "minimum": 0, "maximum": 255 })),
        r#"it: i64 = req "it""#
    );
    assert_eq!(
        field(json!({ "type": "string", "minLength": 1, "maxLength": 9, "pattern": "^a$" })),
        r#"it: String = req "it""#
    );
    assert_eq!(
        field(json!({ "type": "number", "format": "float", "multipleOf": 2 })),
        r#"it: f64 = req "it""#
    );
    assert_eq!(
        field(json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "boolean" } })),
        r#"it: Vec<bool> = req "it""#
    );
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
fn bounds_are_spelt_as_in_3_0() {
    let exclusive = json!({ "type": "number", "minimum": 0, "exclusiveMinimum": true });
    assert_eq!(
        property(json!({ "type": "number", "exclusiveMinimum": 0 })),
        exclusive
    );
    assert_eq!(property(exclusive.clone()), exclusive);
}

#[test]
fn arrays_have_no_type_of_their_own() {
    let mut document = answering(json!({ "$ref": "#/components/schemas/Fleet" }));
    let fleet = list_of(json!({ "type": "object", "properties": { "name": { "type": "string" } } }));
    put(&mut document, "/components/schemas/Fleet", fleet);
    let schemas = at(&document, "/components/schemas");
    assert_eq!(schemas.get("Fleet"), None);
    assert_eq!(schemas["FleetItem"]["type"], "object");
    let answer = at(
        &document,
        &format!("{ONE}/responses/200/content/application~1json/schema"),
    );
    assert_eq!(
        answer,
        list_of(json!({ "$ref": "#/components/schemas/FleetItem" }))
    );
    assert_eq!(model(&document).markers["GetOne"], "Vec<FleetItem>");
}

#[test]
fn an_array_by_another_name_is_an_array_too() {
    let mut document = ship_with(
        "it",
        json!({ "oneOf": [{ "$ref": "#/components/schemas/Same" }, { "type": "null" }] }),
    );
    put(
        &mut document,
        "/components/schemas/Fleet",
        list_of(json!({ "type": "integer" })),
    );
    put(
        &mut document,
        "/components/schemas/Same",
        json!({ "$ref": "#/components/schemas/Fleet" }),
    );
    let once = canonical(&document);
    assert_eq!(once["components"]["schemas"].get("Same"), None);
    let list = json!({ "type": "array", "items": { "type": "integer" }, "nullable": true });
    assert_eq!(once.pointer(&format!("{SHIP}/properties/it")), Some(&list));
    assert_eq!(canonical(&once), once);
}

#[test]
fn names_are_unique_whatever_their_case() {
    let mut document = ship_with("type_id", json!({ "type": "string", "enum": ["a"] }));
    let object = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    put(&mut document, "/components/schemas/ShipTypeID", object.clone());
    put(&mut document, "/components/schemas/Shiptypeid", object);
    put(
        &mut document,
        &format!("{SHIP}/properties/one"),
        json!({ "$ref": "#/components/schemas/ShipTypeID" }),
    );
    put(
        &mut document,
        &format!("{SHIP}/properties/two"),
        json!({ "$ref": "#/components/schemas/Shiptypeid" }),
    );
    let model = model(&document);
    let mut folded: Vec<String> = model.types.keys().map(|name| name.to_lowercase()).collect();
    folded.dedup();
    assert_eq!(folded.len(), model.types.len(), "{:?}", model.types.keys());
    assert_eq!(
        model
            .types
            .keys()
            .filter(|name| name.to_lowercase().starts_with("shiptypeid"))
            .count(),
        3
    );
    let reversed = canonical(&document);
    assert_eq!(
        source(&reversed).files,
        source(&document).files,
        "the names do not depend on the way"
    );
}

#[test]
fn null_beside_a_type_is_nullable() {
    assert_eq!(
        property(json!({ "type": ["boolean", "null"] })),
        json!({ "type": "boolean", "nullable": true })
    );
    assert_eq!(
        field(json!({ "type": ["boolean", "null"] })),
        r#"it: Option<bool> = null "it""#
    );
    assert_eq!(
        property(json!({ "enum": ["a", null] })),
        json!({ "type": "string", "enum": ["a"], "nullable": true })
    );
    let ship = json!({ "$ref": "#/components/schemas/Error" });
    assert_eq!(
        property(json!({ "oneOf": [ship, { "type": "null" }] })),
        json!({ "allOf": [ship], "nullable": true })
    );
}

#[test]
fn null_in_a_component_is_allowed_wherever_it_is_used() {
    let mut document = ship_with("it", json!({ "$ref": "#/components/schemas/Captain" }));
    let captain = json!({ "type": ["object", "null"], "properties": { "name": { "type": "string" } } });
    put(&mut document, "/components/schemas/Captain", captain);
    put(&mut document, &format!("{SHIP}/required"), json!(["it"]));
    let fields = model(&document).members("Ship");
    assert!(
        fields.contains(&r#"it: Option<Captain> = null "it""#.to_owned()),
        "{fields:?}"
    );
}

#[test]
fn null_in_a_list_is_kept() {
    let mut document = answering(json!({ "$ref": "#/components/schemas/Fleet" }));
    let fleet =
        list_of(json!({ "type": ["object", "null"], "properties": { "name": { "type": "string" } } }));
    put(&mut document, "/components/schemas/Fleet", fleet);
    assert_eq!(model(&document).markers["GetOne"], "Vec<Option<FleetItem>>");
}

#[test]
fn examples_are_dropped() {
    let schema = json!({ "type": "string", "examples": ["a"], "example": "b", "title": "c", "description": "d",
        "x-order": 3, "readOnly": true, "deprecated": true });
    assert_eq!(property(schema), json!({ "type": "string" }));
}

#[test]
fn what_stands_beside_a_reference_is_dropped() {
    let reference = json!({ "$ref": "#/components/schemas/Error" });
    assert_eq!(
        property(json!({ "$ref": "#/components/schemas/Error", "description": "d", "examples": [1] })),
        reference
    );
    assert_eq!(
        property(json!({ "allOf": [reference], "description": "d" })),
        reference
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

#[test]
fn types_of_rust_follow_from_formats() {
    for (schema, expected) in [
        (
            json!({ "type": "string", "format": "date-time" }),
            "DateTime<Utc>",
        ),
        (json!({ "type": "string", "format": "date" }), "NaiveDate"),
        (json!({ "type": "string", "format": "uuid" }), "String"),
        (json!({ "type": "string", "format": "uri" }), "String"),
        (json!({ "type": "string", "format": "ipv4" }), "String"),
        (json!({ "type": "integer", "format": "uint64" }), "i64"),
        (json!({ "type": "number", "format": "float" }), "f64"),
        (
            json!({ "type": "string", "format": "date", "enum": ["2026-01-01"] }),
            "NaiveDate",
        ),
        (
            json!({ "type": "object", "additionalProperties": { "type": "integer" } }),
            "BTreeMap<String, i64>",
        ),
        (json!({}), "Value"),
    ] {
        assert_eq!(
            field(schema.clone()),
            format!("it: {expected} = req \"it\""),
            "{schema}"
        );
    }
}

#[test]
fn optional_fields_stay_absent() {
    let fields = model(&ship_with("crew", list_of(json!({ "type": "string" })))).members("Ship");
    assert_eq!(
        fields,
        [
            r#"crew: Option<Vec<String>> = opt "crew""#,
            r#"kind: ShipKind = req "kind""#,
            r#"length: Option<f64> = opt "length""#,
            r#"name: String = req "name""#,
        ]
    );
}

#[test]
fn ids_are_newtypes_where_the_settings_say_so() {
    let settings = esikit_codegen::settings::Settings::parse(
        r#"
        [ids]
        plain = ["odd_id"]
        number = { ShipId = "A ship.", PortId = "A port." }
        uuid = { CargoId = "A cargo." }
        schemas = { ShipID = "ShipId" }
        properties = { "GetPortShips.port_id" = "PortId", cargo_id = "CargoId", ship_id = "ShipId" }
        "#,
    );
    let settings = settings.expect("settings");
    let mut document = ship_with("it", json!({ "$ref": "#/components/schemas/ShipID" }));
    put(
        &mut document,
        "/components/schemas/ShipID",
        json!({ "type": "integer" }),
    );
    for (name, schema) in [
        ("cargo_id", json!({ "type": "string", "format": "uuid" })),
        ("ship_id", json!({ "type": "string" })),
        ("odd_id", json!({ "type": "integer" })),
        ("other_id", json!({ "type": "integer" })),
    ] {
        put(&mut document, &format!("{SHIP}/properties/{name}"), schema);
    }
    let source = support::source_by(&document, &settings).expect("it builds");
    let model = Model::of(&source).sound();
    let fields = model.members("Ship").join("\n");
    for field in [
        "it: Option<ShipId>",
        "cargo_id: Option<CargoId>",
        "ship_id: Option<String>",
        "odd_id: Option<i64>",
    ] {
        assert!(fields.contains(field), "{field} is not in\n{fields}");
    }
    assert_eq!(model.methods["get_port_ships"][0].1, "impl Into<PortId>");
    assert!(
        source
            .notes
            .iter()
            .any(|note| note.contains("`other_id`") && note.contains("[ids.properties]"))
    );
    assert!(!source.notes.iter().any(|note| note.contains("odd_id")));
}

#[test]
fn a_schema_that_is_no_number_any_more_is_no_id() {
    let ids = "[ids]\nnumber = { ShipId = \"A ship.\" }\nschemas = { ShipID = \"ShipId\" }";
    let settings = esikit_codegen::settings::Settings::parse(ids).expect("settings");
    let mut document = ship_with("it", json!({ "$ref": "#/components/schemas/ShipID" }));
    put(
        &mut document,
        "/components/schemas/ShipID",
        json!({ "type": "string" }),
    );
    let model = Model::of(&support::source_by(&document, &settings).expect("it builds")).sound();
    assert!(
        model
            .members("Ship")
            .contains(&r#"it: Option<String> = opt "it""#.to_owned())
    );
}

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

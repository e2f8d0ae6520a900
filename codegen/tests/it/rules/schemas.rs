//! Rules for schemas and the types that come of them.

use super::*;
use std::collections::BTreeSet;

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
    let folded: BTreeSet<String> = model.types.keys().map(|name| name.to_lowercase()).collect();
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

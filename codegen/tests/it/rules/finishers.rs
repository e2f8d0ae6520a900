//! Which operations get finishers beside `send`, and what the settings must say for it.

use super::list_of;
use crate::support::{self, LIST, harbour, put};
use esikit_codegen::Source;
use esikit_codegen::settings::Settings;
use serde_json::{Value, json};

/// The finishers in some source: macro and what is given to it, without line breaks.
fn finishers(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for text in source.files.values() {
        for part in text.split("\ncrate::").skip(1) {
            let (name, rest) = part.split_once("! {").expect("an invocation");
            if !["paged", "listed", "walked", "bulk", "bulk_list", "resolved"].contains(&name) {
                continue;
            }
            let inner = rest.split("\n}").next().expect("its content");
            let words: Vec<&str> = inner.split_whitespace().collect();
            found.push(format!("{name} {}", words.join(" ")));
        }
    }
    found.sort();
    found
}

/// Finishers of a document, and what the settings lack for more.
fn of(document: &Value, settings: &str) -> (Vec<String>, Vec<String>) {
    let settings = Settings::parse(settings).expect("settings");
    let source = support::source_by(document, &settings).unwrap_or_else(|error| panic!("{error}"));
    let notes = source.notes.iter().filter(|note| note.contains("[parts"));
    (finishers(&source), notes.cloned().collect())
}

fn paged(schema: Value) -> Value {
    let mut document = harbour();
    put(
        &mut document,
        &format!("{LIST}/responses/200/headers"),
        json!({ "X-Pages": { "schema": { "type": "integer" } } }),
    );
    put(
        &mut document,
        &format!("{LIST}/responses/200/content/application~1json/schema"),
        schema,
    );
    document
}

#[test]
fn numbered_pages_of_a_list_are_taken_together() {
    let document = paged(list_of(json!({ "$ref": "#/components/schemas/Ship" })));
    assert_eq!(
        of(&document, ""),
        (vec!["paged GetPortShips => Ship".to_owned()], vec![])
    );
    let (none, notes) = of(&paged(json!({ "$ref": "#/components/schemas/Ship" })), "");
    assert!(none.is_empty());
    let expected = "add `GetPortShips` to `without` in [parts]: it comes in parts, and what it answers with is not a list";
    assert_eq!(notes, [expected]);
    let without = "[parts]\nwithout = [\"GetPortShips\"]";
    assert_eq!(of(&document, without), (vec![], vec![]));
}

/// The harbour as a listing with a cursor: its answer, and the id of its ships.
fn listing(members: Value, id: &str) -> Value {
    let mut document = harbour();
    put(&mut document, &format!("{LIST}/x-pagination"), json!("cursor"));
    put(
        &mut document,
        &format!("{}/properties/{id}", support::SHIP),
        json!({ "type": "integer" }),
    );
    let token = json!({ "type": "string" });
    let cursor = json!({ "type": "object", "properties": { "before": token, "after": token } });
    put(&mut document, "/components/schemas/Cursor", cursor);
    let answer = json!({ "type": "object", "properties": members, "required": ["ships"] });
    put(&mut document, "/components/schemas/Listing", answer);
    let reference = json!({ "$ref": "#/components/schemas/Listing" });
    put(
        &mut document,
        &format!("{LIST}/responses/200/content/application~1json/schema"),
        reference,
    );
    document
}

fn ships() -> Value {
    list_of(json!({ "$ref": "#/components/schemas/Ship" }))
}

fn cursor() -> Value {
    json!({ "$ref": "#/components/schemas/Cursor" })
}

#[test]
fn the_list_and_the_id_of_a_listing_are_found_by_rule() {
    let document = listing(json!({ "ships": ships(), "cursor": cursor() }), "id");
    let (found, notes) = of(&document, "");
    assert_eq!(
        found,
        ["listed GetPortShips => Ship, ships by id: i64, cursor: Cursor"]
    );
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn an_id_by_another_name_is_asked_for_and_taken_from_the_settings() {
    let document = listing(json!({ "ships": ships(), "cursor": cursor() }), "hull");
    let (none, notes) = of(&document, "");
    assert!(none.is_empty());
    let expected =
        "add `GetPortShips = \"...\"` to [parts.ids]: the property of `Ship` that tells records apart";
    assert_eq!(notes, [expected]);
    let (found, notes) = of(&document, "[parts.ids]\nGetPortShips = \"hull\"");
    assert_eq!(
        found,
        ["listed GetPortShips => Ship, ships by hull: i64, cursor: Cursor"]
    );
    assert!(notes.is_empty());
    let (none, notes) = of(&document, "[parts.ids]\nGetPortShips = \"length\"");
    assert!(
        none.is_empty() && notes == [expected],
        "a length is no id: {notes:?}"
    );
}

#[test]
fn a_listing_of_another_form_is_noted() {
    for members in [
        json!({ "ships": ships() }),
        json!({ "ships": ships(), "others": ships(), "cursor": cursor() }),
        json!({ "ships": ships(), "cursor": { "type": "string" } }),
        json!({ "ships": { "type": "string" }, "cursor": cursor() }),
    ] {
        let (none, notes) = of(&listing(members.clone(), "id"), "");
        assert!(none.is_empty(), "{members}");
        assert!(
            notes.len() == 1 && notes[0].contains("add `GetPortShips` to `without`"),
            "{members}: {notes:?}"
        );
    }
}

#[test]
fn a_list_that_goes_on_from_an_id_needs_to_know_which() {
    let mut document = harbour();
    let parameter = json!({ "in": "query", "name": "from_id", "schema": { "type": "integer" } });
    put(&mut document, &format!("{LIST}/parameters/-"), parameter);
    put(
        &mut document,
        &format!("{}/properties/number", support::SHIP),
        json!({ "type": "integer" }),
    );
    let (none, notes) = of(&document, "");
    assert!(none.is_empty());
    assert!(
        notes[0].starts_with("add `GetPortShips = \"...\"` to [parts.ids]"),
        "{notes:?}"
    );
    let (found, _) = of(&document, "[parts.ids]\nGetPortShips = \"number\"");
    assert_eq!(found, ["walked GetPortShips => Ship, number: i64"]);
    let (none, notes) = of(&document, "[parts.ids]\nGetPortShips = \"name\"");
    assert!(
        none.is_empty() && notes.len() == 1,
        "a text has no order to walk by"
    );
}

/// The harbour with an operation that takes at most ten ids.
fn bulk(answer: Value) -> Value {
    let mut document = harbour();
    let mut operation = support::operation("PostShips", "Ships", answer);
    let list = json!({ "type": "array", "items": { "type": "integer" }, "maxItems": 10 });
    operation["requestBody"] =
        json!({ "required": true, "content": { "application/json": { "schema": list } } });
    put(&mut document, "/paths/~1ships", json!({ "post": operation }));
    put(
        &mut document,
        &format!("{}/properties/number", support::SHIP),
        json!({ "type": "integer" }),
    );
    document
}

const READS: &str = "read_only = [\"PostShips\"]\n[parts.ids]\nPostShips = \"number\"\n";

#[test]
fn long_bodies_of_what_only_reads_are_split() {
    let (found, notes) = of(&bulk(ships()), READS);
    assert_eq!(found, ["bulk_list PostShips => Ship, number: i64"]);
    assert!(notes.is_empty(), "{notes:?}");
    let resolved = READS.replace("[parts.ids]", "[parts]\nresolved = [\"PostShips\"]\n[parts.ids]");
    let (found, _) = of(&bulk(ships()), &resolved);
    assert_eq!(
        found,
        [
            "bulk_list PostShips => Ship, number: i64",
            "resolved PostShips => Ship"
        ]
    );
    let (found, _) = of(&bulk(json!({ "type": "number" })), READS);
    assert_eq!(found, ["bulk PostShips => f64"]);
    let lists =
        json!({ "type": "object", "properties": { "old": ships(), "new": ships() }, "required": ["new"] });
    let (found, _) = of(&bulk(lists), READS);
    assert_eq!(found, ["bulk PostShips => PostShipsResponse { new, old, }"]);
    let (none, notes) = of(&bulk(json!({ "type": "string" })), READS);
    assert!(
        none.is_empty() && notes[0].contains("add `PostShips` to `without`"),
        "{notes:?}"
    );
}

#[test]
fn long_bodies_of_what_writes_never_are() {
    assert_eq!(of(&bulk(ships()), ""), (vec![], vec![]));
}

#[test]
fn esis_own_operations_have_theirs() {
    let settings = support::esi_settings();
    let count = |text: &str| {
        let document: Value = serde_json::from_str(text).expect("JSON");
        let source = support::source_by(&document, &settings).unwrap_or_else(|error| panic!("{error}"));
        let found = finishers(&source);
        let of = |name: &str| {
            found
                .iter()
                .filter(|line| line.starts_with(&format!("{name} ")))
                .count()
        };
        ["paged", "listed", "walked", "bulk_list", "bulk", "resolved"].map(of)
    };
    assert_eq!(count(&support::committed()), [40, 12, 4, 6, 2, 1]);
    if let Some(text) = support::upstream(support::SWAGGER) {
        let [_, listed, walked, lists, others, resolved] = count(&text);
        assert_eq!([listed, walked, lists, others, resolved], [0, 4, 6, 2, 1]);
    }
}

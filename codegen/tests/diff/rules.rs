//! What counts as a change, and what breaks.

use esikit_codegen::diff::Kind::{self, *};
use esikit_codegen::diff::What::{self, *};
use esikit_codegen::diff::{Diff, diff};
use serde_json::{Value, json};

use super::cases::*;
use super::document::*;

fn seen(diff: &Diff) -> Vec<(Kind, What, bool, &str)> {
    let mut seen: Vec<_> = diff
        .changes
        .iter()
        .map(|change| {
            (
                change.kind,
                change.what,
                change.breaking,
                change.place.inside.as_str(),
            )
        })
        .collect();
    seen.sort();
    seen
}

#[test]
fn each_small_edit_is_classed_as_expected_in_both_directions() {
    let cases = cases();
    assert!(cases.len() >= 80, "only {} cases", cases.len());
    for case in cases {
        let (old, mut new) = (base(), base());
        assert!(
            case.edit.apply(&mut new),
            "`{}`: the edit leads nowhere",
            case.name
        );
        assert_ne!(old, new, "`{}`: the edit changes nothing", case.name);
        for (direction, old, new, mut expected) in [
            ("there", &old, &new, case.there.clone()),
            ("back", &new, &old, case.back.clone()),
        ] {
            expected.sort();
            let found = diff(old, new);
            assert_eq!(seen(&found), expected, "`{}`, {direction}:\n{found}", case.name);
            assert_eq!(
                found.is_breaking(),
                expected.iter().any(|(_, _, breaking, _)| *breaking)
            );
        }
    }
}

#[test]
fn equal_documents_differ_in_nothing() {
    let found = diff(&base(), &base());
    assert_eq!(found, Diff::default());
    assert_eq!(
        found.to_string(),
        "0 changes, 0 of them breaking; operations: 0 added, 0 removed, 0 changed\n"
    );
}

#[test]
fn operations_match_whatever_their_paths_look_like() {
    let mut new = base();
    let text = new["paths"]
        .to_string()
        .replace("/ports/{port_id}/ships", "/ports/{harbour}/ships/")
        .replace("port_id", "harbour");
    new["paths"] = serde_json::from_str(&text).expect("JSON");
    let found = diff(&base(), &new);
    let expected = (Parameter, Changed, false, "parameter port_id");
    assert_eq!(seen(&found), [expected, expected], "{found}");
}

#[test]
fn paths_that_are_one_but_for_names_are_all_kept() {
    let twin = set("", "/paths/~1ports~1{port}~1ships", json!({ "get": list() }));
    let found = diff(&base(), &edited(&[&twin]));
    let whole = found.changes.iter().filter(|change| change.kind == Operation);
    assert_eq!(
        whole
            .map(|change| (change.what, change.breaking))
            .collect::<Vec<_>>(),
        [(Added, false)],
        "{found}"
    );
}

#[test]
fn a_scheme_under_another_name_is_still_that_scheme() {
    let text = base().to_string().replace("\"Harbour\":", "\"Quay\":");
    let new: Value = serde_json::from_str(&text).expect("JSON");
    let found = diff(&base(), &new);
    assert_eq!(
        seen(&found),
        [(SecurityScheme, Changed, false, "security scheme")],
        "{found}"
    );
}

#[test]
fn names_of_components_are_no_contract() {
    let text = base()
        .to_string()
        .replace("schemas/Ship\"", "schemas/Vessel\"")
        .replace("\"Ship\":", "\"Vessel\":");
    let new: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(diff(&base(), &new), Diff::default());
}

#[test]
fn a_default_counts_wherever_it_stands() {
    let parameter = json!({ "in": "query", "name": "q", "required": true, "schema": component("Text") });
    let text = set(
        "",
        "/components/schemas/Text",
        json!({ "type": "string", "default": "x" }),
    );
    let old = edited(&[&text]);
    let new = edited(&[&text, &set(LIST, "/parameters/-", parameter)]);
    assert_eq!(
        seen(&diff(&old, &new)),
        [(Parameter, Added, false, "parameter q")]
    );
}

#[test]
fn null_may_stand_where_it_always_could() {
    let place = "/responses/200/content/application~1json/schema/properties/open";
    let open = |format| {
        set(
            STATUS,
            place,
            json!({ "type": "integer", "format": format, "nullable": true }),
        )
    };
    let found = diff(&edited(&[&open("int32")]), &edited(&[&open("int64")]));
    assert_eq!(seen(&found), [(Type, Changed, false, "response.open")], "{found}");
}

#[test]
fn cyclic_schemas_come_to_an_end() {
    let mut old = base();
    old["components"]["schemas"]["Ship"] = json!({ "$ref": "#/components/schemas/Ship" });
    assert!(diff(&base(), &old).is_breaking());
    let mut unrolled = base();
    let mut ship = base()["components"]["schemas"]["Ship"].take();
    ship["properties"]["escort"]["$ref"] = json!("#/components/schemas/Ship2");
    unrolled["components"]["schemas"]["Ship2"] = base()["components"]["schemas"]["Ship"].take();
    unrolled["components"]["schemas"]["Ship"] = ship;
    assert_eq!(diff(&base(), &unrolled), Diff::default());
}

//! Values of enums.

use super::*;

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

//! Settings and docs that are wrong: an error says which entry.

use esikit_codegen::docs::Docs;
use esikit_codegen::settings::Settings;

#[test]
fn an_entry_of_the_settings_that_is_wrong_is_named() {
    for (text, pointer) in [
        ("read_only = [", ""),
        ("odd = []", "/odd"),
        ("ids = true", "/ids"),
        ("read_only = \"PostFleet\"", "/read_only"),
        ("read_only = [\"PostFleet\", 1]", "/read_only/1"),
        ("[shared]\nkind = 1979-05-27", "/shared/kind"),
        ("[lifted]\ncookie = []", "/lifted/cookie"),
        ("[lists]\npipe = []", "/lists/pipe"),
        ("[extensions]\nkeep = {}", "/extensions/keep"),
        ("[ids]\nodd = {}", "/ids/odd"),
        (
            "[ids]\nproperties = { ship_id = \"ShipId\" }",
            "/ids/properties/ship_id",
        ),
        ("[names]\ntypes = { Ship = [] }", "/names/types/Ship"),
    ] {
        let error = Settings::parse(text).expect_err(text);
        assert_eq!((error.rule(), error.pointer()), ("settings", pointer), "{text}");
    }
}

#[test]
fn a_line_of_the_docs_that_is_wrong_is_named() {
    for (text, pointer) in [
        ("[fields", ""),
        ("[odd]", "/odd"),
        ("fields = 1", "/fields"),
        ("[fields]\nship_id = 1", "/fields/ship_id"),
    ] {
        let error = Docs::parse(text).expect_err(text);
        assert_eq!((error.rule(), error.pointer()), ("docs", pointer), "{text}");
    }
}

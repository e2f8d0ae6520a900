//! ESI's two real documents.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use esikit_codegen::canonical::canonicalise;
use esikit_codegen::diff::Kind::*;
use esikit_codegen::diff::What::{self, *};
use esikit_codegen::diff::diff;
use esikit_codegen::settings::Settings;
use serde_json::{Value, json};

/// The retired Swagger document and the committed one; none where the first is not at hand.
fn real_pair() -> Option<(Value, Value)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(here.join(path));
    let Ok(swagger) = read("../../shared/spec/esi-swagger-2.0-v1.17.json") else {
        // Not `eprintln!`, whose text a passing test keeps to itself.
        let skipped =
            "\nSKIPPED: no esi-swagger-2.0-v1.17.json in ../../shared/spec; nothing real was compared\n";
        std::io::stderr().write_all(skipped.as_bytes()).expect("stderr");
        return None;
    };
    let parse = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
    let settings = Settings::parse(&read("../spec/codegen.toml").expect("codegen.toml")).expect("settings");
    let old = canonicalise(&parse(&swagger), &settings).expect("the Swagger document");
    Some((old.document, parse(&read("../spec/esi.json").expect("esi.json"))))
}

#[test]
fn what_esi_changed_between_its_two_documents() {
    let Some((old, new)) = real_pair() else { return };
    let found = diff(&old, &new);
    let whole = |what: What| -> BTreeSet<&str> {
        let changes = found
            .changes
            .iter()
            .filter(|change| change.kind == Operation && change.what == what);
        changes
            .filter_map(|change| change.place.operation.as_ref())
            .map(|operation| operation.path.as_str())
            .collect()
    };
    let (gone, come) = (whole(Removed), whole(Added));
    for path in [
        "/characters/{character_id}/bookmarks",
        "/opportunities/tasks",
        "/sovereignty/map",
    ] {
        assert!(gone.contains(path), "{path} is gone");
    }
    for path in ["/skyhooks/raidable", "/characters/{character_id}/access-lists"] {
        assert!(come.contains(path), "{path} came");
    }
    let matched = |path: &str| !gone.contains(path) && !come.contains(path);
    assert!(matched("/status") && matched("/markets/{region_id}/orders"));
    let renamed: Vec<_> = found
        .changes
        .iter()
        .filter(|change| change.kind == Operation && change.what == Changed)
        .collect();
    let breaking: Vec<_> = renamed
        .iter()
        .filter(|change| change.breaking)
        .map(|change| change.from.clone())
        .collect();
    assert_eq!(breaking, [Some(json!("get_characters_character_id"))]);
    let has = |kind, what, from: &str, to: &str| {
        let side = |text: &str| (!text.is_empty()).then(|| json!(text));
        let key = (kind, what, side(from), side(to));
        found
            .changes
            .iter()
            .any(|change| (change.kind, change.what, change.from.clone(), change.to.clone()) == key)
    };
    assert!(has(
        Server,
        Changed,
        "https://esi.evetech.net/latest",
        "https://esi.evetech.net"
    ));
    assert!(has(SecurityScheme, Changed, "evesso", "OAuth2"));
    assert!(has(
        Scope,
        Removed,
        "esi-bookmarks.read_character_bookmarks.v1",
        ""
    ));
    assert!(
        !found
            .changes
            .iter()
            .any(|change| change.kind == Scope && change.place.operation.is_some())
    );
    assert!(diff(&new, &new).changes.is_empty() && diff(&old, &old).changes.is_empty());
}

//! The lines of `spec/docs.toml` are ours: none of them stands in an upstream document.

use esikit_codegen::docs::Docs;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Every sentence of every description and summary, in lower case and without its full stop.
fn sentences(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| sentences(item, found)),
        Value::Object(members) => {
            for (key, member) in members {
                if let ("description" | "summary", Some(text)) = (key.as_str(), member.as_str()) {
                    found.extend(text.split(['\n', '.']).map(plain));
                }
                sentences(member, found);
            }
        }
        _ => {}
    }
}

fn plain(text: &str) -> String {
    text.trim().trim_end_matches('.').to_lowercase()
}

#[test]
fn no_line_of_the_docs_is_upstreams() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("spec/docs.toml")).expect("the docs");
    let docs = Docs::parse(&text).expect("TOML");
    let mut upstream = BTreeSet::new();
    for file in ["esi-openapi-3.1-2026-08-18.json", "esi-swagger-2.0-v1.17.json"] {
        let path = root.join("../shared/spec").join(file);
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("SKIPPED: {file} is not beside this checkout, so our docs were not compared with it");
            continue;
        };
        sentences(&serde_json::from_str(&text).expect("JSON"), &mut upstream);
    }
    let lines = docs
        .operations
        .iter()
        .chain(&docs.fields)
        .chain(&docs.field_overrides);
    for (name, line) in lines {
        let words = line.split(' ').count();
        assert!(
            words < 3 || !upstream.contains(&plain(line)),
            "{name}: `{line}` is upstream's"
        );
    }
}

//! The lines of `spec/docs.toml` are ours: none of them stands in an upstream document.

use crate::support;
use serde_json::Value;
use std::collections::BTreeSet;

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
    let docs = support::esi_docs();
    let mut upstream = BTreeSet::new();
    for text in [support::OPENAPI_31, support::SWAGGER]
        .into_iter()
        .filter_map(support::upstream)
    {
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

//! Names of types: those of schemas by rule, all of them unique whatever their case.

use crate::document::{Document, Operation};
use crate::error::Result;
use crate::json::sorted;
use crate::settings::Settings;
use crate::words;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The names given so far.
#[derive(Debug)]
pub(crate) struct Names {
    /// Canonical schema to type name.
    pub(super) of_schema: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    replaced: BTreeMap<String, String>,
}

impl Names {
    /// Names every schema that becomes a type.
    pub(crate) fn assign(document: &Document, settings: &Settings) -> Result<Self> {
        let operations = document.operations()?;
        let mut names = Self {
            of_schema: BTreeMap::new(),
            taken: reserved(&operations, settings),
            replaced: settings.names.types.clone(),
        };
        let mut answers = BTreeMap::new();
        for operation in &operations {
            let name = words::old_schema_name(&operation.path, &operation.method);
            answers.insert(name, operation);
        }
        let schemas = document
            .value
            .pointer("/components/schemas")
            .and_then(Value::as_object);
        for (schema, _) in schemas.map(sorted).unwrap_or_default() {
            let wish = prefixed(&parted(wish(schema, &answers), settings), settings);
            let name = names.claim(&wish);
            names.of_schema.insert(schema.to_owned(), name);
        }
        Ok(names)
    }

    /// A name that nothing else has, as near to the wish as can be.
    pub(super) fn claim(&mut self, wish: &str) -> String {
        let wish = words::type_name(self.replaced.get(wish).map_or(wish, String::as_str));
        let mut name = wish.clone();
        let mut number = 2;
        while !self.taken.insert(name.to_ascii_lowercase()) {
            name = format!("{}{number}", wish.trim_end_matches('_'));
            number += 1;
        }
        name
    }
}

/// Names that a type cannot have, in lower case. A marker stands in the same module as what its operation answers.
fn reserved(operations: &[Operation], settings: &Settings) -> BTreeSet<String> {
    let ids = settings.ids.number.keys().chain(settings.ids.uuid.keys());
    let mut reserved = BTreeSet::new();
    for name in ids.chain(settings.shared.values()) {
        reserved.insert(name.to_ascii_lowercase());
    }
    for name in words::TAKEN {
        reserved.insert(name.to_ascii_lowercase());
    }
    for operation in operations {
        reserved.insert(words::pascal(&operation.id).to_ascii_lowercase());
    }
    reserved
}

/// Schemas of old routes are named after the whole path (`MarketsRegionIdOrdersGetItem`); those of newer ones after what
/// they are. The first kind is brought near the second: `MarketsOrder`.
fn wish(schema: &str, answers: &BTreeMap<String, &Operation>) -> String {
    let item = schema.strip_suffix("Item").and_then(|base| answers.get(base));
    if let Some(operation) = item {
        let base = words::fixed_segments(&operation.path);
        return match words::singular(&base) {
            Some(one) if !ends_with_parameter(operation) => one,
            Some(one) => format!("{one}Entry"),
            None => format!("{base}Entry"),
        };
    }
    let Some(operation) = answers.get(schema) else {
        return words::pascal(schema);
    };
    let base = words::fixed_segments(&operation.path);
    if operation.method == "post" && operation.status == 201 {
        return format!("{}Created", words::singular(&base).unwrap_or(base));
    }
    if ends_with_parameter(operation) {
        format!("{base}Detail")
    } else {
        base
    }
}

fn ends_with_parameter(operation: &Operation) -> bool {
    operation.path.trim_end_matches('/').ends_with('}')
}

fn parted(mut name: String, settings: &Settings) -> String {
    let mut words: Vec<_> = settings.names.words.iter().collect();
    words.sort_by_key(|(run, _)| std::cmp::Reverse(run.len()));
    for (run, parts) in words {
        name = name.replace(run.as_str(), parts);
    }
    name
}

fn prefixed(name: &str, settings: &Settings) -> String {
    for (prefix, replacement) in &settings.names.prefixes {
        if let Some(rest) = name.strip_prefix(prefix.as_str())
            && rest.starts_with(|letter: char| letter.is_ascii_uppercase())
        {
            return format!("{replacement}{rest}");
        }
    }
    name.to_owned()
}

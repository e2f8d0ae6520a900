//! Every answer type: values made from its schema, with values, fields and absences that ESI may come up with, decode
//! and encode back to what was declared.

use crate::json_equality::difference;
use crate::schema_values::{Maker, Random, seed};
use serde_json::Value;

/// Values per operation.
const ROUNDS: u64 = 40;

fn spec() -> Value {
    serde_json::from_str(include_str!("../../spec/esi.json")).expect("the committed specification is JSON")
}

/// Every operation that answers with JSON, and the schema of the answer.
fn answers(spec: &Value) -> Vec<(&str, &Value)> {
    let paths = spec["paths"].as_object().expect("paths");
    let operations = paths
        .values()
        .filter_map(Value::as_object)
        .flat_map(|item| item.values());
    operations
        .filter_map(|operation| {
            let responses = operation["responses"].as_object()?;
            let success = responses.iter().find(|(code, _)| code.starts_with('2'))?.1;
            let schema = success.pointer("/content/application~1json/schema")?;
            Some((operation["operationId"].as_str()?, schema))
        })
        .collect()
}

#[test]
fn every_answer_survives_decoding_and_encoding() {
    let spec = spec();
    let seed = seed();
    let answers = answers(&spec);
    assert_eq!(
        answers.len(),
        213,
        "the operations of the specification that answer with JSON"
    );
    let mut seen = crate::schema_values::Seen::default();
    for (operation, schema) in answers {
        for round in 0..ROUNDS {
            let mut maker = Maker::new(&spec, Random::new(seed ^ round.wrapping_mul(0x9E37_79B9)));
            let made = maker.make(schema);
            let text = made.sent.to_string();
            let back = esikit::mock::reencoded(operation, &text)
                .unwrap_or_else(|| panic!("{operation} is not generated"))
                .unwrap_or_else(|error| panic!("{operation}, ESIKIT_SEED={seed}: {error}\n{text}"));
            if let Some(difference) = difference(&made.declared, &back) {
                panic!("{operation}, ESIKIT_SEED={seed}, round {round}: {difference}\n{text}");
            }
            seen.add(&maker.seen);
        }
    }
    println!("{seen:?}");
    assert!(
        seen.unknown_values > 1000
            && seen.unknown_fields > 1000
            && seen.absent > 1000
            && seen.unknown_tags > 20
    );
}

/// What the server of tests is given must be what the specification allows.
#[test]
fn every_sample_is_valid_by_its_schema() {
    let spec = spec();
    for (operation, schema) in answers(&spec) {
        let sample = esikit::mock::sample(operation).unwrap_or_else(|| panic!("{operation} has no sample"));
        if let Err(problem) = crate::schema_values::validate(&spec, schema, &sample) {
            panic!("{operation}: {problem}\n{sample}");
        }
    }
}

//! What holds for any two documents.

use esikit_codegen::diff::{Change, Diff, diff};
use serde_json::{Value, json};

use super::cases::*;
use super::document::*;

/// Small and seeded: a failure names the seed, and the seed gives the same edits again.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % end as u64).expect("small")
    }

    fn document(&mut self, cases: &[Case]) -> Value {
        let edits: Vec<&Edit> = (0..self.below(7))
            .map(|_| &cases[self.below(cases.len())].edit)
            .collect();
        let mut document = edited(&edits);
        for _ in 0..self.below(3) {
            self.damage(&mut document);
        }
        document
    }

    /// Puts something unlikely at any place at all, or takes it away.
    fn damage(&mut self, document: &mut Value) {
        let mut pointers = Vec::new();
        collect(document, String::new(), &mut pointers);
        let pointer = &pointers[self.below(pointers.len())];
        let odd = [
            json!(null),
            json!(7),
            json!("odd"),
            json!([]),
            json!({}),
            json!({ "$ref": "#/nowhere" }),
            json!(true),
        ];
        if let Some(place) = document.pointer_mut(pointer) {
            *place = odd[self.below(odd.len())].clone();
        }
    }
}

fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    let steps: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (step, value) in steps {
        let below = format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"));
        pointers.push(below.clone());
        collect(value, below, pointers);
    }
}

/// A change without what differs by direction: ids and names are the old document's.
fn facts(change: &Change, mirror: bool) -> String {
    let operation = change
        .place
        .operation
        .as_ref()
        .map(|operation| (&operation.method, &operation.path));
    let (what, from, to) = match mirror {
        true => (mirrored(change.what), &change.to, &change.from),
        false => (change.what, &change.from, &change.to),
    };
    format!(
        "{operation:?} {} {:?} {what:?} {from:?} {to:?}",
        change.place.inside, change.kind
    )
}

#[test]
fn what_came_one_way_goes_the_other_way() {
    let cases = cases();
    for seed in 0..400 {
        let mut random = Random(seed);
        let (a, b) = (random.document(&cases), random.document(&cases));
        let (there, back) = (diff(&a, &b), diff(&b, &a));
        assert!(
            there.changes.is_sorted_by(|a, b| a.place <= b.place),
            "seed {seed}"
        );
        let mut there_facts: Vec<_> = there.changes.iter().map(|change| facts(change, false)).collect();
        let mut back_facts: Vec<_> = back.changes.iter().map(|change| facts(change, true)).collect();
        there_facts.sort();
        back_facts.sort();
        assert_eq!(there_facts, back_facts, "seed {seed}");
        assert_eq!(diff(&a, &a), Diff::default(), "seed {seed}");
    }
}

#[test]
fn the_same_documents_always_give_the_same_answer() {
    let cases = cases();
    for seed in 0..100 {
        let mut random = Random(seed);
        let (a, b) = (random.document(&cases), random.document(&cases));
        let reread = |value: &Value| -> Value { serde_json::from_str(&value.to_string()).expect("JSON") };
        let (first, second) = (diff(&a, &b), diff(&reread(&a), &reread(&b)));
        assert_eq!(first.to_string(), second.to_string(), "seed {seed}");
        assert_eq!(
            first.to_json().to_string(),
            second.to_json().to_string(),
            "seed {seed}"
        );
    }
}

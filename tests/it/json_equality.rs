//! When two JSON values are the same: numbers as `f64` where one of them is no integer, all else exactly.

use serde_json::Value;

/// The first place where the values differ, as a JSON pointer with both values.
pub(crate) fn difference(sent: &Value, back: &Value) -> Option<String> {
    differ(sent, back, "")
}

fn differ(sent: &Value, back: &Value, place: &str) -> Option<String> {
    let other = || Some(format!("{place}: {sent} became {back}"));
    match (sent, back) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            if a.as_f64() == b.as_f64() {
                None
            } else {
                other()
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(index, (a, b))| differ(a, b, &format!("{place}/{index}"))),
        (Value::Object(a), Value::Object(b)) => {
            let lost = a.iter().find_map(|(key, value)| match b.get(key) {
                Some(again) => differ(value, again, &format!("{place}/{key}")),
                None => Some(format!("{place}/{key}: {value} is gone")),
            });
            lost.or_else(|| {
                b.keys()
                    .find(|key| !a.contains_key(*key))
                    .map(|key| format!("{place}/{key} is new"))
            })
        }
        _ if sent == back => None,
        _ => other(),
    }
}

#[test]
fn differences_are_seen() {
    use serde_json::json;
    assert_eq!(
        difference(&json!({ "a": [1, 1.0, "x"] }), &json!({ "a": [1, 1, "x"] })),
        None
    );
    assert!(difference(&json!([1]), &json!([2])).is_some());
    assert!(difference(&json!({ "a": 1 }), &json!({})).is_some());
    assert!(difference(&json!({}), &json!({ "a": null })).is_some());
    assert!(difference(&json!(9007199254740993_i64), &json!(9007199254740992_i64)).is_some());
}

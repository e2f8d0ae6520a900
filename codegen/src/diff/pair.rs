//! Puts together what belongs together on both sides.

use serde_json::Value;
use std::collections::BTreeMap;

/// What the old document has under a key, and what the new one has.
pub(super) type Pairs<K, T> = BTreeMap<K, (Option<T>, Option<T>)>;

/// Pairs entries by key, sorted by key.
pub(super) fn pairs<K: Ord, T>(
    old: impl IntoIterator<Item = (K, T)>,
    new: impl IntoIterator<Item = (K, T)>,
) -> Pairs<K, T> {
    let mut pairs: Pairs<K, T> = BTreeMap::new();
    for (key, value) in old {
        pairs.entry(key).or_default().0 = Some(value);
    }
    for (key, value) in new {
        pairs.entry(key).or_default().1 = Some(value);
    }
    pairs
}

/// The members of the object at a pointer; none when it is absent.
pub(super) fn members<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let object = value.pointer(pointer).and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value))
}

/// The items of the array in a member; none when it is absent.
pub(super) fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The texts of the array in a member.
pub(super) fn texts<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    items(value, key).filter_map(Value::as_str)
}

/// A text member.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// A flag that is off when it is absent.
pub(super) fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// A member of its own, for a report.
pub(super) fn fact(value: &Value, key: &str) -> Option<Value> {
    value.get(key).cloned()
}

//! JSON as this crate writes it: members sorted, small values on one line, so that a diff shows contract changes only.

use serde_json::{Map, Value};
use std::fmt::Write;

/// A value stays on one line while it is at most this long.
const LINE: usize = 110;

/// Writes a document with sorted members and a final newline. The same value always gives the same bytes.
///
/// ```
/// let value = serde_json::json!({ "b": [1, 2], "a": null });
/// assert_eq!(esikit_codegen::json::to_text(&value), "{ \"a\": null, \"b\": [1, 2] }\n");
/// ```
pub fn to_text(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value, 0);
    text.push('\n');
    text
}

/// The members of an object, sorted by name.
pub(crate) fn sorted(members: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut sorted = Vec::with_capacity(members.len());
    for (key, value) in members {
        sorted.push((key.as_str(), value));
    }
    sorted.sort_by_key(|(key, _)| *key);
    sorted
}

fn write_value(text: &mut String, value: &Value, indent: usize) {
    let line = one_line(value);
    if line.len() + indent <= LINE {
        text.push_str(&line);
        return;
    }
    match value {
        Value::Array(items) => {
            write_block(text, indent, '[', ']', items.iter().map(|item| (None, item)));
        }
        Value::Object(members) => {
            let members = sorted(members).into_iter();
            let entries = members.map(|(key, value)| (Some(key), value));
            write_block(text, indent, '{', '}', entries);
        }
        _ => text.push_str(&line),
    }
}

fn write_block<'a>(
    text: &mut String,
    indent: usize,
    open: char,
    close: char,
    entries: impl Iterator<Item = (Option<&'a str>, &'a Value)>,
) {
    text.push(open);
    for (index, (key, value)) in entries.enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        let _ = write!(text, "{:1$}", "", indent + 2);
        if let Some(key) = key {
            let _ = write!(text, "{}: ", Value::from(key));
        }
        write_value(text, value, indent + 2);
    }
    let _ = write!(text, "\n{:1$}{close}", "", indent);
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<_> = sorted(members)
                .into_iter()
                .map(|(key, value)| format!("{}: {}", Value::from(key), one_line(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}

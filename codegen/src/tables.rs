//! Files in TOML, as the values that [`Node`](crate::node::Node) reads.
//!
//! Derived readers would say in fewer words what is expected, and each user would compile several hundred functions for
//! them.

use crate::error::{At, Error, Result};
use serde_json::{Map, Value};

/// The tables of a file; errors come under `rule`.
pub(crate) fn parse(rule: &'static str, text: &str) -> Result<Value> {
    match text.parse::<toml::Table>() {
        Ok(tables) => Ok(value(toml::Value::Table(tables))),
        Err(error) => Err(Error::new(rule, &At::root(), error.to_string())),
    }
}

fn value(content: toml::Value) -> Value {
    match content {
        toml::Value::Table(entries) => {
            let mut members = Map::new();
            for (key, entry) in entries {
                members.insert(key, value(entry));
            }
            Value::Object(members)
        }
        toml::Value::Array(items) => items.into_iter().map(value).collect(),
        toml::Value::String(text) => Value::String(text),
        // Nothing that is read is a number, a flag or a date: what must stand there instead, its reader says.
        _ => Value::Null,
    }
}

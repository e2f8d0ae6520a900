//! A value in a document together with its place, so that every complaint can say where.

use crate::error::{At, Error, Result};
use crate::json::sorted;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    pub(crate) value: &'a Value,
    pub(crate) at: At,
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self {
            value,
            at: At::root(),
        }
    }

    pub(crate) fn in_operation(self, id: &str) -> Self {
        Self {
            at: self.at.in_operation(id),
            ..self
        }
    }

    /// Another place, told with the operation of this one.
    pub(crate) fn within(&self, other: &Self) -> Self {
        Self {
            value: other.value,
            at: self.at.around(&other.at),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key)?;
        Some(Self {
            value,
            at: self.at.join(key),
        })
    }

    pub(crate) fn need(&self, key: &str) -> Result<Self> {
        self.get(key)
            .ok_or_else(|| self.error("member", format!("the member `{key}` is missing")))
    }

    pub(crate) fn object(&self) -> Result<&'a Map<String, Value>> {
        self.value
            .as_object()
            .ok_or_else(|| self.error("type", "this must be an object"))
    }

    /// The members of an object, sorted by name.
    pub(crate) fn members(&self) -> Result<Vec<(&'a str, Self)>> {
        let members = sorted(self.object()?).into_iter();
        let node = |key, value| Self {
            value,
            at: self.at.join(key),
        };
        Ok(members.map(|(key, value)| (key, node(key, value))).collect())
    }

    pub(crate) fn items(&self) -> Result<Vec<Self>> {
        let items = self
            .value
            .as_array()
            .ok_or_else(|| self.error("type", "this must be an array"))?;
        Ok(items
            .iter()
            .enumerate()
            .map(|(index, value)| Self {
                value,
                at: self.at.join(index),
            })
            .collect())
    }

    /// The items of the array in `key`; none when it is absent.
    pub(crate) fn items_of(&self, key: &str) -> Result<Vec<Self>> {
        self.get(key)
            .map_or_else(|| Ok(Vec::new()), |array| array.items())
    }

    /// The members of the object in `key`; none when it is absent.
    pub(crate) fn members_of(&self, key: &str) -> Result<Vec<(&'a str, Self)>> {
        self.get(key)
            .map_or_else(|| Ok(Vec::new()), |object| object.members())
    }

    /// Refuses members that nobody would read.
    pub(crate) fn only(&self, known: &[&str]) -> Result<()> {
        match self.object()?.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Error::new(
                "member",
                &self.at.join(key),
                format!("`{key}` is not known here"),
            )),
            None => Ok(()),
        }
    }

    pub(crate) fn text(&self) -> Result<&'a str> {
        self.value
            .as_str()
            .ok_or_else(|| self.error("type", "this must be a string"))
    }

    pub(crate) fn text_of(&self, key: &str) -> Result<&'a str> {
        self.need(key)?.text()
    }

    /// The texts in the array in `key`; none when it is absent.
    pub(crate) fn texts_of(&self, key: &str) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for item in self.items_of(key)? {
            texts.push(item.text()?.to_owned());
        }
        Ok(texts)
    }

    /// The same as a set.
    pub(crate) fn set_of(&self, key: &str) -> Result<BTreeSet<String>> {
        Ok(self.texts_of(key)?.into_iter().collect())
    }

    /// The object in `key`, of which every member is a text; an empty one when it is absent.
    pub(crate) fn words_of(&self, key: &str) -> Result<BTreeMap<String, String>> {
        let mut words = BTreeMap::new();
        for (name, word) in self.members_of(key)? {
            words.insert(name.to_owned(), word.text()?.to_owned());
        }
        Ok(words)
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Follows a local `$ref` once; anything else is returned as it is.
    pub(crate) fn resolved(&self, root: &'a Value) -> Result<Self> {
        let Some(reference) = self.value.get("$ref") else {
            return Ok(self.clone());
        };
        let place = Self {
            value: reference,
            at: self.at.join("$ref"),
        };
        let reference = place.text()?;
        let pointer = reference.strip_prefix('#').unwrap_or_default();
        match root.pointer(pointer) {
            Some(value) if !pointer.is_empty() => Ok(Self {
                value,
                at: self.at.clone(),
            }),
            _ => Err(place.error(
                "reference",
                format!("`{reference}` leads nowhere in this document"),
            )),
        }
    }

    pub(crate) fn error(&self, rule: &'static str, message: impl Into<String>) -> Error {
        Error::new(rule, &self.at, message)
    }
}

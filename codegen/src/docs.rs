//! Our own words for operations and fields, from `spec/docs.toml`.

use crate::error::Result;
use crate::node::Node;
use crate::tables;
use std::collections::BTreeMap;

/// The lines of `docs.toml`.
#[derive(Debug, Clone, Default)]
pub struct Docs {
    /// `operationId` to what the operation does.
    pub operations: BTreeMap<String, String>,
    /// Property or parameter name to what it means, true wherever the name stands.
    pub fields: BTreeMap<String, String>,
    /// `Schema.property` to what it means there; a request body's schema is called `<OperationId>Body`.
    pub field_overrides: BTreeMap<String, String>,
    /// `Type.value` to what the value of an enum means; without an entry the docs show the wire value.
    pub values: BTreeMap<String, String>,
}

impl Docs {
    /// Reads the text of a `docs.toml`.
    ///
    /// # Errors
    /// Not TOML, an unknown table, or a line that is no text.
    pub fn parse(text: &str) -> Result<Self> {
        let tables = tables::parse("docs", text)?;
        Self::read(&Node::root(&tables)).map_err(|error| error.under("docs"))
    }

    fn read(node: &Node<'_>) -> Result<Self> {
        node.only(&["operations", "fields", "field_overrides", "values"])?;
        Ok(Self {
            operations: node.words_of("operations")?,
            fields: node.words_of("fields")?,
            field_overrides: node.words_of("field_overrides")?,
            values: node.words_of("values")?,
        })
    }

    /// The line of a property of the canonical schema (or operation) `origin`.
    pub(crate) fn field(&self, origin: &str, property: &str) -> Option<&str> {
        let entry = |origin: &str| self.field_overrides.get(&format!("{origin}.{property}"));
        entry(origin)
            .or_else(|| entry(&format!("{origin}Body")))
            .or_else(|| entry(origin.strip_suffix("Item")?))
            .or_else(|| self.fields.get(property))
            .map(String::as_str)
    }
}

//! The editorial decisions of `spec/codegen.toml`: what a specification cannot say about itself.

use crate::error::{At, Error, Result};
use crate::node::Node;
use crate::tables;
use std::collections::{BTreeMap, BTreeSet};

/// Settings of code generation, read from `codegen.toml`.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Names of the security scheme that marks operations; the first one that the document declares is used.
    /// Empty: whatever single scheme the document declares.
    pub security_name: Vec<String>,
    /// POST operations that only read, so that they may be retried and split.
    pub read_only: BTreeSet<String>,
    /// Parameters that belong to the client rather than to a call.
    pub lifted: Lifted,
    /// How lists are written into a query.
    pub lists: Lists,
    /// Vendor extensions of operations that are facts and kept, and those that are dropped.
    pub extensions: Extensions,
    /// Id newtypes.
    pub ids: Ids,
    /// Types that are one wherever they stand: property name, or `Schema.property`, to type name.
    pub shared: BTreeMap<String, String>,
    /// Names of generated types.
    pub names: Names,
    /// How answers that come in parts are put together.
    pub parts: Parts,
}

/// Parameters that are settings of the client: no operation shows them.
#[derive(Debug, Clone, Default)]
pub struct Lifted {
    /// Header parameters, compared without regard to case.
    pub header: BTreeSet<String>,
    /// Query parameters.
    pub query: BTreeSet<String>,
}

/// Styles of list parameters that a document leaves out.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    /// Query parameters that are written as `1,2` whatever the document says.
    pub comma: BTreeSet<String>,
}

/// What happens to `x-` members of operations.
#[derive(Debug, Clone, Default)]
pub struct Extensions {
    /// Kept as facts.
    pub keep: BTreeSet<String>,
    /// Known and dropped.
    pub drop: BTreeSet<String>,
}

/// Which integers and strings are ids, and of what.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    /// Newtypes over `i64`: name to doc line.
    pub number: BTreeMap<String, String>,
    /// Newtypes over a UUID: name to doc line.
    pub uuid: BTreeMap<String, String>,
    /// Component schema to newtype.
    pub schemas: BTreeMap<String, String>,
    /// Property or parameter name to newtype; `Schema.property` or `OperationId.parameter` goes before the bare name.
    pub properties: BTreeMap<String, String>,
    /// Names that look like ids and are plain numbers on purpose.
    pub plain: BTreeSet<String>,
}

/// What finishers such as `all` need to know of an operation.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// Operation to the property of its records that tells them apart.
    pub ids: BTreeMap<String, String>,
    /// Operations that refuse a whole list of ids for one unknown id.
    pub resolved: BTreeSet<String>,
    /// Operations that come in parts and get no finisher for all of them.
    pub without: BTreeSet<String>,
}

/// How schema names become type names.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Leading words that are replaced: `Characters` to `Character`.
    pub prefixes: BTreeMap<String, String>,
    /// Parts of schema names that upstream ran together: longer ones are replaced first.
    pub words: BTreeMap<String, String>,
    /// Whole type names that are replaced, after all rules.
    pub types: BTreeMap<String, String>,
}

impl Settings {
    /// What holds for every document of ESI: the file `defaults.toml` of this crate.
    ///
    /// # Errors
    /// Never in a released version: a test reads the file.
    pub fn builtin() -> Result<Self> {
        Self::only_of(include_str!("../defaults.toml"))
    }

    /// Reads the text of a `codegen.toml`, which adds to what is built in.
    ///
    /// # Errors
    /// Not TOML, an unknown key, or an id table that names a newtype which is not declared.
    pub fn parse(text: &str) -> Result<Self> {
        let mut settings = Self::only_of(text)?;
        let builtin = Self::builtin()?;
        settings.lifted.header.extend(builtin.lifted.header);
        settings.lifted.query.extend(builtin.lifted.query);
        settings.lists.comma.extend(builtin.lists.comma);
        settings.extensions.keep.extend(builtin.extensions.keep);
        settings.extensions.drop.extend(builtin.extensions.drop);
        let ids = &settings.ids;
        for (table, entries) in [("schemas", &ids.schemas), ("properties", &ids.properties)] {
            for (key, newtype) in entries {
                if !ids.is_newtype(newtype) {
                    let at = At::root().join("ids").join(table).join(key);
                    let message =
                        format!("add `{newtype} = \"what it identifies\"` to [ids.number] or [ids.uuid]");
                    return Err(Error::new("settings", &at, message));
                }
            }
        }
        Ok(settings)
    }

    /// Reads a file without what is built in.
    fn only_of(text: &str) -> Result<Self> {
        let tables = tables::parse("settings", text)?;
        Self::read(&Node::root(&tables)).map_err(|error| error.under("settings"))
    }

    fn read(node: &Node<'_>) -> Result<Self> {
        node.only(&[
            "security_name",
            "read_only",
            "lifted",
            "lists",
            "extensions",
            "ids",
            "shared",
            "names",
            "parts",
        ])?;
        Ok(Self {
            security_name: node.texts_of("security_name")?,
            read_only: node.set_of("read_only")?,
            lifted: table(node, "lifted", Lifted::read)?,
            lists: table(node, "lists", Lists::read)?,
            extensions: table(node, "extensions", Extensions::read)?,
            ids: table(node, "ids", Ids::read)?,
            shared: node.words_of("shared")?,
            names: table(node, "names", Names::read)?,
            parts: table(node, "parts", Parts::read)?,
        })
    }

    /// The type that a property's content shares with others.
    pub(crate) fn shared_type(&self, origin: &str, property: &str) -> Option<&str> {
        exact(&self.shared, origin, property).or_else(|| self.shared.get(property).map(String::as_str))
    }
}

/// The table in `key`, where there is one.
fn table<T: Default>(node: &Node<'_>, key: &str, read: fn(&Node<'_>) -> Result<T>) -> Result<T> {
    node.get(key)
        .map_or_else(|| Ok(T::default()), |table| read(&table))
}

impl Lifted {
    fn read(node: &Node<'_>) -> Result<Self> {
        node.only(&["header", "query"])?;
        Ok(Self {
            header: node.set_of("header")?,
            query: node.set_of("query")?,
        })
    }
}

impl Lists {
    fn read(node: &Node<'_>) -> Result<Self> {
        node.only(&["comma"])?;
        Ok(Self {
            comma: node.set_of("comma")?,
        })
    }
}

impl Extensions {
    fn read(node: &Node<'_>) -> Result<Self> {
        node.only(&["keep", "drop"])?;
        Ok(Self {
            keep: node.set_of("keep")?,
            drop: node.set_of("drop")?,
        })
    }
}

impl Names {
    fn read(node: &Node<'_>) -> Result<Self> {
        node.only(&["prefixes", "words", "types"])?;
        Ok(Self {
            prefixes: node.words_of("prefixes")?,
            words: node.words_of("words")?,
            types: node.words_of("types")?,
        })
    }
}

impl Parts {
    fn read(node: &Node<'_>) -> Result<Self> {
        node.only(&["ids", "resolved", "without"])?;
        Ok(Self {
            ids: node.words_of("ids")?,
            resolved: node.set_of("resolved")?,
            without: node.set_of("without")?,
        })
    }
}

/// The entry `Schema.property`; an array's item schema is known by the array's name.
fn exact<'a>(table: &'a BTreeMap<String, String>, origin: &str, property: &str) -> Option<&'a str> {
    let entry = |origin: &str| table.get(&format!("{origin}.{property}")).map(String::as_str);
    entry(origin).or_else(|| entry(origin.strip_suffix("Item")?))
}

impl Ids {
    fn read(node: &Node<'_>) -> Result<Self> {
        node.only(&["number", "uuid", "schemas", "properties", "plain"])?;
        Ok(Self {
            number: node.words_of("number")?,
            uuid: node.words_of("uuid")?,
            schemas: node.words_of("schemas")?,
            properties: node.words_of("properties")?,
            plain: node.set_of("plain")?,
        })
    }

    pub(crate) fn is_newtype(&self, name: &str) -> bool {
        self.number.contains_key(name) || self.uuid.contains_key(name)
    }

    /// The newtype that an exact entry (`Schema.property`) gives.
    pub(crate) fn exact(&self, origin: &str, property: &str) -> Option<&str> {
        exact(&self.properties, origin, property)
    }

    /// The newtype of a property by its bare name.
    pub(crate) fn of_name(&self, property: &str) -> Option<&str> {
        self.properties.get(property).map(String::as_str)
    }
}

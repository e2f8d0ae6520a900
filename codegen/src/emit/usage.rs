//! Who uses a type: that says in which tag's module it stands and what its docs can link to.

use crate::document::Operation;
use crate::error::{At, Error, Result};
use crate::signatures::{Method, Shape, Signatures};
use crate::words;
use std::collections::{BTreeMap, BTreeSet};

/// The module of types that several tags use.
pub(super) const SHARED: &str = "shared";

#[derive(Debug)]
pub(super) struct Usage {
    /// Type to the tag module it stands in.
    module: BTreeMap<String, String>,
    /// Type to how it is used, most telling first.
    uses: BTreeMap<String, Vec<Use>>,
    tags: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// The answer of a method, or an entry of it.
    Answer { method: String, list: bool },
    /// The body of a method.
    Body { method: String },
    /// A parameter of a method.
    Parameter { method: String },
    /// A property of another type.
    Part { of: String },
}

impl Usage {
    pub(super) fn of(operations: &[Operation], signatures: &Signatures) -> Result<Self> {
        let mut usage = Self {
            module: BTreeMap::new(),
            uses: BTreeMap::new(),
            tags: BTreeSet::new(),
        };
        for operation in operations {
            let tag = words::snake(&operation.tag);
            let method = method_of(operation, signatures)?;
            usage.tags.insert(tag.clone());
            let list = method.output.starts_with("Vec<");
            usage.note(
                &method.output,
                &Use::Answer {
                    method: method.name.clone(),
                    list,
                },
                &tag,
                signatures,
            );
            for (argument, content) in &method.arguments {
                let method = method.name.clone();
                let used = if argument == "body" {
                    Use::Body { method }
                } else {
                    Use::Parameter { method }
                };
                usage.note(content, &used, &tag, signatures);
            }
        }
        for uses in usage.uses.values_mut() {
            uses.sort();
            uses.dedup();
        }
        Ok(usage)
    }

    fn note(&mut self, content: &str, used: &Use, tag: &str, signatures: &Signatures) {
        for name in type_names(content) {
            let Some(shape) = signatures.types.get(name) else {
                continue;
            };
            self.uses.entry(name.to_owned()).or_default().push(used.clone());
            let seen = self.module.get(name).cloned();
            match seen.as_deref() {
                Some(seen) if seen == tag || seen == SHARED => continue,
                Some(_) => drop(self.module.insert(name.to_owned(), SHARED.to_owned())),
                None => drop(self.module.insert(name.to_owned(), tag.to_owned())),
            }
            let part = Use::Part { of: name.to_owned() };
            for content in contents(shape) {
                self.note(content, &part, tag, signatures);
            }
        }
    }

    pub(super) fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().map(String::as_str)
    }

    pub(super) fn types_in<'a>(&'a self, module: &'a str) -> impl Iterator<Item = &'a str> {
        self.module
            .iter()
            .filter(move |(_, tag)| *tag == module)
            .map(|(name, _)| name.as_str())
    }

    pub(super) fn is_body(&self, name: &str) -> bool {
        let is_body = |used: &Use| match used {
            Use::Body { .. } => true,
            Use::Part { of } => of != name && self.is_body(of),
            _ => false,
        };
        self.uses.get(name).is_some_and(|uses| uses.iter().any(is_body))
    }

    /// A sentence that says where the type is met.
    pub(super) fn sentence(&self, name: &str) -> String {
        let uses = self.uses.get(name).map_or(&[][..], Vec::as_slice);
        let Some(first) = uses.first() else {
            return "A type of the specification.".to_owned();
        };
        let link = |method: &str| format!("[`Esi::{method}`]");
        let text = match first {
            Use::Answer { method, list: true } => format!("One entry of the answer of {}", link(method)),
            Use::Answer { method, .. } => format!("The answer of {}", link(method)),
            Use::Body { method } => format!("The body of {}", link(method)),
            Use::Parameter { method } => format!("Values of a parameter of {}", link(method)),
            Use::Part { of } => format!("A part of [`{of}`]"),
        };
        match uses.len() {
            1 => format!("{text}."),
            more => format!("{text}; used in {more} places."),
        }
    }
}

/// The method that `progenitor` gave to an operation.
pub(super) fn method_of<'a>(operation: &Operation, signatures: &'a Signatures) -> Result<&'a Method> {
    let route = format!("{} {}", operation.method.to_uppercase(), operation.path);
    signatures.methods.get(&route).ok_or_else(|| {
        let at = At::root()
            .join("paths")
            .join(&operation.path)
            .join(&operation.method)
            .in_operation(&operation.id);
        Error::new("progenitor", &at, "no method came out for this operation")
    })
}

/// The names in a type: `Option<Vec<TypeId>>` holds `Option`, `Vec` and `TypeId`.
pub(super) fn type_names(content: &str) -> impl Iterator<Item = &str> {
    content
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|name| !name.is_empty())
}

/// The types that a type is made of.
pub(super) fn contents(shape: &Shape) -> Vec<&str> {
    match shape {
        Shape::Record(fields) => fields.iter().map(|field| field.content.as_str()).collect(),
        Shape::Choice(variants) => variants.iter().map(|variant| variant.content.as_str()).collect(),
        Shape::OpenEnum(_) | Shape::Newtype => Vec::new(),
    }
}

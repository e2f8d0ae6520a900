//! Writes the source: one file per tag for types, one per tag for operations, and a root that joins them.

mod bounds;
mod finishers;
mod ids;
mod mock;
mod operations;
mod root;
mod rust;
mod scopes;
mod types;
mod usage;

use crate::docs::Docs;
use crate::document::{Document, Operation};
use crate::error::Result;
use crate::lower::{Lowered, Names, lower};
use crate::select::{Selection, select};
use crate::settings::Settings;
use crate::signatures::{Signatures, signatures};
use crate::words::SHARED;
use std::collections::BTreeMap;
use usage::Usage;

/// First lines of every generated file.
const HEADER: &str = "// Made by esikit-codegen from the specification; `cargo xtask codegen` takes in a new one. Do not edit.\n\n";

/// What generated modules import; hardly one of them needs it all.
const PRELUDE: &str = "#[allow(unused_imports)]\nuse crate::generated::prelude::*;\n";

/// The generated source.
#[derive(Debug)]
pub struct Source {
    /// File name, relative to the output folder, to text.
    pub files: BTreeMap<String, String>,
    /// What the settings do not cover yet, each with the entry to add.
    pub notes: Vec<String>,
    /// Operations and fields that `docs.toml` has no line for.
    pub undocumented: Vec<String>,
}

/// What every part of the emitter reads.
struct Context<'a> {
    document: &'a Document,
    operations: Vec<Operation>,
    settings: &'a Settings,
    docs: &'a Docs,
    lowered: Lowered,
    signatures: Signatures,
    usage: Usage,
    /// The scheme that marks operations.
    scheme: Option<String>,
}

/// Generates the source of the selected operations and of the types they reach.
///
/// # Errors
/// A document that breaks a rule, or settings that name a security scheme which the document does not declare.
pub fn generate(
    document: &Document,
    selection: &Selection,
    settings: &Settings,
    docs: &Docs,
) -> Result<Source> {
    let scheme = scopes::marked_scheme(document, settings)?;
    // Names are given to the whole document, so that a type is called the same whatever is selected.
    let names = Names::assign(document, settings)?;
    let document = &select(document, selection);
    let operations = document.operations()?;
    let lowered = lower(document, &operations, settings, names)?;
    let signatures = signatures(&lowered.document)?;
    let usage = Usage::of(&operations, &signatures)?;
    let context = Context {
        document,
        operations,
        settings,
        docs,
        lowered,
        signatures,
        usage,
        scheme,
    };
    let mut files = BTreeMap::new();
    for tag in context.usage.tags() {
        files.insert(format!("types/{tag}.rs"), types::module(&context, tag)?);
        files.insert(format!("operations/{tag}.rs"), operations::module(&context, tag)?);
    }
    files.insert("types/shared.rs".to_owned(), types::module(&context, SHARED)?);
    files.insert("ids.rs".to_owned(), ids::module(&context));
    files.insert("scopes.rs".to_owned(), scopes::module(&context));
    files.insert("mock.rs".to_owned(), mock::module(&context)?);
    files.insert("esi.rs".to_owned(), root::module(&context));
    for text in files.values_mut() {
        text.insert_str(0, HEADER);
    }
    let mut notes = [document.notes.clone(), context.lowered.notes.clone()].concat();
    for operation in &context.operations {
        notes.extend(finishers::of(&context, operation)?.err());
    }
    notes.sort();
    notes.dedup();
    Ok(Source {
        files,
        notes,
        undocumented: undocumented(&context),
    })
}

fn undocumented(context: &Context<'_>) -> Vec<String> {
    use crate::signatures::Shape;
    let mut missing = Vec::new();
    for operation in &context.operations {
        if !context.docs.operations.contains_key(&operation.id) {
            missing.push(format!("add `{} = \"...\"` to [operations]", operation.id));
        }
        for parameter in &operation.parameters {
            if context.docs.field(&operation.id, &parameter.name).is_none() {
                missing.push(format!("add `{} = \"...\"` to [fields]", parameter.name));
            }
        }
    }
    for (name, shape) in &context.signatures.types {
        let origin = context.lowered.origins.get(name).map_or("", String::as_str);
        let wires: Vec<&str> = match shape {
            Shape::Record(fields) => fields.iter().map(|field| field.wire.as_str()).collect(),
            Shape::Choice(variants) => variants.iter().map(|variant| variant.wire.as_str()).collect(),
            Shape::OpenEnum(_) | Shape::Newtype => Vec::new(),
        };
        for wire in wires {
            if context.docs.field(origin, wire).is_none() {
                missing.push(format!("add `{wire} = \"...\"` to [fields]"));
            }
        }
    }
    missing.sort();
    missing.dedup();
    missing
}

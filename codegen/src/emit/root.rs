//! The file that joins all others.

use super::usage::SHARED;
use super::{Context, rust};
use std::fmt::Write;

/// Names that generated modules use, in one place; `TAKEN` keeps generated types from having them.
const PRELUDE: &str = "\
#[allow(unused_imports)]
mod prelude {
    pub(super) use crate::operation::{
        BodyFacts, Bound, CacheMode, Effect, Method, Operation, Pagination, Parameter, Rule, Security, Success,
    };
    pub(super) use crate::{Esi, Request, ids::*, types::*};
    pub(super) use chrono::{DateTime, NaiveDate, Utc};
    pub(super) use serde_json::{Map, Value};
    pub(super) use std::collections::BTreeMap;
}

";

pub(super) fn module(context: &Context<'_>) -> String {
    let mut out = String::new();
    let base_url = context.document.base_url().unwrap_or("https://esi.evetech.net");
    let date = match context.document.compatibility_date() {
        Some(date) => format!("Some({})", rust::literal(date)),
        None => "None".to_owned(),
    };
    let _ = writeln!(
        out,
        "/// Where ESI is, by the specification.\npub const DEFAULT_BASE_URL: &str = {};\n",
        rust::literal(base_url)
    );
    let _ = writeln!(
        out,
        "/// The compatibility date of the specification that this crate was built from.\npub const COMPATIBILITY_DATE: Option<&str> = {date};\n"
    );
    out.push_str("/// Newtypes of ids, so that one kind never stands where another is meant.\npub mod ids {\n    include!(concat!(env!(\"OUT_DIR\"), \"/ids.rs\"));\n}\n\n");
    out.push_str("mod scopes {\n    include!(concat!(env!(\"OUT_DIR\"), \"/scopes.rs\"));\n}\npub use scopes::{SECURITY_SCHEME, Scope};\n\n");
    let tags: Vec<&str> = context.usage.tags().collect();
    out.push_str("/// What operations take and answer, as the specification has it.\npub mod types {\n");
    for tag in tags.iter().chain([&SHARED]) {
        if context
            .usage
            .types_in(tag)
            .any(|name| !context.settings.ids.is_newtype(name))
        {
            folder(&mut out, "types", tag);
        }
    }
    out.push_str("}\n\n/// One marker type per operation: it ties a [`Request`](crate::Request) to what it answers.\npub mod operations {\n");
    for tag in &tags {
        folder(&mut out, "operations", tag);
    }
    out.push_str("}\n\n/// Every operation of this build, sorted by id.\npub static OPERATIONS: &[&crate::Operation] = &[\n");
    let mut ids: Vec<&str> = context
        .operations
        .iter()
        .map(|operation| operation.id.as_str())
        .collect();
    ids.sort_unstable();
    for id in ids {
        let _ = writeln!(out, "    &operations::{},", super::operations::static_name(id));
    }
    out.push_str("];\n\n");
    out.push_str(PRELUDE);
    out.push_str("#[cfg(feature = \"mock\")]\nmod exchange {\n    include!(concat!(env!(\"OUT_DIR\"), \"/mock.rs\"));\n}\n#[cfg(feature = \"mock\")]\npub(crate) use exchange::{reencoded, sample};\n");
    out
}

fn folder(out: &mut String, folder: &str, tag: &str) {
    let name = module_name(tag);
    let _ = writeln!(
        out,
        "    mod {name} {{\n        include!(concat!(env!(\"OUT_DIR\"), \"/{folder}/{tag}.rs\"));\n    }}\n    pub use {name}::*;"
    );
}

/// A tag may be a word that Rust reserves.
fn module_name(tag: &str) -> String {
    if crate::words::is_keyword(tag) {
        format!("{tag}_")
    } else {
        tag.to_owned()
    }
}

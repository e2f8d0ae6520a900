//! Types of a tag, as invocations of the runtime's small macros: the impls stand in the macros, once.

use super::{Context, PRELUDE, rust};
use crate::error::{At, Error, Result};
use crate::signatures::{Field, Shape, Variant};
use std::fmt::Write;

/// The file of one tag.
pub(super) fn module(context: &Context<'_>, tag: &str) -> Result<String> {
    let mut body = PRELUDE.to_owned();
    let mut constructors = String::new();
    for name in context.usage.types_in(tag) {
        let shape = &context.signatures.types[name];
        if matches!(shape, Shape::Newtype) {
            if !context.settings.ids.is_newtype(name) {
                let at = At::root().join("components").join("schemas").join(name);
                return Err(Error::new(
                    "progenitor",
                    &at,
                    "a newtype came out that is no id of the settings",
                ));
            }
            continue;
        }
        body.push('\n');
        body.push_str(&definition(context, name, shape));
        if let Shape::Record(fields) = shape
            && context.usage.is_body(name)
        {
            constructors.push_str(&constructor(name, fields));
        }
    }
    Ok(body + "\n" + &rust::formatted(&constructors)?)
}

fn definition(context: &Context<'_>, name: &str, shape: &Shape) -> String {
    let docs = rust::docs("    ", &context.usage.sentence(name));
    let origin = context.lowered.origins.get(name).map_or("", String::as_str);
    match shape {
        Shape::Record(fields) => record(context, name, origin, &docs, fields),
        Shape::OpenEnum(variants) => open_enum(context, name, &docs, variants),
        Shape::Choice(variants) => choice(context, name, origin, &docs, variants),
        Shape::Newtype => String::new(),
    }
}

fn record(context: &Context<'_>, name: &str, origin: &str, docs: &str, fields: &[Field]) -> String {
    let mut out = format!("crate::record! {{\n{docs}    pub struct {name} {{\n");
    for field in fields {
        let kind = match (field.optional, field.content.starts_with("Option<")) {
            (true, _) => "opt",
            (false, true) => "null",
            (false, false) => "req",
        };
        out.push_str(&rust::docs("        ", &field_docs(context, origin, &field.wire)));
        let declared = format!("{}: {}", field.name, field.content);
        out.push_str(&rust::entry(
            "        ",
            &declared,
            &format!("= {kind} {},", rust::literal(&field.wire)),
        ));
    }
    out.push_str("    }\n}\n");
    out
}

/// Request bodies are built by their users: what is required goes in, what is optional is set.
fn constructor(name: &str, fields: &[Field]) -> String {
    let (optional, required): (Vec<&Field>, Vec<&Field>) = fields.iter().partition(|field| field.optional);
    let mut out = format!("impl {name} {{\n    /// With what is required.\n    pub fn new(");
    for field in &required {
        let _ = write!(out, "{}: {}, ", field.name, accepted(&field.content));
    }
    out.push_str(") -> Self {\n        Self { ");
    for field in &required {
        out.push_str(&initialised(&field.name, &field.content));
    }
    for field in &optional {
        let _ = write!(out, "{}: None, ", field.name);
    }
    out.push_str("}\n    }\n");
    for field in &optional {
        out.push_str(&setter(field));
    }
    out.push_str("}\n");
    if required.is_empty() {
        let _ = write!(
            out,
            "impl Default for {name} {{ fn default() -> Self {{ Self::new() }} }}\n"
        );
    }
    out
}

fn setter(field: &Field) -> String {
    let inner = field
        .content
        .strip_prefix("Option<")
        .and_then(|rest| rest.strip_suffix('>'));
    let inner = inner.unwrap_or(&field.content);
    let name = &field.name;
    let plain = name.trim_start_matches("r#");
    format!(
        "/// Sets [`{plain}`](Self#structfield.{plain}).\n#[must_use]\n\
         pub fn {name}(mut self, value: {}) -> Self {{ self.{name} = Some({}); self }}\n",
        accepted(inner),
        taken("value", inner)
    )
}

fn initialised(name: &str, content: &str) -> String {
    if is_plain(content) {
        format!("{name}, ")
    } else {
        format!("{name}: {name}.into(), ")
    }
}

fn accepted(content: &str) -> String {
    if is_plain(content) {
        content.to_owned()
    } else {
        format!("impl Into<{content}>")
    }
}

fn taken(value: &str, content: &str) -> String {
    if is_plain(content) {
        value.to_owned()
    } else {
        format!("{value}.into()")
    }
}

fn is_plain(content: &str) -> bool {
    matches!(content, "i64" | "f64" | "bool")
}

fn field_docs(context: &Context<'_>, origin: &str, wire: &str) -> String {
    context
        .docs
        .field(origin, wire)
        .map_or_else(|| format!("`{wire}` of the specification."), str::to_owned)
}

fn open_enum(context: &Context<'_>, name: &str, docs: &str, variants: &[Variant]) -> String {
    let mut out = format!("crate::open_enum! {{\n{docs}    pub enum {name} {{\n");
    for (index, variant) in variants.iter().enumerate() {
        let line = context.docs.values.get(&format!("{name}.{}", variant.wire));
        let line = line
            .cloned()
            .unwrap_or_else(|| format!("`{}`", variant.wire.replace('`', "'")));
        out.push_str(&rust::docs("        ", &line));
        let end = if index + 1 == variants.len() { ";" } else { "," };
        let _ = writeln!(
            out,
            "        {} = {}{end}",
            variant.name,
            rust::literal(&variant.wire)
        );
    }
    let _ = writeln!(out, "        {}\n    }}\n}}", rest_name(variants));
    out
}

fn choice(context: &Context<'_>, name: &str, origin: &str, docs: &str, variants: &[Variant]) -> String {
    let mut out = format!("crate::choice! {{\n{docs}    pub enum {name} {{\n");
    for (index, variant) in variants.iter().enumerate() {
        out.push_str(&rust::docs(
            "        ",
            &field_docs(context, origin, &variant.wire),
        ));
        let end = if index + 1 == variants.len() { ";" } else { "," };
        let declared = format!("{}({})", variant.name, variant.content);
        out.push_str(&rust::entry(
            "        ",
            &declared,
            &format!("= {}{end}", rust::literal(&variant.wire)),
        ));
    }
    let _ = writeln!(out, "        {}\n    }}\n}}", rest_name(variants));
    out
}

/// The variant for values that the specification does not list gives way where one of those has its name.
fn rest_name(variants: &[Variant]) -> &'static str {
    let is_free = |name: &&&str| variants.iter().all(|variant| variant.name != ***name);
    ["Other", "Unlisted", "NotInSpecification", "NoneOfThese"]
        .iter()
        .find(is_free)
        .copied()
        .unwrap_or("OtherThanAll")
}

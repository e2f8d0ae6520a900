//! What `progenitor` decided: types, names and each operation's signature, read from its output with `syn`.

use crate::error::{At, Error, Result};
use crate::openapi::openapi;
use crate::select::references;
use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator};
use quote::ToTokens;
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Types and signatures.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    pub(crate) types: BTreeMap<String, Shape>,
    /// By method and path, such as `GET /status`.
    pub(crate) methods: BTreeMap<String, Method>,
}

/// What a type is made of. Types of Rust are given as text: `Option<Vec<TypeId>>`.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Record(Vec<Field>),
    OpenEnum(Vec<Variant>),
    Choice(Vec<Variant>),
    /// An id: emitted from the settings.
    Newtype,
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) wire: String,
    pub(crate) content: String,
    /// The field may be absent.
    pub(crate) optional: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) wire: String,
    /// Empty for the variants of an enum of strings.
    pub(crate) content: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Method {
    pub(crate) name: String,
    /// In the order of the signature: name in Rust and type, without `Option` and reference.
    pub(crate) arguments: Vec<(String, String)>,
    pub(crate) output: String,
}

/// Runs `progenitor` on a lowered document.
pub(crate) fn signatures(lowered: &Value) -> Result<Signatures> {
    let document = openapi(lowered)?;
    let tokens = guarded(&document).map_err(|problem| blame(lowered, &problem))?;
    let file: syn::File = syn::parse2(tokens).map_err(|error| unreadable(&error.to_string()))?;
    let mut signatures = Signatures::default();
    for item in &file.items {
        match item {
            syn::Item::Mod(module) if module.ident == "types" => {
                for item in module.content.iter().flat_map(|(_, items)| items) {
                    signatures.read_type(item)?;
                }
            }
            syn::Item::Impl(block) if block.trait_.is_none() => signatures.read_methods(block)?,
            _ => {}
        }
    }
    Ok(signatures)
}

/// `progenitor` asserts where it could report; a document that reaches an assert must not take the build down with it.
fn guarded(document: &OpenAPI) -> std::result::Result<TokenStream, String> {
    let mut settings = GenerationSettings::default();
    settings.with_map_type("::std::collections::BTreeMap");
    let run = AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(document));
    match caught(run) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(text.unwrap_or_else(|| "an assertion of progenitor failed".to_owned()))
        }
    }
}

thread_local! {
    /// Whether a panic of this thread becomes an error, so that its message need not be printed as well.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs it, and prints nothing where it panics. The hook that prints is one for all threads: it is told by the flag.
fn caught<T>(run: AssertUnwindSafe<impl FnOnce() -> T>) -> std::thread::Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                before(panic);
            }
        }));
    });
    QUIET.set(true);
    let result = catch_unwind(run);
    QUIET.set(false);
    result
}

/// Finds the component or operation at fault by trying each alone.
fn blame(lowered: &Value, problem: &str) -> Error {
    let mut alone = lowered.clone();
    alone["paths"] = json!({});
    if is_refused(&alone) {
        return blame_component(alone, problem);
    }
    for (path, item) in lowered["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            alone["paths"] = json!({ path: { method: operation } });
            if is_refused(&alone) {
                let id = operation["operationId"].as_str().unwrap_or_default();
                let at = At::root().join("paths").join(path).join(method).in_operation(id);
                return Error::new("progenitor", &at, problem);
            }
        }
    }
    Error::new("progenitor", &At::root(), problem)
}

/// A part that can be read and that `progenitor` does not take.
fn is_refused(lowered: &Value) -> bool {
    openapi(lowered).is_ok_and(|document| guarded(&document).is_err())
}

/// References lead nowhere in a document of one component, so what they lead to is said to be anything.
fn blame_component(mut alone: Value, problem: &str) -> Error {
    let schemas = alone.pointer("/components/schemas").cloned().unwrap_or_default();
    let at = At::root().join("components").join("schemas");
    for (name, schema) in schemas.as_object().into_iter().flatten() {
        let mut names = Vec::new();
        references(schema, &mut names);
        let mut few = Map::new();
        for name in names {
            few.insert(name, json!({}));
        }
        few.insert(name.clone(), schema.clone());
        alone["components"]["schemas"] = Value::Object(few);
        if is_refused(&alone) {
            return Error::new("progenitor", &at.join(name), problem);
        }
    }
    Error::new("progenitor", &at, problem)
}

fn unreadable(what: &str) -> Error {
    Error::new(
        "progenitor",
        &At::root(),
        format!("its output has a form that is not expected: {what}"),
    )
}

impl Signatures {
    fn read_type(&mut self, item: &syn::Item) -> Result<()> {
        let (name, shape) = match item {
            syn::Item::Struct(item) => match &item.fields {
                syn::Fields::Named(fields) => (
                    &item.ident,
                    Shape::Record(fields.named.iter().map(field).collect::<Result<_>>()?),
                ),
                syn::Fields::Unnamed(_) => (&item.ident, Shape::Newtype),
                syn::Fields::Unit => return Err(unreadable(&format!("the unit struct {}", item.ident))),
            },
            syn::Item::Enum(item) => (&item.ident, enumeration(item)?),
            _ => return Ok(()),
        };
        self.types.insert(name.to_string(), shape);
        Ok(())
    }

    fn read_methods(&mut self, block: &syn::ItemImpl) -> Result<()> {
        for item in &block.items {
            let syn::ImplItem::Fn(function) = item else {
                continue;
            };
            if let (Some(_), Some(route)) = (function.sig.asyncness, route(&function.attrs)) {
                self.methods.insert(route, method(&function.sig)?);
            }
        }
        Ok(())
    }
}

fn enumeration(item: &syn::ItemEnum) -> Result<Shape> {
    let mut variants = Vec::new();
    let mut is_choice = false;
    for variant in &item.variants {
        let content = match &variant.fields {
            syn::Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                is_choice = true;
                rust_type(&fields.unnamed[0].ty)?
            }
            syn::Fields::Unit => String::new(),
            _ => {
                return Err(unreadable(&format!(
                    "the variant {} of {}",
                    variant.ident, item.ident
                )));
            }
        };
        let name = variant.ident.to_string();
        let wire = serde_attribute(&variant.attrs, "rename").unwrap_or_else(|| name.clone());
        variants.push(Variant { name, wire, content });
    }
    Ok(if is_choice {
        Shape::Choice(variants)
    } else {
        Shape::OpenEnum(variants)
    })
}

fn field(field: &syn::Field) -> Result<Field> {
    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    let wire =
        serde_attribute(&field.attrs, "rename").unwrap_or_else(|| name.trim_start_matches("r#").to_owned());
    let optional = ["default", "skip_serializing_if"]
        .iter()
        .any(|key| serde_attribute(&field.attrs, key).is_some());
    let mut content = rust_type(&field.ty)?;
    if optional && !content.starts_with("Option<") {
        // An absent list is not an empty one.
        content = format!("Option<{content}>");
    }
    Ok(Field {
        name,
        wire,
        content,
        optional,
    })
}

/// The value of a serde attribute; the empty string for one without a value.
fn serde_attribute(attributes: &[syn::Attribute], wanted: &str) -> Option<String> {
    let mut found = None;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
    {
        // Attributes of other forms than `name` and `name = "value"` are not looked for.
        let _ = attribute.parse_nested_meta(|meta| {
            let value = match meta.value() {
                Ok(value) => value.parse::<syn::LitStr>()?.value(),
                Err(_) => String::new(),
            };
            if meta.path.is_ident(wanted) {
                found = Some(value);
            }
            Ok(())
        });
    }
    found
}

/// `progenitor` says in each method's docs which request it sends.
fn route(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let syn::Meta::NameValue(meta) = &attribute.meta else {
            return None;
        };
        let syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) = &meta.value
        else {
            return None;
        };
        let text = text.value();
        let (_, rest) = text.split_once("Sends a `")?;
        let (method, rest) = rest.split_once("` request to `")?;
        Some(format!("{method} {}", rest.split('`').next()?))
    })
}

fn method(signature: &syn::Signature) -> Result<Method> {
    let mut arguments = Vec::new();
    for input in &signature.inputs {
        let syn::FnArg::Typed(input) = input else { continue };
        let content = rust_type(&input.ty)?;
        let content = content
            .strip_prefix("Option<")
            .and_then(|rest| rest.strip_suffix('>'))
            .unwrap_or(&content);
        arguments.push((input.pat.to_token_stream().to_string(), content.to_owned()));
    }
    let syn::ReturnType::Type(_, output) = &signature.output else {
        return Err(unreadable("no return type"));
    };
    let output = rust_type(output)?;
    let inner = output
        .strip_prefix("Result<ResponseValue<")
        .and_then(|rest| rest.split_once(">, Error<"))
        .map(|(inner, _)| inner.to_owned())
        .ok_or_else(|| unreadable(&output))?;
    Ok(Method {
        name: signature.ident.to_string(),
        arguments,
        output: inner,
    })
}

/// A type as text: without paths, references and lifetimes.
fn rust_type(content: &syn::Type) -> Result<String> {
    match content {
        syn::Type::Reference(reference) => rust_type(&reference.elem),
        syn::Type::Slice(slice) => Ok(format!("Vec<{}>", rust_type(&slice.elem)?)),
        syn::Type::Tuple(tuple) if tuple.elems.is_empty() => Ok("()".to_owned()),
        syn::Type::Path(path) => path_type(&path.path),
        other => Err(unreadable(&other.to_token_stream().to_string())),
    }
}

fn path_type(path: &syn::Path) -> Result<String> {
    let Some(last) = path.segments.last() else {
        return Err(unreadable("a type without a name"));
    };
    let name = match last.ident.to_string().as_str() {
        "str" => "String".to_owned(),
        other => other.to_owned(),
    };
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return Ok(name);
    };
    let mut inner = Vec::new();
    for argument in &arguments.args {
        match argument {
            syn::GenericArgument::Type(content) => inner.push(rust_type(content)?),
            syn::GenericArgument::Lifetime(_) => {}
            other => return Err(unreadable(&other.to_token_stream().to_string())),
        }
    }
    Ok(format!("{name}<{}>", inner.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Set in the process that the test starts of itself.
    const PANICS: &str = "ESIKIT_TEST_PANICS";

    /// Hooks are for all threads, and so is the error output: it looks at those of a process of its own.
    #[test]
    fn what_progenitor_panics_with_is_not_printed() {
        if std::env::var_os(PANICS).is_some() {
            panic_after_progenitor();
        }
        let this = std::env::current_exe().expect("this program");
        let name = "signatures::tests::what_progenitor_panics_with_is_not_printed";
        let run = Command::new(this)
            .args(["--exact", name, "--nocapture"])
            .env(PANICS, "1")
            .output()
            .expect("it runs");
        let printed = String::from_utf8_lossy(&run.stderr);
        assert!(printed.contains("a panic of our own"), "{printed}");
        assert_eq!(printed.matches("panicked at").count(), 1, "{printed}");
    }

    fn panic_after_progenitor() -> ! {
        let enumeration = json!({ "type": "string", "enum": ["a!", "a?"] });
        let document = json!({
            "openapi": "3.0.3",
            "info": { "title": "", "version": "" },
            "paths": {},
            "components": { "schemas": { "Kind": enumeration } },
        });
        let error = signatures(&document).expect_err("two variants of one name");
        assert!(error.pointer().ends_with("/Kind"), "{error}");
        panic!("a panic of our own");
    }
}

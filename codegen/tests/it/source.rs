//! Generated source, read back: what was declared, and whether rustc could make sense of the names.

use esikit_codegen::Source;
use std::collections::{BTreeMap, BTreeSet};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Ident, LitStr, Token, braced, parenthesized};

/// What the files declare.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) types: BTreeMap<String, Type>,
    /// Marker of an operation to what it answers.
    pub(crate) markers: BTreeMap<String, String>,
    /// Method to its arguments, each with its type.
    pub(crate) methods: BTreeMap<String, Vec<(String, String)>>,
    /// `Marker::setter` to its arguments.
    pub(crate) setters: BTreeMap<String, Vec<(String, String)>>,
    /// Static to its initialiser.
    pub(crate) statics: BTreeMap<String, String>,
    /// What was declared twice, or has no declaration.
    faults: Vec<String>,
}

/// One generated type.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) file: String,
    /// The macro that declares it.
    pub(crate) kind: String,
    pub(crate) members: Vec<Member>,
    /// The variant of an enum for what is not listed.
    pub(crate) rest: Option<String>,
}

/// A field or variant.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) wire: String,
    /// Its type; empty for the variants of an open enum.
    pub(crate) content: String,
    /// `req`, `opt` or `null` for fields.
    pub(crate) presence: String,
}

/// Names that need no declaration.
const KNOWN: &[&str] = &[
    "bool",
    "f64",
    "i64",
    "str",
    "u64",
    "BTreeMap",
    "Box",
    "DateTime",
    "Map",
    "NaiveDate",
    "Option",
    "Result",
    "String",
    "Utc",
    "Value",
    "Vec",
];

impl Model {
    /// Reads all files; what does not parse is a fault.
    pub(crate) fn of(source: &Source) -> Self {
        let mut model = Self::default();
        for (name, text) in &source.files {
            match syn::parse_file(text) {
                Ok(file) => file.items.iter().for_each(|item| model.item(name, item)),
                Err(error) => model.faults.push(format!("{name} does not parse: {error}")),
            }
        }
        model.check_types();
        model
    }

    /// Fails with all faults, if there are any.
    pub(crate) fn sound(self) -> Self {
        assert!(self.faults.is_empty(), "{}", self.faults.join("\n"));
        self
    }

    /// What rustc would complain of.
    pub(crate) fn faults(&self) -> &[String] {
        &self.faults
    }

    fn item(&mut self, file: &str, item: &syn::Item) {
        match item {
            syn::Item::Macro(item) => self.declaration(file, &item.mac),
            syn::Item::Impl(block) if file.starts_with("operations/") => self.methods(block),
            syn::Item::Static(item) if file.starts_with("operations/") => {
                let value = tokens(&item.expr);
                if self.statics.insert(item.ident.to_string(), value).is_some() {
                    self.faults
                        .push(format!("the static {} is there twice", item.ident));
                }
            }
            _ => {}
        }
    }

    fn declaration(&mut self, file: &str, call: &syn::Macro) {
        let kind = call
            .path
            .segments
            .last()
            .map(|last| last.ident.to_string())
            .unwrap_or_default();
        let parsed = match kind.as_str() {
            "record" | "id" | "uuid_id" => record.parse2(call.tokens.clone()),
            "open_enum" | "choice" => enumeration.parse2(call.tokens.clone()),
            "endpoint" => match endpoint.parse2(call.tokens.clone()) {
                Ok((name, output)) => return self.marker(name, output),
                Err(error) => Err(error),
            },
            _ => return,
        };
        match parsed {
            Ok((name, members, rest)) => {
                let found = Type {
                    file: file.to_owned(),
                    kind,
                    members,
                    rest,
                };
                if let Some(other) = self.types.insert(name.clone(), found) {
                    self.faults
                        .push(format!("{name} is declared in {} and in {file}", other.file));
                }
            }
            Err(error) => self
                .faults
                .push(format!("{file}: {kind}!: {error}: {}", call.tokens)),
        }
    }

    fn marker(&mut self, name: String, output: String) {
        if self.markers.insert(name.clone(), output).is_some() {
            self.faults.push(format!("the marker {name} is there twice"));
        }
    }

    fn methods(&mut self, block: &syn::ItemImpl) {
        let owner = tokens(&block.self_ty);
        for function in block.items.iter().filter_map(|item| match item {
            syn::ImplItem::Fn(function) => Some(function),
            _ => None,
        }) {
            let name = function.sig.ident.to_string();
            let arguments: Vec<_> = function.sig.inputs.iter().filter_map(argument).collect();
            let names: BTreeSet<_> = arguments.iter().map(|(name, _)| name).collect();
            if names.len() != arguments.len() {
                self.faults
                    .push(format!("{name} has two arguments of one name: {arguments:?}"));
            }
            let before = if owner == "Esi" {
                self.methods.insert(name.clone(), arguments)
            } else {
                let marker = owner.trim_start_matches("Request <").trim_matches([' ', '>']);
                self.setters.insert(format!("{marker}::{name}"), arguments)
            };
            if before.is_some() {
                self.faults.push(format!("{owner} has two functions {name}"));
            }
        }
    }

    fn check_types(&mut self) {
        let mut faults = Vec::new();
        for (name, found) in &self.types {
            let mut seen = BTreeSet::new();
            let names = found.members.iter().map(|member| &member.name).chain(&found.rest);
            faults.extend(
                names
                    .filter(|member| !seen.insert(*member))
                    .map(|member| format!("{name} has two {member}")),
            );
            for member in &found.members {
                faults.extend(
                    self.undeclared(&member.content)
                        .map(|word| format!("{name}.{}: no {word}", member.name)),
                );
            }
            if KNOWN.contains(&name.as_str()) || self.markers.contains_key(name) {
                faults.push(format!("{name} is something else already"));
            }
        }
        for (marker, output) in &self.markers {
            faults.extend(
                self.undeclared(output)
                    .map(|word| format!("{marker} answers with {word}, which is nothing")),
            );
        }
        self.faults.extend(faults);
    }

    fn undeclared<'a>(&'a self, content: &'a str) -> impl Iterator<Item = &'a str> {
        words(content).filter(|word| !KNOWN.contains(word) && !self.types.contains_key(*word))
    }

    /// The types that operations name, and those that these are made of.
    pub(crate) fn reached(&self) -> BTreeSet<&str> {
        let arguments = self
            .methods
            .values()
            .chain(self.setters.values())
            .flatten()
            .map(|(_, content)| content);
        let mut waiting: Vec<&str> = self
            .markers
            .values()
            .chain(arguments)
            .flat_map(|content| words(content))
            .collect();
        let mut reached = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            if let Some(found) = self.types.get(name)
                && reached.insert(name)
            {
                waiting.extend(found.members.iter().flat_map(|member| words(&member.content)));
            }
        }
        reached
    }

    /// The members of a type, each as `name: content = presence "wire"`.
    pub(crate) fn members(&self, name: &str) -> Vec<String> {
        let found = self
            .types
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.types.keys()));
        found
            .members
            .iter()
            .map(|member| {
                format!(
                    "{}: {} = {} {:?}",
                    member.name, member.content, member.presence, member.wire
                )
            })
            .collect()
    }

    /// The wire values of an enum or the keys of an object.
    pub(crate) fn wires(&self, name: &str) -> Vec<&str> {
        self.types[name]
            .members
            .iter()
            .map(|member| member.wire.as_str())
            .collect()
    }
}

/// The names in a type.
fn words(content: &str) -> impl Iterator<Item = &str> {
    content
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
}

type Declared = (String, Vec<Member>, Option<String>);

fn record(input: ParseStream<'_>) -> syn::Result<Declared> {
    syn::Attribute::parse_outer(input)?;
    input.parse::<Token![pub]>()?;
    input.parse::<Token![struct]>()?;
    let name = input.parse::<Ident>()?.to_string();
    if input.parse::<Option<Token![;]>>()?.is_some() {
        return Ok((name, Vec::new(), None));
    }
    let fields;
    braced!(fields in input);
    let mut members = Vec::new();
    while !fields.is_empty() {
        syn::Attribute::parse_outer(&fields)?;
        let name = fields.parse::<Ident>()?.to_string();
        fields.parse::<Token![:]>()?;
        let content = compact(&fields.parse::<syn::Type>()?);
        fields.parse::<Token![=]>()?;
        let presence = fields.parse::<Ident>()?.to_string();
        let wire = fields.parse::<LitStr>()?.value();
        fields.parse::<Option<Token![,]>>()?;
        members.push(Member {
            name,
            wire,
            content,
            presence,
        });
    }
    Ok((name, members, None))
}

fn enumeration(input: ParseStream<'_>) -> syn::Result<Declared> {
    syn::Attribute::parse_outer(input)?;
    input.parse::<Token![pub]>()?;
    input.parse::<Token![enum]>()?;
    let name = input.parse::<Ident>()?.to_string();
    let variants;
    braced!(variants in input);
    let mut members = Vec::new();
    loop {
        syn::Attribute::parse_outer(&variants)?;
        let variant = variants.parse::<Ident>()?.to_string();
        if variants.is_empty() {
            return Ok((name, members, Some(variant)));
        }
        let content = variant_content(&variants)?;
        variants.parse::<Token![=]>()?;
        let wire = variants.parse::<LitStr>()?.value();
        members.push(Member {
            name: variant,
            wire,
            content,
            presence: String::new(),
        });
        if variants.parse::<Option<Token![,]>>()?.is_none() {
            variants.parse::<Token![;]>()?;
        }
    }
}

fn variant_content(variants: ParseStream<'_>) -> syn::Result<String> {
    if !variants.peek(syn::token::Paren) {
        return Ok(String::new());
    }
    let content;
    parenthesized!(content in variants);
    Ok(compact(&content.parse::<syn::Type>()?))
}

fn endpoint(input: ParseStream<'_>) -> syn::Result<(String, String)> {
    syn::Attribute::parse_outer(input)?;
    input.parse::<Token![pub]>()?;
    let name = input.parse::<Ident>()?.to_string();
    input.parse::<Token![=>]>()?;
    Ok((name, compact(&syn::Type::parse(input)?)))
}

fn argument(input: &syn::FnArg) -> Option<(String, String)> {
    match input {
        syn::FnArg::Typed(input) => Some((tokens(&input.pat), compact(&input.ty))),
        syn::FnArg::Receiver(_) => None,
    }
}

fn tokens(value: &impl quote::ToTokens) -> String {
    value.to_token_stream().to_string()
}

/// A type without spaces.
fn compact(value: &syn::Type) -> String {
    tokens(value)
        .replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace("& ", "&")
        .replace(" ,", ",")
}

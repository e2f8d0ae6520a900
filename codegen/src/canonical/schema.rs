//! Schemas: only the keywords that state facts, in the spelling of OpenAPI 3.0.

use crate::error::Result;
use crate::node::Node;
use serde_json::{Map, Value, json};

/// Kept as they are: keyword, what its value must be, and the words for that.
const FACTS: &[(&str, fn(&Value) -> bool, &str)] = &[
    ("default", |_| true, ""),
    ("format", Value::is_string, "a string"),
    ("maxItems", Value::is_u64, COUNT),
    ("maxLength", Value::is_u64, COUNT),
    ("maxProperties", Value::is_u64, COUNT),
    ("minItems", Value::is_u64, COUNT),
    ("minLength", Value::is_u64, COUNT),
    ("minProperties", Value::is_u64, COUNT),
    ("multipleOf", Value::is_number, "a number"),
    ("pattern", Value::is_string, "a string"),
    ("uniqueItems", Value::is_boolean, "true or false"),
];

const COUNT: &str = "a whole number";

/// They change what a value may be in ways that no generated type would show.
const UNSUPPORTED: &[&str] = &[
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "prefixItems",
    "dependentSchemas",
    "propertyNames",
    "$dynamicRef",
    "unevaluatedProperties",
];

const TYPES: &[&str] = &["array", "boolean", "integer", "number", "object", "string"];

/// The facts of a schema and of all within it.
pub(super) fn facts(node: &Node<'_>, document: &Value) -> Result<Value> {
    if node.value.is_boolean() {
        return Ok(json!({}));
    }
    let members = node.object()?;
    if let Some(reference) = node.get("$ref") {
        node.resolved(document)?;
        let name = reference.text()?.strip_prefix("#/components/schemas/");
        if name.is_none_or(|name| name.contains(['/', '~'])) {
            return Err(reference.error("reference", "a schema must be one of `#/components/schemas/`"));
        }
        return Ok(json!({ "$ref": reference.value }));
    }
    if let Some(keyword) = UNSUPPORTED.iter().find(|keyword| members.contains_key(**keyword)) {
        return Err(node.error("keyword", format!("`{keyword}` is not supported in a schema")));
    }
    combined(node)?;
    if let Some(alternatives) = node.get("oneOf").or_else(|| node.get("anyOf")) {
        return one_of(node, &alternatives, document);
    }
    if let Some(parts) = node.get("allOf") {
        return all_of(node, &parts, document);
    }
    plain(node, document)
}

/// A name of a component: what OpenAPI allows, so that a reference to it is the name itself.
pub(super) fn check_name(name: &str, schema: &Node<'_>) -> Result<()> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if name.is_empty() || !name.chars().all(is_allowed) {
        return Err(schema.error(
            "schema-name",
            format!("`{name}` must be of letters, digits, `.`, `_` and `-`"),
        ));
    }
    Ok(())
}

/// Keywords that combine schemas stand alone: what is beside them would be lost.
fn combined(node: &Node<'_>) -> Result<()> {
    let present = |keywords: &[&'static str]| -> Vec<&'static str> {
        keywords
            .iter()
            .copied()
            .filter(|keyword| node.value.get(keyword).is_some())
            .collect()
    };
    let combining = present(&["oneOf", "anyOf", "allOf"]);
    let others = present(&["properties", "additionalProperties", "items", "enum", "const"]);
    match (&combining[..], &others[..]) {
        ([], _) | ([_], []) => Ok(()),
        ([one], [other, ..]) | ([one, other, ..], _) => Err(node.error(
            "keyword",
            format!("`{other}` beside `{one}` is not supported in a schema"),
        )),
    }
}

fn plain(node: &Node<'_>, document: &Value) -> Result<Value> {
    let mut facts = Map::new();
    let (mut kind, mut nullable) = type_of(node)?;
    for (key, is_fact, must) in FACTS {
        if let Some(place) = node.get(key) {
            if !is_fact(place.value) {
                return Err(place.error("type", format!("this must be {must}")));
            }
            facts.insert((*key).to_owned(), place.value.clone());
        }
    }
    bounds(node, &mut facts)?;
    if let Some(values) = enum_values(node)? {
        nullable |= values.with_null;
        kind = kind.or_else(|| values.values.iter().all(Value::is_string).then_some("string"));
        check_values(node, kind, &values.values)?;
        facts.insert("enum".to_owned(), Value::Array(values.values));
    }
    match kind {
        Some("object") => object(node, document, &mut facts)?,
        Some("array") => {
            let items = node
                .get("items")
                .map_or_else(|| Ok(json!({})), |items| self::facts(&items, document))?;
            facts.insert("items".to_owned(), items);
        }
        _ => {}
    }
    if let Some(kind) = kind {
        facts.insert("type".to_owned(), json!(kind));
    }
    if nullable {
        facts.insert("nullable".to_owned(), json!(true));
    }
    Ok(Value::Object(facts))
}

/// The one type of a schema, and whether null may stand in its place. OpenAPI 3.1 writes `["boolean", "null"]`.
fn type_of<'a>(node: &Node<'a>) -> Result<(Option<&'a str>, bool)> {
    let nullable = node.flag("nullable");
    let Some(place) = node.get("type") else {
        let implied = [
            ("properties", "object"),
            ("additionalProperties", "object"),
            ("items", "array"),
        ];
        let kind = implied
            .iter()
            .find(|(key, _)| node.value.get(key).is_some())
            .map(|(_, kind)| *kind);
        return Ok((kind, nullable));
    };
    let mut names = Vec::new();
    match place.value {
        Value::Array(_) => {
            for item in place.items()? {
                names.push(item.text()?);
            }
        }
        _ => names.push(place.text()?),
    }
    let null = names.contains(&"null");
    names.retain(|name| *name != "null");
    match names[..] {
        [name] if TYPES.contains(&name) => Ok((Some(name), nullable || null)),
        [name] => Err(place.error("type", format!("`{name}` is no JSON type"))),
        _ => Err(place.error("type", "a schema must have one type, beside null")),
    }
}

/// OpenAPI 3.1 writes an exclusive bound as a number of its own, 3.0 as a flag beside the bound.
fn bounds(node: &Node<'_>, facts: &mut Map<String, Value>) -> Result<()> {
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        match (node.value.get(bound), node.value.get(exclusive)) {
            (_, Some(Value::Number(number))) => {
                facts.insert(bound.to_owned(), Value::Number(number.clone()));
                facts.insert(exclusive.to_owned(), json!(true));
            }
            (Some(number), flag) => {
                if !number.is_number() {
                    return Err(node.need(bound)?.error("type", "this must be a number"));
                }
                facts.insert(bound.to_owned(), number.clone());
                if flag == Some(&json!(true)) {
                    facts.insert(exclusive.to_owned(), json!(true));
                }
            }
            (None, _) => {}
        }
    }
    Ok(())
}

/// What an enum lists.
struct Values {
    values: Vec<Value>,
    with_null: bool,
}

/// The values of an enum, sorted: their order says nothing.
fn enum_values(node: &Node<'_>) -> Result<Option<Values>> {
    let (place, mut values) = match (node.get("enum"), node.get("const")) {
        (Some(place), _) => {
            let values: Vec<Value> = place
                .items()?
                .into_iter()
                .map(|item| item.value.clone())
                .collect();
            (place, values)
        }
        (None, Some(constant)) => (constant.clone(), vec![constant.value.clone()]),
        (None, None) => return Ok(None),
    };
    let with_null = values.contains(&Value::Null);
    values.retain(|value| !value.is_null());
    if values.is_empty() {
        return Err(place.error("enum", "an enum needs at least one value"));
    }
    values.sort_by_key(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    values.dedup();
    Ok(Some(Values { values, with_null }))
}

/// The values of an enum are of its type.
fn check_values(node: &Node<'_>, kind: Option<&str>, values: &[Value]) -> Result<()> {
    let is_of_type = |value: &Value| match kind {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    match values.iter().find(|value| !is_of_type(value)) {
        Some(value) => {
            let place = node.get("enum").unwrap_or_else(|| node.clone());
            Err(place.error("enum", format!("{value} is not of the type of the schema")))
        }
        None => Ok(()),
    }
}

fn object(node: &Node<'_>, document: &Value, facts: &mut Map<String, Value>) -> Result<()> {
    let mut properties = Map::new();
    for (name, property) in node.members_of("properties")? {
        properties.insert(name.to_owned(), self::facts(&property, document)?);
    }
    let mut required = Vec::new();
    for name in node.items_of("required")? {
        let text = name.text()?;
        if !properties.contains_key(text) {
            return Err(name.error(
                "required",
                format!("`{text}` is required but is no property of this object"),
            ));
        }
        required.push(text);
    }
    required.sort_unstable();
    required.dedup();
    if !required.is_empty() {
        facts.insert("required".to_owned(), json!(required));
    }
    if !properties.is_empty() {
        facts.insert("properties".to_owned(), Value::Object(properties));
    }
    match node.get("additionalProperties") {
        Some(values) if values.value.is_object() => {
            facts.insert("additionalProperties".to_owned(), self::facts(&values, document)?);
        }
        Some(closed) if closed.value == &json!(false) => {
            facts.insert("additionalProperties".to_owned(), json!(false));
        }
        _ => {}
    }
    Ok(())
}

/// Alternatives: one-property objects become tagged by that property, which upstream forgets to require.
fn one_of(node: &Node<'_>, alternatives: &Node<'_>, document: &Value) -> Result<Value> {
    let mut nullable = node.flag("nullable");
    let mut branches = Vec::new();
    for branch in alternatives.items()? {
        if branch.value.get("type") == Some(&json!("null")) {
            nullable = true;
        } else {
            branches.push(branch);
        }
    }
    if let [only] = &branches[..] {
        return nullable_of(facts(only, document)?, nullable);
    }
    let mut tags = Vec::new();
    let mut tagged = Vec::new();
    for branch in &branches {
        let mut facts = facts(branch, document)?;
        let Some(tag) = single_property(&facts) else {
            return Err(branch.error(
                "one-of",
                "only objects of one property each can stand in a choice",
            ));
        };
        if tags.contains(&tag) {
            return Err(branch.error("one-of", format!("`{tag}` is the property of two alternatives")));
        }
        facts["required"] = json!([tag]);
        facts["additionalProperties"] = json!(false);
        tags.push(tag);
        tagged.push(facts);
    }
    if tagged.is_empty() {
        return Err(alternatives.error("one-of", "a choice needs at least one alternative"));
    }
    nullable_of(json!({ "oneOf": tagged }), nullable)
}

fn single_property(facts: &Value) -> Option<String> {
    let properties = facts.get("properties")?.as_object()?;
    match properties.keys().collect::<Vec<_>>()[..] {
        [name] if facts.get("type") == Some(&json!("object")) => Some(name.clone()),
        _ => None,
    }
}

/// `allOf` around one schema is how 3.0 puts a flag beside a reference; anything more would need merging.
fn all_of(node: &Node<'_>, parts: &Node<'_>, document: &Value) -> Result<Value> {
    match &parts.items()?[..] {
        [only] => nullable_of(facts(only, document)?, node.flag("nullable")),
        _ => Err(parts.error("all-of", "`allOf` of several schemas is not supported")),
    }
}

fn nullable_of(mut facts: Value, nullable: bool) -> Result<Value> {
    if !nullable {
        return Ok(facts);
    }
    if facts.get("$ref").is_some() {
        return Ok(json!({ "allOf": [facts], "nullable": true }));
    }
    facts["nullable"] = json!(true);
    Ok(facts)
}

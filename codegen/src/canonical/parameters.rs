//! Parameters: those of the client are lifted out of the operations, the others are written out in place.

use super::{Context, schema};
use crate::error::Result;
use crate::node::Node;
use crate::settings::Settings;
use crate::words;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Whether a parameter is a setting of the client (`X-Tenant`, Swagger's `datasource`) rather than of a call.
pub(super) fn is_lifted(parameter: &Node<'_>, settings: &Settings) -> Result<bool> {
    let name = parameter.text_of("name")?;
    Ok(match parameter.text_of("in")? {
        "header" => settings
            .lifted
            .header
            .iter()
            .any(|lifted| lifted.eq_ignore_ascii_case(name)),
        "query" => settings.lifted.query.contains(name),
        _ => false,
    })
}

/// Name, place, whether required, and schema.
pub(super) fn facts(parameter: &Node<'_>, document: &Value) -> Result<Value> {
    let place = parameter.text_of("in")?;
    let mut facts = Map::new();
    facts.insert("name".to_owned(), json!(parameter.text_of("name")?));
    facts.insert("in".to_owned(), json!(place));
    let content = parameter.need("schema")?;
    facts.insert("schema".to_owned(), schema::facts(&content, document)?);
    if parameter.flag("required") {
        facts.insert("required".to_owned(), json!(true));
    }
    let is_list = content.resolved(document)?.value.get("type") == Some(&json!("array"));
    if is_list && parameter.value.get("explode") == Some(&json!(false)) {
        facts.insert("explode".to_owned(), json!(false));
    }
    Ok(Value::Object(facts))
}

impl<'a> Context<'a> {
    /// The parameters that a call has, sorted by name, checked against the path.
    pub(super) fn parameters(&self, path: &str, operation: &Node<'a>, shared: &[Node<'a>]) -> Result<Value> {
        let mut names = BTreeSet::new();
        let mut in_path = BTreeSet::new();
        let mut parameters = Vec::new();
        for place in self.applying(operation, shared)? {
            let parameter = place.resolved(self.document)?;
            if is_lifted(&parameter, self.settings)? {
                continue;
            }
            let name = parameter.text_of("name")?;
            match parameter.text_of("in")? {
                "path" if parameter.flag("required") => drop(in_path.insert(name)),
                "path" => {
                    return Err(place.error("parameter", format!("path parameter `{name}` must be required")));
                }
                "query" => {}
                other => {
                    let message =
                        format!("`{name}` is in {other}; add it to [lifted] {other} if the client sets it");
                    return Err(place.error("parameter", message));
                }
            }
            let word = words::snake(name);
            if word.is_empty() || !words::is_plain(name) {
                return Err(place.error("parameter", format!("`{name}` gives no name of an argument")));
            }
            if word == "body" && operation.get("requestBody").is_some() {
                return Err(place.error(
                    "parameter",
                    "the operation has a body, which is the argument of this name",
                ));
            }
            if !names.insert(word) {
                return Err(place.error(
                    "parameter",
                    format!("two parameters would be the argument of `{name}`"),
                ));
            }
            parameters.push((name, self.with_style(name, facts(&parameter, self.document)?)));
        }
        check_template(path, operation, &in_path)?;
        parameters.sort_by_key(|(name, _)| *name);
        Ok(parameters.into_iter().map(|(_, parameter)| parameter).collect())
    }

    /// The parameters of an operation: its own, and those of its path that it does not replace.
    fn applying(&self, operation: &Node<'a>, shared: &[Node<'a>]) -> Result<Vec<Node<'a>>> {
        let own = operation.items_of("parameters")?;
        let mut replaced = BTreeSet::new();
        for place in &own {
            replaced.insert(self.key(place)?);
        }
        let mut applying = Vec::new();
        for place in shared {
            let place = operation.within(place);
            if !replaced.contains(&self.key(&place)?) {
                applying.push(place);
            }
        }
        applying.extend(own);
        Ok(applying)
    }

    fn key(&self, place: &Node<'a>) -> Result<(&'a str, &'a str)> {
        let parameter = place.resolved(self.document)?;
        Ok((parameter.text_of("in")?, parameter.text_of("name")?))
    }

    /// ESI reads these lists as `1,2`; its 3.x documents no longer say so, its Swagger document did.
    fn with_style(&self, name: &str, mut facts: Value) -> Value {
        if self.settings.lists.comma.contains(name) {
            facts["explode"] = json!(false);
        }
        facts
    }
}

/// What a URL carries as it is.
fn in_segment(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@%".contains(letter)
}

fn check_template(path: &str, operation: &Node<'_>, declared: &BTreeSet<&str>) -> Result<()> {
    let mut in_template = BTreeSet::new();
    for segment in path.split('/') {
        let inner = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match inner {
            Some(name) if !name.is_empty() && !name.contains(['{', '}']) => {
                if !in_template.insert(name) {
                    return Err(operation.error("path", format!("`{name}` stands in the path twice")));
                }
            }
            None if segment.chars().all(in_segment) => {}
            _ => {
                return Err(operation.error(
                    "path",
                    format!("`{segment}` is no path segment that can be filled in"),
                ));
            }
        }
    }
    if !path.starts_with('/') {
        return Err(operation.error("path", format!("`{path}` does not start with a slash")));
    }
    match in_template.symmetric_difference(declared).next() {
        Some(name) => Err(operation.error(
            "path",
            format!("`{name}` must stand in the path and among its parameters"),
        )),
        None => Ok(()),
    }
}

//! Operations: id, tag, security, parameters, body, responses, and the extensions that state facts.

use super::Context;
use crate::error::Result;
use crate::node::Node;
use crate::words;
use serde_json::{Map, Value, json};

/// The module of types that several tags use.
const SHARED: &str = "shared";

const METHODS: &[&str] = &["delete", "get", "patch", "post", "put"];

impl<'a> Context<'a> {
    pub(super) fn path_item(&mut self, path: &str, item: &Node<'a>) -> Result<Value> {
        let shared = item.items_of("parameters")?;
        let mut facts = Map::new();
        for (method, operation) in item.members()? {
            if METHODS.contains(&method) {
                facts.insert(method.to_owned(), self.operation(path, &operation, &shared)?);
            } else if !matches!(method, "parameters" | "summary" | "description" | "servers") {
                let id = operation.value.get("operationId").and_then(Value::as_str);
                let place = id.map_or_else(|| operation.clone(), |id| operation.clone().in_operation(id));
                return Err(place.error("method", format!("`{method}` is no method of ESI")));
            }
        }
        Ok(Value::Object(facts))
    }

    fn operation(&mut self, path: &str, raw: &Node<'a>, shared: &[Node<'a>]) -> Result<Value> {
        let id = raw.text_of("operationId")?;
        let operation = raw.clone().in_operation(id);
        self.claim(id, &operation)?;
        let mut facts = Map::new();
        facts.insert("operationId".to_owned(), json!(id));
        facts.insert("tags".to_owned(), json!([tag(&operation)?]));
        if operation.flag("deprecated") {
            facts.insert("deprecated".to_owned(), json!(true));
        }
        let security = self.security(&operation)?;
        if !security.is_empty() {
            facts.insert("security".to_owned(), Value::Array(security));
        }
        facts.insert(
            "parameters".to_owned(),
            self.parameters(path, &operation, shared)?,
        );
        if let Some(place) = operation.get("requestBody") {
            facts.insert("requestBody".to_owned(), self.body(&place)?);
        }
        let responses = self.responses(&operation)?;
        facts.insert("responses".to_owned(), responses.facts);
        if responses.empty_list {
            facts.insert("x-empty-list".to_owned(), json!(true));
        }
        self.extensions(&operation, &mut facts)?;
        Ok(Value::Object(facts))
    }

    /// Two operations must not give one method, constant or marker, and none may have a name that generated code needs.
    fn claim(&mut self, id: &str, operation: &Node<'a>) -> Result<()> {
        let method = words::snake(id);
        let marker = words::pascal(id);
        let is_plain = method.starts_with(|letter: char| letter.is_ascii_lowercase()) && words::is_plain(id);
        if !is_plain || words::is_taken(&marker) {
            return Err(operation.error("operation-id", format!("`{id}` gives no method name")));
        }
        for name in [method, marker] {
            match self.operation_names.insert(name.clone(), id.to_owned()) {
                Some(other) if other == id && name == words::snake(id) => {
                    return Err(operation.error("operation-id", format!("`{id}` is there twice")));
                }
                Some(other) if other != id => {
                    let message = format!("`{id}` and `{other}` would both be `{name}`");
                    return Err(operation.error("operation-id", message));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn body(&self, place: &Node<'a>) -> Result<Value> {
        let body = place.resolved(self.document)?;
        let content = self
            .content(&body)?
            .ok_or_else(|| body.error("content", "a body needs content"))?;
        Ok(json!({ "required": body.flag("required"), "content": content }))
    }

    fn extensions(&mut self, operation: &Node<'a>, facts: &mut Map<String, Value>) -> Result<()> {
        let known = &self.settings.extensions;
        for (key, member) in operation
            .members()?
            .into_iter()
            .filter(|(key, _)| key.starts_with("x-"))
        {
            if known.keep.contains(key) {
                let mut value = member.value.clone();
                if let Value::Array(items) = &mut value {
                    items.sort_by_key(ToString::to_string);
                }
                facts.insert(key.to_owned(), value);
            } else if !known.drop.contains(key) {
                self.notes.push(format!(
                    "the extension `{key}` is not known; add \"{key}\" to `keep` or `drop` of [extensions]"
                ));
            }
        }
        Ok(())
    }
}

fn tag<'a>(operation: &Node<'a>) -> Result<&'a str> {
    let tags = operation.items_of("tags")?;
    let Some(tag) = tags.first() else {
        return Err(operation.error(
            "tag",
            "an operation needs a tag: it says in which module the operation stands",
        ));
    };
    let text = tag.text()?;
    let module = words::snake(text);
    let is_module = module.starts_with(|letter: char| letter.is_ascii_lowercase()) && text.is_ascii();
    if !is_module || module == SHARED {
        return Err(tag.error("tag", format!("the tag `{text}` gives no module name")));
    }
    Ok(text)
}

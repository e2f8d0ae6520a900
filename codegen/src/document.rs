//! A canonical document read as facts: what the emitter asks about operations.

use crate::canonical::{Canonical, canonicalise};
use crate::error::{At, Error, Result};
use crate::node::Node;
use crate::settings::Settings;
use serde_json::Value;
use std::path::Path;

/// A canonical document.
#[derive(Debug, Clone)]
pub struct Document {
    /// The OpenAPI 3.0.3 document.
    pub value: Value,
    /// What was dropped because no setting covers it.
    pub notes: Vec<String>,
}

impl Document {
    /// Reads a document of any dialect.
    ///
    /// # Errors
    /// Not JSON, or a document that breaks a rule; `file` is only named in the error.
    pub fn parse(text: &str, file: &str, settings: &Settings) -> Result<Self> {
        let raw: Value = serde_json::from_str(text)
            .map_err(|error| Error::new("json", &At::root(), error.to_string()).in_file(file))?;
        let Canonical { document, notes } =
            canonicalise(&raw, settings).map_err(|error| error.in_file(file))?;
        Ok(Self {
            value: document,
            notes,
        })
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, and those of [`Document::parse`].
    pub fn read(path: &Path, settings: &Settings) -> Result<Self> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::new("file", &At::root(), error.to_string()).in_file(&file))?;
        Self::parse(&text, &file, settings)
    }

    /// The document as text, sorted; the same document always gives the same bytes.
    pub fn to_text(&self) -> String {
        crate::json::to_text(&self.value)
    }

    /// The operations, sorted by path and method.
    pub(crate) fn operations(&self) -> Result<Vec<Operation>> {
        let mut operations = Vec::new();
        for (path, item) in Node::root(&self.value).need("paths")?.members()? {
            for (method, operation) in item.members()? {
                let id = operation.text_of("operationId")?;
                operations.push(Operation::read(
                    path,
                    method,
                    &operation.clone().in_operation(id),
                )?);
            }
        }
        Ok(operations)
    }

    pub(crate) fn schema(&self, name: &str) -> Option<&Value> {
        self.value.pointer("/components/schemas")?.get(name)
    }

    /// The compatibility date that the document describes, where it states one.
    pub(crate) fn compatibility_date(&self) -> Option<&str> {
        self.value
            .pointer("/components/parameters/CompatibilityDate/schema/enum/0")?
            .as_str()
    }

    pub(crate) fn base_url(&self) -> Option<&str> {
        self.value.pointer("/servers/0/url")?.as_str()
    }
}

/// The facts of one operation.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) tag: String,
    pub(crate) deprecated: bool,
    /// Scheme and scopes of each requirement.
    pub(crate) security: Vec<(String, Vec<String>)>,
    pub(crate) roles: Vec<String>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) cache_ttl: Option<u64>,
    pub(crate) cache_mode: Option<String>,
    pub(crate) cursor: bool,
    pub(crate) tombstone_ttl: Option<u64>,
    pub(crate) compatibility_date: Option<String>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// Schema of the answer; none for a 204.
    pub(crate) answer: Option<Value>,
    pub(crate) status: u16,
    pub(crate) x_pages: bool,
    /// A 204 means an empty list.
    pub(crate) empty_list: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct RateLimit {
    pub(crate) group: String,
    pub(crate) tokens: u64,
    pub(crate) window_seconds: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) in_path: bool,
    /// Required, and without a default that ESI would take instead.
    pub(crate) required: bool,
    /// A list is written as `a=1,2` rather than `a=1&a=2`.
    pub(crate) comma: bool,
    pub(crate) schema: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) required: bool,
    pub(crate) schema: Value,
}

impl Operation {
    fn read(path: &str, method: &str, node: &Node<'_>) -> Result<Self> {
        let (status, success) = success(node)?;
        let text = |key: &str| {
            node.get(key)
                .map(|place| place.text().map(str::to_owned))
                .transpose()
        };
        let seconds = |key: &str| node.get(key).map(|place| whole(&place)).transpose();
        Ok(Self {
            id: node.text_of("operationId")?.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            tag: node
                .need("tags")?
                .items()?
                .first()
                .map_or(Ok(""), Node::text)?
                .to_owned(),
            deprecated: node.flag("deprecated"),
            security: security(node)?,
            roles: node.texts_of("x-required-roles")?,
            rate_limit: node
                .get("x-rate-limit")
                .map(|limit| rate_limit(&limit))
                .transpose()?,
            cache_ttl: seconds("x-client-cache-ttl")?.or(seconds("x-server-cache-ttl")?),
            cache_mode: text("x-server-cache-mode")?,
            cursor: text("x-pagination")?.as_deref() == Some("cursor"),
            tombstone_ttl: seconds("x-tombstone-ttl")?,
            compatibility_date: text("x-compatibility-date")?,
            parameters: node
                .items_of("parameters")?
                .iter()
                .map(parameter)
                .collect::<Result<_>>()?,
            body: node
                .get("requestBody")
                .map(|body| self::body(&body))
                .transpose()?,
            answer: success
                .value
                .pointer("/content/application~1json/schema")
                .cloned(),
            status,
            x_pages: success.value.pointer("/headers/X-Pages").is_some(),
            empty_list: node.flag("x-empty-list"),
        })
    }

    /// The place of the operation in the canonical document.
    pub(crate) fn at(&self) -> At {
        let item = At::root().join("paths").join(&self.path);
        item.join(&self.method).in_operation(&self.id)
    }

    /// How many entries the list in the body may have.
    pub(crate) fn max_items(&self) -> Option<u32> {
        let most = self.body.as_ref()?.schema.get("maxItems")?.as_u64()?;
        u32::try_from(most).ok()
    }

    pub(crate) fn has_parameter(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.name == name)
    }
}

impl Parameter {
    pub(crate) fn is_list(&self) -> bool {
        self.schema.get("type").and_then(Value::as_str) == Some("array")
    }
}

fn success<'a>(node: &Node<'a>) -> Result<(u16, Node<'a>)> {
    let responses = node.need("responses")?;
    for (code, response) in responses.members()? {
        if let (true, Ok(status)) = (code.starts_with('2'), code.parse()) {
            return Ok((status, response));
        }
    }
    Err(responses.error("responses", "there is no successful answer"))
}

fn security(node: &Node<'_>) -> Result<Vec<(String, Vec<String>)>> {
    let mut requirements = Vec::new();
    for requirement in node.items_of("security")? {
        for (scheme, scopes) in requirement.members()? {
            let scopes = scopes
                .items()?
                .iter()
                .map(|scope| scope.text().map(str::to_owned))
                .collect::<Result<_>>()?;
            requirements.push((scheme.to_owned(), scopes));
        }
    }
    Ok(requirements)
}

fn whole(node: &Node<'_>) -> Result<u64> {
    node.value
        .as_u64()
        .filter(|number| *number <= u64::from(u32::MAX))
        .ok_or_else(|| node.error("type", "this must be a whole number that fits 32 bits"))
}

fn rate_limit(node: &Node<'_>) -> Result<RateLimit> {
    let window = node.need("window-size")?;
    let text = window.text()?;
    let unit = [("h", 3600), ("m", 60), ("s", 1)]
        .into_iter()
        .find_map(|(unit, factor)| text.strip_suffix(unit)?.parse::<u32>().ok()?.checked_mul(factor));
    let window_seconds =
        unit.ok_or_else(|| window.error("rate-limit", format!("`{text}` is no window such as 15m")))?;
    Ok(RateLimit {
        group: node.text_of("group")?.to_owned(),
        tokens: whole(&node.need("max-tokens")?)?,
        window_seconds,
    })
}

fn parameter(node: &Node<'_>) -> Result<Parameter> {
    let schema = node.need("schema")?;
    let in_path = node.text_of("in")? == "path";
    Ok(Parameter {
        name: node.text_of("name")?.to_owned(),
        in_path,
        required: in_path || node.flag("required") && schema.get("default").is_none(),
        comma: node.value.get("explode") == Some(&Value::Bool(false)),
        schema: schema.value.clone(),
    })
}

fn body(node: &Node<'_>) -> Result<Body> {
    let content = node.need("content")?.need("application/json")?;
    Ok(Body {
        required: node.flag("required"),
        schema: content.need("schema")?.value.clone(),
    })
}

//! What the specification promises: its operations, and which of them a request means.

use crate::error::Error;
use crate::schema::Schemas;
use esikit_codegen::document::Document;
use esikit_codegen::settings::Settings;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The copy of the specification that the package carries. The file is a link to the one that `esikit` is built from;
/// `cargo package` puts the text itself in its place.
const SPECIFICATION: &str = include_str!("../spec/esi.json");

/// What the specification cannot say about itself: which integer identifies what.
const SETTINGS: &str = include_str!("../spec/codegen.toml");

/// A specification, read for serving.
#[derive(Debug)]
pub(crate) struct Contract {
    pub(crate) schemas: Schemas,
    operations: Vec<Operation>,
    /// Each role that some operation requires.
    pub(crate) roles: BTreeSet<String>,
    /// Each scope that the specification declares.
    pub(crate) scopes: BTreeSet<String>,
    /// The compatibility date that the document describes.
    pub(crate) date: Option<String>,
    /// Operation to the property that tells its records apart.
    pub(crate) record_ids: BTreeMap<String, String>,
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    segments: Vec<Segment>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// Status of success, and the schema of its body.
    pub(crate) status: u16,
    pub(crate) answer: Option<Value>,
    /// A token must have all scopes of one of these; empty where everybody may ask.
    pub(crate) scopes: Vec<Vec<String>>,
    /// A character needs one of these; empty where none is needed.
    pub(crate) roles: Vec<String>,
    pub(crate) bucket: Option<Bucket>,
    /// For how many seconds an answer is fresh.
    pub(crate) ttl: Option<u32>,
    pub(crate) has_pages: bool,
    pub(crate) has_cursor: bool,
    /// The compatibility date from which the operation is there.
    pub(crate) since: Option<String>,
}

#[derive(Debug)]
enum Segment {
    Plain(String),
    Parameter(String),
}

/// A parameter of the path or the query.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) in_path: bool,
    /// Without a default that stands in.
    pub(crate) required: bool,
    /// A list is written `1,2`.
    pub(crate) comma: bool,
    pub(crate) schema: Value,
}

/// The body of a request.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) required: bool,
    pub(crate) schema: Value,
}

/// A rate limit of the second system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) group: String,
    pub(crate) tokens: u32,
    pub(crate) window_seconds: u32,
    /// As the specification writes it: `15m`.
    pub(crate) window: String,
}

/// What a method and a path mean.
pub(crate) enum Route<'a> {
    /// An operation, with the path's values.
    Found(&'a Operation, PathValues),
    /// The path is there, with these methods.
    OtherMethod(Vec<&'a str>),
    Unknown,
}

/// Values of path parameters, by name.
pub(crate) type PathValues = BTreeMap<String, String>;

impl Contract {
    /// The specification that the package carries, read once for the whole process.
    pub(crate) fn carried() -> Result<Arc<Self>, Error> {
        static CARRIED: OnceLock<Arc<Contract>> = OnceLock::new();
        if let Some(contract) = CARRIED.get() {
            return Ok(Arc::clone(contract));
        }
        let settings = Settings::parse(SETTINGS)?;
        let contract = Arc::new(Self::of(
            &Document::parse(SPECIFICATION, "esi.json", &settings)?,
            &settings,
        )?);
        Ok(Arc::clone(CARRIED.get_or_init(|| contract)))
    }

    /// Another specification, of any dialect.
    pub(crate) fn read(path: &Path) -> Result<Arc<Self>, Error> {
        let settings = Settings::parse(SETTINGS)?;
        let document = Document::read(path, &settings)?;
        Ok(Arc::new(Self::of(&document, &settings)?))
    }

    fn of(document: &Document, settings: &Settings) -> Result<Self, Error> {
        let root = &document.value;
        let schemas = Schemas::new(root, settings);
        let mut operations = Vec::new();
        for (path, item) in members(root.get("paths")) {
            for (method, facts) in members(Some(item)) {
                let operation = Operation::read(path, method, facts)?;
                if let Some(answer) = &operation.answer {
                    schemas.check_served(answer, &operation.id)?;
                }
                operations.push(operation);
            }
        }
        // Where two templates take a path, the one that says more of it comes first: `/markets/structures/{id}`.
        operations.sort_by(|a, b| a.openness().cmp(&b.openness()));
        let date = root.pointer("/components/parameters/CompatibilityDate/schema/enum/0");
        Ok(Self {
            roles: operations
                .iter()
                .flat_map(|operation| operation.roles.iter().cloned())
                .collect(),
            scopes: declared_scopes(root),
            date: date.and_then(Value::as_str).map(str::to_owned),
            record_ids: settings.parts.ids.clone(),
            schemas,
            operations,
        })
    }

    /// All operations.
    #[cfg(test)]
    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// What a request means.
    pub(crate) fn route(&self, method: &str, path: &str) -> Route<'_> {
        let mut methods = Vec::new();
        for operation in &self.operations {
            if let Some(values) = operation.values_in(path) {
                if operation.method == method {
                    return Route::Found(operation, values);
                }
                methods.push(operation.method.as_str());
            }
        }
        if methods.is_empty() {
            Route::Unknown
        } else {
            Route::OtherMethod(methods)
        }
    }

    /// The operation of this name.
    pub(crate) fn operation(&self, name: &str) -> Result<&Operation, Error> {
        self.operations
            .iter()
            .find(|operation| operation.id == name)
            .ok_or_else(|| Error::UnknownOperation {
                name: name.to_owned(),
                near: self.near(name),
            })
    }

    /// An operation whose name differs only in case and punctuation, or that holds the name or is held by it.
    fn near(&self, name: &str) -> Option<String> {
        let plain = |text: &str| -> String {
            let letters = text.chars().filter(char::is_ascii_alphanumeric);
            letters.map(|letter| letter.to_ascii_lowercase()).collect()
        };
        let wanted = plain(name);
        let ids = || self.operations.iter().map(|operation| &operation.id);
        ids()
            .find(|id| plain(id) == wanted)
            .or_else(|| ids().find(|id| wanted.len() > 3 && plain(id).contains(&wanted)))
            .cloned()
    }
}

impl Operation {
    fn read(path: &str, method: &str, facts: &Value) -> Result<Self, Error> {
        let id = text(facts, "operationId").unwrap_or_default();
        let unserved = |reason: &str| Error::Unserved {
            place: format!("{method} {path}"),
            reason: reason.to_owned(),
        };
        let (status, success) = members(facts.get("responses"))
            .find_map(|(code, response)| Some((code.strip_prefix('2').and(code.parse().ok())?, response)))
            .ok_or_else(|| unserved("there is no successful answer"))?;
        let bucket = facts.get("x-rate-limit").map(|limit| {
            bucket(limit)
                .ok_or_else(|| unserved("x-rate-limit needs group, max-tokens and a window such as 15m"))
        });
        Ok(Self {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            segments: segments(path),
            parameters: items(facts.get("parameters")).filter_map(parameter).collect(),
            body: facts.get("requestBody").and_then(body),
            status,
            answer: success.pointer("/content/application~1json/schema").cloned(),
            scopes: items(facts.get("security"))
                .map(|requirement| {
                    let schemes = members(Some(requirement));
                    schemes.flat_map(|(_, scopes)| texts(Some(scopes))).collect()
                })
                .collect(),
            roles: texts(facts.get("x-required-roles")),
            bucket: bucket.transpose()?,
            ttl: ["x-client-cache-ttl", "x-server-cache-ttl"]
                .iter()
                .find_map(|key| facts.get(key)?.as_u64())
                .and_then(|seconds| u32::try_from(seconds).ok())
                .filter(|seconds| *seconds > 0),
            has_pages: success.pointer("/headers/X-Pages").is_some(),
            has_cursor: text(facts, "x-pagination").as_deref() == Some("cursor"),
            since: text(facts, "x-compatibility-date"),
            id,
        })
    }

    /// Which segments are parameters: those that say more come first.
    fn openness(&self) -> (Vec<bool>, &str) {
        let open = self
            .segments
            .iter()
            .map(|segment| matches!(segment, Segment::Parameter(_)));
        (open.collect(), &self.id)
    }

    /// The values of the path's parameters when the path is one of this operation.
    pub(crate) fn values_in(&self, path: &str) -> Option<PathValues> {
        let given: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        if given.len() != self.segments.len() {
            return None;
        }
        let mut values = BTreeMap::new();
        for (segment, given) in self.segments.iter().zip(given) {
            match segment {
                Segment::Plain(text) if text == given => {}
                Segment::Parameter(name) if !given.is_empty() => {
                    let text = percent_encoding::percent_decode_str(given).decode_utf8().ok()?;
                    values.insert(name.clone(), text.into_owned());
                }
                _ => return None,
            }
        }
        Some(values)
    }
}

fn segments(path: &str) -> Vec<Segment> {
    let segments = path.trim_start_matches('/').split('/');
    segments
        .map(|segment| {
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            name.map_or_else(
                || Segment::Plain(segment.to_owned()),
                |name| Segment::Parameter(name.to_owned()),
            )
        })
        .collect()
}

fn parameter(facts: &Value) -> Option<Parameter> {
    let schema = facts.get("schema")?.clone();
    let in_path = facts.get("in")?.as_str()? == "path";
    Some(Parameter {
        name: text(facts, "name")?,
        in_path,
        required: in_path
            || facts.get("required") == Some(&Value::Bool(true)) && schema.get("default").is_none(),
        comma: facts.get("explode") == Some(&Value::Bool(false)),
        schema,
    })
}

fn body(facts: &Value) -> Option<Body> {
    Some(Body {
        required: facts.get("required") == Some(&Value::Bool(true)),
        schema: facts.pointer("/content/application~1json/schema")?.clone(),
    })
}

fn bucket(facts: &Value) -> Option<Bucket> {
    let window = text(facts, "window-size")?;
    let seconds = [("h", 3600), ("m", 60), ("s", 1)]
        .into_iter()
        .find_map(|(unit, factor)| {
            window
                .strip_suffix(unit)?
                .parse::<u32>()
                .ok()?
                .checked_mul(factor)
        })?;
    Some(Bucket {
        group: text(facts, "group")?,
        tokens: u32::try_from(facts.get("max-tokens")?.as_u64()?).ok()?,
        window_seconds: seconds,
        window,
    })
}

fn declared_scopes(root: &Value) -> BTreeSet<String> {
    members(root.pointer("/components/securitySchemes"))
        .flat_map(|(_, scheme)| members(scheme.get("flows")))
        .flat_map(|(_, flow)| members(flow.get("scopes")))
        .map(|(scope, _)| scope.clone())
        .collect()
}

/// Members of an object; none where there is no object.
pub(crate) fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

/// The texts of a list.
pub(crate) fn texts(value: Option<&Value>) -> Vec<String> {
    items(value)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_method_and_path() {
        let contract = Contract::carried().unwrap();
        assert!(contract.operations().len() >= 233);
        for operation in contract.operations() {
            let path: String = operation
                .segments
                .iter()
                .map(|segment| match segment {
                    Segment::Plain(text) => format!("/{text}"),
                    Segment::Parameter(_) => "/7".to_owned(),
                })
                .collect();
            match contract.route(&operation.method, &path) {
                Route::Found(found, _) => assert_eq!(found.id, operation.id),
                _ => panic!("{} {path} is not found", operation.method),
            }
        }
    }

    #[test]
    fn a_path_of_no_operation_is_unknown() {
        let contract = Contract::carried().unwrap();
        for path in [
            "/",
            "",
            "/nothing",
            "/status/",
            "/characters//assets",
            "/latest/status",
            "//status",
        ] {
            assert!(matches!(contract.route("GET", path), Route::Unknown), "{path}");
        }
        assert!(
            matches!(contract.route("POST", "/status"), Route::OtherMethod(methods) if methods == ["GET"])
        );
    }

    #[test]
    fn an_unknown_name_is_told_with_one_that_is_near() {
        let contract = Contract::carried().unwrap();
        let message = contract.operation("get_status").unwrap_err().to_string();
        assert!(message.ends_with("did you mean `GetStatus`?"), "{message}");
        let message = contract.operation("Nothing").unwrap_err().to_string();
        assert!(message.ends_with("no operation `Nothing`"), "{message}");
    }
}

//! What a request says, checked against what its operation takes.

use crate::contract::{Operation, Parameter, PathValues};
use crate::http::Incoming;
use crate::refusal::Refusal;
use crate::schema::{Fault, Schemas};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The parameters of a request, each of the type that its schema names.
#[derive(Debug, Default)]
pub(crate) struct Given {
    values: BTreeMap<String, Value>,
}

impl Given {
    /// Reads path and query. What the operation does not know is passed over, as ESI does.
    pub(crate) fn read(
        operation: &Operation,
        path_values: &PathValues,
        incoming: &Incoming,
        schemas: &Schemas,
    ) -> Result<Self, Refusal> {
        let query: Vec<(String, String)> = url::form_urlencoded::parse(incoming.query.as_bytes())
            .into_owned()
            .collect();
        let mut values = BTreeMap::new();
        let mut faults = Vec::new();
        for parameter in &operation.parameters {
            let texts: Vec<&str> = if parameter.in_path {
                path_values
                    .get(&parameter.name)
                    .map(String::as_str)
                    .into_iter()
                    .collect()
            } else {
                let same = query.iter().filter(|(name, _)| *name == parameter.name);
                same.map(|(_, text)| text.as_str()).collect()
            };
            match value_of(parameter, &texts, schemas) {
                Ok(Some(value)) => drop(values.insert(parameter.name.clone(), value)),
                Ok(None) => {}
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() {
            Ok(Self { values })
        } else {
            Err(Refusal::of_faults(400, faults))
        }
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.values.get(name)?.as_i64()
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.as_str()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The query as one text: sorted, without `page`, so that the pages of one list have the same.
    pub(crate) fn query_text(&self, operation: &Operation) -> String {
        let in_query = operation
            .parameters
            .iter()
            .filter(|parameter| !parameter.in_path && parameter.name != "page");
        let pairs = in_query.filter_map(|parameter| {
            let value = self.values.get(&parameter.name)?;
            Some(format!("{}={value}", parameter.name))
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    /// Whole numbers by name, those of the path and of the query: what an answer must agree with.
    pub(crate) fn ids(&self) -> PathValues {
        let integers = self.values.iter().filter(|(_, value)| value.is_i64());
        integers
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect()
    }
}

fn value_of(parameter: &Parameter, texts: &[&str], schemas: &Schemas) -> Result<Option<Value>, Vec<Fault>> {
    let place = format!(
        "{}.{}",
        if parameter.in_path { "path" } else { "query" },
        parameter.name
    );
    let fault = |message: &str, value: Value| Fault {
        place: place.clone(),
        message: message.to_owned(),
        value,
    };
    let Some(last) = texts.last() else {
        if parameter.required {
            return Err(vec![fault(
                "expected required parameter to be present",
                Value::Null,
            )]);
        }
        return Ok(None);
    };
    let (schema, _) = schemas.resolved(&parameter.schema);
    let value = if schema.get("type").and_then(Value::as_str) == Some("array") {
        let items = schema.get("items").map(|items| schemas.resolved(items).0);
        let parts = texts
            .iter()
            .flat_map(|text| text.split(move |letter| parameter.comma && letter == ','));
        let values: Option<Vec<Value>> = parts
            .map(|part| typed(items.unwrap_or(&Value::Null), part))
            .collect();
        values.map(Value::Array)
    } else {
        typed(schema, last)
    };
    let Some(value) = value else {
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        return Err(vec![fault(&format!("expected {kind}"), json!(last))]);
    };
    let faults = schemas.faults(schema, &value, &place);
    if faults.is_empty() {
        Ok(Some(value))
    } else {
        Err(faults)
    }
}

/// A text as a value of the schema's type; none when it is of another.
fn typed(schema: &Value, text: &str) -> Option<Value> {
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => text.parse::<i64>().ok().map(Value::from),
        Some("number") => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(Value::from),
        Some("boolean") => text.parse::<bool>().ok().map(Value::from),
        _ => Some(json!(text)),
    }
}

/// The body, checked; none where the operation takes none or the request leaves it away.
pub(crate) fn body(
    operation: &Operation,
    incoming: &Incoming,
    schemas: &Schemas,
) -> Result<Option<Value>, Refusal> {
    let Some(body) = &operation.body else {
        return Ok(None);
    };
    if incoming.body.is_empty() {
        return if body.required {
            Err(Refusal::new(400, "request body is required"))
        } else {
            Ok(None)
        };
    }
    let value: Value = serde_json::from_slice(&incoming.body)
        .map_err(|error| Refusal::new(400, format!("the body is not JSON: {error}")))?;
    let faults = schemas.faults(&body.schema, &value, "body");
    if faults.is_empty() {
        Ok(Some(value))
    } else {
        Err(Refusal::of_faults(422, faults))
    }
}

/// The ids of a body that is a list of them.
pub(crate) fn listed_ids(body: Option<&Value>) -> Vec<i64> {
    let items = body.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_i64).collect()
}

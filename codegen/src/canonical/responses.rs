//! Responses: one success, and one shape of error under `4XX` and `5XX`.

use super::{Context, schema};
use crate::error::Result;
use crate::node::Node;
use serde_json::{Map, Value, json};

/// The canonical responses of an operation.
pub(super) struct Responses {
    pub(super) facts: Value,
    /// Upstream documents a 204 beside a 200: nothing to list.
    pub(super) empty_list: bool,
}

impl<'a> Context<'a> {
    pub(super) fn responses(&self, operation: &Node<'a>) -> Result<Responses> {
        let place = operation.need("responses")?;
        let mut successes = Vec::new();
        let mut error = None;
        for (code, raw) in place.members()? {
            let response = raw.resolved(self.document)?;
            match code.as_bytes() {
                [b'2', b'0'..=b'9', b'0'..=b'9'] => successes.push((code, response)),
                b"304" => {}
                b"default" | [b'4' | b'5', b'0'..=b'9' | b'X', b'0'..=b'9' | b'X'] => {
                    error = error.or(self.content(&response)?)
                }
                _ => {
                    return Err(raw.error(
                        "responses",
                        format!("`{code}` is no status that ESI answers with"),
                    ));
                }
            }
        }
        let mut facts = Map::new();
        let empty_list = self.success(&place, successes, &mut facts)?;
        if let Some(content) = error {
            for class in ["4XX", "5XX"] {
                facts.insert(class.to_owned(), json!({ "description": "", "content": content }));
            }
        }
        Ok(Responses {
            facts: Value::Object(facts),
            empty_list,
        })
    }

    /// A 200 and a 204 on one operation are one typed 200; the 204 is an empty list.
    fn success(
        &self,
        place: &Node<'a>,
        mut successes: Vec<(&str, Node<'a>)>,
        facts: &mut Map<String, Value>,
    ) -> Result<bool> {
        let documented = successes.len();
        if documented == 2 {
            successes.retain(|(code, _)| *code != "204");
        }
        let [(code, response)] = &successes[..] else {
            return Err(place.error(
                "responses",
                "there must be one successful answer, or a 200 and a 204",
            ));
        };
        let content = self.content(response)?;
        if documented == 2 && !self.is_list(response)? {
            return Err(place.error(
                "responses",
                "a 204 beside a 200 is understood only where the 200 is a list",
            ));
        }
        let mut success = Map::new();
        success.insert("description".to_owned(), json!(""));
        if let Some(content) = content {
            success.insert("content".to_owned(), content);
        }
        if response
            .get("headers")
            .is_some_and(|headers| headers.get("X-Pages").is_some())
        {
            let pages = json!({ "X-Pages": { "schema": { "type": "integer", "format": "int32" } } });
            success.insert("headers".to_owned(), pages);
        }
        facts.insert((*code).to_owned(), Value::Object(success));
        Ok(documented == 2)
    }

    fn is_list(&self, response: &Node<'a>) -> Result<bool> {
        let Some(content) = response
            .get("content")
            .and_then(|content| content.get("application/json"))
        else {
            return Ok(false);
        };
        let schema = content.need("schema")?.resolved(self.document)?;
        Ok(schema.value.get("type") == Some(&json!("array")))
    }

    /// The JSON content of a response or a request body; none when it has no content.
    pub(super) fn content(&self, holder: &Node<'a>) -> Result<Option<Value>> {
        let Some(content) = holder.get("content") else {
            return Ok(None);
        };
        let Some(json) = content.get("application/json") else {
            return Err(content.error("content", "there is content, but none of it is application/json"));
        };
        let schema = schema::facts(&json.need("schema")?, self.document)?;
        Ok(Some(json!({ "application/json": { "schema": schema } })))
    }
}

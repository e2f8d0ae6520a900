//! From an answer's bytes to a value, or to the error that says what the bytes were.
//!
//! Only [`decode`] is generic; what it calls is compiled once.

use std::sync::Arc;

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{ApiError, DecodeError, Error};
use crate::json_path;
use crate::operation::{Operation, Success};
use crate::response::{RawResponse, Response};

/// How much of a failed answer's body an error keeps.
const BODY_KEPT: usize = 2048;

/// The typed value of a successful answer.
pub(crate) fn decode<T: DeserializeOwned>(
    operation: &'static Operation,
    answer: &RawResponse,
) -> Result<Response<T>, Error> {
    let text = json_text(operation, answer)?;
    match serde_json::from_str(text) {
        Ok(value) => Ok(Response::new(
            value,
            answer.status(),
            Arc::clone(answer.shared_headers()),
        )),
        Err(error) => Err(decode_error(operation, answer.status(), text, &error)),
    }
}

/// Lets only successes pass: the status decides, then a body that says `error` in spite of it.
pub(crate) fn check(operation: &'static Operation, answer: RawResponse) -> Result<RawResponse, Error> {
    let is_success = (200..300).contains(&answer.status());
    let message = error_message(answer.body());
    if is_success && message.is_none() {
        return Ok(answer);
    }
    let body = String::from_utf8_lossy(answer.body());
    Err(Error::Api(Box::new(ApiError {
        operation,
        status: answer.status(),
        message: message.unwrap_or_else(|| fallback_message(answer.status(), &body)),
        body: shortened(&body).to_owned(),
        headers: Arc::clone(answer.shared_headers()),
    })))
}

/// The JSON text of a successful answer. Where the spec says that nothing comes, the JSON of nothing.
fn json_text<'a>(operation: &'static Operation, answer: &'a RawResponse) -> Result<&'a str, Error> {
    match operation.success {
        // A proxy's page with status 200 is no sign that a write was done.
        Success::Empty if answer.status() == 204 || answer.body().trim_ascii().is_empty() => {
            return Ok("null");
        }
        Success::JsonOrEmptyList if answer.status() == 204 => return Ok("[]"),
        Success::Json | Success::JsonOrEmptyList | Success::Empty => {}
    }
    std::str::from_utf8(answer.body()).map_err(|error| {
        let valid = error.valid_up_to();
        let text = String::from_utf8_lossy(answer.body());
        Error::Decode(Box::new(DecodeError {
            operation,
            status: answer.status(),
            path: json_path::path_at(&text, valid),
            message: format!("not UTF-8 at byte {valid}"),
            snippet: json_path::snippet_at(&text, valid),
        }))
    })
}

fn decode_error(operation: &'static Operation, status: u16, text: &str, error: &serde_json::Error) -> Error {
    let offset = json_path::offset_of(text, error.line(), error.column());
    let message = match text.trim_start() {
        "" => "the body is empty".to_owned(),
        html if html.starts_with('<') => format!("HTML or XML instead of JSON ({error})"),
        _ => error.to_string(),
    };
    Error::Decode(Box::new(DecodeError {
        operation,
        status,
        path: json_path::path_at(text, offset),
        message,
        snippet: json_path::snippet_at(text, offset),
    }))
}

/// The message of ESI's error object, `{"error": "..."}`. No success of the spec has a field of that name.
fn error_message(body: &[u8]) -> Option<String> {
    const LONGEST: usize = 64 * 1024;
    const KEY: &[u8] = br#""error""#;
    let is_object = body.trim_ascii_start().first() == Some(&b'{');
    if !is_object || body.len() > LONGEST || !body.windows(KEY.len()).any(|part| part == KEY) {
        return None;
    }
    match serde_json::from_slice::<Value>(body).ok()?.get("error")? {
        Value::String(message) => Some(shortened(message).to_owned()),
        Value::Null => None,
        other => Some(shortened(&other.to_string()).to_owned()),
    }
}

/// What to say where ESI said nothing that can be shown.
fn fallback_message(status: u16, body: &str) -> String {
    const LONGEST_LINE: usize = 200;
    let text = body.trim();
    let is_sentence = !text.is_empty() && text.len() <= LONGEST_LINE && !text.starts_with(['<', '{', '[']);
    match status {
        304 => "not modified, though the request had no condition".to_owned(),
        300..400 => "a redirect, which this client does not follow".to_owned(),
        _ if is_sentence => text.to_owned(),
        _ => {
            let reason = StatusCode::from_u16(status)
                .ok()
                .and_then(|status| status.canonical_reason());
            reason.unwrap_or("no reason given").to_owned()
        }
    }
}

fn shortened(text: &str) -> &str {
    text.get(..json_path::floor_boundary(text, BODY_KEPT))
        .unwrap_or_default()
}

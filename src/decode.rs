//! From an answer's bytes to a value, or to the error that says what the bytes were.
//!
//! Only [`typed`] and [`as_type`] are generic; what they call is compiled once.

use std::any::{Any, TypeId};
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{ApiError, DecodeError, Error, RoleMissing};
use crate::headers::Headers;
use crate::json_path;
use crate::operation::{Operation, Success};
use crate::response::{RawResponse, Source};

/// How much of a failed answer's body an error keeps.
const BODY_KEPT: usize = 2048;

/// The value of a successful answer, of whatever type: what the way of a call hands on without knowing it.
pub(crate) trait Decoded: Any + Send + Sync {
    /// The value as JSON again.
    fn to_json(&self) -> Result<Vec<u8>, serde_json::Error>;

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<T: Serialize + Send + Sync + 'static> Decoded for T {
    fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// A body that was not decoded.
pub(crate) struct Undecoded(pub(crate) Bytes);

impl Decoded for Undecoded {
    fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(self.0.to_vec())
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// How the body of a call becomes a value.
pub(crate) type Decoder = fn(&'static Operation, &RawResponse) -> Result<Arc<dyn Decoded>, Error>;

/// The typed value of a successful answer.
pub(crate) fn typed<T: DeserializeOwned + Serialize + Send + Sync + 'static>(
    operation: &'static Operation,
    answer: &RawResponse,
) -> Result<Arc<dyn Decoded>, Error> {
    // Whoever takes untyped JSON takes nothing for `null`.
    let is_nothing = answer.status() == 204 && TypeId::of::<T>() == TypeId::of::<Value>();
    let text = match operation.success {
        Success::Json if is_nothing => "null",
        _ => json_text(operation, answer)?,
    };
    match serde_json::from_str::<T>(text) {
        Ok(value) => Ok(Arc::new(value)),
        Err(error) => Err(decode_error(operation, answer.status(), text, &error)),
    }
}

/// The bytes, for a caller who wants them.
pub(crate) fn undecoded(_: &'static Operation, answer: &RawResponse) -> Result<Arc<dyn Decoded>, Error> {
    Ok(as_it_came(answer))
}

/// The bytes as a value.
pub(crate) fn as_it_came(answer: &RawResponse) -> Arc<dyn Decoded> {
    Arc::new(Undecoded(answer.body().clone()))
}

/// The value as a `T`. One that was decoded for a caller who wanted another type is decoded again from its JSON: asking
/// ESI again before the answer expires is forbidden.
pub(crate) fn as_type<T: DeserializeOwned + Serialize + Send + Sync + 'static>(
    operation: &'static Operation,
    status: u16,
    headers: &Arc<Headers>,
    value: Arc<dyn Decoded>,
) -> Result<Arc<T>, Error> {
    if let Ok(value) = Arc::clone(&value).into_any().downcast::<T>() {
        return Ok(value);
    }
    let again = RawResponse::from(status, Arc::clone(headers), as_bytes(value), Source::Cache);
    let value = typed::<T>(operation, &again)?.into_any();
    value.downcast::<T>().map_err(|_| {
        let message = "it is decoded to another type than it was asked for";
        decode_error(operation, status, "", &serde::de::Error::custom(message))
    })
}

/// The value as bytes; encoded again where it was decoded for somebody else.
pub(crate) fn as_bytes(value: Arc<dyn Decoded>) -> Bytes {
    match Arc::clone(&value).into_any().downcast::<Undecoded>() {
        Ok(body) => body.0.clone(),
        Err(_) => value.to_json().unwrap_or_default().into(),
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
    let message = message.unwrap_or_else(|| fallback_message(answer.status(), &body));
    if answer.status() == 403 && !operation.roles.is_empty() && message.to_lowercase().contains("role") {
        return Err(Error::RoleMissing(Box::new(RoleMissing {
            operation,
            status: 403,
            message,
            any_of: operation.roles,
        })));
    }
    let error = Box::new(ApiError {
        operation,
        status: answer.status(),
        message,
        body: shortened(&body).to_owned(),
        headers: Arc::clone(answer.shared_headers()),
    });
    Err(match error.status {
        420 => Error::ErrorLimited(error),
        _ => Error::Api(error),
    })
}

/// What ESI says went wrong; none for a success or a redirect.
pub(crate) fn message(answer: &RawResponse) -> Option<String> {
    let message = error_message(answer.body());
    if answer.status() < 400 {
        return message;
    }
    let body = String::from_utf8_lossy(answer.body());
    Some(message.unwrap_or_else(|| fallback_message(answer.status(), &body)))
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

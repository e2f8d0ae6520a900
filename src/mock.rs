//! For tests: answers of every operation decoded and encoded again.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A JSON text after it was decoded to its type and encoded again.
pub type Reencoded = Result<Value, serde_json::Error>;

/// Decodes the answer of an operation, and encodes it again; none where the operation is unknown.
pub fn reencoded(operation: &str, body: &str) -> Option<Reencoded> {
    crate::generated::reencoded(operation, body)
}

/// Decodes a text to `T`, and encodes it again.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) fn again<T: DeserializeOwned + Serialize>(body: &str) -> Reencoded {
    serde_json::from_str::<T>(body).and_then(serde_json::to_value)
}

/// A sample of the answer of an operation; none where the operation is unknown or answers with nothing.
pub fn sample(operation: &str) -> Option<Value> {
    crate::generated::sample(operation)
}

/// A sample of `T` as JSON.
#[allow(dead_code, reason = "a build of few operations needs few of them")]
pub(crate) fn sampled<T: crate::Sample + Serialize>() -> Option<Value> {
    serde_json::to_value(T::sample_at(0)).ok()
}
